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
    TRY(cli_argument(cli, 1, "an identifier's name, such as contact.email; its value comes on standard input",
                     "le nom d'un identifiant, comme contact.email ; sa valeur arrive sur l'entrée standard", &field));
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
    static const char *const names[] = { "source", "permitted", "purpose", NULL };
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
    text purpose, decision, body;
    TRY(cli_argument(cli, 2, "the purpose objected to",
                     "la finalité visée par l'opposition", &purpose));
    TRY(cli_argument(cli, 3, "upheld or overridden; the reason, which the person gets, comes on standard input",
                     "upheld ou overridden ; le motif, que la personne reçoit, arrive sur l'entrée standard", &decision));
    TRY(cli_read_decision(cli, decision, &body));
    text target = cli_target(cli, cli_target(cli, "/v1/subjects/", id, "/objections/").p, purpose, "/decision");
    return cli_ask(cli, METHOD_POST, target, json_type, body, 0);
}

/* What was permitted and by whom comes on standard input: it is about a person. */
static enum err permit_source(struct cli *cli, text id, bool ends)
{
    text source, body = TEXT("");
    TRY(cli_argument(cli, 2, "a source of the policy", "une source de la politique", &source));
    if (!ends)
        TRY(cli_read_input(cli, 65536, &body));
    return cli_ask(cli, ends ? METHOD_DELETE : METHOD_PUT,
                   cli_target(cli, cli_target(cli, "/v1/subjects/", id, "/sources/").p, source, ""),
                   body.n ? json_type : TEXT(""), body, 0);
}

/* A decision on paper or by telephone: its scan goes first, and the decision that it proves names it. */
static enum err add_scan(struct cli *cli, struct client *client, text id, text path, const struct json **out)
{
    text content;
    struct result result;
    ARENA_AUTO room = arena_make(FILE_LIMIT + (1 << 20));
    TRY(cli_read_file(cli, &room, path, FILE_LIMIT, &content));
    text name = path;
    while (text_index(name, '/') >= 0)
        text_cut(&name, '/');
    BUF_AUTO b = buf_make(16384);
    buf_add(&b, TEXT("/attachments?category=consents&name="));
    buf_percent(&b, name);
    text after;
    TRY(buf_take(cli->arena, &b, &after));
    TRY(client_call(client, METHOD_POST, cli_target(cli, "/v1/subjects/", id, after.p), TEXT("application/octet-stream"),
                    content, 0, &result));
    return json_parse(cli->arena, result.body, out);
}

static enum err record_signed(struct cli *cli, text id)
{
    text given, body, scan = cli_option(cli, TEXT("scan"));
    const struct json *said, *made = NULL;
    CLIENT_AUTO client = { 0 };
    struct result result;
    TRY(cli_read_input(cli, INPUT_LIMIT, &given));
    TRY(json_parse(cli->arena, given, &said));
    TRY(client_open(cli, &client));
    if (scan.n)
        TRY(add_scan(cli, &client, id, scan, &made));
    BUF_AUTO b = buf_make(INPUT_LIMIT + 256);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    JSON_EACH(member, said) {
        json_name(&w, member->key);
        json_put(&w, member);
    }
    if (made)
        json_pair(&w, TEXT("scan"), json_text(made, TEXT("id")));
    json_close(&w, '}');
    TRY(buf_lend(cli->arena, &b, &body));
    TRY(client_call(&client, METHOD_POST, cli_target(cli, "/v1/subjects/", id, "/signed"), json_type, body, 0, &result));
    return cli_answer(cli, result.body);
}

static enum err show_receipt(struct cli *cli, text id)
{
    text place;
    TRY(cli_argument(cli, 2, "the \"receipt\" of a decision, from: garant subject consents ID",
                     "le « receipt » d'une décision, donné par : garant subject consents ID", &place));
    return cli_ask(cli, METHOD_GET, cli_target(cli, cli_target(cli, "/v1/subjects/", id, "/receipts/").p, place, ""),
                   TEXT(""), TEXT(""), 0);
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
    TRY(cli_argument(cli, 0, "create, find, show, former, patch, access, looks, consents, receipt, signed, objection, permit or end",
                     "create, find, show, former, patch, access, looks, consents, receipt, signed, objection, permit ou end", &what));
    if (text_eq(what, TEXT("create"))) {
        TRY(cli_read_input(cli, INPUT_LIMIT, &body));
        return cli_ask(cli, METHOD_POST, TEXT("/v1/subjects"), json_type, body, 0);
    }
    if (text_eq(what, TEXT("find")))
        return find_subject(cli);
    TRY(cli_argument(cli, 1, "the id of a person",
                     "l'identifiant d'une personne", &id));
    if (text_eq(what, TEXT("show")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, "/v1/subjects/", id, ""), reading), TEXT(""),
                       TEXT(""), 0);
    if (text_eq(what, TEXT("patch")))
        return patch_subject(cli, id);
    if (text_eq(what, TEXT("receipt")))
        return show_receipt(cli, id);
    if (text_eq(what, TEXT("signed")))
        return record_signed(cli, id);
    if (text_eq(what, TEXT("objection")))
        return decide_objection(cli, id);
    if (text_eq(what, TEXT("permit")) || text_eq(what, TEXT("end")))
        return permit_source(cli, id, text_eq(what, TEXT("end")));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (text_eq(what, lists[i].word))
            return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, "/v1/subjects/", id, lists[i].path), pages),
                           TEXT(""), TEXT(""), 0);
    return cli_no_action(cli);
}

