/* One thread of the server. libmicrohttpd reads and writes; we accept, check, bound, time, and run handlers on fibers.
 */
#include "front/wire/loop.h"
#include "base/log.h"
#include "front/wire/library.h"
#include "front/door/router.h"
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    HEAD_TIME = 10 * SECOND,
    KEPT_TIME = 75 * SECOND,
    BODY_TIME = 15 * SECOND,
    DRAIN_TIME = 10 * SECOND,
    EXCHANGES_KEPT = 64,
    BODY_KEPT = 64 << 10,
    BODY_STEP = 1 << 20,
    ACCEPT_AT_ONCE = 32,
    PIECE_TAKEN = 64 << 10,
    HEAD_MEMORY = 2 * HEAD_LIMIT + 4096, /* of libmicrohttpd for each connection; above 32 KiB it is the kernel's own,
                                            and gone when it ends */
    ARENA_LIMIT = 256 << 20
};

enum state { FRESH, KEPT, HEAD, BODY, WORKING, SENDING };

struct connection {
    struct connection *next, *previous;
    struct connection *next_handed; /* of loop.handed */
    struct loop *loop;
    int fd;
    struct address address;
    struct peer *peer; /* NULL on the folder's socket */
    struct sockaddr_storage from;
    socklen_t from_size;
    bool operator_socket, encrypted, swept, linger; /* encrypted: by TLS here */
    bool ours; /* the wait is of our own making: the next piece is not there yet */
    enum state state;
    msec since;     /* the state's start, of clock_monotonic() */
    uint64_t bytes; /* of the body so far, or of the answer */
};

/* An answer given piece by piece. Its fiber makes a piece when the client has taken the one before, so that a slow
 * reader holds one piece and nobody's thread. All members are of the loop's thread. */
struct pump {
    bool working; /* the fiber lives: it gives the exchange back, when the connection has let go of it */
    bool asked, ended, failed, gone; /* a piece is wanted; there is no more; it broke off; the connection has let go */
    bool suspended;                  /* the connection waits for a piece */
    struct wait wanted;
    struct buf piece;
    text left;    /* of the piece, not yet taken */
    msec stalled; /* when the connection began to wait */
};

/* One request and its answer; used again for others. */
struct exchange {
    struct exchange *next;
    struct connection *connection;
    struct MHD_Connection *mhd;
    struct arena arena;
    struct buf body;
    struct reply reply;
    struct request request;
    struct pair headers[REQUEST_HEADERS];
    text line; /* the target's place in libmicrohttpd's buffer */
    struct framing framing;
    uint64_t reserved; /* of shared.bodies */
    struct share held; /* of the caller's share, for the body and an answer that waits to be taken */
    uint64_t started;
    enum { READING, STARTED, PARKED, DONE, ANSWERED } stage;
    struct loop *loop;
    struct pump pump;
};

static void enter(struct connection *c, enum state state)
{
    c->state = state;
    c->ours = false;
    c->since = clock_monotonic();
    c->bytes = 0;
}

/* ---- Exchanges. ---- */

static struct exchange *exchange_take(struct loop *l)
{
    struct exchange *x = l->idle;
    if (x) {
        l->idle = x->next;
        l->idle_count--;
        return x;
    }
    if ((x = calloc(1, sizeof *x))) {
        x->arena = arena_make(ARENA_LIMIT);
        reply_reset(&x->reply);
    }
    return x;
}

static void exchange_free(struct exchange *x)
{
    buf_free(&x->body);
    reply_free(&x->reply);
    buf_free(&x->pump.piece);
    arena_free(&x->arena);
    free(x);
}

static void exchange_give(struct loop *l, struct exchange *x)
{
    atomic_fetch_sub_explicit(&l->shared->bodies, x->reserved, memory_order_relaxed);
    x->reserved = 0;
    share_give(&x->held);
    if (l->idle_count >= EXCHANGES_KEPT) {
        exchange_free(x);
        return;
    }
    reply_reset(&x->reply);
    arena_reset(&x->arena);
    buf_free(&x->pump.piece);
    if (x->body.capacity > BODY_KEPT)
        buf_free(&x->body);
    else
        buf_wipe(&x->body);
    x->next = l->idle;
    l->idle = x;
    l->idle_count++;
}

/* ---- Answers. ---- */

/* The fiber is to go on: once for each time that it waits. */
static void ask(struct pump *p)
{
    if (!p->asked) {
        p->asked = true;
        wait_done(&p->wanted);
    }
}

