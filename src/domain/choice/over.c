/* The own term of a form: what it alone collected goes then, whatever is kept for other uses. */
#include "domain/choice/choice.h"
#include "domain/choice/joining.h"
#include "domain/core/decided.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/keep/erasing.h"
#include "domain/person/append.h"
#include "domain/person/change.h"
#include "domain/person/keeping.h"
#include "domain/person/person.h"

enum { AT_ONCE = 50, STATE_MAX = 1 << 20, ONE_MEMORY = 16 << 20 };

/* One that a person sent, with what confirm.c kept of it: {"made", "brought": {category: item}}. */
struct sent {
    struct subject_id id;
    text form;
    msec at;
    sealed body;
    const struct json *kept;
    struct point point;
    bool live; /* its form has not ended it: what it brought stays */
    struct sent *next;
};
struct ending {
    struct ctx *c;
    const struct point *point;
    struct person *p;
    struct subject_id id;
    struct sent *all, *this, *heir; /* heir: the live one that made them from now on */
    struct bits consents, needed;
    bool account, elsewhere, waits;
    sealed body; /* of the heir */
};

/* ---- What there is of the person. ---- */

/* All that decides, as one text: found again inside the write it must be the same. */
static enum err put_state(struct ctx *c, const struct person *p, struct buf *b)
{
    struct keeping k;
    struct bits consents;
    READ_AUTO db = NULL;
    TRY(person_consents(c, p, &consents));
    TRY(decided_read(c, &db));
    TRY(keeping_careful(db, c->arena, c->tenant, p->id, c->now, &k));
    buf_print(b, "%d", k.restricted);
    for (const struct hold *h = k.holds; h; h = h->next)
        buf_print(b, " hold %.*s", T(h->category));
    for (size_t i = 0; i < sizeof consents.w / sizeof *consents.w; i++)
        buf_print(b, " %llx", (unsigned long long)consents.w[i]);
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_ACCOUNT_GET, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
        buf_print(b, " account %d", query_next(&q));
        TRY(q.status);
    }
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_SUBMISSION_OF, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
        while (query_next(&q))
            buf_hex(b, query_get(&q, SUBMISSION_OF, id));
        TRY(q.status);
    }
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_ATTACHMENT_KINDS, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
        while (query_next(&q))
            buf_print(b, " file %.*s", T(query_get(&q, ATTACHMENT_KINDS, category)));
        TRY(q.status);
    }
    QUERY_AUTO q;
    query_start(&q, db, SQL_RECORD_FROM, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    while (query_next(&q))
        buf_print(b, " %.*s/%lld/%.*s", T(query_get(&q, RECORD_FROM, category)),
                  (long long)query_get(&q, RECORD_FROM, item), T(query_get(&q, RECORD_FROM, source)));
    return q.status;
}

static enum err state_of(struct ctx *c, const struct person *p, text *out)
{
    BUF_AUTO b = buf_make(STATE_MAX);
    TRY(put_state(c, p, &b));
    return buf_take(c->arena, &b, out);
}

static enum err same_again(struct ctx *c, const struct decided *d)
{
    text now;
    TRY(state_of(c, &d->person, &now));
    return text_eq(now, d->name)
             ? OK
             : say(c->arena, ERR_PRECONDITION, "something came or went meanwhile: the next look sees it");
}

static enum err load_sent(struct ending *e)
{
    struct ctx *c = e->c;
    struct sent **last = &e->all;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBMISSION_OF, ARGS(V_TEXT(c->tenant), V_ID(e->p->id)));
    while (query_next(&q)) {
        if (query_get(&q, SUBMISSION_OF, waits)) /* for a parent: it brought nothing */
            continue;
        struct sent *s = NEW(c->arena, struct sent);
        TRY_PTR(s);
        memcpy(&s->id, query_get(&q, SUBMISSION_OF, id).p, sizeof s->id);
        s->form = arena_copy(c->arena, query_get(&q, SUBMISSION_OF, form));
        s->at = query_get(&q, SUBMISSION_OF, at);
        s->body = (sealed){ arena_copy(c->arena, query_get(&q, SUBMISSION_OF, body).bytes) };
        *last = s;
        last = &s->next;
    }
    return q.status;
}

