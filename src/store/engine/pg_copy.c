/* Rows of a table, one after the other, by PostgreSQL's COPY in its binary form: for another engine, or from it. */
#include "store/engine/pg.h"

enum { HEAD = 19, ROW_MAX = INT_MAX / 2 }; /* "PGCOPY\n\377\r\n\0", flags, length of what extends it */
static const char head[HEAD] = "PGCOPY\n\377\r\n";

/* ---- Numbers as the network has them. ---- */

static int64_t taken(text *from, size_t size)
{
    uint64_t n = from->n && (uint8_t)from->p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size && i < from->n; i++)
        n = n << 8 | (uint8_t)from->p[i];
    *from = text_from(*from, size);
    return (int64_t)n;
}

static void given(struct buf *b, int64_t n, size_t size)
{
    for (size_t i = size; i-- > 0;)
        buf_char(b, (char)((uint64_t)n >> (8 * i)));
}

/* ---- The end of a COPY: what the server says of it. ---- */

static enum err ended(struct db *db)
{
    const struct pg_calls *pq = db->conn->pq;
    enum err e = OK;
    for (PGresult *r; (r = PG_WAIT(db->conn, pq->PQgetResult(db->conn->handle))); pq->PQclear(r))
        if (e == OK)
            e = pg_answer(db, r, "rows");
    return e;
}

static enum err begun(struct db *db, text sql, ExecStatusType wanted)
{
    const struct pg_calls *pq = db->conn->pq;
    TRY_PTR(sql.p);
    PGresult *r = pg_exec(db->conn, sql.p);
    enum err e = r && pq->PQresultStatus(r) == wanted ? OK : pg_answer(db, r, "rows");
    pq->PQclear(r);
    return e;
}

/* ---- From it. ---- */

static bool cell_taken(text *row, char type, struct cell *out)
{
    if (row->n < 4)
        return false;
    int64_t size = taken(row, 4);
    *out = (struct cell){ .kind = CELL_NULL };
    if (size < 0)
        return true;
    if ((uint64_t)size > row->n)
        return false;
    text value = text_upto(*row, (size_t)size);
    *row = text_from(*row, (size_t)size);
    if (type == 'I')
        *out = (struct cell){ .kind = CELL_INT, .number = taken(&value, (size_t)size) };
    else
        *out = (struct cell){ .kind = CELL_BYTES, .is_text = type == 'T', .bytes = value };
    return true;
}

/* *row: whether it is one, not the end. */
static bool row_taken(text data, const struct carried *t, struct cell cells[CELLS], bool *row)
{
    int64_t count = taken(&data, 2);
    *row = count >= 0;
    if (*row && (uint64_t)count != t->types.n)
        return false;
    for (size_t i = 0; *row && i < t->types.n; i++)
        if (!cell_taken(&data, t->types.p[i], &cells[i]))
            return false;
    return true;
}

enum err pg_every(struct db *db, const struct carried *t,
                  enum err (*each)(void *arg, struct db *db, const struct cell *cells), void *arg)
{
    const struct pg_calls *pq = db->conn->pq;
    struct cell cells[CELLS];
    char *data = NULL;
    bool first = true, row = false;
    enum err e = OK;
    TRY(begun(db,
              arena_print(db->arena, "COPY (SELECT %.*s FROM %.*s ORDER BY %.*s) TO STDOUT (FORMAT binary)",
                          T(t->columns), T(t->name), T(t->key)),
              PGRES_COPY_OUT));
    for (int size; (size = PG_WAIT(db->conn, pq->PQgetCopyData(db->conn->handle, &data, 0))) > 0; pq->PQfreemem(data)) {
        text said = text_from((text){ data, (size_t)size }, first ? HEAD : 0);
        first = false;
        if (e == OK && said.n && !row_taken(said, t, cells, &row))
            e = say(db->arena, ERR_INTERNAL, "PostgreSQL gives a row of table %.*s that cannot be read", T(t->name));
        if (e == OK && said.n && row) /* once it failed, the rest is only taken off the line */
            e = each(arg, db, cells);
    }
    enum err end = ended(db);
    return e != OK ? e : end;
}

/* ---- To it. ---- */

static enum err sent(struct db *db, const struct buf *b)
{
    text data;
    TRY(buf_lend(db->arena, b, &data));
    return PG_WAIT(db->conn, db->conn->pq->PQputCopyData(db->conn->handle, data.p, (int)data.n)) == 1
               ? OK
               : say(db->arena, ERR_STORAGE, "%s: the connection to PostgreSQL is lost", "rows");
}

enum err pg_put_begin(struct db *db, const struct carried *t)
{
    BUF_AUTO b = buf_make(64);
    TRY(begun(db, arena_print(db->arena, "COPY %.*s (%.*s) FROM STDIN (FORMAT binary)", T(t->name), T(t->columns)),
              PGRES_COPY_IN));
    buf_add(&b, (text){ head, HEAD });
    return sent(db, &b);
}

enum err pg_put(struct db *db, const struct carried *t, const struct cell *cells)
{
    BUF_AUTO b = buf_make(ROW_MAX);
    given(&b, (int64_t)t->types.n, 2);
    for (size_t i = 0; i < t->types.n; i++) {
        const struct cell *c = &cells[i];
        size_t size = c->kind == CELL_INT ? 8 : c->bytes.n;
        given(&b, c->kind == CELL_NULL ? -1 : (int64_t)size, 4);
        if (c->kind == CELL_INT)
            given(&b, c->number, 8);
        else if (c->kind == CELL_BYTES)
            buf_add(&b, c->bytes);
    }
    return sent(db, &b);
}

enum err pg_put_end(struct db *db, const struct carried *t)
{
    BUF_AUTO b = buf_make(64);
    (void)t;
    given(&b, -1, 2);
    TRY(sent(db, &b));
    if (PG_WAIT(db->conn, db->conn->pq->PQputCopyEnd(db->conn->handle, NULL)) != 1)
        return say(db->arena, ERR_STORAGE, "%s: the connection to PostgreSQL is lost", "rows");
    return ended(db);
}
