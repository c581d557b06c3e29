/* Text messages: what one says, how long it is, to which number, and the answer that stops them. */
#include "base/telephone.h"
#include "base/unicode.h"
#include "domain/campaign/inside.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/mail/mail.h"
#include "domain/mail/texts.h"
#include "domain/person/consent.h"
#include "domain/person/person.h"
#include <sodium.h>

enum {
    MESSAGE_MAX = 8 << 10,
    SEGMENTS_MOST = 10,
    PEOPLE_MOST = 50,
    PURPOSES_MOST = 64,
    BEYOND_MOST = 10,
    WORD_MAX = 256
};
static const text channel = TEXT_INIT("sms");

bool campaign_by_text(const struct campaign *m) { return text_eq(m->channel, channel); }

/* ---- How long it is (3GPP TS 23.038 and 23.040). ---- */

/* 0: no letter of the seven bit alphabet, else how many places it takes. */
static unsigned places(uint32_t c)
{
    static const text basic = TEXT_INIT(
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRS"
        "TUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
    static const text extended = TEXT_INIT("^{}\\[~]|€");
    for (size_t i = 0; i < basic.n;)
        if (unicode_next(basic, &i) == c)
            return 1;
    for (size_t i = 0; i < extended.n;)
        if (unicode_next(extended, &i) == c)
            return 2;
    return 0;
}

static void put_beyond(struct sms_length *out, struct buf *b, uint32_t c)
{
    BUF_AUTO one = buf_make(8);
    unicode_put(&one, c);
    if (out->beyond_count == BEYOND_MOST || text_find(buf_begun(b), buf_begun(&one)) >= 0)
        return;
    unicode_put(b, c);
    out->beyond_count++;
}

static unsigned segments(unsigned units, unsigned alone, unsigned each)
{
    return units <= alone ? 1 : (units + each - 1) / each;
}

enum err campaign_sms_length(struct arena *a, text said, struct sms_length *out)
{
    BUF_AUTO beyond = buf_make(256);
    unsigned seven = 0, sixteen = 0, last7 = 0, last16 = 0; /* places lost where a letter of two would be parted */
    *out = (struct sms_length){ .segments = 1 };
    for (size_t i = 0; i < said.n;) {
        uint32_t c = unicode_next(said, &i);
        unsigned n = places(c), wide = c > 0xFFFF ? 2 : 1;
        last7 += n == 2 && (seven + last7) % 153 == 152;
        last16 += wide == 2 && (sixteen + last16) % 67 == 66;
        seven += n;
        sixteen += wide;
        out->ucs2 |= !n;
        if (!n)
            put_beyond(out, &beyond, c);
    }
    out->units = out->ucs2 ? sixteen : seven;
    if (out->ucs2)
        out->segments = sixteen <= 70 ? 1 : segments(sixteen + last16, 67, 67);
    else
        out->segments = seven <= 160 ? 1 : segments(seven + last7, 153, 153);
    return buf_take(a, &beyond, &out->beyond);
}

/* ---- What it says: who writes, the text, and how to stop it. ---- */

static void put_lines(struct buf *b, text said)
{
    while (said.p) {
        text line = text_trim(text_cut(&said, '\n'));
        if (line.n)
            buf_print(b, "\n%.*s", T(line));
    }
}

static void put_stop(struct buf *b, text words, text link)
{
    static const text mark = TEXT_INIT("{link}");
    for (ptrdiff_t at; (at = text_find(words, mark)) >= 0; words = text_from(words, (size_t)at + mark.n)) {
        buf_add(b, text_upto(words, (size_t)at));
        buf_add(b, link);
    }
    buf_add(b, words);
}

enum err campaign_sms_words(struct ctx *c, const struct buf *said, struct campaign_words *w)
{
    BUF_AUTO b = buf_make(MESSAGE_MAX);
    bool french = text_eq(w->language, TEXT("fr"));
    TRY(texts_need(c));
    buf_add(&b, text_of(c->app->texts.sender));
    put_lines(&b, buf_for(&b, said));
    buf_char(&b, '\n');
    put_stop(&b, text_of(french ? c->app->texts.stop_fr : c->app->texts.stop_en), w->stop);
    TRY(buf_take(c->arena, &b, &w->plain));
    w->html = TEXT("");
    w->subject = w->subject.p ? w->subject : TEXT("");
    TRY(campaign_sms_length(c->arena, w->plain, &w->length));
    if (w->length.segments > SEGMENTS_MOST)
        return say(c->arena, ERR_VALUE, "a text message has at most %d parts, and this one has %u", SEGMENTS_MOST,
                   w->length.segments);
    return OK;
}

/* ---- To which number. ---- */

struct digest campaign_sms_digest(struct ctx *c, text number)
{
    struct digest d;
    digest_identifier(store_index_key(ctx_store(c)), c->tenant, TEXT("campaign.number"), number, &d);
    return d;
}

enum err campaign_sms_number(struct ctx *c, text said, text *to)
{
    struct telephone t;
    if (!said.n || !telephone_read(said, c->policy->controller.country, &t) || !t.international || t.extension[0])
        return say(c->arena, ERR_MISSING, "there is no phone number with its country code");
    *to = telephone_print(c->arena, &t);
    return arena_whole(c->arena);
}

enum err campaign_sms_to(struct ctx *c, const struct campaign *m, const struct person *p, text *to, int *category,
                         struct digest *digest)
{
    TRY(campaign_reach_of(c, m, p, to, category));
    TRY(campaign_sms_number(c, *to, to));
    *digest = campaign_sms_digest(c, *to);
    return arena_whole(c->arena);
}

enum err campaign_sms_run_allowed(struct db *db, const struct campaign *m, const struct digest *number)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_NUMBER_STOPPED,
                ARGS(V_TEXT(m->tenant), V_BYTES(TEXT_BYTES(*number)), V_TEXT(m->purpose), V_TEXT(channel)));
    if (!query_next(&q))
        return q.status;
    return say(db_arena(db), ERR_CONFLICT, "this number wants no more text messages for that purpose");
}

