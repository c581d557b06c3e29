/* How a person is made: checked, sealed, written. */
#include "domain/person/append.h"
#include "policy/due.h"
#include "domain/person/person.h"
#include "domain/core/id.h"
#include "domain/person/form.h"
#include "domain/person/make.h"
#include "domain/core/instance.h"
#include "domain/person/making.h"
#include "domain/person/source.h"
#include "domain/core/value.h"
#include "domain/person/whole.h"
#include "domain/core/write.h"

static enum err new_person(struct ctx *c, struct person *p, struct change *ch)
{
    *p = (struct person){ .id = id_make(c->now), .version = 1, .created = c->now, .last_use = c->now };
    key_make(&p->key);
    journal_pseudonym(&p->key, &p->who);
    TRY(change_begin(c, p, c->policy->category_count, ch));
    ch->create = true;
    ch->version = 1;
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
        text form = form_sealed(c, fields, NULL, source);
        TRY_PTR(form.p);
        TRY(change_record(c, ch, &like, form));
        TRY(change_identifiers(c, ch, cat, fields, NULL));
    }
    return whole_check(c, NULL, &whole);
}

/* Purposes whose consent comes with the request count for what is stored by it. */
static void given_purposes(struct ctx *c, const struct change *ch, struct bits *out)
{
    for (unsigned i = 0; i < ch->consent_count; i++)
        if (text_eq(ch->consents[i].decision, TEXT("given")))
            bits_add(out, (unsigned)policy_purpose(c->policy, ch->consents[i].purpose));
}

/* Each category serves some purpose: without consent, or with one that is given at the form_same time. */
static enum err check_purposes(struct ctx *c, const struct bits *categories, const struct bits *given)
{
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        bool may = !bits_has(categories, i);
        for (unsigned k = 0; !may && k < c->policy->purpose_count; k++)
            may = bits_has(&cat->purposes, k) && (c->policy->purposes[k].basis != BASIS_CONSENT || bits_has(given, k));
        if (!may)
            return say_clause(c->arena, ERR_CONSENT, &cat->clause,
                              "category \"%.*s\" is only held with consent to one of its purposes", T(cat->name));
    }
    return OK;
}

enum err person_make(struct ctx *c, const struct making *m, struct person *p, struct change *ch, struct event *event)
{
    struct bits categories, given = { { 0 } };
    struct source_taken source;
    TRY(new_person(c, p, ch));
    TRY(write_refused(c, NULL, form_categories_of(c, m->data, &categories)));
    TRY(write_refused(c, NULL, source_said(c, m->source, &categories, &source)));
    append_use_source(ch, source);
    TRY(write_refused(c, NULL, change_consents(c, ch, m->consents)));
    for (unsigned i = 0; !m->settled && i < ch->consent_count; i++)
        TRY(person_may_record(c, NULL, ch->consents[i].purpose, text_eq(ch->consents[i].decision, TEXT("withdrawn"))));
    given_purposes(c, ch, &given);
    TRY(m->settled ? check_purposes(c, &categories, &given)
                   : person_allow_some(c, NULL, &given, m->purpose, &categories, ACT_WRITE));
    TRY(write_refused(c, NULL, add_categories(c, ch, m->data, ch->source)));
    const struct arrival arrival = { .data = m->data };
    TRY(permission_take(c, p, true, source, m->permission, &arrival, &ch->permission));
    *event = event_of(c, p, TEXT("subject.create"));
    TRY(source_seal_supplier(c, p, m->supplier, event));
    event->categories = event_categories(c, &categories);
    event->count = ch->record_count;
    return event->categories.p ? OK : ERR_MEMORY;
}

enum err subject_create(struct ctx *c, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct change ch;
    struct event event;
    const struct making m = { .data = json_get(in, TEXT("data")),
                              .consents = json_get(in, TEXT("consents")),
                              .source = json_text(in, TEXT("source")),
                              .supplier = json_text(in, TEXT("supplied_by")),
                              .permission = json_get(in, TEXT("permission")),
                              .purpose = json_text(in, TEXT("purpose")) };
    if (!in || in->kind != J_OBJECT || (m.data && m.data->kind != J_OBJECT))
        return say(c->arena, ERR_USAGE, "the body is {\"data\": {category: {field: value}}, \"source\": …}");
    TRY(person_make(c, &m, &p, &ch, &event));
    text id = id_print(c->arena, p.id);
    TRY_PTR(id.p);
    TRY(form_id_and_version(c, id, 1, out));
    return change_write(c, &ch, event, out);
}
