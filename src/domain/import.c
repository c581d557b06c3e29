/* Accounts from a table, a line each: header names are category.field; faults are named by line and field. */
#include "base/csv.h"
#include "domain/inside.h"
#include "domain/normal.h"
#include "domain/opening.h"
#include "domain/value.h"
#include "domain/write.h"

enum { COLUMNS_MAX = 128, LINE_MAX = 64 << 10 };

/* What a column holds: a field of the policy, a kind of folder ("folder.KIND": names with "|" between), or one of the words of a new
 * account. */
struct column { text name, category, field, folder; const struct field *type; };
struct row { text *values; unsigned count, line, same; const struct json *account; struct why fault; };   /* same: line that has its address */
struct import {
    struct column columns[COLUMNS_MAX]; unsigned column_count;
    struct row *rows; unsigned row_count;
    text *results;
    text supplied_by, language, why; bool no_invitation;
    struct arena *arena;                         /* of the whole */
};

unsigned import_count(const struct import *i) { return i->row_count; }

/* ---- The header. ---- */

static bool is_word(text name)
{
    static const text words[] = { TEXT_INIT("supplied_by"), TEXT_INIT("supplier"), TEXT_INIT("language"), TEXT_INIT("manager"), TEXT_INIT("role") };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_eq(words[i], name))
            return true;
    return false;
}

static enum err column_of(struct ctx *c, text name, struct column *out)
{
    text field = name, category = text_cut(&field, '.');
    int index = policy_category(c->policy, category), f = index < 0 ? -1 : policy_field(&c->policy->categories[index], field);
    *out = (struct column){ .name = name, .category = category, .field = field };
    if (is_word(name))
        return OK;
    if (text_eq(category, TEXT("folder")) && node_get(node_get(c->policy->root, TEXT("folders")), field)) {
        out->folder = field;
        return OK;
    }
    out->type = f < 0 ? NULL : &c->policy->categories[index].fields[f];
    return f >= 0 ? OK : say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                                    "column \"%.*s\" is no category.field of the policy", T(value_shown(name)));
}

static enum err take_header(struct ctx *c, struct import *i, const struct csv_record *r)
{
    if (r->count > COLUMNS_MAX)
        return say(c->arena, ERR_VALUE, "a table has at most %d columns", COLUMNS_MAX);
    for (unsigned k = 0; k < r->count; k++) {
        text name = text_trim(r->fields[k]);
        for (unsigned j = 0; j < k; j++)
            if (text_eq(i->columns[j].name, name))
                return say(c->arena, ERR_VALUE, "column %u has the name of column %u", k + 1, j + 1);
        TRY(column_of(c, name, &i->columns[i->column_count++]));
    }
    return OK;
}

/* ---- Lines. ---- */

static enum err take_line(struct ctx *c, struct import *i, const struct csv_record *r, enum err fault)
{
    if (i->row_count == IMPORT_LINES)
        return say(c->arena, ERR_TOO_LARGE, "a table has at most %d lines behind its header", IMPORT_LINES);
    struct row *row = &i->rows[i->row_count++];
    *row = (struct row){ .line = r->line, .values = NEW_ARRAY(c->arena, text, i->column_count) };
    TRY_PTR(row->values);
    if (fault == ERR_MEMORY)
        return fault;
    if (fault == OK && r->count != i->column_count)
        fault = say(c->arena, ERR_VALUE, "the line has %u fields, the header %u", r->count, i->column_count);
    if (fault != OK) {
        row->fault = c->arena->why;
        return OK;
    }
    row->count = r->count;
    for (unsigned k = 0; k < r->count; k++)
        row->values[k] = text_trim(r->fields[k]);
    return OK;
}

static enum err read_table(struct ctx *c, struct import *i, text body)
{
    struct csv csv = csv_open(body);
    struct csv_record *r = NEW(c->arena, struct csv_record);
    enum err fault;
    TRY_PTR(r);
    if (!csv_next(c->arena, &csv, r, &fault))
        return say(c->arena, ERR_MISSING, "the table is empty: its first line names the fields, as category.field");
    TRY(fault);
    TRY(take_header(c, i, r));
    while (csv_next(c->arena, &csv, r, &fault))
        TRY(take_line(c, i, r, fault));
    return OK;
}

