/* Former identifiers: a store may still know the person by one, as long as nobody else has it. */
#include "domain/connector/inside.h"
#include "domain/core/instance.h"
#include "domain/core/normal.h"
#include "domain/person/person.h"
#include "domain/person/rectify.h"

enum { MOST = 50 };

/* "contact.email"; NULL for what is no identifier. */
static const struct field *identifier_of(const struct ctx *c, text said)
{
    text name = said, category = text_cut(&name, '.');
    int index = policy_category(c->policy, category);
    int at = index < 0 ? -1 : policy_field(&c->policy->categories[index], name);
    const struct field *f = at < 0 ? NULL : &c->policy->categories[index].fields[at];
    return f && f->identifier ? f : NULL;
}

enum err connector_put_former(struct ctx *c, const struct person *p, const text *fields, unsigned count,
                              struct json_out *w)
{
    json_name(w, TEXT("former"));
    json_open(w, '{');
    for (unsigned i = 0; i < count; i++) {
        text field = fields[i], category = text_cut(&field, '.');
        if (!identifier_of(c, fields[i]))
            continue;
        json_name(w, fields[i]);
        json_open(w, '[');
        TRY(subject_former_values(c, p, category, field, MOST, w));
        json_close(w, ']');
    }
    json_close(w, '}');
    return OK;
}

/* ---- When a store is asked. ---- */

static bool is_listed(const struct json *list, text value)
{
    JSON_EACH(one, list)
        if (text_eq(one->value, value))
            return true;
    return false;
}

/* Somebody else has it now: what stands under it there may be theirs. */
static enum err is_anothers(struct ctx *c, text said, text value, const struct subject_id *of, bool *out)
{
    const struct field *f = identifier_of(c, said);
    struct digest digest;
    struct subject_id id;
    text normal = f ? normal_lookup(c, f, value) : (text){ NULL, 0 };
    *out = true;
    if (!f)
        return OK;
    TRY_PTR(normal.p);
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, said, normal, &digest);
    TRY(person_find(c, said, &digest, out, &id));
    *out = *out && (!of || memcmp(&id, of, sizeof id) != 0);
    return OK;
}

static enum err put_joined(struct ctx *c, const struct json *values, const struct json *former,
                           const struct subject_id *of, struct json_out *w)
{
    json_name(w, TEXT("values"));
    json_open(w, '{');
    JSON_EACH(field, values) {
        json_name(w, field->key);
        json_open(w, '[');
        JSON_EACH(one, field)
            json_put(w, one);
        JSON_EACH(old, json_get(former, field->key)) {
            bool anothers = true;
            if (!is_listed(field, old->value))
                TRY(is_anothers(c, field->key, old->value, of, &anothers));
            if (!anothers)
                json_put(w, old);
        }
        json_close(w, ']');
    }
    json_close(w, '}');
    return OK;
}

enum err connector_join_former(struct ctx *c, const struct subject_id *of, text values, text *out)
{
    const struct json *all;
    BUF_AUTO b = buf_make(CONNECTOR_BODY);
    struct json_out w = json_out(&b);
    TRY(json_parse(c->arena, values, &all));
    const struct json *former = json_get(all, TEXT("former"));
    json_open(&w, '{');
    TRY(put_joined(c, json_get(all, TEXT("values")), former, of, &w));
    JSON_EACH(member, all)
        if (!text_eq(member->key, TEXT("values")) && !text_eq(member->key, TEXT("former"))) {
            json_name(&w, member->key);
            json_put(&w, member);
        }
    json_close(&w, '}');
    enum err e = buf_take(c->arena, &b, out);
    buf_wipe(&b);
    return e;
}
