/* Other things held of a person: attachments, and what is only in memory. */
#ifndef DOMAIN_PERSON_HOLDING_H
#define DOMAIN_PERSON_HOLDING_H
#include "domain/core/paging.h"

struct paging;

/* Content sealed in pieces, name and media type sealed too; at most ATTACHMENT_MAX bytes. */
enum { ATTACHMENT_MAX = 32 << 20 };
/* The category of files that prove a consent; who may take consents adds and reads them. What is linked to no row of
 * the ledger within three days goes. */
#define PROOFS "consents"
/* Source: may be empty (source_take). */
struct attachment_new {
    text category, name, source, permitted, media_type, content; /* permitted: when, at a source that needs it */
};
enum err attachment_take(struct ctx *c, text id, const struct attachment_new *in, struct answer *out);
enum err attachment_add(struct ctx *c, text id, text category, text name, text media_type, text content,
                        struct answer *out);
enum err attachment_get(struct ctx *c, text id, text attachment, text purpose, struct answer *out);
enum err attachment_drop(struct ctx *c, text id, text attachment, struct answer *out);

/* A transient category: in locked memory until its term or release; the journal says that it was there, never what it
 * was. */
enum err transient_put(struct ctx *c, text id, text category, const struct json *fields, struct answer *out);
enum err transient_get(struct ctx *c, text id, text category, text purpose, struct answer *out);
enum err transient_drop(struct ctx *c, text id, text category, struct answer *out);

#endif
