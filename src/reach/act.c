/* What is done in a store: rows counted, erased, copied, marked or corrected, all of it in one transaction. */
#include "reach/inside.h"

enum { SQL_MAX = 1 << 20, COPY_MAX = 16 << 20, ROWS_MAX = 20000, DEPTH_MAX = 16 };

/* A statement over all values that a table's rows are found by, PLAN_AT_ONCE at a time. `begin`: up to its WHERE, with
 * `given` parameters before. */
struct over {
    struct plan *p;
    struct link *l;
    const struct table *t;
    text begin, end;
    const text *given;
    unsigned given_count;
};

static enum err run_over(const struct over *o, struct found *rows, int64_t *changed)
{
    const struct table *t = o->t;
    for (unsigned from = 0; from < t->by_count; from += PLAN_AT_ONCE) {
        unsigned n = t->by_count - from < PLAN_AT_ONCE ? t->by_count - from : PLAN_AT_ONCE;
        text *params = NEW_ARRAY(o->p->a, text, n + o->given_count + 1), sql;
        BUF_AUTO b = buf_make(SQL_MAX);
        TRY_PTR(params);
        if (o->given_count)
            memcpy(params, o->given, o->given_count * sizeof *params);
        memcpy(params + o->given_count, t->by + from, n * sizeof *params);
        buf_add(&b, o->begin);
        plan_where(o->l, &b, t->by_column, n, o->given_count);
        buf_add(&b, o->end);
        TRY(buf_lend(o->p->a, &b, &sql));
        TRY(o->l->run(o->l, sql, params, n + o->given_count, rows));
        if (changed)
            *changed += rows->changed;
    }
    return OK;
}

/* Whether an erasure takes that column away: what is of people, but for what the row hangs on. */
static bool is_personal(const struct column *c) { return !text_eq(c->category, TEXT("none")); }

/* Of `null`: rows in which something personal is left. */
static void put_left(const struct link *l, struct buf *b, const struct table *t)
{
    const char *before = " AND (";
    for (unsigned i = 0; i < t->column_count; i++) {
        const struct column *c = &t->columns[i];
        if (!is_personal(c) || c->has_blank)
            continue;
        buf_add(b, text_of(before));
        plan_name(l, b, c->name);
        buf_add(b, TEXT(" IS NOT NULL"));
        before = " OR ";
    }
    buf_add(b, before[1] == 'O' ? TEXT(")") : TEXT(""));
}

static enum err count_rows(struct plan *p, struct link *l, const struct table *t, bool left, int64_t *out)
{
    struct found rows = { 0 };
    struct over o = { .p = p, .l = l, .t = t };
    int64_t n;
    BUF_AUTO b = buf_make(SQL_MAX);
    BUF_AUTO end = buf_make(SQL_MAX);
    buf_add(&b, TEXT("SELECT COUNT(*) FROM "));
    plan_name(l, &b, t->name);
    if (left && t->erase == ERASE_null)
        put_left(l, &end, t);
    TRY(buf_lend(p->a, &b, &o.begin));
    TRY(buf_lend(p->a, &end, &o.end));
    TRY(run_over(&o, &rows, NULL));
    *out = 0;
    for (unsigned i = 0; i < rows.count; i++)
        if (text_int(rows.cells[i], &n))
            *out += n;
    return OK;
}

static text erase_word(enum erase e)
{
    return e == ERASE_delete ? TEXT("delete") : e == ERASE_null ? TEXT("null")
                                                                 : TEXT("keep");
}

static void put_table(const struct table *t, struct json_out *w)
{
    text until = json_text(t->row, TEXT("until"));
    json_open(w, '{');
    json_pair(w, TEXT("table"), t->name);
    json_pair(w, TEXT("action"), erase_word(t->erase));
    json_pair_int(w, TEXT("found"), t->found);
    json_pair_int(w, TEXT("done"), t->done);
    json_pair_int(w, TEXT("left"), t->left);
    json_pair_bool(w, TEXT("sought"), t->by_count > 0 || t->parent >= 0);
    if (t->erase == ERASE_keep) {
        json_pair(w, TEXT("ground"), json_text(t->row, TEXT("ground")));
        json_pair(w, TEXT("until"), until.n ? until : (text){ NULL, 0 });
    }
    json_close(w, '}');
}

static void put_tables(const struct plan *p, struct json_out *w)
{
    json_name(w, TEXT("tables"));
    json_open(w, '[');
    for (unsigned i = 0; i < p->count; i++)
        if (!p->tables[i].none)
            put_table(&p->tables[i], w);
    json_close(w, ']');
}

enum err act_count(struct plan *p, struct link *l, struct json_out *w)
{
    TRY(plan_find(p, l));
    for (unsigned i = 0; i < p->count; i++)
        if (!p->tables[i].none)
            TRY(count_rows(p, l, &p->tables[i], false, &p->tables[i].found));
    put_tables(p, w);
    return OK;
}

