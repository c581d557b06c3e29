/* Records added to a person and taken away. */
#include "domain/person/person.h"
#include "domain/person/form.h"
#include "domain/person/change.h"
#include "domain/person/append.h"
#include "domain/core/block.h"
#include "domain/core/instance.h"
#include "domain/person/keeping.h"
#include "domain/person/source.h"
#include "domain/core/value.h"
#include "domain/person/whole.h"
#include "domain/core/write.h"
#include "domain/core/feature.h"

/* Every datum has a source (GDPR 14(2)(f)); from somebody else than the person, they are owed the information of
 * Art. 14. */
void append_use_source(struct change *ch, struct source_taken source)
{
    ch->source = source.name;
    ch->inform = source.inform;
}

/* ---- Records of a category with many. ---- */

enum err append_item(struct ctx *c, const struct person *p, const struct category *cat, int64_t *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_RECORD_LAST, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(cat->name)));
    /* Items are times in microseconds, made larger where two fall together: unique without asking the writer. */
    int64_t last = query_next(&q) ? query_get(&q, RECORD_LAST, item) : 0, now = c->now * 1000;
    uint8_t random[2];
    crypt_random(random, sizeof random);
    *out = (now > last ? now : last + 1) +
           (random[0] << 8 | random[1]) % 1000; /* at random, so that two at once rarely meet */
    return q.status;
}

static enum err add_record(struct ctx *c, text id, text category, const struct json *in, struct answer *out)
{
    PERSON_AUTO p;
    struct change ch;
    struct record like = { .at = c->now };
    struct bits set = { { 0 } };
    text at = json_text(in, TEXT("at"));
    struct source_taken source;
    const struct json *fields = json_get(in, TEXT("fields")), *other;
    TRY(person_open(c, id, false, &p));
    TRY(write_refused(c, &p, form_category_of(c, category, &like.category)));
    const struct category *cat = &c->policy->categories[like.category];
    if (!cat->many || cat->transient)
        return say_clause(c->arena, ERR_USAGE, &cat->clause, "category \"%.*s\" has one record: change it with PATCH",
                          T(cat->name));
    if (at.p && !value_moment(c, at, false, &like.at))
        return say(c->arena, ERR_VALUE, "\"at\" must be a time as in RFC 3339");
    bits_add(&set, (unsigned)like.category);
    TRY(person_allow_some(c, &p, NULL, json_text(in, TEXT("purpose")), &set, ACT_WRITE));
    TRY(whole_other(c, &p, cat, &other));
    TRY(write_refused(c, &p, value_take_category(c, cat, &fields, other)));
    TRY(append_item(c, &p, cat, &like.item));
    TRY(change_begin(c, &p, 1, &ch));
    if (other) /* what it depends on is still as it was read */ {
        ch.expected = p.version;
        ch.version = p.version + 1;
    }
    TRY(write_refused(c, &p, source_take(c, json_text(in, TEXT("source")), &set, &source)));
    append_use_source(&ch, source);
    const struct arrival arrival = { .category = cat->name, .fields = fields };
    TRY(permission_take(c, &p, false, source, json_get(in, TEXT("permission")), &arrival, &ch.permission));
    like.source = ch.source;
    text form = form_sealed(c, fields, NULL, like.source);
    TRY_PTR(form.p);
    TRY(change_record(c, &ch, &like, form));
    out->body = arena_print(c->arena, "{\"item\":%lld}", (long long)like.item);
    TRY_PTR(out->body.p);
    struct event event = event_of(c, &p, TEXT("subject.update"));
    event.categories = cat->name;
    event.count = 1;
    return change_write(c, &ch, event, out);
}

enum err subject_note(struct ctx *c, struct person *p, int category, msec at, text fields, struct change *out)
{
    const struct category *cat = &c->policy->categories[category];
    const struct json *all, *declared;
    struct record like = { .category = category, .at = at };
    struct bits set = { { 0 } };
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    TRY(json_parse(c->arena, fields, &all));
    json_open(&w, '{');
    JSON_EACH(v, all)
        if (v->kind != J_NULL && policy_field(cat, v->key) >= 0) {
            json_name(&w, v->key);
            json_put(&w, v);
        }
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &declared));
    const struct json *other;
    TRY(whole_other(c, p, cat, &other));
    TRY(value_take_category(c, cat, &declared, other));
    bits_add(&set, (unsigned)category);
    TRY(append_item(c, p, cat, &like.item));
    TRY(change_begin(c, p, 1, out));
    out->source = source_observed(c, &set);
    like.source = out->source;
    const struct arrival arrival = { .category = cat->name, .fields = declared };
    const struct source_taken source = { .name = out->source };
    TRY(permission_take(c, p, false, source, NULL, &arrival, &out->permission));
    text form = form_sealed(c, declared, NULL, like.source);
    TRY_PTR(form.p);
    return change_record(c, out, &like, form);
}

