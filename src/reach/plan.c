/* The map of a store's tables: read, held against the database, and how the person's rows are found in each. */
#include "reach/inside.h"

enum { SQL_MAX = 1 << 20, VALUES_MAX = 100000, DEPTH_MAX = 16 };

static void fault(struct plan *p, text table, text column, const char *what)
{
    json_open(&p->faults, '{');
    json_pair(&p->faults, TEXT("table"), table);
    json_pair(&p->faults, TEXT("column"), column.n ? column : (text){ NULL, 0 });
    json_pair(&p->faults, TEXT("fault"), text_of(what));
    json_close(&p->faults, '}');
    p->fault_count++;
}

static int table_at(const struct plan *p, text name)
{
    for (unsigned i = 0; i < p->count; i++)
        if (text_eq(p->tables[i].name, name))
            return (int)i;
    return -1;
}

/* ---- What the map says. ---- */

static enum err read_columns(struct plan *p, struct table *t)
{
    const struct json *all = json_get(t->row, TEXT("columns"));
    t->columns = NEW_ARRAY(p->a, struct column, (all ? all->count : 0) + 1);
    TRY_PTR(t->columns);
    JSON_EACH(c, all) {
        struct column *to = &t->columns[t->column_count++];
        to->name = c->key;
        to->category = c->kind == J_OBJECT ? json_text(c, TEXT("category")) : c->value;
        to->has_blank = json_get(c, TEXT("blank")) != NULL;
        to->blank = json_text(c, TEXT("blank"));
        if (!to->category.n)
            fault(p, t->name, c->key, "no-category");
    }
    return OK;
}

static void read_key(struct plan *p, struct table *t)
{
    const struct json *key = json_get(t->row, TEXT("key")), *under = json_get(t->row, TEXT("under"));
    text place;
    t->parent = -1;
    if (key && key->count == 1) {
        t->by_column = key->first->key;
        t->fields = key->first;
        t->keyed = true;
    } else if (under && under->count == 1) {
        place = under->first->value;
        t->by_column = under->first->key;
        t->parent = table_at(p, text_cut(&place, '.'));
        t->parent_column = place;
        t->keyed = t->parent >= 0 && place.n && !p->tables[t->parent].none;
    }
    if (!t->keyed)
        fault(p, t->name, TEXT(""), "no-key");
}

static void read_erase(struct plan *p, struct table *t)
{
    text word = json_text(t->row, TEXT("erase"));
    t->erase = text_eq(word, TEXT("null")) ? ERASE_null : text_eq(word, TEXT("keep")) ? ERASE_keep
                                                                                       : ERASE_delete;
    if (!text_eq(word, TEXT("null")) && !text_eq(word, TEXT("keep")) && !text_eq(word, TEXT("delete")))
        fault(p, t->name, TEXT(""), "no-action");
    if (t->erase == ERASE_keep && !json_text(t->row, TEXT("ground")).n)
        fault(p, t->name, TEXT(""), "no-ground");
}

static void find_depth(struct plan *p, struct table *t)
{
    for (int at = t->parent; at >= 0; at = p->tables[at].parent)
        if (++t->depth > DEPTH_MAX) {
            fault(p, t->name, TEXT(""), "circle");
            t->keyed = false;
            return;
        }
}

enum err plan_read(struct plan *p)
{
    const struct json *all = json_get(p->store, TEXT("tables"));
    p->tables = NEW_ARRAY(p->a, struct table, (all ? all->count : 0) + 1);
    TRY_PTR(p->tables);
    JSON_EACH(t, all)
        p->tables[p->count++] = (struct table){ .name = t->key, .row = t, .none = t->kind != J_OBJECT, .parent = -1 };
    for (unsigned i = 0; i < p->count; i++) {
        struct table *t = &p->tables[i];
        if (t->none)
            continue;
        TRY(read_columns(p, t));
        read_key(p, t);
        read_erase(p, t);
    }
    for (unsigned i = 0; i < p->count; i++)
        find_depth(p, &p->tables[i]);
    return OK;
}

/* ---- What the database has. ---- */

static text listing(const struct link *l)
{
    if (l->numbered)
        return TEXT("SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN"
                    " pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE n.nspname = $1"
                    " AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1, a.attnum");
    if (l->quote == '`')
        return TEXT("SELECT c.TABLE_NAME, c.COLUMN_NAME FROM information_schema.COLUMNS c JOIN information_schema.TABLES t"
                    " ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME WHERE c.TABLE_SCHEMA ="
                    " DATABASE() AND t.TABLE_TYPE = 'BASE TABLE' ORDER BY 1, c.ORDINAL_POSITION");
    return TEXT("SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND"
                " t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1, c.cid");
}

static void mark_column(struct plan *p, struct table *t, text name)
{
    for (unsigned i = 0; i < t->column_count; i++)
        if (text_eq(t->columns[i].name, name)) {
            t->columns[i].there = true;
            return;
        }
    fault(p, t->name, name, "unmapped");
}

static bool has_column(const struct table *t, text name)
{
    for (unsigned i = 0; i < t->column_count; i++)
        if (text_eq(t->columns[i].name, name))
            return t->columns[i].there;
    return false;
}

