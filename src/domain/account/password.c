/* The policy's profile, the person's own data, and cracklib's dictionary; digests through the pool. */
#include "domain/account/password.h"
#include "domain/person/record.h"
#include "domain/person/account.h"
#include "base/unicode.h"
#include "base/telephone.h"
#include "crypt/hashing.h"
#include "domain/core/instance.h"
#include "domain/core/normal.h"
#include <crack.h>
#include <sodium.h>
#include <unistd.h>

enum {
    TOKEN_MIN = 3,
    CORE_MIN = 4,
    LEFT_MIN = 8,
    AFFIX_MAX = 8,
    AFFIX_LETTERS = 3,
    OWN_VALUE_MAX = 128,
    BYTES_MAX = 4 * PASSWORD_CHARACTERS_MAX
};

struct password_rule password_rule_of(const struct policy *p)
{
    struct password_rule r;
    password_rule_read(node_at(p->root, TEXT("security.password")), &r);
    password_rule_complete(&r);
    return r;
}

/* ---- What is lacking, gathered as words for programs and a sentence for the log. ---- */

struct lacks {
    struct ctx *c;
    char words[sizeof((struct why *)0)->missing];
    struct buf said;
};

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

struct own {
    text *tokens;
    unsigned count, room;
    char user[64], names[256];
};

