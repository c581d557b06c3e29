/* Subjects: created, found, read by category and purpose, rectified with their former values. */
#include "domain/subject.h"
#include "domain/paging.h"
#include "domain/inside.h"
#include "domain/looking.h"
#include "domain/keeping.h"
#include "domain/making.h"
#include "domain/normal.h"
#include "domain/source.h"
#include "domain/value.h"
#include "domain/whole.h"
#include "domain/write.h"

/* ---- Names sent by a caller, as indexes of the policy. ---- */

static enum err category_of(struct ctx *c, text name, int *out)
{
    *out = policy_category(c->policy, name);
    if (*out >= 0)
        return OK;
    text shown = value_shown(name), near = policy_nearest(c->policy, TEXT("category"), name);
    return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause, "the policy has no category \"%.*s\"%s%.*s%s", T(shown),
                      near.n ? "; did you mean \"" : "", T(near), near.n ? "\"?" : "");
}

static enum err category_list(struct ctx *c, text names, struct bits *out)
{
    *out = (struct bits){ { 0 } };
    while (names.p) {
        int index;
        TRY(category_of(c, text_trim(text_cut(&names, ',')), &index));
        bits_add(out, (unsigned)index);
    }
    return OK;
}

/* Every category of `data` ({category: …}); transient ones are not for the store. */
static enum err categories_of(struct ctx *c, const struct json *data, struct bits *out)
{
    *out = (struct bits){ { 0 } };
    JSON_EACH(member, data) {
        int index;
        TRY(category_of(c, member->key, &index));
        const struct category *cat = &c->policy->categories[index];
        if (cat->transient)
            return say_clause(c->arena, ERR_UNDECLARED, &cat->clause, "category \"%.*s\" is transient: it is never stored", T(cat->name));
        if (cat->many)
            return say_clause(c->arena, ERR_USAGE, &cat->clause, "category \"%.*s\" has many records: add each under /records/%.*s",
                              T(cat->name), T(cat->name));
        bits_add(out, (unsigned)index);
    }
    return OK;
}

/* ---- Records as JSON. ---- */

static void put_source(struct json_out *w, const struct json *value, text source, msec now)
{
    json_open(w, '[');
    json_put(w, value);
    json_put_text(w, source);
    json_put_int(w, now);
    json_close(w, ']');
}

static bool same(const struct json *a, const struct json *b)
{
    if (!a || !b || a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == J_BOOL)
        return a->truth == b->truth;
    if (a->kind == J_TEXT || a->kind == J_NUMBER)
        return text_eq(a->value, b->value);
    const struct json *y = b->first;
    for (const struct json *x = a->first; x; x = x->next, y = y->next)
        if (!text_eq(x->key, y->key) || !same(x, y))
            return false;
    return true;
}

/* The sealed form of `fields`: values that did not change keep their source and time from `old`. */
static text sealed_form(struct ctx *c, const struct json *fields, const struct json *old, text source)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    JSON_EACH(v, fields) {
        if (v->kind == J_NULL)
            continue;
        const struct json *before = json_get(old, v->key);
        json_name(&w, v->key);
        if (before && same(before->first, v))
            json_put(&w, before);
        else
            put_source(&w, v, source, c->now);
    }
    json_close(&w, '}');
    return buf_made(c->arena, &b);
}

/* ---- Create. ---- */

/* Every datum has a source (GDPR 14(2)(f)); from somebody else than the person, they are owed the information of Art. 14. */
static void use_source(struct change *ch, struct source_taken source) { ch->source = source.name, ch->inform = source.inform; }

