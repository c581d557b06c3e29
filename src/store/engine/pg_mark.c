/* What a move leaves standing in a database, so that nobody serves it by accident: a table of its own, of one row. */
#include "store/engine/pg.h"

enum err pg_named(struct db *db, text *out)
{
    const struct pg_calls *pq = db->conn->pq;
    const char *host = pq->PQhost(db->conn->handle), *name = pq->PQdb(db->conn->handle),
               *port = pq->PQport(db->conn->handle);
    *out = arena_print(db->arena, "%s (%s:%s)", name ? name : "", host ? host : "", port ? port : "");
    TRY_PTR(out->p);
    return OK;
}

static enum err asked(struct db *db, const char *sql, PGresult **out)
{
    *out = pg_exec(db->conn, sql);
    enum err e = pg_answer(db, *out, "mark of a move");
    if (e != OK)
        db->conn->pq->PQclear(*out);
    return e;
}

static enum err mark_read(struct db *db, enum mark *out, text *where)
{
    const struct pg_calls *pq = db->conn->pq;
    PGresult *r;
    TRY(asked(db, "SELECT left_for IS NULL, coalesce(left_for, arrives_from) FROM garant_moved", &r));
    bool there = pq->PQntuples(r) == 1;
    if (there)
        *out = pq->PQgetvalue(r, 0, 0)[0] == 't' ? MARK_ARRIVING : MARK_LEFT;
    if (there)
        *where = arena_copy(db->arena, text_of(pq->PQgetvalue(r, 0, 1)));
    pq->PQclear(r);
    return there && !where->p ? say(db->arena, ERR_MEMORY, "no memory for the mark of a move") : OK;
}

enum err pg_mark_get(struct db *db, enum mark *out, text *where)
{
    const struct pg_calls *pq = db->conn->pq;
    PGresult *r;
    *out = MARK_NONE;
    *where = TEXT("");
    TRY(asked(db, "SELECT to_regclass('garant_moved')", &r));
    bool there = pq->PQntuples(r) == 1 && !pq->PQgetisnull(r, 0, 0);
    pq->PQclear(r);
    return there ? mark_read(db, out, where) : OK;
}

/* As a literal of SQL: what stands in it is a folder's name, or a host's. */
static enum err quoted(struct db *db, text said, text *out)
{
    BUF_AUTO b = buf_make(4 * PATH_MAX);
    buf_char(&b, '\'');
    for (size_t i = 0; i < said.n; i++) {
        if (said.p[i] == '\'')
            buf_char(&b, '\'');
        buf_char(&b, said.p[i]);
    }
    buf_char(&b, '\'');
    return buf_take(db->arena, &b, out);
}

enum err pg_mark_set(struct db *db, enum mark mark, text where)
{
    text said;
    if (mark == MARK_NONE)
        return pg_run(db, "DROP TABLE IF EXISTS garant_moved");
    TRY(quoted(db, where, &said));
    const char *column = mark == MARK_LEFT ? "left_for" : "arrives_from";
    text sql = arena_print(db->arena,
                           "BEGIN; DROP TABLE IF EXISTS garant_moved;"
                           "CREATE TABLE garant_moved (left_for text, arrives_from text);"
                           "INSERT INTO garant_moved (%s) VALUES (%.*s); COMMIT",
                           column, T(said));
    TRY_PTR(sql.p);
    return pg_run(db, sql.p);
}

enum err pg_mark_check(struct db *db)
{
    enum mark mark;
    text where;
    const char *of = db->file == FILE_DATA ? "--store" : "--keyring";
    TRY(pg_mark_get(db, &mark, &where));
    if (mark == MARK_LEFT)
        return say(db->arena, ERR_CONFIG,
                   "the data in the database of %s has moved to %.*s. To go back, move it from there; without what "
                   "was written since: DROP TABLE garant_moved in both databases",
                   of, T(where));
    return mark == MARK_NONE
               ? OK
               : say(db->arena, ERR_CONFIG,
                     "a move into the database of %s, from %.*s, was cut off: run `garant move` again", of, T(where));
}
