/* The command line: options parsed against the rows, a verb run, its error told and turned into the exit status. */
#include "cli/cli.h"
#include "front/wire/server.h"
#include "link/reader.h"
#include "reach/reach.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
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
static const struct confirm_row confirms[] = {
#define CONFIRM(verb, action, en, fr) { TEXT_INIT(#verb), TEXT_INIT(action), en, fr },
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
    return cli_fault(cli, ERR_USAGE, "--%.*s takes a number from %lld to %lld", "--%.*s prend un nombre de %lld à %lld",
                     T(name), (long long)least, (long long)most);
}

enum err cli_fault(struct cli *cli, enum err code, const char *en, const char *fr, ...)
{
    char said[sizeof cli->arena->why.detail];
    va_list args;
    va_start(args, fr);
    vsnprintf(said, sizeof said, text_eq(cli->language, TEXT("fr")) ? fr : en, args);
    va_end(args);
    return say(cli->arena, code, "%s", said);
}

const char *cli_reason(const struct cli *cli, int error)
{
    static const struct {
        int error;
        const char *fr;
    } rows[] = { { ENOENT, "fichier ou dossier introuvable" },
                 { EACCES, "permission refusée" },
                 { EEXIST, "le fichier existe" },
                 { EISDIR, "c'est un dossier" },
                 { ENOTDIR, "ce n'est pas un dossier" },
                 { ENOSPC, "le disque est plein" },
                 { EROFS, "le disque est en lecture seule" } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows && text_eq(cli->language, TEXT("fr")); i++)
        if (rows[i].error == error)
            return rows[i].fr;
    return strerror(error);
}

enum err cli_argument(struct cli *cli, unsigned at, const char *en, const char *fr, text *out)
{
    if (at >= cli->argument_count)
        return cli_fault(cli, ERR_USAGE, "\"%.*s\" needs %s", "« %.*s » demande %s", T(cli->verb),
                         cli_say(cli, text_of(en), text_of(fr)).p);
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
                                 .store_at = from_environment(cli, TEXT("store"), "GARANT_STORE"),
                                 .keyring_at = from_environment(cli, TEXT("keyring"), "GARANT_KEYRING"),
                                 .store_password = cli_option(cli, TEXT("store-password-file")),
                                 .keyring_password = cli_option(cli, TEXT("keyring-password-file")),
                                 .public_url = from_environment(cli, TEXT("url"), "GARANT_URL"),
                                 .site_country = cli_option(cli, TEXT("country")),
                                 .clock_file = cli_option(cli, TEXT("clock-file")),
                                 .create = create };
    if (!out->keyring_password.n)
        out->keyring_password = out->store_password;
    return out->data_dir.n ? OK
                           : cli_fault(cli, ERR_USAGE, "name the data folder with --data DIR",
                                       "indiquez le dossier des données avec --data DIR");
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
            return cli_fault(cli, ERR_STORAGE, "standard input cannot be read",
                             "l'entrée standard ne peut pas être lue");
        n += got > 0 ? (size_t)got : 0;
    }
    if (n > limit)
        return cli_fault(cli, ERR_TOO_LARGE, "standard input holds more than %zu bytes",
                         "l'entrée standard dépasse %zu octets", limit);
    *out = (text){ p, n };
    return OK;
}

enum err cli_read_decision(struct cli *cli, text decision, text *out)
{
    text reason;
    TRY(cli_read_input(cli, 16384, &reason));
    BUF_AUTO b = buf_make(65536);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("decision"), decision);
    json_pair(&w, TEXT("reason"), text_trim(reason));
    json_close(&w, '}');
    return buf_lend(cli->arena, &b, out);
}

