/* All that is held of a person, as one answer. */
#include "domain/core/paging.h"
#include "domain/person/record.h"
#include "domain/person/consent.h"
#include "domain/core/named.h"
#include "domain/core/feature.h"
#include "domain/person/held.h"
#include "domain/rights/disclosure.h"
#include "domain/core/instance.h"
#include "domain/person/keeping.h"
#include "domain/core/looking.h"
#include "domain/account/shown.h"
#include "domain/mail/sent.h"
#include "domain/rights/person_file.h"
#include "domain/person/rectify.h"
#include "domain/person/source.h"
#include "base/file/file_name.h"

static void put_time(struct view *v, text name, msec at)
{
    char out[TIME_TEXT + 1];
    json_pair(&v->w, name, at ? time_text(at, out) : (text){ NULL, 0 });
}

static void put_node(struct view *v, text name, text path)
{
    const struct node *n = node_at(v->c->policy->root, path);
    json_name(&v->w, name);
    if (n)
        node_json(&v->w, n);
    else
        json_put_null(&v->w);
}

/* ---- Who answers. ---- */

static void put_controller(struct view *v)
{
    const struct policy *p = v->c->policy;
    const struct controller k = ctx_controller(v->c);
    const struct {
        text name, value;
    } pairs[] = {
        { TEXT("legal_name"), k.legal_name }, { TEXT("address"), k.address }, { TEXT("country"), k.country },
        { TEXT("email"), k.email },           { TEXT("phone"), k.phone },     { TEXT("site"), k.site },
    };
    json_name(&v->w, TEXT("controller"));
    json_open(&v->w, '{');
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        json_pair(&v->w, pairs[i].name, pairs[i].value.n ? pairs[i].value : (text){ NULL, 0 });
    json_close(&v->w, '}');
    put_node(v, TEXT("dpo"), TEXT("dpo"));
    json_pair(&v->w, TEXT("authority"), p->authority.n ? p->authority : (text){ NULL, 0 });
    json_pair(
        &v->w, TEXT("complaint"),
        doc_in(v->c,
               TEXT("You can complain to the data protection authority, or go to court (Articles 77 and 79 of the GDPR)."),
               TEXT("Vous pouvez saisir l'autorité de protection des données, ou un juge (articles 77 et 79 du RGPD).")));
    json_name(&v->w, TEXT("policy"));
    json_open(&v->w, '{');
    json_pair(&v->w, TEXT("id"), p->id);
    json_pair(&v->w, TEXT("version"), p->version);
    json_pair(&v->w, TEXT("date"), date_print(v->c->arena, p->date));
    json_pair(&v->w, TEXT("hash"), text_of(p->hash));
    json_close(&v->w, '}');
}

/* ---- What is held: values in the plain form of a read, then what there is to know about each. ---- */

/* A category, and what was seen of its records: they come a page at a time, however many there are. */
struct rows {
    const struct category *cat;
    int index;
    bool any, cut; /* cut: there are more than were given */
    unsigned unreadable;
};

enum { PAGE_MEMORY = 64 << 20 };

static void put_values(struct json_out *w, const struct json *fields)
{
    json_open(w, '{');
    JSON_EACH(f, fields) {
        json_name(w, f->key);
        json_put(w, f->first);
    }
    json_close(w, '}');
}

static void begin_data(struct view *v, struct rows *r)
{
    if (!r->any) {
        json_name(&v->w, r->cat->name);
        if (r->cat->many)
            json_open(&v->w, '[');
    }
    r->any = true;
}

static void put_data_page(struct view *v, struct rows *r, const struct record *rows, unsigned count)
{
    if (count && !r->cat->many && !r->any) {
        begin_data(v, r);
        put_values(&v->w, rows[0].fields);
    }
    for (unsigned i = 0; r->cat->many && i < count; i++) {
        begin_data(v, r);
        json_open(&v->w, '{');
        json_pair_int(&v->w, TEXT("item"), rows[i].item);
        put_time(v, TEXT("at"), rows[i].at);
        json_name(&v->w, TEXT("fields"));
        put_values(&v->w, rows[i].fields);
        json_close(&v->w, '}');
    }
}

/* What stands in a ledger of its own is given with the last page. */
static enum err end_data(struct view *v, struct rows *r)
{
    int64_t kept = 0;
    if (r->cat->many && feature_keeps(v->c, r->cat)) {
        begin_data(v, r);
        TRY(feature_put_records(v->c, v->p, r->cat, &v->w, &kept, &r->unreadable));
    }
    if (r->cat->many && r->any)
        json_close(&v->w, ']');
    return OK;
}

