/* Fuzz target: the policy file. Whatever the bytes, there is a policy or a finding, places lie in the text and in
 * order, and a loaded policy decides every question with a clause. */
#include "fuzz.h"
#include "policy/policy.h"

/* At most: YAML 1.1 breaks lines at CR, LF, U+0085, U+2028 and U+2029, and each of these ends with a byte of this list.
 */
static uint32_t count_lines(text s)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < s.n; i++)
        lines += text_index(TEXT("\r\n\x85\xA8\xA9"), s.p[i]) >= 0;
    return lines;
}

static void check_findings(const struct findings *f, text yaml)
{
    const struct finding *last = NULL;
    unsigned kept = 0;
    for (const struct finding *i = f->first; i; last = i, i = i->next, kept++) {
        FUZZ_CHECK(i->at.line >= 1 && i->at.line <= count_lines(yaml) + 1 && i->at.column >= 1 && i->message.n);
        FUZZ_CHECK(!last || last->at.line < i->at.line ||
                   (last->at.line == i->at.line && last->at.column <= i->at.column));
    }
    FUZZ_CHECK(last == f->last && kept == (f->count < FINDINGS_MAX ? f->count : FINDINGS_MAX));
    FUZZ_CHECK(f->errors + f->warnings <= f->count);
}

static void check_node(const struct policy *p, const struct node *n, unsigned level)
{
    unsigned count = 0;
    const struct clause *c = policy_clause(p, n->path);
    FUZZ_CHECK(level <= NODE_LEVELS_MAX && c && c->at.line >= 1);
    FUZZ_CHECK(text_utf8(n->key) && text_utf8(n->value));
    NODE_EACH(child, n) {
        FUZZ_CHECK(child->parent == n && (n->kind != NODE_MAP || node_get(n, child->key) == child));
        check_node(p, child, level + 1);
        count++;
    }
    FUZZ_CHECK(count == n->count);
}

static void check_decisions(const struct policy *p)
{
    int purposes = (int)(p->purpose_count + p->forbidden_count), actors = (int)p->actor_count,
        categories = (int)p->category_count;
    for (int actor = -1; actor <= actors && actor < 8; actor++)
        for (int purpose = PURPOSE_RIGHTS; purpose <= purposes && purpose < 16; purpose++)
            for (int category = -1; category <= categories && category < 8; category++)
                for (unsigned act = 0; act < ACT_COUNT; act++) {
                    struct ask q = { .actor = actor, .purpose = purpose, .category = category, .act = (enum act)act };
                    struct decision d = policy_decide(p, &q);
                    FUZZ_CHECK(d.clause && d.clause->file.n);
                    FUZZ_CHECK(d.verdict != ALLOWED || purpose == PURPOSE_RIGHTS || purpose < (int)p->purpose_count);
                }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = arena_make(1 << 26);
    BUF_AUTO printed = buf_make(1 << 26);
    POLICY_AUTO p = NULL;
    struct findings f = { 0 };
    text yaml = { (const char *)data, size };
    enum err e = policy_load(&a, yaml, TEXT("f"), &f, &p);
    FUZZ_CHECK((e == OK) == (p != NULL) && (e == OK) == (f.count == 0));
    FUZZ_CHECK(e == OK || e == ERR_POLICY);
    check_findings(&f, yaml);
    findings_print(&printed, TEXT("f"), &f);
    FUZZ_CHECK(!printed.failed);
    if (p) {
        check_node(p, p->root, 0);
        check_decisions(p);
    }
    return 0;
}
