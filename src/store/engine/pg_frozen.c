/* A server that stands still: its sockets stay open, its kernel answers for it, and libpq would wait for ever.
 *
 * A thread looks at who waits. Where somebody waits for long, it asks at the same address, by a connection of its own,
 * whether anybody is there: a statement may take its time, but a server that lets nobody in answers nobody. Then the
 * sockets of all connections there are shut, and who waits goes on as after any connection that was lost. */
#include "store/engine/pg.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* LONG + ASK + TICK is how late it is found out: well within two seconds, in which who asks is refused. */
enum { TICK = 100, LONG = 400, ASK = 800, SILENT = 2 * SECOND, WORDS = 9 };

static struct {
    pthread_mutex_t turn; /* of who starts and ends the thread */
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    pthread_t thread;
    struct pg_waiting *first;
    bool ends;
    struct pg_waiting silent; /* a copy of who was not answered last */
    msec silent_at;           /* when */
} all = { .turn = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

void pg_asks(struct conn *c) { atomic_store(&c->waiting.since, clock_monotonic()); }
void pg_told(struct conn *c) { atomic_store(&c->waiting.since, 0); }

PGresult *pg_exec(struct conn *c, const char *sql) { return PG_WAIT(c, c->pq->PQexec(c->handle, sql)); }

/* ---- Whether anybody is there. ---- */

/* The first byte is the answer, whatever it says: a server that stands still sends none, and nobody signs in here. */
static bool is_silent(const struct pg_calls *pq, PGconn *asked)
{
    msec until = clock_monotonic() + ASK;
    PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
    if (pq->PQstatus(asked) == CONNECTION_BAD)
        return false;
    for (msec left; (left = until - clock_monotonic()) > 0;) {
        struct pollfd p = { .fd = pq->PQsocket(asked), .events = wants == PGRES_POLLING_READING ? POLLIN : POLLOUT };
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        if (wants == PGRES_POLLING_READING)
            return false;
        wants = pq->PQconnectPoll(asked);
        if (wants == PGRES_POLLING_OK || wants == PGRES_POLLING_FAILED)
            return false;
    }
    return true;
}

#define NOBODYS "/dev/null/none" /* a file that is never there; of /dev/null itself libpq would warn */

/* The address says how its link is encrypted, but where the policy asks for more. A password is for nobody here: what
 * answers is not known. */
static void probe_words(const struct pg_waiting *w, const char **names, const char **values)
{
    const char *const all_names[] = {
        "dbname", "host", "port", "target_session_attrs", "passfile", w->address[0] ? "hostaddr" : NULL, NULL
    };
    const char *const all_values[] = { w->place, w->host, w->port, "any", NOBODYS, w->address };
    unsigned n = 0;
    for (; all_names[n]; n++) {
        names[n] = all_names[n];
        values[n] = all_values[n];
    }
    if (w->verified) {
        names[n] = "sslmode";
        values[n] = "verify-full";
    }
}

/* `w` is a copy: its connection may be closed meanwhile. */
static bool is_frozen(const struct pg_waiting *w)
{
    const char *names[WORDS] = { 0 }, *values[WORDS] = { 0 };
    probe_words(w, names, values);
    PGconn *asked = w->pq->PQconnectStartParams(names, values, 1);
    bool silent = asked && is_silent(w->pq, asked);
    w->pq->PQfinish(asked);
    return silent;
}

/* ---- The thread. ---- */

static msec waited(const struct pg_waiting *w, msec now)
{
    msec since = atomic_load(&w->since);
    return since ? now - since : 0;
}

/* Who has waited until it is time to ask: a copy. */
static bool who_waits(struct pg_waiting *out)
{
    msec now = clock_monotonic();
    for (struct pg_waiting *w = all.first; w; w = w->next) {
        msec so_far = waited(w, now);
        if (so_far < LONG)
            w->ask = LONG;
        if (so_far < w->ask)
            continue;
        w->ask = so_far + (so_far / 4 > LONG ? so_far / 4 : LONG);
        memcpy(out, w, sizeof *out);
        return true;
    }
    return false;
}

/* All there, whoever waits: who does not yet would be the next. */
static void cut(const struct pg_waiting *there)
{
    for (struct pg_waiting *w = all.first; w; w = w->next)
        if (text_eq(text_of(w->host), text_of(there->host)) && text_eq(text_of(w->port), text_of(there->port)) &&
            text_eq(text_of(w->address), text_of(there->address)))
            shutdown(w->fd, SHUT_RDWR);
}

static void tick(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_clockwait(&all.wake, &all.lock, CLOCK_MONOTONIC, &until);
}

static void *watch(void *arg)
{
    static struct pg_waiting who; /* of this thread, of which there is one */
    (void)arg;
    pthread_mutex_lock(&all.lock);
    while (!all.ends) {
        if (!who_waits(&who)) {
            tick();
            continue;
        }
        pthread_mutex_unlock(&all.lock);
        bool frozen = is_frozen(&who);
        pthread_mutex_lock(&all.lock);
        if (!frozen)
            continue;
        cut(&who);
        memcpy(&all.silent, &who, sizeof who);
        all.silent_at = clock_monotonic();
    }
    pthread_mutex_unlock(&all.lock);
    return NULL;
}

/* Of either database: without one of them nothing is answered. */
bool pg_is_silent(void)
{
    pthread_mutex_lock(&all.lock);
    bool silent = all.silent_at && clock_monotonic() - all.silent_at < SILENT;
    pthread_mutex_unlock(&all.lock);
    return silent;
}

/* ---- Who is watched. ---- */

static void kept(char *to, size_t size, const char *from)
{
    if (!from || !text_cstr(text_of(from), to, size))
        to[0] = '\0';
}

static void filled(struct conn *c)
{
    struct pg_waiting *w = &c->waiting;
    w->pq = c->pq;
    w->verified = c->place.verified;
    w->ask = LONG;
    kept(w->place, sizeof w->place, c->place.at);
    kept(w->host, sizeof w->host, c->pq->PQhost(c->handle));
    kept(w->port, sizeof w->port, c->pq->PQport(c->handle));
    kept(w->address, sizeof w->address, c->pq->PQhostaddr(c->handle));
}

enum err pg_watch(struct db *db)
{
    struct conn *c = db->conn;
    filled(c);
    c->waiting.fd = fcntl(c->pq->PQsocket(c->handle), F_DUPFD_CLOEXEC, 0);
    if (c->waiting.fd < 0)
        return say(db->arena, ERR_STORAGE, "no descriptor to watch a connection to PostgreSQL");
    pthread_mutex_lock(&all.turn);
    pthread_mutex_lock(&all.lock);
    bool runs = all.first || pthread_create(&all.thread, NULL, watch, NULL) == 0;
    if (text_eq(text_of(all.silent.place), text_of(c->waiting.place)))
        all.silent_at = 0; /* it let us in */
    if (runs) {
        c->waiting.next = all.first;
        if (all.first)
            all.first->at = &c->waiting.next;
        c->waiting.at = &all.first;
        all.first = &c->waiting;
    }
    pthread_mutex_unlock(&all.lock);
    pthread_mutex_unlock(&all.turn);
    if (!runs) {
        close(c->waiting.fd);
        return say(db->arena, ERR_INTERNAL, "the thread that watches PostgreSQL cannot be started");
    }
    return OK;
}

void pg_unwatch(struct conn *c)
{
    struct pg_waiting *w = &c->waiting;
    if (!w->at)
        return;
    pthread_mutex_lock(&all.turn);
    pthread_mutex_lock(&all.lock);
    *w->at = w->next;
    if (w->next)
        w->next->at = w->at;
    w->at = NULL;
    all.ends = !all.first;
    pthread_cond_signal(&all.wake);
    pthread_mutex_unlock(&all.lock);
    if (all.ends)
        pthread_join(all.thread, NULL);
    all.ends = false;
    pthread_mutex_unlock(&all.turn);
    close(w->fd);
}
