/* What is printed from rows: the manual of the policy file, garant-policy(5), and what shells complete ("garant help
 * bash", "garant help zsh"). */
#include "cli/cli.h"
#include "policy/schema.h"

static void put(struct cli *cli, struct buf *b, const char *en, const char *fr)
{
    buf_add(b, cli_say(cli, text_of(en), text_of(fr)));
}

/* "word", "word or a list", as people read it. */
static text form_of(struct cli *cli, const struct schema_row *row)
{
    static const struct {
        enum kind kind;
        const char *en, *fr;
    } forms[] = {
        { KIND_MAP, "keys below", "clés ci-dessous" },
        { KIND_NAMES, "names of your own", "noms de votre choix" },
        { KIND_DOTTED, "names of your own", "noms de votre choix" },
        { KIND_CHOSEN, "choices of the field", "choix du champ" },
        { KIND_IDS, "ids", "identifiants" },
        { KIND_SAID, "text, or a text a language", "texte, ou un texte par langue" },
        { KIND_SAYINGS, "list of texts", "liste de textes" },
        { KIND_TEXT, "text", "texte" },
        { KIND_WORD, "word", "mot" },
        { KIND_WORDS, "word or list", "mot ou liste" },
        { KIND_LIST, "text or list", "texte ou liste" },
        { KIND_NAME, "name", "nom" },
        { KIND_NAME_LIST, "name or list", "nom ou liste" },
        { KIND_PATHS, "path or list", "chemin ou liste" },
        { KIND_BOOL, "true or false", "true ou false" },
        { KIND_INTEGER, "integer", "entier" },
        { KIND_ANY, "value", "valeur" },
        { KIND_DATE, "date", "date" },
        { KIND_TERM, "term", "durée" },
        { KIND_LONG, "term", "durée" },
        { KIND_COUNTRY, "country", "pays" },
        { KIND_AREA, "countries", "pays" },
        { KIND_EMAIL, "e-mail address", "adresse électronique" },
        { KIND_URL, "address", "adresse" },
        { KIND_TERM_IRI, "term of DPV", "terme de DPV" },
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].kind == row->kind)
            return cli_say(cli, text_of(forms[i].en), text_of(forms[i].fr));
    return kind_row(row->kind)->what;
}

static void put_words(struct cli *cli, struct buf *b, const struct schema_row *row)
{
    bool first = true, alone = row->kind == KIND_WORD || row->kind == KIND_WORDS;
    for (text rest = row->words, word = word_next(&rest); word.n; word = word_next(&rest)) {
        put(cli, b,
            first && alone ? " One of: "
            : first        ? " Or: "
                           : ", ",
            first && alone ? " Au choix : "
            : first        ? " Ou : "
                           : ", ");
        bool names = text_starts(word, TEXT("@"));
        if (names)
            put(cli, b, "the names under ", "les noms sous ");
        buf_add(b, TEXT("\\fB"));
        cli_roff(b, text_from(word, names));
        buf_add(b, TEXT("\\fR"));
        first = false;
    }
    if (!first)
        buf_char(b, '.');
}

static void put_row(struct cli *cli, struct buf *b, const struct schema_row *row)
{
    static const struct {
        const char *en, *fr;
    } needs[] = { [NEED_MAY] = { "", "" },
                  [NEED_MUST] = { ", required", ", obligatoire" },
                  [NEED_RUN] = { ", required to run", ", obligatoire pour servir" } };
    buf_add(b, TEXT(".TP\n.BR "));
    cli_roff(b, row->path);
    buf_add(b, TEXT(" \" ("));
    cli_roff(b, form_of(cli, row));
    put(cli, b, needs[row->need].en, needs[row->need].fr);
    buf_add(b, TEXT(")\"\n"));
    cli_roff(b, cli_say(cli, row->en, row->fr));
    put_words(cli, b, row);
    buf_char(b, '\n');
}

