/* What a person is found by, corrected by them: an address once it is confirmed there, a telephone or a name at once;
 * told by letter. */
#include "base/decode.h"
#include "domain/person/person.h"
#include "base/unicode.h"
#include "domain/core/normal.h"
#include "domain/core/named.h"
#include "domain/account/session.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/mail/account_letter.h"
#include "domain/entry/address.h"
#include "domain/entry/may.h"
#include "domain/person/making.h"
#include "domain/entry/opening_inside.h"
#include "domain/account/throttle.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

static const text kind = TEXT_INIT("identifier");

/* ---- What a person is found by, and what cannot be typed over. ---- */

static bool has_address(const struct policy *p)
{
    for (unsigned i = 0; i < p->category_count; i++)
        for (unsigned f = 0; f < p->categories[i].field_count; f++)
            if (p->categories[i].fields[f].identifier && p->categories[i].fields[f].type == FIELD_EMAIL)
                return true;
    return false;
}

bool identifier_guarded(const struct policy *p, const struct category *cat, const struct field *f)
{
    return f->identifier || (f->type == FIELD_EMAIL && !cat->many && !cat->transient && !has_address(p));
}

static int own_source(const struct policy *p)
{
    for (unsigned i = 0; i < p->source_count; i++)
        if (text_eq(p->sources[i].name, TEXT("person")))
            return (int)i;
    return -1;
}

static void put_sources(struct ctx *c, const struct category *cat, struct buf *b)
{
    bool other = false;
    for (unsigned i = 0; i < c->policy->source_count; i++)
        if (cat->sources >> i & 1) {
            buf_add(b, other ? TEXT(", ") : TEXT(""));
            buf_add(b, doc_source(c, c->policy->sources[i].name));
            other = true;
        }
}

text identifier_why_not(struct ctx *c, const struct category *cat)
{
    struct controller controller = ctx_controller(c);
    int own = own_source(c->policy);
    bool theirs = own < 0 || cat->sources >> own & 1;
    BUF_AUTO b = buf_make(8192);
    if (theirs && !cat->many)
        return TEXT("");
    if (theirs)
        buf_add(&b, doc_in(c, TEXT("You may have several of these."), TEXT("Vous pouvez en avoir plusieurs.")));
    else {
        buf_add(&b, doc_in(c, TEXT("Someone else gave us this: "),
                           TEXT("Une autre source nous l'a donné : ")));
        put_sources(c, cat, &b);
        buf_add(&b, TEXT("."));
    }
    buf_add(&b, doc_in(c, TEXT(" To correct it, write to "), TEXT(" Pour le faire corriger, écrivez à ")));
    buf_add(&b, controller.email.n ? controller.email : controller.address);
    buf_add(&b, TEXT("."));
    return buf_made(c->arena, &b);
}

static enum err about_field(struct ctx *c, text name, enum err status)
{
    if (status != OK && !c->arena->why.field[0])
        text_cstr(value_shown(name), c->arena->why.field, sizeof c->arena->why.field);
    return status;
}

static enum err field_of(struct ctx *c, text name, const struct category **cat, const struct field **field)
{
    text rest = name, category = text_cut(&rest, '.');
    int index = policy_category(c->policy, category),
        f = index < 0 ? -1 : policy_field(&c->policy->categories[index], rest);
    *cat = index < 0 ? NULL : &c->policy->categories[index];
    *field = f < 0 ? NULL : &(*cat)->fields[f];
    if (f < 0 || !identifier_guarded(c->policy, *cat, *field))
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                          "\"field\" is one by which the policy finds people");
    text why_not = identifier_why_not(c, *cat);
    return !why_not.n ? OK
                      : about_field(c, name, say_clause(c->arena, ERR_FORBIDDEN, &(*cat)->clause, "%.*s", T(why_not)));
}

/* ---- Lists of names, "category.field", a blank between. ---- */

static bool is_in(text list, text name)
{
    while (list.n)
        if (text_eq(text_cut(&list, ' '), name))
            return true;
    return false;
}

static text with_name(struct ctx *c, text list, text name)
{
    return is_in(list, name) ? list : arena_print(c->arena, "%.*s%s%.*s", T(list), list.n ? " " : "", T(name));
}

/* ---- Names that look like another's. ---- */

