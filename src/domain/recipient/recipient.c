/* The register of recipients for staff, and the links by which recipients reach their page. */
#include "domain/core/actor.h"
#include "domain/core/decided.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/mail/mail.h"
#include "domain/person/account.h"
#include "domain/person/person.h"
#include "domain/recipient/inside.h"

static const text use = TEXT_INIT("recipient");

enum err recipient_named(struct ctx *c, text name, int *out)
{
    *out = policy_actor(c->policy, name);
    if (*out >= 0 && c->policy->actors[*out].kind == ACTOR_RECIPIENT)
        return OK;
    return say_clause(c->arena, ERR_UNDECLARED, &c->policy->recipients_clause, "the policy has no recipient \"%.*s\"",
                      T(value_shown(name)));
}

/* `about`: what is looked at says enough, where the role must give a reason. */
enum err recipient_may(struct ctx *c, text about)
{
    if (person_sees_team(c)) {
        say(c->arena, ERR_FORBIDDEN, "recipients are for who answers everybody, not a team alone");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    if (!c->actor.reason.n)
        c->actor.reason = about;
    return person_allow_act(c, NULL, ACT_EXPORT);
}

/* ---- Shown. ---- */

enum err recipient_list(struct ctx *c, struct answer *out)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    TRY(recipient_may(c, TEXT("recipients")));
    json_open(&w, '{');
    json_name(&w, TEXT("charter"));
    json_open(&w, '{');
    TRY(charter_put(c, &w));
    json_close(&w, '}');
    json_name(&w, TEXT("recipients"));
    json_open(&w, '[');
    for (unsigned i = 0; i < c->policy->actor_count; i++) {
        if (c->policy->actors[i].kind != ACTOR_RECIPIENT)
            continue;
        json_open(&w, '{');
        TRY(charter_put_standing(c, (int)i, &w));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

static enum err put_links(struct ctx *c, text recipient, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_RECIPIENT_LINK_LIST, ARGS(V_TEXT(c->tenant), V_TEXT(recipient), V_INT(c->now)));
    json_name(w, TEXT("links"));
    json_open(w, '[');
    while (query_next(&q)) {
        json_open(w, '{');
        json_pair(w, TEXT("id"), id_column(c->arena, &q, COL(RECIPIENT_LINK_LIST, id)));
        recipient_put_time(c, w, "created", query_get(&q, RECIPIENT_LINK_LIST, created));
        recipient_put_time(c, w, "expires", query_get(&q, RECIPIENT_LINK_LIST, due));
        json_close(w, '}');
    }
    json_close(w, ']');
    return q.status;
}

static enum err put_acceptance(struct ctx *c, struct query *q, struct json_out *w)
{
    text name, function;
    TRY(charter_open_who(c, arena_copy(c->arena, query_get(q, CHARTER_LIST, who)), &name, &function));
    json_open(w, '{');
    json_pair(w, TEXT("id"), id_column(c->arena, q, COL(CHARTER_LIST, id)));
    json_pair(w, TEXT("version"), query_get(q, CHARTER_LIST, version));
    json_pair(w, TEXT("hash"), query_get(q, CHARTER_LIST, hash));
    json_pair(w, TEXT("language"), query_get(q, CHARTER_LIST, language));
    json_pair(w, TEXT("name"), name);
    json_pair(w, TEXT("function"), function.n ? function : (text){ NULL, 0 });
    json_pair(w, TEXT("via"), query_get(q, CHARTER_LIST, via));
    recipient_put_time(c, w, "at", query_get(q, CHARTER_LIST, at));
    recipient_put_time(c, w, "ended", query_null(q, CHARTER_LIST, ended) ? 0 : query_get(q, CHARTER_LIST, ended));
    json_close(w, '}');
    return OK;
}

static enum err put_acceptances(struct ctx *c, text recipient, const struct paging *asked, struct json_out *w,
                                struct answer *out)
{
    struct subject_id before;
    int64_t rows = 0;
    bool more;
    text place = TEXT("");
    memset(&before, 0xFF, sizeof before);
    if (asked->after.n && !id_parse(asked->after, &before))
        return paging_unknown(c);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CHARTER_LIST,
                ARGS(V_TEXT(c->tenant), V_TEXT(recipient), V_ID(before), V_INT(asked->limit + 1)));
    json_name(w, TEXT("acceptances"));
    json_open(w, '[');
    while (paging_row(asked, &q, &rows, &more)) {
        TRY(put_acceptance(c, &q, w));
        place = id_column(c->arena, &q, COL(CHARTER_LIST, id));
    }
    TRY(q.status);
    json_close(w, ']');
    return paging_end(c, more, place, w, out);
}

