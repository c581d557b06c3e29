/* Choices: consents purpose by purpose and channel by channel, given and withdrawn with one press alike; objections;
 * what other sources may give; what was decided before. */
#include "domain/person/consent.h"
#include "domain/person/permission.h"
#include "front/door/go.h"
#include "domain/rights/objection.h"
#include "domain/core/named.h"
#include "domain/core/actor.h"
#include "front/page/page_person.h"

/* The last decision on a purpose and channel, or NULL: of the rows in force. */
static const struct json *last_of(const struct json *ledger, text purpose, text channel)
{
    const struct json *last = NULL;
    JSON_EACH(row, ledger)
        if (text_eq(json_text(row, TEXT("purpose")), purpose) && text_eq(json_text(row, TEXT("channel")), channel))
            last = row;
    return last;
}

static bool decided(const struct json *row, text decision)
{
    return row && text_eq(json_text(row, TEXT("decision")), decision);
}

static bool may_object(const struct purpose *p)
{
    return p->marketing || p->basis == BASIS_INTEREST || p->basis == BASIS_PUBLIC;
}

static void put_channel(struct page *p, const struct json *ledger, const struct purpose *of, text channel)
{
    const struct json *row = last_of(ledger, of->name, channel);
    bool lapsed = json_get(row, TEXT("lapsed")) != NULL; /* it is asked again, as if it had not been given */
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("channel"), channel);
    json_pair_bool(&p->w, TEXT("given"), decided(row, TEXT("given")) && !lapsed);
    json_pair(&p->w, TEXT("decision"), lapsed ? TEXT("lapsed")
                                       : row ? json_text(row, TEXT("decision")) : TEXT("none"));
    json_pair(&p->w, TEXT("at"), row ? json_text(row, TEXT("at")) : TEXT(""));
    json_close(&p->w, '}');
}

static void put_data(struct page *p, const struct purpose *of)
{
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("data"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->category_count; i++)
        if (bits_has(&of->categories, i))
            json_put_text(&p->w, doc_category(p->c, &policy->categories[i]));
    json_close(&p->w, ']');
}

static void put_choice(struct page *p, const struct json *ledger, const struct purpose *of)
{
    struct json_out *w = &p->w;
    json_open(w, '{');
    json_pair(w, TEXT("purpose"), of->name);
    json_pair(w, TEXT("title"), doc_purpose(p->c, of));
    put_data(p, of);
    json_name(w, TEXT("channels"));
    json_open(w, '[');
    for (unsigned i = 0; i < of->channel_count; i++)
        put_channel(p, ledger, of, of->channels[i]);
    if (!of->channel_count)
        put_channel(p, ledger, of, TEXT(""));
    json_close(w, ']');
    json_close(w, '}');
}

static void put_objection(struct page *p, const struct json *ledger, const struct purpose *of)
{
    const struct json *row = last_of(ledger, of->name, TEXT("objection"));
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("purpose"), of->name);
    json_pair(&p->w, TEXT("title"), doc_purpose(p->c, of));
    json_pair(&p->w, TEXT("basis"), doc_basis(p->c, basis_word(of->basis)));
    json_pair(&p->w, TEXT("interest"), doc_interest(p->c, of));
    put_data(p, of);
    bool answered = decided(row, TEXT("upheld")) || decided(row, TEXT("overridden"));
    json_pair_bool(&p->w, TEXT("objected"), decided(row, TEXT("objected")) || decided(row, TEXT("upheld")));
    json_pair_bool(&p->w, TEXT("overridden"), decided(row, TEXT("overridden")));
    json_pair(&p->w, TEXT("reason"), answered ? json_text(row, TEXT("evidence")) : TEXT(""));
    json_pair(&p->w, TEXT("at"), row ? json_text(row, TEXT("at")) : TEXT(""));
    json_close(&p->w, '}');
}

/* "contact.phone" in the words of the policy. */
static text title_of(struct page *p, text name)
{
    text field = name, category = text_cut(&field, '.');
    int index = policy_category(p->c->policy, category);
    const struct category *cat = index >= 0 ? &p->c->policy->categories[index] : NULL;
    if (cat && field.p && policy_field(cat, field) >= 0)
        return doc_field(p->c, cat, field);
    return cat ? doc_category(p->c, cat) : name;
}

