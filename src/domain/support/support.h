/* Technical help on the data of a tenant that is only stored here: asked for, let in by that tenant, looked at, ended.
 */
#ifndef DOMAIN_SUPPORT_SUPPORT_H
#define DOMAIN_SUPPORT_SUPPORT_H
#include "base/json.h"
#include "domain/core/feature.h"

struct paging;

/* {"tenant", "reason", "for"?, "write"?}: asks that tenant to be let in, for the policy's support.purpose. `for`: a
 * term
 * ("30m", "2h") up to support.for; write: to change data besides. A letter goes to the tenant's address. Answers as
 * support_get(). ERR_UNDECLARED without support in the policy; the policy's refusals of who has not that purpose. */
enum err support_ask(struct ctx *c, const struct json *in, struct answer *out);
/* {"support": […], "next"}: of the caller's tenant when it is theirs to decide, else those that the caller asked for;
 * the newest first. */
enum err support_list(struct ctx *c, const struct paging *asked, struct answer *out);
/* {"id", "tenant", "tenant_title", "actor", "actor_title", "reason", "state": asked, open, refused, ended or over,
 * "write", "minutes", "asked", "decided", "ends", "mine", "looks": [{"subject", "categories", "write", "at"}], "next"}:
 * `asked` is the page of looks. ERR_NOT_FOUND alike for unknown and for what is neither theirs to decide nor asked for
 * by them. */
enum err support_get(struct ctx *c, text id, const struct paging *asked, struct answer *out);
/* {"do": "consent", "refuse" or "end", "for"?, "write"?}: the tenant's own staff decide, and end it with a press; who
 * asked may end it too. A consent opens it from now on, to read alone unless "write" is true and was asked for; by a
 * session credentials must be fresh. ERR_CONFLICT when it was decided or is over. */
enum err support_decide(struct ctx *c, text id, const struct json *in, struct answer *out);
/* {"subject": id} or {"identifier": {"category.field": value}}: one person's data for the support's purpose, answered
 * as subject_read() once the look is on record for that person, and listed for the tenant, in one commit. */
enum err support_look(struct ctx *c, text id, const struct json *in, struct answer *out);
/* A correction, as subject_patch(), where the tenant gave more than reading. */
enum err support_change(struct ctx *c, text id, text subject, const struct json *patch, struct answer *out);
/* Tenants that one may ask: [{"tenant", "title"}], those whose data is only stored, inside an open list; whether this
 * caller may ask at all; whether theirs is such a tenant, and they are of its own staff. */
void support_put_tenants(struct ctx *c, struct json_out *w);
bool support_may_ask(struct ctx *c);
bool support_is_own(const struct ctx *c);

/* Operator: the first of a tenant's own staff, let in by a letter to the address that the policy has for the tenant;
 * the link is told to nobody else. {"role"?}: of tenants.*.staff. Answers as account_open_for(), without the link. */
enum err support_invite(struct ctx *c, text tenant, const struct json *in, struct answer *out);

extern const struct feature support_feature;

#endif
