/* What a statement rests on is held against the ledger: by its parameters before it runs, by what it finds row for row.
 */
#include "store/engine.h"

struct place_of {
    enum { PLACE_NONE, PLACE_ARG, PLACE_COL } from;
    int number;
};
/* A set of tables: a bit each. */
typedef unsigned __int128 table_set;
struct rule {
    struct place_of tenant, key;
    table_set tables;
};
#define NONE                                                                                                           \
    {                                                                                                                  \
        PLACE_NONE, 0                                                                                                  \
    }
#define ARG(n)                                                                                                         \
    {                                                                                                                  \
        PLACE_ARG, (n)-1                                                                                               \
    }
#define FOUND(sql, name)                                                                                               \
    {                                                                                                                  \
        PLACE_COL, offsetof(struct row_##sql, name)                                                                    \
    }
#define IN(name) ((table_set)1 << TABLE_##name)
_Static_assert(TABLE_COUNT <= 128, "a set of tables is a number of 128 bits");

#define LOOKS(sql, why)
#define PART(sql, name)
static const struct rule rules[SQL_COUNT] = {
#define READS(sql, tenant, key, tables) [SQL_##sql] = { tenant, key, tables },
#define ALSO(sql, tenant, key, tables)
#include "store/reads.def"
#undef READS
#undef ALSO
};
static const struct rule further[SQL_COUNT] = {
#define READS(sql, tenant, key, tables)
#define ALSO(sql, tenant, key, tables) [SQL_##sql] = { tenant, key, tables },
#include "store/reads.def"
#undef READS
#undef ALSO
};

#undef PART
#define READS(sql, tenant, key, tables)
#define ALSO(sql, tenant, key, tables)
static const struct place_of parts[SQL_COUNT] = {
#define PART(sql, name) [SQL_##sql] = name,
#include "store/reads.def"
#undef READS
#undef ALSO
#undef PART
};

static bool by_row(const struct rule *r) { return r->tenant.from == PLACE_COL || r->key.from == PLACE_COL; }

static enum err check_tables(struct query *q, const struct rule *r, text tenant, text key, text named)
{
    for (enum table t = 0; t < TABLE_COUNT; t++)
        if (r->tables >> t & 1)
            TRY(ledger_check(q->db, t, tenant, key, named));
    return OK;
}

/* What a row will be asked by is kept: the parameters need not live as long as the statement. */
static enum err keep_under(struct query *q, const struct rule *r, const struct val *args)
{
    if (r->tenant.from == PLACE_ARG &&
        !text_cstr(args[r->tenant.number].bytes, q->under.tenant, sizeof q->under.tenant))
        return say(q->db->arena, ERR_INTERNAL, "a tenant has %zu bytes", args[r->tenant.number].bytes.n);
    if (r->key.from == PLACE_ARG) {
        text key = args[r->key.number].bytes;
        q->under.key_size = (uint8_t)(key.n < sizeof q->under.key ? key.n : sizeof q->under.key);
        memcpy(q->under.key, key.p ? key.p : "", q->under.key_size);
    }
    q->by_row = true;
    return OK;
}

enum err reads_before(struct query *q, const struct val *args)
{
    const struct rule *both[] = { &rules[q->sql], &further[q->sql] };
    const struct place_of part = parts[q->sql];
    q->by_row = false;
    if (!rules[q->sql].tables || q->db->file != FILE_DATA)
        return OK;
    for (unsigned i = 0; i < 2; i++) {
        const struct rule *r = both[i];
        if (by_row(r))
            TRY(keep_under(q, r, args));
        else if (r->tables)
            TRY(check_tables(q, r, r->tenant.from ? args[r->tenant.number].bytes : TEXT(""),
                             r->key.from ? args[r->key.number].bytes : TEXT(""),
                             part.from ? args[part.number].bytes : TEXT("")));
    }
    return OK;
}

enum err reads_row(struct query *q)
{
    const struct rule *both[] = { &rules[q->sql], &further[q->sql] };
    for (unsigned i = 0; i < 2; i++) {
        const struct rule *r = both[i];
        if (!r->tables || !by_row(r))
            continue;
        text kept = { (const char *)q->under.key, q->under.key_size };
        text tenant = r->tenant.from == PLACE_COL ? query_cell(q, (unsigned)r->tenant.number).bytes
                                                  : text_of(q->under.tenant);
        text key = r->key.from == PLACE_COL ? query_cell(q, (unsigned)r->key.number).bytes : kept;
        if (key.p) /* of nobody */
            TRY(check_tables(q, r, tenant, key, TEXT("")));
    }
    return OK;
}
