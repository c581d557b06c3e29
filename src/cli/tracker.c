/* garant tracker: what is asked about trackers, a choice, and the proofs of what was chosen. */
#include "cli/client.h"

enum { INPUT_LIMIT = 1 << 18 };

enum err verb_tracker(struct cli *cli)
{
    static const char *const pages[] = { "after", "limit", NULL };
    text what, body;
    TRY(cli_argument(cli, 0, "show, choose or choices", "show, choose ou choices", &what));
    if (text_eq(what, TEXT("show")))
        return cli_ask(cli, METHOD_GET, TEXT("/v1/trackers"), TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("choices")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/trackers/choices"), pages), TEXT(""), TEXT(""), 0);
    if (!text_eq(what, TEXT("choose")))
        return cli_no_action(cli);
    TRY(cli_read_input(cli, INPUT_LIMIT, &body));
    return cli_ask(cli, METHOD_POST, TEXT("/v1/trackers/choices"), TEXT("application/json"), body, 0);
}
