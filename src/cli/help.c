/* help and version: the rows of verbs, options, routes and errors, as text, JSON and roff. */
#include "cli/cli.h"
#include "front/door/router.h"

static text pick(const struct cli *cli, text en, text fr) { return cli_say(cli, en, fr); }

/* The words in capitals of an option's value or a verb's arguments, in the user's language. */
static text values(struct cli *cli, text s)
{
    static const struct {
        text en, fr;
    } rows[] = {
#define VALUE(en, fr) { TEXT_INIT(en), TEXT_INIT(fr) },
#include "cli/verbs.def"
    };
    BUF_AUTO b = buf_make(1024);
    while (s.n) {
        size_t n = 0;
        while (n < s.n && ((s.p[n] >= 'A' && s.p[n] <= 'Z')))
            n++;
        text word = text_upto(s, n ? n : 1), shown = word;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            if (text_eq(word, rows[i].en))
                shown = pick(cli, rows[i].en, rows[i].fr);
        buf_add(&b, shown);
        s = text_from(s, word.n);
    }
    return buf_made(cli->arena, &b);
}

static size_t letters(text s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((uint8_t)s.p[i] & 0xC0) != 0x80;
    return n;
}

/* Words from column `at` on, broken before the 100th; further lines start at `column`. */
static void put_wrapped(struct buf *b, text words, size_t at, size_t column)
{
    enum { WIDTH = 100 };
    for (bool first = true; words.p; first = false) {
        text word = text_cut(&words, ' ');
        if (at + !first + letters(word) > WIDTH) {
            buf_char(b, '\n');
            for (at = 0; at < column; at++)
                buf_char(b, ' ');
        } else if (!first) {
            buf_char(b, ' ');
            at++;
        }
        buf_add(b, word);
        at += letters(word);
    }
    buf_char(b, '\n');
}

/* One row, its explanation beside it. */
static void put_row(struct buf *b, text left, text right)
{
    enum { COLUMN = 26 };
    buf_add(b, TEXT("  "));
    buf_add(b, left);
    size_t at = letters(left) + 2;
    if (at >= COLUMN) {
        buf_char(b, '\n');
        at = 0;
    }
    for (; at < COLUMN; at++)
        buf_char(b, ' ');
    put_wrapped(b, right, at, COLUMN);
}

static void put_options(struct cli *cli, struct buf *b, text verb)
{
    size_t count;
    const struct option_row *rows = cli_options(&count);
    for (size_t i = 0; i < count; i++)
        if (text_eq(rows[i].verb, verb))
            put_row(b,
                    arena_print(cli->arena, "--%.*s%s%.*s", T(rows[i].name), rows[i].value.n ? " " : "",
                                T(values(cli, rows[i].value))),
                    pick(cli, rows[i].en, rows[i].fr));
}

static bool has_options(text verb)
{
    size_t count;
    const struct option_row *rows = cli_options(&count);
    for (size_t i = 0; i < count; i++)
        if (text_eq(rows[i].verb, verb))
            return true;
    return false;
}

static void put_overview(struct cli *cli, struct buf *b)
{
    size_t count;
    const struct verb_row *rows = cli_verbs(&count);
    buf_add(
        b,
        SAY(cli, "Garant keeps the promises of a privacy policy.\n\nUsage: garant VERB [OPTIONS]\n\nVerbs:\n",
            "Garant tient les promesses d'une politique de confidentialité.\n\nUsage : garant VERBE [OPTIONS]\n\nVerbes :\n"));
    for (size_t i = 0; i < count; i++)
        put_row(b, rows[i].name, pick(cli, rows[i].en, rows[i].fr));
    buf_add(b, SAY(cli, "\nOptions of all verbs:\n", "\nOptions de tous les verbes :\n"));
    put_options(cli, b, TEXT("all"));
    buf_add(b, SAY(cli, "\nStart here: garant check FILE, then garant serve --policy FILE --data DIR\n",
                   "\nPour commencer : garant check FICHIER, puis garant serve --policy FICHIER --data DOSSIER\n"));
}

