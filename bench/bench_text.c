/* Benchmark of what is made of a policy's text: linting 2,000 lines, and the notice and cookie page of the longest
 * policy that runs. bench_text POLICY [--json]; exit status 1 when linting takes 50 ms or more, or a page 2 ms or more.
 * The best of several runs counts. */
#include "publish/notice.h"
#include "policy/lint/lint.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LINES = 2000, ROUNDS = 15, LINT_MS = 50, PAGE_MS = 2, ROOM = 64 << 20 };
static const struct date today = { 2026, 11, 22 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void need(const struct arena *a, enum err status)
{
    if (status == OK)
        return;
    fprintf(stderr, "%s\n", a->why.detail);
    exit(70);
}

/* Lines of every kind that a policy has many of, with something for the rules to find. */
static void write_policy(struct buf *b, unsigned *lines)
{
    buf_add(b,
            TEXT("garant: 1\npolicy: {id: bench, version: '1', date: 2026-11-21, languages: [fr, en]}\ncategories:\n"));
    for (int i = 0; i < 200; i++)
        buf_print(b, "  c%d:\n    title: Données %d\n    fields:\n      a: {type: text, required: true}\n", i, i);
    buf_add(b, TEXT("purposes:\n"));
    for (int i = 0; i < 150; i++)
        buf_print(b, "  p%d:\n    title: Finalité %d\n    basis: contract\n    categories: [c%d, c%d]\n", i, i, i,
                  199 - i);
    buf_add(b, TEXT("recipients:\n"));
    for (int i = 0; i < 130; i++)
        buf_print(b, "  r%d:\n    title: nos prestataires\n    processor: true\n", i);
    buf_add(b, TEXT("retention:\n"));
    *lines = 0;
    for (size_t i = 0; i < b->n; i++)
        *lines += b->p[i] == '\n';
    for (int i = 0; *lines < LINES; i++, ++*lines)
        buf_print(b, "  c%d: {from: collection, active: 2y}\n", i);
}

/* From the text to the findings. */
static double time_lint(text yaml, unsigned *findings)
{
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        ARENA_AUTO a = arena_make(ROOM);
        struct findings faults = { 0 };
        struct lint_findings found = { .file = TEXT("bench.yaml") };
        const struct node *root;
        double start = now_ms();
        need(&a, node_read(&a, yaml, &faults, &root));
        need(&a, lint_run(&a, root, yaml, today, &found));
        double each = now_ms() - start;
        best = each < best ? each : best;
        *findings = found.count;
    }
    return best;
}

static double time_page(const struct node *root, enum notice_page page, size_t *bytes)
{
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        ARENA_AUTO a = arena_make(ROOM);
        BUF_AUTO b = buf_make(8 << 20);
        struct notice n;
        double start = now_ms();
        need(&a, notice_make(&a, root, TEXT(""), page, TEXT("fr"), &n));
        notice_html(&b, &n, false);
        double each = now_ms() - start;
        best = each < best ? each : best;
        *bytes = b.n;
    }
    return best;
}

static void read_file(const char *path, struct buf *b)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(64);
    }
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;)
        buf_add(b, (text){ block, n });
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "bench_text POLICY [--json]\n");
        return 64;
    }
    ARENA_AUTO a = arena_make(ROOM);
    BUF_AUTO made = buf_make(1 << 20);
    BUF_AUTO real = buf_make(1 << 20);
    struct findings faults = { 0 };
    const struct node *root;
    unsigned lines, findings;
    size_t privacy, cookies;
    write_policy(&made, &lines);
    read_file(argv[1], &real);
    need(&a, node_read(&a, buf_begun(&real), &faults, &root));
    double lint = time_lint(buf_begun(&made), &findings);
    double notice = time_page(root, NOTICE_PRIVACY, &privacy), page = time_page(root, NOTICE_COOKIES, &cookies);
    bool ok = lint < LINT_MS && notice < PAGE_MS && page < PAGE_MS;
    if (argc > 2 && text_eq(text_of(argv[2]), TEXT("--json")))
        printf("{\"lint_ms\":%.2f,\"notice_ms\":%.3f,\"cookies_ms\":%.3f,\"ok\":%s}\n", lint, notice, page,
               ok ? "true" : "false");
    else
        printf(
            "lint of %u lines, %u findings: %.2f ms\nnotice of %zu bytes: %.3f ms\ncookie page of %zu bytes: %.3f ms\n%s\n",
            lines, findings, lint, privacy, notice, cookies, page, ok ? "within bounds" : "OUT OF BOUNDS");
    return !ok;
}
