/* Consents on paper or by telephone: the words of the version that was signed, the day of the signature, and the scan
 * that proves it, as a row of the same ledger as all others. */
#include "domain/signed/signed.h"
#include "base/unicode.h"
#include "domain/core/budget.h"
#include "domain/core/decided.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/change.h"
#include "domain/person/holding.h"
#include "domain/person/person.h"
#include "domain/version/find.h"

enum { PARENT_MOST = 200 };
static const text languages[] = { TEXT_INIT("fr"), TEXT_INIT("en") };

/* ---- The words of a version. ---- */

static const struct node *asked_in(const struct node *root, text purpose)
{
    const struct node *one = node_get(node_at(root, TEXT("purposes")), purpose);
    return text_eq(node_text(one, TEXT("basis")), TEXT("consent")) ? one : NULL;
}

/* Whether the version asked for that channel: the empty one where it named none. */
static bool by_channel(const struct node *purpose, text channel)
{
    const struct node *channels = node_get(purpose, TEXT("channels"));
    return channel.n ? node_has(channels, channel) : !channels;
}

static text words_of(const struct ctx *c, const struct node *purpose, text channel, text language)
{
    struct ctx in = *c;
    in.language = language;
    text title = node_said(node_get(purpose, TEXT("title")), language);
    return doc_consent(&in, title.n ? title : purpose->key, channel);
}

static void put_wording(struct ctx *c, const struct version *v, const struct purpose *p, text channel,
                        struct json_out *w)
{
    const struct node *asked = asked_in(v->root, p->name);
    for (size_t i = 0; asked && by_channel(asked, channel) && i < sizeof languages / sizeof *languages; i++) {
        if (!node_has(node_at(v->root, TEXT("policy.languages")), languages[i]))
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("purpose"), p->name);
        json_pair(w, TEXT("title"), doc_purpose(c, p));
        json_pair(w, TEXT("channel"), channel.n ? channel : (text){ NULL, 0 });
        json_pair(w, TEXT("version"), v->version);
        json_pair(w, TEXT("language"), languages[i]);
        json_pair(w, TEXT("from"), v->date);
        json_pair(w, TEXT("wording"), words_of(c, asked, channel, languages[i]));
        json_close(w, '}');
    }
}

static bool mine(const struct ctx *c, unsigned purpose)
{
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    return c->actor.kind == ACTOR_OPERATOR || (class && bits_has(&class->purposes, purpose));
}

static void put_version(struct ctx *c, const struct version *v, text purpose, struct json_out *w)
{
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        const struct purpose *p = &c->policy->purposes[i];
        if (p->basis != BASIS_CONSENT || p->never || !mine(c, i) || (purpose.n && !text_eq(purpose, p->name)))
            continue;
        if (!p->channel_count)
            put_wording(c, v, p, TEXT(""), w);
        for (unsigned k = 0; k < p->channel_count; k++)
            put_wording(c, v, p, p->channels[k], w);
    }
}

