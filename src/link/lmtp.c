/* LMTP: a few threads, a connection each; every recipient is answered by itself (RFC 2033, RFC 5321, RFC 3463). */
#include "link/lmtp.h"
#include "base/buf.h"
#include "base/log.h"
#include "domain/core/context.h"
#include "domain/mail/inbound.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    WORKERS = 8,
    BACKLOG = 64,
    IDLE_MS = 5 * 60 * 1000,
    LINE_MAX_LMTP = 4096,
    RECIPIENTS_MAX = 100,
    INPUT = 64 << 10,
    MEMORY = 256 << 20
};

struct lmtp {
    struct app *app;
    int fd, stop_fd;
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* of the socket; empty: of the network */
    pthread_t threads[WORKERS];
    unsigned thread_count;
    atomic_bool stop;
};

struct recipient {
    char address[INBOUND_ADDRESS_MAX + 1];
};
struct talk {
    struct lmtp *l;
    int fd;
    char in[INPUT];
    size_t at, end;
    bool over;                             /* the other side, or this one, ends */
    bool greeted, has_sender, too_large;
    char sender[INBOUND_ADDRESS_MAX + 1];
    struct recipient to[RECIPIENTS_MAX];
    unsigned count;
};

/* ---- Bytes. ---- */

static bool wait_for(struct talk *t, short what)
{
    struct pollfd fds[] = { { t->fd, what, 0 }, { t->l->stop_fd, POLLIN, 0 } };
    int ready;
    do
        ready = poll(fds, 2, IDLE_MS);
    while (ready < 0 && errno == EINTR);
    return ready > 0 && !atomic_load(&t->l->stop) && fds[0].revents;
}

static bool fill(struct talk *t)
{
    if (t->at < t->end)
        return true;
    ssize_t n = wait_for(t, POLLIN) ? recv(t->fd, t->in, sizeof t->in, 0) : -1;
    t->at = 0;
    t->end = n > 0 ? (size_t)n : 0;
    t->over |= n <= 0;
    return n > 0;
}

static bool next_byte(struct talk *t, char *out)
{
    if (!fill(t))
        return false;
    *out = t->in[t->at++];
    return true;
}

/* A command, without its line end. False at the end, and for one that is too long. */
static bool read_line(struct talk *t, char *line, size_t size, text *out)
{
    size_t n = 0;
    while (n < size && next_byte(t, &line[n])) {
        if (line[n] == '\n') {
            *out = text_trim((text){ line, n });
            return true;
        }
        n++;
    }
    return false;
}

static void tell(struct talk *t, const char *line)
{
    char out[512];
    int n = snprintf(out, sizeof out, "%s\r\n", line);
    const char *p = out;
    while (n > 0 && !t->over) {
        ssize_t sent = send(t->fd, p, (size_t)n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN && wait_for(t, POLLOUT))
            continue;
        if (sent <= 0) {
            t->over = true;
            return;
        }
        p += sent;
        n -= (int)sent;
    }
}

/* ---- Commands. ---- */

static void forget(struct talk *t)
{
    t->has_sender = false;
    t->count = 0;
    t->too_large = false;
}

/* "<address>" at the beginning of `s`; what stands behind it. False when it is none or too long. */
static bool take_path(text s, char *out, size_t size, text *rest)
{
    s = text_trim(s);
    ptrdiff_t end = text_index(s, '>');
    if (!text_starts(s, TEXT("<")) || end < 0)
        return false;
    *rest = text_from(s, (size_t)end + 1);
    return text_cstr(text_upto(text_from(s, 1), (size_t)end - 1), out, size);
}

static bool word_is(text line, const char *word)
{
    text w = text_of(word);
    return text_eq_nocase(text_upto(line, w.n), w);
}

/* SIZE=n among the parameters (RFC 1870): told before the message is sent. */
static bool said_too_large(text rest)
{
    int64_t size;
    while (rest.p) {
        text one = text_cut(&rest, ' ');
        if (word_is(one, "SIZE=") && text_int(text_from(one, 5), &size) && size > INBOUND_MAX)
            return true;
    }
    return false;
}

static void do_mail(struct talk *t, text line)
{
    text rest;
    if (!t->greeted || t->has_sender)
        tell(t, "503 5.5.1 not now");
    else if (!take_path(text_from(line, 10), t->sender, sizeof t->sender, &rest))
        tell(t, "501 5.1.7 no sender");
    else if (said_too_large(rest))
        tell(t, "552 5.3.4 larger than is taken here");
    else {
        t->has_sender = true;
        tell(t, "250 2.1.0 ok");
    }
}

static bool is_ours(struct talk *t, text to)
{
    ARENA_AUTO a = arena_make(1 << 20);
    CTX_AUTO c = { 0 };
    text tenant, tag;
    ctx_begin(t->l->app, &a, &c);
    return inbound_box(&c, to, &tenant, &tag) != INBOUND_NONE;
}

