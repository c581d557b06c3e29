/* Verbs that ask about people: subject, export, erase, sweep. */
#include "cli/client.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { INPUT_LIMIT = 1 << 20 };
static const text json_type = TEXT_INIT("application/json");

/* The value stands on standard input, not on the command line, where any user of the machine could read it. */
static enum err find_subject(struct cli *cli)
{
    text field, value, body, purpose = cli_option(cli, TEXT("purpose"));
    TRY(cli_argument(cli, 1, "an identifier's name, such as contact.email; its value comes on standard input", &field));
    TRY(cli_read_input(cli, 4096, &value));
    BUF_AUTO b = buf_make(16384);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("identifier"));
    json_open(&w, '{');
    json_pair(&w, field, text_trim(value));
    json_close(&w, '}');
    json_pair(&w, TEXT("purpose"), purpose);
    json_close(&w, '}');
    TRY(buf_lend(cli->arena, &b, &body));
    return cli_ask(cli, METHOD_POST, TEXT("/v1/subjects/lookup"), json_type, body, 0);
}

static enum err patch_subject(struct cli *cli, text id)
{
    static const char *const names[] = { "source", "purpose", NULL };
    int64_t version;
    text body;
    TRY(cli_number(cli, TEXT("version"), 1, INT64_MAX, 0, &version));
    TRY(cli_read_input(cli, INPUT_LIMIT, &body));
    return cli_ask(cli, METHOD_PATCH, cli_query(cli, cli_target(cli, "/v1/subjects/", id, ""), names), json_type, body,
                   version);
}

/* Why stands on standard input too: it is about a person. */
static enum err decide_objection(struct cli *cli, text id)
{
    text purpose, decision, reason, body;
    TRY(cli_argument(cli, 2, "the purpose objected to", &purpose));
    TRY(cli_argument(cli, 3, "upheld or overridden; the reason, which the person gets, comes on standard input",
                     &decision));
    TRY(cli_read_input(cli, 16384, &reason));
    BUF_AUTO b = buf_make(65536);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("decision"), decision);
    json_pair(&w, TEXT("reason"), text_trim(reason));
    json_close(&w, '}');
    TRY(buf_lend(cli->arena, &b, &body));
    text target = cli_target(cli, cli_target(cli, "/v1/subjects/", id, "/objections/").p, purpose, "/decision");
    return cli_ask(cli, METHOD_POST, target, json_type, body, 0);
}

enum err verb_subject(struct cli *cli)
{
    static const char *const reading[] = { "purpose", "categories", NULL }, *const pages[] = { "after", "limit", NULL };
    static const struct {
        text word;
        const char *path;
    } lists[] = { { TEXT_INIT("former"), "/former" },
                  { TEXT_INIT("access"), "/access" },
                  { TEXT_INIT("looks"), "/looks" },
                  { TEXT_INIT("consents"), "/consents" } };
    text what, id, body;
    TRY(cli_argument(cli, 0, "create, find, show, former, patch, access, looks, consents or objection", &what));
    if (text_eq(what, TEXT("create"))) {
        TRY(cli_read_input(cli, INPUT_LIMIT, &body));
        return cli_ask(cli, METHOD_POST, TEXT("/v1/subjects"), json_type, body, 0);
    }
    if (text_eq(what, TEXT("find")))
        return find_subject(cli);
    TRY(cli_argument(cli, 1, "the id of a person", &id));
    if (text_eq(what, TEXT("show")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, "/v1/subjects/", id, ""), reading), TEXT(""),
                       TEXT(""), 0);
    if (text_eq(what, TEXT("patch")))
        return patch_subject(cli, id);
    if (text_eq(what, TEXT("objection")))
        return decide_objection(cli, id);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (text_eq(what, lists[i].word))
            return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, "/v1/subjects/", id, lists[i].path), pages),
                           TEXT(""), TEXT(""), 0);
    return say(
        cli->arena, ERR_USAGE,
        "a subject is created, found, shown, patched, their objection decided on; former, access, looks and consents are lists");
}

static enum err save(struct cli *cli, text name, text bytes)
{
    text path = arena_copy(cli->arena, name);
    TRY_PTR(path.p);
    CLEANUP(cli_close) int fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return say(cli->arena, ERR_CONFIG, "%.*s cannot be made: %s", T(name), strerror(errno));
    return cli_write(fd, bytes) ? OK
                                : say(cli->arena, ERR_FULL, "%.*s cannot be written: %s", T(name), strerror(errno));
}

enum err verb_export(struct cli *cli)
{
    text id, to = cli_option(cli, TEXT("to"));
    TRY(cli_argument(cli, 0, "the id of a person", &id));
    CLIENT_AUTO client;
    struct result result;
    TRY(client_open(cli, &client));
    TRY(client_call(&client, METHOD_GET, cli_target(cli, "/v1/subjects/", id, "/export"), TEXT(""), TEXT(""), 0,
                    &result));
    if (text_eq(to, TEXT("-"))) {
        cli_print(result.body);
        return OK;
    }
    if (!to.p)
        to = arena_print(cli->arena, "%.*s.zip", T(id));
    TRY(save(cli, to, result.body));
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("file"), to);
    json_pair_int(&w, TEXT("bytes"), (int64_t)result.body.n);
    json_close(&w, '}');
    return cli_answer_of(cli, &b);
}

enum err verb_erase(struct cli *cli)
{
    text id, body, ground = cli_option(cli, TEXT("ground"));
    TRY(cli_argument(cli, 0, "the id of a person", &id));
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("ground"), ground.p ? ground : TEXT("request"));
    json_close(&w, '}');
    TRY(buf_lend(cli->arena, &b, &body));
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/subjects/", id, "/erase"), json_type, body, 0);
}

enum err verb_sweep(struct cli *cli) { return cli_ask(cli, METHOD_POST, TEXT("/v1/sweep"), TEXT(""), TEXT(""), 0); }
