/* TLS: the certificate, what of the protocol is spoken, and its renewal while the server runs. */
#ifndef FRONT_WIRE_TLS_H
#define FRONT_WIRE_TLS_H
#include "policy/policy.h"
#include <openssl/ssl.h>

struct tls;

/* Reads the certificate (PEM, its chain behind it) and its key. TLS 1.2 and above, or what the policy's
 * security.transport.tls asks above that; forward secrecy and authenticated encryption only. `now`: of the instance's
 * clock, against which a certificate is valid or not. ERR_CONFIG names the file and what ails it: unreadable, no PEM, a
 * key with a pass phrase, of another pair, too short, expired or not yet valid. Both files are kept in mind by path. */
enum err tls_open(struct arena *a, text certificate, text key, const struct policy *policy, msec now, struct tls **out);
void tls_close(struct tls **t);
/* Whether a file is another than the one last read, well or not, or the policy's floor is another: then tls_reload().
 * Cheap. */
bool tls_changed(struct tls *t, const struct policy *policy);
/* Reads both files again: new connections get the new certificate, those that stand stay. On an error the former one
 * serves on. */
enum err tls_reload(struct arena *a, struct tls *t, const struct policy *policy, msec now);
/* The server's side of a new connection; NULL without memory. Any thread. */
SSL *tls_session(struct tls *t);
/* Whether any user of this machine can read the key. */
bool tls_key_open(struct tls *t);
/* From and until when the certificate in use is valid. */
void tls_dates(struct tls *t, msec *from, msec *until);

#endif
