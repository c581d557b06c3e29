/* The link of a letter is followed: the address is proven, and what was sent becomes its person's. */
#include "domain/choice/choice.h"
#include "domain/core/actor.h"
#include "domain/choice/joining.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/keep/erasing.h"
#include "domain/person/account.h"
#include "domain/person/append.h"
#include "domain/person/form.h"
#include "domain/person/making.h"
#include "domain/person/person.h"
#include "domain/person/whole.h"

/* ---- The seal. ---- */

static struct place place_of(const struct ctx *c, const struct person *p, text form, struct subject_id id)
{
    struct place place = { .tenant = c->tenant, .table = TEXT("submission"), .field = form };
    if (p)
        place.subject = p->id;
    memcpy(&place.version, id.b + sizeof id - sizeof place.version, sizeof place.version);
    return place;
}

static void derive(struct ctx *c, const struct person *p, struct key *out)
{
    key_derive(p ? &p->key : store_index_key(ctx_store(c)), TEXT("submission"), out);
}

enum err joining_seal(struct ctx *c, const struct person *p, text form, struct subject_id id, text body, sealed *out)
{
    KEY_AUTO key;
    struct place place = place_of(c, p, form, id);
    derive(c, p, &key);
    return seal(c->arena, &key, &place, body, out);
}

enum err joining_unseal(struct ctx *c, const struct person *p, text form, struct subject_id id, sealed in, text *body)
{
    KEY_AUTO key;
    struct place place = place_of(c, p, form, id);
    derive(c, p, &key);
    return seal_open(c->arena, &key, &place, in, body);
}

/* ---- What was sent, in two. ---- */

static enum err half(struct ctx *c, const struct json *data, bool many, const struct json **out)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    JSON_EACH(fields, data) {
        int index = policy_category(c->policy, fields->key);
        if (index < 0 || c->policy->categories[index].many != many)
            continue;
        json_name(&w, fields->key);
        json_put(&w, fields);
    }
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

enum err joining_split(struct ctx *c, const struct json *data, const struct json **single, const struct json **many)
{
    TRY(half(c, data, false, single));
    return half(c, data, true, many);
}

/* ---- The link. ---- */

enum err joining_no_link(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "this link is not valid, or no longer"); }

enum err joining_spent(struct db *db, const struct ctx *c, const struct digest *digest, text form)
{
    return link_run_over(db, c, digest, TEXT("form"), LINK_USED, form);
}

enum err choice_link_fate(struct ctx *c, text token, enum link_fate *out, text *form)
{
    struct digest digest = secret_digest(c, TEXT("submission"), token);
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_SUBMISSION_LINK, ARGS(V_BYTES(TEXT_BYTES(digest))));
        if (query_next(&q)) {
            c->tenant = arena_copy(c->arena, query_get(&q, SUBMISSION_LINK, tenant));
            *form = arena_copy(c->arena, query_get(&q, SUBMISSION_LINK, form));
            *out = query_get(&q, SUBMISSION_LINK, expires) > c->now ? LINK_VALID : LINK_EXPIRED;
            return q.status == OK ? arena_whole(c->arena) : q.status;
        }
        TRY(q.status);
    }
    return link_over_find(c, &digest, TEXT("form"), out, form);
}

static enum err open_body(struct pending *s, sealed body, text *clear)
{
    PERSON_AUTO p = { 0 };
    if (!s->of_person)
        return joining_unseal(s->c, NULL, s->form, s->id, body, clear);
    enum err status = person_open_anyway(s->c, id_print(s->c->arena, s->subject), &p);
    return status == OK ? joining_unseal(s->c, &p, s->form, s->id, body, clear) : status;
}

static enum err find(struct ctx *c, text token, struct pending *out)
{
    sealed body;
    text clear;
    *out = (struct pending){ .c = c, .digest = secret_digest(c, TEXT("submission"), token) };
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_SUBMISSION_FIND, ARGS(V_BYTES(TEXT_BYTES(out->digest)), V_INT(c->now)));
        if (!token.n || !query_next(&q))
            return q.status == OK ? joining_no_link(c) : q.status;
        c->tenant = arena_copy(c->arena, query_get(&q, SUBMISSION_FIND, tenant));
        memcpy(&out->id, query_get(&q, SUBMISSION_FIND, id).p, sizeof out->id);
        out->form = arena_copy(c->arena, query_get(&q, SUBMISSION_FIND, form));
        out->of_person = !query_null(&q, SUBMISSION_FIND, subject);
        if (out->of_person)
            memcpy(&out->subject, query_get(&q, SUBMISSION_FIND, subject).p, sizeof out->subject);
        body = (sealed){ arena_copy(c->arena, query_get(&q, SUBMISSION_FIND, body).bytes) };
        out->at = query_get(&q, SUBMISSION_FIND, at);
        TRY(q.status);
    }
    TRY(open_body(out, body, &clear));
    TRY(json_parse(c->arena, clear, &out->kept));
    out->data = json_get(out->kept, TEXT("data"));
    return OK;
}

