/* A request as handlers see it, whatever brought it: a connection, an item of a batch, or the command line. */
#ifndef FRONT_DOOR_REQUEST_H
#define FRONT_DOOR_REQUEST_H
#include "domain/core/ctx.h"
#include "front/door/peers.h"

#define METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(PATCH) X(DELETE) X(OPTIONS)
enum method {
    METHOD_UNKNOWN,
#define X(name) METHOD_##name,
    METHODS(X)
#undef X
};
enum method method_of(text word); /* METHOD_UNKNOWN for any other; methods are case-sensitive (RFC 9110, 9.1) */
text method_word(enum method m); /* as it stands in a request line */

struct front;      /* front/door/front.h */
struct route;      /* front/door/router.h */
struct fiber_loop; /* base/fiber.h */
struct pair {
    text name, value;
};
/* A file of a form (multipart.h). Name and type are what the sender says. */
struct upload {
    text name, file_name, media_type, content; /* name: of its input */
};
enum { UPLOADS_MAX = 8 };
enum { REQUEST_PARAMS = 4, REQUEST_QUERIES = 8, REQUEST_HEADERS = 100 };

struct request {
    struct front *front;
    struct fiber_loop *fibers; /* the loop it runs on; NULL in process */
    const struct route *route; /* set by the router */
    enum method method;
    text target;                          /* as sent: path and query, not decoded */
    text params[REQUEST_PARAMS];          /* decoded values of the path's {names}, in their order */
    struct pair queries[REQUEST_QUERIES]; /* decoded, each name once */
    size_t query_count;
    text host; /* the authority that was asked for: of an absolute target, of the proxy's word, or Host */
    const struct pair *headers;
    size_t header_count;
    text body;
    const struct json *json; /* the body of a route that takes JSON; NULL when it is empty */
    struct upload *uploads;  /* of a form with files */
    size_t upload_count;
    text csrf;               /* member of that name of a form; p NULL when none came */
    bool operator_socket;    /* came by the data folder's own socket, or in process from the command line */
    bool in_batch;           /* an item of POST /v1/batch */
    bool encrypted;          /* came over TLS, to here or to the declared proxy */
    struct address address;  /* of the client, or of whom the declared proxy forwards for; zero on the socket */
};

/* The value of a header (names without regard to case), of a query parameter, or of a path's {name}; p NULL when
 * absent. */
text request_header(const struct request *q, text name);
text request_query(const struct request *q, text name);
text request_param(const struct request *q, text name);
/* A host with or without a port, of the letters that may stand there; its port behind the colon, p NULL without one. */
bool authority_good(text s);
text authority_port(text s);
/* The same place: letters of either case, a final dot, and the port that https or http have anyway, make no difference.
 */
bool authority_same(text a, text b);
/* Accept-Language (RFC 9110, 12.5.4; RFC 4647, 3.4): the language of the policy that is preferred, of equals the one
 * named first; the policy's first without a preference, since that is what it is published in. */
text request_language(const struct policy *p, text accept_language);
/* ?lang= into c->language. A page leaves a language that the policy is not published in aside; elsewhere it is
 * ERR_USAGE. */
enum err request_take_language(struct ctx *c, const struct request *q);
/* True when the Accept header prefers text/html to application/json. */
bool request_wants_html(const struct request *q);
/* If-Match: 0 absent, -1 "*", else the version of a strong tag "\"7\"". ERR_USAGE for another form. */
enum err request_if_match(struct arena *a, const struct request *q, int64_t *version);

#endif
