/* POST /v1/batch: many requests in one, each through the same router, gate and handler as if it had come alone. */
#include "base/fiber.h"
#include "domain/core/pieces.h"
#include "front/door/gate.h"
#include "front/door/schema.h"

/* Requests about one person are done in their order; those about others side by side, so that they share commits. */
enum { LANES = 32 };

struct item {
    const struct json *in;
    unsigned lane;
    text result;
};

struct lane {
    struct batch *batch;
    unsigned number;
    struct arena arena;
    struct reply reply;
};

struct batch {
    const struct ctx *ctx;
    const struct request *outer;
    struct item *items;
    size_t count;
    int64_t size; /* of the results so far */
    struct lane lanes[LANES];
    unsigned running;
    struct wait done;
};

/* The first two segments below /v1 name what a request is about: "/v1/subjects/ID". Others go round. */
static unsigned lane_of(text path, size_t index)
{
    text rest = path, part = { NULL, 0 };
    for (int i = 0; i < 4; i++)
        part = text_cut(&rest, '/');
    part = text_cut(&part, '?');
    if (part.n < 20)
        return (unsigned)(index % LANES);
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < part.n; i++)
        hash = (hash ^ (uint8_t)part.p[i]) * 16777619u;
    return hash % LANES;
}

static enum err item_request(struct ctx *c, const struct batch *b, const struct item *item, struct request *q)
{
    *q = (struct request){ .front = b->outer->front,
                           .fibers = b->outer->fibers,
                           .method = method_of(json_text(item->in, TEXT("method"))),
                           .target = json_text(item->in, TEXT("path")),
                           .operator_socket = b->outer->operator_socket,
                           .in_batch = true,
                           .address = b->outer->address,
                           .json = json_get(item->in, TEXT("body")) };
    TRY(schema_check(c->arena, TEXT("BatchItem"), item->in));
    if (!q->target.n || q->method == METHOD_UNKNOWN)
        return say(c->arena, ERR_USAGE, "an item of a batch needs a method and a path");
    TRY(route_find(c->arena, q));
    if (!text_starts(q->route->path, TEXT("/v1/")) || q->route->body == BODY_FILE ||
        text_starts(q->route->output, TEXT("=")) || route_id(q->route) == ROUTE_batch)
        return say(c->arena, ERR_USAGE, "\"%.*s\" cannot be asked in a batch", T(q->route->name));
    struct pair header = { TEXT("If-Match"), json_text(item->in, TEXT("if_match")) };
    struct request condition = { .headers = &header, .header_count = header.value.p != NULL };
    return request_if_match(c->arena, &condition, &c->if_match);
}

/* The result as JSON, in the arena of the whole batch. */
static text write_result(const struct batch *b, struct reply *r)
{
    BUF_AUTO out = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&out);
    json_open(&w, '{');
    json_pair_int(&w, TEXT("status"), r->status);
    for (unsigned i = 0; i < r->header_count; i++)
        if (text_eq(r->headers[i].name, TEXT("ETag")))
            json_pair(&w, TEXT("etag"), r->headers[i].value);
    if (r->body.n) {
        json_name(&w, TEXT("body"));
        json_put_raw(&w, r->body);
    }
    json_close(&w, '}');
    return buf_made(b->ctx->arena, &out);
}

/* What is made while it is read has to be whole here: too large for a batch is told, and asked for alone. */
static enum err take_whole(struct arena *a, struct reply *r)
{
    enum { WHOLE = 8 << 20 };
    BUF_AUTO b = buf_make(WHOLE);
    struct pieces *s = r->pieces;
    r->pieces = NULL; /* it ends here */
    TRY(pieces_whole(a, s, &b));
    return buf_take(a, &b, &r->body);
}

static void do_item(struct lane *lane, struct item *item, size_t index)
{
    struct batch *b = lane->batch;
    struct arena *a = &lane->arena;
    struct ctx c = *b->ctx; /* the same snapshot, actor and time; its own memory and reason */
    struct request q;
    c.arena = a;
    c.decisions = NULL;
    c.if_match = 0;
    bool reads = text_eq(json_text(item->in, TEXT("method")), TEXT("GET"));
    if (reads)
        c.idempotency.key = (text){ NULL, 0 };
    if (c.idempotency.key.p) /* each item of a repeated batch is answered again, not done again */
        c.idempotency.key = arena_print(a, "%.*s#%zu", T(b->ctx->idempotency.key), index);
    enum err e = budget_check(a, c.language, BUDGET_results, b->size, 0); /* before it is done */
    if (e == OK)
        e = item_request(&c, b, item, &q);
    if (e == OK)
        e = front_handle(&c, &q, &lane->reply);
    if (e == OK && lane->reply.pieces)
        e = take_whole(a, &lane->reply);
    if (e != OK) {
        a->why.code = e;
        reply_problem(&lane->reply, &a->why, c.language);
    }
    item->result = write_result(b, &lane->reply);
    b->size += (int64_t)item->result.n;
    reply_reset(&lane->reply);
    arena_reset(a);
}

static void run_lane(void *arg)
{
    struct lane *lane = arg;
    struct batch *b = lane->batch;
    for (size_t i = 0; i < b->count; i++)
        if (b->items[i].lane == lane->number)
            do_item(lane, &b->items[i], i);
    reply_free(&lane->reply);
    arena_free(&lane->arena);
    if (--b->running == 0)
        wait_done(&b->done);
}

static enum err read_items(struct ctx *c, const struct request *q, struct batch *b)
{
    const struct json *list = json_get(q->json, TEXT("requests"));
    if (!list)
        return say(c->arena, ERR_USAGE, "a batch is an object with the list \"requests\"");
    if (list->count > BATCH_LIMIT)
        return say(c->arena, ERR_TOO_LARGE, "a batch has at most %d requests", BATCH_LIMIT);
    b->items = NEW_ARRAY(c->arena, struct item, list->count + 1);
    TRY_PTR(b->items);
    JSON_EACH(in, list) {
        b->items[b->count] = (struct item){ .in = in,
                                            .lane = q->fibers ? lane_of(json_text(in, TEXT("path")), b->count) : 0 };
        b->count++;
    }
    return OK;
}

static enum err run_lanes(struct ctx *c, const struct request *q, struct batch *b)
{
    unsigned lanes = q->fibers ? LANES : 1;
    wait_init(&b->done);
    b->running = 1; /* this one, until all are under way */
    for (unsigned i = 0; i < lanes; i++) {
        struct lane *lane = &b->lanes[i];
        *lane = (struct lane){ .batch = b, .number = i, .arena = arena_make(c->arena->limit) };
        reply_reset(&lane->reply);
        b->running++;
        if (!q->fibers || fiber_run(&lane->arena, q->fibers, run_lane, lane) != OK)
            run_lane(lane);
    }
    if (--b->running)
        wait_for(&b->done);
    return OK;
}

enum err api_batch(struct ctx *c, const struct request *q, struct reply *r)
{
    struct batch *b = NEW(c->arena, struct batch);
    TRY_PTR(b);
    b->ctx = c;
    b->outer = q;
    TRY(read_items(c, q, b));
    TRY(run_lanes(c, q, b));
    struct json_out *w = reply_json(r, 207);
    json_open(w, '{');
    json_name(w, TEXT("results"));
    json_open(w, '[');
    for (size_t i = 0; i < b->count; i++) {
        if (!b->items[i].result.p)
            return say(c->arena, ERR_MEMORY, "the results of the batch need more memory than a request has");
        json_put_raw(w, b->items[i].result);
    }
    json_close(w, ']');
    json_close(w, '}');
    return reply_done(c->arena, r);
}
