/* How a person makes letters stop: the token of a link or an address, and the withdrawal that it stands for. */
#include "base/decode.h"
#include "crypt/totp.h"
#include "domain/campaign/inside.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/mail/inbound.h"
#include "domain/person/consent.h"
#include <sodium.h>

enum { MAC = 16, STOP_TEXT = 52, STOP_BYTES = SUBJECT_ID + MAC };
static const text address_before = TEXT_INIT("unsubscribe+");

/* ---- The token: the person's id, and a keyed digest of what it ends. ---- */

struct stop_token {
    struct subject_id id;
    uint8_t mac[MAC];
};

/* Under the instance's own key, which a change of the master key only wraps anew. */
static void sign(struct ctx *c, text tenant, text use, text what, struct subject_id id, uint8_t mac[MAC])
{
    struct digest d;
    text said = arena_print(c->arena, "%.*s %.*s", T(what), T(id_print(c->arena, id)));
    digest_identifier(store_index_key(ctx_store(c)), tenant, use, said, &d);
    memcpy(mac, d.b, MAC);
}

static text stop_of(struct ctx *c, text purpose, text channel)
{
    return arena_print(c->arena, "%.*s %.*s", T(purpose), T(channel));
}

text campaign_stop_token(struct ctx *c, struct subject_id id, text purpose, text channel)
{
    struct stop_token t = { .id = id };
    sign(c, c->tenant, TEXT("campaign.stop"), stop_of(c, purpose, channel), id, t.mac);
    return totp_base32(c->arena, TEXT_BYTES(t));
}

text campaign_stop_address(struct ctx *c, text token)
{
    text from = text_of(c->app->mail.from);
    ptrdiff_t at = text_index(from, '@');
    if (at < 0)
        return TEXT("");
    return arena_print(c->arena, "%.*s%.*s%.*s", T(address_before), T(token), T(text_from(from, (size_t)at)));
}

static int digit(char ch)
{
    if (ch >= 'A' && ch <= 'Z')
        return ch - 'A';
    if (ch >= 'a' && ch <= 'z')
        return ch - 'a'; /* mail may have passed where case is lost */
    return ch >= '2' && ch <= '7' ? ch - '2' + 26 : -1;
}

static bool stop_parse(text s, struct stop_token *out)
{
    uint8_t bytes[STOP_BYTES];
    uint32_t held = 0;
    unsigned bits = 0;
    size_t n = 0;
    if (s.n != STOP_TEXT)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        int d = digit(s.p[i]);
        if (d < 0)
            return false;
        held = held << 5 | (uint32_t)d;
        bits += 5;
        if (bits >= 8 && n < sizeof bytes) {
            bits -= 8;
            bytes[n++] = (uint8_t)(held >> bits);
        }
    }
    memcpy(out, bytes, sizeof bytes);
    return n == sizeof bytes && !(held & ((1u << bits) - 1));
}

/* ---- The letter's own token. ---- */

struct letter_token {
    struct subject_id campaign, id;
    uint8_t mac[MAC];
};

text campaign_letter_token(struct ctx *c, struct subject_id campaign, struct subject_id id)
{
    struct letter_token t = { .campaign = campaign, .id = id };
    BUF_AUTO b = buf_make(128);
    sign(c, c->tenant, TEXT("campaign.letter"), id_print(c->arena, campaign), id, t.mac);
    buf_base64url(&b, TEXT_BYTES(t));
    return buf_made(c->arena, &b);
}

bool campaign_letter_of(struct ctx *c, text token, struct subject_id *campaign, struct subject_id *id)
{
    struct letter_token t;
    uint8_t mac[MAC];
    text bytes = decode_base64url(c->arena, token);
    if (!bytes.p || bytes.n != sizeof t)
        return false;
    memcpy(&t, bytes.p, sizeof t);
    for (unsigned i = 0; i < c->policy->tenant_count; i++) {
        sign(c, c->policy->tenants[i], TEXT("campaign.letter"), id_print(c->arena, t.campaign), t.id, mac);
        if (sodium_memcmp(mac, t.mac, MAC) != 0)
            continue;
        c->tenant = c->policy->tenants[i];
        *campaign = t.campaign;
        *id = t.id;
        return true;
    }
    return false;
}

/* ---- What it ends. ---- */

struct stop {
    struct subject_id id;
    const struct purpose *purpose;
    text channel;
};

static bool stops(struct ctx *c, const struct stop_token *t, text tenant, const struct purpose *p, text channel)
{
    uint8_t mac[MAC];
    sign(c, tenant, TEXT("campaign.stop"), stop_of(c, p->name, channel), t->id, mac);
    return sodium_memcmp(mac, t->mac, MAC) == 0;
}

static bool find_in(struct ctx *c, const struct stop_token *t, text tenant, struct stop *out)
{
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        const struct purpose *p = &c->policy->purposes[i];
        for (unsigned k = 0; k < p->channel_count || k == 0; k++) {
            text channel = p->channel_count ? p->channels[k] : TEXT("");
            if (stops(c, t, tenant, p, channel)) {
                *out = (struct stop){ t->id, p, channel };
                return true;
            }
        }
    }
    return false;
}

static enum err find(struct ctx *c, text token, struct stop *out)
{
    struct stop_token t;
    if (stop_parse(token, &t))
        for (unsigned i = 0; i < c->policy->tenant_count; i++)
            if (find_in(c, &t, c->policy->tenants[i], out)) {
                c->tenant = c->policy->tenants[i];
                return OK;
            }
    return say(c->arena, ERR_NOT_FOUND, "this link is not valid: it may have been cut off");
}

static enum err say_stop(struct ctx *c, const struct stop *s, bool stopped, struct answer *out)
{
    int category;
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("purpose"), s->purpose->name);
    json_pair(&w, TEXT("title"), doc_purpose(c, s->purpose));
    json_pair_bool(&w, TEXT("measure"), s->purpose == campaign_measuring(c, &category));
    json_pair_bool(&w, TEXT("stopped"), stopped);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

enum err campaign_stop_look(struct ctx *c, text token, struct answer *out)
{
    struct stop s;
    TRY(find(c, token, &s));
    return say_stop(c, &s, false, out);
}

static enum err decision(struct ctx *c, const struct stop *s, text method, const struct json **out)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("purpose"), s->purpose->name);
    if (s->channel.n)
        json_pair(&w, TEXT("channel"), s->channel);
    json_pair(&w, TEXT("decision"), TEXT("withdrawn"));
    json_pair(&w, TEXT("method"), method);
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

enum err campaign_stop(struct ctx *c, text token, text method, struct answer *out)
{
    struct stop s;
    struct answer recorded = { 0 };
    const struct json *in;
    TRY(find(c, token, &s));
    TRY(decision(c, &s, method, &in));
    actor_become(c, s.id); /* the token proves whose it is, and that is all that it lets them do */
    c->session = NULL;
    enum err status = consent_record(c, id_print(c->arena, s.id), in, &recorded);
    return status == OK || status == ERR_NOT_FOUND ? say_stop(c, &s, true, out) : status;
}

/* ---- By a letter of theirs. ---- */

enum err campaign_came(struct ctx *c, const struct inbound *m, bool *taken, struct answer *out)
{
    struct answer stopped = { 0 };
    if (m->box != INBOUND_STOP)
        return campaign_returned(c, m, taken, out);
    TRY(campaign_stop(c, m->tag, TEXT("email"), &stopped));
    *taken = true;
    return inbound_answer(c, TEXT("stopped"), TEXT(""), TEXT(""), out);
}
