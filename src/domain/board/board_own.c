/* What the board sees at one glance: versions, duties, holds, erasures, backups, places, recipients, the master key. */
#include "domain/board/board_inside.h"
#include "domain/core/context.h"
#include "domain/core/feature.h"
#include "domain/account/password.h"
#include "domain/person/account.h"
#include "policy/due.h"
#include "policy/schema.h"
#include <fcntl.h>
#include <unistd.h>

enum { SOON_DAYS = 3, FILE_MAX = 1 << 20, MASTER_YEARS = 2, LISTED = 1000 };

/* ---- The notice: versions as they were, the file as it runs. ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Whether the file still is the text that runs; false as well when it cannot be read. */
static bool file_is(struct arena *a, const char *path, text source)
{
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *p = fd >= 0 ? arena_alloc(a, FILE_MAX + 1) : NULL;
    ssize_t n = 0;
    text found = { p, 0 };
    if (!p)
        return false;
    while (found.n <= FILE_MAX && (n = read(fd, p + found.n, FILE_MAX + 1 - found.n)) > 0)
        found.n += (size_t)n;
    return n == 0 && text_eq(found, source);
}

static enum err look_at_versions(struct board_step *s, struct db *db)
{
    const struct policy *p = s->c->policy;
    bool in_force = false;
    char hex[65];
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_VERSION_ALL, NULL, 0);
    while (query_next(&q)) {
        digest_hex(query_get(&q, POLICY_VERSION_ALL, text), hex);
        fact_looked(s->facts, PROBE_notice, 1);
        if (!text_eq(text_of(hex), query_get(&q, POLICY_VERSION_ALL, hash)))
            fact_bad(s->facts, PROBE_notice, 1);
        in_force |= text_eq(query_get(&q, POLICY_VERSION_ALL, hash), text_of(p->hash));
    }
    TRY(q.status);
    fact_bad(s->facts, PROBE_notice, !in_force);
    struct term review;
    bool due = term_parse(node_text(node_get(p->root, TEXT("policy")), TEXT("review")), &review) &&
               review.unit != TERM_ALWAYS && term_end(date_start(p->date), review, 1) <= s->c->now;
    fact_soon(s->facts, PROBE_notice, due);
    fact_soon(s->facts, PROBE_notice,
              s->c->app->policy_file[0] && !file_is(s->c->arena, s->c->app->policy_file, p->source));
    return OK;
}

/* ---- Duties, holds, erasures. ---- */

static enum err look_at_duties(struct board_step *s, struct db *db)
{
    msec now = s->c->now;
    QUERY_AUTO q;
    query_start(&q, db, SQL_DUTY_FIGURES, ARGS(V_INT(now), V_INT(now + SOON_DAYS * DAY)));
    if (query_next(&q)) {
        fact_looked(s->facts, PROBE_duties, query_get(&q, DUTY_FIGURES, owed));
        fact_bad(s->facts, PROBE_duties, query_get(&q, DUTY_FIGURES, late));
        fact_soon(s->facts, PROBE_duties, query_get(&q, DUTY_FIGURES, soon));
    }
    return q.status;
}

static enum err look_at_requests(struct board_step *s, struct db *db)
{
    msec now = s->c->now;
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_FIGURES, ARGS(V_INT(now), V_INT(now + SOON_DAYS * DAY)));
    if (query_next(&q)) {
        fact_looked(s->facts, PROBE_register, query_get(&q, DSR_FIGURES, open));
        fact_bad(s->facts, PROBE_register, query_get(&q, DSR_FIGURES, late));
        fact_soon(s->facts, PROBE_register, query_get(&q, DSR_FIGURES, soon));
    }
    return q.status;
}

/* ---- The rights of people, each by what the register tells of it. ---- */

static void fact_right(struct board_step *s, const char *path, text word, int64_t count, int64_t bad)
{
    text own = word.n ? arena_print(s->c->arena, "%s=%.*s", path, T(word)) : text_of(path);
    fact_looked(s->facts, PROBE_rights, count);
    fact_bad(s->facts, PROBE_rights, bad);
    if (own.p)
        fact_clause(s->facts, PROBE_rights, own, count, bad);
}

/* Where it is free, nothing that staff wrote to a person asks for money. */
static enum err look_at_prices(struct board_step *s, struct db *db)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_PRICED, NULL, 0);
    if (query_next(&q))
        fact_right(s, "rights.fee", TEXT(""), query_get(&q, DSR_PRICED, count), query_get(&q, DSR_PRICED, priced));
    return q.status;
}