static enum err new_person(struct ctx *c, struct person *p, struct change *ch)
{
    *p = (struct person){ .id = id_make(c->now), .version = 1, .created = c->now, .last_use = c->now };
    key_make(&p->key);
    journal_pseudonym(&p->key, &p->who);
    TRY(change_begin(c, p, c->policy->category_count, ch));
    ch->create = true, ch->version = 1;
    const struct starts starts = { .collection = c->now, .event = c->now, .last_use = c->now };
    ch->due = retention_person_due(c->policy, &starts);
    struct key_put *put = &ch->puts[ch->put_count++];
    *put = (struct key_put){ .tenant = c->tenant, .subject = p->id };
    key_wrap(store_master(ctx_store(c)), c->tenant, p->id, 0, &p->key, put->wrapped);
    return OK;
}

static enum err add_categories(struct ctx *c, struct change *ch, const struct json *data, text source)
{
    struct whole whole;
    TRY(whole_take(c, NULL, data, NULL, &whole));
    JSON_EACH(sent, data) {
        int index = policy_category(c->policy, sent->key);
        const struct category *cat = &c->policy->categories[index];
        const struct json *fields = sent;
        TRY(value_take_category(c, cat, &fields, whole.after));
        struct record like = { .category = index, .source = source, .at = c->now };
        text form = sealed_form(c, fields, NULL, source);
        TRY_PTR(form.p);
        TRY(change_record(c, ch, &like, form));
        TRY(change_identifiers(c, ch, cat, fields, NULL));
    }
    return whole_check(c, NULL, &whole);
}

static enum err id_and_version(struct ctx *c, text id, int64_t version, struct answer *out)
{
    out->id = id, out->version = version;
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\",\"version\":%lld}", T(id), (long long)version);
    return out->body.p ? OK : ERR_MEMORY;
}

/* Purposes whose consent comes with the request count for what is stored by it. */
static void given_purposes(struct ctx *c, const struct change *ch, struct bits *out)
{
    for (unsigned i = 0; i < ch->consent_count; i++)
        if (text_eq(ch->consents[i].decision, TEXT("given")))
            bits_add(out, (unsigned)policy_purpose(c->policy, ch->consents[i].purpose));
}

/* Each category serves some purpose: without consent, or with one that is given at the same time. */
static enum err check_purposes(struct ctx *c, const struct bits *categories, const struct bits *given)
{
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        bool may = !bits_has(categories, i);
        for (unsigned k = 0; !may && k < c->policy->purpose_count; k++)
            may = bits_has(&cat->purposes, k) && (c->policy->purposes[k].basis != BASIS_CONSENT || bits_has(given, k));
        if (!may)
            return say_clause(c->arena, ERR_CONSENT, &cat->clause, "category \"%.*s\" is only held with consent to one of its purposes",
                              T(cat->name));
    }
    return OK;
}

enum err person_make(struct ctx *c, const struct making *m, struct person *p, struct change *ch, struct event *event)
{
    struct bits categories, given = { { 0 } };
    struct source_taken source;
    TRY(new_person(c, p, ch));
    TRY(write_refused(c, NULL, categories_of(c, m->data, &categories)));
    TRY(write_refused(c, NULL, source_said(c, m->source, &categories, &source)));
    use_source(ch, source);
    TRY(write_refused(c, NULL, change_consents(c, ch, m->consents)));
    for (unsigned i = 0; !m->settled && i < ch->consent_count; i++)
        TRY(person_may_record(c, NULL, ch->consents[i].purpose));
    given_purposes(c, ch, &given);
    TRY(m->settled ? check_purposes(c, &categories, &given)
                   : person_allow_some(c, NULL, &given, m->purpose, &categories, ACT_WRITE));
    TRY(write_refused(c, NULL, add_categories(c, ch, m->data, ch->source)));
    *event = event_of(c, p, TEXT("subject.create"));
    TRY(source_seal_supplier(c, p, m->supplier, &event->detail));
    event->categories = event_categories(c, &categories);
    event->count = ch->record_count;
    return event->categories.p ? OK : ERR_MEMORY;
}

