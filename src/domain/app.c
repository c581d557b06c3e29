/* The running instance: opening, the policy in force and its reload, actors and tokens, the work of time. */
#include "base/log.h"
#include "crypt/hashing.h"
#include "domain/account.h"
#include "domain/app.h"
#include "domain/held.h"
#include "domain/inside.h"
#include "domain/pages.h"
#include "domain/retention.h"
#include "domain/session.h"
#include "domain/throttle.h"
#include "domain/budget.h"
#include "domain/value.h"
#include "domain/version.h"
#include "domain/write.h"
#include "policy/lint.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { POLICY_FILE_MAX = 1 << 20, TOKEN_BYTES = 32 };

/* ---- The policy file. ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static enum err read_file(struct arena *a, const char *path, text *out)
{
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *p = fd >= 0 ? arena_alloc(a, POLICY_FILE_MAX + 1) : NULL;
    size_t n = 0;
    if (fd < 0)
        return say(a, ERR_CONFIG, "the policy file %s cannot be read: %s", path, strerror(errno));
    TRY_PTR(p);
    for (ssize_t got; n <= POLICY_FILE_MAX && (got = read(fd, p + n, POLICY_FILE_MAX + 1 - n)) != 0; n += (size_t)got)
        if (got < 0)
            return say(a, ERR_CONFIG, "the policy file %s cannot be read: %s", path, strerror(errno));
    if (n > POLICY_FILE_MAX)
        return say(a, ERR_CONFIG, "the policy file %s is larger than 1 MiB", path);
    *out = (text){ p, n };
    return OK;
}

/* MP-19, FR-02: the machine itself is a place where data are held. */
static enum err check_country(struct arena *a, const struct app *app, const struct policy *p)
{
    text country = text_of(app->country);
    if (!country.n || !p->hosting.country_count)
        return OK;
    for (unsigned i = 0; i < p->hosting.country_count; i++)
        if (text_eq(p->hosting.countries[i], country))
            return OK;
    return say_clause(a, ERR_POLICY, &p->hosting.clause, "%.*s:%u: this machine stands in %.*s, outside the countries that the policy declares",
                      T(p->hosting.clause.file), p->hosting.clause.at.line, T(country));
}

static enum err load_policy(struct app *app, struct arena *a, struct findings *f, const struct policy **out)
{
    text yaml;
    TRY(read_file(a, app->policy_file, &yaml));
    TRY(policy_load(a, yaml, text_of(app->policy_file), f, out));
    enum err status = record_classes_differ(a, *out);
    if (status == OK)
        status = check_country(a, app, *out);
    if (status == OK && app->lawful)
        status = lint_gate(a, *out, NULL, date_of(clock_now(&app->clock)), NULL);
    if (status != OK)
        policy_unref(out);
    return status;
}

const struct policy *app_policy(struct app *app)
{
    pthread_mutex_lock(&app->policy_lock);
    const struct policy *p = policy_ref(app->policy);
    pthread_mutex_unlock(&app->policy_lock);
    return p;
}

/* What is put in force and what is announced from now on, with their pages; what was so before is given up. */
static void exchange(struct app *app, const struct policy *policy, const struct policy *coming, struct pages *pages)
{
    pthread_mutex_lock(&app->policy_lock);
    const struct policy *old = app->policy, *old_coming = app->coming;
    struct pages *old_pages = app->pages;
    app->policy = policy;
    app->coming = coming;
    app->pages = pages;
    pthread_mutex_unlock(&app->policy_lock);
    if (old_pages)
        pages_unref(&old_pages);
    if (old_coming)
        policy_unref(&old_coming);
    if (old)
        policy_unref(&old);              /* requests under way hold references of their own */
}

/* The version in force, from the data folder: the file has one whose day lies ahead. */
static enum err kept_policy(struct app *app, struct arena *a, const struct policy **out)
{
    text yaml, name;
    struct findings f = { 0 };
    TRY(version_in_force(app, a, &yaml, &name));
    enum err status = policy_load(a, yaml, name, &f, out);
    if (status == ERR_POLICY)
        return say(a, ERR_POLICY, "the file's day lies ahead, and the version in force until then (%.*s) cannot be read any more: line %u, %.*s",
                   T(name), f.first ? f.first->at.line : 0, T(f.first ? f.first->message : TEXT("")));
    return status;
}