/* ---- Erasing. ---- */

static enum err erase_rows(struct plan *p, struct link *l, struct table *t)
{
    struct found rows = { 0 };
    struct over o = { .p = p, .l = l, .t = t };
    text *blanks = NEW_ARRAY(p->a, text, t->column_count + 1);
    bool any = false;
    BUF_AUTO b = buf_make(SQL_MAX);
    TRY_PTR(blanks);
    buf_add(&b, t->erase == ERASE_delete ? TEXT("DELETE FROM ") : TEXT("UPDATE "));
    plan_name(l, &b, t->name);
    for (unsigned i = 0; t->erase == ERASE_null && i < t->column_count; i++) {
        const struct column *c = &t->columns[i];
        if (!is_personal(c))
            continue;
        buf_add(&b, any ? TEXT(", ") : TEXT(" SET "));
        any = true;
        plan_name(l, &b, c->name);
        if (c->has_blank)
            blanks[o.given_count++] = c->blank.p ? c->blank : TEXT("");
        if (c->has_blank && l->numbered)
            buf_print(&b, " = $%u", o.given_count);
        else
            buf_add(&b, c->has_blank ? TEXT(" = ?") : TEXT(" = NULL"));
    }
    if (t->erase == ERASE_null && !any)
        return OK;
    o.given = blanks;
    TRY(buf_lend(p->a, &b, &o.begin));
    return run_over(&o, &rows, &t->done);
}

/* What hangs on others goes before them. */
static enum err erase_all(struct plan *p, struct link *l)
{
    TRY(plan_find(p, l));
    for (unsigned i = 0; i < p->count; i++)
        if (!p->tables[i].none)
            TRY(count_rows(p, l, &p->tables[i], false, &p->tables[i].found));
    for (unsigned depth = DEPTH_MAX + 1; depth-- > 0;)
        for (unsigned i = 0; i < p->count; i++) {
            struct table *t = &p->tables[i];
            if (!t->none && t->depth == depth && t->erase != ERASE_keep && t->by_count)
                TRY(erase_rows(p, l, t));
        }
    return OK;
}

static void put_remain(struct json_out *w, const char *what, text days)
{
    json_open(w, '{');
    json_pair(w, TEXT("what"), text_of(what));
    json_pair(w, TEXT("days"), days.n ? days : (text){ NULL, 0 });
    json_close(w, '}');
}

/* What no statement reaches: rows that are dead but not overwritten, logs, and the backups that the map tells of. */
static enum err put_remains(struct plan *p, struct link *l, struct json_out *w)
{
    text days = json_text(p->store, TEXT("backup_days"));
    struct found rows = { 0 };
    json_name(w, TEXT("remains"));
    json_open(w, '[');
    if (l->numbered) {
        TRY(l->run(l, TEXT("SELECT current_setting('archive_mode')"), NULL, 0, &rows));
        put_remain(w, "dead-rows", TEXT(""));
        put_remain(w, rows.count && text_eq(rows.cells[0], TEXT("off")) ? "log" : "log-archive", TEXT(""));
    } else if (l->quote == '`') {
        TRY(l->run(l, TEXT("SELECT @@log_bin, CEILING(@@binlog_expire_logs_seconds / 86400)"), NULL, 0, &rows));
        put_remain(w, "dead-rows", TEXT(""));
        if (rows.count && text_eq(rows.cells[0], TEXT("1")))
            put_remain(w, "binlog", text_eq(rows.cells[1], TEXT("0")) ? TEXT("") : rows.cells[1]);
    }
    if (days.n)
        put_remain(w, "backups", days);
    else if (!json_get(p->store, TEXT("backup_days")))
        put_remain(w, "backups", TEXT(""));
    json_close(w, ']');
    return OK;
}

static enum err begin(struct link *l)
{
    return l->run(l, l->quote == '"' && !l->numbered ? TEXT("BEGIN IMMEDIATE") : TEXT("BEGIN"), NULL, 0, NULL);
}

/* After the commit nothing of the person may be found by the same question. */
static enum err look_again(struct plan *p, struct link *l)
{
    for (unsigned i = 0; i < p->count; i++) {
        struct table *t = &p->tables[i];
        if (t->none || t->erase == ERASE_keep)
            continue;
        TRY(count_rows(p, l, t, true, &t->left));
        if (t->left)
            return say(p->a, ERR_BUSY, "%lld rows of the table %.*s are found still", (long long)t->left, T(t->name));
    }
    return OK;
}

enum err act_erase(struct plan *p, struct link *l, struct json_out *w)
{
    TRY(begin(l));
    TRY(erase_all(p, l)); /* the connection's end undoes what fails */
    TRY(l->run(l, TEXT("COMMIT"), NULL, 0, NULL));
    TRY(look_again(p, l));
    if (l->wal)
        TRY(l->run(l, TEXT("PRAGMA wal_checkpoint(TRUNCATE)"), NULL, 0, NULL));
    put_tables(p, w);
    return put_remains(p, l, w);
}