/* What a parent is asked to agree to, in the words that stood beside the boxes. */
static void put_agreed(const struct pending *s, struct json_out *w)
{
    bool parent = parent_is_asked(s->kept);
    json_pair_bool(w, TEXT("parent"), parent);
    json_name(w, TEXT("wordings"));
    json_open(w, '[');
    JSON_EACH(one, json_get(s->kept, TEXT("consents")))
        if (parent && text_eq(json_text(one, TEXT("decision")), TEXT("given")))
            json_put_text(w, json_text(one, TEXT("wording")));
    json_close(w, ']');
}

enum err choice_look(struct ctx *c, text token, struct answer *out)
{
    struct pending s;
    struct point p;
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    TRY(find(c, token, &s));
    TRY(point_find(c, s.form, &p));
    json_open(&w, '{');
    json_pair(&w, TEXT("form"), p.name);
    json_pair(&w, TEXT("title"), point_title(c, &p));
    put_agreed(&s, &w);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- What joins somebody who is there already. ---- */

/* {field: value} as held, and of what was sent that which is not held yet: a form changes nothing. */
static enum err filled(struct ctx *c, const struct json *old, const struct json *sent, bool *more,
                       const struct json **out)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    *more = false;
    json_open(&w, '{');
    JSON_EACH(before, old) {
        json_name(&w, before->key);
        json_put(&w, before->first);
    }
    JSON_EACH(v, sent)
        if (!json_get(old, v->key)) {
            json_name(&w, v->key);
            json_put(&w, v);
            *more = true;
        }
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

static enum err join_category(struct ctx *c, struct change *ch, int index, const struct json *sent,
                              const struct json *all)
{
    const struct category *cat = &c->policy->categories[index];
    struct record *rows = NULL, like = { .category = index, .source = ch->source, .at = c->now };
    const struct json *old = NULL, *fields = sent;
    unsigned count = 0;
    bool more = true;
    if (cat->many)
        TRY(append_item(c, ch->person, cat, &like.item));
    else
        TRY(record_load(c, ch->person, index, false, &rows, &count));
    if (count) {
        like = rows[0];
        old = rows[0].fields;
        TRY(filled(c, old, sent, &more, &fields));
    }
    if (!more)
        return OK;
    TRY(value_take_category(c, cat, &fields, all));
    text form = form_sealed(c, fields, old, ch->source);
    TRY_PTR(form.p);
    TRY(change_identifiers(c, ch, cat, fields, old));
    return change_record(c, ch, &like, form);
}

/* What was left unticked refuses what has no answer yet; it withdraws nothing (asked again inside the write). */
static void yield(struct change *ch)
{
    for (unsigned i = 0; i < ch->consent_count; i++)
        ch->consents[i].yields = text_eq(ch->consents[i].decision, TEXT("refused"));
}

static void set_of(const struct ctx *c, const struct json *data, struct bits *out)
{
    *out = (struct bits){ { 0 } };
    JSON_EACH(fields, data)
        if (policy_category(c->policy, fields->key) >= 0)
            bits_add(out, (unsigned)policy_category(c->policy, fields->key));
}

static enum err make_join(struct ctx *c, const struct pending *s, struct person *p, struct change *ch,
                          struct event *event)
{
    const struct json *data = s->data;
    struct bits categories, given = { { 0 } };
    struct source_taken source;
    struct whole whole;
    set_of(c, data, &categories);
    TRY(change_begin(c, p, data->count, ch));
    ch->expected = p->version;
    ch->version = p->version + 1;
    TRY(source_take(c, TEXT("person"), &categories, &source));
    append_use_source(ch, source);
    TRY(change_consents(c, ch, json_get(s->kept, TEXT("consents"))));
    for (unsigned i = 0; i < ch->consent_count; i++)
        if (text_eq(ch->consents[i].decision, TEXT("given")))
            bits_add(&given, (unsigned)policy_purpose(c->policy, ch->consents[i].purpose));
    TRY(person_allow_some(c, p, &given, TEXT(""), &categories, ACT_WRITE));
    TRY(whole_take(c, p, NULL, NULL, &whole));
    JSON_EACH(sent, data)
        TRY(join_category(c, ch, policy_category(c->policy, sent->key), sent, whole.after));
    *event = event_of(c, p, TEXT("subject.update"));
    event->categories = event_categories(c, &categories);
    event->count = ch->record_count;
    return OK;
}

/* ---- Whose it is. ---- */

void joining_act_as(struct ctx *c, struct subject_id id, bool known)
{
    c->actor = (struct actor){ .kind = ACTOR_PERSON,
                               .index = PERSON,
                               .name = c->policy->actors[PERSON].name,
                               .has_self = known,
                               .self = id,
                               .agreement = true };
}

/* By the address that the link went to, and by nothing else. */
static enum err owner_of(struct ctx *c, const struct point *point, const struct change *made, bool *found,
                         struct subject_id *out)
{
    const struct point_field *f = &point->fields[point->email];
    text name = arena_print(c->arena, "%.*s.%.*s", T(f->category->name), T(f->field->name));
    *found = false;
    for (unsigned i = 0; i < made->identifier_count && !*found; i++)
        if (text_eq(made->identifiers[i].field, name))
            TRY(person_find(c, name, &made->identifiers[i].digest, found, out));
    return OK;
}

/* ---- What is another's. ---- */

static enum err find_other(struct ctx *c, text field, const struct digest *digest, const struct digest *former,
                           const struct subject_id *own, bool *is)
{
    const struct digest *each[] = { digest, former };
    for (size_t i = 0; i < 2 && !*is; i++) {
        struct subject_id id;
        bool found;
        TRY(person_find(c, field, each[i], &found, &id));
        *is = found && !(own && memcmp(&id, own, sizeof id) == 0);
    }
    return OK;
}

static enum err is_anothers(struct ctx *c, const struct change_identifier *name, const struct subject_id *own, bool *is)
{
    *is = false;
    TRY(find_other(c, name->field, &name->digest, &name->former, own, is));
    for (unsigned i = 0; i < name->other_count && !*is; i++)
        TRY(find_other(c, name->others[i].field, &name->others[i].digest, &name->others[i].former, own, is));
    return OK;
}

static void put_but(struct json_out *w, const struct json *fields, text left)
{
    json_name(w, fields->key);
    json_open(w, '{');
    JSON_EACH(v, fields)
        if (!text_eq(v->key, left)) {
            json_name(w, v->key);
            json_put(w, v);
        }
    json_close(w, '}');
}

static enum err leave_out(struct ctx *c, text name, const struct json **data)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    text field = name, category = text_cut(&field, '.');
    json_open(&w, '{');
    JSON_EACH(fields, *data)
        put_but(&w, fields, text_eq(fields->key, category) ? field : TEXT(""));
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, data);
}