/* Those that went are rows still, until their own turn; a form that the policy no longer has keeps nothing. */
static enum err open_sent(struct ending *e)
{
    struct ctx *c = e->c;
    for (struct sent *s = e->all; s; s = s->next) {
        text body;
        struct why kept = c->arena->why;
        TRY(joining_unseal(c, e->p, s->form, s->id, s->body, &body));
        TRY(json_parse(c->arena, body, &s->kept));
        bool known = point_find(c, s->form, &s->point) == OK;
        msec ends = known ? point_ends(&s->point, s->at) : 0;
        s->live = known && (!ends || ends > c->now);
        if (memcmp(&s->id, &e->id, sizeof e->id) == 0)
            e->this = s;
        c->arena->why = kept;
    }
    return OK;
}

static bool has_brought(const struct ending *e, text category, int64_t item)
{
    int64_t n;
    for (const struct sent *s = e->all; s; s = s->next)
        if (json_int(json_get(json_get(s->kept, TEXT("brought")), category), &n) && n == item)
            return true;
    return false;
}

/* What the server itself observes keeps nobody; what another source gave, and what no form brought, does. */
static enum err look_elsewhere(struct ending *e)
{
    struct ctx *c = e->c;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_ACCOUNT_GET, ARGS(V_TEXT(c->tenant), V_ID(e->p->id)));
        e->account = query_next(&q);
        TRY(q.status);
    }
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_RECORD_FROM, ARGS(V_TEXT(c->tenant), V_ID(e->p->id)));
        while (query_next(&q)) {
            text category = query_get(&q, RECORD_FROM, category);
            int index = policy_category(c->policy, category);
            bool observed = index >= 0 && c->policy->categories[index].stream.n;
            bool of_form = has_brought(e, category, query_get(&q, RECORD_FROM, item)) &&
                           text_eq(query_get(&q, RECORD_FROM, source), TEXT("person"));
            e->elsewhere |= !observed && !of_form;
        }
        TRY(q.status);
    }
    QUERY_AUTO q;
    query_start(&q, db, SQL_ATTACHMENT_KINDS, ARGS(V_TEXT(c->tenant), V_ID(e->p->id)));
    while (query_next(&q)) {
        text category = query_get(&q, ATTACHMENT_KINDS, category);
        e->elsewhere |= !text_eq(category, TEXT("consents")) && !has_brought(e, category, 0);
    }
    return q.status;
}

/* A hold or a restriction puts all of it off until it is over. */
static enum err look_held(struct ending *e)
{
    struct ctx *c = e->c;
    struct keeping k;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    TRY(keeping_careful(db, c->arena, c->tenant, e->p->id, c->now, &k));
    e->waits = k.restricted || keeping_hold(&k, TEXT("*"));
    JSON_EACH(category, json_get(e->this->kept, TEXT("brought")))
        e->waits |= keeping_hold(&k, category->key) != NULL;
    return OK;
}

/* ---- What keeps it. ---- */

static void add_all(struct bits *to, const struct bits *from)
{
    for (size_t i = 0; i < sizeof to->w / sizeof *to->w; i++)
        to->w[i] |= from->w[i];
}

/* Of who is here for something else too, all that other purposes than the form's use without asking; of anybody, what a
 * live consent is for, and what another form that is not over collected. */
