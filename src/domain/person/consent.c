/* Consents, objections, restriction: rows are only ever added; the last one of a purpose and channel is in force. */
#include "domain/person/look_at.h"
#include "domain/core/actor.h"
#include "domain/person/consent.h"
#include "domain/person/permission.h"
#include "domain/person/person.h"
#include "domain/person/change.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/core/named.h"
#include "domain/core/write.h"
#include "domain/core/written.h"

/* Left open for what else there is to say. */
static void open_row(struct ctx *c, struct json_out *w, const struct change_consent *k, msec at, text policy,
                     text evidence, bool unreadable)
{
    json_open(w, '{');
    bool source = text_eq(k->channel, PERMISSION_CHANNEL);
    json_pair(w, source ? TEXT("source") : TEXT("purpose"), k->purpose);
    if (k->channel.n)
        json_pair(w, TEXT("channel"), k->channel);
    json_pair(w, TEXT("decision"), k->decision);
    json_pair(w, TEXT("at"), time_print(c->arena, at));
    json_pair(w, TEXT("policy"), policy);
    if (k->wording_hash[0])
        json_pair(w, TEXT("wording_hash"), text_of(k->wording_hash));
    if (k->wording.n)
        json_pair(w, TEXT("wording"), k->wording);
    if (k->method.n)
        json_pair(w, TEXT("method"), k->method);
    json_pair(w, TEXT("by"), k->by.n ? k->by : k->actor);
    if (evidence.n)
        json_pair(w, TEXT("evidence"), evidence);
    if (unreadable)
        json_pair_bool(w, TEXT("unreadable"), true);
}

static enum err answer_rows(struct ctx *c, const struct change *ch, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("consents"));
    json_open(&w, '[');
    for (unsigned i = 0; i < ch->consent_count; i++) {
        /* The answer is kept in clear for a repeated request: the person who took the consent stays sealed in the
         * ledger. */
        struct change_consent plain = ch->consents[i];
        plain.by = (text){ NULL, 0 };
        open_row(c, &w, &plain, ch->now, ch->policy_version, (text){ NULL, 0 }, false);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* One journal entry a request: with several decisions it carries the gravest, and their purposes. */
static text act_of(const struct change *ch)
{
    text act = TEXT("consent.given");
    for (unsigned i = 0; i < ch->consent_count; i++) {
        if (text_eq(ch->consents[i].decision, TEXT("withdrawn")))
            return TEXT("consent.withdrawn");
        if (text_eq(ch->consents[i].decision, TEXT("refused")))
            act = TEXT("consent.refused");
        else if (text_eq(ch->consents[i].decision, TEXT("offered")) && text_eq(act, TEXT("consent.given")))
            act = TEXT("consent.offered");
    }
    return act;
}

static enum err purposes_of(struct ctx *c, const struct change *ch, text *out)
{
    BUF_AUTO b = buf_make(1 << 16);
    for (unsigned i = 0; i < ch->consent_count; i++) {
        if (i)
            buf_char(&b, ',');
        buf_add(&b, ch->consents[i].purpose);
    }
    return buf_take(c->arena, &b, out);
}

enum err consent_record(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p;
    struct change ch;
    TRY(person_open(c, id, false, &p));
    TRY(change_begin(c, &p, 0, &ch));
    enum err status = change_consents(c, &ch, in);
    if (status == ERR_UNDECLARED || status == ERR_CARD_NUMBER || status == ERR_PURPOSE)
        return write_refusal(c, &p, TEXT(""), TEXT(""));
    TRY(status);
    if (!ch.consent_count)
        return say(c->arena, ERR_USAGE, "the body is {\"purpose\", \"decision\", …} or a list of such");
    for (unsigned i = 0; i < ch.consent_count; i++)
        TRY(person_may_record(c, &p, ch.consents[i].purpose, text_eq(ch.consents[i].decision, TEXT("withdrawn"))));
    TRY(answer_rows(c, &ch, out));
    struct event event = event_of(c, &p, act_of(&ch));
    TRY(purposes_of(c, &ch, &event.purpose));
    event.count = ch.consent_count;
    ch.urgent = text_eq(event.act, TEXT("consent.withdrawn"));
    return change_write(c, &ch, event, out);
}

/* ---- The ledger of one person. ---- */

/* Wordings are shared by many rows: each is read once an answer, and all of an answer have WORDINGS_MAX bytes. Beyond
 * that the hash stands alone, and the pages of the ledger have the rest. */
enum { WORDINGS_MAX = 8 << 20 };
struct wording {
    text hash, words;
    struct wording *next;
};
struct wordings {
    struct wording *first;
    size_t bytes;
};

static enum err wording_of(struct ctx *c, struct wordings *all, text hash, text *out)
{
    *out = (text){ NULL, 0 };
    for (const struct wording *one = all->first; one && !out->p; one = one->next)
        if (text_eq(one->hash, hash))
            *out = one->words;
    if (!out->p && hash.n) {
        struct wording *fresh = NEW(c->arena, struct wording);
        READ_AUTO db = NULL;
        TRY_PTR(fresh);
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_WORDING_GET, ARGS(V_TEXT(hash)));
        text kept = query_next(&q) ? arena_copy(c->arena, query_get(&q, WORDING_GET, text)) : TEXT("");
        TRY(q.status);
        *fresh = (struct wording){ .hash = arena_copy(c->arena, hash), .next = all->first };
        TRY(written_open(ctx_store(c), c->arena, TEXT(""), TEXT("wording"), kept, &fresh->words));
        all->first = fresh;
        *out = fresh->words;
    }
    all->bytes += out->n;
    if (all->bytes > WORDINGS_MAX)
        *out = (text){ NULL, 0 };
    return OK;
}