/* The address is proven, and no other name: a telephone that somebody else has is left out, and nobody is told whether
 * there is such a person. */
static enum err spare(struct pending *s, const struct change *made, const struct subject_id *own, bool *spared)
{
    *spared = false;
    for (unsigned i = 0; i < made->identifier_count; i++) {
        bool is;
        TRY(is_anothers(s->c, &made->identifiers[i], own, &is));
        if (is)
            TRY(leave_out(s->c, made->identifiers[i].field, &s->data));
        *spared = *spared || is;
    }
    return OK;
}

/* A registration that nobody confirmed is no proof of an address: it gives way to who proved theirs. */
static enum err unproven(struct ctx *c, struct subject_id id, bool *gone)
{
    struct account account;
    struct ctx server = *c;
    TRY(account_load(c, id, &account));
    *gone = account.there && text_eq(account.state, ACCOUNT_INVITED) && text_eq(account.opened_by, TEXT("person"));
    server.actor = actor_server();
    return *gone ? erase_at_term(&server, id) : OK;
}

/* ---- The write. ---- */

static enum err run_join(struct db *db, void *arg)
{
    const struct pending *s = arg;
    int64_t changed;
    TRY(db_run(db, SQL_SUBMISSION_JOIN, &changed,
               ARGS(V_TEXT(s->c->tenant), V_ID(s->id), V_BYTES(TEXT_BYTES(s->digest)), V_ID(s->p->id),
                    V_SEALED(s->body), V_INT(s->point->own.unit != TERM_UNSET))));
    if (!changed)
        return say(db_arena(db), ERR_NOT_FOUND, "this link is not valid, or no longer");
    TRY(joining_spent(db, s->c, &s->digest, s->form));
    TRY(s->asks ? parent_run(db, s) : OK);
    return journal_add(db, &s->event, NULL);
}

/* What came in by it, and whether it made the person: a form's own term ends that (over.c). A category that was held
 * already came by it too. */
static enum err brought(struct ctx *c, const struct pending *s, const struct change *ch, text *out)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair_bool(&w, TEXT("made"), ch->create);
    json_name(&w, TEXT("brought"));
    json_open(&w, '{');
    JSON_EACH(sent, json_get(s->kept, TEXT("data")))
        if (!c->policy->categories[policy_category(c->policy, sent->key)].many)
            json_pair_int(&w, sent->key, 0);
    for (unsigned i = 0; i < ch->record_count; i++) {
        const struct category *cat = &c->policy->categories[ch->records[i].category];
        if (cat->many)
            json_pair_int(&w, cat->name, ch->records[i].item);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    return buf_take(c->arena, &b, out);
}

