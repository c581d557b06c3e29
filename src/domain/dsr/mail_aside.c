/* Emails that machines wrote: shown apart for a month, and made requests of by staff where no machine wrote them. */
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/paging.h"
#include "domain/dsr/inside.h"
#include "domain/mail/inbound.h"
#include "domain/person/look_at.h"

static enum err may_list(struct ctx *c, struct look_list *l)
{
    (void)l;
    return dsr_may_answer(c);
}

static enum err show_page(struct ctx *c, struct look_list *l, struct json_out *w)
{
    const struct subject_id *before = l->arg;
    bool more = false;
    text last = { NULL, 0 };
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_MAIL_ASIDE, ARGS(V_TEXT(c->tenant), V_ID(*before), V_INT(l->asked->limit + 1)));
    json_name(w, TEXT("emails"));
    json_open(w, '[');
    while (paging_row(l->asked, &q, &l->count, &more)) {
        TRY(dsr_mail_put(c, &q, w));
        last = id_column(c->arena, &q, COL(DSR_MAIL_ASIDE, id));
    }
    json_close(w, ']');
    TRY(q.status);
    return paging_end(c, more, more ? last : (text){ NULL, 0 }, w, &l->out);
}

enum err dsr_asides(struct ctx *c, const struct paging *asked, struct answer *out)
{
    struct subject_id before;
    struct look_list l = {
        .act = TEXT("request.asides"), .may = may_list, .show = show_page, .asked = asked, .arg = &before
    };
    memset(&before, 0xFF, sizeof before);
    if (asked->after.n && !id_parse(asked->after, &before))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

/* ---- One becomes a request. ---- */

static enum err load(struct ctx *c, struct subject_id id, struct dsr_mail *mail, msec *at, const struct json **said)
{
    text meta, field = id_print(c->arena, id);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_MAIL_GET, ARGS(V_TEXT(c->tenant), V_ID(id)));
    if (!query_next(&q))
        return q.status == OK ? say(c->arena, ERR_NOT_FOUND, "there is no such email") : q.status;
    if (!query_null(&q, DSR_MAIL_GET, request))
        return say(c->arena, ERR_CONFLICT, "this email belongs to a request already");
    *at = query_get(&q, DSR_MAIL_GET, at);
    TRY(dsr_unseal(c, id, TEXT("dsr_mail"), field, 0, query_get(&q, DSR_MAIL_GET, meta), &meta));
    TRY(json_parse(c->arena, meta, said));
    *mail = (struct dsr_mail){ .id = id,
                               .subject = json_text(*said, TEXT("subject")),
                               .said = json_text(*said, TEXT("text")) };
    return OK;
}

/* The clock runs from when it came. No acknowledgement goes: who wrote it was taken for a machine, and staff answer. */
enum err dsr_aside_file(struct ctx *c, text id, struct answer *out)
{
    struct dsr_change ch;
    struct dsr_mail mail;
    struct subject_id parsed;
    const struct json *said;
    struct answer kept = { 0 };
    TRY(dsr_may_answer(c));
    if (!id_parse(id, &parsed))
        return say(c->arena, ERR_NOT_FOUND, "there is no such email");
    dsr_fresh(c, &ch, TEXT("email"));
    TRY(load(c, parsed, &mail, &ch.d.received, &said));
    TRY(dsr_fill(c, &mail, json_text(said, TEXT("sender")), json_text(said, TEXT("from_name")), &ch));
    ch.aside = &parsed;
    ch.kept = &kept;
    TRY(dsr_write(&ch));
    return dsr_get(c, id_print(c->arena, ch.d.id), out);
}