enum err identifier_confusable(struct ctx *c, const struct person *p, text *names)
{
    *names = TEXT("");
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        struct record *rows = NULL;
        unsigned count = 0, lost;
        bool any = false;
        for (unsigned f = 0; f < cat->field_count; f++)
            any |= !cat->many && !cat->transient && identifier_guarded(c->policy, cat, &cat->fields[f]);
        if (any)
            TRY(record_load_readable(c, p, (int)i, false, &rows, &count, &lost));
        for (unsigned f = 0; count && f < cat->field_count; f++) {
            const struct json *held = json_get(rows[0].fields, cat->fields[f].name);
            text value = held && held->first && held->first->kind == J_TEXT ? held->first->value : TEXT("");
            if (identifier_guarded(c->policy, cat, &cat->fields[f]) && unicode_mixed_address(value))
                *names = with_name(c, *names, arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(cat->fields[f].name)));
        }
    }
    return names->p ? OK : ERR_MEMORY;
}

/* ---- Who is told. ---- */

enum { ADDRESSES = 8 };
struct told {
    struct mail_put letters[ADDRESSES];
    unsigned count;
};

static enum err run_told(struct db *db, const struct told *t)
{
    for (unsigned i = 0; i < t->count; i++)
        TRY(mail_run_put(db, &t->letters[i]));
    return OK;
}

/* A former address is told that it was the last letter to it; the others, what was changed. `changed`: names,
 * "category.field", a blank between. */
static enum err tell(struct ctx *c, const struct person *p, text changed, text name, text address, struct told *out)
{
    bool moved = is_in(changed, name);
    const struct account_letter l = { .name = moved ? TEXT("identifier_changed") : TEXT("identifier_set"),
                                      .to = address,
                                      .fields = changed };
    if (!address.n || out->count == ADDRESSES)
        return OK;
    return letter_make(c, p, &l, &out->letters[out->count++]);
}

static enum err tell_category(struct ctx *c, const struct person *p, text changed, const struct category *cat,
                              struct told *out)
{
    struct record *rows;
    unsigned count, lost;
    TRY(record_load_readable(c, p, (int)(cat - c->policy->categories), false, &rows, &count, &lost));
    for (unsigned f = 0; count && f < cat->field_count; f++) {
        const struct json *held = json_get(rows[0].fields, cat->fields[f].name);
        text name = arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(cat->fields[f].name));
        if (held && held->first && cat->fields[f].type == FIELD_EMAIL &&
            identifier_guarded(c->policy, cat, &cat->fields[f]))
            TRY(tell(c, p, changed, name, held->first->value, out));
    }
    return OK;
}

/* Letters to each address that the person has, as it stands before the change. Without a public address of the server
 * none can go. */
static enum err make_told(struct ctx *c, const struct person *p, text changed, struct told *out)
{
    text other;
    int category;
    *out = (struct told){ .count = 0 };
    for (unsigned i = 0; changed.n && c->app->public_url[0] && i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        if (!cat->many && !cat->transient)
            TRY(tell_category(c, p, changed, cat, out));
    }
    if (!changed.n || out->count || !c->app->public_url[0])
        return OK;
    TRY(mail_address(c, p, &other, &category));
    return tell(c, p, changed, TEXT(""), other, out);
}

/* ---- Asked for: an address, confirmed there first. ---- */

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

struct asking {
    struct ctx *c;
    const struct person *p;
    struct ticket_put ticket;
    struct mail_put letter;
    struct attempt letters;
};

static enum err run_asking(struct db *db, struct write *w)
{
    const struct asking *a = w->arg;
    TRY(write_person_there(db, a->c->tenant, a->p->id));
    TRY(throttle_run_failed(db, a->c, &a->letters));
    TRY(ticket_run_put(db, &a->ticket, true));
    return mail_run_put(db, &a->letter);
}

static struct attempt pace_of(struct ctx *c, const struct person *p)
{
    return (struct attempt){ .digest = throttle_digest(c, TEXT("identifier"), TEXT_BYTES(p->id)),
                             .subject = p->id,
                             .has_subject = true };
}

