/* Fuzz target: sealed values and wrapped keys, as an altered store would hand them back. */
#include "fuzz.h"
#include "crypt/keyring.h"
#include <string.h>

static const struct key KEY = { "fuzz key of 32 bytes, not secret" };
static const struct master MASTER = { .id = 0x66757a7a,
                                      .key = { "fuzz master 32 bytes, not secret" },
                                      .has_former = true,
                                      .former_id = 0x6f6c6421,
                                      .former = { "former master, bytes not secret" } };
static const struct place HERE = { TEXT_INIT("site-fr"), { { 1 } }, TEXT_INIT("contact"), TEXT_INIT("email"), 7 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    ARENA_AUTO a = arena_make(4096);
    FUZZ_CHECK(crypt_init(&a) == OK);
    return 0;
}

/* What opens was sealed: sealing it again gives the same length and opens again. What does not, says so. */
static void open_as_sealed(text in)
{
    ARENA_AUTO a = arena_make(1 << 22);
    text clear, again;
    sealed s;
    enum err code = seal_open(&a, &KEY, &HERE, (sealed){ in }, &clear);
    FUZZ_CHECK(code == OK || (code == ERR_CRYPT && a.why.code == ERR_CRYPT));
    if (code != OK)
        return;
    FUZZ_CHECK(in.n == clear.n + SEAL_OVERHEAD);
    FUZZ_CHECK(seal(&a, &KEY, &HERE, clear, &s) == OK && s.bytes.n == in.n);
    FUZZ_CHECK(seal_open(&a, &KEY, &HERE, s, &again) == OK && text_eq(clear, again));
}

static void open_as_wrapped(text in)
{
    ARENA_AUTO a = arena_make(1 << 16);
    KEY_AUTO k;
    uint8_t w[WRAPPED_KEY];
    enum err code = key_unwrap(&a, &MASTER, TEXT("site-fr"), (struct subject_id){ { 1 } }, 1, in, &k);
    FUZZ_CHECK(code == OK || code == ERR_CRYPT);
    FUZZ_CHECK(!key_wrap_current(&MASTER, in) || in.n == WRAPPED_KEY);
    if (code != OK)
        return;
    key_wrap(&MASTER, TEXT("site-fr"), (struct subject_id){ { 1 } }, 1, &k, w);
    FUZZ_CHECK(key_wrap_current(&MASTER, TEXT_BYTES(w)));
}

/* Seals the input, changes one bit of the result at a place the input chooses, and expects a refusal. */
static void seal_and_alter(text in)
{
    ARENA_AUTO a = arena_make(1 << 22);
    sealed s;
    text clear;
    if (in.n < 3)
        return;
    size_t at = (uint8_t)in.p[0] | (size_t)(uint8_t)in.p[1] << 8;
    FUZZ_CHECK(seal(&a, &KEY, &HERE, text_from(in, 3), &s) == OK);
    FUZZ_CHECK(seal_open(&a, &KEY, &HERE, s, &clear) == OK && text_eq(clear, text_from(in, 3)));
    char *copy = arena_alloc(&a, s.bytes.n);
    FUZZ_CHECK(copy);
    memcpy(copy, s.bytes.p, s.bytes.n);
    copy[at % s.bytes.n] ^= (char)(1 << (in.p[2] & 7));
    FUZZ_CHECK(seal_open(&a, &KEY, &HERE, (sealed){ { copy, s.bytes.n } }, &clear) == ERR_CRYPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    text in = { (const char *)data, size };
    open_as_sealed(in);
    open_as_wrapped(in);
    seal_and_alter(in);
    return 0;
}
