/* garant publication: what people show in public, as everybody sees it; what waits and was reported, for who decides.
 */
#include "cli/client.h"

static const text json_type = TEXT_INIT("application/json");

/* The decision stands on the command line, its reason on standard input: it is about a person. */
static enum err decide(struct cli *cli, const char *path, text id)
{
    text decision, reason, body;
    TRY(cli_argument(
        cli, 2, "publish, refuse or take_down; of a report keep or take_down; the reason comes on standard input",
        "publish, refuse ou take_down ; d'un signalement keep ou take_down ; le motif arrive sur l'entrée standard",
        &decision));
    TRY(cli_read_input(cli, 16384, &reason));
    BUF_AUTO b = buf_make(65536);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("decision"), decision);
    json_pair(&w, TEXT("reason"), text_trim(reason));
    json_close(&w, '}');
    TRY(buf_lend(cli->arena, &b, &body));
    return cli_ask(cli, METHOD_POST, cli_target(cli, path, id, ""), json_type, body, 0);
}

/* The record on standard input, {"category", "fields", "agree"}, and its file, as one form. */
static enum err send_in(struct cli *cli, text id)
{
    static const text edge = TEXT_INIT("----garant-form-5f0c3a");
    text given, content = TEXT(""), file = cli_option(cli, TEXT("file"));
    const struct json *said;
    ARENA_AUTO room = arena_make((size_t)FILE_LIMIT * 3);
    TRY(cli_read_input(cli, 1 << 20, &given));
    TRY(json_parse(cli->arena, given, &said));
    if (!file.n)
        return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/subjects/", id, "/publications"), json_type, given, 0);
    TRY(cli_read_file(cli, &room, file, FILE_LIMIT, &content));
    BUF_AUTO b = buf_make(content.n + (1 << 21));
    JSON_EACH(member, said) {
        buf_print(&b, "--%.*s\r\nContent-Disposition: form-data; name=\"%.*s\"\r\n\r\n", T(edge), T(member->key));
        BUF_AUTO value = buf_make(1 << 20);
        struct json_out w = json_out(&value);
        json_put(&w, member);
        if (member->kind == J_TEXT)
            buf_add(&b, member->value);
        else
            buf_add(&b, buf_for(&b, &value));
        buf_add(&b, TEXT("\r\n"));
    }
    buf_print(&b, "--%.*s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\r\n", T(edge));
    buf_add(&b, content);
    buf_print(&b, "\r\n--%.*s--\r\n", T(edge));
    text body, type = arena_print(cli->arena, "multipart/form-data; boundary=%.*s", T(edge));
    TRY(buf_take(&room, &b, &body));
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/subjects/", id, "/publications"), type, body, 0);
}

enum err verb_publication(struct cli *cli)
{
    static const char *const pages[] = { "after", "limit", NULL };
    static const struct {
        text word;
        const char *path;
    } lists[] = { { TEXT_INIT("list"), "/v1/publications/" }, { TEXT_INIT("waiting"), "/v1/waiting/" } };
    text what, name = TEXT("");
    TRY(cli_argument(cli, 0, "list, waiting, decide, send, end, reports or answer",
                     "list, waiting, decide, send, end, reports ou answer", &what));
    if (text_eq(what, TEXT("reports")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/reports"), pages), TEXT(""), TEXT(""), 0);
    TRY(cli_argument(cli, 1, "a name or an id", "un nom ou un identifiant", &name));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (text_eq(what, lists[i].word))
            return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, lists[i].path, name, ""), pages), TEXT(""),
                           TEXT(""), 0);
    if (text_eq(what, TEXT("decide")) || text_eq(what, TEXT("answer")))
        return decide(cli, text_eq(what, TEXT("decide")) ? "/v1/decide/" : "/v1/reports/", name);
    if (text_eq(what, TEXT("send")))
        return send_in(cli, name);
    if (!text_eq(what, TEXT("end")))
        return cli_fault(cli, ERR_USAGE, "unknown action: use list, waiting, decide, send, end, reports or answer",
                         "action inconnue : utilisez list, waiting, decide, send, end, reports ou answer");
    text publication;
    TRY(cli_argument(cli, 2, "the id of a publication", "l'identifiant d'une publication", &publication));
    text target = cli_target(cli, cli_target(cli, "/v1/subjects/", name, "/publications/").p, publication, "");
    return cli_ask(cli, METHOD_DELETE, target, TEXT(""), TEXT(""), 0);
}
