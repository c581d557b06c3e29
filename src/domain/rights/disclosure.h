/* Disclosures to recipients. */
#ifndef DOMAIN_RIGHTS_DISCLOSURE_H
#define DOMAIN_RIGHTS_DISCLOSURE_H
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"

struct answer;
struct ctx;
struct db;
struct json;
struct json_out;
struct paging;
struct person;

/* The list of disclosures alone, for the access answer (GDPR 15(1)(c)). */
enum err disclosure_put(struct ctx *c, const struct person *p, struct json_out *w);
/* Disclosure to a recipient of the policy: decided for who gives and for who receives, recorded with recipient, purpose
 * and categories, and answered with the data. */
enum err disclosure_make(struct ctx *c, text id, const struct json *in, struct answer *out);
/* The same, fetched by the recipient itself: what it fetched or was given today already, the same categories and fields
 * for the same purpose, is that row, which keeps when it was for the last time; the entry is written each time. */
enum err disclosure_fetch(struct ctx *c, text id, const struct json *in, struct answer *out);
/* The calling recipient fetches what was disclosed to it for that purpose: the people who were, as they stand now, its
 * categories and fields alone; each is a disclosure, decided now, and recorded. At most 100 people a page, and fewer
 * beyond PAGE_BYTES. Who cannot be given is "refused", and holds up nobody else. `format`: "json", or empty:
 * {"recipient", "purpose", "people": [{"reference": of the first disclosure, the same at each fetch, "id": of this one,
 * "refused", "data"}], "next"}; "csv": reference, id, and a column a field. ERR_FORBIDDEN, on record, for whoever is no
 * recipient, and without the charter of today. */
enum err disclosure_pull(struct ctx *c, text purpose, text format, const struct paging *asked, struct answer *out);
/* The recipient of what was given to a public authority: no recipient of the policy (GDPR 4(9)). */
#define DISCLOSED_TO_AUTHORITY TEXT("authorities")
/* What the list says of somebody who is none of the policy's: by which name, on which ground; sealed. */
enum err disclosure_note(struct ctx *c, text name, text ground, text *note);
/* Inside a write: data of these categories was given at `at` to an authority, as `note` says. */
enum err disclosure_run_authority(struct db *db, text tenant, struct subject_id subject, struct subject_id id,
                                  text categories, text note, msec at);
enum err disclosure_list(struct ctx *c, text id, const struct paging *asked, struct answer *out); /* oldest first */

#endif