/* Who keeps it: the person where the policy lets it come from them; or whoever brings it. */
static enum err kept_source(struct ctx *c, const struct bits *set, text *out)
{
    struct source_taken source;
    bool own = c->actor.kind == ACTOR_PERSON;
    *out = source_observed(c, set);
    if (own)
        return OK; /* "person" stands first among the sources of a policy */
    TRY(source_take(c, TEXT(""), set, &source));
    *out = source.name;
    return OK;
}

enum err subject_keep(struct ctx *c, struct person *p, int category, const struct record *old,
                      const struct json *fields, struct change *out)
{
    const struct category *cat = &c->policy->categories[category];
    struct record like = old ? *old : (struct record){ .category = category };
    struct bits set = { { 0 } };
    bits_add(&set, (unsigned)category);
    if (!old)
        TRY(append_item(c, p, cat, &like.item));
    TRY(change_begin(c, p, 1, out));
    out->expected = p->version;
    out->version = p->version + 1;
    TRY(kept_source(c, &set, &out->source));
    const struct arrival arrival = { .category = cat->name, .fields = fields };
    const struct source_taken source = { .name = out->source };
    TRY(permission_take(c, p, false, source, NULL, &arrival, &out->permission));
    like.source = out->source;
    like.at = c->now;
    like.due = 0;
    text form = form_sealed(c, fields, old ? old->fields : NULL, like.source);
    TRY_PTR(form.p);
    return change_record(c, out, &like, form);
}

enum err subject_add_record(struct ctx *c, text id, text category, const struct json *in, struct answer *out)
{
    /* Two at once may take the form_same item, or both make the category's own key: one of them then goes again. */
    enum err status = add_record(c, id, category, in, out);
    for (int again = 0; (status == ERR_CONFLICT || status == ERR_PRECONDITION) && again < 3; again++)
        status = add_record(c, id, category, in, out);
    return status;
}

/* The identifiers that go with a dropped category. */
static enum err drop_identifiers(struct ctx *c, struct change *ch, int category)
{
    struct record *rows;
    unsigned count;
    TRY(record_load(c, ch->person, category, true, &rows, &count));
    return count ? change_identifiers(c, ch, &c->policy->categories[category], NULL, rows[0].fields) : OK;
}

/* The rest of the person once a whole category is gone. */
static enum err check_without(struct ctx *c, const struct person *p, int category, bool one_item)
{
    struct bits gone = { { 0 } };
    struct whole whole;
    if (one_item)
        return OK;
    bits_add(&gone, (unsigned)category);
    TRY(whole_take(c, p, NULL, &gone, &whole));
    return whole_check(c, p, &whole);
}

enum err subject_drop_record(struct ctx *c, text id, text category, text item, struct answer *out)
{
    PERSON_AUTO p;
    struct change ch;
    int index;
    int64_t number = 0;
    (void)out;
    TRY(person_open(c, id, false, &p));
    TRY(form_category_of(c, category, &index));
    TRY(person_allow_act(c, &p, ACT_ERASE));
    TRY(keeping_forbids(c, &p, c->policy->categories[index].name));
    if (item.p && block_holds(&c->policy->categories[index]))
        return say_clause(c->arena, ERR_VALUE, &c->policy->categories[index].clause,
                          "events of category \"%.*s\" are erased together: leave the item out", T(category));
    if (item.p && !text_int(item, &number))
        return say(c->arena, ERR_VALUE, "\"item\" must be an integer");
    TRY(change_begin(c, &p, 1, &ch));
    ch.drops[ch.drop_count++] = (struct change_drop){ .category = c->policy->categories[index].name,
                                                      .item = number,
                                                      .all = !item.p };
    if (!item.p)
        TRY(drop_identifiers(c, &ch, index));
    TRY(feature_dropped(c, &ch));
    TRY(write_refused(c, &p, check_without(c, &p, index, item.p)));
    ch.expected = p.version;
    ch.version = p.version + 1;
    ch.truncate = true;
    struct event event = event_of(c, &p, TEXT("subject.update"));
    event.categories = c->policy->categories[index].name;
    return change_write(c, &ch, event, NULL);
}
