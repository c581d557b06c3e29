/* Folders: the ledger of grants and revocations, and the question whether a person may enter. */
#include "domain/person/look_at.h"
#include "base/unicode.h"
#include "domain/person/record.h"
#include "domain/person/person.h"
#include "domain/core/budget.h"
#include "domain/folder/folder.h"
#include "domain/core/feature.h"
#include "domain/core/named.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/person/keeping.h"
#include "policy/due.h"
#include "domain/core/actor.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include <stdlib.h>

enum { NAME_MAX_CHARACTERS = 200, WHY_MAX = 500, BY_MAX = 200, DATE_TEXT = 10 };

/* One grant or revocation made ready for a commit, checked and sealed. */
struct folder_put {
    struct ctx *c;
    struct subject_id subject;
    text kind, act, category;
    struct digest name;
    sealed details;
    msec starts, until, due;
};

/* ---- The policy's kinds of folders. ---- */

/* Category: -1 without one. */
struct kind {
    const struct node *node;
    text name, purpose;
    int category;
    struct bits set;
};

static struct kind kind_at(const struct policy *p, const struct node *n)
{
    struct kind k = { .node = n,
                      .name = n->key,
                      .purpose = node_text(n, TEXT("purpose")),
                      .category = policy_stream(p, TEXT("folders")) };
    if (k.category >= 0)
        bits_add(&k.set, (unsigned)k.category);
    return k;
}

static enum err kind_of(struct ctx *c, text name, struct kind *out)
{
    const struct node *kinds = node_get(c->policy->root, TEXT("folders"));
    if (!name.n)
        return say(c->arena, ERR_MISSING, "\"folder\" names a kind of folder of the policy");
    const struct node *n = node_get(kinds, name);
    if (n) {
        *out = kind_at(c->policy, n);
        return OK;
    }
    text near = { NULL, 0 };
    NODE_EACH(k, kinds)
        if (!near.p && text_distance(k->key, name, 2) <= 2)
            near = k->key;
    const struct clause *clause = kinds ? policy_clause(c->policy, kinds->path) : &c->policy->purposes_clause;
    return say_clause(c->arena, ERR_UNDECLARED, clause, "the policy has no kind of folder \"%.*s\"%s%.*s%s",
                      T(value_shown(name)), near.n ? "; did you mean \"" : "", T(near),
                      near.n ? "\"?" : "");
}

static const struct clause *clause_of(const struct ctx *c, const struct kind *k)
{
    return policy_clause(c->policy, k->node->path);
}

/* Who may open an account that needs folders (accounts.opened_by, accounts.needs) names them at its opening; afterwards
 * those who grant do. */
static bool comes_with_account(const struct ctx *c)
{
    bool needed = node_has(node_at(c->policy->root, TEXT("accounts.needs")), TEXT("folders"));
    return c->actor.kind == ACTOR_OPERATOR || (c->actor.kind == ACTOR_MANAGER && needed);
}

/* Who the policy lets grant, and then whether for that purpose. */
static enum err may_grant(struct ctx *c, const struct person *p, const struct kind *k)
{
    if (!p && comes_with_account(c))
        return OK;
    const struct node *by = node_get(k->node, TEXT("granted_by"));
    if (by && !node_has(by, c->actor.name)) {
        say_clause(c->arena, ERR_FORBIDDEN, policy_clause(c->policy, by->path),
                   "access to folders of kind \"%.*s\" is not given by \"%.*s\"", T(k->name), T(c->actor.name));
        return write_refusal(c, p, k->purpose, event_categories(c, &k->set));
    }
    return person_allow(c, p, k->purpose, k->category >= 0 ? &k->set : NULL, ACT_WRITE);
}

static struct digest digest_of(const struct ctx *c, const struct kind *k, text name)
{
    struct digest d;
    text field = arena_print(c->arena, "folder.%.*s", T(k->name));
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, field, unicode_trim(unicode_nfc(c->arena, name)), &d);
    return d;
}

