/* Counting requests: slots of statuses, buckets of latency; and their sums as Prometheus reads them. */
#include "domain/instance/care.h"
#include "domain/instance/jobs.h"
#include "domain/mail/inbound.h"
#include "domain/mail/sent.h"
#include "domain/usage/capacity.h"
#include "front/door/front.h"
#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static enum status_slot slot_of(int status)
{
    switch (status) {
#define X(number)                                                                                                      \
    case number:                                                                                                       \
        return SLOT_##number;
        STATUSES(X)
#undef X
    default:
        return SLOT_OTHER;
    }
}

static void add(_Atomic uint64_t *counter, uint64_t n) { atomic_fetch_add_explicit(counter, n, memory_order_relaxed); }

void counters_add(struct counters *c, const struct route *route, int status, uint64_t microseconds)
{
    size_t row = route ? route_id(route) : ROUTE_COUNT, bucket = 0;
    while (bucket < LATENCY_BUCKETS - 1 && microseconds > load_upto_us[bucket])
        bucket++;
    add(&c->requests[row][slot_of(status)], 1);
    add(&c->latency[row][bucket], 1);
    add(&c->latency_us[row], microseconds);
}

uint64_t metrics_microseconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* ---- GET /metrics: the text form of Prometheus, 0.0.4. ---- */

static uint64_t sum(const struct front *f, size_t offset)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < f->threads; i++)
        if (f->counters[i])
            total += atomic_load_explicit(
                (const _Atomic uint64_t *)(const void *)((const char *)f->counters[i] + offset), memory_order_relaxed);
    return total;
}

#define SUM(f, member) sum((f), offsetof(struct counters, member))

void metrics_load(void *arg, struct load_counts *out)
{
    const struct front *f = arg;
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        out->responses[i] = 0;
        for (size_t row = 0; row <= ROUTE_COUNT; row++)
            out->responses[i] += SUM(f, latency[row][i]);
    }
}

static void put(struct buf *b, const char *name, const char *kind, const char *help, uint64_t value)
{
    buf_print(b, "# HELP garant_%s %s\n# TYPE garant_%s %s\ngarant_%s %llu\n", name, help, name, kind, name,
              (unsigned long long)value);
}

static text row_name(size_t row) { return row < ROUTE_COUNT ? route_row((enum route_id)row)->name : TEXT("none"); }

static void put_requests(struct buf *b, const struct front *f)
{
    static const char *const words[] = {
#define X(number) #number,
        STATUSES(X)
#undef X
            "other"
    };
    buf_add(
        b,
        TEXT(
            "# HELP garant_requests_total Answered requests by route and status.\n# TYPE garant_requests_total counter\n"));
    for (size_t row = 0; row <= ROUTE_COUNT; row++)
        for (size_t slot = 0; slot < STATUS_SLOTS; slot++) {
            uint64_t n = SUM(f, requests[row][slot]);
            if (n)
                buf_print(b, "garant_requests_total{route=\"%.*s\",status=\"%s\"} %llu\n", T(row_name(row)),
                          words[slot], (unsigned long long)n);
        }
}

static void put_latency(struct buf *b, const struct front *f)
{
    buf_add(
        b,
        TEXT("# HELP garant_request_seconds From the head of a request to its answer.\n# TYPE garant_request_seconds "
             "histogram\n"));
    for (size_t row = 0; row <= ROUTE_COUNT; row++) {
        uint64_t counts[LATENCY_BUCKETS], total = 0, so_far = 0;
        for (size_t i = 0; i < LATENCY_BUCKETS; i++)
            total += counts[i] = SUM(f, latency[row][i]);
        if (!total)
            continue;
        text name = row_name(row);
        for (size_t i = 0; i + 1 < LATENCY_BUCKETS; i++)
            buf_print(b, "garant_request_seconds_bucket{route=\"%.*s\",le=\"%g\"} %llu\n", T(name), load_upto_us[i] / 1e6,
                      (unsigned long long)(so_far += counts[i]));
        buf_print(b, "garant_request_seconds_bucket{route=\"%.*s\",le=\"+Inf\"} %llu\n", T(name),
                  (unsigned long long)total);
        buf_print(b, "garant_request_seconds_sum{route=\"%.*s\"} %.6f\n", T(name),
                  (double)SUM(f, latency_us[row]) / 1e6);
        buf_print(b, "garant_request_seconds_count{route=\"%.*s\"} %llu\n", T(name), (unsigned long long)total);
    }
}

static uint64_t open_descriptors(void)
{
    uint64_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n > 3 ? n - 3 : 0; /* ".", "..", and this one */
}