static void do_rcpt(struct talk *t, text line)
{
    text rest;
    if (!t->has_sender)
        tell(t, "503 5.5.1 not now");
    else if (t->count == RECIPIENTS_MAX)
        tell(t, "452 4.5.3 too many recipients");
    else if (!take_path(text_from(line, 8), t->to[t->count].address, sizeof t->to[0].address, &rest))
        tell(t, "501 5.1.3 no recipient");
    else if (!is_ours(t, text_of(t->to[t->count].address)))
        tell(t, "550 5.1.1 no such address here");
    else {
        t->count++;
        tell(t, "250 2.1.5 ok");
    }
}

/* ---- The message. ---- */

/* Up to a line of one dot between two line ends of CR LF, and no other (RFC 5321, 4.1.1.4): what a sender hides behind
 * other line ends stays part of the message. */
enum place { AT_START, AT_DOT, AT_DOT_CR, IN_LINE, AT_CR, AT_END };

static enum place behind(char c) { return c == '\r' ? AT_CR : IN_LINE; }

/* The byte that belongs to the message goes to b; where the next one stands. */
static enum place take_byte(struct buf *b, enum place at, char c)
{
    if (at == AT_START && c == '.')
        return AT_DOT;
    if (at == AT_DOT && c == '\r')
        return AT_DOT_CR;
    if (at == AT_DOT_CR && c == '\n')
        return AT_END;
    if (at == AT_DOT_CR)
        buf_char(b, '\r');
    buf_char(b, c);
    return at == AT_CR && c == '\n' ? AT_START : behind(c);
}

static bool read_message(struct talk *t, struct buf *b)
{
    enum place at = AT_START;
    char c;
    for (size_t n = 0; at != AT_END; n++) {
        if (!next_byte(t, &c))
            return false;
        at = take_byte(b, at, c);
        if (n % INPUT)
            continue;
        t->too_large |= b->n > INBOUND_MAX;
        if (t->too_large)
            buf_clear(b);
    }
    t->too_large |= b->n > INBOUND_MAX;
    return true;
}

static enum err deliver(struct talk *t, text to, text raw)
{
    ARENA_AUTO a = arena_make(MEMORY);
    CTX_AUTO c = { 0 };
    struct answer answer = { 0 };
    ctx_begin(t->l->app, &a, &c);
    enum err status = inbound_receive(&c, to, text_of(t->sender), raw, &answer);
    if (status != OK)
        LOG(LOG_WARN, "mail.not-taken", LOG_TEXT("code", err_row(status)->slug), LOG_TEXT("why", text_of(a.why.detail)));
    return status;
}

static const char *reply_for(enum err status)
{
    switch ((int)status) {
    case OK:
        return "250 2.0.0 filed";
    case ERR_NOT_FOUND:
        return "550 5.1.1 no such address here";
    case ERR_TOO_LARGE:
        return "552 5.3.4 larger than is taken here";
    case ERR_MISSING:
        return "554 5.6.0 an empty message";
    default:
        return "451 4.3.0 not now: bring it again";
    }
}

static void do_data(struct talk *t)
{
    ARENA_AUTO a = arena_make(1 << 16);
    BUF_AUTO b = buf_make(INBOUND_MAX + 2 * INPUT);
    text raw;
    if (!t->count) {
        tell(t, "503 5.5.1 no recipient");
        return;
    }
    tell(t, "354 go on");
    t->over = !read_message(t, &b);
    enum err status = t->too_large ? ERR_TOO_LARGE : buf_lend(&a, &b, &raw);
    for (unsigned i = 0; i < t->count && !t->over; i++)
        tell(t, reply_for(status == OK ? deliver(t, text_of(t->to[i].address), raw) : status));
    forget(t);
}

static void do_lhlo(struct talk *t)
{
    char size[64];
    t->greeted = true;
    forget(t);
    snprintf(size, sizeof size, "250-SIZE %d", INBOUND_MAX);
    tell(t, "250-garant");
    tell(t, size);
    tell(t, "250-8BITMIME");
    tell(t, "250-SMTPUTF8");
    tell(t, "250-PIPELINING");
    tell(t, "250 ENHANCEDSTATUSCODES");
}

static void obey(struct talk *t, text line)
{
    if (word_is(line, "LHLO "))
        do_lhlo(t);
    else if (word_is(line, "MAIL FROM:"))
        do_mail(t, line);
    else if (word_is(line, "RCPT TO:"))
        do_rcpt(t, line);
    else if (text_eq_nocase(line, TEXT("DATA")))
        do_data(t);
    else if (text_eq_nocase(line, TEXT("RSET"))) {
        forget(t);
        tell(t, "250 2.0.0 ok");
    } else if (word_is(line, "NOOP"))
        tell(t, "250 2.0.0 ok");
    else if (text_eq_nocase(line, TEXT("QUIT"))) {
        tell(t, "221 2.0.0 bye");
        t->over = true;
    } else
        tell(t, "500 5.5.2 no such command");
}

