/* Fuzz target: the guard against payment card numbers, on files and texts. What was masked holds none any more, and
 * what the quick look passes over the closer one does not find. */
#include "fuzz.h"
#include "base/card.h"
#include "base/file/card_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = arena_make(1 << 26);
    text all = { (const char *)data, size };
    bool found = false, again = true;
    enum err e = card_file(&a, all, &found);
    FUZZ_CHECK(e == OK || e == ERR_TOO_LARGE || e == ERR_MEMORY);
    bool quick = false, close = false;
    if (card_look(&a, all, &quick) == OK && card_look_closely(&a, all, &close) == OK)
        FUZZ_CHECK(quick == close);
    text masked = card_mask(&a, all);
    if (masked.p && card_look(&a, masked, &again) == OK)
        FUZZ_CHECK(!again);
    return 0;
}
