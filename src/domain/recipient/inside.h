/* What the files about recipients share. */
#ifndef DOMAIN_RECIPIENT_INSIDE_H
#define DOMAIN_RECIPIENT_INSIDE_H
#include "domain/recipient/charter.h"
#include "domain/recipient/recipient.h"
#include "domain/recipient/told.h"
#include "policy/policy.h"

/* The recipient of the policy by that name; ERR_UNDECLARED when it has none. */
enum err recipient_named(struct ctx *c, text name, int *out);
/* Who accepted, as it is kept: {"name", "function"}, sealed. */
enum err charter_open_who(struct ctx *c, text kept, text *name, text *function);
/* How long an acceptance that counts no more stays, as what proves that data was given under it. */
msec charter_kept_until(const struct ctx *c);
/* A moment, or null when there is none. */
void recipient_put_time(struct ctx *c, struct json_out *w, const char *name, msec at);

/* The register of recipients is for who answers everybody: refusals are on record. */
enum err recipient_may(struct ctx *c, text about);
/* ERR_FORBIDDEN, on record, unless the caller is a recipient of the policy. */
enum err recipient_own(struct ctx *c);

/* settings.c: how each is told (recipients.yaml). */
enum recipient_way { TOLD_BY_STAFF, TOLD_BY_WEBHOOK, TOLD_BY_LETTER, TOLD_WAYS };
struct recipient_settings {
    const struct node *rows; /* NULL: there are none */
    struct findings findings;
    msec again, give_up;
};
/* What cannot be used stands in out->findings. */
enum err recipient_settings(struct ctx *c, struct recipient_settings *out);
/* The first fault, p NULL when there is none. */
text recipient_settings_fault(struct ctx *c, const struct recipient_settings *s);
/* By staff where nothing else is said, and where the settings have a fault. */
enum recipient_way recipient_way(const struct recipient_settings *s, text recipient);
text recipient_way_word(enum recipient_way way);

/* tell.c: in the write of an act that reaches beyond this server (struct feature). */
struct outside;
enum err recipient_given_run(struct db *db, const struct ctx *c, const struct outside *o);

#endif