static enum err look_at_rights(struct board_step *s, struct db *db)
{
    const struct node *rights = node_get(s->c->policy->root, TEXT("rights"));
    const struct node *offered = node_get(rights, TEXT("offered"));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_BY_KIND, ARGS(V_INT(s->c->now)));
    while (query_next(&q)) {
        text kind = query_get(&q, DSR_BY_KIND, kind);
        int64_t count = query_get(&q, DSR_BY_KIND, count), late = query_get(&q, DSR_BY_KIND, late);
        if (text_eq(kind, TEXT("post_mortem")))
            fact_right(s, "rights.post_mortem", TEXT(""), count, late);
        else if (node_has(offered, kind))
            fact_right(s, "rights.offered", kind, count, late);
        else
            fact_looked(s->facts, PROBE_rights, count);
    }
    TRY(q.status);
    bool never = text_eq(node_text(node_get(rights, TEXT("identity")), TEXT("when")), TEXT("never"));
    QUERY_AUTO steps;
    query_start(&steps, db, SQL_DSR_UNSAID, NULL, 0);
    while (query_next(&steps)) {
        bool refusal = text_eq(query_get(&steps, DSR_UNSAID, move), TEXT("refuse"));
        int64_t count = query_get(&steps, DSR_UNSAID, count), unsaid = query_get(&steps, DSR_UNSAID, unsaid);
        fact_right(s, refusal ? "rights.refusal" : "rights.identity.when", TEXT(""), count,
                   never && !refusal ? count : unsaid);
    }
    TRY(steps.status);
    const struct node *fee = node_get(rights, TEXT("fee"));
    return fee && text_eq(fee->value, TEXT("false")) ? look_at_prices(s, db) : OK;
}

/* ---- The platform's own stores. ---- */

static enum err look_at_stores(struct board_step *s, struct db *db)
{
    enum { LATE_DAYS = 31 };
    int64_t unreached = 0;
    fact_looked(s->facts, PROBE_stores, s->c->policy->hosting.store_count);
    TRY(feature_unreached(s->c, &unreached));
    fact_soon(s->facts, PROBE_stores, unreached);
    QUERY_AUTO q;
    query_start(&q, db, SQL_CONNECTOR_FIGURES, ARGS(V_INT(s->c->now - LATE_DAYS * DAY)));
    if (query_next(&q)) {
        fact_looked(s->facts, PROBE_stores, query_get(&q, CONNECTOR_FIGURES, count));
        fact_bad(s->facts, PROBE_stores, query_get(&q, CONNECTOR_FIGURES, late));
    }
    return q.status;
}

/* What passed its term goes at the next turn of the clock's work; a sign that nobody looked at waits for somebody. */
static enum err look_at_breaches(struct board_step *s, struct db *db)
{
    msec now = s->c->now;
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_FIGURES, ARGS(V_INT(now), V_INT(now - BOARD_GRACE)));
    if (query_next(&q)) {
        const struct retention *kept = policy_retention(s->c->policy, TEXT("breaches"));
        int64_t late = query_get(&q, BREACH_FIGURES, late), over = query_get(&q, BREACH_FIGURES, over);
        fact_looked(s->facts, PROBE_breaches, query_get(&q, BREACH_FIGURES, open));
        fact_bad(s->facts, PROBE_breaches, late);
        fact_soon(s->facts, PROBE_breaches, query_get(&q, BREACH_FIGURES, soon) - late);
        fact_bad(s->facts, PROBE_retention, over);
        if (kept)
            fact_clause(s->facts, PROBE_retention, kept->clause.path, query_get(&q, BREACH_FIGURES, kept), over);
    }
    TRY(q.status);
    QUERY_AUTO signs;
    query_start(&signs, db, SQL_BREACH_SIGN_FIGURES, NULL, 0);
    if (query_next(&signs))
        fact_soon(s->facts, PROBE_breaches, query_get(&signs, BREACH_SIGN_FIGURES, waiting));
    return signs.status;
}