/* What may come from each source that the person ever permitted. */
static void put_sources(struct page *p, const struct json *ledger)
{
    bool any = false;
    json_name(&p->w, TEXT("sources"));
    json_open(&p->w, '[');
    JSON_EACH(row, ledger) {
        const struct json *permitted = json_get(row, TEXT("permitted"));
        if (!json_text(row, TEXT("source")).n)
            continue;
        any = true;
        json_open(&p->w, '{');
        page_copy(p, row, TEXT("source"));
        json_pair(&p->w, TEXT("title"), doc_source(p->c, json_text(row, TEXT("source"))));
        json_pair_bool(&p->w, TEXT("given"), decided(row, TEXT("given")));
        json_pair(&p->w, TEXT("at"), json_text(permitted ? permitted : row, TEXT("at")));
        json_name(&p->w, TEXT("data"));
        json_open(&p->w, '[');
        JSON_EACH(name, json_get(permitted, TEXT("fields")))
            json_put_text(&p->w, title_of(p, name->value));
        json_close(&p->w, ']');
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_pair_bool(&p->w, TEXT("elsewhere"), any);
}

static void put_rows(struct page *p, const struct json *ledger)
{
    json_name(&p->w, TEXT("ledger"));
    json_open(&p->w, '[');
    JSON_EACH(row, ledger) {
        text channel = json_text(row, TEXT("channel"));
        int index = policy_purpose(p->c->policy, json_text(row, TEXT("purpose")));
        text source = json_text(row, TEXT("source"));
        bool reach = !source.n && !text_eq(channel, TEXT("objection"));
        text title = source.n ? doc_source(p->c, source) : json_text(row, TEXT("purpose"));
        if (index >= 0)
            title = doc_purpose(p->c, &p->c->policy->purposes[index]);
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"), title);
        json_pair(&p->w, TEXT("channel"), reach ? channel : TEXT(""));
        page_copy(p, row, TEXT("decision"));
        page_copy(p, row, TEXT("at"));
        page_copy(p, row, TEXT("policy"));
        page_copy(p, row, TEXT("wording"));
        json_pair(&p->w, TEXT("receipt"), json_text(row, TEXT("receipt")));
        json_pair(&p->w, TEXT("taken_by"),
                  text_eq(json_text(row, TEXT("by")), TEXT("person")) ? TEXT("")
                                                                      : doc_source(p->c, json_text(row, TEXT("by"))));
        json_pair(&p->w, TEXT("reason"),
                  text_eq(channel, TEXT("objection")) ? json_text(row, TEXT("evidence")) : TEXT(""));
        json_pair(&p->w, TEXT("signed"), json_text(row, TEXT("entered")).n ? json_text(row, TEXT("at")) : TEXT(""));
        json_pair(&p->w, TEXT("parent"), json_text(row, TEXT("parent")));
        json_pair(&p->w, TEXT("method"), json_text(row, TEXT("method")));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static enum err show_choices(struct ctx *c, const struct request *q, struct reply *r, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    struct paging paging;
    const struct json *file, *ledger;
    TRY(page_open(c, q, TEXT("consents"), TEXT("me"), &p));
    TRY(paging_parse(c, request_query(q, TEXT("after")), TEXT(""), &paging));
    paging.newest = true;
    TRY(consent_list(c, session_self(c), &paging, &answer));
    TRY(json_parse(c->arena, answer.body, &file));
    ledger = json_get(file, TEXT("last"));
    page_problem(&p, why);
    json_name(&p.w, TEXT("choices"));
    json_open(&p.w, '[');
    for (unsigned i = 0; i < c->policy->purpose_count; i++)
        if (c->policy->purposes[i].basis == BASIS_CONSENT)
            put_choice(&p, ledger, &c->policy->purposes[i]);
    json_close(&p.w, ']');
    json_name(&p.w, TEXT("objections"));
    json_open(&p.w, '[');
    for (unsigned i = 0; i < c->policy->purpose_count; i++)
        if (c->policy->purposes[i].basis != BASIS_CONSENT && may_object(&c->policy->purposes[i]))
            put_objection(&p, ledger, &c->policy->purposes[i]);
    json_close(&p.w, ']');
    put_sources(&p, ledger);
    put_rows(&p, json_get(file, TEXT("consents")));
    json_pair(&p.w, TEXT("next"), json_text(file, TEXT("next")));
    return page_show(&p, r, why ? err_row(why->code)->http : 200);
}

enum err api_consents_page(struct ctx *c, const struct request *q, struct reply *r)
{
    return show_choices(c, q, r, NULL);
}

/* What the person was asked stands on the page as the purpose's title, in their language: that is the wording on
 * record. */
static enum err decide(struct ctx *c, const struct request *q, text decision)
{
    text purpose = json_text(q->json, TEXT("purpose")), channel = json_text(q->json, TEXT("channel"));
    int index = policy_purpose(c->policy, purpose);
    struct answer answer = { 0 };
    if (text_eq(decision, TEXT("object")) || text_eq(decision, TEXT("lift")))
        return objection_set(c, session_self(c), purpose, text_eq(decision, TEXT("object")), &answer);
    if (text_eq(decision, TEXT("end")))
        return permission_end(c, session_self(c), json_text(q->json, TEXT("source")), &answer);
    if (text_eq(decision, TEXT("allow")))
        return permission_set(c, session_self(c), json_text(q->json, TEXT("source")), NULL, &answer);
    if (!text_eq(decision, TEXT("given")) && !text_eq(decision, TEXT("withdrawn")))
        return say(c->arena, ERR_USAGE, "the member \"decision\" is given, withdrawn, object, lift, allow or end");
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("purpose"), purpose);
    json_pair(&w, TEXT("decision"), decision);
    if (channel.n)
        json_pair(&w, TEXT("channel"), channel);
    json_pair(&w, TEXT("method"), TEXT("button"));
    if (index >= 0)
        json_pair(&w, TEXT("wording"), doc_purpose(c, &c->policy->purposes[index]));
    json_close(&w, '}');
    const struct json *in;
    TRY(json_parse_buf(c->arena, &b, &in));
    return consent_record(c, session_self(c), in, &answer);
}

enum err api_consents_decide(struct ctx *c, const struct request *q, struct reply *r)
{
    static const struct {
        text decision, done;
    } said[] = { { TEXT_INIT("given"), TEXT_INIT("given") },
                 { TEXT_INIT("withdrawn"), TEXT_INIT("withdrawn") },
                 { TEXT_INIT("object"), TEXT_INIT("objected") },
                 { TEXT_INIT("lift"), TEXT_INIT("lifted") },
                 { TEXT_INIT("allow"), TEXT_INIT("allowed") },
                 { TEXT_INIT("end"), TEXT_INIT("stopped") } };
    text decision = json_text(q->json, TEXT("decision"));
    enum err e = decide(c, q, decision);
    if (e != OK) {
        struct why why = c->arena->why;
        why.code = e;
        return show_choices(c, q, r, &why);
    }
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (text_eq(said[i].decision, decision))
            return page_go(c, r, TEXT("/me/consents"), said[i].done);
    return page_go(c, r, TEXT("/me/consents"), TEXT(""));
}
