/* usage: events of what people do, from standard input, and logs of web servers; capacity: the servers' load. */
#include "base/unicode.h"
#include "cli/client.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_LIMIT = 1 << 20, CHUNK_LINES = 1000, CHUNK_BYTES = 384 << 10, LINE_LIMIT = 16 << 10 };
static const text json_type = TEXT_INIT("application/json");

/* ---- A log file, read whole line by whole line. ---- */

struct import {
    struct cli *cli;
    struct client client;
    FILE *file;
    char *line; /* of getline() */
    size_t room;
    text head;
    int64_t position, size;
    struct buf faults, dropped; /* lists in JSON, and their writers */
    struct json_out fault_list, dropped_list;
    int64_t counts[8];
};
static const char *const counted[] = { "taken", "nobody", "refused", "over", "queries", "masked", "bad" };
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
    add_list(&i->fault_list, json_get(*told, TEXT("faults")));
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
    return OK;
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

static enum err import(struct cli *cli, text path)
{
    CLEANUP(end_import) struct import i = { .cli = cli, .faults = buf_make(4 << 20), .dropped = buf_make(1 << 20) };
    bool more = true;
    i.fault_list = json_out(&i.faults);
    i.dropped_list = json_out(&i.dropped);
    json_open(&i.fault_list, '[');
    json_open(&i.dropped_list, '[');
    TRY(client_open(cli, &i.client));
    TRY(open_log(&i, path));
    TRY(seek(&i, path));
    while (more)
        TRY(send_piece(&i, &more));
    cli_progress_end();
    return tell(&i, path);
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
        return cli_fault(cli, ERR_USAGE, "unknown action \"%.*s\": use send or import",
                         "action inconnue « %.*s » : utilisez send ou import", T(what));
    TRY(cli_argument(cli, 1, "a log file", "un fichier journal", &body));
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
