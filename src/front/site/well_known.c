/* What other programs look for under /.well-known/ (RFC 8615): whom to tell of a weakness, where passwords are changed,
 * privacy signals. */
#include "domain/mail/mail.h"
#include "front/door/front.h"

/* RFC 9116: whom to tell, in the order of preference; Expires is required, and kept under a year as the RFC recommends.
 */
enum err api_security_txt(struct ctx *c, const struct request *q, struct reply *r)
{
    enum { VALID_DAYS = 180 };
    const struct policy *p = c->policy;
    text officer = node_text(node_get(p->root, TEXT("dpo")), TEXT("email"));
    struct buf *b = reply_text(r, 200, TEXT("text/plain; charset=utf-8"));
    if (p->controller.email.n)
        buf_print(b, "Contact: mailto:%.*s\n", T(p->controller.email));
    if (officer.n && !text_eq(officer, p->controller.email))
        buf_print(b, "Contact: mailto:%.*s\n", T(officer));
    if (!b->n && p->controller.site.n)
        buf_print(b, "Contact: %.*s\n", T(p->controller.site));
    if (!b->n)
        return say(c->arena, ERR_NOT_FOUND, "the policy names no address to write to");
    char expires[TIME_TEXT + 1];
    buf_print(b, "Expires: %.*s\n", T(time_text(date_start(date_of(c->now)) + VALID_DAYS * DAY, expires)));
    buf_add(b, TEXT("Preferred-Languages: "));
    for (unsigned i = 0; i < p->language_count; i++)
        buf_print(b, "%s%.*s", i ? ", " : "", T(p->languages[i]));
    buf_char(b, '\n');
    text self = mail_link(c, TEXT("/.well-known/security.txt"));
    if (text_starts(self, TEXT("https://")) && !text_starts(self, TEXT("https://0.0.0.0")) &&
        !text_starts(self, TEXT("https://[::]")))
        buf_print(b, "Canonical: %.*s\n", T(self));
    return reply_done(c->arena, r);
}

/* W3C, A Well-Known URL for Changing Passwords: password managers take people to it. */
enum err api_change_password(struct ctx *c, const struct request *q, struct reply *r)
{
    reply_none(r);
    r->status = 302;
    return reply_header(c->arena, r, TEXT("Location"), TEXT("/me/security"));
}

/* W3C, Global Privacy Control: the signal is honoured, since no data are sold or shared for advertising here. */
enum err api_gpc(struct ctx *c, const struct request *q, struct reply *r)
{
    struct json_out *w = reply_json(r, 200);
    json_open(w, '{');
    json_pair_bool(w, TEXT("gpc"), true);
    json_pair(w, TEXT("lastUpdate"), date_print(c->arena, c->policy->date));
    json_close(w, '}');
    return reply_done(c->arena, r);
}
