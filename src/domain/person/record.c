/* Records: one category's fields, sealed together. */
#include "domain/person/look_at.h"
#include "domain/core/data_subject.h"
#include "domain/person/record.h"
#include "domain/core/block.h"
#include "domain/core/named.h"
#include "domain/core/instance.h"
#include "domain/core/feature.h"

/* ---- Records. ---- */

uint32_t record_class(const struct category *cat)
{
    struct key none = { { 0 } };
    struct digest d;
    digest_identifier(&none, TEXT("key-class"), TEXT(""), cat->name, &d);
    return (uint32_t)d.b[0] << 24 | (uint32_t)d.b[1] << 16 | (uint32_t)d.b[2] << 8 | d.b[3] | 1u;
}

uint32_t record_class_apart(text name)
{
    const struct category like = { .name = name };
    uint32_t even = record_class(&like) ^ 1u;
    return even ? even : 2;
}

enum err record_classes_differ(struct arena *a, const struct policy *p)
{
    text names[CATEGORIES_MAX + 1];
    uint32_t classes[CATEGORIES_MAX + 1];
    unsigned count = p->category_count;
    for (unsigned i = 0; i <= count; i++) {
        names[i] = i < count ? p->categories[i].name : TEXT("former");
        classes[i] = record_class_apart(names[i]); /* alike exactly when those of held categories are */
        for (unsigned j = 0; j < i; j++)
            if (classes[j] == classes[i])
                return say_clause(a, ERR_POLICY, &p->categories_clause,
                                  "categories \"%.*s\" and \"%.*s\" fall on one class of keys: give one another name",
                                  T(names[j]), T(names[i]));
    }
    return OK;
}

static struct place place_of(const struct ctx *c, const struct person *p, const struct record *r)
{
    return (struct place){ .tenant = c->tenant,
                           .subject = p->id,
                           .table = TEXT("record"),
                           .field = c->policy->categories[r->category].name,
                           .version = (uint64_t)r->version };
}

static enum err key_of(struct ctx *c, const struct person *p, const struct record *r, struct key *out)
{
    if (r->key_class)
        return store_key(ctx_store(c), c->arena, c->tenant, p->id, r->key_class, out);
    key_derive(&p->key, c->policy->categories[r->category].name, out);
    return OK;
}

enum err record_open(struct ctx *c, const struct person *p, struct record *r)
{
    KEY_AUTO key;
    struct place place = place_of(c, p, r);
    text clear;
    TRY(key_of(c, p, r, &key));
    TRY(seal_open(c->arena, &key, &place, r->sealed, &clear));
    enum err parsed = json_parse(c->arena, clear, &r->fields);
    if (parsed == OK || parsed == ERR_MEMORY)
        return parsed;
    return say(c->arena, ERR_INTEGRITY, "a record of category \"%.*s\" cannot be read",
               T(place.field)); /* no fault of who asked */
}

bool record_is_block(const struct record *r) { return text_eq(r->source, BLOCK_SOURCE); }

void record_keys_wipe(struct record_keys *k) { key_wipe(&k->key); }

enum err record_open_block(struct ctx *c, const struct person *p, const struct record *row, struct record_keys *keys,
                           struct block *out)
{
    struct place place = place_of(c, p, row);
    text clear;
    if (!keys->known || keys->key_class != row->key_class) {
        keys->known = false;
        TRY(key_of(c, p, row, &keys->key));
        keys->key_class = row->key_class;
        keys->known = true;
    }
    TRY(seal_open(c->arena, &keys->key, &place, row->sealed, &clear));
    TRY(block_read(c->arena, clear, out));
    block_sort(out);
    return OK;
}

enum err record_open_all(struct ctx *c, const struct person *p, const struct record *row, struct record_keys *keys,
                         struct record **out, unsigned *count)
{
    struct block b = { .count = 1 };
    if (record_is_block(row))
        TRY(record_open_block(c, p, row, keys, &b));
    *out = NEW_ARRAY(c->arena, struct record, b.count + 1);
    TRY_PTR(*out);
    *count = b.count;
    **out = *row;
    if (!record_is_block(row))
        return record_open(c, p, *out);
    for (unsigned i = 0; i < b.count; i++) {
        struct block_event e;
        TRY(block_event(c->arena, &b, i, &e));
        (*out)[i] = *row;
        (*out)[i].item = e.item;
        (*out)[i].at = e.at;
        (*out)[i].source = e.source;
        (*out)[i].fields = e.fields;
    }
    return OK;
}

