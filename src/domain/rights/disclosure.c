/* Disclosures: data given to a recipient of the policy, decided twice (who gives, who receives), recorded, and shown to
 * the person. */
#include "base/calendar.h"
#include "domain/person/look_at.h"
#include "domain/core/named.h"
#include "domain/person/record.h"
#include "domain/person/person.h"
#include "domain/core/id.h"
#include "domain/person/held.h"
#include "domain/rights/disclosure.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/recipient/charter.h"

struct disclosing {
    struct ctx *c;
    struct subject_id id, subject;
    text recipient, purpose, categories, fields;
    const uint64_t *given;    /* of each category, a bit a field; NULL: all */
    const struct json *asked; /* names of categories */
    struct bits set;
    bool daily, again; /* one row a day is enough; and there is today's: `id` */
};

static enum err run_disclosure(struct db *db, struct write *w)
{
    const struct disclosing *d = w->arg;
    int64_t changed = 0;
    TRY(write_person_there(db, d->c->tenant, d->subject));
    if (d->again)
        TRY(db_run(db, SQL_DISCLOSURE_AGAIN, &changed,
                   ARGS(V_TEXT(d->c->tenant), V_ID(d->subject), V_ID(d->id), V_INT(d->c->now))));
    if (changed)
        return OK;
    return db_run(db, SQL_DISCLOSURE_ADD, NULL,
                  ARGS(V_TEXT(d->c->tenant), V_ID(d->subject), V_ID(d->id), V_TEXT(d->recipient), V_TEXT(d->purpose),
                       V_TEXT(d->categories), V_INT(d->c->now), d->given ? V_TEXT(d->fields) : V_NULL));
}

static enum err recipient_of(struct ctx *c, text name, int *out)
{
    *out = policy_actor(c->policy, name);
    if (*out >= 0 && c->policy->actors[*out].kind == ACTOR_RECIPIENT)
        return OK;
    text near = policy_nearest(c->policy, TEXT("actor"), name);
    return say_clause(c->arena, ERR_UNDECLARED, &c->policy->recipients_clause,
                      "the policy has no recipient \"%.*s\"%s%.*s%s", T(value_shown(name)),
                      near.n ? "; did you mean \"" : "", T(near), near.n ? "\"?" : "");
}

static enum err categories_of(struct ctx *c, const struct json *list, struct bits *out)
{
    *out = (struct bits){ { 0 } };
    if (!list || list->kind != J_ARRAY || !list->count)
        return say(c->arena, ERR_USAGE, "a disclosure names its \"categories\", a list");
    JSON_EACH(name, list) {
        int index = name->kind == J_TEXT ? policy_category(c->policy, name->value) : -1;
        if (index < 0)
            return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                              "the policy has no category \"%.*s\"", T(value_shown(name->value)));
        if (c->policy->categories[index].transient)
            return say_clause(c->arena, ERR_USAGE, &c->policy->categories[index].clause,
                              "category \"%.*s\" is transient: it is not disclosed", T(name->value));
        bits_add(out, (unsigned)index);
    }
    return OK;
}

/* Who gives must be allowed to, and the recipient to receive: for that purpose, those categories, with the charter of
 * today accepted by itself. */
static enum err allow(struct ctx *c, const struct person *p, int recipient, text purpose, const struct bits *categories)
{
    const struct actor_class *giver = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    if (c->actor.index != recipient && giver && giver->kind == ACTOR_RECIPIENT) {
        say_clause(c->arena, ERR_FORBIDDEN, &giver->clause,
                   "a recipient takes what is for itself, and gives to nobody");
        return write_refusal(c, p, purpose, TEXT(""));
    }
    if (c->actor.index != recipient)
        TRY(person_allow(c, p, purpose, categories, ACT_DISCLOSE));
    struct ctx receiving = *c;
    receiving.actor.index = recipient;
    receiving.actor.agreement = true;
    TRY(person_allow(&receiving, p, purpose, categories, ACT_DISCLOSE));
    enum err charter = charter_allow(c, recipient);
    return charter == ERR_FORBIDDEN ? write_refusal(c, p, purpose, event_categories(c, categories)) : charter;
}

