/* new: a commented policy from a few answers; what nobody answered is left to be filled in, where lint finds it. */
#include "base/file/asset.h"
#include "cli/cli.h"
#include "policy/lint/lint.h"
#include "policy/schema.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

extern const struct assets cli_assets; /* made by tools/embed from template/ */

enum question {
#define ASK(name, kind, otherwise, en, fr) ANSWER_##name,
#include "cli/new.def"
#undef ASK
    ANSWERS
};
#define KIND_YESNO KIND_ANY /* no question has an answer of any kind */
struct ask_row {
    text name, otherwise, en, fr;
    enum kind kind;
};
static const struct ask_row asks[] = {
#define ASK(name, kind, otherwise, en, fr)                                                                             \
    { TEXT_INIT(#name), TEXT_INIT(otherwise), TEXT_INIT(en), TEXT_INIT(fr), KIND_##kind },
#include "cli/new.def"
#undef ASK
};
struct authority {
    text country, names;
};
static const struct authority authorities[] = {
#define AUTHORITY(country, names) { TEXT_INIT(country), TEXT_INIT(names) },
#include "policy/authorities.def"
#undef AUTHORITY
};

/* Texts of a country that a policy cites; of a country without a row none is cited. */
struct law_row {
    text country, accounts, limitation;
};
static const struct law_row laws[] = {
#define LAW(country, accounts, limitation) { TEXT_INIT(country), TEXT_INIT(accounts), TEXT_INIT(limitation) },
#include "cli/laws.def"
#undef LAW
};

struct form {
    struct cli *cli;
    text answers[ANSWERS];
};

static bool yes(const struct form *f, enum question a) { return text_eq(f->answers[a], TEXT("yes")); }

/* Somebody else hosts: a processor (GDPR 28), whom the notice names among the recipients (GDPR 13(1)(e)). */
static bool hosted(const struct form *f)
{
    text host = f->answers[ANSWER_host], name = f->answers[ANSWER_name];
    return host.n && !(name.n && text_starts(host, name));
}

/* ---- Asking. ---- */

static bool truth(text s, text *out)
{
    bool yes;
    if (!cli_yes_or_no(s, &yes))
        return false;
    *out = yes ? TEXT("yes") : TEXT("no");
    return true;
}

static text usual(const struct form *f, enum question a)
{
    text otherwise = asks[a].otherwise;
    if (text_eq(otherwise, TEXT("@name")))
        return f->answers[ANSWER_name];
    return text_starts(otherwise, TEXT("@")) ? TEXT("") : otherwise;
}

static bool must(enum question a) { return text_eq(asks[a].otherwise, TEXT("@must")); }

/* Whether the question has a sense after the answers before it. */
static bool asked(const struct form *f, enum question a) { return a != ANSWER_contract || hosted(f); }

static text example(enum kind kind)
{
    switch ((int)kind) {
    case KIND_COUNTRY:
        return TEXT("FR");
    case KIND_EMAIL:
        return TEXT("privacy@your-site.eu");
    case KIND_URL:
        return TEXT("https://your-site.eu");
    case KIND_DATE:
        return TEXT("2026-11-21");
    default:
        return TEXT("yes, no");
    }
}

/* What an answer must be; the complaint names the option, for who typed one. */
static enum err accept_answer(struct form *f, enum question a, text given)
{
    f->answers[a] = given;
    for (size_t i = 0; i < given.n; i++)
        if ((uint8_t)given.p[i] < ' ' || given.p[i] == 0x7f)
            return cli_fault(f->cli, ERR_USAGE, "--%.*s has a control character",
                             "--%.*s contient un caractère de contrôle", T(asks[a].name));
    if (!text_utf8(given))
        return cli_fault(f->cli, ERR_USAGE, "--%.*s is not UTF-8", "--%.*s n'est pas en UTF-8", T(asks[a].name));
    if (!given.n && must(a))
        return cli_fault(f->cli, ERR_USAGE, "give --%.*s a value like %.*s",
                         "donnez à --%.*s une valeur comme %.*s", T(asks[a].name), T(example(asks[a].kind)));
    bool fits = asks[a].kind == KIND_YESNO ? truth(given, &f->answers[a])
                                           : !given.n || kind_row(asks[a].kind)->fits(given);
    return fits ? OK
                : cli_fault(f->cli, ERR_USAGE, "give --%.*s a value like %.*s, not \"%.*s\"",
                            "donnez à --%.*s une valeur comme %.*s, et non « %.*s »", T(asks[a].name),
                            T(example(asks[a].kind)), T(given));
}

static void say_again(const struct form *f, enum question a, text line)
{
    struct arena *arena = f->cli->arena;
    text again = SAY(f->cli, "Enter a value like", "Indiquez une valeur comme");
    text wrong = cli_say(f->cli, arena_print(arena, "Not \"%.*s\". ", T(line)), arena_print(arena, "Pas « %.*s ». ", T(line)));
    cli_write(STDERR_FILENO, arena_print(arena, "  %.*s%.*s %.*s\n", T(line.n ? wrong : line), T(again), T(example(asks[a].kind))));
}

/* One answer; what does not fit is said, and asked again while there is input. */
static enum err ask_one(struct form *f, enum question a, bool *ended)
{
    text line, without = usual(f, a), shown = without;
    if (asks[a].kind == KIND_YESNO)
        shown = text_eq(without, TEXT("yes")) ? SAY(f->cli, "yes", "oui") : SAY(f->cli, "no", "non");
    text prompt = arena_print(f->cli->arena, "%.*s%s%.*s%s ", T(cli_say(f->cli, asks[a].en, asks[a].fr)),
                              shown.n ? " [" : "", T(shown), shown.n ? "]" : "");
    for (;;) {
        if (!cli_write(STDERR_FILENO, prompt))
            return cli_fault(f->cli, ERR_STORAGE, "the question cannot be written",
                             "la question ne peut pas être affichée");
        TRY(cli_read_line(f->cli, &line, ended));
        enum err e = accept_answer(f, a, line.n ? line : without);
        if (*ended) /* what follows begins a line of its own */
            cli_write(STDERR_FILENO, TEXT("\n"));
        if (e == OK || *ended)
            return e;
        say_again(f, a, line);
        f->cli->arena->why = (struct why){ 0 };
    }
}

/* What stands on the command line is judged before anything is asked. */
static enum err take_options(struct form *f)
{
    for (int i = 0; i < ANSWERS; i++) {
        text given = cli_option(f->cli, asks[i].name);
        if (given.p)
            TRY(accept_answer(f, (enum question)i, given));
    }
    return OK;
}

static enum err ask_all(struct form *f)
{
    bool quiet = cli_has(f->cli, TEXT("yes"));
    TRY(take_options(f));
    if (!quiet)
        cli_write(STDERR_FILENO,
                  SAY(f->cli, "Press Enter to accept what stands in brackets, or to leave a question for later.\n\n",
                      "Appuyez sur Entrée pour accepter ce qui est entre crochets, ou pour répondre plus tard.\n\n"));
    for (int i = 0; i < ANSWERS; i++) {
        enum question a = (enum question)i;
        if (cli_has(f->cli, asks[i].name) || !asked(f, a))
            continue;
        if (quiet)
            TRY(accept_answer(f, a, usual(f, a)));
        else
            TRY(ask_one(f, a, &quiet)); /* the end of the input takes what is usual for the rest */
    }
    return OK;
}

/* ---- Filling in. ---- */

static void put_quoted(struct buf *b, text s)
{
    buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_char(b, '\\');
        buf_char(b, s.p[i]);
    }
    buf_char(b, '"');
}

/* What is left to be filled in: the linter finds it by its brackets (D04). */
static text todo(const struct form *f, text en, text fr)
{
    return arena_print(f->cli->arena, "[%.*s]", T(cli_say(f->cli, en, fr)));
}

/* The letter that an accented one of Latin-1 (UTF-8 0xC3 …) is made from, '-' for none. */
static char bare(uint8_t second)
{
    static const char letters[] = "aaaaaaaceeeeiiiidnooooo-ouuuuypsaaaaaaaceeeeiiiidnooooo-ouuuuypy";
    return second >= 0x80 && second <= 0xbf ? letters[second - 0x80] : '-';
}

/* A name of the policy's form from any title: letters, digits and dashes. */
static void put_id(struct buf *b, text title)
{
    enum { ID_MAX = 40 };
    size_t start = b->n;
    for (size_t i = 0; i < title.n && b->n - start < ID_MAX; i++) {
        char c = title.p[i] >= 'A' && title.p[i] <= 'Z' ? (char)(title.p[i] + 'a' - 'A') : title.p[i];
        if ((uint8_t)c == 0xc3 && i + 1 < title.n)
            c = bare((uint8_t)title.p[++i]);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && b->n > start))
            buf_char(b, c);
        else if (b->n > start && b->p[b->n - 1] != '-')
            buf_char(b, '-');
    }
    while (b->n > start && b->p[b->n - 1] == '-')
        b->n--;
    if (b->n == start)
        buf_add(b, TEXT("policy"));
}