static enum err look_at_proofs(struct board_step *s, struct db *db)
{
    msec now = s->c->now;
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_PROOF_FIGURES, ARGS(V_INT(now), V_INT(now - BOARD_GRACE)));
    if (query_next(&q)) {
        fact_looked(s->facts, PROBE_identity, query_get(&q, DSR_PROOF_FIGURES, kept));
        fact_bad(s->facts, PROBE_identity, query_get(&q, DSR_PROOF_FIGURES, late));
        fact_soon(s->facts, PROBE_identity,
                  query_get(&q, DSR_PROOF_FIGURES, ended) - query_get(&q, DSR_PROOF_FIGURES, late));
    }
    return q.status;
}

static enum err look_at_mergers(struct board_step *s, struct db *db)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_MERGER_FIGURES, NULL, 0);
    if (query_next(&q)) {
        fact_looked(s->facts, PROBE_mergers, query_get(&q, MERGER_FIGURES, passed));
        fact_bad(s->facts, PROBE_mergers, query_get(&q, MERGER_FIGURES, early));
    }
    return q.status;
}

static enum err look_at_authorities(struct board_step *s, struct db *db)
{
    int64_t handed = 0, bad = 0;
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_AUTHORITY_FIGURES, ARGS(V_INT(s->c->now - BOARD_GRACE)));
        if (query_next(&q)) {
            handed = query_get(&q, AUTHORITY_FIGURES, handed);
            bad = query_get(&q, AUTHORITY_FIGURES, late) + query_get(&q, AUTHORITY_FIGURES, loose);
            fact_soon(s->facts, PROBE_authorities, query_get(&q, AUTHORITY_FIGURES, secret));
        }
        TRY(q.status);
    }
    QUERY_AUTO q;
    query_start(&q, db, SQL_AUTHORITY_ASTRAY, NULL, 0);
    if (query_next(&q))
        bad += query_get(&q, AUTHORITY_ASTRAY, count);
    fact_looked(s->facts, PROBE_authorities, handed);
    fact_bad(s->facts, PROBE_authorities, bad);
    return q.status;
}

static enum err look_at_holds(struct board_step *s, struct db *db)
{
    msec now = s->c->now;
    QUERY_AUTO q;
    query_start(&q, db, SQL_HOLD_FIGURES, ARGS(V_INT(now), V_INT(now - BOARD_GRACE)));
    if (query_next(&q)) {
        fact_looked(s->facts, PROBE_holds, query_get(&q, HOLD_FIGURES, held));
        fact_bad(s->facts, PROBE_holds, query_get(&q, HOLD_FIGURES, late));
        fact_soon(s->facts, PROBE_holds, query_get(&q, HOLD_FIGURES, ended) - query_get(&q, HOLD_FIGURES, late));
    }
    return q.status;
}

static enum err look_at_erasures(struct board_step *s, struct db *db)
{
    msec now = s->c->now;
    QUERY_AUTO q;
    query_start(&q, db, SQL_CERTIFICATE_FIGURES, ARGS(V_INT(now - BOARD_GRACE)));
    if (query_next(&q)) {
        fact_looked(s->facts, PROBE_requests, query_get(&q, CERTIFICATE_FIGURES, erasures));
        fact_bad(s->facts, PROBE_requests, query_get(&q, CERTIFICATE_FIGURES, late));
        fact_soon(s->facts, PROBE_requests,
                  query_get(&q, CERTIFICATE_FIGURES, begun) - query_get(&q, CERTIFICATE_FIGURES, late));
    }
    return q.status;
}

/* ---- Sessions and links: of whom, and until when. ---- */

static enum err look_at_accounts(struct board_step *s, struct db *db)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_ENTRY_FIGURES,
                ARGS(V_INT(s->c->now - BOARD_GRACE), V_INT(s->c->now - BOARD_GRACE - LINK_REMEMBERED)));
    if (query_next(&q)) {
        fact_looked(s->facts, PROBE_accounts,
                    query_get(&q, ENTRY_FIGURES, sessions) + query_get(&q, ENTRY_FIGURES, tickets));
        fact_bad(s->facts, PROBE_accounts,
                 query_get(&q, ENTRY_FIGURES, astray) + query_get(&q, ENTRY_FIGURES, ownerless));
        fact_soon(s->facts, PROBE_accounts, query_get(&q, ENTRY_FIGURES, ended));
    }
    return q.status;
}

/* ---- The server's own records under terms of their own. ---- */

static enum err count_over(struct db *db, enum sql list, msec cutoff, int64_t *out)
{
    QUERY_AUTO q = { 0 };
    *out = 0;
    if (cutoff <= 0)
        return OK;
    query_start(&q, db, list, ARGS(V_INT(cutoff), V_INT(LISTED)));
    while (query_next(&q))
        ++*out;
    return q.status;
}