enum err signed_wordings(struct ctx *c, text purpose, struct answer *out)
{
    struct version *all;
    unsigned count;
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    if (purpose.n && policy_purpose(c->policy, purpose) < 0)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->purposes_clause, "the policy has no purpose \"%.*s\"",
                          T(value_shown(purpose)));
    TRY(version_list(c, &all, &count));
    json_open(&w, '{');
    json_name(&w, TEXT("wordings"));
    json_open(&w, '[');
    for (unsigned i = 0; i < count; i++) {
        struct version v;
        if (all[i].state != VERSION_ENTERED)
            continue;
        TRY(version_open(c, all[i].hash, &v));
        put_version(c, &v, purpose, &w);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- Putting one on record. ---- */

struct entry {
    struct ctx *c;
    text purpose, channel, decision, method, version, language, wording;
    text parent; /* who signed with somebody who is too young to do so alone; empty: nobody */
    text said;   /* when it was signed, as it was said */
    msec signed_at;
    bool scanned;
    struct subject_id scan;
    const struct person *p;
};

static enum err missing(struct ctx *c, const char *field, const char *why)
{
    say(c->arena, ERR_MISSING, "\"%s\" is missing: %s", field, why);
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%s", field);
    return ERR_MISSING;
}

static enum err wrong(struct ctx *c, enum err code, const char *field, const char *why)
{
    say(c->arena, code, "\"%s\" %s", field, why);
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%s", field);
    return code;
}

/* The version that says so, the newest where two do. */
static enum err take_version(struct ctx *c, struct entry *e)
{
    struct version *all, v;
    unsigned count, i = 0;
    msec from = 0;
    TRY(version_list(c, &all, &count));
    while (i < count && (all[i].state != VERSION_ENTERED || !text_eq(all[i].version, e->version)))
        i++;
    if (i == count)
        return wrong(c, ERR_UNDECLARED, "version", "is none of the policy that was in force here");
    TRY(version_open(c, all[i].hash, &v));
    const struct node *asked = asked_in(v.root, e->purpose);
    if (!asked || !by_channel(asked, e->channel) || !node_has(node_at(v.root, TEXT("policy.languages")), e->language))
        return wrong(c, ERR_UNDECLARED, "version", "did not ask for that consent, by that channel, in that language");
    if (value_moment(c, v.date, false, &from) && e->signed_at < from)
        return wrong(c, ERR_VALUE, "signed", "is before the first day of that version");
    e->version = v.version;
    e->wording = words_of(c, asked, e->channel, e->language);
    return c->arena->why.code == ERR_MEMORY ? ERR_MEMORY : OK;
}

/* Of the person, and of the proofs: asked again by the write, which alone lets it stay. */
static enum err take_scan(struct ctx *c, const struct json *in, struct entry *e)
{
    text scan = json_text(in, TEXT("scan"));
    e->scanned = scan.n > 0;
    if (!scan.n && text_eq(e->method, TEXT("paper")))
        return missing(c, "scan", "what is on paper is kept with its scan");
    return !scan.n || id_parse(scan, &e->scan) ? OK : wrong(c, ERR_VALUE, "scan", "is the id of an attachment");
}

/* Who is younger than the policy's age agrees with a parent, who signs too (LIL 45); a refusal is theirs alone. */
static enum err take_parent(struct ctx *c, const struct json *in, struct entry *e)
{
    int64_t age;
    const struct json *minor = json_get(in, TEXT("minor"));
    const struct clause *clause = policy_clause(c->policy, TEXT("minors"));
    bool younger = minor && minor->kind == J_BOOL && minor->truth;
    bool asked = text_int(node_text(node_at(c->policy->root, TEXT("minors")), TEXT("age")), &age);
    e->parent = unicode_trim(json_text(in, TEXT("parent")));
    if ((younger || e->parent.n) && !asked)
        return wrong(c, ERR_UNDECLARED, "parent", "is not asked for: the policy has no minors.age");
    if (younger && !e->parent.n && text_eq(e->decision, TEXT("given"))) {
        say_clause(c->arena, ERR_MISSING, clause, "\"parent\" is the name of the parent who signed too");
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "parent");
        return ERR_MISSING;
    }
    if (e->parent.n > PARENT_MOST)
        return wrong(c, ERR_VALUE, "parent", "is a name of at most 200 bytes");
    for (size_t i = 0; i < e->parent.n; i++)
        if ((uint8_t)e->parent.p[i] < ' ')
            return wrong(c, ERR_VALUE, "parent", "is a name of at most 200 bytes");
    return value_no_card(c, TEXT("parent"), e->parent);
}

static enum err take(struct ctx *c, const struct json *in, struct entry *e)
{
    *e = (struct entry){ .c = c,
                         .purpose = json_text(in, TEXT("purpose")),
                         .channel = json_text(in, TEXT("channel")),
                         .decision = json_text(in, TEXT("decision")),
                         .method = json_text(in, TEXT("method")),
                         .version = json_text(in, TEXT("version")),
                         .language = json_text(in, TEXT("language")),
                         .said = json_text(in, TEXT("signed")) };
    if (!e->channel.p)
        e->channel = TEXT("");
    if (!text_eq(e->decision, TEXT("given")) && !text_eq(e->decision, TEXT("refused")))
        return wrong(c, ERR_VALUE, "decision", "is given or refused");
    if (!text_eq(e->method, TEXT("paper")) && !text_eq(e->method, TEXT("phone")))
        return wrong(c, ERR_VALUE, "method", "is paper or phone");
    if (!e->said.n)
        return missing(c, "signed", "the day on which the person decided");
    if (!e->version.n || !e->language.n)
        return missing(c, e->version.n ? "language" : "version", "in which words the person was asked");
    if (!value_moment(c, e->said, false, &e->signed_at) || e->signed_at > c->now)
        return wrong(c, ERR_VALUE, "signed", "is a day, or a time, that has been, such as 2026-11-20");
    TRY(take_scan(c, in, e));
    TRY(take_parent(c, in, e));
    return take_version(c, e);
}

