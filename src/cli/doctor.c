/* doctor: the folder, the policy, the journal, the keys, the disk, the promises; each check a line, the worst decides
 * the status. */
#include "cli/client.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum level { GOOD, REMARK, BAD };
struct exam {
    struct cli *cli;
    struct buf *b;
    struct json_out w;
    unsigned bad;
};

static void found(struct exam *x, enum level level, text check, text detail)
{
    static const struct {
        text json, sign;
    } words[] = { { TEXT_INIT("good"), TEXT_INIT("✓") },
                  { TEXT_INIT("remark"), TEXT_INIT("!") },
                  { TEXT_INIT("bad"), TEXT_INIT("✗") } };
    x->bad += level == BAD;
    if (!x->cli->json) {
        buf_print(x->b, "%.*s %.*s%.*s %.*s\n", T(words[level].sign), T(check), T(SAY(x->cli, ":", " :")), T(detail));
        return;
    }
    json_open(&x->w, '{');
    json_pair(&x->w, TEXT("check"), check);
    json_pair(&x->w, TEXT("level"), words[level].json);
    json_pair(&x->w, TEXT("detail"), detail);
    json_close(&x->w, '}');
}

static void check_path(struct exam *x, text dir, const char *name, bool folder, bool secret)
{
    struct cli *cli = x->cli;
    text path = arena_print(cli->arena, "%.*s%s%s", T(dir), name[0] ? "/" : "", name);
    struct stat st;
    if (!path.p || stat(path.p, &st) != 0) {
        found(x, BAD, path, SAY(cli, "is missing", "manque"));
        return;
    }
    if (folder ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
        found(x, BAD, path, SAY(cli, "is of another kind than expected", "n'est pas de la nature attendue"));
    else if (st.st_uid != geteuid() && geteuid() != 0)
        found(x, BAD, path, SAY(cli, "belongs to another user", "appartient à un autre utilisateur"));
    else if (secret && (st.st_mode & 077))
        found(x, BAD, path,
              arena_print(cli->arena, "%.*s (%03o)", T(SAY(cli, "others may read it", "d'autres peuvent le lire")),
                          st.st_mode & 0777));
    else
        found(x, GOOD, path, arena_print(cli->arena, "%03o", st.st_mode & 0777));
}

static void check_disk(struct exam *x, text dir)
{
    enum { LOW_MB = 256, LOW_PERCENT = 5 };
    text path = arena_copy(x->cli->arena, dir);
    struct statvfs fs;
    if (!path.p || statvfs(path.p, &fs) != 0) {
        found(x, BAD, SAY(x->cli, "disk", "disque"), text_of(strerror(errno)));
        return;
    }
    uint64_t free_mb = (uint64_t)fs.f_bavail * fs.f_frsize >> 20, all_mb = (uint64_t)fs.f_blocks * fs.f_frsize >> 20;
    bool low = free_mb < LOW_MB || free_mb * 100 < all_mb * LOW_PERCENT;
    enum level level = free_mb < 16 ? BAD
                     : low ? REMARK : GOOD;
    found(x, level, SAY(x->cli, "disk", "disque"),
          arena_print(x->cli->arena, "%llu / %llu MB %.*s", (unsigned long long)free_mb, (unsigned long long)all_mb,
                      T(SAY(x->cli, "free", "libres"))));
}

static void check_limits(struct exam *x)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        found(x, limit.rlim_max < 4096 ? REMARK : GOOD, SAY(x->cli, "open files", "fichiers ouverts"),
              arena_print(x->cli->arena, "%llu", (unsigned long long)limit.rlim_max));
}

/* The reason of a failed call, told as a check and forgotten. */
static void failed(struct exam *x, text check)
{
    const struct why *why = &x->cli->arena->why;
    found(x, BAD, check, arena_print(x->cli->arena, "%s", why->detail));
}

