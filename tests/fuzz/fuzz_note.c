/* Fuzz target: signed notes, checkpoints, verifiers' lines and certificates, both as they come and under a true
 * signature. */
#include "fuzz.h"
#include "base/buf.h"
#include "crypt/note.h"
#include <sodium.h>

static const text NAME = TEXT_INIT("fuzz.example/journal");

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    ARENA_AUTO a = arena_make(4096);
    FUZZ_CHECK(crypt_init(&a) == OK);
    return 0;
}

static void make(struct signer *s)
{
    static const struct key seed = { "fuzz seed of 32 bytes not secret" };
    signer_make(NAME, &seed, s);
}

/* A checkpoint that opens is one we would sign so, up to its extension lines. */
static void open_checkpoint(struct arena *a, const struct signer *s, text note)
{
    uint64_t size;
    struct hash root;
    enum err code = checkpoint_open(a, s, note, &size, &root);
    FUZZ_CHECK(code == OK || code == ERR_INTEGRITY);
    if (code != OK)
        return;
    text ours = checkpoint_sign(a, s, size, root);
    FUZZ_CHECK(text_starts(note, text_upto(ours, (size_t)text_find(ours, TEXT("\n\n")))));
}

/* Signs the input as the body of a note, so that what lies behind the signature is reached. */
static void open_signed(struct arena *a, const struct signer *s, text in)
{
    uint8_t line[4 + 64];
    BUF_AUTO b = buf_make(1 << 20);
    text body;
    for (unsigned i = 0; i < 4; i++)
        line[i] = (uint8_t)(s->key_id >> (24 - 8 * i));
    buf_print(&b, "%.*s\n", T(s->name));
    buf_add(&b, in);
    buf_char(&b, '\n');
    crypto_sign_detached(line + 4, NULL, (const uint8_t *)b.p, b.n, s->secret);
    size_t size = b.n;
    buf_print(&b, "\n— %.*s ", T(s->name));
    buf_base64(&b, TEXT_BYTES(line));
    buf_char(&b, '\n');
    bool clean = text_utf8(in);
    for (size_t i = 0; i < in.n; i++)
        clean = clean && ((uint8_t)in.p[i] >= ' ' || in.p[i] == '\n');
    FUZZ_CHECK((note_open(a, s, buf_begun(&b), &body) == OK) == clean);
    FUZZ_CHECK(!clean || body.n == size);
    open_checkpoint(a, s, buf_begun(&b));
}

/* As it comes, and as the lines before a true checkpoint of the one leaf. */
static void open_proof(struct arena *a, const struct signer *s, text in)
{
    struct hash leaf = tree_leaf(TEXT("entry"));
    uint64_t index = 0, size = 0;
    text note = checkpoint_sign(a, s, 1, leaf);
    enum err code = proof_open(a, s, in, leaf, &index, &size);
    FUZZ_CHECK(code == ERR_INTEGRITY || (code == OK && index < size));
    code = proof_open(a, s, arena_print(a, "%.*s\n\n%.*s", T(in), T(note)), leaf, &index, &size);
    FUZZ_CHECK(code == ERR_INTEGRITY || (code == OK && index == 0 && size == 1));
}

static void parse_verifier(struct arena *a, text in)
{
    struct signer v, again;
    text body;
    enum err code = signer_parse(a, in, &v);
    FUZZ_CHECK(code == OK || code == ERR_VALUE);
    if (code != OK)
        return;
    FUZZ_CHECK(text_eq_nocase(signer_verifier(a, &v), in));
    FUZZ_CHECK(signer_parse(a, signer_verifier(a, &v), &again) == OK && again.key_id == v.key_id);
    FUZZ_CHECK(note_open(a, &v, in, &body) == ERR_INTEGRITY);
}

static void open_certificate(struct arena *a, const struct signer *s, text in)
{
    text header, payload, json;
    size_t half = in.n / 2;
    FUZZ_CHECK(certificate_open(a, s, CERTIFICATE_TYPE, in, &json) == ERR_INTEGRITY || in.n > 64);
    text jws = jws_sign(a, s, text_upto(in, half), text_from(in, half));
    enum err code = jws_open(a, s, jws, &header, &payload);
    FUZZ_CHECK(code == OK || code == ERR_INTEGRITY);
    FUZZ_CHECK(code != OK || (text_eq(header, text_upto(in, half)) && text_eq(payload, text_from(in, half))));
    code = certificate_open(a, s, CERTIFICATE_TYPE, jws, &json);
    FUZZ_CHECK(code == OK || code == ERR_INTEGRITY);
    text certificate = certificate_sign(a, s, CERTIFICATE_TYPE, in);
    FUZZ_CHECK(certificate_open(a, s, CERTIFICATE_TYPE, certificate, &json) == OK && text_eq(json, in));
    FUZZ_CHECK(certificate_open(a, s, RECEIPT_TYPE, certificate, &json) == ERR_INTEGRITY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    text in = { (const char *)data, size }, body;
    ARENA_AUTO a = arena_make(1 << 24);
    SIGNER_AUTO s;
    make(&s);
    enum err code = note_open(&a, &s, in, &body);
    FUZZ_CHECK(code == OK || code == ERR_INTEGRITY);
    open_checkpoint(&a, &s, in);
    open_signed(&a, &s, in);
    parse_verifier(&a, in);
    open_proof(&a, &s, in);
    open_certificate(&a, &s, in);
    return 0;
}