/* ---- What was sent. ---- */

/* Which member of the body a fault is about, for forms and programs. */
static enum err about(struct ctx *c, text member, enum err status)
{
    text_cstr(member, c->arena->why.field, sizeof c->arena->why.field);
    return status;
}

/* The members of a grant as fields, so that they are checked as every value is. */
static enum err take_members(struct ctx *c, const struct kind *k, bool grant, const struct json **in)
{
    static const struct field members[] = {
        { .name = TEXT_INIT("folder"), .type = FIELD_TEXT, .required = true },
        { .name = TEXT_INIT("name"),
          .type = FIELD_TEXT,
          .required = true,
          .has_min = true,
          .min = 1,
          .has_max = true,
          .max = NAME_MAX_CHARACTERS },
        { .name = TEXT_INIT("why"),
          .type = FIELD_TEXT,
          .required = true,
          .has_min = true,
          .min = 1,
          .has_max = true,
          .max = WHY_MAX },
        { .name = TEXT_INIT("by"), .type = FIELD_TEXT, .has_max = true, .max = BY_MAX },
        { .name = TEXT_INIT("from"), .type = FIELD_TIME },
        { .name = TEXT_INIT("until"), .type = FIELD_TIME },
    };
    /* In the arena, since a refusal names their clause to its end. */
    struct field *fields = NEW_ARRAY(c->arena, struct field, sizeof members / sizeof *members);
    struct category *form = NEW(c->arena, struct category);
    if (!fields || !form)
        return ERR_MEMORY;
    const struct clause *clause = clause_of(c, k);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        fields[i] = members[i];
        fields[i].clause = *clause;
    }
    *form = (struct category){
        .name = TEXT("folders"), .fields = fields, .field_count = grant ? 6 : 4, .clause = *clause
    };
    enum err status = value_take_category(c, form, in, NULL);
    text member = arena_copy(c->arena, text_of(c->arena->why.field));
    text_cut(&member, '.');
    if (status != OK)
        return about(c, member, status);
    const struct category *cat = k->category >= 0 ? &c->policy->categories[k->category] : NULL;
    int own = cat ? policy_field(cat, TEXT("folder")) : -1;
    const struct json *name = json_get(*in, TEXT("name"));
    status = own >= 0 ? value_take(c, cat, &cat->fields[own], &name) : OK;
    return status == OK ? OK : about(c, TEXT("name"), status);
}

/* The first moment of `from`, the one after the last of `until`. */
static enum err times_of(struct ctx *c, const struct kind *k, const struct json *in, struct folder_put *f)
{
    text from = json_text(in, TEXT("from")), until = json_text(in, TEXT("until"));
    if (from.n)
        value_moment(c, from, false, &f->starts);
    if (until.n)
        value_moment(c, until, true, &f->until);
    if (until.n && (f->until <= c->now || f->until <= f->starts))
        return about(c, TEXT("until"),
                     say_clause(c->arena, ERR_VALUE, clause_of(c, k), "\"until\" is a time to come, after \"from\""));
    return OK;
}

static enum err seal_details(struct ctx *c, const struct person *p, const struct json *in, struct folder_put *f)
{
    static const text members[] = { TEXT_INIT("name"), TEXT_INIT("why"), TEXT_INIT("by") };
    struct place place = { .tenant = c->tenant,
                           .subject = p->id,
                           .table = TEXT("folder_grant"),
                           .field = f->kind,
                           .version = (uint64_t)c->now };
    KEY_AUTO key;
    BUF_AUTO b = buf_make(1 << 14);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (json_text(in, members[i]).n)
            json_pair(&w, members[i], text_trim(json_text(in, members[i])));
    json_close(&w, '}');
    text details;
    TRY(buf_lend(c->arena, &b, &details));
    key_derive(&p->key, TEXT("folder_grant"), &key);
    return seal(c->arena, &key, &place, details, &f->details);
}

