/* serve: opens the instance and runs the server on it. */
#include "base/log.h"
#include "cli/cli.h"
#include "domain/mail/outbox.h"
#include "front/wire/server.h"
#include "domain/mail/inbound.h"
#include "link/fetcher.h"
#include "link/lmtp.h"
#include "link/mailer.h"
#include "link/reader.h"
#include "link/stores.h"
#include "link/teller.h"
#include "link/texter.h"
#include "policy/policy.h"
#include "reach/credentials.h"

struct started {
    struct cli *cli;
    msec began;
    bool served;
};

static void ready(void *arg, text address)
{
    struct started *s = arg;
    s->served = true;
    LOG(LOG_INFO, "listening", LOG_TEXT("address", address), LOG_INT("ms", clock_monotonic() - s->began));
    if (!address.n)
        return;
    const char *scheme = cli_has(s->cli, TEXT("tls-certificate")) ? "https" : "http";
    text line = arena_print(s->cli->arena, s->cli->json ? "{\"address\":\"%s://%.*s\"}" : "%s://%.*s", scheme,
                            T(address));
    cli_line(line);
}

/* A simulated clock is for tests: with other people's data behind it, it would be a way to forge times. */
static enum err check_clock(struct cli *cli, text listen)
{
    if (!cli_has(cli, TEXT("clock-file")))
        return OK;
    bool loopback = text_starts(listen, TEXT("127.")) || text_starts(listen, TEXT("[::1]")) ||
                    text_starts(listen, TEXT("localhost:")) || !listen.n;
    if (!loopback || cli_has(cli, TEXT("proxy")))
        return cli_fault(cli, ERR_CONFIG, "a simulated clock is for tests on loopback only",
                         "une horloge simulée est réservée aux tests sur la boucle locale");
    LOG(LOG_WARN, "simulated clock: times are not real", LOG_TEXT("option", TEXT("--clock-file")));
    return OK;
}

/* ---- Letters. ---- */

/* The first line of the file. */
static enum err read_password(struct cli *cli, text path, text *out)
{
    TRY(cli_read_file(cli, cli->arena, path, 1024, out));
    *out = text_trim(text_cut(out, '\n'));
    return out->n ? OK : cli_fault(cli, ERR_CONFIG, "the file of --smtp-password-file has no password in its first line",
                                   "le fichier de --smtp-password-file n'a pas de mot de passe en première ligne");
}

static enum err smtp_options(struct cli *cli, text url, struct smtp_options *out)
{
    static const char *const needed[] = { "smtp-user", "smtp-password-file", "smtp-ca", "smtp-plain", "mail-from", "dkim-key", "dkim-selector" };
    *out = (struct smtp_options){ .url = cli_option(cli, TEXT("smtp")),
                                  .user = cli_option(cli, TEXT("smtp-user")),
                                  .ca_file = cli_option(cli, TEXT("smtp-ca")),
                                  .from = cli_option(cli, TEXT("mail-from")),
                                  .dkim_key = cli_option(cli, TEXT("dkim-key")),
                                  .dkim_selector = cli_option(cli, TEXT("dkim-selector")),
                                  .plain = cli_has(cli, TEXT("smtp-plain")) };
    for (size_t i = 0; i < sizeof needed / sizeof *needed && !out->url.n; i++)
        if (cli_has(cli, text_of(needed[i])))
            return cli_fault(cli, ERR_USAGE, "--%s goes with --smtp",
                             "--%s va avec --smtp", needed[i]);
    if (!out->url.n)
        return OK;
    if (!outbox_is_address(out->from))
        return cli_fault(cli, ERR_USAGE, "--smtp needs --mail-from ADDRESS: the sender of emails",
                         "--smtp demande --mail-from ADRESSE : l'expéditeur des courriels");
    if (!url.n)
        return cli_fault(cli, ERR_USAGE, "--smtp needs --url https://…: the address for links in emails",
                         "--smtp demande --url https://… : l'adresse des liens dans les courriels");
    if (out->user.n != 0 && !cli_has(cli, TEXT("smtp-password-file")))
        return cli_fault(cli, ERR_USAGE, "--smtp-user needs --smtp-password-file FILE",
                         "--smtp-user demande --smtp-password-file FICHIER");
    return out->user.n ? read_password(cli, cli_option(cli, TEXT("smtp-password-file")), &out->password) : OK;
}

