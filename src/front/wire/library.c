/* What is needed of libmicrohttpd beyond its manual, and the trial of it. */
#include "front/wire/library.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int library_descriptor(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

void *library_context(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static enum MHD_Result add_pair(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                const char *value, size_t value_size)
{
    struct {
        struct pair *pairs;
        size_t count;
    } *to = arg;
    if (to->count < REQUEST_HEADERS)
        to->pairs[to->count] = (struct pair){ { name, name_size }, { value ? value : name + name_size, value_size } };
    to->count++;
    return MHD_YES;
}

enum err library_head(struct arena *a, struct MHD_Connection *mhd, const char *url, const char *method,
                      const char *version, text line, struct pair *headers, struct head *out)
{
    struct {
        struct pair *pairs;
        size_t count;
    } to = { headers, 0 };
    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, add_pair, &to);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    *out = (struct head){ .method = text_of(method),
                          .target = { url, line.n },
                          .version = text_of(version),
                          .headers = headers,
                          .count = to.count,
                          .bytes = info ? info->header_size : 0 };
    return url == line.p ? OK : say(a, ERR_USAGE, "the request line has no target");
}

void library_wipe(const char *data, size_t size) { explicit_bzero((char *)(uintptr_t)data, size); }

static enum MHD_Result wipe_proof(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                  const char *value, size_t value_size)
{
    text header = { name, name_size };
    if (value && (text_eq_nocase(header, TEXT("Authorization")) || text_eq_nocase(header, TEXT("Cookie"))))
        library_wipe(value, value_size);
    return MHD_YES;
}

void library_wipe_proofs(struct MHD_Connection *mhd)
{
    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, wipe_proof, NULL);
}

/* ---- The trial. ---- */

enum { TURNS = 8 }; /* of the library, for one request: it needs three */

struct trial {
    struct arena *arena;
    int fd;
    bool begun, told, asked, good, ended; /* told: the target came as it was sent */
    text line;
};

#define HEAD(lines) TEXT_INIT("GET /a%2Fb?c=d HTTP/1.1\r\nHost: x\r\n" lines "\r\n")
static const struct {
    text sent;
    bool good;
    const char *what;
} trials[] = {
    { HEAD("X-One: 1\r\nX-None:\r\nX-Two: 2\r\n"), true, "a plain head" },
    { HEAD("X-One: 1 \t\r\nX-Two: 2\r\n"), true, "blanks at a line's end" },
    { HEAD("X-One: 1\r\n 2\r\n"), false, "a folded line" },
    { HEAD("X-One: 1\nX-Two: 2\r\n"), false, "a line feed alone" },
    { HEAD("X-One: 1\rX-Two: 2\r\n"), false, "a carriage return alone" },
    { HEAD("X-One: 1\0\r\nX-Two: 2\r\n"), false, "a NUL in a value" },
    { HEAD("X-One : 1\r\n"), false, "a blank before the colon" },
    { HEAD("X-One\r\n"), false, "a line without a colon" },
    { TEXT_INIT("GET  /a HTTP/1.1\r\nHost: x\r\n\r\n"), false, "two blanks in the request line" },
};

static void *try_line(void *arg, const char *target, struct MHD_Connection *mhd)
{
    struct trial *t = arg;
    t->line = text_of(target);
    t->told = text_eq(t->line, TEXT("/a%2Fb?c=d"));
    char *query = target ? memchr(target, '?', t->line.n) : NULL;
    if (query)
        query[1] = '\0';
    return library_context(mhd) == t ? t : NULL;
}

static enum MHD_Result try_request(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
                                   const char *version, const char *data, size_t *size, void **context)
{
    struct trial *t = *context;
    struct pair headers[REQUEST_HEADERS];
    struct head head;
    struct framing framing;
    if (!t)
        return MHD_NO;
    t->asked = true;
    t->good = library_head(t->arena, mhd, url, method, version, t->line, headers, &head) == OK &&
              strict_check(t->arena, &head, &framing) == OK;
    return MHD_NO;
}

static void try_connection(void *arg, struct MHD_Connection *mhd, void **context,
                           enum MHD_ConnectionNotificationCode code)
{
    struct trial *t = arg;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        t->begun = library_descriptor(mhd) == t->fd;
        *context = t;
    } else
        t->ended = *context == t;
}

static enum err try_one(struct arena *a, struct trial *t, struct MHD_Daemon *daemon, text sent)
{
    int pair[2];
    struct sockaddr_un from = { .sun_family = AF_UNIX };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return say(a, ERR_INTERNAL, "no descriptor for the HTTP library's trial");
    *t = (struct trial){ .arena = a, .fd = pair[0] };
    bool ok = send(pair[1], sent.p, sent.n, MSG_NOSIGNAL) == (ssize_t)sent.n;
    ok = MHD_add_connection(daemon, pair[0], (const struct sockaddr *)&from, sizeof from.sun_family) == MHD_YES && ok;
    MHD_run(daemon);
    ok &= t->begun;
    shutdown(pair[1], SHUT_WR);
    for (int i = 0; i < TURNS && !t->ended; i++)
        MHD_run(daemon);
    close(pair[1]);
    for (int i = 0; i < TURNS && !t->ended; i++)
        MHD_run(daemon);
    return ok && t->ended ? OK : say(a, ERR_CONFIG, "it does not begin or end a connection that it is given");
}

static enum err try_all(struct arena *a, struct trial *t, struct MHD_Daemon *daemon)
{
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        TRY(try_one(a, t, daemon, trials[i].sent));
        if (trials[i].good != (t->asked && t->good))
            return say(a, ERR_CONFIG, "%s is %s", trials[i].what, trials[i].good ? "refused" : "let pass");
        if (trials[i].good && !t->told)
            return say(a, ERR_CONFIG, "the request line is not told as it came");
    }
    return OK;
}

enum err library_try(struct arena *a)
{
    struct trial t = { .arena = a };
    struct arena tried = arena_make(1 << 16);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO, 0, NULL, NULL, try_request,
        NULL, MHD_OPTION_URI_LOG_CALLBACK, try_line, &t, MHD_OPTION_NOTIFY_CONNECTION, try_connection, &t,
        MHD_OPTION_STRICT_FOR_CLIENT, LIBRARY_STRICTNESS, MHD_OPTION_END);
    enum err e = daemon ? try_all(&tried, &t, daemon) : say(&tried, ERR_CONFIG, "it does not start");
    if (daemon)
        MHD_stop_daemon(daemon);
    if (e != OK)
        say(a, e, "libmicrohttpd %s does not do what is needed of it: %s. Use the one of Debian 12 or 13",
            MHD_get_version(), tried.why.detail);
    arena_free(&tried);
    return e;
}
