/* The link to a database of PostgreSQL: its address, its password, and whether it is encrypted as asked. */
#include "store/engine/pg.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PASSWORD_MAX = 1024, WORDS = 12 };

/* What libpq is told, a pair each; a NULL ends them. What stands behind the address is in force whatever it says. */
struct words {
    const char *names[WORDS], *values[WORDS];
    unsigned count;
};

static void word(struct words *w, const char *name, const char *value)
{
    must(w->count + 1 < WORDS);
    w->names[w->count] = name;
    w->values[w->count] = value;
    w->count++;
}

static const char *option_of(const struct db *db) { return db->file == FILE_DATA ? "--store" : "--keyring"; }

static enum err away(struct db *db)
{
    /* libpq's own message may have what stands in the address */
    return say(db->arena, ERR_STORAGE, "no connection to the PostgreSQL database of %s", option_of(db));
}

/* ---- The address. ---- */

static bool has_password(const PQconninfoOption *list)
{
    for (const PQconninfoOption *o = list; o && o->keyword; o++)
        if (text_eq(text_of(o->keyword), TEXT("password")) && o->val && o->val[0])
            return true;
    return false;
}

static enum err address_sound(struct db *db, const char *at)
{
    const struct pg_calls *pq = db->conn->pq;
    PQconninfoOption *list = pq->PQconninfoParse(at, NULL);
    bool sound = list, password = has_password(list);
    pq->PQconninfoFree(list);
    if (!sound)
        return say(db->arena, ERR_CONFIG, "%s is no address of PostgreSQL: write postgresql://NAME@HOST/DATABASE",
                   option_of(db));
    return password ? say(db->arena, ERR_CONFIG,
                          "the address of %s has a password, which others on this machine can read: put it into a file "
                          "(%s-password-file, or passfile= in the address)",
                          option_of(db), option_of(db))
                    : OK;
}

/* ---- The password. ---- */

static enum err password_path(struct db *db, text said, char path[PATH_MAX])
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    text name = text_from(said, sizeof "credential:" - 1);
    if (!text_starts(said, TEXT("credential:")))
        return text_cstr(said, path, PATH_MAX)
                   ? OK
                   : say(db->arena, ERR_CONFIG, "the name of a password's file is too long");
    if (!folder || text_index(name, '/') >= 0 ||
        !text_cstr(arena_print(db->arena, "%s/%.*s", folder, T(name)), path, PATH_MAX))
        return say(db->arena, ERR_CONFIG, "systemd gave no credential of that name");
    return OK;
}

/* Read at each connection, so that one that was changed is in force at the next. */
static enum err password_read(struct db *db, const char *said, text *out)
{
    char path[PATH_MAX];
    struct stat st;
    text whole;
    TRY(password_path(db, text_of(said), path));
    if (stat(path, &st) != 0)
        return say(db->arena, ERR_CONFIG, "the file of %s-password-file cannot be read: %s", option_of(db),
                   strerror(errno));
    if (st.st_mode & S_IRWXO)
        return say(db->arena, ERR_CONFIG, "the file of %s-password-file is open to everybody: chmod o= it",
                   option_of(db));
    TRY(file_read(db->arena, path, PASSWORD_MAX, &whole));
    *out = arena_copy(db->arena, text_trim(text_cut(&whole, '\n')));
    return out->n ? OK
                  : say(db->arena, ERR_CONFIG, "the file of %s-password-file has no password in its first line",
                        option_of(db));
}

/* ---- The link. ---- */

static bool is_full(const PQconninfoOption *list)
{
    for (const PQconninfoOption *o = list; o && o->keyword; o++)
        if (text_eq(text_of(o->keyword), TEXT("sslmode")))
            return o->val && text_eq(text_of(o->val), TEXT("verify-full"));
    return false;
}