static enum err look_at_own_terms(struct board_step *s, struct db *db)
{
    static const struct {
        const char *term;
        enum sql list;
    } owns[] = {
        { "consents", SQL_CONSENT_OVER },
        { "objections", SQL_OBJECTION_OVER },
        { "requests", SQL_CERTIFICATE_OVER },
        { "requests", SQL_DUTY_OVER },
    };
    for (size_t i = 0; i < sizeof owns / sizeof *owns; i++) {
        const struct retention *r = policy_retention(s->c->policy, text_of(owns[i].term));
        int64_t due, late;
        if (!r)
            continue;
        TRY(count_over(db, owns[i].list, retention_own_cutoff(r, s->c->now), &due));
        TRY(count_over(db, owns[i].list, retention_own_cutoff(r, s->c->now - BOARD_GRACE), &late));
        fact_bad(s->facts, PROBE_retention, late);
        fact_soon(s->facts, PROBE_retention, due - late);
        fact_clause(s->facts, PROBE_retention, r->clause.path, due, late);
    }
    return OK;
}

/* ---- Backups and the master key: by what the journal tells. ---- */

static void look_at_backups(struct board_step *s)
{
    const struct journal_round *r = &s->board->journal;
    struct term every;
    msec since = r->backup ? r->backup : r->first, now = s->c->now;
    bool said = term_parse(node_text(node_get(s->c->policy->root, TEXT("backup")), TEXT("every")), &every) &&
                every.unit != TERM_ALWAYS;
    if (!said || !since)
        return;
    msec end = term_end(since, every, 1);
    bool near = !r->backup ||
                (now - since) > (end - since) / 10 * 9; /* nothing is kept yet by what has not been made once */
    fact_looked(s->facts, PROBE_backups, (now - since) / HOUR);
    fact_bad(s->facts, PROBE_backups, now > end);
    fact_soon(s->facts, PROBE_backups, now <= end && near);
}

static void look_at_master(struct board_step *s)
{
    const struct journal_round *r = &s->board->journal;
    msec since = r->rotated ? r->rotated : r->first;
    if (!since)
        return;
    fact_looked(s->facts, PROBE_master, (s->c->now - since) / DAY);
    fact_soon(s->facts, PROBE_master, term_end(since, (struct term){ MASTER_YEARS, TERM_YEARS }, 1) <= s->c->now);
}

/* ---- Places and recipients. ---- */

static bool in_list(const struct policy *p, text country)
{
    for (unsigned i = 0; i < p->hosting.country_count; i++)
        if (text_eq(p->hosting.countries[i], country))
            return true;
    return false;
}

static void look_at_place(struct board_step *s, text country, bool inside, text path)
{
    fact_looked(s->facts, PROBE_hosting, 1);
    if (country.n && inside)
        return;
    (country.n ? fact_bad : fact_soon)(s->facts, PROBE_hosting, 1);
    if (country.n)
        fact_clause(s->facts, PROBE_hosting, path, 1, 1);
}

static void look_at_places(struct board_step *s)
{
    const struct policy *p = s->c->policy;
    const struct node *area = node_at(p->root, TEXT("hosting.area"));
    text here = text_of(s->c->app->country);
    if (!p->hosting.country_count)
        return;
    look_at_place(s, here, in_list(p, here), p->hosting.clause.path);
    for (unsigned i = 0; i < p->hosting.store_count; i++)
        look_at_place(s, p->hosting.stores[i].country, in_list(p, p->hosting.stores[i].country),
                      p->hosting.stores[i].clause.path);
    for (unsigned i = 0; area && i < p->actor_count; i++)
        if (p->actors[i].kind == ACTOR_RECIPIENT && p->actors[i].country.n)
            look_at_place(s, p->actors[i].country,
                          area_has(area, p->actors[i].country) || in_list(p, p->actors[i].country),
                          p->actors[i].clause.path);
}

