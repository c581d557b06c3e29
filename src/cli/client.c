/* Requests from the command line: a small HTTP client over the folder's socket, or the front in this process. */
#include "cli/client.h"
#include "domain/core/pieces.h"
#include "front/wire/server.h"
#include <errno.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- The folder's socket. ---- */

static int connect_socket(struct arena *a, text data_dir)
{
    struct sockaddr_un address;
    int dir_fd, fd = -1;
    if (server_socket_address(a, data_dir, &address, &dir_fd) == OK)
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    if (dir_fd >= 0)
        close(dir_fd);
    return fd;
}

static bool send_all(int fd, text s)
{
    while (s.n) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = text_from(s, (size_t)n);
    }
    return true;
}

/* All that comes until the server closes; a terminal sees meanwhile that something is under way. */
static bool receive_all(int fd, struct buf *b)
{
    struct pollfd readable = { fd, POLLIN, 0 };
    for (uint64_t waited = 0;;) {
        int ready = poll(&readable, 1, 250);
        if (ready == 0)
            cli_progress(++waited, 0);
        if (ready < 0 && errno != EINTR)
            return false;
        if (ready <= 0)
            continue;
        char *room = buf_room(b, 65536);
        ssize_t n = room ? recv(fd, room, 65536, 0) : -1;
        if (room)
            b->n -= 65536 - (size_t)(n > 0 ? n : 0);
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

static text header_of(text head, text name)
{
    while (head.p) {
        text line = text_cut(&head, '\n');
        text key = text_cut(&line, ':');
        if (text_eq_nocase(key, name))
            return text_trim(line);
    }
    return (text){ NULL, 0 };
}

/* A body in chunks (RFC 9112, 7.1), put together in place; false when its last chunk has not come. */
static bool join_chunks(text *body)
{
    char *out = (char *)(uintptr_t)body->p, *start = out;
    for (text rest = *body; rest.n;) {
        text line = text_trim(text_cut(&rest, '\n'));
        uint64_t size = 0;
        for (size_t i = 0; i < line.n; i++) {
            char c = line.p[i];
            int digit = c >= '0' && c <= '9' ? c - '0'
                      : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
            if (digit < 0 || i > 15)
                return false;
            size = size << 4 | (unsigned)digit;
        }
        if (!size) {
            *body = (text){ start, (size_t)(out - start) };
            return line.n > 0;
        }
        if (rest.n < size + 2)
            return false;
        memmove(out, rest.p, size);
        out += size;
        rest = text_from(rest, size + 2);
    }
    return false;
}

static enum err parse_answer(struct cli *cli, struct arena *a, text raw, struct result *out)
{
    ptrdiff_t end = text_find(raw, TEXT("\r\n\r\n"));
    int64_t status = 0, length = 0;
    if (end < 0 || !text_starts(raw, TEXT("HTTP/1.1 ")) || !text_int(text_upto(text_from(raw, 9), 3), &status))
        return cli_fault(cli, ERR_INTERNAL, "the server's answer is not HTTP",
                         "la réponse du serveur n'est pas du HTTP");
    text head = text_upto(raw, (size_t)end), body = text_from(raw, (size_t)end + 4);
    text size = header_of(head, TEXT("Content-Length"));
    bool chunks = text_eq_nocase(header_of(head, TEXT("Transfer-Encoding")), TEXT("chunked"));
    if (chunks && !join_chunks(&body))
        return cli_fault(cli, ERR_INTERNAL, "the server's answer is incomplete",
                         "la réponse du serveur est incomplète");
    if (size.p && (!text_int(size, &length) || (uint64_t)length != body.n))
        return cli_fault(cli, ERR_INTERNAL, "the server's answer is incomplete",
                         "la réponse du serveur est incomplète");
    *out = (struct result){ .status = (int)status,
                            .type = arena_copy(a, header_of(head, TEXT("Content-Type"))),
                            .body = arena_copy(a, body),
                            .etag = arena_copy(a, header_of(head, TEXT("ETag"))) };
    return out->body.p ? OK : ERR_MEMORY;
}

/* Why the operator looks or acts, as the header carries it. */
static text said_reason(struct cli *cli)
{
    text reason = cli_option(cli, TEXT("reason"));
    BUF_AUTO b = buf_make(4096);
    if (!reason.n)
        return TEXT("");
    buf_percent(&b, reason);
    return buf_made(cli->arena, &b);
}

enum { TOKEN_LIMIT = 4096 };

/* In place of the operator, whoever holds the token in that file. */
static enum err said_token(struct cli *cli, text *out)
{
    text path = cli_option(cli, TEXT("as")), kept;
    *out = TEXT("");
    if (!path.n)
        return OK;
    TRY(cli_read_file(cli, cli->arena, path, TOKEN_LIMIT, &kept));
    *out = text_trim(kept);
    if (text_starts(*out, TEXT("garant_")) && text_index(*out, '\n') < 0)
        return OK;
    return cli_fault(cli, ERR_USAGE, "the file of --as holds no API token",
                     "le fichier de --as ne contient pas de jeton d'API");
}

static enum err call_socket(struct client *c, enum method method, text target, text type, text body, int64_t if_match,
                            struct result *out)
{
    struct arena *a = c->cli->arena;
    CLEANUP(cli_close) int fd = connect_socket(a, c->data_dir);
    BUF_AUTO b = buf_make(CLI_ANSWER_LIMIT);
    text tenant = cli_option(c->cli, TEXT("tenant"));
    text reason = said_reason(c->cli), token;
    TRY(said_token(c->cli, &token));
    buf_print(
        &b,
        "%.*s %.*s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept-Language: %.*s\r\nContent-Length: %zu\r\n",
        T(method_word(method)), T(target), T(c->cli->asked_language), body.n);
    if (type.n)
        buf_print(&b, "Content-Type: %.*s\r\n", T(type));
    if (if_match)
        buf_print(&b, "If-Match: \"%lld\"\r\n", (long long)if_match);
    if (tenant.n)
        buf_print(&b, "Garant-Tenant: %.*s\r\n", T(tenant));
    if (reason.n)
        buf_print(&b, "Garant-Reason: %.*s\r\n", T(reason));
    if (token.n)
        buf_print(&b, "Authorization: Bearer %.*s\r\n", T(token));
    buf_add(&b, TEXT("\r\n"));
    buf_add(&b, body);
    text question, answer;
    TRY(buf_lend(a, &b, &question));
    bool sent = fd >= 0 && send_all(fd, question);
    buf_clear(&b);
    bool received = sent && receive_all(fd, &b);
    cli_progress_end();
    TRY(buf_lend(a, &b, &answer));
    return received ? parse_answer(c->cli, a, answer, out)
                    : cli_fault(c->cli, ERR_STORAGE, "the server on the data folder does not answer",
                                "le serveur du dossier de données ne répond pas");
}

/* ---- In this process. ---- */

static enum err call_here(struct client *c, enum method method, text target, text type, text body, int64_t if_match,
                          struct result *out)
{
    struct arena *a = c->cli->arena;
    struct pair headers[6] = { { TEXT("Accept-Language"), c->cli->asked_language } };
    struct request q = { .front = &c->front,
                         .method = method,
                         .target = target,
                         .headers = headers,
                         .header_count = 1,
                         .body = body,
                         .operator_socket = true };
    text tenant = cli_option(c->cli, TEXT("tenant"));
    text reason = said_reason(c->cli), token;
    TRY(said_token(c->cli, &token));
    if (token.n)
        headers[q.header_count++] = (struct pair){ TEXT("Authorization"), arena_print(a, "Bearer %.*s", T(token)) };
    if (type.n)
        headers[q.header_count++] = (struct pair){ TEXT("Content-Type"), type };
    if (if_match)
        headers[q.header_count++] = (struct pair){ TEXT("If-Match"), arena_print(a, "\"%lld\"", (long long)if_match) };
    if (tenant.n)
        headers[q.header_count++] = (struct pair){ TEXT("Garant-Tenant"), tenant };
    if (reason.n)
        headers[q.header_count++] = (struct pair){ TEXT("Garant-Reason"), reason };
    struct reply r = { 0 };
    reply_reset(&r);
    if (route_find(a, &q) == OK)
        front_answer(&q, a, &r);
    else
        front_refuse(&q, a, &r);
    enum err e = OK;
    *out = (struct result){ .status = r.status, .type = r.type };
    if (r.pieces) {
        BUF_AUTO whole = buf_make(CLI_ANSWER_LIMIT);
        e = pieces_whole(a, r.pieces, &whole);
        r.pieces = NULL; /* it has ended */
        if (e == OK)
            e = buf_take(a, &whole, &out->body);
    } else
        out->body = arena_copy(a, r.body);
    for (unsigned i = 0; i < r.header_count; i++)
        if (text_eq(r.headers[i].name, TEXT("ETag")))
            out->etag = r.headers[i].value;
    reply_free(&r);
    TRY(e);
    return out->body.p ? OK : ERR_MEMORY;
}

/* ---- Both. ---- */

enum err client_open(struct cli *cli, struct client *out)
{
    struct app_options options;
    struct findings findings = { 0 };
    *out = (struct client){ .cli = cli,
                            .front = { .figures_lock = PTHREAD_MUTEX_INITIALIZER, .started = clock_monotonic() } };
    TRY(cli_app_options(cli, false, &options));
    out->data_dir = options.data_dir;
    CLEANUP(cli_close) int fd = connect_socket(cli->arena, options.data_dir);
    if ((out->running = fd >= 0))
        return OK;
    enum err e = app_open(cli->arena, &options, &findings, &out->app);
    cli_findings(cli, options.policy_file, &findings, e != OK);
    if (e == OK)
        e = peers_open(cli->arena, 1, &out->front.peers);
    out->front.app = out->app;
    return e;
}

void client_close(struct client *c)
{
    peers_close(&c->front.peers);
    if (c->app)
        app_close(&c->app);
}

static enum err code_of(text slug)
{
    for (int code = OK + 1; code < ERR_COUNT; code++)
        if (text_eq(err_row((enum err)code)->slug, slug))
            return (enum err)code;
    return ERR_INTERNAL;
}

/* A problem becomes the error it was; the clause is said with its place, as no pointer to it came along. */
static enum err problem_error(struct cli *cli, struct arena *a, const struct result *answer)
{
    const struct json *problem = NULL;
    if (json_parse(a, answer->body, &problem) != OK)
        return cli_fault(cli, ERR_INTERNAL, "the server answered with status %d",
                         "le serveur a répondu par le statut %d", answer->status);
    const struct json *clause = json_get(problem, TEXT("clause"));
    text detail = json_text(problem, TEXT("detail")), file = json_text(clause, TEXT("file"));
    int64_t line = 0;
    json_int(json_get(clause, TEXT("line")), &line);
    if (file.n)
        return say(a, code_of(json_text(problem, TEXT("code"))), "%.*s (%.*s:%lld, %.*s)", T(detail), T(file),
                   (long long)line, T(json_text(clause, TEXT("path"))));
    return say(a, code_of(json_text(problem, TEXT("code"))), "%.*s", T(detail));
}

enum err client_call(struct client *c, enum method method, text target, text type, text body, int64_t if_match,
                     struct result *out)
{
    struct result answer = { 0 };
    if (!target.p || !body.p) /* what the caller made of its options failed; the reason is said */
        return c->cli->arena->why.code;
    TRY((c->running ? call_socket : call_here)(c, method, target, type, body, if_match, &answer));
    if (answer.status >= 400)
        return problem_error(c->cli, c->cli->arena, &answer);
    *out = answer;
    return OK;
}

/* ---- Asking in one line. ---- */

text cli_target(struct cli *cli, const char *before, text id, const char *after)
{
    BUF_AUTO b = buf_make(8192);
    buf_add(&b, text_of(before));
    buf_percent(&b, id);
    buf_add(&b, text_of(after));
    return buf_made(cli->arena, &b);
}

text cli_query(struct cli *cli, text target, const char *const *names)
{
    BUF_AUTO b = buf_make(8192);
    char sep = '?';
    buf_add(&b, target);
    for (; *names; names++) {
        text value = cli_option(cli, text_of(*names));
        if (!value.p)
            continue;
        buf_char(&b, sep);
        buf_add(&b, text_of(*names));
        buf_char(&b, '=');
        buf_percent(&b, value);
        sep = '&';
    }
    return buf_made(cli->arena, &b);
}

enum err cli_ask(struct cli *cli, enum method method, text target, text type, text body, int64_t if_match)
{
    CLIENT_AUTO client;
    struct result result;
    TRY(client_open(cli, &client));
    TRY(client_call(&client, method, target, type, body, if_match, &result));
    return cli_answer(cli, result.body);
}