/* A grant that is still open has no event yet from which a term could run. */
static enum err due_of(struct ctx *c, const struct person *p, bool held, struct folder_put *f)
{
    int index = policy_category(c->policy, f->category);
    const struct retention *r = index >= 0 ? c->policy->categories[index].retention : NULL;
    bool revoked = text_eq(f->act, TEXT("revoked"));
    struct starts s = { .last_use = p->last_use };
    if (r && held)
        TRY(retention_starts(c, p, &s));
    s.collection = c->now;
    s.event = revoked ? c->now : f->until;
    if (r && (s.event || (r->from != FROM_EVENT && r->from != FROM_YEAR_END)))
        f->due = retention_due(r, &s, false);
    return OK;
}

static enum err make(struct ctx *c, const struct person *p, bool held, bool grant, const struct json *in,
                     struct kind *k, struct folder_put *out)
{
    const struct person *known = held ? p : NULL;
    TRY(write_refused(c, known, kind_of(c, json_text(in, TEXT("folder")), k)));
    TRY(may_grant(c, known, k));
    TRY(write_refused(c, known, take_members(c, k, grant, &in)));
    *out = (struct folder_put){ .c = c,
                                .subject = p->id,
                                .kind = k->name,
                                .act = grant ? TEXT("granted") : TEXT("revoked"),
                                .category = k->category >= 0 ? c->policy->categories[k->category].name
                                                             : TEXT("folders"),
                                .name = digest_of(c, k, json_text(in, TEXT("name"))) };
    if (grant)
        TRY(times_of(c, k, in, out));
    TRY(due_of(c, p, held, out));
    return seal_details(c, p, in, out);
}


/* ---- The commit. ---- */

/* Taking an access back always has room. */
static enum err room_for(struct db *db, const struct folder_put *f)
{
    if (!text_eq(f->act, TEXT("granted")))
        return OK;
    QUERY_AUTO q;
    query_start(&q, db, SQL_FOLDER_COUNT, ARGS(V_TEXT(f->c->tenant), V_ID(f->subject)));
    int64_t held = query_next(&q) ? query_get(&q, FOLDER_COUNT, count) : 0;
    TRY(q.status);
    return budget_check(db_arena(db), f->c->language, BUDGET_grants_held, held, 1);
}

static enum err run_put(struct db *db, const struct folder_put *f)
{
    TRY(room_for(db, f));
    return db_run(db, SQL_FOLDER_ADD, NULL,
                  ARGS(V_TEXT(f->c->tenant), V_ID(f->subject), V_TEXT(f->kind), V_BYTES(TEXT_BYTES(f->name)),
                       V_TEXT(f->category), V_TEXT(f->act), V_TEXT(f->c->actor.name),
                       f->c->actor.has_self ? V_BYTES(TEXT_BYTES(f->c->actor.by)) : V_NULL, V_SEALED(f->details),
                       f->starts ? V_INT(f->starts) : V_NULL,
                       f->until ? V_INT(f->until) : V_NULL, V_INT(f->c->now),
                       f->due ? V_INT(f->due) : V_NULL));
}

static enum err run_grant(struct db *db, struct write *w)
{
    const struct folder_put *f = w->arg;
    TRY(write_person_there(db, f->c->tenant, f->subject));
    return run_put(db, f);
}

static enum err run_revoke(struct db *db, struct write *w)
{
    const struct folder_put *f = w->arg;
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_FOLDER_LAST,
                    ARGS(V_TEXT(f->c->tenant), V_ID(f->subject), V_TEXT(f->kind), V_BYTES(TEXT_BYTES(f->name))));
        bool open = query_next(&q) && text_eq(query_get(&q, FOLDER_LAST, act), TEXT("granted"));
        TRY(q.status);
        if (!open)
            return say(db_arena(db), ERR_NOT_FOUND, "the person has no access to a folder of that kind and name");
    }
    return run_put(db, f);
}

