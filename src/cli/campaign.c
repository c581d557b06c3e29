/* The verbs campaign and mail: marketing emails, written, counted, tried and sent; and emails that come in. */
#include "cli/client.h"
#include "domain/mail/inbound.h"
#include <sysexits.h>

enum { INPUT_LIMIT = 1 << 20 };
static const text json_type = TEXT_INIT("application/json");

static text steering(struct cli *cli, text what)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    int64_t pace;
    json_open(&w, '{');
    json_pair(&w, TEXT("do"), what);
    if (cli_has(cli, TEXT("at")))
        json_pair(&w, TEXT("at"), cli_option(cli, TEXT("at")));
    if (cli_has(cli, TEXT("pace")) && text_int(cli_option(cli, TEXT("pace")), &pace))
        json_pair_int(&w, TEXT("pace"), pace);
    json_close(&w, '}');
    return buf_made(cli->arena, &b);
}

/* Hands out people, or notes a call. */
static enum err by_hand(struct cli *cli, text what, text id)
{
    static const char *const said[] = { "subject", "result", NULL };
    bool call = text_eq(what, TEXT("call"));
    int64_t most;
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    for (unsigned i = 0; call && said[i]; i++)
        json_pair(&w, text_of(said[i]), cli_option(cli, text_of(said[i])));
    if (!call && cli_has(cli, TEXT("most")) && text_int(cli_option(cli, TEXT("most")), &most))
        json_pair_int(&w, TEXT("most"), most);
    json_close(&w, '}');
    text body = buf_made(cli->arena, &b);
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/campaigns/", id, call ? "/calls" : "/take"), json_type, body,
                   0);
}

/* A number that wants no more text messages. */
static enum err number_stopped(struct cli *cli, text id)
{
    BUF_AUTO b = buf_make(1 << 10);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("phone"), cli_option(cli, TEXT("phone")));
    json_close(&w, '}');
    text body = buf_made(cli->arena, &b);
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/campaigns/", id, "/stops"), json_type, body, 0);
}

static enum err of_one(struct cli *cli, text what)
{
    static const char *const asked[] = { "after", "limit", NULL }, *const language[] = { "language", NULL };
    static const char *const acts[] = { "start", "pause", "resume", "stop", NULL };
    text id;
    TRY(cli_argument(cli, 1, "the campaign's id", "l'identifiant de la campagne", &id));
    for (unsigned i = 0; acts[i]; i++)
        if (text_eq(what, text_of(acts[i])))
            return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/campaigns/", id, "/steer"), json_type,
                           steering(cli, what), 0);
    if (text_eq(what, TEXT("show")))
        return cli_ask(cli, METHOD_GET, cli_target(cli, "/v1/campaigns/", id, ""), TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("count")))
        return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/campaigns/", id, "/count"), TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("test")))
        return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/campaigns/", id, "/test"), TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("preview")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, "/v1/campaigns/", id, "/preview"), language),
                       TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("uncertain")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, "/v1/campaigns/", id, "/uncertain"), asked),
                       TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("people")) && cli_has(cli, TEXT("pdf")))
        return cli_ask_file(cli, cli_query(cli, cli_target(cli, "/v1/campaigns/", id, "/letters"), asked),
                            cli_option(cli, TEXT("pdf")));
    if (text_eq(what, TEXT("people")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, "/v1/campaigns/", id, "/people"), asked),
                       TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("posted")))
        return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/campaigns/", id, "/posted"), TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("stopped")))
        return number_stopped(cli, id);
    if (text_eq(what, TEXT("take")) || text_eq(what, TEXT("call")))
        return by_hand(cli, what, id);
    return cli_no_action(cli);
}

enum err verb_campaign(struct cli *cli)
{
    static const char *const asked[] = { "after", "limit", NULL };
    text what, body;
    TRY(cli_argument(
        cli, 0,
        "new, list, show, count, preview, test, start, pause, resume, stop, uncertain, take, people, call, posted or stopped",
        "new, list, show, count, preview, test, start, pause, resume, stop, uncertain, take, people, call, posted ou stopped",
        &what));
    if (text_eq(what, TEXT("list")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/campaigns"), asked), TEXT(""), TEXT(""), 0);
    if (!text_eq(what, TEXT("new")))
        return of_one(cli, what);
    TRY(cli_read_input(cli, INPUT_LIMIT, &body));
    return cli_ask(cli, METHOD_POST, TEXT("/v1/campaigns"), json_type, body, 0);
}

/* ---- Emails that come in: the mail server runs `garant mail receive --to ADDRESS` for each. ---- */

/* What a mail server makes of it: 64, 65 and 67 send the email back, everything else is tried again. */
static int exit_for(enum err e)
{
    switch ((int)e) {
    case OK:
        return EX_OK;
    case ERR_USAGE:
        return EX_USAGE;
    case ERR_TOO_LARGE:
    case ERR_MISSING:
        return EX_DATAERR;
    case ERR_NOT_FOUND:
        return EX_NOUSER;
    default:
        return EX_TEMPFAIL;
    }
}

static enum err receive(struct cli *cli)
{
    static const char *const asked[] = { "to", "from", NULL };
    text body;
    if (!cli_has(cli, TEXT("to")))
        return cli_fault(cli, ERR_USAGE, "--to says which address the email came to",
                         "--to indique l'adresse à laquelle le courriel est arrivé");
    TRY(cli_read_input(cli, INBOUND_MAX, &body));
    return cli_ask(cli, METHOD_POST, cli_query(cli, TEXT("/v1/mail/received"), asked), TEXT("message/rfc822"), body, 0);
}

enum err verb_mail(struct cli *cli)
{
    text what;
    TRY(cli_argument(cli, 0, "receive", "receive", &what));
    if (!text_eq(what, TEXT("receive")))
        return cli_no_action(cli);
    enum err status = receive(cli);
    cli->exit_status = exit_for(status);
    return status;
}