/* ---- The answer that stops them. ---- */

bool campaign_sms_believed(const struct ctx *c, text secret)
{
    text own = text_of(c->app->texts.secret);
    return texts_ready(c) && own.n && own.n == secret.n && sodium_memcmp(own.p, secret.p, own.n) == 0;
}

/* The first word, without what stands around it; its accents may be marks of their own (NFD). */
static text first_word(text said)
{
    size_t from = 0, to = 0;
    for (size_t i = 0; i < said.n;) {
        size_t at = i;
        uint32_t one = unicode_next(said, &i);
        bool letter = unicode_letter(one);
        if (letter && !to)
            from = at;
        if (letter || (to && unicode_unseen(one)))
            to = i;
        else if (to)
            break;
    }
    return text_upto(text_from(said, from), to - from);
}

/* Without case and accents: "Arrêt" is "ARRET". */
static enum err is_stop(const struct ctx *c, text said, bool *out)
{
    text words = text_of(c->app->texts.words), word = first_word(said);
    *out = false;
    if (!word.n || word.n > WORD_MAX)
        return OK;
    word = unicode_bare(c->arena, word);
    TRY_PTR(word.p);
    while (words.n && !*out) {
        text one = unicode_trim(text_cut(&words, ','));
        if (!one.n)
            continue;
        one = unicode_bare(c->arena, one);
        TRY_PTR(one.p);
        *out = text_eq(one, word);
    }
    return OK;
}

struct found {
    struct subject_id people[PEOPLE_MOST];
    unsigned count;
};

static enum err find_people(struct ctx *c, text number, struct found *out)
{
    struct digest d = campaign_sms_digest(c, number);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_NUMBER, ARGS(V_TEXT(c->tenant), V_BYTES(TEXT_BYTES(d)), V_INT(PEOPLE_MOST)));
    while (out->count < PEOPLE_MOST && query_next(&q))
        memcpy(&out->people[out->count++], query_get(&q, CAMPAIGN_NUMBER, subject).p, SUBJECT_ID);
    return q.status;
}

