/* notice, register, diff: what a policy file says to people and to an authority, without a data folder. */
#include "cli/cli.h"
#include "publish/diff.h"
#include "publish/notice.h"
#include "publish/register.h"
#include "front/door/front.h"
#include "front/site/pages.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { OUTPUT_LIMIT = 16 << 20 };

/* The tree of a policy file: also of one that cannot be run, such as a published notice; faults of form are printed. */
static enum err read_tree(struct cli *cli, text file, text *yaml, const struct node **root)
{
    struct findings findings = { 0 };
    TRY(cli_read_file(cli, cli->arena, file, NODE_BYTES_MAX + 1, yaml));
    enum err e = node_read(cli->arena, *yaml, &findings, root);
    if (e == OK)
        e = policy_check(cli->arena, *root, TO_READ, &findings);
    if (e == ERR_POLICY)
        cli_findings(cli, file, &findings, false);
    return e;
}

static enum err the_policy(struct cli *cli, text *file)
{
    *file = cli->argument_count == 1       ? cli->arguments[0]
            : cli_has(cli, TEXT("policy")) ? cli_option(cli, TEXT("policy"))
                                           : text_of(getenv("GARANT_POLICY"));
    if (!file->n || cli->argument_count > 1)
        return cli_fault(cli, ERR_USAGE, "name one policy file: garant %.*s FILE, or --policy FILE",
                         "nommez un fichier de politique : garant %.*s FICHIER, ou --policy FICHIER", T(cli->verb));
    return OK;
}

/* To the file of --to, else to standard output. */
static enum err give(struct cli *cli, const struct buf *b)
{
    text to = cli_option(cli, TEXT("to")), rest;
    if (!to.n || text_eq(to, TEXT("-")))
        return cli_give(cli, b);
    TRY(buf_lend(cli->arena, b, &rest));
    text path = arena_copy(cli->arena, to);
    TRY_PTR(path.p);
    CLEANUP(cli_close) int fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return cli_fault(cli, ERR_CONFIG, "%.*s cannot be written: %s",
                         "%.*s ne peut pas être écrit : %s", T(to), cli_reason(cli, errno));
    return cli_write(fd, rest) ? OK
                               : cli_fault(cli, ERR_STORAGE, "%.*s cannot be written: %s",
                                           "%.*s ne peut pas être écrit : %s", T(to), cli_reason(cli, errno));
}

enum err verb_notice(struct cli *cli)
{
    text file, yaml, format = cli_option(cli, TEXT("format")), page = cli_option(cli, TEXT("page"));
    const struct node *root = NULL;
    struct notice n;
    BUF_AUTO b = buf_make(OUTPUT_LIMIT);
    TRY(the_policy(cli, &file));
    if (page.n && !text_eq(page, TEXT("privacy")) && !text_eq(page, TEXT("cookies")))
        return cli_fault(cli, ERR_USAGE, "--page is privacy or cookies",
                         "--page vaut privacy ou cookies");
    TRY(read_tree(cli, file, &yaml, &root));
    TRY(notice_make(cli->arena, root, TEXT(""), text_eq(page, TEXT("cookies")) ? NOTICE_COOKIES : NOTICE_PRIVACY,
                    cli->language, &n));
    n.style = front_style();
    if (text_eq(format, TEXT("html")))
        notice_html(&b, &n, false);
    else if (text_eq(format, TEXT("md")))
        notice_markdown(&b, &n);
    else if (text_eq(format, TEXT("json-ld")))
        TRY(notice_jsonld(cli->arena, &b, root, TEXT("")));
    else if (!format.n || text_eq(format, TEXT("txt")))
        notice_plain(&b, &n);
    else
        return cli_fault(cli, ERR_USAGE, "--format is html, md, txt or json-ld",
                         "--format vaut html, md, txt ou json-ld");
    return give(cli, &b);
}

enum err verb_register(struct cli *cli)
{
    text file, yaml, format = cli_option(cli, TEXT("format")), as = cli_option(cli, TEXT("as"));
    const struct node *root = NULL;
    struct record record;
    BUF_AUTO b = buf_make(OUTPUT_LIMIT);
    TRY(the_policy(cli, &file));
    if (as.n && !text_eq(as, TEXT("controller")) && !text_eq(as, TEXT("processor")))
        return cli_fault(cli, ERR_USAGE, "--as is controller or processor",
                         "--as vaut controller ou processor");
    TRY(read_tree(cli, file, &yaml, &root));
    TRY(register_make(cli->arena, root, file, cli->language, &record));
    record.style = front_style();
    enum record_part part = text_eq(as, TEXT("processor")) ? RECORD_PROCESSOR : RECORD_CONTROLLER;
    if (text_eq(format, TEXT("html")))
        register_html(&b, &record, part);
    else if (text_eq(format, TEXT("ods")))
        TRY(register_ods(cli->arena, &b, &record));
    else if (!format.n || text_eq(format, TEXT("csv")))
        register_csv(&b, &record, part);
    else
        return cli_fault(cli, ERR_USAGE, "--format is html, csv or ods",
                         "--format vaut html, csv ou ods");
    return give(cli, &b);
}

enum err verb_diff(struct cli *cli)
{
    const struct node *older = NULL, *newer = NULL;
    text yaml;
    struct diff d;
    BUF_AUTO b = buf_make(OUTPUT_LIMIT);
    if (cli->argument_count != 2)
        return cli_fault(cli, ERR_USAGE, "name the older policy file and the newer one",
                         "nommez l'ancien fichier de politique, puis le nouveau");
    TRY(read_tree(cli, cli->arguments[0], &yaml, &older));
    TRY(read_tree(cli, cli->arguments[1], &yaml, &newer));
    TRY(diff_make(cli->arena, older, newer, cli->language, &d));
    if (!cli->json) {
        diff_plain(&b, &d, cli->language);
        return give(cli, &b);
    }
    struct json_out w = json_out(&b);
    diff_json(&w, &d);
    buf_char(&b, '\n');
    return cli_give(cli, &b);
}
