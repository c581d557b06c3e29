/* Benchmark of policy_decide() at 20 and 200 purposes: nanoseconds a call, the allocations made meanwhile, and loading.
 * bench_decide [--json]; exit status 1 when a call takes 200 ns or more, allocates, or grows with the number of
 * purposes. */
#include "base/buf.h"
#include "policy/policy.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ASKS = 1 << 14, ROUNDS = 40, CATEGORIES = 24, ACTORS = 12, LIMIT_NS = 200 };

/* glibc's own names, so that every allocation of the program is counted. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
static unsigned long allocations;
void *malloc(size_t n) { return allocations++, __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return allocations++, __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return allocations++, __libc_realloc(p, n); }

struct result {
    double ns;
    unsigned long allocations;
    double load_ms;
    unsigned verdicts[REFUSED_CONFIDENTIALITY + 1];
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint32_t next(uint32_t *state) /* xorshift: the same asks on every run */
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void write_list(struct buf *b, const char *prefix, unsigned count, unsigned first, unsigned step)
{
    for (unsigned i = first; i < count; i += step)
        buf_print(b, "%s%s%u", i == first ? "" : ", ", prefix, i);
}

static void write_policy(struct buf *b, unsigned purposes)
{
    static const char *const bases[] = { "contract", "consent", "legitimate_interest", "legal_obligation" };
    buf_add(
        b,
        TEXT("garant: 1\npolicy: {id: bench, version: '1', date: 2026-11-21, languages: en}\n"
             "controller: {legal_name: A, address: B, country: FR}\ndpo: {appointed: false}\nhosting: {countries: FR}\n"
             "security: {}\nrights: {channels: {profile: true}, answer_within: 1mo}\nrecipients: none\n"
             "never: {sale: {says: No., purposes: [sale]}}\ncategories:\n"));
    for (unsigned i = 0; i < CATEGORIES; i++)
        buf_print(b, "  c%u: {fields: {f: {type: text}}}\n", i);
    buf_add(b, TEXT("purposes:\n"));
    for (unsigned i = 0; i < purposes; i++) {
        buf_print(b, "  p%u: {basis: %s, categories: [", i, bases[i % 4]);
        write_list(b, "c", CATEGORIES, i % 3, 3);
        buf_add(b, TEXT("]}\n"));
    }
    buf_add(b, TEXT("systems:\n"));
    for (unsigned i = 0; i < ACTORS; i++) {
        buf_print(b, "  s%u: {acts: [read, write], purposes: [", i);
        write_list(b, "p", purposes, i % 2, 2);
        buf_add(b, TEXT("]}\n"));
    }
}

static void make_asks(const struct policy *p, struct ask *asks, const struct bits *some)
{
    uint32_t seed = 2026;
    for (unsigned i = 0; i < ASKS; i++)
        asks[i] = (struct ask){ .actor = (int)(next(&seed) % p->actor_count),
                                .category = (int)(next(&seed) % p->category_count),
                                .purpose = (int)(next(&seed) % (p->purpose_count + 2)) - 1,
                                .act = next(&seed) % 4 ? ACT_READ : ACT_SEND,
                                .consents = next(&seed) % 2 ? some : NULL,
                                .objections = next(&seed) % 4 ? NULL : some,
                                .restricted = next(&seed) % 16 == 0,
                                .agreement = true };
}

static double best_round(const struct policy *p, const struct ask *asks, struct result *out)
{
    double best = 1e9;
    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        for (unsigned i = 0; i < ASKS; i++)
            out->verdicts[policy_decide(p, &asks[i]).verdict]++;
        double each = (now_ns() - start) / ASKS;
        best = each < best ? each : best;
    }
    return best;
}

static struct result measure(unsigned purposes)
{
    static struct ask asks[ASKS];
    static const struct bits some = { { 0x5555555555555555, 0x3333333333333333, 0x5555555555555555,
                                        0x3333333333333333 } };
    ARENA_AUTO a = arena_make(1 << 20);
    BUF_AUTO yaml = buf_make(1 << 20);
    POLICY_AUTO p = NULL;
    struct findings f = { 0 };
    struct result out = { 0 };
    write_policy(&yaml, purposes);
    double start = now_ns();
    if (policy_load(&a, buf_begun(&yaml), TEXT("bench"), &f, &p) != OK) {
        fprintf(stderr, "%s\n", a.why.detail);
        exit(70);
    }
    out.load_ms = (now_ns() - start) / 1e6;
    make_asks(p, asks, &some);
    unsigned long before = allocations;
    out.ns = best_round(p, asks, &out);
    out.allocations = allocations - before;
    return out;
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = { 20, 200 };
    bool json = argc > 1 && text_eq(text_of(argv[1]), TEXT("--json")), ok = true;
    struct result r[2];
    for (unsigned i = 0; i < 2; i++) {
        r[i] = measure(sizes[i]);
        ok = ok && r[i].ns < LIMIT_NS && !r[i].allocations;
        if (!json)
            printf(
                "policy_decide at %3u purposes: %5.1f ns a call, %lu allocations in %u calls (%.0f %% allowed); loaded in %.2f ms\n",
                sizes[i], r[i].ns, r[i].allocations, ROUNDS * ASKS, 100.0 * r[i].verdicts[ALLOWED] / (ROUNDS * ASKS),
                r[i].load_ms);
    }
    double growth = r[1].ns / r[0].ns;
    ok = ok && growth < 1.5;
    if (json)
        printf("{\"ns_20\":%.1f,\"ns_200\":%.1f,\"growth\":%.2f,\"allocations\":%lu,\"ok\":%s}\n", r[0].ns, r[1].ns,
               growth, r[0].allocations + r[1].allocations, ok ? "true" : "false");
    else
        printf("growth from 20 to 200 purposes: %.2f; %s\n", growth, ok ? "within bounds" : "OUT OF BOUNDS");
    return !ok;
}