/* A letter a minute: whoever signs in must not write to the whole world in this server's name. */
static enum err check_pace(struct ctx *c, const struct person *p)
{
    bool recent;
    TRY(opening_recent(c, p, kind, &recent));
    return recent ? say(c->arena, ERR_TOO_MANY, "an email went to a new address within the last minute") : OK;
}

static enum err ask(struct ctx *c, const struct category *cat, text name, const struct json *value,
                    const struct person *p)
{
    struct asking a = { .c = c, .p = p };
    TRY(check_pace(c, p));
    TRY(ticket_make(c, p, kind, detail_of(c, name, value->value), ticket_until(c), &a.ticket));
    text link = arena_print(c->arena, "/confirm?token=%.*s", T(a.ticket.secret));
    const struct account_letter confirm = {
        .name = TEXT("identifier_confirm"), .to = value->value, .path = link, .until = a.ticket.expires
    };
    TRY(letter_make(c, p, &confirm, &a.letter));
    struct write w = { .run = run_asking, .arg = &a, .event = event_of(c, p, TEXT("identifier.asked")) };
    w.event.categories = cat->name;
    /* The letter goes to whom the person likes: not more of them than somebody mistypes. */
    a.letters = pace_of(c, p);
    TRY(throttle_letter(c, &a.letters));
    enum err status = write_do(c, &w, NULL);
    throttle_leave(c, &a.letters);
    return status;
}

static enum err patch_of(struct ctx *c, text field, text value, const struct json **out)
{
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    text name = field, category = text_cut(&field, '.');
    int index = policy_category(c->policy, category);
    const struct category *cat = index < 0 ? NULL : &c->policy->categories[index];
    int at = cat ? policy_field(cat, field) : -1;
    if (at < 0) /* another policy since the letter was sent */
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                          "the policy declares no field \"%.*s\"", T(name));
    json_open(&w, '{');
    json_name(&w, category);
    json_open(&w, '{');
    json_name(&w, field);
    if (value.n)
        normal_typed(c, &w, &cat->fields[at], value);
    else
        json_put_null(&w);
    json_close(&w, '}');
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

/* ---- A telephone or a name: at once, since nothing can be sent there to confirm it. ---- */

struct setting {
    struct ctx *c;
    struct attempt tries;
    struct told told;
};

static enum err run_setting(struct db *db, void *arg)
{
    const struct setting *s = arg;
    TRY(throttle_run_failed(db, s->c, &s->tries));
    return run_told(db, &s->told);
}

static enum err run_taken(struct db *db, struct write *w)
{
    const struct setting *s = w->arg;
    return throttle_run_failed(db, s->c, &s->tries);
}

/* Whose it is stays unsaid; that it is taken must be said, and is counted, so that nobody asks for everybody's. */
static enum err taken(struct setting *s, const struct person *p, const struct category *cat, text name)
{
    struct write w = { .run = run_taken, .arg = s, .event = event_of(s->c, p, TEXT("identifier.asked")) };
    w.event.categories = cat->name;
    w.event.outcome = OUTCOME_REFUSED;
    TRY(write_do(s->c, &w, NULL));
    say(s->c->arena, ERR_CONFLICT, "this cannot be used for %.*s: choose another, or write to us", T(name));
    return about_field(s->c, name, ERR_CONFLICT);
}

static enum err set_at_once(struct ctx *c, const struct category *cat, text name, text value, struct person *p)
{
    struct setting s = { .c = c, .tries = pace_of(c, p) };
    const struct patching how = { .source = TEXT("person"), .confirmed = true, .also = run_setting, .also_arg = &s };
    const struct json *patch;
    struct answer changed = { 0 };
    TRY(patch_of(c, name, value, &patch));
    TRY(make_told(c, p, name, &s.told));
    TRY(throttle_letter(c, &s.tries));
    c->if_match = p->version;
    enum err status = person_patch(c, id_print(c->arena, p->id), patch, &how, &changed);
    if (status == ERR_CONFLICT && value.n)
        status = taken(&s, p, cat, name);
    throttle_leave(c, &s.tries);
    return status;
}

/* ---- What is held already; and the way in. ---- */

