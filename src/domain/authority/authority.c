/* The register of authorities' requests: a row with its sealed file, how it is changed, and what is shown of it. */
#include "base/calendar.h"
#include "domain/authority/inside.h"
#include "domain/core/written.h"
#include "domain/core/actor.h"
#include "domain/core/decided.h"
#include "domain/core/id.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"
#include "policy/due.h"

enum { FILE_MAX = 1 << 17 };
static const text words[] = { [AUTHORITY_ENTERED] = TEXT_INIT("entered"),
                              [AUTHORITY_APPROVED] = TEXT_INIT("approved"),
                              [AUTHORITY_REFUSED] = TEXT_INIT("refused"),
                              [AUTHORITY_CLOSED] = TEXT_INIT("closed") };

text authority_state_word(enum authority_state s) { return words[s]; }
bool authority_is_secret(const struct ctx *c, const struct authority *a) { return a->secret > c->now; }

enum err authority_may(struct ctx *c)
{
    if (!node_at(c->policy->root, TEXT("authorities"))) {
        say_clause(c->arena, ERR_UNDECLARED, &c->policy->recipients_clause,
                   "the policy does not say when a public authority is given data (authorities)");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    if (person_sees_team(c)) {
        say(c->arena, ERR_FORBIDDEN, "requests of authorities are for who answers everybody, not a team alone");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    return person_allow_act(c, NULL, ACT_EXPORT);
}

/* ---- The row and its file. ---- */

static struct place place_of(const struct ctx *c, struct subject_id request, text table, int64_t version)
{
    return (struct place){ .tenant = c->tenant,
                           .subject = request,
                           .table = table,
                           .field = TEXT("file"),
                           .version = (uint64_t)version };
}

enum err authority_seal(struct ctx *c, struct subject_id request, text table, int64_t version, text clear, sealed *out)
{
    struct place place = place_of(c, request, table, version);
    return written_seal_at(c, TEXT("authority"), &place, clear, out);
}

enum err authority_unseal(struct ctx *c, struct subject_id request, text table, int64_t version, sealed in, text *clear)
{
    struct place place = place_of(c, request, table, version);
    return written_open_at(c, TEXT("authority"), &place, in, clear);
}

static enum err seal_file(struct authority_change *ch, int64_t version)
{
    struct ctx *c = ch->c;
    BUF_AUTO b = buf_make(FILE_MAX);
    struct json_out w = json_out(&b);
    text clear;
    json_open(&w, '{');
#define X(member)                                                                                                      \
    if (ch->a.file.member.n)                                                                                           \
        json_pair(&w, TEXT(#member), ch->a.file.member);
    AUTHORITY_FILE(X)
#undef X
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &clear));
    return authority_seal(c, ch->a.id, TEXT("authority"), version, clear, &ch->body);
}

static enum err open_file(struct ctx *c, struct authority *a, sealed body)
{
    text clear;
    const struct json *all;
    TRY(authority_unseal(c, a->id, TEXT("authority"), a->version, body, &clear));
    TRY(json_parse(c->arena, clear, &all));
#define X(member) a->file.member = json_text(all, TEXT(#member));
    AUTHORITY_FILE(X)
#undef X
    return OK;
}

static bool take_digest(struct digest *out, text bytes)
{
    if (bytes.n == sizeof *out)
        memcpy(out, bytes.p, sizeof *out);
    return bytes.n == sizeof *out;
}

static enum err take_row(struct ctx *c, struct query *q, struct authority *a, sealed *body)
{
    text state = query_get(q, AUTHORITY_GET, state);
    int s = 0;
    a->version = query_get(q, AUTHORITY_GET, version);
    a->entered = query_get(q, AUTHORITY_GET, entered);
    a->secret = query_get(q, AUTHORITY_GET, secret);
    a->closed = query_get(q, AUTHORITY_GET, closed);
    a->due = query_get(q, AUTHORITY_GET, due);
    a->has_first = take_digest(&a->first, query_get(q, AUTHORITY_GET, first));
    a->has_second = take_digest(&a->second, query_get(q, AUTHORITY_GET, second));
    *body = (sealed){ arena_copy(c->arena, query_get(q, AUTHORITY_GET, body).bytes) };
    while (s < AUTHORITY_STATES && !text_eq(words[s], state))
        s++;
    if (s == AUTHORITY_STATES)
        return say(c->arena, ERR_INTEGRITY, "an authority's request has a state that is none");
    a->state = (enum authority_state)s;
    return arena_whole(c->arena);
}

static enum err absent(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "there is no such request"); }

enum err authority_load(struct ctx *c, struct subject_id id, struct authority *out)
{
    sealed body;
    *out = (struct authority){ .id = id };
    {
        READ_AUTO db = NULL;
        TRY(decided_read(c, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_AUTHORITY_GET, ARGS(V_TEXT(c->tenant), V_ID(id)));
        if (!query_next(&q))
            return q.status == OK ? absent(c) : q.status;
        TRY(take_row(c, &q, out, &body));
        TRY(q.status);
    }
    return open_file(c, out, body);
}

enum err authority_load_named(struct ctx *c, text id, struct authority *out)
{
    struct subject_id parsed;
    return id_parse(id, &parsed) ? authority_load(c, parsed, out) : absent(c);
}

enum err authority_person_load(struct ctx *c, struct subject_id request, struct subject_id subject,
                               struct authority_person *out)
{
    READ_AUTO db = NULL;
    *out = (struct authority_person){ 0 };
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_AUTHORITY_PERSON_GET, ARGS(V_TEXT(c->tenant), V_ID(subject), V_ID(request)));
    if (!query_next(&q))
        return q.status == OK ? say(c->arena, ERR_NOT_FOUND, "the request is not about that person") : q.status;
    text disclosure = query_get(&q, AUTHORITY_PERSON_GET, disclosure);
    out->handed = query_get(&q, AUTHORITY_PERSON_GET, handed);
    out->told = query_get(&q, AUTHORITY_PERSON_GET, told);
    if (disclosure.n == sizeof out->disclosure)
        memcpy(&out->disclosure, disclosure.p, disclosure.n);
    return q.status;
}

/* ---- A change. ---- */

msec authority_due(struct ctx *c)
{
    msec due = retention_own_due(policy_retention(c->policy, TEXT("requests")), c->now);
    return due ? due : c->now + 366 * DAY; /* no term is said */
}

static struct val or_null(msec t) { return t ? V_INT(t) : V_NULL; }

static enum err put_row(struct db *db, const struct authority_change *ch)
{
    const struct authority *a = &ch->a;
    struct val first = a->has_first ? V_BYTES(TEXT_BYTES(a->first)) : V_NULL;
    struct val second = a->has_second ? V_BYTES(TEXT_BYTES(a->second)) : V_NULL;
    int64_t changed;
    if (ch->fresh)
        return db_run(db, SQL_AUTHORITY_ADD, NULL,
                      ARGS(V_TEXT(ch->c->tenant), V_ID(a->id), V_TEXT(words[a->state]), V_INT(a->entered),
                           or_null(a->secret), V_SEALED(ch->body)));
    TRY(db_run(db, SQL_AUTHORITY_PUT, &changed,
               ARGS(V_TEXT(ch->c->tenant), V_ID(a->id), V_INT(a->version), V_TEXT(words[a->state]), first, second,
                    or_null(a->secret), or_null(a->closed), or_null(a->due), V_SEALED(ch->body))));
    return changed ? OK : say(db_arena(db), ERR_PRECONDITION, "the request changed meanwhile: look at it again");
}

/* Asked inside the write: what another call handed over or told meanwhile counts. */
static enum err check_untouched(struct db *db, const struct authority_change *ch)
{
    bool handed = false, told = false;
    QUERY_AUTO q;
    query_start(&q, db, SQL_AUTHORITY_PEOPLE, ARGS(V_TEXT(ch->c->tenant), V_ID(ch->a.id)));
    while (query_next(&q)) {
        handed |= !query_null(&q, AUTHORITY_PEOPLE, handed);
        told |= !query_null(&q, AUTHORITY_PEOPLE, told);
    }
    TRY(q.status);
    if (ch->unhanded && handed)
        return say(db_arena(db), ERR_CONFLICT, "data was handed over already");
    return ch->untold && told ? say(db_arena(db), ERR_CONFLICT, "somebody was told already") : OK;
}

static enum err run_change(struct db *db, struct write *w)
{
    const struct authority_change *ch = w->arg;
    text tenant = ch->c->tenant;
    if (ch->unhanded || ch->untold)
        TRY(check_untouched(db, ch));
    TRY(put_row(db, ch));
    for (unsigned i = 0; i < ch->count; i++) {
        TRY(write_person_there(db, tenant, ch->people[i]));
        TRY(db_run(db, SQL_AUTHORITY_PERSON_ADD, NULL, ARGS(V_TEXT(tenant), V_ID(ch->people[i]), V_ID(ch->a.id))));
    }
    return ch->document.bytes.p ? db_run(db, SQL_AUTHORITY_DOCUMENT_PUT, NULL,
                                         ARGS(V_TEXT(tenant), V_ID(ch->a.id), V_SEALED(ch->document)))
                                : OK;
}

/* ---- What is shown. ---- */

static text or_none(text s) { return s.n ? s : (text){ NULL, 0 }; }
static text time_or_none(struct ctx *c, msec t) { return t ? time_print(c->arena, t) : (text){ NULL, 0 }; }

struct people {
    int64_t all, handed, told;
};

/* With each of them when `each`. */
static enum err put_people(struct ctx *c, const struct authority *a, bool each, struct json_out *w, struct people *out)
{
    READ_AUTO db = NULL;
    *out = (struct people){ 0 };
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_AUTHORITY_PEOPLE, ARGS(V_TEXT(c->tenant), V_ID(a->id)));
    while (query_next(&q)) {
        msec handed = query_get(&q, AUTHORITY_PEOPLE, handed), told = query_get(&q, AUTHORITY_PEOPLE, told);
        out->all++;
        out->handed += handed != 0;
        out->told += told != 0;
        if (!each)
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("subject"), id_column(c->arena, &q, COL(AUTHORITY_PEOPLE, subject)));
        json_pair(w, TEXT("handed"), time_or_none(c, handed));
        json_pair(w, TEXT("told"), time_or_none(c, told));
        json_pair_bool(w, TEXT("may_hand"), a->state == AUTHORITY_APPROVED && !handed);
        json_close(w, '}');
    }
    return q.status;
}

