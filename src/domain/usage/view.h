/* One view of a page, told by the picture of one pixel (/embed/usage.gif), where no script runs. */
#ifndef DOMAIN_USAGE_VIEW_H
#define DOMAIN_USAGE_VIEW_H
#include "base/err.h"
#include "base/text.h"

struct ctx;
struct policy;
struct visit;

/* Whether what tells of use may run for that purpose: only where the policy declares a tracker of it, once it was
 * accepted, or at once where all of them are exempt and one as `audience` (LIL art. 82). */
enum view_leave { VIEW_NEVER, VIEW_ASKED, VIEW_EXEMPT };
enum view_leave view_leave(const struct policy *p, text purpose);

/* Counts a view for a purpose that may: of the signed-in person (c->actor) an event of the first category of stream
 * usage, of nobody a visit of stream audience, where the purpose uses that category. Nothing where it does not, and
 * nothing about whom nothing may be recorded (objection, restriction, no consent; GDPR 7(3), 18, 21). Errors: those of
 * usage_take() and audience_add(); ERR_TOO_MANY. */
enum err view_take(struct ctx *c, text purpose, const struct visit *v);

#endif
