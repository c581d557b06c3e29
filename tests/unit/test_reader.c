/* The child that takes an email apart: what it may not do, tried in one that has locked itself in. */
#include "link/mime_read.h"
#include "link/reader_inside.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a child ends that locks itself in and then does that. */
static int ends(void (*act)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (!reader_lock_in())
            _exit(9);
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static bool killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS; }

static void open_a_file(void) { _exit(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES ? 3 : 4); }
static void write_a_file(void) { _exit(open("/tmp/planted", O_WRONLY | O_CREAT, 0600) < 0 ? 3 : 4); }
static void open_a_socket(void) { socket(AF_INET, SOCK_STREAM, 0); }
static void become_two(void) { fork(); }
static void run_a_program(void) { execl("/bin/true", "true", (char *)NULL); }
static void signal_another(void) { kill(getppid(), 0); }
static void make_a_program(void) { mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

static void nothing_is_left_to_it(void **state)
{
    int opened = ends(open_a_file), written = ends(write_a_file);
    assert_true(WIFEXITED(opened) && WEXITSTATUS(opened) == 3);
    assert_true(WIFEXITED(written) && WEXITSTATUS(written) == 3);
    assert_true(killed(ends(open_a_socket)));
    assert_true(killed(ends(become_two)));
    assert_true(killed(ends(run_a_program)));
    assert_true(killed(ends(signal_another)));
    assert_true(killed(ends(make_a_program)));
}

/* With every character set that it says it has, and without a file of them. */
static void read_an_email(void)
{
    static const char *const sets[] = {
#define SET(name) name,
#include "link/charsets.def"
#undef SET
    };
    BUF_AUTO b = buf_make(1 << 20);
    ARENA_AUTO a = arena_make(1 << 20);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        text email = arena_print(&a, "Subject: x\r\nContent-Type: text/plain; charset=%s\r\n\r\nabc\r\n", sets[i]);
        buf_clear(&b);
        if (!mime_read(email, &b))
            _exit(4);
    }
    _exit(3);
}

static void it_still_reads(void **state)
{
    assert_true(mime_read_open());
    int status = ends(read_an_email);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_left_to_it), cmocka_unit_test(it_still_reads) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
