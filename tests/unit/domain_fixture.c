/* A whole instance over a policy in a temporary folder, with a clock that the test owns. */
#include "domain_fixture.h"
#include "domain/person/person.h"
#include "domain/instance/app.h"
#include "built.h"
#include "domain/rights/access.h"
#include "domain/person/account.h"
#include "domain/account/password.h"
#include "domain/person/consent.h"
#include "domain/keep/erase.h"
#include "domain/person/holding.h"
#include "domain/recipient/charter.h"
#include "domain/rights/disclosure.h"
#include "domain/keep/hold.h"
#include "domain/account/session.h"
#include "domain/core/actor.h"
#include "domain/core/pieces.h"
#include "domain/entry/address.h"
#include "domain/person/append.h"
#include "domain/person/make.h"
#include "domain/core/write.h"
#include "store/ledger.h"
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "paper/paper.h"

static const char heading[] =
    "garant: 1\n"
    "policy: {id: demo, version: '%s', date: %s, languages: [fr, en]}\n"
    "controller: {legal_name: Demo SAS, address: '1 rue de Paris, 75001 Paris', country: FR, email: privacy@example.org}\n"
    "dpo: {appointed: false, reason: small}\n"
    "authority: CNIL\n"
    "hosting: {countries: [FR]}\n"
    "security: {transport: {tls: '1.2'}, password: {profile: cnil-restricted, min_length: 12}, session: {idle: 30m, absolute: 12h}}\n"
    "rights: {channels: {profile: true, email: privacy@example.org}, answer_within: 1mo}\n";

static void write_policy(struct fixture *f, const char *policy)
{
    char file[96];
    snprintf(file, sizeof file, "%s/policy.yaml", f->dir);
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fprintf(out, heading, f->version[0] ? f->version : "1.0",
            f->date[0] ? f->date : "2026-01-01");
    fputs(policy, out);
    fclose(out);
}

void fixture_file(struct fixture *f, const char *policy) { write_policy(f, policy); }

void fixture_date(struct fixture *f, const char *version, const char *date)
{
    snprintf(f->version, sizeof f->version, "%s", version);
    snprintf(f->date, sizeof f->date, "%s", date);
}

static void open_app(struct fixture *f)
{
    struct findings findings = { 0 };
    char file[96], data[96], clock[96];
    snprintf(file, sizeof file, "%s/policy.yaml", f->dir);
    snprintf(data, sizeof data, "%s/data", f->dir);
    snprintf(clock, sizeof clock, "%s/clock", f->dir);
    struct app_options o = { .policy_file = text_of(file),
                             .data_dir = text_of(data),
                             .clock_file = text_of(clock),
                             .create = true,
                             .public_url = TEXT("https://demo.example"),
                             .papers = &house_papers };
    if (app_open(&f->arena, &o, &findings, &f->app) != OK) {
        for (struct finding *x = findings.first; x; x = x->next)
            print_error("%u:%u %.*s\n", x->at.line, x->at.column, T(x->message));
        fail_msg("%s", f->arena.why.detail);
    }
    ctx_begin(f->app, &f->arena, &f->c);
    f->c.language = TEXT("en");
    fixture_as(f, "app");
}