/* Each probe of the promise board, by its title; what breaks a promise is bad. */
static void check_promises(struct exam *x, struct client *client)
{
    struct cli *cli = x->cli;
    struct result result;
    const struct json *board;
    if (client_call(client, METHOD_GET, TEXT("/v1/promises?fresh=true"), TEXT(""), TEXT(""), 0, &result) != OK ||
        json_parse(cli->arena, result.body, &board) != OK) {
        failed(x, SAY(cli, "promises", "promesses"));
        return;
    }
    JSON_EACH(one, json_get(board, TEXT("probes"))) {
        text state = json_text(one, TEXT("state")), label = json_text(one, TEXT("unit")),
             detail = json_text(one, TEXT("risk"));
        const struct json *number = json_get(one, TEXT("figure"));
        bool broken = text_eq(state, TEXT("broken")), risk = text_eq(state, TEXT("at_risk"));
        if (broken) {
            label = json_text(one, TEXT("bad_unit"));
            number = json_get(one, TEXT("bad"));
        }
        if (!risk)
            detail = arena_print(cli->arena, "%.*s%.*s %.*s", T(label), T(SAY(cli, ":", " :")), T(number->value));
        found(x, broken ? BAD
                 : risk ? REMARK : GOOD, json_text(one, TEXT("title")), detail);
    }
}

static int64_t number_of(const struct json *v, text name)
{
    int64_t n = 0;
    return json_get(v, name) && json_int(json_get(v, name), &n) ? n : 0;
}

/* Rows that are not as the journal's entries left them. */
static void put_altered(struct exam *x, const struct json *found_at)
{
    struct cli *cli = x->cli;
    text title = SAY(cli, "altered", "altéré");
    const struct json *list = json_get(found_at, TEXT("altered"));
    JSON_EACH(one, list)
        found(x, BAD, title,
              arena_print(cli->arena, "%.*s, %.*s, %.*s: %.*s, %.*s %lld", T(json_text(one, TEXT("table"))),
                          T(json_text(one, TEXT("under"))), T(json_text(one, TEXT("row"))),
                          T(json_text(one, TEXT("what"))), T(SAY(cli, "journal entry", "écriture du journal")),
                          (long long)number_of(one, TEXT("entry"))));
    int64_t more = number_of(found_at, TEXT("altered_all")) - (list ? (int64_t)list->count : 0);
    if (more > 0)
        found(x, BAD, title, arena_print(cli->arena, "%lld %.*s", (long long)more, T(SAY(cli, "more", "de plus"))));
}

/* Where the board found something that cannot be read: without values. */
static void check_readable(struct exam *x, struct client *client)
{
    struct cli *cli = x->cli;
    struct result result;
    const struct json *found_at;
    text title = SAY(cli, "unreadable", "illisible");
    if (client_call(client, METHOD_GET, TEXT("/v1/unreadable"), TEXT(""), TEXT(""), 0, &result) != OK ||
        json_parse(cli->arena, result.body, &found_at) != OK) {
        failed(x, title);
        return;
    }
    const struct json *list = json_get(found_at, TEXT("unreadable"));
    JSON_EACH(one, list)
        found(x, BAD, title,
              arena_print(cli->arena, "%.*s %.*s %.*s %.*s %.*s", T(json_text(one, TEXT("tenant"))),
                          T(json_text(one, TEXT("person"))), T(json_text(one, TEXT("kind"))),
                          T(json_text(one, TEXT("category"))), T(json_text(one, TEXT("item")))));
    put_altered(x, found_at);
    int64_t more = number_of(found_at, TEXT("all")) - (list ? (int64_t)list->count : 0);
    if (more > 0)
        found(x, BAD, title, arena_print(cli->arena, "%lld %.*s", (long long)more, T(SAY(cli, "more", "de plus"))));
}

