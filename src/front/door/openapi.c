/* GET /openapi.json: OpenAPI 3.1 from the rows of routes.def and schemas.def. */
#include "domain/core/budget.h"
#include "front/door/front.h"
#include "front/door/router.h"
#include "front/door/schema.h"

/* ---- Schemas. ---- */

static void put_type(struct json_out *w, text type);

/* "X+": one X or a list of them. */
static void put_one_or_many(struct json_out *w, text type)
{
    json_name(w, TEXT("oneOf"));
    json_open(w, '[');
    for (int many = 0; many < 2; many++) {
        json_open(w, '{');
        if (many) {
            json_pair(w, TEXT("type"), TEXT("array"));
            json_name(w, TEXT("items"));
            json_open(w, '{');
        }
        put_type(w, type);
        if (many)
            json_close(w, '}');
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_type(struct json_out *w, text type)
{
    static const struct {
        text word, json;
    } plain[] = {
        { TEXT_INIT("text"), TEXT_INIT("\"type\":\"string\"") },
        { TEXT_INIT("id"), TEXT_INIT("\"type\":\"string\",\"pattern\":\"^[0-9A-HJKMNP-TV-Z]{26}$\"") },
        { TEXT_INIT("time"), TEXT_INIT("\"type\":\"string\",\"format\":\"date-time\"") },
        { TEXT_INIT("integer"), TEXT_INIT("\"type\":\"integer\"") },
        { TEXT_INIT("boolean"), TEXT_INIT("\"type\":\"boolean\"") },
    };
    if (text_starts(type, TEXT("~")))
        type = text_from(type, 1);
    if (text_ends(type, TEXT("+"))) {
        put_one_or_many(w, text_upto(type, type.n - 1));
        return;
    }
    if (type.n > 2 && (type.p[0] == '[' || type.p[0] == '{')) {
        bool list = type.p[0] == '[';
        json_pair(w, TEXT("type"), list ? TEXT("array") : TEXT("object"));
        json_name(w, list ? TEXT("items") : TEXT("additionalProperties"));
        json_open(w, '{');
        put_type(w, text_upto(text_from(type, 1), type.n - 2));
        json_close(w, '}');
        return;
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (text_eq(type, plain[i].word)) {
            buf_add(w->b, w->comma ? TEXT(",") : TEXT(""));
            buf_add(w->b, plain[i].json);
            w->comma = true;
            return;
        }
    if (!text_eq(type, TEXT("any"))) {
        BUF_AUTO ref = buf_make(256);
        buf_print(&ref, "#/components/schemas/%.*s", T(type));
        json_name(w, TEXT("$ref"));
        json_put_text_of(w, &ref);
    }
}

/* A member that may be left out may be null as well, in bodies (schema.c) and in answers. */
static void put_member(struct json_out *w, const struct schema_member *m)
{
    json_name(w, m->name);
    json_open(w, '{');
    if (m->required)
        put_type(w, m->type);
    else {
        json_name(w, TEXT("anyOf"));
        json_open(w, '[');
        json_open(w, '{');
        put_type(w, m->type);
        json_close(w, '}');
        json_put_raw(w, TEXT("{\"type\":\"null\"}"));
        json_close(w, ']');
    }
    json_pair(w, TEXT("description"), m->en);
    json_close(w, '}');
}

/* One schema, from its first row to its last; gives the row behind. */
static const struct schema_member *put_schema(struct json_out *w, const struct schema_member *first,
                                              const struct schema_member *end)
{
    const struct schema_member *m = first;
    json_name(w, first->schema);
    json_open(w, '{');
    if (!first->name.n) {
        put_type(w, first->type);
        json_pair(w, TEXT("description"), first->en);
        json_close(w, '}');
        return first + 1;
    }
    json_pair(w, TEXT("type"), TEXT("object"));
    json_name(w, TEXT("required"));
    json_open(w, '[');
    for (; m < end && text_eq(m->schema, first->schema); m++)
        if (m->required)
            json_put_text(w, m->name);
    json_close(w, ']');
    json_name(w, TEXT("properties"));
    json_open(w, '{');
    for (const struct schema_member *one = first; one < m; one++)
        put_member(w, one);
    json_close(w, '}');
    json_close(w, '}');
    return m;
}

/* ---- Operations. ---- */

static void put_parameter(struct json_out *w, text name, const char *in, bool required, text description)
{
    json_open(w, '{');
    json_pair(w, TEXT("name"), name);
    json_pair(w, TEXT("in"), text_of(in));
    json_pair_bool(w, TEXT("required"), required);
    if (description.n)
        json_pair(w, TEXT("description"), description);
    json_name(w, TEXT("schema"));
    json_open(w, '{');
    put_type(w, text_eq(name, TEXT("id")) ? TEXT("id") : TEXT("text"));
    json_close(w, '}');
    json_close(w, '}');
}

static bool writes(const struct route *route) { return route->method != METHOD_GET; }

static void put_parameters(struct json_out *w, const struct route *route, bool fr)
{
    json_name(w, TEXT("parameters"));
    json_open(w, '[');
    for (text rest = route->path; rest.p;) {
        text segment = text_cut(&rest, '/');
        if (segment.n > 2 && segment.p[0] == '{') {
            bool all = segment.p[segment.n - 2] == '*';
            put_parameter(w, text_upto(text_from(segment, 1), segment.n - (all ? 3 : 2)), "path", true,
                          all ? TEXT("may hold slashes, as c2sp.org/tlog-tiles writes it") : TEXT(""));
        }
    }
    size_t count;
    const struct route_query *queries = route_queries(&count);
    for (size_t i = 0; i < count; i++)
        if (queries[i].route == route_id(route))
            put_parameter(w, queries[i].name, "query", queries[i].required, fr ? queries[i].fr : queries[i].en);
    if (route->method == METHOD_PATCH)
        put_parameter(w, TEXT("If-Match"), "header", true, TEXT("the ETag that was read"));
    if (route->needs == NEEDS_READ)
        put_parameter(
            w, TEXT("Garant-Reason"), "header", false,
            TEXT(
                "why, where the role must say it before each look; percent-encoded, kept sealed, shown to the person"));
    if (writes(route))
        put_parameter(w, TEXT("Idempotency-Key"), "header", false,
                      TEXT("a repeated request is answered again, not done again, for 24 hours"));
    json_close(w, ']');
}

/* {"application/json": {"schema": …}}; "=TYPE" is a media type without schema. */
static void put_content(struct json_out *w, text schema, text json_type)
{
    bool other = text_starts(schema, TEXT("="));
    json_name(w, TEXT("content"));
    json_open(w, '{');
    json_name(w, other ? text_from(schema, 1) : json_type);
    json_open(w, '{');
    json_name(w, TEXT("schema"));
    json_open(w, '{');
    if (!other)
        put_type(w, schema);
    json_close(w, '}');
    json_close(w, '}');
    json_close(w, '}');
}

/* What a budget says: "at most 8 …", with its unit and in how many seconds. */
static void put_budgets(struct json_out *w, bool fr)
{
    json_name(w, TEXT("x-garant-budgets"));
    json_open(w, '[');
    for (enum budget b = 0; b < BUDGETS; b++) {
        const struct budget_row *row = budget_row(b);
        json_open(w, '{');
        json_pair(w, TEXT("name"), row->name);
        json_pair_int(w, TEXT("limit"), row->limit);
        json_pair_int(w, TEXT("unit"), row->unit);
        json_pair_int(w, TEXT("within"), row->within / SECOND);
        json_pair_int(w, TEXT("status"), err_row(row->error)->http);
        json_pair(w, TEXT("says"), fr ? row->fr : row->en);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* Whatever somebody asks for who has budgets may be beyond one. */
static void put_beyond(struct json_out *w, const struct route *route, bool fr)
{
    int b = route_budget(route);
    BUF_AUTO said = buf_make(1024);
    if (route->who == WHO_PUBLIC || route->who == WHO_OPERATOR)
        return;
    buf_add(&said, fr ? TEXT("un budget est épuisé (x-garant-budgets)") : TEXT("a budget is spent (x-garant-budgets)"));
    if (b >= 0) {
        const struct budget_row *row = budget_row((enum budget)b);
        buf_print(&said, fr ? " : au plus %lld %.*s" : ": at most %lld %.*s", (long long)row->limit,
                  T(fr ? row->fr : row->en));
    }
    json_name(w, TEXT("429"));
    json_open(w, '{');
    json_name(w, TEXT("description"));
    json_put_text_of(w, &said);
    json_name(w, TEXT("headers"));
    json_put_raw(
        w,
        TEXT(
            "{\"Retry-After\":{\"description\":\"seconds until it can be asked again\",\"required\":true,\"schema\":{\"type\":\"integer\"}}}"));
    if (route_is_page(route))
        put_content(w, TEXT("=text/html; charset=utf-8"), TEXT(""));
    else
        put_content(w, TEXT("Problem"), TEXT("application/problem+json"));
    json_close(w, '}');
}

static void put_responses(struct json_out *w, const struct route *route, bool fr)
{
    char status[8];
    snprintf(status, sizeof status, "%d", route->status);
    json_name(w, TEXT("responses"));
    json_open(w, '{');
    json_name(w, text_of(status));
    json_open(w, '{');
    json_pair(w, TEXT("description"), route->output.n ? TEXT("done") : TEXT("done; there is nothing to say"));
    if (route->output.n)
        put_content(w, route->output, TEXT("application/json"));
    json_close(w, '}');
    put_beyond(w, route, fr);
    json_name(w, TEXT("default"));
    json_open(w, '{');
    json_pair(w, TEXT("description"), TEXT("a problem (RFC 9457); a refusal names the clause of the policy"));
    put_content(w, TEXT("Problem"), TEXT("application/problem+json"));
    json_close(w, '}');
    json_close(w, '}');
}

static void put_operation(struct json_out *w, const struct route *route, bool fr)
{
    static const text method_names[] = { [METHOD_GET] = TEXT_INIT("get"),
                                         [METHOD_POST] = TEXT_INIT("post"),
                                         [METHOD_PUT] = TEXT_INIT("put"),
                                         [METHOD_PATCH] = TEXT_INIT("patch"),
                                         [METHOD_DELETE] = TEXT_INIT("delete") };
    json_name(w, method_names[route->method]);
    json_open(w, '{');
    json_pair(w, TEXT("operationId"), route->name);
    json_pair(w, TEXT("summary"), fr ? route->title_fr : route->title_en);
    json_pair(w, TEXT("x-garant-who"), who_word(route->who));
    if (route->needs != NEEDS_NONE)
        json_pair(w, TEXT("x-garant-act"), act_word((enum act)route->needs));
    json_name(w, TEXT("security"));
    static const text security[] = { [WHO_PUBLIC] = TEXT_INIT("[]"),
                                     [WHO_ANYONE] = TEXT_INIT("[{},{\"session\":[]}]"),
                                     [WHO_TOKEN] = TEXT_INIT("[{\"token\":[]},{\"session\":[]}]"),
                                     [WHO_OWN] = TEXT_INIT("[{\"token\":[]},{\"session\":[]}]"),
                                     [WHO_SELF] = TEXT_INIT("[{\"session\":[]}]"),
                                     [WHO_STAFF] = TEXT_INIT("[{\"session\":[]}]"),
                                     [WHO_OPERATOR] = TEXT_INIT("[]") };
    json_put_raw(w, security[route->who]);
    put_parameters(w, route, fr);
    if (route->body != BODY_NONE && route->input.n) {
        json_name(w, TEXT("requestBody"));
        json_open(w, '{');
        json_pair_bool(w, TEXT("required"), route->body != BODY_OPTIONAL);
        put_content(w, route->input,
                    route->method == METHOD_PATCH ? TEXT("application/merge-patch+json") : TEXT("application/json"));
        json_close(w, '}');
    }
    put_responses(w, route, fr);
    json_close(w, '}');
}

/* Parameters that hold slashes are written as others: OpenAPI has no word for them. */
static text plain_path(struct arena *a, text path)
{
    ptrdiff_t star = text_index(path, '*');
    return star < 0
               ? path
               : arena_print(a, "%.*s%.*s", T(text_upto(path, (size_t)star)), T(text_from(path, (size_t)star + 1)));
}

static bool path_before(size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (text_eq(route_row((enum route_id)i)->path, route_row((enum route_id)row)->path))
            return true;
    return false;
}

static enum err describe(struct ctx *c, struct reply *r, bool fr)
{
    struct json_out *w = reply_json(r, 200);
    json_open(w, '{');
    json_pair(w, TEXT("openapi"), TEXT("3.1.0"));
    json_name(w, TEXT("info"));
    json_open(w, '{');
    json_pair(w, TEXT("title"), TEXT("Garant"));
    json_pair(w, TEXT("version"), TEXT(GARANT_VERSION));
    json_pair(w, TEXT("summary"),
              fr ? TEXT("Tient les promesses d'une politique de confidentialité")
                 : TEXT("Keeps the promises of a privacy policy"));
    json_name(w, TEXT("license"));
    json_put_raw(w, TEXT("{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}"));
    json_close(w, '}');
    json_name(w, TEXT("paths"));
    json_open(w, '{');
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (path_before(i))
            continue;
        text path = route_row((enum route_id)i)->path;
        json_name(w, plain_path(c->arena, path));
        json_open(w, '{');
        for (size_t k = i; k < ROUTE_COUNT; k++)
            if (text_eq(route_row((enum route_id)k)->path, path))
                put_operation(w, route_row((enum route_id)k), fr);
        json_close(w, '}');
    }
    json_close(w, '}');
    put_budgets(w, fr);
    json_name(w, TEXT("components"));
    json_open(w, '{');
    json_name(w, TEXT("securitySchemes"));
    json_put_raw(
        w,
        TEXT(
            "{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"__Host-sid\"}}"));
    json_name(w, TEXT("schemas"));
    json_open(w, '{');
    size_t count;
    const struct schema_member *rows = schema_members(&count);
    for (const struct schema_member *at = rows; at < rows + count;)
        at = put_schema(w, at, rows + count);
    json_close(w, '}');
    json_close(w, '}');
    json_close(w, '}');
    return reply_done(c->arena, r);
}

/* It says the same for as long as the program runs, and takes a while to make: many who ask for it would hold up
 * others. */
static void remember(_Atomic(struct description *) *slot, text made)
{
    struct description *copy = malloc(sizeof *copy + made.n), *none = NULL;
    if (!copy)
        return;
    copy->size = made.n;
    memcpy(copy->bytes, made.p, made.n);
    if (!atomic_compare_exchange_strong(slot, &none, copy))
        free(copy); /* another thread was faster */
}

enum err api_openapi(struct ctx *c, const struct request *q, struct reply *r)
{
    bool fr = text_eq(c->language, TEXT("fr"));
    const struct description *known = q->front->descriptions[fr];
    if (known) {
        reply_bytes(r, 200, TEXT("application/json"), (text){ known->bytes, known->size });
        return OK;
    }
    TRY(describe(c, r, fr));
    if (q->fibers)
        remember(&q->front->descriptions[fr], r->body);
    return OK;
}
