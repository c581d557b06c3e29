/* Subjects: found by an identifier, read by category and purpose, and asked about before a use. */
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
    if (!identifier || identifier->kind != J_OBJECT || identifier->count != 1 || member->kind != J_TEXT)
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
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_IDENTIFIER_FIND, ARGS(V_TEXT(c->tenant), V_TEXT(name), V_BYTES(TEXT_BYTES(digest))));
    *found = query_next(&q);
    if (*found)
        memcpy(out, query_bytes(&q, 0).p, sizeof *out);
    return q.status;
}

enum err subject_lookup(struct ctx *c, const struct json *in, struct answer *out)
{
    const struct category *cat = NULL;
    const struct field *field = NULL;
    text value, purpose = json_text(in, TEXT("purpose"));
    TRY(write_refused(c, NULL, identifier_of(c, in, &cat, &field, &value)));
    struct bits categories = { { 0 } };
    bits_add(&categories, (unsigned)(cat - c->policy->categories));
    text name = arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(field->name));
    struct subject_id id;
    bool found;
    TRY(find_identifier(c, name, normal_former(c->arena, field, value), &found, &id));
    if (!found)
        TRY(find_identifier(c, name, normal_lookup(c, field, value), &found, &id));
    PERSON_AUTO p = { 0 };
    if (found) {
        enum err status = person_open(c, id_print(c->arena, id), false, &p);
        found = status == OK;
        if (status != OK && status != ERR_NOT_FOUND)
            return status;
    }
    TRY(person_allow(c, found ? &p : NULL, purpose, &categories, ACT_READ));
    struct write w = { .event = event_of(c, found ? &p : NULL, TEXT("subject.lookup")) };
    w.event.purpose = purpose;
    w.event.categories = cat->name;
    w.event.count = found;
    if (found)
        TRY(look_seal(c, &p, &w.event));
    TRY(write_do(c, &w, NULL));
    if (!found)
        return person_absent(c);
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\"}", T(id_print(c->arena, id)));
    return OK;
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

enum err subject_read(struct ctx *c, text id, text purpose, text categories, struct answer *out)
{
    PERSON_AUTO p;
    struct bits set;
    if (!purpose.n)
        return say(c->arena, ERR_MISSING, "a read names its purpose: ?purpose=…");
    TRY(person_open(c, id, false, &p));
    TRY(wanted(c, &p, purpose, categories, &set));
    TRY(person_allow(c, &p, purpose, &set, ACT_READ));
    struct write w = { .event = event_of(c, &p, TEXT("read")) };
    w.event.purpose = purpose;
    w.event.categories = event_categories(c, &set);
    w.event.count = 0;
    w.event.clause = c->policy->purposes[policy_purpose(c->policy, purpose)].clause.path;
    TRY(look_seal(c, &p, &w.event));
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out j = json_out(&b);
    json_open(&j, '{');
    json_pair(&j, TEXT("id"), id);
    json_pair_int(&j, TEXT("version"), p.version);
    json_pair(&j, TEXT("purpose"), purpose);
    TRY(record_put_data(c, &p, &set, &j, &w.event.count));
    json_close(&j, '}');
    out->version = p.version;
    TRY(buf_take(c->arena, &b, &out->body));
    return write_do(c, &w, NULL);
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
