/* MariaDB and MySQL by libmariadb, which only this process loads. */
#include "reach/inside.h"
#include <dlfcn.h>
#include <mysql.h>

#define CALLS(X)                                                                                                       \
    X(mysql_init) X(mysql_options) X(mysql_real_connect) X(mysql_close) X(mysql_errno) X(mysql_real_query)             \
    X(mysql_store_result) X(mysql_num_fields) X(mysql_fetch_row) X(mysql_fetch_lengths) X(mysql_free_result)           \
    X(mysql_affected_rows) X(mysql_real_escape_string)
struct calls {
#define X(name) __typeof__(&name) name;
    CALLS(X)
#undef X
};
enum { SQL_MAX = 16 << 20 };

static enum err load(struct link *l)
{
    struct calls *c = NEW(l->a, struct calls);
    TRY_PTR(c);
    void *library = dlopen("libmariadb.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return say(l->a, ERR_CONFIG, "libmariadb.so.3 is not there: install the package libmariadb3");
#define X(name)                                                                                                        \
    if (!(c->name = (__typeof__(&name))dlsym(library, #name)))                                                         \
        return say(l->a, ERR_CONFIG, "libmariadb.so.3 has no " #name);
    CALLS(X)
#undef X
    l->library = c;
    return OK;
}

static enum err failed(struct link *l)
{
    const struct calls *c = l->library;
    return say(l->a, ERR_BUSY, "MariaDB answers %u", c->mysql_errno(l->handle));
}

static void put_literal(struct link *l, struct buf *b, text value)
{
    const struct calls *c = l->library;
    char *room;
    buf_char(b, '\'');
    room = buf_room(b, value.n * 2 + 1);
    if (room) {
        unsigned long n = c->mysql_real_escape_string(l->handle, room, value.p, (unsigned long)value.n);
        b->n -= value.n * 2 + 1 - n;
    }
    buf_char(b, '\'');
}

/* Each `?` outside a quoted name becomes a literal: names cannot hold one (plan_name refuses it). */
static void put_sql(struct link *l, struct buf *b, text sql, const text *params)
{
    for (size_t i = 0, n = 0; i < sql.n; i++)
        if (sql.p[i] == '?')
            put_literal(l, b, params[n++]);
        else
            buf_char(b, sql.p[i]);
}

static enum err take_rows(struct link *l, const struct calls *c, MYSQL_RES *r, struct found *out)
{
    MYSQL_ROW cells;
    unsigned columns = c->mysql_num_fields(r);
    while ((cells = c->mysql_fetch_row(r))) {
        const unsigned long *lengths = c->mysql_fetch_lengths(r);
        text *row = found_row(l->a, out, columns);
        TRY_PTR(row);
        for (unsigned i = 0; i < columns; i++)
            if (cells[i])
                row[i] = arena_copy(l->a, (text){ cells[i], lengths[i] });
    }
    return OK;
}

static enum err run(struct link *l, text sql, const text *params, unsigned count, struct found *out)
{
    const struct calls *c = l->library;
    struct found none = { 0 };
    text whole;
    BUF_AUTO b = buf_make(SQL_MAX);
    (void)count;
    put_sql(l, &b, sql, params);
    TRY(buf_lend(l->a, &b, &whole));
    if (c->mysql_real_query(l->handle, whole.p, (unsigned long)whole.n) != 0)
        return failed(l);
    if (!out)
        out = &none;
    out->changed = (int64_t)c->mysql_affected_rows(l->handle);
    MYSQL_RES *r = c->mysql_store_result(l->handle);
    if (!r)
        return c->mysql_errno(l->handle) ? failed(l) : OK;
    enum err e = take_rows(l, c, r, out);
    c->mysql_free_result(r);
    return e;
}

static void close_it(struct link *l)
{
    const struct calls *c = l->library;
    if (c && l->handle)
        c->mysql_close(l->handle);
}

static const char *word(struct link *l, text file, const char *name)
{
    text value = credential(file, text_of(name));
    return value.n ? arena_copy(l->a, value).p : NULL;
}

static enum err connect_it(struct link *l, text file)
{
    const struct calls *c = l->library;
    unsigned seconds = 5, long_one = 60;
    int64_t port = 0;
    text_int(credential(file, TEXT("port")), &port);
    const char *ca = word(l, file, "ssl_ca");
    c->mysql_options(l->handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    c->mysql_options(l->handle, MYSQL_OPT_READ_TIMEOUT, &long_one);
    c->mysql_options(l->handle, MYSQL_OPT_WRITE_TIMEOUT, &long_one);
    c->mysql_options(l->handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (ca) {
        my_bool yes = 1;
        c->mysql_options(l->handle, MYSQL_OPT_SSL_CA, ca);
        c->mysql_options(l->handle, MYSQL_OPT_SSL_ENFORCE, &yes);
        c->mysql_options(l->handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    }
    if (!c->mysql_real_connect(l->handle, word(l, file, "host"), word(l, file, "user"), word(l, file, "password"),
                               word(l, file, "dbname"), (unsigned)port, word(l, file, "socket"), CLIENT_FOUND_ROWS))
        return say(l->a, ERR_BUSY, "MariaDB is not reached, or refuses these credentials (%u)",
                   c->mysql_errno(l->handle));
    TRY(run(l, TEXT("SET SESSION sql_mode = 'STRICT_TRANS_TABLES', SESSION innodb_lock_wait_timeout = 10"), NULL, 0, NULL));
    return OK;
}

/* The credentials: host, port, socket, user, password, dbname, ssl_ca, a NAME=VALUE a line. */
enum err mariadb_link(struct link *l, const struct json *store)
{
    text file;
    l->quote = '`';
    l->run = run;
    l->close = close_it;
    TRY(credentials_read(l->a, store, TEXT("credentials"), &file));
    TRY(load(l));
    const struct calls *c = l->library;
    TRY_PTR(l->handle = c->mysql_init(NULL));
    return connect_it(l, file);
}
