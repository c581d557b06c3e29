/* The answer to "what do you hold of me" (GDPR 15), from which the export is made too. */
#include "domain/person/look_at.h"
#include "domain/rights/access.h"
#include "domain/person/person.h"
#include "domain/core/paging.h"
#include "domain/core/looking.h"
#include "domain/core/pieces.h"
#include "domain/rights/person_file.h"
#include "domain/core/write.h"

static enum err show_looks(struct ctx *c, struct look *l, struct json_out *w)
{
    struct view v = { .c = c, .p = &l->p, .w = *w };
    TRY(person_file_put_looks(&v, l->asked, TEXT("next"), &l->out));
    *w = v.w;
    return OK;
}

enum err access_looks(struct ctx *c, text id, const struct paging *asked, struct answer *out)
{
    struct look l = { .act = TEXT("read"),
                      .purpose = TEXT("looks"),
                      .closed_too = true,
                      .may = look_by_right,
                      .show = show_looks,
                      .asked = asked };
    return look_at_person(c, id, &l, out);
}

/* ---- The whole answer. ---- */

enum { BODY = 2 << 20, PIECE = 128 << 10 };

struct access
{
    struct pieces pieces;
    struct ctx c;
    struct person p;
    struct person_steps steps;
    struct buf made; /* before the first byte goes */
    size_t given;    /* of it */
};

static enum err access_next(struct pieces *s, struct arena *a, struct buf *piece)
{
    struct access *e = (struct access *)s;
    size_t before = piece->n;
    text made;
    TRY(buf_lend(a, &e->made, &made));
    text part = text_upto(text_from(made, e->given), PIECE);
    if (part.n) {
        e->given += part.n;
        buf_add(piece, part);
        return OK;
    }
    while (e->steps.stage != STEP_OVER && piece->n - before < PIECE / 2) {
        enum err status = person_steps_next(&e->c, &e->p, &e->steps, piece);
        if (status != OK) {
            a->why = e->c.arena->why;
            return status;
        }
    }
    return OK;
}

static void access_end(struct pieces *s)
{
    struct access *e = (struct access *)s;
    person_end(&e->p);
    buf_free(&e->made);
    policy_unref(&e->c.policy);
}

/* As much as is a body is made before anything is promised: what fails there is still an error. */
static enum err may_access(struct ctx *c, struct look *l)
{
    struct access *e = l->arg;
    TRY(look_by_right(c, l));
    e->p = l->p; /* with a key of its own: it goes on after the look */
    TRY(pieces_context(c, &e->c));
    e->c.policy = policy_ref(c->policy);
    e->c.actor = c->actor;
    e->c.outside = true;
    TRY(person_steps_begin(&e->c, 0, &e->steps));
    while (e->steps.stage != STEP_OVER && e->made.n < BODY)
        TRY(person_steps_next(&e->c, &e->p, &e->steps, &e->made));
    return OK;
}

static enum err give_access(struct ctx *c, struct look *l, struct answer *out)
{
    struct access *e = l->arg;
    if (e->steps.stage != STEP_OVER) {
        *out = (struct answer){ .pieces = &e->pieces };
        return OK;
    }
    out->version = e->p.version;
    return buf_take(c->arena, &e->made, &out->body);
}

enum err access_answer(struct ctx *c, text id, struct answer *out)
{
    struct access *e = NEW(c->arena, struct access);
    struct look l = { .act = TEXT("access"), .closed_too = true, .may = may_access, .give = give_access, .arg = e };
    TRY_PTR(e);
    *e = (struct access){ .pieces = { access_next, access_end, -1 }, .made = buf_make(BUF_DEFAULT_LIMIT) };
    enum err status = look_at_person(c, id, &l, out);
    if (status != OK || !out->pieces)
        access_end(&e->pieces);
    return status;
}

static enum err show_file(struct ctx *c, struct look *l, struct json_out *w)
{
    l->out.version = l->p.version;
    return person_file_put(c, &l->p, 0, w);
}

enum err access_body(struct ctx *c, text id, struct answer *out)
{
    struct look l = { .act = TEXT("access"), .closed_too = true, .may = look_by_right, .show = show_file };
    return look_at_person(c, id, &l, out);
}
