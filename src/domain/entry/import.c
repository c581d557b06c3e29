/* Accounts from a table, a line each: what its columns stand for, what people typed, and every fault with its line and
 * column. */
#include "base/file/charset.h"
#include "base/file/csv.h"
#include "base/unicode.h"
#include "domain/entry/heading.h"
#include "domain/core/instance.h"
#include "domain/core/normal.h"
#include "domain/entry/opening.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum { COLUMNS_MAX = 128, LINE_MAX = 64 << 10, FAULTS_MAX = 20 };

/* same: line that has its address; stray: the column in which a quote stands as a sign. */
struct row {
    text *values;
    unsigned count, line, same, stray;
    const struct json *account;
    struct why fault;
};
struct import {
    struct column columns[COLUMNS_MAX];
    unsigned column_count;
    struct row *rows;
    unsigned row_count;
    text *results;
    text supplied_by, language, why, map;
    int64_t first_line;
    bool no_invitation, dry;
    struct arena *arena; /* of the whole */
};

unsigned import_count(const struct import *i) { return i->row_count; }

/* ---- The header. ---- */

/* What the map says of that column: p NULL when it says nothing. `other`: what it says of those that nothing is known
 * of. */
static text chosen(const struct import *i, text heading, unsigned number, bool other)
{
    for (text rest = i->map; rest.n;) {
        text pair = text_cut(&rest, ',');
        ptrdiff_t sign = (ptrdiff_t)pair.n - 1;
        while (sign >= 0 && pair.p[sign] != '=')
            sign--;
        if (sign < 0)
            continue;
        text column = unicode_trim(text_upto(pair, (size_t)sign)), field = text_trim(text_from(pair, (size_t)sign + 1));
        int64_t n = 0;
        bool same = !other && (text_eq(column, heading) || (text_int(column, &n) && n == (int64_t)number));
        if (same || (other && text_eq(column, TEXT("*"))))
            return field.n ? field : TEXT("-");
    }
    return (text){ NULL, 0 };
}

struct complaint {
    struct buf said;
    unsigned count;
};
static void free_complaint(struct complaint *all) { buf_free(&all->said); }

/* Headings may be people's names when the table has none: columns are told by their number, and by their name when it
 * looks like a policy's. */
static void complain(struct complaint *all, unsigned number, text name, const char *what)
{
    text shown = value_shown(name);
    if (++all->count > FAULTS_MAX)
        return;
    buf_print(&all->said, "%scolumn %u", all->said.n ? "; " : "", number);
    if (text_eq(shown, name))
        buf_print(&all->said, " (\"%.*s\")", T(name));
    buf_print(&all->said, " %s", what);
}

static void complain_unknown(struct complaint *all, unsigned number, text name, const struct near *near)
{
    complain(all, number, name,
             near->count ? "is no category.field of the policy: did you mean " : "is no category.field of the policy");
    for (unsigned k = 0; k < near->count && k < HEADINGS_NEAR && all->count <= FAULTS_MAX; k++)
        buf_print(&all->said, "%s%.*s", k ? " or " : "", T(near->names[k]));
}

/* By its name, by what the map says, or by what its heading means when that is one field alone. */
static void take_column(struct ctx *c, const struct import *i, text heading, unsigned number, struct column *out,
                        struct complaint *all)
{
    text name = unicode_trim(heading), said = chosen(i, name, number, false);
    *out = (struct column){ .how = "left" };
    if (said.p && !text_eq(said, TEXT("-")) && !heading_named(c->policy, said, out))
        complain(all, number, said, "is to be a field that the policy has not");
    else if (said.p)
        out->how = text_eq(said, TEXT("-")) ? "left" : "chosen";
    else if (name.n && !heading_named(c->policy, name, out)) {
        struct near near = heading_near(c->arena, c->policy, name);
        if (near.sure && heading_named(c->policy, near.names[0], out))
            out->how = "proposed";
        else if (!chosen(i, name, number, true).p)
            complain_unknown(all, number, name, &near);
    }
    out->nameless = !name.n && !said.p;
    out->number = number;
}

