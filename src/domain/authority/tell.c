/* Telling people that an authority was given their data: at once, or once the law lets it; and what they see of it. */
#include "domain/authority/inside.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/mail/mail.h"
#include "domain/person/person.h"
#include "domain/rights/disclosure.h"

enum { STEP = 50, TOLD_A_TURN = 100, ENDS_AT_ONCE = 100, TELL_MEMORY = 4 << 20 };

text authority_categories(struct ctx *c, text names)
{
    text out = TEXT("");
    while (names.n) {
        text name = text_cut(&names, ',');
        int index = policy_category(c->policy, name);
        text title = index < 0 ? name : doc_category(c, &c->policy->categories[index]);
        out = out.n ? arena_print(c->arena, "%.*s, %.*s", T(out), T(title)) : title;
    }
    return out;
}

/* ---- One person told. ---- */

static enum err make_letter(struct ctx *c, const struct authority *a, const struct person *p, msec handed,
                            struct authority_telling *t)
{
    const struct node *tell = node_at(c->policy->root, TEXT("authorities.tell"));
    text authority = node_text(c->policy->root, TEXT("authority")), to, language;
    struct pair_text v[8];
    struct letter_values values = { .v = v };
    struct ctx in = *c;
    int category;
    if (tell && text_eq(tell->value, TEXT("never")))
        return OK;
    TRY(mail_address(c, p, &to, &category));
    if (!to.n || !c->app->public_url[0])
        return OK;
    TRY(mail_language(c, p, &language));
    in.language = language;
    v[values.count++] = (struct pair_text){ TEXT("who"), a->file.authority };
    v[values.count++] = (struct pair_text){ TEXT("ground"), a->file.ground };
    v[values.count++] = (struct pair_text){ TEXT("what"), authority_categories(&in, a->file.categories) };
    v[values.count++] = (struct pair_text){ TEXT("at"), time_print(c->arena, handed) };
    v[values.count++] = (struct pair_text){ TEXT("link"), mail_link(c, TEXT("/me")) };
    if (a->file.secrecy.n) {
        v[values.count++] = (struct pair_text){ TEXT("until"), time_print(c->arena, a->secret) };
        v[values.count++] = (struct pair_text){ TEXT("secrecy"), a->file.secrecy };
    }
    if (authority.n)
        v[values.count++] = (struct pair_text){ TEXT("authority"), authority };
    TRY_PTR(t->letter = NEW(c->arena, struct mail_put));
    enum err status = mail_make(c, p, to, TEXT("authority_told"), &values, t->letter);
    t->has_letter = status == OK;
    return status == ERR_VALUE ? OK : status; /* an address to which nothing can go */
}

enum err authority_tell_make(struct ctx *c, const struct authority *a, const struct person *p,
                             struct subject_id disclosure, msec handed, struct authority_telling *out)
{
    *out = (struct authority_telling){ .tenant = c->tenant,
                                       .categories = a->file.categories,
                                       .subject = p->id,
                                       .request = a->id,
                                       .disclosure = disclosure,
                                       .handed = handed,
                                       .now = c->now,
                                       .due = authority_due(c) };
    TRY(disclosure_note(c, a->file.authority, a->file.ground, &out->note));
    return make_letter(c, a, p, handed, out);
}

enum err authority_tell_run(struct db *db, const struct authority_telling *t)
{
    int64_t changed;
    TRY(db_run(db, SQL_AUTHORITY_TELL, &changed,
               ARGS(V_TEXT(t->tenant), V_ID(t->subject), V_ID(t->request), V_INT(t->now))));
    if (!changed)
        return say(db_arena(db), ERR_CONFLICT, "the person was told meanwhile");
    TRY(disclosure_run_authority(db, t->tenant, t->subject, t->disclosure, t->categories, t->note, t->handed));
    if (t->has_letter)
        TRY(mail_run_put(db, t->letter));
    return db_run(db, SQL_AUTHORITY_CLOSE, NULL,
                  ARGS(V_TEXT(t->tenant), V_ID(t->request), V_INT(t->now), V_INT(t->due)));
}

/* ---- When the law lets it. ---- */

struct waiting {
    struct ctx *c; /* of what is over */
    text tenant;
    struct subject_id subject, request;
    msec now;
};

static bool take_id(struct subject_id *out, text bytes)
{
    if (bytes.n == sizeof *out)
        memcpy(out, bytes.p, sizeof *out);
    return bytes.n == sizeof *out;
}