static enum err write_join(struct pending *s, struct person *p, struct change *ch, struct event event)
{
    text body;
    struct ctx *c = s->c;
    text version = json_text(s->kept, TEXT("policy"));
    yield(ch);
    ch->policy_version = version; /* the words that were agreed to */
    s->p = p;
    s->event = event_of(c, p, parent_is_asked(s->kept) ? TEXT("form.parent_agreed") : TEXT("form.confirmed"));
    if (s->asks)
        TRY(parent_seal(s, p));
    TRY(brought(c, s, ch, &body));
    TRY(joining_seal(c, p, s->form, s->id, body, &s->body));
    s->subject = p->id;
    s->joined = true;
    ch->also = run_join;
    ch->also_arg = s;
    return change_write(c, ch, event, NULL);
}

static enum err join(struct pending *s, struct subject_id id)
{
    struct ctx *c = s->c;
    PERSON_AUTO p = { 0 };
    struct change ch;
    struct event event;
    joining_act_as(c, id, true);
    enum err status = person_open(c, id_print(c->arena, id), false, &p);
    if (status == ERR_NOT_FOUND)
        return say(c->arena, ERR_CONFLICT, "the account of this address is closed: nothing was added to it");
    TRY(status);
    TRY(make_join(c, s, &p, &ch, &event));
    return write_join(s, &p, &ch, event);
}

/* As somebody new: what is kept of many is written behind it. */
static enum err make_new(struct pending *s, struct person *p, struct change *ch, struct event *event,
                         const struct json **many)
{
    const struct json *single;
    TRY(joining_split(s->c, s->data, &single, many));
    const struct making m = {
        .data = single, .consents = json_get(s->kept, TEXT("consents")), .source = TEXT("person"), .settled = true
    };
    return person_make(s->c, &m, p, ch, event);
}

/* Somebody new, unless the address is known: ERR_PRECONDITION when that changed while it was looked at. */
static enum err settle(struct pending *s, const struct point *point)
{
    struct ctx *c = s->c;
    PERSON_AUTO first = { 0 };
    PERSON_AUTO again = { 0 };
    struct person *p = &first;
    struct change ch;
    struct event event;
    struct subject_id id;
    bool found, spared, gone = false;
    const struct json *many;
    joining_act_as(c, (struct subject_id){ { 0 } }, false);
    TRY(make_new(s, p, &ch, &event, &many));
    TRY(owner_of(c, point, &ch, &found, &id));
    if (found)
        TRY(unproven(c, id, &gone));
    TRY(spare(s, &ch, found ? &id : NULL, &spared));
    if (found && !gone)
        return join(s, id);
    if (spared) {
        p = &again;
        TRY(make_new(s, p, &ch, &event, &many));
    }
    JSON_EACH(sent, many)
        TRY(join_category(c, &ch, policy_category(c->policy, sent->key), sent, s->data));
    event.count = ch.record_count;
    enum err status = write_join(s, p, &ch, event);
    return status == ERR_CONFLICT ? ERR_PRECONDITION : status;
}

/* Who follows it: a parent; somebody who said that they are younger; or anybody else. */
static enum err follow(struct pending *s, text *state)
{
    struct ctx *c = s->c;
    bool whole = false;
    if (parent_is_asked(s->kept)) {
        TRY(parent_agreed(s));
        return s->of_person ? parent_join(s) : settle(s, s->point);
    }
    if (!parent_awaited(s))
        return settle(s, s->point);
    TRY(parent_ask(s, &whole));
    enum err status = whole ? parent_write(s) : settle(s, s->point);
    throttle_leave(c, &s->asks->letters);
    *state = TEXT("parent");
    return status;
}

static enum err tell(const struct pending *s, text state, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 14);
    struct json_out w = json_out(&b);
    text gives = s->joined ? point_gives(s->point) : TEXT("");
    json_open(&w, '{');
    json_pair(&w, TEXT("form"), s->form);
    json_pair(&w, TEXT("state"), state);
    json_pair(&w, TEXT("gives"), gives.n ? gives : (text){ NULL, 0 });
    json_close(&w, '}');
    return buf_take(s->c->arena, &b, &out->body);
}

enum err choice_confirm(struct ctx *c, text token, struct answer *out)
{
    struct pending s;
    struct point point;
    text state = TEXT("done");
    enum err status = ERR_PRECONDITION;
    for (int tries = 0; status == ERR_PRECONDITION && tries < 4; tries++) {
        TRY(find(c, token, &s));
        TRY(point_find(c, s.form, &point));
        if (point.email < 0)
            return joining_no_link(c);
        s.point = &point;
        state = TEXT("done");
        status = follow(&s, &state);
    }
    TRY(status);
    if (s.joined)
        TRY(thanks_send(&s));
    return tell(&s, state, out);
}
