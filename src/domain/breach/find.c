/* Who is affected by a breach: people of a declared scope, counted by country and category, read a page at a time. */
#include "domain/breach/inside.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/person/person.h"
#include "domain/person/record.h"

enum { COUNTRIES = 300, PAGE_MEMORY = 64 << 20, COUNTS_MAX = 1 << 17, PATTERN_MAX = 400 };

/* What staff declare. */
struct scope {
    struct bits categories;
    msec from, until;
    text recipient, actor, staff; /* each narrows the scope; empty: not */
    struct digest by;             /* of `staff` */
};
struct tally {
    char country[3];
    int64_t people;
};
struct counting {
    struct ctx *c;
    const struct scope *scope;
    int country_category;
    text country_field;
    struct tally countries[COUNTRIES];
    unsigned country_count;
    int64_t of_category[CATEGORIES_MAX], unknown;
    struct subject_id *found; /* of the part that is being filled */
    unsigned found_count;
    struct breach_found *out;
    unsigned room;
    const struct breach *b;
};
/* A page of people, in the order of their ids. */
struct page_of {
    struct subject_id ids[LIST_PART];
    unsigned count;
    struct bits held[LIST_PART];
    bool seen[LIST_PART], affected[LIST_PART];
};

/* ---- The scope of the request. ---- */

static enum err take_categories(struct ctx *c, const struct json *in, struct scope *s)
{
    const struct json *all = json_get(in, TEXT("categories"));
    bool alone = all && all->kind == J_TEXT; /* of a form, in which one box was ticked */
    if (!all || (!alone && (all->kind != J_ARRAY || !all->count)) || (alone && !all->value.n))
        return breach_about(c, "categories", say(c->arena, ERR_MISSING, "\"categories\" lists what the breach touches"));
    for (const struct json *one = alone ? all : all->first; one; one = alone ? NULL : one->next) {
        int at = policy_category(c->policy, one->value);
        if (one->kind != J_TEXT || at < 0)
            return breach_about(c, "categories", say(c->arena, ERR_UNDECLARED, "the policy has no category \"%.*s\"",
                                                     T(value_shown(one->value))));
        bits_add(&s->categories, (unsigned)at);
    }
    return OK;
}

static enum err take_time(struct ctx *c, const struct json *in, const char *member, bool whole, msec *out)
{
    text said = text_trim(json_text(in, text_of(member)));
    if (!said.n || value_moment(c, said, whole, out))
        return OK;
    return breach_about(c, member, say(c->arena, ERR_VALUE, "\"%s\" is a day (YYYY-MM-DD) or a time", member));
}

static enum err take_actor(struct ctx *c, const struct json *in, struct scope *s)
{
    PERSON_AUTO p = { 0 };
    s->actor = text_trim(json_text(in, TEXT("actor")));
    s->staff = text_trim(json_text(in, TEXT("staff")));
    s->recipient = text_trim(json_text(in, TEXT("recipient")));
    if (s->actor.n && policy_actor(c->policy, s->actor) < 0)
        return breach_about(c, "actor", say(c->arena, ERR_VALUE, "the policy has no role or system \"%.*s\"",
                                            T(value_shown(s->actor))));
    int at = s->recipient.n ? policy_actor(c->policy, s->recipient) : -1;
    if (s->recipient.n && (at < 0 || c->policy->actors[at].kind != ACTOR_RECIPIENT))
        return breach_about(c, "recipient", say(c->arena, ERR_VALUE, "the policy has no recipient \"%.*s\"",
                                                T(value_shown(s->recipient))));
    if (!s->staff.n)
        return OK;
    TRY(breach_about(c, "staff", person_open(c, s->staff, true, &p)));
    s->by = p.who;
    return OK;
}

static enum err take_scope(struct ctx *c, const struct breach *b, const struct json *in, struct scope *s)
{
    *s = (struct scope){ .until = b->known };
    TRY(take_categories(c, in, s));
    TRY(take_time(c, in, "from", false, &s->from));
    TRY(take_time(c, in, "until", true, &s->until));
    if (s->from >= s->until)
        return breach_about(c, "from", say(c->arena, ERR_VALUE, "\"from\" comes before \"until\""));
    return take_actor(c, in, s);
}

