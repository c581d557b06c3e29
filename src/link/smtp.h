/* SMTP (RFC 5321) by libcurl: a submission server, over TLS unless it stands on this machine. */
#ifndef LINK_SMTP_H
#define LINK_SMTP_H
#include "base/arena.h"
#include <stdatomic.h>

struct smtp;
struct smtp_options {
    text url;            /* "smtp://host:587" (STARTTLS, which the server must offer) or "smtps://host:465" */
    text user, password; /* empty: without signing in */
    text ca_file;        /* PEM of the authorities to believe; empty: the system's */
    text from;           /* the sender's address */
    bool plain;          /* no TLS: on loopback only */
    text dkim_key, dkim_selector; /* file of the key that letters are signed with, and its name; empty: unsigned */
};
/* Checks the options; connects at the first message. ERR_CONFIG for what cannot be used. */
enum err smtp_open(struct arena *a, const struct smtp_options *o, struct smtp **out);
void smtp_close(struct smtp **s);
text smtp_from(const struct smtp *s);
/* The address with its domain as the network has it (IDNA: "xn--…"), which every server takes; as it is when that is no
 * domain. In the arena; p NULL without memory. */
text smtp_address(struct arena *a, text address);

struct smtp_result {
    bool sent;
    bool for_good; /* refused for this recipient or message: no other try will help */
    bool reached;  /* the server spoke with us: other messages may go */
    bool unknown;  /* all of it was handed over, and no answer came: it may have gone */
    char code[24]; /* "smtp-451", "unreachable", "tls", "login", "timeout", "stopped", "smtputf8" (the
                    * server takes no addresses beyond ASCII): never personal */
};
/* Sends one message, on the connection of the one before where it still stands. Gives up soon after *stop becomes true.
 */
void smtp_send(struct smtp *s, text to, text message, const atomic_bool *stop, struct smtp_result *out);

#endif