static enum err put_head(struct ctx *c, const struct authority *a, struct json_out *w)
{
    json_pair(w, TEXT("id"), id_print(c->arena, a->id));
    json_pair(w, TEXT("state"), words[a->state]);
    json_pair(w, TEXT("authority"), a->file.authority);
    json_pair(w, TEXT("ground"), a->file.ground);
    json_pair(w, TEXT("reference"), or_none(a->file.reference));
    json_pair(w, TEXT("received"), a->file.received);
    json_pair(w, TEXT("entered"), time_print(c->arena, a->entered));
    json_pair(w, TEXT("secret_until"), time_or_none(c, a->secret));
    json_pair_bool(w, TEXT("secret"), authority_is_secret(c, a));
    json_pair(w, TEXT("closed"), time_or_none(c, a->closed));
    return arena_whole(c->arena);
}

/* ---- Writing it. ---- */

/* What a repeated call is answered: which one it was, and what became of it. */
static enum err keep_answer(struct ctx *c, const struct authority *a, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 14);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    TRY(put_head(c, a, &w));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

enum err authority_write(struct authority_change *ch)
{
    struct ctx *c = ch->c;
    struct answer kept = { 0 };
    TRY(seal_file(ch, ch->fresh ? 1 : ch->a.version + 1));
    TRY(keep_answer(c, &ch->a, &kept));
    if (ch->fresh)
        kept.id = id_print(c->arena, ch->a.id);
    struct write w = { .run = run_change, .arg = ch, .event = event_of(c, NULL, text_of(ch->act)) };
    w.event.clause = TEXT("authorities.disclose");
    return write_do(c, &w, &kept);
}

