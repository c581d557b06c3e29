/* A transfer to a new controller: its acceptance of the policy on record, and what a version with another controller
 * must meet. */
#include "domain/version/merger.h"
#include "base/file/card_file.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/person/person.h"
#include "domain/version/find.h"
#include "domain/version/publish.h"
#include "policy/lint/lint_help.h"

enum { TEXT_MOST = 500, DOCUMENT_MOST = 16 << 20 };
static const text table = TEXT_INIT("merger");

static text changed(const struct node *older, const struct node *newer)
{
    text was = node_text(older, TEXT("legal_name")), is = node_text(newer, TEXT("legal_name"));
    return text_eq(was, is) ? (text){ NULL, 0 } : is;
}

/* Of the policy, or of a tenant of it. */
text merger_controller(const struct node *older, const struct node *newer)
{
    const struct node *before = node_at(older, TEXT("tenants")), *after = node_at(newer, TEXT("tenants"));
    text out = changed(node_at(older, TEXT("controller")), node_at(newer, TEXT("controller")));
    for (const struct node *one = before ? before->first : NULL; one && !out.p; one = one->next)
        if (node_get(after, one->key))
            out = changed(one, node_get(after, one->key));
    return out;
}

static bool promised(const struct node *root, const char *key)
{
    return text_eq(node_text(node_at(root, TEXT("merger")), text_of(key)), TEXT("true"));
}

static void who_of(const struct store *s, text controller, struct digest *out)
{
    digest_identifier(store_lookup_key(s), TEXT(""), TEXT("merger.controller"), controller, out);
}

/* ---- The gate. ---- */

/* Outlives the policy that is refused; the newer version need not have it. */
static const struct clause *clause_of(struct arena *a, const struct policy *p, const char *path)
{
    const struct clause *found = policy_clause(p, text_of(path));
    struct clause *out = NEW(a, struct clause);
    if (!out)
        return NULL;
    *out = (struct clause){ .path = text_of(path), .file = arena_copy(a, p->file), .promises = TEXT("") };
    if (found) {
        out->at = found->at;
        out->promises = arena_copy(a, found->promises);
    }
    return out;
}

static enum err check_accepted(struct app *app, struct arena *a, const struct publishing *r, text controller)
{
    const struct clause *clause = clause_of(a, r->p, "merger.same_rules");
    READ_AUTO db = NULL;
    TRY(store_read(app->store, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_MERGER_FIND, ARGS(V_TEXT(r->older), V_BYTES(TEXT_BYTES(r->taker))));
    if (query_next(&q))
        return OK;
    return q.status != OK
               ? q.status
               : say_clause(a, ERR_POLICY, clause,
                            "\"%.*s\" has not accepted the policy in force: garant merger accept", T(controller));
}

/* The same rules: nothing that matters changes besides who is responsible. */
static enum err check_rules(struct arena *a, const struct publishing *r)
{
    const struct clause *clause = clause_of(a, r->p, "merger.same_rules");
    for (const struct diff_item *item = r->changes.first; item; item = item->next)
        if (item->material && !text_starts(item->path, TEXT("controller")))
            return say_clause(a, ERR_POLICY, clause,
                              "a new controller keeps the same rules, and \"%.*s\" changes: publish that on its own",
                              T(item->path));
    return OK;
}

static enum err told(struct app *app, struct arena *a, text hash, bool *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(app->store, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_MERGER_TOLD, ARGS(V_TEXT(hash)));
    *out = query_next(&q) && !query_null(&q, MERGER_TOLD, done);
    return q.status;
}

static enum err check_told(struct app *app, struct arena *a, const struct publishing *r)
{
    const struct clause *clause = clause_of(a, r->p, "merger.tell");
    struct date earliest;
    bool all = false;
    if (!r->announce) {
        TRY(told(app, a, text_of(r->p->hash), &all));
        return all ? OK
                   : say_clause(a, ERR_POLICY, clause,
                                "everybody is told before a new controller takes over: announce it, with policy.date "
                                "ahead");
    }
    if (!lint_too_soon(r->p->root, value_policy_day(r->p, r->now), &earliest))
        return OK;
    return say_clause(a, ERR_POLICY, clause,
                      "people have time to leave before a new controller takes over: %04d-%02d-%02d at the earliest "
                      "(changes.before)",
                      earliest.year, earliest.month, earliest.day);
}

enum err merger_gate(struct app *app, struct arena *a, struct publishing *r, const struct node *before)
{
    text controller = before ? merger_controller(before, r->p->root) : (text){ NULL, 0 };
    if (!controller.p || !node_at(before, TEXT("merger")))
        return OK;
    r->takes_over = true;
    r->accepted_first = promised(before, "same_rules");
    r->tells_first = promised(before, "tell");
    who_of(app->store, controller, &r->taker);
    if (r->accepted_first) {
        TRY(check_accepted(app, a, r, controller));
        TRY(check_rules(a, r));
    }
    return r->tells_first ? check_told(app, a, r) : OK;
}

enum err merger_run(struct db *db, const struct publishing *r)
{
    int64_t changed = 1;
    bool done = true;
    if (!r->takes_over)
        return OK;
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_MERGER_FIND, ARGS(V_TEXT(r->older), V_BYTES(TEXT_BYTES(r->taker))));
        bool there = query_next(&q);
        TRY(q.status);
        if (r->accepted_first && !there)
            return say(db_arena(db), ERR_CONFLICT, "the acceptance of the new controller is no longer there");
    }
    if (r->announce)
        return OK;
    if (r->tells_first) {
        QUERY_AUTO q;
        query_start(&q, db, SQL_MERGER_TOLD, ARGS(V_TEXT(text_of(r->p->hash))));
        done = query_next(&q) && !query_null(&q, MERGER_TOLD, done);
        TRY(q.status);
    }
    if (!done)
        return say(db_arena(db), ERR_CONFLICT, "not everybody was told yet");
    TRY(db_run(db, SQL_MERGER_PASS, &changed,
               ARGS(V_TEXT(r->older), V_BYTES(TEXT_BYTES(r->taker)), V_TEXT(text_of(r->p->hash)), V_INT(r->now))));
    return changed || !r->accepted_first ? OK : say(db_arena(db), ERR_CONFLICT, "the acceptance is used already");
}

