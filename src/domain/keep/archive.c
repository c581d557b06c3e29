/* The intermediate archive: listed by pseudonymous id, read for a reason. */
#include "domain/person/look_at.h"
#include "domain/keep/archive.h"
#include "domain/person/reach.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/core/instance.h"
#include "domain/core/look.h"
#include "domain/person/keeping.h"
#include "domain/core/data_subject.h"
#include "domain/person/person.h"
#include "domain/person/record.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

static enum err allow(struct ctx *c)
{
    if (archive_reader(c))
        return OK;
    const struct clause *clause = policy_clause(c->policy, TEXT("archive"));
    say_clause(c->arena, ERR_FORBIDDEN, clause ? clause : &c->policy->rights_clause, "%.*s is no reader of the archive",
               T(c->actor.name));
    return write_refusal(c, NULL, TEXT("archive"), TEXT(""));
}

static enum err read_id(struct ctx *c, text bytes, struct subject_id *out)
{
    if (bytes.n != sizeof *out)
        return say(c->arena, ERR_INTEGRITY, "an archived row has a person of %zu bytes", bytes.n);
    memcpy(out, bytes.p, sizeof *out);
    return OK;
}

/* When something there ends, and why it is kept so long. */
static void put_end(struct ctx *c, const struct keeping *k, text category, msec at, bool ground_too, struct json_out *w)
{
    const struct kept_thing thing = { .category = category, .begun = at != 0, .at = at, .event = at };
    const struct keeping_end end = keeping_end(c->policy, k, &thing);
    bool held = end.hold && (end.open || end.hold->until >= end.own);
    text ground = held ? doc_in(c, end.hold->ground, end.hold->ground_fr)
                : end.by ? doc_ground(c, end.by) : TEXT("");
    json_pair(w, TEXT("until"), end.until ? time_print(c->arena, end.until) : (text){ NULL, 0 });
    if (ground_too)
        json_pair(w, TEXT("ground"), ground.n ? ground : (text){ NULL, 0 });
}

/* asked->limit people, each with all of their categories. */
static enum err show_page(struct ctx *c, struct look_list *l, struct json_out *w)
{
    const struct paging *asked = l->asked;
    struct answer *out = &l->out;
    int64_t people = 0;
    const struct subject_id after = *(const struct subject_id *)l->arg;
    struct subject_id id = after;
    struct keeping k = { 0 };
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_LEFTOVER_LIST, ARGS(V_TEXT(c->tenant), V_ID(after), V_INT(asked->limit + 1)));
    json_name(w, TEXT("archive"));
    json_open(w, '[');
    for (; query_next(&q); l->count++) {
        text category = query_get(&q, LEFTOVER_LIST, category);
        struct subject_id last = id;
        TRY(read_id(c, query_get(&q, LEFTOVER_LIST, id), &id));
        bool another = memcmp(&last, &id, sizeof id) != 0;
        if (another && people++ == asked->limit) {
            TRY(q.status);
            json_close(w, ']');
            return paging_end(c, true, id_print(c->arena, last), w, out);
        }
        if (another)
            TRY(keeping_careful(db, c->arena, c->tenant, id, c->now, &k));
        TRY(look_saw(c, l, id));
        json_open(w, '{');
        json_pair(w, TEXT("id"), id_print(c->arena, id));
        json_pair(w, TEXT("category"), category);
        json_pair_int(w, TEXT("records"), query_get(&q, LEFTOVER_LIST, count));
        put_end(c, &k, category, query_get(&q, LEFTOVER_LIST, at), true, w);
        json_close(w, '}');
    }
    TRY(q.status);
    json_close(w, ']');
    return paging_end(c, false, (text){ NULL, 0 }, w, out);
}

static enum err may_list(struct ctx *c, struct look_list *l)
{
    l->count = 0;
    return allow(c);
}

