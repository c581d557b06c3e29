/* Preferences: one record a place, its values over those of all places over the policy's defaults. */
#include "domain/person/look_at.h"
#include "domain/preference/preference.h"
#include "domain/person/person.h"
#include "domain/person/change.h"
#include "domain/core/named.h"
#include "domain/core/looking.h"
#include "domain/core/normal.h"
#include "domain/person/append.h"
#include "domain/core/value.h"
#include "domain/person/whole.h"
#include "domain/core/write.h"

/* ---- Which categories, whose, for what. ---- */

/* With a field for what it is per (an entry for a contest) a record is of something that happened, and no setting. */
static bool is_preference(const struct category *cat)
{
    return cat->many && cat->per.n && !cat->transient && !cat->stream.n && policy_field(cat, cat->per) < 0;
}

static enum err category_of(struct ctx *c, const struct person *p, text name, int *out)
{
    *out = policy_category(c->policy, name);
    if (*out >= 0 && is_preference(&c->policy->categories[*out]))
        return OK;
    say_clause(c->arena, ERR_UNDECLARED, *out < 0 ? &c->policy->categories_clause : &c->policy->categories[*out].clause,
               "the policy has no preferences \"%.*s\"", T(value_shown(name)));
    return write_refusal(c, p, TEXT(""), TEXT(""));
}

static enum err check_place(struct ctx *c, text place)
{
    const struct field field = {
        .name = TEXT("place"), .type = FIELD_TEXT, .has_min = true, .min = 1, .has_max = true, .max = PLACE_CHARACTERS
    };
    const struct category form = { .name = TEXT("preferences") };
    const struct json value = { .kind = J_TEXT, .value = place };
    const struct json *taken = &value;
    enum err status = value_take(c, &form, &field, &taken);
    if (status != OK)
        c->arena->why.clause = &c->policy->categories_clause;
    return status;
}

/* The only purpose that it can be of those that this actor has; empty when there are several. */
static text only_purpose(const struct ctx *c, const struct category *cat)
{
    const struct bits reach = c->actor.index >= 0 ? c->policy->actors[c->actor.index].purposes : (struct bits){ { 0 } };
    text found = TEXT("");
    for (unsigned i = 0; i < c->policy->purpose_count; i++)
        if (bits_has(&cat->purposes, i) && bits_has(&reach, i)) {
            if (found.n)
                return TEXT("");
            found = c->policy->purposes[i].name;
        }
    return found;
}

/* The purpose that the journal names: the one that was named, never one chosen among several. Allows the act, or
 * refuses it on record. */
static enum err allow(struct ctx *c, const struct person *p, int category, text given, enum act act, text *purpose)
{
    struct bits set = { { 0 } };
    bits_add(&set, (unsigned)category);
    *purpose = given.n ? given : only_purpose(c, &c->policy->categories[category]);
    if (purpose->n)
        return person_allow(c, p, *purpose, &set, act);
    TRY(person_allow_some(c, p, NULL, TEXT(""), &set, act));
    *purpose = c->actor.kind == ACTOR_PERSON ? TEXT("preferences")
                                             : TEXT(""); /* their own, by their right; or nobody named one */
    return OK;
}

/* ---- Places. ---- */

static text place_of(const struct record *r, text per)
{
    const struct json *value = json_get(r->fields, per);
    return value && value->first && value->first->kind == J_TEXT ? value->first->value : PLACE_ALL;
}

struct places {
    struct person *p;
    int index;
    const struct category *cat;
    text per;
    struct record *rows;
    unsigned count;
};

static enum err load_places(struct ctx *c, struct person *p, int index, struct places *out)
{
    *out = (struct places){
        .p = p, .index = index, .cat = &c->policy->categories[index], .per = c->policy->categories[index].per
    };
    return record_load(c, p, index, false, &out->rows, &out->count);
}

/* The last of that place: records that a platform added without one are for all places. */
static const struct record *find_place(const struct places *s, text place)
{
    for (unsigned i = s->count; i-- > 0;)
        if (text_eq(place_of(&s->rows[i], s->per), place))
            return &s->rows[i];
    return NULL;
}

/* ---- Values as they hold. ---- */

static const struct json *value_in(const struct record *r, text field)
{
    const struct json *v = r ? json_get(r->fields, field) : NULL;
    return v ? v->first : NULL;
}