void fixture_open(struct fixture *f, const char *policy)
{
    char clock[96];
    *f = (struct fixture){ .arena = arena_make(256 << 20) };
    snprintf(f->dir, sizeof f->dir, "/tmp/garant-domain-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(clock, sizeof clock, "%s/clock", f->dir);
    int fd = open(clock, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0 && ftruncate(fd, 8) == 0);
    f->clock = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    assert_true(f->clock != MAP_FAILED);
    *f->clock = moment("2026-01-10T08:00:00Z");
    write_policy(f, policy);
    open_app(f);
}

void fixture_close(struct fixture *f)
{
    char command[128];
    ctx_end(&f->c);
    app_close(&f->app);
    arena_free(&f->arena);
    munmap(f->clock, 8);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
}

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    fixture_open(f, *state);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

void fixture_again(struct fixture *f, const char *policy)
{
    ctx_end(&f->c);
    app_close(&f->app);
    if (policy)
        write_policy(f, policy);
    open_app(f);
}

void fixture_alter(struct fixture *f, const char *file, const char *sql)
{
    sqlite3 *db = NULL;
    char path[128], *why = NULL;
    snprintf(path, sizeof path, "%s/data/%s.db", f->dir, file);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

static enum err run_bind(struct db *db, struct write *w) { return ledger_bind_all(db, &w->event.count); }

static void bind_anew(struct fixture *f, struct store *s)
{
    struct write w = { .run = run_bind, .event = { .act = TEXT("ledger.bound"), .actor = TEXT("garant") } };
    OKAY(store_write(s, &f->arena, &w));
}

void fixture_plant(struct fixture *f, const char *sql)
{
    fixture_alter(f, "data", sql);
    bind_anew(f, f->app->store);
}

void fixture_altered_unbound(struct fixture *f, const char *keys, const char *data)
{
    ctx_end(&f->c);
    app_close(&f->app);
    fixture_alter(f, "keys", keys);
    fixture_alter(f, "data", data);
    open_app(f);
}

void fixture_altered(struct fixture *f, const char *keys, const char *data)
{
    struct store *s = NULL;
    char dir[128];
    ctx_end(&f->c);
    app_close(&f->app);
    fixture_alter(f, "keys", keys);
    fixture_alter(f, "data", data);
    snprintf(dir, sizeof dir, "%s/data", f->dir);
    struct store_options o = { .dir = text_of(dir), .clock = { (const _Atomic int64_t *)f->clock } };
    OKAY(store_open(&f->arena, &o, &s));
    bind_anew(f, s);
    store_close(&s);
    open_app(f);
}

void fixture_at(struct fixture *f, const char *time)
{
    *f->clock = moment(time);
    fixture_ahead(f, 0);
}

void fixture_ahead(struct fixture *f, msec by)
{
    struct actor actor = f->c.actor;
    *f->clock += by;
    ctx_end(&f->c);
    ctx_begin(f->app, &f->arena, &f->c);
    f->c.language = TEXT("en");
    f->c.actor = actor;
}

void fixture_as(struct fixture *f, const char *actor)
{
    if (text_eq(text_of(actor), TEXT("operator"))) {
        OKAY(actor_operator(&f->c, TEXT("")));
        return;
    }
    int index = policy_actor(f->c.policy, text_of(actor));
    assert_true(index >= 0);
    f->c.actor = (struct actor){
        .kind = f->c.policy->actors[index].kind, .index = index, .name = text_of(actor), .token = text_of(actor)
    };
}

void assert_okay(const struct arena *a, enum err status, const char *what, int line)
{
    if (status != OK)
        fail_msg("line %d: %s: %.*s: %s", line, what, T(err_row(status)->slug), a->why.detail);
}

const struct json *js(struct fixture *f, const char *format, ...)
{
    va_list args;
    BUF_AUTO b = buf_make(1 << 16);
    va_start(args, format);
    buf_vprint(&b, format, args);
    va_end(args);
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == '\'')
            b.p[i] = '"';
    return parsed(f, built(&b));
}

text whole(struct fixture *f, struct answer *answer)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    text out = answer->body;
    if (!answer->pieces)
        return out;
    OKAY(pieces_whole(&f->arena, answer->pieces, &b));
    OKAY(buf_take(&f->arena, &b, &out));
    return out;
}

const struct json *parsed(struct fixture *f, text body)
{
    const struct json *v = NULL;
    OKAY(json_parse(&f->arena, body, &v));
    return v;
}

const struct json *at_path(const struct json *v, const char *path)
{
    text rest = text_of(path);
    while (v && rest.p) {
        text name = text_cut(&rest, '.');
        int64_t number;
        if (v->kind == J_ARRAY && text_int(name, &number)) {
            v = v->first;
            while (v && number--)
                v = v->next;
        } else
            v = json_get(v, name);
    }
    if (!v)
        fail_msg("nothing stands at %s", path);
    return v;
}

int64_t int_at(const struct json *v, const char *path)
{
    int64_t n;
    assert_true(json_int(at_path(v, path), &n));
    return n;
}

text text_at(const struct json *v, const char *path) { return at_path(v, path)->value; }

msec moment(const char *time)
{
    msec t;
    assert_true(time_parse(text_of(time), &t));
    return t;
}

text person_made(struct fixture *f, const char *email, const char *more)
{
    struct answer out = { 0 };
    OKAY(subject_create(&f->c, js(f, "{'source':'person','data':{'contact':{'email':'%s'}%s}}", email, more), &out));
    return out.id;
}

text record_added(struct fixture *f, text id, const char *category, const char *fields)
{
    struct answer out = { 0 };
    OKAY(subject_add_record(&f->c, id, text_of(category), js(f, "{'fields':%s}", fields), &out));
    return text_at(parsed(f, out.body), "item");
}

void charter_accepted(struct fixture *f, const char *recipient)
{
    struct ctx c = f->c;
    struct answer own = { 0 };
    text name = text_of(recipient);
    c.actor = (struct actor){ .kind = ACTOR_RECIPIENT, .index = policy_actor(c.policy, name), .name = name };
    OKAY(charter_own(&c, &own));
    const struct json *said = parsed(f, own.body);
    const struct json *in = js(f, "{'read':true,'name':'Ana Souza','version':'%.*s','hash':'%.*s','language':'%.*s'}",
                               T(json_text(said, TEXT("version"))), T(json_text(said, TEXT("hash"))),
                               T(json_text(said, TEXT("language"))));
    OKAY(charter_accept(&c, in, TEXT("token"), &own));
}