static char low(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static bool letter(char c) { return (low(c) >= 'a' && low(c) <= 'z') || (uint8_t)c >= 0x80; }

/* The letter that a figure or sign stands for, else the small letter. */
static char letter_of(char c)
{
    static const text from = TEXT_INIT("@4301$57!"), to = TEXT_INIT("aaeolsstl");
    ptrdiff_t at = text_index(from, c);
    return at >= 0 ? to.p[at] : low(c);
}

/* Letters and digits alone, without accents or capitals; each also read from its end. */
static void add_token(struct ctx *c, struct own *own, text word)
{
    text bare = unicode_bare(c->arena, word);
    if (bare.n < TOKEN_MIN)
        return;
    if (own->count + 2 > own->room) {
        text *grown = NEW_ARRAY(c->arena, text, own->room ? 2 * own->room : 32);
        if (!grown)
            return; /* which the arena remembers (arena_whole) */
        if (own->count)
            memcpy(grown, own->tokens, own->count * sizeof *grown);
        own->tokens = grown;
        own->room = own->room ? 2 * own->room : 32;
    }
    char *back = arena_alloc(c->arena, bare.n);
    for (size_t i = 0; back && i < bare.n; i++)
        back[i] = bare.p[bare.n - 1 - i];
    own->tokens[own->count++] = bare;
    if (back)
        own->tokens[own->count++] = (text){ back, bare.n };
}

static void add_words(struct ctx *c, struct own *own, text value)
{
    size_t from = 0;
    for (size_t i = 0; i < value.n;) {
        size_t at = i;
        uint32_t ch = unicode_next(value, &i);
        bool inside = ch >= 0x80 ? !unicode_blank(ch) : (ch >= '0' && ch <= '9') || letter((char)ch);
        if (inside)
            continue;
        add_token(c, own, text_upto(text_from(value, from), at - from));
        from = i;
    }
    if (from)
        add_token(c, own, text_from(value, from));
    add_token(c, own, value);
}

/* A day of birth as people shorten it. */
static void add_day(struct ctx *c, struct own *own, text value)
{
    struct date d;
    if (!date_parse(text_upto(value, 10), &d))
        return;
    char year[8], day[8], month[8], forms[8][32];
    snprintf(year, sizeof year, "%04d", d.year);
    snprintf(day, sizeof day, "%02d", d.day);
    snprintf(month, sizeof month, "%02d", d.month);
    snprintf(forms[0], sizeof forms[0], "%s%s%s", day, month, year);
    snprintf(forms[1], sizeof forms[1], "%s%s%s", year, month, day);
    snprintf(forms[2], sizeof forms[2], "%s%s%s", month, day, year);
    snprintf(forms[3], sizeof forms[3], "%s%s%s", day, month, year + 2);
    snprintf(forms[4], sizeof forms[4], "%s%s%s", year + 2, month, day);
    snprintf(forms[5], sizeof forms[5], "%s", year);
    snprintf(forms[6], sizeof forms[6], "%s%s", day, month);
    snprintf(forms[7], sizeof forms[7], "%s%s", month, day);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        add_token(c, own, arena_copy(c->arena, text_of(forms[i])));
}

/* A telephone number as it is dialled abroad and at home, whatever the form that is kept. */
static void add_number(struct ctx *c, struct own *own, text value)
{
    struct telephone t;
    text at_home;
    if (!telephone_read(value, c->policy->controller.country, &t) || !t.international)
        return;
    add_token(c, own, arena_copy(c->arena, text_of(t.digits)));
    at_home = telephone_at_home(text_of(t.digits));
    add_token(c, own, arena_copy(c->arena, at_home));
    add_token(c, own, arena_print(c->arena, "0%.*s", T(at_home)));
}

static enum err add_field(struct ctx *c, struct own *own, const struct field *f, text value)
{
    value = text_upto(value, OWN_VALUE_MAX);
    if (f->type == FIELD_DATE) {
        add_day(c, own, value);
        return OK;
    }
    if (f->type == FIELD_PHONE)
        add_number(c, own, value);
    if (f->type == FIELD_EMAIL) {
        ptrdiff_t at = text_index(value, '@');
        text user = text_upto(value, at < 0 ? 0 : (size_t)at);
        text_cstr(text_upto(user, sizeof own->user - 1), own->user, sizeof own->user);
        add_words(c, own, user);
        value = text_from(value, user.n + 1);
    } else {
        size_t n = text_of(own->names).n;
        text_cstr(text_upto(arena_print(c->arena, "%.*s ", T(value)), sizeof own->names - 1 - n), own->names + n,
                  sizeof own->names - n);
    }
    add_words(c, own, value);
    return OK;
}

static bool is_own(const struct field *f)
{
    return f->type == FIELD_TEXT || f->type == FIELD_EMAIL || f->type == FIELD_DATE || f->type == FIELD_PHONE;
}

static bool names_somebody(const struct category *cat)
{
    bool found = false;
    for (unsigned i = 0; i < cat->field_count; i++)
        found |= is_own(&cat->fields[i]);
    return found && !cat->many && !cat->transient && !cat->special;
}

/* Texts, addresses, numbers and days of the categories of which there is one record; `sent` of a person who is only now
 * written
 * ({category: {field: value}}). They are looked at by the server alone, and shown to nobody. */
static enum err gather(struct ctx *c, const struct person *p, const struct json *sent, struct own *own)
{
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        const struct json *fresh = json_get(sent, cat->name);
        struct record *rows = NULL;
        unsigned count = 0, lost;
        if (!names_somebody(cat))
            continue;
        if (!sent)
            TRY(record_load_readable(c, p, (int)i, false, &rows, &count,
                                     &lost)); /* what cannot be read keeps nobody out */
        for (unsigned j = 0; j < cat->field_count; j++) {
            const struct field *f = &cat->fields[j];
            const struct json *held = count ? json_get(rows[0].fields, f->name) : NULL,
                              *value = sent   ? json_get(fresh, f->name)
                                       : held ? held->first
                                              : NULL;
            if (is_own(f) && value && value->kind == J_TEXT)
                TRY(add_field(c, own, f, value->value));
        }
    }
    return OK;
}