static void put_default(struct json_out *w, const struct field *f)
{
    if (f->type == FIELD_INTEGER || f->type == FIELD_NUMBER)
        json_put_raw(w, f->default_value);
    else if (f->type == FIELD_BOOLEAN)
        json_put_bool(w, text_eq(f->default_value, TEXT("true")));
    else
        json_put_text(w, f->default_value);
}

enum origin { FROM_PLACE, FROM_ALL, FROM_POLICY, FROM_NOWHERE };

static enum origin origin_of(const struct field *f, const struct json *here, const struct json *all)
{
    return here ? FROM_PLACE
         : all ? FROM_ALL
         : f->default_value.p ? FROM_POLICY : FROM_NOWHERE;
}

static void put_values(struct json_out *w, const struct places *s, const struct record *here, const struct record *all)
{
    static const text words[] = { TEXT_INIT("place"), TEXT_INIT("all"), TEXT_INIT("policy") };
    json_name(w, TEXT("values"));
    json_open(w, '{');
    for (unsigned i = 0; i < s->cat->field_count; i++) {
        const struct field *f = &s->cat->fields[i];
        const struct json *own = value_in(here, f->name), *common = value_in(all, f->name);
        enum origin from = origin_of(f, own, common);
        if (from == FROM_NOWHERE)
            continue;
        json_name(w, f->name);
        if (from == FROM_POLICY)
            put_default(w, f);
        else
            json_put(w, from == FROM_PLACE ? own : common);
    }
    json_close(w, '}');
    json_name(w, TEXT("from"));
    json_open(w, '{');
    for (unsigned i = 0; i < s->cat->field_count; i++) {
        const struct field *f = &s->cat->fields[i];
        enum origin from = origin_of(f, value_in(here, f->name), value_in(all, f->name));
        if (from != FROM_NOWHERE)
            json_pair(w, f->name, words[from]);
    }
    json_close(w, '}');
}

static void put_place_members(struct json_out *w, const struct places *s, text place)
{
    bool everywhere = text_eq(place, PLACE_ALL);
    json_pair(w, TEXT("category"), s->cat->name);
    json_pair(w, TEXT("place"), place);
    put_values(w, s, everywhere ? NULL : find_place(s, place), find_place(s, PLACE_ALL));
}

static void put_place(struct json_out *w, const struct places *s, text place)
{
    json_open(w, '{');
    put_place_members(w, s, place);
    json_close(w, '}');
}

static enum err answer_place(struct ctx *c, const struct places *s, text place, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    put_place(&w, s, place);
    *out = (struct answer){ 0 };
    return buf_take(c->arena, &b, &out->body);
}

struct getting {
    text category, place;
    struct places s;
};

static enum err may_get(struct ctx *c, struct look *l)
{
    struct getting *g = l->arg;
    int index;
    TRY(category_of(c, &l->p, g->category, &index));
    TRY(check_place(c, g->place));
    TRY(allow(c, &l->p, index, l->purpose, ACT_READ, &l->event.purpose));
    l->event.categories = c->policy->categories[index].name;
    l->event.count = 1;
    return load_places(c, &l->p, index, &g->s);
}

static enum err show_place(struct ctx *c, struct look *l, struct json_out *w)
{
    const struct getting *g = l->arg;
    put_place_members(w, &g->s, g->place);
    return c ? OK : ERR_INTERNAL;
}

enum err preference_get(struct ctx *c, text id, text category, text place, text purpose, struct answer *out)
{
    struct getting g = { .category = category, .place = place };
    struct look l = { .act = TEXT("read"), .purpose = purpose, .may = may_get, .show = show_place, .arg = &g };
    return look_at_person(c, id, &l, out);
}

/* ---- Setting. ---- */

/* {field: value} of the place after the patch, its name among them, as it will be held. */
static enum err merge(struct ctx *c, const struct places *s, const struct record *old, text place,
                      const struct json *in, const struct json **out)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    JSON_EACH(before, old ? old->fields : NULL)
        if (!json_get(in, before->key) && !text_eq(before->key, s->per)) {
            json_name(&w, before->key);
            json_put(&w, before->first);
        }
    JSON_EACH(v, in)
        if (v->kind != J_NULL) {
            json_name(&w, v->key);
            json_put(&w, v);
        }
    if (!text_eq(place, PLACE_ALL))
        json_pair(&w, s->per, place);
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