static enum err print_scope(struct ctx *c, const struct scope *s, text *out)
{
    BUF_AUTO buf = buf_make(1 << 16);
    struct json_out w = json_out(&buf);
    json_open(&w, '{');
    json_name(&w, TEXT("categories"));
    json_open(&w, '[');
    for (unsigned i = 0; i < c->policy->category_count; i++)
        if (bits_has(&s->categories, i))
            json_put_text(&w, c->policy->categories[i].name);
    json_close(&w, ']');
    json_pair(&w, TEXT("from"), s->from ? time_print(c->arena, s->from) : (text){ NULL, 0 });
    json_pair(&w, TEXT("until"), time_print(c->arena, s->until));
    json_pair(&w, TEXT("recipient"), s->recipient.n ? s->recipient : (text){ NULL, 0 });
    json_pair(&w, TEXT("actor"), s->actor.n ? s->actor : (text){ NULL, 0 });
    json_pair(&w, TEXT("staff"), s->staff.n ? s->staff : (text){ NULL, 0 });
    json_close(&w, '}');
    return buf_take(c->arena, &buf, out);
}

/* ---- A page of people. ---- */

static enum err load_page(struct ctx *c, const struct scope *s, struct subject_id after, struct page_of *page)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_PEOPLE, ARGS(V_TEXT(c->tenant), V_INT(s->until), V_ID(after), V_INT(LIST_PART)));
    *page = (struct page_of){ .count = 0 };
    while (page->count < LIST_PART && query_next(&q))
        memcpy(&page->ids[page->count++], query_get(&q, BREACH_PEOPLE, subject).p, SUBJECT_ID);
    return q.status;
}

/* The place of a row's person; rows come in the order of the page. false: of nobody on it. */
static bool place_of(const struct page_of *page, struct query *q, unsigned *at)
{
    text id = query_bytes(q, COL(BREACH_HELD, subject));
    while (*at < page->count && id.n == SUBJECT_ID && memcmp(&page->ids[*at], id.p, SUBJECT_ID) < 0)
        ++*at;
    return *at < page->count && id.n == SUBJECT_ID && memcmp(&page->ids[*at], id.p, SUBJECT_ID) == 0;
}

static enum err mark_held(struct ctx *c, enum sql sql, struct page_of *page)
{
    unsigned at = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, sql, ARGS(V_TEXT(c->tenant), V_ID(page->ids[0]), V_ID(page->ids[page->count - 1])));
    while (query_next(&q)) {
        int category = policy_category(c->policy, query_bytes(&q, COL(BREACH_HELD, category)));
        if (category >= 0 && place_of(page, &q, &at))
            bits_add(&page->held[at], (unsigned)category);
    }
    return q.status;
}

static enum err mark_given(struct ctx *c, const struct scope *s, struct page_of *page)
{
    unsigned at = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_GIVEN,
                ARGS(V_TEXT(c->tenant), V_ID(page->ids[0]), V_ID(page->ids[page->count - 1]), V_TEXT(s->recipient),
                     V_INT(s->from), V_INT(s->until)));
    while (query_next(&q))
        if (place_of(page, &q, &at))
            page->seen[at] = true;
    return q.status;
}

/* The journal's lines name the class that acted, and by a pseudonym who did. */
static text pattern(struct arena *a, const struct scope *s)
{
    BUF_AUTO b = buf_make(PATTERN_MAX);
    buf_add(&b, TEXT("%"));
    if (s->actor.n) {
        buf_add(&b, TEXT("\"actor\":\""));
        for (size_t i = 0; i < s->actor.n; i++) {
            if (s->actor.p[i] == '_' || s->actor.p[i] == '%' || s->actor.p[i] == '!')
                buf_char(&b, '!');
            buf_char(&b, s->actor.p[i]);
        }
        buf_add(&b, TEXT("\"%"));
    }
    if (s->staff.n) {
        buf_add(&b, TEXT("\"by\":\""));
        buf_hex(&b, TEXT_BYTES(s->by));
        buf_add(&b, TEXT("\"%"));
    }
    return buf_made(a, &b);
}

static enum err mark_seen(struct ctx *c, const struct scope *s, struct page_of *page)
{
    unsigned at = 0;
    READ_AUTO db = NULL;
    text like = pattern(c->arena, s);
    TRY_PTR(like.p);
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_SEEN,
                ARGS(V_TEXT(c->tenant), V_ID(page->ids[0]), V_ID(page->ids[page->count - 1]), V_TEXT(like),
                     V_INT(s->from), V_INT(s->until)));
    while (query_next(&q))
        if (place_of(page, &q, &at))
            page->seen[at] = true;
    return q.status;
}

static bool meet(const struct bits *a, const struct bits *b)
{
    return (a->w[0] & b->w[0]) || (a->w[1] & b->w[1]) || (a->w[2] & b->w[2]) || (a->w[3] & b->w[3]);
}