/* ---- A copy. ---- */

static enum err copy_table(struct plan *p, struct link *l, const struct table *t, struct json_out *w)
{
    struct found rows = { 0 };
    struct over o = { .p = p, .l = l, .t = t };
    unsigned n = 0;
    BUF_AUTO b = buf_make(SQL_MAX);
    buf_add(&b, TEXT("SELECT "));
    for (unsigned i = 0; i < t->column_count; i++)
        if (is_personal(&t->columns[i])) {
            buf_add(&b, n++ ? TEXT(", ") : TEXT(""));
            plan_name(l, &b, t->columns[i].name);
        }
    buf_add(&b, TEXT(" FROM "));
    plan_name(l, &b, t->name);
    TRY(buf_lend(p->a, &b, &o.begin));
    if (n)
        TRY(run_over(&o, &rows, NULL));
    if (rows.count > ROWS_MAX)
        return say(p->a, ERR_TOO_LARGE, "more than %d rows of one person in the table %.*s", ROWS_MAX, T(t->name));
    json_open(w, '{');
    json_pair(w, TEXT("table"), t->name);
    json_name(w, TEXT("rows"));
    json_open(w, '[');
    for (unsigned r = 0; r < rows.count; r++) {
        json_open(w, '{');
        for (unsigned i = 0, at = 0; i < t->column_count; i++)
            if (is_personal(&t->columns[i])) {
                text cell = rows.cells[r * n + at++];
                json_pair(w, t->columns[i].name, cell.p && !text_utf8(cell) ? TEXT("") : cell);
            }
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
    return OK;
}

enum err act_copy(struct plan *p, struct link *l, struct json_out *w)
{
    TRY(plan_find(p, l));
    json_name(w, TEXT("tables"));
    json_open(w, '[');
    for (unsigned i = 0; i < p->count; i++)
        if (!p->tables[i].none)
            TRY(copy_table(p, l, &p->tables[i], w));
    json_close(w, ']');
    return OK;
}

/* ---- Marks and corrections. ---- */

static enum err set_column(struct plan *p, struct link *l, struct table *t, text column, text value)
{
    struct found rows = { 0 };
    struct over o = { .p = p, .l = l, .t = t, .given = &value, .given_count = 1 };
    BUF_AUTO b = buf_make(SQL_MAX);
    buf_add(&b, TEXT("UPDATE "));
    plan_name(l, &b, t->name);
    buf_add(&b, TEXT(" SET "));
    plan_name(l, &b, column);
    buf_add(&b, l->numbered ? TEXT(" = $1") : TEXT(" = ?"));
    TRY(buf_lend(p->a, &b, &o.begin));
    return run_over(&o, &rows, &t->done);
}

/* {COLUMN: [value while it holds, value when it ends]} */
static enum err set_marks(struct plan *p, struct link *l, struct table *t, const struct json *marks, bool on)
{
    JSON_EACH(m, marks)
        if (m->kind == J_ARRAY && m->count == 2)
            TRY(set_column(p, l, t, m->key, on ? m->first->value : m->first->next->value));
    return OK;
}

static enum err set_corrected(struct plan *p, struct link *l, struct table *t, const struct json *correct)
{
    JSON_EACH(m, json_get(t->row, TEXT("correct"))) {
        const struct json *value = json_get(correct, m->value);
        if (value && value->kind == J_TEXT)
            TRY(set_column(p, l, t, m->key, value->value));
    }
    return OK;
}

static enum err set_one(struct plan *p, struct link *l, struct table *t)
{
    const struct json *set = json_get(p->asked, TEXT("set"));
    const struct json *restricts = json_get(set, TEXT("restrict"));
    const struct json *on = json_get(set, TEXT("on"));
    const struct json *correct = json_get(set, TEXT("correct"));
    text purpose = json_text(set, TEXT("object"));
    TRY(count_rows(p, l, t, false, &t->found));
    if (restricts)
        TRY(set_marks(p, l, t, json_get(t->row, TEXT("restrict")), restricts->truth));
    if (purpose.n)
        TRY(set_marks(p, l, t, json_get(json_get(t->row, TEXT("object")), purpose), on && on->truth));
    return correct ? set_corrected(p, l, t, correct) : OK;
}

enum err act_set(struct plan *p, struct link *l, struct json_out *w)
{
    TRY(begin(l));
    TRY(plan_find(p, l));
    for (unsigned i = 0; i < p->count; i++)
        if (!p->tables[i].none)
            TRY(set_one(p, l, &p->tables[i]));
    TRY(l->run(l, TEXT("COMMIT"), NULL, 0, NULL));
    put_tables(p, w);
    return OK;
}
