/* The verbs account, support, recipient and tenant: people who sign in, their roles, and many opened at once from a
 * table; technical help on data that is only stored, recipients of data, and who works for its tenant. */
#include "base/file/charset.h"
#include "base/file/csv.h"
#include "base/unicode.h"
#include "cli/client.h"

enum { INPUT_LIMIT = 1 << 20, TABLE_LIMIT = 32 << 20, CHUNK = 200, DRY_CHUNK = 10000 };
static const text json_type = TEXT_INIT("application/json");

/* {name: value, …} of pairs; a value with p NULL is null. */
struct member {
    const char *name;
    text value;
};
static text object_of(struct cli *cli, const struct member *members, size_t count)
{
    BUF_AUTO b = buf_make(16384);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    for (size_t i = 0; i < count; i++)
        json_pair(&w, text_of(members[i].name), members[i].value);
    json_close(&w, '}');
    return buf_made(cli->arena, &b);
}

static text argument(const struct cli *cli, unsigned at)
{
    return at < cli->argument_count ? cli->arguments[at] : (text){ NULL, 0 };
}

static enum err put(struct cli *cli, text id, const char *what)
{
    const struct member value = { what, argument(cli, 2) };
    return cli_ask(cli, METHOD_PUT, cli_target(cli, "/v1/accounts/", id, *what == 'r' ? "/role" : "/manager"),
                   json_type, object_of(cli, &value, 1), 0);
}

static enum err agree(struct cli *cli, text id)
{
    const struct member members[] = { { "date", cli_option(cli, TEXT("date")) },
                                      { "reference", cli_option(cli, TEXT("reference")) } };
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/accounts/", id, "/agreement"), json_type,
                   object_of(cli, members, 2), 0);
}

/* ---- Import: a piece of the table at a time, so that there is something to see. ---- */

struct importing {
    struct cli *cli;
    struct client client;
    text target, header;
    struct buf lines;            /* results, in JSON with commas between */
    text columns;                /* what they were taken for, in JSON */
    bool dry, empty[CSV_FIELDS]; /* empty: nothing stands in that column, so nothing is lost with it */
    unsigned done, all, opened, refused, warned;
    text warning; /* the first one */
};

static void end_import(struct importing *i)
{
    buf_free(&i->lines);
    client_close(&i->client);
}

