/* The shape of a policy: the tree walked beside the rows of schema.def; every fault is said, with a suggestion. */
#include "check.h"

static const char *const container_words[] = {
    [NODE_SCALAR] = "a single value", [NODE_LIST] = "a list", [NODE_MAP] = "a map"
};
enum { SHOWN_MAX = 60 }; /* bytes of a wrong value that a message repeats */

struct mark mark_of_key(const struct node *n) { return n->key.n ? n->key_at : n->at; }

/* ---- Words, names and suggestions. ---- */

struct near {
    text best;
    unsigned distance;
};

/* One letter may differ in short words, up to three in long ones; a beginning in common counts as near. */
static void consider(struct near *n, text known, text wrong)
{
    unsigned limit = wrong.n < 4 ? 1
                   : wrong.n < 8 ? 2 : 3;
    unsigned d = text_distance(known, wrong, limit);
    bool own = schema_own_record(known); /* a longer name is another thing than the server's own records */
    if (d > limit && !own && wrong.n >= 4 && (text_starts(known, wrong) || text_starts(wrong, known)) && known.n >= 4)
        d = limit;
    if (d <= limit && d < n->distance)
        *n = (struct near){ known, d };
}

const struct node *field_of_ref(const struct node *root, text ref)
{
    text rest = ref, category = text_cut(&rest, '.');
    return rest.n ? node_get(node_get(node_get(node_get(root, TEXT("categories")), category), TEXT("fields")), rest)
                  : NULL;
}

static void consider_fields(struct near *n, const struct node *root, text wrong)
{
    NODE_EACH(category, node_get(root, TEXT("categories")))
        NODE_EACH(field, node_get(category, TEXT("fields"))) {
            char room[2 * NODE_KEY_MAX + 2];
            int size = snprintf(room, sizeof room, "%.*s.%.*s", T(category->key), T(field->key));
            struct near one = { .distance = n->distance };
            consider(&one, (text){ room, (size_t)size }, wrong);
            if (one.best.n)
                *n = (struct near){ { field->path.p, field->path.n }, one.distance };
        }
}

text nearest_child(const struct node *map, text wrong)
{
    struct near n = { .distance = UINT32_MAX };
    NODE_EACH(child, map)
        consider(&n, child->key, wrong);
    return n.best;
}

text nearest_word(const struct node *root, text words, text wrong)
{
    struct near n = { .distance = UINT32_MAX };
    for (text rest = words; rest.p;) {
        text word = word_next(&rest);
        if (text_eq(word, TEXT("@fields")))
            consider_fields(&n, root, wrong);
        else if (text_starts(word, TEXT("@")))
            NODE_EACH(name, node_get(root, text_from(word, 1)))
                consider(&n, name->key, wrong);
        else if (word.n)
            consider(&n, word, wrong);
    }
    return n.best;
}

static bool is_word(const struct node *root, text words, text value)
{
    for (text rest = words; rest.p;) {
        text word = word_next(&rest);
        if (text_eq(word, TEXT("@fields")) ? field_of_ref(root, value) != NULL
            : text_starts(word, TEXT("@")) ? node_get(node_get(root, text_from(word, 1)), value) != NULL
                                           : word.n && text_eq(word, value))
            return true;
    }
    return false;
}

/* What an unknown word should have been: "category" for @categories, else the key, in the singular when it holds
 * several. */
static text noun(const struct schema_row *row, char room[NODE_KEY_MAX + 4])
{
    ptrdiff_t target = text_index(row->words, '@');
    if (target >= 0) {
        text rest = text_from(row->words, (size_t)target + 1);
        return noun_of(word_next(&rest), room);
    }
    return row->kind == KIND_WORD ? schema_key(row) : noun_of(schema_key(row), room);
}

/* "read, write or send" from "read write send", without names of targets. */
static text choices(struct arena *a, text words)
{
    text all = TEXT("");
    for (text rest = words; rest.p;) {
        text word = word_next(&rest);
        if (word.n && !text_starts(word, TEXT("@")))
            all = arena_print(a, "%.*s%s%.*s", T(all), all.n ? ", " : "", T(word));
    }
    return all;
}

static bool has_targets(const struct schema_row *row) { return text_index(row->words, '@') >= 0; }

/* The section whose names the words of a row are. */
static text target(const struct schema_row *row)
{
    text rest = text_from(row->words, (size_t)text_index(row->words, '@') + 1);
    return word_next(&rest);
}

