/* A request as handlers see it, whatever brought it: a connection, an item of a batch, or the command line. */
#ifndef FRONT_REQUEST_H
#define FRONT_REQUEST_H
#include "domain/ctx.h"
#include "front/peers.h"

#define METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(PATCH) X(DELETE) X(OPTIONS)
enum method {
    METHOD_UNKNOWN,
#define X(name) METHOD_##name,
    METHODS(X)
#undef X
};
enum method method_of(text word); /* METHOD_UNKNOWN for any other; methods are case-sensitive (RFC 9110, 9.1) */
text method_word(enum method m);

struct front;                                         /* front/front.h */
struct route;                                         /* front/router.h */
struct fiber_loop;                                    /* base/fiber.h */
struct pair { text name, value; };
enum { REQUEST_PARAMS = 4, REQUEST_QUERIES = 8, REQUEST_HEADERS = 100 };

struct request {
    struct front *front;
    struct fiber_loop *fibers;                        /* the loop it runs on; NULL in process */
    const struct route *route;                        /* set by the router */
    enum method method;
    text target;                                      /* as sent: path and query, not decoded */
    text params[REQUEST_PARAMS];                      /* decoded values of the path's {names}, in their order */
    struct pair queries[REQUEST_QUERIES];             /* decoded, each name once */
    size_t query_count;
    const struct pair *headers;
    size_t header_count;
    text body;
    const struct json *json;                          /* the body of a route that takes JSON; NULL when it is empty */
    text csrf;                                        /* member of that name of a form; p NULL when none came */
    bool operator_socket; /* came by the data folder's own socket, or in process from the command line */
    bool in_batch;                                    /* an item of POST /v1/batch */
    bool encrypted;                                   /* came over TLS, to here or to the declared proxy */
    struct address address; /* of the client, or of whom the declared proxy forwards for; zero on the socket */
};

/* The value of a header (names without regard to case), of a query parameter, or of a path's {name}; p NULL when absent. */
text request_header(const struct request *q, text name);
text request_query(const struct request *q, text name);
text request_param(const struct request *q, text name);
/* Accept-Language (RFC 9110, 12.5.4): "fr" or "en", whichever is preferred; "en" without a preference. */
text request_language(text accept_language);
/* True when the Accept header prefers text/html to application/json. */
bool request_wants_html(const struct request *q);
/* If-Match: 0 absent, -1 "*", else the version of a strong tag "\"7\"". ERR_USAGE for another form. */
enum err request_if_match(struct arena *a, const struct request *q, int64_t *version);

#endif
