/* Verbs of care: journal, verify, backup, restore, token, policy. */
#include "cli/client.h"
#include "domain/keep/erase.h"
#include <limits.h>
#include <unistd.h>

static enum err ask(struct cli *cli, enum method method, text target, text body)
{
    CLIENT_AUTO client;
    struct result result;
    TRY(client_open(cli, &client));
    TRY(client_call(&client, method, target, body.n ? TEXT("application/json") : TEXT(""), body, 0, &result));
    return cli_answer(cli, result.body);
}

/* {"to": folder} and, for a backup with it, "keys". The server stands in another folder than this command. */
static enum err ask_folder(struct cli *cli, text target, text to, bool keys)
{
    char here[PATH_MAX];
    text body;
    if (to.n && to.p[0] != '/' && getcwd(here, sizeof here))
        to = arena_print(cli->arena, "%s/%.*s", here, T(to));
    BUF_AUTO b = buf_make(16384);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("to"), to);
    if (keys)
        json_pair_bool(&w, TEXT("keys"), true);
    json_close(&w, '}');
    TRY(buf_lend(cli->arena, &b, &body));
    return ask(cli, METHOD_POST, target, body);
}

enum err verb_journal(struct cli *cli)
{
    text what, index;
    TRY(cli_argument(cli, 0, "checkpoint, key, proof or export",
                     "checkpoint, key, proof ou export", &what));
    if (text_eq(what, TEXT("checkpoint")))
        return ask(cli, METHOD_GET, TEXT("/v1/journal/checkpoint"), TEXT(""));
    if (text_eq(what, TEXT("key")))
        return ask(cli, METHOD_GET, TEXT("/v1/journal/key"), TEXT(""));
    if (text_eq(what, TEXT("export"))) {
        TRY(cli_argument(cli, 1, "the folder to write into",
                     "le dossier où écrire", &index));
        return ask_folder(cli, TEXT("/v1/journal/export"), index, false);
    }
    if (!text_eq(what, TEXT("proof")))
        return cli_no_action(cli);
    int64_t n;
    TRY(cli_argument(cli, 1, "the index of an entry",
                     "l'index d'une écriture", &index));
    if (!text_int(index, &n) || n < 0)
        return cli_fault(cli, ERR_USAGE, "an index is a number",
                         "un index est un nombre");
    return ask(cli, METHOD_GET, arena_print(cli->arena, "/v1/journal/proof?index=%lld", (long long)n), TEXT(""));
}

/* Offline: a certificate or receipt and a key are all it takes. */
static enum err verify_file(struct cli *cli, text file,
                            enum err (*verify)(struct arena *a, text verifier, text file, struct answer *out))
{
    enum { CERTIFICATE_MAX = 4 << 20, KEY_MAX = 4096 };
    text key = cli_option(cli, TEXT("key")), certificate;
    struct answer answer = { 0 };
    if (!key.n)
        return cli_fault(cli, ERR_USAGE, "--certificate and --receipt need --key: the journal's public key, or a file that contains it",
                         "--certificate et --receipt demandent --key : la clé publique du journal, ou un fichier qui la contient");
    TRY(cli_read_file(cli, cli->arena, file, CERTIFICATE_MAX, &certificate));
    if (text_index(key, '+') < 0)
        TRY(cli_read_file(cli, cli->arena, key, KEY_MAX, &key));
    TRY(verify(cli->arena, key, certificate, &answer));
    return cli_answer(cli, answer.body);
}

/* A backup is held against the key that is given, or against that of the data folder. */
enum err cli_verify_backup(struct cli *cli, text dir, struct answer *answer)
{
    enum { KEY_MAX = 4096 };
    CLIENT_AUTO client = { .dir_fd = -1 };
    struct result result;
    text key = cli_option(cli, TEXT("key"));
    if (key.n && text_index(key, '+') < 0)
        TRY(cli_read_file(cli, cli->arena, key, KEY_MAX, &key));
    if (!key.n) {
        TRY(client_open(cli, &client));
        TRY(client_call(&client, METHOD_GET, TEXT("/v1/journal/key"), TEXT(""), TEXT(""), 0, &result));
        key = result.body;
    }
    return care_backup_verify(cli->arena, dir, key, answer);
}