/* ---- Text messages: the gateway's settings, and the file of its credentials. ---- */

/* "STOP,ARRET", of a list or of one word. */
static text stop_words(struct cli *cli, const struct node *said)
{
    BUF_AUTO b = buf_make(1 << 10);
    if (!said)
        return TEXT("STOP,ARRET");
    if (said->kind == NODE_SCALAR)
        return said->value;
    NODE_EACH(one, said)
        buf_print(&b, "%s%.*s", one == said->first ? "" : ",", T(one->value));
    return buf_made(cli->arena, &b);
}

static void take_settings(struct cli *cli, const struct node *root, struct texter_options *out)
{
    const struct node *stop = node_get(root, TEXT("stop")), *in = node_get(root, TEXT("incoming"));
    text type = node_text(root, TEXT("type")), from = node_text(in, TEXT("from")), said = node_text(in, TEXT("text"));
    out->url = node_text(root, TEXT("url"));
    out->type = type.n ? type : TEXT("application/json");
    out->body = node_text(root, TEXT("body"));
    out->ca_file = node_text(root, TEXT("ca"));
    out->texts.sender = node_text(root, TEXT("sender"));
    out->texts.stop_fr = node_text(stop, TEXT("fr"));
    out->texts.stop_en = node_text(stop, TEXT("en"));
    out->texts.from = from.n ? from : TEXT("from");
    out->texts.said = said.n ? said : TEXT("text");
    out->texts.words = stop_words(cli, node_get(root, TEXT("stop_words")));
}

/* A file of settings, and nothing in it but those: known, a blank between. */
static enum err read_settings(struct cli *cli, text file, const char *known, const struct node **out)
{
    struct findings findings = { 0 };
    text raw;
    TRY(cli_read_file(cli, cli->arena, file, 64 << 10, &raw));
    enum err e = node_read(cli->arena, raw, &findings, out);
    if (e != OK || !*out || (*out)->kind != NODE_MAP) {
        cli_findings(cli, file, &findings, true);
        return cli_fault(cli, ERR_CONFIG, "%.*s is no map of settings in YAML",
                         "%.*s n'est pas une liste de réglages en YAML", T(file));
    }
    NODE_EACH(one, *out) {
        bool found = false;
        for (text rest = text_of(known); rest.n;)
            found |= text_eq(text_cut(&rest, ' '), one->key);
        if (!found)
            return cli_fault(cli, ERR_CONFIG, "%.*s has \"%.*s\", which is not a setting of this file",
                             "%.*s contient « %.*s », qui n'est pas un réglage de ce fichier", T(file), T(one->key));
    }
    return OK;
}

/* *out without a url where no gateway is set up. */
static enum err texter_options(struct cli *cli, text public_url, struct texter_options *out)
{
    text file = cli_option(cli, TEXT("sms"));
    const struct node *root = NULL;
    *out = (struct texter_options){ .type = TEXT("") };
    if (!file.n)
        return OK;
    if (!public_url.n)
        return cli_fault(cli, ERR_USAGE, "--sms needs --url https://…: the address for links in text messages",
                         "--sms demande --url https://… : l'adresse des liens dans les SMS");
    TRY(read_settings(cli, file, "url type body credentials sender stop incoming stop_words ca", &root));
    take_settings(cli, root, out);
    text credentials = node_text(root, TEXT("credentials"));
    if (!out->url.n || !out->body.n)
        return cli_fault(cli, ERR_CONFIG, "%.*s needs \"url\" and \"body\"", "%.*s demande « url » et « body »", T(file));
    return credentials.n ? texter_credentials(cli->arena, credentials, out) : OK;
}

/* ---- The mailbox that emails are fetched from. ---- */