static enum err write_one(struct ctx *c, const struct person *p, const struct kind *k, struct folder_put *f, bool grant,
                          const struct answer *out)
{
    struct write w = { .run = grant ? run_grant : run_revoke,
                       .arg = f,
                       .urgent = !grant,
                       .event = event_of(c, p, grant ? TEXT("folder.granted") : TEXT("folder.revoked")) };
    w.event.purpose = k->purpose;
    w.event.categories = event_categories(c, &k->set);
    w.event.clause = k->node->path;
    w.event.count = 1;
    return write_do(c, &w, out);
}

static void put_time(struct json_out *w, text name, msec at)
{
    char shown[TIME_TEXT + 1];
    json_pair(w, name, at ? time_text(at, shown) : (text){ NULL, 0 });
}

enum err folder_grant(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct kind k;
    struct folder_put f;
    TRY(person_open(c, id, false, &p));
    TRY(make(c, &p, true, true, in, &k, &f));
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    json_open(&w, '{'); /* kept for a repeated request, so without the folder's name */
    json_pair(&w, TEXT("folder"), k.name);
    put_time(&w, TEXT("at"), c->now);
    put_time(&w, TEXT("from"), f.starts);
    put_time(&w, TEXT("until"), f.until);
    json_close(&w, '}');
    TRY(buf_take(c->arena, &b, &out->body));
    return write_one(c, &p, &k, &f, true, out);
}

enum err folder_revoke(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct kind k;
    struct folder_put f;
    TRY(person_open(c, id, true, &p)); /* a closed account's too: nothing should come back with it */
    TRY(make(c, &p, true, false, in, &k, &f));
    return write_one(c, &p, &k, &f, false, out);
}

/* ---- The ledger of one person. ---- */

struct row {
    int64_t seq;
    text kind, category, act, actor, name, why, by;
    struct digest folder;
    msec starts, until, at;
    sealed details;
    bool unreadable;
};
struct ledger {
    struct row *rows;
    unsigned count, room;
};

static struct row *add_row(struct ctx *c, struct ledger *l)
{
    if (l->count == l->room) {
        struct row *old = l->rows;
        l->rows = NEW_ARRAY(c->arena, struct row, l->room = l->room ? l->room * 2 : 16);
        if (!l->rows)
            return NULL;
        if (old)
            memcpy(l->rows, old, l->count * sizeof *old);
    }
    return &l->rows[l->count++];
}

static enum err load_rows(struct ctx *c, const struct person *p, struct ledger *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_FOLDER_LIST, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    while (query_next(&q)) {
        struct row *r = add_row(c, out);
        TRY_PTR(r);
        text digest = query_get(&q, FOLDER_LIST, name);
        if (digest.n != sizeof r->folder)
            return say(c->arena, ERR_INTEGRITY, "a grant has a digest of %zu bytes", digest.n);
        *r = (struct row){ .seq = query_get(&q, FOLDER_LIST, seq),
                           .kind = arena_copy(c->arena, query_get(&q, FOLDER_LIST, kind)),
                           .category = arena_copy(c->arena, query_get(&q, FOLDER_LIST, category)),
                           .act = arena_copy(c->arena, query_get(&q, FOLDER_LIST, act)),
                           .actor = arena_copy(c->arena, query_get(&q, FOLDER_LIST, actor)),
                           .details = { arena_copy(c->arena, query_get(&q, FOLDER_LIST, details).bytes) },
                           .starts = query_get(&q, FOLDER_LIST, starts),
                           .until = query_get(&q, FOLDER_LIST, until),
                           .at = query_get(&q, FOLDER_LIST, at) };
        memcpy(&r->folder, digest.p, sizeof r->folder);
    }
    return q.status;
}