enum err subject_create(struct ctx *c, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct change ch;
    struct event event;
    const struct making m = { .data = json_get(in, TEXT("data")), .consents = json_get(in, TEXT("consents")),
                              .source = json_text(in, TEXT("source")), .supplier = json_text(in, TEXT("supplied_by")),
                              .purpose = json_text(in, TEXT("purpose")) };
    if (!in || in->kind != J_OBJECT || (m.data && m.data->kind != J_OBJECT))
        return say(c->arena, ERR_USAGE, "the body is {\"data\": {category: {field: value}}, \"source\": …}");
    TRY(person_make(c, &m, &p, &ch, &event));
    text id = id_print(c->arena, p.id);
    TRY_PTR(id.p);
    TRY(id_and_version(c, id, 1, out));
    return change_write(c, &ch, event, out);
}

/* ---- Look-up. ---- */

static enum err identifier_of(struct ctx *c, const struct json *in, const struct category **cat, const struct field **field, text *value)
{
    const struct json *identifier = json_get(in, TEXT("identifier")), *member = identifier ? identifier->first : NULL;
    if (!identifier || identifier->kind != J_OBJECT || identifier->count != 1 || member->kind != J_TEXT)
        return say(c->arena, ERR_USAGE, "the body is {\"identifier\": {\"category.field\": value}, \"purpose\": …}");
    text name = member->key, category = text_cut(&name, '.');
    int index;
    TRY(category_of(c, category, &index));
    *cat = &c->policy->categories[index];
    int f = policy_field(*cat, name);
    if (f < 0 || !(*cat)->fields[f].identifier)
        return say_clause(c->arena, ERR_UNDECLARED, &(*cat)->clause, "\"%.*s\" is no identifier of the policy", T(value_shown(member->key)));
    *field = &(*cat)->fields[f];
    *value = member->value;
    return OK;
}

static enum err find_identifier(struct ctx *c, text name, text normal, bool *found, struct subject_id *out)
{
    struct digest digest;
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, name, normal, &digest);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_IDENTIFIER_FIND, ARGS(V_TEXT(c->tenant), V_TEXT(name), V_BYTES(TEXT_BYTES(digest))));
    *found = query_next(&q);
    if (*found)
        memcpy(out, query_bytes(&q, 0).p, sizeof *out);
    return q.status;
}

enum err subject_lookup(struct ctx *c, const struct json *in, struct answer *out)
{
    const struct category *cat = NULL;
    const struct field *field = NULL;
    text value, purpose = json_text(in, TEXT("purpose"));
    TRY(write_refused(c, NULL, identifier_of(c, in, &cat, &field, &value)));
    struct bits categories = { { 0 } };
    bits_add(&categories, (unsigned)(cat - c->policy->categories));
    text name = arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(field->name));
    struct subject_id id;
    bool found;
    TRY(find_identifier(c, name, normal_former(c->arena, field, value), &found, &id));
    if (!found)
        TRY(find_identifier(c, name, normal_lookup(c, field, value), &found, &id));
    PERSON_AUTO p = { 0 };
    if (found) {
        enum err status = person_open(c, id_print(c->arena, id), false, &p);
        found = status == OK;
        if (status != OK && status != ERR_NOT_FOUND)
            return status;
    }
    TRY(person_allow(c, found ? &p : NULL, purpose, &categories, ACT_READ));
    struct write w = { .event = event_of(c, found ? &p : NULL, TEXT("subject.lookup")) };
    w.event.purpose = purpose, w.event.categories = cat->name, w.event.count = found;
    if (found)
        TRY(look_seal(c, &p, &w.event));
    TRY(write_do(c, &w, NULL));
    if (!found)
        return person_absent(c);
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\"}", T(id_print(c->arena, id)));
    return OK;
}

/* ---- Read. ---- */

/* Without a list: the purpose's categories; those that are transient are read elsewhere. */
static enum err wanted(struct ctx *c, const struct person *p, text purpose, text categories, struct bits *out)
{
    if (categories.p)
        return write_refused(c, p, category_list(c, categories, out));
    int index = policy_purpose(c->policy, purpose);
    *out = index >= 0 && (unsigned)index < c->policy->purpose_count ? c->policy->purposes[index].categories : (struct bits){ { 0 } };
    for (unsigned i = 0; i < c->policy->category_count; i++)
        if (c->policy->categories[i].transient)
            out->w[i >> 6] &= ~((uint64_t)1 << (i & 63));
    return OK;
}

