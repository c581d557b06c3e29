/* The reader's process: waits for messages, forks for each, and the child locks itself in before it looks at one. */
#include "base/log.h"
#include "link/mime_read.h"
#include "link/reader_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOBODY = 65534, MEMORY = 1024 << 20, CPU_SECONDS = 10, RESULT_MAX = READER_MESSAGE_MAX + (4 << 20) };

/* ---- Locked in. ---- */

static bool drop_rights(void)
{
    if (geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

static void limit(int what, rlim_t most)
{
    struct rlimit r = { most, most };
    setrlimit((__rlimit_resource_t)what, &r);
}

static void limit_all(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    limit(RLIMIT_AS, MEMORY);
#endif
    limit(RLIMIT_CPU, CPU_SECONDS);
    limit(RLIMIT_NOFILE, 0);
    limit(RLIMIT_NPROC, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
}

/* No path of the file system, where the kernel has Landlock; seccomp below opens none anyway. */
static void lock_files(void)
{
    const struct landlock_ruleset_attr none = { .handled_access_fs = (1ull << 13) - 1 };
    int fd = (int)syscall(SYS_landlock_create_ruleset, &none, sizeof none, 0);
    if (fd < 0)
        return;
    syscall(SYS_landlock_restrict_self, fd, 0);
    close(fd);
}

/* What is left: memory, the two descriptors that stand open, and the end. Opening fails, and whatever else is asked of
 * the kernel ends the process. */
static bool lock_calls(void)
{
    static const int allowed[] = { SCMP_SYS(read),         SCMP_SYS(write),         SCMP_SYS(munmap),
                                   SCMP_SYS(mremap),       SCMP_SYS(brk),           SCMP_SYS(madvise),
                                   SCMP_SYS(futex),        SCMP_SYS(exit),          SCMP_SYS(exit_group),
                                   SCMP_SYS(rt_sigreturn), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
                                   SCMP_SYS(getrandom),    SCMP_SYS(sched_yield),   SCMP_SYS(close),
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
                                   SCMP_SYS(sigaltstack), /* of the sanitizer's own end */
#endif
    };
    static const int refused[] = { SCMP_SYS(open),       SCMP_SYS(openat),   SCMP_SYS(stat),  SCMP_SYS(newfstatat),
                                   SCMP_SYS(fstat),      SCMP_SYS(access),   SCMP_SYS(faccessat),
                                   SCMP_SYS(readlink),   SCMP_SYS(getcwd),   SCMP_SYS(lseek) };
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool good = f != NULL;
    for (size_t i = 0; good && i < sizeof allowed / sizeof *allowed; i++)
        good = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    for (size_t i = 0; good && i < sizeof refused / sizeof *refused; i++)
        good = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), refused[i], 0) == 0;
    /* Memory that no program can be put into. */
    const struct scmp_arg_cmp no_program = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    good = good && seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_program) == 0;
    good = good && seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_program) == 0;
    good = good && seccomp_load(f) == 0;
    seccomp_release(f);
    return good;
}

bool reader_lock_in(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    lock_files();
    limit_all();
    return lock_calls();
}

/* ---- One message. ---- */

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* Its length stands before the answer, so that what was cut off is never taken for whole. */
static void answer(int out, text message, int part)
{
    ARENA_AUTO a = arena_make(1 << 16);
    BUF_AUTO b = buf_make(RESULT_MAX);
    text made;
    bool good = part == READ_WHOLE   ? mime_read(message, &b)
                : part == READ_TEXTS ? mime_read_texts(message, &b)
                                     : mime_read_part(message, part, &b);
    if (!good || buf_lend(&a, &b, &made) != OK)
        return;
    uint64_t size = made.n;
    if (write_all(out, (const char *)&size, sizeof size))
        write_all(out, made.p, size);
}

static void read_one(int message, int out, int part)
{
    struct stat st;
    if (fstat(message, &st) != 0 || st.st_size > READER_MESSAGE_MAX)
        _exit(1);
    void *p = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, message, 0) : NULL;
    if (p == MAP_FAILED)
        _exit(1);
    close(message);
    if (!reader_lock_in())
        _exit(2);
    answer(out, (text){ p ? p : "", (size_t)st.st_size }, part);
    _exit(0);
}

/* ---- One after the other. ---- */

/* What is asked and its two descriptors; false when the server has ended. */
static bool take(int from, struct reader_asks *asks, int fds[2])
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec io = { asks, sizeof *asks };
    struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    ssize_t n;
    do
        n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *c = n == sizeof *asks ? CMSG_FIRSTHDR(&m) : NULL;
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
        return false;
    memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
    return true;
}

int reader_main(void)
{
    struct reader_asks asks;
    int fds[2];
    close_range(READER_SOCKET + 1, ~0u, 0);
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    clearenv();
    if (!mime_read_open()) {
        LOG(LOG_ERROR, "emails cannot be read: GMime 3.0 is not installed");
        return 1;
    }
    if (!drop_rights())
        return 1;
    while (take(READER_SOCKET, &asks, fds)) {
        pid_t child = fork();
        if (child == 0) {
            close(READER_SOCKET);
            read_one(fds[0], fds[1], asks.part);
        }
        close(fds[0]);
        close(fds[1]);
    }
    return 0;
}
