/* The relay of encrypted connections: handshakes, and bytes both ways between TLS and a socket pair, none of it
 * waiting. */
#include "front/wire/relay.h"
#include "front/wire/loop.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    PIECE = 16 << 10,    /* bytes moved at once: what one record of TLS holds */
    PIECES = 16,         /* of one connection in one turn */
    HANDSHAKES = 8,      /* steps of them in one turn: each may take a signature, and others wait */
    PAIR_ROOM = 64 << 10 /* bytes the pair holds each way, which the kernel doubles */
};

/* Bytes that have been taken and not passed on yet; memory only while there are some. */
struct rest {
    char *p;
    size_t n, at;
};

struct relay {
    struct relay *next, *previous, *next_busy, *next_dead;
    struct relays *set;
    SSL *ssl;
    int net, plain; /* the connection; our end of the pair */
    enum { SHAKING, PASSING, DRAINING, DEAD } stage;
    bool busy, client_ended, server_ended, told_end, plain_waits;
    struct rest in, out; /* decrypted, for the server; plain, for the client */
    bool head_over, line_begun, line_seen;
    size_t passable; /* of `in`: while the first head comes, its whole lines */
    msec
        since; /* monotonic: from when the client's pace is measured, 0 while it owes nothing; of DRAINING: its start */
    uint64_t moved; /* bytes the client has taken since */
};

/* ---- Life. ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void rest_drop(struct rest *r)
{
    if (r->p)
        explicit_bzero(r->p, PIECE);
    free(r->p);
    *r = (struct rest){ 0 };
}

/* The record itself goes at the end of the turn: events of it may still be in hand. */
static void die(struct relay *r)
{
    struct relays *s = r->set;
    if (r->stage == DEAD)
        return;
    r->stage = DEAD;
    SSL_free(r->ssl);
    close_fd(&r->net);
    close_fd(&r->plain);
    rest_drop(&r->in);
    rest_drop(&r->out);
    *(r->previous ? &r->previous->next : &s->all) = r->next;
    if (r->next)
        r->next->previous = r->previous;
    s->count--;
    r->next_dead = s->dead;
    s->dead = r;
}

static void bury(struct relays *s)
{
    struct relay *kept = NULL;
    for (struct relay *r = s->dead, *next; r; r = next) {
        next = r->next_dead;
        if (r->busy) {
            r->next_dead = kept;
            kept = r;
        } else
            free(r);
    }
    s->dead = kept;
}

static void make_busy(struct relay *r)
{
    if (r->busy)
        return;
    r->busy = true;
    r->next_busy = r->set->busy;
    r->set->busy = r;
}

/* No more is said. What the client still sends is read and thrown away for a while: closed at once, its system would
 * throw away our last words. */
static void part(struct relay *r)
{
    close_fd(&r->plain);
    rest_drop(&r->in);
    rest_drop(&r->out);
    shutdown(r->net, SHUT_WR);
    r->stage = DRAINING;
    r->since = clock_monotonic();
}

static bool drain(struct relay *r)
{
    char sink[PIECE];
    ssize_t n = recv(r->net, sink, sizeof sink, MSG_DONTWAIT);
    if (n > 0)
        return true;
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        die(r);
    return false;
}

/* ---- The handshake. ---- */