enum err subject_read(struct ctx *c, text id, text purpose, text categories, struct answer *out)
{
    PERSON_AUTO p;
    struct bits set;
    if (!purpose.n)
        return say(c->arena, ERR_MISSING, "a read names its purpose: ?purpose=…");
    TRY(person_open(c, id, false, &p));
    TRY(wanted(c, &p, purpose, categories, &set));
    TRY(person_allow(c, &p, purpose, &set, ACT_READ));
    struct write w = { .event = event_of(c, &p, TEXT("read")) };
    w.event.purpose = purpose, w.event.categories = event_categories(c, &set), w.event.count = 0;
    w.event.clause = c->policy->purposes[policy_purpose(c->policy, purpose)].clause.path;
    TRY(look_seal(c, &p, &w.event));
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out j = json_out(&b);
    json_open(&j, '{');
    json_pair(&j, TEXT("id"), id);
    json_pair_int(&j, TEXT("version"), p.version);
    json_pair(&j, TEXT("purpose"), purpose);
    TRY(record_put_data(c, &p, &set, &j, &w.event.count));
    json_close(&j, '}');
    out->version = p.version;
    TRY(buf_take(c->arena, &b, &out->body));
    return write_do(c, &w, NULL);
}

/* ---- Rectify. ---- */

/* RFC 7386 on one category: the fields after the patch, {field: value}. */
static const struct json *merged(struct ctx *c, const struct json *old, const struct json *patch)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    const struct json *out = NULL;
    json_open(&w, '{');
    JSON_EACH(before, old)
        if (!json_get(patch, before->key)) {
            json_name(&w, before->key);
            json_put(&w, before->first);
        }
    JSON_EACH(v, patch)
        if (v->kind != J_NULL) {
            json_name(&w, v->key);
            json_put(&w, v);
        }
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, &out) == OK ? out : NULL;
}

/* What the patch replaces or removes, in the sealed form; `names` gets "category.field" of every changed one. */
static text replaced(struct ctx *c, const struct category *cat, const struct json *old, const struct json *patch, struct json_out *names)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    bool any = false;
    json_open(&w, '{');
    JSON_EACH(v, patch) {
        const struct json *before = json_get(old, v->key);
        if (v->kind == J_NULL ? !before : before && same(before->first, v))
            continue;
        json_put_text(names, arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(v->key)));
        if (!before)
            continue;
        json_name(&w, v->key);
        json_put(&w, before);
        any = true;
    }
    json_close(&w, '}');
    return any ? buf_made(c->arena, &b) : (text){ NULL, 0 };
}

/* The former value is kept only where the policy gives it a term (GDPR 5(1)(d), (e)), under the person's key. */
static enum err keep_former(struct ctx *c, struct change *ch, const struct category *cat, text fields)
{
    const struct retention *r = policy_retention(c->policy, TEXT("former"));
    if (!r || !fields.p)
        return OK;
    KEY_AUTO key;
    struct starts starts = { .collection = c->now, .event = c->now };
    struct change_former *f = &ch->formers[ch->former_count++];
    struct place place = { .tenant = c->tenant, .subject = ch->person->id, .table = TEXT("former"), .field = cat->name,
                           .version = (uint64_t)ch->version };
    key_derive(&ch->person->key, TEXT("former"), &key);
    *f = (struct change_former){ .category = cat->name, .due = retention_due(r, &starts, false) };
    return seal(c->arena, &key, &place, fields, &f->sealed);
}

