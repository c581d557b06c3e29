/* The contact log: what was written to a person and which calls there were, with the fields that the policy declares
 * and no other. */
#include "domain/person/look_at.h"
#include "domain/mail/contact.h"
#include "domain/person/person.h"
#include "domain/person/change.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/mail/mail.h"
#include "domain/mail/sent.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum { SUBJECT_MAX = 200, TEXT_MAX = 20000, AGAIN = 3 };

/* -1 also for a tenant that does not hold it. */
static int log_category(const struct ctx *c)
{
    int category = policy_stream(c->policy, TEXT("contacts"));
    return policy_tenant_holds(policy_tenant(c->policy, c->tenant), category) ? category : -1;
}

/* A refusal is on record. */
static enum err refused(struct ctx *c, const struct person *p, text purpose, enum err status)
{
    return status == OK || status == ERR_MEMORY ? status : write_refusal(c, p, value_shown(purpose), TEXT(""));
}

/* ---- One record of the log. ---- */

/* At most so many characters of UTF-8. */
static text shortened(text s, int64_t characters)
{
    size_t end = 0;
    while (end < s.n && ((s.p[end] & 0xC0) == 0x80 || characters-- > 0))
        end++;
    return text_upto(s, end);
}

static void put_field(struct json_out *w, const struct category *cat, text name, text value)
{
    int f = policy_field(cat, name);
    if (f >= 0)
        json_pair(w, name, cat->fields[f].has_max ? shortened(value, cat->fields[f].max) : value);
}

static text usual_source(const struct ctx *c, const struct category *cat)
{
    for (unsigned i = 0; i < c->policy->source_count; i++)
        if (cat->sources >> i & 1)
            return c->policy->sources[i].name;
    return c->policy->sources[0].name;
}

/* {field: value} as it is sealed: {field: [value, source, time]}. */
static text sealed_form(struct ctx *c, const struct json *fields, text source)
{
    BUF_AUTO b = buf_make(64 << 10);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    JSON_EACH(v, fields) {
        json_name(&w, v->key);
        json_open(&w, '[');
        json_put(&w, v);
        json_put_text(&w, source);
        json_put_int(&w, c->now);
        json_close(&w, ']');
    }
    json_close(&w, '}');
    return buf_made(c->arena, &b);
}

bool contact_says(const struct field *f)
{
    return !text_eq(f->name, TEXT("at")) && !text_eq(f->name, TEXT("channel")) && !text_eq(f->name, TEXT("subject"));
}

static enum err undeclared(struct ctx *c, const struct category *cat, text name)
{
    text shown = value_shown(name);
    say_clause(c->arena, ERR_UNDECLARED, &cat->clause, "the log of contacts has no field \"%.*s\" to be said", T(shown));
    text_cstr(shown, c->arena->why.field, sizeof c->arena->why.field);
    return ERR_UNDECLARED;
}

static enum err declared_fields(struct ctx *c, const struct category *cat, const struct contact_said *said,
                                const struct json **out)
{
    BUF_AUTO b = buf_make(64 << 10);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    put_field(&w, cat, TEXT("at"), time_print(c->arena, said->at));
    put_field(&w, cat, TEXT("channel"), said->channel);
    put_field(&w, cat, TEXT("subject"), said->subject);
    JSON_EACH(v, said->noted) {
        int f = policy_field(cat, v->key);
        if (f < 0 || !contact_says(&cat->fields[f]))
            return undeclared(c, cat, v->key);
        json_name(&w, v->key);
        json_put(&w, v);
    }
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, out));
    return value_take_category(c, cat, out, NULL);
}

/* Items are times in microseconds, at random within the millisecond; two that meet all the same are told apart by a
 * second try. */
static int64_t item_at(msec now)
{
    uint8_t random[2];
    crypt_random(random, sizeof random);
    return now * 1000 + (random[0] << 8 | random[1]) % 1000;
}

static bool is_kept(const struct policy *p, int index)
{
    return index >= 0 && p->categories[index].many && !p->categories[index].transient;
}