struct ledger_row {
    struct change_consent k;
    msec at, last; /* last: when it was repeated last */
    int64_t seq;
    int64_t times; /* how often it was decided so */
    text policy;
    const struct json *evidence;
    bool unreadable, lapsed; /* lapsed: given, and asked again since */
    struct ledger_row *next;
};

static struct ledger_row *ledger_row(struct arena *a, struct query *q)
{
    struct ledger_row *row = NEW(a, struct ledger_row);
    if (!row)
        return NULL;
    row->k.purpose = arena_copy(a, query_get(q, CONSENT_LIST, purpose));
    row->k.channel = arena_copy(a, query_get(q, CONSENT_LIST, channel));
    row->k.decision = arena_copy(a, query_get(q, CONSENT_LIST, decision));
    row->at = query_get(q, CONSENT_LIST, at);
    row->policy = arena_copy(a, query_get(q, CONSENT_LIST, policy));
    text_cstr(query_get(q, CONSENT_LIST, wording), row->k.wording_hash, sizeof row->k.wording_hash);
    row->k.method = arena_copy(a, query_get(q, CONSENT_LIST, method));
    row->k.actor = arena_copy(a, query_get(q, CONSENT_LIST, actor));
    row->k.by = row->k.actor;
    row->k.evidence.bytes = query_null(q, CONSENT_LIST, evidence)
                                ? (text){ NULL, 0 }
                                : arena_copy(a, query_get(q, CONSENT_LIST, evidence).bytes);
    row->seq = query_get(q, CONSENT_LIST, seq);
    row->times = query_null(q, CONSENT_LIST, times) ? 1 : query_get(q, CONSENT_LIST, times);
    row->last = query_null(q, CONSENT_LIST, last) ? row->at : query_get(q, CONSENT_LIST, last);
    return row;
}

/* At most `limit` rows and PAGE_BYTES of evidence (0: all); *more when there are others. */
static enum err load_ledger(struct ctx *c, enum sql sql, const struct val *args, unsigned count, int64_t limit,
                            struct ledger_row **out, bool *more)
{
    READ_AUTO db = NULL;
    int64_t rows = 0;
    size_t bytes = 0;
    *more = false;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, sql, args, count);
    while (query_next(&q)) {
        if (limit && (rows == limit || bytes > PAGE_BYTES)) {
            *more = true;
            return OK;
        }
        TRY_PTR(*out = ledger_row(c->arena, &q));
        bytes += (*out)->k.evidence.bytes.n;
        rows++;
        out = &(*out)->next;
    }
    return q.status;
}

/* ---- What is kept with a row. ---- */

static struct place place_of(const struct ctx *c, const struct person *p, text about)
{
    return (struct place){ .tenant = c->tenant, .subject = p->id, .table = TEXT("consent"), .field = about };
}

enum err consent_seal(struct ctx *c, const struct person *p, text about, text clear, sealed *out)
{
    const struct place place = place_of(c, p, about);
    KEY_AUTO key;
    key_derive(&p->key, TEXT("consent"), &key);
    return seal(c->arena, &key, &place, clear, out);
}

enum err consent_unseal(struct ctx *c, const struct person *p, text about, sealed kept, text *out)
{
    const struct place place = place_of(c, p, about);
    KEY_AUTO key;
    key_derive(&p->key, TEXT("consent"), &key);
    return seal_open(c->arena, &key, &place, kept, out);
}

static enum err open_evidence(struct ctx *c, const struct person *p, struct ledger_row *row)
{
    text clear;
    if (!row->k.evidence.bytes.n)
        return OK;
    TRY(consent_unseal(c, p, row->k.purpose, row->k.evidence, &clear));
    TRY(json_parse(c->arena, clear, &row->evidence));
    if (json_text(row->evidence, TEXT("by")).n)
        row->k.by = json_text(row->evidence, TEXT("by"));
    return OK;
}