static enum err look_at_disclosures(struct board_step *s, struct db *db)
{
    const struct policy *p = s->c->policy;
    QUERY_AUTO q;
    query_start(&q, db, SQL_DISCLOSURE_FIGURES, ARGS(V_TEXT(text_of(p->hash))));
    while (query_next(&q)) {
        text recipient = query_get(&q, DISCLOSURE_FIGURES, recipient);
        if (text_eq(recipient, TEXT("authorities"))) /* on a legal ground, and no recipient: look_at_authorities() */
            continue;
        int index = policy_actor(p, recipient);
        int64_t count = query_get(&q, DISCLOSURE_FIGURES, count);
        bool bound = index >= 0 && p->actors[index].kind == ACTOR_RECIPIENT && !p->actors[index].closed;
        fact_looked(s->facts, PROBE_recipients, count);
        fact_bad(s->facts, PROBE_recipients, bound ? 0 : count);
        if (index >= 0)
            fact_clause(s->facts, PROBE_recipients, p->actors[index].clause.path, count, bound ? 0 : count);
    }
    return q.status;
}

static bool asks_charter(const struct policy *p, text recipient, int *index)
{
    *index = policy_actor(p, recipient);
    return *index >= 0 && p->actors[*index].kind == ACTOR_RECIPIENT && p->actors[*index].charter;
}

/* Data goes to nobody who has not accepted the charter of today; an acceptance that lapsed is a risk. */
static enum err look_at_charters(struct board_step *s, struct db *db)
{
    const struct policy *p = s->c->policy;
    char en[65], fr[65];
    int index;
    digest_hex(p->charter.en, en);
    digest_hex(p->charter.fr, fr);
    const struct val words[] = { V_TEXT(text_of(p->hash)), V_TEXT(p->charter.version), V_TEXT(text_of(en)),
                                 V_TEXT(text_of(fr)) };
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_CHARTER_FIGURES, words, 4);
        while (query_next(&q)) {
            int64_t count = query_get(&q, CHARTER_FIGURES, count), bad = query_get(&q, CHARTER_FIGURES, bad);
            if (!asks_charter(p, query_get(&q, CHARTER_FIGURES, recipient), &index))
                continue;
            fact_looked(s->facts, PROBE_charters, count);
            fact_bad(s->facts, PROBE_charters, bad);
            fact_clause(s->facts, PROBE_charters, p->actors[index].clause.path, count, bad);
            fact_soon(s->facts, PROBE_charters, query_get(&q, CHARTER_FIGURES, never));
        }
        TRY(q.status);
    }
    QUERY_AUTO q;
    query_start(&q, db, SQL_CHARTER_LAPSED, words + 1, 3);
    while (query_next(&q))
        if (asks_charter(p, query_get(&q, CHARTER_LAPSED, recipient), &index))
            fact_soon(s->facts, PROBE_charters, query_get(&q, CHARTER_LAPSED, count));
    return q.status;
}

/* The server does not start where people would reach it in the clear: what may go wrong later is the certificate. */
static void look_at_ways_in(struct board_step *s)
{
    struct app *app = s->c->app;
    msec from = app->certificate_from, until = app->certificate_until, now = s->c->now;
    bool certificate = app->way_in == WAY_TLS;
    fact_looked(s->facts, PROBE_transport, 1 + (app->way_in != WAY_FOLDER));
    fact_bad(s->facts, PROBE_transport, certificate && now >= until);
    fact_soon(s->facts, PROBE_transport, certificate && now < until && now - from > (until - from) / 10 * 9);
}

/* Without its dictionary no new password is taken; and a cookie that a handler would have set outside the list was held
 * back. */
static void look_at_guards(struct board_step *s)
{
    fact_soon(s->facts, PROBE_passwords, password_rule_of(s->c->policy).blocklist && !password_dictionary());
    fact_soon(s->facts, PROBE_cookies, atomic_load(&s->c->app->cookies_held) > 0);
}

enum err board_instance(struct board_step *s)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(s->c), s->c->arena, &db));
    TRY(look_at_versions(s, db));
    TRY(look_at_duties(s, db));
    TRY(look_at_requests(s, db));
    TRY(look_at_rights(s, db));
    TRY(look_at_stores(s, db));
    TRY(look_at_breaches(s, db));
    TRY(look_at_proofs(s, db));
    TRY(look_at_authorities(s, db));
    TRY(look_at_mergers(s, db));
    TRY(look_at_holds(s, db));
    TRY(look_at_accounts(s, db));
    TRY(look_at_erasures(s, db));
    TRY(look_at_own_terms(s, db));
    TRY(look_at_disclosures(s, db));
    TRY(look_at_charters(s, db));
    look_at_backups(s);
    look_at_master(s);
    look_at_places(s);
    look_at_ways_in(s);
    look_at_guards(s);
    s->done = true;
    return OK;
}