static enum err patch_category(struct ctx *c, struct change *ch, int index, const struct json *patch, const struct json *all, text source,
                               struct json_out *names)
{
    const struct category *cat = &c->policy->categories[index];
    struct record *rows, fresh = { .category = index, .source = source, .at = c->now };
    unsigned count;
    TRY(record_load(c, ch->person, index, false, &rows, &count));
    const struct json *old = count ? rows[0].fields : NULL;
    if (patch->kind != J_OBJECT)
        return say_clause(c->arena, ERR_VALUE, &cat->clause, "category \"%.*s\" must be an object of its fields", T(cat->name));
    patch = normal_fields(c, cat, patch);
    TRY_PTR(patch);
    const struct json *fields = merged(c, old, patch);
    TRY_PTR(fields);
    JSON_EACH(v, patch)                       /* a removed field has to be one of the policy too */
        if (policy_field(cat, v->key) < 0)
            fields = patch;
    TRY(value_take_category(c, cat, &fields, all));
    text former = replaced(c, cat, old, patch, names), form = sealed_form(c, fields, old, source);
    TRY_PTR(form.p);
    TRY(keep_former(c, ch, cat, former));
    TRY(change_identifiers(c, ch, cat, fields, old));
    if (count) {
        fresh = rows[0];
        fresh.due = cat->retention && cat->retention->from == FROM_COLLECTION ? 0 : rows[0].due;
    }
    return change_record(c, ch, &fresh, form);
}

enum err person_patch(struct ctx *c, text id, const struct json *patch, const struct patching *how, struct answer *out)
{
    PERSON_AUTO p;
    struct change ch;
    struct bits categories;
    struct source_taken source;
    struct whole whole;
    text changed;
    if (!c->if_match)
        return say(c->arena, ERR_PRECONDITION_REQUIRED, "a change needs If-Match with the version you read");
    if (!patch || patch->kind != J_OBJECT)
        return say(c->arena, ERR_USAGE, "the body is a merge patch {category: {field: value or null}}");
    TRY(person_open(c, id, false, &p));
    if (c->if_match > 0 && c->if_match != p.version)
        return say(c->arena, ERR_PRECONDITION, "the person's data are at version %lld", (long long)p.version);
    TRY(write_refused(c, &p, categories_of(c, patch, &categories)));
    TRY(person_allow_some(c, &p, NULL, how->purpose, &categories, ACT_WRITE));
    TRY(change_begin(c, &p, patch->count, &ch));
    ch.expected = p.version, ch.version = p.version + 1;
    TRY(whole_take(c, &p, patch, NULL, &whole));
    BUF_AUTO names = buf_make(1 << 16);
    struct json_out w = json_out(&names);
    json_open(&w, '[');
    TRY(write_refused(c, &p, source_take(c, how->source, &categories, &source)));
    use_source(&ch, source);
    JSON_EACH(fields, patch)
        TRY(write_refused(c, &p, patch_category(c, &ch, policy_category(c->policy, fields->key), fields, whole.after, ch.source, &w)));
    json_close(&w, ']');
    TRY(write_refused(c, &p, whole_check(c, &p, &whole)));
    ch.also = how->also, ch.also_arg = how->also_arg;
    if (!how->confirmed)
        TRY(identifier_moved(c, patch, &ch));
    out->version = ch.version;
    TRY(buf_lend(c->arena, &names, &changed));
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\",\"version\":%lld,\"changed\":%.*s}", T(id), (long long)ch.version, T(changed));
    TRY_PTR(out->body.p);
    struct event event = event_of(c, &p, TEXT("rectify"));
    event.categories = event_categories(c, &categories), event.purpose = how->purpose, event.count = ch.record_count;
    return change_write(c, &ch, event, out);
}

enum err subject_patch(struct ctx *c, text id, const struct json *patch, text source, text purpose, struct answer *out)
{
    const struct patching how = { .source = source, .purpose = purpose };
    return person_patch(c, id, patch, &how, out);
}

/* ---- Former values. ---- */

struct former_row { text category; int64_t version, item; msec at, due; sealed sealed; struct former_row *next; };

