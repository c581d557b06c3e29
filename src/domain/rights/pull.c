/* A recipient fetches the data that was disclosed to it for a purpose: people who were, page by page, as they stand
 * now; each fetch is a disclosure, decided and recorded as any other. */
#include "base/file/csv.h"
#include "base/decode.h"
#include "base/json.h"
#include "base/log.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/core/paging.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/recipient/charter.h"
#include "domain/rights/disclosure.h"

enum { PEOPLE_MOST = 100, PAGE_MAX = 16 << 20 };

/* One person whom the recipient was given. */
struct fetched {
    struct subject_id subject;
    text reference;         /* the first disclosure's id: the same at each fetch */
    text categories;        /* that it was given for this purpose, names with a comma between; each once */
    const struct json *got; /* {"id", "data"}; NULL: it is refused now */
    enum err refused;
};
struct pulling {
    struct ctx *c;
    text purpose;
    struct fetched *people;
    unsigned count;
    bool more;
    size_t bytes; /* of what was fetched */
};

/* ---- The place of a page: whose it ends with, sealed, so that recipients cannot compare what references keep apart.
 * ---- */

static const text place_of = TEXT_INIT("disclosure_page");

static text place_clear(const struct pulling *p, struct subject_id id)
{
    struct arena *a = p->c->arena;
    return arena_print(a, "%.*s %.*s %.*s", T(p->c->actor.name), T(p->purpose), T(id_print(a, id)));
}

static enum err place_seal(const struct pulling *p, struct subject_id id, text *out)
{
    struct ctx *c = p->c;
    BUF_AUTO b = buf_make(1 << 12);
    text clear = place_clear(p, id), kept;
    TRY_PTR(clear.p);
    TRY(written_seal(ctx_store(c), c->arena, c->tenant, place_of, clear, &kept));
    buf_base64url(&b, kept);
    return buf_take(c->arena, &b, out);
}

static enum err place_open(const struct pulling *p, text after, struct subject_id *out)
{
    struct ctx *c = p->c;
    text clear = TEXT(""), kept = decode_base64url(c->arena, after);
    if (!kept.p || written_open(ctx_store(c), c->arena, c->tenant, place_of, kept, &clear) != OK ||
        text_eq(clear, kept) || clear.n < ID_TEXT || !id_parse(text_from(clear, clear.n - ID_TEXT), out) ||
        !text_eq(clear, place_clear(p, *out)))
        return paging_unknown(c);
    return OK;
}

/* ---- Who. ---- */

static enum err list_people(struct pulling *p, const struct paging *asked)
{
    struct ctx *c = p->c;
    struct subject_id after = { { 0 } };
    int64_t most = asked->limit < PEOPLE_MOST ? asked->limit : PEOPLE_MOST;
    if (asked->after.n)
        TRY(place_open(p, asked->after, &after));
    p->people = NEW_ARRAY(c->arena, struct fetched, PEOPLE_MOST);
    TRY_PTR(p->people);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DISCLOSURE_PEOPLE,
                ARGS(V_TEXT(c->tenant), V_TEXT(c->actor.name), V_TEXT(p->purpose), V_ID(after), V_INT(most + 1)));
    while (query_next(&q)) {
        text id = query_get(&q, DISCLOSURE_PEOPLE, subject);
        p->more = p->count == most;
        if (p->more)
            break;
        if (id.n != sizeof p->people->subject)
            return say(c->arena, ERR_INTEGRITY, "a disclosure has an id of %zu bytes", id.n);
        memcpy(&p->people[p->count++].subject, id.p, id.n);
    }
    return q.status;
}

/* What it was given of that person, and under which reference. */
static enum err find_given(struct pulling *p, struct fetched *f)
{
    struct ctx *c = p->c;
    struct bits all = { { 0 } };
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DISCLOSURE_TOLD, ARGS(V_TEXT(c->tenant), V_ID(f->subject)));
    while (query_next(&q)) {
        struct subject_id id;
        text key = query_get(&q, DISCLOSURE_TOLD, id), given = query_get(&q, DISCLOSURE_TOLD, categories);
        if (!text_eq(query_get(&q, DISCLOSURE_TOLD, recipient), c->actor.name) ||
            !text_eq(query_get(&q, DISCLOSURE_TOLD, purpose), p->purpose) || key.n != sizeof id)
            continue;
        memcpy(&id, key.p, sizeof id);
        if (!f->reference.n)
            f->reference = id_print(c->arena, id);
        while (given.n) {
            int index = policy_category(c->policy, text_cut(&given, ','));
            if (index >= 0)
                bits_add(&all, (unsigned)index);
        }
    }
    f->categories = event_categories(c, &all);
    TRY(q.status);
    return arena_whole(c->arena);
}

