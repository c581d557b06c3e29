/* Words for people in the documents that the domain makes itself (access, export, certificate): both languages side by
 * side, names that the policy gives things, times, terms. All by c->language. */
#ifndef DOMAIN_CORE_NAMED_H
#define DOMAIN_CORE_NAMED_H
#include "domain/core/ctx.h"

/* The one of the two in the language of the request. */
text doc_in(const struct ctx *c, text en, text fr);
/* An RFC 3339 time as people read it, by the clocks of the controller's country: "22 November 2026, 02:47 (UTC+1)"; a
 * whole day of that zone or of UTC as a day. What is no time stays as it is. */
text doc_time(struct ctx *c, text time);
/* The day alone that it falls on there. */
text doc_day(struct ctx *c, text time);
/* Of "2026-10": "October 2026". */
text doc_month(struct ctx *c, text month);
/* "12 months in use, then 4 years in the archive, from the end of the contract". */
text doc_retention(struct ctx *c, const struct retention *r);
/* "2 years from the day you send it"; "6 months from the last day of the form, 20 April 2027" (last 0: no such day). */
text doc_form_term(struct ctx *c, struct term t, msec last);
/* Why it is kept so long, empty when the policy says no ground. */
text doc_ground(const struct ctx *c, const struct retention *r);
/* A ground as it was told in some language: in c->language where it is one that the policy says in both, else as it
 * is. */
text doc_ground_said(const struct ctx *c, text said);
/* The title of what is kept: of a category, of the proofs of consent, else as it was told. */
text doc_kept(const struct ctx *c, text category, text told);
/* A choice of the field in words: those of the policy, of choices.def, else as it is. */
text doc_choice(const struct ctx *c, const struct field *f, text value);
/* A value of the field as people read it: a choice in words, a day and a moment in words, a country by its name, yes or
 * no; a list's items with commas; else as it is. f NULL: of no field of the policy. */
text doc_value(struct ctx *c, const struct field *f, const struct json *value);
text doc_country(const struct ctx *c, text code);   /* its name; the code where it has none */
text doc_safeguard(const struct ctx *c, text word); /* of a transfer: recipients.*.safeguard in words */
/* Who did something, told to the person: a role or system by its title, "you", "the server". */
text doc_actor(const struct ctx *c, text name);
text doc_basis(const struct ctx *c, text basis);
/* Titles of the policy, else the name itself. */
text doc_category(const struct ctx *c, const struct category *cat);
text doc_field(const struct ctx *c, const struct category *cat, text field);
/* The interest a purpose pursues, as the middle of a sentence; p NULL when it rests on none. */
text doc_interest(const struct ctx *c, const struct purpose *p);
text doc_purpose(const struct ctx *c, const struct purpose *p);
/* What a person agrees to, in c->language: "I agree: TITLE, by email"; channel empty: without one. */
text doc_consent(const struct ctx *c, text title, text channel);
text doc_source(const struct ctx *c, text source);
/* What is told of data that the person's consent allows to be public, by whether it is in force. */
text doc_public(const struct ctx *c, bool agreed);
text doc_act(const struct ctx *c, text act); /* an act of the journal, as a sentence */
bool doc_looked(text act);                   /* whether somebody only looked by it, and nothing was changed or sent */
/* A recipient (index of its actor class) by name: the legal one, else its title, else its key. */
text doc_recipient(const struct ctx *c, int actor);

#endif
