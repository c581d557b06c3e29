/* The rows of the policy file's keys: what validation, JSON Schema and man page are made from. */
#ifndef POLICY_SCHEMA_H
#define POLICY_SCHEMA_H
#include "policy.h"

enum kind {
#define KIND(name, ...) KIND_##name,
#include "kinds.def"
#undef KIND
};
enum shape { SHAPE_MAP, SHAPE_NAMES, SHAPE_ONE, SHAPE_MANY, SHAPE_SAID };
struct kind_row {
    enum shape shape;
    bool (*fits)(text one);
    text what, json;
};
const struct kind_row *kind_row(enum kind k); /* of kinds.def */

enum need { NEED_MAY, NEED_MUST, NEED_RUN }; /* see schema.def */
struct schema_row {
    text path;
    enum kind kind;
    enum need need;
    text words, en, fr;
};
/* All rows, in the order of the documentation: each after its parent. */
const struct schema_row *schema_rows(unsigned *count);
/* Whether `retention` takes it as the name of the server's own records. */
bool schema_own_record(text name);
text schema_key(const struct schema_row *row); /* the last segment of its path */

/* The rows as a tree: first child and next sibling of each row by index, `count` being the root and the end. */
struct schema {
    const struct schema_row *rows;
    unsigned count;
    uint16_t *first, *next;
};
enum err schema_make(struct arena *a, struct schema *out);

/* ISO 3166-1. NULL when `code` is none. */
enum area { AREA_NONE, AREA_EU, AREA_EEA }; /* EEA: in it but not in the EU */
struct country {
    text code;
    enum area area;
    text en, fr;
    text in_en, in_fr; /* "in", "in the"; « en », « au », « aux »… */
};
const struct country *country_of(text code);
const struct country *country_at(unsigned i); /* the i-th by code, NULL behind the last */
/* Whether `code` is, or belongs to (EU, EEA), one of the list or scalar. */
bool area_has(const struct node *countries, text code);

/* Splits a list of words at blanks. */
text word_next(text *rest);
/* "categories" -> "category". The text may point into `plural` or into `room`. */
text noun_of(text plural, char room[NODE_KEY_MAX + 4]);

#endif
