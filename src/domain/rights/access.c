/* The answer to "what do you hold of me" (GDPR 15), from which the export is made too. */
#include "domain/rights/access.h"
#include "domain/person/person.h"
#include "domain/core/paging.h"
#include "domain/core/looking.h"
#include "domain/rights/person_file.h"
#include "domain/core/write.h"

enum err access_looks(struct ctx *c, text id, const struct paging *asked, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct view v = { .c = c, .p = &p, .w = json_out(&b) };
    TRY(person_open(c, id, true, &p));
    TRY(person_allow_act(c, &p, ACT_EXPORT));
    json_open(&v.w, '{');
    TRY(person_file_put_looks(&v, asked, TEXT("next"), out));
    json_close(&v.w, '}');
    TRY(buf_take(c->arena, &b, &out->body));
    struct write w = { .event = event_of(c, &p, TEXT("read")) };
    w.event.purpose = TEXT("looks");
    TRY(look_seal(c, &p, &w.event));
    return write_do(c, &w, NULL);
}

enum err access_answer(struct ctx *c, text id, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    TRY(person_open(c, id, true, &p));
    TRY(person_allow_act(c, &p, ACT_EXPORT));
    TRY(person_file_put(c, &p, &b));
    *out = (struct answer){ .version = p.version };
    TRY(buf_take(c->arena, &b, &out->body));
    struct write w = { .event = event_of(c, &p, TEXT("access")) };
    TRY(look_seal(c, &p, &w.event));
    return write_do(c, &w, NULL);
}
