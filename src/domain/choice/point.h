/* Collection points: the forms that the policy declares (`collection.*`), as a page, a program or staff see them. */
#ifndef DOMAIN_CHOICE_POINT_H
#define DOMAIN_CHOICE_POINT_H
#include "domain/core/ctx.h"

struct json_out;
struct node;

enum { POINT_FIELDS = 64 };
struct point_field {
    const struct category *category;
    const struct field *field;
};
struct point {
    const struct node *node;
    text name;
    const struct clause *clause;
    struct point_field fields[POINT_FIELDS];
    unsigned field_count;
    struct term own;   /* of what it alone collects; unit TERM_UNSET: its categories' terms are all */
    msec own_from;     /* the start of its last day, from which that counts; 0: from the day something is sent */
    int email; /* among `fields`: the e-mail address by which a person is found; -1: what is sent is nobody's */
};
/* ERR_NOT_FOUND for a name that the policy has not. */
enum err point_find(struct ctx *c, text name, struct point *out);
/* The n-th of the policy; false when there are fewer. */
bool point_at(struct ctx *c, unsigned n, struct point *out);
/* As the policy calls it, else what it is for: the title of the first purpose that it serves. */
text point_title(const struct ctx *c, const struct point *p);
/* OK while it is open; ERR_CONFLICT with the clause before its first day (`from`) and after its last (`until`). */
enum err point_open(struct ctx *c, const struct point *p);
/* Whether a page of that authority ("docs.site.example") may send to it (`sites`; a list of names or addresses). */
bool point_carried_by(const struct point *p, text authority);
bool point_serves(const struct point *p, text purpose);
/* Whether its i-th field must be filled in, whatever else is: the address that the letter goes to, too. */
bool point_needs(const struct point *p, unsigned i);
/* Whether data of that category are shown to who reads for the purpose: those that it uses. */
bool point_shows(const struct policy *policy, text purpose, const struct category *cat);
/* When what it collected goes: at its own term, else at the soonest of those of its categories, from now; 0: none
 * ends. */
msec point_due(const struct ctx *c, const struct point *p);
/* When what it alone collected at that time goes (`collection.*.retention`); 0: it has no term of its own. */
msec point_ends(const struct point *p, msec at);
/* Whether all that it serves rests on consent: then nothing is left of it without one. */
bool point_all_consent(const struct ctx *c, const struct point *p);

/* What it hands over (`gives`): an address, or empty. */
text point_gives(const struct point *p);
/* Whether the caller's role reads for that purpose of the form, or for any. */
bool point_is_read_for(const struct ctx *c, const struct point *p, unsigned purpose);
bool point_is_read(const struct ctx *c, const struct point *p);
/* Below which age a parent agrees too (`minors.age`); 0 where the form asks no consent of a known person, or the policy
 * none of a parent. */
unsigned point_minor_age(const struct ctx *c, const struct point *p);

/* One box of the form: a purpose that rests on consent, and one of its channels (empty: it has none). */
struct point_box {
    const struct purpose *purpose;
    text channel;
};
/* The n-th; false when there are fewer. */
bool point_box(const struct ctx *c, const struct point *p, unsigned n, struct point_box *out);
text point_box_name(struct ctx *c, const struct point_box *b);    /* "news.email", "news" */
text point_box_wording(struct ctx *c, const struct point_box *b); /* what stands beside it, kept with the consent */

/* The time at which a form was given out, signed: what comes back was made here, for this form. */
text point_stamp(struct ctx *c, const struct point *p);
/* Whether `stamp` is one, of at least a second ago and less than a day. */
bool point_stamped(struct ctx *c, const struct point *p, text stamp);

/* Members of an open object: {"form", "title", "says", "open", "from", "until", "rules", "confirmed", "controller",
 * "purposes": [{"purpose", "title", "basis"}], "kept": [{"title", "until"}], "boxes": [{"box", "wording"}], "minor_age", "stamp"}:
 * the short notice of GDPR 13, made from the policy. */
void point_put(struct ctx *c, const struct point *p, struct json_out *w);

#endif