static enum err may_see(struct ctx *c, struct look_list *l)
{
    (void)l;
    return authority_may(c);
}

static enum err load_page(struct ctx *c, struct look_list *l, struct subject_id after, struct subject_id *all,
                          bool *more)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_AUTHORITY_LIST, ARGS(V_TEXT(c->tenant), V_ID(after), V_INT(l->asked->limit + 1)));
    while (paging_row(l->asked, &q, &l->count, more))
        memcpy(&all[l->count - 1], query_get(&q, AUTHORITY_LIST, id).p, sizeof *all);
    return q.status;
}

static enum err show_page(struct ctx *c, struct look_list *l, struct json_out *w)
{
    const struct subject_id *after = l->arg;
    struct people people;
    bool more = false;
    struct subject_id *all = NEW_ARRAY(c->arena, struct subject_id, (size_t)l->asked->limit + 1);
    TRY_PTR(all);
    TRY(load_page(c, l, *after, all, &more));
    json_name(w, TEXT("authorities"));
    json_open(w, '[');
    for (int64_t i = 0; i < l->count; i++) {
        struct authority a;
        TRY(authority_load(c, all[i], &a));
        json_open(w, '{');
        TRY(put_head(c, &a, w));
        TRY(put_people(c, &a, false, w, &people));
        json_pair_int(w, TEXT("people"), people.all);
        json_pair_int(w, TEXT("handed"), people.handed);
        json_pair_int(w, TEXT("told"), people.told);
        json_close(w, '}');
    }
    json_close(w, ']');
    text place = more ? id_print(c->arena, all[l->count - 1]) : (text){ NULL, 0 };
    return paging_end(c, more, place, w, &l->out);
}

