/* The policy's profile, the person's own data, and cracklib's dictionary; digests through the pool. */
#include "domain/password.h"
#include "crypt/hashing.h"
#include "domain/inside.h"
#include <crack.h>
#include <sodium.h>
#include <unistd.h>

enum { TOKENS_MAX = 32, TOKEN_MIN = 4, LEFT_MIN = 8, AFFIX_MAX = 8, OWN_VALUE_MAX = 128, BYTES_MAX = 4 * PASSWORD_CHARACTERS_MAX };

struct password_rule password_rule_of(const struct policy *p)
{
    struct password_rule r;
    password_rule_read(node_at(p->root, TEXT("security.password")), &r);
    password_rule_complete(&r);
    return r;
}

/* ---- What is lacking, gathered as words for programs and a sentence for the log. ---- */

struct lacks { struct ctx *c; char words[sizeof ((struct why *)0)->missing]; struct buf said; };

static void lack(struct lacks *l, text word, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void lack(struct lacks *l, text word, const char *format, ...)
{
    size_t n = text_of(l->words).n;
    va_list args;
    va_start(args, format);
    snprintf(l->words + n, sizeof l->words - n, "%s%.*s", n ? "," : "", T(word));
    buf_add(&l->said, n ? TEXT("; ") : TEXT(""));
    buf_vprint(&l->said, format, args);
    va_end(args);
}

static void lacks_of_rule(struct lacks *l, const struct password_rule *r, text password)
{
    struct password_lack lacking;
    if (password_rule_meets(r, password, &lacking))
        return;
    if (lacking.length)
        lack(l, TEXT("length"), "it needs at least %lld characters", (long long)lacking.length);
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        if (lacking.classes >> i & 1)
            lack(l, password_class_word(i), "it has no character of the class \"%.*s\"", T(password_class_word(i)));
    if (lacking.some && lacking.some < (unsigned)__builtin_popcount(lacking.classes))
        buf_print(&l->said, " (%u of these classes are needed)", lacking.some);
    if (lacking.digits)
        lack(l, TEXT("length"), "digits alone must be at least 16");
}

/* ---- The person's own data: what anybody who knows them tries first. ---- */

struct own { text tokens[TOKENS_MAX]; unsigned count; char user[64], names[256]; };

static char low(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static bool letter(char c) { return (low(c) >= 'a' && low(c) <= 'z') || (uint8_t)c >= 0x80; }
static bool digit(char c) { return c >= '0' && c <= '9'; }

static text folded(struct arena *a, text s)
{
    text copy = arena_copy(a, s);
    char *p = arena_alloc(a, copy.n + 1);
    for (size_t i = 0; p && i < copy.n; i++)
        p[i] = low(copy.p[i]);
    return p ? (text){ p, copy.n } : (text){ NULL, 0 };
}

static void add_tokens(struct own *own, text value)
{
    for (size_t i = 0, from = 0; i <= value.n; i++) {
        if (i < value.n && (letter(value.p[i]) || digit(value.p[i])))
            continue;
        if (i - from >= TOKEN_MIN && own->count < TOKENS_MAX)
            own->tokens[own->count++] = (text){ value.p + from, i - from };
        from = i + 1;
    }
}

static enum err add_field(struct ctx *c, struct own *own, const struct field *f, text value)
{
    value = folded(c->arena, text_upto(value, OWN_VALUE_MAX));
    TRY_PTR(value.p);
    if (f->type == FIELD_EMAIL) {
        text user = text_upto(value, (size_t)(text_index(value, '@') < 0 ? 0 : text_index(value, '@')));
        text_cstr(text_upto(user, sizeof own->user - 1), own->user, sizeof own->user);
    } else {
        size_t n = text_of(own->names).n;
        text_cstr(text_upto(arena_print(c->arena, "%.*s ", T(value)), sizeof own->names - 1 - n), own->names + n, sizeof own->names - n);
    }
    add_tokens(own, value);
    return OK;
}

static bool names_somebody(const struct category *cat)
{
    bool found = false;
    for (unsigned i = 0; i < cat->field_count; i++)
        found |= cat->fields[i].type == FIELD_TEXT || cat->fields[i].type == FIELD_EMAIL;
    return found && !cat->many && !cat->transient && !cat->special;
}

/* Texts and addresses of the categories of which there is one record. They are looked at by the server alone, and shown to nobody. */
static enum err gather(struct ctx *c, const struct person *p, struct own *own)
{
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        struct record *rows = NULL;
        unsigned count = 0;
        if (!names_somebody(cat))
            continue;
        TRY(record_load(c, p, (int)i, false, &rows, &count));
        for (unsigned j = 0; count && j < cat->field_count; j++) {
            const struct field *f = &cat->fields[j];
            const struct json *held = json_get(rows[0].fields, f->name);
            if ((f->type == FIELD_TEXT || f->type == FIELD_EMAIL) && held && held->first && held->first->kind == J_TEXT)
                TRY(add_field(c, own, f, held->first->value));
        }
    }
    return OK;
}

/* One's own data add nothing: without them, the rest must do by itself. */
static bool made_of(const struct own *own, text password)
{
    size_t left = password.n;
    for (unsigned i = 0; i < own->count; i++)
        if (text_find(password, own->tokens[i]) >= 0)
            left -= own->tokens[i].n < left ? own->tokens[i].n : left;
    return left < password.n && left < LEFT_MIN;
}

/* ---- Common ones. ---- */

struct look { text password; const struct own *own; bool common, own_data; };

/* Without figures and signs at both ends, and with letters for the figures inside that stand for them: "P@ssw0rd2024!" is "password".
 * Empty when what was cut off is long enough to matter. */
static text core_of(text password, char *room, size_t size)
{
    static const char from[] = "@4301$57!", to[] = "aaeolsstl";
    size_t start = 0, end = password.n;
    while (end > start && !letter(password.p[end - 1]))
        end--;
    while (start < end && !letter(password.p[start]))
        start++;
    if (password.n - (end - start) > AFFIX_MAX || end - start >= size || end - start < TOKEN_MIN)
        return TEXT("");
    for (size_t i = start; i < end; i++) {
        ptrdiff_t at = text_index(TEXT("@4301$57!"), password.p[i]);
        room[i - start] = at >= 0 ? to[at] : low(password.p[i]);
    }
    _Static_assert(sizeof from == sizeof to, "each figure has its letter");
    room[end - start] = '\0';
    return (text){ room, end - start };
}

static bool listed(text core)
{
    static const text rows[] = {
#define COMMON(word) TEXT_INIT(word),
#include "domain/common.def"
#undef COMMON
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_eq(core, rows[i]))
            return true;
    return false;
}

static bool says(const char *reason, const char *words) { return reason && text_find(text_of(reason), text_of(words)) >= 0; }

bool password_dictionary(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s.pwd", GetDefaultCracklibDict());
    return access(path, R_OK) == 0;
}

/* Cracklib would end the process without it. */
static enum err dictionary_there(struct arena *a)
{
    return password_dictionary() ? OK : say(a, ERR_CONFIG, "the dictionary of common passwords is not there: install cracklib-runtime");
}

/* On the pool, alone: cracklib keeps one open dictionary for the whole process. */
static enum err look_up(struct arena *a, void *arg)
{
    struct look *look = arg;
    char clear[BYTES_MAX + 1], core[64];
    TRY(dictionary_there(a));
    if (!text_cstr(look->password, clear, sizeof clear))
        return say(a, ERR_INTERNAL, "a password is longer than was checked");
    const char *reason = FascistCheckUser(clear, NULL, look->own->user, look->own->names);
    look->own_data |= says(reason, "password entry") || says(reason, "username");
    look->common |= reason && !look->own_data && !says(reason, "short");     /* the policy says how long */
    text inside = core_of(look->password, core, sizeof core);
    if (inside.n && !look->common)
        look->common = listed(inside) || says(FascistCheckUser(core, NULL, look->own->user, NULL), "dictionary");
    sodium_memzero(clear, sizeof clear);
    sodium_memzero(core, sizeof core);
    return OK;
}

static enum err check_guesses(struct lacks *l, const struct password_rule *r, const struct person *p, text password)
{
    struct own own = { .count = 0 };
    struct look look = { .password = password, .own = &own };
    text small = folded(l->c->arena, password);
    TRY_PTR(small.p);
    if (p)
        TRY(gather(l->c, p, &own));
    look.own_data = made_of(&own, small);
    sodium_memzero((char *)(uintptr_t)small.p, small.n);
    /* A code of a few digits on a known device is in every list; what guards it is that three tries are all. */
    if (r->blocklist && r->profile != PROFILE_DEVICE)
        TRY(hashing_do(l->c->app->hashing, l->c->arena, true, look_up, &look));
    if (look.own_data)
        lack(l, TEXT("own"), "it is made of the person's own data");
    if (look.common)
        lack(l, TEXT("common"), "it is a common one, a word with something added, or a pattern");
    return OK;
}

/* ---- The check. ---- */

static bool well_formed(text password)
{
    bool clean = text_utf8(password);
    for (size_t i = 0; i < password.n; i++)
        clean &= (uint8_t)password.p[i] >= 0x20 && password.p[i] != 0x7F;
    return clean;
}

static enum err check(struct lacks *l, const struct person *p, text password)
{
    struct password_rule rule = password_rule_of(l->c->policy);
    if (!well_formed(password)) {
        lack(l, TEXT("form"), "it is not UTF-8, or has control characters");
    } else if (password_characters(password) > PASSWORD_CHARACTERS_MAX) {
        lack(l, TEXT("long"), "it has more than %d characters", PASSWORD_CHARACTERS_MAX);
    } else {
        lacks_of_rule(l, &rule, password);
        TRY(check_guesses(l, &rule, p, password));
    }
    return OK;
}

enum err password_check(struct ctx *c, const struct person *p, text password)
{
    struct lacks l = { .c = c, .said = buf_make(400) };
    enum err status = check(&l, p, password);
    if (status == OK && l.words[0]) {
        const struct clause *clause = policy_clause(c->policy, TEXT("security.password"));
        status = say_clause(c->arena, ERR_PASSWORD, clause, "the password does not do: %.*s", T(buf_begun(&l.said)));
        memcpy(c->arena->why.missing, l.words, sizeof l.words);
    }
    buf_free(&l.said);
    return status;
}

/* ---- Kept. ---- */

enum err password_seal(struct ctx *c, const struct person *p, text password, sealed *out)
{
    struct password_hash hash;
    TRY(hashing_make(c->app->hashing, c->arena, password, &hash));
    return account_seal(c, p, TEXT("password"), 0, text_of(hash.text), out);
}

enum err password_verify_cost(struct ctx *c, const struct person *p, sealed stored, text password, bool *good, bool *stale)
{
    text hash = PASSWORD_DUMMY;
    bool real = p && stored.bytes.n;
    if (real)
        TRY(account_open(c, p, TEXT("password"), 0, stored, &hash));
    /* Longer than any that was ever kept: not hashed at length, but as long. */
    TRY(hashing_check(c->app->hashing, c->arena, hash, text_upto(password, BYTES_MAX + 1), good, stale));
    *good &= real, *stale &= real;
    return OK;
}

enum err password_verify(struct ctx *c, const struct person *p, sealed stored, text password, bool *good)
{
    bool stale;
    return password_verify_cost(c, p, stored, password, good, &stale);
}
