/* Applications: the message of a step, where they call back, and what they say that they did. */
#include "domain/connector/inside.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/mail/mail.h"
#include "domain/person/account.h"

enum { WAIT_DAYS = 3, WAIT_DAYS_MAX = 30, TABLES_MAX = 200, NAME_MAX_ = 100, SAID_MAX = 200, CALL_TRIES = 8 };

static const text use = TEXT_INIT("connector.called");

/* ---- Where it calls back. ---- */

static msec wait_of(const struct node *store)
{
    int64_t days;
    bool said = text_int(node_text(store, TEXT("wait_days")), &days) && days > 0 && days <= WAIT_DAYS_MAX;
    return (said ? days : WAIT_DAYS) * DAY;
}

/* What nobody can guess without the job's key, and this server can make again until that key is destroyed: so that a
 * message has the same id and address for all its tries, and no token is kept. */
static text secret_of(struct ctx *c, const struct key *key, const struct connector_job *j,
                      const struct connector_part *p, const char *what)
{
    struct digest d;
    BUF_AUTO b = buf_make(64);
    text place = arena_print(c->arena, "%.*s.%.*s.%lld", T(p->store), T(p->step), (long long)p->round);
    text job = id_print(c->arena, j->id);
    if (!place.p || !job.p)
        return (text){ NULL, 0 };
    struct key own;
    key_derive(key, text_of(what), &own);
    digest_identifier(&own, c->tenant, job, place, &d);
    key_wipe(&own);
    buf_base64url(&b, TEXT_BYTES(d));
    return buf_made(c->arena, &b);
}

static text digest_of(struct ctx *c, text token)
{
    struct digest d = secret_digest(c, use, token);
    BUF_AUTO b = buf_make(2 * sizeof d + 1);
    buf_hex(&b, TEXT_BYTES(d));
    return buf_made(c->arena, &b);
}

enum err connector_message(struct ctx *c, const struct connector_job *j, struct connector_part *p,
                           const struct node *store, text step, struct connector_message *out, bool *made)
{
    KEY_AUTO key;
    TRY(store_key(ctx_store(c), c->arena, c->tenant, j->id, CONNECTOR_KEY, &key));
    *made = !p->called.n || !text_eq(p->step, step) || p->until <= c->now;
    if (*made) {
        p->step = step;
        p->round++;
        p->until = c->now + wait_of(store);
        p->state = TEXT("open");
    }
    text token = secret_of(c, &key, j, p, "connector.callback");
    TRY_PTR(token.p);
    if (*made)
        p->called = digest_of(c, token);
    out->id = secret_of(c, &key, j, p, "connector.message");
    out->until = p->until;
    if (c->app->public_url[0])
        out->url = mail_link(c, arena_print(c->arena, "/v1/called/%.*s/%.*s/%.*s", T(c->tenant),
                                            T(id_print(c->arena, j->id)), T(token)));
    return arena_whole(c->arena);
}

void connector_part_over(struct connector_part *p, bool done)
{
    p->called = TEXT("");
    p->why = (struct connector_why){ .en = TEXT("") };
    p->tries = 0;
    p->state = done ? TEXT("done") : TEXT("open");
}

/* ---- What it says that it did. ---- */

/* The name of a table, a reason's code: never a value of a person. */
static bool is_name(text s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (!letter && text_index(TEXT("_-."), ch) < 0)
            return false;
    }
    return s.n > 0 && s.n <= NAME_MAX_;
}

static bool is_said(text s) { return s.n <= SAID_MAX && text_utf8(s); }

/* What is wrong with it. */
enum wrong {
    WRONG_not,
    WRONG_state,
    WRONG_name,
    WRONG_counts,
    WRONG_copy,
    WRONG_rows,
    WRONG_ground,
    WRONG_tables,
    WRONG_remains,
    WRONG_remain,
};
static const struct {
    text en, fr;
} wrongs[] = {
    [WRONG_state] = { TEXT_INIT("the application tells of a state that is not \"done\""),
                      TEXT_INIT("l'application annonce un état qui n'est pas « done »") },
    [WRONG_name] = { TEXT_INIT("the application tells of a table without a name of letters, digits, _ - and ."),
                     TEXT_INIT("l'application annonce une table sans nom fait de lettres, chiffres, _ - et .") },
    [WRONG_counts] = { TEXT_INIT("the application tells of counts that are none"),
                       TEXT_INIT("l'application annonce des nombres qui n'en sont pas") },
    [WRONG_copy] = { TEXT_INIT("the application tells of a copy without its rows"),
                     TEXT_INIT("l'application annonce une copie sans ses lignes") },
    [WRONG_rows] = { TEXT_INIT("the application tells of rows that are neither erased, changed nor kept"),
                     TEXT_INIT("l'application annonce des lignes ni effacées, ni changées, ni gardées") },
    [WRONG_ground] = { TEXT_INIT("the application tells of rows kept without a ground"),
                       TEXT_INIT("l'application annonce des lignes gardées sans motif") },
    [WRONG_tables] = { TEXT_INIT("the application tells of tables that are no list"),
                       TEXT_INIT("l'application annonce des tables qui ne sont pas une liste") },
    [WRONG_remains] = { TEXT_INIT("the application tells of remains that are no list"),
                        TEXT_INIT("l'application annonce des restes qui ne sont pas une liste") },
    [WRONG_remain] = { TEXT_INIT("the application tells of remains without a name"),
                       TEXT_INIT("l'application annonce des restes sans nom") },
};

