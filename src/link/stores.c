/* The courier: rounds over the jobs that are due, and a process of its own for each question to a store. */
#include "link/stores.h"
#include "base/log.h"
#include "domain/connector/connector.h"
#include "domain/core/asker.h"
#include "domain/core/context.h"
#include "domain/core/instance.h"
#include "link/thread.h"
#include "reach/reach.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    IDLE_MS = 250,
    LOOK_EVERY = 8, /* rounds: what was not told of is found all the same */
    WAIT_MS = 90000,
    ANSWER_MAX = 32 << 20,
    TURN_MEMORY = 64 << 20,
    FAILED_MS = 2000
};

struct courier {
    struct app *app;
    struct asker as;
    struct link_thread thread;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* ---- One question. ---- */

/* The question in memory that no other process sees, so that it needs no pipe that could fill. */
static int question_file(text asked)
{
    int fd = memfd_create("question", MFD_CLOEXEC);
    while (fd >= 0 && asked.n) {
        ssize_t n = write(fd, asked.p, asked.n);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        asked = text_from(asked, (size_t)n);
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

/* A copy of this program that knows nothing of this process; of its environment it has what systemd's credentials and
 * the libraries' own certificates need. */
static int spawn(int in, int out, pid_t *pid)
{
    char name[] = "garant", word[] = REACH_WORD, credentials[4200] = "";
    char *const argv[] = { name, word, NULL };
    char *environment[] = { NULL, NULL };
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    if (folder && snprintf(credentials, sizeof credentials, "CREDENTIALS_DIRECTORY=%s", folder) < (int)sizeof credentials)
        environment[0] = credentials;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    int failed = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

static enum err gather(struct arena *a, const struct courier *t, int fd, struct buf *b)
{
    msec until = clock_monotonic() + WAIT_MS;
    for (;;) {
        struct pollfd in[] = { { fd, POLLIN, 0 }, { t->thread.stop_fd, POLLIN, 0 } };
        msec left = until - clock_monotonic();
        int ready = left > 0 ? poll(in, 2, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0 || (in[1].revents && !in[0].revents))
            return say(a, ERR_BUSY, ready > 0 ? "the server is about to stop" : "the store did not answer in time");
        char *room = buf_room(b, 65536);
        ssize_t n = room ? read(fd, room, 65536) : -1;
        if (room)
            b->n -= 65536 - (size_t)(n > 0 ? n : 0);
        if (n == 0)
            return OK;
        if (n < 0 && !(room && errno == EINTR))
            return say(a, ERR_BUSY, "what the store answers cannot be read");
    }
}

static enum err ask(void *self, struct arena *a, text asked, text *answer)
{
    const struct courier *t = self;
    int ends[2];
    pid_t pid;
    BUF_AUTO b = buf_make(ANSWER_MAX);
    CLEANUP(close_fd) int in = question_file(asked);
    if (in < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return say(a, ERR_BUSY, "no room for a question to a store");
    CLEANUP(close_fd) int from = ends[0];
    int failed = spawn(in, ends[1], &pid);
    close(ends[1]);
    if (failed)
        return say(a, ERR_BUSY, "the process that reaches stores cannot be started");
    enum err e = gather(a, t, from, &b);
    if (e != OK)
        kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (e == OK && !b.n)
        e = say(a, ERR_BUSY, "the process that reaches stores ended without an answer");
    if (e == OK)
        e = buf_take(a, &b, answer);
    buf_wipe(&b);
    return e;
}

/* ---- Rounds. ---- */

/* True when there may be more at once. */
static bool work(struct courier *t, bool *failed)
{
    ARENA_AUTO a = arena_make(TURN_MEMORY);
    CTX_AUTO c = { 0 };
    bool more = false;
    ctx_begin(t->app, &a, &c);
    c.actor.name = TEXT("garant");
    enum err e = connector_work(&c, &more);
    *failed = e != OK && e != ERR_PRECONDITION;
    if (*failed && !link_thread_stops(&t->thread))
        LOG(LOG_WARN, "stores.failed", LOG_TEXT("code", err_row(e)->slug), LOG_TEXT("why", text_of(a.why.detail)));
    return more;
}

static void *courier_main(void *arg)
{
    struct courier *t = arg;
    for (unsigned round = 0; !link_thread_stops(&t->thread); round++) {
        bool failed = false, due = atomic_exchange(&t->app->stores_due, false) || round % LOOK_EVERY == 0;
        bool more = due && work(t, &failed);
        if (more)
            atomic_store(&t->app->stores_due, true);
        if (failed || !more)
            link_thread_rest(&t->thread, failed ? FAILED_MS : IDLE_MS);
    }
    return NULL;
}

enum err stores_start(struct arena *a, struct app *app, struct courier **out)
{
    struct courier *t = calloc(1, sizeof *t);
    TRY_PTR(t);
    *out = t;
    t->app = app;
    t->as = (struct asker){ t, ask };
    TRY(link_thread_open(a, &t->thread));
    connector_open(app, &t->as);
    return link_thread_start(a, &t->thread, courier_main, t);
}

void stores_stop(struct courier **courier)
{
    struct courier *t = *courier;
    if (!t)
        return;
    link_thread_end(&t->thread);
    connector_open(t->app, NULL);
    free(t);
    *courier = NULL;
}
