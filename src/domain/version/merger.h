/* A transfer to a new controller (policy `merger`): it accepts the same policy first, everybody is told, and nothing
 * passes before the day that was announced. */
#ifndef DOMAIN_VERSION_MERGER_H
#define DOMAIN_VERSION_MERGER_H
#include "domain/core/ctx.h"

struct app;
struct db;
struct node;
struct publishing;

/* The new controller's acceptance of the version in force: `version` its hash or number, `signed_on` a day, `content`
 * the document that was signed (PDF, JPEG or PNG). ERR_UNDECLARED under a policy without `merger`; ERR_CONFLICT for
 * another version than that in force, or one that is on record. */
struct merger_acceptance {
    text controller, by, signed_on, version, name, content;
};
enum err merger_accept(struct ctx *c, const struct merger_acceptance *in, struct answer *out);
/* {"acceptances": [{"controller", "by", "signed", "at", "version", "document", "digest", "passed", "entered"}],
 * "announced": {"controller", "date", "version", "told", "everyone_told"} or null, "in_force": the version now,
 * "people": how many would be told, "accounts": of these, with an account, "earliest": the first day on which a new
 * controller may take over when it is announced today, or null}. People and accounts of all tenants for the operator,
 * else of the caller's; "told" counts the emails of all: where there are several, it is the operator's alone. */
enum err merger_list(struct ctx *c, struct answer *out);
/* The same for staff: who may `export` and sees everybody. ERR_UNDECLARED under a policy without `merger`. */
enum err merger_see(struct ctx *c, struct answer *out);
/* Whether staff may record an acceptance here: not where there are several tenants, of which none speaks for all. */
bool merger_may_accept(const struct ctx *c);
/* For staff, in two steps: whether it may be recorded, without its version and document, and nothing is written; then
 * the same as merger_accept(). */
enum err merger_check(struct ctx *c, const struct merger_acceptance *in);
enum err merger_accept_own(struct ctx *c, const struct merger_acceptance *in, struct answer *out);
/* The document that was signed, by the digest that the list has. */
enum err merger_document(struct ctx *c, text digest, struct answer *out);

/* Of a version that another controller publishes: ERR_POLICY with the clause `merger.same_rules` without its recorded
 * acceptance of the version in force (hash r->older), or where more than the controller changes in a way that matters;
 * with `merger.tell` unless it is announced, as long before its day as changes.before says, and everybody was told. */
enum err merger_gate(struct app *app, struct arena *a, struct publishing *r, const struct node *before);
/* The same, asked again inside the write that announces or brings it into force. */
enum err merger_run(struct db *db, const struct publishing *r);
/* Whether it is announced and its day has come, and not everybody was told yet: it waits. */
enum err merger_waits(struct app *app, struct arena *a, const struct policy *p, text in_force, bool *out);
/* The new controller's name where that version has another one than the older; p NULL where it has not. */
text merger_controller(const struct node *older, const struct node *newer);

#endif