/* Art. 20: what the person provided, processed by consent or contract. */
static bool portable(const struct policy *p, const struct category *cat)
{
    for (unsigned i = 0; i < p->purpose_count; i++)
        if (bits_has(&cat->purposes, i) &&
            (p->purposes[i].basis == BASIS_CONSENT || p->purposes[i].basis == BASIS_CONTRACT))
            return true;
    return false;
}

/* Theirs, or nobody said whose: a doubt is not held against the person. */
static bool may_be_own(const struct policy *p, text source)
{
    for (unsigned i = 0; i < p->source_count; i++)
        if (text_eq(p->sources[i].name, source))
            return text_eq(source, TEXT("person"));
    return true;
}

static void put_field(struct view *v, const struct category *cat, const struct json *f, bool may_port)
{
    const struct json *source = f->first ? f->first->next : NULL, *when = source ? source->next : NULL;
    int64_t at = 0;
    json_int(when, &at);
    json_name(&v->w, f->key);
    json_open(&v->w, '{');
    json_pair(&v->w, TEXT("title"), doc_field(v->c, cat, f->key));
    json_pair(&v->w, TEXT("source"), source ? source->value : (text){ NULL, 0 });
    put_time(v, TEXT("at"), at);
    json_pair_bool(&v->w, TEXT("portable"), may_port && source && may_be_own(v->c->policy, source->value));
    json_close(&v->w, '}');
}

/* until: when it is erased; archived_at: when it leaves the active base for the archive before that. */
static void put_ends(struct view *v, const struct category *cat, msec at)
{
    const struct kept_thing thing = { .category = cat->name, .begun = at != 0, .at = at, .event = at };
    const struct keeping_end end = keeping_end(v->c->policy, &v->keeping, &thing);
    put_time(v, TEXT("until"), end.until);
    put_time(v, TEXT("archived_at"), end.archived);
}

static void put_records_page(struct view *v, struct rows *r, const struct record *rows, unsigned count)
{
    bool may_port = portable(v->c->policy, r->cat);
    for (unsigned i = 0; i < count; i++) {
        json_open(&v->w, '{');
        json_pair_int(&v->w, TEXT("item"), rows[i].item);
        put_time(v, TEXT("at"), rows[i].at);
        json_pair(&v->w, TEXT("source"), rows[i].source);
        json_pair_bool(&v->w, TEXT("archived"), rows[i].archived);
        put_ends(v, r->cat, rows[i].at);
        json_name(&v->w, TEXT("fields"));
        json_open(&v->w, '{');
        JSON_EACH(f, rows[i].fields)
            put_field(v, r->cat, f, may_port);
        json_close(&v->w, '}');
        json_close(&v->w, '}');
    }
}

static void put_retention(struct view *v, const struct retention *r)
{
    json_name(&v->w, TEXT("retention"));
    if (!r) {
        json_put_null(&v->w);
        return;
    }
    json_open(&v->w, '{');
    json_pair(&v->w, TEXT("says"), doc_retention(v->c, r));
    json_pair(&v->w, TEXT("ground"), r->ground.n ? doc_ground(v->c, r) : (text){ NULL, 0 });
    json_pair(&v->w, TEXT("clause"), r->clause.path);
    json_close(&v->w, '}');
}

static void put_names(struct view *v, text name, const struct bits *set, bool purposes)
{
    const struct policy *p = v->c->policy;
    json_name(&v->w, name);
    json_open(&v->w, '[');
    for (unsigned i = 0; i < (purposes ? p->purpose_count : p->category_count); i++)
        if (bits_has(set, i))
            json_put_text(&v->w, purposes ? p->purposes[i].name : p->categories[i].name);
    json_close(&v->w, ']');
}

static void begin_category(struct view *v, const struct rows *r)
{
    const struct category *cat = r->cat;
    json_open(&v->w, '{');
    json_pair(&v->w, TEXT("category"), cat->name);
    json_pair(&v->w, TEXT("title"), doc_category(v->c, cat));
    json_pair_bool(&v->w, TEXT("special"), cat->special);
    json_pair(&v->w, TEXT("special_ground"), cat->ground.n ? cat->ground : (text){ NULL, 0 });
    json_pair_bool(&v->w, TEXT("transient"), cat->transient);
    put_names(v, TEXT("purposes"), &cat->purposes, true);
    json_pair_bool(&v->w, TEXT("kept_after_erasure"), cat->held);
    json_pair(&v->w, TEXT("public"),
              cat->public_for >= 0 ? v->c->policy->purposes[cat->public_for].name : (text){ NULL, 0 });
    put_retention(v, cat->retention);
    json_name(&v->w, TEXT("records"));
    json_open(&v->w, '[');
}

