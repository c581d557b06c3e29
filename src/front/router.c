/* The router: targets split, decoded strictly, and matched against the rows of routes.def. */
#include "front/router.h"
#include "base/decode.h"

static const struct route rows[] = {
#define ROUTE(name, method, path, who, needs, body, status, input, output, en, fr)                                            \
    [ROUTE_##name] = { TEXT_INIT(#name), METHOD_##method, TEXT_INIT(path), WHO_##who, NEEDS_##needs, BODY_##body, status,    \
                       TEXT_INIT(input), TEXT_INIT(output), TEXT_INIT(en), TEXT_INIT(fr), api_##name },
#include "front/routes.def"
};

/* Ends with a row that belongs to no route, so that the table is never empty. */
static const struct route_query queries[] = {
#define QUERY(name, parameter, required, en, fr) { ROUTE_##name, TEXT_INIT(#parameter), required, TEXT_INIT(en), TEXT_INIT(fr) },
#include "front/routes.def"
    { .route = ROUTE_COUNT },
};

static const bool asides[ROUTE_COUNT] = {
#define ASIDE(name) [ROUTE_##name] = true,
#include "front/routes.def"
};

text who_word(enum who who)
{
    static const text words[] = { [WHO_PUBLIC] = TEXT_INIT("public"), [WHO_ANYONE] = TEXT_INIT("anyone"), [WHO_TOKEN] = TEXT_INIT("token"),
                                  [WHO_OWN] = TEXT_INIT("own"),
                                  [WHO_SELF] = TEXT_INIT("self"),     [WHO_STAFF] = TEXT_INIT("staff"),   [WHO_OPERATOR] = TEXT_INIT("operator") };
    return words[who];
}

const struct route *route_row(enum route_id id) { return &rows[id]; }
bool route_aside(const struct route *route) { return asides[route_id(route)]; }
enum route_id route_id(const struct route *route) { return (enum route_id)(route - rows); }

const struct route_query *route_queries(size_t *count)
{
    *count = sizeof queries / sizeof *queries - 1;
    return queries;
}

/* Bytes that may stand in a path or a query as they are (RFC 3986, 3.3 and 3.4), '%' included. */
static bool plain(char c)
{
    static const char others[] = "-._~!$&'()*+,;=:@%/?";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || memchr(others, c, sizeof others - 1);
}

/* What an escape decodes to must be text: no control byte, no malformed UTF-8. */
static enum err decode_part(struct arena *a, text in, bool plus_is_blank, const char *what, text *out)
{
    *out = in;
    bool escaped = text_index(in, '%') >= 0 || (plus_is_blank && text_index(in, '+') >= 0);
    if (!escaped)
        return OK;
    *out = decode_percent(a, in, plus_is_blank);
    if (!out->p)
        return say(a, ERR_USAGE, "an escape in the %s is malformed", what);
    if (!text_utf8(*out))
        return say(a, ERR_USAGE, "an escape in the %s is not UTF-8", what);
    for (size_t i = 0; i < out->n; i++)
        if ((uint8_t)out->p[i] < 0x20 || out->p[i] == 0x7F)
            return say(a, ERR_USAGE, "an escape in the %s is a control byte", what);
    return OK;
}

enum err route_segments(struct arena *a, text target, struct segments *out)
{
    if (!target.n || target.p[0] != '/')
        return say(a, ERR_USAGE, "the request target does not start with a slash");
    for (size_t i = 0; i < target.n; i++)
        if (!plain(target.p[i]))
            return say(a, ERR_USAGE, "byte %zu of the request target may not stand there", i + 1);
    text path = text_cut(&target, '?');
    path = text_from(path, 1);
    out->count = 0;
    do {
        text raw = text_cut(&path, '/'), segment;
        TRY(decode_part(a, raw, false, "path", &segment));
        if (text_eq(segment, TEXT(".")) || text_eq(segment, TEXT("..")))
            return say(a, ERR_USAGE, "the path holds a dotted segment");
        if (text_index(segment, '/') >= 0 || text_index(segment, '\\') >= 0)
            return say(a, ERR_USAGE, "a segment of the path holds an escaped slash");
        if (out->count == SEGMENTS_MAX)
            return say(a, ERR_NOT_FOUND, "the path has more than %d segments", SEGMENTS_MAX);
        out->list[out->count++] = segment;
    } while (path.p);
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

static enum err add_query(struct arena *a, struct request *q, text name, text value)
{
    bool known = false;
    for (const struct route_query *row = queries; row->route != ROUTE_COUNT; row++)
        known |= row->route == route_id(q->route) && text_eq(row->name, name);
    if (!known)
        return say(a, ERR_USAGE, "the query has a parameter that this resource does not take");
    if (request_query(q, name).p)
        return say(a, ERR_USAGE, "the parameter \"%.*s\" stands twice in the query", T(name));
    if (q->query_count == REQUEST_QUERIES)
        return say(a, ERR_USAGE, "the query has more than %d parameters", REQUEST_QUERIES);
    q->queries[q->query_count++] = (struct pair){ name, value };
    return OK;
}

static enum err parse_query(struct arena *a, struct request *q)
{
    text rest = q->target;
    text_cut(&rest, '?');
    q->query_count = 0;
    while (rest.p) {
        text value = text_cut(&rest, '&'), name;
        if (!value.n && !rest.p && !q->query_count)      /* a bare '?' */
            break;
        name = text_cut(&value, '=');
        TRY(decode_part(a, name, true, "query", &name));
        if (value.p)
            TRY(decode_part(a, value, true, "query", &value));
        TRY(add_query(a, q, name, value.p ? value : TEXT("")));
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
    TRY(route_segments(a, q->target, &path));
    enum method method = q->method == METHOD_HEAD ? METHOD_GET : q->method;
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (rows[i].method == method && match(a, &rows[i], &path, q->params)) {
            q->route = &rows[i];
            return parse_query(a, q);
        }
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (match(a, &rows[i], &path, q->params))
            return say(a, ERR_METHOD, "this resource does not take that method; Allow lists those it takes");
    return say(a, ERR_NOT_FOUND, "no resource has this path");
}

text route_allow(struct arena *a, text target)
{
    struct segments path;
    text params[REQUEST_PARAMS], allow = TEXT("");
    if (route_segments(a, target, &path) != OK)
        return allow;
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (match(a, &rows[i], &path, params))
            allow = arena_print(a, "%.*s%s%.*s%s", T(allow), allow.n ? ", " : "", T(method_word(rows[i].method)),
                                rows[i].method == METHOD_GET ? ", HEAD" : "");
    return allow;
}
