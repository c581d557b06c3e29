/* Events of one person, told one by one to what counts them. */
#include "domain/usage/counting.h"
#include "domain/core/data_subject.h"
#include "domain/core/instance.h"
#include "domain/person/person.h"

static const struct field *field_of(const struct category *cat, text name)
{
    int at = policy_field(cat, name);
    return at >= 0 ? &cat->fields[at] : NULL;
}

void counting_of(const struct policy *p, int category, struct counting *out)
{
    const struct category *cat = &p->categories[category];
    const struct field *page = field_of(cat, TEXT("page"));
    *out = (struct counting){ .category = category,
                              .page = page ? page : field_of(cat, TEXT("file")),
                              .action = field_of(cat, TEXT("action")),
                              .error = field_of(cat, TEXT("error")),
                              .response = field_of(cat, TEXT("response_ms")) };
}

bool counting_download(text action) { return text_eq(action, TEXT("download")); }

enum err counting_load(struct ctx *c, const struct person *p, int category, msec from, msec to, struct record **out,
                       unsigned *count)
{
    struct record *rows = NULL;
    unsigned room = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(
        &q, db, SQL_USAGE_OF,
        ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(c->policy->categories[category].name), V_INT(from), V_INT(to)));
    for (*count = 0; query_next(&q); (*count)++) {
        TRY(arena_wider(c->arena, (void **)&rows, *count, &room, sizeof *rows));
        rows[*count] = (struct record){ .category = category,
                                        .item = query_get(&q, USAGE_OF, item),
                                        .version = query_get(&q, USAGE_OF, version),
                                        .sealed = { arena_copy(c->arena, query_get(&q, USAGE_OF, sealed).bytes) },
                                        .at = query_get(&q, USAGE_OF, at),
                                        .due = query_get(&q, USAGE_OF, due),
                                        .source = arena_copy(c->arena, query_get(&q, USAGE_OF, source)),
                                        .key_class = (uint32_t)query_get(&q, USAGE_OF, class) };
    }
    *out = rows;
    return q.status;
}

static text of_event(const struct json *fields, const struct field *f)
{
    const struct json *v = f ? json_get(fields, f->name) : NULL;
    return v && v->first ? v->first->value : TEXT("");
}

static enum err tell(const struct counting *of, msec at, const struct json *fields, counting_take *take, void *arg)
{
    struct told t = { .at = at,
                      .page = of_event(fields, of->page),
                      .action = of_event(fields, of->action),
                      .error = of_event(fields, of->error).n };
    t.timed = text_int(of_event(fields, of->response), &t.ms);
    return take(arg, &t);
}

/* One that a glance does not tell of is built. */
static enum err tell_built(struct ctx *c, const struct counting *of, const struct block *b, unsigned i,
                           counting_take *take, void *arg)
{
    struct block_event e;
    TRY(block_event(c->arena, b, i, &e));
    return tell(of, e.at, e.fields, take, arg);
}

static enum err tell_block(struct ctx *c, const struct counting *of, const struct block *b, counting_take *take,
                           void *arg)
{
    enum { PAGE, ACTION, ERROR, RESPONSE, WANTED };
    const struct field *const fields[WANTED] = { of->page, of->action, of->error, of->response };
    text names[WANTED];
    for (size_t i = 0; i < WANTED; i++)
        names[i] = fields[i] ? fields[i]->name : TEXT("");
    uint8_t *wanted = block_wanted(c->arena, b, names, WANTED);
    TRY_PTR(wanted);
    for (unsigned i = 0; i < b->count; i++) {
        struct block_glance g;
        if (!block_glance(b, i, wanted, WANTED, &g) || g.of[PAGE].whole || g.of[ACTION].whole) {
            TRY(tell_built(c, of, b, i, take, arg));
            continue;
        }
        struct told t = { .at = g.at,
                          .page = g.of[PAGE].value,
                          .action = g.of[ACTION].value,
                          .error = g.of[ERROR].whole || g.of[ERROR].value.n,
                          .timed = g.of[RESPONSE].whole,
                          .ms = g.of[RESPONSE].number };
        if (!t.timed)
            t.timed = text_int(g.of[RESPONSE].value, &t.ms);
        TRY(take(arg, &t));
    }
    return OK;
}

enum err counting_row(struct ctx *c, const struct person *p, const struct counting *t, const struct record *row,
                      struct record_keys *keys, counting_take *take, void *arg)
{
    struct block b;
    struct record r = *row;
    if (record_is_block(row)) {
        TRY(record_open_block(c, p, row, keys, &b));
        return tell_block(c, t, &b, take, arg);
    }
    TRY(record_open(c, p, &r));
    return tell(t, r.at, r.fields, take, arg);
}
