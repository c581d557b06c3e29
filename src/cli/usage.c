/* usage: events of what people do, from standard input, and logs of web servers; capacity: the servers' load. */
#include "base/unicode.h"
#include "cli/client.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    INPUT_LIMIT = 1 << 20,
    CHUNK_LINES = 1000,
    CHUNK_BYTES = 384 << 10,
    LINE_LIMIT = 16 << 10,
    FAULTS_LIMIT = 256 << 10,
    BEGINS_MAX = 512
};
static const text json_type = TEXT_INIT("application/json");

/* ---- A log file, read whole line by whole line. ---- */

struct import {
    struct cli *cli;
    struct client client;
    FILE *file;
    char *line; /* of getline() */
    size_t room;
    text head, begins; /* its first line; as it stands in the file, of a long one the first bytes */
    int64_t position, size;
    struct buf faults, dropped; /* lists in JSON, and their writers */
    struct json_out fault_list, dropped_list;
    int64_t counts[8];
};
static const char *const counted[] = { "taken",   "visits",  "nobody", "refused",
                                       "over",    "queries", "masked", "bad" };
static const size_t counted_count = sizeof counted / sizeof *counted;

static void end_import(struct import *i)
{
    free(i->line);
    if (i->file)
        fclose(i->file);
    client_close(&i->client);
    buf_free(&i->faults);
    buf_free(&i->dropped);
}

/* Bytes that are no UTF-8, and NUL, as U+FFFD. */
static text repaired(struct arena *a, text raw)
{
    if (text_utf8(raw) && text_index(raw, 0) < 0)
        return arena_copy(a, raw);
    BUF_AUTO b = buf_make(4 * LINE_LIMIT);
    for (size_t i = 0; i < raw.n;) {
        uint32_t character = unicode_next(raw, &i);
        unicode_put(&b, character ? character : UNICODE_BAD);
    }
    return buf_made(a, &b);
}

/* The next line that is whole, without its end: false at the end of what is there. What is longer than any line that is
 * taken is cut, and told by the server as too long; bytes that are no UTF-8 become U+FFFD. */
static bool next_line(struct import *i, struct arena *a, text *out)
{
    ssize_t n = getline(&i->line, &i->room, i->file);
    if (n <= 0 || i->line[n - 1] != '\n')
        return false;
    i->position += n;
    size_t shown = (size_t)n - 1;
    if (shown && i->line[shown - 1] == '\r')
        shown--;
    *out = repaired(a, (text){ i->line, shown > LINE_LIMIT + 1 ? LINE_LIMIT + 1 : shown });
    return true;
}

static text body_of(struct import *i, struct arena *a, int64_t from, int64_t to, const struct buf *lines)
{
    BUF_AUTO b = buf_make(4 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("head"), i->head);
    if (to >= 0) {
        json_pair_int(&w, TEXT("from"), from);
        json_pair_int(&w, TEXT("to"), to);
        json_name(&w, TEXT("lines"));
        json_put_raw_of(&w, lines);
    }
    static const char *const options[] = { "format", "category" };
    for (size_t k = 0; k < sizeof options / sizeof *options; k++)
        if (cli_has(i->cli, text_of(options[k])))
            json_pair(&w, text_of(options[k]), cli_option(i->cli, text_of(options[k])));
    json_close(&w, '}');
    return buf_made(a, &b);
}

static void add_list(struct json_out *to, const struct json *list)
{
    JSON_EACH(one, list)
        json_put(to, one);
}

static enum err ask(struct import *i, struct arena *a, text body, const struct json **told)
{
    struct result r;
    TRY_PTR(body.p);
    TRY(client_call(&i->client, METHOD_POST, TEXT("/v1/usage/lines"), json_type, body, 0, &r));
    TRY(json_parse(a, r.body, told));
    for (size_t k = 0; k < counted_count; k++) {
        int64_t more = 0;
        json_int(json_get(*told, text_of(counted[k])), &more);
        i->counts[k] += more;
    }
    if (i->faults.n < FAULTS_LIMIT) /* the first are enough */
        add_list(&i->fault_list, json_get(*told, TEXT("faults")));
    if (i->dropped.n < FAULTS_LIMIT)
        add_list(&i->dropped_list, json_get(*told, TEXT("dropped")));
    return OK;
}

