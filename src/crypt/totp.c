/* HMAC-SHA-1 by libcrypto; the rest is arithmetic. */
#include "totp.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

void totp_wipe(struct totp_secret *s) { sodium_memzero(s, sizeof *s); }

enum err totp_code(struct arena *a, const struct totp_secret *s, uint64_t step, unsigned digits, uint32_t *code)
{
    static const uint32_t powers[] = { [6] = 1000000, [7] = 10000000, [8] = 100000000 };
    uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    for (unsigned i = 0; i < sizeof counter; i++)
        counter[i] = (uint8_t)(step >> 8 * (7 - i));
    if (!HMAC(EVP_sha1(), s->b, sizeof s->b, counter, sizeof counter, mac, &size) || size != 20)
        return say(a, ERR_CRYPT, "no code can be computed: SHA-1 is not to be had");
    const uint8_t *from = mac + (mac[19] & 15);
    uint32_t cut = (uint32_t)(from[0] & 127) << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
    *code = cut % powers[digits < 6 || digits > 8 ? TOTP_DIGITS : digits];
    sodium_memzero(mac, sizeof mac);
    return OK;
}

/* Six digits, in any grouping with blanks. */
static bool read_code(text typed, uint32_t *out)
{
    unsigned digits = 0;
    *out = 0;
    for (size_t i = 0; i < typed.n && digits <= TOTP_DIGITS; i++) {
        if (typed.p[i] == ' ')
            continue;
        if (typed.p[i] < '0' || typed.p[i] > '9')
            return false;
        *out = *out * 10 + (uint32_t)(typed.p[i] - '0');
        digits++;
    }
    return digits == TOTP_DIGITS;
}

enum err totp_match(struct arena *a, const struct totp_secret *s, text typed, msec now, int64_t used, int64_t *step)
{
    uint32_t given, code;
    int64_t current = now / TOTP_STEP;
    bool readable = read_code(typed, &given), ahead = used > current + TOTP_AHEAD;
    *step = -1;
    for (int64_t at = current - TOTP_DRIFT; at <= current + TOTP_DRIFT; at++) {
        TRY(totp_code(a, s, (uint64_t)at, TOTP_DIGITS, &code));
        if (readable && (at > used || ahead) && sodium_memcmp(&code, &given, sizeof code) == 0 && *step < 0)
            *step = at;
    }
    return OK;
}

text totp_base32(struct arena *a, text bytes)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    size_t n = (bytes.n * 8 + 4) / 5;
    char *out = arena_alloc(a, n + 1);
    uint32_t held = 0;
    unsigned bits = 0;
    size_t at = 0;
    if (!out)
        return (text){ NULL, 0 };
    for (size_t i = 0; i < bytes.n; i++) {
        held = held << 8 | (uint8_t)bytes.p[i];
        for (bits += 8; bits >= 5; bits -= 5)
            out[at++] = letters[held >> (bits - 5) & 31];
    }
    if (bits)
        out[at++] = letters[held << (5 - bits) & 31];
    return (text){ out, at };
}