static enum err take_header(struct ctx *c, struct import *i, const struct csv_record *r)
{
    CLEANUP(free_complaint) struct complaint all = { .said = buf_make(1 << 14) };
    if (r->count > COLUMNS_MAX)
        return say(c->arena, ERR_VALUE, "a table has at most %d columns", COLUMNS_MAX);
    for (unsigned k = 0; k < r->count; k++) {
        struct column *column = &i->columns[i->column_count++];
        take_column(c, i, r->fields[k], k + 1, column, &all);
        for (unsigned j = 0; j < k && column->name.n; j++)
            if (text_eq(i->columns[j].name, column->name))
                complain(&all, k + 1, column->name,
                         arena_print(c->arena, "stands for the same field as column %u", j + 1).p);
    }
    if (!all.count)
        return OK;
    if (all.count > FAULTS_MAX)
        buf_print(&all.said, "; and %u more", all.count - FAULTS_MAX);
    return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                      "%.*s. Choose with map: COLUMN=category.field, or COLUMN=- to leave it out",
                      T(buf_begun(&all.said)));
}

/* ---- Lines. ---- */

/* What keeps a spreadsheet from computing a cell or from dropping its zeros is not of its value: an apostrophe before a
 * sign (as our own tables have it, csv_put), or ="0612345678". */
static text unguarded(text s)
{
    if (s.n > 1 && s.p[0] == '\'' && (s.p[1] == '+' || s.p[1] == '-' || s.p[1] == '=' || s.p[1] == '@'))
        return text_from(s, 1);
    bool formula = s.n > 3 && text_starts(s, TEXT("=\"")) && s.p[s.n - 1] == '"';
    text inner = formula ? text_upto(text_from(s, 2), s.n - 3) : s;
    return formula && text_index(inner, '"') < 0 ? inner : s;
}

static enum err take_line(struct ctx *c, struct import *i, const struct csv_record *r, enum err fault)
{
    if (i->row_count == IMPORT_LINES)
        return say(c->arena, ERR_TOO_LARGE, "a table has at most %d lines behind its header", IMPORT_LINES);
    struct row *row = &i->rows[i->row_count++];
    *row = (struct row){ .line = (unsigned)(r->line + i->first_line),
                         .values = NEW_ARRAY(c->arena, text, i->column_count) };
    TRY_PTR(row->values);
    if (fault == ERR_MEMORY)
        return fault;
    row->count = i->column_count;
    row->stray = r->stray;
    /* Spreadsheets leave out what is empty at a line's end, or write more of it than the header has. */
    for (unsigned k = 0; fault == OK && k < r->count; k++) {
        text value = unguarded(unicode_trim(r->fields[k]));
        if (k < i->column_count)
            row->values[k] = value;
        else if (value.n)
            fault = say(c->arena, ERR_VALUE, "column %u holds something, and has no heading", k + 1);
    }
    if (fault != OK)
        row->fault = c->arena->why;
    return OK;
}

/* "version:v1.0" and nothing else, above the header of Microsoft Entra's forms. */
static bool is_version(const struct csv_record *r)
{
    bool alone = text_starts(unicode_trim(r->fields[0]), TEXT("version:v"));
    for (unsigned k = 1; k < r->count; k++)
        alone &= unicode_is_blank(r->fields[k]);
    return alone;
}

static enum err read_table(struct ctx *c, struct import *i, text body)
{
    text table;
    TRY(charset_text(c->arena, body, &table));
    struct csv csv = csv_open(table);
    struct csv_record *r = NEW(c->arena, struct csv_record);
    enum err fault;
    TRY_PTR(r);
    if (!csv_next(c->arena, &csv, r, &fault))
        return say(c->arena, ERR_MISSING, "the table is empty: its first line names the fields, as category.field");
    if (fault == OK && is_version(r) && !csv_next(c->arena, &csv, r, &fault))
        return say(c->arena, ERR_MISSING, "the table has no header: a line that names the fields, as category.field");
    TRY(fault);
    TRY(take_header(c, i, r));
    if (!i->first_line)
        i->first_line = r->line + 1;
    i->first_line -= csv.line; /* from now on: what is added to the reader's own count */
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

/* ---- Days with the month first: nobody may guess which of a column's days are. ---- */

/* Two numbers and a year with slashes between, as "3/4/2026": day and month, or the other way round. */
static bool slashed(text s, int64_t *first, int64_t *second)
{
    text rest = s, one = text_cut(&rest, '/'), two = text_cut(&rest, '/');
    return rest.n >= 4 && rest.p[0] >= '1' && rest.p[0] <= '9' && text_int(one, first) && text_int(two, second) &&
           *first >= 1 && *second >= 1;
}

static bool has_days(const struct column *column)
{
    return column->type && (column->type->type == FIELD_DATE || column->type->type == FIELD_TIME);
}

static void find_month_first(struct import *i, unsigned column)
{
    int64_t one, two;
    for (unsigned r = 0; r < i->row_count && has_days(&i->columns[column]); r++)
        i->columns[column].month_first |= column < i->rows[r].count && slashed(i->rows[r].values[column], &one, &two) &&
                                          one <= 12 && two > 12;
}

/* Of such a column a day that could be two. */
static bool is_doubtful(const struct column *column, text cell)
{
    int64_t one, two;
    return column->month_first && slashed(cell, &one, &two) && one <= 12 && two <= 12 && one != two;
}

/* ---- The same address twice in one table: the first line has it. ---- */

struct seen {
    text value;
    unsigned row;
};

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
    i->supplied_by = o->supplied_by;
    i->language = o->language;
    i->map = o->map;
    i->first_line = o->first_line;
    i->no_invitation = o->no_invitation;
    i->dry = c->dry;
    i->arena = c->arena;
    i->why = o->why.n ? o->why : TEXT("import");
    i->rows = NEW_ARRAY(c->arena, struct row, IMPORT_LINES);
    i->results = NEW_ARRAY(c->arena, text, IMPORT_LINES);
    TRY_PTR(i->rows);
    TRY_PTR(i->results);
    TRY(json ? read_json(c, i, body) : read_table(c, i, body));
    for (unsigned k = 0; k < i->column_count; k++) {
        if (i->columns[k].type && i->columns[k].type->identifier)
            TRY(find_same(c, i, k));
        find_month_first(i, k);
    }
    c->arena->why = (struct why){ 0 };
    return OK;
}