static void put_opening(struct cli *cli, struct buf *b)
{
    buf_add(
        b,
        TEXT(
            ".\\\" Printed by \"garant help policy-man\" from the rows of the schema.\n.TH GARANT-POLICY 5 \"\" \"garant " GARANT_VERSION
            "\"\n"));
    put(cli, b,
        ".SH NAME\ngarant\\-policy \\- the policy file: the text that people read and the rules that the server runs\n",
        ".SH NOM\ngarant\\-policy \\- le fichier de politique : le texte que les personnes lisent et les règles que le serveur applique\n");
    put(cli, b,
        ".SH DESCRIPTION\nOne YAML file in UTF\\-8, of 1 MiB at most, without tabs, anchors, aliases, tags, merge keys or keys given twice. What it "
        "does not declare is refused. \\fBgarant new\\fR writes a first one, \\fBgarant check\\fR tells every fault with its line, \\fBgarant "
        "lint\\fR holds it against the law.\n.PP\nA path below is the keys from the outside in, a dot between; \\fB*\\fR stands for a name of your own. "
        "A key that is not required may be left out. A term is a number and its unit: 30min, 72h, 180d, 12mo, 3y; or \\fBalways\\fR. "
        "A plain 6m is asked about (minutes or months?); a server that starts with it reads months. A text for people "
        "may be given once, or a language: {fr: \"…\", en: \"…\"}.\n",
        ".SH DESCRIPTION\nUn fichier YAML en UTF\\-8, d'1 Mio au plus, sans tabulation, ancre, alias, étiquette, clé de fusion ni clé donnée deux fois. "
        "Ce qu'il ne déclare pas est refusé. \\fBgarant new\\fR en écrit un premier, \\fBgarant check\\fR dit chaque faute avec sa ligne, \\fBgarant "
        "lint\\fR le confronte au droit.\n.PP\nUn chemin ci\\-dessous donne les clés de l'extérieur vers l'intérieur, séparées par un point ; \\fB*\\fR "
        "tient lieu d'un nom de votre choix. Une clé qui n'est pas obligatoire peut être omise. Une durée est un nombre et son unité : 30min, 72h, 180d, "
        "12mo, 3y ; ou \\fBalways\\fR. Devant un simple 6m, Garant demande si ce sont des minutes ou des mois ; un serveur qui démarre ainsi lit des "
        "mois. Un texte destiné aux personnes se donne une fois, ou par langue : {fr: \"…\", en: \"…\"}.\n");
    put(cli, b, ".SH KEYS\n", ".SH CLÉS\n");
}

void manual_policy(struct cli *cli, struct buf *b)
{
    unsigned count;
    const struct schema_row *rows = schema_rows(&count);
    put_opening(cli, b);
    for (unsigned i = 0; i < count; i++) {
        if (text_index(rows[i].path, '.') < 0) {
            buf_add(b, TEXT(".SS "));
            cli_roff(b, rows[i].path);
            buf_char(b, '\n');
        }
        put_row(cli, b, &rows[i]);
    }
    put(cli, b,
        ".SH EXAMPLES\nThe folder \\fIpolicies\\fR of the sources has the files of five platforms.\n.SH SEE ALSO\n.BR garant (1)\n",
        ".SH EXEMPLES\nLe dossier \\fIpolicies\\fR des sources contient les fichiers de cinq plateformes.\n.SH VOIR AUSSI\n.BR garant (1)\n");
}

/* ---- Completions, from the rows of verbs.def. ---- */

static const struct {
    text name, arguments, en;
} verbs[] = {
#define VERB(name, arguments, en, fr) { TEXT_INIT(#name), TEXT_INIT(arguments), TEXT_INIT(en) },
#include "cli/verbs.def"
};

static const struct {
    text verb, name, value, en;
} options[] = {
#define OPTION(verb, name, value, en, fr) { TEXT_INIT(#verb), TEXT_INIT(name), TEXT_INIT(value), TEXT_INIT(en) },
#include "cli/verbs.def"
};

enum { VERBS = sizeof verbs / sizeof *verbs, OPTIONS = sizeof options / sizeof *options };

static bool goes_with(size_t option, text verb)
{
    return text_eq(options[option].verb, TEXT("all")) || text_eq(options[option].verb, verb);
}

/* The words that stand for themselves in "show|source|reload" or "[VERB|man]": those without a capital. */
static void put_choices(struct buf *b, text choices, char between)
{
    while (choices.n) {
        size_t n = 0;
        while (n < choices.n && ((choices.p[n] >= 'a' && choices.p[n] <= 'z') || choices.p[n] == '-'))
            n++;
        bool whole = n == choices.n || memchr("|] ", choices.p[n], 3);
        if (n > 1 && whole)
            buf_print(b, "%c%.*s", between, T(text_upto(choices, n)));
        while (n < choices.n && !memchr("|[ ", choices.p[n], 3))
            n++;
        choices = text_from(choices, n < choices.n ? n + 1 : n);
    }
}