enum err cli_read_line(struct cli *cli, text *out, bool *ended)
{
    enum { LINE = 1000 };
    char *p = arena_alloc(cli->arena, LINE);
    size_t n = 0;
    ssize_t got = 0;
    TRY_PTR(p);
    while (n < LINE && (got = read(STDIN_FILENO, p + n, 1)) == 1 && p[n] != '\n')
        n++;
    if (got < 0 || n == LINE)
        return cli_fault(cli, ERR_USAGE, "the answer cannot be read, or has more than %d bytes",
                         "la réponse ne peut pas être lue, ou dépasse %d octets", LINE - 1);
    *ended = got == 0;
    *out = text_trim((text){ p, n });
    return OK;
}

bool cli_yes_or_no(text s, bool *out)
{
    static const text truths[] = { TEXT_INIT("yes"), TEXT_INIT("y"), TEXT_INIT("oui"), TEXT_INIT("o"),
                                   TEXT_INIT("true") };
    static const text falsities[] = { TEXT_INIT("no"), TEXT_INIT("n"), TEXT_INIT("non"), TEXT_INIT("false") };
    *out = false;
    for (size_t i = 0; i < sizeof truths / sizeof *truths; i++)
        *out |= text_eq_nocase(s, truths[i]);
    bool known = *out;
    for (size_t i = 0; i < sizeof falsities / sizeof *falsities; i++)
        known |= text_eq_nocase(s, falsities[i]);
    return known;
}