static enum err held_value(struct ctx *c, const struct person *p, const struct category *cat, const struct field *f,
                           text *out)
{
    struct record *rows;
    unsigned count;
    *out = TEXT("");
    TRY(record_load(c, p, (int)(cat - c->policy->categories), false, &rows, &count));
    const struct json *held = count ? json_get(rows[0].fields, f->name) : NULL;
    if (held && held->first && (held->first->kind == J_TEXT || held->first->kind == J_NUMBER))
        *out = held->first->value;
    return OK;
}

/* As pages and tables are read: a number of a customer is typed as a text. */
static enum err typed_value(struct ctx *c, const struct field *f, const struct json **value)
{
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    const struct json *object;
    if ((*value)->kind != J_TEXT)
        return OK;
    json_open(&w, '{');
    json_name(&w, f->name);
    normal_typed(c, &w, f, (*value)->value);
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &object));
    *value = json_get(object, f->name);
    return OK;
}

/* An empty value takes it away; an address stays while there is an account: letters and links go there. */
static enum err take_value(struct ctx *c, const struct category *cat, const struct field *f, text name,
                           const struct json *in, const struct json **out)
{
    *out = json_get(in, TEXT("value"));
    if (!*out)
        return about_field(
            c, name,
            say_clause(c->arena, ERR_MISSING, &f->clause, "\"value\" is the new one; empty, it is taken away"));
    if ((*out)->kind != J_NULL && !((*out)->kind == J_TEXT && unicode_is_blank((*out)->value))) {
        TRY(typed_value(c, f, out));
        return about_field(c, name, value_take(c, cat, f, out));
    }
    if (f->type != FIELD_EMAIL)
        return *out = NULL, OK;
    return about_field(c, name,
                       say_clause(c->arena, ERR_CONFLICT, &f->clause,
                                  "an account needs an address: give another, or close the account"));
}

static enum err change_of(struct ctx *c, const struct category *cat, const struct field *field, text name,
                          const struct json *in, text *state)
{
    PERSON_AUTO p = { 0 };
    const struct json *value;
    text held;
    TRY(take_value(c, cat, field, name, in, &value));
    TRY(person_open(c, session_self(c), false, &p));
    TRY(held_value(c, &p, cat, field, &held));
    *state = TEXT("unchanged");
    if (text_eq(held, value ? value->value : TEXT("")))
        return OK;
    *state = field->type == FIELD_EMAIL ? TEXT("confirm") : TEXT("changed");
    return field->type == FIELD_EMAIL ? ask(c, cat, name, value, &p)
                                      : set_at_once(c, cat, name, value ? value->value : TEXT(""), &p);
}

enum err identifier_change(struct ctx *c, const struct json *in, struct answer *out)
{
    const struct category *cat;
    const struct field *field;
    text state, name = json_text(in, TEXT("field"));
    TRY(session_fresh(c));
    TRY(field_of(c, name, &cat, &field));
    TRY(change_of(c, cat, field, name, in, &state));
    out->body = arena_print(c->arena, "{\"state\":\"%.*s\"}", T(state));
    return out->body.p ? OK : ERR_MEMORY;
}

/* ---- An address moves. ---- */

/* Who reads the former mailbox, or is signed in elsewhere than where the change was asked for (asker), has no way in
 * any more. */
struct moving {
    struct ctx *c;
    struct subject_id subject;
    struct digest asker;
    bool ends;
    struct told told;
};

static enum err run_moving(struct db *db, void *arg)
{
    const struct moving *m = arg;
    if (m->ends) {
        TRY(session_run_end_all(db, m->c->tenant, m->subject, &m->asker));
        TRY(db_run(db, SQL_TICKET_END_ALL, NULL, ARGS(V_TEXT(m->c->tenant), V_ID(m->subject), V_TEXT(TEXT("live")))));
    }
    return run_told(db, &m->told);
}

/* ---- By another way than identifier_change(). ---- */

/* The names of what changes of all that a person is found by or written to, a blank between. */
static enum err names_changed(struct ctx *c, const struct json *patch, const struct change *ch, text *out)
{
    *out = TEXT("");
    for (unsigned i = 0; i < ch->identifier_count; i++)
        *out = with_name(c, *out, ch->identifiers[i].field);
    JSON_EACH(fields, patch) {
        const struct category *cat = &c->policy->categories[policy_category(c->policy, fields->key)];
        JSON_EACH(v, fields) {
            int f = policy_field(cat, v->key);
            if (f >= 0 && !cat->fields[f].identifier && identifier_guarded(c->policy, cat, &cat->fields[f]))
                *out = with_name(c, *out, arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(v->key)));
        }
    }
    return out->p ? OK : ERR_MEMORY;
}

