/* Handlers of folders and preferences, and what a proxy asks before it lets a request through. */
#include "domain/folder/folder.h"
#include "domain/preference/preference.h"
#include "domain/core/actor.h"
#include "front/door/front.h"
#include "base/decode.h"
#include "front/door/go.h"

#define ID      q->params[0]
#define SELF    session_self(c)
#define PURPOSE request_query(q, TEXT("purpose"))

HANDLER(folder_grant, folder_grant(c, ID, q->json, &answer))
HANDLER(folder_revoke, folder_revoke(c, ID, q->json, &answer))
HANDLER(folder_list, folder_list(c, ID, &answer))
HANDLER(me_folders, folder_list(c, SELF, &answer))
HANDLER(authorize, folder_authorize(c, q->json, &answer))

HANDLER(preference_list, preference_list(c, ID, PURPOSE, &answer))
HANDLER(preference_get, preference_get(c, ID, q->params[1], q->params[2], PURPOSE, &answer))
HANDLER(preference_set, preference_set(c, ID, q->params[1], q->params[2], q->json, PURPOSE, &answer))
HANDLER(preference_drop, preference_drop(c, ID, q->params[1], q->params[2], PURPOSE, &answer))
HANDLER(me_preferences, preference_list(c, SELF, TEXT(""), &answer))
HANDLER(me_preference_get, preference_get(c, SELF, q->params[0], q->params[1], TEXT(""), &answer))
HANDLER(me_preference_set, preference_set(c, SELF, q->params[0], q->params[1], q->json, TEXT(""), &answer))
HANDLER(me_preference_drop, preference_drop(c, SELF, q->params[0], q->params[1], TEXT(""), &answer))

/* ---- GET /v1/forward-auth (docs/forward-auth.md). ---- */

/* The segment that stands where the pattern has :name; a last * stands for all that follows. Both are read as the
 * router reads a target: what a proxy would have understood in another way (dots, slashes in escapes, empty segments)
 * is refused, so that the name decided on is the one served. The query decides nothing. */
/* What an application behind the proxy may read as "." or "..", or as a slash: servlets cut off what follows a ";", and
 * some decode what was decoded. */
static bool is_dotted(text segment)
{
    text head = text_cut(&segment, ';');
    return text_eq(head, TEXT(".")) || text_eq(head, TEXT(".."));
}

static bool is_ambiguous(struct arena *a, text segment)
{
    BUF_AUTO b = buf_make(segment.n + 16);
    for (size_t i = 0; i < segment.n; i++) {
        uint8_t byte = (uint8_t)segment.p[i];
        bool escape = byte == '%' && decode_hex(text_upto(text_from(segment, i + 1), 2), &byte, 1);
        buf_char(&b, (char)byte);
        i += escape ? 2 : 0;
    }
    text again = buf_made(a, &b);
    return is_dotted(again) || text_index(again, '/') >= 0 || text_index(again, '\\') >= 0;
}

static bool fits(struct ctx *c, text path, text pattern, text *name)
{
    bool tail = false, same = true;
    while (path.p) {
        text segment, want = TEXT("");
        if (route_segment(c->arena, &path, &segment) != OK || (!segment.n && path.p))
            return false;
        if (is_ambiguous(c->arena, segment))
            return false;
        if (tail)
            continue;
        if (!pattern.p || route_segment(c->arena, &pattern, &want) != OK)
            return false;
        if ((tail = text_eq(want, TEXT("*")) && !pattern.p))
            continue;
        if (text_eq(want, TEXT(":name")))
            *name = segment;
        else
            same &= text_eq(segment, want);
    }
    return same && !pattern.p;
}

static enum err name_in(struct ctx *c, text target, text pattern, text *name)
{
    text path, want;
    *name = (text){ NULL, 0 };
    bool read = route_path(c->arena, target, &path) == OK && route_path(c->arena, pattern, &want) == OK;
    if (read && fits(c, path, want, name) && name->n)
        return OK;
    return say(c->arena, ERR_FORBIDDEN, "what the proxy says was asked for does not have the form of its \"path\"");
}

/* What was asked for: nginx is told to say X-Original-URI, Traefik and Caddy say X-Forwarded-Uri by themselves. Where
 * both come and differ one is a client's own, which the proxy let through. */
static enum err target_of(struct ctx *c, const struct request *q, text *target)
{
    text original = request_header(q, TEXT("X-Original-URI")), forwarded = request_header(q, TEXT("X-Forwarded-Uri"));
    *target = original.p ? original : forwarded;
    if (original.p && forwarded.p && !text_eq(original, forwarded))
        return say(c->arena, ERR_FORBIDDEN, "X-Original-URI and X-Forwarded-Uri name two targets");
    return OK;
}

/* Traefik and Caddy pass on whatever is no success: a person who looks at a page there is sent to sign in, and back.
 * Whole, since Traefik would read a path as one of ours, and by the host that the proxy says. Others, and nginx, get
 * 401. */
static enum err to_signin(struct ctx *c, const struct request *q, struct reply *r, bool *sent)
{
    enum { NEXT_MOST = 600 };
    text asked = request_header(q, TEXT("X-Forwarded-Uri")), method = request_header(q, TEXT("X-Forwarded-Method"));
    bool look = !method.p || text_eq(method, TEXT("GET")) || text_eq(method, TEXT("HEAD"));
    *sent = asked.p && !request_header(q, TEXT("X-Original-URI")).p && look && request_wants_html(q) &&
            authority_good(q->host);
    if (!*sent)
        return OK;
    BUF_AUTO b = buf_make(8192);
    text location, next = asked.n <= NEXT_MOST ? page_next(asked, TEXT("")) : TEXT("");
    buf_print(&b, "%s://%.*s/signin", q->encrypted ? "https" : "http", T(q->host));
    if (next.n) {
        buf_add(&b, TEXT("?next="));
        buf_percent(&b, next);
    }
    TRY(buf_take(c->arena, &b, &location));
    return page_go(c, r, location, TEXT(""));
}

/* Who is signed in, and with ?folder whether they may enter it. What the request itself says of identities is not
 * looked at: only the session's cookie tells. */
enum err api_forward_auth(struct ctx *c, const struct request *q, struct reply *r)
{
    text folder = request_query(q, TEXT("folder")), name = request_query(q, TEXT("name")),
         path = request_query(q, TEXT("path"));
    if (!c->session) {
        bool sent;
        TRY(to_signin(c, q, r, &sent));
        return sent ? OK : say(c->arena, ERR_UNAUTHORISED, "nobody is signed in here");
    }
    const struct session *session = c->session;
    session_as_person(c);
    if (path.p) {
        text target;
        TRY(target_of(c, q, &target));
        TRY(name_in(c, target, path, &name));
    }
    if (folder.p)
        TRY(folder_enter(c, folder, name));
    text role = session->closed.n ? TEXT("") : session->role, self = session_self(c);
    struct json_out *w = reply_json(r, 200);
    json_open(w, '{');
    json_pair(w, TEXT("subject"), self);
    json_pair(w, TEXT("role"), role.n ? role : (text){ NULL, 0 });
    json_close(w, '}');
    TRY(reply_done(c->arena, r));
    TRY(reply_header(c->arena, r, TEXT("Garant-Subject"), self));
    return role.n ? reply_header(c->arena, r, TEXT("Garant-Role"), role) : OK;
}
