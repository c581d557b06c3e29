/* Another e-mail address: asked for by who is signed in, confirmed at the new one, told to the former one. */
#include "base/decode.h"
#include "domain/inside.h"
#include "domain/letters.h"
#include "domain/making.h"
#include "domain/opening_inside.h"
#include "domain/session.h"
#include "domain/throttle.h"
#include "domain/value.h"
#include "domain/write.h"

static const text kind = TEXT_INIT("identifier");

static enum err field_of(struct ctx *c, text name, const struct category **cat, const struct field **field)
{
    text rest = name, category = text_cut(&rest, '.');
    int index = policy_category(c->policy, category), f = index < 0 ? -1 : policy_field(&c->policy->categories[index], rest);
    *cat = index < 0 ? NULL : &c->policy->categories[index];
    *field = f < 0 ? NULL : &(*cat)->fields[f];
    if (f >= 0 && (*field)->identifier && (*field)->type == FIELD_EMAIL)
        return OK;
    return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause, "\"field\" is an e-mail address by which the policy finds people");
}

static text detail_of(struct ctx *c, text field, text value)
{
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("field"), field);
    json_pair(&w, TEXT("value"), value);
    json_name(&w, TEXT("session"));
    json_put_hex(&w, TEXT_BYTES(c->session->digest));
    json_close(&w, '}');
    return buf_made(c->arena, &b);
}

struct asking { struct ctx *c; const struct person *p; struct ticket_put ticket; struct mail_put letter; struct attempt letters; };

static enum err run_asking(struct db *db, struct write *w)
{
    const struct asking *a = w->arg;
    TRY(write_person_there(db, a->c->tenant, a->p->id));
    TRY(throttle_run_failed(db, a->c, &a->letters));
    TRY(ticket_run_put(db, &a->ticket, true));
    return mail_run_put(db, &a->letter);
}

/* A letter a minute: whoever signs in must not write to the whole world in this server's name. */
static enum err check_pace(struct ctx *c, const struct person *p)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TICKET_RECENT, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(kind), V_INT(c->now - MINUTE)));
    bool recent = query_next(&q);
    TRY(q.status);
    return recent ? say(c->arena, ERR_TOO_MANY, "a letter went to a new address within the last minute") : OK;
}

enum err identifier_change(struct ctx *c, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct asking a = { .c = c, .p = &p };
    const struct category *cat;
    const struct field *field;
    const struct json *value = json_get(in, TEXT("value"));
    TRY(session_fresh(c));
    TRY(field_of(c, json_text(in, TEXT("field")), &cat, &field));
    TRY(value_take(c, cat, field, &value));
    TRY(person_open(c, session_self(c), false, &p));
    TRY(check_pace(c, &p));
    TRY(ticket_make(c, &p, kind, detail_of(c, json_text(in, TEXT("field")), value->value), opening_until(c), &a.ticket));
    text link = arena_print(c->arena, "/confirm?token=%.*s", T(a.ticket.secret));
    const struct account_letter confirm = { .name = TEXT("identifier_confirm"), .to = value->value, .path = link, .until = a.ticket.expires };
    TRY(letter_make(c, &p, &confirm, &a.letter));
    struct write w = { .run = run_asking, .arg = &a, .event = event_of(c, &p, TEXT("identifier.asked")) };
    w.event.categories = cat->name;
    out->body = TEXT("{\"state\":\"confirm\"}");
    /* The letter goes to whom the person likes: not more of them than somebody mistypes. */
    a.letters = (struct attempt){ .digest = throttle_digest(c, TEXT("identifier"), TEXT_BYTES(p.id)), .subject = p.id, .has_subject = true };
    TRY(throttle_letter(c, &a.letters));
    enum err status = write_do(c, &w, NULL);
    throttle_leave(c, &a.letters);
    return status;
}

/* Who reads the former mailbox, or is signed in elsewhere than where the change was asked for (asker), has no way in any more. */
struct moving { struct ctx *c; struct subject_id subject; struct digest asker; struct mail_put letter; bool has_letter; };