/* Of a decision on paper or by telephone. */
static void put_signed(struct json_out *w, const struct json *evidence)
{
    static const text members[] = { TEXT_INIT("signed"), TEXT_INIT("entered"), TEXT_INIT("scan"),
                                    TEXT_INIT("parent") };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (json_text(evidence, members[i]).n)
            json_pair(w, members[i], json_text(evidence, members[i]));
}

static text place_print(struct arena *a, const struct ledger_row *row)
{
    return arena_print(a, "%lld.%lld.%.*s.%.*s", (long long)row->at, (long long)row->seq, T(row->k.channel),
                       T(row->k.purpose));
}

enum err consent_receipts(struct ctx *c, const struct person *p, msec at, text *out)
{
    struct ledger_row *rows = NULL;
    bool more;
    BUF_AUTO b = buf_make(1 << 16);
    TRY(load_ledger(c, SQL_CONSENT_LIST, ARGS(V_TEXT(c->tenant), V_ID(p->id)), 0, &rows, &more));
    for (; rows; rows = rows->next) {
        int index = policy_purpose(c->policy, rows->k.purpose);
        if (rows->at != at || !text_eq(rows->k.decision, TEXT("given")) || index < 0)
            continue;
        text title = doc_consent(c, doc_purpose(c, &c->policy->purposes[index]), rows->k.channel);
        buf_print(&b, "%s- %.*s (%.*s)", b.n ? "\n" : "", T(title), T(place_print(c->arena, rows)));
    }
    return buf_take(c->arena, &b, out);
}

/* Evidence that cannot be opened hides no decision: the row says so. */
static enum err put_rows(struct ctx *c, const struct person *p, struct ledger_row *rows, text name, struct json_out *w)
{
    struct wordings wordings = { .bytes = 0 };
    json_name(w, name);
    json_open(w, '[');
    for (; rows; rows = rows->next) {
        enum err e = open_evidence(c, p, rows);
        if (e != OK && !record_unreadable(e))
            return e;
        TRY(wording_of(c, &wordings, text_of(rows->k.wording_hash), &rows->k.wording));
        open_row(c, w, &rows->k, rows->at, rows->policy, json_text(rows->evidence, TEXT("evidence")), e != OK);
        put_signed(w, rows->evidence);
        if (json_get(rows->evidence, TEXT("permitted"))) {
            json_name(w, TEXT("permitted"));
            json_put(w, json_get(rows->evidence, TEXT("permitted")));
        }
        if (!text_eq(rows->k.channel, PERMISSION_CHANNEL) && !text_eq(rows->k.channel, TEXT("objection")))
            json_pair(w, TEXT("receipt"), place_print(c->arena, rows));
        if (rows->lapsed)
            json_pair_bool(w, TEXT("lapsed"), true);
        if (rows->times > 1) {
            json_pair_int(w, TEXT("times"), rows->times);
            json_pair(w, TEXT("last_at"), time_print(c->arena, rows->last));
        }
        json_close(w, '}');
    }
    json_close(w, ']');
    return OK;
}

static enum err put_live(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct bits live;
    TRY(person_consents(c, p, &live));
    json_name(w, TEXT("live"));
    json_open(w, '[');
    for (unsigned i = 0; i < c->policy->purpose_count; i++)
        if (bits_has(&live, i))
            json_put_text(w, c->policy->purposes[i].name);
    json_close(w, ']');
    return OK;
}

enum err consent_put_ledger(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct ledger_row *rows = NULL;
    bool more;
    TRY(load_ledger(c, SQL_CONSENT_LIST, ARGS(V_TEXT(c->tenant), V_ID(p->id)), 0, &rows, &more));
    TRY(put_rows(c, p, rows, TEXT("consents"), w));
    return put_live(c, p, w);
}

/* Where a page begins: "time.seq.channel.purpose" of the row before it. */
struct ledger_place {
    int64_t at, seq;
    text channel, purpose;
};

static bool place_parse(text after, bool newest, struct ledger_place *out)
{
    *out = (struct ledger_place){ .at = newest ? INT64_MAX : -1, .channel = TEXT(""), .purpose = TEXT("") };
    if (!after.n)
        return true;
    text at = text_cut(&after, '.'), seq = text_cut(&after, '.');
    out->channel = text_cut(&after, '.');
    out->purpose = after;
    return text_int(at, &out->at) && text_int(seq, &out->seq) && after.p;
}

