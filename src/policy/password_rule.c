/* Reading of security.password; length, classes and entropy of rules and passwords. */
#include "policy/password_rule.h"
#include <math.h>

static const struct {
    text word;
    int signs;
} classes[CLASS_COUNT] = {
#define X(name, word, signs) [CLASS_##name] = { TEXT_INIT(word), signs },
    PASSWORD_CLASSES(X)
#undef X
};

text password_class_word(enum password_class class) { return classes[class].word; }

/* ---- Reading. ---- */

static bool said(const struct node *n, const char *name, text *out)
{
    const struct node *one = node_get(n, text_of(name));
    *out = one && one->kind == NODE_SCALAR ? text_trim(one->value) : TEXT("");
    return out->n > 0;
}

static bool refused(text word)
{
    return text_eq(word, TEXT("none")) || text_eq(word, TEXT("false")) || text_eq(word, TEXT("no"));
}

static int64_t number(const struct node *n, const char *name)
{
    text word;
    int64_t out = 0;
    return said(n, name, &word) && text_int(word, &out) ? out : 0;
}

static enum password_profile profile_of(text word)
{
    static const struct {
        text word;
        enum password_profile profile;
    } rows[] = {
        { TEXT_INIT("cnil-alone"), PROFILE_ALONE },
        { TEXT_INIT("cnil-restricted"), PROFILE_RESTRICTED },
        { TEXT_INIT("cnil-device"), PROFILE_DEVICE },
        { TEXT_INIT("custom"), PROFILE_CUSTOM },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_eq(word, rows[i].word))
            return rows[i].profile;
    return PROFILE_NONE;
}

/* The 99 signs of the CNIL's own examples; small letters where no class is asked for. */
static double alphabet(unsigned set)
{
    double size = 0;
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        size += set >> i & 1 ? classes[i].signs : 0;
    return size > 0 ? size : classes[CLASS_LOWER].signs;
}

static void weigh(struct password_rule *r) { r->bits = (double)r->length * log2(alphabet(r->classes)); }

void password_rule_read(const struct node *n, struct password_rule *out)
{
    text word;
    *out = (struct password_rule){ .length = number(n, "min_length"),
                                   .words = number(n, "words"),
                                   .attempts = number(n, "attempts") };
    const struct node *listed = node_get(n, TEXT("classes"));
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        out->classes |= listed && node_has(listed, classes[i].word) ? 1u << i : 0;
    if (said(n, "profile", &word))
        out->profile = profile_of(word);
    out->locked = out->attempts > 0 && out->attempts <= 10;
    bool throttled = said(n, "throttle", &word);
    out->slowed = (throttled && !refused(word)) || out->locked || (out->profile == PROFILE_RESTRICTED && !throttled);
    out->steady = throttled && text_eq(word, TEXT("lock"));
    out->unslowed = throttled && refused(word) && !out->locked;
    out->blocklist = !said(n, "blocklist", &word) || !refused(word);
    weigh(out);
}

void password_rule_complete(struct password_rule *r)
{
    static const int64_t lengths[] = {
        [PROFILE_NONE] = 15, [PROFILE_CUSTOM] = 15, [PROFILE_ALONE] = 12, [PROFILE_RESTRICTED] = 8, [PROFILE_DEVICE] = 4
    };
    if (r->length <= 0)
        r->length = lengths[r->profile];
    if (r->attempts <= 0)
        r->attempts = r->profile == PROFILE_DEVICE ? 3 : 10;
    r->slowed = !r->unslowed;
}

/* ---- Levels. ---- */

unsigned password_rule_classes(const struct password_rule *r) { return (unsigned)__builtin_popcount(r->classes); }

bool password_rule_alone(const struct password_rule *r)
{
    unsigned n = password_rule_classes(r);
    return (r->length >= 12 && n == 4) || (r->length >= 14 && n >= 3) || r->words >= 7 || r->bits >= 80;
}

bool password_rule_slowed(const struct password_rule *r)
{
    return (r->length >= 8 && password_rule_classes(r) >= 3) || r->length >= 16 || r->bits >= 50 ||
           password_rule_alone(r);
}

/* ---- One password. ---- */

int64_t password_characters(text password)
{
    int64_t n = 0;
    for (size_t i = 0; i < password.n; i++)
        n += ((uint8_t)password.p[i] & 0xC0) != 0x80;
    return n;
}

/* Letters beyond ASCII have no case here: they are as hard to guess as a special sign, and count as one. */
static enum password_class class_of(char ch)
{
    return ch >= 'A' && ch <= 'Z'   ? CLASS_UPPER
           : ch >= 'a' && ch <= 'z' ? CLASS_LOWER
           : ch >= '0' && ch <= '9' ? CLASS_DIGIT
                                    : CLASS_SPECIAL;
}

static struct password_rule traits_of(text password)
{
    struct password_rule t = { .length = password_characters(password) };
    bool inside = false;
    for (size_t i = 0; i < password.n; i++) {
        char ch = password.p[i];
        bool between = ch == ' ' || ch == '-' || ch == '_' || ch == '.' || ch == ',';
        t.classes |= 1u << class_of(ch);
        t.words += !between && !inside;
        inside = !between;
    }
    if (t.length < 4 * t.words) /* "a b c d e f g" is not seven words */
        t.words = t.length / 4;
    weigh(&t);
    return t;
}

/* By how many classes, and of what length, the profile's nearest example is missed. */
static void lacks_strength(const struct password_rule *r, const struct password_rule *t, struct password_lack *lack)
{
    unsigned wanted = r->profile == PROFILE_ALONE && t->length < 14 ? 4 : 3, has = password_rule_classes(t);
    int64_t length = r->profile == PROFILE_ALONE ? 12 : 8;
    lack->classes = ~t->classes & ((1u << CLASS_COUNT) - 1);
    lack->some = has < wanted ? wanted - has : 0;
    if (!lack->some)
        lack->classes = 0;
    if (t->length < length)
        lack->length = length;
}

bool password_rule_meets(const struct password_rule *r, text password, struct password_lack *lack)
{
    struct password_rule t = traits_of(password);
    *lack = (struct password_lack){ 0 };
    if (r->words > 0 && t.words >= r->words)
        return true;
    if (t.length < r->length) { /* what it would lack besides, were it long enough */
        t.length = r->length;
        lack->length = t.length;
        weigh(&t);
    }
    lack->classes = r->classes & ~t.classes;
    if (lack->classes)
        return false;
    bool strong = r->profile == PROFILE_ALONE ? password_rule_alone(&t)
                                              : r->profile != PROFILE_RESTRICTED || password_rule_slowed(&t);
    if (!strong) {
        lacks_strength(r, &t, lack);
        return false;
    }
    lack->digits = !lack->length && r->profile <= PROFILE_CUSTOM && !r->classes && t.classes == 1u << CLASS_DIGIT &&
                   t.length < 16;
    return !lack->length && !lack->digits;
}