static text import_target(struct cli *cli)
{
    static const struct {
        const char *option, *parameter;
    } rows[] = { { "supplied-by", "supplied_by" }, { "account-language", "language" }, { "why", "why" } };
    BUF_AUTO b = buf_make(16384);
    buf_print(&b, "/v1/accounts/import?invite=%s", cli_has(cli, TEXT("no-invitation")) ? "false" : "true");
    if (cli_has(cli, TEXT("dry-run")))
        buf_add(&b, TEXT("&dry_run=true"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (cli_has(cli, text_of(rows[i].option))) {
            buf_print(&b, "&%s=", rows[i].parameter);
            buf_percent(&b, cli_option(cli, text_of(rows[i].option)));
        }
    return buf_made(cli->arena, &b);
}

/* What was chosen, then what has nothing in it. */
static text piece_target(struct importing *i, unsigned line)
{
    BUF_AUTO map = buf_make(1 << 16), b = buf_make(1 << 18);
    buf_add(&map, cli_option(i->cli, TEXT("map")));
    for (unsigned k = 0; k < CSV_FIELDS; k++)
        if (i->empty[k])
            buf_print(&map, "%s%u=-", map.n ? "," : "", k + 1);
    buf_print(&b, "%.*s&line=%u", T(i->target), line);
    if (map.n) {
        buf_add(&b, TEXT("&map="));
        buf_percent(&b, buf_for(&b, &map));
    }
    return buf_made(i->cli->arena, &b);
}

static enum err take_results(struct importing *i, text body)
{
    const struct json *answer;
    TRY(json_parse(i->cli->arena, body, &answer));
    JSON_EACH(line, json_get(answer, TEXT("lines"))) {
        struct json_out w = json_out(&i->lines);
        int64_t status = 0;
        if (i->lines.n)
            buf_char(&i->lines, ',');
        json_put(&w, line);
        json_int(json_get(line, TEXT("status")), &status);
        i->opened += status < 300;
        i->refused += status >= 300;
        text warning = json_text(line, TEXT("warning"));
        i->warned += warning.n > 0;
        if (warning.n && !i->warning.n)
            i->warning = warning;
    }
    if (i->columns.p)
        return OK;
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_put(&w, json_get(answer, TEXT("columns")));
    return buf_take(i->cli->arena, &b, &i->columns);
}

static enum err send_piece(struct importing *i, char separator, unsigned line, text rows, unsigned count)
{
    struct result result;
    BUF_AUTO piece = buf_make(TABLE_LIMIT * 4);
    text table;
    if (!count && i->done) /* a header alone is judged too */
        return OK;
    buf_print(&piece, "sep=%c\n%.*s\n%.*s\n", separator, T(i->header), T(rows));
    TRY(buf_lend(i->cli->arena, &piece, &table));
    TRY(client_call(&i->client, METHOD_POST, piece_target(i, line), TEXT("text/csv"), table, 0, &result));
    TRY(take_results(i, result.body));
    i->done += count;
    cli_progress(i->done, i->all);
    return OK;
}

static void look_at(struct importing *i, struct csv csv, struct csv_record *r)
{
    enum err fault;
    for (unsigned k = 0; k < r->count; k++)
        i->empty[k] = true;
    ARENA_AUTO room = arena_make(TABLE_LIMIT * 4);
    while (csv_next(&room, &csv, r, &fault)) {
        i->all++;
        for (unsigned k = 0; fault == OK && k < r->count; k++)
            i->empty[k] &= unicode_is_blank(r->fields[k]);
        arena_reset(&room);
    }
    for (unsigned k = 0; !i->all && k < CSV_FIELDS; k++)
        i->empty[k] = false; /* without a line nothing says that a column is meant to be empty */
}

/* Records as they stand, so that a faulty one is judged by the server, with the others. A dry run sends more at once:
 * the same address twice is seen within one piece. */
static enum err send_table(struct importing *i, text table)
{
    struct csv csv = csv_open(table);
    struct csv_record *r = NEW(i->cli->arena, struct csv_record);
    unsigned count = 0, most = i->dry ? DRY_CHUNK : CHUNK;
    enum err fault;
    TRY_PTR(r);
    if (!csv_next(i->cli->arena, &csv, r, &fault))
        return cli_fault(i->cli, ERR_MISSING, "the table is empty: its first line names the fields, as category.field",
                         "la table est vide : sa première ligne nomme les champs, comme categorie.champ");
    i->header = r->raw;
    look_at(i, csv, r);
    text rest = csv.rest;
    unsigned line = csv.line;
    while (csv_next(i->cli->arena, &csv, r, &fault))
        if (++count == most) {
            TRY(send_piece(i, csv.separator, line, text_upto(rest, rest.n - csv.rest.n), count));
            count = 0;
            rest = csv.rest;
            line = csv.line;
        }
    return send_piece(i, csv.separator, line, rest, count);
}

static enum err import_file(struct cli *cli)
{
    CLEANUP(end_import) struct importing i = { .cli = cli, .lines = buf_make(256 << 20) };
    text file, table;
    TRY(cli_argument(cli, 1, "a table (CSV)",
                     "une table (CSV)", &file));
    TRY(cli_read_file(cli, cli->arena, file, TABLE_LIMIT, &table));
    TRY(charset_text(cli->arena, table, &table));
    i.dry = cli_has(cli, TEXT("dry-run"));
    TRY(client_open(cli, &i.client));
    i.target = import_target(cli);
    enum err e = send_table(&i, table);
    cli_progress_end();
    TRY(e);
    BUF_AUTO b = buf_make(256 << 20);
    buf_print(&b, "{\"opened\":%u,\"refused\":%u,\"lines\":[", i.opened, i.refused);
    buf_join(&b, &i.lines);
    buf_add(&b, TEXT("]"));
    if (i.columns.n)
        buf_print(&b, ",\"columns\":%.*s", T(i.columns));
    buf_print(&b, ",\"dry_run\":%s}", i.dry ? "true" : "false");
    TRY(cli_answer_of(cli, &b));
    if (i.warned && !i.refused)
        cli_warn(cli, i.warned > 1 ? arena_print(cli->arena, "%.*s; and on %u lines more", T(i.warning), i.warned - 1)
                                   : i.warning);
    return i.refused ? cli_fault(cli, ERR_VALUE, "refused lines: %u of %u; correct them and import only those",
                                 "lignes refusées : %u sur %u ; corrigez-les et n'importez qu'elles",
                           i.refused, i.all)
                     : OK;
}

/* ---- The verb. ---- */

#define ACTIONS_BUT_LAST "open, list, show, invite, role, manager, agree, approve, refuse, close"
#define ACTIONS          ACTIONS_BUT_LAST " or import"
#define ACTIONS_FR       ACTIONS_BUT_LAST " ou import"

enum err verb_account(struct cli *cli)
{
    if (!cli_has(cli, TEXT("lang"))) /* what the operator's terminal speaks says nothing of the people */
        cli->asked_language = TEXT("*");
    static const char *const listing[] = { "state", "role", "after", "limit", NULL };
    static const struct {
        text word;
        const char *path;
    } posts[] = { { TEXT_INIT("invite"), "/invite" },
                  { TEXT_INIT("approve"), "/approve" },
                  { TEXT_INIT("refuse"), "/refuse" } };
    text what, id, body;
    TRY(cli_argument(cli, 0, ACTIONS, ACTIONS_FR, &what));
    if (text_eq(what, TEXT("open"))) {
        TRY(cli_read_input(cli, INPUT_LIMIT, &body));
        return cli_ask(cli, METHOD_POST, TEXT("/v1/accounts"), json_type, body, 0);
    }
    if (text_eq(what, TEXT("list")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/accounts"), listing), TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("import")))
        return import_file(cli);
    TRY(cli_argument(cli, 1, "the id of a person",
                     "l'identifiant d'une personne", &id));
    if (text_eq(what, TEXT("show")))
        return cli_ask(cli, METHOD_GET, cli_target(cli, "/v1/accounts/", id, ""), TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("role")) || text_eq(what, TEXT("manager")))
        return put(cli, id, text_eq(what, TEXT("role")) ? "role" : "manager");
    if (text_eq(what, TEXT("agree")))
        return agree(cli, id);
    if (text_eq(what, TEXT("close")))
        return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/subjects/", id, "/close"), TEXT(""), TEXT(""), 0);
    size_t i = 0;
    while (i + 1 < sizeof posts / sizeof *posts && !text_eq(what, posts[i].word))
        i++;
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/accounts/", id, posts[i].path), TEXT(""), TEXT(""), 0);
}

/* ---- Support. With --as FILE the holder of that token acts, in place of the operator. ---- */

static void put_options(struct cli *cli, struct json_out *w)
{
    if (cli_has(cli, TEXT("for")))
        json_pair(w, TEXT("for"), cli_option(cli, TEXT("for")));
    if (cli_has(cli, TEXT("write")))
        json_pair_bool(w, TEXT("write"), true);
}

static enum err support_ask(struct cli *cli)
{
    text tenant, reason;
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    TRY(cli_argument(cli, 1, "the tenant's name", "le nom du locataire", &tenant));
    TRY(cli_argument(cli, 2, "what the help is for", "à quoi sert cette aide", &reason));
    json_open(&w, '{');
    json_pair(&w, TEXT("tenant"), tenant);
    json_pair(&w, TEXT("reason"), reason);
    put_options(cli, &w);
    json_close(&w, '}');
    return cli_ask(cli, METHOD_POST, TEXT("/v1/support"), json_type, buf_made(cli->arena, &b), 0);
}

static enum err support_decide(struct cli *cli, text id, text what)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("do"), what);
    put_options(cli, &w);
    json_close(&w, '}');
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/support/", id, ""), json_type, buf_made(cli->arena, &b), 0);
}

static enum err support_look(struct cli *cli, text id)
{
    text subject;
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    TRY(cli_argument(cli, 2, "the person's id", "l'identifiant de la personne", &subject));
    json_open(&w, '{');
    json_pair(&w, TEXT("subject"), subject);
    json_close(&w, '}');
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/support/", id, "/look"), json_type, buf_made(cli->arena, &b),
                   0);
}

