/* What the command line prints: JSON as lines for people, findings, progress. */
#include "cli/cli.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

bool cli_write(int fd, text s)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = text_from(s, (size_t)n);
    }
    return true;
}

void cli_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

void cli_print(text s) { cli_write(STDOUT_FILENO, s); }

void cli_line(text s)
{
    cli_print(s);
    cli_print(TEXT("\n"));
}

static void indent(struct buf *b, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        buf_add(b, TEXT("  "));
}

static void put_scalar(struct buf *b, const struct json *v)
{
    switch (v->kind) {
    case J_NULL:
        buf_add(b, TEXT("-"));
        break;
    case J_BOOL:
        buf_add(b, v->truth ? TEXT("yes") : TEXT("no"));
        break;
    case J_NUMBER:
    case J_TEXT:
        buf_add(b, v->value);
        break;
    case J_ARRAY:
    case J_OBJECT:
        break;
    }
}

static void put_members(struct buf *b, const struct json *parent, unsigned depth)
{
    JSON_EACH(child, parent) {
        indent(b, depth);
        if (parent->kind == J_ARRAY)
            buf_add(b, TEXT("-"));
        else {
            buf_add(b, child->key);
            buf_char(b, ':');
        }
        if (child->kind == J_ARRAY || child->kind == J_OBJECT) {
            buf_add(b, child->count ? TEXT("\n") : TEXT(" -\n"));
            put_members(b, child, depth + 1);
        } else {
            buf_char(b, ' ');
            put_scalar(b, child);
            buf_char(b, '\n');
        }
    }
}

enum err cli_give(struct cli *cli, const struct buf *b)
{
    text built;
    TRY(arena_whole(cli->arena));
    TRY(buf_lend(cli->arena, b, &built));
    return cli_write(STDOUT_FILENO, built)
               ? OK
               : cli_fault(cli, ERR_STORAGE, "the output cannot be written: %s",
                           "la sortie ne peut pas être écrite : %s", cli_reason(cli, errno));
}

enum err cli_answer_of(struct cli *cli, const struct buf *json)
{
    text built;
    TRY(buf_lend(cli->arena, json, &built));
    return cli_answer(cli, built);
}

/* With --quiet: the secret or the name of what was made, which a script goes on with, and nothing else. */
static enum err give_made(struct cli *cli, text body)
{
    const struct json *v = NULL;
    if (!body.n || json_parse(cli->arena, body, &v) != OK)
        return OK;
    text made = json_text(v, TEXT("token"));
    made = made.n ? made : json_text(v, TEXT("id"));
    if (made.n)
        cli_line(made);
    return OK;
}

enum err cli_answer(struct cli *cli, text body)
{
    const struct json *v = NULL;
    if (cli->quiet)
        return give_made(cli, body);
    if (cli->json || json_parse(cli->arena, body, &v) != OK || (v->kind != J_OBJECT && v->kind != J_ARRAY)) {
        if (body.n)
            cli_print(body);
        if (body.n && body.p[body.n - 1] != '\n')
            cli_print(TEXT("\n"));
        return OK;
    }
    BUF_AUTO b = buf_make(CLI_ANSWER_LIMIT);
    put_members(&b, v, 0);
    return cli_give(cli, &b);
}

/* Beside the output. What cannot be told whole says so. */
static void tell(const struct buf *b)
{
    ARENA_AUTO a = arena_make(0);
    text built;
    bool whole = buf_lend(&a, b, &built) == OK;
    cli_write(STDERR_FILENO, whole ? built : text_of(a.why.detail));
    if (!whole)
        cli_write(STDERR_FILENO, TEXT("\n"));
}

void cli_findings(struct cli *cli, text file, const struct findings *f, bool all)
{
    unsigned faults = f->errors + f->questions;
    if (!f->count || (!all && !faults))
        return;
    if (cli->json && faults) { /* said with the error, as JSON */
        cli->faulty_file = file;
        cli->faults = *f;
        return;
    }
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    findings_print(&b, file, f);
    tell(&b);
}

void cli_progress(uint64_t done, uint64_t all)
{
    enum { WIDTH = 40 };
    if (!isatty(STDERR_FILENO))
        return;
    BUF_AUTO b = buf_make(1024);
    if (all) {
        unsigned filled = (unsigned)(done >= all ? WIDTH : done * WIDTH / all);
        buf_add(&b, TEXT("\r\033[K["));
        for (unsigned i = 0; i < WIDTH; i++)
            buf_add(&b, i < filled ? TEXT("█") : TEXT("·"));
        buf_print(&b, "] %3u %%", (unsigned)(done >= all ? 100 : done * 100 / all));
    } else {
        static const char *const turns[] = { "⠋", "⠙", "⠸", "⠴", "⠦", "⠇" };
        buf_print(&b, "\r\033[K%s %llu s", turns[done % 6], (unsigned long long)done / 4);
    }
    tell(&b);
}

void cli_progress_end(void)
{
    if (isatty(STDERR_FILENO))
        cli_write(STDERR_FILENO, TEXT("\r\033[K"));
}