static bool of_files(text value) { return text_eq(value, TEXT("FILE")) || text_eq(value, TEXT("DIR")); }

/* ---- bash. ---- */

static void put_bash_verb(struct buf *b, size_t verb)
{
    buf_print(b, "    %.*s) words=\"", T(verbs[verb].name));
    for (size_t i = 0; i < OPTIONS; i++)
        if (goes_with(i, verbs[verb].name))
            buf_print(b, " --%.*s", T(options[i].name));
    put_choices(b, verbs[verb].arguments, ' ');
    buf_add(b, TEXT("\" ;;\n"));
}

void completion_bash(struct buf *b)
{
    buf_add(b, TEXT("# bash completion for garant, printed by \"garant help bash\".\n_garant()\n{\n"
                    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= words= i\n"
                    "    local verbs=\""));
    for (size_t i = 0; i < VERBS; i++)
        buf_print(b, " %.*s", T(verbs[i].name));
    buf_add(b, TEXT(" \"\n    COMPREPLY=()\n    case $prev in\n"));
    for (size_t i = 0; i < OPTIONS; i++) {
        if (text_index(options[i].value, '|') < 0)
            continue;
        buf_print(b, "    --%.*s) COMPREPLY=($(compgen -W \"", T(options[i].name));
        put_choices(b, options[i].value, ' ');
        buf_add(b, TEXT("\" -- \"$cur\")); return ;;\n"));
    }
    for (size_t i = 0; i < OPTIONS; i++)
        if (of_files(options[i].value))
            buf_print(b, "    --%.*s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", T(options[i].name));
    buf_add(b,
            TEXT("    esac\n    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                 "        case \"$verbs\" in *\" ${COMP_WORDS[i]} \"*) verb=${COMP_WORDS[i]}; break ;; esac\n    done\n"
                 "    case $verb in\n"));
    for (size_t i = 0; i < VERBS; i++)
        put_bash_verb(b, i);
    buf_add(b,
            TEXT("    *) words=\"$verbs --lang --json --help\" ;;\n    esac\n"
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _garant garant\n"));
}

/* ---- zsh. ---- */

/* Inside single quotes, where brackets and colons part a specification. */
static void put_said(struct buf *b, text said)
{
    for (size_t i = 0; i < said.n; i++) {
        char ch = said.p[i];
        if (ch == '\'')
            buf_add(b, TEXT("'\\''"));
        else if (memchr("[]:\\", ch, 4))
            buf_print(b, "\\%c", ch);
        else
            buf_char(b, ch);
    }
}

static void put_zsh_option(struct buf *b, size_t option)
{
    text value = options[option].value;
    buf_print(b, " \\\n            '--%.*s[", T(options[option].name));
    put_said(b, options[option].en);
    buf_char(b, ']');
    if (value.n) {
        buf_char(b, ':');
        put_said(b, value);
        buf_char(b, ':');
        if (of_files(value))
            buf_add(b, TEXT("_files"));
        else if (text_index(value, '|') > 0) {
            buf_char(b, '(');
            put_choices(b, value, ' ');
            buf_char(b, ')');
        }
    }
    buf_char(b, '\'');
}

void completion_zsh(struct buf *b)
{
    buf_add(
        b,
        TEXT(
            "#compdef garant\n# zsh completion for garant, printed by \"garant help zsh\".\n_garant() {\n    local -a verbs\n"
            "    verbs=(\n"));
    for (size_t i = 0; i < VERBS; i++) {
        buf_print(b, "        '%.*s:", T(verbs[i].name));
        put_said(b, verbs[i].en);
        buf_add(b, TEXT("'\n"));
    }
    buf_add(b, TEXT("    )\n    if (( CURRENT == 2 )); then\n        _describe verb verbs\n        return\n    fi\n"
                    "    case $words[2] in\n"));
    for (size_t i = 0; i < VERBS; i++) {
        buf_print(b, "    %.*s)\n        _arguments", T(verbs[i].name));
        for (size_t k = 0; k < OPTIONS; k++)
            if (goes_with(k, verbs[i].name))
                put_zsh_option(b, k);
        buf_add(b, TEXT(" \\\n            '*:argument:("));
        put_choices(b, verbs[i].arguments, ' ');
        buf_add(b, TEXT(")' ;;\n"));
    }
    buf_add(b, TEXT("    esac\n}\n_garant \"$@\"\n"));
}
