/* Statements on PostgreSQL: prepared once a session, values in binary form, rows as libpq has them, and what they
 * changed told to the ledger. */
#include "store/engine/pg.h"

enum { OID_BYTES = 17, OID_NAME = 19, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25 };
enum { TEXT_MEMORY = 1 << 20 };

static void number_put(int64_t n, uint8_t out[8])
{
    for (int i = 7; i >= 0; i--, n >>= 8)
        out[i] = (uint8_t)n;
}

static int64_t number_get(const char *p, int size)
{
    uint64_t n = size && (uint8_t)p[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < size; i++)
        n = n << 8 | (uint8_t)p[i];
    return (int64_t)n;
}

static struct pg_statement *statement_of(const struct query *q) { return q->statement; }

static void rows_drop(struct conn *c, struct pg_statement *s)
{
    if (s->rows)
        c->pq->PQclear(s->rows);
    s->rows = NULL;
    s->at = 0;
}

void pg_forget(struct conn *c)
{
    for (unsigned i = 0; i < SQL_COUNT; i++)
        if (c->statements[i]) {
            rows_drop(c, c->statements[i]);
            *c->statements[i] = (struct pg_statement){ .shape = c->statements[i]->shape };
        }
}

/* ---- Preparing. ---- */

static void name_put(const struct query *q, char out[16]) { snprintf(out, 16, "s%d", (int)q->sql); }

static Oid type_of(char letter) { return letter == 'I' ? OID_INT8 : letter == 'T' ? OID_TEXT : OID_BYTES; }

static enum err declare(struct query *q, struct pg_statement *s, text sql)
{
    struct db *db = q->db;
    const struct statement *row = statement_row(q->sql);
    Oid types[PG_PARAMS];
    char name[16];
    int count = text_eq(row->parameters, TEXT("_")) ? 0 : (int)row->parameters.n;
    must(count <= PG_PARAMS);
    for (int i = 0; i < count; i++)
        types[i] = type_of(row->parameters.p[i]);
    name_put(q, name);
    PGresult *r = PG_WAIT(db->conn, db->conn->pq->PQprepare(db->conn->handle, name, sql.p, count, types));
    enum err e = pg_answer(db, r, row->name.p);
    db->conn->pq->PQclear(r);
    s->prepared = e == OK;
    return e;
}

static struct pg_statement *slot(struct query *q)
{
    struct pg_statement **at = &q->db->conn->statements[q->sql];
    if (!*at && !(*at = calloc(1, sizeof **at)))
        say(q->db->arena, ERR_MEMORY, "no memory for a statement");
    return *at;
}

static enum err prepared(struct query *q, struct pg_statement *s)
{
    ARENA_AUTO own = arena_make(TEXT_MEMORY);
    text sql;
    if (s->prepared)
        return OK;
    TRY(pg_text(&own, q->sql, q->db->conn->writes && q->db->file == FILE_DATA, &sql, &s->shape));
    return s->shape.way == PG_WALKS ? OK : declare(q, s, sql);
}

static void take_value(struct pg_statement *s, int i, const struct val *v)
{
    s->values[i] = NULL;
    s->formats[i] = 1;
    if (v->kind == VAL_INT) {
        number_put(v->number, s->numbers[i]);
        s->values[i] = (const char *)s->numbers[i];
        s->lengths[i] = sizeof s->numbers[i];
    } else if (v->kind != VAL_NULL) {
        s->values[i] = v->bytes.p;
        s->lengths[i] = (int)v->bytes.n;
    }
}

enum err pg_start(struct query *q, const struct val *args, size_t count)
{
    struct pg_statement *s = slot(q);
    TRY_PTR(s);
    if (s->busy)
        return say(q->db->arena, ERR_INTERNAL, "statement %s is in use already", statement_row(q->sql)->name.p);
    TRY(prepared(q, s));
    for (size_t i = 0; i < count; i++) {
        if (args[i].bytes.n > INT_MAX / 2)
            return say(q->db->arena, ERR_TOO_LARGE, "a value has %zu bytes", args[i].bytes.n);
        take_value(s, (int)i, &args[i]);
    }
    s->count = (int)count;
    s->ran = false;
    s->busy = true;
    q->statement = s;
    return OK;
}

/* ---- Values. ---- */

static struct cell cell_at(const struct conn *c, const PGresult *r, int row, int n)
{
    if (c->pq->PQgetisnull(r, row, n))
        return (struct cell){ .kind = CELL_NULL };
    Oid type = c->pq->PQftype(r, n);
    const char *p = c->pq->PQgetvalue(r, row, n);
    int size = c->pq->PQgetlength(r, row, n);
    if (type == OID_INT8 || type == OID_INT4 || type == OID_INT2)
        return (struct cell){ .kind = CELL_INT, .number = number_get(p, size) };
    return (struct cell){ .kind = CELL_BYTES, .is_text = type != OID_BYTES, .bytes = { p, (size_t)size } };
}

struct cell pg_cell(struct query *q, unsigned n)
{
    const struct pg_statement *s = statement_of(q);
    return cell_at(q->db->conn, s->rows, s->at - 1, (int)n);
}

/* ---- What a statement changed. ---- */

static void cells_read(const struct conn *c, const PGresult *r, int row, enum table t, struct cell cells[CELLS])
{
    for (unsigned i = 0; i < table_row(t)->column_count; i++)
        cells[i] = cell_at(c, r, row, (int)i);
}

static bool is_now(const struct conn *c, const PGresult *r, int row, enum table t)
{
    return cell_at(c, r, row, (int)table_row(t)->column_count).number == 1;
}

