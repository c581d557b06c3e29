/* One-time codes from a shared secret and the time (RFC 4226, RFC 6238): SHA-1, six digits, thirty seconds, as every
 * authenticator has. */
#ifndef CRYPT_TOTP_H
#define CRYPT_TOTP_H
#include "base/arena.h"
#include "base/clock.h"

enum { TOTP_SECRET = 20, TOTP_DIGITS = 6, TOTP_STEP = 30 * SECOND, TOTP_DRIFT = 1, TOTP_AHEAD = 30 };
struct totp_secret {
    uint8_t b[TOTP_SECRET];
};
void totp_wipe(struct totp_secret *s); /* overwrites it */
#define TOTP_AUTO CLEANUP(totp_wipe) struct totp_secret

/* The code of `digits` (6 to 8) at that step. RFC 4226, 5.3. ERR_CRYPT when SHA-1 cannot be had. */
enum err totp_code(struct arena *a, const struct totp_secret *s, uint64_t step, unsigned digits, uint32_t *code);
/* The step at which `typed` (six digits, blanks between are let be) is the code, within TOTP_DRIFT steps of `now` and
 * after `used`, the step of the last code that was taken: no code serves twice. A last step more than TOTP_AHEAD ahead
 * of `now` was counted by a clock that was set right since, and keeps nobody out. -1 when it is none. Compares without
 * telling by time. */
enum err totp_match(struct arena *a, const struct totp_secret *s, text typed, msec now, int64_t used, int64_t *step);
/* RFC 4648, section 6, without padding: how people type a secret. p NULL when out of memory. */
text totp_base32(struct arena *a, text bytes);

#endif