enum err contact_prepare(struct ctx *c, struct person *p, const struct contact_said *said, struct change *out,
                         bool *kept)
{
    int index = log_category(c);
    const struct json *fields = NULL;
    *kept = is_kept(c->policy, index);
    if (!*kept)
        return OK;
    const struct category *cat = &c->policy->categories[index];
    *kept = false;
    TRY(declared_fields(c, cat, said, &fields));
    TRY(change_begin(c, p, 1, out));
    struct record like = { .category = index, .item = item_at(c->now), .at = said->at, .source = usual_source(c, cat) };
    out->source = like.source;
    text form = sealed_form(c, fields, like.source);
    TRY_PTR(form.p);
    TRY(change_record(c, out, &like, form));
    *kept = true;
    return OK;
}

/* ---- What staff writes and notes. ---- */

static enum err service_purpose(struct ctx *c, text name, text channel)
{
    int index = policy_purpose(c->policy, name);
    const struct purpose *p = index >= 0 && (unsigned)index < c->policy->purpose_count ? &c->policy->purposes[index]
                                                                                       : NULL;
    bool fits = p && !p->channel_count;
    if (!p)
        return OK; /* the decision refuses it, and names the clause */
    for (unsigned i = 0; i < p->channel_count; i++)
        fits |= text_eq(p->channels[i], channel);
    if (p->marketing)
        return say_clause(c->arena, ERR_PURPOSE, &p->clause,
                          "purpose \"%.*s\" is marketing, and this sends service messages only", T(p->name));
    return fits ? OK
                : say_clause(c->arena, ERR_PURPOSE, &p->clause, "purpose \"%.*s\" does not use the channel \"%.*s\"",
                             T(p->name), T(channel));
}

static enum err check_line(struct ctx *c, text subject)
{
    bool control = false;
    for (size_t i = 0; i < subject.n; i++)
        control |= (uint8_t)subject.p[i] < ' ' || subject.p[i] == 0x7F;
    if (!text_trim(subject).n)
        return say(c->arena, ERR_MISSING, "\"subject\" says in a line what it was about");
    if (control || subject.n > SUBJECT_MAX)
        return say(c->arena, ERR_VALUE, "\"subject\" is one line of at most %d bytes, without control characters",
                   SUBJECT_MAX);
    return value_no_card(c, TEXT("subject"), subject);
}

/* Line breaks as forms send them, CR LF, become those of texts. */
static enum err read_text(struct ctx *c, const struct json *in, text *out)
{
    BUF_AUTO b = buf_make(2 * TEXT_MAX);
    for (text rest = json_text(in, TEXT("text")); rest.p;) {
        text line = text_cut(&rest, '\n');
        buf_add(&b, rest.p && text_ends(line, TEXT("\r")) ? text_upto(line, line.n - 1) : line);
        if (rest.p)
            buf_char(&b, '\n');
    }
    enum err e = buf_take(c->arena, &b, out);
    return e == ERR_TOO_LARGE ? say(c->arena, ERR_VALUE, "\"text\" has at most %d bytes", TEXT_MAX) : e;
}

static enum err check_text(struct ctx *c, text s)
{
    bool control = false;
    for (size_t i = 0; i < s.n; i++)
        control |= ((uint8_t)s.p[i] < ' ' && s.p[i] != '\n' && s.p[i] != '\t') || s.p[i] == 0x7F;
    if (!text_trim(s).n)
        return say(c->arena, ERR_MISSING, "\"text\" is what the message says");
    if (control || s.n > TEXT_MAX)
        return say(c->arena, ERR_VALUE, "\"text\" has at most %d bytes, and no control characters but line breaks",
                   TEXT_MAX);
    return value_no_card(c, TEXT("text"), s);
}

static enum err run_queue(struct db *db, struct write *w)
{
    const struct mail_put *m = w->arg;
    TRY(write_person_there(db, m->tenant, m->subject));
    return mail_run_put_quietly(db, m);
}