/* Takes `fresh` over: in force, or announced when its day lies ahead. */
static enum err take_policy(struct app *app, struct arena *a, const struct policy *fresh)
{
    POLICY_AUTO coming = NULL;
    POLICY_AUTO policy = fresh;
    struct pages *pages = NULL;
    bool ahead;
    TRY(version_ahead(app, a, fresh, &ahead));
    if (ahead) {
        coming = fresh;
        policy = NULL;
        if (app->policy)
            policy = app_policy(app);
        else
            TRY(kept_policy(app, a, &policy));
    }
    TRY(pages_make(a, policy, coming, &pages));
    enum err status = ahead ? version_announce(app, a, coming) : version_publish(app, a, policy);
    if (status != OK) {
        pages_unref(&pages);
        return status;
    }
    exchange(app, policy, coming, pages);
    policy = coming = NULL;
    return OK;
}

/* One at a time: a reload beside another, or beside the day of what it withdraws. */
static enum err in_turn(struct app *app, struct arena *a, const struct policy *fresh)
{
    if (atomic_exchange(&app->policy_turn, true)) {
        policy_unref(&fresh);
        return say(a, ERR_CONFLICT, "the policy is being replaced already");
    }
    enum err status = take_policy(app, a, fresh);
    atomic_store(&app->policy_turn, false);
    return status;
}

enum err app_reload(struct app *app, struct arena *a, struct findings *f)
{
    const struct policy *fresh = NULL;
    TRY(load_policy(app, a, f, &fresh));
    enum err status = version_warn(app, a, fresh, f);
    if (status != OK) {
        policy_unref(&fresh);
        return status;
    }
    return in_turn(app, a, fresh);
}

static const struct policy *coming_now(struct app *app)
{
    const struct policy *out = NULL;
    pthread_mutex_lock(&app->policy_lock);
    if (app->coming && value_policy_start(app->coming, app->coming->date) <= clock_now(&app->clock))
        out = policy_ref(app->coming);
    pthread_mutex_unlock(&app->policy_lock);
    return out;
}

enum err app_policy_tick(struct app *app, struct arena *a)
{
    const struct policy *coming = coming_now(app);
    if (!coming)
        return OK;
    text version = arena_copy(a, coming->version);
    enum err status = in_turn(app, a, coming);
    if (status == OK)
        LOG(LOG_INFO, "an announced policy came into force", LOG_TEXT("version", version));
    return status;
}

const struct policy *app_coming(struct app *app)
{
    pthread_mutex_lock(&app->policy_lock);
    const struct policy *p = app->coming ? policy_ref(app->coming) : NULL;
    pthread_mutex_unlock(&app->policy_lock);
    return p;
}

void app_reached(struct app *app, enum way_in way, msec certificate_from, msec certificate_until)
{
    app->certificate_from = certificate_from;
    app->certificate_until = certificate_until;
    app->way_in = way;
}

/* ---- Opening and closing. ---- */

/* Without a file: the version in force, as the data folder keeps it. For commands that only look after the folder. */
static enum err last_policy(struct app *app, struct arena *a, struct findings *f, const struct policy **out)
{
    text yaml, name;
    TRY(version_in_force(app, a, &yaml, &name));
    return yaml.p ? policy_load(a, yaml, name, f, out) : say(a, ERR_USAGE, "this data folder has seen no policy yet: name one with --policy FILE");
}

/* As it stands: a command without a file announces and withdraws nothing. */
static enum err keep_policy(struct app *app, struct arena *a, const struct policy *policy)
{
    struct pages *pages = NULL;
    enum err status = pages_make(a, policy, NULL, &pages);
    if (status != OK) {
        policy_unref(&policy);
        return status;
    }
    exchange(app, policy, NULL, pages);
    return OK;
}