/* What is sent names fields of the policy, each of its type. */
static enum err take_sent(struct ctx *c, const struct places *s, const struct json **in)
{
    *in = normal_fields(c, s->cat, *in);
    TRY_PTR(*in);
    JSON_EACH(v, *in) {
        int index = policy_field(s->cat, v->key);
        if (index < 0)
            return value_take_category(c, s->cat, in, NULL); /* says which, and the nearest */
        if (v->kind == J_NULL)
            continue;
        const struct json *one = v;
        enum err status = value_take(c, s->cat, &s->cat->fields[index], &one);
        if (status != OK)
            text_cstr(s->cat->fields[index].clause.path.n
                          ? arena_print(c->arena, "%.*s.%.*s", T(s->cat->name), T(v->key))
                          : v->key,
                      c->arena->why.field, sizeof c->arena->why.field);
        TRY(status);
    }
    return OK;
}

/* What is required somewhere is required of that place; what holds for all may leave it to each. */
static enum err check_whole(struct ctx *c, const struct person *p, const struct places *s, text place,
                            const struct json *after)
{
    if (text_eq(place, PLACE_ALL))
        return OK;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    const struct json *fields, *other;
    json_open(&w, '{');
    JSON_EACH(v, after)
        if (policy_field(s->cat, v->key) >= 0) {
            json_name(&w, v->key);
            json_put(&w, v);
        }
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &fields));
    TRY(whole_other(c, p, s->cat, &other));
    return value_take_category(c, s->cat, &fields, other);
}

static enum err set_once(struct ctx *c, text id, text category, text place, const struct json *in, text purpose,
                         struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct places s;
    struct change ch;
    const struct json *after;
    int index;
    if (!in || in->kind != J_OBJECT)
        return say(c->arena, ERR_USAGE, "the body is {field: value, or null for the default again}");
    TRY(person_open(c, id, false, &p));
    TRY(category_of(c, &p, category, &index));
    TRY(write_refused(c, &p, check_place(c, place)));
    TRY(allow(c, &p, index, purpose, ACT_WRITE, &purpose));
    TRY(load_places(c, &p, index, &s));
    const struct record *old = find_place(&s, place);
    if (!old && s.count >= PLACES_MAX)
        return say_clause(c->arena, ERR_TOO_LARGE, &s.cat->clause, "preferences are kept for at most %d places",
                          PLACES_MAX);
    TRY(write_refused(c, &p, take_sent(c, &s, &in)));
    TRY(merge(c, &s, old, place, in, &after));
    TRY(write_refused(c, &p, check_whole(c, &p, &s, place, after)));
    TRY(subject_keep(c, &p, index, old, after, &ch));
    struct event event = event_of(c, &p, TEXT("subject.update"));
    event.categories = s.cat->name;
    event.purpose = purpose;
    event.count = 1;
    TRY(change_write(c, &ch, event,
                     NULL)); /* what it answers is personal, and not kept: sent again, it does the same again */
    TRY(load_places(c, &p, index, &s));
    return answer_place(c, &s, place, out);
}

enum err preference_set(struct ctx *c, text id, text category, text place, const struct json *in, text purpose,
                        struct answer *out)
{
    /* Saved from two devices at once: the one that came second looks again, so that a place has one record. */
    enum err status = set_once(c, id, category, place, in, purpose, out);
    for (int again = 0; (status == ERR_PRECONDITION || status == ERR_CONFLICT) && again < 5; again++)
        status = set_once(c, id, category, place, in, purpose, out);
    return status;
}

enum err preference_drop(struct ctx *c, text id, text category, text place, text purpose, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct places s;
    struct change ch;
    int index;
    (void)out;
    TRY(person_open(c, id, false, &p));
    TRY(category_of(c, &p, category, &index));
    TRY(allow(c, &p, index, purpose, ACT_WRITE, &purpose));
    TRY(load_places(c, &p, index, &s));
    TRY(change_begin(c, &p, s.count, &ch));
    for (unsigned i = 0; i < s.count; i++)
        if (text_eq(place_of(&s.rows[i], s.per), place))
            ch.drops[ch.drop_count++] = (struct change_drop){ .category = s.cat->name, .item = s.rows[i].item };
    if (!ch.drop_count)
        return say(c->arena, ERR_NOT_FOUND, "nothing is set for that place");
    ch.expected = p.version;
    ch.version = p.version + 1;
    ch.truncate = true;
    struct event event = event_of(c, &p, TEXT("subject.update"));
    event.categories = s.cat->name;
    event.purpose = purpose;
    event.count = ch.drop_count;
    return change_write(c, &ch, event, NULL);
}