static enum err allow_send(struct ctx *c, const struct person *p, text purpose, int category, text channel)
{
    struct bits set = { { 0 } };
    if (category >= 0)
        bits_add(&set, (unsigned)category);
    return person_allow_by(c, p, purpose, &set, ACT_SEND, channel);
}

/* What else is to be noted is looked at before the letter is queued: once it went, nobody is there to be asked. */
static enum err check_noted(struct ctx *c, text channel, text subject, const struct json *noted)
{
    int index = log_category(c);
    const struct contact_said said = { channel, subject, c->now, noted };
    const struct json *fields;
    if (is_kept(c->policy, index))
        return declared_fields(c, &c->policy->categories[index], &said, &fields);
    return noted && noted->first ? say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                                              "the policy keeps no log of contacts (stream: contacts)")
                                 : OK;
}

enum err contact_send(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct mail_put put;
    int category = -1;
    const struct json *noted = json_get(in, TEXT("fields"));
    text purpose = json_text(in, TEXT("purpose")), subject = json_text(in, TEXT("subject")), said, to;
    TRY(read_text(c, in, &said));
    const struct pair_text values[] = { { TEXT("subject"), subject }, { TEXT("text"), said } };
    TRY(person_open(c, id, false, &p));
    TRY(refused(c, &p, purpose, service_purpose(c, purpose, TEXT("email"))));
    TRY(allow_send(c, &p, purpose, -1, TEXT("email")));
    TRY(mail_address(c, &p, &to, &category));
    if (to.n)
        TRY(allow_send(c, &p, purpose, category, TEXT("email")));
    TRY(check_line(c, subject));
    TRY(check_text(c, said));
    TRY(check_noted(c, TEXT("email"), subject, noted));
    TRY(mail_make(c, &p, to, TEXT("service_message"), &(struct letter_values){ values, 2, noted }, &put));
    put.purpose = purpose;
    put.event.purpose = purpose;
    put.event.clause = c->policy->purposes[policy_purpose(c->policy, purpose)].clause.path;
    out->id = id_print(c->arena, put.id);
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\"}", T(out->id));
    TRY_PTR(out->body.p);
    struct write w = { .run = run_queue, .arg = &put, .event = put.event };
    return write_do(c, &w, out);
}

static enum err note_call(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p;
    struct change ch;
    bool kept;
    int category = log_category(c);
    msec at = c->now;
    text purpose = json_text(in, TEXT("purpose")), subject = json_text(in, TEXT("subject")),
         when = json_text(in, TEXT("at"));
    TRY(person_open(c, id, false, &p));
    TRY(refused(c, &p, purpose, service_purpose(c, purpose, TEXT("phone"))));
    TRY(allow_send(c, &p, purpose, -1, TEXT("phone")));
    if (category < 0) {
        say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                   "the policy keeps no log of contacts (stream: contacts)");
        return write_refusal(c, &p, value_shown(purpose), TEXT(""));
    }
    TRY(allow_send(c, &p, purpose, category, TEXT("phone")));
    TRY(check_line(c, subject));
    if (when.p && (!value_moment(c, when, false, &at) || at > c->now + 5 * MINUTE))
        return say(c->arena, ERR_VALUE, "\"at\" is when the call took place (RFC 3339), not to come");
    const struct contact_said said = { TEXT("phone"), subject, at, json_get(in, TEXT("fields")) };
    TRY(contact_prepare(c, &p, &said, &ch, &kept));
    if (!kept)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories[category].clause,
                          "the log of contacts cannot hold several records");
    out->body = arena_print(c->arena, "{\"item\":%lld}", (long long)ch.records[0].item);
    TRY_PTR(out->body.p);
    struct event event = event_of(c, &p, TEXT("contact.call"));
    event.purpose = purpose;
    event.categories = c->policy->categories[category].name;
    event.count = 1;
    return change_write(c, &ch, event, out);
}

enum err contact_call(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    enum err status = note_call(c, id, in, out);
    for (int again = 0; status == ERR_CONFLICT && again < AGAIN; again++)
        status = note_call(c, id, in, out);
    return status;
}

