/* The server: addresses, listeners, threads, signals. */
#include "front/wire/server.h"
#include "base/log.h"
#include "domain/instance/load.h"
#include "front/wire/library.h"
#include "front/wire/loop.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONNECTIONS_DEFAULT = 2000, THREADS_MAX = 64, BACKLOG = 1024 };

struct server {
    struct shared shared;
    struct front front;
    struct loop loops[THREADS_MAX];
    unsigned opened;
    pthread_t jobs;
    bool jobs_started;
    text socket_path;
};

static void wanted_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void server_block_signals(void)
{
    sigset_t set;
    wanted_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- Addresses. ---- */

struct bound {
    struct sockaddr_storage address;
    socklen_t size;
};

static enum err parse_listen(struct arena *a, text listen, struct bound *out)
{
    char host[256], port[8];
    int64_t number;
    size_t colon = listen.n;
    while (colon && listen.p[colon - 1] != ':')
        colon--;
    text name = text_upto(listen, colon ? colon - 1 : 0);
    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = text_upto(text_from(name, 1), name.n - 2);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_PASSIVE }, *list = NULL;
    bool numbered = text_int(text_from(listen, colon), &number) && number >= 0 && number <= 65535;
    if (!name.n || !numbered || !text_cstr(name, host, sizeof host) ||
        !text_cstr(text_from(listen, colon), port, sizeof port) || getaddrinfo(host, port, &hints, &list) != 0)
        return say(a, ERR_CONFIG, "\"%.*s\" is no address to listen on: write 127.0.0.1:8080 or [::1]:8080", T(listen));
    memcpy(&out->address, list->ai_addr, list->ai_addrlen);
    out->size = list->ai_addrlen;
    freeaddrinfo(list);
    return OK;
}

/* What the policy says of transport, as an error names it: " (policies/x.yaml:49, promise MO-23)", or nothing. */
static text transport_clause(struct arena *a, struct app *app)
{
    CTX_AUTO c = { 0 };
    ctx_begin(app, a, &c);
    const struct clause *clause = policy_clause(c.policy, TEXT("security.transport"));
    return clause ? arena_print(a, " (%.*s)", T(clause_print(a, clause))) : TEXT("");
}

/* Whether the proxy is on another machine is not to be seen from here. */
static void warn_of_links(struct app *app, struct arena *a)
{
    CTX_AUTO c = { 0 };
    ctx_begin(app, a, &c);
    const struct clause *clause = policy_clause(c.policy, TEXT("security.transport"));
    if (clause &&
        text_eq(node_text(node_at(c.policy->root, TEXT("security.transport")), TEXT("internal")), TEXT("true")))
        LOG(LOG_WARN,
            "the policy says that links between machines are encrypted: give a certificate as well where the proxy is on another",
            LOG_TEXT("clause", clause_print(a, clause)));
}

static enum err check_exposure(struct arena *a, const struct server_options *o, const struct bound *b, struct app *app)
{
    if (address_loopback((const struct sockaddr *)&b->address) || o->tls_certificate.n)
        return OK;
    if (o->proxy) {
        if (!o->proxy_from
                 .n) /* nobody else's word counts: who comes past the proxy came in the clear, and is refused */
            LOG(LOG_WARN, "a proxy on this machine alone is believed: name others with --proxy-from");
        warn_of_links(app, a);
        return OK;
    }
    return say(
        a, ERR_CONFIG,
        "plain HTTP beyond loopback is refused%.*s: give --tls-certificate and --tls-key, or listen on 127.0.0.1. "
        "Behind a proxy that ends TLS, say --proxy and --proxy-from",
        T(transport_clause(a, app)));
}