/* Gateways leave the "+" out as often as not. */
static enum err find_number(struct ctx *c, text said, struct found *out)
{
    struct telephone t;
    text with = arena_print(c->arena, "+%.*s", T(said));
    *out = (struct found){ .count = 0 };
    if (telephone_read(said, c->policy->controller.country, &t) && t.international)
        TRY(find_people(c, telephone_print(c->arena, &t), out));
    if (!out->count && !text_starts(said, TEXT("+")) && telephone_read(with, TEXT(""), &t) && t.international)
        TRY(find_people(c, telephone_print(c->arena, &t), out));
    return arena_whole(c->arena);
}

/* For what they may still get one: `purpose` alone, or each where that is empty. */
static enum err list_purposes(struct ctx *c, struct subject_id id, text purpose, text *out, unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_STANDS, ARGS(V_TEXT(c->tenant), V_ID(id), V_TEXT(channel)));
    for (*count = 0; *count < PURPOSES_MOST && query_next(&q);) {
        text one = query_get(&q, CAMPAIGN_STANDS, purpose);
        if (policy_purpose(c->policy, one) >= 0 && (!purpose.n || text_eq(one, purpose)))
            out[(*count)++] = arena_copy(c->arena, one);
    }
    return q.status;
}

static enum err withdrawals(struct ctx *c, const text *purposes, unsigned count, const struct json **out)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '[');
    for (unsigned i = 0; i < count; i++) {
        json_open(&w, '{');
        json_pair(&w, TEXT("purpose"), purposes[i]);
        json_pair(&w, TEXT("channel"), channel);
        json_pair(&w, TEXT("decision"), TEXT("withdrawn"));
        json_pair(&w, TEXT("method"), channel);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    return json_parse_buf(c->arena, &b, out);
}

/* Somebody who is gone gets none anyway: no error. */
static enum err end_texts(struct ctx *c, struct subject_id id, text purpose)
{
    text purposes[PURPOSES_MOST];
    unsigned count;
    const struct json *in;
    struct answer recorded = { 0 };
    struct why kept = c->arena->why;
    TRY(list_purposes(c, id, purpose, purposes, &count));
    if (!count)
        return OK;
    TRY(withdrawals(c, purposes, count, &in));
    enum err status = consent_record(c, id_print(c->arena, id), in, &recorded);
    if (status != ERR_NOT_FOUND)
        return status;
    c->arena->why = kept;
    return OK;
}

enum err campaign_sms_came(struct ctx *c, const struct json *in)
{
    text number = text_trim(json_text(in, text_of(c->app->texts.from))),
         said = json_text(in, text_of(c->app->texts.said));
    bool stops;
    TRY(is_stop(c, said, &stops));
    if (!number.n || number.n > 64 || !stops)
        return OK;
    for (unsigned i = 0; i < c->policy->tenant_count; i++) {
        struct found f;
        c->tenant = c->policy->tenants[i];
        TRY(find_number(c, number, &f));
        for (unsigned k = 0; k < f.count; k++) {
            struct ctx theirs = *c;
            theirs.decisions = NULL;
            actor_become(&theirs, f.people[k]); /* they wrote it; it lets them end this, and that is all */
            theirs.session = NULL;
            TRY(end_texts(&theirs, f.people[k], TEXT("")));
        }
    }
    return OK;
}

enum err campaign_sms_noted(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    struct campaign m;
    struct found f;
    text number = text_trim(json_text(in, TEXT("phone")));
    TRY(campaign_own(c, id, &m));
    if (!campaign_by_text(&m))
        return say(c->arena, ERR_CONFLICT, "this is not a campaign by text message");
    if (!number.n || number.n > 64)
        return say(c->arena, ERR_MISSING, "\"phone\" is the number that wants no more of them");
    TRY(find_number(c, number, &f));
    if (!f.count)
        return say(c->arena, ERR_NOT_FOUND, "no text message went to this number");
    for (unsigned i = 0; i < f.count; i++) {
        struct ctx one = *c;
        one.decisions = NULL;
        TRY(end_texts(&one, f.people[i], m.purpose));
    }
    out->body = TEXT("{\"state\":\"stopped\"}");
    return OK;
}