/* ---- What there was. ---- */

static void put_contact(struct json_out *w, const struct record *r)
{
    char at[TIME_TEXT + 1];
    json_open(w, '{');
    json_pair_int(w, TEXT("item"), r->item);
    json_pair(w, TEXT("at"), time_text(r->at, at));
    json_name(w, TEXT("fields"));
    json_open(w, '{');
    JSON_EACH(v, r->fields) {
        json_name(w, v->key);
        json_put(w, v->first);
    }
    json_close(w, '}');
    json_close(w, '}');
}

struct listing {
    text where, field, choice; /* FIELD:CHOICE, in two */
};

static enum err find_choice(struct ctx *c, struct listing *l)
{
    int index = log_category(c);
    text choice = l->where, field = text_cut(&choice, ':');
    int at = index >= 0 ? policy_field(&c->policy->categories[index], field) : -1;
    const struct field *f = at >= 0 ? &c->policy->categories[index].fields[at] : NULL;
    for (unsigned i = 0; f && i < f->choice_count; i++)
        if (text_eq(f->choices[i], choice)) {
            l->field = f->name;
            l->choice = f->choices[i];
            return OK;
        }
    return say(c->arena, ERR_VALUE, "\"where\" is a field and a choice of the log of contacts, like motive:order");
}

static text noted_as(const struct record *r, text field)
{
    const struct json *v = json_get(r->fields, field);
    return v && v->first ? v->first->value : (text){ NULL, 0 };
}

/* How many there are of each choice: staff see at a glance what a person writes about. */
static void put_counts(const struct category *cat, const struct record *rows, unsigned count, struct json_out *w)
{
    json_name(w, TEXT("counts"));
    json_open(w, '{');
    for (unsigned i = 0; cat && i < cat->field_count; i++) {
        const struct field *f = &cat->fields[i];
        if (f->type != FIELD_CHOICE)
            continue;
        json_name(w, f->name);
        json_open(w, '{');
        for (unsigned k = 0; k < f->choice_count; k++) {
            int64_t n = 0;
            for (unsigned r = 0; r < count; r++)
                n += text_eq(noted_as(&rows[r], f->name), f->choices[k]);
            json_pair_int(w, f->choices[k], n);
        }
        json_close(w, '}');
    }
    json_close(w, '}');
}

static enum err may_see_contacts(struct ctx *c, struct look *l)
{
    struct bits set = { { 0 } };
    int category = log_category(c);
    if (category >= 0)
        bits_add(&set, (unsigned)category);
    TRY(person_allow(c, &l->p, l->purpose, &set, ACT_READ));
    l->event.categories = event_categories(c, &set);
    l->event.clause = c->policy->purposes[policy_purpose(c->policy, l->purpose)].clause.path;
    return OK;
}

static enum err show_contacts(struct ctx *c, struct look *l, struct json_out *w)
{
    struct record *rows = NULL;
    unsigned count = 0, lost = 0;
    const struct listing *only = l->arg;
    int category = log_category(c);
    if (category >= 0)
        TRY(record_load_readable(c, &l->p, category, false, &rows, &count, &lost));
    l->event.count = count;
    json_name(w, TEXT("contacts"));
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++)
        if (!only->field.n || text_eq(noted_as(&rows[i], only->field), only->choice))
            put_contact(w, &rows[i]);
    json_close(w, ']');
    put_counts(category >= 0 ? &c->policy->categories[category] : NULL, rows, count, w);
    if (lost)
        json_pair_int(w, TEXT("unreadable"), lost);
    json_name(w, TEXT("letters"));
    return outbox_put_of(c, &l->p, false, w);
}

enum err contact_list(struct ctx *c, text id, text purpose, text where, struct answer *out)
{
    struct listing only = { .where = where };
    struct look l = {
        .act = TEXT("read"), .purpose = purpose, .may = may_see_contacts, .show = show_contacts, .arg = &only
    };
    if (where.n)
        TRY(find_choice(c, &only));
    return look_at_person(c, id, &l, out);
}