static enum err run_moving(struct db *db, void *arg)
{
    const struct moving *m = arg;
    TRY(session_run_end_all(db, m->c->tenant, m->subject, &m->asker));
    TRY(db_run(db, SQL_TICKET_END_ALL, NULL, ARGS(V_TEXT(m->c->tenant), V_ID(m->subject), V_TEXT(TEXT("")))));
    return m->has_letter ? mail_run_put(db, &m->letter) : OK;
}

static enum err make_moving(struct ctx *c, const struct person *p, bool told, struct moving *out)
{
    text former;
    int category;
    *out = (struct moving){ .c = c, .subject = p->id };
    TRY(mail_address(c, p, &former, &category));
    out->has_letter = told && former.n > 0;
    const struct account_letter letter = { .name = TEXT("identifier_changed"), .to = former };
    return out->has_letter ? letter_make(c, p, &letter, &out->letter) : OK;
}

struct confirming { struct ticket ticket; struct moving moving; };

static enum err run_confirming(struct db *db, void *arg)
{
    struct confirming *f = arg;
    TRY(ticket_run_use(db, &f->ticket));
    return run_moving(db, &f->moving);
}

/* ---- By somebody else. ---- */

static bool touches_address(const struct policy *p, const struct json *patch)
{
    JSON_EACH(fields, patch) {
        const struct category *cat = &p->categories[policy_category(p, fields->key)];
        for (unsigned i = 0; i < cat->field_count; i++)
            if (cat->fields[i].type == FIELD_EMAIL && json_get(fields, cat->fields[i].name))
                return true;
    }
    return false;
}

/* Whose address is changed can be signed in as, by a reset. So of an account in a role only who may give that role changes it. */
enum err identifier_moved(struct ctx *c, const struct json *patch, struct change *ch)
{
    struct account account;
    if (!ch->record_count || !touches_address(c->policy, patch))
        return OK;
    TRY(account_load(c, ch->person->id, &account));
    if (!account.there)
        return OK;
    if (account.role.n && policy_actor(c->policy, account.role) >= 0)
        TRY(opening_role(c, account.role));
    struct moving *m = NEW(c->arena, struct moving);
    TRY_PTR(m);
    /* Without a public address no letter can go; before an account is open, its address was nobody's that was confirmed. */
    TRY(make_moving(c, ch->person, text_eq(account.state, ACCOUNT_OPEN) && c->app->public_url[0], m));
    ch->also = run_moving, ch->also_arg = m;
    return OK;
}

/* ---- Confirmed. ---- */

static enum err patch_of(struct ctx *c, text field, text value, const struct json **out)
{
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    text category = text_cut(&field, '.');
    json_open(&w, '{');
    json_name(&w, category);
    json_open(&w, '{');
    json_pair(&w, field, value);
    json_close(&w, '}');
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

enum err identifier_confirm(struct ctx *c, text token, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct confirming f = { 0 };
    const struct json *detail, *patch;
    struct answer changed = { 0 };
    TRY(opening_ticket(c, token, kind, &f.ticket, &p, &account));
    TRY(ticket_detail(c, &p, &f.ticket, &detail));
    TRY(patch_of(c, json_text(detail, TEXT("field")), json_text(detail, TEXT("value")), &patch));
    TRY(make_moving(c, &p, true, &f.moving));
    if (!decode_hex(json_text(detail, TEXT("session")), f.moving.asker.b, sizeof f.moving.asker.b))
        return say(c->arena, ERR_CRYPT, "a change of address is not in the form that was kept");
    c->if_match = p.version;
    const struct patching how = { .source = TEXT("person"), .confirmed = true, .also = run_confirming, .also_arg = &f };
    TRY(person_patch(c, id_print(c->arena, p.id), patch, &how, &changed));
    out->body = TEXT("{\"state\":\"changed\"}");
    return OK;
}
