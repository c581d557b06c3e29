/* The outbox: letters handed to whoever sends them, marked when they went, tried again when they did not, and forgotten
 * in time. */
#ifndef DOMAIN_MAIL_OUTBOX_H
#define DOMAIN_MAIL_OUTBOX_H
#include "domain/core/ctx.h"
#include "domain/core/id.h"

struct app;

struct json;

struct paging;

struct person;

/* A letter whose time has come. Everything in it lives in the context's arena; it is personal: never to be logged. */
struct outbox_letter {
    struct subject_id id, subject;
    bool has_subject;
    text tenant, letter, purpose; /* names: of letters.def, of the policy (may be empty) */
    text from_name, reply_to;     /* name of the site; address of the controller, may be empty */
    text to, subject_line, text, html, language;
    const struct json *noted;             /* for the contact log, as struct letter_values has it; or NULL */
    text in_reply_to; /* Message-ID of the email that it answers; else empty */
    text unsubscribe, unsubscribe_to; /* of marketing: link and address that end it at once (RFC 8058); else empty */
    text name; /* the same at every try and nowhere else: what stands before the @ of Message-ID */
    msec created;
    int64_t tries;
    struct outbox_letter *next;
};
/* At most `most` letters that are due at c->now. One sender at a time: it marks each as sent or failed before it asks
 * again. What cannot be opened any more, since its person is gone, is given up here. */
enum err outbox_due(struct ctx *c, unsigned most, struct outbox_letter **out);
/* Whether it still waits to be sent: asked right before it is. An erasure takes the row away. */
bool outbox_waits(struct ctx *c, const struct outbox_letter *l);
/* It went: the person's contact log notes it, the content is forgotten, the journal says so. */
enum err outbox_sent(struct ctx *c, const struct outbox_letter *l);
/* It did not, for the reason `code` (a word such as "smtp-451", never personal): tried again after 1 min, 5 min, 30
 * min, 2 h, then every 6 h for three days; given up then, or at once when `for_good`. */
enum err outbox_failed(struct ctx *c, const struct outbox_letter *l, bool for_good, text code);

/* Whether letters could come from it. */
bool outbox_is_address(text s);
/* Said by the sender, with its address, when it begins and, with an empty one, when it ends. */
void outbox_sender(struct app *app, text from);

#endif