static void unknown(struct check *c, const struct node *where, struct mark at, const struct schema_row *row, text value)
{
    if (c->findings->count >= FINDINGS_MAX) {
        WRONG(c, at, where, "unknown value"); /* counted only */
        return;
    }
    char room[NODE_KEY_MAX + 4];
    text what = noun(row, room), near = nearest_word(c->root, row->words, value), shown = text_upto(value, SHOWN_MAX);
    text known = choices(c->arena, row->words);
    /* A field's path is categories.X.fields.Y; it is written X.Y. */
    if (text_starts(near, TEXT("categories."))) {
        text rest = text_from(near, sizeof "categories." - 1), category = text_cut(&rest, '.');
        near = arena_print(c->arena, "%.*s.%.*s", T(category), T(text_from(rest, sizeof "fields." - 1)));
    }
    if (near.n)
        WRONG(c, at, where, "unknown %.*s \"%.*s\", did you mean \"%.*s\"?", T(what), T(shown), T(near));
    else if (known.n && has_targets(row))
        WRONG(c, at, where, "unknown %.*s \"%.*s\": declare it under %.*s, or use one of %.*s", T(what), T(shown),
              T(target(row)), T(known));
    else if (known.n)
        WRONG(c, at, where, "unknown %.*s \"%.*s\": it is one of %.*s", T(what), T(shown), T(known));
    else
        WRONG(c, at, where, "unknown %.*s \"%.*s\"", T(what), T(shown));
}

/* ---- Values. ---- */

static void check_path(struct check *c, const struct node *value)
{
    if (node_at(c->root, value->value))
        return;
    WRONG_VALUE(c, value, "%.*s names \"%.*s\", which is not in this file", T(value->path),
                T(text_upto(value->value, SHOWN_MAX)));
}

/* The key a value stands under; that of the list for one of its items. */
static text key_of(const struct node *value)
{
    return value->key.n || !value->parent ? value->key : value->parent->key;
}

/* "6m": one letter decides between minutes and months, and a slip there erases. It is asked about; whatever reads the
 * tree from here on reads months, for what is erased too soon cannot be brought back (GDPR 5(1)(f)). */
static void ask_unit(struct check *c, const struct node *value, text number)
{
    text months = arena_print(c->arena, "%.*smo", T(number));
    finding_add(c->arena, c->findings, SEVERITY_QUESTION, value->at, value->path,
                "\"%.*s\": minutes or months? Write \"%.*smin\" or \"%.*smo\"",
                T(text_upto(value->value, SHOWN_MAX)), T(number), T(number));
    if (months.p)
        ((struct node *)value)->value = months;
}

/* What was meant by a value that other readers of YAML, or people, write otherwise; p NULL when it is not known. */
static text meant_value(struct check *c, enum kind kind, text s)
{
    char upper[2];
    text out = { NULL, 0 };
    if (kind == KIND_BOOL) {
        static const text on[] = { TEXT_INIT("true"), TEXT_INIT("yes"), TEXT_INIT("on"), TEXT_INIT("oui") },
                          off[] = { TEXT_INIT("false"), TEXT_INIT("no"), TEXT_INIT("off"), TEXT_INIT("non") };
        for (size_t i = 0; i < 4 && !out.p; i++)
            out = text_eq_nocase(s, on[i]) ? TEXT("true") : text_eq_nocase(s, off[i]) ? TEXT("false") : out;
    } else if (kind == KIND_INTEGER) {
        int64_t number;
        if (text_int(s, &number))
            out = arena_print(c->arena, "%lld", (long long)number);
    } else if (kind == KIND_COUNTRY && s.n == 2) {
        for (size_t i = 0; i < 2; i++)
            upper[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 32) : s.p[i];
        out = country_of((text){ upper, 2 }) ? arena_copy(c->arena, (text){ upper, 2 }) : out;
    }
    return out;
}

static void misfit(struct check *c, const struct node *value, const struct schema_row *row)
{
    const struct kind_row *kind = kind_row(row->kind);
    text number, unit, shown = text_upto(value->value, SHOWN_MAX);
    bool term = row->kind == KIND_TERM || row->kind == KIND_LONG;
    text meant = meant_value(c, row->kind, value->value);
    if (meant.n)
        WRONG_VALUE(c, value, "\"%.*s\" is not %.*s, did you mean \"%.*s\"?", T(shown), T(kind->what), T(meant));
    else if (!term || !term_asks(value->value, &number, &unit) || number.n > SHOWN_MAX)
        WRONG_VALUE(c, value, "\"%.*s\" is not %.*s", T(shown), T(kind->what));
    else if (unit.n)
        WRONG_VALUE(c, value, "\"%.*s\" is not %.*s, did you mean \"%.*s%.*s\"?", T(shown), T(kind->what), T(number),
                    T(unit));
    else
        ask_unit(c, value, number);
}