/* A socket that has the address; `shared`: with others of this server. */
static int bind_to(const struct bound *b, bool shared)
{
    int one = 1, fd = socket(b->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, shared ? sizeof one : 0);
    if (b->address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&b->address, b->size) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* Sharing the port would let a second server on this machine take half of the connections unseen, so the first socket
 * has it alone; it is kept, so that nobody takes the port (that the system chose, when 0 was asked for) before the
 * other threads share it. */
static enum err claim(struct arena *a, text listen_at, struct bound *b, int *out)
{
    int one = 1, fd = bind_to(b, false);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0 && listen(fd, BACKLOG) == 0) {
        b->size = sizeof b->address;
        getsockname(fd, (struct sockaddr *)&b->address, &b->size);
        *out = fd;
        return OK;
    }
    say(a, ERR_CONFIG, "%.*s cannot be listened on: %s", T(listen_at), strerror(errno));
    if (fd >= 0)
        close(fd);
    return ERR_CONFIG;
}

/* Another listener of the address. */
static enum err join(struct arena *a, text address, const struct bound *b, int *out)
{
    *out = bind_to(b, true);
    if (*out >= 0 && listen(*out, BACKLOG) == 0)
        return OK;
    say(a, ERR_CONFIG, "%.*s cannot be listened on: %s", T(address), strerror(errno));
    if (*out >= 0)
        close(*out);
    return ERR_CONFIG;
}

