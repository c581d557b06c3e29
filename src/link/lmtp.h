/* The door for emails that come in: LMTP (RFC 2033), from the mail server of this machine. */
#ifndef LINK_LMTP_H
#define LINK_LMTP_H
#include "base/arena.h"

struct app;
struct lmtp;
/* `address`: unix:PATH (for the owner and the group of the process) or HOST:PORT of this machine alone. What is
 * answered with 250 is durable. ERR_CONFIG for an address that cannot be used. */
enum err lmtp_start(struct arena *a, struct app *app, text address, struct lmtp **out);
/* Ends what is under way at the next command; what was not answered is brought again by the mail server. */
void lmtp_stop(struct lmtp **l);

#endif