static enum err open_rows(struct ctx *c, const struct person *p, struct ledger *l)
{
    KEY_AUTO key;
    key_derive(&p->key, TEXT("folder_grant"), &key);
    for (unsigned i = 0; i < l->count; i++) {
        struct row *r = &l->rows[i];
        struct place place = { .tenant = c->tenant,
                               .subject = p->id,
                               .table = TEXT("folder_grant"),
                               .field = r->kind,
                               .version = (uint64_t)r->at };
        const struct json *details = NULL;
        text clear;
        enum err e = seal_open(c->arena, &key, &place, r->details, &clear);
        if (e == OK)
            e = json_parse(c->arena, clear, &details);
        r->unreadable = record_unreadable(
            e); /* that there is a grant, and whether it holds, stands beside it in clear */
        if (!r->unreadable)
            TRY(e);
        r->name = json_text(details, TEXT("name"));
        r->why = json_text(details, TEXT("why"));
        r->by = json_text(details, TEXT("by"));
    }
    return OK;
}

static int by_folder(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = text_cmp(x->kind, y->kind);
    if (!order)
        order = text_cmp(x->name, y->name);
    return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

static bool same_folder(const struct row *a, const struct row *b)
{
    return text_eq(a->kind, b->kind) && memcmp(&a->folder, &b->folder, sizeof a->folder) == 0;
}

/* As SQL_FOLDER_ALLOWS decides it: some grant since the last revocation holds now. */
static bool allows(const struct row *rows, unsigned count, msec now, msec *until)
{
    bool allowed = false;
    *until = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        if (text_eq(r->act, TEXT("revoked"))) {
            allowed = false;
            *until = 0;
        } else if ((!r->starts || r->starts <= now) && (!r->until || r->until > now)) {
            *until = !r->until || (allowed && !*until) ? 0
                   : r->until > *until ? r->until : *until;
            allowed = true;
        }
    }
    return allowed;
}

static void put_history(struct json_out *w, const struct row *rows, unsigned count)
{
    json_name(w, TEXT("history"));
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        json_open(w, '{');
        json_pair_int(w, TEXT("grant"), r->seq);
        json_pair(w, TEXT("act"), r->act);
        put_time(w, TEXT("at"), r->at);
        put_time(w, TEXT("from"), r->starts);
        put_time(w, TEXT("until"), r->until);
        json_pair(w, TEXT("actor"), r->actor);
        json_pair(w, TEXT("by"), r->by.n ? r->by : (text){ NULL, 0 });
        json_pair(w, TEXT("why"), r->why);
        if (r->unreadable)
            json_pair_bool(w, TEXT("unreadable"), true);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_folder(struct ctx *c, struct json_out *w, const struct row *rows, unsigned count)
{
    msec until;
    bool allowed = allows(rows, count, c->now, &until);
    const struct node *title = node_get(node_get(node_get(c->policy->root, TEXT("folders")), rows->kind),
                                        TEXT("title"));
    json_open(w, '{');
    json_pair(w, TEXT("folder"), rows->kind);
    json_pair(w, TEXT("title"), title ? node_said(title, c->language) : rows->kind);
    json_pair(w, TEXT("category"), rows->category);
    json_pair(w, TEXT("name"), rows->name);
    json_pair_bool(w, TEXT("allowed"), allowed);
    put_time(w, TEXT("until"), until);
    put_history(w, rows, count);
    json_close(w, '}');
}

/* ---- As records of their category. ---- */

static bool is_open(const struct ledger *l, unsigned i, msec now)
{
    const struct row *r = &l->rows[i];
    bool open = text_eq(r->act, TEXT("granted")) && (!r->until || r->until > now);
    for (unsigned k = i + 1; open && k < l->count && same_folder(r, &l->rows[k]); k++)
        open = !text_eq(l->rows[k].act, TEXT("revoked"));
    return open;
}

/* A day or a moment, as the policy types the field; of an end the last day that counts. */
static void put_when(const struct ctx *c, struct json_out *w, const struct field *f, msec at, bool end)
{
    char shown[TIME_TEXT + 1];
    bool day = f->type == FIELD_DATE;
    json_pair(w, f->name, day ? date_print(c->arena, value_day(c, end ? at - 1 : at))
                : time_text(at, shown));
}

/* What the policy declares that is held of a grant, under the names it may have there. */
static void put_record(const struct ctx *c, struct json_out *w, const struct category *cat, const struct row *r)
{
    char at[TIME_TEXT + 1];
    json_open(w, '{');
    json_pair_int(w, TEXT("item"), r->seq);
    json_pair(w, TEXT("at"), time_text(r->at, at));
    json_name(w, TEXT("fields"));
    json_open(w, '{');
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct field *f = &cat->fields[i];
        if (text_eq(f->name, TEXT("folder")))
            json_pair(w, f->name, r->name);
        else if (text_eq(f->name, TEXT("granted_by")))
            json_pair(w, f->name, r->by.n ? r->by : r->actor);
        else if (text_eq(f->name, TEXT("why")))
            json_pair(w, f->name, r->why);
        else if (text_eq(f->name, TEXT("from")))
            put_when(c, w, f, r->starts ? r->starts : r->at, false);
        else if (text_eq(f->name, TEXT("until")) && r->until)
            put_when(c, w, f, r->until, true);
    }
    json_close(w, '}');
    json_close(w, '}');
}