static void put_list(struct buf *b, const text *words, const bool *wanted, size_t count)
{
    bool first = true;
    for (size_t i = 0; i < count; i++)
        if (wanted[i]) {
            buf_add(b, first ? TEXT("") : TEXT(", "));
            buf_add(b, words[i]);
            first = false;
        }
}

static void put_purposes(const struct form *f, struct buf *b, bool all)
{
    static const text words[] = { TEXT_INIT("service"), TEXT_INIT("answers"), TEXT_INIT("improvement"),
                                  TEXT_INIT("billing"), TEXT_INIT("news") };
    const bool wanted[] = { yes(f, ANSWER_accounts), true, all && yes(f, ANSWER_usage), yes(f, ANSWER_invoices),
                            all && yes(f, ANSWER_news) };
    put_list(b, words, wanted, sizeof wanted / sizeof *wanted);
}

static void put_categories(const struct form *f, struct buf *b, bool usage)
{
    static const text words[] = { TEXT_INIT("identity"), TEXT_INIT("contact"), TEXT_INIT("exchanges"),
                                  TEXT_INIT("billing"), TEXT_INIT("usage") };
    const bool wanted[] = { true, true, true, yes(f, ANSWER_invoices), usage && yes(f, ANSWER_usage) };
    put_list(b, words, wanted, sizeof wanted / sizeof *wanted);
}