static text print_address(struct arena *a, const struct bound *b)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getnameinfo((const struct sockaddr *)&b->address, b->size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return TEXT("");
    return arena_print(a, b->address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

enum err server_socket_address(struct arena *a, text data_dir, struct sockaddr_un *out, int *dir_fd)
{
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    *dir_fd = -1;
    text path = arena_print(a, "%.*s/garant.sock", T(data_dir));
    TRY_PTR(path.p);
    if (path.n >= sizeof out->sun_path) {
        text dir = arena_copy(a, data_dir);
        TRY_PTR(dir.p);
        *dir_fd = open(dir.p, O_PATH | O_DIRECTORY | O_CLOEXEC);
        path = arena_print(a, "/proc/self/fd/%d/garant.sock", *dir_fd);
        TRY_PTR(path.p);
    }
    if (!text_cstr(path, out->sun_path, sizeof out->sun_path))
        return say(a, ERR_CONFIG, "the path of the data folder holds a NUL");
    return OK;
}

/* The folder's lock is held, so whatever socket stands there belongs to nobody. */
static enum err listen_in_folder(struct arena *a, struct server *s, text dir, int *out)
{
    struct sockaddr_un address;
    int dir_fd;
    TRY(server_socket_address(a, dir, &address, &dir_fd));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    unlink(address.sun_path);
    mode_t before = umask(0177);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0;
    int why = errno;
    umask(before);
    if (dir_fd >= 0)
        close(dir_fd);
    if (!ok) {
        if (fd >= 0)
            close(fd);
        return say(a, ERR_CONFIG, "the socket garant.sock cannot be made in the data folder: %s", strerror(why));
    }
    s->socket_path = arena_print(a, "%.*s/garant.sock", T(dir));
    *out = fd;
    return OK;
}

/* ---- Threads. ---- */

static enum err open_loops(struct arena *a, struct server *s, const struct server_options *o, text *address)
{
    struct bound bound = { .size = 0 };
    int socket_fd = -1, listen_fd = -1;
    unsigned threads = s->front.threads;
    if (o->data_dir.n)
        TRY(listen_in_folder(a, s, o->data_dir, &socket_fd));
    if (o->listen.n) {
        TRY(parse_listen(a, o->listen, &bound));
        TRY(check_exposure(a, o, &bound, s->front.app));
        TRY(claim(a, o->listen, &bound, &listen_fd));
        *address = print_address(a, &bound);
    }
    for (; s->opened < threads; s->opened++) {
        struct loop *l = &s->loops[s->opened];
        if (o->listen.n && s->opened)
            TRY(join(a, *address, &bound, &listen_fd));
        enum err e = loop_open(a, &s->shared, listen_fd, s->opened ? -1 : socket_fd, l);
        s->front.counters[s->opened] = l->counters;
        if (e != OK) {
            s->opened++;
            return e;
        }
    }
    return OK;
}

/* ---- The certificate. ---- */

static void tell_board(struct server *s)
{
    msec from, until;
    tls_dates(s->shared.tls, &from, &until);
    app_reached(s->front.app, WAY_TLS, from, until);
    if (tls_key_open(s->shared.tls))
        LOG(LOG_WARN, "every user of this machine can read the certificate's key",
            LOG_TEXT("option", TEXT("--tls-key")));
}

static enum err open_tls(struct arena *a, struct server *s, const struct server_options *o)
{
    CTX_AUTO c = { 0 };
    if (!o->tls_certificate.n && !o->tls_key.n) {
        app_reached(s->front.app, !o->listen.n ? WAY_FOLDER
                                  : o->proxy ? WAY_PROXY : WAY_LOOPBACK, 0, 0);
        return OK;
    }
    if (!o->tls_certificate.n || !o->tls_key.n)
        return say(a, ERR_CONFIG, "--tls-certificate and --tls-key go together");
    ctx_begin(s->front.app, a, &c);
    TRY(tls_open(a, o->tls_certificate, o->tls_key, c.policy, c.now, &s->shared.tls));
    tell_board(s);
    return OK;
}

/* `asked`: by SIGHUP, whether or not the files changed. */
static void renew_certificate(struct server *s, bool asked)
{
    CTX_AUTO c = { 0 };
    ARENA_AUTO a = arena_make(1 << 20);
    if (!s->shared.tls)
        return;
    ctx_begin(s->front.app, &a, &c);
    if (!asked && !tls_changed(s->shared.tls, c.policy))
        return;
    if (tls_reload(&a, s->shared.tls, c.policy, c.now) == OK) {
        tell_board(s);
        LOG(LOG_INFO, "certificate read");
    } else
        LOG(LOG_ERROR, "certificate not read; the former one stays", LOG_TEXT("reason", text_of(a.why.detail)));
}

static void *jobs_main(void *arg)
{
    struct server *s = arg;
    struct pollfd stop = { s->shared.stop_fd, POLLIN, 0 };
    while (poll(&stop, 1, 1000) <= 0) {
        app_tick(s->front.app);
        renew_certificate(s, false);
    }
    load_end(s->front.app);
    return NULL;
}

static enum err start_threads(struct arena *a, struct server *s)
{
    for (unsigned i = 0; i < s->opened; i++)
        if (!(s->loops[i].started = pthread_create(&s->loops[i].thread, NULL, loop_main, &s->loops[i]) == 0))
            return say(a, ERR_INTERNAL, "thread %u cannot be started", i + 1);
    s->jobs_started = pthread_create(&s->jobs, NULL, jobs_main, s) == 0;
    return s->jobs_started ? OK : say(a, ERR_INTERNAL, "the jobs' thread cannot be started");
}

static void stop_threads(struct server *s)
{
    uint64_t one = 1;
    app_stopping(s->front.app);
    atomic_store(&s->shared.stopping, true);
    while (write(s->shared.stop_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    for (unsigned i = 0; i < s->opened; i++)
        if (s->loops[i].started)
            pthread_join(s->loops[i].thread, NULL);
    if (s->jobs_started)
        pthread_join(s->jobs, NULL);
}

static void reload(struct server *s)
{
    ARENA_AUTO a = arena_make(16 << 20);
    struct findings findings = { 0 };
    enum err e = app_reload(s->front.app, &a, &findings);
    if (e == OK) {
        LOG(LOG_INFO, "policy reloaded", LOG_INT("warnings", findings.warnings));
        return;
    }
    LOG(LOG_ERROR, "policy not reloaded; the one in force stays", LOG_INT("errors", findings.errors + findings.questions),
        LOG_TEXT("reason", text_of(a.why.detail)));
    for (const struct finding *f = findings.first; f; f = f->next)
        if (f->severity <= SEVERITY_QUESTION)
            LOG(LOG_ERROR, "policy", LOG_INT("line", f->at.line), LOG_INT("column", f->at.column),
                LOG_TEXT("message", f->message));
}

static enum err wait_for_signals(struct arena *a, struct server *s)
{
    sigset_t set;
    wanted_signals(&set);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd < 0)
        return say(a, ERR_INTERNAL, "signals cannot be waited for");
    struct signalfd_siginfo info = { 0 };
    for (;;) {
        ssize_t n = read(fd, &info, sizeof info);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != sizeof info || info.ssi_signo != SIGHUP)
            break;
        reload(s);
        renew_certificate(s, true);
    }
    close(fd);
    LOG(LOG_INFO, "stopping", LOG_INT("signal", info.ssi_signo));
    return OK;
}

static void server_free(struct server **server)
{
    struct server *s = *server;
    if (!s)
        return;
    for (unsigned i = 0; i < s->opened; i++)
        loop_close(&s->loops[i]);
    if (s->socket_path.p)
        unlink(s->socket_path.p);
    if (s->shared.stop_fd > 0)
        close(s->shared.stop_fd);
    tls_close(&s->shared.tls);
    peers_close(&s->front.peers);
    shares_close(&s->front.shares);
    crew_close(&s->front.crew);
    crew_close(&s->front.large);
    free(s->front.counters);
    for (int i = 0; i < 2; i++)
        free(s->front.descriptions[i]);
    free(s);
}

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static unsigned thread_count(unsigned wanted)
{
    long cores = wanted ? (long)wanted : sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1
         : cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores;
}

static enum err tell_address(struct arena *a, struct app *app, const struct server_options *o, text address)
{
    if (!address.n)
        return OK;
    text url = arena_print(a, "%s://%.*s", o->tls_certificate.n ? "https" : "http", T(address));
    TRY_PTR(url.p);
    return app_listens(app, a, url);
}

/* What is large goes back to the system at once, whichever thread had it: left to itself the library raises its
 * threshold to what was freed last, keeps a heap for each thread, and a single large request stays in memory for good.
 */
static void bound_heaps(void)
{
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
    mallopt(M_ARENA_MAX, 2);
    malloc_trim(0); /* what the start took and gave back */
}

enum err server_run(struct arena *a, struct app *app, const struct server_options *o)
{
    CLEANUP(server_free) struct server *s = calloc(1, sizeof *s);
    text address = TEXT("");
    TRY_PTR(s);
    TRY(library_try(a));
    raise_descriptors();
    bound_heaps();
    unsigned most = o->connections ? o->connections : CONNECTIONS_DEFAULT;
    s->front = (struct front){ .app = app,
                               .threads = thread_count(o->threads),
                               .started = clock_monotonic(),
                               .figures_lock = PTHREAD_MUTEX_INITIALIZER };
    s->front.counters = calloc(s->front.threads, sizeof *s->front.counters);
    s->shared = (struct shared){ .front = &s->front,
                                 .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                 .connections_max = most,
                                 .proxy = o->proxy,
                                 .access_log = o->access_log };
    if (!s->front.counters || s->shared.stop_fd < 0)
        return say(a, ERR_INTERNAL, "no memory or descriptor for the server");
    s->front.crew = crew_open((struct crew_size){ .threads = 8, .share = 2, .waiting = 64 });
    TRY_PTR(s->front.crew);
    s->front.large = crew_open(
        (struct crew_size){ .threads = 2, .share = 1, .waiting = 16 }); /* each has much in memory */
    TRY_PTR(s->front.large);
    s->front.shares = shares_open();
    TRY_PTR(s->front.shares);
    TRY(proxies_parse(a, o->proxy_from, &s->shared.proxies));
    TRY(peers_open(a, o->per_address ? o->per_address : most / 4, &s->front.peers));
    TRY(open_tls(a, s, o));
    TRY(open_loops(a, s, o, &address));
    TRY(tell_address(a, app, o, address));
    load_from(app, metrics_load, &s->front);
    enum err e = start_threads(a, s);
    if (e == OK) {
        if (o->ready)
            o->ready(o->ready_arg, address);
        e = wait_for_signals(a, s);
    }
    stop_threads(s);
    return e;
}