static void refuse_plain(struct relay *r)
{
    static const char
        said[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
                 "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 42\r\n\r\n"
                 "Only encrypted connections are taken here\n";
    if (send(r->net, said, sizeof said - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        die(r);
}

/* True when something came of it. */
static bool shake(struct relay *r)
{
    char probe;
    if (recv(r->plain, &probe, 1, MSG_PEEK | MSG_DONTWAIT) == 0) { /* swept, or refused by a limit */
        die(r);
        return false;
    }
    if (++r->set->handshakes > HANDSHAKES) {
        make_busy(r);
        return false;
    }
    ERR_clear_error();
    int done = SSL_do_handshake(r->ssl);
    int why = SSL_get_error(r->ssl, done);
    if (done == 1) {
        r->stage = PASSING;
        setsockopt(r->net, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 },
                   sizeof(int)); /* the client may hold its request back until then */
        atomic_fetch_add_explicit(&r->set->counters->handshakes, 1, memory_order_relaxed);
        return true;
    }
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return false;
    atomic_fetch_add_explicit(&r->set->counters->handshakes_failed, 1, memory_order_relaxed);
    if (why == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST)
        refuse_plain(r);
    if (r->stage != DEAD && why == SSL_ERROR_SSL)
        part(r); /* the library has sent its alert */
    else
        die(r);
    return true;
}

/* ---- From the client to the server. ---- */

/* Each write takes a place of its own in the pair, and a head in drops would fill it while the door waits for the end
 * of the head: so until that end, only whole lines are passed on. */
static void scan(struct relay *r, size_t from)
{
    for (size_t i = from; i < r->in.n && !r->head_over; i++) {
        char c = r->in.p[i];
        if (c == '\n') {
            r->head_over = r->line_seen && !r->line_begun;
            r->line_seen |= r->line_begun;
            r->line_begun = false;
            r->passable = i + 1;
        } else
            r->line_begun |= c != '\r';
    }
    if (r->head_over || r->client_ended || r->in.n == PIECE)
        r->passable = r->in.n;
}

static void wait_for_room(struct relay *r, bool wait)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET | (wait ? EPOLLOUT : 0u), .data.ptr = r };
    if (wait != r->plain_waits)
        epoll_ctl(r->set->epoll_fd, EPOLL_CTL_MOD, r->plain, &event);
    r->plain_waits = wait;
}

static bool pass_in(struct relay *r)
{
    ssize_t n = send(r->plain, r->in.p + r->in.at, r->passable - r->in.at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        wait_for_room(r, true);
        return false;
    }
    wait_for_room(r, false);
    r->in.at = n < 0 ? r->in.n : r->in.at + (size_t)n; /* the server has closed: nobody wants it */
    if (r->in.at == r->in.n) {
        rest_drop(&r->in);
        r->passable = 0;
    } else if (r->in.at == r->passable && r->in.at) { /* the begun line moves to the front */
        r->in.n -= r->in.at;
        memmove(r->in.p, r->in.p + r->in.at, r->in.n);
        r->passable = 0;
        r->in.at = 0;
    }
    return true;
}

static bool inward(struct relay *r)
{
    if (r->passable > r->in.at)
        return pass_in(r);
    if (r->client_ended) {
        if (!r->told_end)
            shutdown(r->plain, SHUT_WR);
        r->told_end = true;
        return false;
    }
    if (!r->in.p && !(r->in.p = malloc(PIECE))) {
        die(r);
        return false;
    }
    ERR_clear_error();
    int n = SSL_read(r->ssl, r->in.p + r->in.n, (int)(PIECE - r->in.n));
    int why = SSL_get_error(r->ssl, n);
    if (n > 0) {
        size_t from = r->in.n;
        r->in.n += (size_t)n;
        scan(r, from);
        return true;
    }
    if (why == SSL_ERROR_ZERO_RETURN) {
        r->client_ended = true;
        scan(r, r->in.n);
        return true;
    }
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        die(r);
    else if (!r->in.n)
        rest_drop(&r->in);
    return false;
}

/* ---- From the server to the client. ---- */

static bool pass_out(struct relay *r)
{
    ERR_clear_error();
    int n = SSL_write(r->ssl, r->out.p + r->out.at, (int)(r->out.n - r->out.at));
    int why = SSL_get_error(r->ssl, n);
    if (n > 0) {
        r->out.at += (size_t)n;
        r->moved += (uint64_t)n;
        if (r->moved >= (uint64_t)SLOWEST * (REPLY_TIME / SECOND)) {
            r->since = clock_monotonic();
            r->moved = 0; /* fast enough so far: what the kernel took at first buys no time later */
        }
        if (r->out.at == r->out.n) {
            r->out.at = 0;
            r->out.n = 0;
        }
        return true;
    }
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        die(r);
    return false;
}

static void end_out(struct relay *r)
{
    ERR_clear_error();
    SSL_shutdown(r->ssl);
    part(r);
}

