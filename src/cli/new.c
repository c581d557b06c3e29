/* new: a commented policy from a few answers, in a form that the linter finds nothing against. */
#include "base/file/asset.h"
#include "cli/cli.h"
#include "policy/lint/lint.h"
#include "policy/schema.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

extern const struct assets cli_assets; /* made by tools/embed from template/ */

enum ask_kind { ASK_TEXT, ASK_YESNO };
enum question {
#define ASK(name, kind, otherwise, en, fr) ANSWER_##name,
#include "cli/new.def"
#undef ASK
    ANSWERS
};
struct ask_row {
    text name, otherwise, en, fr;
    enum ask_kind kind;
};
static const struct ask_row asks[] = {
#define ASK(name, kind, otherwise, en, fr)                                                                             \
    { TEXT_INIT(#name), TEXT_INIT(otherwise), TEXT_INIT(en), TEXT_INIT(fr), ASK_##kind },
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

struct form {
    struct cli *cli;
    text answers[ANSWERS];
};

static bool yes(const struct form *f, enum question a) { return text_eq(f->answers[a], TEXT("yes")); }

/* Somebody else hosts: a processor (GDPR 28), whom the notice names among the recipients (GDPR 13(1)(e)). */
static bool hosted(const struct form *f) { return !text_starts(f->answers[ANSWER_host], f->answers[ANSWER_name]); }

/* ---- Asking. ---- */

static bool yes_or_no(text s, text *out)
{
    static const text truths[] = { TEXT_INIT("yes"), TEXT_INIT("y"), TEXT_INIT("oui"), TEXT_INIT("o"),
                                   TEXT_INIT("true") };
    static const text falsities[] = { TEXT_INIT("no"), TEXT_INIT("n"), TEXT_INIT("non"), TEXT_INIT("false") };
    *out = (text){ NULL, 0 };
    for (size_t i = 0; i < sizeof truths / sizeof *truths; i++)
        if (text_eq_nocase(s, truths[i]))
            *out = TEXT("yes");
    for (size_t i = 0; i < sizeof falsities / sizeof *falsities; i++)
        if (text_eq_nocase(s, falsities[i]))
            *out = TEXT("no");
    return out->p != NULL;
}

static text usual(const struct form *f, enum question a)
{
    text otherwise = asks[a].otherwise;
    return text_eq(otherwise, TEXT("@name")) ? f->answers[ANSWER_name] : otherwise;
}

/* A line of standard input without its end; *ended when there is none. */
static enum err read_line(struct cli *cli, text *out, bool *ended)
{
    enum { LINE = 1000 };
    char *p = arena_alloc(cli->arena, LINE);
    size_t n = 0;
    ssize_t got = 0;
    TRY_PTR(p);
    while (n < LINE && (got = read(STDIN_FILENO, p + n, 1)) == 1 && p[n] != '\n')
        n++;
    if (got < 0 || n == LINE)
        return say(cli->arena, ERR_USAGE, "the answer cannot be read, or has more than %d bytes", LINE - 1);
    *ended = got == 0;
    *out = text_trim((text){ p, n });
    return OK;
}

static enum err accept_answer(struct form *f, enum question a, text given)
{
    struct arena *arena = f->cli->arena;
    f->answers[a] = given;
    if (asks[a].kind == ASK_YESNO && !yes_or_no(given, &f->answers[a]))
        return say(arena, ERR_USAGE, "--%.*s is yes or no", T(asks[a].name));
    for (size_t i = 0; i < given.n; i++)
        if ((uint8_t)given.p[i] < ' ' || given.p[i] == 0x7f)
            return say(arena, ERR_USAGE, "--%.*s has a control character", T(asks[a].name));
    return text_utf8(given) ? OK : say(arena, ERR_USAGE, "--%.*s is no UTF-8", T(asks[a].name));
}

static enum err ask_one(struct form *f, enum question a, bool *ended)
{
    text line, without = usual(f, a);
    text shown = asks[a].kind == ASK_TEXT        ? without
                 : text_eq(without, TEXT("yes")) ? SAY(f->cli, "yes", "oui")
                                                 : SAY(f->cli, "no", "non");
    text prompt = arena_print(f->cli->arena, "%.*s%s%.*s%s ", T(cli_say(f->cli, asks[a].en, asks[a].fr)),
                              shown.n ? " [" : "", T(shown),
                              shown.n ? "]" : "");
    if (write(STDERR_FILENO, prompt.p, prompt.n) < 0)
        return say(f->cli->arena, ERR_STORAGE, "the question cannot be written");
    TRY(read_line(f->cli, &line, ended));
    return accept_answer(f, a, line.n ? line : without);
}

static enum err ask_all(struct form *f)
{
    bool quiet = cli_has(f->cli, TEXT("yes"));
    for (int i = 0; i < ANSWERS; i++) {
        enum question a = (enum question)i;
        text given = cli_option(f->cli, asks[i].name);
        if (given.p)
            TRY(accept_answer(f, a, given));
        else if (quiet)
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

static text authority_of(text country)
{
    for (size_t i = 0; i < sizeof authorities / sizeof *authorities; i++)
        if (text_eq(authorities[i].country, country)) {
            text names = authorities[i].names;
            return text_cut(&names, '|');
        }
    return TEXT("CNIL");
}

static enum err put_value(const struct form *f, struct buf *b, text name)
{
    text country = f->answers[ANSWER_country];
    for (int i = 0; i < ANSWERS; i++)
        if (text_eq(name, asks[i].name) && i != ANSWER_country) {
            put_quoted(b, f->answers[i]);
            return OK;
        }
    if (text_eq(name, TEXT("country")))
        country_of(country) ? buf_add(b, country) : put_quoted(b, country);
    else if (text_eq(name, TEXT("title_plain")))
        buf_add(b, f->answers[ANSWER_title]);
    else if (text_eq(name, TEXT("id")))
        put_id(b, f->answers[ANSWER_title]);
    else if (text_eq(name, TEXT("authority")))
        put_quoted(b, authority_of(country));
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
            *out = (asks[i].kind == ASK_YESNO ? yes(f, (enum question)i) : f->answers[i].n > 0) != not ;
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

static enum err hold_against(struct cli *cli, text yaml, text file, struct date today)
{
    struct findings faults = { 0 };
    POLICY_AUTO p = NULL;
    struct lint_findings found = { .file = file, .source = yaml };
    enum err e = policy_load(cli->arena, yaml, file, &faults, &p);
    if (e != OK) {
        cli_findings(cli, file, &faults, true);
        return e == ERR_POLICY ? say(cli->arena, e, "with these answers it would not run; nothing was written") : e;
    }
    TRY(lint_run(cli->arena, p->root, yaml, today, &found));
    if (!found.errors && !found.warnings)
        return OK;
    BUF_AUTO b = buf_make(1 << 20);
    lint_print(&b, &found, text_eq(cli->language, TEXT("fr")) ? LINT_FR : LINT_EN);
    TRY(cli_give(cli, &b));
    return say(cli->arena, found.errors ? ERR_UNLAWFUL : ERR_DOUBTFUL,
               "with these answers the linter objects; nothing was written");
}

static enum err write_new(struct cli *cli, text path, text yaml)
{
    text name = arena_copy(cli->arena, path);
    TRY_PTR(name.p);
    CLEANUP(cli_close) int fd = open(name.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno == EEXIST ? say(cli->arena, ERR_CONFLICT, "%.*s is there already", T(path))
                               : say(cli->arena, ERR_STORAGE, "%.*s cannot be made: %s", T(path), strerror(errno));
    return cli_write(fd, yaml) ? OK
                               : say(cli->arena, ERR_STORAGE, "%.*s cannot be written: %s", T(path), strerror(errno));
}

enum err verb_new(struct cli *cli)
{
    struct form f = { .cli = cli };
    text file = cli->argument_count ? cli->arguments[0] : TEXT("policy.yaml"),
         clock_file = cli_option(cli, TEXT("clock-file"));
    struct clock clock = clock_real();
    BUF_AUTO b = buf_make(1 << 20);
    text yaml;
    if (clock_file.p)
        TRY(clock_simulated(cli->arena, arena_copy(cli->arena, clock_file).p, &clock));
    struct date today = date_of(clock_now(&clock));
    if (cli->argument_count > 1)
        return say(cli->arena, ERR_USAGE, "new takes one file");
    TRY(ask_all(&f));
    TRY(fill_in(&f, today, &b));
    TRY(buf_lend(cli->arena, &b, &yaml));
    TRY(hold_against(cli, yaml, file, today));
    if (text_eq(file, TEXT("-")))
        return cli_give(cli, &b);
    TRY(write_new(cli, file, yaml));
    text next = cli->json
                    ? arena_print(cli->arena, "{\"file\":\"%.*s\"}", T(file))
                    : arena_print(cli->arena,
                                  "%.*s\n  garant lint %.*s\n  garant serve --policy %.*s --data data --country %.*s",
                                  T(SAY(cli, "Written. Read it, then:", "Écrit. Relisez-le, puis :")), T(file), T(file),
                                  T(f.answers[ANSWER_country]));
    TRY_PTR(next.p);
    cli_line(next);
    return OK;
}
