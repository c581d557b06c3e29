/* garant form, garant request: what people send by the forms of the policy, and what they ask about their data. */
#include "cli/client.h"

enum err verb_form(struct cli *cli)
{
    static const char *const asked[] = { "purpose", "after", "limit", NULL }, *const of[] = { "purpose", NULL };
    text what, name;
    TRY(cli_argument(cli, 0, "list, show, answers or wordings", "list, show, answers ou wordings", &what));
    if (text_eq(what, TEXT("list")))
        return cli_ask(cli, METHOD_GET, TEXT("/v1/forms"), TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("wordings")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/wordings"), of), TEXT(""), TEXT(""), 0);
    bool show = text_eq(what, TEXT("show"));
    if (!show && !text_eq(what, TEXT("answers")))
        return say(cli->arena, ERR_USAGE, "\"%.*s\" is no action: there are list, show, answers or wordings", T(what));
    TRY(cli_argument(cli, 1, "the form's name", "le nom du formulaire", &name));
    text target = cli_target(cli, "/v1/forms/", name, show ? "" : "/answers");
    return cli_ask(cli, METHOD_GET, show ? target : cli_query(cli, target, asked), TEXT(""), TEXT(""), 0);
}

/* ---- The register of requests. ---- */

static enum err request_list(struct cli *cli)
{
    static const char *const asked[] = { "which", "after", "limit", NULL };
    return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/requests"), asked), TEXT(""), TEXT(""), 0);
}

static enum err request_enter(struct cli *cli)
{
    text body;
    TRY(cli_read_input(cli, CLI_ANSWER_LIMIT, &body));
    return cli_ask(cli, METHOD_POST, TEXT("/v1/requests"), TEXT("application/json"), body, 0);
}

/* What is written with a move comes with --text, whose data it is about with --subject. */
static enum err request_move(struct cli *cli, text id)
{
    text name, body, said = cli_option(cli, TEXT("text")), subject = cli_option(cli, TEXT("subject"));
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    TRY(cli_argument(cli, 2, "the move, such as take or answer", "l'action, comme take ou answer", &name));
    text before = arena_print(cli->arena, "/v1/requests/%.*s/moves/", T(id));
    json_open(&w, '{');
    if (said.p)
        json_pair(&w, TEXT("text"), said);
    if (subject.p)
        json_pair(&w, TEXT("subject"), subject);
    json_close(&w, '}');
    TRY(buf_take(cli->arena, &b, &body));
    TRY_PTR(before.p);
    return cli_ask(cli, METHOD_POST, cli_target(cli, before.p, name, ""), TEXT("application/json"), body, 0);
}

enum err verb_request(struct cli *cli)
{
    text what, id;
    TRY(cli_argument(cli, 0, "list, enter, show or move", "list, enter, show ou move", &what));
    if (text_eq(what, TEXT("list")))
        return request_list(cli);
    if (text_eq(what, TEXT("enter")))
        return request_enter(cli);
    bool show = text_eq(what, TEXT("show"));
    if (!show && !text_eq(what, TEXT("move")))
        return say(cli->arena, ERR_USAGE, "\"%.*s\" is no action: there are list, enter, show or move", T(what));
    TRY(cli_argument(cli, 1, "the request's reference", "la référence de la demande", &id));
    return show ? cli_ask(cli, METHOD_GET, cli_target(cli, "/v1/requests/", id, ""), TEXT(""), TEXT(""), 0)
                : request_move(cli, id);
}