/* ---- All that there is to set. ---- */

static void put_number(struct json_out *w, text name, bool has, int64_t n)
{
    json_name(w, name);
    if (has)
        json_put_int(w, n);
    else
        json_put_null(w);
}

static text type_word(enum field_type type)
{
    static const text words[] = {
#define X(name, word) TEXT_INIT(word),
        FIELD_TYPES(X)
#undef X
    };
    return words[type];
}

static void put_field(struct ctx *c, struct json_out *w, const struct category *cat, const struct field *f)
{
    json_open(w, '{');
    json_pair(w, TEXT("field"), f->name);
    json_pair(w, TEXT("title"), doc_field(c, cat, f->name));
    json_pair(w, TEXT("type"), type_word(f->type));
    json_pair_bool(w, TEXT("required"), f->required);
    put_number(w, TEXT("min"), f->has_min, f->min);
    put_number(w, TEXT("max"), f->has_max, f->max);
    json_name(w, TEXT("choices"));
    json_open(w, '[');
    for (unsigned i = 0; i < f->choice_count; i++)
        json_put_text(w, f->choices[i]);
    json_close(w, ']');
    json_name(w, TEXT("default"));
    if (f->default_value.p)
        put_default(w, f);
    else
        json_put_null(w);
    json_close(w, '}');
}

static void put_category(struct ctx *c, struct json_out *w, const struct places *s)
{
    json_open(w, '{');
    json_pair(w, TEXT("category"), s->cat->name);
    json_pair(w, TEXT("title"), doc_category(c, s->cat));
    json_pair(w, TEXT("per"), s->per);
    json_name(w, TEXT("fields"));
    json_open(w, '[');
    for (unsigned i = 0; i < s->cat->field_count; i++)
        put_field(c, w, s->cat, &s->cat->fields[i]);
    json_close(w, ']');
    json_name(w, TEXT("places"));
    json_open(w, '[');
    put_place(w, s, PLACE_ALL);
    for (unsigned i = 0; i < s->count; i++) {
        text place = place_of(&s->rows[i], s->per);
        if (!text_eq(place, PLACE_ALL) && find_place(s, place) == &s->rows[i])
            put_place(w, s, place);
    }
    json_close(w, ']');
    json_close(w, '}');
}

struct listing {
    struct places *places; /* of each category of preferences */
    unsigned count;
};

static enum err may_list(struct ctx *c, struct look *l)
{
    struct listing *all = l->arg;
    struct bits seen = { { 0 } };
    text given = l->purpose;
    all->places = NEW_ARRAY(c->arena, struct places, c->policy->category_count + 1);
    TRY_PTR(all->places);
    l->event.purpose = TEXT("preferences");
    l->event.count = 0;
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        if (!is_preference(&c->policy->categories[i]))
            continue;
        struct places *s = &all->places[all->count++];
        TRY(allow(c, &l->p, (int)i, given, ACT_READ, &l->event.purpose));
        TRY(load_places(c, &l->p, (int)i, s));
        bits_add(&seen, i);
        l->event.count += s->count;
    }
    l->event.categories = event_categories(c, &seen);
    return OK;
}

static enum err show_list(struct ctx *c, struct look *l, struct json_out *w)
{
    const struct listing *all = l->arg;
    json_name(w, TEXT("preferences"));
    json_open(w, '[');
    for (unsigned i = 0; i < all->count; i++)
        put_category(c, w, &all->places[i]);
    json_close(w, ']');
    return OK;
}

enum err preference_list(struct ctx *c, text id, text purpose, struct answer *out)
{
    struct listing all = { .count = 0 };
    struct look l = { .act = TEXT("read"), .purpose = purpose, .may = may_list, .show = show_list, .arg = &all };
    return look_at_person(c, id, &l, out);
}

const struct feature preference_feature = { .name = TEXT_INIT("preference"), .right = TEXT_INIT("preferences") };
