/* DKIM (RFC 6376) by libopendkim: each letter signed for the sender's domain, so that who receives it knows that it is
 * ours and unaltered, the headers that end it included (RFC 8058, 4). */
#ifndef LINK_SIGNATURE_H
#define LINK_SIGNATURE_H
#include "base/arena.h"
#include "base/clock.h"

struct signature;
/* key_file: a private RSA key in PEM; selector: what stands before "._domainkey." in the domain's DNS. Signs once to
 * try the key. ERR_CONFIG for what cannot be used. */
enum err signature_open(struct arena *a, text key_file, text selector, text domain, struct signature **out);
/* Forgets the key; NULL is none. */
void signature_close(struct signature **s);
/* The header that is to stand before that message, with its line end. */
enum err signature_make(struct arena *a, struct signature *s, msec now, text message, text *out);

#endif
