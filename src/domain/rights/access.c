/* The answer to "what do you hold of me" (GDPR 15), from which the export is made too. */
#include "domain/person/look_at.h"
#include "domain/rights/access.h"
#include "domain/person/person.h"
#include "domain/core/paging.h"
#include "domain/core/looking.h"
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

static enum err show_file(struct ctx *c, struct look *l, struct json_out *w)
{
    l->out.version = l->p.version;
    return person_file_put(c, &l->p, 0, w);
}

enum err access_answer(struct ctx *c, text id, struct answer *out)
{
    struct look l = { .act = TEXT("access"), .closed_too = true, .may = look_by_right, .show = show_file };
    return look_at_person(c, id, &l, out);
}
