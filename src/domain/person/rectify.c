/* Rectification (Art. 16) and former values. */
#include "domain/person/look_at.h"
#include "domain/person/person.h"
#include "domain/person/form.h"
#include "domain/person/append.h"
#include "domain/person/rectify.h"
#include "domain/core/id.h"
#include "domain/core/paging.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/person/keeping.h"
#include "domain/person/making.h"
#include "domain/core/normal.h"
#include "domain/person/source.h"
#include "domain/core/value.h"
#include "domain/person/whole.h"
#include "domain/core/write.h"
#include "domain/core/feature.h"

/* ---- Rectify. ---- */

/* RFC 7386 on one category: the fields after the patch, {field: value}. */
static const struct json *merged(struct ctx *c, const struct json *old, const struct json *patch)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    const struct json *out = NULL;
    json_open(&w, '{');
    JSON_EACH(before, old)
        if (!json_get(patch, before->key)) {
            json_name(&w, before->key);
            json_put(&w, before->first);
        }
    JSON_EACH(v, patch)
        if (v->kind != J_NULL) {
            json_name(&w, v->key);
            json_put(&w, v);
        }
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, &out) == OK ? out : NULL;
}

/* What the patch replaces or removes, in the sealed form; `names` gets "category.field" of every changed one. */
static text replaced(struct ctx *c, const struct category *cat, const struct json *old, const struct json *patch,
                     struct json_out *names)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    bool any = false;
    json_open(&w, '{');
    JSON_EACH(v, patch) {
        const struct json *before = json_get(old, v->key);
        if (v->kind == J_NULL ? !before : before && form_same(before->first, v))
            continue;
        json_put_text(names, arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(v->key)));
        if (!before)
            continue;
        json_name(&w, v->key);
        json_put(&w, before);
        any = true;
    }
    json_close(&w, '}');
    return any ? buf_made(c->arena, &b) : (text){ NULL, 0 };
}

/* The former value is kept only where the policy gives it a term (GDPR 5(1)(d), (e)), under the person's key. */
static enum err keep_former(struct ctx *c, struct change *ch, const struct category *cat, text fields)
{
    const struct retention *r = policy_retention(c->policy, TEXT("former"));
    if (!r || !fields.p)
        return OK;
    KEY_AUTO key;
    struct starts starts = { .collection = c->now, .event = c->now };
    struct change_former *f = &ch->formers[ch->former_count++];
    struct place place = { .tenant = c->tenant,
                           .subject = ch->person->id,
                           .table = TEXT("former"),
                           .field = cat->name,
                           .version = (uint64_t)ch->version };
    key_derive(&ch->person->key, TEXT("former"), &key);
    *f = (struct change_former){ .category = cat->name, .due = retention_due(r, &starts, false) };
    return seal(c->arena, &key, &place, fields, &f->sealed);
}

static enum err patch_category(struct ctx *c, struct change *ch, int index, const struct json *patch,
                               const struct json *all, text source, struct json_out *names)
{
    const struct category *cat = &c->policy->categories[index];
    struct record *rows, fresh = { .category = index, .source = source, .at = c->now };
    unsigned count;
    TRY(record_load(c, ch->person, index, false, &rows, &count));
    const struct json *old = count ? rows[0].fields : NULL;
    if (patch->kind != J_OBJECT)
        return say_clause(c->arena, ERR_VALUE, &cat->clause, "category \"%.*s\" must be an object of its fields",
                          T(cat->name));
    patch = normal_fields(c, cat, patch);
    TRY_PTR(patch);
    const struct json *fields = merged(c, old, patch);
    TRY_PTR(fields);
    JSON_EACH(v, patch) /* a removed field has to be one of the policy too */
        if (policy_field(cat, v->key) < 0)
            fields = patch;
    TRY(value_take_category(c, cat, &fields, all));
    text former = replaced(c, cat, old, patch, names), form = form_sealed(c, fields, old, source);
    TRY_PTR(form.p);
    TRY(keep_former(c, ch, cat, former));
    TRY(change_identifiers(c, ch, cat, fields, old));
    if (count) {
        fresh = rows[0];
        fresh.due = cat->retention && cat->retention->from == FROM_COLLECTION ? 0 : rows[0].due;
    }
    return change_record(c, ch, &fresh, form);
}

static enum err json_whole(struct ctx *c, const struct json *value, text *out)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_put(&w, value);
    return buf_take(c->arena, &b, out);
}