/* Whether the row and the next one are of one key: as it was, as it is. */
static bool is_pair(const struct conn *c, const PGresult *r, int row, enum table t)
{
    return row + 1 < c->pq->PQntuples(r) && !is_now(c, r, row, t) && is_now(c, r, row + 1, t);
}

/* Rows that are now, or, of a deletion, that were. */
static int rows_changed(const struct conn *c, const PGresult *r, enum table t)
{
    int rows = c->pq->PQntuples(r), now = 0;
    for (int i = 0; i < rows; i++)
        now += is_now(c, r, i, t);
    return now ? now : rows;
}

static void tell(struct db *db, const struct pg_statement *s, const PGresult *r)
{
    struct conn *c = db->conn;
    enum table t = s->shape.table;
    int rows = c->pq->PQntuples(r);
    c->changes += rows_changed(c, r, t);
    for (int i = 0; i < rows; i++) {
        struct cell old[CELLS], now[CELLS];
        bool pair = is_pair(c, r, i, t), is = pair || is_now(c, r, i, t);
        if (!is || pair)
            cells_read(c, r, i, t, old);
        if (is)
            cells_read(c, r, i + pair, t, now);
        i += pair;
        if (ledger_takes(db, t))
            ledger_changed(db, t, true, !is || pair ? old : NULL, is ? now : NULL);
    }
}

static enum err counted(struct query *q, struct pg_statement *s, const PGresult *r)
{
    struct conn *c = q->db->conn;
    int64_t before = c->changes, tuples = 0;
    if (s->shape.way == PG_TELLS)
        tell(q->db, s, r);
    else if (text_int(text_of(c->pq->PQcmdTuples((PGresult *)r)), &tuples))
        c->changes += tuples;
    if (s->shape.one && c->changes == before)
        return say(q->db->arena, ERR_CONFLICT, "%s: there is such a row already", statement_row(q->sql)->name.p);
    return OK;
}

/* ---- Running. ---- */

static PGresult *execute(struct query *q, struct pg_statement *s)
{
    char name[16];
    struct conn *c = q->db->conn;
    name_put(q, name);
    return PG_WAIT(c, c->pq->PQexecPrepared(c->handle, name, s->count, s->values, s->lengths, s->formats, 1));
}

/* The rows of a whole table come in pieces where there is a transaction for a cursor, else at once. */
static PGresult *walk(struct query *q, struct pg_statement *s)
{
    ARENA_AUTO own = arena_make(TEXT_MEMORY);
    struct conn *c = q->db->conn;
    const struct statement *row = statement_row(q->sql);
    Oid types[PG_PARAMS];
    text sql, whole;
    bool cursor = c->pq->PQtransactionStatus(c->handle) == PQTRANS_INTRANS;
    if (pg_text(&own, q->sql, false, &sql, &s->shape) != OK)
        return NULL;
    whole = cursor ? arena_print(&own, "DECLARE w%d NO SCROLL CURSOR FOR %.*s", (int)q->sql, T(sql)) : sql;
    for (int i = 0; i < s->count; i++)
        types[i] = type_of(row->parameters.p[i]);
    s->open = cursor;
    if (!whole.p)
        return NULL;
    return PG_WAIT(c, c->pq->PQexecParams(c->handle, whole.p, s->count, types, s->values, s->lengths, s->formats, 1));
}

static enum err piece(struct query *q, struct pg_statement *s)
{
    char sql[64];
    struct conn *c = q->db->conn;
    snprintf(sql, sizeof sql, "FETCH %d FROM w%d", PG_PIECE, (int)q->sql);
    rows_drop(c, s);
    s->rows = PG_WAIT(c, c->pq->PQexecParams(c->handle, sql, 0, NULL, NULL, NULL, NULL, 1));
    return pg_answer(q->db, s->rows, statement_row(q->sql)->name.p);
}

static enum err run(struct query *q, struct pg_statement *s)
{
    struct conn *c = q->db->conn;
    s->ran = true;
    s->rows = s->shape.way == PG_WALKS ? walk(q, s) : execute(q, s);
    s->at = 0;
    enum err e = pg_answer(q->db, s->rows, statement_row(q->sql)->name.p);
    s->open &= e == OK;
    TRY(e);
    if (s->open)
        return piece(q, s);
    if (s->shape.way == PG_READS || s->shape.way == PG_WALKS)
        return OK;
    e = counted(q, s, s->rows);
    rows_drop(c, s);
    return e;
}

enum err pg_step(struct query *q, bool *row)
{
    struct pg_statement *s = statement_of(q);
    struct conn *c = q->db->conn;
    if (!s->ran)
        TRY(run(q, s));
    if (s->open && s->at == PG_PIECE)
        TRY(piece(q, s));
    *row = s->rows && s->at < c->pq->PQntuples(s->rows);
    s->at += *row;
    return OK;
}

/* A cursor of a transaction that is over, or spoiled, is closed with it. */
void pg_end(struct query *q)
{
    struct pg_statement *s = statement_of(q);
    struct conn *c = q->db->conn;
    char sql[32];
    rows_drop(c, s);
    s->busy = false;
    if (s->open && c->pq->PQtransactionStatus(c->handle) == PQTRANS_INTRANS) {
        snprintf(sql, sizeof sql, "CLOSE w%d", (int)q->sql);
        enum err e = pg_run(q->db, sql);
        if (q->status == OK)
            q->status = e;
    }
    s->open = false;
}

bool pg_reads(struct query *q)
{
    enum pg_way way = statement_of(q)->shape.way;
    return way == PG_READS || way == PG_WALKS;
}
