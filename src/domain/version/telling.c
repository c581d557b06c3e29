/* Telling people of a new version: a walk over all of them with a mark of how far it went, which moves in the commit of
 * the letters. */
#include "domain/version/telling.h"
#include "domain/person/person.h"
#include "publish/diff.h"
#include "domain/core/instance.h"
#include "domain/mail/mail.h"
#include "domain/version/find.h"
#include "domain/version/merger.h"
#include "domain/core/write.h"

enum { STEP_PEOPLE = 100, WAITING_MAX = 1000, STEP_MEMORY = 64 << 20, SHOWN_MAX = 30, LANGUAGES = 2 };
static const text languages[LANGUAGES] = { TEXT_INIT("fr"), TEXT_INIT("en") };

static const struct subject_id first;

enum err telling_run_recall(struct db *db, text hash)
{
    TRY(db_run(db, SQL_RECALL_ADD, NULL, ARGS(V_TEXT(hash), V_ID(first))));
    return db_run(db, SQL_TELLING_STOP, NULL, ARGS(V_TEXT(hash)));
}

/* Of a new version, or with `recall` that one is withdrawn: then up to the person that `until` tells, the last who
 * heard of it. */
struct telling {
    text hash, older, tenant, until_tenant;
    struct subject_id after, until;
    msec at;
    bool recall;
};
struct telling_person {
    text tenant;
    struct subject_id id;
};
/* Version: of the person, as it was when the letter was made. */
struct telling_letter {
    struct mail_put put;
    int64_t version;
};
struct telling_step {
    struct telling *telling;
    struct telling_person people[STEP_PEOPLE];
    unsigned person_count;
    struct telling_letter letters[STEP_PEOPLE];
    unsigned letter_count;
    text purpose, version, date, taker, changes[LANGUAGES], links[LANGUAGES]; /* taker: a new controller, or p NULL */
    msec now;
};

/* ---- What there is to do. ---- */

static enum err read_id(struct arena *a, text bytes, struct subject_id *out)
{
    if (bytes.n != sizeof *out)
        return say(a, ERR_INTEGRITY, "an id has %zu bytes", bytes.n);
    memcpy(out, bytes.p, sizeof *out);
    return OK;
}

static enum err find_recall(struct ctx *c, struct db *db, struct telling *out, bool *there)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_RECALL_NEXT, ARGS(V_INT(WAITING_MAX)));
    if (query_next(&q)) {
        out->recall = true;
        out->older = arena_copy(c->arena, query_get(&q, RECALL_NEXT, hash));
        out->hash = out->older;
        out->at = query_get(&q, RECALL_NEXT, at);
        out->tenant = arena_copy(c->arena, query_get(&q, RECALL_NEXT, after_tenant));
        out->until_tenant = arena_copy(c->arena, query_get(&q, RECALL_NEXT, until_tenant));
        TRY(read_id(c->arena, query_get(&q, RECALL_NEXT, after_id), &out->after));
        TRY(read_id(c->arena, query_get(&q, RECALL_NEXT, until_id), &out->until));
        *there = true;
    }
    return q.status;
}

/* The oldest that is not done; *there is false without one, and while enough letters wait. */
static enum err find_telling(struct ctx *c, struct telling *out, bool *there)
{
    READ_AUTO db = NULL;
    *there = false;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TELLING_NEXT, ARGS(V_INT(WAITING_MAX)));
    if (query_next(&q)) {
        out->hash = arena_copy(c->arena, query_get(&q, TELLING_NEXT, hash));
        out->older = arena_copy(c->arena, query_get(&q, TELLING_NEXT, older));
        out->at = query_get(&q, TELLING_NEXT, at);
        out->tenant = arena_copy(c->arena, query_get(&q, TELLING_NEXT, after_tenant));
        TRY(read_id(c->arena, query_get(&q, TELLING_NEXT, after_id), &out->after));
        *there = true;
    }
    TRY(q.status);
    return *there ? OK : find_recall(c, db, out, there);
}

static bool within(const struct telling *t, text tenant, struct subject_id id)
{
    int order = text_cmp(tenant, t->until_tenant);
    return !t->recall || order < 0 || (!order && memcmp(&id, &t->until, sizeof id) <= 0);
}

