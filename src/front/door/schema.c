/* Schemas of bodies. */
#include "front/door/schema.h"
#include "base/card.h"

enum { NAME_MAX_SHOWN = 40, UNKNOWN_SHOWN = 8 };

static const struct schema_member members[] = {
#define MEMBER(schema, name, type, required, en)                                                                       \
    { TEXT_INIT(#schema), TEXT_INIT(name), TEXT_INIT(type), required, TEXT_INIT(en) },
#include "front/door/schemas.def"
};
enum { MEMBERS = sizeof members / sizeof *members };

const struct schema_member *schema_members(size_t *count)
{
    *count = MEMBERS;
    return members;
}

/* The kind of JSON that a plain type is written as, and its name in messages; false for a schema's name. */
static bool plain_kind(text type, enum json_kind *kind, const char **name)
{
    static const struct {
        text type;
        enum json_kind kind;
        const char *name;
    } rows[] = {
        { TEXT_INIT("text"), J_TEXT, "a text" },           { TEXT_INIT("id"), J_TEXT, "a text" },
        { TEXT_INIT("time"), J_TEXT, "a text" },           { TEXT_INIT("integer"), J_NUMBER, "a number" },
        { TEXT_INIT("boolean"), J_BOOL, "true or false" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_eq(rows[i].type, type)) {
            *kind = rows[i].kind;
            *name = rows[i].name;
            return true;
        }
    return false;
}

static enum err wrong_kind(struct arena *a, text where, const char *expected)
{
    say(a, ERR_USAGE, "\"%.*s\" must be %s", T(where), expected);
    snprintf(a->why.field, sizeof a->why.field, "%.*s", T(where));
    return ERR_USAGE;
}

static enum err check(struct arena *a, text where, text type, const struct json *v);

/* A name that a program misspelt is said again; what may be a value that stands in a name's place is not. */
text schema_shown(text name)
{
    size_t letters = 0;
    bool plain = name.n && name.n <= NAME_MAX_SHOWN && !card_find(name, NULL);
    for (size_t i = 0; plain && i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        letters += letter;
        plain = letter || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    }
    return plain && letters ? name : TEXT("(not a name)");
}

static const struct schema_member *row_of(const struct schema_member *first, text name,
                                          const struct schema_member **near)
{
    unsigned least = 3;
    const struct schema_member *end = first;
    for (; end < members + MEMBERS && text_eq(end->schema, first->schema); end++)
        if (text_eq(name, end->name))
            return end;
    for (const struct schema_member *m = first; near && m < end; m++) {
        unsigned distance = text_distance(name, m->name, 2);
        if (distance < least) {
            least = distance;
            *near = m;
        }
    }
    return NULL;
}

/* All that the schema does not name, at once, and what the first of them is near to. */
static enum err no_unknown(struct arena *a, text where, const struct schema_member *first, const struct json *v)
{
    BUF_AUTO names = buf_make(4096);
    const struct schema_member *near = NULL;
    text one = TEXT("");
    unsigned count = 0;
    JSON_EACH(member, v) {
        const struct schema_member *likely = NULL;
        if (row_of(first, member->key, &likely))
            continue;
        text shown = schema_shown(member->key);
        one = count ? one : shown;
        near = count ? near : likely;
        if (++count <= UNKNOWN_SHOWN)
            buf_print(&names, "%s\"%.*s\"", count > 1 ? ", " : "", T(shown));
    }
    if (!count)
        return OK;
    text list;
    TRY(buf_lend(a, &names, &list));
    if (near && count == 1)
        say(a, ERR_USAGE, "\"%.*s\" has no member %.*s: did you mean \"%.*s\"?", T(where), T(list), T(near->name));
    else
        say(a, ERR_USAGE, "\"%.*s\" has no member %.*s%s: those of %.*s stand in /openapi.json", T(where), T(list),
            count > UNKNOWN_SHOWN ? " and others" : "", T(first->schema));
    snprintf(a->why.field, sizeof a->why.field, "%.*s", T(one));
    return ERR_USAGE;
}

static enum err check_members(struct arena *a, text where, const struct schema_member *first, const struct json *v)
{
    if (v->kind != J_OBJECT)
        return wrong_kind(a, where, "an object");
    TRY(no_unknown(a, where, first, v));
    JSON_EACH(member, v) {
        const struct schema_member *row = row_of(first, member->key, NULL);
        if (row && (row->required || member->kind != J_NULL))
            TRY(check(a, row->name, row->type, member));
    }
    return OK;
}

/* NULL for what is no schema: their names begin with a capital, those of plain types do not. */
static const struct schema_member *rows_of(text schema)
{
    if (!schema.n || schema.p[0] < 'A' || schema.p[0] > 'Z')
        return NULL;
    for (const struct schema_member *m = members; m < members + MEMBERS; m++)
        if (m->schema.n == schema.n && m->schema.p[0] == schema.p[0] && text_eq(m->schema, schema))
            return m;
    return NULL;
}

static enum err check(struct arena *a, text where, text type, const struct json *v)
{
    enum json_kind kind;
    const char *name;
    if (text_eq(type, TEXT("any")) || text_starts(type, TEXT("~")))
        return OK;
    if (plain_kind(type, &kind, &name))
        return v->kind == kind ? OK : wrong_kind(a, where, name);
    bool either = text_ends(type, TEXT("+")), list = type.n && type.p[0] == '[', map = type.n && type.p[0] == '{';
    if (either || list || map) {
        text inner = either ? text_upto(type, type.n - 1) : text_upto(text_from(type, 1), type.n - 2);
        if (either && v->kind != J_ARRAY)
            return check(a, where, inner, v);
        if (v->kind != (map ? J_OBJECT : J_ARRAY))
            return wrong_kind(a, where, map ? "an object" : "a list");
        JSON_EACH(item, v)
            TRY(check(a, where, inner, item));
        return OK;
    }
    const struct schema_member *m = rows_of(type);
    if (m)
        return m->name.n ? check_members(a, where, m, v) : check(a, where, m->type, v);
    return say(a, ERR_INTERNAL, "there is no schema %.*s", T(type));
}

enum err schema_check(struct arena *a, text type, const struct json *value)
{
    return check(a, TEXT("body"), type, value);
}

/* ---- Members. ---- */

struct walk {
    void (*each)(void *arg, text type, text name, const struct json *v);
    void *arg;
};

static void walk(const struct walk *w, text type, text name, const struct json *v)
{
    text bare = text_starts(type, TEXT("[")) ? text_upto(text_from(type, 1), type.n - 2)
                : text_ends(type, TEXT("+")) ? text_upto(type, type.n - 1)
                                             : type;
    const struct schema_member *first = rows_of(bare);
    if (first && v->kind == J_ARRAY) {
        JSON_EACH(item, v)
            walk(w, bare, name, item);
    } else if (first && first->name.n && v->kind == J_OBJECT) {
        JSON_EACH(member, v) {
            const struct schema_member *row = row_of(first, member->key, NULL);
            walk(w, row ? row->type : TEXT("any"), member->key, member);
        }
    } else if (text_eq(bare, TEXT("Form")) && v->kind == J_OBJECT) {
        JSON_EACH(member, v)
            w->each(w->arg, TEXT("any"), member->key, member);
    } else {
        w->each(w->arg, bare, name, v);
    }
}

void schema_each(text type, const struct json *value,
                 void (*each)(void *arg, text type, text name, const struct json *v), void *arg)
{
    const struct walk w = { each, arg };
    walk(&w, type, TEXT("body"), value);
}
