/* lint: policy files held against the law, for people or as JSON or SARIF; rules explained. */
#include "cli/cli.h"
#include "policy/lint/lint.h"

struct linting {
    struct cli *cli;
    struct arena *arena;
    struct date as_of;
    enum lint_language language;
    bool sarif;
    const struct node *before;
    struct lint_findings *files;
    unsigned count, faulty;
};

static enum err as_of(struct cli *cli, struct date *out)
{
    text given = cli_option(cli, TEXT("as-of")), file = cli_option(cli, TEXT("clock-file"));
    struct clock clock = clock_real();
    if (given.p)
        return date_parse(given, out) && date_valid(*out)
                   ? OK
                   : cli_fault(cli, ERR_USAGE, "--as-of takes a date: 2026-08-11",
                               "--as-of prend une date : 2026-08-11");
    if (file.p)
        TRY(clock_simulated(cli->arena, file.p, &clock));
    *out = date_of(clock_now(&clock));
    return OK;
}

/* A file that is not there, or is no file: in an answer for programs it is told as any other fault of form. */
static enum err unread(struct linting *l, text file, struct findings *faults)
{
    finding_add(l->arena, faults, SEVERITY_ERROR, (struct mark){ 1, 1 }, TEXT(""), "%s", l->arena->why.detail);
    l->arena->why = (struct why){ 0 };
    l->faulty++;
    l->files[l->count++] = (struct lint_findings){ .file = file, .before = l->before, .faults = faults };
    return OK;
}

/* What no rule speaks of, faults of form, goes to standard error; a file that is no YAML is not linted. */
static enum err lint_one(struct linting *l, text file)
{
    struct findings *faults = NEW(l->arena, struct findings);
    const struct node *root;
    text yaml;
    TRY_PTR(faults);
    enum err e = cli_read_file(l->cli, l->arena, file, NODE_BYTES_MAX + 1, &yaml);
    if (e != OK && !l->sarif && !l->cli->json)
        return e;
    if (e != OK) /* a log without it would be that of a clean run */
        return unread(l, file, faults);
    e = node_read(l->arena, yaml, faults, &root);
    if (root && (e == OK || e == ERR_POLICY))
        e = policy_check(l->arena, root, TO_READ, faults);
    if (e != OK && e != ERR_POLICY)
        return e;
    if (!l->cli->json || l->sarif) /* else they stand in the answer */
        cli_findings(l->cli, file, faults, true);
    l->faulty += faults->errors + faults->questions > 0;
    struct lint_findings *found = &l->files[l->count++];
    *found = (struct lint_findings){ .file = file, .source = yaml, .before = l->before, .faults = faults };
    return root ? lint_run(l->arena, root, yaml, l->as_of, found) : OK;
}

static enum err read_previous(struct linting *l, text file)
{
    struct findings faults = { 0 };
    text yaml;
    TRY(cli_read_file(l->cli, l->arena, file, NODE_BYTES_MAX + 1, &yaml));
    enum err e = node_read(l->arena, yaml, &faults, &l->before);
    cli_findings(l->cli, file, &faults, true);
    return e;
}

static enum err print(const struct linting *l)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    if (l->sarif)
        lint_sarif(&w, l->files, l->count, l->language);
    else if (l->cli->json)
        json_open(&w, '[');
    for (unsigned i = 0; i < l->count && !l->sarif; i++)
        if (l->cli->json)
            lint_json(&w, &l->files[i], l->language);
        else
            lint_print(&b, &l->files[i], l->language);
    if (l->cli->json && !l->sarif)
        json_close(&w, ']');
    if (l->sarif || l->cli->json)
        buf_char(&b, '\n');
    return cli_give(l->cli, &b);
}

static enum err verdict(const struct linting *l)
{
    unsigned errors = 0, warnings = 0;
    for (unsigned i = 0; i < l->count; i++) {
        errors += l->files[i].errors;
        warnings += l->files[i].warnings;
    }
    if (l->faulty)
        return cli_fault(l->cli, ERR_POLICY, "malformed files: %u of %u",
                         "fichiers mal formés : %u sur %u", l->faulty, l->count);
    if (errors)
        return cli_fault(l->cli, ERR_UNLAWFUL, "errors that are not accepted: %u, warnings: %u",
                         "erreurs non acceptées : %u, avertissements : %u", errors, warnings);
    return warnings ? cli_fault(l->cli, ERR_DOUBTFUL, "warnings: %u",
                                "avertissements : %u", warnings) : OK;
}

static enum err explain(const struct linting *l, text id)
{
    const struct lint_rule *rule = lint_rule(id);
    BUF_AUTO b = buf_make(1 << 16);
    if (!rule)
        return cli_fault(l->cli, ERR_USAGE, "there is no rule %.*s; rules are N01 to D08",
                         "il n'y a pas de règle %.*s ; elles vont de N01 à D08", T(id));
    lint_explain(&b, rule, l->language);
    return cli_give(l->cli, &b);
}

enum err verb_lint(struct cli *cli)
{
    struct linting l = { .cli = cli,
                         .arena = cli->arena,
                         .sarif = cli_has(cli, TEXT("sarif")),
                         .language = text_eq(cli->language, TEXT("fr")) ? LINT_FR : LINT_EN };
    if (cli_has(cli, TEXT("explain")))
        return explain(&l, cli_option(cli, TEXT("explain")));
    if (!cli->argument_count)
        return cli_fault(cli, ERR_USAGE, "name at least one policy file",
                         "nommez au moins un fichier de politique");
    TRY(as_of(cli, &l.as_of));
    if (cli_has(cli, TEXT("previous")))
        TRY(read_previous(&l, cli_option(cli, TEXT("previous"))));
    l.files = NEW_ARRAY(cli->arena, struct lint_findings, cli->argument_count);
    TRY_PTR(l.files);
    for (unsigned i = 0; i < cli->argument_count; i++)
        TRY(lint_one(&l, cli->arguments[i]));
    TRY(print(&l));
    return verdict(&l);
}