enum err verb_support(struct cli *cli)
{
    static const char *const asked[] = { "after", "limit", NULL };
    static const char *const acts[] = { "consent", "refuse", "end" };
    text what, id;
    TRY(cli_argument(cli, 0, "ask, list, show, consent, refuse, end or look",
                     "ask, list, show, consent, refuse, end ou look", &what));
    if (text_eq(what, TEXT("ask")))
        return support_ask(cli);
    if (text_eq(what, TEXT("list")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/support"), asked), TEXT(""), TEXT(""), 0);
    TRY(cli_argument(cli, 1, "the session's id", "l'identifiant de la session", &id));
    if (text_eq(what, TEXT("show")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, "/v1/support/", id, ""), asked), TEXT(""),
                       TEXT(""), 0);
    if (text_eq(what, TEXT("look")))
        return support_look(cli, id);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (text_eq(what, text_of(acts[i])))
            return support_decide(cli, id, what);
    return cli_no_action(cli);
}

/* ---- Recipients of data. ---- */

static enum err recipient_link_made(struct cli *cli, text name)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    if (cli_has(cli, TEXT("email")))
        json_pair(&w, TEXT("email"), cli_option(cli, TEXT("email")));
    json_close(&w, '}');
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/recipients/", name, "/links"), json_type,
                   buf_made(cli->arena, &b), 0);
}