static void check_one(struct check *c, const struct node *value, const struct schema_row *row)
{
    const struct kind_row *kind = kind_row(row->kind);
    bool words_only = row->kind == KIND_WORD || row->kind == KIND_WORDS;
    if (value->kind != NODE_SCALAR)
        WRONG_VALUE(c, value, "\"%.*s\" must be %.*s, not %s", T(key_of(value)), T(kind->what),
                    container_words[value->kind]);
    else if (!value->value.n && !value->quoted)
        WRONG_VALUE(c, value, "\"%.*s\" has no value", T(key_of(value)));
    else if (row->words.n && is_word(c->root, row->words, value->value))
        return;
    else if (words_only)
        unknown(c, value, value->at, row, value->value);
    else if (row->kind == KIND_PATHS)
        check_path(c, value);
    else if (!kind->fits(value->value))
        misfit(c, value, row);
}

static void check_many(struct check *c, const struct node *value, const struct schema_row *row)
{
    if (value->kind != NODE_LIST) {
        check_one(c, value, row);
        return;
    }
    NODE_EACH(item, value) {
        check_one(c, item, row);
        for (const struct node *other = value->first; other != item && c->findings->count < FINDINGS_MAX;
             other = other->next)
            if (item->kind == NODE_SCALAR && other->kind == NODE_SCALAR && text_eq(other->value, item->value)) {
                WRONG_VALUE(c, item, "\"%.*s\" stands twice in this list", T(text_upto(item->value, SHOWN_MAX)));
                break;
            }
    }
}

/* A text for every language, or a map with one for each language of the policy. */
static void check_said(struct check *c, const struct node *value, const struct schema_row *row)
{
    const struct node *languages = node_at(c->root, TEXT("policy.languages"));
    if (value->kind == NODE_LIST && row->kind == KIND_SAYINGS) {
        NODE_EACH(item, value)
            check_said(c, item, row);
        return;
    }
    if (value->kind != NODE_MAP) {
        check_one(c, value, row);
        return;
    }
    NODE_EACH(said, value) {
        if (said->key.n != 2 || (languages && !node_has(languages, said->key)))
            WRONG(c, said->key_at, said, "unknown language \"%.*s\": it is not in policy.languages", T(said->key));
        check_one(c, said, row);
    }
    const struct node *only = languages && languages->kind == NODE_SCALAR ? languages : NULL;
    for (const struct node *l = only ? only : languages ? languages->first : NULL; l; l = only ? NULL : l->next)
        if (l->kind == NODE_SCALAR && l->value.n && !node_get(value, l->value))
            WRONG_KEY(c, value, "%.*s has no text in \"%.*s\", a language of policy.languages", T(value->path),
                      T(text_upto(l->value, SHOWN_MAX)));
}

/* ---- Maps. ---- */

static void check_value(struct check *c, const struct node *value, unsigned row);

static unsigned row_of_key(const struct check *c, unsigned parent, text key)
{
    const struct schema *s = &c->schema;
    unsigned i = s->first[parent];
    while (i < s->count && !text_eq(schema_key(&s->rows[i]), key))
        i = s->next[i];
    return i;
}