/* The mailbox that emails are fetched from, where there is one. */
static void check_mailbox(struct exam *x, const struct json *box)
{
    struct cli *cli = x->cli;
    text title = SAY(cli, "mailbox (IMAP)", "boîte de réception (IMAP)"), code = json_text(box, TEXT("code"));
    text since = json_text(box, TEXT("since"));
    if (!json_get(box, TEXT("reached")))
        return;
    if (json_get(box, TEXT("reached"))->truth)
        found(x, GOOD, title, SAY(cli, "answers", "répond"));
    else if (!code.n)
        found(x, REMARK, title, SAY(cli, "was not asked yet", "n'a pas encore été interrogée"));
    else
        found(x, BAD, title,
              arena_print(cli->arena, "%.*s %.*s%.*s%.*s%s",
                          T(SAY(cli, "emails are not fetched:", "les courriels ne sont pas relevés :")), T(code),
                          T(since.n ? SAY(cli, " (it last answered at ", " (dernière réponse : ") : TEXT("")), T(since), since.n ? ")" : ""));
}

/* Letters that wait, and those that never went. */
static void check_letters(struct exam *x, struct client *client)
{
    struct cli *cli = x->cli;
    struct result result;
    const struct json *mail;
    text title = SAY(cli, "emails", "courriels");
    if (client_call(client, METHOD_GET, TEXT("/v1/mail"), TEXT(""), TEXT(""), 0, &result) != OK ||
        json_parse(cli->arena, result.body, &mail) != OK) {
        failed(x, title);
        return;
    }
    long long queued = number_of(mail, TEXT("queued")), lost = number_of(mail, TEXT("given_up"));
    bool sender = !client->running || (json_get(mail, TEXT("sender")) && json_get(mail, TEXT("sender"))->truth);
    text words = queued == 1 ? SAY(cli, "email waits", "courriel attend")
                             : SAY(cli, "emails wait", "courriels attendent");
    text why = sender ? TEXT("")
                      : SAY(cli, ": the server was started without --smtp", " : le serveur a été démarré sans --smtp");
    found(x, sender ? GOOD : REMARK, title, arena_print(cli->arena, "%lld %.*s%.*s", queued, T(words), T(why)));
    if (lost)
        found(x, REMARK, title,
              arena_print(cli->arena, "%lld %.*s", lost,
                          T(SAY(cli, "could not be sent in the last 30 days",
                                "n'ont pu être envoyés ces 30 derniers jours"))));
    check_mailbox(x, json_get(mail, TEXT("mailbox")));
}

/* How long the policy in force lets a copy of the keyring be kept; TERM_UNSET: it does not say. A policy whose terms
 * cannot be read is never in force. */
static enum err keyring_keep(struct exam *x, struct client *client, struct term *out)
{
    struct result result;
    const struct json *said;
    *out = (struct term){ .unit = TERM_UNSET };
    TRY(client_call(client, METHOD_GET, TEXT("/v1/policy"), TEXT(""), TEXT(""), 0, &result));
    TRY(json_parse(x->cli->arena, result.body, &said));
    text keep = json_text(json_get(json_get(said, TEXT("document")), TEXT("backup")), TEXT("keyring_keep"));
    if (!term_parse(keep, out))
        out->unit = TERM_UNSET;
    return OK;
}

static void put_left(struct exam *x, msec left, struct term keep)
{
    struct cli *cli = x->cli;
    struct clock clock = clock_real();
    text title = SAY(cli, "old keyring", "ancien trousseau");
    text why = SAY(cli, "keys.db of before the move still opens who is erased since: remove it with data.db",
                   "keys.db d'avant le déplacement ouvre encore qui est effacé depuis : supprimez-le avec data.db");
    if (keep.unit == TERM_UNSET || keep.unit == TERM_ALWAYS) {
        found(x, keep.unit == TERM_UNSET ? BAD : REMARK, title, why);
        return;
    }
    msec end = term_end(left, keep, 1);
    text day = date_print(cli->arena, date_of(end));
    found(x, clock_now(&clock) > end ? BAD : REMARK, title,
          arena_print(cli->arena, "%.*s (%.*s %.*s)", T(why), T(SAY(cli, "at the latest on", "au plus tard le")), T(day)));
}

