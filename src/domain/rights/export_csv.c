/* A category of a person's file as a table for spreadsheets: a row a record, a column a field, heads in words. */
#include "base/file/csv.h"
#include "domain/core/named.h"
#include "domain/rights/person_file.h"

struct table {
    struct ctx *c;
    const struct category *cat;
    struct buf *b;
    char separator;
    text columns[CSV_FIELDS];
    unsigned count;
};

static void put_separator(struct table *t, bool first)
{
    if (!first)
        buf_char(t->b, t->separator);
}

/* Spreadsheets in French read a decimal comma, and take "12.5" for a day. */
static void put_number(struct table *t, text number)
{
    text rest = number, whole = text_cut(&rest, '.');
    buf_add(t->b, whole);
    if (!rest.p)
        return;
    buf_char(t->b, t->separator == ';' ? ',' : '.');
    buf_add(t->b, rest);
}

static enum err put_value(struct table *t, const struct json *v)
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

static enum err add_column(struct table *t, text field)
{
    for (unsigned i = 0; i < t->count; i++)
        if (text_eq(t->columns[i], field))
            return OK;
    if (t->count == CSV_FIELDS)
        return say(t->c->arena, ERR_TOO_LARGE, "category \"%.*s\" has more than %d fields", T(t->cat->name),
                   CSV_FIELDS);
    t->columns[t->count++] = field;
    return OK;
}

/* A category with several has records {item, at, fields}; one with a single has its fields as they are. */
static const struct json *fields_of(const struct table *t, const struct json *record)
{
    return t->cat->many ? json_get(record, TEXT("fields")) : record;
}

/* Those of the policy in its order, then those that records still have and the policy no longer. */
static enum err find_columns(struct table *t, const struct json *data)
{
    for (unsigned i = 0; i < t->cat->field_count; i++)
        TRY(add_column(t, t->cat->fields[i].name));
    for (const struct json *r = t->cat->many ? data->first : data; r; r = t->cat->many ? r->next : NULL)
        JSON_EACH(f, fields_of(t, r))
            TRY(add_column(t, f->key));
    return OK;
}

static void put_heads(struct table *t)
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

static enum err put_record(struct table *t, const struct json *record)
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

enum err person_file_csv(struct ctx *c, const struct category *cat, const struct json *data, struct buf *out)
{
    struct table t = { .c = c, .cat = cat, .b = out, .separator = text_eq(c->language, TEXT("fr")) ? ';' : ',' };
    TRY(find_columns(&t, data));
    buf_add(out, CSV_MARK);
    put_heads(&t);
    for (const struct json *r = cat->many ? data->first : data; r; r = cat->many ? r->next : NULL)
        TRY(put_record(&t, r));
    return buf_check(c->arena, out);
}