enum err recipient_get(struct ctx *c, text name, const struct paging *asked, struct answer *out)
{
    int index;
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    TRY(recipient_may(c, name));
    TRY(write_refused(c, NULL, recipient_named(c, name, &index)));
    json_open(&w, '{');
    TRY(charter_put_standing(c, index, &w));
    TRY(put_links(c, name, &w));
    TRY(put_acceptances(c, name, asked, &w, out));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- Links. ---- */

struct linking {
    struct ctx *c;
    text name;
    struct subject_id id;
    struct digest digest;
    msec due;
    bool has_letter;
    struct mail_put letter;
};

static enum err run_link(struct db *db, struct write *w)
{
    const struct linking *l = w->arg;
    const struct ctx *c = l->c;
    int64_t count;
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_RECIPIENT_LINK_COUNT, ARGS(V_TEXT(c->tenant), V_TEXT(l->name), V_INT(c->now)));
        count = query_next(&q) ? query_get(&q, RECIPIENT_LINK_COUNT, count) : 0;
        TRY(q.status);
    }
    if (count >= LINKS_MOST) /* as many as RECIPIENT_LINK_LIST gives */
        return say(db_arena(db), ERR_CONFLICT, "\"%.*s\" has %d valid links: revoke one first", T(l->name), LINKS_MOST);
    TRY(db_run(db, SQL_RECIPIENT_LINK_ADD, NULL,
               ARGS(V_BYTES(TEXT_BYTES(l->digest)), V_TEXT(c->tenant), V_TEXT(l->name), V_ID(l->id), V_INT(c->now),
                    V_INT(l->due))));
    return l->has_letter ? mail_run_put(db, &l->letter) : OK;
}

static enum err make_letter(struct ctx *c, text to, text link, struct linking *l)
{
    int index = policy_actor(c->policy, l->name);
    const struct pair_text v[] = {
        { TEXT("recipient"), doc_recipient(c, index) },
        { TEXT("until"), doc_day(c, time_print(c->arena, l->due)) },
        { TEXT("link"), link },
    };
    const struct letter_values values = { v, sizeof v / sizeof *v };
    if (!c->app->public_url[0])
        return say(c->arena, ERR_MISSING, "the server knows no public address for links (serve --url)");
    l->has_letter = true;
    enum err status = mail_make_in(c, NULL, c->language, to, TEXT("charter_link"), &values, &l->letter);
    if (status == ERR_VALUE)
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "email");
    return status;
}

static enum err answer_link(struct ctx *c, const struct linking *l, text link, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    out->id = id_print(c->arena, l->id);
    json_pair(&w, TEXT("id"), out->id);
    json_pair(&w, TEXT("link"), link);
    recipient_put_time(c, &w, "expires", l->due);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

enum err recipient_link(struct ctx *c, text name, const struct json *in, struct answer *out)
{
    int index;
    struct linking l = { .c = c, .name = name, .id = id_make(c->now), .due = c->now + LINK_DAYS * DAY };
    text email = text_trim(json_text(in, TEXT("email")));
    TRY(recipient_may(c, name));
    TRY(write_refused(c, NULL, recipient_named(c, name, &index)));
    if (!c->policy->actors[index].charter)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->actors[index].clause,
                          "the policy asks \"%.*s\" for no charter", T(name));
    text secret = secret_make(c, use, &l.digest);
    text link = mail_link(c, arena_print(c->arena, "/charter?token=%.*s", T(secret)));
    TRY_PTR(link.p);
    if (email.n)
        TRY(make_letter(c, email, link, &l));
    struct write w = { .run = run_link, .arg = &l, .event = event_of(c, NULL, TEXT("recipient.link")) };
    w.event.clause = c->policy->actors[index].clause.path;
    TRY(answer_link(c, &l, link, out));
    return write_do(c, &w, NULL); /* the link is in no kept answer */
}

struct ending {
    struct ctx *c;
    text name;
    struct subject_id link;
};

static enum err run_unlink(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_RECIPIENT_LINK_REVOKE, &changed,
               ARGS(V_TEXT(e->c->tenant), V_TEXT(e->name), V_ID(e->link), V_INT(e->c->now))));
    return changed ? OK : say(db_arena(db), ERR_NOT_FOUND, "there is no such link, or no longer");
}