/* In this process a bar shows how far it is; a server only says when it is done. */
static enum err verify_journal(struct cli *cli)
{
    CLIENT_AUTO client;
    struct result result;
    struct answer answer = { 0 };
    TRY(client_open(cli, &client));
    if (client.running) {
        TRY(client_call(&client, METHOD_POST, TEXT("/v1/journal/verify"), TEXT(""), TEXT(""), 0, &result));
        answer.body = result.body;
    } else {
        CTX_AUTO c = { 0 };
        ctx_begin(client.app, cli->arena, &c);
        TRY(care_verify(&c, cli_progress, &answer));
        cli_progress_end();
    }
    return cli_answer(cli, answer.body);
}

enum err verb_verify(struct cli *cli)
{
    text certificate = cli_option(cli, TEXT("certificate")), backup = cli_option(cli, TEXT("backup")),
         receipt = cli_option(cli, TEXT("receipt"));
    struct answer answer = { 0 };
    if (cli_has(cli, TEXT("key")) && !certificate.n && !receipt.n && !backup.n)
        return cli_fault(cli, ERR_USAGE, "--key goes with --certificate, --receipt or --backup; a data folder's journal is checked with its own key",
                         "--key va avec --certificate, --receipt ou --backup ; le journal d'un dossier de données est vérifié avec sa propre clé");
    if (backup.n) {
        TRY(cli_verify_backup(cli, backup, &answer));
        return cli_answer(cli, answer.body);
    }
    if (receipt.n)
        return verify_file(cli, receipt, receipt_verify);
    return certificate.n ? verify_file(cli, certificate, certificate_verify) : verify_journal(cli);
}

enum err verb_backup(struct cli *cli)
{
    text to;
    TRY(cli_argument(cli, 0, "the folder to copy into",
                     "le dossier où copier", &to));
    return ask_folder(cli, TEXT("/v1/backup"), to, cli_has(cli, TEXT("keys")));
}

enum err verb_rotate(struct cli *cli)
{
    text to;
    TRY(cli_argument(cli, 0, "the file of the new master key, made when absent",
                     "le fichier de la nouvelle clé maîtresse, créé s'il n'existe pas", &to));
    return ask_folder(cli, TEXT("/v1/keys/rotate"), to, false);
}

enum err verb_restore(struct cli *cli)
{
    text from;
    uint64_t silenced = 0;
    struct app_options options;
    TRY(cli_argument(cli, 0, "the folder of a backup",
                     "le dossier d'une sauvegarde", &from));
    TRY(cli_app_options(cli, false, &options));
    struct restoring what = { .dir = from,
                              .keys = cli_option(cli, TEXT("keys")),
                              .unsigned_too = cli_has(cli, TEXT("unsigned")) };
    TRY(care_restore(cli->arena, &what, &options, &silenced));
    return cli_answer(cli,
                      arena_print(cli->arena, "{\"restored\":true,\"silenced\":%llu}", (unsigned long long)silenced));
}

static bool is_address(text s)
{
    return text_starts(s, TEXT("postgresql://")) || text_starts(s, TEXT("postgres://")) || text_index(s, '=') >= 0;
}

