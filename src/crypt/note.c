/* Signed statements: the lines of a note, its signature, and the compact JWS of a certificate. */
#include "note.h"
#include <sodium.h>
#include <string.h>
#include "base/decode.h"
#include "base/json.h"

enum { ED25519_NOTE = 1, SIGNATURE = crypto_sign_BYTES, KEY_ID = 4, SIGNATURES_MAX = 100 };
#define EM_DASH "\xE2\x80\x94 "

static uint32_t big_endian(const void *bytes)
{
    const uint8_t *b = bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* c2sp.org/signed-note: the first 4 bytes of SHA-256(name ‖ newline ‖ type ‖ public key). */
static uint32_t key_id(text name, const uint8_t public_key[32])
{
    crypto_hash_sha256_state state;
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)name.p, name.n);
    crypto_hash_sha256_update(&state, (const uint8_t[]){ '\n', ED25519_NOTE }, 2);
    crypto_hash_sha256_update(&state, public_key, 32);
    crypto_hash_sha256_final(&state, digest);
    return big_endian(digest);
}

/* Unicode's White_Space beyond ASCII, in UTF-8. */
static bool has_wide_blank(text s)
{
    static const text blanks[] = {
        TEXT_INIT("\xC2\x85"),     TEXT_INIT("\xC2\xA0"),     TEXT_INIT("\xE1\x9A\x80"), TEXT_INIT("\xE2\x80\xA8"),
        TEXT_INIT("\xE2\x80\xA9"), TEXT_INIT("\xE2\x80\xAF"), TEXT_INIT("\xE2\x81\x9F"), TEXT_INIT("\xE3\x80\x80"),
    };
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        if (text_find(s, blanks[i]) >= 0)
            return true;
    for (char last = (char)0x80; last <= (char)0x8A; last++) /* U+2000 to U+200A */
        if (text_find(s, (text){ (char[]){ (char)0xE2, (char)0x80, last }, 3 }) >= 0)
            return true;
    return false;
}

bool signer_name_valid(text name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((uint8_t)name.p[i] <= ' ' || name.p[i] == '+' || name.p[i] == 0x7F)
            return false;
    return name.n && text_utf8(name) && !has_wide_blank(name);
}

void signer_make(text name, const struct key *seed, struct signer *out)
{
    *out = (struct signer){ .name = name };
    crypto_sign_seed_keypair(out->public_key, out->secret, seed->b);
    out->key_id = key_id(name, out->public_key);
}

void signer_wipe(struct signer *s) { sodium_memzero(s, sizeof *s); }

text signer_verifier(struct arena *a, const struct signer *s)
{
    uint8_t key[1 + sizeof s->public_key] = { ED25519_NOTE };
    memcpy(key + 1, s->public_key, sizeof s->public_key);
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    buf_print(&b, "%.*s+%08x+", T(s->name), s->key_id);
    buf_base64(&b, TEXT_BYTES(key));
    return buf_made(a, &b);
}

enum err signer_parse(struct arena *a, text verifier, struct signer *out)
{
    text rest = verifier, name = text_cut(&rest, '+'), hex = text_cut(&rest, '+');
    uint8_t id[KEY_ID];
    *out = (struct signer){ 0 };
    if (!signer_name_valid(name) || !decode_hex(hex, id, sizeof id))
        return say(a, ERR_VALUE, "a verifier reads name+8 hexadecimal digits+base64");
    text key = decode_base64(a, rest);
    if (key.n != 1 + sizeof out->public_key || key.p[0] != ED25519_NOTE)
        return say(a, ERR_VALUE, "the verifier's key is not an Ed25519 key in base64");
    memcpy(out->public_key, key.p + 1, sizeof out->public_key);
    out->name = arena_copy(a, name);
    TRY_PTR(out->name.p);
    out->key_id = big_endian(id);
    if (out->key_id != key_id(name, out->public_key))
        return say(a, ERR_VALUE, "the verifier's digits are not those of its name and key");
    return OK;
}