static enum err document_of(struct app *app, struct arena *a, const struct policy *p, text in_force,
                            const struct node **out)
{
    text yaml = { NULL, 0 };
    struct findings f = { 0 };
    *out = NULL;
    {
        READ_AUTO db = NULL;
        TRY(store_read(app->store, a, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_POLICY_VERSION_GET, ARGS(V_TEXT(p->tenants[0]), V_TEXT(in_force)));
        if (query_next(&q))
            yaml = arena_copy(a, query_get(&q, POLICY_VERSION_GET, text));
        TRY(q.status);
    }
    return yaml.p ? node_read(a, yaml, &f, out) : OK;
}

enum err merger_waits(struct app *app, struct arena *a, const struct policy *p, text in_force, bool *out)
{
    const struct node *before;
    bool all = true, announced;
    *out = false;
    {
        READ_AUTO db = NULL;
        TRY(store_read(app->store, a, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_POLICY_DAY_OPEN, ARGS(V_TEXT(text_of(p->hash))));
        announced = query_next(&q);
        TRY(q.status);
    }
    if (!announced)
        return OK;
    TRY(document_of(app, a, p, in_force, &before));
    if (before && merger_controller(before, p->root).p && promised(before, "tell"))
        TRY(told(app, a, text_of(p->hash), &all));
    *out = !all;
    return OK;
}

/* ---- The acceptance. ---- */

struct accepting {
    struct ctx *c;
    struct digest who;
    text hash, kept, digest;
    sealed content;
};

static struct place place_of(const struct accepting *k)
{
    return (struct place){ .tenant = TEXT(""), .table = table, .field = k->digest };
}

static enum err about(struct ctx *c, const char *member, enum err status)
{
    if (status != OK)
        text_cstr(text_of(member), c->arena->why.field, sizeof c->arena->why.field);
    return status;
}

static enum err run_accept(struct db *db, struct write *w)
{
    const struct accepting *k = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_MERGER_ADD, &changed,
               ARGS(V_TEXT(k->hash), V_BYTES(TEXT_BYTES(k->who)), V_INT(k->c->now), V_TEXT(k->digest), V_TEXT(k->kept),
                    V_SEALED(k->content))));
    return changed ? OK : say(db_arena(db), ERR_CONFLICT, "its acceptance of this version is on record already");
}

static enum err check_text(struct ctx *c, const char *member, text s)
{
    if (!s.n)
        return about(c, member, say(c->arena, ERR_MISSING, "\"%s\" is missing", member));
    if (s.n > TEXT_MOST || !text_utf8(s))
        return about(c, member, say(c->arena, ERR_VALUE, "\"%s\" has at most %d bytes", member, TEXT_MOST));
    return about(c, member, value_no_card(c, text_of(member), s));
}

static enum err check_document(struct ctx *c, const struct merger_acceptance *in)
{
    bool card, known = text_starts(in->content, TEXT("%PDF-")) || text_starts(in->content, TEXT("\xFF\xD8\xFF")) ||
                       text_starts(in->content, TEXT("\x89PNG\r\n\x1A\n"));
    TRY(check_text(c, "name", in->name));
    if (in->content.n > DOCUMENT_MOST)
        return say(c->arena, ERR_TOO_LARGE, "the signed document has at most %d bytes", DOCUMENT_MOST);
    if (!known)
        return say(c->arena, ERR_MEDIA_TYPE, "the signed document is a PDF, JPEG or PNG file");
    TRY(card_file(c->arena, in->content, &card));
    return card ? value_card(c, TEXT("the document")) : OK;
}