/* What is held and cannot be read is told by its category and number: the rest of the answer does not wait for it. */
static void put_unreadable(struct view *v, const struct rows *all)
{
    json_name(&v->w, TEXT("unreadable"));
    json_open(&v->w, '[');
    for (unsigned i = 0; i < v->c->policy->category_count; i++) {
        if (all[i].unreadable)
            record_put_unreadable(v->c, all[i].cat, all[i].unreadable, &v->w);
    }
    json_close(&v->w, ']');
}

/* ---- What for, and which rights follow. ---- */

static const struct {
    text word, article, en, fr, bases;
} rights[] = {
#define RIGHT(word, article, en, fr, bases)                                                                            \
    { TEXT_INIT(word), TEXT_INIT(article), TEXT_INIT(en), TEXT_INIT(fr), TEXT_INIT(bases) },
#include "domain/rights/rights.def"
#undef RIGHT
};

static char basis_letter(enum basis b)
{
    switch (b) {
    case BASIS_CONSENT:
        return 'C';
    case BASIS_CONTRACT:
        return 'K';
    case BASIS_LEGAL:
        return 'L';
    case BASIS_VITAL:
        return 'V';
    case BASIS_PUBLIC:
        return 'P';
    case BASIS_INTEREST:
        return 'I';
    case BASIS_UNSET:
        break;
    }
    return '-';
}

static void put_rights(struct view *v, const struct purpose *p)
{
    json_name(&v->w, TEXT("rights"));
    json_open(&v->w, '[');
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        if (text_index(rights[i].bases, basis_letter(p->basis)) >= 0 ||
            (p->marketing && text_eq(rights[i].word, TEXT("objection"))))
            json_put_text(&v->w, rights[i].word);
    json_close(&v->w, ']');
}

static void put_purposes(struct view *v)
{
    const struct policy *p = v->c->policy;
    json_name(&v->w, TEXT("purposes"));
    json_open(&v->w, '[');
    for (unsigned i = 0; i < p->purpose_count; i++) {
        const struct purpose *one = &p->purposes[i];
        json_open(&v->w, '{');
        json_pair(&v->w, TEXT("purpose"), one->name);
        json_pair(&v->w, TEXT("title"), doc_purpose(v->c, one));
        json_pair(&v->w, TEXT("basis"), basis_word(one->basis));
        json_pair(&v->w, TEXT("interest"), doc_interest(v->c, one));
        json_pair(&v->w, TEXT("law"), one->law.n ? one->law : (text){ NULL, 0 });
        json_pair_bool(&v->w, TEXT("marketing"), one->marketing);
        put_names(v, TEXT("categories"), &one->categories, false);
        put_rights(v, one);
        json_close(&v->w, '}');
    }
    json_close(&v->w, ']');
    json_name(&v->w, TEXT("rights"));
    json_open(&v->w, '[');
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        json_open(&v->w, '{');
        json_pair(&v->w, TEXT("right"), rights[i].word);
        json_pair(&v->w, TEXT("article"), rights[i].article);
        json_pair(&v->w, TEXT("title"), doc_in(v->c, rights[i].en, rights[i].fr));
        json_close(&v->w, '}');
    }
    json_close(&v->w, ']');
    put_node(v, TEXT("rights_channels"), TEXT("rights.channels"));
    put_node(v, TEXT("automated_decisions"), TEXT("automated_decisions"));
}

/* ---- To whom. ---- */

static enum err put_recipients(struct view *v)
{
    const struct policy *p = v->c->policy;
    json_name(&v->w, TEXT("recipients"));
    json_open(&v->w, '[');
    for (unsigned i = 0; i < p->actor_count; i++) {
        const struct actor_class *a = &p->actors[i];
        if (a->kind != ACTOR_RECIPIENT)
            continue;
        const struct node *n = node_get(node_at(p->root, TEXT("recipients")), a->name);
        json_open(&v->w, '{');
        json_pair(&v->w, TEXT("recipient"), a->name);
        json_pair(&v->w, TEXT("name"), doc_recipient(v->c, (int)i));
        json_pair(&v->w, TEXT("country"), a->country);
        json_pair(&v->w, TEXT("safeguard"), node_text(n, TEXT("safeguard")));
        json_pair_bool(&v->w, TEXT("processor"), a->processor);
        put_names(v, TEXT("purposes"), &a->purposes, true);
        put_names(v, TEXT("categories"), &a->categories, false);
        json_close(&v->w, '}');
    }
    json_close(&v->w, ']');
    put_node(v, TEXT("transfers"), TEXT("transfers"));
    json_name(&v->w, TEXT("disclosures"));
    return disclosure_put(v->c, v->p, &v->w);
}