static enum err take_mailbox(struct cli *cli, text file, const struct node *root, struct fetcher_options *out)
{
    const struct node *then = node_get(root, TEXT("then")), *every = node_get(root, TEXT("every"));
    text password = node_text(root, TEXT("password")), mailbox = node_text(root, TEXT("mailbox"));
    text said = node_text(root, TEXT("then"));
    bool moves = node_get(then, TEXT("move")) != NULL;
    *out = (struct fetcher_options){ .imap = { .url = node_text(root, TEXT("url")),
                                               .user = node_text(root, TEXT("user")),
                                               .mailbox = mailbox.n ? mailbox : TEXT("INBOX"),
                                               .ca_file = node_text(root, TEXT("ca")) },
                                     .address = node_text(root, TEXT("address")),
                                     .into = node_text(then, TEXT("move")),
                                     .every = 60 };
    out->then = moves ? TEXT("move") : TEXT("seen");
    if (!moves && then)
        out->then = said;
    if (every && !text_int(node_text(root, TEXT("every")), &out->every))
        out->every = 0; /* refused where its bounds are */
    if (!out->imap.url.n || !out->address.n || !password.n)
        return cli_fault(cli, ERR_CONFIG, "%.*s needs \"url\", \"user\", \"password\" and \"address\"",
                         "%.*s demande « url », « user », « password » et « address »", T(file));
    TRY(credentials_file(cli->arena, password, &password));
    out->imap.password = text_trim(text_cut(&password, '\n'));
    return OK;
}

/* *out without a url where no mailbox is named. */
static enum err fetcher_options(struct cli *cli, struct fetcher_options *out)
{
    text file = cli_option(cli, TEXT("imap"));
    const struct node *root = NULL;
    *out = (struct fetcher_options){ .every = 0 };
    if (!file.n)
        return OK;
    TRY(read_settings(cli, file, "url user password mailbox address every then ca", &root));
    return take_mailbox(cli, file, root, out);
}

/* Where people reach this server, as said, or else as it listens: for links. Empty while the system has yet to choose
 * the port: the server then tells (app_listens). */
static enum err public_url(struct cli *cli, text listen, text *url)
{
    bool plain = text_starts(*url, TEXT("http://127.")) || text_starts(*url, TEXT("http://[::1]")) ||
                 text_starts(*url, TEXT("http://localhost"));
    if (!url->n && text_ends(listen, TEXT(":0")))
        return OK;
    if (!url->n)
        *url = arena_print(cli->arena, "%s://%.*s", cli_has(cli, TEXT("tls-certificate")) ? "https" : "http",
                           T(listen));
    else if (!text_starts(*url, TEXT("https://")) && !plain)
        return cli_fault(cli, ERR_USAGE, "--url is https://…, or http:// on this machine for tests",
                         "--url commence par https://, ou http:// sur cette machine pour les tests");
    return url->p ? OK : ERR_MEMORY;
}

struct links {
    struct smtp_options smtp;
    struct texter_options sms;
    struct fetcher_options imap;
};

static enum err run_server(struct cli *cli, struct app *app, const struct server_options *so, const struct links *l)
{
    const struct smtp_options *smtp = &l->smtp;
    const struct texter_options *sms = &l->sms;
    struct fetcher *fetcher = NULL;
    struct mailer *mailer = NULL;
    struct texter *texter = NULL;
    struct mail_reader *reader = NULL;
    struct lmtp *lmtp = NULL;
    struct courier *courier = NULL;
    struct teller *teller = NULL;
    struct reader as;
    text lmtp_at = cli_option(cli, TEXT("lmtp"));
    enum err e = reader_open(cli->arena, &reader, &as);
    if (e == OK) {
        inbound_open(app, &as, lmtp_at.n || l->imap.imap.url.n || cli_has(cli, TEXT("inbound")),
                     cli_option(cli, TEXT("mail-host")));
        e = smtp->url.n ? mailer_start(cli->arena, app, smtp, &mailer) : OK;
    }
    if (e == OK && sms->url.n)
        e = texter_start(cli->arena, app, sms, &texter);
    if (e == OK && !smtp->url.n)
        LOG(LOG_INFO, "letters are kept: no --smtp");
    if (e == OK && lmtp_at.n)
        e = lmtp_start(cli->arena, app, lmtp_at, &lmtp);
    if (e == OK && l->imap.imap.url.n)
        e = fetcher_start(cli->arena, app, &l->imap, &fetcher);
    if (e == OK)
        e = stores_start(cli->arena, app, &courier);
    if (e == OK)
        e = teller_start(cli->arena, app, &teller);
    if (e == OK)
        e = server_run(cli->arena, app, so);
    teller_stop(&teller);
    stores_stop(&courier);
    fetcher_stop(&fetcher);
    lmtp_stop(&lmtp);
    texter_stop(&texter);
    mailer_stop(&mailer);
    inbound_open(app, NULL, false, TEXT(""));
    reader_close(&reader);
    return e;
}

