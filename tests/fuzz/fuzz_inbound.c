/* Emails that come in: whatever bytes they are, what reads them gives JSON that can be parsed, or nothing. */
#include "fuzz.h"
#include "base/json.h"
#include "link/mime_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool opened;
    ARENA_AUTO a = arena_make(64 << 20);
    BUF_AUTO b = buf_make(32 << 20);
    const struct json *said;
    text in = { (const char *)data, size };
    if (!opened && !mime_read_open())
        abort();
    opened = true;
    if (!mime_read(in, &b))
        return 0;
    if (json_parse_buf(&a, &b, &said) != OK || said->kind != J_OBJECT)
        abort();
    buf_clear(&b);
    mime_read_texts(in, &b);
    buf_clear(&b);
    mime_read_part(in, 0, &b);
    return 0;
}