enum err cli_read_file(struct cli *cli, struct arena *a, text path, size_t limit, text *out)
{
    text name = arena_copy(a, path);
    TRY_PTR(name.p);
    CLEANUP(cli_close) int fd = open(name.p, O_RDONLY | O_CLOEXEC);
    char *p = arena_alloc(a, limit);
    ssize_t n = 0;
    TRY_PTR(p);
    *out = (text){ p, 0 };
    if (fd < 0)
        return cli_fault(cli, ERR_CONFIG, "%.*s cannot be read: %s", "%.*s ne peut pas être lu : %s", T(path),
                         cli_reason(cli, errno));
    while (out->n < limit && (n = read(fd, p + out->n, limit - out->n)) > 0)
        out->n += (size_t)n;
    return n < 0 ? cli_fault(cli, ERR_CONFIG, "%.*s cannot be read: %s", "%.*s ne peut pas être lu : %s", T(path),
                             cli_reason(cli, errno))
                 : OK;
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

/* What is unknown, option or verb, with its dashes; and what was meant, when something is near. */
static enum err unknown(struct cli *cli, bool verb, text asked, text near)
{
    const char *dashes = verb ? "" : "--";
    text en = verb ? TEXT("verb") : TEXT("option"), fr = verb ? TEXT("verbe inconnu") : TEXT("option inconnue");
    text what = cli_say(cli, en, fr);
    if (near.n)
        return cli_fault(cli, ERR_USAGE, "unknown %.*s \"%s%.*s\", did you mean \"%s%.*s\"?",
                         "%.*s « %s%.*s » : vouliez-vous dire « %s%.*s » ?", T(what), dashes, T(asked), dashes,
                         T(near));
    return cli_fault(cli, ERR_USAGE, "unknown %.*s \"%s%.*s\"%s", "%.*s « %s%.*s »%s", T(what), dashes, T(asked),
                     cli->row ? "" : cli_say(cli, TEXT("; see garant help"), TEXT(" ; voir garant help")).p);
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
    return found == 1 ? OK : unknown(cli, false, asked, nearest(asked, false, cli->verb));
}

static enum err add_option(struct cli *cli, text given, int argc, char **argv, int *at)
{
    const struct option_row *row = NULL;
    text value = given, name = text_cut(&value, '=');
    bool attached = value.p != NULL;
    TRY(find_option(cli, name, &row));
    if (!row->value.n && attached)
        return cli_fault(cli, ERR_USAGE, "--%.*s takes no value", "--%.*s ne prend pas de valeur", T(row->name));
    if (row->value.n && !attached) {
        if (*at + 1 >= argc)
            return cli_fault(cli, ERR_USAGE, "--%.*s needs a value: %.*s", "--%.*s demande une valeur : %.*s",
                             T(row->name), T(row->value));
        value = text_of(argv[++*at]);
    }
    if (cli_has(cli, row->name))
        return cli_fault(cli, ERR_USAGE, "--%.*s is given twice", "--%.*s est donné deux fois", T(row->name));
    if (cli->option_count == CLI_OPTIONS)
        return cli_fault(cli, ERR_USAGE, "too many options", "trop d'options");
    cli->options[cli->option_count].name = row->name;
    cli->options[cli->option_count++].value = row->value.n ? value : TEXT("");
    return OK;
}

/* One letter for the options that are typed most. */
static text short_option(text word)
{
    static const struct {
        text letter, name;
    } rows[] = { { TEXT_INIT("-h"), TEXT_INIT("help") },
                 { TEXT_INIT("-q"), TEXT_INIT("quiet") },
                 { TEXT_INIT("-y"), TEXT_INIT("yes") } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_eq(rows[i].letter, word))
            return rows[i].name;
    return (text){ NULL, 0 };
}

/* What the options that go with every verb set. The language first: complaints are made in it. */
static enum err settle(struct cli *cli)
{
    text lang = cli_option(cli, TEXT("lang"));
    cli->json = cli_has(cli, TEXT("json"));
    cli->quiet = cli_has(cli, TEXT("quiet"));
    if (lang.p && !text_eq(lang, TEXT("fr")) && !text_eq(lang, TEXT("en")))
        return cli_fault(cli, ERR_USAGE, "--lang is fr or en", "--lang vaut fr ou en");
    if (lang.p)
        cli->language = lang;
    cli->asked_language = cli->language;
    return OK;
}

/* The options before the verb; *at is then its place, or argc. */
static enum err parse_before(struct cli *cli, int argc, char **argv, int *at)
{
    for (; *at < argc; ++*at) {
        text word = text_of(argv[*at]), name = short_option(word);
        if (word.n < 2 || word.p[0] != '-' || text_eq(word, TEXT("--version")))
            break;
        if (!name.p && !text_starts(word, TEXT("--")))
            return cli_fault(cli, ERR_USAGE, "options are written with two dashes: --%.*s",
                             "les options s'écrivent avec deux tirets : --%.*s", T(text_from(word, 1)));
        TRY(add_option(cli, name.p ? name : text_from(word, 2), argc, argv, at));
        TRY(settle(cli));
    }
    return OK;
}

static enum err parse(struct cli *cli, int argc, char **argv, int from)
{
    bool plain = false;
    for (int i = from; i < argc; i++) {
        text word = text_of(argv[i]), letter = short_option(word);
        if (!plain && text_eq(word, TEXT("--")))
            plain = true;
        else if (!plain && text_starts(word, TEXT("--")))
            TRY(add_option(cli, text_from(word, 2), argc, argv, &i));
        else if (!plain && letter.p)
            TRY(add_option(cli, letter, argc, argv, &i));
        else if (!plain && word.n > 1 && word.p[0] == '-')
            return cli_fault(cli, ERR_USAGE, "options are written with two dashes: --%.*s",
                             "les options s'écrivent avec deux tirets : --%.*s", T(text_from(word, 1)));
        else if (cli->argument_count == CLI_ARGUMENTS)
            return cli_fault(cli, ERR_USAGE, "more than %d arguments", "plus de %d arguments", CLI_ARGUMENTS);
        else
            cli->arguments[cli->argument_count++] = word;
    }
    return settle(cli);
}

/* ---- Actions: what a verb's row takes as its first argument ("list|show NAME"). ---- */

/* Takes the next one off *rest; false when there is none. A verb whose argument is a file or a name has none. */
static bool next_action(text *rest, text *out)
{
    while (rest->n) {
        text one = text_cut(rest, '|');
        if (text_starts(one, TEXT("[")))
            one = text_from(one, 1);
        size_t n = 0;
        while (n < one.n && one.p[n] >= 'a' && one.p[n] <= 'z')
            n++;
        *out = text_upto(one, n);
        if (n)
            return true;
        if (one.n && one.p[0] >= 'A' && one.p[0] <= 'Z')
            return false;
    }
    return false;
}

static bool has_action(const struct cli *cli, text asked)
{
    text rest = cli->row->arguments, one;
    bool any = false;
    while (next_action(&rest, &one)) {
        any = true;
        if (text_eq(one, asked))
            return true;
    }
    return !any;
}

/* "list, show or end" */
static text actions_of(struct cli *cli)
{
    text rest = cli->row->arguments, one, next;
    BUF_AUTO b = buf_make(1 << 12);
    bool more = next_action(&rest, &one);
    for (bool first = true; more; first = false) {
        more = next_action(&rest, &next);
        text or = cli_say(cli, TEXT(" or "), TEXT(" ou "));
        if (!first)
            buf_add(&b, more ? TEXT(", ") : or);
        buf_add(&b, one);
        one = next;
    }
    return buf_made(cli->arena, &b);
}

enum err cli_no_action(struct cli *cli)
{
    text asked = cli->arguments[0], rest = cli->row->arguments, one, near = { NULL, 0 };
    unsigned least = NEAR + 1;
    while (next_action(&rest, &one)) {
        unsigned distance = text_distance(asked, one, NEAR);
        if (distance < least) {
            least = distance;
            near = one;
        }
    }
    if (near.n)
        return cli_fault(cli, ERR_USAGE, "unknown action \"%.*s\", did you mean \"%.*s\"?",
                         "action inconnue « %.*s » : vouliez-vous dire « %.*s » ?", T(asked), T(near));
    return cli_fault(cli, ERR_USAGE, "unknown action \"%.*s\": use %.*s", "action inconnue « %.*s » : utilisez %.*s",
                     T(asked), T(actions_of(cli)));
}

/* ---- Asked before what cannot be undone. ---- */

static const struct confirm_row *confirm_of(const struct cli *cli)
{
    for (size_t i = 0; i < sizeof confirms / sizeof *confirms; i++) {
        bool any = !confirms[i].action.n;
        if (text_eq(confirms[i].verb, cli->verb) &&
            (any || (cli->argument_count && text_eq(confirms[i].action, cli->arguments[0]))))
            return &confirms[i];
    }
    return NULL;
}

/* On a terminal only: a script has nobody to answer. What is needed and missing is complained of by the verb. */
static enum err confirm(struct cli *cli)
{
    const struct confirm_row *row = confirm_of(cli);
    unsigned first = row && row->action.n;
    if (!row || cli_has(cli, TEXT("yes")) || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) ||
        (cli->row->arguments.n && cli->argument_count <= first))
        return OK;
    text about = cli->argument_count > first ? cli->arguments[first] : TEXT("");
    text question = cli_say(cli, text_of(row->en), text_of(row->fr)), line, answer;
    bool ended, yes = false;
    BUF_AUTO b = buf_make(1 << 16);
    buf_add(&b, text_cut(&question, '@'));
    if (question.p) {
        buf_add(&b, about);
        buf_add(&b, question);
    }
    buf_add(&b, SAY(cli, " Continue? [y/N] ", " Continuer ? [o/N] "));
    TRY(buf_lend(cli->arena, &b, &line));
    if (!cli_write(STDERR_FILENO, line))
        return cli_fault(cli, ERR_STORAGE, "the question cannot be written", "la question ne peut pas être affichée");
    TRY(cli_read_line(cli, &answer, &ended));
    return cli_yes_or_no(answer, &yes) && yes ? OK : say(cli->arena, ERR_UNCONFIRMED, "%s", "");
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

/* What --lang asks for, wherever it stands: what is wrong before it is complained of in that language too. */
static text told_language(int argc, char **argv, text otherwise)
{
    for (int i = 1; i < argc && !text_eq(text_of(argv[i]), TEXT("--")); i++) {
        text value = text_of(argv[i]), name = text_cut(&value, '=');
        if (!value.p && i + 1 < argc)
            value = text_of(argv[i + 1]);
        if (text_eq(name, TEXT("--lang")) && (text_eq(value, TEXT("fr")) || text_eq(value, TEXT("en"))))
            return value;
    }
    return otherwise;
}

/* ---- The end. ---- */

/* What is typed wrong, a file that is not there, or one that is, needs no title before it. */
static bool speaks_for_itself(enum err e) { return e == ERR_USAGE || e == ERR_CONFIG || e == ERR_CONFLICT; }

/* Where the verb is explained, when it was called in a way that it does not know. */
static void put_hint(struct cli *cli, enum err e, struct buf *b)
{
    if (e != ERR_USAGE || !cli->row || text_eq(cli->verb, TEXT("help")))
        return;
    buf_print(b, "\n%.*s garant help %.*s", T(SAY(cli, "How it is used:", "Mode d'emploi :")), T(cli->verb));
}

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
        json_pair_int(&w, TEXT("status"), cli->exit_status ? cli->exit_status : row->exit_status);
        if (cli->faults.count) {
            json_pair(&w, TEXT("file"), cli->faulty_file);
            json_name(&w, TEXT("findings"));
            findings_json(&w, &cli->faults);
        }
        json_close(&w, '}');
    } else {
        text title = cli_say(cli, row->en, row->fr), colon = cli_say(cli, TEXT(":"), TEXT(" :"));
        text told = why_told(why, cli_say(cli, TEXT("en"), TEXT("fr")));
        told = told.n ? told : text_of(why->detail);
        buf_print(&b, "garant%.*s", T(colon));
        if (!told.n || !speaks_for_itself(e))
            buf_print(&b, " %.*s%.*s", T(title), T(told.n ? colon : told));
        if (told.n)
            buf_print(&b, " %.*s", T(told));
        if (why->clause) {
            text place = clause_print(cli->arena, why->clause);
            buf_print(&b, " (%.*s)", T(place));
        }
        put_hint(cli, e, &b);
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

/* Its own help, or the verb itself, once what it cannot undo is confirmed. */
static enum err run_verb(struct cli *cli, const struct verb_row *verb)
{
    if (cli_has(cli, TEXT("help"))) {
        cli->arguments[0] = cli->verb;
        cli->argument_count = 1;
        return verb_help(cli);
    }
    if (!verb->arguments.n && cli->argument_count)
        return cli_fault(cli, ERR_USAGE, "%.*s takes no argument, and \"%.*s\" is one",
                         "%.*s ne prend pas d'argument, et « %.*s » en est un", T(cli->verb), T(cli->arguments[0]));
    if (cli->argument_count && !has_action(cli, cli->arguments[0]))
        return cli_no_action(cli);
    TRY(confirm(cli));
    return verb->run(cli);
}

static enum err run(struct cli *cli, int argc, char **argv)
{
    int at = 1;
    TRY(parse_before(cli, argc, argv, &at));
    text asked = at < argc ? text_of(argv[at]) : TEXT("help");
    if (text_eq(asked, TEXT("--version")))
        asked = TEXT("version");
    if (at >= argc)
        cli->option_count = 0; /* --help alone is help on all */
    for (size_t i = 0; i < VERBS; i++)
        if (text_eq(verbs[i].name, asked)) {
            cli->verb = verbs[i].name;
            cli->row = &verbs[i];
            TRY(parse(cli, argc, argv, at + 1));
            return run_verb(cli, &verbs[i]);
        }
    return unknown(cli, true, asked, nearest(asked, true, asked));
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
    if (argc == 2 && text_eq(text_of(argv[1]), TEXT(READER_WORD)))
        return reader_main(); /* the process of `serve` that takes emails apart */
    if (argc == 2 && text_eq(text_of(argv[1]), TEXT(REACH_WORD)))
        return reach_main(); /* the one that reaches databases of others */
    ARENA_AUTO a = arena_make(MEMORY);
    struct cli cli = { .arena = &a, .language = told_language(argc, argv, environment_language()) };
    enum err e = run(&cli, argc, argv);
    cli_progress_end();
    if (e != OK)
        tell(&cli, e);
    return cli.exit_status ? cli.exit_status : err_row(e)->exit_status;
}