static enum err put_records(struct ctx *c, const struct person *p, const struct category *cat, struct json_out *w,
                            int64_t *count, unsigned *unreadable)
{
    struct ledger l = { 0 };
    TRY(load_rows(c, p, &l));
    TRY(open_rows(c, p, &l));
    for (unsigned i = 0; i < l.count; i++)
        if (text_eq(l.rows[i].category, cat->name) && is_open(&l, i, c->now)) {
            *unreadable += l.rows[i].unreadable;
            if (l.rows[i].unreadable)
                continue;
            put_record(c, w, cat, &l.rows[i]);
            ++*count;
        }
    return OK;
}

/* Who answers people sees it all; others the kinds for whose purpose they may read. */
struct reach {
    bool all;
    struct ask ask;
    struct bits consents;
};

static enum err reach_of(struct ctx *c, const struct person *p, struct reach *out)
{
    *out = (struct reach){ .ask = actor_ask(c, PURPOSE_RIGHTS, -1, ACT_EXPORT) };
    out->all = policy_decide(c->policy, &out->ask).verdict == ALLOWED;
    TRY(person_consents(c, p, &out->consents));
    out->ask.act = ACT_READ;
    out->ask.restricted = p->restricted;
    return OK;
}

static bool may_read(const struct ctx *c, struct reach *r, const struct kind *k)
{
    r->ask.purpose = policy_purpose(c->policy, k->purpose);
    r->ask.category = k->category;
    r->ask.consents = &r->consents;
    return r->all || policy_decide(c->policy, &r->ask).verdict == ALLOWED;
}

static bool shows(const struct ctx *c, struct reach *r, text kind)
{
    const struct node *n = node_get(node_get(c->policy->root, TEXT("folders")), kind);
    if (!n) /* the policy no longer has the kind */
        return r->all;
    const struct kind k = kind_at(c->policy, n);
    return may_read(c, r, &k);
}

static enum err put_list(struct ctx *c, const struct person *p, struct reach *reach, struct json_out *w)
{
    struct ledger l = { 0 };
    TRY(load_rows(c, p, &l));
    TRY(open_rows(c, p, &l));
    if (l.count)
        qsort(l.rows, l.count, sizeof *l.rows, by_folder);
    json_open(w, '[');
    for (unsigned i = 0, n; i < l.count; i += n) {
        for (n = 1; i + n < l.count && same_folder(&l.rows[i], &l.rows[i + n]);)
            n++;
        if (shows(c, reach, l.rows[i].kind))
            put_folder(c, w, &l.rows[i], n);
    }
    json_close(w, ']');
    return OK;
}

static enum err put_all(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct reach all = { .all = true };
    return put_list(c, p, &all, w);
}