static enum err list_people(struct ctx *c, struct telling_step *s)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBJECT_WALK,
                ARGS(V_TEXT(s->telling->tenant), V_ID(s->telling->after), V_INT(STEP_PEOPLE)));
    while (s->person_count < STEP_PEOPLE && query_next(&q)) {
        struct telling_person *p = &s->people[s->person_count];
        TRY_PTR((p->tenant = arena_copy(c->arena, query_get(&q, SUBJECT_WALK, tenant))).p);
        TRY(read_id(c->arena, query_get(&q, SUBJECT_WALK, id), &p->id));
        if (!within(s->telling, p->tenant, p->id))
            break;
        s->person_count++;
    }
    return q.status;
}

/* ---- The letters. ---- */

static enum err put_changes(struct ctx *c, const struct version *older, const struct version *newer, text language,
                            text *out)
{
    static const struct diff none;
    struct diff diff = none;
    unsigned shown = 0;
    BUF_AUTO b = buf_make(256 << 10);
    TRY(diff_make(c->arena, older->root, newer->root, language, &diff));
    for (const struct diff_item *item = diff.first; item && shown < SHOWN_MAX; item = item->next)
        if (item->material)
            buf_print(&b, "%s- %.*s", shown++ ? "\n" : "", T(item->says));
    if (diff.material > shown)
        buf_print(&b, text_eq(language, TEXT("fr")) ? "\n- et %u autres" : "\n- and %u others", diff.material - shown);
    return buf_take(c->arena, &b, out);
}

static text notices_purpose(const struct policy *p)
{
    for (unsigned i = 0; i < p->purpose_count; i++)
        if (p->purposes[i].notices)
            return p->purposes[i].name;
    return TEXT("");
}

static enum err prepare_words(struct ctx *c, struct telling_step *s)
{
    struct version older, newer;
    TRY(version_open(c, s->telling->older, &older));
    TRY(version_open(c, s->telling->hash, &newer));
    s->version = newer.version;
    s->date = newer.date;
    s->purpose = notices_purpose(c->policy);
    if (!s->telling->recall && node_at(older.root, TEXT("merger")))
        s->taker = merger_controller(older.root, newer.root);
    for (int i = 0; i < LANGUAGES; i++) {
        text path = s->telling->recall ? arena_print(c->arena, "/privacy?lang=%.*s", T(languages[i]))
                                       : arena_print(c->arena, "/privacy/versions/%.*s/diff/%.*s?lang=%.*s",
                                                     T(s->telling->older), T(s->telling->hash), T(languages[i]));
        s->links[i] = mail_link(c, path);
        TRY_PTR(s->links[i].p);
        TRY(put_changes(c, &older, &newer, languages[i], &s->changes[i]));
    }
    return OK;
}

/* A person who is there, was there when it was published, and has an address. */
static enum err make_letter(struct ctx *c, struct telling_step *s, const struct telling_person *who)
{
    PERSON_AUTO p = { 0 };
    text to, language;
    int category;
    enum err status = person_open(c, id_print(c->arena, who->id), false, &p);
    if (status == ERR_NOT_FOUND || (status == OK && p.created > s->telling->at))
        return OK;
    TRY(status);
    TRY(mail_address(c, &p, &to, &category));
    if (!to.n)
        return OK;
    TRY(mail_language(c, &p, &language));
    int i = text_eq(language, languages[0]) ? 0 : 1;
    const struct pair_text values[] = { { TEXT("version"), s->version },
                                        { TEXT("date"), s->date },
                                        { TEXT("link"), s->links[i] },
                                        { TEXT("changes"), s->changes[i] },
                                        { TEXT("who"), s->taker },
                                        { TEXT("leave"), mail_link(c, TEXT("/me/close")) },
                                        { TEXT("object"), mail_link(c, TEXT("/me/consents")) } };
    text letter = s->telling->recall ? TEXT("policy_withdrawn") : TEXT("policy_changed");
    unsigned count = s->telling->recall ? 3 : 4;
    if (s->taker.p) {
        letter = TEXT("controller_changes");
        count = sizeof values / sizeof *values;
    }
    struct mail_put *put = &s->letters[s->letter_count].put;
    s->letters[s->letter_count].version = p.version;
    status = mail_make(c, &p, to, letter, &(struct letter_values){ values, count }, put);
    if (status == ERR_VALUE) /* an address to which nothing can go */
        return OK;
    put->purpose = s->purpose;
    s->letter_count += status == OK;
    return status;
}

