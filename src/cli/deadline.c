/* deadline: when a period ends, by a country's calendar: the nominal day to work to, and the last that keeps the law.
 */
#include "base/calendar.h"
#include "cli/cli.h"

enum err verb_deadline(struct cli *cli)
{
    text from = cli_option(cli, TEXT("from")), term = cli_option(cli, TEXT("term")),
         name = cli_option(cli, TEXT("calendar"));
    const struct calendar *calendar;
    struct deadline d;
    struct period period;
    msec start;
    if (cli->argument_count || !from.n || !term.n)
        return cli_fault(cli, ERR_USAGE, "deadline needs --from and --term",
                         "deadline demande --from et --term");
    TRY(calendar_parse(cli->arena, name.p ? name : TEXT("fr"), &calendar));
    if (!calendar_read(calendar, from, &start))
        return cli_fault(cli, ERR_VALUE, "--from is a date (2026-03-05) or a time (2026-11-20T17:20, 2026-11-20T17:20+01:00)",
                         "--from est une date (2026-03-05) ou une heure (2026-11-20T17:20, 2026-11-20T17:20+01:00)");
    if (!period_parse(term, &period))
        return cli_fault(cli, ERR_VALUE, "--term is a number of hours, days, months or years: 72h, 60d, 1mo, 3y",
                         "--term est un nombre d'heures, de jours, de mois ou d'années : 72h, 60d, 1mo, 3y");
    TRY(deadline_compute(cli->arena, calendar, start, period, cli_has(cli, TEXT("extended")), &d));
    BUF_AUTO b = buf_make(1024);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("alarm"), limit_print(cli->arena, calendar, &d.alarm));
    json_pair(&w, TEXT("legal"), limit_print(cli->arena, calendar, &d.legal));
    json_close(&w, '}');
    return cli_answer_of(cli, &b);
}
