/* The process that reaches stores, locked in: each try in a child of its own, which tells what the kernel said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "reach/http.h"
#include "reach/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/garant-reach-XXXXXX";

/* ---- What is tried; 0 when it went, else errno. ---- */

static int result(long got) { return got < 0 ? errno : 0; }

/* None is there: the call itself is refused, whatever the files allow. */
static int program(void)
{
    char name[] = "true";
    char *const argv[] = { name, NULL }, *environment[] = { NULL };
    return result(execve("/nowhere/true", argv, environment));
}

static int program_of_a_descriptor(void)
{
    char name[] = "true", *const argv[] = { name, NULL }, *environment[] = { NULL };
    return result(syscall(SYS_execveat, -1, "", argv, environment, 0x1000));
}

static int trace(void) { return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }

static int look_into(void)
{
    char c;
    struct iovec own = { &c, 1 }, other = { &c, 1 };
    return result(process_vm_readv(getppid(), &own, 1, &other, 1, 0));
}

static int process(void)
{
    pid_t made = fork();
    if (made == 0)
        _exit(0);
    return result(made);
}

static int signal_another(void) { return result(kill(getppid(), 0)); }

static void *nothing(void *arg) { return arg; }

static int thread(void)
{
    pthread_t made;
    int failed = pthread_create(&made, NULL, nothing, NULL);
    if (!failed)
        pthread_join(made, NULL);
    return failed;
}

static int network(void) { return result(socket(AF_INET, SOCK_STREAM, 0)); }
static int local_socket(void) { return result(socket(AF_UNIX, SOCK_STREAM, 0)); }

/* The kernel reads the lower half of what stands in the register. */
static int hidden_socket(void) { return result(syscall(SYS_socket, 1UL << 32 | AF_UNIX, SOCK_STREAM, 0)); }

static int opened(const char *name, int flags)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return result(open(path, flags, 0600));
}

static int read_own(void) { return opened("own/file", O_RDONLY); }
static int write_own(void) { return opened("own/file", O_WRONLY); }
static int make_own(void) { return opened("own/file-wal", O_WRONLY | O_CREAT); }
static int read_secret(void) { return opened("secret", O_RDONLY); }
static int read_key(void) { return opened("data/master.key", O_RDONLY); }
static int write_key(void) { return opened("data/master.key", O_WRONLY); }
static int make_elsewhere(void) { return opened("data/new", O_WRONLY | O_CREAT); }
static int read_given(void) { return opened("given/own", O_RDONLY); }
static int read_others(void) { return opened("given/other", O_RDONLY); }
static int list_given(void) { return opened("given", O_RDONLY | O_DIRECTORY); }
static int read_named(void) { return opened("ca.pem", O_RDONLY); }
static int read_names(void) { return result(open("/etc/nsswitch.conf", O_RDONLY)); }

static int remove_own(void)
{
    char path[200];
    snprintf(path, sizeof path, "%s/own/goes", dir);
    return result(unlink(path));
}

/* ---- Each kind of store. ---- */

enum { KINDS = 5 };
static const char *const kinds[KINDS] = { "sqlite", "folder", "postgresql", "mariadb", "webhook" };
static const struct {
    const char *what;
    int (*run)(void);
    int said[KINDS];
} tries[] = {
    { "a program", program, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "a program of a descriptor", program_of_a_descriptor, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "ptrace", trace, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "another's memory", look_into, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "a process", process, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "a signal", signal_another, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "a thread", thread, { 0, 0, 0, 0, 0 } },
    { "a network", network, { EACCES, EACCES, 0, 0, 0 } },
    { "a socket of this machine", local_socket, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "the same, hidden", hidden_socket, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "its own file read", read_own, { 0, 0, EACCES, EACCES, EACCES } },
    { "its own file written", write_own, { 0, EACCES, EACCES, EACCES, EACCES } },
    { "a file beside it made", make_own, { 0, EACCES, EACCES, EACCES, EACCES } },
    { "its own file removed", remove_own, { 0, 0, EACCES, EACCES, EACCES } },
    { "its credentials, or authorities", read_secret, { EACCES, EACCES, 0, 0, 0 } },
    { "the master key read", read_key, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "the master key written", write_key, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "a file in the data folder", make_elsewhere, { EACCES, EACCES, EACCES, EACCES, EACCES } },
    { "a file that credentials name", read_named, { EACCES, EACCES, 0, 0, EACCES } },
    { "how hosts are named", read_names, { EACCES, EACCES, 0, 0, 0 } },
};