static enum err list_waiting(struct ctx *c, const struct waiting *after, struct waiting *out, unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_AUTHORITY_UNTOLD,
                ARGS(V_INT(c->now), V_TEXT(after->tenant), V_ID(after->subject), V_ID(after->request), V_INT(STEP)));
    for (*count = 0; *count < STEP && query_next(&q); ++*count) {
        struct waiting *one = &out[*count];
        one->tenant = arena_copy(c->arena, query_get(&q, AUTHORITY_UNTOLD, tenant));
        TRY_PTR(one->tenant.p);
        if (!take_id(&one->subject, query_get(&q, AUTHORITY_UNTOLD, subject)) ||
            !take_id(&one->request, query_get(&q, AUTHORITY_UNTOLD, request)))
            return say(c->arena, ERR_INTEGRITY, "an authority's request has an id that is none");
    }
    return q.status;
}

/* Asked again inside the write: the secrecy was not prolonged meanwhile. */
static enum err run_tell(struct db *db, struct write *w)
{
    const struct authority_telling *t = w->arg;
    TRY(write_person_there(db, t->tenant, t->subject));
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_AUTHORITY_STILL, ARGS(V_TEXT(t->tenant), V_ID(t->request)));
        bool still = query_next(&q) && query_get(&q, AUTHORITY_STILL, secret) <= t->now;
        TRY(q.status);
        if (!still)
            return say(db_arena(db), ERR_CONFLICT, "the law forbids telling for longer");
    }
    return authority_tell_run(db, t);
}

static enum err tell(struct ctx *server, const struct waiting *one)
{
    struct ctx c = *server;
    struct authority a;
    struct authority_person of;
    struct authority_telling t;
    PERSON_AUTO p = { 0 };
    c.tenant = one->tenant;
    c.decisions = NULL;
    TRY(person_open_anyway(&c, id_print(c.arena, one->subject), &p));
    TRY(authority_load(&c, one->request, &a));
    TRY(authority_person_load(&c, one->request, one->subject, &of));
    TRY(authority_tell_make(&c, &a, &p, of.disclosure, of.handed, &t));
    struct write w = { .run = run_tell, .arg = &t, .event = event_of(&c, &p, TEXT("authority.told")) };
    w.event.categories = a.file.categories;
    w.event.clause = TEXT("authorities.tell");
    return write_do(&c, &w, NULL);
}

/* In memory of its own, so that who comes after many has as much. */
static enum err tell_apart(struct ctx *c, const struct waiting *one)
{
    ARENA_AUTO own = arena_make(TELL_MEMORY);
    struct ctx in = *c;
    in.arena = &own;
    enum err status = tell(&in, one);
    if (status != OK && status != ERR_CONFLICT && status != ERR_NOT_FOUND)
        c->arena->why = own.why;
    return status;
}

/* One that fails holds up no other: its reason is told at the end, and it is tried again. */
enum err authority_soon(struct ctx *c)
{
    enum err status = OK;
    struct waiting last = { .tenant = TEXT("") };
    struct waiting *all = NEW_ARRAY(c->arena, struct waiting, STEP);
    unsigned count = STEP, told = 0;
    TRY_PTR(all);
    while (count == STEP && told < TOLD_A_TURN) {
        TRY(list_waiting(c, &last, all, &count));
        for (unsigned i = 0; i < count; i++) {
            enum err one = tell_apart(c, &all[i]);
            told += one == OK;
            if (status == OK && one != ERR_CONFLICT && one != ERR_NOT_FOUND)
                status = one;
        }
        if (count)
            last = all[count - 1];
    }
    return status;
}

/* ---- What is over. ---- */

static enum err run_close(struct db *db, struct write *w)
{
    const struct waiting *o = w->arg;
    struct ctx c = *o->c;
    c.tenant = o->tenant;
    return db_run(db, SQL_AUTHORITY_CLOSE, NULL,
                  ARGS(V_TEXT(o->tenant), V_ID(o->request), V_INT(c.now), V_INT(authority_due(&c))));
}

static enum err run_over(struct db *db, struct write *w)
{
    const struct waiting *o = w->arg;
    struct val key[] = { V_TEXT(o->tenant), V_ID(o->request), V_INT(o->c->now) };
    TRY(db_run(db, SQL_AUTHORITY_END, NULL, key, 3));
    TRY(db_run(db, SQL_AUTHORITY_DOCUMENT_END, NULL, key, 2));
    return db_run(db, SQL_AUTHORITY_PEOPLE_END, NULL, key, 2);
}