/* The purpose that the look stands for in the journal: the right, or that of a kind that the caller may read. */
static enum err reason_of(struct ctx *c, const struct person *p, struct reach *reach, text *purpose)
{
    struct kind k = { 0 };
    *purpose = TEXT("folders");
    if (reach->all)
        return OK;
    NODE_EACH(n, node_get(c->policy->root, TEXT("folders"))) {
        k = kind_at(c->policy, n);
        *purpose = k.purpose;
        if (may_read(c, reach, &k))
            return OK;
    }
    return k.node ? person_allow(c, p, k.purpose, k.category >= 0 ? &k.set : NULL, ACT_READ)
                  : person_allow_act(c, p, ACT_EXPORT);
}

static enum err may_see_folders(struct ctx *c, struct look *l)
{
    struct reach *reach = l->arg;
    TRY(reach_of(c, &l->p, reach));
    return reason_of(c, &l->p, reach, &l->event.purpose);
}

static enum err show_folders(struct ctx *c, struct look *l, struct json_out *w)
{
    json_name(w, TEXT("folders"));
    return put_list(c, &l->p, l->arg, w);
}

enum err folder_list(struct ctx *c, text id, struct answer *out)
{
    struct reach reach;
    struct look l = {
        .act = TEXT("read"), .closed_too = true, .may = may_see_folders, .show = show_folders, .arg = &reach
    };
    return look_at_person(c, id, &l, out);
}

/* ---- May they enter? ---- */

struct pass {
    bool allowed;
    int64_t grant;
    msec until;
};

static enum err find_pass(struct ctx *c, const struct person *p, const struct kind *k, text name, struct pass *out)
{
    struct digest d = digest_of(c, k, name);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_FOLDER_ALLOWS,
                ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(k->name), V_BYTES(TEXT_BYTES(d)), V_INT(c->now)));
    *out = (struct pass){ .allowed = query_next(&q) };
    if (out->allowed) {
        out->grant = query_get(&q, FOLDER_ALLOWS, seq);
        out->until = query_get(&q, FOLDER_ALLOWS, until);
    }
    return q.status;
}

/* A refusal is on record before it is answered, under the clause of the kind; what is allowed is counted. */
static enum err settle(struct ctx *c, const struct person *p, const struct kind *k, const struct pass *pass)
{
    atomic_fetch_add_explicit(&c->app->folder_checks[pass->allowed], 1, memory_order_relaxed);
    if (pass->allowed)
        return OK;
    say_clause(c->arena, ERR_FORBIDDEN, clause_of(c, k), "no grant of that folder holds now");
    enum err status = write_refusal(c, p, k->purpose, event_categories(c, &k->set));
    return status == ERR_FORBIDDEN ? OK : status;
}