static enum err open_parts(struct arena *a, const struct app_options *o, struct findings *f, struct app *app)
{
    char clock_file[4096];
    if (!text_cstr(o->policy_file, app->policy_file, sizeof app->policy_file) || !text_cstr(o->site_country, app->country, sizeof app->country))
        return say(a, ERR_CONFIG, "the policy's path is too long, or the country is not two letters");
    if (o->clock_file.n) {
        if (!text_cstr(o->clock_file, clock_file, sizeof clock_file))
            return say(a, ERR_CONFIG, "the path of the simulated clock is too long");
        TRY(clock_simulated(a, clock_file, &app->clock));
    }
    text url = o->public_url;
    while (text_ends(url, TEXT("/")))
        url = text_upto(url, url.n - 1);
    if (!text_cstr(url, app->public_url, sizeof app->public_url))
        return say(a, ERR_CONFIG, "the public address is too long");
    app->lawful = o->lawful;
    TRY(crypt_init(a));
    POLICY_AUTO first = NULL;
    if (o->policy_file.n)
        TRY(load_policy(app, a, f, &first));
    struct store_options so = { .dir = o->data_dir, .create = o->create, .master_file = o->master_file, .clock = app->clock };
    TRY(store_open(a, &so, &app->store));
    if (!(app->transient = transient_open()) || !(app->board = board_open()) || !(app->seen = seen_open()) ||
        !(app->hashing = hashing_open()) || !(app->throttle = throttle_open()) ||
        !(app->spent = spending_open()) || !(app->asked = spending_open()))
        return say(a, ERR_MEMORY, "the machine has no memory left");
    const struct policy *fresh = NULL;
    if (first)
        fresh = policy_ref(first);
    else
        TRY(last_policy(app, a, f, &fresh));
    return first ? take_policy(app, a, fresh) : keep_policy(app, a, fresh);
}

enum err app_open(struct arena *a, const struct app_options *o, struct findings *f, struct app **out)
{
    struct app *app = calloc(1, sizeof *app);
    if (!app)
        return say(a, ERR_MEMORY, "the machine has no memory left");
    pthread_mutex_init(&app->policy_lock, NULL);
    app->clock = clock_real();
    enum err status = open_parts(a, o, f, app);
    if (status != OK) {
        app_close(&app);
        return status;
    }
    *out = app;
    return OK;
}

static void flush_sessions(struct app *app)
{
    ARENA_AUTO a = arena_make(1 << 20);
    CTX_AUTO c = { 0 };
    ctx_begin(app, &a, &c);
    c.actor.name = TEXT("garant");
    if (session_flush(&c) != OK)
        LOG(LOG_WARN, "the last uses of sessions could not be written", LOG_TEXT("why", text_of(a.why.detail)));
}

void app_close(struct app **app)
{
    struct app *gone = *app;
    if (!gone)
        return;
    if (gone->seen && gone->store && gone->policy)
        flush_sessions(gone);
    seen_close(&gone->seen);
    hashing_close(&gone->hashing);
    throttle_close(&gone->throttle);
    spending_close(&gone->spent);
    spending_close(&gone->asked);
    transient_close(&gone->transient);
    board_close(&gone->board);
    if (gone->store)
        store_close(&gone->store);
    if (gone->pages)
        pages_unref(&gone->pages);
    if (gone->coming)
        policy_unref(&gone->coming);
    if (gone->policy)
        policy_unref(&gone->policy);
    pthread_mutex_destroy(&gone->policy_lock);
    free(gone);
    *app = NULL;
}

enum err app_listens(struct app *app, struct arena *a, text url)
{
    if (app->public_url[0] || text_cstr(url, app->public_url, sizeof app->public_url))
        return OK;
    return say(a, ERR_CONFIG, "the public address is too long");
}

void app_stopping(struct app *app) { hashing_stop(app->hashing); }

void app_cookie_held(struct app *app) { atomic_fetch_add(&app->cookies_held, 1); }

/* ---- Contexts and actors. ---- */

void ctx_begin(struct app *app, struct arena *a, struct ctx *out)
{
    *out = (struct ctx){ .arena = a, .app = app, .policy = app_policy(app), .now = clock_now(&app->clock), .began = clock_monotonic(),
                         .actor = { .kind = ACTOR_NOBODY, .index = -1, .name = TEXT("nobody") } };
    out->tenant = out->policy->tenants[0];
    out->language = out->policy->languages[0];
}

void ctx_end(struct ctx *c) { policy_unref(&c->policy); }