/* A step of those that the statement finds: tenant, then id. */
static enum err list_ended(struct ctx *c, enum sql sql, struct waiting *all, unsigned *count)
{
    const struct val now[] = { V_INT(c->now), V_INT(ENDS_AT_ONCE) };
    bool over = sql == SQL_AUTHORITY_OVER;
    *count = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, sql, over ? now : now + 1, over ? 2 : 1);
    while (*count < ENDS_AT_ONCE && query_next(&q)) {
        struct waiting *one = &all[*count];
        one->c = c;
        one->tenant = arena_copy(c->arena, query_bytes(&q, COL(AUTHORITY_OVER, tenant)));
        if (take_id(&one->request, query_bytes(&q, COL(AUTHORITY_OVER, id))))
            ++*count;
    }
    return q.status;
}

static enum err end_each(struct ctx *c, enum sql sql, enum err (*run)(struct db *db, struct write *w), text act)
{
    struct waiting *all = NEW_ARRAY(c->arena, struct waiting, ENDS_AT_ONCE);
    unsigned count;
    TRY_PTR(all);
    TRY(list_ended(c, sql, all, &count));
    for (unsigned i = 0; i < count; i++) {
        struct ctx own = *c;
        own.tenant = all[i].tenant;
        struct write w = {
            .run = run, .arg = &all[i], .truncate = run == run_over, .event = event_of(&own, NULL, act)
        };
        TRY(write_do(&own, &w, NULL));
    }
    return OK;
}

/* One whose people were erased is closed, so that its file has a term; then goes what is over. */
enum err authority_tick(struct ctx *c)
{
    TRY(end_each(c, SQL_AUTHORITY_DESERTED, run_close, TEXT("authority.closed")));
    return end_each(c, SQL_AUTHORITY_OVER, run_over, TEXT("authority.over"));
}

/* ---- The person's own. ---- */

static enum err put_one(struct ctx *c, struct subject_id id, msec handed, msec told, struct json_out *w)
{
    struct authority a;
    TRY(authority_load(c, id, &a));
    json_open(w, '{');
    json_pair(w, TEXT("authority"), a.file.authority);
    json_pair(w, TEXT("ground"), a.file.ground);
    json_pair(w, TEXT("reference"), a.file.reference.n ? a.file.reference : (text){ NULL, 0 });
    json_pair(w, TEXT("categories"), a.file.categories);
    json_pair(w, TEXT("categories_said"), authority_categories(c, a.file.categories));
    json_pair(w, TEXT("from"), a.file.from.n ? a.file.from : (text){ NULL, 0 });
    json_pair(w, TEXT("until"), a.file.until.n ? a.file.until : (text){ NULL, 0 });
    json_pair(w, TEXT("handed"), time_print(c->arena, handed));
    json_pair(w, TEXT("told"), time_print(c->arena, told));
    json_pair(w, TEXT("secrecy"), a.file.secrecy.n ? a.file.secrecy : (text){ NULL, 0 });
    json_pair(w, TEXT("secret_until"), a.file.secrecy.n ? time_print(c->arena, a.secret) : (text){ NULL, 0 });
    json_close(w, '}');
    return arena_whole(c->arena);
}

struct own {
    struct subject_id id;
    msec handed, told;
    struct own *next;
};

static enum err list_own(struct ctx *c, const struct person *p, struct own **out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_AUTHORITY_TOLD, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    for (*out = NULL; query_next(&q); out = &(*out)->next) {
        struct own *one = NEW(c->arena, struct own);
        TRY_PTR(one);
        one->handed = query_get(&q, AUTHORITY_TOLD, handed);
        one->told = query_get(&q, AUTHORITY_TOLD, told);
        if (!take_id(&one->id, query_get(&q, AUTHORITY_TOLD, request)))
            return say(c->arena, ERR_INTEGRITY, "an authority's request has an id that is none");
        *out = one;
    }
    return q.status;
}

enum err authority_put_own(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct own *all;
    TRY(list_own(c, p, &all));
    json_open(w, '[');
    for (const struct own *one = all; one; one = one->next)
        TRY(put_one(c, one->id, one->handed, one->told, w));
    json_close(w, ']');
    return OK;
}
