/* The intermediate archive: what is past its active time or outlives its person, for few named readers, with a reason,
 * each look on record. */
#ifndef DOMAIN_KEEP_ARCHIVE_H
#define DOMAIN_KEEP_ARCHIVE_H
#include "domain/core/ctx.h"

struct paging;

/* Only for a reader of the archive; ERR_FORBIDDEN otherwise.
 * What closed accounts and erased people left, without anything that says who they were:
 * {"archive": [{"id", "category", "records", "until", "ground"}], "next"}.
 * `after`: the "next" of the page before, p NULL for the first. */
enum err archive_list(struct ctx *c, const struct paging *asked, struct answer *out);
/* The archived records of one person, erased or not, and all of a closed account's, of one category; `reason` is told
 * in words of the policy or a reference (64 characters of a name) and stands in the journal. {"records": [{"item",
 * "at", "until", "fields"}]}. */
enum err archive_read(struct ctx *c, text id, text category, text reason, struct answer *out);

#endif