static enum err mark(struct ctx *c, const struct scope *s, struct page_of *page)
{
    bool narrowed = s->recipient.n || s->actor.n || s->staff.n;
    TRY(mark_held(c, SQL_BREACH_HELD, page));
    TRY(mark_held(c, SQL_BREACH_FILES, page));
    if (s->recipient.n)
        TRY(mark_given(c, s, page));
    if (s->actor.n || s->staff.n)
        TRY(mark_seen(c, s, page));
    for (unsigned i = 0; i < page->count; i++)
        page->affected[i] = meet(&page->held[i], &s->categories) && (!narrowed || page->seen[i]);
    return OK;
}

/* ---- Where they live. ---- */

static void find_country_field(struct counting *n)
{
    const struct policy *p = n->c->policy;
    n->country_category = -1;
    for (unsigned i = 0; i < p->category_count && n->country_category < 0; i++) {
        const struct category *cat = &p->categories[i];
        for (unsigned f = 0; f < cat->field_count && !cat->many && !cat->transient; f++)
            if (cat->fields[f].type == FIELD_COUNTRY) {
                n->country_category = (int)i;
                n->country_field = cat->fields[f].name;
            }
    }
}

static void add_country(struct counting *n, text code)
{
    unsigned i = 0;
    while (i < n->country_count && !text_eq(text_of(n->countries[i].country), code))
        i++;
    if (i == n->country_count) {
        if (i == COUNTRIES || !text_cstr(code, n->countries[i].country, sizeof n->countries[i].country)) {
            n->unknown++;
            return;
        }
        n->country_count++;
    }
    n->countries[i].people++;
}

struct lived {
    unsigned at;
    struct record record;
};

/* What cannot be opened counts as not known: it hides nobody. */
static text country_of(struct ctx *c, struct subject_id id, struct record *r, text field)
{
    PERSON_AUTO p = { .id = id };
    const struct json *value;
    struct why kept = c->arena->why;
    bool open = store_key(ctx_store(c), c->arena, c->tenant, id, 0, &p.key) == OK && record_open(c, &p, r) == OK;
    c->arena->why = kept;
    value = open ? json_get(r->fields, field) : NULL;
    return value && value->first && value->first->kind == J_TEXT ? value->first->value : TEXT("");
}

static enum err load_lived(struct counting *n, struct ctx *c, struct page_of *page, struct lived *all, unsigned *count)
{
    unsigned at = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_COUNTRY,
                ARGS(V_TEXT(c->tenant), V_ID(page->ids[0]), V_ID(page->ids[page->count - 1]),
                     V_TEXT(c->policy->categories[n->country_category].name)));
    *count = 0;
    while (query_next(&q))
        if (place_of(page, &q, &at) && page->affected[at])
            all[(*count)++] = (struct lived){
                at,
                { .category = n->country_category,
                  .version = query_get(&q, BREACH_COUNTRY, version),
                  .key_class = (uint32_t)query_get(&q, BREACH_COUNTRY, class),
                  .sealed = { arena_copy(c->arena, query_get(&q, BREACH_COUNTRY, sealed).bytes) } }
            };
    return q.status;
}

static enum err count_countries(struct counting *n, struct ctx *c, struct page_of *page, unsigned affected)
{
    unsigned count = 0;
    if (n->country_category < 0) {
        n->unknown += affected;
        return OK;
    }
    struct lived *all = NEW_ARRAY(c->arena, struct lived, LIST_PART);
    TRY_PTR(all);
    TRY(load_lived(n, c, page, all, &count));
    n->unknown += affected - count;
    for (unsigned i = 0; i < count; i++) {
        text code = country_of(c, page->ids[all[i].at], &all[i].record, n->country_field);
        if (code.n)
            add_country(n, code);
        else
            n->unknown++;
    }
    return OK;
}

/* ---- The list. ---- */

static enum err close_part(struct counting *n)
{
    struct breach_found *out = n->out;
    if (!n->found_count)
        return OK;
    if (out->part_count == n->room) {
        sealed *more = NEW_ARRAY(n->c->arena, sealed, n->room = n->room ? n->room * 2 : 16);
        TRY_PTR(more);
        if (out->part_count)
            memcpy(more, out->parts, out->part_count * sizeof *more);
        out->parts = more;
    }
    text field = arena_print(n->c->arena, "%u", out->part_count);
    TRY(breach_seal(n->c, n->b->id, TEXT("breach_list"), field, 0,
                    (text){ (const char *)n->found, n->found_count * sizeof *n->found }, &out->parts[out->part_count]));
    out->part_count++;
    n->found_count = 0;
    return OK;
}

