/* Letters that wait and those that went. */
#include "domain/mail/sent.h"
#include "domain/core/data_subject.h"
#include "domain/core/paging.h"
#include "domain/core/instance.h"
#include "domain/mail/inbound.h"
#include "domain/mail/letter.h"

/* ---- What is told of it. ---- */

enum err outbox_figures(struct ctx *c, struct outbox_figures *out)
{
    *out = (struct outbox_figures){ .sent = c->app->mail.sent,
                                    .failed = c->app->mail.failed,
                                    .sender = c->app->mail.sender };
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_MAIL_FIGURES, NULL, 0);
    if (query_next(&q)) {
        out->queued = query_get(&q, MAIL_FIGURES, waiting);
        out->given_up = query_get(&q, MAIL_FIGURES, failed);
        out->next = query_get(&q, MAIL_FIGURES, oldest);
    }
    return q.status;
}

static void pair_time(struct json_out *w, text name, msec t)
{
    char buffer[TIME_TEXT + 1];
    json_pair(w, name, t ? time_text(t, buffer) : (text){ NULL, 0 });
}

static enum err put_row(struct ctx *c, struct query *q, struct json_out *w)
{
    struct subject_id id;
    text bytes = query_get(q, MAIL_OF, id);
    if (bytes.n != sizeof id)
        return say(c->arena, ERR_INTEGRITY, "an email has an id of %zu bytes", bytes.n);
    memcpy(&id, bytes.p, sizeof id);
    json_open(w, '{');
    json_pair(w, TEXT("id"), id_print(c->arena, id));
    json_pair(w, TEXT("letter"), query_get(q, MAIL_OF, letter));
    json_pair(w, TEXT("title"), letter_title(c, query_get(q, MAIL_OF, letter)));
    json_pair(w, TEXT("state"),
              !query_null(q, MAIL_OF, next_try)  ? TEXT("queued")
              : query_null(q, MAIL_OF, sent) ? TEXT("given_up")
                                 : TEXT("sent"));
    pair_time(w, TEXT("created"), query_get(q, MAIL_OF, created));
    json_pair_int(w, TEXT("tries"), query_get(q, MAIL_OF, tries));
    pair_time(w, TEXT("next"), query_get(q, MAIL_OF, next_try));
    json_pair(w, TEXT("code"), query_get(q, MAIL_OF, code));
    json_close(w, '}');
    return OK;
}

static enum err put_list(struct ctx *c, enum sql sql, text tenant, struct val second, struct json_out *w)
{
    json_open(w, '[');
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, sql, ARGS(V_TEXT(tenant), second));
    while (query_next(&q))
        TRY(put_row(c, &q, w));
    json_close(w, ']');
    return q.status;
}

enum err outbox_put_of(struct ctx *c, const struct person *p, bool sent_too, struct json_out *w)
{
    return put_list(c, sent_too ? SQL_MAIL_OF : SQL_MAIL_WAITING_OF, c->tenant, V_ID(p->id), w);
}

/* Those that met trouble, the newest first; a page begins after "created.id" of the row before it. */
static enum err put_troubled(struct ctx *c, const struct paging *asked, struct json_out *w, struct answer *out)
{
    struct subject_id id = { { 0 } };
    int64_t created = INT64_MAX, rows = 0;
    bool more;
    text after = asked->after, place = { NULL, 0 };
    if (after.n && (!paging_number(&after, &created) || !id_parse(after, &id)))
        return paging_unknown(c);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_MAIL_TROUBLED, ARGS(V_TEXT(TEXT("")), V_INT(asked->limit + 1), V_INT(created), V_ID(id)));
    json_name(w, TEXT("letters"));
    json_open(w, '[');
    while (paging_row(asked, &q, &rows, &more)) {
        TRY(put_row(c, &q, w));
        if (rows < asked->limit)
            continue;
        memcpy(&id, query_get(&q, MAIL_TROUBLED, id).p, sizeof id);
        place = arena_print(c->arena, "%lld.%.*s", (long long)query_get(&q, MAIL_TROUBLED, created),
                            T(id_print(c->arena, id)));
    }
    TRY(q.status);
    json_close(w, ']');
    json_name(w, TEXT("more"));
    if (more)
        json_put_text(w, place);
    else
        json_put_null(w);
    out->next = more ? place : (text){ NULL, 0 }; /* "next" is the time of the next try */
    return OK;
}

enum err outbox_answer(struct ctx *c, const struct paging *asked, struct answer *out)
{
    struct outbox_figures figures;
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    TRY(outbox_figures(c, &figures));
    json_open(&w, '{');
    json_pair_bool(&w, TEXT("sender"), figures.sender);
    json_pair_int(&w, TEXT("queued"), figures.queued);
    json_pair_int(&w, TEXT("given_up"), figures.given_up);
    json_pair_int(&w, TEXT("sent"), (int64_t)figures.sent);
    json_pair_int(&w, TEXT("failed"), (int64_t)figures.failed);
    pair_time(&w, TEXT("next"), figures.next);
    inbound_mailbox_put(c, &w);
    TRY(put_troubled(c, asked, &w, out));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}
