/* The forms of values, a function a type; numbers, dates and yes or no as people write them are in typed.c. */
#include "domain/core/normal.h"
#include "base/iban.h"
#include "base/telephone.h"
#include "base/unicode.h"
#include <arpa/inet.h>

enum { LOCAL_MAX = 64, EMAIL_MAX = 254, URL_MAX = 2048 };

/* ---- E-mail. ---- */

static bool is_at(uint32_t c) { return c == '@' || c == 0xFF20 || c == 0xFE6B; }

/* Cuts at the last @, of any width; false when there is none. */
static bool cut_address(text s, text *local, text *domain)
{
    bool found = false;
    for (size_t i = 0; i < s.n;) {
        size_t at = i;
        if (!is_at(unicode_next(s, &i)))
            continue;
        *local = text_upto(s, at);
        *domain = text_from(s, i);
        found = true;
    }
    return found;
}

static bool is_atext(uint32_t c)
{
    static const text signs = TEXT_INIT("!#$%&'*+-/=?^_`{|}~");
    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               text_index(signs, (char)c) >= 0;
    return !unicode_blank(c) && c != UNICODE_BAD && !is_at(c);
}

static bool is_dot_string(text s)
{
    bool letter = false;
    for (size_t i = 0; i < s.n;) {
        uint32_t c = unicode_next(s, &i);
        if (c == '.' ? !letter : !is_atext(c))
            return false;
        letter = c != '.';
    }
    return letter;
}

/* Quotes change nothing (RFC 5321, 4.1.2): "john"@example.org is john@example.org. What needs them stays, and is
 * refused. */
static text unquoted(struct arena *a, text s)
{
    if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
        return s;
    char *out = arena_alloc(a, s.n);
    size_t n = 0;
    for (size_t i = 1; out && i + 1 < s.n; i++) {
        i += s.p[i] == '\\' && i + 2 < s.n;
        out[n++] = s.p[i];
    }
    text plain = { out, n };
    return out && is_dot_string(plain) ? plain : s;
}

static text without_end_dot(text s)
{
    static const text dots[] = { TEXT_INIT("."), TEXT_INIT("\u3002"), TEXT_INIT("\uFF0E"), TEXT_INIT("\uFF61") };
    for (size_t i = 0; i < sizeof dots / sizeof *dots; i++)
        if (s.n > dots[i].n && text_ends(s, dots[i]))
            return text_upto(s, s.n - dots[i].n);
    return s;
}

/* In their own letters, with plain dots; what is no host stays as it is. */
static text shown_host(struct arena *a, text s)
{
    BUF_AUTO b = buf_make(s.n * 4 + 16);
    for (size_t i = 0; i < s.n;) {
        uint32_t c = unicode_next(s, &i);
        unicode_put(&b, c == 0x3002 || c == 0xFF0E || c == 0xFF61 || c == 0xFE52 ? '.' : c);
    }
    return buf_made(a, &b);
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* What a link to a mailbox leads to (RFC 6068): its escapes read, without a subject. Any other text stays as it is. */
static text linked(struct arena *a, text s)
{
    if (s.n <= 7 || !text_eq_nocase(text_upto(s, 7), TEXT("mailto:")))
        return s;
    text in = text_from(s, 7), all = text_cut(&in, '?');
    char *out = arena_alloc(a, all.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < all.n; i++) {
        int high = all.p[i] == '%' && i + 2 < all.n ? hex_of(all.p[i + 1]) : -1,
            low = high < 0 ? -1 : hex_of(all.p[i + 2]);
        out[n++] = low < 0 ? all.p[i] : (char)(high << 4 | low);
        i += low < 0 ? 0 : 2;
    }
    text read = { out, n };
    return out && text_utf8(read) ? unicode_trim(unicode_seen(a, read)) : s;
}

/* What may stand before an address in brackets (RFC 5322, 3.4): a name, and neither a header nor another address. */
static bool is_name(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < ' ' || text_index(TEXT(":@<>;"), s.p[i]) >= 0)
            return false;
    return true;
}

/* An address as links, letters and lists of addressees carry it: "mailto:a@example.org", "<a@example.org>", "Doe, Ann
 * <a@example.org>;", "'a@example.org'". */