static void put_verb(struct cli *cli, struct buf *b, const struct verb_row *row)
{
    text usage = arena_print(cli->arena, "garant %.*s%s%.*s [OPTIONS]", T(row->name), row->arguments.n ? " " : "",
                             T(values(cli, row->arguments)));
    put_wrapped(b, usage, 0, 2);
    buf_add(b, TEXT("\n  "));
    put_wrapped(b, pick(cli, row->en, row->fr), 2, 2);
    if (has_options(row->name)) {
        buf_add(b, SAY(cli, "\nOptions:\n", "\nOptions :\n"));
        put_options(cli, b, row->name);
    }
    buf_add(b, SAY(cli, "\nOptions of all verbs:\n", "\nOptions de tous les verbes :\n"));
    put_options(cli, b, TEXT("all"));
}

/* ---- Routes and errors. ---- */

static void put_routes(struct cli *cli, struct buf *b)
{
    static const text bodies[] = { [BODY_NONE] = TEXT_INIT("none"),
                                   [BODY_JSON] = TEXT_INIT("json"),
                                   [BODY_OPTIONAL] = TEXT_INIT("optional"),
                                   [BODY_FILE] = TEXT_INIT("file"),
                                   [BODY_FORM] = TEXT_INIT("form") };
    struct json_out w = json_out(b);
    if (cli->json)
        json_open(&w, '[');
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct route *r = route_row((enum route_id)i);
        text act = r->needs == NEEDS_NONE ? (text){ NULL, 0 } : act_word((enum act)r->needs);
        if (!cli->json) {
            put_row(b, arena_print(cli->arena, "%-6.*s %.*s", T(method_word(r->method)), T(r->path)),
                    pick(cli, r->title_en, r->title_fr));
            continue;
        }
        json_open(&w, '{');
        json_pair(&w, TEXT("name"), r->name);
        json_pair(&w, TEXT("method"), method_word(r->method));
        json_pair(&w, TEXT("path"), r->path);
        json_pair(&w, TEXT("who"), who_word(r->who));
        json_pair(&w, TEXT("act"), act);
        json_pair(&w, TEXT("body"), bodies[r->body]);
        json_pair_int(&w, TEXT("status"), r->status);
        json_close(&w, '}');
    }
    if (cli->json) {
        json_close(&w, ']');
        buf_char(b, '\n');
    }
}

static void put_errors(struct cli *cli, struct buf *b)
{
    struct json_out w = json_out(b);
    if (cli->json)
        json_open(&w, '[');
    for (int code = OK + 1; code < ERR_COUNT; code++) {
        const struct err_row *row = err_row((enum err)code);
        if (!cli->json) {
            put_row(b, arena_print(cli->arena, "%2d  %d  %.*s", row->exit_status, row->http, T(row->slug)),
                    pick(cli, row->en, row->fr));
            continue;
        }
        json_open(&w, '{');
        json_pair(&w, TEXT("code"), row->slug);
        json_pair_int(&w, TEXT("exit"), row->exit_status);
        json_pair_int(&w, TEXT("http"), row->http);
        json_pair(&w, TEXT("title"), pick(cli, row->en, row->fr));
        json_close(&w, '}');
    }
    if (cli->json) {
        json_close(&w, ']');
        buf_char(b, '\n');
    }
}

/* ---- The man page. ---- */

void cli_roff(struct buf *b, text s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\\')
            buf_add(b, TEXT("\\e"));
        else if (s.p[i] == '-')
            buf_add(b, TEXT("\\-"));
        else if (s.p[i] == '\'' && i == 0)
            buf_add(b, TEXT("\\(aq"));
        else
            buf_char(b, s.p[i]);
}

static void man_options(struct cli *cli, struct buf *b, text verb)
{
    size_t count;
    const struct option_row *rows = cli_options(&count);
    for (size_t i = 0; i < count; i++) {
        if (!text_eq(rows[i].verb, verb))
            continue;
        buf_add(b, TEXT(".TP\n.B \\-\\-"));
        cli_roff(b, rows[i].name);
        if (rows[i].value.n) {
            buf_add(b, TEXT(" \\fI"));
            cli_roff(b, values(cli, rows[i].value));
            buf_add(b, TEXT("\\fR"));
        }
        buf_char(b, '\n');
        cli_roff(b, pick(cli, rows[i].en, rows[i].fr));
        buf_char(b, '\n');
    }
}