static enum err put_pass(struct ctx *c, const struct kind *k, const struct pass *pass, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair_bool(&w, TEXT("allowed"), pass->allowed);
    if (pass->allowed) {
        put_time(&w, TEXT("until"), pass->until);
        json_pair_int(&w, TEXT("grant"), pass->grant);
    } else {
        json_name(&w, TEXT("clause"));
        clause_json(&w, clause_of(c, k));
    }
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* Of oneself nobody needs a purpose; of others one that uses what these rights are. */
static enum err ask(struct ctx *c, const struct person *p, text folder, text name, text purpose, bool own,
                    struct kind *k, struct pass *out)
{
    TRY(write_refused(c, p, kind_of(c, folder, k)));
    if (!name.n)
        return say(c->arena, ERR_MISSING, "\"name\" says which folder of its kind");
    if (own)
        TRY(person_allow_act(c, p, ACT_READ));
    else
        TRY(person_allow(c, p, purpose.n ? purpose : k->purpose,
                         k->category >= 0 ? &k->set : NULL, ACT_READ));
    TRY(find_pass(c, p, k, name, out));
    return settle(c, p, k, out);
}

enum err folder_authorize(struct ctx *c, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct kind k;
    struct pass pass;
    text id = json_text(in, TEXT("subject"));
    bool own = !id.n && c->actor.has_self;
    if (!id.n && !own)
        return say(c->arena, ERR_MISSING, "\"subject\" says who would enter");
    if (own)
        session_as_person(c);
    TRY(person_open(c, own ? session_self(c) : id, false, &p));
    TRY(ask(c, &p, json_text(in, TEXT("folder")), json_text(in, TEXT("name")), json_text(in, TEXT("purpose")), own, &k,
            &pass));
    return put_pass(c, &k, &pass, out);
}

enum err folder_enter(struct ctx *c, text folder, text name)
{
    PERSON_AUTO p = { 0 };
    struct kind k;
    struct pass pass;
    TRY(person_open(c, session_self(c), false, &p));
    TRY(ask(c, &p, folder, name, TEXT(""), true, &k, &pass));
    return pass.allowed ? OK
                        : say_clause(c->arena, ERR_FORBIDDEN, clause_of(c, &k), "no grant of that folder holds now");
}

/* ---- What the rest of the house has of it. ---- */

/* With a new account: the person is in no store yet. */
struct opened {
    struct folder_put *grants;
    unsigned count;
};

static enum err open_make(struct ctx *c, const struct person *p, const struct json *in, void **made)
{
    enum { MOST = 50 };
    struct opened *o = NEW(c->arena, struct opened);
    TRY_PTR(o);
    *made = o;
    if (in->count > MOST)
        return say(c->arena, ERR_TOO_LARGE, "an account is opened with at most %d folders", MOST);
    o->grants = NEW_ARRAY(c->arena, struct folder_put, MOST);
    TRY_PTR(o->grants);
    JSON_EACH(item, in) {
        struct kind k;
        TRY(make(c, p, false, true, item, &k, &o->grants[o->count++]));
    }
    return OK;
}

static enum err open_run(struct db *db, const void *made)
{
    const struct opened *o = made;
    for (unsigned i = 0; i < o->count; i++)
        TRY(run_put(db, &o->grants[i]));
    return OK;
}

/* Columns of LOOK_FOLDERS: tenant, subject, kind, name, seq, category, at, when it was over, length of the seal, its
 * first byte, the seal. What is open has no event yet from which a term could run. */
static void walk_row(struct arena *a, const struct policy *p, struct query *q, struct held_row *out)
{
    text kind = arena_copy(a, query_get(q, LOOK_FOLDERS, kind)),
         category = arena_copy(a, query_get(q, LOOK_FOLDERS, category));
    bool of_policy = policy_stream(p, TEXT("folders")) >= 0 || !text_eq(category, TEXT("folders"));
    msec at = query_get(q, LOOK_FOLDERS, at);
    *out = (struct held_row){
        .kind = TEXT("folder"),
        .category = kind,
        .declared = of_policy ? category : TEXT(""),
        .item = arena_print(a, "%lld", (long long)query_get(q, LOOK_FOLDERS, seq)),
        .derive = TEXT("folder_grant"),
        .place = { .table = TEXT("folder_grant"), .field = kind, .version = (uint64_t)at },
        .sealed = query_get(q, LOOK_FOLDERS, details),
        .length = query_get(q, LOOK_FOLDERS, length),
        .form = arena_copy(a, query_get(q, LOOK_FOLDERS, form)),
        .at = at,
        .event = query_get(q, LOOK_FOLDERS, ended),
        .begun = !query_null(q, LOOK_FOLDERS, ended),
    };
}

static const struct feature_walk walks[] = { { SQL_LOOK_FOLDERS, "tbtbi", walk_row } };
const struct feature folder_feature = {
    .name = TEXT_INIT("folder"),
    .stream = TEXT_INIT("folders"),
    .put_records = put_records,
    .member = TEXT_INIT("folders"),
    .put = put_all,
    .right = TEXT_INIT("folders"),
    .opens = TEXT_INIT("folders"),
    .open_make = open_make,
    .open_run = open_run,
    .walks = walks,
    .walk_count = sizeof walks / sizeof *walks,
};