static void take_needed(struct ending *e)
{
    const struct policy *policy = e->c->policy;
    for (unsigned i = 0; i < policy->purpose_count; i++) {
        const struct purpose *of = &policy->purposes[i];
        bool other = of->basis != BASIS_CONSENT && !of->never && !point_serves(e->point, of->name);
        if (bits_has(&e->consents, i) || (other && (e->account || e->elsewhere)))
            add_all(&e->needed, &of->categories);
    }
    for (struct sent *s = e->all; s; s = s->next) {
        if (!s->live)
            continue;
        e->heir = e->heir ? e->heir : s;
        for (unsigned f = 0; f < s->point.field_count; f++)
            bits_add(&e->needed, (unsigned)(s->point.fields[f].category - policy->categories));
    }
}

static bool is_yes(const struct json *v) { return v && v->kind == J_BOOL && v->truth; }

static bool made_by_form(const struct ending *e)
{
    for (const struct sent *s = e->all; s; s = s->next)
        if (is_yes(json_get(s->kept, TEXT("made"))))
            return true;
    return false;
}

static enum err decide(struct ending *e)
{
    struct ctx *c = e->c;
    struct decided d = { .again = same_again, .closed = CLOSED_ANYWAY };
    TRY(state_of(c, e->p, &d.name));
    TRY(load_sent(e));
    TRY(open_sent(e));
    if (!e->this)
        return say(c->arena, ERR_PRECONDITION, "this one is gone already");
    TRY(look_held(e));
    TRY(look_elsewhere(e));
    TRY(person_consents(c, e->p, &e->consents));
    take_needed(e);
    return decided_add(c, d, e->p);
}

/* ---- The end of it. ---- */

static enum err run_row(struct db *db, void *arg)
{
    const struct ending *e = arg;
    struct val tenant = V_TEXT(e->c->tenant);
    if (e->heir)
        TRY(db_run(db, SQL_SUBMISSION_BODY, NULL,
                   ARGS(tenant, V_ID(e->heir->id), V_ID(e->p->id), V_SEALED(e->body))));
    return db_run(db, SQL_SUBMISSION_END, NULL, ARGS(tenant, V_ID(e->id)));
}