/* HSTS only where the answer goes over TLS (RFC 6797, 7.2). Other sites are told nothing of where people come from;
 * this one is, since without a referrer browsers send "Origin: null" with a form, which says nothing of who forged it.
 */
static const struct {
    const char *name, *value;
    bool encrypted;
} always[] = {
    { "Cache-Control", "no-store", false },
    { "X-Content-Type-Options", "nosniff", false },
    { "Content-Security-Policy",
      "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'", false },
    { "Referrer-Policy", "same-origin", false },
    { "Cross-Origin-Opener-Policy", "same-origin", false },
    { "Cross-Origin-Resource-Policy", "same-origin", false },
    { "Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()", false },
    { "Strict-Transport-Security", "max-age=31536000", true },
};

static bool add_header(struct MHD_Response *response, text name, text value)
{
    char n[64], v[2048];
    return text_cstr(name, n, sizeof n) && text_cstr(value, v, sizeof v) &&
           MHD_add_response_header(response, n, v) == MHD_YES;
}

/* A handler's own header takes the place of the one that always stands. */
static bool has_header(const struct reply *r, text name)
{
    for (unsigned i = 0; i < r->header_count; i++)
        if (text_eq_nocase(r->headers[i].name, name))
            return true;
    return false;
}

/* ---- Answers given piece by piece. ---- */