/* One piece of the file; *more: there may be another. */
static enum err send_piece(struct import *i, bool *more)
{
    ARENA_AUTO piece = arena_make(64 << 20); /* however long the file is */
    struct arena *a = &piece;
    struct cli cli = *i->cli;
    int64_t from = i->position;
    unsigned count = 0;
    text line;
    const struct json *told;
    BUF_AUTO lines = buf_make(4 << 20);
    struct json_out w = json_out(&lines);
    json_open(&w, '[');
    while (count < CHUNK_LINES && lines.n < CHUNK_BYTES && (*more = next_line(i, a, &line))) {
        TRY_PTR(line.p);
        json_put_text(&w, line);
        count++;
    }
    json_close(&w, ']');
    if (!count)
        return OK;
    cli.arena = a;
    i->client.cli = &cli;
    enum err status = ask(i, a, body_of(i, a, from, i->position, &lines), &told);
    i->client.cli = i->cli;
    if (status != OK)
        i->cli->arena->why = piece.why;
    TRY(status);
    cli_progress((uint64_t)i->position, (uint64_t)i->size);
    return OK;
}

static enum err open_log(struct import *i, text path)
{
    struct arena *a = i->cli->arena;
    text name = arena_copy(a, path), head;
    TRY_PTR(name.p);
    i->file = fopen(name.p, "re");
    if (!i->file || fseek(i->file, 0, SEEK_END) != 0)
        return cli_fault(i->cli, ERR_CONFIG, "%.*s cannot be read: %s", "%.*s ne peut pas être lu : %s", T(path),
                         cli_reason(i->cli, errno));
    i->size = ftell(i->file);
    rewind(i->file);
    if (!next_line(i, a, &head))
        return cli_fault(i->cli, ERR_CONFIG, "%.*s has no whole line yet", "%.*s n'a pas encore de ligne entière", T(path));
    i->head = head;
    i->begins = arena_copy(a, (text){ i->line, i->position > BEGINS_MAX ? BEGINS_MAX : (size_t)i->position });
    return i->begins.p ? OK : ERR_MEMORY;
}

/* From where the file was taken up to before, whatever it was called then. */
static enum err seek(struct import *i, text path)
{
    const struct json *told;
    TRY(ask(i, i->cli->arena, body_of(i, i->cli->arena, 0, -1, NULL), &told));
    json_int(json_get(told, TEXT("position")), &i->position);
    if (i->position <= i->size && fseek(i->file, (long)i->position, SEEK_SET) == 0)
        return OK;
    return cli_fault(i->cli, ERR_CONFIG, "%.*s is shorter than at the last import",
                     "%.*s est plus court qu'au dernier import", T(path));
}

static enum err tell(struct import *i, text path)
{
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("file"), path);
    json_pair_int(&w, TEXT("position"), i->position);
    for (size_t k = 0; k < counted_count; k++)
        json_pair_int(&w, text_of(counted[k]), i->counts[k]);
    json_close(&i->dropped_list, ']');
    json_close(&i->fault_list, ']');
    json_name(&w, TEXT("dropped"));
    json_put_raw_of(&w, &i->dropped);
    json_name(&w, TEXT("faults"));
    json_put_raw_of(&w, &i->faults);
    json_close(&w, '}');
    return cli_answer_of(i->cli, &b);
}

static enum err begin(struct cli *cli, struct import *i)
{
    *i = (struct import){ .cli = cli, .faults = buf_make(4 << 20), .dropped = buf_make(1 << 20) };
    i->fault_list = json_out(&i->faults);
    i->dropped_list = json_out(&i->dropped);
    json_open(&i->fault_list, '[');
    json_open(&i->dropped_list, '[');
    return client_open(cli, &i->client);
}

static enum err drain(struct import *i)
{
    bool more = true;
    while (more)
        TRY(send_piece(i, &more));
    cli_progress_end();
    return OK;
}

static enum err import(struct cli *cli, text path)
{
    CLEANUP(end_import) struct import i;
    TRY(begin(cli, &i));
    TRY(open_log(&i, path));
    TRY(seek(&i, path));
    TRY(drain(&i));
    return tell(&i, path);
}

/* ---- A log file that grows, and is rotated. ---- */

struct follow {
    struct cli *cli;
    text path;
    const char *name;
    int folder_fd, signal_fd; /* what changes beside the file; that it is to stop */
};

static void end_follow(struct follow *f)
{
    if (f->folder_fd >= 0)
        close(f->folder_fd);
    if (f->signal_fd >= 0)
        close(f->signal_fd);
}

static text folder_of(struct arena *a, text path)
{
    size_t end = path.n;
    while (end && path.p[end - 1] != '/')
        end--;
    return end ? arena_copy(a, text_upto(path, end)) : TEXT(".");
}

static enum err watch(struct follow *f)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    f->signal_fd = signalfd(-1, &ends, SFD_CLOEXEC);
    f->folder_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    text folder = folder_of(f->cli->arena, f->path);
    TRY_PTR(folder.p);
    if (f->signal_fd >= 0 && f->folder_fd >= 0 &&
        inotify_add_watch(f->folder_fd, folder.p, IN_MODIFY | IN_CREATE | IN_MOVED_TO) >= 0)
        return OK;
    return cli_fault(f->cli, ERR_CONFIG, "%.*s cannot be watched: %s", "%.*s ne peut pas être surveillé : %s",
                     T(folder), cli_reason(f->cli, errno));
}