enum err archive_list(struct ctx *c, const struct paging *asked, struct answer *out)
{
    struct subject_id from = { { 0 } };
    struct look_list l = { .act = TEXT("archive.list"),
                           .each = TEXT("archive.listed"),
                           .may = may_list,
                           .show = show_page,
                           .asked = asked,
                           .arg = &from };
    if (asked->after.n && !id_parse(asked->after, &from))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

/* ---- Reading. ---- */

static void put_record(struct ctx *c, const struct keeping *k, const struct record *r, struct json_out *w)
{
    char time[TIME_TEXT + 1];
    json_open(w, '{');
    json_pair_int(w, TEXT("item"), r->item);
    json_pair(w, TEXT("at"), time_text(r->at, time));
    put_end(c, k, c->policy->categories[r->category].name, r->at, false, w);
    json_name(w, TEXT("fields"));
    json_open(w, '{');
    JSON_EACH(f, r->fields) {
        json_name(w, f->key);
        json_put(w, f->first);
    }
    json_close(w, '}');
    json_close(w, '}');
}

static enum err put_records(struct ctx *c, const struct person *p, int category, struct json_out *w, int64_t *count)
{
    RECORD_KEYS_AUTO keys = { .known = false };
    struct keeping k;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    TRY(keeping_load(db, c->arena, c->tenant, p->id, c->now, &k));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ARCHIVE_RECORDS,
                ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(c->policy->categories[category].name)));
    json_name(w, TEXT("records"));
    json_open(w, '[');
    for (*count = 0; query_next(&q);) {
        struct record *rows, r = { .category = category,
                                   .item = query_get(&q, ARCHIVE_RECORDS, item),
                                   .version = query_get(&q, ARCHIVE_RECORDS, version),
                                   .sealed = query_get(&q, ARCHIVE_RECORDS, sealed),
                                   .at = query_get(&q, ARCHIVE_RECORDS, at),
                                   .due = query_get(&q, ARCHIVE_RECORDS, due),
                                   .key_class = (uint32_t)query_get(&q, ARCHIVE_RECORDS, class),
                                   .source = query_get(&q, ARCHIVE_RECORDS, source),
                                   .archived = true };
        unsigned n;
        TRY(record_open_all(c, p, &r, &keys, &rows, &n));
        *count += n;
        for (unsigned i = 0; i < n; i++)
            put_record(c, &k, &rows[i], w);
    }
    json_close(w, ']');
    return q.status;
}

static enum err may_read(struct ctx *c, struct look *l)
{
    const int *category = l->arg;
    TRY(allow(c));
    if (*category < 0)
        return say(c->arena, ERR_NOT_FOUND, "the archive has no such records");
    l->event.categories = c->policy->categories[*category].name;
    return OK;
}

static enum err show_records(struct ctx *c, struct look *l, struct json_out *w)
{
    const int *category = l->arg;
    TRY(put_records(c, &l->p, *category, w, &l->event.count));
    return l->event.count ? OK : say(c->arena, ERR_NOT_FOUND, "the archive has no such records");
}

enum err archive_read(struct ctx *c, text id, text category, text reason, struct answer *out)
{
    int index = policy_category(c->policy, category);
    struct subject_id known;
    struct look l = { .act = TEXT("archive.read"),
                      .purpose = reason,
                      .closed_too = true,
                      .gone_too = true,
                      .may = may_read,
                      .show = show_records,
                      .arg = &index };
    if (!reason.n || !text_eq(value_shown(reason), reason))
        return say(c->arena, ERR_MISSING,
                   "a look into the archive names its reason: at most 64 lower-case letters, digits, '.' and '_'");
    if (!c->actor.reason.n)
        TRY(look_reason(c, reason)); /* the archive's own is one: a role that must say why need not say it twice */
    if (!id_parse(id, &known)) {
        TRY(allow(c));
        return say(c->arena, ERR_NOT_FOUND, "the archive has no such records");
    }
    return look_at_person(c, id, &l, out);
}
