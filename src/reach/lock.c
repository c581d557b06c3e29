/* The process locks itself in before it reaches a store: no program is started, no other process looked into, only the
 * files that its kind of store needs are opened, and a store on this machine is reached without a network. */
#include "reach/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As <linux/landlock.h> numbers them; the two last came with later kernels. */
enum {
    MAY_WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE,
    MAY_READ = LANDLOCK_ACCESS_FS_READ_FILE,
    MAY_LIST = LANDLOCK_ACCESS_FS_READ_DIR,
    MAY_REMOVE = LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR,
    MAY_MAKE = LANDLOCK_ACCESS_FS_MAKE_REG,
    FIRST_RIGHTS = (1 << 13) - 1,
    MAY_MOVE = 1 << 13,
    MAY_CUT = 1 << 14,
    OF_A_FILE = MAY_WRITE | MAY_READ | MAY_CUT
};

/* ---- Files. ---- */

struct rules {
    int fd;
    unsigned handled;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* What is not there needs no rule. */
static void allow(const struct rules *r, const char *path, unsigned rights)
{
    struct stat st;
    CLEANUP(close_fd) int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    unsigned own = S_ISDIR(st.st_mode) ? rights : rights & OF_A_FILE;
    struct landlock_path_beneath_attr rule = { .allowed_access = own & r->handled, .parent_fd = fd };
    syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static void allow_credentials(struct arena *a, const struct rules *r, const struct json *store, text member)
{
    char path[4096];
    if (json_text(store, member).n && credentials_path(a, store, member, path) == OK)
        allow(r, path, MAY_READ);
}

static void allow_said(const struct rules *r, const struct json *store, const char *member, unsigned rights)
{
    char path[4096];
    if (text_cstr(json_text(store, text_of(member)), path, sizeof path) && path[0])
        allow(r, path, rights);
}

/* The folder of the file: SQLite keeps its log and its journal beside it. */
static void allow_beside(const struct rules *r, const struct json *store, unsigned rights)
{
    char path[4096];
    text said = json_text(store, TEXT("path"));
    while (said.n && said.p[said.n - 1] != '/')
        said.n--;
    if (text_cstr(said.n ? said : TEXT("."), path, sizeof path))
        allow(r, path, rights);
}

/* Files that the credentials name: authorities and certificates of the database's own. */
static void allow_named(struct arena *a, const struct rules *r, const struct json *store)
{
    char path[4096];
    text file;
    if (credentials_read(a, store, TEXT("credentials"), &file) != OK)
        return; /* said when they are needed */
    while (file.n) {
        text line = text_cut(&file, '\n');
        text_cut(&line, '=');
        line = text_trim(line);
        if (text_starts(line, TEXT("'")) && text_ends(line, TEXT("'")) && line.n > 2)
            line = text_upto(text_from(line, 1), line.n - 2);
        if (text_starts(line, TEXT("/")) && text_cstr(line, path, sizeof path))
            allow(r, path, MAY_READ | MAY_LIST);
    }
}

/* Names of hosts, authorities of certificates, and libraries: what every program of a network reads. */
static void allow_network(const struct rules *r)
{
    static const char *const places[] = { "/usr",
                                          "/lib",
                                          "/lib64",
                                          "/etc/ssl",
                                          "/etc/ca-certificates",
                                          "/etc/mysql",
                                          "/etc/resolv.conf",
                                          "/etc/hosts",
                                          "/etc/host.conf",
                                          "/etc/nsswitch.conf",
                                          "/etc/gai.conf",
                                          "/etc/services",
                                          "/etc/passwd",
                                          "/etc/krb5.conf",
                                          "/etc/gss",
                                          "/etc/ld.so.cache",
                                          "/etc/localtime",
                                          "/run/systemd/resolve",
                                          "/dev/urandom",
                                          "/dev/null" };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        allow(r, places[i], MAY_READ | MAY_LIST);
}

static void lock_files(struct arena *a, const struct json *store, bool network)
{
    text kind = json_text(store, TEXT("kind"));
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return; /* a kernel without it: what is forbidden below stays so */
    struct rules r = { -1, (unsigned)FIRST_RIGHTS | (version > 1 ? MAY_MOVE : 0) | (version > 2 ? MAY_CUT : 0) };
    const struct landlock_ruleset_attr all = { .handled_access_fs = r.handled };
    r.fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (r.fd < 0)
        return;
    if (network)
        allow_network(&r);
    if (json_text(store, TEXT("credentials")).n)
        allow_named(a, &r, store);
    allow_credentials(a, &r, store, TEXT("credentials"));
    allow_credentials(a, &r, store, TEXT("secret"));
    allow_said(&r, store, "ca", MAY_READ);
    if (text_eq(kind, TEXT("sqlite")))
        allow_beside(&r, store, MAY_READ | MAY_LIST | MAY_WRITE | MAY_MAKE | MAY_REMOVE | MAY_CUT);
    if (text_eq(kind, TEXT("folder")))
        allow_said(&r, store, "path", MAY_READ | MAY_LIST | MAY_REMOVE);
    syscall(SYS_landlock_restrict_self, r.fd, 0);
    close(r.fd);
}

/* ---- Sockets of this machine: Garant's own operator is one, and believes this user. ---- */

/* Whether the settings of a database lead to such a socket, as its library reads them. */
static bool names_socket(struct arena *a, const struct json *store)
{
    text kind = json_text(store, TEXT("kind")), file;
    bool postgresql = text_eq(kind, TEXT("postgresql"));
    if ((!postgresql && !text_eq(kind, TEXT("mariadb"))) ||
        credentials_read(a, store, TEXT("credentials"), &file) != OK)
        return false;
    text host = credential(file, TEXT("host"));
    if (!postgresql)
        return credential(file, TEXT("socket")).n || !host.n || text_eq(host, TEXT("localhost"));
    if (text_starts(host, TEXT("'")))
        host = text_from(host, 1);
    return host.n ? host.p[0] == '/' || host.p[0] == '@' || text_find(host, TEXT(",/")) >= 0
                  : !credential(file, TEXT("hostaddr")).n;
}

/* ---- Calls. ---- */

static bool refuse(scmp_filter_ctx f, const int *calls, size_t count)
{
    bool good = true;
    for (size_t i = 0; good && i < count; i++)
        good = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), calls[i], 0) == 0;
    return good;
}

