/* A category of a person's file as a table for spreadsheets: a row a record, a column a field, heads in words. */
#include "base/file/csv.h"
#include "domain/core/named.h"
#include "domain/rights/person_file.h"

static void put_separator(struct person_table *t, bool first)
{
    if (!first)
        buf_char(t->b, t->separator);
}

/* Spreadsheets in French read a decimal comma, and take "12.5" for a day. */
static void put_number(struct person_table *t, text number)
{
    text rest = number, whole = text_cut(&rest, '.');
    buf_add(t->b, whole);
    if (!rest.p)
        return;
    buf_char(t->b, t->separator == ';' ? ',' : '.');
    buf_add(t->b, rest);
}

static enum err put_value(struct person_table *t, const struct json *v)
{
    if (!v || v->kind == J_NULL)
        return OK;
    if (v->kind == J_NUMBER)
        put_number(t, v->value);
    else if (v->kind == J_TEXT)
        csv_put(t->b, v->value);
    else if (v->kind == J_BOOL)
        csv_put(t->b, v->truth ? doc_in(t->c, TEXT("yes"), TEXT("oui")) : doc_in(t->c, TEXT("no"), TEXT("non")));
    else {
        BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
        struct json_out w = json_out(&b);
        json_put(&w, v);
        text made;
        TRY(buf_lend(t->c->arena, &b, &made));
        csv_put(t->b, made);
    }
    return OK;
}

static enum err add_column(struct person_table *t, text field)
{
    for (unsigned i = 0; i < t->count; i++)
        if (text_eq(t->columns[i], field))
            return OK;
    if (t->count == CSV_FIELDS)
        return say(t->c->arena, ERR_TOO_LARGE, "category \"%.*s\" has more than %d fields", T(t->cat->name),
                   CSV_FIELDS);
    t->columns[t->count++] = arena_copy(t->c->arena, field);
    return t->columns[t->count - 1].p ? OK : ERR_MEMORY;
}

/* A category with several has records {item, at, fields}; one with a single has its fields as they are. */
static const struct json *fields_of(const struct person_table *t, const struct json *record)
{
    return t->cat->many ? json_get(record, TEXT("fields")) : record;
}

/* Those of the policy in its order, then those that records still have and the policy no longer. */
static enum err find_columns(struct person_table *t, const struct json *data)
{
    for (unsigned i = 0; i < t->cat->field_count; i++)
        TRY(add_column(t, t->cat->fields[i].name));
    for (const struct json *r = t->cat->many ? data->first : data; r; r = t->cat->many ? r->next : NULL)
        JSON_EACH(f, fields_of(t, r))
            TRY(add_column(t, f->key));
    return OK;
}

static void put_heads(struct person_table *t)
{
    if (t->cat->many) {
        csv_put(t->b, doc_in(t->c, TEXT("Number"), TEXT("Numéro")));
        put_separator(t, false);
        csv_put(t->b, doc_in(t->c, TEXT("Recorded on"), TEXT("Enregistré le")));
    }
    for (unsigned i = 0; i < t->count; i++) {
        put_separator(t, !i && !t->cat->many);
        csv_put(t->b, doc_field(t->c, t->cat, t->columns[i]));
    }
    buf_add(t->b, TEXT("\r\n"));
}

static enum err put_record(struct person_table *t, const struct json *record)
{
    if (t->cat->many) {
        TRY(put_value(t, json_get(record, TEXT("item"))));
        put_separator(t, false);
        TRY(put_value(t, json_get(record, TEXT("at"))));
    }
    for (unsigned i = 0; i < t->count; i++) {
        put_separator(t, !i && !t->cat->many);
        TRY(put_value(t, json_get(fields_of(t, record), t->columns[i])));
    }
    buf_add(t->b, TEXT("\r\n"));
    return OK;
}

void person_table_begin(struct ctx *c, int category, struct person_table *t)
{
    *t = (struct person_table){ .c = c,
                                .cat = &c->policy->categories[category],
                                .separator = text_eq(c->language, TEXT("fr")) ? ';' : ',',
                                .after = INT64_MIN };
}

static enum err put_page(struct person_table *t, struct arena *room, const struct json *data)
{
    struct ctx inner = *t->c;
    struct ctx *outer = t->c;
    enum err status = OK;
    inner.arena = room;
    t->c = &inner;
    if (!t->begun) {
        buf_add(t->b, CSV_MARK);
        put_heads(t);
    }
    t->begun = true;
    for (const struct json *r = t->cat->many ? data->first : data; r && status == OK; r = t->cat->many ? r->next : NULL)
        status = put_record(t, r);
    t->c = outer;
    return status;
}

static enum err next_page(struct person_table *t, const struct person *p, struct arena *room, bool *more)
{
    struct ctx inner = *t->c;
    const struct json *page;
    BUF_AUTO json = buf_make(BUF_DEFAULT_LIMIT);
    inner.arena = room;
    inner.decisions = NULL;
    TRY(person_file_rows(&inner, p, (int)(t->cat - t->c->policy->categories), &t->after, &json, more));
    TRY(json_parse_buf(room, &json, &page));
    const struct json *data = json_get(page, t->cat->name);
    if (!data || (t->cat->many && !data->count))
        return OK;
    t->any = true;
    return t->found ? put_page(t, room, data) : find_columns(t, data);
}

enum err person_table_next(struct person_table *t, const struct person *p, struct buf *out, bool *over)
{
    enum { PAGE_MEMORY = 96 << 20 };
    ARENA_AUTO room = arena_make(PAGE_MEMORY);
    bool more;
    t->b = out;
    enum err status = next_page(t, p, &room, &more);
    if (status != OK) {
        t->c->arena->why = room.why.code ? room.why : t->c->arena->why;
        return status;
    }
    *over = !more && (t->found || !t->any);
    if (!more) {
        t->found = true;
        t->after = INT64_MIN;
    }
    return buf_check(t->c->arena, out);
}