/* Nobody on it sees that it was looked at: the law may forbid that they know. */
enum err authority_list(struct ctx *c, const struct paging *asked, struct answer *out)
{
    struct subject_id after = { { 0 } };
    struct look_list l = { .act = TEXT("authority.list"),
                           .each = TEXT("authority.list"),
                           .purpose = TEXT("authorities"),
                           .may = may_see,
                           .show = show_page,
                           .asked = asked,
                           .arg = &after };
    if (asked->after.n && !id_parse(asked->after, &after))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

static enum err may_read(struct ctx *c, struct look *l)
{
    (void)l;
    return authority_may(c);
}

static void put_categories(struct ctx *c, const struct authority *a, struct json_out *w)
{
    text rest = a->file.categories;
    json_name(w, TEXT("categories"));
    json_open(w, '[');
    while (rest.n)
        json_put_text(w, text_cut(&rest, ','));
    json_close(w, ']');
    json_pair(w, TEXT("categories_said"), authority_categories(c, a->file.categories));
}

static enum err show_file(struct ctx *c, struct look *l, struct json_out *w)
{
    const struct authority *a = l->arg;
    const struct authority_file *f = &a->file;
    struct people people;
    bool open = a->state == AUTHORITY_ENTERED || a->state == AUTHORITY_APPROVED;
    TRY(put_head(c, a, w));
    put_categories(c, a, w);
    json_pair(w, TEXT("from"), or_none(f->from));
    json_pair(w, TEXT("until"), or_none(f->until));
    json_pair(w, TEXT("secrecy"), or_none(f->secrecy));
    json_pair(w, TEXT("entered_by"), f->entered_by);
    json_pair(w, TEXT("first_by"), or_none(f->first_by));
    json_pair(w, TEXT("second_by"), or_none(f->second_by));
    json_pair(w, TEXT("reasons"), or_none(f->reasons));
    json_pair(w, TEXT("document"), or_none(f->document));
    json_pair(w, TEXT("digest"), or_none(f->digest));
    json_name(w, TEXT("people"));
    json_open(w, '[');
    TRY(put_people(c, a, true, w, &people));
    json_close(w, ']');
    json_pair_bool(w, TEXT("may_approve"), a->state == AUTHORITY_ENTERED && f->digest.n);
    json_pair_bool(w, TEXT("may_refuse"), open && !people.handed);
    json_pair_bool(w, TEXT("may_attach"), a->state == AUTHORITY_ENTERED && !a->has_first);
    json_pair_bool(w, TEXT("may_secrecy"), open && !people.told);
    return arena_whole(c->arena);
}

enum err authority_get(struct ctx *c, text id, struct answer *out)
{
    struct authority a;
    struct look l = { .act = TEXT("authority.read"),
                      .purpose = TEXT("authorities"),
                      .may = may_read,
                      .show = show_file,
                      .arg = &a };
    TRY(authority_may(c));
    TRY(authority_load_named(c, id, &a));
    return look_at_person(c, (text){ NULL, 0 }, &l, out);
}

const struct feature authority_feature = { .name = TEXT_INIT("authority"),
                                           .member = TEXT_INIT("authorities"),
                                           .put = authority_put_own,
                                           .tick = authority_tick,
                                           .soon = authority_soon };