static void look_for_absent(struct plan *p, const struct table *t)
{
    if (!t->there)
        fault(p, t->name, TEXT(""), "absent");
    for (unsigned i = 0; t->there && i < t->column_count; i++)
        if (!t->columns[i].there)
            fault(p, t->name, t->columns[i].name, "absent");
    if (t->there && t->keyed && !has_column(t, t->by_column))
        fault(p, t->name, t->by_column, "no-key");
    if (t->there && t->parent >= 0 && !has_column(&p->tables[t->parent], t->parent_column))
        fault(p, p->tables[t->parent].name, t->parent_column, "no-key");
}

enum err plan_check(struct plan *p, struct link *l)
{
    struct found live = { 0 };
    TRY(l->run(l, listing(l), &l->schema, l->numbered ? 1 : 0, &live));
    for (unsigned i = 0; i < live.count; i++) {
        text name = live.cells[i * 2], column = live.cells[i * 2 + 1];
        int at = table_at(p, name);
        bool again = i && text_eq(live.cells[i * 2 - 2], name);
        if (at < 0 && !again)
            fault(p, name, TEXT(""), "forgotten");
        if (at < 0 || p->tables[at].none)
            continue;
        p->tables[at].there = true;
        mark_column(p, &p->tables[at], column);
    }
    for (unsigned i = 0; i < p->count; i++)
        if (!p->tables[i].none)
            look_for_absent(p, &p->tables[i]);
    return OK;
}

/* ---- How rows are found. ---- */

void plan_name(const struct link *l, struct buf *b, text name)
{
    if (text_index(name, '?') >= 0)
        buf_fail(b);
    buf_char(b, l->quote);
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == l->quote)
            buf_char(b, l->quote);
        buf_char(b, name.p[i]);
    }
    buf_char(b, l->quote);
}

void plan_where(const struct link *l, struct buf *b, text column, unsigned count, unsigned first)
{
    buf_add(b, TEXT(" WHERE "));
    plan_name(l, b, column);
    buf_add(b, TEXT(" IN ("));
    for (unsigned i = 0; i < count; i++)
        if (l->numbered)
            buf_print(b, "%s$%u", i ? "," : "", first + i + 1);
        else
            buf_add(b, i ? TEXT(",?") : TEXT("?"));
    buf_char(b, ')');
}

static enum err add_by(struct plan *p, struct table *t, text value, unsigned *room)
{
    if (t->by_count == VALUES_MAX)
        return say(p->a, ERR_TOO_LARGE, "more than %d rows lead from one table to the next", VALUES_MAX);
    if (t->by_count == *room) {
        text *wider = NEW_ARRAY(p->a, text, *room = *room ? *room * 4 : 16);
        TRY_PTR(wider);
        if (t->by_count)
            memcpy(wider, t->by, t->by_count * sizeof *wider);
        t->by = wider;
    }
    t->by[t->by_count++] = value;
    return OK;
}

static enum err add_values(struct plan *p, struct table *t, text field, unsigned *room)
{
    JSON_EACH(v, json_get(json_get(p->asked, TEXT("values")), field))
        if (v->kind == J_TEXT && v->value.n)
            TRY(add_by(p, t, v->value, room));
    return OK;
}

static enum err find_under(struct plan *p, struct link *l, struct table *t, unsigned *room)
{
    const struct table *parent = &p->tables[t->parent];
    for (unsigned from = 0; from < parent->by_count; from += PLAN_AT_ONCE) {
        unsigned n = parent->by_count - from < PLAN_AT_ONCE ? parent->by_count - from : PLAN_AT_ONCE;
        struct found rows = { 0 };
        text sql;
        BUF_AUTO b = buf_make(SQL_MAX);
        buf_add(&b, TEXT("SELECT DISTINCT "));
        plan_name(l, &b, t->parent_column);
        buf_add(&b, TEXT(" FROM "));
        plan_name(l, &b, parent->name);
        plan_where(l, &b, parent->by_column, n, 0);
        TRY(buf_lend(p->a, &b, &sql));
        TRY(l->run(l, sql, parent->by + from, n, &rows));
        for (unsigned i = 0; i < rows.count; i++)
            if (rows.cells[i].p)
                TRY(add_by(p, t, rows.cells[i], room));
    }
    return OK;
}

static enum err find_one(struct plan *p, struct link *l, struct table *t)
{
    unsigned room = 0;
    if (t->parent >= 0)
        return find_under(p, l, t, &room);
    if (t->fields->kind == J_TEXT)
        return add_values(p, t, t->fields->value, &room);
    JSON_EACH(f, t->fields)
        TRY(add_values(p, t, f->value, &room));
    return OK;
}

enum err plan_find(struct plan *p, struct link *l)
{
    for (unsigned depth = 0; depth <= DEPTH_MAX; depth++)
        for (unsigned i = 0; i < p->count; i++)
            if (!p->tables[i].none && p->tables[i].depth == depth)
                TRY(find_one(p, l, &p->tables[i]));
    return OK;
}