/* ---- One fetch. ---- */

static enum err ask_for(struct pulling *p, const struct fetched *f, const struct json **out)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    text names = f->categories;
    json_open(&w, '{');
    json_pair(&w, TEXT("recipient"), p->c->actor.name);
    json_pair(&w, TEXT("purpose"), p->purpose);
    json_name(&w, TEXT("categories"));
    json_open(&w, '[');
    while (names.n)
        json_put_text(&w, text_cut(&names, ','));
    json_close(&w, ']');
    json_close(&w, '}');
    return json_parse_buf(p->c->arena, &b, out);
}

/* What is refused now (restricted, a consent withdrawn, erased meanwhile) holds up nobody else: the refusal is on
 * record, and the row says so. */
static enum err fetch(struct pulling *p, struct fetched *f)
{
    struct ctx *c = p->c;
    struct answer answer = { 0 };
    const struct json *in;
    TRY(find_given(p, f));
    if (!f->categories.n)
        return OK;
    TRY(ask_for(p, f, &in));
    f->refused = disclosure_fetch(c, id_print(c->arena, f->subject), in, &answer);
    switch ((int)f->refused) {
    case OK:
        p->bytes += answer.body.n;
        return json_parse(c->arena, answer.body, &f->got);
    case ERR_FORBIDDEN:
    case ERR_PURPOSE:
    case ERR_CONSENT:
    case ERR_NOT_FOUND:
    case ERR_UNDECLARED:
        return charter_allow(c, c->actor.index); /* its own standing ends the whole */
    case ERR_ERASED:
    case ERR_CRYPT:
    case ERR_INTEGRITY:
    case ERR_TOO_MANY: /* of that person alone; what was disclosed of others is on record, and is given */
        LOG(LOG_WARN, "disclosure.refused", LOG_TEXT("why", err_row(f->refused)->slug));
        return OK;
    default:
        return f->refused;
    }
}

/* ---- As JSON. ---- */

static enum err put_json(struct pulling *p, struct answer *out)
{
    struct ctx *c = p->c;
    BUF_AUTO b = buf_make(PAGE_MAX);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("recipient"), c->actor.name);
    json_pair(&w, TEXT("purpose"), p->purpose);
    json_name(&w, TEXT("people"));
    json_open(&w, '[');
    for (unsigned i = 0; i < p->count; i++) {
        const struct fetched *f = &p->people[i];
        json_open(&w, '{');
        json_pair(&w, TEXT("reference"), f->reference);
        json_pair(&w, TEXT("id"), f->got ? json_text(f->got, TEXT("id")) : (text){ NULL, 0 });
        json_pair(&w, TEXT("refused"), f->got ? (text){ NULL, 0 } : err_row(f->refused)->slug);
        json_name(&w, TEXT("data"));
        if (f->got)
            json_put(&w, json_get(f->got, TEXT("data")));
        else
            json_put_null(&w);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_pair(&w, TEXT("next"), out->next);
    json_close(&w, '}');
    TRY(arena_whole(c->arena));
    return buf_take(c->arena, &b, &out->body);
}

/* ---- As CSV: a row a person; records of a category with several follow, a row each. ---- */

static void each_field(struct pulling *p, const struct json *data, const struct json *record, text of, struct buf *b,
                       void (*put)(struct pulling *p, struct buf *b, const struct category *cat, const struct field *f,
                                   const struct json *value))
{
    const struct policy *policy = p->c->policy;
    const struct actor_class *class = &policy->actors[p->c->actor.index];
    for (unsigned i = 0; i < policy->category_count; i++) {
        const struct category *cat = &policy->categories[i];
        const struct json *from = cat->many ? NULL : json_get(data, cat->name);
        if (text_eq(of, cat->name))
            from = record;
        for (unsigned k = 0; bits_has(&class->categories, i) && k < cat->field_count; k++)
            if (!class->fields || class->fields[i] >> k & 1)
                put(p, b, cat, &cat->fields[k], json_get(from, cat->fields[k].name));
    }
    buf_add(b, TEXT("\r\n"));
}