/* The connection takes what it has room for. Nothing there: it waits, and the fiber makes the next piece. */
static ssize_t on_pull(void *arg, uint64_t position, char *room, size_t most)
{
    struct exchange *x = arg;
    struct pump *p = &x->pump;
    text left = text_upto(p->left, most);
    if (left.n) {
        memcpy(room, left.p, left.n);
        p->left = text_from(p->left, left.n);
        x->connection->bytes += left.n;
        return (ssize_t)left.n;
    }
    if (p->failed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (p->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    MHD_suspend_connection(x->mhd);
    p->suspended = true;
    x->connection->ours = true;
    p->stalled = clock_monotonic();
    ask(p);
    return 0;
}

static struct MHD_Response *make_response(struct exchange *x)
{
    const struct reply *r = &x->reply;
    struct MHD_Response *response = r->pieces ? MHD_create_response_from_callback(
                                                    r->pieces->size < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)r->pieces->size,
                                                    PIECE_TAKEN, on_pull, x, NULL)
                                              : MHD_create_response_from_buffer(r->body.n, (void *)(uintptr_t)r->body.p,
                                                                                MHD_RESPMEM_PERSISTENT);
    bool ok = response != NULL;
    for (size_t i = 0; ok && i < sizeof always / sizeof *always; i++)
        ok = has_header(r, text_of(always[i].name)) || (always[i].encrypted && !x->request.encrypted) ||
             MHD_add_response_header(response, always[i].name, always[i].value) == MHD_YES;
    if (ok && r->type.p)
        ok = add_header(response, TEXT("Content-Type"), r->type);
    for (unsigned i = 0; ok && i < r->header_count; i++)
        ok = add_header(response, r->headers[i].name, r->headers[i].value);
    if (ok && (r->close || x->framing.chunked ||
               atomic_load_explicit(&x->connection->loop->shared->stopping, memory_order_relaxed)))
        ok = add_header(response, TEXT("Connection"), TEXT("close"));
    if (ok || !response)
        return response;
    MHD_destroy_response(response);
    return NULL;
}

/* A request is never left without an answer: one that cannot be made, a header too long for example, becomes a problem.
 */
static struct MHD_Response *response_or_problem(struct exchange *x)
{
    struct MHD_Response *response = make_response(x);
    if (response)
        return response;
    say(&x->arena, ERR_INTERNAL, "the answer of %zu bytes could not be given", x->reply.body.n);
    reply_reset(&x->reply);
    reply_problem(&x->reply, &x->arena.why, TEXT("en"));
    return make_response(x);
}

static void write_access_log(struct exchange *x, uint64_t microseconds)
{
    const struct route *route = x->request.route;
    LOG(LOG_INFO, "request", LOG_TEXT("method", method_word(x->request.method)),
        LOG_TEXT("route", route ? route->path : TEXT("-")), LOG_INT("status", x->reply.status),
        LOG_INT("bytes", (int64_t)x->reply.body.n), LOG_INT("us", (int64_t)microseconds));
}

static enum MHD_Result send_reply(struct exchange *x)
{
    struct connection *c = x->connection;
    struct MHD_Response *response = response_or_problem(x);
    uint64_t microseconds = metrics_microseconds() - x->started;
    x->stage = ANSWERED;
    enter(c, SENDING);
    c->bytes = x->reply.body.n;
    c->linger |= x->framing.chunked;
    counters_add(c->loop->counters, x->request.route, x->reply.status, microseconds);
    if (c->loop->shared->access_log)
        write_access_log(x, microseconds);
    if (!response)
        return MHD_NO; /* not even a problem can be told */
    enum MHD_Result result = MHD_queue_response(x->mhd, (unsigned)x->reply.status, response);
    MHD_destroy_response(response);
    return result;
}

static bool has_body(const struct exchange *x) { return x->framing.length || x->framing.chunked; }

/* Answers with the reason in the arena. After a malformed head, or with a body that nobody will read, the connection
 * ends: what follows on it cannot be trusted to be where it seems. */
static enum MHD_Result refuse(struct exchange *x, bool broken)
{
    front_refuse(&x->request, &x->arena, &x->reply);
    x->reply.close = broken || has_body(x);
    x->connection->linger = x->reply.close;
    return send_reply(x);
}

/* ---- A request arrives. ---- */

/* The request line has come: called before the library splits the target. */
static void *on_line(void *arg, const char *target, struct MHD_Connection *mhd)
{
    struct loop *l = arg;
    struct connection *c = library_context(mhd);
    struct exchange *x = c ? exchange_take(l) : NULL;
    if (!x)
        return NULL;
    enter(c, HEAD);
    x->loop = l;
    x->pump = (struct pump){ .piece = x->pump.piece };
    x->connection = c;
    x->mhd = mhd;
    x->stage = READING;
    x->started = metrics_microseconds();
    x->line = text_of(target);
    /* The library would now split the query, with memory it may not have (0.9.75 then hangs): we split it ourselves. */
    char *query = target ? memchr(target, '?', x->line.n) : NULL;
    x->request = (struct request){ .front = l->shared->front,
                                   .fibers = &l->fibers,
                                   .operator_socket = c->operator_socket,
                                   .encrypted = c->encrypted,
                                   .address = c->address,
                                   .headers = x->headers,
                                   .target = arena_copy(&x->arena, x->line) };
    if (query)
        query[1] = '\0';
    return x;
}

/* "http://host/path" (RFC 9112, 3.2.2): its host counts, whatever Host says. */
static enum err take_absolute(struct exchange *x)
{
    struct request *q = &x->request;
    ptrdiff_t at = text_find(q->target, TEXT("://"));
    text scheme = text_upto(q->target, at < 0 ? 0 : (size_t)at);
    q->host = text_trim(request_header(q, TEXT("Host")));
    if (!text_eq_nocase(scheme, TEXT("http")) && !text_eq_nocase(scheme, TEXT("https")))
        return OK;
    text rest = text_from(q->target, scheme.n + 3);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    q->host = text_upto(rest, end);
    if (!authority_good(q->host))
        return say(&x->arena, ERR_USAGE, "the request target names no host and port");
    rest = text_from(rest, end);
    q->target = rest.n && rest.p[0] == '/' ? rest : arena_print(&x->arena, "/%.*s", T(rest));
    return q->target.p ? OK : ERR_MEMORY;
}

static enum err believe_proxy(struct exchange *x)
{
    const struct connection *c = x->connection;
    const struct shared *s = c->loop->shared;
    struct host_address peer = host_of((const struct sockaddr *)&c->from);
    return s->proxy && !c->operator_socket ? proxy_believe(&x->arena, &s->proxies, &peer, &x->request) : OK;
}

static enum err check_head(struct exchange *x, const char *url, const char *method, const char *version)
{
    struct arena *a = &x->arena;
    struct head head;
    enum err e = library_head(a, x->mhd, url, method, version, x->line, x->headers, &head);
    x->request.header_count = head.count < REQUEST_HEADERS ? head.count : REQUEST_HEADERS;
    x->framing = (struct framing){ 0 };
    TRY(e);
    TRY_PTR(x->request.target.p);
    TRY(strict_check(a, &head, &x->framing));
    x->request.method = method_of(head.method);
    TRY(take_absolute(x));
    return believe_proxy(x);
}

static enum err find_route(struct exchange *x)
{
    struct arena *a = &x->arena;
    TRY(route_find(a, &x->request));
    size_t limit = front_body_limit(x->request.route);
    if (x->framing.length > limit || (x->framing.chunked && !limit))
        return limit ? say(a, ERR_TOO_LARGE, "the body is larger than %zu bytes", limit)
                     : say(a, ERR_USAGE, "this resource takes no body");
    x->body.limit = limit;
    buf_clear(&x->body);
    return OK;
}

/* Room for `length` bytes more of a body among all that are being read, so that many senders together cannot take the
 * machine's memory. */
static enum err reserve_body(struct exchange *x, uint64_t length)
{
    _Atomic uint64_t *all = &x->connection->loop->shared->bodies;
    if (atomic_fetch_add_explicit(all, length, memory_order_relaxed) + length > BODIES_LIMIT) {
        atomic_fetch_sub_explicit(all, length, memory_order_relaxed);
        return say(&x->arena, ERR_BUSY, "too many large bodies are being read at once");
    }
    x->reserved += length;
    return OK;
}

/* What may be asked of a path, or with * of the server (RFC 9110, 9.3.7): anybody may know, and nothing is done. */
static bool answers_options(struct exchange *x)
{
    const struct request *q = &x->request;
    if (q->method != METHOD_OPTIONS)
        return false;
    bool all = text_eq(q->target, TEXT("*"));
    text allow = all ? TEXT("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") : route_allow(&x->arena, q->target);
    if (!allow.n)
        return false;
    reply_none(&x->reply);
    x->reply.close = has_body(x);
    x->connection->linger = x->reply.close;
    return reply_header(&x->arena, &x->reply, TEXT("Allow"), allow) == OK &&
           front_preflight(&x->request, &x->arena, &x->reply) == OK;
}

static enum MHD_Result on_head(struct exchange *x, const char *url, const char *method, const char *version)
{
    x->stage = STARTED;
    if (check_head(x, url, method, version) != OK)
        return refuse(x, true);
    if (answers_options(x))
        return send_reply(x);
    if (find_route(x) != OK)
        return refuse(x, false);
    /* What comes in chunks may be as long as the route lets it: that much of the caller's share is taken. */
    uint64_t length = x->framing.chunked ? x->body.limit : x->framing.length;
    if ((length > BODY_SMALL || x->framing.chunked) &&
        front_turns_away(&x->request, length, &x->arena, &x->reply, &x->held)) {
        x->connection->linger = x->reply.close = true;
        return send_reply(x);
    }
    if (x->framing.length && reserve_body(x, x->framing.length) != OK)
        return refuse(x, false);
    enter(x->connection, BODY);
    return MHD_YES;
}

static void refuse_at_door(struct connection *c, const struct why *why);

/* A body that comes in chunks does not say before how long it is. */
static enum err room_for_chunk(struct exchange *x, size_t size)
{
    uint64_t all = x->connection->bytes + size;
    if (all > x->body.limit)
        return say(&x->arena, ERR_TOO_LARGE, "the body is larger than %zu bytes", x->body.limit);
    return all > x->reserved ? reserve_body(x, BODY_STEP > all - x->reserved ? BODY_STEP : all - x->reserved) : OK;
}

static enum MHD_Result on_data(struct exchange *x, const char *data, size_t *size)
{
    /* The library takes no answer while the body comes: it is said by ourselves, and the connection ends. */
    if (x->framing.chunked && room_for_chunk(x, *size) != OK) {
        refuse_at_door(x->connection, &x->arena.why);
        return MHD_NO;
    }
    x->connection->bytes += *size;
    buf_add(&x->body, (text){ data, *size });
    library_wipe(data, *size);
    *size = 0;
    return MHD_YES;
}

struct piece {
    struct exchange *x;
    enum err status;
};

static void run_piece(void *arg)
{
    struct piece *p = arg;
    struct pieces *s = p->x->reply.pieces;
    p->status = s->next(s, &p->x->arena, &p->x->pump.piece);
}

/* The next piece, made by the crew in the share of whoever asked. */
typedef enum err crew_ask(struct crew *crew, struct arena *a, text owner, void (*fn)(void *arg), void *arg);
static enum err make_piece(struct exchange *x, crew_ask *by)
{
    struct piece piece = { .x = x };
    buf_clear(&x->pump.piece);
    x->pump.left = TEXT("");
    x->pump.piece.limit = BUF_DEFAULT_LIMIT;
    TRY(by(x->request.front->crew, &x->arena, x->reply.owner, run_piece, &piece));
    TRY(piece.status);
    TRY(buf_lend(&x->arena, &x->pump.piece, &x->pump.left));
    x->pump.ended = !x->pump.left.n;
    return OK;
}

/* The first piece is made before the answer has begun, so that what fails at once is still told. */
static void begin_pump(struct exchange *x)
{
    x->pump = (struct pump){ .piece = x->pump.piece };
    if (make_piece(x, crew_do) == OK) {
        x->pump.working = true;
        wait_init(&x->pump.wanted);
        return;
    }
    struct why why = x->arena.why;
    reply_reset(&x->reply);
    reply_problem(&x->reply, &why, TEXT("en"));
}

/* Waits of our own making do not count against who reads. */
static void go_on(struct exchange *x)
{
    struct pump *p = &x->pump;
    if (!p->suspended)
        return;
    p->suspended = false;
    x->connection->ours = false;
    x->connection->since += clock_monotonic() - p->stalled;
    MHD_resume_connection(x->mhd);
}

static void pump(struct exchange *x)
{
    struct pump *p = &x->pump;
    while (!p->ended && !p->failed) {
        wait_for(&p->wanted);
        if (p->gone)
            break;
        if (make_piece(x, crew_go_on) != OK) {
            LOG(LOG_WARN, "an answer broke off", LOG_TEXT("code", err_row(x->arena.why.code)->slug),
                LOG_TEXT("why", text_of(x->arena.why.detail)));
            p->failed = true;
            buf_clear(&p->piece);
        }
        wait_init(&p->wanted);
        p->asked = false;
        if (p->gone)
            break;
        go_on(x);
    }
    p->working = false;
    if (p->gone)
        exchange_give(x->loop, x);
}

static void work(void *arg)
{
    struct exchange *x = arg;
    front_answer(&x->request, &x->arena, &x->reply);
    if (x->reply.owner.p && !x->reply.pieces) /* it counts if there is memory to count it */
        share_add(x->request.front->shares, &x->arena, x->reply.owner, BUDGET_answers, (int64_t)x->reply.body.n,
                  &x->reply.held);
    if (x->reply.pieces)
        begin_pump(x);
    if (x->stage == PARKED)
        MHD_resume_connection(x->mhd);
    x->stage = DONE;
    atomic_fetch_sub_explicit(&x->loop->counters->working, 1, memory_order_relaxed);
    if (x->reply.pieces)
        pump(x);
}

static enum MHD_Result on_complete(struct exchange *x)
{
    struct connection *c = x->connection;
    if (buf_lend(&x->arena, &x->body, &x->request.body) != OK)
        return refuse(x, true);
    enter(c, WORKING);
    atomic_fetch_add_explicit(&c->loop->counters->working, 1, memory_order_relaxed);
    if (fiber_run(&x->arena, &c->loop->fibers, work, x) != OK) {
        atomic_fetch_sub_explicit(&c->loop->counters->working, 1, memory_order_relaxed);
        return refuse(x, false);
    }
    if (x->stage == DONE)
        return send_reply(x);
    x->stage = PARKED;
    MHD_suspend_connection(x->mhd);
    return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **context)
{
    struct exchange *x = *context;
    if (!x) /* no memory when the line came, or a connection that was given up */
        return MHD_NO;
    switch (x->stage) {
    case READING:
        return on_head(x, url, method, version);
    case STARTED:
        return *size ? on_data(x, data, size) : on_complete(x);
    case DONE:
        return send_reply(x);
    case PARKED:
    case ANSWERED:
        break;
    }
    *size = 0;
    return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *context;
    *context = NULL;
    library_wipe_proofs(mhd);
    if (!x)
        return;
    enter(x->connection, KEPT);
    if (!x->pump.working) {
        exchange_give(arg, x);
        return;
    }
    x->pump.gone = true;
    ask(&x->pump);
}

/* ---- Connections. ---- */

/* The client may still be sending; closed at once, its system would throw away the answer: we close our half and read
 * on. */
static void linger(struct loop *l, int fd)
{
    if (l->linger_count == sizeof l->linger / sizeof *l->linger)
        return;
    int copy = dup(fd);
    if (copy < 0)
        return;
    shutdown(copy, SHUT_WR);
    l->linger[l->linger_count].fd = copy;
    l->linger[l->linger_count++].until = clock_monotonic() + LINGER_TIME;
}

static void read_lingering(struct loop *l, bool all)
{
    char sink[16384];
    msec now = clock_monotonic();
    for (unsigned i = 0; i < l->linger_count;) {
        ssize_t n;
        do
            n = recv(l->linger[i].fd, sink, sizeof sink, MSG_DONTWAIT);
        while (n > 0);
        if (all || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || now > l->linger[i].until) {
            close(l->linger[i].fd);
            l->linger[i] = l->linger[--l->linger_count];
        } else
            i++;
    }
}

static void connection_free(struct connection *c)
{
    struct loop *l = c->loop;
    *(c->previous ? &c->previous->next : &l->connections) = c->next;
    if (c->next)
        c->next->previous = c->previous;
    if (c->peer)
        peers_leave(l->shared->front->peers, c->peer);
    atomic_fetch_sub_explicit(&l->shared->connections, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&l->counters->connections, 1, memory_order_relaxed);
    free(c);
}

/* Takes the connection with this descriptor out of those that were handed to the library and have not begun; NULL when
 * there is none. */
static struct connection *handed_take(struct loop *l, int fd)
{
    for (struct connection **place = &l->handed; *place; place = &(*place)->next_handed)
        if ((*place)->fd == fd) {
            struct connection *c = *place;
            *place = c->next_handed;
            return c;
        }
    return NULL;
}

/* The library begins a connection when it is handed over (0.9.75), or when it runs next (1.0): the descriptor tells
 * which one it is. */
static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct loop *l = arg;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = handed_take(l, library_descriptor(mhd));
        return;
    }
    struct connection *c = *context;
    if (!c)
        return;
    if (c->linger)
        linger(l, c->fd);
    connection_free(c);
}