static void put_subjects(const struct form *f, struct buf *b)
{
    static const text words[] = { TEXT_INIT("users"), TEXT_INIT("customers"), TEXT_INIT("visitors") };
    const bool wanted[] = { yes(f, ANSWER_accounts), yes(f, ANSWER_invoices), true };
    put_list(b, words, wanted, sizeof wanted / sizeof *wanted);
}

static text authority_of(const struct form *f)
{
    for (size_t i = 0; i < sizeof authorities / sizeof *authorities; i++)
        if (text_eq(authorities[i].country, f->answers[ANSWER_country])) {
            text names = authorities[i].names;
            return text_cut(&names, '|');
        }
    return todo(f, TEXT("data protection authority"), TEXT("autorité de protection des données"));
}

static text law_of(const struct form *f, bool limitation)
{
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++)
        if (text_eq(laws[i].country, f->answers[ANSWER_country]))
            return limitation ? laws[i].limitation : laws[i].accounts;
    return limitation ? todo(f, TEXT("law on the limitation of claims"), TEXT("texte sur la prescription"))
                      : todo(f, TEXT("law on keeping accounts"), TEXT("texte sur la conservation des comptes"));
}

static enum err put_value(const struct form *f, struct buf *b, text name)
{
    for (int i = 0; i < ANSWERS; i++)
        if (text_eq(name, asks[i].name) && i != ANSWER_country && i != ANSWER_contract) {
            put_quoted(b, f->answers[i].n ? f->answers[i] : todo(f, asks[i].en, asks[i].fr));
            return OK;
        }
    if (text_eq(name, TEXT("country")))
        buf_add(b, f->answers[ANSWER_country]);
    else if (text_eq(name, TEXT("contract"))) /* none that is known is none: P01 asks for it */
        buf_add(b, f->answers[ANSWER_contract].n ? f->answers[ANSWER_contract] : TEXT("false"));
    else if (text_eq(name, TEXT("title_plain")))
        buf_add(b,
                f->answers[ANSWER_title].n ? f->answers[ANSWER_title] : SAY(f->cli, "your service", "votre service"));
    else if (text_eq(name, TEXT("id")))
        put_id(b, f->answers[ANSWER_title]);
    else if (text_eq(name, TEXT("authority")))
        put_quoted(b, authority_of(f));
    else if (text_eq(name, TEXT("accounts_law")) || text_eq(name, TEXT("limitation")))
        put_quoted(b, law_of(f, text_eq(name, TEXT("limitation"))));
    else if (text_eq(name, TEXT("subjects")))
        put_subjects(f, b);
    else if (text_eq(name, TEXT("held")) || text_eq(name, TEXT("entrusted")))
        put_categories(f, b, text_eq(name, TEXT("entrusted")));
    else if (text_eq(name, TEXT("staff")) || text_eq(name, TEXT("all")))
        put_purposes(f, b, text_eq(name, TEXT("all")));
    else
        return say(f->cli->arena, ERR_INTERNAL, "the template has no value %.*s", T(name));
    return OK;
}

