/* The router: targets split, decoded strictly, and matched against the rows of routes.def. */
#include "front/door/router.h"
#include "base/decode.h"
#include "domain/core/budget.h"

/* Ends with a row that belongs to no route, so that the table is never empty. */
static const struct route_query queries[] = {
#define QUERY(name, parameter, required, en, fr)                                                                       \
    { ROUTE_##name, TEXT_INIT(#parameter), required, TEXT_INIT(en), TEXT_INIT(fr) },
#include "front/door/routes.def"
    { .route = ROUTE_COUNT },
};

static const bool always[ROUTE_COUNT] = {
#define ALWAYS(name) [ROUTE_##name] = true,
#include "front/door/routes.def"
};

/* One more than the budget: 0 is none. */
static const uint8_t held[ROUTE_COUNT] = {
#define HOLDS(name, budget) [ROUTE_##name] = BUDGET_##budget + 1,
#include "front/door/routes.def"
};

static const bool asides[ROUTE_COUNT] = {
#define ASIDE(name) [ROUTE_##name] = true,
#include "front/door/routes.def"
};

static const bool uploads[ROUTE_COUNT] = {
#define UPLOADS(name) [ROUTE_##name] = true,
#include "front/door/routes.def"
};
static const bool abroad[ROUTE_COUNT] = {
#define ABROAD(name) [ROUTE_##name] = true,
#include "front/door/routes.def"
};

static const bool lets_in[ROUTE_COUNT] = {
#define LETS_IN(name) [ROUTE_##name] = true,
#include "front/door/routes.def"
};

text who_word(enum who who)
{
    static const text words[] = {
        [WHO_PUBLIC] = TEXT_INIT("public"),    [WHO_ANYONE] = TEXT_INIT("anyone"), [WHO_TOKEN] = TEXT_INIT("token"),
        [WHO_OWN] = TEXT_INIT("own"),          [WHO_SELF] = TEXT_INIT("self"),     [WHO_STAFF] = TEXT_INIT("staff"),
        [WHO_OPERATOR] = TEXT_INIT("operator")
    };
    return words[who];
}

const struct route *route_row(enum route_id id) { return &route_rows[id]; }
bool route_always(const struct route *route) { return always[route_id(route)]; }
int route_budget(const struct route *route) { return held[route_id(route)] - 1; }
bool route_uploads(const struct route *route) { return uploads[route_id(route)]; }
bool route_lets_in(const struct route *route) { return lets_in[route_id(route)]; }
bool route_abroad(const struct route *route) { return abroad[route_id(route)]; }

bool route_aside(const struct route *route) { return asides[route_id(route)]; }
bool route_is_page(const struct route *route)
{
    bool html = !route->output.n || text_starts(route->output, TEXT("=text/html"));
    return html && !text_starts(route->path, TEXT("/v1/"));
}

enum route_id route_id(const struct route *route) { return (enum route_id)(route - route_rows); }

const struct route_query *route_queries(size_t *count)
{
    *count = sizeof queries / sizeof *queries - 1;
    return queries;
}

/* Bytes that stand in a path as they are: those of RFC 3986, 3.3, '%' included, and those that browsers leave there
 * (WHATWG URL, path percent-encode set). A backslash is none: some readers take it for a slash. */
static bool stands_in_path(char c)
{
    static const char others[] = "-._~!$&'()*+,;=:@%/[]|^";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           memchr(others, c, sizeof others - 1);
}

/* A query decides nothing before it is split: whatever a browser leaves as it is may stand there, and UTF-8 that is not
 * escaped. */
static bool stands_in_query(char c) { return ((uint8_t)c > ' ' && c != '#' && c != 0x7F); }

/* What an escape decodes to must be text: no control byte, no malformed UTF-8. */
static enum err decode_part(struct arena *a, text in, bool plus_is_blank, const char *what, text *out)
{
    bool escaped = text_index(in, '%') >= 0 || (plus_is_blank && text_index(in, '+') >= 0);
    *out = escaped ? decode_percent(a, in, plus_is_blank) : in;
    if (!out->p)
        return say(a, ERR_USAGE, "an escape in the %s is malformed", what);
    if (!text_utf8(*out))
        return say(a, ERR_USAGE, "the %s is not UTF-8", what);
    for (size_t i = 0; i < out->n; i++)
        if ((uint8_t)out->p[i] < 0x20 || out->p[i] == 0x7F)
            return say(a, ERR_USAGE, "an escape in the %s is a control byte", what);
    return OK;
}

enum err route_segment(struct arena *a, text *rest, text *out)
{
    TRY(decode_part(a, text_cut(rest, '/'), false, "path", out));
    if (text_eq(*out, TEXT(".")) || text_eq(*out, TEXT("..")))
        return say(a, ERR_USAGE, "the path holds a dotted segment");
    if (text_index(*out, '/') >= 0 || text_index(*out, '\\') >= 0)
        return say(a, ERR_USAGE, "a segment of the path holds an escaped slash");
    return OK;
}

enum err route_path(struct arena *a, text target, text *rest)
{
    text path = text_cut(&target, '?');
    if (!path.n || path.p[0] != '/')
        return say(a, ERR_USAGE, "the request target does not start with a slash");
    for (size_t i = 0; i < path.n; i++)
        if (!stands_in_path(path.p[i]))
            return say(a, ERR_USAGE, "byte %zu of the request target may not stand there", i + 1);
    for (size_t i = 0; i < target.n; i++)
        if (!stands_in_query(target.p[i]))
            return say(a, ERR_USAGE, "byte %zu of the request target may not stand there", path.n + i + 2);
    *rest = text_from(path, 1);
    return OK;
}

/* A path taken apart, without its query; an empty segment stands as such. */
enum { SEGMENTS_MAX = 16 };
struct segments {
    text list[SEGMENTS_MAX];
    size_t count;
};

static enum err split_path(struct arena *a, text target, struct segments *out)
{
    text rest;
    TRY(route_path(a, target, &rest));
    out->count = 0;
    do {
        text segment;
        TRY(route_segment(a, &rest, &segment));
        if (out->count == SEGMENTS_MAX)
            return say(a, ERR_NOT_FOUND, "the path has more than %d segments", SEGMENTS_MAX);
        out->list[out->count++] = segment;
    } while (rest.p);
    return OK;
}

/* All segments from `at` on, with slashes, in the arena. */
static text join_rest(struct arena *a, const struct segments *path, size_t at)
{
    size_t n = 0;
    for (size_t i = at; i < path->count; i++)
        n += path->list[i].n + 1;
    char *out = arena_alloc(a, n), *p = out;
    for (size_t i = at; out && i < path->count; i++) {
        if (i > at)
            *p++ = '/';
        if (path->list[i].n)
            memcpy(p, path->list[i].p, path->list[i].n);
        p += path->list[i].n;
    }
    return out ? (text){ out, (size_t)(p - out) } : (text){ NULL, 0 };
}

static bool match(struct arena *a, const struct route *route, const struct segments *path, text params[REQUEST_PARAMS])
{
    text rest = text_from(route->path, 1);
    size_t at = 0, param = 0;
    for (; rest.p; at++) {
        text want = text_cut(&rest, '/');
        if (at == path->count)
            return false;
        text got = path->list[at];
        if (want.n && want.p[0] == '{') {
            if (!got.n)
                return false;
            if (want.p[want.n - 2] == '*') {
                params[param] = join_rest(a, path, at);
                return params[param].p != NULL;
            }
            params[param++] = got;
        } else if (!text_eq(want, got))
            return false;
    }
    return at == path->count;
}

static bool knows_parameter(const struct route *route, text name)
{
    for (const struct route_query *row = queries; row->route != ROUTE_COUNT; row++)
        if (row->route == route_id(route) && text_eq(row->name, name))
            return true;
    return false;
}

static enum err add_query(struct arena *a, struct request *q, text name, text value)
{
    if (request_query(q, name).p)
        return say(a, ERR_USAGE, "the parameter \"%.*s\" stands twice in the query", T(name));
    if (q->query_count == REQUEST_QUERIES)
        return say(a, ERR_USAGE, "the query has more than %d parameters", REQUEST_QUERIES);
    q->queries[q->query_count++] = (struct pair){ name, value };
    return OK;
}

/* Letters, social networks and advertisements append what they like to any link (utm_source, fbclid, gclid): a page
 * leaves it aside, for the notice has to be easily reached (GDPR 12(1)). A program that misspells a parameter is told.
 */
static enum err read_parameter(struct arena *a, struct request *q, text name, text value)
{
    text decoded;
    enum err status = decode_part(a, name, true, "query", &decoded);
    bool known = status == OK && knows_parameter(q->route, decoded);
    if (!known && (route_is_page(q->route) || text_starts(q->route->path, TEXT("/.well-known/"))))
        return OK;
    TRY(status);
    if (!known) {
        say(a, ERR_USAGE, "the query has a parameter \"%.*s\", which this resource does not take",
            T(text_upto(decoded, 64)));
        snprintf(a->why.field, sizeof a->why.field, "%.*s", T(text_upto(decoded, 64)));
        return ERR_USAGE;
    }
    if (value.p)
        TRY(decode_part(a, value, true, "query", &value));
    return add_query(a, q, decoded, value.p ? value : TEXT(""));
}

static enum err parse_query(struct arena *a, struct request *q)
{
    text rest = q->target;
    text_cut(&rest, '?');
    q->query_count = 0;
    while (rest.p) {
        text value = text_cut(&rest, '&');
        if (!value.n) /* a bare '?', or an '&' too many */
            continue;
        text name = text_cut(&value, '=');
        TRY(read_parameter(a, q, name, value));
    }
    return OK;
}

enum err route_complete(struct arena *a, const struct request *q)
{
    for (const struct route_query *row = queries; row->route != ROUTE_COUNT; row++)
        if (row->required && row->route == route_id(q->route) && !request_query(q, row->name).p)
            return say(a, ERR_USAGE, "the query lacks the parameter \"%.*s\"", T(row->name));
    return OK;
}

enum err route_find(struct arena *a, struct request *q)
{
    struct segments path;
    TRY(split_path(a, q->target, &path));
    enum method method = q->method == METHOD_HEAD ? METHOD_GET : q->method;
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (route_rows[i].method == method && match(a, &route_rows[i], &path, q->params)) {
            q->route = &route_rows[i];
            return parse_query(a, q);
        }
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (match(a, &route_rows[i], &path, q->params))
            return say(a, ERR_METHOD, "this resource does not take that method; Allow lists those it takes");
    return say(a, ERR_NOT_FOUND, "no resource has this path");
}

text route_allow(struct arena *a, text target)
{
    struct segments path;
    text params[REQUEST_PARAMS], allow = TEXT("");
    if (split_path(a, target, &path) != OK)
        return allow;
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (match(a, &route_rows[i], &path, params))
            allow = arena_print(a, "%.*s%s%.*s%s", T(allow), allow.n ? ", " : "", T(method_word(route_rows[i].method)),
                                route_rows[i].method == METHOD_GET ? ", HEAD" : "");
    return allow.n ? arena_print(a, "%.*s, OPTIONS", T(allow)) : allow;
}