/* At most `limit` rows (0: all); *more when there are others. */
static enum err load_formers(struct ctx *c, enum sql sql, const struct val *args, size_t count, int64_t limit, struct former_row **out, bool *more)
{
    int64_t rows = 0;
    *more = false;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, sql, args, count);
    while (query_next(&q)) {
        if (limit && rows++ == limit) {
            *more = true;
            return OK;
        }
        struct former_row *row = NEW(c->arena, struct former_row);
        TRY_PTR(row);
        *row = (struct former_row){ .category = arena_copy(c->arena, query_bytes(&q, 0)), .version = query_int(&q, 1), .at = query_int(&q, 2),
                                    .due = query_int(&q, 3), .item = query_int(&q, 5),
                                    .sealed = { arena_copy(c->arena, query_sealed(&q, 4).bytes) } };
        *out = row;
        out = &row->next;
    }
    return q.status;
}

static void put_former_end(struct ctx *c, const struct keeping *k, const struct former_row *row, struct json_out *w)
{
    const struct kept_thing thing = { .category = row->category, .former = true, .begun = true, .at = row->at, .event = row->at };
    const struct keeping_end end = keeping_end(c->policy, k, &thing);
    json_pair(w, TEXT("until"), end.until > KEEPING_PAST ? time_print(c->arena, end.until) : (text){ NULL, 0 });
}

/* What cannot be read hides no other. */
static void put_lost(struct ctx *c, const struct keeping *k, const struct former_row *row, struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("category"), row->category);
    json_pair(w, TEXT("field"), TEXT(""));
    json_name(w, TEXT("value"));
    json_put_null(w);
    json_pair_int(w, TEXT("version"), row->version);
    json_pair(w, TEXT("replaced"), time_print(c->arena, row->at));
    put_former_end(c, k, row, w);
    json_pair_bool(w, TEXT("unreadable"), true);
    json_close(w, '}');
}

static enum err put_former(struct ctx *c, const struct person *p, const struct keeping *k, const struct key *key, const struct former_row *row,
                           struct json_out *w)
{
    struct place place = { .tenant = c->tenant, .subject = p->id, .table = TEXT("former"), .field = row->category, .version = (uint64_t)row->version };
    const struct json *fields = NULL;
    text clear;
    enum err e = seal_open(c->arena, key, &place, row->sealed, &clear);
    if (e == OK)
        e = json_parse(c->arena, clear, &fields);
    if (record_unreadable(e)) {
        put_lost(c, k, row, w);
        return OK;
    }
    TRY(e);
    JSON_EACH(v, fields) {
        json_open(w, '{');
        json_pair(w, TEXT("category"), row->category);
        json_pair(w, TEXT("field"), v->key);
        json_name(w, TEXT("value"));
        json_put(w, v->first);
        json_pair_int(w, TEXT("version"), row->version);
        json_pair(w, TEXT("replaced"), time_print(c->arena, row->at));
        put_former_end(c, k, row, w);
        json_close(w, '}');
    }
    return OK;
}

static enum err put_formers(struct ctx *c, const struct person *p, const struct former_row *rows, struct json_out *w)
{
    KEY_AUTO key;
    struct keeping k;
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        TRY(keeping_load(db, c->arena, c->tenant, p->id, c->now, &k));
    }
    key_derive(&p->key, TEXT("former"), &key);
    json_open(w, '[');
    for (; rows; rows = rows->next)
        TRY(put_former(c, p, &k, &key, rows, w));
    json_close(w, ']');
    return OK;
}

enum err subject_put_formers(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct former_row *rows = NULL;
    bool more;
    TRY(load_formers(c, SQL_FORMER_LIST, ARGS(V_TEXT(c->tenant), V_ID(p->id)), 0, &rows, &more));
    return put_formers(c, p, rows, w);
}