text note_sign(struct arena *a, const struct signer *s, text body)
{
    uint8_t line[KEY_ID + SIGNATURE] = { (uint8_t)(s->key_id >> 24), (uint8_t)(s->key_id >> 16),
                                         (uint8_t)(s->key_id >> 8), (uint8_t)s->key_id };
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    text whole;
    buf_add(&b, body);
    if (buf_lend(a, &b, &whole) != OK)
        return whole;
    crypto_sign_detached(line + KEY_ID, NULL, (const uint8_t *)whole.p, whole.n, s->secret);
    buf_print(&b, "\n" EM_DASH "%.*s ", T(s->name));
    buf_base64(&b, TEXT_BYTES(line));
    buf_char(&b, '\n');
    return buf_made(a, &b);
}

text checkpoint_sign(struct arena *a, const struct signer *s, uint64_t size, struct hash root)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    buf_print(&b, "%.*s\n%llu\n", T(s->name), (unsigned long long)size);
    buf_base64(&b, TEXT_BYTES(root.b));
    buf_char(&b, '\n');
    text body = buf_made(a, &b);
    return body.p ? note_sign(a, s, body) : body;
}

static bool has_control(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < ' ' && s.p[i] != '\n')
            return true;
    return false;
}

/* One signature line, its newline taken off: whether the verifier's key made it is added to `*ours`. */
static enum err signature_line(struct arena *a, const struct signer *verifier, text body, text line, unsigned *ours)
{
    text rest = text_from(line, sizeof EM_DASH - 1), name = text_cut(&rest, ' ');
    if (!text_starts(line, TEXT(EM_DASH)) || !signer_name_valid(name))
        return say(a, ERR_INTEGRITY, "the note has a malformed signature line");
    text bytes = decode_base64(a, rest);
    if (bytes.n <= KEY_ID)
        return say(a, ERR_INTEGRITY, "the note has a signature that is not base64 of an id and more");
    if (!text_eq(name, verifier->name) || big_endian(bytes.p) != verifier->key_id)
        return OK; /* another's signature: to be ignored */
    if (bytes.n != KEY_ID + SIGNATURE ||
        crypto_sign_verify_detached((const uint8_t *)bytes.p + KEY_ID, (const uint8_t *)body.p, body.n,
                                    verifier->public_key))
        return say(a, ERR_INTEGRITY, "the note's signature by %.*s does not hold", T(name));
    ++*ours;
    return OK;
}

enum err note_open(struct arena *a, const struct signer *verifier, text note, text *body)
{
    size_t end = note.n;
    if (!text_utf8(note) || has_control(note) || !text_ends(note, TEXT("\n")))
        return say(a, ERR_INTEGRITY, "the note is not UTF-8 text that ends with a newline");
    while (end >= 2 && !(note.p[end - 1] == '\n' && note.p[end - 2] == '\n'))
        end--;
    if (end < 2)
        return say(a, ERR_INTEGRITY, "the note has no signatures");
    *body = text_upto(note, end - 1);
    text lines = text_from(note, end);
    unsigned ours = 0;
    for (unsigned count = 0; lines.n; count++) {
        if (count == SIGNATURES_MAX)
            return say(a, ERR_INTEGRITY, "the note has more than %d signatures", SIGNATURES_MAX);
        TRY(signature_line(a, verifier, *body, text_cut(&lines, '\n'), &ours));
    }
    if (!ours)
        return say(a, ERR_INTEGRITY, "the note is not signed by %.*s", T(verifier->name));
    return OK;
}

/* Digits without sign or leading zero, as C2SP writes numbers; up to INT64_MAX. */
static bool decimal(text digits, uint64_t *out)
{
    int64_t value;
    if (!digits.n || digits.p[0] < '0' || (digits.p[0] == '0' && digits.n > 1) || !text_int(digits, &value))
        return false;
    *out = (uint64_t)value;
    return true;
}

