/* What the links of letters lead to: the page and the one click that end them, the image, and followed links; and what
 * people answer text messages with. */
#include "base/decode.h"
#include "domain/campaign/campaign.h"
#include "front/door/front.h"
#include "front/page/page_link.h"

#define TOKEN q->params[0]

/* ---- Ending it. A look ends nothing: programs that check links look at them all (RFC 8058, 3.2). ---- */

static enum err show(struct ctx *c, const struct request *q, struct reply *r, const struct answer *answer)
{
    PAGE_AUTO p = { 0 };
    const struct json *said;
    TRY(json_parse(c->arena, answer->body, &said));
    TRY(page_open(c, q, TEXT("unsubscribe"), TEXT(""), &p));
    json_pair(&p.w, TEXT("token"), TOKEN);
    json_pair(&p.w, TEXT("purpose"), json_text(said, TEXT("title")));
    json_pair_bool(&p.w, TEXT("measure"), json_get(said, TEXT("measure"))->truth);
    json_pair_bool(&p.w, TEXT("stopped"), json_get(said, TEXT("stopped"))->truth);
    return page_show(&p, r, 200);
}

/* The token holds no time: it works for ever, so one that does not was cut off or changed. */
static enum err not_a_link(struct ctx *c, const struct request *q, struct reply *r, text kind, enum err e)
{
    struct link_gone g = { .fate = LINK_UNKNOWN, .kind = kind, .contact = true };
    if (e != ERR_NOT_FOUND)
        return e;
    if (c->policy->session.cookie.n && text_eq(kind, TEXT("stop"))) {
        g.path = TEXT("/me/consents");
        g.ask = TEXT("link.ask.choices");
    }
    g.without = true;
    return page_link_gone(c, q, r, &g, e);
}

enum err api_unsubscribe_page(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    enum err e = campaign_stop_look(c, TOKEN, &answer);
    return e == OK ? show(c, q, r, &answer) : not_a_link(c, q, r, TEXT("stop"), e);
}

enum err api_unsubscribe(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    bool one_click = json_text(q->json, TEXT("List-Unsubscribe")).n > 0;
    TRY(request_take_language(c, q));
    enum err e = campaign_stop(c, TOKEN, one_click ? TEXT("one_click") : TEXT("link"), &answer);
    return e == OK ? show(c, q, r, &answer) : not_a_link(c, q, r, TEXT("stop"), e);
}

/* ---- The image: always the same, whatever is recorded. ---- */

enum err api_letter_image(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(campaign_opened(c, TOKEN));
    reply_pixel(r);
    return OK;
}

/* ---- Links lead on to what the letter's author wrote, and nowhere else: the address stands in no request. ---- */

enum err api_letter_link(struct ctx *c, const struct request *q, struct reply *r)
{
    text to = { NULL, 0 };
    enum err e = campaign_followed(c, TOKEN, q->params[1], &to);
    if (e != OK)
        return not_a_link(c, q, r, TEXT("followed"), e);
    reply_bytes(r, 303, (text){ NULL, 0 }, TEXT(""));
    TRY(reply_header(c->arena, r, TEXT("Referrer-Policy"), TEXT("no-referrer")));
    return reply_header(c->arena, r, TEXT("Location"), to);
}

/* ---- What the gateway of text messages brings. ---- */

/* The secret, as a Bearer token or as the password of Basic (RFC 7617): gateways know one of the two. */
static text secret_of(struct ctx *c, const struct request *q)
{
    text header = request_header(q, TEXT("Authorization"));
    text scheme = text_cut(&header, ' ');
    if (text_eq_nocase(scheme, TEXT("Bearer")))
        return text_trim(header);
    if (!text_eq_nocase(scheme, TEXT("Basic")))
        return TEXT("");
    text both = decode_base64(c->arena, text_trim(header));
    (void)text_cut(&both, ':'); /* the user's name: any */
    return both.p ? both : TEXT("");
}

enum err api_sms_received(struct ctx *c, const struct request *q, struct reply *r)
{
    if (!campaign_sms_believed(c, secret_of(c, q))) {
        if (peers_failed(q->front->peers, q->address, clock_monotonic()))
            return say(c->arena, ERR_TOO_MANY, "too many failed credentials from this address within a minute");
        return say(c->arena, ERR_UNAUTHORISED, "the Authorization header is not the secret of the gateway");
    }
    TRY(campaign_sms_came(c, q->json));
    reply_bytes(r, 204, (text){ NULL, 0 }, TEXT(""));
    return OK;
}