enum err record_key(struct ctx *c, const struct person *p, const struct category *cat, struct record_key *out)
{
    *out = (struct record_key){ .key_class = cat->held ? record_class(cat) : 0 };
    if (!cat->held) {
        key_derive(&p->key, cat->name, &out->key);
        return OK;
    }
    enum err status = store_key(ctx_store(c), c->arena, c->tenant, p->id, out->key_class, &out->key);
    if (status != ERR_ERASED)
        return status;
    key_make(&out->key);
    out->put = (struct key_put){ .tenant = c->tenant, .subject = p->id, .key_class = out->key_class };
    key_wrap(store_master(ctx_store(c)), c->tenant, p->id, out->key_class, &out->key, out->put.wrapped);
    out->made = true;
    return OK;
}

void record_key_wipe(struct record_key *k) { key_wipe(&k->key); }

enum err record_seal_under(struct ctx *c, const struct person *p, struct record *r, const struct record_key *k,
                           text fields)
{
    struct place place = place_of(c, p, r);
    r->key_class = k->key_class;
    return seal(c->arena, &k->key, &place, fields, &r->sealed);
}

enum err record_seal(struct ctx *c, const struct person *p, struct record *r, text fields, struct key_put *put,
                     bool *has_put)
{
    RECORD_KEY_AUTO k = { .made = false };
    TRY(record_key(c, p, &c->policy->categories[r->category], &k));
    *has_put = k.made;
    if (k.made)
        *put = k.put;
    return record_seal_under(c, p, r, &k, fields);
}

enum { QUICK_ROWS = 100 }; /* opened in about a millisecond */

/* Those behind `after`: all when `most` is -1, else that many at most, and no more than have PAGE_BYTES together;
 * *more: others may follow. */
static enum err load_rows(struct ctx *c, const struct person *p, int category, int64_t after, int64_t most,
                          struct record **out, unsigned *count, bool *more)
{
    enum { PAGE_BYTES = 2 << 20 };
    size_t bytes = 0;
    struct record *rows = NULL;
    unsigned room = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(
        &q, db, SQL_RECORD_PAGE,
        ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(c->policy->categories[category].name), V_INT(after), V_INT(most)));
    *more = false;
    for (*count = 0; query_next(&q); (*count)++) {
        *more = most >= 0 && bytes >= PAGE_BYTES;
        if (*more)
            break;
        if (c->quick && *count == QUICK_ROWS)
            return say(c->arena, ERR_ASIDE, "more than %d records are to be opened", QUICK_ROWS);
        if (*count == room) {
            struct record *old = rows;
            rows = NEW_ARRAY(c->arena, struct record, room = room ? room * 2 : 2);
            TRY_PTR(rows);
            if (old)
                memcpy(rows, old, *count * sizeof *rows);
        }
        rows[*count] = (struct record){ .category = category,
                                        .item = query_get(&q, RECORD_PAGE, item),
                                        .version = query_get(&q, RECORD_PAGE, version),
                                        .sealed = { arena_copy(c->arena, query_get(&q, RECORD_PAGE, sealed).bytes) },
                                        .source = arena_copy(c->arena, query_get(&q, RECORD_PAGE, source)),
                                        .at = query_get(&q, RECORD_PAGE, at),
                                        .due = query_get(&q, RECORD_PAGE, due),
                                        .archived = query_get(&q, RECORD_PAGE, state) != 0,
                                        .key_class = (uint32_t)query_get(&q, RECORD_PAGE, class) };
        bytes += rows[*count].sealed.bytes.n;
    }
    *more |= most >= 0 && *count == most;
    *out = rows;
    return q.status;
}

bool record_unreadable(enum err e) { return e == ERR_CRYPT || e == ERR_JSON || e == ERR_INTEGRITY; }

/* What the rows hold, in a list of its own. */
struct opened {
    struct record *list;
    unsigned count, room;
};

static enum err add_opened(struct arena *a, struct opened *o, const struct record *more, unsigned count)
{
    if (o->count + count > o->room) {
        struct record *old = o->list;
        o->room = (o->count + count) * 2;
        o->list = NEW_ARRAY(a, struct record, o->room);
        TRY_PTR(o->list);
        memcpy(o->list, old, o->count * sizeof *old);
    }
    memcpy(o->list + o->count, more, count * sizeof *more);
    o->count += count;
    return OK;
}

/* unreadable: NULL when what cannot be opened is an error. */
static enum err open_rows(struct ctx *c, const struct person *p, bool archived_too, struct record **rows,
                          unsigned *count, unsigned *unreadable)
{
    RECORD_KEYS_AUTO keys = { .known = false };
    struct opened o = { .list = NEW_ARRAY(c->arena, struct record, *count + 1), .room = *count };
    TRY_PTR(o.list);
    for (unsigned i = 0; i < *count; i++) {
        struct record *found = &(*rows)[i];
        unsigned n = 1;
        if (found->archived && !archived_too)
            continue;
        bool block = record_is_block(found);
        enum err e = block ? record_open_all(c, p, found, &keys, &found, &n) : record_open(c, p, found);
        if (e == OK)
            TRY(add_opened(c->arena, &o, found, n));
        else if (unreadable && record_unreadable(e))
            ++*unreadable;
        else
            return e;
    }
    *rows = o.list;
    *count = o.count;
    return OK;
}