/* Until something changes in the folder; false when it is to stop. */
static bool wait_change(struct follow *f)
{
    struct pollfd fds[] = { { f->signal_fd, POLLIN, 0 }, { f->folder_fd, POLLIN, 0 } };
    char events[4096];
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    while (read(f->folder_fd, events, sizeof events) > 0) /* what they say is looked up in the file itself */
        ;
    return !(fds[0].revents & POLLIN);
}

/* Whether this file was emptied to begin anew, however far it has grown since. */
static bool is_emptied(const struct import *i)
{
    char now[BEGINS_MAX];
    ssize_t n = pread(fileno(i->file), now, i->begins.n, 0);
    return n >= 0 && !text_eq((text){ now, (size_t)n }, i->begins);
}

/* Whether another file stands under the name now. */
static bool is_renamed(const struct follow *f, const struct import *i)
{
    struct stat open, named;
    bool there = stat(f->name, &named) == 0 && fstat(fileno(i->file), &open) == 0;
    return there && (open.st_ino != named.st_ino || open.st_dev != named.st_dev);
}

/* What came since; a line that is not whole yet is read again with its rest. */
static enum err drain_more(struct import *i)
{
    struct stat open;
    clearerr(i->file);
    if (fstat(fileno(i->file), &open) != 0 || fseek(i->file, (long)i->position, SEEK_SET) != 0)
        return cli_fault(i->cli, ERR_CONFIG, "the log file cannot be read on: %s",
                         "le fichier journal ne peut plus être lu : %s", cli_reason(i->cli, errno));
    i->size = open.st_size;
    return drain(i);
}

static bool has_line(struct follow *f)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(f->name, "re");
    ssize_t n = file ? getline(&line, &room, file) : -1;
    bool whole = n > 0 && line[n - 1] == '\n';
    free(line);
    if (file)
        fclose(file);
    return whole;
}

/* One file, until another takes its place or it is to stop (*on false); what was taken of it is told then. */
static enum err follow_one(struct follow *f, bool *on)
{
    CLEANUP(end_import) struct import i;
    bool renamed = false;
    TRY(begin(f->cli, &i));
    if (!i.client.running)
        return cli_fault(f->cli, ERR_CONFIG, "--follow needs the server to run", "--follow demande que le serveur tourne");
    TRY(open_log(&i, f->path));
    TRY(seek(&i, f->path));
    while (*on && !renamed && !is_emptied(&i)) {
        renamed = is_renamed(f, &i); /* asked before the rest is read: whoever rotates writes no more then */
        TRY(drain_more(&i));
        if (!renamed)
            *on = wait_change(f);
    }
    return tell(&i, f->path);
}

static enum err follow(struct cli *cli, text path)
{
    CLEANUP(end_follow) struct follow f = { .cli = cli, .path = path, .folder_fd = -1, .signal_fd = -1 };
    bool on = true;
    f.name = arena_copy(cli->arena, path).p;
    TRY_PTR(f.name);
    TRY(watch(&f));
    while (on)
        if (has_line(&f))
            TRY(follow_one(&f, &on));
        else
            on = wait_change(&f);
    return OK;
}

enum err verb_usage(struct cli *cli)
{
    text what, body;
    TRY(cli_argument(cli, 0, "send or import", "send ou import", &what));
    if (text_eq(what, TEXT("send"))) {
        TRY(cli_read_input(cli, INPUT_LIMIT, &body));
        return cli_ask(cli, METHOD_POST, TEXT("/v1/usage"), json_type, body, 0);
    }
    if (!text_eq(what, TEXT("import")))
        return cli_no_action(cli);
    TRY(cli_argument(cli, 1, "a log file", "un fichier journal", &body));
    if (cli_has(cli, TEXT("follow")) && cli->argument_count > 2)
        return cli_fault(cli, ERR_USAGE, "--follow takes one file", "--follow prend un seul fichier");
    if (cli_has(cli, TEXT("follow")))
        return follow(cli, body);
    for (unsigned k = 1; k < cli->argument_count; k++)
        TRY(import(cli, cli->arguments[k]));
    return OK;
}

enum err verb_capacity(struct cli *cli)
{
    text measure = cli->argument_count ? cli->arguments[0] : TEXT("events");
    text path = arena_print(cli->arena, "/v1/capacity?measure=%.*s", T(measure));
    return cli_ask(cli, METHOD_GET, path, TEXT(""), TEXT(""), 0);
}