/* ---- The step. ---- */

/* Asked again inside the write: the version is still announced or in force, and nobody went on with its telling
 * meanwhile. */
static enum err still_told(struct db *db, const struct telling *t)
{
    QUERY_AUTO q;
    query_start(&q, db, t->recall ? SQL_RECALL_STILL : SQL_TELLING_STILL,
                ARGS(V_TEXT(t->hash), V_TEXT(t->tenant), V_ID(t->after)));
    if (query_next(&q))
        return OK;
    return q.status != OK ? q.status
                          : say(db_arena(db), ERR_CONFLICT, "the version was withdrawn, or told by another, meanwhile");
}

/* Whoever closed their account or was erased meanwhile is not told; with other data than those that were read, the step
 * begins anew. */
static enum err still_reached(struct db *db, const struct telling_letter *l, bool *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBJECT_GET, ARGS(V_TEXT(l->put.tenant), V_ID(l->put.subject)));
    *out = query_next(&q) && query_get(&q, SUBJECT_GET, state) == PERSON_ACTIVE;
    TRY(q.status);
    return !*out || query_get(&q, SUBJECT_GET, version) == l->version ? OK
                                                   : say(db_arena(db), ERR_CONFLICT, "the person changed meanwhile");
}

static enum err run_step(struct db *db, struct write *w)
{
    const struct telling_step *s = w->arg;
    const struct telling_person *last = s->person_count ? &s->people[s->person_count - 1] : NULL;
    unsigned told = 0;
    TRY(still_told(db, s->telling));
    for (unsigned i = 0; i < s->letter_count; i++) {
        bool reached;
        TRY(still_reached(db, &s->letters[i], &reached));
        if (reached)
            TRY(mail_run_put_quietly(db, &s->letters[i].put));
        told += reached;
    }
    w->event.count = told;
    return db_run(db, s->telling->recall ? SQL_RECALL_MOVE : SQL_TELLING_MOVE, NULL,
                  ARGS(V_TEXT(s->telling->hash), V_TEXT(last ? last->tenant : s->telling->tenant),
                       last ? V_ID(last->id) : V_ID(s->telling->after), V_INT(told),
                       last ? V_NULL : V_INT(s->now)));
}

static enum err step(struct ctx *c, struct telling *telling)
{
    struct telling_step *s = NEW(c->arena, struct telling_step);
    TRY_PTR(s);
    s->telling = telling;
    s->now = c->now;
    TRY(list_people(c, s));
    if (s->person_count)
        TRY(prepare_words(c, s));
    for (unsigned i = 0; i < s->person_count; i++) {
        struct ctx in = *c;
        in.tenant = s->people[i].tenant;
        TRY(make_letter(&in, s, &s->people[i]));
    }
    struct write w = { .run = run_step, .arg = s, .event = event_of(c, NULL, TEXT("policy.told")) };
    w.event.policy = telling->hash.p;
    w.event.clause = TEXT("changes.tell");
    w.event.count = s->letter_count;
    w.event.purpose = s->purpose;
    return store_write(ctx_store(c), c->arena, &w);
}

enum err telling_tick(struct ctx *c)
{
    ARENA_AUTO a = arena_make(STEP_MEMORY);
    struct ctx in = *c;
    struct telling telling = { 0 };
    bool there;
    in.arena = &a;
    in.decisions = NULL;
    enum err status = find_telling(&in, &telling, &there);
    if (status == OK && there)
        status = step(&in, &telling);
    if (status == ERR_CONFLICT) /* the next tick sees it as it is then */
        return OK;
    if (status != OK)
        c->arena->why = a.why;
    return status;
}