static int in_child(text said, int (*run)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        ARENA_AUTO a = arena_make(1 << 20);
        const struct json *store;
        _exit(json_parse(&a, said, &store) == OK && reach_lock_in(&a, store) == OK ? run() : 255);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

static bool of_files(int (*run)(void))
{
    return run == read_own || run == write_own || run == make_own || run == remove_own || run == read_secret || run == read_key ||
           run == write_key || run == make_elsewhere || run == read_named || run == read_names;
}

static int tried(const char *kind, int (*run)(void))
{
    ARENA_AUTO a = arena_make(1 << 16);
    bool files = kind[0] == 's' || kind[0] == 'f';
    assert_int_equal(opened("own/goes", O_WRONLY | O_CREAT), 0);
    return in_child(arena_print(&a, "{\"kind\":\"%s\",\"path\":\"%s/own%s\",\"%s\":\"%s/secret\"}", kind, files ? dir : "/nowhere",
                                kind[0] == 's' ? "/file" : "", kind[0] == 'w' ? "ca" : files ? "none" : "credentials", dir),
                    run);
}

static void locked_in(void **state)
{
    bool landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
    (void)state;
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
        for (int k = 0; k < KINDS; k++) {
            if (of_files(tries[i].run) && !landlock)
                continue;
            int said = tried(kinds[k], tries[i].run);
            if (said != tries[i].said[k])
                fail_msg("%s, %s: the kernel said %d, and should have said %d", kinds[k], tries[i].what, said, tries[i].said[k]);
        }
}

static void hold(const char *name, const char *what)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *out = fopen(path, "w");
    assert_true(out && fchmod(fileno(out), 0600) == 0 && fputs(what, out) >= 0 && fclose(out) == 0);
}

/* A database has a socket of this machine where its settings lead to one, and nobody else has. */
static void sockets(void **state)
{
    static const struct {
        const char *kind, *held;
        int said;
    } all[] = { { "postgresql", "host=/run/postgresql\n", 0 },
                { "postgresql", "host = '/run/postgresql'\n", 0 },
                { "postgresql", "host=db.example,/run/postgresql\n", 0 },
                { "postgresql", "user=a\n", 0 },
                { "postgresql", "hostaddr=10.0.0.1\n", EACCES },
                { "postgresql", "host=localhost\n", EACCES },
                { "mariadb", "host=db.example\nsocket=/run/mysqld/mysqld.sock\n", 0 },
                { "mariadb", "host=localhost\n", 0 },
                { "mariadb", "host=127.0.0.1\n", EACCES },
                { "webhook", "socket=/run/mysqld/mysqld.sock\n", EACCES },
                { "sqlite", "host=/run/postgresql\n", EACCES } };
    ARENA_AUTO a = arena_make(1 << 16);
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        hold("settings", all[i].held);
        text store = arena_print(&a, "{\"kind\":\"%s\",\"path\":\"%s/own/file\",\"credentials\":\"%s/settings\"}", all[i].kind, dir, dir);
        int said = in_child(store, local_socket);
        if (said != all[i].said)
            fail_msg("%s, %s: the kernel said %d, and should have said %d", all[i].kind, all[i].held, said, all[i].said);
    }
}

