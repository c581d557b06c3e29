/* A person's account: where they are signed in, their language, and signing out. */
#include "domain/account/session.h"
#include "front/door/go.h"
#include "front/door/cookie.h"
#include "front/page/page_person.h"

enum err api_sessions_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *list;
    TRY(page_open(c, q, TEXT("sessions"), TEXT("me"), &p));
    TRY(session_list(c, &answer));
    TRY(json_parse(c->arena, answer.body, &list));
    page_problem(&p, NULL);
    json_name(&p.w, TEXT("sessions"));
    json_open(&p.w, '[');
    JSON_EACH(one, json_get(list, TEXT("sessions"))) {
        static const text members[] = { TEXT_INIT("id"),      TEXT_INIT("since"),   TEXT_INIT("seen"),
                                        TEXT_INIT("until"),   TEXT_INIT("factor"),  TEXT_INIT("this"),
                                        TEXT_INIT("address"), TEXT_INIT("browser"), TEXT_INIT("system") };
        json_open(&p.w, '{');
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            page_copy(&p, one, members[i]);
        json_close(&p.w, '}');
    }
    json_close(&p.w, ']');
    const struct json *all = json_get(list, TEXT("sessions"));
    json_pair_bool(&p.w, TEXT("several"), all && all->count > 1);
    return page_show(&p, r, 200);
}

/* "others", or the id of one; that of this one is a sign-out. */
enum err api_sessions_end(struct ctx *c, const struct request *q, struct reply *r)
{
    text id = json_text(q->json, TEXT("session"));
    struct answer answer = { 0 };
    if (text_eq(id, TEXT("others")))
        TRY(session_drop_others(c, &answer));
    else
        TRY(session_drop(c, id, &answer));
    return page_go(c, r, TEXT("/me/sessions"), TEXT("ended"));
}

/* Also without a session, so that nobody stands before an error who only wants to be gone. */
enum err api_signout(struct ctx *c, const struct request *q, struct reply *r)
{
    if (c->session)
        TRY(session_end(c));
    TRY(page_go(c, r, arena_print(c->arena, "/signin?lang=%.*s", T(c->language)), TEXT("signedout")));
    return cookie_end_session(c, r);
}

enum err api_language(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(session_language(c, json_text(q->json, TEXT("language"))));
    return page_go(c, r, page_next(json_text(q->json, TEXT("next")), TEXT("/me")), TEXT(""));
}
