/* Letters that came back: a report of a mail server (RFC 3464) marks the address, and for good it gets no more. */
#include "domain/campaign/inside.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/mail/inbound.h"
#include "domain/mail/mail.h"
#include "domain/person/person.h"

enum { LETTERS_MOST = 200 };

static struct digest digest_of(struct ctx *c, text address)
{
    struct digest d;
    BUF_AUTO b = buf_make(1024);
    for (size_t i = 0; i < address.n; i++)
        buf_char(&b, (char)(address.p[i] >= 'A' && address.p[i] <= 'Z' ? address.p[i] + 32 : address.p[i]));
    digest_identifier(store_index_key(ctx_store(c)), c->tenant, TEXT("campaign.back"), buf_made(c->arena, &b), &d);
    return d;
}

enum err campaign_comes_back(struct ctx *c, struct subject_id id, text address, bool *out)
{
    struct digest d = digest_of(c, address);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_BACK_HARD, ARGS(V_TEXT(c->tenant), V_ID(id), V_BYTES(TEXT_BYTES(d))));
    *out = query_next(&q);
    return q.status;
}

/* ---- Whose letter it was: a report names its Message-ID, which only who had the letter knows. ---- */

struct back {
    const struct ctx *c;
    struct subject_id id, campaign;
    struct digest address;
    text code;
    bool hard;
};

static enum err list_letters(struct ctx *c, struct subject_id id, struct subject_id *out, unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_LETTER_OF, ARGS(V_TEXT(c->tenant), V_ID(id)));
    for (*count = 0; *count < LETTERS_MOST && query_next(&q); ++*count)
        memcpy(&out[*count], query_get(&q, CAMPAIGN_LETTER_OF, campaign).p, SUBJECT_ID);
    return q.status;
}

static enum err find_letter(struct ctx *c, text recipient, text name, struct back *out, bool *found)
{
    unsigned count = 0;
    bool known;
    struct subject_id *campaigns = NEW_ARRAY(c->arena, struct subject_id, LETTERS_MOST);
    TRY_PTR(campaigns);
    *found = false;
    TRY(mail_whose(c, recipient, &known, &out->id));
    if (known)
        TRY(list_letters(c, out->id, campaigns, &count));
    for (unsigned i = 0; i < count && !*found; i++) {
        *found = text_eq(campaign_message_name(c, campaigns[i], out->id), name);
        if (*found)
            out->campaign = campaigns[i];
    }
    return OK;
}

/* ---- Marked. ---- */

/* Addresses that do not exist (5.1.x), mailboxes that are closed (5.2.1): RFC 3463. All else may pass. */
static bool for_good(text action, text status)
{
    return text_eq_nocase(action, TEXT("failed")) &&
           (text_starts(status, TEXT("5.1.")) || text_eq(status, TEXT("5.2.1")));
}

static enum err run_back(struct db *db, struct write *w)
{
    const struct back *b = w->arg;
    const struct val tenant = V_TEXT(b->c->tenant), id = V_ID(b->id), campaign = V_ID(b->campaign);
    int64_t changed;
    TRY(db_run(db, SQL_CAMPAIGN_BACK_PUT, NULL,
               ARGS(tenant, id, V_BYTES(TEXT_BYTES(b->address)), V_INT(b->hard), V_TEXT(b->code), V_INT(b->c->now),
                    V_INT(b->c->now + CAMPAIGN_KEPT))));
    TRY(db_run(db, SQL_CAMPAIGN_LETTER_BACK, &changed, ARGS(tenant, id, campaign, V_TEXT(b->code))));
    return changed ? db_run(db, SQL_CAMPAIGN_BACK_TALLY, NULL, ARGS(tenant, campaign)) : OK;
}

static enum err mark(struct ctx *c, struct back *b)
{
    PERSON_AUTO p = { 0 };
    enum err found = person_open_anyway(c, id_print(c->arena, b->id), &p);
    if (found != OK && found != ERR_NOT_FOUND)
        return found;
    c->actor = actor_server();
    struct write w = { .run = run_back,
                       .arg = b,
                       .event = event_of(c, found == OK ? &p : NULL, TEXT("campaign.back")) };
    w.event.outcome = OUTCOME_FAILED;
    return write_do(c, &w, NULL);
}

/* "5.1.1", and nothing else that a stranger writes. */
static text code_of(struct ctx *c, text status)
{
    bool good = status.n && status.n <= 11;
    for (size_t i = 0; i < status.n; i++)
        good &= status.p[i] == '.' || (status.p[i] >= '0' && status.p[i] <= '9');
    return good ? arena_print(c->arena, "back-%.*s", T(status)) : TEXT("back");
}

enum err campaign_returned(struct ctx *c, const struct inbound *m, bool *taken, struct answer *out)
{
    const struct json *report = json_get(m->said, TEXT("report"));
    text recipient = text_trim(json_text(report, TEXT("recipient"))), id = json_text(report, TEXT("message_id"));
    text name = text_cut(&id, '@'), action = json_text(report, TEXT("action")), was = c->tenant;
    bool failed = text_eq_nocase(action, TEXT("failed")) || text_eq_nocase(action, TEXT("delayed"));
    for (unsigned i = 0; i < c->policy->tenant_count && failed && recipient.n && name.n && !*taken; i++) {
        struct back b = { .c = c };
        c->tenant = c->policy->tenants[i];
        TRY(find_letter(c, recipient, name, &b, taken));
        if (!*taken)
            continue;
        b.address = digest_of(c, recipient);
        b.code = code_of(c, json_text(report, TEXT("status")));
        b.hard = for_good(action, json_text(report, TEXT("status")));
        if (text_eq_nocase(action, TEXT("failed")))
            TRY(mark(c, &b));
    }
    if (*taken)
        return inbound_answer(c, TEXT("bounce"), TEXT(""), TEXT(""), out);
    c->tenant = was;
    return OK;
}
