/* An account as it is shown. */
#ifndef DOMAIN_ACCOUNT_SHOWN_H
#define DOMAIN_ACCOUNT_SHOWN_H
#include "base/err.h"
#include "base/clock.h"

struct ctx;
struct json_out;
struct person;

/* The account as an object, or null: state, role, opened, opened by, last visit, agreement, sessions, managers; no
 * secrets. */
enum err account_put(struct ctx *c, const struct person *p, struct json_out *w);
/* A time, or null for 0. */
void account_put_time(struct json_out *w, text name, msec at);

#endif