/* One's own data add nothing: without them, the rest must do by itself. */
static bool covered(const struct own *own, text password)
{
    bool *taken = NULL;
    size_t left = password.n;
    ARENA_AUTO a = arena_make(1 << 16);
    taken = NEW_ARRAY(&a, bool, password.n + 1);
    for (unsigned i = 0; taken && i < own->count; i++)
        for (size_t at = 0; at + own->tokens[i].n <= password.n; at++)
            if (text_eq(text_upto(text_from(password, at), own->tokens[i].n), own->tokens[i]))
                memset(taken + at, true, own->tokens[i].n);
    for (size_t i = 0; taken && i < password.n; i++)
        left -= taken[i];
    return left < password.n && left < LEFT_MIN;
}

/* Letters and digits alone; with letters for the figures and signs that stand for them when `one` is the letter that 1
 * stands for, else 0. */
static text reading_of(struct arena *a, text folded, char one)
{
    text read = arena_copy(a, folded);
    char *p = (char *)(uintptr_t)read.p;
    for (size_t i = 0; one && p && i < read.n; i++)
        p[i] = p[i] == '1' || p[i] == '!' ? one : letter_of(p[i]);
    text bare = read.p ? unicode_bare(a, read) : read;
    if (p)
        sodium_memzero(p, read.n);
    return bare;
}

static enum err made_of(struct ctx *c, const struct own *own, text password, bool *out)
{
    static const char ones[] = { 0, 'l', 'i' };
    text folded = unicode_fold(c->arena, password);
    TRY_PTR(folded.p);
    *out = false;
    for (size_t i = 0; own->count && i < sizeof ones; i++) {
        text bare = reading_of(c->arena, folded, ones[i]);
        TRY_PTR(bare.p);
        *out |= covered(own, bare);
        sodium_memzero((char *)(uintptr_t)bare.p, bare.n);
    }
    sodium_memzero((char *)(uintptr_t)folded.p, folded.n);
    return OK;
}

/* ---- Common ones. ---- */

struct look {
    text password;
    const struct own *own;
    bool common, own_data;
};

/* Without figures and signs at both ends, and with letters for the figures inside that stand for them: "P@ssw0rd2024!"
 * is "password". Empty when what was cut off is long enough to matter. */
static text core_of(text password, char *room, size_t size)
{
    size_t start = 0, end = password.n;
    while (end > start && !letter(password.p[end - 1]))
        end--;
    while (start < end && !letter(password.p[start]))
        start++;
    if (password.n - (end - start) > AFFIX_MAX || end - start >= size || end - start < CORE_MIN)
        return TEXT("");
    for (size_t i = start; i < end; i++)
        room[i - start] = letter_of(password.p[i]);
    room[end - start] = '\0';
    return (text){ room, end - start };
}

/* Its longest row of letters, and of the signs that stand for some between them, when little else stands around it:
 * "motdepasse2026!A" is "motdepasse". Empty when what is around is long enough to matter, or holds another word. */
static text word_in(text password, char *room, size_t size)
{
    size_t best = 0, from = 0, start = 0;
    for (size_t i = 0; i <= password.n; i++) {
        if (i < password.n && letter(password.p[i]))
            continue;
        if (i - start > best) {
            best = i - start;
            from = start;
        }
        start = i + 1;
    }
    size_t others = 0;
    for (size_t i = 0; i < password.n; i++)
        others += (i < from || i >= from + best) && letter(password.p[i]);
    if (password.n - best > AFFIX_MAX || best >= size || best < CORE_MIN || others > AFFIX_LETTERS)
        return TEXT("");
    for (size_t i = 0; i < best; i++)
        room[i] = low(password.p[from + i]);
    room[best] = '\0';
    return (text){ room, best };
}

/* One part of a password that is the same part several times: "P@ssw0rd!P@ssw0rd!" is worth "P@ssw0rd!". */
static text part_of(text password)
{
    for (size_t n = 1; n <= password.n / 2; n++) {
        bool same = password.n % n == 0;
        for (size_t i = n; same && i < password.n; i++)
            same = password.p[i] == password.p[i - n];
        if (same)
            return text_upto(password, n);
    }
    return password;
}

