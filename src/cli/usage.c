/* usage: events of what people do, from standard input. */
#include "cli/client.h"

enum { INPUT_LIMIT = 1 << 20 };

enum err verb_usage(struct cli *cli)
{
    text what, body;
    TRY(cli_argument(cli, 0, "send", &what));
    if (!text_eq(what, TEXT("send")))
        return say(cli->arena, ERR_USAGE, "events are sent: garant usage send < FILE");
    TRY(cli_read_input(cli, INPUT_LIMIT, &body));
    return cli_ask(cli, METHOD_POST, TEXT("/v1/usage"), TEXT("application/json"), body, 0);
}
