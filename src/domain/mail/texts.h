/* Text messages (SMS): whether a gateway is set up, and what its operator says of it. */
#ifndef DOMAIN_MAIL_TEXTS_H
#define DOMAIN_MAIL_TEXTS_H
#include "domain/core/ctx.h"

struct app;
struct asker;

struct texts {
    text sender;           /* whom messages come from, as the gateway knows it; it stands in each message */
    text stop_fr, stop_en; /* the words how to stop them; "{link}" in them is the person's own link */
    text secret;           /* of who brings what people answer; empty: nothing comes in */
    text from, said;       /* the members of what comes in: the number, and what was written */
    text words;            /* what stops them, a comma between, in capitals: "STOP,ARRET" */
};
/* Said by the server when the gateway is ready, with who hands it a message at once, and with NULL when it ends.
 * ERR_CONFIG for what is too long, or has a line break. */
enum err texts_open(struct arena *a, struct app *app, const struct texts *t, const struct asker *by);
/* Whether messages can leave; where they cannot, ERR_CONFLICT. */
bool texts_ready(const struct ctx *c);
enum err texts_need(struct ctx *c);
/* Hands one message to the gateway and waits for what it answers, a minute at most: for who tries what they wrote, at
 * their own number. `id` is the message's, told to the gateway. ERR_BUSY, with the gateway's code, when it took it
 * not, and while it has not answered two others. */
enum err texts_hand(struct ctx *c, text to, text says, text id);

#endif