static enum err read_json(struct ctx *c, struct import *i, text body)
{
    const struct json *in, *list;
    TRY(json_parse(c->arena, body, &in));
    list = json_get(in, TEXT("accounts"));
    if (!list || list->kind != J_ARRAY)
        return say(c->arena, ERR_USAGE, "the body is {\"accounts\": [{\"data\": …}, …]}, or a table (text/csv)");
    if (list->count > IMPORT_LINES)
        return say(c->arena, ERR_TOO_LARGE, "at most %d accounts are opened at once", IMPORT_LINES);
    JSON_EACH(account, list) {
        i->rows[i->row_count] = (struct row){ .line = i->row_count + 1, .account = account };
        i->row_count++;
    }
    return OK;
}

/* ---- The same address twice in one table: the first line has it. ---- */

struct seen { text value; unsigned row; };

static int by_value(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    int order = text_cmp(x->value, y->value);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static enum err find_same(struct ctx *c, struct import *i, unsigned column)
{
    struct seen *all = NEW_ARRAY(c->arena, struct seen, i->row_count + 1);
    unsigned count = 0;
    TRY_PTR(all);
    for (unsigned r = 0; r < i->row_count; r++)
        if (column < i->rows[r].count && i->rows[r].values[column].n)
            all[count++] = (struct seen){ normal_lookup(c, i->columns[column].type, i->rows[r].values[column]), r };
    qsort(all, count, sizeof *all, by_value);
    for (unsigned k = 1; k < count; k++)
        if (text_eq(all[k].value, all[k - 1].value)) {
            struct row *row = &i->rows[all[k].row];
            unsigned first = i->rows[all[k - 1].row].same;
            row->same = first ? first : i->rows[all[k - 1].row].line;
            say(c->arena, ERR_CONFLICT, "%.*s is that of line %u", T(i->columns[column].name), row->same);
            snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s", T(i->columns[column].name));
            row->fault = c->arena->why;
        }
    return OK;
}

enum err import_begin(struct ctx *c, text body, bool json, const struct import_options *o, struct import **out)
{
    struct import *i = *out = NEW(c->arena, struct import);
    TRY_PTR(i);
    i->supplied_by = o->supplied_by, i->language = o->language, i->no_invitation = o->no_invitation, i->arena = c->arena;
    i->why = o->why.n ? o->why : TEXT("import");
    i->rows = NEW_ARRAY(c->arena, struct row, IMPORT_LINES);
    i->results = NEW_ARRAY(c->arena, text, IMPORT_LINES);
    TRY_PTR(i->rows);
    TRY_PTR(i->results);
    if (!text_utf8(body))
        return say(c->arena, ERR_VALUE, "the table is not UTF-8");
    TRY(json ? read_json(c, i, body) : read_table(c, i, body));
    for (unsigned k = 0; k < i->column_count; k++)
        if (i->columns[k].type && i->columns[k].type->identifier)
            TRY(find_same(c, i, k));
    c->arena->why = (struct why){ 0 };
    return OK;
}

/* ---- One line. ---- */

/* Cells are text: what the policy types otherwise is written as JSON has it, when it looks so; the rest is refused with its field. */
static void put_value(struct ctx *c, struct json_out *w, const struct field *f, text value)
{
    const struct json *parsed = NULL;
    struct why why = c->arena->why;
    bool typed = f->type == FIELD_INTEGER || f->type == FIELD_NUMBER || f->type == FIELD_BOOLEAN || f->type == FIELD_JSON;
    if (typed && json_parse(c->arena, value, &parsed) == OK)
        json_put(w, parsed);
    else
        json_put_text(w, value);
    c->arena->why = why;
}

static void put_category(struct ctx *c, const struct import *i, const struct row *r, text category, struct json_out *w)
{
    json_name(w, category);
    json_open(w, '{');
    for (unsigned k = 0; k < i->column_count; k++)
        if (i->columns[k].type && text_eq(i->columns[k].category, category) && r->values[k].n) {
            json_name(w, i->columns[k].field);
            put_value(c, w, i->columns[k].type, r->values[k]);
        }
    json_close(w, '}');
}

/* A category is sent when one of its cells is filled. */
static void put_data(struct ctx *c, const struct import *i, const struct row *r, struct json_out *w)
{
    json_name(w, TEXT("data"));
    json_open(w, '{');
    for (unsigned k = 0; k < i->column_count; k++) {
        bool first = i->columns[k].type && r->values[k].n;
        for (unsigned j = 0; j < k && first; j++)
            first = !(i->columns[j].type && r->values[j].n && text_eq(i->columns[j].category, i->columns[k].category));
        if (first)
            put_category(c, i, r, i->columns[k].category, w);
    }
    json_close(w, '}');
}

static void put_folders(const struct import *i, const struct row *r, struct json_out *w)
{
    json_name(w, TEXT("folders"));
    json_open(w, '[');
    for (unsigned k = 0; k < i->column_count; k++) {
        text names = r->values[k];
        while (i->columns[k].folder.n && names.n) {
            text name = text_trim(text_cut(&names, '|'));
            if (!name.n)
                continue;
            json_open(w, '{');
            json_pair(w, TEXT("folder"), i->columns[k].folder);
            json_pair(w, TEXT("name"), name);
            json_pair(w, TEXT("why"), i->why);
            json_close(w, '}');
        }
    }
    json_close(w, ']');
}

static enum err account_of(struct ctx *c, const struct import *i, const struct row *r, const struct json **out)
{
    BUF_AUTO b = buf_make(LINE_MAX * 8);
    struct json_out w = json_out(&b);
    bool supplied = false, language = false;
    json_open(&w, '{');
    put_data(c, i, r, &w);
    put_folders(i, r, &w);
    for (unsigned k = 0; k < i->column_count; k++)
        if (!i->columns[k].type && !i->columns[k].folder.n && r->values[k].n) {
            json_pair(&w, i->columns[k].name, r->values[k]);
            supplied |= text_eq(i->columns[k].name, TEXT("supplied_by"));
            language |= text_eq(i->columns[k].name, TEXT("language"));
        }
    if (!supplied && i->supplied_by.n)
        json_pair(&w, TEXT("supplied_by"), i->supplied_by);
    if (!language && i->language.n)
        json_pair(&w, TEXT("language"), i->language);
    json_pair_bool(&w, TEXT("invite"), !i->no_invitation);
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

static text result_of(const struct import *i, const struct row *r, const struct why *why, text id)
{
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair_int(&w, TEXT("line"), r->line);
    json_pair_int(&w, TEXT("status"), why->code == OK ? 201 : err_row(why->code)->http);
    if (why->code == OK)
        json_pair(&w, TEXT("id"), id);
    else {
        json_pair(&w, TEXT("code"), err_row(why->code)->slug);
        json_pair(&w, TEXT("field"), why->field[0] ? text_of(why->field) : (text){ NULL, 0 });
        json_pair(&w, TEXT("detail"), text_of(why->detail));
        if (why->clause)
            json_pair(&w, TEXT("clause"), why->clause->path);
    }
    json_close(&w, '}');
    return buf_made(i->arena, &b);
}

void import_line(struct ctx *c, struct import *i, unsigned line)
{
    struct row *row = &i->rows[line];
    const struct json *account = row->account;
    struct answer answer = { 0 };
    enum err e = row->fault.code;
    struct why why = row->fault;
    if (e == OK) {
        c->arena->why = (struct why){ 0 };
        e = account ? OK : account_of(c, i, row, &account);
        if (e == OK)
            e = account_open_for(c, account, &answer);
        why = c->arena->why, why.code = e;
    }
    i->results[line] = result_of(i, row, &why, answer.id);
}

enum err import_answer(struct ctx *c, const struct import *i, struct answer *out)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    unsigned opened = 0;
    json_open(&w, '{');
    json_name(&w, TEXT("lines"));
    json_open(&w, '[');
    for (unsigned k = 0; k < i->row_count; k++) {
        if (!i->results[k].p)
            return say(c->arena, ERR_MEMORY, "the results need more memory than a request has");
        opened += text_find(i->results[k], TEXT("\"status\":201")) >= 0;
        json_put_raw(&w, i->results[k]);
    }
    json_close(&w, ']');
    json_pair_int(&w, TEXT("opened"), opened);
    json_pair_int(&w, TEXT("refused"), i->row_count - opened);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}
