/* garant form: the forms of the policy, what each says and asks for, and its answers. */
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