static text bare_address(struct arena *a, text s)
{
    s = linked(a, s);
    if (s.n > 1 && (s.p[s.n - 1] == ';' || s.p[s.n - 1] == ','))
        s = unicode_trim(text_upto(s, s.n - 1));
    ptrdiff_t open = s.n > 2 && s.p[s.n - 1] == '>' ? (ptrdiff_t)s.n - 2 : -1;
    while (open >= 0 && s.p[open] != '<')
        open--;
    if (open >= 0 && is_name(text_upto(s, (size_t)open)))
        s = unicode_trim(text_upto(text_from(s, (size_t)open + 1), s.n - (size_t)open - 2));
    if (s.n > 2 && s.p[0] == '\'' && s.p[s.n - 1] == '\'')
        s = unicode_trim(text_upto(text_from(s, 1), s.n - 2));
    return s;
}

static text kept_email(struct arena *a, text s)
{
    text seen = bare_address(a, unicode_seen(a, s)), local, domain;
    if (!seen.p || !cut_address(seen, &local, &domain))
        return seen;
    local = unquoted(a, unicode_trim(local));
    domain = shown_host(a, without_end_dot(unicode_trim(domain)));
    return arena_print(a, "%.*s@%.*s", T(local), T(domain));
}

static text looked_email(struct arena *a, text s)
{
    text kept = kept_email(a, unicode_trim(s)), local, domain;
    if (!kept.p || !cut_address(kept, &local, &domain))
        return unicode_fold(a, s);
    text host = unicode_host(a, domain, true);
    return arena_print(a, "%.*s@%.*s", T(unicode_fold(a, local)), T(host.p ? host : unicode_fold(a, domain)));
}

static ptrdiff_t last_dot(text s)
{
    ptrdiff_t at = (ptrdiff_t)s.n - 1;
    while (at >= 0 && s.p[at] != '.')
        at--;
    return at;
}

