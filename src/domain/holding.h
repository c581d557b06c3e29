/* Other things held of a person: attachments, what is only in memory, disclosures to recipients, duties owed. */
#ifndef DOMAIN_HOLDING_H
#define DOMAIN_HOLDING_H
#include "domain/paging.h"

struct paging;

/* Content sealed in pieces, name and media type sealed too; at most ATTACHMENT_MAX bytes. */
enum { ATTACHMENT_MAX = 32 << 20 };
struct attachment_new { text category, name, source, media_type, content; };   /* source: may be empty (source_take) */
enum err attachment_take(struct ctx *c, text id, const struct attachment_new *in, struct answer *out);
enum err attachment_add(struct ctx *c, text id, text category, text name, text media_type, text content, struct answer *out);
enum err attachment_get(struct ctx *c, text id, text attachment, text purpose, struct answer *out);
enum err attachment_drop(struct ctx *c, text id, text attachment, struct answer *out);

/* A transient category: in locked memory until its term or release; the journal says that it was there, never what it was. */
enum err transient_put(struct ctx *c, text id, text category, const struct json *fields, struct answer *out);
enum err transient_get(struct ctx *c, text id, text category, text purpose, struct answer *out);
enum err transient_drop(struct ctx *c, text id, text category, struct answer *out);

/* Disclosure to a recipient of the policy: decided for who gives and for who receives, recorded with recipient, purpose and
 * categories, and answered with the data. */
enum err disclosure_make(struct ctx *c, text id, const struct json *in, struct answer *out);
enum err disclosure_list(struct ctx *c, text id, const struct paging *asked, struct answer *out);   /* oldest first */

/* What is owed and until when: information when data came from a third party (GDPR 14(3)), recipients to be told (19). */
enum err duty_list(struct ctx *c, const struct paging *asked, struct answer *out);
/* {"outcome"?: "done", "impossible" or "disproportionate", "note"?}. */
enum err duty_done(struct ctx *c, text duty, const struct json *in, struct answer *out);

#endif
