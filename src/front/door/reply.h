/* A reply: made only by reply_*(), once for each request; problems follow RFC 9457. */
#ifndef FRONT_DOOR_REPLY_H
#define FRONT_DOOR_REPLY_H
#include "front/door/request.h"
#include "front/door/share.h"

enum { REPLY_HEADERS = 8 };
struct reply {
    int status;     /* 0: not made yet */
    enum err code;  /* of a problem, for logs and counters */
    text type;      /* media type; p NULL without a body */
    text body;      /* in the request's arena, in `buf`, or static */
    struct buf buf; /* owned; kept from one request to the next of its exchange */
    struct json_out json;
    struct pair headers[REPLY_HEADERS]; /* names static, values static or in the arena */
    unsigned header_count;
    char retry[12];        /* value of Retry-After, when there is one */
    struct pieces *pieces; /* in place of `body`; ended by reply_reset() and reply_free() */
    text owner;            /* whose share of the crew its pieces take, and of answers not yet taken */
    struct share held;     /* until reply_reset() and reply_free() */
    bool close;            /* the connection ends with this answer */
};

/* Ready for the next request, before its arena is: a source that was begun ends here; keeps the buffer's memory unless
 * it grew large. */
void reply_reset(struct reply *r);
void reply_free(struct reply *r);

/* What a domain function answered: its status on success is that of the route; Location and ETag when the answer has
 * them. */
enum err reply_answer(struct ctx *c, const struct request *q, struct reply *r, const struct answer *answer);
/* JSON written by the handler itself: write with r->json, then reply_done(). ERR_TOO_LARGE when it outgrew the buffer.
 */
struct json_out *reply_json(struct reply *r, int status);
/* Text of another type, written into the returned buffer, then reply_done(). */
struct buf *reply_text(struct reply *r, int status, text type);
enum err reply_done(struct arena *a, struct reply *r);
/* Bytes that live as long as the request. */
void reply_bytes(struct reply *r, int status, text type, text body);
void reply_none(struct reply *r); /* 204 */
void reply_pixel(struct reply *r); /* a picture of one pixel that shows nothing */
/* Adds a header; name static, value static or in the arena. Nothing is added beyond REPLY_HEADERS: ERR_INTERNAL. */
enum err reply_header(struct arena *a, struct reply *r, text name, text value);
/* The problem of `why`, its title in `language`; replaces what the handler had begun. */
void reply_problem(struct reply *r, const struct why *why, text language);
/* Retry-After, where the status is one that passes (429, 503): of problems, and of pages that tell one. */
void reply_retry(struct reply *r, const struct why *why);
/* The same left open, under another status (0: that of the reason), for members of the handler's own; then close the
 * object and reply_done(). */
void reply_problem_open(struct reply *r, const struct why *why, text language, int status);

#endif