enum err record_load_page(struct ctx *c, const struct person *p, int category, int64_t *after, struct record **out,
                          unsigned *count, unsigned *unreadable, bool *more)
{
    enum { PAGE = 256 };
    *count = 0;
    TRY(load_rows(c, p, category, *after, PAGE, out, count, more));
    if (*count)
        *after = (*out)[*count - 1].item;
    return open_rows(c, p, true, out, count, unreadable);
}

enum err record_load_sealed(struct ctx *c, const struct person *p, int category, struct record **out, unsigned *count)
{
    bool more;
    return load_rows(c, p, category, INT64_MIN, -1, out, count, &more);
}

enum err record_load_readable(struct ctx *c, const struct person *p, int category, bool archived_too,
                              struct record **out, unsigned *count, unsigned *unreadable)
{
    bool more;
    *unreadable = 0;
    *count = 0;
    TRY(load_rows(c, p, category, INT64_MIN, -1, out, count, &more));
    return open_rows(c, p, archived_too, out, count, unreadable);
}

enum err record_load(struct ctx *c, const struct person *p, int category, bool archived_too, struct record **out,
                     unsigned *count)
{
    bool more;
    TRY(load_rows(c, p, category, INT64_MIN, -1, out, count, &more));
    return open_rows(c, p, archived_too, out, count, NULL);
}

/* {field: [value, …]} as {field: value}. */
static void put_values(struct json_out *w, const struct category *cat, uint64_t shown, const struct json *fields)
{
    json_open(w, '{');
    JSON_EACH(v, fields) {
        int index = policy_field(cat, v->key);
        if (index < 0 ? shown != UINT64_MAX : !(shown >> index & 1))
            continue;
        json_name(w, v->key);
        json_put(w, v->first);
    }
    json_close(w, '}');
}

/* `shown`: a bit a field. What features keep has no fields, and is shown with all of them. */
static enum err put_category(struct ctx *c, const struct person *p, int index, uint64_t shown, struct json_out *w,
                             int64_t *records, unsigned *unreadable)
{
    const struct category *cat = &c->policy->categories[index];
    struct record *rows;
    unsigned count;
    char at[TIME_TEXT + 1];
    unsigned lost;
    TRY(record_load_readable(c, p, index, false, &rows, &count, &lost));
    *records += count;
    *unreadable += lost;
    if (!count && !cat->many)
        return OK;
    json_name(w, cat->name);
    if (!cat->many) {
        put_values(w, cat, shown, rows[0].fields);
        return OK;
    }
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++) {
        json_open(w, '{');
        json_pair_int(w, TEXT("item"), rows[i].item);
        json_pair(w, TEXT("at"), time_text(rows[i].at, at));
        json_name(w, TEXT("fields"));
        put_values(w, cat, shown, rows[i].fields);
        json_close(w, '}');
    }
    if (shown == UINT64_MAX)
        TRY(feature_put_records(c, p, cat, w, records, unreadable));
    json_close(w, ']');
    return OK;
}

void record_put_unreadable(struct ctx *c, const struct category *cat, unsigned count, struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("category"), cat->name);
    json_pair(w, TEXT("title"), doc_category(c, cat));
    json_pair_int(w, TEXT("records"), count);
    json_pair(w, TEXT("says"),
              doc_in(c, TEXT("We have this, but could not read it. Contact us to get it."),
                     TEXT("Nous avons ces données, mais n'avons pas pu les lire. Contactez-nous pour les obtenir.")));
    json_close(w, '}');
}

enum err record_put_data(struct ctx *c, struct look *l, const struct bits *set, const uint64_t *fields,
                         struct json_out *w)
{
    unsigned *lost = NEW_ARRAY(c->arena, unsigned, c->policy->category_count + 1), all = 0;
    TRY_PTR(lost);
    json_name(w, TEXT("data"));
    json_open(w, '{');
    for (unsigned i = 0; i < c->policy->category_count; i++)
        if (bits_has(set, i)) {
            TRY(put_category(c, &l->p, (int)i, fields ? fields[i] : UINT64_MAX, w, &l->event.count, &lost[i]));
            all += lost[i];
        }
    json_close(w, '}');
    if (!all)
        return OK;
    json_name(w, TEXT("unreadable"));
    json_open(w, '[');
    for (unsigned i = 0; i < c->policy->category_count; i++)
        if (lost[i])
            record_put_unreadable(c, &c->policy->categories[i], lost[i], w);
    json_close(w, ']');
    return OK;
}