static void serve_one(struct talk *t)
{
    char line[LINE_MAX_LMTP];
    text said;
    tell(t, "220 garant LMTP");
    while (!t->over) {
        if (read_line(t, line, sizeof line, &said))
            obey(t, said);
        else if (!t->over) {
            tell(t, "500 5.5.6 the line is too long");
            return;
        }
    }
}

/* ---- Listening. ---- */

static void *work(void *arg)
{
    struct lmtp *l = arg;
    struct talk *t = calloc(1, sizeof *t);
    while (t && !atomic_load(&l->stop)) {
        struct pollfd fds[] = { { l->fd, POLLIN, 0 }, { l->stop_fd, POLLIN, 0 } };
        if (poll(fds, 2, -1) <= 0)
            continue;
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            continue;
        *t = (struct talk){ .l = l, .fd = fd };
        serve_one(t);
        close(fd);
    }
    free(t);
    return NULL;
}

static enum err no_address(struct arena *a)
{
    return say(a, ERR_CONFIG, "--lmtp wants unix:PATH, 127.0.0.1:PORT or [::1]:PORT: the mail server of this machine");
}

/* A socket that an earlier process left is taken away; anything else of that name is not. */
static enum err listen_path(struct arena *a, struct lmtp *l, text path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    struct stat st;
    if (!path.n || !text_cstr(path, to.sun_path, sizeof to.sun_path))
        return no_address(a);
    if (lstat(to.sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(to.sun_path);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&to, sizeof to) != 0)
        return say(a, ERR_CONFIG, "the socket of --lmtp cannot be made: %s", strerror(errno));
    memcpy(l->path, to.sun_path, sizeof l->path);
    return chmod(l->path, 0660) == 0 ? OK : say(a, ERR_CONFIG, "the socket of --lmtp cannot be protected");
}

static enum err listen_port(struct arena *a, struct lmtp *l, text address)
{
    bool six = text_starts(address, TEXT("[::1]:"));
    text port_said = six ? text_from(address, 6) : text_from(address, 10);
    int64_t port;
    int one = 1;
    if ((!six && !text_starts(address, TEXT("127.0.0.1:"))) || !text_int(port_said, &port) || port < 1 || port > 65535)
        return no_address(a);
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct sockaddr_in6 to = { .sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)port),
                               .sin6_addr = in6addr_loopback };
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l->fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd >= 0)
        setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int bound = l->fd < 0 ? -1
              : six       ? bind(l->fd, (struct sockaddr *)&to, sizeof to)
                          : bind(l->fd, (struct sockaddr *)&four, sizeof four);
    return bound == 0 ? OK : say(a, ERR_CONFIG, "the port of --lmtp cannot be had: %s", strerror(errno));
}

static enum err start_threads(struct arena *a, struct lmtp *l)
{
    for (; l->thread_count < WORKERS; l->thread_count++)
        if (pthread_create(&l->threads[l->thread_count], NULL, work, l) != 0)
            return say(a, ERR_INTERNAL, "a thread of --lmtp cannot be started");
    return OK;
}

enum err lmtp_start(struct arena *a, struct app *app, text address, struct lmtp **out)
{
    struct lmtp *l = calloc(1, sizeof *l);
    TRY_PTR(l);
    *out = l;
    l->app = app;
    l->fd = -1;
    l->stop_fd = eventfd(0, EFD_CLOEXEC);
    bool path = text_starts(address, TEXT("unix:"));
    enum err status = l->stop_fd < 0 ? say(a, ERR_INTERNAL, "no descriptor for --lmtp") : OK;
    if (status == OK)
        status = path ? listen_path(a, l, text_from(address, 5)) : listen_port(a, l, address);
    if (status == OK && listen(l->fd, BACKLOG) != 0)
        status = say(a, ERR_CONFIG, "--lmtp cannot listen: %s", strerror(errno));
    if (status == OK)
        status = start_threads(a, l);
    if (status != OK)
        lmtp_stop(out);
    return status;
}

void lmtp_stop(struct lmtp **lmtp)
{
    struct lmtp *l = *lmtp;
    uint64_t one = 1;
    if (!l)
        return;
    atomic_store(&l->stop, true);
    while (l->stop_fd >= 0 && write(l->stop_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    for (unsigned i = 0; i < l->thread_count; i++)
        pthread_join(l->threads[i], NULL);
    if (l->fd >= 0)
        close(l->fd);
    if (l->path[0])
        unlink(l->path);
    if (l->stop_fd >= 0)
        close(l->stop_fd);
    free(l);
    *lmtp = NULL;
}