/* Whether a line under "[word]" or "[!word]" stands. */
static enum err stands(const struct form *f, text word, bool *out)
{
    bool not = text_starts(word, TEXT("!"));
    text name = text_from(word, not );
    if (text_eq(name, TEXT("fr")) || text_eq(name, TEXT("en"))) {
        *out = text_eq(f->cli->language, name);
        return OK;
    }
    if (text_eq(name, TEXT("hosted"))) {
        *out = hosted(f) != not ;
        return OK;
    }
    for (int i = 0; i < ANSWERS; i++)
        if (text_eq(asks[i].name, name)) {
            *out = (asks[i].kind == KIND_YESNO ? yes(f, (enum question)i) : f->answers[i].n > 0) != not ;
            return OK;
        }
    return say(f->cli->arena, ERR_INTERNAL, "the template has no condition %.*s", T(word));
}

static enum err put_line(const struct form *f, struct buf *b, text line)
{
    while (text_starts(line, TEXT("["))) {
        bool there = true;
        text rest = text_from(line, 1), word = text_cut(&rest, ']');
        TRY(stands(f, word, &there));
        if (!there)
            return OK;
        line = text_from(rest, 1);
    }
    for (text rest = line; rest.p;) {
        buf_add(b, text_cut(&rest, '@'));
        if (!rest.p)
            break;
        TRY(put_value(f, b, text_cut(&rest, '@')));
    }
    buf_char(b, '\n');
    return OK;
}

static enum err fill_in(const struct form *f, struct date today, struct buf *b)
{
    const struct asset *template = asset_find(&cli_assets, TEXT("policy.tmpl"));
    struct arena *a = f->cli->arena;
    for (text rest = template->plain.bytes; rest.n;) {
        text line = text_cut(&rest, '\n');
        ptrdiff_t at = text_find(line, TEXT("@date@"));
        if (at >= 0)
            line = arena_print(a, "%.*s%.*s", (int)at, line.p, T(date_print(a, today)));
        TRY_PTR(line.p);
        TRY(put_line(f, b, line));
    }
    return buf_check(a, b);
}

/* ---- Holding it against the law before it is written. ---- */

