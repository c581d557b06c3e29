/* Decided outside a write, asked again inside it: what a request was allowed to do, kept until the commit that does it.
 * For the domain's own files. */
#ifndef DOMAIN_CORE_DECIDED_H
#define DOMAIN_CORE_DECIDED_H
#include "domain/core/data_subject.h"
#include "policy/policy.h"
#include "domain/core/ctx.h"

struct db;

/* One decision: how it is asked again, and of what. What it leads to (texts) lives as long as the request's arena. */
struct decided {
    enum err (*again)(struct ctx *c, const struct decided *d);
    struct person person; /* without the key; as it stands inside the write when `again` is called */
    bool there;           /* whether it stands there then */
    bool has_person, has_categories, has_given;
    enum closed {
        CLOSED_NOT,
        CLOSED_FOR_READERS,
        CLOSED_ANYWAY
    } closed;     /* a closed account: to nobody, to readers of the archive, to the server */
    text name;    /* a purpose or a category */
    text channel; /* of a message; may be empty */
    struct bits categories, given;
    enum act act;
    struct ctx asked; /* who asked, for which tenant */
    struct decided *next;
};

/* Keeps it for the request's next write; does nothing while decisions are asked again. `p` may be NULL. */
enum err decided_add(struct ctx *c, struct decided d, const struct person *p);
/* Inside a write, on its own connection: whoever asked may still ask (session, token, role, agreement), and every
 * decision falls as it fell. The first that does not is the error; decided_refused() then tells what goes on record. */
enum err decided_ask(struct ctx *c, struct db *db);
/* True while decisions are asked again. */
bool decided_inside(const struct ctx *c);
/* While they are asked again a refusal is only noted: it goes on record when the write has come back. */
void decided_refuse(struct ctx *c, const struct person *p, text purpose, text categories);
struct refused {
    enum err code;
    bool has_person;
    struct person person;
    text purpose, categories;
};
const struct refused *decided_refused(const struct ctx *c, enum err status);
/* The write is durable: what was decided for it is done with. */
void decided_done(struct ctx *c);
/* A snapshot as store_read() gives it, or inside a write the writer's own connection, which sees what others of its
 * group have done. */
enum err decided_read(struct ctx *c, struct db **out);
/* How an answer that failed ends: ERR_NOT_FOUND when what could not be read or opened is of somebody who was erased
 * meanwhile, else `status`. */
enum err person_settled(struct ctx *c, enum err status);

#endif
