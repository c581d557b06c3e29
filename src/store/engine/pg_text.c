/* The text of a statement for PostgreSQL: `?N` is `$N` there, a conflict of keys is found without an error, which would
 * end the transaction, and a statement that changes rows of a bound table gives them as they were and as they are. */
#include "store/engine/pg.h"

enum { TEXT_MAX = 1 << 16 };

/* The columns of a table's key, and all of them, each behind the table's name, since some are words of SQL. */
#define COLUMN(name, type, need)
#define SEALED(name, need, category)
#define KEY(...) #__VA_ARGS__
static const char *const keys_of[] = {
#define TABLE(name, erasure, kept_as, storage, bound, ...) [TABLE_##name] = __VA_ARGS__,
#define KEYRING_TABLE(...)
#define INDEX(...)
#include "store/tables.def"
#undef TABLE
};

/* Each name of a list, quoted, as of `table`; with commas between. */
static void names_put(struct buf *out, text table, text list)
{
    for (bool first = true; list.n; first = false) {
        text name = text_trim(text_cut(&list, ','));
        buf_print(out, "%s%.*s.\"%.*s\"", first ? "" : ", ", T(table), T(name));
    }
}

static void columns_put(struct buf *out, text of, enum table t)
{
    const struct table_row *row = table_row(t);
    for (unsigned i = 0; i < row->column_count; i++)
        buf_print(out, "%s%.*s.\"%.*s\"", i ? ", " : "", T(of), T(row->columns[i].name));
}

/* Where `word` stands outside of brackets and quotes, from `from` on; the end when it stands nowhere. */
static size_t found(text sql, text word, size_t from)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = from; i < sql.n; i++) {
        quoted ^= sql.p[i] == '\'';
        depth += !quoted && sql.p[i] == '(';
        depth -= !quoted && sql.p[i] == ')';
        if (!quoted && depth == 0 && text_starts(text_from(sql, i), word))
            return i;
    }
    return sql.n;
}

static text part(text sql, size_t from, size_t to) { return text_from(text_upto(sql, to), from); }

/* What stands in the brackets that open at or behind `from`; *behind: the place after them. */
static text bracket(text sql, size_t from, size_t *behind)
{
    size_t open = from;
    int depth = 0;
    while (open < sql.n && sql.p[open] != '(')
        open++;
    for (*behind = open; *behind < sql.n;) {
        depth += (sql.p[*behind] == '(') - (sql.p[*behind] == ')');
        ++*behind;
        if (depth == 0)
            break;
    }
    must(*behind > open + 1);
    return part(sql, open + 1, *behind - 1);
}

/* ---- Rows as they were, beside what the statement makes of them: both see the same snapshot. ---- */

static void both_put(struct buf *out, text sql, enum table t, text key)
{
    text table = table_row(t)->name;
    buf_print(out, "), now AS (%.*s RETURNING ", T(sql));
    columns_put(out, table, t);
    buf_add(out, TEXT(") SELECT "));
    columns_put(out, TEXT("was"), t);
    buf_add(out, TEXT(", 0 AS is_now FROM was"));
    if (key.n) { /* rows that the conflict left as they are were not changed */
        buf_add(out, TEXT(" WHERE ("));
        names_put(out, TEXT("was"), key);
        buf_add(out, TEXT(") IN (SELECT "));
        names_put(out, TEXT("now"), key);
        buf_add(out, TEXT(" FROM now)"));
    }
    buf_add(out, TEXT(" UNION ALL SELECT "));
    columns_put(out, TEXT("now"), t);
    buf_add(out, TEXT(", 1 FROM now ORDER BY "));
    for (text list = text_of(keys_of[t]); list.n;) {
        text name = text_trim(text_cut(&list, ','));
        buf_print(out, "\"%.*s\", ", T(name));
    }
    buf_add(out, TEXT("is_now"));
}

static void was_put(struct buf *out, enum table t)
{
    text table = table_row(t)->name;
    buf_add(out, TEXT("WITH was AS MATERIALIZED (SELECT "));
    columns_put(out, table, t);
    buf_print(out, " FROM %.*s", T(table));
}

/* UPDATE t SET … WHERE c: those that c finds. */
static void update_put(struct buf *out, text sql, enum table t)
{
    was_put(out, t);
    buf_add(out, text_from(sql, found(sql, TEXT(" WHERE "), 0)));
    both_put(out, sql, t, (text){ NULL, 0 });
}