static enum err check_names(struct ctx *c, const struct merger_acceptance *in)
{
    msec at;
    text now = ctx_controller(c).legal_name;
    if (!node_at(c->policy->root, TEXT("merger")))
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->recipients_clause,
                          "the policy does not say what happens when the company is sold (merger)");
    TRY(check_text(c, "controller", in->controller));
    TRY(check_text(c, "by", in->by));
    if (text_eq(in->controller, now))
        return about(c, "controller", say(c->arena, ERR_VALUE, "\"controller\" is the one of the policy in force"));
    if (!value_moment(c, in->signed_on, false, &at) || at > c->now)
        return about(c, "signed", say(c->arena, ERR_VALUE, "\"signed\" is a day that has been, such as 2026-11-20"));
    return OK;
}

static enum err check(struct ctx *c, const struct merger_acceptance *in)
{
    TRY(check_names(c, in));
    TRY(check_text(c, "version", in->version));
    if (!text_eq(in->version, c->policy->version) && !text_eq(in->version, text_of(c->policy->hash)))
        return about(
            c, "version",
            say(c->arena, ERR_CONFLICT, "the version in force is %.*s, %s", T(c->policy->version), c->policy->hash));
    return check_document(c, in);
}

static enum err seal_parts(struct ctx *c, const struct merger_acceptance *in, struct accepting *k)
{
    KEY_AUTO key;
    text clear;
    struct place place = place_of(k);
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("controller"), in->controller);
    json_pair(&w, TEXT("by"), in->by);
    json_pair(&w, TEXT("signed"), in->signed_on);
    json_pair(&w, TEXT("version"), c->policy->version);
    json_pair(&w, TEXT("name"), in->name);
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &clear));
    TRY(written_seal(ctx_store(c), c->arena, TEXT(""), table, clear, &k->kept));
    key_derive(store_index_key(ctx_store(c)), table, &key);
    return seal(c->arena, &key, &place, in->content, &k->content);
}

enum err merger_accept(struct ctx *c, const struct merger_acceptance *in, struct answer *out)
{
    char digest[65];
    struct accepting k = { .c = c, .hash = text_of(c->policy->hash) };
    TRY(check(c, in));
    c->arena->why.field[0] = 0;
    digest_hex(in->content, digest);
    k.digest = arena_copy(c->arena, text_of(digest));
    TRY_PTR(k.digest.p);
    who_of(ctx_store(c), in->controller, &k.who);
    TRY(seal_parts(c, in, &k));
    struct write w = { .run = run_accept, .arg = &k, .event = event_of(c, NULL, TEXT("merger.accepted")) };
    w.event.clause = TEXT("merger.same_rules");
    TRY(write_do(c, &w, NULL));
    return merger_list(c, out);
}

/* ---- What is shown. ---- */

static enum err put_acceptance(struct ctx *c, struct query *q, struct json_out *w)
{
    text clear;
    const struct json *said;
    char at[TIME_TEXT + 1], entered[TIME_TEXT + 1];
    bool passed = !query_null(q, MERGER_LIST, passed);
    TRY(written_open(ctx_store(c), c->arena, TEXT(""), table, query_get(q, MERGER_LIST, body), &clear));
    TRY(json_parse(c->arena, clear, &said));
    json_open(w, '{');
    json_pair(w, TEXT("controller"), json_text(said, TEXT("controller")));
    json_pair(w, TEXT("by"), json_text(said, TEXT("by")));
    json_pair(w, TEXT("signed"), json_text(said, TEXT("signed")));
    json_pair(w, TEXT("at"), time_text(query_get(q, MERGER_LIST, at), at));
    json_pair(w, TEXT("version"), json_text(said, TEXT("version")));
    json_pair(w, TEXT("hash"), query_get(q, MERGER_LIST, hash));
    json_pair(w, TEXT("document"), json_text(said, TEXT("name")));
    json_pair(w, TEXT("digest"), query_get(q, MERGER_LIST, digest));
    json_pair(w, TEXT("passed"), passed ? query_get(q, MERGER_LIST, passed) : (text){ NULL, 0 });
    json_pair(w, TEXT("entered"), passed ? time_text(query_get(q, MERGER_LIST, entered), entered) : (text){ NULL, 0 });
    json_close(w, '}');
    return OK;
}