static void put_man(struct cli *cli, struct buf *b)
{
    size_t count;
    const struct verb_row *rows = cli_verbs(&count);
    buf_add(
        b,
        TEXT(
            ".\\\" Printed by \"garant help man\" from the program's tables.\n.TH GARANT 1 \"\" \"garant " GARANT_VERSION
            "\"\n"));
    buf_add(
        b,
        SAY(cli,
            ".SH NAME\ngarant \\- keep the promises of a privacy policy\n.SH SYNOPSIS\n.B garant\n.I verb\n.RI [ options ]\n",
            ".SH NOM\ngarant \\- tenir les promesses d'une politique de confidentialité\n.SH SYNOPSIS\n.B garant\n.I "
            "verbe\n.RI [ options ]\n"));
    buf_add(
        b,
        SAY(cli,
            ".SH DESCRIPTION\nOne file, the policy, is the text that people read and the rules that the server runs. "
            "garant enforces it, serves the "
            "people it speaks of, and proves that it was kept.\n.SH VERBS\n",
            ".SH DESCRIPTION\nUn seul fichier, la politique, est le texte que les personnes lisent et les règles que le "
            "serveur applique. garant la fait "
            "respecter, sert les personnes dont elle parle, et prouve qu'elle a été tenue.\n.SH VERBES\n"));
    for (size_t i = 0; i < count; i++) {
        buf_add(b, TEXT(".SS "));
        cli_roff(b, rows[i].name);
        buf_char(b, ' ');
        cli_roff(b, values(cli, rows[i].arguments));
        buf_char(b, '\n');
        cli_roff(b, pick(cli, rows[i].en, rows[i].fr));
        buf_char(b, '\n');
        man_options(cli, b, rows[i].name);
    }
    buf_add(b, SAY(cli, ".SH OPTIONS OF ALL VERBS\n", ".SH OPTIONS DE TOUS LES VERBES\n"));
    man_options(cli, b, TEXT("all"));
    buf_add(b, SAY(cli, ".SH EXIT STATUS\n.TP\n.B 0\nDone\n", ".SH STATUT DE SORTIE\n.TP\n.B 0\nFait\n"));
    for (int code = OK + 1; code < ERR_COUNT; code++) {
        const struct err_row *row = err_row((enum err)code);
        buf_print(b, ".TP\n.B %d\n", row->exit_status);
        cli_roff(b, pick(cli, row->en, row->fr));
        buf_print(b, " (%.*s)\n", T(row->slug));
    }
    buf_add(
        b,
        SAY(cli,
            ".SH FILES\n.TP\n.I DIR/garant.sock\nThe operator's door: whoever may open it, this user and root, is the "
            "operator.\n",
            ".SH FICHIERS\n.TP\n.I DIR/garant.sock\nLa porte de l'exploitant : qui peut l'ouvrir, cet utilisateur et "
            "root, est l'exploitant.\n"));
}

enum err verb_help(struct cli *cli)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    text topic = cli->argument_count ? cli->arguments[0] : TEXT("");
    size_t count;
    const struct verb_row *rows = cli_verbs(&count), *verb = NULL;
    for (size_t i = 0; i < count; i++)
        if (text_eq(rows[i].name, topic))
            verb = &rows[i];
    if (verb)
        put_verb(cli, &b, verb);
    else if (text_eq(topic, TEXT("man")))
        put_man(cli, &b);
    else if (text_eq(topic, TEXT("policy-man")))
        manual_policy(cli, &b);
    else if (text_eq(topic, TEXT("bash")))
        completion_bash(&b);
    else if (text_eq(topic, TEXT("zsh")))
        completion_zsh(&b);
    else if (text_eq(topic, TEXT("routes")))
        put_routes(cli, &b);
    else if (text_eq(topic, TEXT("errors")))
        put_errors(cli, &b);
    else if (!topic.n)
        put_overview(cli, &b);
    else
        return cli_fault(cli, ERR_USAGE, "no help on \"%.*s\"; garant help lists the verbs",
                         "aucune aide sur « %.*s » ; garant help donne les verbes", T(topic));
    return cli_give(cli, &b);
}

enum err verb_version(struct cli *cli)
{
    cli_line(cli->json ? TEXT("{\"name\":\"garant\",\"version\":\"" GARANT_VERSION "\"}")
                       : TEXT("garant " GARANT_VERSION));
    return OK;
}
