/* What people choose and send by a form: unproven until the link of a letter is followed, then a person's. */
#ifndef DOMAIN_CHOICE_CHOICE_H
#define DOMAIN_CHOICE_CHOICE_H
#include "domain/choice/point.h"
#include "domain/core/feature.h"
#include "domain/person/account.h"

struct paging;

/* Anyone can type somebody else's address. So what is sent is looked at by itself alone: it never changes, joins, reads
 * or withdraws anything of the person it names, and it is answered alike, after the same work, whoever that is. A
 * letter goes to the address; who follows its link proves it. Then the person is made, or the submission joins the one
 * who is there: what they hold already stays as it is, consents stand in the ledger with wording, version, channel and
 * form, and boxes left unticked as refusals, which withdraw nothing that is in force. */

/* {"data": {category: {field: value}}, "boxes": ["news.email"], "minor", "parent", "stamp", "website", "language"};
 * `trusted`: it comes from a page of a site that the policy lists, which has no stamp. Answers {"state": "confirm"} or,
 * of a form that asks for no address, {"state": "received"}. ERR_CONFLICT while the form is closed; ERR_UNDECLARED for
 * a field or box that is none of the form; ERR_TOO_MANY. What fills in "website", a field that people do not see, is
 * answered and left. */
enum err choice_submit(struct ctx *c, text form, const struct json *in, bool trusted, struct answer *out);
/* Whose link it is: {"form", "title", "parent", "wordings"}; parent: of somebody younger, who agree to the wordings
 * too. Uses nothing up. ERR_NOT_FOUND alike for unknown, used and expired. */
enum err choice_look(struct ctx *c, text token, struct answer *out);
/* What became of one that does not work, and the name of its form; empty where that is not known, or no longer. */
enum err choice_link_fate(struct ctx *c, text token, enum link_fate *out, text *form);
/* Follows it: {"form", "state": "done", "gives"}; state "parent": a parent was asked, and until they agree no consent
 * counts. gives: the address of what the form hands over, or null. A letter tells the same, with the receipt of each
 * consent. */
enum err choice_confirm(struct ctx *c, text token, struct answer *out);
/* What a form says of itself (point_put), with its fields: [{"field", "title", "type", "required"}]. */
enum err choice_form(struct ctx *c, text form, struct answer *out);
/* {"forms": [{"form", "title", "open"}]}. */
enum err choice_forms(struct ctx *c, struct answer *out);
/* Answers of a form for a purpose that it serves, which the caller may read for: {"answers": [{"id", "at", "subject",
 * "proven", "data": {category: {field: value}}}], "next"}. Of a person: as their data stand today. */
enum err choice_answers(struct ctx *c, text form, text purpose, const struct paging *asked, struct answer *out);

/* How many answers came within a week by forms that a role of that class reads, a hundred a form at most: nobody is
 * told of. */
enum err choice_recent(struct ctx *c, const struct actor_class *class, int64_t *out);

/* The member `submissions` of the access answer and export, [{"form", "title", "at", "until",
 * "waits"}] (until: the form's own term, null without one; waits: for a parent to agree, until then); and the end of
 * what is over. */
extern const struct feature choice_feature;

#endif