static bool has_email(const struct policy *p, text names)
{
    while (names.n) {
        text field = text_cut(&names, ' '), category = text_cut(&field, '.');
        const struct category *cat = &p->categories[policy_category(p, category)];
        if (cat->fields[policy_field(cat, field)].type == FIELD_EMAIL)
            return true;
    }
    return false;
}

/* Whose address is changed can be signed in as, by a reset: of an account in a role only who may give that role changes
 * it. */
static enum err move(struct ctx *c, const struct account *account, text names, struct change *ch)
{
    if (c->actor.kind != ACTOR_PERSON && account->role.n && policy_actor(c->policy, account->role) >= 0)
        TRY(may_check_role(c, account->role));
    struct moving *m = NEW(c->arena, struct moving);
    TRY_PTR(m);
    *m = (struct moving){ .c = c, .subject = ch->person->id, .ends = has_email(c->policy, names) };
    if (c->session)
        m->asker = c->session->digest;
    if (text_eq(account->state, ACCOUNT_OPEN)) /* before that its address was nobody's that was confirmed */
        TRY(make_told(c, ch->person, names, &m->told));
    ch->also = run_moving;
    ch->also_arg = m;
    return OK;
}

/* The person themselves prove first who they are, an address by confirming it there: a typing error would lock them
 * out. */
enum err identifier_moved(struct ctx *c, const struct json *patch, struct change *ch)
{
    struct account account;
    text names, rest, first;
    TRY(names_changed(c, patch, ch, &names));
    TRY(account_load(c, ch->person->id, &account));
    if (!account.there || !names.n)
        return OK;
    rest = names;
    first = text_cut(&rest, ' ');
    if (c->actor.kind != ACTOR_PERSON)
        return move(c, &account, names, ch);
    say(c->arena, ERR_CONFLICT, "%.*s is changed after your password was asked for: POST /v1/me/identifier", T(first));
    return about_field(c, first, ERR_CONFLICT);
}

enum err identifier_dropped(struct ctx *c, struct change *ch)
{
    struct account account;
    text names;
    TRY(names_changed(c, NULL, ch, &names));
    TRY(account_load(c, ch->person->id, &account));
    if (!account.there || !names.n)
        return OK;
    if (c->actor.kind == ACTOR_PERSON)
        TRY(session_fresh(c));
    return move(c, &account, names, ch);
}

/* ---- Confirmed. ---- */

struct confirming {
    struct ticket ticket;
    struct moving moving;
};

static enum err run_confirming(struct db *db, void *arg)
{
    struct confirming *f = arg;
    TRY(ticket_run_use(db, &f->ticket));
    return run_moving(db, &f->moving);
}

enum err identifier_look(struct ctx *c, text token)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct ticket ticket;
    return opening_ticket(c, token, kind, &ticket, &p, &account);
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
    f.moving = (struct moving){ .c = c, .subject = p.id, .ends = true };
    TRY(make_told(c, &p, json_text(detail, TEXT("field")), &f.moving.told));
    if (!decode_hex(json_text(detail, TEXT("session")), f.moving.asker.b, sizeof f.moving.asker.b))
        return say(c->arena, ERR_CRYPT, "a change of address is not in the form that was kept");
    c->if_match = p.version;
    const struct patching how = { .source = TEXT("person"), .confirmed = true, .also = run_confirming, .also_arg = &f };
    TRY(person_patch(c, id_print(c->arena, p.id), patch, &how, &changed));
    out->body = TEXT("{\"state\":\"changed\"}");
    return OK;
}

enum err subject_patch(struct ctx *c, text id, const struct json *patch, text source, text purpose, struct answer *out)
{
    return subject_patch_from(c, id, patch, &(struct patched){ .source = source, .purpose = purpose }, out);
}

enum err subject_patch_from(struct ctx *c, text id, const struct json *patch, const struct patched *from,
                            struct answer *out)
{
    const struct patching how = { .source = from->source, .purpose = from->purpose, .permitted = from->permitted };
    return person_patch(c, id, patch, &how, out);
}