enum err checkpoint_open(struct arena *a, const struct signer *verifier, text note, uint64_t *size, struct hash *root)
{
    text body;
    TRY(note_open(a, verifier, note, &body));
    text origin = text_cut(&body, '\n'), digits = text_cut(&body, '\n'), hash = decode_base64(a, text_cut(&body, '\n'));
    if (!text_eq(origin, verifier->name))
        return say(a, ERR_INTEGRITY, "the checkpoint's origin is not %.*s", T(verifier->name));
    if (!decimal(digits, size))
        return say(a, ERR_INTEGRITY, "the checkpoint's size is not a decimal number");
    if (hash.n != sizeof root->b)
        return say(a, ERR_INTEGRITY, "the checkpoint's root is not a SHA-256 in base64");
    while (body.n)
        if (!text_cut(&body, '\n').n)
            return say(a, ERR_INTEGRITY, "the checkpoint has an empty extension line");
    memcpy(root->b, hash.p, sizeof root->b);
    return OK;
}

#define PROOF_HEAD "c2sp.org/tlog-proof@v1"

text proof_print(struct arena *a, uint64_t index, const struct tree_proof *proof, text note)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    buf_print(&b, PROOF_HEAD "\nindex %llu\n", (unsigned long long)index);
    for (unsigned i = 0; i < proof->count; i++) {
        buf_base64(&b, TEXT_BYTES(proof->path[i].b));
        buf_char(&b, '\n');
    }
    buf_char(&b, '\n');
    buf_add(&b, note);
    return buf_made(a, &b);
}

/* The lines of hashes up to the empty line; moves `*rest` behind it. */
static enum err proof_path(struct arena *a, text *rest, struct tree_proof *out)
{
    *out = (struct tree_proof){ 0 };
    for (text line = text_cut(rest, '\n'); line.n; line = text_cut(rest, '\n')) {
        text hash = decode_base64(a, line);
        if (hash.n != sizeof out->path[0].b || out->count == sizeof out->path / sizeof *out->path)
            return say(a, ERR_INTEGRITY, "the proof's hash %u is not a SHA-256 in base64, or one too many",
                       out->count + 1);
        memcpy(out->path[out->count++].b, hash.p, hash.n);
    }
    return OK;
}

enum err proof_open(struct arena *a, const struct signer *verifier, text proof, struct hash leaf, uint64_t *index,
                    uint64_t *size)
{
    text rest = proof, line = text_cut(&rest, '\n');
    struct tree_proof path;
    struct hash root;
    if (!text_eq(line, TEXT(PROOF_HEAD)))
        return say(a, ERR_INTEGRITY, "the proof does not begin with %s", PROOF_HEAD);
    line = text_cut(&rest, '\n');
    if (text_starts(line, TEXT("extra "))) { /* authenticated by nothing: passed over */
        if (!decode_base64(a, text_from(line, sizeof "extra " - 1)).p)
            return say(a, ERR_INTEGRITY, "the proof's extra data is not base64");
        line = text_cut(&rest, '\n');
    }
    if (!text_starts(line, TEXT("index ")) || !decimal(text_from(line, sizeof "index " - 1), index))
        return say(a, ERR_INTEGRITY, "the proof has no index");
    TRY(proof_path(a, &rest, &path));
    TRY(checkpoint_open(a, verifier, rest, size, &root));
    if (!tree_check_inclusion(*index, *size, leaf, &path, root))
        return say(a, ERR_INTEGRITY, "the proof does not show the entry at index %llu of %llu",
                   (unsigned long long)*index, (unsigned long long)*size);
    return OK;
}

text jws_sign(struct arena *a, const struct signer *s, text header, text payload)
{
    uint8_t signature[SIGNATURE];
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    buf_base64url(&b, header);
    buf_char(&b, '.');
    buf_base64url(&b, payload);
    text input;
    if (buf_lend(a, &b, &input) != OK)
        return input;
    crypto_sign_detached(signature, NULL, (const uint8_t *)input.p, input.n, s->secret);
    buf_char(&b, '.');
    buf_base64url(&b, TEXT_BYTES(signature));
    return buf_made(a, &b);
}