enum err recipient_unlink(struct ctx *c, text name, text link)
{
    struct ending e = { .c = c, .name = name };
    TRY(recipient_may(c, name));
    if (!id_parse(link, &e.link))
        return say(c->arena, ERR_NOT_FOUND, "there is no such link, or no longer");
    struct write w = {
        .run = run_unlink, .arg = &e, .urgent = true, .event = event_of(c, NULL, TEXT("recipient.unlinked"))
    };
    return write_do(c, &w, NULL);
}

static enum err run_end(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_CHARTER_END, &changed,
               ARGS(V_TEXT(e->c->tenant), V_TEXT(e->name), V_INT(e->c->now), V_INT(charter_kept_until(e->c)))));
    return changed ? OK : say(db_arena(db), ERR_NOT_FOUND, "no acceptance of the charter counts there");
}

enum err recipient_end(struct ctx *c, text name)
{
    struct ending e = { .c = c, .name = name };
    TRY(recipient_may(c, name));
    struct write w = { .run = run_end, .arg = &e, .urgent = true, .event = event_of(c, NULL, TEXT("charter.ended")) };
    return write_do(c, &w, NULL);
}

/* ---- By a link. ---- */

static enum err no_link(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "this link is not valid, or no longer"); }

static enum err find_link(struct ctx *c, const struct digest *digest, text *tenant, text *recipient)
{
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_RECIPIENT_LINK_FIND, ARGS(V_BYTES(TEXT_BYTES(*digest)), V_INT(c->now)));
    if (!query_next(&q))
        return q.status == OK ? no_link(c) : q.status;
    *tenant = arena_copy(c->arena, query_get(&q, RECIPIENT_LINK_FIND, tenant));
    *recipient = arena_copy(c->arena, query_get(&q, RECIPIENT_LINK_FIND, recipient));
    return arena_whole(c->arena);
}

static enum err link_again(struct ctx *c, const struct decided *d)
{
    struct digest digest = secret_digest(c, use, d->name);
    text tenant, recipient;
    return find_link(c, &digest, &tenant, &recipient);
}

enum err recipient_by_link(struct ctx *c, text token)
{
    struct digest digest = secret_digest(c, use, token);
    text tenant, recipient;
    int index;
    TRY(token.n ? find_link(c, &digest, &tenant, &recipient) : no_link(c));
    if (!actor_known_tenant(c->policy, tenant, &c->tenant) || recipient_named(c, recipient, &index) != OK)
        return no_link(c);
    c->actor = (struct actor){ .kind = ACTOR_RECIPIENT, .index = index, .name = recipient };
    return decided_add(c, (struct decided){ .again = link_again, .name = token }, NULL);
}

enum err recipient_link_fate(struct ctx *c, text token, enum link_fate *out)
{
    struct digest digest = secret_digest(c, use, token);
    text recipient;
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_RECIPIENT_LINK_OLD, ARGS(V_BYTES(TEXT_BYTES(digest))));
        bool there = query_next(&q);
        TRY(q.status);
        if (there) {
            enum link_fate by_time = query_get(&q, RECIPIENT_LINK_OLD, due) > c->now ? LINK_VALID : LINK_EXPIRED;
            *out = query_get(&q, RECIPIENT_LINK_OLD, ended) ? LINK_REPLACED : by_time;
            actor_known_tenant(c->policy, query_get(&q, RECIPIENT_LINK_OLD, tenant), &c->tenant);
            return OK;
        }
    }
    return link_over_find(c, &digest, TEXT("recipient"), out, &recipient);
}

/* ---- The feature's row. ---- */

static enum err run_over(struct db *db, struct write *w)
{
    const msec *now = w->arg;
    TRY(db_run(db, SQL_CHARTER_OVER, NULL, ARGS(V_INT(*now))));
    TRY(db_run(db, SQL_RECIPIENT_LINK_GONE, NULL, ARGS(V_INT(*now), V_INT(*now + LINK_REMEMBERED))));
    return db_run(db, SQL_RECIPIENT_LINK_OVER, NULL, ARGS(V_INT(*now)));
}

static enum err end_over(struct ctx *c)
{
    return feature_end_over(c, SQL_RECIPIENT_IS_OVER, run_over, TEXT("recipient.over"));
}

const struct feature recipient_feature = { .name = TEXT_INIT("recipient"),
                                           .tick = end_over,
                                           .given_run = recipient_given_run };
