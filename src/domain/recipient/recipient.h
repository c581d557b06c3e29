/* The register of recipients for staff: how each stands with the charter, the links by which it reaches its page. */
#ifndef DOMAIN_RECIPIENT_RECIPIENT_H
#define DOMAIN_RECIPIENT_RECIPIENT_H
#include "domain/core/feature.h"
#include "domain/person/account.h"

struct json;
struct paging;

/* For who may `export` and sees everybody; refusals are on record. */

/* {"charter": {…}, "recipients": [{charter_put_standing()}]}: all of the policy. */
enum err recipient_list(struct ctx *c, struct answer *out);
/* charter_put_standing(), "links": [{"id", "created", "expires"}], those that are valid, and "acceptances": [{"id",
 * "version", "hash", "language", "name", "function", "via", "at", "ended"}], the newest first, a page of them. */
enum err recipient_get(struct ctx *c, text name, const struct paging *asked, struct answer *out);
/* {"email"?}: a link to the recipient's page, for LINK_DAYS; it is in no other answer. With "email" a letter takes it
 * there (ERR_MISSING when the server knows no public address). Answers {"id", "link", "expires"}. ERR_CONFLICT beyond
 * LINKS_MOST valid ones; ERR_UNDECLARED for a recipient that is none, or that no charter is asked of. */
enum { LINK_DAYS = 30, LINKS_MOST = 20 };
enum err recipient_link(struct ctx *c, text name, const struct json *in, struct answer *out);
enum err recipient_unlink(struct ctx *c, text name, text link); /* ERR_NOT_FOUND when it is none that is valid */
/* The acceptance that counts ends now: nothing goes to it before another. ERR_NOT_FOUND when there is none. */
enum err recipient_end(struct ctx *c, text name);

/* The page of the link's recipient: from now on the caller is that recipient, in its tenant. ERR_NOT_FOUND alike for
 * unknown, over and revoked; asked again inside the write. */
enum err recipient_by_link(struct ctx *c, text token);
/* What became of one that does not work; LINK_REPLACED: it was revoked. */
enum err recipient_link_fate(struct ctx *c, text token, enum link_fate *out);

extern const struct feature recipient_feature;

#endif