/* A file that is made before the act whose answer it is to hold, so that a name that is taken stops the act; gone again
 * unless it is kept. */
struct made_file {
    struct cli *cli;
    text name;
    const char *path;
    int fd;
    bool kept;
};

static void end_made(struct made_file *f)
{
    cli_close(&f->fd);
    if (f->fd >= 0 && !f->kept)
        unlink(f->path);
}
#define MADE_AUTO CLEANUP(end_made) struct made_file

static enum err make_file(struct cli *cli, text name, struct made_file *out)
{
    text path = arena_copy(cli->arena, name);
    *out = (struct made_file){ .cli = cli, .name = name, .path = path.p, .fd = -1 };
    TRY_PTR(path.p);
    out->fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out->fd >= 0)
        return OK;
    return errno == EEXIST ? cli_fault(cli, ERR_CONFLICT, "%.*s exists: choose another name",
                                       "%.*s existe : choisissez un autre nom", T(name))
                           : cli_fault(cli, ERR_STORAGE, "%.*s cannot be created: %s",
                                       "%.*s ne peut pas être créé : %s", T(name), cli_reason(cli, errno));
}

static enum err keep_file(struct made_file *f, text bytes)
{
    if (!cli_write(f->fd, bytes) || fsync(f->fd) != 0)
        return cli_fault(f->cli, ERR_FULL, "%.*s cannot be written: %s",
                         "%.*s ne peut pas être écrit : %s", T(f->name), cli_reason(f->cli, errno));
    f->kept = true;
    return OK;
}

enum err verb_export(struct cli *cli)
{
    text id, to = cli_option(cli, TEXT("to"));
    TRY(cli_argument(cli, 0, "the id of a person",
                     "l'identifiant d'une personne", &id));
    if (!to.p)
        to = arena_print(cli->arena, "%.*s.zip", T(id));
    TRY_PTR(to.p);
    return cli_ask_file(cli, cli_target(cli, "/v1/subjects/", id, "/export"), to);
}

enum err cli_ask_file(struct cli *cli, text target, text to)
{
    CLIENT_AUTO client = { 0 };
    struct result result;
    MADE_AUTO file = { .fd = -1 };
    bool print = text_eq(to, TEXT("-"));
    if (!print)
        TRY(make_file(cli, to, &file));
    TRY(client_open(cli, &client));
    TRY(client_call(&client, METHOD_GET, target, TEXT(""), TEXT(""), 0, &result));
    if (print) {
        cli_print(result.body);
        return OK;
    }
    TRY(keep_file(&file, result.body));
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("file"), to);
    json_pair_int(&w, TEXT("bytes"), (int64_t)result.body.n);
    json_close(&w, '}');
    return cli_answer_of(cli, &b);
}

/* The JWS alone goes to the file; the answer then names that in its place. What cannot be written is printed, as the
 * person is erased by then. */
static enum err keep_certificate(struct cli *cli, struct made_file *file, text answer)
{
    const struct json *told;
    TRY(json_parse(cli->arena, answer, &told));
    text jws = json_text(told, TEXT("jws")), line = arena_print(cli->arena, "%.*s\n", T(jws));
    enum err e = jws.n ? keep_file(file, line) : cli_fault(cli, ERR_INTERNAL, "the answer contains no certificate",
                                                           "la réponse ne contient pas de certificat");
    if (e != OK) {
        cli_print(answer);
        return e;
    }
    BUF_AUTO b = buf_make(CLI_ANSWER_LIMIT);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("file"), file->name);
    JSON_EACH(member, told)
        if (!text_eq(member->key, TEXT("jws"))) {
            json_name(&w, member->key);
            json_put(&w, member);
        }
    json_close(&w, '}');
    return cli_answer_of(cli, &b);
}

enum err verb_erase(struct cli *cli)
{
    text id, body, ground = cli_option(cli, TEXT("ground")), to = cli_option(cli, TEXT("to"));
    CLIENT_AUTO client = { 0 };
    struct result result;
    MADE_AUTO file = { .fd = -1 };
    TRY(cli_argument(cli, 0, "the id of a person",
                     "l'identifiant d'une personne", &id));
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("ground"), ground.p ? ground : TEXT("request"));
    json_close(&w, '}');
    TRY(buf_lend(cli->arena, &b, &body));
    if (to.p)
        TRY(make_file(cli, to, &file));
    TRY(client_open(cli, &client));
    TRY(client_call(&client, METHOD_POST, cli_target(cli, "/v1/subjects/", id, "/erase"), json_type, body, 0, &result));
    return to.p ? keep_certificate(cli, &file, result.body) : cli_answer(cli, result.body);
}

enum err verb_sweep(struct cli *cli) { return cli_ask(cli, METHOD_POST, TEXT("/v1/sweep"), TEXT(""), TEXT(""), 0); }