/* ---- What else is known. ---- */

static enum err put_attachments(struct view *v)
{
    struct attachment *list;
    TRY(attachment_list(v->c, v->p, &list));
    json_name(&v->w, TEXT("attachments"));
    json_open(&v->w, '[');
    for (unsigned n = 1; list; list = list->next, n++) {
        int index = policy_category(v->c->policy, list->category);
        json_open(&v->w, '{');
        json_pair(&v->w, TEXT("id"), id_print(v->c->arena, list->id));
        json_pair(&v->w, TEXT("category"), list->category);
        json_pair(&v->w, TEXT("name"), list->name);
        json_pair(&v->w, TEXT("type"), list->media_type);
        json_pair_int(&v->w, TEXT("size"), list->size);
        json_pair(&v->w, TEXT("source"), list->source.n ? list->source : (text){ NULL, 0 });
        json_pair(&v->w, TEXT("source_title"), list->source.n ? doc_source(v->c, list->source) : (text){ NULL, 0 });
        put_time(v, TEXT("at"), list->at);
        if (index >= 0)
            put_ends(v, &v->c->policy->categories[index], list->at);
        if (list->unreadable)
            json_pair_bool(&v->w, TEXT("unreadable"), true);
        json_pair(&v->w, TEXT("file"), person_file_name(v->c->arena, n, list->name));
        json_close(&v->w, '}');
    }
    json_close(&v->w, ']');
    return OK;
}

static void put_holds(struct view *v)
{
    json_name(&v->w, TEXT("holds"));
    json_open(&v->w, '[');
    for (const struct hold *h = v->keeping.holds; h; h = h->next) {
        json_open(&v->w, '{');
        json_pair(&v->w, TEXT("id"), id_print(v->c->arena, h->id));
        json_pair(&v->w, TEXT("category"), h->category);
        json_pair(&v->w, TEXT("ground"), doc_in(v->c, h->ground, h->ground_fr));
        put_time(v, TEXT("since"), h->since);
        put_time(v, TEXT("until"), h->until);
        json_close(&v->w, '}');
    }
    json_close(&v->w, ']');
}

/* Why they looked or did it, where their role had to say it. */
static enum err put_reason(struct view *v, sealed detail)
{
    text reason = { NULL, 0 };
    enum err status = detail.bytes.n ? look_open(v->c, v->p, detail, TEXT("reason"), &reason) : OK;
    if (!record_unreadable(status))
        TRY(status);
    json_pair(&v->w, TEXT("reason"), reason);
    if (status != OK)
        json_pair_bool(&v->w, TEXT("unreadable"), true);
    return OK;
}

static enum err put_look(struct view *v, int64_t index, const struct json *entry, sealed detail)
{
    static const text members[] = { TEXT_INIT("time"),    TEXT_INIT("act"),        TEXT_INIT("actor"),
                                    TEXT_INIT("purpose"), TEXT_INIT("categories"), TEXT_INIT("clause"),
                                    TEXT_INIT("outcome") };
    json_open(&v->w, '{');
    json_pair_int(&v->w, TEXT("entry"), index);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_pair(&v->w, members[i], json_text(entry, members[i]));
    json_pair(&v->w, TEXT("says"), doc_act(v->c, json_text(entry, TEXT("act"))));
    TRY(put_reason(v, detail));
    json_close(&v->w, '}');
    return OK;
}

/* Entries of the journal about this person, newest first: who looked, when, for what. "looks_next": from where GET
 * …/looks has those before. */