static uint64_t resident_bytes(void)
{
    char line[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, line, sizeof line) : -1;
    if (fd >= 0)
        close(fd);
    text rest = { line, n > 0 ? (size_t)n : 0 };
    int64_t pages = 0;
    text_cut(&rest, ' ');
    return text_int(text_cut(&rest, ' '), &pages) ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void put_process(struct buf *b, const struct front *f)
{
    struct rusage use = { 0 };
    getrusage(RUSAGE_SELF, &use);
    double cpu = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                 (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    buf_print(b, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.3f\n", cpu);
    buf_print(b, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %llu\n",
              (unsigned long long)resident_bytes());
    buf_print(b, "# TYPE process_open_fds gauge\nprocess_open_fds %llu\n", (unsigned long long)open_descriptors());
    put(b, "uptime_seconds", "gauge", "Since the server started.",
        (uint64_t)((clock_monotonic() - f->started) / SECOND));
}

static void put_histogram(struct buf *b, const char *name, const char *help, const uint64_t counts[STORE_BUCKETS],
                          const uint32_t *ends, double unit, double all)
{
    uint64_t so_far = 0;
    buf_print(b, "# HELP garant_%s %s\n# TYPE garant_%s histogram\n", name, help, name);
    for (size_t i = 0; i + 1 < STORE_BUCKETS; i++) {
        so_far += counts[i];
        buf_print(b, "garant_%s_bucket{le=\"%g\"} %llu\n", name, ends[i] * unit, (unsigned long long)so_far);
    }
    so_far += counts[STORE_BUCKETS - 1];
    buf_print(b, "garant_%s_bucket{le=\"+Inf\"} %llu\ngarant_%s_sum %.6f\ngarant_%s_count %llu\n", name,
              (unsigned long long)so_far, name, all, name, (unsigned long long)so_far);
}

static void put_store(struct buf *b, const struct figures *g)
{
    put(b, "subjects", "gauge", "People held.", g->subjects);
    put(b, "commits_total", "counter", "Commits of the store.", g->commits);
    put(b, "writes_total", "counter", "Writes in those commits.", g->writes);
    buf_print(
        b,
        "# HELP garant_fsync_seconds_total Time spent making commits durable.\n# TYPE garant_fsync_seconds_total counter\n"
        "garant_fsync_seconds_total %.6f\n",
        (double)g->fsync_us / 1e6);
    put_histogram(b, "group_seconds", "From the writer's taking a group of writes to its callers being told.",
                  g->groups.took, g->groups.took_upto, 1e-6, (double)g->groups.took_us / 1e6);
    put_histogram(b, "group_writes", "Writes in a group.", g->groups.sizes, g->groups.sizes_upto, 1, (double)g->writes);
    put(b, "queue", "gauge", "Writes that wait for the writer.", g->queue);
    put(b, "journal_entries", "gauge", "Entries of the journal.", g->journal_size);
    put(b, "database_bytes", "gauge", "Size of the database.", g->db_bytes);
    put(b, "wal_bytes", "gauge", "Size of its write-ahead log.", g->wal_bytes);
    buf_print(
        b,
        "# HELP garant_folder_checks_total Questions whether a person may enter a folder.\n# TYPE garant_folder_checks_total counter\n"
        "garant_folder_checks_total{outcome=\"allowed\"} %llu\ngarant_folder_checks_total{outcome=\"refused\"} %llu\n",
        (unsigned long long)g->folders_allowed, (unsigned long long)g->folders_refused);
    put(b, "storage_full", "gauge", "1 while the disk is full.", g->full);
}

static void put_letters(struct buf *b, const struct outbox_figures *g)
{
    put(b, "mail_queued", "gauge", "Letters that wait.", (uint64_t)g->queued);
    put(b, "mail_given_up", "gauge", "Letters that could not be sent, of the last 30 days.", (uint64_t)g->given_up);
    put(b, "mail_sent_total", "counter", "Letters sent.", g->sent);
    put(b, "mail_failed_total", "counter", "Letters given up.", g->failed);
}

static void put_mailbox(struct buf *b, const struct app *app)
{
    struct inbound_figures g = inbound_figures(app);
    if (!g.on)
        return;
    put(b, "mailbox_reached", "gauge", "1 while the mailbox that emails are fetched from answers.", g.reached);
    put(b, "mailbox_fetched_total", "counter", "Emails fetched from it.", g.fetched);
    put(b, "mailbox_failures_total", "counter", "Rounds in which it did not answer as it should.", g.failures);
}

static void put_jobs(struct buf *b, const struct app *app)
{
    struct job_told jobs[JOBS_MAX];
    unsigned count = jobs_told(app, jobs);
    buf_add(b, TEXT("# HELP garant_job_turns_total Turns of work that time brings.\n"
                    "# TYPE garant_job_turns_total counter\n"));
    for (unsigned i = 0; i < count; i++)
        buf_print(b, "garant_job_turns_total{job=\"%s\"} %llu\n", jobs[i].name, (unsigned long long)jobs[i].turns);
    buf_add(b, TEXT("# HELP garant_job_failures_total Turns that failed; each is tried again.\n"
                    "# TYPE garant_job_failures_total counter\n"));
    for (unsigned i = 0; i < count; i++)
        buf_print(b, "garant_job_failures_total{job=\"%s\"} %llu\n", jobs[i].name,
                  (unsigned long long)jobs[i].failures);
}

static void put_capacity_rows(struct buf *b, const struct ctx *c, const char *name, const char *help,
                              int64_t (*value)(const struct capacity_standing *s))
{
    buf_print(b, "# HELP garant_capacity_%s %s\n# TYPE garant_capacity_%s gauge\n", name, help, name);
    for (enum load_measure m = LOAD_events; m < LOAD_MEASURE_COUNT; m++) {
        struct capacity_standing s = capacity_standing(c, m);
        if (s.limit && value(&s) >= 0)
            buf_print(b, "garant_capacity_%s{measure=\"%.*s\"} %lld\n", name, T(load_word(m)), (long long)value(&s));
    }
}

static int64_t limit_of(const struct capacity_standing *s) { return s->limit; }
static int64_t last_of(const struct capacity_standing *s) { return s->last; }
static int64_t expected_of(const struct capacity_standing *s) { return s->expected; }
static int64_t alarm_of(const struct capacity_standing *s) { return (int64_t)s->alarm; }

static void put_capacity(struct buf *b, const struct ctx *c)
{
    put_capacity_rows(b, c, "limit", "What the servers can bear: per hour, microseconds, bytes.", limit_of);
    put_capacity_rows(b, c, "last", "The most of the last day.", last_of);
    put_capacity_rows(b, c, "expected", "The most of the forecast of four weeks.", expected_of);
    put_capacity_rows(b, c, "alarm", "0 fine, 1 the limit lies in the band, 2 it is expected, 3 it was reached.", alarm_of);
}

static enum err recent_figures(struct front *f, struct arena *a, struct figures *out)
{
    enum err e = OK;
    pthread_mutex_lock(&f->figures_lock);
    if (!f->figures_at || clock_monotonic() - f->figures_at > 5 * SECOND) {
        e = care_figures(f->app, a, &f->figures);
        f->figures_at = e == OK ? clock_monotonic() : 0;
    }
    *out = f->figures;
    pthread_mutex_unlock(&f->figures_lock);
    return e;
}

enum err api_metrics(struct ctx *c, const struct request *q, struct reply *r)
{
    struct front *f = q->front;
    struct figures figures;
    struct outbox_figures letters;
    TRY(recent_figures(f, c->arena, &figures));
    TRY(outbox_figures(c, &letters));
    struct buf *b = reply_text(r, 200, TEXT("text/plain; version=0.0.4; charset=utf-8"));
    put_requests(b, f);
    put_latency(b, f);
    put(b, "connections", "gauge", "Open connections.", SUM(f, connections));
    put(b, "working", "gauge", "Requests in work.", SUM(f, working));
    put(b, "connections_accepted_total", "counter", "Connections taken.", SUM(f, accepted));
    put(b, "connections_turned_away_total", "counter", "Connections refused by a limit.", SUM(f, turned_away));
    put(b, "connections_swept_total", "counter", "Connections closed for being slow or idle.", SUM(f, swept));
    put(b, "tls_handshakes_total", "counter", "Encrypted connections begun.", SUM(f, handshakes));
    put(b, "tls_handshakes_failed_total", "counter", "Encrypted connections that were not agreed on.",
        SUM(f, handshakes_failed));
    put_store(b, &figures);
    put_letters(b, &letters);
    put_mailbox(b, f->app);
    put_capacity(b, c);
    put_jobs(b, f->app);
    route_hands.promises(c, b);
    put_process(b, f);
    buf_print(b, "# TYPE garant_info gauge\ngarant_info{version=\"%s\",policy=\"%.*s\",policy_version=\"%.*s\"} 1\n",
              GARANT_VERSION, T(c->policy->id), T(c->policy->version));
    return reply_done(c->arena, r);
}
