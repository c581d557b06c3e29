/* Taking one's data away, and leaving: the export, and erasure after it is said what must stay, why and until when. */
#include "domain/rights/export.h"
#include "front/door/go.h"
#include "domain/keep/erase.h"
#include "domain/entry/closing.h"
#include "domain/core/actor.h"
#include "front/door/cookie.h"
#include "front/door/word.h"
#include "front/page/page_person.h"

enum err api_export_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("export"), TEXT("me"), &p));
    page_problem(&p, NULL);
    return page_show(&p, r, 200);
}

/* A download with a file name: an answer to a press of a button, so that no picture or prefetch makes one. */
enum err api_export_take(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(access_export(c, session_self(c), &answer));
    return reply_answer(c, q, r, &answer);
}

static enum err show_erase(struct ctx *c, const struct request *q, struct reply *r, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *stays;
    TRY(page_open(c, q, TEXT("erase"), TEXT("me"), &p));
    TRY(erase_foresee(c, session_self(c), &answer));
    TRY(json_parse(c->arena, answer.body, &stays));
    page_problem(&p, why);
    page_copy(&p, stays, TEXT("kept"));
    page_copy(&p, stays, TEXT("gone"));
    page_copy(&p, stays, TEXT("recipients_to_tell"));
    return page_show(&p, r, why ? err_row(why->code)->http : 200);
}

enum err api_erase_page(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(session_fresh(c));
    return show_erase(c, q, r, NULL);
}

/* The page of the certificate is that of GET /v1/certificates/{id}: the person is gone, and nobody is signed in any
 * more. */
static enum err give_certificate(struct ctx *c, struct reply *r, const struct answer *erased)
{
    const struct json *all;
    TRY(json_parse(c->arena, erased->body, &all));
    const struct json *certificate = json_get(all, TEXT("certificate"));
    struct answer page = { 0 };
    TRY(certificate_shown(c, json_text(certificate, TEXT("id")), true, &page));
    c->session = NULL;
    reply_bytes(r, 200, page.media_type, page.body);
    return cookie_end_session(c, r);
}

enum err api_erase_now(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(session_fresh(c));
    enum err e = text_eq(json_text(q->json, TEXT("sure")), TEXT("yes"))
                     ? OK
                     : say(c->arena, ERR_MISSING, "the box \"sure\" was not ticked");
    if (e == OK)
        e = erase_subject(c, session_self(c), NULL, &answer);
    if (e == OK)
        return give_certificate(c, r, &answer);
    struct why why = c->arena->why;
    why.code = e;
    return show_erase(c, q, r, &why);
}

/* ---- Closing: out of reach now, erased at its term. ---- */

static enum err show_close(struct ctx *c, const struct request *q, struct reply *r, text name, msec until,
                           const struct why *why)
{
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, name, c->session ? TEXT("me") : TEXT(""), &p));
    if (why)
        fault_add(&p, TEXT("sure"), word_find(TEXT("close.tick"), c->language));
    page_problem(&p, why);
    json_pair(&p.w, TEXT("at"), time_print(c->arena, c->now));
    json_pair(&p.w, TEXT("until"), until ? time_print(c->arena, until) : TEXT(""));
    return page_show(&p, r, why ? err_row(why->code)->http : 200);
}

enum err api_close_page(struct ctx *c, const struct request *q, struct reply *r)
{
    msec until;
    TRY(session_fresh(c));
    TRY(closing_until(c, session_self(c), &until));
    return show_close(c, q, r, TEXT("close"), until, NULL);
}

/* The page that says goodbye: nobody is signed in any more, so it is the answer itself. */
enum err api_close_now(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    msec until;
    TRY(session_fresh(c));
    TRY(closing_until(c, session_self(c), &until));
    if (!text_eq(json_text(q->json, TEXT("sure")), TEXT("yes"))) {
        say(c->arena, ERR_MISSING, "the box \"sure\" was not ticked");
        struct why why = c->arena->why;
        return show_close(c, q, r, TEXT("close"), until, &why);
    }
    TRY(account_close(c, session_self(c), &answer));
    c->session = NULL;
    TRY(show_close(c, q, r, TEXT("goodbye"), until, NULL));
    return cookie_end_session(c, r);
}