enum err verb_recipient(struct cli *cli)
{
    static const char *const asked[] = { "after", "limit", NULL };
    text what, name, link;
    TRY(cli_argument(cli, 0, "list, show, link, unlink or end", "list, show, link, unlink ou end", &what));
    if (text_eq(what, TEXT("list")))
        return cli_ask(cli, METHOD_GET, TEXT("/v1/recipients"), TEXT(""), TEXT(""), 0);
    TRY(cli_argument(cli, 1, "the recipient's name in the policy", "le nom du destinataire dans la politique", &name));
    if (text_eq(what, TEXT("show")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, "/v1/recipients/", name, ""), asked), TEXT(""),
                       TEXT(""), 0);
    if (text_eq(what, TEXT("link")))
        return recipient_link_made(cli, name);
    if (text_eq(what, TEXT("end")))
        return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/recipients/", name, "/end"), TEXT(""), TEXT(""), 0);
    if (!text_eq(what, TEXT("unlink")))
        return cli_no_action(cli);
    TRY(cli_argument(cli, 2, "the link's id", "l'identifiant du lien", &link));
    text links = cli_target(cli, "/v1/recipients/", name, "/links/");
    return cli_ask(cli, METHOD_DELETE, arena_print(cli->arena, "%.*s%.*s", T(links), T(link)), TEXT(""), TEXT(""), 0);
}

/* ---- Who works for a tenant, and the tokens that it accepts. ---- */

static enum err tenant_invite(struct cli *cli)
{
    text tenant;
    BUF_AUTO b = buf_make(1 << 10);
    struct json_out w = json_out(&b);
    TRY(cli_argument(cli, 1, "the tenant's name", "le nom du locataire", &tenant));
    json_open(&w, '{');
    if (cli_has(cli, TEXT("role")))
        json_pair(&w, TEXT("role"), cli_option(cli, TEXT("role")));
    json_close(&w, '}');
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/tenants/", tenant, "/staff"), json_type,
                   buf_made(cli->arena, &b), 0);
}

static enum err decide_token(struct cli *cli, text decision)
{
    text name;
    TRY(cli_argument(cli, 1, "the token's name", "le nom du jeton", &name));
    text body = arena_print(cli->arena, "{\"decision\":\"%.*s\"}", T(decision));
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/tenant/tokens/", name, ""), json_type, body, 0);
}

enum err verb_tenant(struct cli *cli)
{
    static const char *const asked[] = { "after", "limit", NULL };
    text what;
    TRY(cli_argument(cli, 0, "invite, tokens, accept or revoke", "invite, tokens, accept ou revoke", &what));
    if (text_eq(what, TEXT("invite")))
        return tenant_invite(cli);
    if (text_eq(what, TEXT("tokens")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/tenant/tokens"), asked), TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("accept")) || text_eq(what, TEXT("revoke")))
        return decide_token(cli, what);
    return cli_no_action(cli);
}