/* Keys that other formats have, and what stands for them here: the first of `keys` that the map may have. */
static text synonym(const struct check *c, text key, unsigned parent)
{
    static const struct {
        text other, keys;
    } rows[] = { { TEXT_INIT("name"), TEXT_INIT("title legal_name id") },
                 { TEXT_INIT("label"), TEXT_INIT("title") },
                 { TEXT_INIT("about"), TEXT_INIT("says scope title") },
                 { TEXT_INIT("description"), TEXT_INIT("says scope title") } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (text rest = text_eq(rows[i].other, key) ? rows[i].keys : TEXT(""); rest.n;) {
            text one = word_next(&rest);
            if (row_of_key(c, parent, one) < c->schema.count)
                return one;
        }
    return (text){ NULL, 0 };
}

/* The keys that the map may have, the first dozen of them. */
static text keys_of(struct check *c, unsigned parent)
{
    enum { MANY = 12 };
    const struct schema *s = &c->schema;
    text all = TEXT("");
    unsigned count = 0;
    for (unsigned i = s->first[parent]; i < s->count; i = s->next[i]) {
        text key = schema_key(&s->rows[i]);
        if (!text_eq(key, TEXT("*")) && ++count <= MANY)
            all = arena_print(c->arena, "%.*s%s%.*s", T(all), all.n ? ", " : "", T(key));
    }
    return count > MANY ? arena_print(c->arena, "%.*s…", T(all)) : all;
}

static void unknown_key(struct check *c, const struct node *child, unsigned parent)
{
    const struct schema *s = &c->schema;
    struct near n = { .distance = UINT32_MAX };
    for (unsigned i = s->first[parent]; i < s->count && c->findings->count < FINDINGS_MAX; i = s->next[i])
        consider(&n, schema_key(&s->rows[i]), child->key);
    text in = child->parent->path.n ? child->parent->path : TEXT("the policy");
    text other = synonym(c, child->key, parent), known = TEXT("");
    if (other.n) {
        unsigned row = row_of_key(c, parent, other);
        WRONG(c, child->key_at, child, "unknown key \"%.*s\" in %.*s, write \"%.*s\": %.*s", T(child->key), T(in), T(other),
              T(s->rows[row].en));
        return;
    }
    if (!n.best.n && c->findings->count < FINDINGS_MAX)
        known = keys_of(c, parent);
    if (n.best.n)
        WRONG(c, child->key_at, child, "unknown key \"%.*s\" in %.*s, did you mean \"%.*s\"?", T(child->key), T(in),
              T(n.best));
    else
        WRONG(c, child->key_at, child, "unknown key \"%.*s\" in %.*s: its keys are %.*s", T(child->key), T(in), T(known));
}

static void check_missing(struct check *c, const struct node *map, unsigned parent)
{
    const struct schema *s = &c->schema;
    text in = map->path.n ? map->path : TEXT("the policy");
    for (unsigned i = s->first[parent]; i < s->count; i = s->next[i]) {
        bool needed = s->rows[i].need == NEED_MUST || (s->rows[i].need == NEED_RUN && c->strength == TO_RUN);
        text key = schema_key(&s->rows[i]);
        if (needed && !text_eq(key, TEXT("*")) && !node_get(map, key))
            WRONG_KEY(c, map, "%.*s lacks \"%.*s\": %.*s", T(in), T(key), T(s->rows[i].en));
    }
}

static void check_map(struct check *c, const struct node *map, unsigned parent)
{
    NODE_EACH(child, map) {
        unsigned row = row_of_key(c, parent, child->key);
        if (row < c->schema.count)
            check_value(c, child, row);
        else
            unknown_key(c, child, parent);
    }
    check_missing(c, map, parent);
}

static void check_names(struct check *c, const struct node *map, unsigned row)
{
    const struct schema_row *r = &c->schema.rows[row];
    unsigned each = c->schema.first[row];
    bool listed = has_targets(r); /* the names are declared elsewhere */
    NODE_EACH(child, map) {
        if (listed && !is_word(c->root, r->words, child->key))
            unknown(c, child, child->key_at, r, child->key);
        else if (!listed && !kind_row(r->kind)->fits(child->key))
            WRONG(c, child->key_at, child, "\"%.*s\" is not %.*s", T(child->key), T(kind_row(r->kind)->what));
        check_value(c, child, each);
    }
}

static void check_value(struct check *c, const struct node *value, unsigned row)
{
    const struct schema_row *r = &c->schema.rows[row];
    enum shape shape = kind_row(r->kind)->shape;
    bool map = shape == SHAPE_MAP || shape == SHAPE_NAMES;
    bool word = value->kind == NODE_SCALAR && !value->quoted && value->value.n &&
                is_word(c->root, r->words, value->value);
    if (map && !word && value->kind != NODE_MAP) {
        WRONG_VALUE(c, value, "\"%.*s\" must be a map%s, not %s", T(value->key),
                    text_eq(r->words, TEXT("none")) ? " or none" : "",
                    value->kind == NODE_SCALAR && !value->value.n ? "empty" : container_words[value->kind]);
        return;
    }
    if (word && map)
        return;
    switch (shape) {
    case SHAPE_MAP:
        check_map(c, value, row);
        break;
    case SHAPE_NAMES:
        check_names(c, value, row);
        break;
    case SHAPE_ONE:
        check_one(c, value, r);
        break;
    case SHAPE_MANY:
        check_many(c, value, r);
        break;
    case SHAPE_SAID:
        check_said(c, value, r);
        break;
    }
}

void check_shape(struct check *c)
{
    if (c->root->kind == NODE_MAP)
        check_map(c, c->root, c->schema.count);
    else
        WRONG(c, c->root->at, c->root, "a policy is a map, not %s", container_words[c->root->kind]);
}