/* A count; absent: 0. False for what is none. */
static bool count_of(const struct json *t, const char *name, int64_t *out)
{
    const struct json *n = json_get(t, text_of(name));
    *out = 0;
    return !n || (json_int(n, out) && *out >= 0 && *out < 1000000000000);
}

static text or_null(text s) { return s.n ? s : (text){ NULL, 0 }; }

static bool are_rows(const struct json *rows)
{
    if (!rows || rows->kind != J_ARRAY)
        return false;
    JSON_EACH(row, rows) {
        if (row->kind != J_OBJECT)
            return false;
        JSON_EACH(cell, row)
            if (cell->kind == J_ARRAY || cell->kind == J_OBJECT)
                return false;
    }
    return true;
}

static enum wrong put_table(const struct json *t, text act, struct json_out *w)
{
    text name = json_text(t, TEXT("table")), ground = json_text(t, TEXT("ground")), until = json_text(t, TEXT("until"));
    const struct json *rows = json_get(t, TEXT("rows"));
    int64_t found, erased, changed, kept;
    if (!is_name(name))
        return WRONG_name;
    if (!count_of(t, "found", &found) || !count_of(t, "erased", &erased) || !count_of(t, "changed", &changed) ||
        !count_of(t, "kept", &kept) || !is_said(ground) || !is_said(until))
        return WRONG_counts;
    if (text_eq(act, TEXT("copy")) && !are_rows(rows))
        return WRONG_copy;
    if (text_eq(act, TEXT("erase")) && found > erased + changed + kept)
        return WRONG_rows;
    if (kept && !ground.n)
        return WRONG_ground;
    json_open(w, '{');
    json_pair(w, TEXT("table"), name);
    if (text_eq(act, TEXT("copy"))) {
        json_name(w, TEXT("rows"));
        json_put(w, rows);
    } else {
        json_pair(w, TEXT("action"), TEXT("told"));
        json_pair_int(w, TEXT("found"), found);
        json_pair_int(w, TEXT("erased"), erased);
        json_pair_int(w, TEXT("changed"), changed);
        json_pair_int(w, TEXT("kept"), kept);
        json_pair(w, TEXT("ground"), or_null(ground));
        json_pair(w, TEXT("until"), or_null(until));
    }
    json_close(w, '}');
    return WRONG_not;
}

static enum wrong put_tables(const struct json *all, text act, struct json_out *w)
{
    enum wrong wrong = WRONG_not;
    json_name(w, TEXT("tables"));
    json_open(w, '[');
    if (all && (all->kind != J_ARRAY || all->count > TABLES_MAX))
        wrong = WRONG_tables;
    JSON_EACH(t, wrong ? NULL : all)
        wrong = wrong ? wrong : put_table(t, act, w);
    json_close(w, ']');
    return wrong;
}

static void put_remain(struct json_out *w, text what, text days)
{
    json_open(w, '{');
    json_pair(w, TEXT("what"), what);
    json_pair(w, TEXT("days"), or_null(days));
    json_close(w, '}');
}

/* What it says, and the backups that the map tells of; where neither does, that they may hold it. */
static enum wrong put_remains(const struct node *store, const struct json *all, struct json_out *w)
{
    const struct node *days = node_get(store, TEXT("backup_days"));
    bool backups = false;
    if (all && (all->kind != J_ARRAY || all->count > TABLES_MAX))
        return WRONG_remains;
    json_name(w, TEXT("remains"));
    json_open(w, '[');
    JSON_EACH(r, all) {
        const struct json *n = json_get(r, TEXT("days"));
        text what = json_text(r, TEXT("what"));
        int64_t of;
        if (!is_name(what) || !count_of(r, "days", &of))
            return WRONG_remain;
        put_remain(w, what, n ? n->value : TEXT(""));
        backups |= text_eq(what, TEXT("backups"));
    }
    if (!backups)
        put_remain(w, TEXT("backups"), days ? days->value : TEXT(""));
    json_close(w, ']');
    return WRONG_not;
}