/* --from and --to say which of the two is the folder and which the address; the rest is as everywhere. */
static enum err move_options(struct cli *cli, bool *out, struct app_options *options)
{
    text from = cli_option(cli, TEXT("from")), to = cli_option(cli, TEXT("to"));
    *out = is_address(to);
    if (!from.n || !to.n || is_address(from) == *out)
        return cli_fault(cli, ERR_USAGE,
                         "a move takes --from and --to: the data folder, and the address of the data on PostgreSQL",
                         "un déplacement demande --from et --to : le dossier des données, et l'adresse des données sur"
                         " PostgreSQL");
    enum err e = cli_app_options(cli, false, options); /* no folder of its own is needed */
    if (e != OK && options->data_dir.n)
        return e;
    options->data_dir = *out ? from : to;
    options->store_at = *out ? to : from;
    return options->keyring_at.n ? OK
                                 : cli_fault(cli, ERR_USAGE,
                                             "name the database of the keyring on PostgreSQL with --keyring ADDRESS",
                                             "indiquez la base du trousseau sur PostgreSQL avec --keyring ADRESSE");
}

enum err verb_move(struct cli *cli)
{
    struct app_options options;
    struct findings findings = { 0 };
    struct answer answer = { 0 };
    struct moving what = { .progress = cli_progress };
    TRY(move_options(cli, &what.out, &options));
    enum err e = care_move(cli->arena, &what, &options, &findings, &answer);
    cli_progress_end();
    cli_findings(cli, options.policy_file, &findings, e != OK);
    TRY(e);
    return cli_answer(cli, answer.body);
}

static enum err token_name(struct cli *cli, text *out)
{
    *out = cli_option(cli, TEXT("name"));
    return out->p ? OK : cli_argument(cli, 1, "the name of a token",
                     "le nom d'un jeton", out);
}

static enum err create_token(struct cli *cli)
{
    static const char *const members[] = { "actor", "tenant", "holder", "expires" };
    text name, body;
    TRY(token_name(cli, &name));
    BUF_AUTO b = buf_make(16384);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("name"), name);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (cli_has(cli, text_of(members[i])))
            json_pair(&w, text_of(members[i]), cli_option(cli, text_of(members[i])));
    json_close(&w, '}');
    TRY(buf_lend(cli->arena, &b, &body));
    return ask(cli, METHOD_POST, TEXT("/v1/tokens"), body);
}

enum err verb_token(struct cli *cli)
{
    static const char *const pages[] = { "after", "limit", NULL };
    text what, name;
    TRY(cli_argument(cli, 0, "create, list or revoke",
                     "create, list ou revoke", &what));
    if (text_eq(what, TEXT("create")))
        return create_token(cli);
    if (text_eq(what, TEXT("list")))
        return cli_ask(cli, METHOD_GET, cli_query(cli, TEXT("/v1/tokens"), pages), TEXT(""), TEXT(""), 0);
    if (!text_eq(what, TEXT("revoke")))
        return cli_no_action(cli);
    TRY(token_name(cli, &name));
    return ask(cli, METHOD_DELETE, cli_target(cli, "/v1/tokens/", name, ""), TEXT(""));
}

enum err verb_policy(struct cli *cli)
{
    text what = cli->argument_count ? cli->arguments[0] : TEXT("show");
    CLIENT_AUTO client = { 0 };
    struct result result;
    const struct json *policy;
    if (text_eq(what, TEXT("reload")))
        return ask(cli, METHOD_POST, TEXT("/v1/policy/reload"), TEXT(""));
    if (!text_eq(what, TEXT("show")) && !text_eq(what, TEXT("source")))
        return cli_no_action(cli);
    TRY(client_open(cli, &client));
    TRY(client_call(&client, METHOD_GET, TEXT("/v1/policy"), TEXT(""), TEXT(""), 0, &result));
    TRY(json_parse(cli->arena, result.body, &policy));
    if (text_eq(what, TEXT("source"))) {
        cli_print(json_text(policy, TEXT("source")));
        return OK;
    }
    if (cli->json) {
        return cli_answer(cli, result.body);
    }
    static const char *const members[] = { "id", "version", "date", "hash", "file" };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        cli_line(arena_print(cli->arena, "%s: %.*s", members[i], T(json_text(policy, text_of(members[i])))));
    return OK;
}
