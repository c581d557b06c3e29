/* check: policy files, every fault with its line. */
#include "base/prose.h"
#include "cli/cli.h"
#include "policy/lint/lint.h"

static void put_findings(struct json_out *w, text file, const struct findings *f, const struct policy *p)
{
    json_open(w, '{');
    json_pair(w, TEXT("file"), file);
    json_pair_bool(w, TEXT("runs"), p && !f->questions);
    if (p)
        json_pair(w, TEXT("hash"), text_of(p->hash));
    json_name(w, TEXT("findings"));
    findings_json(w, f);
    json_close(w, '}');
}

/* What lies ahead should be as far ahead as the file promises. */
static void check_day(struct arena *a, const struct policy *p, struct findings *f)
{
    struct clock clock = clock_real();
    struct date today = date_of(clock_now(&clock)), earliest;
    const struct node *date = node_at(p->root, TEXT("policy.date"));
    if (date_start(p->date) <= date_start(today) || !lint_too_soon(p->root, today, &earliest))
        return;
    finding_add(a, f, SEVERITY_WARNING, date->at, date->path,
                "\"%.*s\" is sooner than changes.before (%.*s) allows: %04d-%02d-%02d at the earliest", T(date->value),
                T(node_text(node_at(p->root, TEXT("changes")), TEXT("before"))), earliest.year, earliest.month,
                earliest.day);
    findings_sort(f);
}

static enum err check_file(struct cli *cli, text file, struct json_out *w, unsigned *faulty)
{
    ARENA_AUTO a = arena_make(256 << 20);
    struct findings findings = { 0 };
    POLICY_AUTO p = NULL;
    text yaml;
    TRY(cli_read_file(cli, &a, file, NODE_BYTES_MAX + 1, &yaml));
    enum err e = policy_load(&a, yaml, file, &findings, &p);
    if (e != OK && e != ERR_POLICY)
        return say(cli->arena, e, "%s", a.why.detail);
    *faulty += e != OK || findings.questions;
    if (p)
        check_day(&a, p, &findings);
    if (cli->json) {
        put_findings(w, file, &findings, p);
        return OK;
    }
    cli_findings(cli, file, &findings, true);
    if (!p || findings.questions)
        return OK;
    bool fr = text_eq(cli->language, TEXT("fr"));
    text categories = cli_say(cli, TEXT("category|categories"), TEXT("catégorie|catégories"));
    text purposes = cli_say(cli, TEXT("purpose|purposes"), TEXT("finalité|finalités"));
    text held = arena_print(&a, "%u %.*s, %u %.*s", p->category_count, T(prose_form(categories, p->category_count, fr)),
                            p->purpose_count, T(prose_form(purposes, p->purpose_count, fr)));
    cli_line(fr ? arena_print(&a, "%.*s : « %.*s » %.*s peut être appliquée : %.*s", T(file), T(p->id), T(p->version), T(held))
                : arena_print(&a, "%.*s: \"%.*s\" %.*s can be run: %.*s", T(file), T(p->id), T(p->version), T(held)));
    return OK;
}

enum err verb_check(struct cli *cli)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    unsigned faulty = 0;
    text policy = cli_has(cli, TEXT("policy")) ? cli_option(cli, TEXT("policy")) : text_of(getenv("GARANT_POLICY"));
    if (!cli->argument_count && policy.n)
        cli->arguments[cli->argument_count++] = policy;
    if (!cli->argument_count)
        return cli_fault(cli, ERR_USAGE, "name at least one policy file",
                         "nommez au moins un fichier de politique");
    json_open(&w, '[');
    for (unsigned i = 0; i < cli->argument_count; i++)
        TRY(check_file(cli, cli->arguments[i], &w, &faulty));
    json_close(&w, ']');
    buf_char(&b, '\n');
    if (cli->json)
        TRY(cli_give(cli, &b));
    return faulty ? cli_fault(cli, ERR_POLICY, "files that cannot be run: %u of %u",
                              "fichiers qui ne peuvent pas être appliqués : %u sur %u", faulty, cli->argument_count) : OK;
}
