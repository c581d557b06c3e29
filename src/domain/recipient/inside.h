/* What the files about recipients share. */
#ifndef DOMAIN_RECIPIENT_INSIDE_H
#define DOMAIN_RECIPIENT_INSIDE_H
#include "domain/recipient/charter.h"
#include "domain/recipient/recipient.h"

/* The recipient of the policy by that name; ERR_UNDECLARED when it has none. */
enum err recipient_named(struct ctx *c, text name, int *out);
/* Who accepted, as it is kept: {"name", "function"}, sealed. */
enum err charter_open_who(struct ctx *c, text kept, text *name, text *function);
/* How long an acceptance that counts no more stays, as what proves that data was given under it. */
msec charter_kept_until(const struct ctx *c);
/* A moment, or null when there is none. */
void recipient_put_time(struct ctx *c, struct json_out *w, const char *name, msec at);

/* tell.c: in the write of an act that reaches beyond this server (struct feature). */
struct outside;
enum err recipient_given_run(struct db *db, const struct ctx *c, const struct outside *o);

#endif