static enum err take_page(struct counting *n, struct ctx *c, struct page_of *page)
{
    unsigned affected = 0;
    TRY(mark(c, n->scope, page));
    for (unsigned i = 0; i < page->count; i++) {
        if (!page->affected[i])
            continue;
        affected++;
        for (unsigned k = 0; k < c->policy->category_count; k++)
            n->of_category[k] += bits_has(&page->held[i], k) && bits_has(&n->scope->categories, k);
        n->found[n->found_count++] = page->ids[i];
        if (n->found_count == LIST_PART)
            TRY(close_part(n));
    }
    n->out->people += affected;
    return count_countries(n, c, page, affected);
}

static enum err print_counts(struct counting *n, text *out)
{
    const struct policy *p = n->c->policy;
    BUF_AUTO buf = buf_make(COUNTS_MAX);
    struct json_out w = json_out(&buf);
    json_open(&w, '{');
    json_pair_int(&w, TEXT("people"), n->out->people);
    json_name(&w, TEXT("countries"));
    json_open(&w, '[');
    for (unsigned i = 0; i < n->country_count + (n->unknown > 0); i++) {
        bool known = i < n->country_count;
        json_open(&w, '{');
        json_pair(&w, TEXT("country"), known ? text_of(n->countries[i].country) : (text){ NULL, 0 });
        json_pair_int(&w, TEXT("people"), known ? n->countries[i].people : n->unknown);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_name(&w, TEXT("categories"));
    json_open(&w, '[');
    for (unsigned i = 0; i < p->category_count; i++) {
        if (!bits_has(&n->scope->categories, i))
            continue;
        json_open(&w, '{');
        json_pair(&w, TEXT("category"), p->categories[i].name);
        json_pair_bool(&w, TEXT("special"), p->categories[i].special);
        json_pair_int(&w, TEXT("people"), n->of_category[i]);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(n->c->arena, &buf, out);
}

enum err breach_find(struct ctx *c, const struct breach *b, const struct json *in, struct breach_found *out)
{
    struct scope scope;
    struct subject_id after = { { 0 } };
    struct counting *n = NEW(c->arena, struct counting);
    struct page_of *page = NEW(c->arena, struct page_of);
    ARENA_AUTO room = arena_make(PAGE_MEMORY);
    *out = (struct breach_found){ .people = 0 };
    TRY_PTR(n);
    TRY_PTR(page);
    TRY(take_scope(c, b, in, &scope));
    *n = (struct counting){ .c = c, .scope = &scope, .out = out, .b = b };
    n->found = NEW_ARRAY(c->arena, struct subject_id, LIST_PART);
    TRY_PTR(n->found);
    find_country_field(n);
    do {
        struct ctx own = *c;
        own.arena = &room;
        own.decisions = NULL;
        enum err status = load_page(&own, &scope, after, page);
        if (status == OK && page->count)
            status = take_page(n, &own, page);
        if (status != OK) {
            c->arena->why = room.why;
            return status;
        }
        if (page->count)
            after = page->ids[page->count - 1];
        arena_reset(&room);
    } while (page->count == LIST_PART);
    TRY(close_part(n));
    TRY(print_scope(c, &scope, &out->scope));
    if (!out->parts) { /* nobody: the list of before goes all the same */
        out->parts = NEW(c->arena, sealed);
        TRY_PTR(out->parts);
    }
    return print_counts(n, &out->counts);
}

enum err breach_part(struct ctx *c, const struct breach *b, int64_t part, const struct subject_id **out,
                     unsigned *count)
{
    text clear, field = arena_print(c->arena, "%lld", (long long)part);
    *count = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_LIST_GET, ARGS(V_TEXT(c->tenant), V_ID(b->id), V_INT(part)));
    if (!query_next(&q))
        return q.status;
    TRY(breach_unseal(c, b->id, TEXT("breach_list"), field, 0, query_get(&q, BREACH_LIST_GET, ids), &clear));
    if (clear.n % SUBJECT_ID || clear.n / SUBJECT_ID > LIST_PART)
        return say(c->arena, ERR_INTEGRITY, "a list of people has %zu bytes", clear.n);
    *count = (unsigned)(clear.n / SUBJECT_ID);
    *out = (const struct subject_id *)(const void *)clear.p;
    return OK;
}