enum err verb_serve(struct cli *cli)
{
    struct started s = { .cli = cli, .began = clock_monotonic() };
    struct app_options options;
    struct links links;
    struct findings findings = { 0 };
    int64_t threads, connections, per_address;
    server_block_signals(); /* before the store makes its threads */
    TRY(cli_app_options(cli, true, &options));
    TRY(cli_number(cli, TEXT("threads"), 1, 64, 0, &threads));
    TRY(cli_number(cli, TEXT("connections"), 8, 100000, 0, &connections));
    TRY(cli_number(cli, TEXT("per-address"), 1, 100000, 0, &per_address));
    text listen = cli_has(cli, TEXT("listen")) ? cli_option(cli, TEXT("listen")) : TEXT("127.0.0.1:8080");
    if (text_eq(listen, TEXT("none")))
        listen = TEXT("");
    if (cli_has(cli, TEXT("proxy-from")) && !cli_has(cli, TEXT("proxy")))
        return cli_fault(cli, ERR_USAGE, "--proxy-from goes with --proxy", "--proxy-from va avec --proxy");
    TRY(check_clock(cli, listen));
    TRY(smtp_options(cli, options.public_url, &links.smtp));
    TRY(texter_options(cli, options.public_url, &links.sms));
    TRY(fetcher_options(cli, &links.imap));
    TRY(public_url(cli, listen, &options.public_url));
    if (!options.policy_file.n)
        return cli_fault(cli, ERR_USAGE, "name the policy with --policy FILE",
                         "indiquez la politique avec --policy FICHIER");
    options.lawful = !cli_has(cli, TEXT("unlawful"));
    if (!options.lawful)
        LOG(LOG_WARN, "the policy is run whatever the law says of it", LOG_TEXT("option", TEXT("--unlawful")));
    struct app *app = NULL;
    bool there = app_data_there(options.data_dir);
    struct arena_mark before = arena_mark(cli->arena); /* behind the settings read above, which stay */
    enum err e = app_open(cli->arena, &options, &findings, &app);
    cli_findings(cli, options.policy_file, &findings, true);
    if (e != OK) {
        if (!there)
            app_data_discard(options.data_dir);
        return e;
    }
    if (findings.questions)
        LOG(LOG_WARN, "a term of the policy may be minutes or months; it is read as months until the file says which",
            LOG_INT("terms", findings.questions));
    arena_back(cli->arena, before); /* what reading and judging the policy took would stay as long as the server does */
    struct server_options so = { .listen = listen,
                                 .data_dir = options.data_dir,
                                 .threads = (unsigned)threads,
                                 .connections = (unsigned)connections,
                                 .per_address = (unsigned)per_address,
                                 .proxy = cli_has(cli, TEXT("proxy")),
                                 .proxy_from = cli_option(cli, TEXT("proxy-from")),
                                 .tls_certificate = cli_option(cli, TEXT("tls-certificate")),
                                 .tls_key = cli_option(cli, TEXT("tls-key")),
                                 .access_log = cli_has(cli, TEXT("access-log")),
                                 .ready = ready,
                                 .ready_arg = &s };
    e = run_server(cli, app, &so, &links);
    app_close(&app);
    if (e != OK && !there && !s.served)
        app_data_discard(options.data_dir);
    return e;
}