/* ---- One line. ---- */

static void put_category(struct ctx *c, const struct import *i, const struct row *r, text category, struct json_out *w)
{
    json_name(w, category);
    json_open(w, '{');
    for (unsigned k = 0; k < i->column_count; k++)
        if (i->columns[k].type && text_eq(i->columns[k].category, category) && r->values[k].n) {
            json_name(w, i->columns[k].field);
            normal_typed(c, w, i->columns[k].type, r->values[k]);
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
        if (i->columns[k].name.n && !i->columns[k].type && !i->columns[k].folder.n && r->values[k].n) {
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

/* ---- What is wrong with a line: all of it. ---- */

struct faults {
    struct why all[FAULTS_MAX];
    unsigned columns[FAULTS_MAX], count;
};

static void add_fault(struct faults *f, const struct why *why, enum err code, unsigned column)
{
    if (f->count < FAULTS_MAX) {
        f->all[f->count] = *why;
        f->all[f->count].code = code;
        f->columns[f->count] = column;
    }
    f->count++;
}

static enum err check_cell(struct ctx *c, const struct column *column, text cell)
{
    const struct category *cat = &c->policy->categories[policy_category(c->policy, column->category)];
    const struct json *value;
    BUF_AUTO b = buf_make(LINE_MAX * 8);
    struct json_out w = json_out(&b);
    json_open(&w, '[');
    normal_typed(c, &w, column->type, cell);
    json_close(&w, ']');
    TRY(json_parse_buf(c->arena, &b, &value));
    value = value->first;
    enum err e = value_take(c, cat, column->type, &value);
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s", T(column->name));
    return write_refused(c, NULL, e);
}

/* What is required of a category of which the line has something. */
static void find_missing(struct ctx *c, const struct import *i, const struct row *r, struct faults *f,
                         const struct column *one)
{
    const struct category *cat = &c->policy->categories[policy_category(c->policy, one->category)];
    for (unsigned n = 0; n < cat->field_count; n++) {
        const struct field *field = &cat->fields[n];
        const struct column *at = NULL;
        bool given = false;
        for (unsigned k = 0; k < i->column_count; k++)
            if (i->columns[k].type == field) {
                at = &i->columns[k];
                given |= r->values[k].n > 0;
            }
        if (given || !field->required || field->when_field.n)
            continue;
        c->arena->why = (struct why){ 0 };
        say_clause(c->arena, ERR_MISSING, &field->clause, "%.*s.%.*s is required", T(cat->name), T(field->name));
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s.%.*s", T(cat->name), T(field->name));
        add_fault(f, &c->arena->why, ERR_MISSING, at ? at->number : 0);
    }
}

static void doubt(struct ctx *c, const struct column *column)
{
    say(c->arena, ERR_VALUE,
        "%.*s: day or month first? Other lines of this column have the month first: write days as 2026-12-31",
        T(column->name));
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s", T(column->name));
}

static bool first_filled(const struct import *i, const struct row *r, unsigned k)
{
    for (unsigned j = 0; j < k; j++)
        if (i->columns[j].type && r->values[j].n && text_eq(i->columns[j].category, i->columns[k].category))
            return false;
    return true;
}

static void find_faults(struct ctx *c, const struct import *i, const struct row *r, struct faults *f)
{
    for (unsigned k = 0; k < r->count; k++) {
        const struct column *column = &i->columns[k];
        if (!r->values[k].n)
            continue;
        c->arena->why = (struct why){ 0 };
        if (column->nameless)
            say(c->arena, ERR_VALUE, "column %u holds something, and has no heading", column->number);
        else if (is_doubtful(column, r->values[k]))
            doubt(c, column);
        else if (column->type)
            check_cell(c, column, r->values[k]);
        if (c->arena->why.code != OK)
            add_fault(f, &c->arena->why, c->arena->why.code, column->number);
        if (column->type && first_filled(i, r, k))
            find_missing(c, i, r, f, column);
    }
    c->arena->why = (struct why){ 0 };
}

/* ---- One line. ---- */

static void put_why(struct json_out *w, const struct why *why, unsigned column)
{
    json_pair(w, TEXT("code"), err_row(why->code)->slug);
    json_pair(w, TEXT("field"), why->field[0] ? text_of(why->field) : (text){ NULL, 0 });
    if (column)
        json_pair_int(w, TEXT("column"), column);
    json_pair(w, TEXT("detail"), text_of(why->detail));
    if (why->clause)
        json_pair(w, TEXT("clause"), why->clause->path);
}

static unsigned column_named(const struct import *i, const char *field)
{
    for (unsigned k = 0; k < i->column_count && field[0]; k++)
        if (text_eq(i->columns[k].name, text_of(field)))
            return i->columns[k].number;
    return 0;
}

static void put_faults(struct json_out *w, const struct faults *f)
{
    json_name(w, TEXT("faults"));
    json_open(w, '[');
    for (unsigned k = 0; k < f->count && k < FAULTS_MAX; k++) {
        json_open(w, '{');
        put_why(w, &f->all[k], f->columns[k]);
        json_close(w, '}');
    }
    json_close(w, ']');
    if (f->count > FAULTS_MAX)
        json_pair_int(w, TEXT("more"), f->count - FAULTS_MAX);
}

/* The first fault says what the line's answer is; when there are several, all stand in a list. */
static text result_of(const struct import *i, const struct row *r, const struct faults *f, text id)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair_int(&w, TEXT("line"), r->line);
    json_pair_int(&w, TEXT("status"), !f->count ? (i->dry ? 200 : 201)
                    : err_row(f->all[0].code)->http);
    if (f->count)
        put_why(&w, &f->all[0], f->columns[0]);
    else if (!i->dry)
        json_pair(&w, TEXT("id"), id);
    if (f->count > 1)
        put_faults(&w, f);
    if (r->stray)
        json_pair(&w, TEXT("warning"),
                  arena_print(i->arena, "line %u, column %u: a quote stands within the cell, and was taken as a sign",
                              r->line, r->stray));
    json_close(&w, '}');
    return buf_made(i->arena, &b);
}

void import_line(struct ctx *c, struct import *i, unsigned line)
{
    struct row *row = &i->rows[line];
    const struct json *account = row->account;
    struct answer answer = { 0 };
    struct faults f = { .count = 0 };
    enum err e = row->fault.code;
    if (e == OK && !account)
        find_faults(c, i, row, &f);
    if (e != OK)
        add_fault(&f, &row->fault, e, column_named(i, row->fault.field));
    if (!f.count) {
        e = account ? OK : account_of(c, i, row, &account);
        if (e == OK)
            e = account_open_for(c, account, &answer);
        if (e != OK)
            add_fault(&f, &c->arena->why, e, column_named(i, c->arena->why.field));
    }
    i->results[line] = result_of(i, row, &f, answer.id);
}

static void put_columns(struct json_out *w, const struct import *i)
{
    json_name(w, TEXT("columns"));
    json_open(w, '[');
    for (unsigned k = 0; k < i->column_count; k++) {
        const struct column *column = &i->columns[k];
        json_open(w, '{');
        json_pair_int(w, TEXT("column"), column->number);
        json_pair(w, TEXT("field"), column->name.n ? column->name : (text){ NULL, 0 });
        json_pair(w, TEXT("how"), text_of(column->how));
        json_close(w, '}');
    }
    json_close(w, ']');
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
        opened += text_find(i->results[k], i->dry ? TEXT("\"status\":200") : TEXT("\"status\":201")) >= 0;
        json_put_raw(&w, i->results[k]);
    }
    json_close(&w, ']');
    json_pair_int(&w, TEXT("opened"), opened);
    json_pair_int(&w, TEXT("refused"), i->row_count - opened);
    json_pair_bool(&w, TEXT("dry_run"), i->dry);
    if (i->column_count)
        put_columns(&w, i);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}