enum err person_file_put_looks(struct view *v, const struct paging *asked, text next_name, struct answer *out)
{
    struct ctx *c = v->c;
    int64_t before = INT64_MAX, rows = 0, last = 0;
    bool more;
    text after = asked->after;
    if (after.n && (!paging_number(&after, &before) || after.n))
        return paging_unknown(c);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_OF,
                ARGS(V_TEXT(c->tenant), V_ID(v->p->id), V_INT(asked->limit + 1), V_INT(before)));
    json_name(&v->w, TEXT("looks"));
    json_open(&v->w, '[');
    while (paging_row(asked, &q, &rows, &more)) {
        ARENA_AUTO one = arena_make(1 << 16);
        const struct json *entry;
        enum err parsed = json_parse(&one, query_get(&q, JOURNAL_OF, leaf), &entry);
        if (parsed == ERR_MEMORY)
            return arena_lacked(c->arena);
        if (parsed != OK)
            return say(c->arena, ERR_INTEGRITY, "entry %lld of the journal is no JSON",
                       (long long)query_get(&q, JOURNAL_OF, seq));
        last = query_get(&q, JOURNAL_OF, seq);
        TRY(put_look(v, last, entry, query_get(&q, JOURNAL_OF, detail)));
    }
    TRY(q.status);
    json_close(&v->w, ']');
    out->next = more ? arena_print(c->arena, "%lld", (long long)last) : (text){ NULL, 0 };
    json_pair(&v->w, next_name, out->next);
    return OK;
}

static void put_person(struct view *v)
{
    const struct person *p = v->p;
    json_pair(&v->w, TEXT("id"), id_print(v->c->arena, p->id));
    json_pair_int(&v->w, TEXT("version"), p->version);
    put_time(v, TEXT("at"), v->c->now);
    json_pair(&v->w, TEXT("language"), v->c->language);
    put_time(v, TEXT("created"), p->created);
    put_time(v, TEXT("last_use"), p->last_use);
    json_pair(&v->w, TEXT("source"), p->source);
    json_pair(&v->w, TEXT("source_title"), doc_source(v->c, p->source));
    json_pair(&v->w, TEXT("supplied_by"), v->supplier.n ? v->supplier : (text){ NULL, 0 });
    json_pair_bool(&v->w, TEXT("closed"), p->state == PERSON_CLOSED);
    json_pair_bool(&v->w, TEXT("restricted"), p->restricted);
    put_time(v, TEXT("until"), v->until);
}

static enum err load_keeping(struct view *v)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(v->c), v->c->arena, &db));
    TRY(keeping_load(db, v->c->arena, v->c->tenant, v->p->id, v->c->now, &v->keeping));
    return keeping_person_until(db, v->c->policy, v->c->tenant, v->p->id, &v->keeping, &v->until);
}

/* ---- In steps: the head, a page of one category's data or records, the rest. ---- */

static enum err put_head(struct view *v, struct person_steps *s)
{
    TRY(source_supplier(v->c, v->p, &v->supplier));
    if (!s->bare)
        json_open(&v->w, '{');
    put_person(v);
    json_name(&v->w, TEXT("account"));
    TRY(account_put(v->c, v->p, &v->w));
    json_name(&v->w, TEXT("letters"));
    TRY(outbox_put_of(v->c, v->p, true, &v->w));
    put_controller(v);
    json_name(&v->w, TEXT("data"));
    json_open(&v->w, '{');
    s->stage = STEP_DATA;
    return OK;
}

/* The next page of the category at hand; *last: it has no other. A category without records of its own has none. */
static enum err load_page(struct view *v, struct person_steps *s, struct rows *r, struct record **rows, unsigned *count,
                          unsigned *unreadable, bool *last)
{
    bool more = false;
    *count = 0;
    if (!r->cat->transient)
        TRY(record_load_page(v->c, v->p, r->index, &s->after, rows, count, unreadable, &more));
    s->pages++;
    *last = !more || (s->most && s->pages == s->most);
    r->cut = more && *last;
    if (*last) {
        s->after = INT64_MIN;
        s->pages = 0;
    }
    return OK;
}

static enum err put_data(struct view *v, struct person_steps *s, struct rows *r)
{
    struct record *rows;
    unsigned count;
    bool last;
    TRY(load_page(v, s, r, &rows, &count, &r->unreadable, &last));
    put_data_page(v, r, rows, count);
    if (!last)
        return OK;
    TRY(end_data(v, r));
    if (++s->category < v->c->policy->category_count)
        return OK;
    json_close(&v->w, '}');
    json_name(&v->w, TEXT("categories"));
    json_open(&v->w, '[');
    s->category = 0;
    s->stage = STEP_CATEGORY;
    return OK;
}