struct controller ctx_controller(const struct ctx *c)
{
    const struct policy *p = c->policy;
    struct controller own = { p->controller.legal_name, p->controller.address, p->controller.country, p->controller.email, p->controller.phone,
                              p->controller.site };
    const struct node *tenant = node_get(node_get(p->root, TEXT("tenants")), c->tenant);
    text name = node_text(tenant, TEXT("legal_name"));
    if (!name.n || text_eq(name, own.legal_name))
        return own;
    return (struct controller){ .legal_name = name, .address = node_text(tenant, TEXT("address")), .email = node_text(tenant, TEXT("email")) };
}

static bool known_tenant(const struct policy *p, text name, text *out)
{
    for (unsigned i = 0; i < p->tenant_count; i++)
        if (text_eq(p->tenants[i], name)) {
            *out = p->tenants[i];
            return true;
        }
    return false;
}

enum err actor_operator(struct ctx *c, text tenant)
{
    if (!tenant.n && c->policy->tenant_count > 1)
        return say(c->arena, ERR_USAGE, "this instance serves %u tenants: name one", c->policy->tenant_count);
    if (tenant.n && !known_tenant(c->policy, tenant, &c->tenant))
        return say(c->arena, ERR_NOT_FOUND, "there is no such tenant");
    c->actor = (struct actor){ .kind = ACTOR_OPERATOR, .name = TEXT("operator"), .index = policy_actor(c->policy, TEXT("operator")),
                               .agreement = true };
    return OK;
}

static enum err set_class(struct ctx *c, text actor, text tenant)
{
    int index = policy_actor(c->policy, actor);
    text name = arena_copy(c->arena, actor);
    /* A class or tenant that the policy in force no longer has lets nobody in. */
    if (index < 0 || !known_tenant(c->policy, tenant, &c->tenant))
        return say(c->arena, ERR_UNAUTHORISED, "the token is not valid");
    c->actor.kind = c->policy->actors[index].kind, c->actor.index = index, c->actor.name = name;
    return OK;
}

/* A token that stands for somebody ends with their place in that role: it has their agreement, their team, and their name in the journal. */
static enum err set_holder(struct ctx *c, struct query *q)
{
    KEY_AUTO key;
    text id = query_bytes(q, 3);
    if (id.n != SUBJECT_ID || !text_eq(query_bytes(q, 5), c->actor.name) || query_null(q, 6) || query_int(q, 6) != PERSON_ACTIVE)
        return say(c->arena, ERR_UNAUTHORISED, "the token is not valid");
    memcpy(&c->actor.self, id.p, SUBJECT_ID);
    c->actor.has_self = true;
    c->actor.agreement = !query_null(q, 4);
    TRY(store_key(ctx_store(c), c->arena, c->tenant, c->actor.self, 0, &key));
    journal_pseudonym(&key, &c->actor.by);
    return OK;
}

enum err actor_by_token(struct ctx *c, text token)
{
    struct digest digest;
    digest_identifier(store_lookup_key(ctx_store(c)), TEXT(""), TEXT("token"), token, &digest);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOKEN_FIND, ARGS(V_BYTES(TEXT_BYTES(digest)), V_INT(c->now)));
    bool found = query_next(&q);
    TRY(q.status);
    if (!found)
        return say(c->arena, ERR_UNAUTHORISED, "the token is not valid");
    c->actor.token = arena_copy(c->arena, query_bytes(&q, 1));
    c->actor.proof = digest, c->actor.by_token = true;
    TRY(set_class(c, query_bytes(&q, 2), query_bytes(&q, 0)));
    return query_null(&q, 3) ? OK : set_holder(c, &q);
}

enum err actor_refused(struct ctx *c) { return write_refusal(c, NULL, TEXT(""), TEXT("")); }

struct token_row { struct ctx *c; struct digest digest; text name, actor, tenant; msec expires; struct subject_id holder; bool has_holder; };

/* Asked again inside the write: whoever was erased, closed or given another role meanwhile holds no token. */
static enum err holder_still(struct db *db, const struct token_row *t)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOKEN_HOLDER_STILL, ARGS(V_TEXT(t->tenant), V_ID(t->holder), V_TEXT(t->actor)));
    if (query_next(&q))
        return OK;
    return q.status != OK ? q.status : say(db_arena(db), ERR_VALUE, "\"holder\" is no account in the role \"%.*s\"", T(t->actor));
}