static void put_title(struct pulling *p, struct buf *b, const struct category *cat, const struct field *f,
                      const struct json *value)
{
    char name[512];
    (void)p;
    (void)value;
    snprintf(name, sizeof name, "%.*s.%.*s", T(cat->name), T(f->name));
    buf_char(b, ',');
    csv_put(b, text_of(name));
}

static void put_value(struct pulling *p, struct buf *b, const struct category *cat, const struct field *f,
                      const struct json *value)
{
    BUF_AUTO said = buf_make(1 << 20);
    struct json_out w = json_out(&said);
    (void)cat;
    (void)f;
    buf_char(b, ',');
    if (!value || value->kind == J_NULL) {
        csv_put(b, TEXT(""));
    } else if (value->kind == J_TEXT || value->kind == J_NUMBER) {
        csv_put(b, value->value);
    } else {
        json_put(&w, value);
        csv_put(b, buf_made(p->c->arena, &said));
    }
}

static void put_rows(struct pulling *p, const struct fetched *f, struct buf *b)
{
    const struct json *data = json_get(f->got, TEXT("data"));
    text id = json_text(f->got, TEXT("id"));
    csv_put(b, f->reference);
    buf_char(b, ',');
    csv_put(b, id);
    each_field(p, data, NULL, TEXT(""), b, put_value);
    JSON_EACH(list, data)
        JSON_EACH(record, list->kind == J_ARRAY ? list : NULL) {
            csv_put(b, f->reference);
            buf_char(b, ',');
            csv_put(b, id);
            each_field(p, NULL, json_get(record, TEXT("fields")), list->key, b, put_value);
        }
}

static enum err put_csv(struct pulling *p, struct answer *out)
{
    BUF_AUTO b = buf_make(PAGE_MAX);
    buf_add(&b, CSV_MARK);
    csv_put(&b, TEXT("reference"));
    buf_char(&b, ',');
    csv_put(&b, TEXT("id"));
    each_field(p, NULL, NULL, TEXT(""), &b, put_title);
    for (unsigned i = 0; i < p->count; i++)
        if (p->people[i].got)
            put_rows(p, &p->people[i], &b);
    out->media_type = TEXT("text/csv; charset=utf-8");
    TRY(arena_whole(p->c->arena));
    return buf_take(p->c->arena, &b, &out->body);
}

/* ---- All of it. ---- */

static enum err may(struct ctx *c)
{
    if (c->actor.kind == ACTOR_RECIPIENT && c->actor.index >= 0)
        return OK;
    say_clause(c->arena, ERR_FORBIDDEN, &c->policy->recipients_clause,
               "only a recipient named in the policy may do this");
    return actor_refused(c);
}

enum err disclosure_pull(struct ctx *c, text purpose, text format, const struct paging *asked, struct answer *out)
{
    struct pulling p = { .c = c, .purpose = purpose };
    bool csv = text_eq(format, TEXT("csv"));
    TRY(may(c));
    if (!purpose.n)
        return say(c->arena, ERR_MISSING, "\"purpose\" says what the data is fetched for");
    if (format.n && !csv && !text_eq(format, TEXT("json")))
        return say(c->arena, ERR_VALUE, "\"format\" is json or csv");
    enum err charter = charter_allow(c, c->actor.index);
    TRY(charter == ERR_FORBIDDEN ? write_refusal(c, NULL, TEXT(""), TEXT("")) : charter);
    TRY(list_people(&p, asked));
    for (unsigned i = 0; i < p.count; i++) {
        TRY(fetch(&p, &p.people[i]));
        if (p.bytes < PAGE_BYTES || i + 1 == p.count)
            continue;
        p.more = true;
        p.count = i + 1;
    }
    out->next = (text){ NULL, 0 };
    if (p.more)
        TRY(place_seal(&p, p.people[p.count - 1].subject, &out->next));
    return csv ? put_csv(&p, out) : put_json(&p, out);
}