/* Of what systemd gave the server, a store has what it names, and nothing that is for others. */
static void given(void **state)
{
    static const char *const members[][2] = { { "postgresql", "credentials" }, { "mariadb", "credentials" }, { "webhook", "secret" } };
    char path[200];
    ARENA_AUTO a = arena_make(1 << 16);
    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) <= 0)
        skip();
    snprintf(path, sizeof path, "%s/given", dir);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", path, 1), 0);
    hold("given/own", "host=db.example\n");
    hold("given/other", "the passphrase of the keys");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        text store = arena_print(&a, "{\"kind\":\"%s\",\"%s\":\"credential:own\"}", members[i][0], members[i][1]);
        assert_int_equal(in_child(store, read_given), 0);
        assert_int_equal(in_child(store, read_others), EACCES);
        assert_int_equal(in_child(store, list_given), EACCES);
    }
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void this_machine(void **state)
{
    static const text here[] = { TEXT_INIT("127.0.0.1"), TEXT_INIT("127.9.8.7:8080"), TEXT_INIT("localhost"), TEXT_INIT("[::1]:80") };
    static const text elsewhere[] = { TEXT_INIT("127.evil.example"), TEXT_INIT("127.0.0.1.evil.example"), TEXT_INIT("localhost.evil.example"),
                                      TEXT_INIT("127."), TEXT_INIT("127.1"), TEXT_INIT("128.0.0.1"), TEXT_INIT("127.0.0.256"), TEXT_INIT("[::2]") };
    ARENA_AUTO a = arena_make(1 << 16);
    (void)state;
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        assert_int_equal(http_check(&a, arena_print(&a, "http://%.*s/take", T(here[i]))), OK);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        assert_int_equal(http_check(&a, arena_print(&a, "http://%.*s/take", T(elsewhere[i]))), ERR_CONFIG);
        assert_int_equal(http_check(&a, arena_print(&a, "https://%.*s/take", T(elsewhere[i]))), OK);
        assert_false(http_this_machine(elsewhere[i]));
    }
}

/* What the file of a secret holds, and whether a message may leave with it. */
static void secrets(void **state)
{
    static const struct {
        const char *held;
        enum err said;
    } files[] = { { "", ERR_CONFIG },       { "\n \n", ERR_CONFIG }, { "whsec_", ERR_CONFIG },
                  { "whsec_\n", ERR_CONFIG }, { "whsec_!", ERR_CONFIG }, { "whsec_c2VjcmV0", OK }, { "a secret", OK } };
    char path[200];
    (void)state;
    snprintf(path, sizeof path, "%s/hmac", dir);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        ARENA_AUTO a = arena_make(1 << 18);
        const struct json *store;
        text secret;
        hold("hmac", files[i].held);
        assert_int_equal(json_parse(&a, arena_print(&a, "{\"secret\":\"%s\"}", path), &store), OK);
        if (http_secret(&a, store, &secret) != files[i].said)
            fail_msg("a secret of \"%s\"", files[i].held);
    }
}

static void put(const char *name)
{
    assert_int_equal(opened(name, O_WRONLY | O_CREAT), 0);
}

static int set_up(void **state)
{
    char path[200];
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/own", dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/data", dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/given", dir);
    mkdir(path, 0700);
    put("own/file");
    put("secret");
    put("ca.pem");
    snprintf(path, sizeof path, "%s/secret", dir);
    FILE *out = fopen(path, "w");
    if (!out || fprintf(out, "host=db.example\nsslrootcert='%s/ca.pem'\n", dir) < 0 || fclose(out) != 0)
        return -1;
    put("data/master.key");
    return 0;
}

static int tear_down(void **state)
{
    static const char *const left[] = { "own/file", "own/file-wal", "own/goes", "own", "secret", "hmac", "settings", "given/own", "given/other", "given", "ca.pem", "data/master.key", "data/new", "data", "" };
    char path[200];
    (void)state;
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, left[i]);
        remove(path);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(locked_in), cmocka_unit_test(sockets), cmocka_unit_test(given), cmocka_unit_test(this_machine), cmocka_unit_test(secrets) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