/* What a move left in the folder: a copy of the keyring, which may stay as long as those of backups. */
static void check_left(struct exam *x, struct client *client, text dir)
{
    struct stat moved, keys;
    struct term keep;
    text mark = arena_print(x->cli->arena, "%.*s/moved", T(dir)), old = arena_print(x->cli->arena, "%.*s/keys.db", T(dir));
    if (!mark.p || !old.p || stat(mark.p, &moved) != 0 || stat(old.p, &keys) != 0)
        return;
    if (keyring_keep(x, client, &keep) != OK)
        failed(x, SAY(x->cli, "old keyring", "ancien trousseau"));
    else
        put_left(x, (msec)moved.st_mtim.tv_sec * SECOND, keep);
}

static void check_instance(struct exam *x, text dir)
{
    struct cli *cli = x->cli;
    text instance = SAY(cli, "policy, store and keyring", "politique, stockage et trousseau"),
         journal = SAY(cli, "journal", "journal");
    CLIENT_AUTO client;
    struct result result;
    struct answer answer = { 0 };
    if (client_open(cli, &client) != OK) {
        failed(x, instance);
        return;
    }
    if (client_call(&client, METHOD_GET, TEXT("/healthz"), TEXT(""), TEXT(""), 0, &result) != OK) {
        failed(x, instance);
        return;
    }
    found(x, GOOD, instance,
          client.running ? SAY(cli, "a server runs on them", "un serveur tourne dessus")
                         : SAY(cli, "open", "s'ouvrent"));
    enum err e;
    if (client.running)
        e = client_call(&client, METHOD_GET, TEXT("/v1/journal/checkpoint"), TEXT(""), TEXT(""), 0, &result);
    else {
        CTX_AUTO c = { 0 };
        ctx_begin(client.app, cli->arena, &c);
        e = care_verify(&c, cli_progress, &answer);
        cli_progress_end();
    }
    if (e != OK)
        failed(x, journal);
    else
        found(x, GOOD, journal,
              client.running ? SAY(cli, "signs checkpoints; garant verify reads all of it",
                                   "signe ses points de contrôle ; garant verify le relit en entier")
                             : SAY(cli, "verified from its first entry to its last",
                                   "vérifié de sa première écriture à sa dernière"));
    check_left(x, &client, dir);
    check_promises(x, &client);
    check_readable(x, &client);
    check_letters(x, &client);
}

/* The backup that is named: every byte of it signed by this instance, or the place where it is not. */
static void check_backup(struct exam *x, text dir)
{
    struct cli *cli = x->cli;
    struct answer answer = { 0 };
    text title = arena_print(cli->arena, "%.*s %.*s", T(SAY(cli, "backup", "sauvegarde")), T(dir));
    if (cli_verify_backup(cli, dir, &answer) != OK)
        failed(x, title);
    else
        found(x, GOOD, title,
              SAY(cli, "is whole, and signed by this instance", "est entière, et signée par cette instance"));
}

enum err verb_doctor(struct cli *cli)
{
    BUF_AUTO b = buf_make(4 << 20);
    struct exam x = { .cli = cli, .b = &b, .w = json_out(&b) };
    struct app_options options;
    TRY(cli_app_options(cli, false, &options));
    if (cli->json)
        json_open(&x.w, '[');
    check_path(&x, options.data_dir, "", true, true);
    if (app_data_elsewhere(options.data_dir))
        found(&x, GOOD, SAY(cli, "databases", "bases de données"),
              SAY(cli, "on PostgreSQL", "sur PostgreSQL"));
    else {
        check_path(&x, options.data_dir, "data.db", false, true);
        check_path(&x, options.data_dir, "keys.db", false, true);
    }
    if (options.master_file.n)
        check_path(&x, options.master_file, "", false, true);
    else
        check_path(&x, options.data_dir, "master.key", false, true);
    check_disk(&x, options.data_dir);
    check_limits(&x);
    check_instance(&x, options.data_dir);
    if (cli_has(cli, TEXT("backup")))
        check_backup(&x, cli_option(cli, TEXT("backup")));
    if (cli->json) {
        json_close(&x.w, ']');
        buf_char(&b, '\n');
    }
    TRY(cli_give(cli, &b));
    return x.bad ? cli_fault(cli, ERR_CONFIG, "failed checks: %u",
                             "contrôles en échec : %u", x.bad) : OK;
}