/* A page begins after "version.item.category" of the row before it; a row has as many values as fields were changed at once. */
static enum err put_former_page(struct ctx *c, const struct person *p, const struct paging *asked, struct json_out *w, struct answer *out)
{
    struct former_row *rows = NULL, *last;
    int64_t version = -1, item = -1;
    bool more;
    text after = asked->after;
    if (after.n && (!paging_number(&after, &version) || !paging_number(&after, &item) || !after.p))
        return paging_unknown(c);
    TRY(load_formers(c, SQL_FORMER_PAGE, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_INT(version), V_TEXT(after.n ? after : TEXT("")), V_INT(item),
                                              V_INT(asked->limit + 1)), asked->limit, &rows, &more));
    for (last = rows; last && last->next;)
        last = last->next;
    TRY(put_formers(c, p, rows, w));
    text place = more ? arena_print(c->arena, "%lld.%lld.%.*s", (long long)last->version, (long long)last->item, T(last->category)) : TEXT("");
    return paging_end(c, more, place, w, out);
}

enum err subject_former(struct ctx *c, text id, const struct paging *asked, struct answer *out)
{
    PERSON_AUTO p;
    TRY(person_open(c, id, false, &p));
    TRY(person_allow_act(c, &p, ACT_EXPORT));
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("former"));
    TRY(put_former_page(c, &p, asked, &w, out));
    json_close(&w, '}');
    TRY(buf_take(c->arena, &b, &out->body));
    struct write read = { .event = event_of(c, &p, TEXT("read")) };
    read.event.purpose = TEXT("former");
    TRY(look_seal(c, &p, &read.event));
    return write_do(c, &read, NULL);
}

/* ---- Records of a category with many. ---- */

static enum err next_item(struct ctx *c, const struct person *p, const struct category *cat, int64_t *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_RECORD_LAST, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(cat->name)));
    /* Items are times in microseconds, made larger where two fall together: unique without asking the writer. */
    int64_t last = query_next(&q) ? query_int(&q, 0) : 0, now = c->now * 1000;
    uint8_t random[2];
    crypt_random(random, sizeof random);
    *out = (now > last ? now : last + 1) + (random[0] << 8 | random[1]) % 1000;   /* at random, so that two at once rarely meet */
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
    TRY(write_refused(c, &p, category_of(c, category, &like.category)));
    const struct category *cat = &c->policy->categories[like.category];
    if (!cat->many || cat->transient)
        return say_clause(c->arena, ERR_USAGE, &cat->clause, "category \"%.*s\" has one record: change it with PATCH", T(cat->name));
    if (at.p && !value_moment(c, at, false, &like.at))
        return say(c->arena, ERR_VALUE, "\"at\" must be a time as in RFC 3339");
    bits_add(&set, (unsigned)like.category);
    TRY(person_allow_some(c, &p, NULL, json_text(in, TEXT("purpose")), &set, ACT_WRITE));
    TRY(whole_other(c, &p, cat, &other));
    TRY(write_refused(c, &p, value_take_category(c, cat, &fields, other)));
    TRY(next_item(c, &p, cat, &like.item));
    TRY(change_begin(c, &p, 1, &ch));
    if (other)                                /* what it depends on is still as it was read */
        ch.expected = p.version, ch.version = p.version + 1;
    TRY(write_refused(c, &p, source_take(c, json_text(in, TEXT("source")), &set, &source)));
    use_source(&ch, source);
    like.source = ch.source;
    text form = sealed_form(c, fields, NULL, like.source);
    TRY_PTR(form.p);
    TRY(change_record(c, &ch, &like, form));
    out->body = arena_print(c->arena, "{\"item\":%lld}", (long long)like.item);
    TRY_PTR(out->body.p);
    struct event event = event_of(c, &p, TEXT("subject.update"));
    event.categories = cat->name, event.count = 1;
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
    TRY(next_item(c, p, cat, &like.item));
    TRY(change_begin(c, p, 1, out));
    like.source = out->source = source_observed(c, &set);
    text form = sealed_form(c, declared, NULL, like.source);
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
        return OK;                          /* "person" stands first among the sources of a policy */
    TRY(source_take(c, TEXT(""), set, &source));
    *out = source.name;
    return OK;
}