/* Which fields it is given, as the row says them: "contact.name,orders.number". *given is NULL without a list. */
static enum err fields_given(struct ctx *c, int recipient, struct disclosing *d)
{
    BUF_AUTO b = buf_make(1 << 16);
    d->given = c->policy->actors[recipient].fields;
    for (unsigned i = 0; d->given && i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        for (unsigned k = 0; bits_has(&d->set, i) && k < cat->field_count; k++)
            if (d->given[i] >> k & 1)
                buf_print(&b, "%s%.*s.%.*s", b.n ? "," : "", T(cat->name), T(cat->fields[k].name));
    }
    return buf_take(c->arena, &b, &d->fields);
}

static enum err find_today(struct ctx *c, struct disclosing *d)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DISCLOSURE_TODAY,
                ARGS(V_TEXT(c->tenant), V_ID(d->subject), V_TEXT(d->recipient), V_TEXT(d->purpose),
                     V_TEXT(d->categories), d->given ? V_TEXT(d->fields) : V_TEXT(TEXT("")),
                     V_INT(date_start(date_of(c->now)))));
    if (!query_next(&q))
        return q.status;
    text id = query_get(&q, DISCLOSURE_TODAY, id);
    d->again = id.n == sizeof d->id;
    if (d->again)
        memcpy(&d->id, id.p, sizeof d->id);
    return OK;
}

static enum err may_disclose(struct ctx *c, struct look *l)
{
    struct disclosing *d = l->arg;
    int recipient;
    enum err status = recipient_of(c, d->recipient, &recipient);
    if (status == OK)
        status = categories_of(c, d->asked, &d->set);
    if (status == ERR_UNDECLARED)
        return write_refusal(c, &l->p, value_shown(d->purpose), TEXT(""));
    TRY(status);
    TRY(allow(c, &l->p, recipient, d->purpose, &d->set));
    TRY(fields_given(c, recipient, d));
    d->subject = l->p.id;
    d->categories = event_categories(c, &d->set);
    l->event.categories = d->categories;
    l->event.count = 0;
    l->event.clause = c->policy->actors[recipient].clause.path;
    TRY_PTR(d->categories.p);
    return d->daily ? find_today(c, d) : OK;
}

static enum err show_disclosed(struct ctx *c, struct look *l, struct json_out *w)
{
    const struct disclosing *d = l->arg;
    l->out.id = id_print(c->arena, d->id);
    json_pair(w, TEXT("id"), l->out.id);
    return record_put_data(c, l, &d->set, d->given, w);
}

static enum err disclose(struct ctx *c, text id, const struct json *in, bool daily, struct answer *out)
{
    struct disclosing d = { .c = c,
                            .daily = daily,
                            .id = id_make(c->now),
                            .recipient = json_text(in, TEXT("recipient")),
                            .purpose = json_text(in, TEXT("purpose")),
                            .asked = json_get(in, TEXT("categories")) };
    if (!d.recipient.n || !d.purpose.n)
        return say(c->arena, ERR_MISSING, "a disclosure names its \"recipient\" and \"purpose\"");
    /* What is kept for a repeated request holds no datum: it says that it was disclosed, under which id. */
    text shown = id_print(c->arena, d.id);
    const struct answer kept = { .id = shown, .body = arena_print(c->arena, "{\"id\":\"%.*s\"}", T(shown)) };
    struct look l = { .act = TEXT("disclosure"),
                      .purpose = d.purpose,
                      .may = may_disclose,
                      .show = show_disclosed,
                      .run = run_disclosure,
                      .kept = daily ? NULL : &kept,
                      .arg = &d };
    TRY_PTR(kept.body.p);
    return look_at_person(c, id, &l, out);
}

enum err disclosure_make(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    return disclose(c, id, in, false, out);
}

enum err disclosure_fetch(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    return disclose(c, id, in, true, out);
}

/* ---- To an authority. ---- */

static const text grounds = TEXT_INIT("disclosure_ground");

enum err disclosure_note(struct ctx *c, text name, text ground, text *note)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    text clear;
    json_open(&w, '{');
    json_pair(&w, TEXT("name"), name);
    json_pair(&w, TEXT("ground"), ground);
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &clear));
    return written_seal(ctx_store(c), c->arena, c->tenant, grounds, clear, note);
}