static enum err run_token(struct db *db, struct write *w)
{
    const struct token_row *t = w->arg;
    int64_t added;
    if (t->has_holder)
        TRY(holder_still(db, t));
    TRY(db_run(db, SQL_TOKEN_ADD, &added, ARGS(V_BYTES(TEXT_BYTES(t->digest)), V_TEXT(t->tenant), V_TEXT(t->name), V_TEXT(t->actor),
                                               V_INT(t->c->now), t->expires ? V_INT(t->expires) : V_NULL)));
    if (!added)
        return say(db_arena(db), ERR_CONFLICT, "a token of that name exists");
    return t->has_holder ? db_run(db, SQL_TOKEN_HOLDER_ADD, NULL, ARGS(V_BYTES(TEXT_BYTES(t->digest)), V_TEXT(t->tenant), V_ID(t->holder))) : OK;
}

static bool token_name_valid(text name)
{
    bool plain = name.n >= 1 && name.n <= 64;
    for (size_t i = 0; plain && i < name.n; i++) {
        char c = name.p[i];
        plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    }
    return plain;
}

static enum err take_holder(struct ctx *c, text holder, struct token_row *row)
{
    struct ctx there = *c;
    struct account account;
    if (!holder.n)
        return OK;
    there.tenant = row->tenant;
    if (!id_parse(holder, &row->holder))
        return say(c->arena, ERR_VALUE, "\"holder\" is the id of an account");
    TRY(account_load(&there, row->holder, &account));
    row->has_holder = account.there && text_eq(account.role, row->actor) && !text_eq(account.state, ACCOUNT_REFUSED);
    return row->has_holder ? OK : say(c->arena, ERR_VALUE, "\"holder\" is no account in the role \"%.*s\"", T(row->actor));
}

enum err token_create(struct ctx *c, text name, text actor, text tenant, text holder, msec expires, text *token)
{
    uint8_t random[TOKEN_BYTES];
    struct token_row row = { .c = c, .name = name, .actor = actor, .tenant = c->tenant, .expires = expires };
    if (!token_name_valid(name))
        return say(c->arena, ERR_VALUE, "a token's name has at most 64 letters, digits, '.', '_' and '-'");
    if (policy_actor(c->policy, actor) < 0 || text_eq(actor, TEXT("operator")))
        return say(c->arena, ERR_UNDECLARED, "the policy has no system, role or recipient \"%.*s\"", T(value_shown(actor)));
    if (tenant.n && !known_tenant(c->policy, tenant, &row.tenant))
        return say(c->arena, ERR_NOT_FOUND, "there is no such tenant");
    TRY(take_holder(c, holder, &row));
    BUF_AUTO b = buf_make(256);
    crypt_random(random, sizeof random);
    buf_add(&b, TEXT("garant_"));
    buf_base64url(&b, TEXT_BYTES(random));
    TRY(buf_take(c->arena, &b, token));
    digest_identifier(store_lookup_key(ctx_store(c)), TEXT(""), TEXT("token"), *token, &row.digest);
    struct write w = { .run = run_token, .arg = &row, .event = event_of(c, NULL, TEXT("token.create")) };
    w.event.tenant = row.tenant;
    return write_do(c, &w, NULL);
}

static enum err run_revoke(struct db *db, struct write *w)
{
    const struct token_row *t = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_TOKEN_REVOKE, &changed, ARGS(V_TEXT(t->tenant), V_TEXT(t->name), V_INT(t->c->now))));
    return changed ? OK : say(db_arena(db), ERR_NOT_FOUND, "there is no such token");
}

enum err token_revoke(struct ctx *c, text name)
{
    struct token_row row = { .c = c, .name = name, .tenant = c->tenant };
    struct write w = { .run = run_revoke, .arg = &row, .event = event_of(c, NULL, TEXT("token.revoke")) };
    return write_do(c, &w, NULL);
}

bool app_data_there(text data_dir) { return store_there(data_dir); }
void app_data_discard(text data_dir) { store_discard(data_dir); }