enum err jws_open(struct arena *a, const struct signer *verifier, text jws, text *header, text *payload)
{
    text rest = jws, head = text_cut(&rest, '.'), middle = text_cut(&rest, '.');
    text signature = decode_base64url(a, rest);
    if (!signature.p || signature.n != SIGNATURE)
        return say(a, ERR_INTEGRITY, "not a compact JWS with an Ed25519 signature");
    text input = { jws.p, head.n + 1 + middle.n };
    if (crypto_sign_verify_detached((const uint8_t *)signature.p, (const uint8_t *)input.p, input.n,
                                    verifier->public_key))
        return say(a, ERR_INTEGRITY, "the signature does not hold under the key of %.*s", T(verifier->name));
    *header = decode_base64url(a, head);
    *payload = decode_base64url(a, middle);
    const struct json *parsed;
    if (!header->p || !payload->p || json_parse(a, *header, &parsed) != OK)
        return say(a, ERR_INTEGRITY, "the header or payload of the JWS is malformed");
    if (!text_eq(json_text(parsed, TEXT("alg")), TEXT("EdDSA")) || json_get(parsed, TEXT("crit")))
        return say(a, ERR_INTEGRITY, "the JWS asks for another algorithm than EdDSA, or for an extension");
    return OK;
}

/* Name and digits of the key, as in a verifier's line. */
static text certificate_kid(struct arena *a, const struct signer *s)
{
    return arena_print(a, "%.*s+%08x", T(s->name), s->key_id);
}

text certificate_sign(struct arena *a, const struct signer *s, const char *type, text json)
{
    text kid = certificate_kid(a, s);
    if (!kid.p)
        return kid;
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("alg"), TEXT("EdDSA"));
    json_pair(&w, TEXT("kid"), kid);
    json_pair(&w, TEXT("typ"), text_of(type));
    json_close(&w, '}');
    text header = buf_made(a, &b);
    return header.p ? jws_sign(a, s, header, json) : header;
}

enum err certificate_open(struct arena *a, const struct signer *verifier, const char *type, text jws, text *json)
{
    text header, kid = certificate_kid(a, verifier);
    const struct json *parsed;
    TRY_PTR(kid.p);
    TRY(jws_open(a, verifier, jws, &header, json));
    TRY(json_parse(a, header, &parsed));
    if (!text_eq(json_text(parsed, TEXT("kid")), kid) || !text_eq(json_text(parsed, TEXT("typ")), text_of(type)))
        return say(a, ERR_INTEGRITY, "the JWS is not of %.*s, or not of the type %s", T(kid), type);
    return OK;
}

/* JSON values alike: what people read in the file must be what was signed. Members in any order. */
static bool alike(const struct json *x, const struct json *y)
{
    if (!x || !y || x->kind != y->kind || x->count != y->count)
        return false;
    if (x->kind == J_BOOL)
        return x->truth == y->truth;
    if (x->kind == J_TEXT || x->kind == J_NUMBER)
        return text_eq(x->value, y->value);
    const struct json *other = y->first;
    for (const struct json *member = x->first; member; member = member->next) {
        if (!alike(member, x->kind == J_OBJECT ? json_get(y, member->key) : other))
            return false;
        other = other->next;
    }
    return true;
}

enum err certificate_read(struct arena *a, const struct signer *verifier, const char *type, text readable, text file,
                          const struct json **json)
{
    const struct json *answer = NULL;
    text jws = text_trim(file), payload;
    if (text_starts(jws, TEXT("{"))) {
        TRY(json_parse(a, jws, &answer));
        jws = json_text(answer, TEXT("jws"));
    }
    TRY(certificate_open(a, verifier, type, jws, &payload));
    TRY(json_parse(a, payload, json));
    JSON_EACH(member, answer)
        if (!text_eq(member->key, TEXT("jws")) && !(text_eq(member->key, readable) && alike(member, *json)))
            return say(a, ERR_INTEGRITY,
                       "the file's readable part is not what was signed: only the signed part counts");
    return OK;
}