enum err person_patch(struct ctx *c, text id, const struct json *patch, const struct patching *how, struct answer *out)
{
    PERSON_AUTO p;
    struct change ch;
    struct bits categories;
    struct source_taken source;
    struct whole whole;
    text changed;
    if (!c->if_match)
        return say(c->arena, ERR_PRECONDITION_REQUIRED, "a change needs If-Match with the version you read");
    if (!patch || patch->kind != J_OBJECT)
        return say(c->arena, ERR_USAGE, "the body is a merge patch {category: {field: value or null}}");
    TRY(person_open(c, id, false, &p));
    if (c->if_match > 0 && c->if_match != p.version)
        return say(c->arena, ERR_PRECONDITION, "the person's data are at version %lld", (long long)p.version);
    TRY(write_refused(c, &p, form_categories_of(c, patch, &categories)));
    TRY(person_allow_some(c, &p, NULL, how->purpose, &categories, ACT_WRITE));
    TRY(change_begin(c, &p, patch->count, &ch));
    ch.expected = p.version;
    ch.version = p.version + 1;
    TRY(whole_take(c, &p, patch, NULL, &whole));
    BUF_AUTO names = buf_make(1 << 16);
    struct json_out w = json_out(&names);
    json_open(&w, '[');
    TRY(write_refused(c, &p, source_take(c, how->source, &categories, &source)));
    append_use_source(&ch, source);
    JSON_EACH(fields, patch)
        TRY(write_refused(
            c, &p,
            patch_category(c, &ch, policy_category(c->policy, fields->key), fields, whole.after, ch.source, &w)));
    json_close(&w, ']');
    TRY(write_refused(c, &p, whole_check(c, &p, &whole)));
    const struct arrival arrival = { .data = patch };
    const struct json *permission;
    TRY(permission_said(c, how->permitted, &permission));
    TRY(permission_take(c, &p, false, source, permission, &arrival, &ch.permission));
    struct outside outside = { .act = OUTSIDE_correct, .id = id_make(c->now), .changed = &categories };
    TRY(json_whole(c, patch, &outside.detail));
    TRY(change_outside(c, &ch, &outside));
    ch.also = how->also;
    ch.also_arg = how->also_arg;
    if (!how->confirmed)
        TRY(feature_moved(c, patch, &ch));
    out->version = ch.version;
    TRY(buf_lend(c->arena, &names, &changed));
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\",\"version\":%lld,\"changed\":%.*s}", T(id),
                            (long long)ch.version, T(changed));
    TRY_PTR(out->body.p);
    struct event event = event_of(c, &p, TEXT("rectify"));
    event.categories = event_categories(c, &categories);
    event.purpose = how->purpose;
    event.count = ch.record_count;
    return change_write(c, &ch, event, out);
}

/* ---- Former values. ---- */

struct former_row {
    text category;
    int64_t version, item;
    msec at, due;
    sealed sealed;
    struct former_row *next;
};

/* At most `limit` rows (0: all); *more when there are others. */
static enum err load_formers(struct ctx *c, enum sql sql, const struct val *args, size_t count, int64_t limit,
                             struct former_row **out, bool *more)
{
    int64_t rows = 0;
    *more = false;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, sql, args, count);
    while (query_next(&q)) {
        if (limit && rows++ == limit) {
            *more = true;
            return OK;
        }
        struct former_row *row = NEW(c->arena, struct former_row);
        TRY_PTR(row);
        *row = (struct former_row){ .category = arena_copy(c->arena, query_get(&q, FORMER_LIST, category)),
                                    .version = query_get(&q, FORMER_LIST, version),
                                    .at = query_get(&q, FORMER_LIST, at),
                                    .due = query_get(&q, FORMER_LIST, due),
                                    .item = query_get(&q, FORMER_LIST, item),
                                    .sealed = { arena_copy(c->arena, query_get(&q, FORMER_LIST, sealed).bytes) } };
        *out = row;
        out = &row->next;
    }
    return q.status;
}

static void put_former_end(struct ctx *c, const struct keeping *k, const struct former_row *row, struct json_out *w)
{
    const struct kept_thing thing = {
        .category = row->category, .former = true, .begun = true, .at = row->at, .event = row->at
    };
    const struct keeping_end end = keeping_end(c->policy, k, &thing);
    json_pair(w, TEXT("until"), end.until > KEEPING_PAST ? time_print(c->arena, end.until) : (text){ NULL, 0 });
}

/* What cannot be read hides no other. */
static void put_lost(struct ctx *c, const struct keeping *k, const struct former_row *row, struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("category"), row->category);
    json_pair(w, TEXT("field"), TEXT(""));
    json_name(w, TEXT("value"));
    json_put_null(w);
    json_pair_int(w, TEXT("version"), row->version);
    json_pair(w, TEXT("replaced"), time_print(c->arena, row->at));
    put_former_end(c, k, row, w);
    json_pair_bool(w, TEXT("unreadable"), true);
    json_close(w, '}');
}