static bool listed(text core)
{
    static const text rows[] = {
#define COMMON(word) TEXT_INIT(word),
#include "domain/account/common.def"
#undef COMMON
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_eq(core, rows[i]))
            return true;
    return false;
}

static bool says(const char *reason, const char *words)
{
    return reason && text_find(text_of(reason), text_of(words)) >= 0;
}

bool password_dictionary(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s.pwd", GetDefaultCracklibDict());
    return access(path, R_OK) == 0;
}

/* Cracklib would end the process without it. */
static enum err dictionary_there(struct arena *a)
{
    return password_dictionary()
               ? OK
               : say(a, ERR_CONFIG, "the dictionary of common passwords is not there: install cracklib-runtime");
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
    look->common |= reason && !look->own_data && !says(reason, "short"); /* the policy says how long */
    text part = part_of(look->password);
    text (*const readings[])(text password, char *room, size_t size) = { core_of, word_in };
    for (size_t i = 0; i < 2 && !look->common; i++) {
        text inside = readings[i](part, core, sizeof core);
        if (inside.n)
            look->common = listed(inside) || says(FascistCheckUser(core, NULL, look->own->user, NULL), "dictionary");
    }
    sodium_memzero(clear, sizeof clear);
    sodium_memzero(core, sizeof core);
    return OK;
}

static enum err check_guesses(struct lacks *l, const struct password_rule *r, const struct person *p,
                              const struct json *sent, text password)
{
    struct own own = { .count = 0 };
    struct look look = { .password = password, .own = &own };
    if (p || sent)
        TRY(gather(l->c, p, sent, &own));
    TRY(made_of(l->c, &own, password, &look.own_data));
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

static enum err check(struct lacks *l, const struct person *p, const struct json *sent, text password)
{
    struct password_rule rule = password_rule_of(l->c->policy);
    if (!well_formed(password)) {
        lack(l, TEXT("form"), "it is not UTF-8, or has control characters");
    } else if (password_characters(password) > PASSWORD_CHARACTERS_MAX) {
        lack(l, TEXT("long"), "it has more than %d characters", PASSWORD_CHARACTERS_MAX);
    } else {
        lacks_of_rule(l, &rule, password);
        TRY(check_guesses(l, &rule, p, sent, password));
    }
    return OK;
}

enum err password_check(struct ctx *c, const struct person *p, const struct json *sent, text password)
{
    struct lacks l = { .c = c, .said = buf_make(400) };
    text normal = normal_password(c->arena, password);
    TRY_PTR(normal.p);
    enum err status = check(&l, p, sent, normal);
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
    text normal = normal_password(c->arena, password);
    TRY_PTR(normal.p);
    TRY(hashing_make(c->app->hashing, c->arena, normal, &hash));
    return account_seal(c, p, TEXT("password"), 0, text_of(hash.text), out);
}

enum err password_verify_cost(struct ctx *c, const struct person *p, sealed stored, text password, bool *good,
                              bool *stale)
{
    text hash = PASSWORD_DUMMY;
    bool real = p && stored.bytes.n;
    if (real)
        TRY(account_open(c, p, TEXT("password"), 0, stored, &hash));
    /* Longer than any that was ever kept: not hashed at length, but as long. */
    password = text_upto(password, BYTES_MAX + 1);
    text normal = normal_password(c->arena, password);
    TRY_PTR(normal.p);
    TRY(hashing_check(c->app->hashing, c->arena, hash, normal, good, stale));
    /* Kept before passwords had one form, as it was typed then: made anew in that form. */
    if (!*good && !text_eq(normal, password)) {
        TRY(hashing_check(c->app->hashing, c->arena, hash, password, good, stale));
        *stale = *good;
    }
    *good &= real;
    *stale &= real;
    return OK;
}

enum err password_verify(struct ctx *c, const struct person *p, sealed stored, text password, bool *good)
{
    bool stale;
    return password_verify_cost(c, p, stored, password, good, &stale);
}
