/* The server's end of the reader: hands a message over, and waits for what the child makes of it. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "link/reader_inside.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

enum { AT_ONCE = 4, WAIT_MS = 20000, RESULT_MAX = READER_MESSAGE_MAX + (4 << 20) };

struct mail_reader {
    pthread_mutex_t lock;
    pthread_cond_t room;
    unsigned busy;
    int socket;
    pid_t pid;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* ---- The process. ---- */

/* A copy of this program that knows nothing of this process: no key, no connection. */
static enum err spawn(struct arena *a, struct mail_reader *r)
{
    char name[] = "garant", word[] = READER_WORD;
    char *const argv[] = { name, word, NULL }, *const environment[] = { NULL };
    int ends[2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return say(a, ERR_INTERNAL, "no socket for the reader of emails");
    int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, READER_SOCKET + 1); /* dup2 on itself would keep close-on-exec */
    close(ends[1]);
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, theirs, READER_SOCKET);
    int failed = theirs < 0 ? EMFILE : posix_spawn(&r->pid, "/proc/self/exe", &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (theirs >= 0)
        close(theirs);
    r->socket = ends[0];
    if (!failed)
        return OK;
    r->pid = 0;
    close(r->socket);
    r->socket = -1;
    return say(a, ERR_INTERNAL, "the reader of emails cannot be started");
}

static void end_process(struct mail_reader *r)
{
    close_fd(&r->socket);
    r->socket = -1;
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
    }
    r->pid = 0;
}

/* ---- One message. ---- */

static enum err hand_over(struct arena *a, struct mail_reader *r, const struct reader_asks *asks, const int fds[2])
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec io = { (void *)(uintptr_t)asks, sizeof *asks };
    struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(c), fds, 2 * sizeof(int));
    ssize_t n;
    do
        n = sendmsg(r->socket, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == sizeof *asks ? OK : say(a, ERR_BUSY, "the reader of emails does not answer");
}

/* The process is started again when it has ended. */
static enum err ask(struct arena *a, struct mail_reader *r, const struct reader_asks *asks, const int fds[2])
{
    pthread_mutex_lock(&r->lock);
    enum err status = r->socket >= 0 ? hand_over(a, r, asks, fds) : ERR_BUSY;
    if (status != OK) {
        end_process(r);
        status = spawn(a, r);
        if (status == OK)
            status = hand_over(a, r, asks, fds);
    }
    pthread_mutex_unlock(&r->lock);
    return status;
}

static bool put_message(int fd, text message)
{
    while (message.n) {
        ssize_t n = write(fd, message.p, message.n);
        if (n <= 0)
            return false;
        message = text_from(message, (size_t)n);
    }
    return true;
}

/* What comes until the child ends, within the time that it has. */
static enum err gather(struct arena *a, int fd, struct buf *b)
{
    msec until = clock_monotonic() + WAIT_MS;
    for (;;) {
        struct pollfd in = { fd, POLLIN, 0 };
        msec left = until - clock_monotonic();
        int ready = left > 0 ? poll(&in, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        char *room = ready > 0 ? buf_room(b, 65536) : NULL;
        ssize_t n = room ? read(fd, room, 65536) : -1;
        if (room)
            b->n -= 65536 - (size_t)(n > 0 ? n : 0);
        if (n == 0)
            return OK;
        if (n < 0 && !(room && errno == EINTR))
            return say(a, ERR_VALUE, "the email could not be read in the time that it has");
    }
}

static enum err read_through(struct arena *a, struct mail_reader *r, text message, int part, struct buf *b)
{
    int ends[2];
    struct reader_asks asks = { part };
    CLEANUP(close_fd) int file = memfd_create("email", MFD_CLOEXEC);
    if (file < 0 || !put_message(file, message) || pipe2(ends, O_CLOEXEC) != 0)
        return say(a, ERR_BUSY, "no room for an email to be read");
    const int fds[2] = { file, ends[1] };
    enum err status = ask(a, r, &asks, fds);
    close(ends[1]);
    if (status == OK)
        status = gather(a, ends[0], b);
    close(ends[0]);
    return status;
}

static enum err take_whole(struct arena *a, const struct buf *b, text *out)
{
    text all;
    uint64_t size = 0;
    TRY(buf_lend(a, b, &all));
    if (all.n >= sizeof size)
        memcpy(&size, all.p, sizeof size);
    if (all.n < sizeof size || all.n - sizeof size != size)
        return say(a, ERR_VALUE, "the reader ended over this email");
    *out = arena_copy(a, text_from(all, sizeof size));
    return out->p ? OK : ERR_MEMORY;
}

static enum err read_message(void *self, struct arena *a, text message, int part, text *out)
{
    struct mail_reader *r = self;
    BUF_AUTO b = buf_make(RESULT_MAX);
    pthread_mutex_lock(&r->lock);
    while (r->busy >= AT_ONCE)
        pthread_cond_wait(&r->room, &r->lock);
    r->busy++;
    pthread_mutex_unlock(&r->lock);
    enum err status = read_through(a, r, message, part, &b);
    pthread_mutex_lock(&r->lock);
    r->busy--;
    pthread_cond_signal(&r->room);
    pthread_mutex_unlock(&r->lock);
    return status == OK ? take_whole(a, &b, out) : status;
}

enum err reader_open(struct arena *a, struct mail_reader **out, struct reader *as)
{
    struct mail_reader *r = calloc(1, sizeof *r);
    TRY_PTR(r);
    *r = (struct mail_reader){ .lock = PTHREAD_MUTEX_INITIALIZER, .room = PTHREAD_COND_INITIALIZER, .socket = -1 };
    *out = r;
    *as = (struct reader){ r, read_message };
    return OK;
}

void reader_close(struct mail_reader **reader)
{
    struct mail_reader *r = *reader;
    if (!r)
        return;
    end_process(r);
    free(r);
    *reader = NULL;
}