static enum err put_failed(struct ctx *c, enum wrong wrong, const struct json **answer)
{
    BUF_AUTO b = buf_make(2048);
    struct json_out w = json_out(&b);
    say_told(c->arena, ERR_VALUE, wrongs[wrong].en, wrongs[wrong].fr);
    struct connector_why why = connector_why(c);
    json_open(&w, '{');
    json_pair(&w, TEXT("state"), TEXT("failed"));
    connector_why_put(&w, &why);
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, answer);
}

enum err connector_told(struct ctx *c, const struct node *store, text act, const struct json *told,
                        const struct json **answer)
{
    text state = json_text(told, TEXT("state"));
    enum wrong wrong = state.n && !text_eq(state, TEXT("done")) ? WRONG_state : WRONG_not;
    BUF_AUTO b = buf_make(20 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("state"), TEXT("done"));
    wrong = wrong ? wrong : put_tables(json_get(told, TEXT("tables")), act, &w);
    if (text_eq(act, TEXT("erase")))
        wrong = wrong ? wrong : put_remains(store, json_get(told, TEXT("remains")), &w);
    json_close(&w, '}');
    return wrong ? put_failed(c, wrong, answer) : json_parse_buf(c->arena, &b, answer);
}

/* ---- It calls back. ---- */

static enum err no_call(struct ctx *c)
{
    return say(c->arena, ERR_NOT_FOUND, "this address is not valid, or no longer");
}

static enum err find_part(struct ctx *c, text token, struct connector_job *j, struct connector_part **out)
{
    text digest = digest_of(c, token);
    TRY_PTR(digest.p);
    for (unsigned i = 0; i < j->count; i++) {
        struct connector_part *p = &j->parts[i];
        if (p->called.n && text_eq(p->called, digest) && p->until > c->now) {
            *out = p;
            return OK;
        }
    }
    return no_call(c);
}

static void it_failed(struct ctx *c, struct connector_part *p, text code)
{
    int64_t tries = p->tries + 1;
    connector_part_over(p, false);
    p->tries = tries;
    say(c->arena, ERR_BUSY, "the application called back that it failed: %.*s", T(code));
    p->why = connector_why(c);
}

static enum err take_call(struct ctx *c, struct subject_id id, text token, const struct json *in)
{
    struct connector_job j;
    struct connector_map m;
    struct connector_part *p = NULL;
    const struct json *answer;
    text code = json_text(in, TEXT("code"));
    enum err e = connector_load(c, id, &j);
    TRY(e == ERR_NOT_FOUND ? no_call(c) : e);
    TRY(find_part(c, token, &j, &p));
    if (text_eq(json_text(in, TEXT("state")), TEXT("failed"))) {
        it_failed(c, p, is_name(code) ? code : TEXT("no-code"));
        return connector_put(c, &j, TEXT("connector.called"));
    }
    TRY(connector_map_read(c, &m));
    TRY(connector_told(c, node_get(m.stores, p->store), p->step, in, &answer));
    if (!text_eq(json_text(answer, TEXT("state")), TEXT("done"))) {
        struct connector_why why = connector_why_of(answer);
        return say_told(c->arena, ERR_VALUE, why.en, why.fr);
    }
    bool counts = text_eq(p->step, TEXT("count"));
    if (counts)
        p->counted = json_get(answer, TEXT("tables"));
    else
        p->answer = answer;
    connector_part_over(p, !counts);
    return connector_put(c, &j, TEXT("connector.called"));
}

/* The courier may write the same job at that moment; the token is asked about anew each time. */
enum err connector_called(struct ctx *c, text tenant, text job, text token, const struct json *in)
{
    struct subject_id id;
    enum err e = ERR_PRECONDITION;
    if (!actor_known_tenant(c->policy, tenant, &c->tenant) || !id_parse(job, &id))
        return no_call(c);
    c->actor = (struct actor){ .kind = ACTOR_NOBODY, .index = -1, .name = TEXT("application") };
    for (unsigned i = 0; i < CALL_TRIES && e == ERR_PRECONDITION; i++)
        e = take_call(c, id, token, in);
    atomic_store(&c->app->stores_due, true);
    return e;
}
