/* What pages of a person share: their file as the access answer gives it, names and times of it, forms of a category's
 * fields. */
#ifndef FRONT_PAGE_PAGE_PERSON_H
#define FRONT_PAGE_PAGE_PERSON_H
#include "front/door/front.h"
#include "front/page/page.h"

/* All that is held of the signed-in person: the answer of access_answer(), read. */
enum err file_own(struct ctx *c, const struct json **out);
/* The entry of a list in which `key` is `value`, or NULL. */
const struct json *file_find(const struct json *list, text key, text value);
/* A value of a category's field as people read it (doc_value); its key is the field. */
text file_shown(struct ctx *c, const struct category *cat, const struct json *value);
/* Puts the members "value" and "moment" for the template "value": a moment stands as RFC 3339, so that the page tells
 * it by the reader's own clock where that is known; all else as people read it. */
void page_value(struct page *p, const struct category *cat, const struct json *value);
/* 0 without a time. */
msec file_time(const struct json *object, text name);
/* Copies the member "until"; where it is a midnight, the day before counts whole, and is what people are told. */
void page_until(struct page *p, const struct json *from);
/* Copies a member: null when it is absent. */
void page_copy(struct page *p, const struct json *from, text name);
/* The values of one record as they stand in the file: {field: value}. */
const struct json *file_values(const struct json *file, text category, const struct json *record);

/* ---- Forms. ---- */
/* FORM_OPENING: all fields, those that an account needs marked; FORM_REQUIRED: these alone (entry/asked.h). */
enum form_scope { FORM_ALL, FORM_OPENING, FORM_REQUIRED, FORM_NO_IDENTIFIERS };
/* What a form of staff brought, with its days and moments as RFC 3339 has them: staff write them as people do. */
enum err form_dated(struct ctx *c, const struct json *sent, const struct json **out);
/* Whether that member is such a day, and what was typed is none. */
bool form_undated(struct ctx *c, text name, const struct json *sent);
/* The fields of a category as inputs, items of an open list. `values`: {field: value} as held, or NULL; `sent`: what
 * the form brought (by input name "CATEGORY.FIELD"), or NULL. A field that has a fault (page.h) says it. */
void form_fields(struct page *p, const struct category *cat, enum form_scope scope, const struct json *values,
                 const struct json *sent);
/* One field of a form of its own (a collection point): an item of an open list; and its value as {field: value}, inside
 * an open object: nothing for what was left empty. */
void form_field(struct page *p, const struct category *cat, const struct field *f, const struct json *sent);
void form_value(struct ctx *c, struct json_out *w, const struct category *cat, const struct field *f,
                const struct json *sent);
/* Adds a fault for each field that was left empty and must not be, or whose value the policy does not take. */
void form_faults(struct page *p, const struct category *cat, enum form_scope scope, const struct json *values,
                 const struct json *sent);
/* What is wrong with that field, and what to do about it: "E-mail address: enter an address like name@example.org". */
text fault_says(struct page *p, const struct category *cat, const struct field *f, enum err code);
/* Refuses what was sent under the name of a field that the policy does not declare (ERR_UNDECLARED, with the field):
 * what a page is not asked to keep is not passed over in silence. "consent.PURPOSE" is a choice, no field. */
enum err form_declared(struct ctx *c, const struct json *sent);
/* The name of a field that was sent, is none of this form, and would change what is held: it must not be passed over.
 * Empty when there is none. */
text form_stray(struct ctx *c, const struct category *cat, enum form_scope scope, const struct json *values,
                const struct json *sent);
/* Writes the members of `sent` that belong to the category as {field: value} of the policy's types, inside an open
 * object: only what differs from `values`; emptied ones as null when they were held. The number of members written. */
unsigned form_values(struct ctx *c, struct json_out *w, const struct category *cat, enum form_scope scope,
                     const struct json *values, const struct json *sent);

#endif