enum err subject_keep(struct ctx *c, struct person *p, int category, const struct record *old, const struct json *fields, struct change *out)
{
    const struct category *cat = &c->policy->categories[category];
    struct record like = old ? *old : (struct record){ .category = category };
    struct bits set = { { 0 } };
    bits_add(&set, (unsigned)category);
    if (!old)
        TRY(next_item(c, p, cat, &like.item));
    TRY(change_begin(c, p, 1, out));
    out->expected = p->version, out->version = p->version + 1;
    TRY(kept_source(c, &set, &out->source));
    like.source = out->source, like.at = c->now, like.due = 0;
    text form = sealed_form(c, fields, old ? old->fields : NULL, like.source);
    TRY_PTR(form.p);
    return change_record(c, out, &like, form);
}

enum err subject_add_record(struct ctx *c, text id, text category, const struct json *in, struct answer *out)
{
    /* Two at once may take the same item, or both make the category's own key: one of them then goes again. */
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
    TRY(category_of(c, category, &index));
    TRY(person_allow_act(c, &p, ACT_ERASE));
    TRY(keeping_forbids(c, &p, c->policy->categories[index].name));
    if (item.p && !text_int(item, &number))
        return say(c->arena, ERR_VALUE, "\"item\" must be an integer");
    TRY(change_begin(c, &p, 1, &ch));
    ch.drops[ch.drop_count++] = (struct change_drop){ .category = c->policy->categories[index].name, .item = number, .all = !item.p };
    if (!item.p)
        TRY(drop_identifiers(c, &ch, index));
    TRY(identifier_dropped(c, &ch));
    TRY(write_refused(c, &p, check_without(c, &p, index, item.p)));
    ch.expected = p.version, ch.version = p.version + 1, ch.truncate = true;
    struct event event = event_of(c, &p, TEXT("subject.update"));
    event.categories = c->policy->categories[index].name;
    return change_write(c, &ch, event, NULL);
}

/* ---- Asking before a use. ---- */

static bool act_of(text word, enum act *out)
{
    static const text words[ACT_COUNT] = {
        [ACT_READ] = TEXT_INIT("read"), [ACT_WRITE] = TEXT_INIT("write"), [ACT_SEND] = TEXT_INIT("send"), [ACT_DISCLOSE] = TEXT_INIT("disclose"),
        [ACT_ERASE] = TEXT_INIT("erase"), [ACT_EXPORT] = TEXT_INIT("export"), [ACT_CONSENT] = TEXT_INIT("consent") };
    for (unsigned i = 0; i < ACT_COUNT; i++)
        if (text_eq(words[i], word)) {
            *out = (enum act)i;
            return true;
        }
    return false;
}

enum err subject_decide(struct ctx *c, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct bits set = { { 0 } };
    enum act act;
    text id = json_text(in, TEXT("subject")), purpose = json_text(in, TEXT("purpose"));
    if (!purpose.n || !act_of(json_text(in, TEXT("act")), &act))
        return say(c->arena, ERR_USAGE, "the body names \"purpose\" and \"act\" (read, write, send, disclose, erase, export, consent)");
    if (id.p)
        TRY(person_open(c, id, false, &p));
    JSON_EACH(name, json_get(in, TEXT("categories"))) {
        int index;
        TRY(write_refused(c, id.p ? &p : NULL, category_of(c, name->value, &index)));
        bits_add(&set, (unsigned)index);
    }
    TRY(person_allow_by(c, id.p ? &p : NULL, purpose, &set, act, json_text(in, TEXT("channel"))));
    const struct clause *clause = &c->policy->purposes[policy_purpose(c->policy, purpose)].clause;
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair_bool(&w, TEXT("allowed"), true);
    json_name(&w, TEXT("clause"));
    clause_json(&w, clause);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}
