/* The running instance: opening and closing, the policy in force, its reload, and one that is announced. */
#include "base/log.h"
#include "domain/person/record.h"
#include "crypt/hashing.h"
#include "domain/core/context.h"
#include "domain/instance/app.h"
#include "domain/person/held.h"
#include "domain/account/session.h"
#include "domain/board/board.h"
#include "domain/core/instance.h"
#include "domain/core/token_kept.h"
#include "publish/pages.h"
#include "domain/account/throttle.h"
#include "domain/core/budget.h"
#include "domain/core/value.h"
#include "domain/version/acknowledge.h"
#include "domain/version/publish.h"
#include "policy/lint/lint.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "domain/instance/features.h"

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

/* A clause that outlives its policy: a start or a reload that fails gives it up before the reason is told. */
static const struct clause *clause_kept(struct arena *a, const struct clause *c)
{
    struct clause *kept = NEW(a, struct clause);
    if (kept)
        *kept = (struct clause){ arena_copy(a, c->path), arena_copy(a, c->file), c->at, arena_copy(a, c->promises) };
    return kept;
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
    return say_clause(a, ERR_POLICY, clause_kept(a, &p->hosting.clause),
                      "%.*s:%u: this machine stands in %.*s, outside the countries that the policy declares",
                      T(p->hosting.clause.file), p->hosting.clause.at.line, T(country));
}

/* ---- Links between machines that the policy says are encrypted. ---- */

static const struct clause *links_clause(const struct policy *p)
{
    text said = node_text(node_at(p->root, TEXT("security.transport")), TEXT("internal"));
    return text_eq(said, TEXT("true")) ? policy_clause(p, TEXT("security.transport.internal")) : NULL;
}

/* MO-23: the store's own links, those to its databases. A proxy's and a mail server's are seen by who makes them. */
static enum err check_links(struct arena *a, const struct app *app, const struct policy *p)
{
    const struct clause *said = links_clause(p);
    if (!said || store_verified(app->store))
        return OK;
    return say_clause(a, ERR_POLICY, clause_kept(a, said),
                      "the databases are not all reached by TLS with a certificate that was verified: add "
                      "sslmode=verify-full and sslrootcert=FILE to --store and --keyring");
}

/* Before anything goes over a link: what the database does not offer is not tried without. */
static enum err open_store(struct arena *a, const struct app_options *o, const struct policy *first, struct app *app)
{
    const struct clause *said = first ? links_clause(first) : NULL;
    struct store_options so = { .dir = o->data_dir,
                                .data_at = o->store_at,
                                .keys_at = o->keyring_at,
                                .data_password = o->store_password,
                                .keys_password = o->keyring_password,
                                .verified = said != NULL || o->verified,
                                .cautious = o->cautious,
                                .create = o->create,
                                .master_file = o->master_file,
                                .clock = app->clock };
    enum err e = store_open(a, &so, &app->store);
    if (e != ERR_POLICY || !said)
        return e;
    text why = arena_copy(a, text_of(a->why.detail));
    return say_clause(a, ERR_POLICY, clause_kept(a, said), "%.*s", T(why));
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
        policy_unref(&old); /* requests under way hold references of their own */
}

/* The version in force, from the data folder: the file has one whose day lies ahead. */
static enum err kept_policy(struct app *app, struct arena *a, const struct policy **out)
{
    text yaml, name;
    struct findings f = { 0 };
    TRY(version_in_force(app, a, &yaml, &name));
    enum err status = policy_load(a, yaml, name, &f, out);
    if (status == ERR_POLICY)
        return say(
            a, ERR_POLICY,
            "the file's day lies ahead, and the version in force until then (%.*s) cannot be read any more: line %u, %.*s",
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
    TRY(check_links(a, app, fresh));
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
    coming = NULL;
    policy = NULL;
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

/* Whoever reloads can be asked; whoever restarts cannot, and goes on with the reading that keeps. */
static enum err no_question(struct arena *a, const struct policy *p, const struct findings *f)
{
    for (const struct finding *i = f->first; i && f->questions; i = i->next)
        if (i->severity == SEVERITY_QUESTION)
            return say(a, ERR_POLICY, "%.*s, line %u: %.*s", T(p->file), i->at.line, T(i->message));
    return OK;
}

enum err app_reload(struct app *app, struct arena *a, struct findings *f)
{
    const struct policy *fresh = NULL;
    TRY(load_policy(app, a, f, &fresh));
    enum err status = no_question(a, fresh, f);
    if (status == OK)
        status = version_warn(app, a, fresh, f);
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
    return yaml.p ? policy_load(a, yaml, name, f, out)
                  : say(a, ERR_USAGE, "this data folder has seen no policy yet: name one with --policy FILE");
}

/* As it stands: a command without a file announces and withdraws nothing. */
static enum err keep_policy(struct app *app, struct arena *a, const struct policy *policy)
{
    struct pages *pages = NULL;
    enum err status = check_links(a, app, policy);
    if (status == OK)
        status = pages_make(a, policy, NULL, &pages);
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
    if (!text_cstr(o->policy_file, app->policy_file, sizeof app->policy_file) ||
        !text_cstr(o->site_country, app->country, sizeof app->country))
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
    app->papers = o->papers;
    app->features = features;
    app->feature_count = feature_count;
    TRY(crypt_init(a));
    POLICY_AUTO first = NULL;
    if (o->policy_file.n)
        TRY(load_policy(app, a, f, &first));
    TRY(open_store(a, o, first, app));
    if (!(app->transient = transient_open()) || !(app->board = board_open()) || !(app->seen = seen_open()) ||
        !(app->hashing = hashing_open()) || !(app->throttle = throttle_open()) || !(app->tokens = kept_tokens_open()) ||
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

/* A policy of the file may be newer than any that was in force: it is only read. */
enum err app_links_first(struct arena *a, struct app_options *o, struct findings *f)
{
    POLICY_AUTO said = NULL;
    o->cautious = !o->policy_file.n;
    if (!o->policy_file.n)
        return OK;
    text yaml, path = arena_copy(a, o->policy_file);
    TRY_PTR(path.p);
    TRY(read_file(a, path.p, &yaml));
    TRY(policy_load(a, yaml, path, f, &said));
    o->verified = links_clause(said) != NULL;
    return OK;
}

enum err app_links(struct arena *a, const struct app_options *o, struct findings *f, bool *encrypted)
{
    struct app_options as_it_stands = *o;
    struct app *app;
    as_it_stands.policy_file = TEXT("");
    TRY(app_open(a, &as_it_stands, f, &app));
    *encrypted = o->verified || links_clause(app->policy) != NULL;
    app_close(&app);
    return OK;
}

void app_close(struct app **app)
{
    struct app *gone = *app;
    if (!gone)
        return;
    if (gone->seen && gone->store && gone->policy)
        flush_sessions(gone);
    seen_close(&gone->seen);
    kept_tokens_close(&gone->tokens);
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

bool app_data_elsewhere(text data_dir) { return store_elsewhere(data_dir); }
bool app_data_there(text data_dir) { return store_there(data_dir); }
void app_data_discard(text data_dir) { store_discard(data_dir); }
