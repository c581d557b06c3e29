/* Fuzz target: the linter. Whatever tree the text makes, it ends, its places lie in the text, and its answers are well
 * formed. */
#include "fuzz.h"
#include "policy/lint/lint.h"

static void check_places(const struct lint_findings *f, text yaml)
{
    unsigned count = 0;
    uint32_t lines = 2; /* YAML breaks lines at more than LF; at most one a byte */
    for (size_t i = 0; i < yaml.n; i++)
        lines += text_index(TEXT("\r\n\x85\xA8\xA9"), yaml.p[i]) >= 0;
    for (const struct lint_finding *i = f->first; i; i = i->next, count++) {
        FUZZ_CHECK(i->places && i->rule && !i->accepted == !i->reason.n);
        for (const struct lint_place *p = i->places; p; p = p->next)
            FUZZ_CHECK(p->at.line >= 1 && p->at.line <= lines && p->at.column >= 1);
    }
    FUZZ_CHECK(count == f->count && count == f->errors + f->warnings + f->advice + f->accepted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = arena_make(1 << 27);
    BUF_AUTO out = buf_make(1 << 27);
    struct findings faults = { 0 };
    struct lint_findings found = { .file = TEXT("f") };
    const struct node *root;
    const struct json *log;
    text yaml = { (const char *)data, size };
    node_read(&a, yaml, &faults, &root);
    if (!root)
        return 0;
    FUZZ_CHECK(lint_run(&a, root, yaml, (struct date){ 2026, 11, 22 }, &found) == OK);
    check_places(&found, yaml);
    lint_print(&out, &found, LINT_FR);
    FUZZ_CHECK(!out.failed && out.n);
    buf_clear(&out);
    struct json_out w = json_out(&out);
    lint_sarif(&w, &found, 1, LINT_EN);
    FUZZ_CHECK(json_parse(&a, buf_begun(&out), &log) == OK);
    return 0;
}