/* As the ledger's own rows are asked for: who, what, and in which words. */
static enum err row_of(struct ctx *c, const struct entry *e, const struct json *in, const struct json **out)
{
    text by = json_text(in, TEXT("by"));
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("purpose"), e->purpose);
    if (e->channel.n)
        json_pair(&w, TEXT("channel"), e->channel);
    json_pair(&w, TEXT("decision"), e->decision);
    json_pair(&w, TEXT("method"), e->method);
    json_pair(&w, TEXT("wording"), e->wording);
    if (by.n)
        json_pair(&w, TEXT("by"), by);
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

/* Asked inside the write: what is entered late undoes nothing that was decided since. */
static enum err run_since(struct db *db, const struct entry *e)
{
    QUERY_AUTO q;
    query_start(
        &q, db, SQL_SIGNED_SINCE,
        ARGS(V_TEXT(e->c->tenant), V_ID(e->p->id), V_TEXT(e->purpose), V_TEXT(e->channel), V_INT(e->signed_at)));
    bool found = query_next(&q), decided = found && !query_null(&q, SIGNED_SINCE, decided),
         renewed = found && !query_null(&q, SIGNED_SINCE, renewed) && text_eq(e->decision, TEXT("given"));
    TRY(q.status);
    if (decided)
        return say(db_arena(db), ERR_CONFLICT,
                   "the person has decided about this since: of a paper of the same day, say the time");
    return renewed ? say(db_arena(db), ERR_CONFLICT,
                         "the purpose has changed since in a way that matters: it has to be asked again")
                   : OK;
}

static enum err run_scan(struct db *db, const struct entry *e)
{
    int64_t there;
    if (!e->scanned)
        return OK;
    TRY(db_run(db, SQL_SCAN_KEEP, &there, ARGS(V_TEXT(e->c->tenant), V_ID(e->p->id), V_ID(e->scan))));
    if (!there)
        return say(db_arena(db), ERR_NOT_FOUND, "there is no such scan among the person's proofs of consent");
    return db_run(db, SQL_SCAN_LINK, NULL,
                  ARGS(V_TEXT(e->c->tenant), V_ID(e->p->id), V_TEXT(e->purpose), V_TEXT(e->channel), V_ID(e->scan)));
}

static enum err run_also(struct db *db, void *arg)
{
    const struct entry *e = arg;
    TRY(run_since(db, e));
    return run_scan(db, e);
}

static enum err answer_of(struct ctx *c, const struct entry *e, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("purpose"), e->purpose);
    json_pair(&w, TEXT("channel"), e->channel.n ? e->channel : (text){ NULL, 0 });
    json_pair(&w, TEXT("decision"), e->decision);
    json_pair(&w, TEXT("signed"), e->said);
    json_pair(&w, TEXT("version"), e->version);
    json_pair(&w, TEXT("wording"), e->wording);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

enum err signed_record(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct change ch;
    struct entry e;
    const struct json *row;
    TRY(person_open(c, id, false, &p));
    TRY(take(c, in, &e));
    TRY(change_begin(c, &p, 0, &ch));
    TRY(row_of(c, &e, in, &row));
    enum err status = change_consents(c, &ch, row);
    if (status == ERR_UNDECLARED || status == ERR_CARD_NUMBER || status == ERR_PURPOSE)
        return write_refusal(c, &p, TEXT(""), TEXT(""));
    TRY(status);
    struct change_consent *k = &ch.consents[0];
    TRY(person_may_record(c, &p, k->purpose, false));
    TRY(budget_take(c, BUDGET_signed_taken, id));
    k->at = e.signed_at;
    k->signed_on = e.said;
    k->entered = time_print(c->arena, c->now);
    k->scan = json_text(in, TEXT("scan"));
    k->parent = e.parent;
    TRY(change_evidence(c, &ch, TEXT(""), k));
    ch.policy_version = e.version;
    e.p = &p;
    ch.also = run_also;
    ch.also_arg = &e;
    TRY(answer_of(c, &e, out));
    struct event event = event_of(c, &p,
                                  text_eq(e.decision, TEXT("given")) ? TEXT("consent.given") : TEXT("consent.refused"));
    event.purpose = k->purpose;
    event.count = 1;
    return change_write(c, &ch, event, out);
}