static enum err find_announced(struct ctx *c, struct version *out, text *to)
{
    struct version *all;
    unsigned count;
    TRY(version_list(c, &all, &count));
    for (unsigned i = 0; i < count; i++)
        if (all[i].state == VERSION_ANNOUNCED) {
            TRY(version_open(c, all[i].hash, out));
            *to = merger_controller(c->policy->root, out->root);
        }
    return OK;
}

static enum err put_announced(struct ctx *c, struct json_out *w)
{
    struct version coming = { 0 };
    text to = { NULL, 0 };
    int64_t count = 0;
    bool all = false;
    TRY(find_announced(c, &coming, &to));
    json_name(w, TEXT("announced"));
    if (!to.p) {
        json_put_null(w);
        return OK;
    }
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_MERGER_TOLD, ARGS(V_TEXT(coming.hash)));
    if (query_next(&q)) {
        count = query_get(&q, MERGER_TOLD, told);
        all = !query_null(&q, MERGER_TOLD, done);
    }
    json_open(w, '{');
    json_pair(w, TEXT("controller"), to);
    json_pair(w, TEXT("date"), coming.date);
    json_pair(w, TEXT("version"), coming.version);
    if (c->actor.kind == ACTOR_OPERATOR || merger_may_accept(c))
        json_pair_int(w, TEXT("told"), count);
    json_pair_bool(w, TEXT("everyone_told"), all);
    json_close(w, '}');
    return q.status;
}

static enum err put_all(struct ctx *c, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_MERGER_LIST, NULL, 0);
    json_name(w, TEXT("acceptances"));
    json_open(w, '[');
    while (query_next(&q))
        TRY(put_acceptance(c, &q, w));
    json_close(w, ']');
    return q.status;
}

/* Who would be told, and from when. */
static enum err put_preview(struct ctx *c, struct json_out *w)
{
    bool everywhere = c->actor.kind == ACTOR_OPERATOR;
    struct date earliest = { 0 };
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_MERGER_PEOPLE, ARGS(V_TEXT(everywhere ? TEXT("") : c->tenant)));
    if (query_next(&q)) {
        json_pair_int(w, TEXT("people"), query_get(&q, MERGER_PEOPLE, people));
        json_pair_int(w, TEXT("accounts"), query_get(&q, MERGER_PEOPLE, accounts));
    }
    TRY(q.status);
    lint_too_soon(c->policy->root, value_day(c, c->now), &earliest);
    json_pair(w, TEXT("in_force"), c->policy->version);
    json_pair(w, TEXT("earliest"), earliest.year ? date_print(c->arena, earliest) : (text){ NULL, 0 });
    return arena_whole(c->arena);
}

static enum err may_see(struct ctx *c)
{
    if (!node_at(c->policy->root, TEXT("merger"))) {
        say_clause(c->arena, ERR_UNDECLARED, &c->policy->recipients_clause,
                   "the policy does not say what happens when the company is sold (merger)");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    if (person_sees_team(c)) {
        say(c->arena, ERR_FORBIDDEN, "this page is for people who see everybody's data, not one team's alone");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    return person_allow_act(c, NULL, ACT_EXPORT);
}

enum err merger_see(struct ctx *c, struct answer *out)
{
    TRY(may_see(c));
    return merger_list(c, out);
}

bool merger_may_accept(const struct ctx *c) { return c->policy->tenant_count <= 1; }

static enum err may_accept(struct ctx *c)
{
    TRY(may_see(c));
    return merger_may_accept(c) ? OK
                                : say(c->arena, ERR_FORBIDDEN,
                                      "with several tenants, the operator records it: garant "
                                      "merger accept");
}

enum err merger_check(struct ctx *c, const struct merger_acceptance *in)
{
    TRY(may_accept(c));
    return check_names(c, in);
}

enum err merger_accept_own(struct ctx *c, const struct merger_acceptance *in, struct answer *out)
{
    TRY(may_accept(c));
    return merger_accept(c, in, out);
}

enum err merger_list(struct ctx *c, struct answer *out)
{
    BUF_AUTO b = buf_make(PAGE_LIMIT);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    TRY(put_all(c, &w));
    TRY(put_announced(c, &w));
    TRY(put_preview(c, &w));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

enum err merger_document(struct ctx *c, text digest, struct answer *out)
{
    KEY_AUTO key;
    struct accepting k = { .digest = digest };
    struct place place = place_of(&k);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_MERGER_DOCUMENT, ARGS(V_TEXT(digest)));
    if (!query_next(&q))
        return q.status == OK ? say(c->arena, ERR_NOT_FOUND, "there is no such document") : q.status;
    key_derive(store_index_key(ctx_store(c)), table, &key);
    out->media_type = TEXT("application/octet-stream");
    out->file_name = TEXT("acceptance");
    return seal_open(c->arena, &key, &place, query_get(&q, MERGER_DOCUMENT, content), &out->body);
}
