/* The router: rows of routes.def compiled once; a request target to its row and its decoded parameters. */
#ifndef FRONT_DOOR_ROUTER_H
#define FRONT_DOOR_ROUTER_H
#include "front/door/reply.h"
#include "domain/core/paging.h"

enum who { WHO_PUBLIC, WHO_ANYONE, WHO_TOKEN, WHO_OWN, WHO_SELF, WHO_STAFF, WHO_OPERATOR };
enum body_kind {
    BODY_NONE,
    BODY_JSON,
    BODY_OPTIONAL,
    BODY_FILE,
    BODY_FORM
};                           /* optional: JSON or nothing; form: or JSON */
text who_word(enum who who); /* "public" … as openapi.json and the manual say it */
enum {
    NEEDS_NONE = -1,
    NEEDS_READ = ACT_READ,
    NEEDS_WRITE = ACT_WRITE,
    NEEDS_SEND = ACT_SEND,
    NEEDS_DISCLOSE = ACT_DISCLOSE,
    NEEDS_ERASE = ACT_ERASE,
    NEEDS_EXPORT = ACT_EXPORT,
    NEEDS_CONSENT = ACT_CONSENT
};

enum route_id {
#define ROUTE(name, method, path, who, needs, body, status, input, output, en, fr) ROUTE_##name,
#include "front/door/routes.def"

    ROUTE_COUNT
};

typedef enum err handler_fn(struct ctx *c, const struct request *q, struct reply *r);
struct route {
    text name; /* "subject_read": operationId, metrics, logs */
    enum method method;
    text path; /* "/v1/subjects/{id}" */
    enum who who;
    int needs; /* the act an actor's class must hold, or NEEDS_NONE */
    enum body_kind body;
    int status;         /* of success */
    text input, output; /* schemas of schemas.def; empty when none */
    text title_en, title_fr;
    handler_fn *handler;
};
/* In src/front/routes.c, with what else the door asks of those behind it: a refusal as a page; a form that goes on once
 * its person has signed in, by the reason in the arena why it cannot now (`csrf`: its token); and the promise board's
 * figures. */
extern const struct route route_rows[ROUTE_COUNT];
struct why;
extern const struct route_hands {
    enum err (*refusal)(struct ctx *c, const struct request *q, struct reply *r, const struct why *why);
    enum err (*keep)(struct ctx *c, const struct request *q, struct reply *r, text csrf);
    void (*promises)(struct ctx *c, struct buf *b);
    bool (*carried)(struct ctx *c, const struct request *q, text authority); /* of an ABROAD route: by that site */
} route_hands;
struct route_query {
    enum route_id route;
    text name;
    bool required;
    text en, fr;
};

#define ROUTE(name, method, path, who, needs, body, status, input, output, en, fr) handler_fn api_##name;
#include "front/door/routes.def"

/* A handler whose answer is that of one call of the domain, made into `answer`; the call may name c and q. */
#define HANDLER(name, call)                                                                                            \
    enum err api_##name(struct ctx *c, const struct request *q, struct reply *r)                                       \
    {                                                                                                                  \
        struct answer answer = { 0 };                                                                                  \
        TRY(call);                                                                                                     \
        return reply_answer(c, q, r, &answer);                                                                         \
    }

/* The same of a list with pages: the call may name `paging` (domain/core/paging.h) too. */
#define PAGED(name, call)                                                                                              \
    enum err api_##name(struct ctx *c, const struct request *q, struct reply *r)                                       \
    {                                                                                                                  \
        struct answer answer = { 0 };                                                                                  \
        struct paging paging;                                                                                          \
        TRY(paging_parse(c, request_query(q, TEXT("after")), request_query(q, TEXT("limit")), &paging));               \
        TRY(call);                                                                                                     \
        return reply_answer(c, q, r, &answer);                                                                         \
    }

/* A route's row, and what the rows of routes.def say of it besides. */
const struct route *route_row(enum route_id id);
bool route_always(const struct route *route); /* whatever its person has asked for before */
int route_budget(const struct route *route);  /* enum budget of which its answer holds one; -1: none */
bool route_aside(const struct route *route);  /* handled by the crew */
bool route_uploads(const struct route *route); /* its form may have files */
bool route_lets_in(const struct route *route);
bool route_abroad(const struct route *route); /* its handler says which other sites may send it */
enum route_id route_id(const struct route *route); /* of a row of the table */
/* What people open, by links that others lengthen; else it is a resource of the API. */
bool route_is_page(const struct route *route);
const struct route_query *route_queries(size_t *count);

/* Finds the row of q->method and q->target and fills route, params and queries. ERR_USAGE for a malformed target (bad
 * escape, NUL or other control byte, invalid UTF-8, empty or dotted segment, repeated query parameter; outside pages
 * also an unknown one), ERR_NOT_FOUND, or ERR_METHOD. HEAD finds the row of GET. */
enum err route_find(struct arena *a, struct request *q);
/* A target's path, checked, behind its first slash; then its segments one after the other, decoded as route_find() does
 * it, until rest->p is NULL. ERR_USAGE as there; an empty segment is given as such. */
enum err route_path(struct arena *a, text target, text *rest);
enum err route_segment(struct arena *a, text *rest, text *out);
/* Whether the query has all that the route requires; asked once it is known who asks, so that strangers learn nothing.
 */
enum err route_complete(struct arena *a, const struct request *q);
/* The methods that exist for the target's path, for Allow: "GET, HEAD, PATCH, OPTIONS"; empty when it has none. */
text route_allow(struct arena *a, text target);

#endif
