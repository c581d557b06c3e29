/* Subjects: found by an identifier, read by category and purpose, and asked about before a use. */
#include "domain/person/look_at.h"
#include "domain/person/subject.h"
#include "domain/person/record.h"
#include "domain/person/person.h"
#include "domain/core/actor.h"
#include "domain/person/form.h"
#include "policy/lint/lint_help.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/core/normal.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

/* ---- Look-up. ---- */

static enum err identifier_of(struct ctx *c, const struct json *in, const struct category **cat,
                              const struct field **field, text *value)
{
    const struct json *identifier = json_get(in, TEXT("identifier")), *member = identifier ? identifier->first : NULL;
    bool one = identifier && identifier->kind == J_OBJECT && identifier->count == 1;
    if (!one || (member->kind != J_TEXT && member->kind != J_NUMBER))
        return say(c->arena, ERR_USAGE, "the body is {\"identifier\": {\"category.field\": value}, \"purpose\": …}");
    text name = member->key, category = text_cut(&name, '.');
    int index;
    TRY(form_category_of(c, category, &index));
    *cat = &c->policy->categories[index];
    int f = policy_field(*cat, name);
    if (f < 0 || !(*cat)->fields[f].identifier)
        return say_clause(c->arena, ERR_UNDECLARED, &(*cat)->clause, "\"%.*s\" is no identifier of the policy",
                          T(value_shown(member->key)));
    *field = &(*cat)->fields[f];
    *value = member->value;
    return OK;
}

static enum err find_identifier(struct ctx *c, text name, text normal, bool *found, struct subject_id *out)
{
    struct digest digest;
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, name, normal, &digest);
    return person_find(c, name, &digest, found, out);
}

static enum err may_find(struct ctx *c, struct look *l)
{
    const struct category *cat = *(const struct category **)l->arg;
    struct bits categories = { { 0 } };
    bits_add(&categories, (unsigned)(cat - c->policy->categories));
    l->event.categories = cat->name;
    l->event.count = !l->absent;
    return person_allow(c, look_person(l), l->purpose, &categories, ACT_READ);
}

/* Absent and out of reach are told alike, once it is on record that somebody was looked for. */
static enum err give_id(struct ctx *c, struct look *l, struct answer *out)
{
    if (l->absent)
        return person_absent(c);
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\"}", T(id_print(c->arena, l->p.id)));
    return out->body.p ? OK : ERR_MEMORY;
}

enum err subject_lookup(struct ctx *c, const struct json *in, struct answer *out)
{
    const struct category *cat = NULL;
    const struct field *field = NULL;
    text value;
    TRY(write_refused(c, NULL, identifier_of(c, in, &cat, &field, &value)));
    text name = arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(field->name));
    struct subject_id id;
    bool found;
    TRY(find_identifier(c, name, normal_former(c->arena, field, value), &found, &id));
    if (!found)
        TRY(find_identifier(c, name, normal_lookup(c, field, value), &found, &id));
    struct look l = { .act = TEXT("subject.lookup"),
                      .purpose = json_text(in, TEXT("purpose")),
                      .gone_too = true,
                      .may = may_find,
                      .give = give_id,
                      .arg = &cat };
    return look_at_person(c, found ? id_print(c->arena, id) : (text){ NULL, 0 }, &l, out);
}

/* ---- Read. ---- */

/* Without a list: the purpose's categories; those that are transient are read elsewhere. */
static enum err wanted(struct ctx *c, const struct person *p, text purpose, text categories, struct bits *out)
{
    if (categories.p)
        return write_refused(c, p, form_category_list(c, categories, out));
    int index = policy_purpose(c->policy, purpose);
    *out = index >= 0 && (unsigned)index < c->policy->purpose_count ? c->policy->purposes[index].categories
                                                                    : (struct bits){ { 0 } };
    for (unsigned i = 0; i < c->policy->category_count; i++)
        if (c->policy->categories[i].transient)
            out->w[i >> 6] &= ~((uint64_t)1 << (i & 63));
    return OK;
}

struct reading {
    text categories;
    struct bits set;
};

static enum err may_read(struct ctx *c, struct look *l)
{
    struct reading *r = l->arg;
    TRY(wanted(c, &l->p, l->purpose, r->categories, &r->set));
    TRY(person_allow(c, &l->p, l->purpose, &r->set, ACT_READ));
    l->event.categories = event_categories(c, &r->set);
    l->event.clause = c->policy->purposes[policy_purpose(c->policy, l->purpose)].clause.path;
    l->event.count = 0;
    return OK;
}

static enum err show_data(struct ctx *c, struct look *l, struct json_out *w)
{
    const struct reading *r = l->arg;
    json_pair(w, TEXT("id"), id_print(c->arena, l->p.id));
    json_pair_int(w, TEXT("version"), l->p.version);
    json_pair(w, TEXT("purpose"), l->purpose);
    l->out.version = l->p.version;
    return record_put_data(c, l, &r->set, NULL, w);
}

enum err subject_read(struct ctx *c, text id, text purpose, text categories, struct answer *out)
{
    struct reading r = { .categories = categories };
    struct look l = { .act = TEXT("read"), .purpose = purpose, .may = may_read, .show = show_data, .arg = &r };
    if (!purpose.n)
        return say(c->arena, ERR_MISSING, "a read names its purpose: ?purpose=…");
    return look_at_person(c, id, &l, out);
}

/* ---- Asking before a use. ---- */

static bool act_of(text word, enum act *out)
{
    static const text words[ACT_COUNT] = {
        [ACT_READ] = TEXT_INIT("read"),         [ACT_WRITE] = TEXT_INIT("write"), [ACT_SEND] = TEXT_INIT("send"),
        [ACT_DISCLOSE] = TEXT_INIT("disclose"), [ACT_ERASE] = TEXT_INIT("erase"), [ACT_EXPORT] = TEXT_INIT("export"),
        [ACT_CONSENT] = TEXT_INIT("consent")
    };
    for (unsigned i = 0; i < ACT_COUNT; i++)
        if (text_eq(words[i], word)) {
            *out = (enum act)i;
            return true;
        }
    return false;
}

enum err subject_decide(struct ctx *c, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct bits set = { { 0 } };
    enum act act;
    text id = json_text(in, TEXT("subject")), purpose = json_text(in, TEXT("purpose"));
    if (!purpose.n || !act_of(json_text(in, TEXT("act")), &act))
        return say(c->arena, ERR_USAGE,
                   "the body names \"purpose\" and \"act\" (read, write, send, disclose, erase, export, consent)");
    if (id.p)
        TRY(person_open(c, id, false, &p));
    JSON_EACH(name, json_get(in, TEXT("categories"))) {
        int index;
        TRY(write_refused(c, id.p ? &p : NULL, form_category_of(c, name->value, &index)));
        bits_add(&set, (unsigned)index);
    }
    TRY(person_allow_by(c, id.p ? &p : NULL, purpose, &set, act, json_text(in, TEXT("channel"))));
    const struct clause *clause = &c->policy->purposes[policy_purpose(c->policy, purpose)].clause;
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair_bool(&w, TEXT("allowed"), true);
    json_name(&w, TEXT("clause"));
    clause_json(&w, clause);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}
