/* PostgreSQL by libpq, which only this process loads. */
#include "reach/inside.h"
#include <dlfcn.h>
#include <libpq-fe.h>
#include <unistd.h>

/* What is used of the library. */
#define CALLS(X)                                                                                                       \
    X(PQconnectdb) X(PQstatus) X(PQfinish) X(PQexecParams) X(PQresultStatus) X(PQresultErrorField) X(PQclear)          \
    X(PQntuples) X(PQnfields) X(PQgetvalue) X(PQgetlength) X(PQgetisnull) X(PQcmdTuples)
struct calls {
#define X(name) __typeof__(&name) name;
    CALLS(X)
#undef X
};
enum { PARAMS_MAX = PLAN_AT_ONCE + 8 };

static enum err load(struct link *l)
{
    struct calls *c = NEW(l->a, struct calls);
    TRY_PTR(c);
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return say(l->a, ERR_CONFIG, "libpq.so.5 is not there: install the package libpq5");
#define X(name)                                                                                                        \
    if (!(c->name = (__typeof__(&name))dlsym(library, #name)))                                                         \
        return say(l->a, ERR_CONFIG, "libpq.so.5 has no " #name);
    CALLS(X)
#undef X
    l->library = c;
    return OK;
}

static enum err take_rows(struct link *l, const struct calls *c, PGresult *r, struct found *out)
{
    int64_t changed;
    unsigned columns = (unsigned)c->PQnfields(r);
    for (int i = 0; i < c->PQntuples(r); i++) {
        text *row = found_row(l->a, out, columns);
        TRY_PTR(row);
        for (int j = 0; j < (int)columns; j++)
            if (!c->PQgetisnull(r, i, j))
                row[j] = arena_copy(l->a, (text){ c->PQgetvalue(r, i, j), (size_t)c->PQgetlength(r, i, j) });
    }
    out->changed = text_int(text_of(c->PQcmdTuples(r)), &changed) ? changed : 0;
    return OK;
}

static enum err run(struct link *l, text sql, const text *params, unsigned count, struct found *out)
{
    const struct calls *c = l->library;
    const char *values[PARAMS_MAX] = { NULL };
    text whole = arena_copy(l->a, sql);
    TRY_PTR(whole.p);
    for (unsigned i = 0; i < count; i++)
        TRY_PTR(values[i] = arena_copy(l->a, params[i]).p);
    PGresult *r = c->PQexecParams(l->handle, whole.p, (int)count, NULL, values, NULL, NULL, 0);
    ExecStatusType status = c->PQresultStatus(r);
    enum err e = OK;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        const char *code = c->PQresultErrorField(r, PG_DIAG_SQLSTATE);
        e = say(l->a, ERR_BUSY, "PostgreSQL answers %s", code ? code : "nothing: the connection is lost");
    } else if (out)
        e = take_rows(l, c, r, out);
    c->PQclear(r);
    return e;
}

static void close_it(struct link *l)
{
    const struct calls *c = l->library;
    if (c && l->handle)
        c->PQfinish(l->handle);
}

/* The credentials are its own words: a NAME=VALUE a line, as libpq knows them. */
enum err postgresql_link(struct link *l, const struct json *store)
{
    text file;
    l->quote = '"';
    l->numbered = true;
    l->run = run;
    l->close = close_it;
    l->schema = json_text(store, TEXT("schema"));
    if (!l->schema.n)
        l->schema = TEXT("public");
    TRY(credentials_read(l->a, store, TEXT("credentials"), &file));
    TRY(load(l));
    const struct calls *c = l->library;
    text words = arena_print(l->a, "connect_timeout=5 application_name=garant %.*s", T(file));
    TRY_PTR(words.p);
    l->handle = c->PQconnectdb(words.p);
    if (c->PQstatus(l->handle) != CONNECTION_OK)
        return say(l->a, ERR_BUSY, "PostgreSQL is not reached, or refuses these credentials");
    TRY(run(l, TEXT("SET lock_timeout = '10s'"), NULL, 0, NULL));
    return run(l, TEXT("SET statement_timeout = '60s'"), NULL, 0, NULL);
}