/* INSERT INTO t (columns) source ON CONFLICT (key) DO UPDATE …: those of the source's keys. */
static void upsert_put(struct buf *out, text sql, enum table t, size_t conflict)
{
    size_t source, end;
    text columns = bracket(sql, 0, &source), key = bracket(sql, conflict, &end);
    was_put(out, t);
    buf_add(out, TEXT(" WHERE ("));
    names_put(out, table_row(t)->name, key);
    buf_add(out, TEXT(") IN (SELECT "));
    names_put(out, TEXT("given"), key);
    buf_print(out, " FROM (%.*s) AS given (%.*s))", T(part(sql, source, conflict)), T(columns));
    both_put(out, sql, t, key);
}

/* A row that comes or goes has one side. */
static void one_side_put(struct buf *out, text sql, enum table t, const char *side)
{
    buf_print(out, "%.*s RETURNING ", T(sql));
    columns_put(out, table_row(t)->name, t);
    buf_print(out, ", %s AS is_now", side);
}

/* ---- The text. ---- */

static bool is_digit(text sql, size_t at) { return at < sql.n && sql.p[at] >= '0' && sql.p[at] <= '9'; }

/* The number of the parameter whose `?` stands at i; empty: there is none. */
static text parameter(text sql, size_t i)
{
    size_t end = i + 1;
    while (sql.p[i] == '?' && is_digit(sql, end))
        end++;
    return part(sql, i + 1, end);
}

/* A limit below zero is none, as it is to SQLite; PostgreSQL would refuse it, and knows NULL for that. */
static void numbered(struct buf *out, text sql)
{
    static const text limit = TEXT_INIT("LIMIT ");
    for (size_t i = 0; i < sql.n; i++) {
        text number = parameter(sql, i);
        if (!number.n)
            buf_char(out, sql.p[i]);
        else if (text_ends(text_upto(sql, i), limit))
            buf_print(out, "CASE WHEN $%.*s >= 0 THEN $%.*s END", T(number), T(number));
        else
            buf_print(out, "$%.*s", T(number));
        i += number.n;
    }
}

/* Of a whole table, or of all of a journal that follows. */
static bool walks(enum sql sql)
{
    bool whole = text_starts(statement_row(sql)->name, TEXT("ALL_"));
    return whole || sql == SQL_JOURNAL_ALL || sql == SQL_JOURNAL_LEAVES || sql == SQL_LEDGER_ALL ||
           sql == SQL_CHECKPOINT_ALL;
}

/* The table whose name stands behind the first words. */
static enum table changed_table(text sql)
{
    static const text verbs[] = { TEXT_INIT("INSERT INTO "), TEXT_INIT("UPDATE "), TEXT_INIT("DELETE FROM ") };
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (text_starts(sql, verbs[i])) {
            text rest = text_from(sql, verbs[i].n);
            return ledger_table_named(text_cut(&rest, ' '));
        }
    return TABLE_COUNT;
}

static void told_put(struct buf *out, text sql, enum table t)
{
    size_t conflict = found(sql, TEXT(" ON CONFLICT "), 0);
    bool updates = found(sql, TEXT(" DO UPDATE "), conflict) < sql.n;
    if (text_starts(sql, TEXT("UPDATE ")))
        update_put(out, sql, t);
    else if (text_starts(sql, TEXT("DELETE ")))
        one_side_put(out, sql, t, "0");
    else if (updates)
        upsert_put(out, sql, t, conflict);
    else
        one_side_put(out, sql, t, "1");
}

enum err pg_text(struct arena *a, enum sql sql, bool told, text *out, struct pg_shape *shape)
{
    BUF_AUTO plain = buf_make(TEXT_MAX);
    BUF_AUTO whole = buf_make(TEXT_MAX);
    numbered(&plain, statement_row(sql)->sql);
    text words = statement_row(sql)->sql;
    enum table t = changed_table(words);
    bool settled = found(words, TEXT(" ON CONFLICT"), 0) < words.n;
    bool puts = text_starts(words, TEXT("INSERT ")) && found(words, TEXT(" VALUES "), 0) < words.n;
    *shape = (struct pg_shape){ .way = walks(sql) ? PG_WALKS : PG_READS, .table = t, .one = puts && !settled };
    if (!text_starts(words, TEXT("SELECT ")))
        shape->way = told && t != TABLE_COUNT ? PG_TELLS : PG_CHANGES;
    if (shape->one)
        buf_add(&plain, TEXT(" ON CONFLICT DO NOTHING"));
    TRY(buf_take(a, &plain, &words));
    if (shape->way != PG_TELLS) {
        *out = words;
        return OK;
    }
    told_put(&whole, words, t);
    return buf_take(a, &whole, out);
}