/* No top-level domain is a number (RFC 3696, 2): this would be an IP address. */
static bool all_digits(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* Domain literals and quoted local parts that need their quotes are refused on purpose: nobody signs up with one. */
bool normal_is_email(struct arena *a, text s)
{
    text local, domain;
    if (s.n > EMAIL_MAX || !cut_address(s, &local, &domain) || local.n > LOCAL_MAX || !is_dot_string(local))
        return false;
    text host = unicode_host(a, domain, true);
    return host.p && text_index(host, '.') > 0 && !all_digits(text_from(host, (size_t)last_dot(host) + 1)) &&
           local.n + 1 + host.n <= EMAIL_MAX;
}

/* ---- Addresses of the web. ---- */

struct url {
    text scheme, host, port, rest;
    bool user;
};

static bool cut_url(text s, struct url *u)
{
    ptrdiff_t colon = text_find(s, TEXT("://"));
    *u = (struct url){ .scheme = text_upto(s, colon < 0 ? 0 : (size_t)colon) };
    if (!text_eq_nocase(u->scheme, TEXT("http")) && !text_eq_nocase(u->scheme, TEXT("https")))
        return false;
    text all = text_from(s, u->scheme.n + 3);
    size_t end = 0;
    while (end < all.n && all.p[end] != '/' && all.p[end] != '?' && all.p[end] != '#')
        end++;
    text place = text_upto(all, end);
    u->rest = text_from(all, end);
    u->user = text_index(place, '@') >= 0;
    size_t host = place.n && place.p[0] == '[' ? (size_t)(text_index(place, ']') + 1) : 0;
    while (host < place.n && place.p[host] != ':')
        host++;
    u->host = text_upto(place, host);
    u->port = text_from(place, host);
    return u->host.n > 0;
}

static text kept_url(struct arena *a, text s)
{
    struct url u;
    if (!cut_url(s, &u) || u.user)
        return s;
    text host = u.host.p[0] == '[' ? u.host : unicode_host(a, u.host, false);
    const char *scheme = u.scheme.n == 5 ? "https" : "http";
    return host.p ? arena_print(a, "%s://%.*s%.*s%.*s", scheme, T(host), T(u.port), T(u.rest)) : s;
}

/* A host whose last part is a number is an address, and there must be such a one (WHATWG URL, 3.5). */
static bool names_host(struct arena *a, text host)
{
    char name[INET_ADDRSTRLEN];
    struct in_addr four;
    text made = unicode_host(a, host, false);
    if (!made.p)
        return false;
    text last = text_from(made, (size_t)(last_dot(made) + 1));
    bool number = all_digits(last) || text_starts(last, TEXT("0x"));
    return !number || (text_cstr(made, name, sizeof name) && inet_pton(AF_INET, name, &four) == 1);
}

static bool is_port(text s)
{
    int64_t n;
    bool digits = s.n > 1 && s.n <= 6 && s.p[0] == ':' && s.p[1] >= '0' && s.p[1] <= '9';
    return !s.n || (digits && text_int(text_from(s, 1), &n) && n > 0 && n < 65536);
}

static bool is_ipv6(text s)
{
    for (size_t i = 1; i + 1 < s.n; i++)
        if (text_index(TEXT("0123456789abcdefABCDEF:."), s.p[i]) < 0)
            return false;
    return s.n > 3 && s.p[s.n - 1] == ']' && text_index(s, ':') > 0;
}

bool normal_is_url(struct arena *a, text s)
{
    struct url u;
    for (size_t i = 0; i < s.n;) {
        uint32_t c = unicode_next(s, &i);
        if (unicode_blank(c) || c == UNICODE_BAD || c == '<' || c == '>' || c == '"' || c == '\\')
            return false;
    }
    /* A name and password in an address are a secret in the open, and the oldest way to show another host than the true
     * one. */
    return s.n <= URL_MAX && cut_url(s, &u) && !u.user && is_port(u.port) &&
           (u.host.p[0] == '[' ? is_ipv6(u.host) : names_host(a, u.host));
}

/* ---- The others. ---- */

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static text changed(struct arena *a, text s, char (*map)(char))
{
    text copy = arena_copy(a, s);
    char *p = (char *)(uintptr_t)copy.p;
    for (size_t i = 0; p && i < copy.n; i++)
        p[i] = map(p[i]);
    return copy;
}

/* "IBAN fr76 3000-6000 …" is written so on paper; digits and letters of other widths are those of ASCII. */
static text kept_iban(struct arena *a, text s)
{
    BUF_AUTO b = buf_make(s.n * 4 + 16);
    text wide = unicode_fold(a, s);
    for (size_t i = 0; wide.p && i < wide.n;) {
        size_t at = i;
        uint32_t c = unicode_next(wide, &i);
        if (!unicode_blank(c) && c != '-' && c != '.')
            buf_add(&b, text_upto(text_from(wide, at), i - at));
    }
    text packed = buf_made(a, &b);
    if (text_starts(packed, TEXT("iban:")))
        packed = text_from(packed, 5);
    if (text_starts(packed, TEXT("iban")))
        packed = text_from(packed, 4);
    text out = changed(a, packed, upper);
    return iban_good(out) ? out : s;
}

/* RFC 5952: small letters, the longest row of zeros as "::". */
static text kept_ip(struct arena *a, text s)
{
    char name[INET6_ADDRSTRLEN];
    struct in6_addr six;
    if (!text_cstr(s, name, sizeof name) || inet_pton(AF_INET6, name, &six) != 1 ||
        !inet_ntop(AF_INET6, &six, name, sizeof name))
        return s;
    return arena_copy(a, text_of(name));
}

static text kept_colour(struct arena *a, text s)
{
    text small = changed(a, s, lower);
    if (small.n != 4 || small.p[0] != '#')
        return small;
    const char *p = small.p;
    return arena_print(a, "#%c%c%c%c%c%c", p[1], p[1], p[2], p[2], p[3], p[3]);
}

/* Digits and signs of ASCII, blanks as people see them: what was pasted looks as if typed. */
static text kept_telephone(struct arena *a, text s)
{
    BUF_AUTO b = buf_make(s.n * 4 + 16);
    for (size_t i = 0; i < s.n;) {
        uint32_t c = unicode_next(s, &i);
        int d = unicode_digit(c);
        bool dash = (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xFE58 || c == 0xFE63 || c == 0xFF0D;
        if (d >= 0)
            buf_char(&b, (char)('0' + d));
        else if (dash)
            buf_char(&b, '-');
        else if (c == 0xFF0B)
            buf_char(&b, '+');
        else if (unicode_blank(c) && !unicode_ignorable(c))
            buf_char(&b, ' ');
        else if (!unicode_ignorable(c))
            unicode_put(&b, c);
    }
    return buf_made(a, &b);
}

static text kept_choice(struct arena *a, const struct field *f, text s)
{
    for (unsigned i = 0; i < f->choice_count; i++)
        if (text_eq(unicode_nfc(a, f->choices[i]), s))
            return f->choices[i];
    return s;
}

text normal_kept(struct ctx *c, const struct field *f, text value)
{
    struct arena *a = c->arena;
    text s = text_utf8(value) ? unicode_trim(unicode_nfc(a, value)) : value;
    switch (f->type) {
    case FIELD_EMAIL:
        return kept_email(a, s);
    case FIELD_PHONE:
        return kept_telephone(a, telephone_unlinked(s));
    case FIELD_URL:
        return kept_url(a, s);
    case FIELD_COUNTRY:
        return changed(a, s, upper);
    case FIELD_IBAN:
        return kept_iban(a, s);
    case FIELD_IP:
        return kept_ip(a, s);
    case FIELD_COLOUR:
        return kept_colour(a, s);
    case FIELD_CHOICE:
        return kept_choice(a, f, s);
    case FIELD_TEXT:
    case FIELD_DATE:
    case FIELD_TIME:
    case FIELD_CARD:
    case FIELD_INTEGER:
    case FIELD_NUMBER:
    case FIELD_BOOLEAN:
    case FIELD_JSON:
        break;
    }
    return f->identifier ? unicode_trim(unicode_seen(a, s)) : s;
}

/* Blanks of any kind and number between two words are one (RFC 8266, 2.1): nobody sees how many there are. */
static text one_blank(struct arena *a, text s)
{
    BUF_AUTO b = buf_make(s.n + 8);
    bool blank = false;
    for (size_t i = 0; i < s.n;) {
        size_t at = i;
        bool is = unicode_blank(unicode_next(s, &i));
        if (!is)
            buf_add(&b, text_upto(text_from(s, at), i - at));
        else if (!blank)
            buf_char(&b, ' ');
        blank = is;
    }
    return buf_made(a, &b);
}

text normal_lookup(struct ctx *c, const struct field *f, text value)
{
    struct telephone t;
    text s = text_utf8(value) ? unicode_trim(value) : text_trim(value);
    if (f->type == FIELD_PHONE && telephone_read(s, c->policy->controller.country, &t))
        return telephone_print(c->arena, &t);
    return f->type == FIELD_EMAIL ? looked_email(c->arena, s) : one_blank(c->arena, unicode_fold(c->arena, s));
}

text normal_former(struct arena *a, const struct field *f, text value)
{
    text s = arena_copy(a, text_trim(value));
    char *p = (char *)(uintptr_t)s.p;
    size_t n = 0;
    for (size_t i = 0; p && i < s.n; i++) {
        char ch = p[i];
        if (f->type == FIELD_PHONE && !((ch >= '0' && ch <= '9') || ch == '+'))
            continue;
        p[n++] = f->type == FIELD_EMAIL ? lower(ch) : ch;
    }
    return (text){ p, n };
}

text normal_password(struct arena *a, text password)
{
    BUF_AUTO b = buf_make(password.n * 2 + 16);
    if (!text_utf8(password))
        return password;
    for (size_t i = 0; i < password.n;) {
        size_t at = i;
        uint32_t c = unicode_next(password, &i);
        bool space = c >= 0x80 && c != 0x85 && c != 0x2028 && c != 0x2029 && unicode_blank(c) &&
                     !unicode_ignorable(c) && c != 0x2800;
        buf_add(&b, space ? TEXT(" ") : text_upto(text_from(password, at), i - at));
    }
    text spaced = buf_made(a, &b), out = spaced.p ? unicode_composed(a, spaced) : spaced;
    buf_wipe(&b);
    return out;
}

/* ---- A category. ---- */

static const struct json *kept_value(struct ctx *c, const struct field *f, const struct json *v)
{
    struct json *out = NEW(c->arena, struct json);
    if (!out)
        return NULL;
    *out = *v;
    out->next = NULL;
    if (v->kind == J_TEXT && f)
        out->value = normal_kept(c, f, v->value);
    return out;
}

const struct json *normal_fields(struct ctx *c, const struct category *cat, const struct json *fields)
{
    struct json *out = NEW(c->arena, struct json), *last = NULL;
    if (!out || !fields || fields->kind != J_OBJECT)
        return fields;
    *out = *fields;
    out->first = NULL;
    JSON_EACH(v, fields) {
        int index = policy_field(cat, v->key);
        struct json *one = (struct json *)(uintptr_t)kept_value(c, index < 0 ? NULL : &cat->fields[index], v);
        if (!one || ((one->kind == J_TEXT || one->kind == J_NUMBER) && !one->value.p))
            return NULL;
        if (last)
            last->next = one;
        else
            out->first = one;
        last = one;
    }
    return out;
}