/* What is refused, not what is allowed: the libraries of databases, of names and of TLS ask for much that differs with
 * their version. clone() makes threads only; of clone3(), whose flags no filter sees, the C library does without. */
static bool lock_calls(bool network, bool local)
{
    static const int never[] = { SCMP_SYS(execve),
                                 SCMP_SYS(execveat),
                                 SCMP_SYS(fork),
                                 SCMP_SYS(vfork),
                                 SCMP_SYS(ptrace),
                                 SCMP_SYS(process_vm_readv),
                                 SCMP_SYS(process_vm_writev),
                                 SCMP_SYS(pidfd_open),
                                 SCMP_SYS(pidfd_getfd),
                                 SCMP_SYS(kcmp),
                                 SCMP_SYS(kill),
                                 SCMP_SYS(tkill),
                                 SCMP_SYS(bpf),
                                 SCMP_SYS(perf_event_open),
                                 SCMP_SYS(userfaultfd),
                                 SCMP_SYS(io_uring_setup),
                                 SCMP_SYS(mount),
                                 SCMP_SYS(umount2),
                                 SCMP_SYS(pivot_root),
                                 SCMP_SYS(chroot),
                                 SCMP_SYS(unshare),
                                 SCMP_SYS(setns),
                                 SCMP_SYS(init_module),
                                 SCMP_SYS(finit_module),
                                 SCMP_SYS(kexec_load),
                                 SCMP_SYS(keyctl),
                                 SCMP_SYS(add_key),
                                 SCMP_SYS(request_key),
                                 SCMP_SYS(open_by_handle_at),
                                 SCMP_SYS(listen),
                                 SCMP_SYS(accept),
                                 SCMP_SYS(accept4) };
    static const int outward[] = { SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind) };
    /* The kernel reads an int: what stands above it must not hide what it is. */
    const struct scmp_arg_cmp of_machine = SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, AF_UNIX);
    const struct scmp_arg_cmp no_thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    bool good = f && refuse(f, never, sizeof never / sizeof *never) &&
                (network || refuse(f, outward, sizeof outward / sizeof *outward)) &&
                (!network || local ||
                 seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1, of_machine) == 0) &&
                seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(clone), 1, no_thread) == 0 &&
                seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 && seccomp_load(f) == 0;
    seccomp_release(f);
    return good;
}

enum err reach_lock_in(struct arena *a, const struct json *store)
{
    text kind = json_text(store, TEXT("kind"));
    bool network = !text_eq(kind, TEXT("sqlite")) && !text_eq(kind, TEXT("folder"));
    bool local = names_socket(a, store);
    lock_files(a, store, network);
    return lock_calls(network, local) ? OK
                                      : say(a, ERR_INTERNAL, "the process that reaches stores cannot lock itself in");
}
