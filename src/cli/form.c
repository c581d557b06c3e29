/* garant form, request, publication, authority, breach: what people send by the forms of the policy, what they ask
 * about their data, what they show in public; what public authorities ask; and breaches. */
#include "cli/client.h"

enum err verb_form(struct cli *cli)
{
    static const char *const asked[] = { "purpose", "after", "limit", NULL }, *const of[] = { "purpose", NULL };
    static const char *const shown[] = { "lang", NULL };
    text what, name;
    TRY(cli_argument(cli, 0, "list, show, answers or wordings", "list, show, answers ou wordings", &what));
    if (text_eq(what, TEXT("list")))
        return cli_ask(cli, METHOD_GET, TEXT("/v1/forms"), TEXT(""), TEXT(""), 0);
    if (text_eq(what, TEXT("wordings")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/wordings"), of), TEXT(""), TEXT(""), 0);
    bool show = text_eq(what, TEXT("show")), pdf = cli_has(cli, TEXT("pdf"));
    if (!show && !text_eq(what, TEXT("answers")))
        return cli_no_action(cli);
    TRY(cli_argument(cli, 1, "the form's name", "le nom du formulaire", &name));
    if (show && pdf)
        return cli_ask_file(cli, cli_query(cli, cli_target(cli, "/forms/", name, "/pdf"), shown),
                            cli_option(cli, TEXT("pdf")));
    text target = cli_target(cli, "/v1/forms/", name, show ? "" : "/answers");
    return cli_ask(cli, METHOD_GET, show ? target : cli_query(cli, target, asked), TEXT(""), TEXT(""), 0);
}

/* ---- The register of requests. ---- */

static enum err send_file(struct cli *cli, text before, unsigned argument);

static enum err request_list(struct cli *cli)
{
    static const char *const asked[] = { "which", "after", "limit", NULL };
    return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/requests"), asked), TEXT(""), TEXT(""), 0);
}

static enum err request_enter(struct cli *cli)
{
    text body;
    TRY(cli_read_input(cli, CLI_ANSWER_LIMIT, &body));
    return cli_ask(cli, METHOD_POST, TEXT("/v1/requests"), TEXT("application/json"), body, 0);
}

/* What is written with a move comes with --text, whose data it is about with --subject. */
static enum err request_move(struct cli *cli, text id)
{
    text name, body, said = cli_option(cli, TEXT("text")), subject = cli_option(cli, TEXT("subject"));
    text into = cli_option(cli, TEXT("into"));
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    TRY(cli_argument(cli, 2, "the move, such as take or answer", "l'action, comme take ou answer", &name));
    text before = arena_print(cli->arena, "/v1/requests/%.*s/moves/", T(id));
    json_open(&w, '{');
    if (said.p)
        json_pair(&w, TEXT("text"), said);
    if (subject.p)
        json_pair(&w, TEXT("subject"), subject);
    if (into.p)
        json_pair(&w, TEXT("into"), into);
    json_close(&w, '}');
    TRY(buf_take(cli->arena, &b, &body));
    TRY_PTR(before.p);
    return cli_ask(cli, METHOD_POST, cli_target(cli, before.p, name, ""), TEXT("application/json"), body, 0);
}

enum err verb_request(struct cli *cli)
{
    text what, id;
    TRY(cli_argument(cli, 0, "list, enter, show, move or attach", "list, enter, show, move ou attach", &what));
    if (text_eq(what, TEXT("list")))
        return request_list(cli);
    if (text_eq(what, TEXT("enter")))
        return request_enter(cli);
    bool show = text_eq(what, TEXT("show")), attach = text_eq(what, TEXT("attach"));
    if (!show && !attach && !text_eq(what, TEXT("move")))
        return cli_no_action(cli);
    TRY(cli_argument(cli, 1, "the request's reference", "la référence de la demande", &id));
    if (attach)
        return send_file(cli, arena_print(cli->arena, "/v1/requests/%.*s/mandate?name=", T(id)), 2);
    return show ? cli_ask(cli, METHOD_GET, cli_target(cli, "/v1/requests/", id, ""), TEXT(""), TEXT(""), 0)
                : request_move(cli, id);
}

/* ---- Publications. ---- */

static const text json_type = TEXT_INIT("application/json");

/* The decision stands on the command line, its reason on standard input: it is about a person. */
static enum err decide(struct cli *cli, const char *path, text id)
{
    text decision, body;
    TRY(cli_argument(
        cli, 2, "publish, refuse or take_down; of a report keep or take_down; the reason comes on standard input",
        "publish, refuse ou take_down ; d'un signalement keep ou take_down ; le motif arrive sur l'entrée standard",
        &decision));
    TRY(cli_read_decision(cli, decision, &body));
    return cli_ask(cli, METHOD_POST, cli_target(cli, path, id, ""), json_type, body, 0);
}

/* The record on standard input, {"category", "fields", "agree"}, and its file, as one form. */
static enum err send_in(struct cli *cli, text id)
{
    static const text edge = TEXT_INIT("----garant-form-5f0c3a");
    text given, content = TEXT(""), file = cli_option(cli, TEXT("file"));
    const struct json *said;
    ARENA_AUTO room = arena_make((size_t)FILE_LIMIT * 3);
    TRY(cli_read_input(cli, 1 << 20, &given));
    TRY(json_parse(cli->arena, given, &said));
    if (!file.n)
        return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/subjects/", id, "/publications"), json_type, given, 0);
    TRY(cli_read_file(cli, &room, file, FILE_LIMIT, &content));
    BUF_AUTO b = buf_make(content.n + (1 << 21));
    JSON_EACH(member, said) {
        buf_print(&b, "--%.*s\r\nContent-Disposition: form-data; name=\"%.*s\"\r\n\r\n", T(edge), T(member->key));
        BUF_AUTO value = buf_make(1 << 20);
        struct json_out w = json_out(&value);
        json_put(&w, member);
        if (member->kind == J_TEXT)
            buf_add(&b, member->value);
        else
            buf_add(&b, buf_for(&b, &value));
        buf_add(&b, TEXT("\r\n"));
    }
    buf_print(&b, "--%.*s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\r\n", T(edge));
    buf_add(&b, content);
    buf_print(&b, "\r\n--%.*s--\r\n", T(edge));
    text body, type = arena_print(cli->arena, "multipart/form-data; boundary=%.*s", T(edge));
    TRY(buf_take(&room, &b, &body));
    return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/subjects/", id, "/publications"), type, body, 0);
}

enum err verb_publication(struct cli *cli)
{
    static const char *const pages[] = { "after", "limit", NULL };
    static const struct {
        text word;
        const char *path;
    } lists[] = { { TEXT_INIT("list"), "/v1/publications/" }, { TEXT_INIT("waiting"), "/v1/waiting/" } };
    text what, name = TEXT("");
    TRY(cli_argument(cli, 0, "list, waiting, decide, send, end, reports or answer",
                     "list, waiting, decide, send, end, reports ou answer", &what));
    if (text_eq(what, TEXT("reports")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/reports"), pages), TEXT(""), TEXT(""), 0);
    TRY(cli_argument(cli, 1, "a name or an id", "un nom ou un identifiant", &name));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (text_eq(what, lists[i].word))
            return cli_ask(cli, METHOD_GET, cli_query(cli, cli_target(cli, lists[i].path, name, ""), pages), TEXT(""),
                           TEXT(""), 0);
    if (text_eq(what, TEXT("decide")) || text_eq(what, TEXT("answer")))
        return decide(cli, text_eq(what, TEXT("decide")) ? "/v1/decide/" : "/v1/reports/", name);
    if (text_eq(what, TEXT("send")))
        return send_in(cli, name);
    if (!text_eq(what, TEXT("end")))
        return cli_no_action(cli);
    text publication;
    TRY(cli_argument(cli, 2, "the id of a publication", "l'identifiant d'une publication", &publication));
    text target = cli_target(cli, cli_target(cli, "/v1/subjects/", name, "/publications/").p, publication, "");
    return cli_ask(cli, METHOD_DELETE, target, TEXT(""), TEXT(""), 0);
}

/* ---- Requests of public authorities. ---- */

static text of_request(struct cli *cli, text id, const char *after)
{
    return cli_target(cli, "/v1/authorities/", id, after);
}

/* The file as the body of what `before` begins: the last part of its name follows. */
static enum err send_file(struct cli *cli, text before, unsigned argument)
{
    ARENA_AUTO room = arena_make((size_t)FILE_LIMIT * 2);
    text file, content, name;
    TRY(cli_argument(cli, argument, "the file", "le fichier", &file));
    TRY(cli_read_file(cli, &room, file, FILE_LIMIT, &content));
    name = file;
    for (size_t i = 0; i < file.n; i++)
        if (file.p[i] == '/')
            name = text_from(file, i + 1);
    TRY_PTR(before.p);
    return cli_ask(cli, METHOD_POST, cli_target(cli, before.p, name, ""), TEXT("application/octet-stream"), content, 0);
}

static enum err hand(struct cli *cli, text id)
{
    text subject, body;
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    TRY(cli_argument(cli, 2, "the person's id", "l'identifiant de la personne", &subject));
    json_open(&w, '{');
    json_pair(&w, TEXT("subject"), subject);
    json_close(&w, '}');
    TRY(buf_take(cli->arena, &b, &body));
    return cli_ask(cli, METHOD_POST, of_request(cli, id, "/hand"), json_type, body, 0);
}

/* Its body, JSON, comes on standard input: it says what is about people. */
static enum err given(struct cli *cli, text target)
{
    text body;
    TRY(cli_read_input(cli, CLI_ANSWER_LIMIT, &body));
    return cli_ask(cli, METHOD_POST, target, json_type, body, 0);
}

enum err verb_authority(struct cli *cli)
{
    static const char *const asked[] = { "after", "limit", NULL };
    const text none = TEXT("");
    text what, id;
    TRY(cli_argument(cli, 0, "list, enter, show, attach, document, approve, refuse, secrecy or hand",
                     "list, enter, show, attach, document, approve, refuse, secrecy ou hand", &what));
    if (text_eq(what, TEXT("list")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/authorities"), asked), none, none, 0);
    if (text_eq(what, TEXT("enter")))
        return given(cli, TEXT("/v1/authorities"));
    TRY(cli_argument(cli, 1, "the request's id", "l'identifiant de la demande", &id));
    if (text_eq(what, TEXT("show")))
        return cli_ask(cli, METHOD_GET, of_request(cli, id, ""), none, none, 0);
    if (text_eq(what, TEXT("document")))
        return cli_ask(cli, METHOD_GET, of_request(cli, id, "/document"), none, none, 0);
    if (text_eq(what, TEXT("attach")))
        return send_file(cli, of_request(cli, id, "/document?name="), 2);
    if (text_eq(what, TEXT("approve")))
        return cli_ask(cli, METHOD_POST, of_request(cli, id, "/approve"), none, none, 0);
    if (text_eq(what, TEXT("refuse")))
        return given(cli, of_request(cli, id, "/refuse"));
    if (text_eq(what, TEXT("secrecy")))
        return given(cli, of_request(cli, id, "/secrecy"));
    if (text_eq(what, TEXT("hand")))
        return hand(cli, id);
    return cli_no_action(cli);
}

/* ---- The register of breaches. ---- */

enum { BREACH_INPUT = 1 << 20 };

static enum err breach_ask(struct cli *cli, text target)
{
    return cli_ask(cli, METHOD_GET, target, TEXT(""), TEXT(""), 0);
}

/* Options that are members of the body, as the API names them; *any: one was given. */
static enum err body_of(struct cli *cli, const char *const *names, bool *any, text *out)
{
    BUF_AUTO b = buf_make(1 << 18);
    struct json_out w = json_out(&b);
    *any = false;
    json_open(&w, '{');
    for (unsigned i = 0; names[i]; i++) {
        text name = text_of(names[i]), value = cli_option(cli, name);
        if (!cli_has(cli, name))
            continue;
        *any = true;
        if (text_eq(name, TEXT("drill"))) {
            json_pair_bool(&w, name, true);
        } else if (text_eq(name, TEXT("categories")) || text_eq(name, TEXT("tenants"))) {
            json_name(&w, name);
            json_open(&w, '[');
            for (text rest = value; rest.n;)
                json_put_text(&w, text_trim(text_cut(&rest, ',')));
            json_close(&w, ']');
        } else {
            json_pair(&w, name, value);
        }
    }
    json_close(&w, '}');
    return buf_take(cli->arena, &b, out);
}

/* By options, or as JSON on standard input where none is given. */
static enum err send_body(struct cli *cli, text target, const char *const *names)
{
    bool any;
    text body;
    TRY(body_of(cli, names, &any, &body));
    if (!any)
        TRY(cli_read_input(cli, BREACH_INPUT, &body));
    return cli_ask(cli, METHOD_POST, target, json_type, text_trim(body).n ? body : TEXT("{}"), 0);
}

static enum err breach_move_of(struct cli *cli, text id)
{
    static const char *const names[] = { "text", "categories", "from", "until", "recipient", "actor", "staff",
                                         "risk", "stage",      "how",  "party", "late",      NULL };
    text name;
    TRY(cli_argument(cli, 2, "the move, such as find or notify", "l'action, comme find ou notify", &name));
    text before = arena_print(cli->arena, "/v1/breaches/%.*s/moves/", T(id));
    TRY_PTR(before.p);
    return send_body(cli, cli_target(cli, before.p, name, ""), names);
}

static enum err breach_one(struct cli *cli, text what)
{
    static const char *const paged[] = { "after", "limit", NULL }, *const stage[] = { "stage", NULL };
    static const char *const why[] = { "text", NULL };
    text id;
    TRY(cli_argument(cli, 1, "the breach's reference", "la référence de la violation", &id));
    if (text_eq(what, TEXT("show")))
        return breach_ask(cli, cli_target(cli, "/v1/breaches/", id, ""));
    if (text_eq(what, TEXT("move")))
        return breach_move_of(cli, id);
    if (text_eq(what, TEXT("form")))
        return breach_ask(cli, cli_query(cli, cli_target(cli, "/v1/breaches/", id, "/form"), stage));
    if (text_eq(what, TEXT("people")))
        return breach_ask(cli, cli_query(cli, cli_target(cli, "/v1/breaches/", id, "/people"), paged));
    if (text_eq(what, TEXT("dismiss")))
        return send_body(cli, cli_target(cli, "/v1/breach-signs/", id, "/dismiss"), why);
    return cli_no_action(cli);
}

enum err verb_breach(struct cli *cli)
{
    static const char *const listed[] = { "which", "after", "limit", NULL }, *const paged[] = { "after", "limit", NULL };
    static const char *const opened[] = { "what", "known", "drill", "tenants", "sign", NULL };
    text what;
    TRY(cli_argument(cli, 0, "list, open, show, move, form, people, register or dismiss",
                     "list, open, show, move, form, people, register ou dismiss", &what));
    if (text_eq(what, TEXT("list")))
        return breach_ask(cli, cli_query(cli, TEXT("/v1/breaches"), listed));
    if (text_eq(what, TEXT("register")))
        return breach_ask(cli, cli_query(cli, TEXT("/v1/breaches/register"), paged));
    if (text_eq(what, TEXT("open")))
        return send_body(cli, TEXT("/v1/breaches"), opened);
    return breach_one(cli, what);
}

/* ---- A new owner. ---- */

enum err verb_merger(struct cli *cli)
{
    static const char *const said[] = { "controller", "by", "signed", "version", NULL };
    const text none = TEXT("");
    text what, digest;
    TRY(cli_argument(cli, 0, "list, accept or document", "list, accept ou document", &what));
    if (text_eq(what, TEXT("list")))
        return cli_ask(cli, METHOD_GET, TEXT("/v1/mergers"), none, none, 0);
    if (text_eq(what, TEXT("document"))) {
        TRY(cli_argument(cli, 1, "the document's digest", "l'empreinte du document", &digest));
        return cli_ask(cli, METHOD_GET, cli_target(cli, "/v1/mergers/", digest, ""), none, none, 0);
    }
    if (!text_eq(what, TEXT("accept")))
        return cli_no_action(cli);
    for (size_t i = 0; said[i]; i++)
        if (!cli_option(cli, text_of(said[i])).n)
            return cli_fault(cli, ERR_USAGE, "say --controller, --by, --signed and --version",
                             "indiquez --controller, --by, --signed et --version");
    text target = cli_query(cli, TEXT("/v1/mergers"), said);
    return send_file(cli, arena_print(cli->arena, "%.*s&name=", T(target)), 1);
}

/* ---- What is due. ---- */

enum err verb_desk(struct cli *cli) { return breach_ask(cli, TEXT("/v1/desk")); }

/* ---- The platform's own stores. ---- */

static enum err connector_done(struct cli *cli, text id)
{
    static const char *const names[] = { "text", NULL };
    bool any;
    text store, body, target;
    TRY(cli_argument(cli, 2, "the store's name", "le nom du stockage", &store));
    TRY(body_of(cli, names, &any, &body));
    target = arena_print(cli->arena, "/v1/connectors/%.*s/stores/%.*s", T(id), T(store));
    TRY_PTR(target.p);
    return cli_ask(cli, METHOD_POST, target, TEXT("application/json"), body, 0);
}

enum err verb_connector(struct cli *cli)
{
    static const char *const asked[] = { "after", NULL };
    const text none = TEXT("");
    text what = cli->argument_count ? cli->arguments[0] : TEXT("list"), id;
    if (text_eq(what, TEXT("list")))
        return breach_ask(cli, cli_query(cli, TEXT("/v1/connectors"), asked));
    if (text_eq(what, TEXT("check")))
        return cli_ask(cli, METHOD_POST, TEXT("/v1/connectors/check"), none, none, 0);
    TRY(cli_argument(cli, 1, "the person's id, or the job's", "l'identifiant de la personne, ou de la tâche", &id));
    if (text_eq(what, TEXT("count")))
        return breach_ask(cli, cli_target(cli, "/v1/subjects/", id, "/stores"));
    if (text_eq(what, TEXT("show")))
        return breach_ask(cli, cli_target(cli, "/v1/connectors/", id, ""));
    if (text_eq(what, TEXT("retry")))
        return cli_ask(cli, METHOD_POST, cli_target(cli, "/v1/connectors/", id, "/retry"), none, none, 0);
    if (text_eq(what, TEXT("done")))
        return connector_done(cli, id);
    return cli_no_action(cli);
}