enum err disclosure_run_authority(struct db *db, text tenant, struct subject_id subject, struct subject_id id,
                                  text categories, text note, msec at)
{
    struct val who[] = { V_TEXT(tenant), V_ID(subject), V_ID(id) };
    text to = DISCLOSED_TO_AUTHORITY;
    TRY(db_run(db, SQL_DISCLOSURE_ADD, NULL,
               ARGS(who[0], who[1], who[2], V_TEXT(to), V_TEXT(to), V_TEXT(categories), V_INT(at), V_NULL)));
    return db_run(db, SQL_DISCLOSURE_GROUND_ADD, NULL, ARGS(who[0], who[1], who[2], V_TEXT(note)));
}

/* ---- The list. ---- */

/* Of a recipient of the policy its name there; of somebody else what was noted, and the ground. */
static enum err put_whom(struct ctx *c, text recipient, text note, struct json_out *w)
{
    text clear;
    const struct json *said;
    if (!note.n) {
        json_pair(w, TEXT("name"), doc_recipient(c, policy_actor(c->policy, recipient)));
        json_pair(w, TEXT("ground"), (text){ NULL, 0 });
        return OK;
    }
    TRY(written_open(ctx_store(c), c->arena, c->tenant, grounds, note, &clear));
    TRY(json_parse(c->arena, clear, &said));
    json_pair(w, TEXT("name"), json_text(said, TEXT("name")));
    json_pair(w, TEXT("ground"), json_text(said, TEXT("ground")));
    return OK;
}

static enum err put_disclosure(struct ctx *c, struct query *q, struct json_out *w, struct subject_id *id)
{
    char at[TIME_TEXT + 1];
    text bytes = query_get(q, DISCLOSURE_LIST, id), recipient = query_get(q, DISCLOSURE_LIST, recipient);
    if (bytes.n != sizeof *id)
        return say(c->arena, ERR_INTEGRITY, "a disclosure has an id of %zu bytes", bytes.n);
    memcpy(id, bytes.p, sizeof *id);
    json_open(w, '{');
    json_pair(w, TEXT("id"), id_print(c->arena, *id));
    json_pair(w, TEXT("recipient"), recipient);
    TRY(put_whom(c, recipient, query_get(q, DISCLOSURE_LIST, note), w));
    json_pair(w, TEXT("purpose"), query_get(q, DISCLOSURE_LIST, purpose));
    json_pair(w, TEXT("categories"), query_get(q, DISCLOSURE_LIST, categories));
    json_pair(w, TEXT("fields"), query_get(q, DISCLOSURE_LIST, fields));
    json_pair(w, TEXT("at"), time_text(query_get(q, DISCLOSURE_LIST, at), at));
    json_pair(w, TEXT("last"),
              query_null(q, DISCLOSURE_LIST, last) ? (text){ NULL, 0 }
                                                   : time_text(query_get(q, DISCLOSURE_LIST, last), at));
    json_close(w, '}');
    return OK;
}

enum err disclosure_put(struct ctx *c, const struct person *p, struct json_out *w)
{
    READ_AUTO db = NULL;
    struct subject_id id;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DISCLOSURE_LIST, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    json_open(w, '[');
    while (query_next(&q))
        TRY(put_disclosure(c, &q, w, &id));
    json_close(w, ']');
    return q.status;
}

static enum err put_page(struct ctx *c, const struct person *p, const struct paging *asked, struct json_out *w,
                         struct answer *out)
{
    READ_AUTO db = NULL;
    struct subject_id id = { { 0 } };
    int64_t rows = 0;
    if (asked->after.n && !id_parse(asked->after, &id))
        return paging_unknown(c);
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DISCLOSURE_PAGE, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_ID(id), V_INT(asked->limit + 1)));
    json_name(w, TEXT("disclosures"));
    json_open(w, '[');
    while (query_next(&q)) {
        if (rows++ == asked->limit) {
            out->next = id_print(c->arena, id);
            break;
        }
        TRY(put_disclosure(c, &q, w, &id));
    }
    json_close(w, ']');
    json_pair(w, TEXT("next"), out->next);
    return q.status;
}

static enum err show_page(struct ctx *c, struct look *l, struct json_out *w)
{
    return put_page(c, &l->p, l->asked, w, &l->out);
}

enum err disclosure_list(struct ctx *c, text id, const struct paging *asked, struct answer *out)
{
    struct look l = { .act = TEXT("read"),
                      .purpose = TEXT("disclosures"),
                      .closed_too = true,
                      .may = look_by_right,
                      .show = show_page,
                      .asked = asked };
    return look_at_person(c, id, &l, out);
}