static enum err put_records(struct view *v, struct person_steps *s, struct rows *r)
{
    struct record *rows;
    unsigned count, again = 0; /* what cannot be read was counted when the data were given */
    bool last;
    if (s->stage == STEP_CATEGORY)
        begin_category(v, r);
    s->stage = STEP_RECORDS;
    TRY(load_page(v, s, r, &rows, &count, &again, &last));
    put_records_page(v, r, rows, count);
    if (!last)
        return OK;
    json_close(&v->w, ']');
    if (s->most)
        json_pair_bool(&v->w, TEXT("cut"), r->cut);
    json_close(&v->w, '}');
    s->stage = STEP_CATEGORY;
    if (++s->category < v->c->policy->category_count)
        return OK;
    json_close(&v->w, ']');
    s->stage = STEP_REST;
    return OK;
}

static enum err put_rest(struct view *v, struct person_steps *s)
{
    enum { LOOKS_SHOWN = 10000 };
    const struct paging looks = { .limit = LOOKS_SHOWN };
    struct answer rest = { 0 };
    struct ctx *c = v->c;
    put_unreadable(v, s->rows);
    put_purposes(v);
    TRY(put_recipients(v));
    TRY(consent_put_ledger(c, v->p, &v->w));
    json_name(&v->w, TEXT("former"));
    TRY(subject_put_formers(c, v->p, &v->w));
    TRY(put_attachments(v));
    TRY(feature_put(c, v->p, &v->w));
    put_holds(v);
    TRY(person_file_put_looks(v, &looks, TEXT("looks_next"), &rest));
    if (!s->bare)
        json_close(&v->w, '}');
    s->stage = STEP_OVER;
    return OK;
}

static enum err put_step(struct view *v, struct person_steps *s)
{
    TRY(load_keeping(v));
    switch (s->stage) {
    case STEP_HEAD:
        return put_head(v, s);
    case STEP_DATA:
        return put_data(v, s, &s->rows[s->category]);
    case STEP_CATEGORY:
    case STEP_RECORDS:
        return put_records(v, s, &s->rows[s->category]);
    case STEP_REST:
        return put_rest(v, s);
    case STEP_OVER:
        break;
    }
    return OK;
}

enum err person_steps_begin(struct ctx *c, unsigned most, struct person_steps *s)
{
    unsigned count = c->policy->category_count;
    *s = (struct person_steps){ .most = most, .after = INT64_MIN, .rows = NEW_ARRAY(c->arena, struct rows, count + 1) };
    TRY_PTR(s->rows);
    for (unsigned i = 0; i < count; i++)
        s->rows[i] = (struct rows){ .cat = &c->policy->categories[i], .index = (int)i };
    return OK;
}

enum err person_steps_next(struct ctx *c, const struct person *p, struct person_steps *s, struct buf *out)
{
    ARENA_AUTO room = arena_make(PAGE_MEMORY);
    struct ctx inner = *c;
    struct view v = { .c = &inner, .p = p, .w = json_out(out) };
    inner.arena = &room;
    inner.decisions = NULL;
    v.w.comma = s->comma;
    enum err status = put_step(&v, s);
    if (status == OK)
        status = arena_whole(&room);
    s->comma = v.w.comma;
    if (status != OK) {
        c->arena->why = room.why;
        return status;
    }
    return buf_check(c->arena, out);
}

enum err person_file_put(struct ctx *c, const struct person *p, unsigned most, struct json_out *w)
{
    struct person_steps s;
    TRY(person_steps_begin(c, most, &s));
    s.bare = true;
    s.comma = w->comma;
    while (s.stage != STEP_OVER)
        TRY(person_steps_next(c, p, &s, w->b));
    w->comma = s.comma;
    return OK;
}

enum err person_file_rows(struct ctx *c, const struct person *p, int category, int64_t *after, struct buf *out,
                          bool *more)
{
    struct person_steps s = { .after = *after };
    struct rows r = { .cat = &c->policy->categories[category], .index = category };
    struct view v = { .c = c, .p = p, .w = json_out(out) };
    struct record *rows;
    unsigned count;
    bool last;
    TRY(load_page(&v, &s, &r, &rows, &count, &r.unreadable, &last));
    json_open(&v.w, '{');
    put_data_page(&v, &r, rows, count);
    if (last)
        TRY(end_data(&v, &r));
    else if (r.any)
        json_close(&v.w, ']');
    json_close(&v.w, '}');
    *after = s.after;
    *more = !last;
    return buf_check(c->arena, out);
}

text person_file_name(struct arena *a, unsigned n, text name)
{
    text safe = file_name_safe(a, name); /* what unpacks the archive makes a file of it, on any system */
    return safe.p ? arena_print(a, "attachments/%02u-%.*s", n, T(safe)) : safe;
}