static enum err put_page(struct ctx *c, const struct person *p, const struct paging *asked, struct json_out *w,
                         struct answer *out)
{
    struct ledger_row *rows = NULL, *last;
    struct ledger_place from;
    bool more;
    if (!place_parse(asked->after, asked->newest, &from))
        return paging_unknown(c);
    TRY(load_ledger(c, asked->newest ? SQL_CONSENT_PAGE_BACK : SQL_CONSENT_PAGE,
                    ARGS(V_TEXT(c->tenant), V_ID(p->id), V_INT(from.at), V_TEXT(from.purpose), V_TEXT(from.channel),
                         V_INT(from.seq), V_INT(asked->limit + 1)),
                    asked->limit, &rows, &more));
    TRY(put_rows(c, p, rows, TEXT("consents"), w));
    for (last = rows; last && last->next;)
        last = last->next;
    if (more && last)
        out->next = place_print(c->arena, last);
    json_pair(w, TEXT("next"), out->next);
    return OK;
}

/* Whether it was given for what the purpose no longer is, or too long ago: it is asked again. */
static enum err look_lapsed(struct ctx *c, const struct person *p, struct ledger_row *row)
{
    int index = policy_purpose(c->policy, row->k.purpose);
    struct bits live;
    if (index < 0 || text_eq(row->k.channel, PERMISSION_CHANNEL) || !text_eq(row->k.decision, TEXT("given")))
        return OK;
    TRY(person_consents_by(c, p, row->k.channel, &live));
    row->lapsed = !bits_has(&live, (unsigned)index);
    return OK;
}

/* The row in force of each purpose and channel: as many as the policy has. */
static enum err put_last(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct ledger_row *rows = NULL;
    bool more;
    TRY(load_ledger(c, SQL_CONSENT_LAST, ARGS(V_TEXT(c->tenant), V_ID(p->id)), 0, &rows, &more));
    for (struct ledger_row *row = rows; row; row = row->next)
        TRY(look_lapsed(c, p, row));
    return put_rows(c, p, rows, TEXT("last"), w);
}

/* The whole ledger, with who took each consent and what shows it, is for who answers people or takes their consents;
 * others ask for a decision. */
enum err consent_may_see(struct ctx *c, struct look *l)
{
    const struct ask ask = actor_ask(c, PURPOSE_RIGHTS, -1, ACT_CONSENT);
    return policy_decide(c->policy, &ask).verdict == ALLOWED ? OK : look_by_right(c, l);
}

static enum err show_ledger(struct ctx *c, struct look *l, struct json_out *w)
{
    TRY(put_page(c, &l->p, l->asked, w, &l->out));
    TRY(put_last(c, &l->p, w));
    return put_live(c, &l->p, w);
}

enum err consent_list(struct ctx *c, text id, const struct paging *asked, struct answer *out)
{
    struct look l = {
        .act = TEXT("read"), .purpose = TEXT("consents"), .may = consent_may_see, .show = show_ledger, .asked = asked
    };
    return look_at_person(c, id, &l, out);
}

enum err consent_none(struct ctx *c)
{
    return say(c->arena, ERR_NOT_FOUND, "there is no such decision on a consent");
}

enum err consent_one(struct ctx *c, const struct person *p, text place, struct consent_row *out)
{
    struct ledger_place at;
    struct ledger_row *row = NULL;
    struct wordings wordings = { .bytes = 0 };
    bool more;
    if (!place.n || !place_parse(place, false, &at))
        return consent_none(c);
    TRY(load_ledger(c, SQL_CONSENT_PAGE,
                    ARGS(V_TEXT(c->tenant), V_ID(p->id), V_INT(at.at), V_TEXT(at.purpose), V_TEXT(at.channel),
                         V_INT(at.seq - 1), V_INT(1)),
                    1, &row, &more));
    if (!row || row->at != at.at || row->seq != at.seq || !text_eq(row->k.purpose, at.purpose) ||
        !text_eq(row->k.channel, at.channel))
        return consent_none(c);
    *out = (struct consent_row){ .purpose = row->k.purpose,
                                 .channel = row->k.channel,
                                 .decision = row->k.decision,
                                 .policy = row->policy,
                                 .method = row->k.method,
                                 .wording_hash = arena_copy(c->arena, text_of(row->k.wording_hash)),
                                 .at = row->at,
                                 .seq = row->seq };
    return wording_of(c, &wordings, out->wording_hash, &out->wording);
}

enum err consent_is_live(struct ctx *c, text id, text purpose, bool *live)
{
    PERSON_AUTO p = { 0 };
    struct bits consents;
    int index = policy_purpose(c->policy, purpose);
    TRY(person_open(c, id, false, &p));
    TRY(person_consents(c, &p, &consents));
    *live = index >= 0 && bits_has(&consents, (unsigned)index);
    return OK;
}