static enum err open_former(struct ctx *c, const struct person *p, const struct key *key, const struct former_row *row,
                            const struct json **fields)
{
    struct place place = { .tenant = c->tenant,
                           .subject = p->id,
                           .table = TEXT("former"),
                           .field = row->category,
                           .version = (uint64_t)row->version };
    text clear;
    TRY(seal_open(c->arena, key, &place, row->sealed, &clear));
    return json_parse(c->arena, clear, fields);
}

static enum err put_former(struct ctx *c, const struct person *p, const struct keeping *k, const struct key *key,
                           const struct former_row *row, struct json_out *w)
{
    const struct json *fields = NULL;
    enum err e = open_former(c, p, key, row, &fields);
    if (record_unreadable(e)) {
        put_lost(c, k, row, w);
        return OK;
    }
    TRY(e);
    JSON_EACH(v, fields) {
        json_open(w, '{');
        json_pair(w, TEXT("category"), row->category);
        json_pair(w, TEXT("field"), v->key);
        json_name(w, TEXT("value"));
        json_put(w, v->first);
        json_pair_int(w, TEXT("version"), row->version);
        json_pair(w, TEXT("replaced"), time_print(c->arena, row->at));
        put_former_end(c, k, row, w);
        json_close(w, '}');
    }
    return OK;
}

static enum err put_formers(struct ctx *c, const struct person *p, const struct former_row *rows, struct json_out *w)
{
    KEY_AUTO key;
    struct keeping k;
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        TRY(keeping_load(db, c->arena, c->tenant, p->id, c->now, &k));
    }
    key_derive(&p->key, TEXT("former"), &key);
    json_open(w, '[');
    for (; rows; rows = rows->next)
        TRY(put_former(c, p, &k, &key, rows, w));
    json_close(w, ']');
    return OK;
}

enum err subject_put_formers(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct former_row *rows = NULL;
    bool more;
    TRY(load_formers(c, SQL_FORMER_LIST, ARGS(V_TEXT(c->tenant), V_ID(p->id)), 0, &rows, &more));
    return put_formers(c, p, rows, w);
}

/* What is held of one field, the newest last; what cannot be read is not looked up by. */
enum err subject_former_values(struct ctx *c, const struct person *p, text category, text field, unsigned most,
                               struct json_out *w)
{
    KEY_AUTO key;
    struct former_row *rows = NULL;
    unsigned count = 0;
    bool more;
    key_derive(&p->key, TEXT("former"), &key);
    TRY(load_formers(c, SQL_FORMER_LIST, ARGS(V_TEXT(c->tenant), V_ID(p->id)), 0, &rows, &more));
    for (; rows && count < most; rows = rows->next) {
        const struct json *fields = NULL;
        if (!text_eq(rows->category, category))
            continue;
        enum err e = open_former(c, p, &key, rows, &fields);
        if (record_unreadable(e))
            continue;
        TRY(e);
        const struct json *held = json_get(fields, field), *value = held ? held->first : NULL;
        if (value && (value->kind == J_TEXT || value->kind == J_NUMBER) && value->value.n) {
            json_put_text(w, value->value);
            count++;
        }
    }
    return OK;
}

/* A page begins after "version.item.category" of the row before it; a row has as many values as fields were changed at
 * once. */
static enum err put_former_page(struct ctx *c, const struct person *p, const struct paging *asked, struct json_out *w,
                                struct answer *out)
{
    struct former_row *rows = NULL, *last;
    int64_t version = -1, item = -1;
    bool more;
    text after = asked->after;
    if (after.n && (!paging_number(&after, &version) || !paging_number(&after, &item) || !after.p))
        return paging_unknown(c);
    TRY(load_formers(c, SQL_FORMER_PAGE,
                     ARGS(V_TEXT(c->tenant), V_ID(p->id), V_INT(version), V_TEXT(after.n ? after : TEXT("")),
                          V_INT(item), V_INT(asked->limit + 1)),
                     asked->limit, &rows, &more));
    for (last = rows; last && last->next;)
        last = last->next;
    TRY(put_formers(c, p, rows, w));
    text place = more ? arena_print(c->arena, "%lld.%lld.%.*s", (long long)last->version, (long long)last->item,
                                    T(last->category))
                      : TEXT("");
    return paging_end(c, more, place, w, out);
}

static enum err show_formers(struct ctx *c, struct look *l, struct json_out *w)
{
    json_name(w, TEXT("former"));
    return put_former_page(c, &l->p, l->asked, w, &l->out);
}

enum err subject_former(struct ctx *c, text id, const struct paging *asked, struct answer *out)
{
    struct look l = {
        .act = TEXT("read"), .purpose = TEXT("former"), .may = look_by_right, .show = show_formers, .asked = asked
    };
    return look_at_person(c, id, &l, out);
}