/* *left: the places that the linter wants filled in or changed, in lines for people. */
static enum err hold_against(struct cli *cli, text yaml, text file, struct date today, struct buf *left)
{
    struct findings faults = { 0 };
    POLICY_AUTO p = NULL;
    struct lint_findings found = { .file = file, .source = yaml };
    enum err e = policy_load(cli->arena, yaml, file, &faults, &p);
    if (e != OK) {
        cli_findings(cli, file, &faults, true);
        return e == ERR_POLICY
                   ? cli_fault(cli, e, "with these answers the policy cannot run; nothing was written",
                               "avec ces réponses la politique ne peut pas être appliquée ; rien n'a été écrit")
                   : e;
    }
    TRY(lint_run(cli->arena, p->root, yaml, today, &found));
    if (found.errors || found.warnings || faults.questions)
        lint_print(left, &found, text_eq(cli->language, TEXT("fr")) ? LINT_FR : LINT_EN);
    return buf_check(cli->arena, left);
}

static enum err exists(struct cli *cli, text path)
{
    return cli_fault(cli, ERR_CONFLICT, "%.*s exists: choose another name", "%.*s existe : choisissez un autre nom",
                     T(path));
}

static enum err write_new(struct cli *cli, text path, text yaml)
{
    text name = arena_copy(cli->arena, path);
    TRY_PTR(name.p);
    CLEANUP(cli_close) int fd = open(name.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno == EEXIST ? exists(cli, path)
                               : cli_fault(cli, ERR_STORAGE, "%.*s cannot be created: %s",
                                           "%.*s ne peut pas être créé : %s", T(path), cli_reason(cli, errno));
    return cli_write(fd, yaml) ? OK
                               : cli_fault(cli, ERR_STORAGE, "%.*s cannot be written: %s",
                                           "%.*s ne peut pas être écrit : %s", T(path), cli_reason(cli, errno));
}

static enum err tell_next(const struct form *f, text file, const struct buf *left)
{
    struct cli *cli = f->cli;
    if (cli->quiet)
        return OK;
    BUF_AUTO b = buf_make(1 << 20);
    if (cli->json) {
        struct json_out w = json_out(&b);
        json_open(&w, '{');
        json_pair(&w, TEXT("file"), file);
        json_pair_bool(&w, TEXT("complete"), !left->n);
        json_close(&w, '}');
        buf_char(&b, '\n');
        return cli_give(cli, &b);
    }
    if (left->n) {
        buf_join(&b, left);
        buf_add(&b, SAY(cli, "\nWritten. Fill in what is listed above, then:\n",
                        "\nÉcrit. Complétez ce qui figure ci-dessus, puis :\n"));
    } else
        buf_add(&b, SAY(cli, "Written. Read each line, then:\n", "Écrit. Relisez chaque ligne, puis :\n"));
    buf_print(&b, "  garant lint %.*s\n  garant serve --policy %.*s --data data --country %.*s\n", T(file), T(file),
              T(f->answers[ANSWER_country]));
    return cli_give(cli, &b);
}

enum err verb_new(struct cli *cli)
{
    struct form f = { .cli = cli };
    text file = cli->argument_count ? cli->arguments[0] : TEXT("policy.yaml"),
         clock_file = cli_option(cli, TEXT("clock-file"));
    struct clock clock = clock_real();
    BUF_AUTO b = buf_make(1 << 20), left = buf_make(1 << 20);
    text yaml, path = arena_copy(cli->arena, file);
    TRY_PTR(path.p);
    if (clock_file.p)
        TRY(clock_simulated(cli->arena, arena_copy(cli->arena, clock_file).p, &clock));
    struct date today = date_of(clock_now(&clock));
    if (cli->argument_count > 1)
        return cli_fault(cli, ERR_USAGE, "new takes one file", "new prend un seul fichier");
    bool print = text_eq(file, TEXT("-"));
    if (!print && access(path.p, F_OK) == 0) /* before anybody answers for nothing */
        return exists(cli, file);
    TRY(ask_all(&f));
    TRY(fill_in(&f, today, &b));
    TRY(buf_lend(cli->arena, &b, &yaml));
    TRY(hold_against(cli, yaml, file, today, &left));
    if (print)
        return cli_give(cli, &b);
    TRY(write_new(cli, file, yaml));
    return tell_next(&f, file, &left);
}