static bool outward(struct relay *r)
{
    if (r->out.n)
        return pass_out(r);
    if (!r->out.p && !(r->out.p = malloc(PIECE))) {
        die(r);
        return false;
    }
    ssize_t n = recv(r->plain, r->out.p, PIECE, MSG_DONTWAIT);
    if (n > 0) {
        r->out.n = (size_t)n;
        if (!r->since) {
            r->since = clock_monotonic();
            r->moved = 0;
        }
        return true;
    }
    bool ended = n == 0 || (errno != EAGAIN && errno != EINTR);
    rest_drop(&r->out);
    r->since = 0;
    if (ended)
        end_out(r);
    return ended;
}

/* ---- A turn. ---- */

static void pump(struct relay *r)
{
    bool moved = true;
    for (unsigned i = 0; moved; i++) {
        if (i == PIECES) {
            make_busy(r);
            return;
        }
        switch (r->stage) {
        case SHAKING:
            moved = shake(r);
            break;
        case PASSING:
            moved = inward(r);
            if (r->stage == PASSING)
                moved |= outward(r);
            break;
        case DRAINING:
            moved = drain(r);
            break;
        case DEAD:
            return;
        }
    }
}

void relays_turn(struct relays *s)
{
    struct epoll_event events[64];
    struct relay *busy = s->busy, *next;
    s->busy = NULL;
    s->handshakes = 0;
    for (struct relay *r = busy; r; r = next) {
        next = r->next_busy;
        r->busy = false;
        pump(r);
    }
    int count = epoll_wait(s->epoll_fd, events, sizeof events / sizeof *events, 0);
    for (int i = 0; i < count; i++)
        pump(events[i].data.ptr);
    bury(s);
}

/* ---- Connections. ---- */

/* Those whose answer is on its way are no longer counted by the loop: beyond their number the oldest goes. */
static bool make_place(struct relays *s)
{
    struct relay *oldest = NULL;
    if (s->count < s->most)
        return true;
    for (struct relay *r = s->all; r; r = r->next)
        if (r->stage == DRAINING && (!oldest || r->since < oldest->since))
            oldest = r;
    if (oldest)
        die(oldest);
    return oldest != NULL;
}

static bool watch(struct relays *s, struct relay *r)
{
    struct epoll_event net = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = r };
    struct epoll_event plain = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = r };
    return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, r->net, &net) == 0 &&
           epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, r->plain, &plain) == 0;
}

int relays_take(struct relays *s, int fd)
{
    int pair[2] = { -1, -1 }, one = 1, room = PAIR_ROOM;
    struct relay *r = make_place(s) ? calloc(1, sizeof *r) : NULL;
    if (!r || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        free(r);
        close(fd);
        return -1;
    }
    *r = (struct relay){ .set = s, .next = s->all, .ssl = tls_session(s->tls), .net = fd, .plain = pair[0] };
    if (r->next)
        r->next->previous = r;
    s->all = r;
    s->count++;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (int i = 0; i < 2; i++)
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (r->ssl && SSL_set_fd(r->ssl, fd) == 1 && watch(s, r))
        return pair[1];
    die(r);
    close(pair[1]);
    return -1;
}

void relays_sweep(struct relays *s)
{
    msec now = clock_monotonic();
    for (struct relay *r = s->all, *next; r; r = next) {
        next = r->next;
        if (r->since && now - r->since > (r->stage == DRAINING ? LINGER_TIME : REPLY_TIME))
            die(r);
    }
}

bool relays_pending(const struct relays *s)
{
    for (const struct relay *r = s->all; r; r = r->next)
        if (r->stage == PASSING && r->out.n)
            return true;
    return false;
}

enum err relays_open(struct arena *a, struct tls *tls, struct counters *counters, unsigned most, struct relays *out)
{
    *out = (struct relays){
        .tls = tls, .counters = counters, .most = most, .epoll_fd = tls ? epoll_create1(EPOLL_CLOEXEC) : -1
    };
    return !tls || out->epoll_fd >= 0 ? OK : say(a, ERR_INTERNAL, "no descriptor for encrypted connections");
}

void relays_close(struct relays *s)
{
    while (s->all)
        die(s->all);
    for (struct relay *r = s->busy; r; r = r->next_busy)
        r->busy = false;
    bury(s);
    if (s->tls)
        close(s->epoll_fd);
}
