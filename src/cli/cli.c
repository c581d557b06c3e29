/* The command line: options parsed against the rows, a verb run, its error told and turned into the exit status. */
#include "cli/cli.h"
#include "front/wire/server.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "paper/paper.h"

enum { MEMORY = 1 << 30, NEAR = 2 };

static const struct verb_row verbs[] = {
#define VERB(name, arguments, en, fr)                                                                                  \
    { TEXT_INIT(#name), TEXT_INIT(arguments), TEXT_INIT(en), TEXT_INIT(fr), verb_##name },
#include "cli/verbs.def"
};
static const struct option_row options[] = {
#define OPTION(verb, name, value, en, fr)                                                                              \
    { TEXT_INIT(#verb), TEXT_INIT(name), TEXT_INIT(value), TEXT_INIT(en), TEXT_INIT(fr) },
#include "cli/verbs.def"
};
enum { VERBS = sizeof verbs / sizeof *verbs, OPTIONS = sizeof options / sizeof *options };

const struct verb_row *cli_verbs(size_t *count)
{
    *count = VERBS;
    return verbs;
}

const struct option_row *cli_options(size_t *count)
{
    *count = OPTIONS;
    return options;
}

text cli_say(const struct cli *cli, text en, text fr) { return text_eq(cli->language, TEXT("fr")) ? fr : en; }

text cli_option(const struct cli *cli, text name)
{
    for (unsigned i = 0; i < cli->option_count; i++)
        if (text_eq(cli->options[i].name, name))
            return cli->options[i].value;
    return (text){ NULL, 0 };
}

bool cli_has(const struct cli *cli, text name) { return cli_option(cli, name).p != NULL; }

enum err cli_number(struct cli *cli, text name, int64_t least, int64_t most, int64_t otherwise, int64_t *out)
{
    text value = cli_option(cli, name);
    *out = otherwise;
    if (!value.p || (text_int(value, out) && *out >= least && *out <= most))
        return OK;
    return say(cli->arena, ERR_USAGE, "--%.*s takes a number from %lld to %lld", T(name), (long long)least,
               (long long)most);
}

enum err cli_argument(struct cli *cli, unsigned at, const char *what, text *out)
{
    if (at >= cli->argument_count)
        return say(cli->arena, ERR_USAGE, "\"%.*s\" needs %s", T(cli->verb), what);
    *out = cli->arguments[at];
    return OK;
}

static text from_environment(const struct cli *cli, text option, const char *variable)
{
    text value = cli_option(cli, option);
    return value.p ? value : text_of(getenv(variable));
}

enum err cli_app_options(struct cli *cli, bool create, struct app_options *out)
{
    *out = (struct app_options){ .papers = &house_papers,
                                 .policy_file = from_environment(cli, TEXT("policy"), "GARANT_POLICY"),
                                 .data_dir = from_environment(cli, TEXT("data"), "GARANT_DATA"),
                                 .master_file = cli_option(cli, TEXT("master")),
                                 .public_url = from_environment(cli, TEXT("url"), "GARANT_URL"),
                                 .site_country = cli_option(cli, TEXT("country")),
                                 .clock_file = cli_option(cli, TEXT("clock-file")),
                                 .create = create };
    return out->data_dir.n ? OK : say(cli->arena, ERR_USAGE, "name the data folder with --data DIR");
}

enum err cli_read_input(struct cli *cli, size_t limit, text *out)
{
    char *p = arena_alloc(cli->arena, limit + 1);
    size_t n = 0;
    TRY_PTR(p);
    while (n <= limit) {
        ssize_t got = read(STDIN_FILENO, p + n, limit + 1 - n);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return say(cli->arena, ERR_STORAGE, "standard input cannot be read");
        n += got > 0 ? (size_t)got : 0;
    }
    if (n > limit)
        return say(cli->arena, ERR_TOO_LARGE, "standard input holds more than %zu bytes", limit);
    *out = (text){ p, n };
    return OK;
}

enum err cli_read_file(struct arena *a, text path, size_t limit, text *out)
{
    text name = arena_copy(a, path);
    TRY_PTR(name.p);
    CLEANUP(cli_close) int fd = open(name.p, O_RDONLY | O_CLOEXEC);
    char *p = arena_alloc(a, limit);
    ssize_t n = 0;
    TRY_PTR(p);
    *out = (text){ p, 0 };
    if (fd < 0)
        return say(a, ERR_CONFIG, "%.*s cannot be read: %s", T(path), strerror(errno));
    while (out->n < limit && (n = read(fd, p + out->n, limit - out->n)) > 0)
        out->n += (size_t)n;
    return n < 0 ? say(a, ERR_CONFIG, "%.*s cannot be read: %s", T(path), strerror(errno)) : OK;
}

/* ---- Parsing. ---- */

/* The nearest of the names, for "did you mean"; empty when none is near. */
static text nearest(text asked, bool verb_names, text verb)
{
    text best = { NULL, 0 };
    unsigned least = NEAR + 1;
    for (size_t i = 0; i < (verb_names ? (size_t)VERBS : (size_t)OPTIONS); i++) {
        if (!verb_names && !text_eq(options[i].verb, verb) && !text_eq(options[i].verb, TEXT("all")))
            continue;
        text name = verb_names ? verbs[i].name : options[i].name;
        unsigned distance = text_distance(asked, name, NEAR);
        if (distance < least) {
            least = distance;
            best = name;
        }
    }
    return best;
}

static enum err unknown(struct cli *cli, const char *kind, const char *dashes, text asked, text near)
{
    if (near.n)
        return say(cli->arena, ERR_USAGE, "unknown %s \"%s%.*s\", did you mean \"%s%.*s\"?", kind, dashes, T(asked),
                   dashes, T(near));
    return say(cli->arena, ERR_USAGE, "unknown %s \"%s%.*s\"; see garant help%s%.*s", kind, dashes, T(asked),
               cli->verb.n ? " " : "", T(cli->verb));
}

/* By its name, or by a beginning that only one has. */
static enum err find_option(struct cli *cli, text asked, const struct option_row **out)
{
    unsigned found = 0;
    for (size_t i = 0; i < OPTIONS; i++) {
        if (!text_eq(options[i].verb, cli->verb) && !text_eq(options[i].verb, TEXT("all")))
            continue;
        if (text_eq(options[i].name, asked)) {
            *out = &options[i];
            return OK;
        }
        if (asked.n >= 2 && text_starts(options[i].name, asked)) {
            found++;
            *out = &options[i];
        }
    }
    return found == 1 ? OK : unknown(cli, "option", "--", asked, nearest(asked, false, cli->verb));
}

static enum err add_option(struct cli *cli, text given, int argc, char **argv, int *at)
{
    const struct option_row *row = NULL;
    text value = given, name = text_cut(&value, '=');
    bool attached = value.p != NULL;
    TRY(find_option(cli, name, &row));
    if (!row->value.n && attached)
        return say(cli->arena, ERR_USAGE, "--%.*s takes no value", T(row->name));
    if (row->value.n && !attached) {
        if (*at + 1 >= argc)
            return say(cli->arena, ERR_USAGE, "--%.*s needs a value: %.*s", T(row->name), T(row->value));
        value = text_of(argv[++*at]);
    }
    if (cli_has(cli, row->name))
        return say(cli->arena, ERR_USAGE, "--%.*s is given twice", T(row->name));
    if (cli->option_count == CLI_OPTIONS)
        return say(cli->arena, ERR_USAGE, "too many options");
    cli->options[cli->option_count].name = row->name;
    cli->options[cli->option_count++].value = row->value.n ? value : TEXT("");
    return OK;
}

static enum err parse(struct cli *cli, int argc, char **argv)
{
    bool plain = false;
    for (int i = 2; i < argc; i++) {
        text word = text_of(argv[i]);
        if (!plain && text_eq(word, TEXT("--")))
            plain = true;
        else if (!plain && text_starts(word, TEXT("--")))
            TRY(add_option(cli, text_from(word, 2), argc, argv, &i));
        else if (!plain && text_eq(word, TEXT("-h")))
            TRY(add_option(cli, TEXT("help"), argc, argv, &i));
        else if (!plain && word.n > 1 && word.p[0] == '-')
            return say(cli->arena, ERR_USAGE, "options are written with two dashes: --%.*s", T(text_from(word, 1)));
        else if (cli->argument_count == CLI_ARGUMENTS)
            return say(cli->arena, ERR_USAGE, "more than %d arguments", CLI_ARGUMENTS);
        else
            cli->arguments[cli->argument_count++] = word;
    }
    cli->json = cli_has(cli, TEXT("json"));
    text lang = cli_option(cli, TEXT("lang"));
    if (lang.p && !text_eq(lang, TEXT("fr")) && !text_eq(lang, TEXT("en")))
        return say(cli->arena, ERR_USAGE, "--lang is fr or en");
    if (lang.p)
        cli->language = lang;
    cli->asked_language = cli->language;
    return OK;
}

/* LC_ALL, LC_MESSAGES, LANG: the first that is set decides (POSIX 8.2). */
static text environment_language(void)
{
    static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    for (size_t i = 0; i < 3; i++) {
        text value = text_of(getenv(variables[i]));
        if (value.n)
            return text_starts(value, TEXT("fr")) ? TEXT("fr") : TEXT("en");
    }
    return TEXT("en");
}

/* ---- The end. ---- */

static void tell(struct cli *cli, enum err e)
{
    const struct err_row *row = err_row(e);
    const struct why *why = &cli->arena->why;
    BUF_AUTO b = buf_make(4 << 20);
    if (cli->json) {
        struct json_out w = json_out(&b);
        json_open(&w, '{');
        json_pair(&w, TEXT("code"), row->slug);
        json_pair(&w, TEXT("title"), cli_say(cli, row->en, row->fr));
        json_pair(&w, TEXT("detail"), text_of(why->detail));
        json_pair_int(&w, TEXT("status"), row->exit_status);
        if (cli->faults.count) {
            json_pair(&w, TEXT("file"), cli->faulty_file);
            json_name(&w, TEXT("findings"));
            findings_json(&w, &cli->faults);
        }
        json_close(&w, '}');
    } else {
        text title = cli_say(cli, row->en, row->fr), colon = cli_say(cli, TEXT(":"), TEXT(" :"));
        buf_print(&b, "garant%.*s %.*s%.*s %s", T(colon), T(title), T(colon), why->detail);
        if (why->clause) {
            text place = clause_print(cli->arena, why->clause);
            buf_print(&b, " (%.*s)", T(place));
        }
    }
    buf_char(&b, '\n');
    ARENA_AUTO a = arena_make(0);
    text line;
    bool whole = buf_lend(&a, &b, &line) == OK;
    cli_write(STDERR_FILENO, whole ? line : text_of(a.why.detail)); /* nobody is left to be told that telling failed */
}

void cli_warn(struct cli *cli, text detail)
{
    BUF_AUTO b = buf_make(1 << 16);
    if (cli->json) {
        struct json_out w = json_out(&b);
        json_open(&w, '{');
        json_pair(&w, TEXT("code"), TEXT("warning"));
        json_pair(&w, TEXT("title"), cli_say(cli, TEXT("Done, with a remark"), TEXT("Fait, avec une remarque")));
        json_pair(&w, TEXT("detail"), detail);
        json_pair_int(&w, TEXT("status"), 0);
        json_close(&w, '}');
    } else {
        buf_print(&b, "garant%.*s %.*s", T(cli_say(cli, TEXT(":"), TEXT(" :"))), T(detail));
    }
    buf_char(&b, '\n');
    ARENA_AUTO a = arena_make(0);
    text line;
    cli_write(STDERR_FILENO, buf_lend(&a, &b, &line) == OK ? line : detail);
}

static enum err run(struct cli *cli, int argc, char **argv)
{
    text asked = argc > 1 ? text_of(argv[1]) : TEXT("help");
    if (text_eq(asked, TEXT("--help")) || text_eq(asked, TEXT("-h")))
        asked = TEXT("help");
    if (text_eq(asked, TEXT("--version")))
        asked = TEXT("version");
    for (size_t i = 0; i < VERBS; i++)
        if (text_eq(verbs[i].name, asked)) {
            cli->verb = verbs[i].name;
            TRY(parse(cli, argc, argv));
            bool help = cli_has(cli, TEXT("help"));
            if (!help && !verbs[i].arguments.n && cli->argument_count)
                return say(cli->arena, ERR_USAGE, "%.*s takes no argument, and \"%.*s\" is one; see garant help %.*s",
                           T(cli->verb), T(cli->arguments[0]), T(cli->verb));
            if (!help)
                return verbs[i].run(cli);
            cli->arguments[0] = cli->verb;
            cli->argument_count = 1;
            return verb_help(cli);
        }
    return unknown(cli, "verb", "", asked, nearest(asked, true, asked));
}

/* Keys and what people sent are in memory: no core file, and no other program of the same user looks in. */
static void close_memory(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
    prctl(PR_SET_DUMPABLE, 0);
}

int cli_main(int argc, char **argv)
{
    close_memory();
    ARENA_AUTO a = arena_make(MEMORY);
    struct cli cli = { .arena = &a, .language = environment_language() };
    enum err e = run(&cli, argc, argv);
    cli_progress_end();
    if (e != OK)
        tell(&cli, e);
    return err_row(e)->exit_status;
}