/* Who made them is not forgotten with the form that did. */
static enum err hand_on(struct ending *e)
{
    struct ctx *c = e->c;
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    text body;
    if (!e->heir)
        return OK;
    json_open(&w, '{');
    json_pair_bool(&w, TEXT("made"), made_by_form(e));
    json_name(&w, TEXT("brought"));
    json_open(&w, '{');
    JSON_EACH(one, json_get(e->heir->kept, TEXT("brought"))) {
        json_name(&w, one->key);
        json_put(&w, one);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    TRY(buf_take(c->arena, &b, &body));
    return joining_seal(c, e->p, e->heir->form, e->heir->id, body, &e->body);
}

static enum err drop_one(struct ending *e, struct change *ch, unsigned index, int64_t item)
{
    struct ctx *c = e->c;
    const struct category *cat = &c->policy->categories[index];
    struct record *rows;
    unsigned count;
    ch->drops[ch->drop_count++] = (struct change_drop){ .category = cat->name, .item = item, .all = !cat->many };
    if (cat->many)
        return OK;
    TRY(record_load(c, e->p, (int)index, true, &rows, &count));
    return count ? change_identifiers(c, ch, cat, NULL, rows[0].fields) : OK;
}

static enum err end_part(struct ending *e)
{
    struct ctx *c = e->c;
    const struct json *brought = json_get(e->this->kept, TEXT("brought"));
    struct bits gone = { { 0 } };
    struct change ch;
    TRY(change_begin(c, e->p, brought ? (unsigned)brought->count : 0, &ch));
    JSON_EACH(one, brought) {
        int index = policy_category(c->policy, one->key);
        int64_t item = 0;
        if (index < 0 || !json_int(one, &item) || bits_has(&e->needed, (unsigned)index))
            continue;
        bits_add(&gone, (unsigned)index);
        TRY(drop_one(e, &ch, (unsigned)index, item));
    }
    TRY(hand_on(e));
    ch.expected = e->p->version;
    ch.version = e->p->version + 1;
    ch.truncate = true;
    ch.also = run_row;
    ch.also_arg = e;
    struct event event = event_of(c, e->p, TEXT("form.ended"));
    event.categories = event_categories(c, &gone);
    event.clause = e->point->clause ? e->point->clause->path : TEXT("collection");
    event.count = ch.drop_count;
    return change_write(c, &ch, event, NULL);
}

static enum err end_one(struct ctx *c, const struct point *point, struct subject_id id, struct subject_id subject)
{
    PERSON_AUTO p = { 0 };
    struct ending e = { .c = c, .point = point, .p = &p, .id = id };
    enum err status = person_open_anyway(c, id_print(c->arena, subject), &p);
    if (status == ERR_NOT_FOUND) /* erased: its rows went */
        return OK;
    TRY(status);
    status = decide(&e);
    if (status == OK && e.waits)
        return OK;
    if (status == OK) {
        bool whole = made_by_form(&e) && !e.account && !e.elsewhere && !e.heir && !bits_any(&e.consents);
        status = whole ? erase_at_term(c, subject) : end_part(&e);
    }
    return status == ERR_PRECONDITION ? OK : status; /* something came meanwhile: the next look sees it */
}

/* ---- Those whose time it is. ---- */

struct row {
    text tenant;
    struct subject_id id, subject;
    msec at;
};

static enum err list_old(struct ctx *c, const struct point *p, const struct row *after, struct row *out,
                         unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBMISSION_OLD, ARGS(V_TEXT(p->name), V_INT(after->at), V_ID(after->id), V_INT(AT_ONCE)));
    for (*count = 0; *count < AT_ONCE && query_next(&q); ++*count) {
        struct row *r = &out[*count];
        r->tenant = arena_copy(c->arena, query_get(&q, SUBMISSION_OLD, tenant));
        memcpy(&r->id, query_get(&q, SUBMISSION_OLD, id).p, sizeof r->id);
        memcpy(&r->subject, query_get(&q, SUBMISSION_OLD, subject).p, sizeof r->subject);
        r->at = query_get(&q, SUBMISSION_OLD, at);
    }
    return q.status;
}

/* One that cannot be ended now holds up no other: it is tried again, and its reason told at the end. */
static void end_page(struct ctx *c, const struct point *p, const struct row *rows, unsigned count, bool *due,
                     enum err *failed)
{
    *due = true;
    for (unsigned i = 0; i < count && *due; i++) {
        ARENA_AUTO one = arena_make(ONE_MEMORY);
        struct ctx of = *c;
        of.arena = &one;
        of.decisions = NULL;
        of.tenant = rows[i].tenant;
        *due = point_ends(p, rows[i].at) <= c->now;
        enum err status = *due ? end_one(&of, p, rows[i].id, rows[i].subject) : OK;
        if (status != OK && *failed == OK) {
            *failed = status;
            c->arena->why = one.why;
        }
    }
}

static enum err end_form(struct ctx *c, const struct point *p, enum err *failed)
{
    struct row rows[AT_ONCE], last = { .at = 0 };
    bool due = true;
    unsigned count = AT_ONCE;
    while (due && count == AT_ONCE) {
        ARENA_AUTO a = arena_make(ONE_MEMORY);
        struct ctx page = *c;
        page.arena = &a;
        enum err status = list_old(&page, p, &last, rows, &count);
        if (status != OK) {
            c->arena->why = a.why;
            return status;
        }
        end_page(c, p, rows, count, &due, failed);
        last = count ? rows[count - 1] : last;
        last.tenant = TEXT("");
    }
    return OK;
}

enum err over_tick(struct ctx *c)
{
    struct point p;
    enum err failed = OK;
    for (unsigned i = 0; point_at(c, i, &p); i++)
        if (p.own.unit != TERM_UNSET)
            TRY(end_form(c, &p, &failed));
    return failed;
}
