/* What the files of forms share: how a submission is sealed, and whoever follows the link of one. */
#ifndef DOMAIN_CHOICE_JOINING_H
#define DOMAIN_CHOICE_JOINING_H
#include "domain/account/throttle.h"
#include "domain/choice/point.h"
#include "domain/core/data_subject.h"
#include "domain/mail/mail.h"
#include "store/store.h"

struct ctx;
struct json;

/* Under the person's key, or under the instance's own while it is nobody's (p NULL); bound to its row. */
enum err joining_seal(struct ctx *c, const struct person *p, text form, struct subject_id id, text body, sealed *out);
enum err joining_unseal(struct ctx *c, const struct person *p, text form, struct subject_id id, sealed in, text *body);

/* What was sent of categories that stand once a person, and of those with many records: {category: {field: value}}. */
enum err joining_split(struct ctx *c, const struct json *data, const struct json **single, const struct json **many);

/* Whether each category serves a purpose of the form, with a consent among `consents` where it rests on one:
 * ERR_CONSENT with the clause. */
enum err joining_serves(struct ctx *c, const struct point *p, const struct json *data, const struct json *consents);

/* What a parent is asked: the row that waits for them, and its letter. */
struct parent_ask {
    struct ctx *c;
    struct subject_id id;
    struct digest digest, was; /* was: of the link that this takes the place of */
    text form, clear;          /* clear: what is sealed */
    sealed body;
    msec at, expires;
    bool all_consent;
    struct mail_put letter;
    struct attempt letters;
    struct event event;
};

/* What the link of a letter leads to. */
struct pending {
    struct ctx *c;
    struct digest digest;
    struct subject_id id, subject;
    bool of_person, joined; /* it waits for the parent of `subject`, who is there; they are by now */
    text form;
    msec at;
    const struct json *kept; /* as choice_submit() kept it */
    const struct json *data; /* of it, what is joined */
    struct person *p;
    const struct point *point;
    sealed body;
    struct event event;
    struct parent_ask *asks; /* goes into the same commit; may be NULL */
};
enum err joining_no_link(struct ctx *c);
/* Inside the write: that link was followed, which is told to whoever follows it again. */
enum err joining_spent(struct db *db, const struct ctx *c, const struct digest *digest, text form);
/* From here on it is that person who acts. */
void joining_act_as(struct ctx *c, struct subject_id id, bool known);

/* ---- Who said that they are younger (LIL 45): they and a parent agree, each by a link of their own. ---- */

/* The address of a parent, where what was sent agrees to something and they are younger; else empty. ERR_MISSING or
 * ERR_VALUE at the field "parent". */
enum err parent_take(struct ctx *c, const struct point *p, const struct json *in, text *parent);
/* Whether a parent is still to be asked. */
bool parent_awaited(const struct pending *s);
/* Whether it is the parent's own link. */
bool parent_is_asked(const struct json *kept);
/* Makes the question ready. *whole: what was sent serves nothing without it, and waits with it; else s->kept is from
 * now on what joins at once. Leave s->asks->letters with throttle_leave(). */
enum err parent_ask(struct pending *s, bool *whole);
/* The question in place of what was sent: nothing of it joins before. */
enum err parent_write(struct pending *s);
/* The question about somebody who is there from this write on; sealed before it, under their key. */
enum err parent_seal(struct pending *s, const struct person *p);
enum err parent_run(struct db *db, const struct pending *s);
/* The parent followed their link: from now on `kept` says of each consent that both agreed. */
enum err parent_agreed(struct pending *s);
/* The consents of somebody who is there; what they decided since stands. */
enum err parent_join(struct pending *s);

/* The letter to whoever confirmed: what they agreed to in this write, the receipt of each, and what the form hands
 * over; none where there is nothing of it to tell. */
enum err thanks_send(const struct pending *s);

/* What forms alone collected goes at each form's own term (`collection.*.retention`): a person whom forms alone made,
 * whole, unless something else keeps them; else what nothing else needs. */
enum err over_tick(struct ctx *c);

#endif