text person_lived(struct fixture *f, const struct life *life)
{
    struct answer out = { 0 };
    text id = person_made(f, life->email, arena_print(&f->arena, ",'identity':{'name':'%s'}", life->name).p);
    record_added(f, id, "visits", arena_print(&f->arena, "{'page':'%s'}", life->page).p);
    record_added(f, id, "invoices", arena_print(&f->arena, "{'number':'%s'}", life->invoice).p);
    f->c.if_match = -1;
    OKAY(subject_patch(&f->c, id, js(f, "{'identity':{'name':'%s'}}", life->renamed), TEXT("partner"), TEXT("service"),
                       &out));
    f->c.if_match = 0;
    OKAY(attachment_add(&f->c, id, TEXT("identity"), text_of(life->file), TEXT("text/plain"), text_of(life->content),
                        &out));
    OKAY(consent_record(&f->c, id, js(f, "{'purpose':'news','decision':'given','wording':'News by mail'}"), &out));
    charter_accepted(f, "carrier");
    OKAY(disclosure_make(&f->c, id, js(f, "{'recipient':'carrier','purpose':'service','categories':['contact']}"),
                         &out));
    return id;
}

const struct json *erased(struct fixture *f, text id)
{
    struct answer out = { 0 };
    OKAY(erase_subject(&f->c, id, NULL, &out));
    return parsed(f, out.body);
}

const struct json *swept(struct fixture *f)
{
    struct answer out = { 0 };
    OKAY(retention_sweep(&f->c, &out));
    return parsed(f, out.body);
}

/* SQL of the test's own, on a connection of its own. */
int64_t rows_of(struct fixture *f, const char *table, const char *where)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    char path[128], sql[512];
    bool keys = text_eq(text_of(table), TEXT("key"));
    snprintf(path, sizeof path, "%s/data/%s.db", f->dir, keys ? "keys" : "data");
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM \"%s\" %s%s", table, where[0] ? "WHERE " : "", where);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

bool files_hold(struct fixture *f, text bytes)
{
    static const char *const names[] = { "data.db", "data.db-wal", "keys.db", "keys.db-wal" };
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/data/%s", f->dir, names[i]);
        FILE *in = fopen(path, "r");
        if (!in)
            continue;
        fseek(in, 0, SEEK_END);
        long size = ftell(in);
        rewind(in);
        char *all = malloc((size_t)size + 1);
        assert_int_equal(fread(all, 1, (size_t)size, in), size);
        found |= memmem(all, (size_t)size, bytes.p, bytes.n) != NULL;
        free(all);
        fclose(in);
    }
    return found;
}

struct opening {
    struct fixture *f;
    struct person *p;
    struct ticket_put ticket;
};

static enum err run_opening(struct db *db, struct write *w)
{
    const struct opening *o = w->arg;
    text tenant = o->f->c.tenant;
    TRY(db_run(db, SQL_ACCOUNT_ADD, NULL,
               ARGS(V_TEXT(tenant), V_ID(o->p->id), V_TEXT(ACCOUNT_OPEN), V_NULL, V_NULL, V_INT(o->f->c.now),
                    V_TEXT(TEXT("app")))));
    TRY(db_run(db, SQL_TEAM_ADD, NULL, ARGS(V_TEXT(tenant), V_ID(o->p->id), V_ID(o->p->id), V_INT(o->f->c.now))));
    return ticket_run_put(db, &o->ticket, true);
}

text signed_in(struct fixture *f, text id)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct opening o = { .f = f, .p = &p };
    text secret;
    OKAY(person_open(&f->c, id, false, &p));
    OKAY(ticket_make(&f->c, &p, TEXT("reset"), TEXT("{}"), f->c.now + DAY, &o.ticket));
    struct write w = { .run = run_opening, .arg = &o, .event = event_of(&f->c, &p, TEXT("subject.update")) };
    OKAY(write_do(&f->c, &w, NULL));
    OKAY(account_load(&f->c, p.id, &account));
    OKAY(session_begin(&f->c, &p, &account, false, &secret));
    f->c.session = NULL;
    fixture_as(f, "app");
    return secret;
}

struct giving {
    struct fixture *f;
    struct person *p;
    sealed password;
};

static enum err run_giving(struct db *db, struct write *w)
{
    const struct giving *g = w->arg;
    return db_run(db, SQL_ACCOUNT_PASSWORD, NULL,
                  ARGS(V_TEXT(g->f->c.tenant), V_ID(g->p->id), V_SEALED(g->password), V_INT(g->f->c.now)));
}

void password_given(struct fixture *f, text id, const char *password)
{
    PERSON_AUTO p = { 0 };
    struct giving g = { .f = f, .p = &p };
    OKAY(person_open(&f->c, id, false, &p));
    OKAY(password_seal(&f->c, &p, text_of(password), &g.password));
    struct write w = { .run = run_giving, .arg = &g, .event = event_of(&f->c, &p, TEXT("password.changed")) };
    OKAY(write_do(&f->c, &w, NULL));
}
