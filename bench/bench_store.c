/* How fast the store alone takes writes: bench_store DIR THREADS SECONDS
 *
 * entry   a journal entry alone, as every audited read writes one
 * create  one key, one subject, two identifiers, one record, one entry
 * Prints how long the store takes to open, then acts per second, members to a commit, and microseconds to a commit. */
#include "store/store.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MICROS_MAX = 1000000 }; /* longer waits count as this long */
struct load {
    struct store *s;
    bool create;
    _Atomic bool *stop;
    _Atomic uint32_t *waits;
    uint64_t done;
    pthread_t thread;
};
struct person {
    struct subject_id id;
    struct digest email, login;
    sealed sealed;
};

static enum err create_run(struct db *db, struct write *w)
{
    const struct person *p = w->arg;
    TRY(db_run(db, SQL_IDENTIFIER_ADD, NULL,
               ARGS(V_TEXT(TEXT("acme")), V_TEXT(TEXT("email")), V_BYTES(TEXT_BYTES(p->email)), V_ID(p->id))));
    TRY(db_run(db, SQL_IDENTIFIER_ADD, NULL,
               ARGS(V_TEXT(TEXT("acme")), V_TEXT(TEXT("login")), V_BYTES(TEXT_BYTES(p->login)), V_ID(p->id))));
    TRY(db_run(
        db, SQL_SUBJECT_ADD, NULL,
        ARGS(V_TEXT(TEXT("acme")), V_ID(p->id), V_INT(1), V_INT(1), V_INT(0), V_NULL, V_TEXT(TEXT("form")), V_NULL)));
    return db_run(db, SQL_RECORD_PUT, NULL,
                  ARGS(V_TEXT(TEXT("acme")), V_ID(p->id), V_TEXT(TEXT("identity")), V_INT(0), V_INT(1),
                       V_SEALED(p->sealed), V_TEXT(TEXT("form")), V_INT(1), V_NULL, V_INT(0), V_INT(0)));
}

static enum err one(struct load *l, struct arena *a)
{
    struct person p = { 0 };
    struct key key;
    struct key_put put = { .tenant = TEXT("acme") };
    struct write w = { .event = { .act = l->create ? TEXT("subject.create") : TEXT("read"),
                                  .tenant = TEXT("acme"),
                                  .actor = TEXT("shop"),
                                  .purpose = TEXT("service"),
                                  .categories = TEXT("identity,contact"),
                                  .clause = TEXT("purposes.service"),
                                  .count = 1,
                                  .has_subject = true,
                                  .policy = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" } };
    msec now = clock_now(store_clock(l->s));
    crypt_random(&p, offsetof(struct person, sealed));
    for (unsigned i = 0; i < 6; i++)
        p.id.b[i] = (uint8_t)(now >> (40 - 8 * i));
    w.event.subject = p.id;
    w.event.who = p.email;
    if (!l->create)
        return store_write(l->s, a, &w);
    key_make(&key);
    put.subject = p.id;
    key_wrap(store_master(l->s), TEXT("acme"), p.id, 0, &key, put.wrapped);
    struct place place = {
        .tenant = TEXT("acme"), .subject = p.id, .table = TEXT("record"), .field = TEXT("identity")
    };
    static const char clear[300];
    TRY(seal(a, &key, &place, (text){ clear, sizeof clear }, &p.sealed));
    w.run = create_run;
    w.arg = &p;
    w.puts = &put;
    w.put_count = 1;
    return store_write(l->s, a, &w);
}

static uint64_t micros(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void *load_run(void *arg)
{
    struct load *l = arg;
    ARENA_AUTO a = arena_make(1 << 20);
    while (!atomic_load_explicit(l->stop, memory_order_relaxed)) {
        arena_reset(&a);
        uint64_t start = micros();
        if (one(l, &a) != OK) {
            fprintf(stderr, "bench_store: %s\n", a.why.detail);
            exit(1);
        }
        uint64_t took = micros() - start;
        atomic_fetch_add_explicit(&l->waits[took < MICROS_MAX ? took : MICROS_MAX], 1, memory_order_relaxed);
        l->done++;
    }
    return NULL;
}

/* The wait that `part` of them did not exceed, in milliseconds. */
static double percentile(const _Atomic uint32_t *waits, uint64_t all, double part)
{
    uint64_t seen = 0;
    unsigned i = 0;
    while (i < MICROS_MAX && (double)(seen += waits[i]) < part * (double)all)
        i++;
    return i / 1000.0;
}

static void measure(struct store *s, bool create, unsigned threads, unsigned seconds)
{
    _Atomic bool stop = false;
    struct load *loads = calloc(threads, sizeof *loads);
    _Atomic uint32_t *waits = calloc(MICROS_MAX + 1, sizeof *waits);
    if (!loads || !waits)
        exit(1);
    struct store_figures before = store_figures(s);
    struct timespec pause = { .tv_sec = seconds };
    msec start = clock_monotonic();
    for (unsigned i = 0; i < threads; i++) {
        loads[i] = (struct load){ .s = s, .create = create, .stop = &stop, .waits = waits };
        pthread_create(&loads[i].thread, NULL, load_run, &loads[i]);
    }
    nanosleep(&pause, NULL);
    stop = true;
    uint64_t done = 0;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(loads[i].thread, NULL);
        done += loads[i].done;
    }
    double took = (double)(clock_monotonic() - start) / SECOND;
    struct store_figures after = store_figures(s);
    uint64_t commits = after.commits - before.commits;
    printf("%-6s %3u threads %8.0f/s  p50 %6.2f  p99 %6.2f  p99.9 %6.2f ms  %5.1f a commit  %6.0f us a commit\n",
           create ? "create" : "entry", threads, (double)done / took, percentile(waits, done, 0.5),
           percentile(waits, done, 0.99), percentile(waits, done, 0.999), (double)done / (double)commits,
           (double)(after.fsync_us - before.fsync_us) / (double)commits);
    free(waits);
    free(loads);
}

int main(int argc, char **argv)
{
    ARENA_AUTO a = arena_make(1 << 20);
    int64_t threads, seconds;
    struct store *s;
    if (argc != 4 || !text_int(text_of(argv[2]), &threads) || !text_int(text_of(argv[3]), &seconds) || threads < 1 ||
        threads > 1024) {
        fprintf(stderr, "usage: bench_store DIR THREADS SECONDS\n");
        return 64;
    }
    struct store_options o = { .dir = text_of(argv[1]), .create = true, .clock = clock_real() };
    msec start = clock_monotonic();
    if (store_open(&a, &o, &s) != OK) {
        fprintf(stderr, "bench_store: %s\n", a.why.detail);
        return 1;
    }
    printf("open   %8lld ms with %llu entries\n", (long long)(clock_monotonic() - start),
           (unsigned long long)store_figures(s).journal_size);
    measure(s, false, (unsigned)threads, (unsigned)seconds);
    measure(s, true, (unsigned)threads, (unsigned)seconds);
    store_close(&s);
    return 0;
}