/* A socket of this machine is no link. */
static bool is_linked(const struct conn *c)
{
    const char *host = c->pq->PQhost(c->handle);
    if (host && (host[0] == '/' || host[0] == '@'))
        return false;
    PQconninfoOption *list = c->pq->PQconninfo(c->handle);
    bool full = is_full(list);
    c->pq->PQconninfoFree(list);
    return !full || !c->pq->PQsslInUse(c->handle);
}

static const char *option_in(const PQconninfoOption *list, text name)
{
    for (const PQconninfoOption *o = list; o && o->keyword; o++)
        if (text_eq(text_of(o->keyword), name))
            return o->val && o->val[0] ? o->val : NULL;
    return NULL;
}

/* Whether all hosts of a list are this machine itself. */
static bool all_loopback(text hosts)
{
    bool all = hosts.n > 0;
    while (hosts.p && all) {
        text host = text_cut(&hosts, ',');
        all = text_eq(host, TEXT("127.0.0.1")) || text_eq(host, TEXT("::1")) || text_eq(host, TEXT("localhost"));
    }
    return all;
}

/* Whether the address leads to this machine by TCP. A socket's need not be known: nothing is encrypted there. */
static bool is_loopback(const struct conn *c, const char *at)
{
    PQconninfoOption *list = c->pq->PQconninfoParse(at, NULL);
    const char *host = option_in(list, TEXT("hostaddr"));
    host = host ? host : option_in(list, TEXT("host"));
    bool own = host && all_loopback(text_of(host));
    c->pq->PQconninfoFree(list);
    return own;
}

static enum err not_verified(struct db *db)
{
    return say(db->arena, ERR_POLICY,
               "the link to the PostgreSQL database of %s is not TLS with a certificate that was verified: its "
               "address says who signs it (sslrootcert=FILE)",
               option_of(db));
}

/* Whether a server answers there that was refused for its encryption alone. */
static bool answers(const struct conn *c, const char *at)
{
    struct words w = { .count = 0 };
    word(&w, "connect_timeout", "3");
    word(&w, "dbname", at);
    word(&w, "sslmode", "disable");
    word(&w, "password", "none"); /* in place of any: who answers is not known */
    return c->pq->PQpingParams(w.names, w.values, 1) == PQPING_OK;
}

enum err pg_link(struct db *db, const struct db_place *place)
{
    struct conn *c = db->conn;
    struct words w = { .count = 0 };
    text password = { NULL, 0 };
    TRY(address_sound(db, place->at));
    if (!c->writes && pg_is_silent())
        return away(db);
    bool verified = place->verified || (place->cautious && !is_loopback(c, place->at));
    c->place.verified = verified;
    if (place->password && place->password[0])
        TRY(password_read(db, place->password, &password));
    word(&w, "connect_timeout", "2"); /* what the address itself says of these is in force */
    word(&w, "keepalives_idle", "30");
    word(&w, "tcp_user_timeout", "1200");
    word(&w, "target_session_attrs", "read-write");
    word(&w, "fallback_application_name", "garant");
    word(&w, "dbname", place->at);
    if (password.n)
        word(&w, "password", password.p);
    if (verified) {
        word(&w, "sslmode", "verify-full");
        word(&w, "gssencmode", "disable");
    }
    c->handle = c->pq->PQconnectdbParams(w.names, w.values, 1);
    if (!c->handle)
        return say(db->arena, ERR_MEMORY, "no memory for a connection");
    if (c->pq->PQstatus(c->handle) != CONNECTION_OK)
        return verified && answers(c, place->at) ? not_verified(db) : away(db);
    db->linked = is_linked(c);
    return verified && db->linked ? not_verified(db) : pg_watch(db);
}

enum err pg_link_again(struct db *db)
{
    struct conn *c = db->conn;
    pg_unwatch(c);
    c->pq->PQfinish(c->handle); /* not PQreset(): it would keep a password that was changed since */
    c->handle = NULL;
    return pg_link(db, &c->place);
}