/* The library has run, and closed what it did not begin: without a word, and the descriptor may be another's by now. */
static void forget_handed(struct loop *l)
{
    while (l->handed) {
        struct connection *c = l->handed;
        l->handed = c->next_handed;
        connection_free(c);
    }
}

static void sweep_out(struct connection *c)
{
    if (c->swept)
        return;
    c->swept = true;
    shutdown(c->fd, SHUT_RDWR); /* the library sees the end and closes */
    atomic_fetch_add_explicit(&c->loop->counters->swept, 1, memory_order_relaxed);
}

/* Places are taken: the connection that has asked nothing for longest goes, of the address that holds most. False when
 * all are at work. */
static bool make_room(struct loop *l)
{
    struct connection *worst = NULL;
    unsigned most = 0;
    for (struct connection *c = l->connections; c; c = c->next) {
        unsigned held = c->peer ? peer_connections(c->peer) : 0;
        bool idle = c->state == FRESH || c->state == KEPT || c->state == HEAD;
        if (idle && !c->swept && (!worst || held > most || (held == most && c->since < worst->since))) {
            worst = c;
            most = held;
        }
    }
    if (worst)
        sweep_out(worst);
    return worst != NULL;
}

/* On the folder's socket: this user or root, nobody else, whatever the folder's mode has become. */
static bool may_operate(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static bool admit(struct loop *l, struct connection *c, const struct sockaddr *sa)
{
    struct shared *s = l->shared;
    bool full = atomic_load_explicit(&s->connections, memory_order_relaxed) >= s->connections_max;
    if (c->operator_socket) /* the operator gets in also when all places are taken */
        return may_operate(c->fd);
    if (full && !make_room(l))
        return false;
    c->address = address_of(sa);
    struct host_address host = host_of(sa);
    bool shared = address_loopback(sa) || (s->proxy && proxies_have(&s->proxies, &host));
    c->peer = peers_enter(s->front->peers, c->address, !shared);
    return c->peer != NULL;
}

static void take(struct loop *l, int fd, bool operator_socket, const struct sockaddr_storage *from, socklen_t size)
{
    struct connection *c = calloc(1, sizeof *c);
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c };
    if (c)
        *c = (struct connection){
            .loop = l, .fd = fd, .operator_socket = operator_socket, .from = *from, .from_size = size
        };
    bool ok = c && admit(l, c, (const struct sockaddr *)from);
    if (ok && l->relays.tls && !operator_socket && (fd = c->fd = relays_take(&l->relays, fd)) < 0)
        make_room(l); /* descriptors lack: the next one finds some */
    if (!ok || fd < 0 || epoll_ctl(l->door_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        atomic_fetch_add_explicit(&l->counters->turned_away, 1, memory_order_relaxed);
        if (c && c->peer)
            peers_leave(l->shared->front->peers, c->peer);
        if (fd >= 0)
            close(fd);
        free(c);
        return;
    }
    c->encrypted = !operator_socket && l->relays.tls;
    enter(c, FRESH);
    c->next = l->connections;
    if (c->next)
        c->next->previous = c;
    l->connections = c;
    atomic_fetch_add_explicit(&l->shared->connections, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&l->counters->connections, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&l->counters->accepted, 1, memory_order_relaxed);
}

static void accept_some(struct loop *l, int listen_fd, bool operator_socket)
{
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct sockaddr_storage storage;
        socklen_t size = sizeof storage;
        int fd = accept4(listen_fd, (struct sockaddr *)&storage, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            take(l, fd, operator_socket, &storage, size);
        else if (errno == EMFILE || errno == ENFILE) {
            make_room(l);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

/* ---- The door: the first head of a connection is looked at before the library gets it. ---- */

/* Written by ourselves: the library does not know the connection. */
static void refuse_at_door(struct connection *c, const struct why *why)
{
    struct reply r = { 0 };
    BUF_AUTO b = buf_make(8192);
    reply_reset(&r);
    reply_problem(&r, why, TEXT("en"));
    buf_print(&b, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: %.*s\r\nContent-Length: %zu\r\n", r.status,
              MHD_get_reason_phrase_for((unsigned)r.status), T(r.type), r.body.n);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (c->encrypted || !always[i].encrypted)
            buf_print(&b, "%s: %s\r\n", always[i].name, always[i].value);
    buf_add(&b, TEXT("\r\n"));
    buf_add(&b, r.body);
    ARENA_AUTO a = arena_make(0);
    text out;
    if (buf_lend(&a, &b, &out) == OK && send(c->fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        linger(c->loop, c->fd);
    counters_add(c->loop->counters, NULL, r.status, 0);
    reply_free(&r);
}

static void let_in(struct connection *c)
{
    struct loop *l = c->loop;
    epoll_ctl(l->door_fd, EPOLL_CTL_DEL, c->fd, NULL);
    enter(c, HEAD);
    c->next_handed = l->handed;
    l->handed = c;
    /* When it fails the library has closed the descriptor; forget_handed() frees what it never began. */
    int fd = c->fd;
    if (MHD_add_connection(l->daemon, fd, (const struct sockaddr *)&c->from, c->from_size) != MHD_YES &&
        (c = handed_take(l, fd)))
        connection_free(c);
}

/* `ended`: no more will come, though what came may still be read. */
static void look_at(struct connection *c, struct arena *a, bool ended)
{
    char bytes[HEAD_LIMIT];
    bool whole = false;
    ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && !ended && (errno == EAGAIN || errno == EINTR))
        return;
    enum err e = n > 0 ? strict_peek(a, (text){ bytes, (size_t)n }, &whole) : OK;
    explicit_bzero(bytes, n > 0 ? (size_t)n : 0); /* a stack is memory too */
    if (e == OK && n > 0 && whole && !c->swept) {
        let_in(c);
        return;
    }
    if (e == OK && n > 0 && !ended)
        return;
    epoll_ctl(c->loop->door_fd, EPOLL_CTL_DEL, c->fd, NULL); /* first: a copy of the descriptor may linger */
    if (e != OK)
        refuse_at_door(c, &a->why);
    close(c->fd);
    connection_free(c);
}

static void watch_door(struct loop *l)
{
    struct epoll_event events[64];
    ARENA_AUTO a = arena_make(4096);
    int count = epoll_wait(l->door_fd, events, sizeof events / sizeof *events, 0);
    for (int i = 0; i < count; i++)
        look_at(events[i].data.ptr, &a, events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

/* How long a connection may stay as it is; 0: as long as the work takes. */
static msec patience(const struct connection *c, bool stopping)
{
    switch (c->state) {
    case FRESH:
        return stopping ? 1 : HEAD_TIME;
    case HEAD:
        return HEAD_TIME;
    case KEPT:
        return stopping ? 1 : KEPT_TIME;
    case BODY:
        return BODY_TIME + (msec)(c->bytes / SLOWEST) * SECOND;
    case SENDING:
        return REPLY_TIME + (msec)(c->bytes / SLOWEST) * SECOND;
    case WORKING:
        break;
    }
    return 0;
}

static void sweep(struct loop *l, bool stopping)
{
    msec now = clock_monotonic();
    l->next_sweep = now + (stopping ? SECOND / 20 : SECOND);
    for (struct connection *c = l->connections; c; c = c->next) {
        msec limit = c->ours ? 0 : patience(c, stopping);
        if (limit && now - c->since >= limit)
            sweep_out(c);
    }
    read_lingering(l, false);
    if (l->relays.tls)
        relays_sweep(&l->relays);
}

/* ---- The thread. ---- */

enum err loop_open(struct arena *a, struct shared *shared, int listen_fd, int socket_fd, struct loop *l)
{
    *l = (struct loop){ .shared = shared, .listen_fd = listen_fd, .socket_fd = socket_fd };
    TRY(fiber_loop_open(a, &l->fibers));
    l->door_fd = epoll_create1(EPOLL_CLOEXEC);
    l->counters = calloc(1, sizeof *l->counters);
    TRY(relays_open(a, shared->tls, l->counters, shared->connections_max + 256u, &l->relays));
    l->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0,
                                 NULL, NULL, on_request, l, MHD_OPTION_CONNECTION_LIMIT, shared->connections_max + 256u,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
                                 0u, MHD_OPTION_URI_LOG_CALLBACK, on_line, l, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                                 l, MHD_OPTION_NOTIFY_CONNECTION, on_connection, l, MHD_OPTION_STRICT_FOR_CLIENT,
                                 LIBRARY_STRICTNESS, MHD_OPTION_END);
    const union MHD_DaemonInfo *info = l->daemon ? MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || !l->counters || l->door_fd < 0)
        return say(a, ERR_INTERNAL, "the HTTP library does not start");
    l->http_fd = info->epoll_fd;
    return OK;
}

static void turn(struct loop *l)
{
    MHD_UNSIGNED_LONG_LONG pending;
    bool stopping = atomic_load_explicit(&l->shared->stopping, memory_order_relaxed);
    msec wait = l->next_sweep - clock_monotonic();
    if (MHD_get_timeout(l->daemon, &pending) == MHD_YES && (msec)pending < wait)
        wait = (msec)pending;
    if (l->linger_count && wait > 20)
        wait = 20;
    if (l->relays.busy)
        wait = 0;
    struct pollfd fds[] = { { l->http_fd, POLLIN, 0 },
                            { l->fibers.event_fd, POLLIN, 0 },
                            { stopping ? -1 : l->listen_fd, POLLIN, 0 },
                            { stopping ? -1 : l->socket_fd, POLLIN, 0 },
                            { stopping ? -1 : l->shared->stop_fd, POLLIN, 0 },
                            { l->door_fd, POLLIN, 0 },
                            { l->relays.epoll_fd, POLLIN, 0 } };
    if (poll(fds, sizeof fds / sizeof *fds, wait > 0 ? (int)wait : 0) < 0 && errno != EINTR)
        return;
    if (fds[2].revents)
        accept_some(l, l->listen_fd, false);
    if (fds[3].revents)
        accept_some(l, l->socket_fd, true);
    if (fds[6].revents || l->relays.busy)
        relays_turn(&l->relays);
    if (fds[5].revents || l->relays.tls)
        watch_door(l);
    if (fds[1].revents)
        fiber_drain(&l->fibers);
    MHD_run(l->daemon);
    forget_handed(l);
    if (l->relays.tls) /* the answers that have just been made */
        relays_turn(&l->relays);
    if (l->linger_count)
        read_lingering(l, false);
    if (clock_monotonic() >= l->next_sweep)
        sweep(l, stopping);
}

void *loop_main(void *arg)
{
    struct loop *l = arg;
    while (!atomic_load_explicit(&l->shared->stopping, memory_order_relaxed))
        turn(l);
    msec until = clock_monotonic() + DRAIN_TIME;
    l->next_sweep = 0;
    while ((l->connections || relays_pending(&l->relays)) && clock_monotonic() < until)
        turn(l);
    for (struct connection *c = l->connections; c; c = c->next)
        if (c->state == SENDING) /* a reader that is slower than the stop */
            sweep_out(c);
    crew_stop(l->shared->front->crew);
    crew_stop(l->shared->front->large);
    while (l->fibers.live) /* what has begun is ended: its write may be on the disk already */
        turn(l);
    return NULL;
}

void loop_close(struct loop *l)
{
    if (l->daemon)
        MHD_stop_daemon(l->daemon);
    read_lingering(l, true);
    while (l->connections) { /* still at the door */
        close(l->connections->fd);
        connection_free(l->connections);
    }
    relays_close(&l->relays);
    if (l->door_fd > 0)
        close(l->door_fd);
    if (l->fibers.event_fd > 0)
        fiber_loop_close(&l->fibers);
    for (struct exchange *x = l->idle, *next; x; x = next) {
        next = x->next;
        exchange_free(x);
    }
    for (int i = 0; i < 2; i++)
        if ((i ? l->listen_fd : l->socket_fd) >= 0)
            close(i ? l->listen_fd : l->socket_fd);
    free(l->counters);
}
