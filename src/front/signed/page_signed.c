/* Consents on paper or by telephone: staff enter one, programs too, and the form that is printed. */
#include "domain/choice/point.h"
#include "domain/core/named.h"
#include "domain/person/consent.h"
#include "domain/person/holding.h"
#include "domain/signed/signed.h"
#include "front/door/go.h"
#include "front/door/word.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"
#include "paper/pdf.h"

HANDLER(wording_list, signed_wordings(c, request_query(q, TEXT("purpose")), &answer))
HANDLER(signed_record, signed_record(c, q->params[0], q->json, &answer))

/* ---- Staff. ---- */

/* What the page's list gives: "purpose|channel|version|language". */
static text value_of(struct ctx *c, const struct json *row)
{
    return arena_print(c->arena, "%.*s|%.*s|%.*s|%.*s", T(json_text(row, TEXT("purpose"))),
                       T(json_text(row, TEXT("channel"))), T(json_text(row, TEXT("version"))),
                       T(json_text(row, TEXT("language"))));
}

static enum err put_wordings(struct page *p, text chosen)
{
    struct answer answer = { 0 };
    const struct json *said;
    TRY(signed_wordings(p->c, TEXT(""), &answer));
    TRY(json_parse(p->c->arena, answer.body, &said));
    const struct json *rows = json_get(said, TEXT("wordings"));
    json_pair_bool(&p->w, TEXT("none"), !rows->count);
    json_name(&p->w, TEXT("wordings"));
    json_open(&p->w, '[');
    JSON_EACH(row, rows) {
        text value = value_of(p->c, row);
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("value"), value);
        json_pair(&p->w, TEXT("version"), json_text(row, TEXT("version")));
        json_pair(&p->w, TEXT("language"), json_text(row, TEXT("language")));
        json_pair(&p->w, TEXT("wording"), json_text(row, TEXT("wording")));
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(value, chosen));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    return OK;
}

/* Purposes whose letters go to customers who could oppose at a sale, of the role: "purpose|channel". */
static void put_offers(struct page *p)
{
    const struct ctx *c = p->c;
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    bool any = false;
    json_name(&p->w, TEXT("offers"));
    json_open(&p->w, '[');
    for (unsigned i = 0; class && i < c->policy->purpose_count; i++) {
        const struct purpose *of = &c->policy->purposes[i];
        for (unsigned k = 0; of->customers_only && bits_has(&class->purposes, i) && k < of->channel_count; k++) {
            any = true;
            json_open(&p->w, '{');
            json_pair(&p->w, TEXT("value"), arena_print(c->arena, "%.*s|%.*s", T(of->name), T(of->channels[k])));
            json_pair(&p->w, TEXT("says"), doc_consent(p->c, doc_purpose(p->c, of), of->channels[k]));
            json_close(&p->w, '}');
        }
    }
    json_close(&p->w, ']');
    json_pair_bool(&p->w, TEXT("sells"), any);
}

static enum err signed_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    static const text kept[] = { TEXT_INIT("signed"), TEXT_INIT("reason"), TEXT_INIT("sale"), TEXT_INIT("said"),
                                 TEXT_INIT("parent") };
    const struct json *account;
    bool nobody;
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_signed"), &p));
    staff_problem(&p, o);
    TRY(staff_account(c, q, TEXT(""), &account, &nobody));
    staff_person(&p, account, TEXT("signed"));
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    TRY(put_wordings(&p, json_text(q->json, TEXT("wording"))));
    put_offers(&p);
    json_pair(&p.w, TEXT("minor_age"), node_text(node_at(c->policy->root, TEXT("minors")), TEXT("age")));
    json_pair_bool(&p.w, TEXT("minor_ticked"), json_text(q->json, TEXT("minor")).n > 0);
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_signed(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return signed_page(c, q, r, &fine);
}

/* The form's members as the body that programs send. */
static enum err body_of(struct ctx *c, const struct request *q, text scan, const struct json **out)
{
    static const text same[] = { TEXT_INIT("decision"), TEXT_INIT("method"), TEXT_INIT("signed") };
    static const text parts[] = { TEXT_INIT("purpose"), TEXT_INIT("channel"), TEXT_INIT("version"),
                                  TEXT_INIT("language") };
    const struct json *sent;
    text chosen = json_text(q->json, TEXT("wording"));
    TRY(form_dated(c, q->json, &sent));
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        text part = text_cut(&chosen, '|');
        if (part.n)
            json_pair(&w, parts[i], part);
    }
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        json_pair(&w, same[i], text_trim(json_text(sent, same[i])));
    if (scan.n)
        json_pair(&w, TEXT("scan"), scan);
    if (json_text(q->json, TEXT("minor")).n)
        json_pair_bool(&w, TEXT("minor"), true);
    if (json_text(q->json, TEXT("parent")).n)
        json_pair(&w, TEXT("parent"), json_text(q->json, TEXT("parent")));
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

/* In a commit of its own: it is the decision, which names it, that a repeated request is answered with. */
static enum err add_scan(struct ctx *c, const struct request *q, struct answer *scan)
{
    const struct idempotency kept = c->idempotency;
    enum err status = OK;
    c->idempotency = (struct idempotency){ 0 };
    for (size_t i = 0; i < q->upload_count && status == OK; i++) {
        const struct upload *file = &q->uploads[i];
        const struct attachment_new proof = {
            .category = TEXT(PROOFS), .name = file->file_name, .media_type = file->media_type, .content = file->content
        };
        if (text_eq(file->name, TEXT("scan")))
            status = attachment_take(c, q->params[0], &proof, scan);
    }
    c->idempotency = kept;
    return status;
}

/* That opposing was offered at a sale: with the sale, and the words of the offer. */
static enum err record_offer(struct ctx *c, const struct request *q, text offer)
{
    struct answer answer = { 0 };
    const struct json *in;
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    text purpose = text_cut(&offer, '|');
    json_open(&w, '{');
    json_pair(&w, TEXT("purpose"), purpose);
    json_pair(&w, TEXT("channel"), offer);
    json_pair(&w, TEXT("decision"), TEXT("offered"));
    json_pair(&w, TEXT("evidence"), text_trim(json_text(q->json, TEXT("sale"))));
    json_pair(&w, TEXT("wording"), text_trim(json_text(q->json, TEXT("said"))));
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    return consent_record(c, q->params[0], in, &answer);
}

static enum err record_sent(struct ctx *c, const struct request *q)
{
    struct answer scan = { 0 }, answer = { 0 };
    const struct json *in;
    text offer = json_text(q->json, TEXT("offer")), sold = json_text(q->json, TEXT("sold"));
    TRY(staff_reason(c, q));
    if (sold.n)
        return record_offer(c, q, offer);
    TRY(add_scan(c, q, &scan));
    TRY(body_of(c, q, scan.id, &in));
    return signed_record(c, q->params[0], in, &answer);
}

enum err api_staff_signed_do(struct ctx *c, const struct request *q, struct reply *r)
{
    struct staff_outcome o = staff_outcome(c, record_sent(c, q));
    if (o.status == OK)
        return page_go(c, r, staff_path(c, q, "/signed"), TEXT("signed"));
    return staff_again(o.status) ? signed_page(c, q, r, &o) : o.status;
}

/* ---- The form to print. ---- */

enum err api_form_paper(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct point point;
    struct point_box box;
    TRY(request_take_language(c, q));
    TRY(point_find(c, q->params[0], &point));
    TRY(page_open(c, q, TEXT("form_paper"), TEXT(""), &p));
    const struct controller who = ctx_controller(c);
    json_name(&p.w, TEXT("form"));
    json_open(&p.w, '{');
    point_put(c, &point, &p.w);
    json_pair_bool(&p.w, TEXT("has_boxes"), point_box(c, &point, 0, &box));
    json_pair(&p.w, TEXT("email"), who.email);
    json_pair(&p.w, TEXT("address"), who.address);
    json_pair(&p.w, TEXT("version"), c->policy->version);
    json_pair(&p.w, TEXT("language"), c->language);
    json_name(&p.w, TEXT("fields"));
    json_open(&p.w, '[');
    for (unsigned i = 0; i < point.field_count; i++)
        form_field(&p, point.fields[i].category, point.fields[i].field, NULL);
    json_close(&p.w, ']');
    json_close(&p.w, '}');
    return page_show(&p, r, 200);
}

/* ---- The same as PDF. ---- */

static text word_of(struct ctx *c, const char *key) { return word_find(text_of(key), c->language); }

static void put_notice(struct ctx *c, struct pdf *p, const struct json *form)
{
    const struct controller who = ctx_controller(c);
    text says = json_text(form, TEXT("says"));
    pdf_text(p, true, 16, json_text(form, TEXT("title")));
    if (says.n)
        pdf_text(p, false, 10, says);
    pdf_gap(p, 6);
    pdf_text(p, true, 10, word_of(c, "form.who"));
    pdf_text(p, false, 10, json_text(form, TEXT("controller")));
    pdf_text(p, true, 10, word_of(c, "form.why"));
    JSON_EACH(one, json_get(form, TEXT("purposes")))
        pdf_text(
            p, false, 10,
            arena_print(c->arena, "%.*s (%.*s)", T(json_text(one, TEXT("title"))), T(json_text(one, TEXT("basis")))));
    pdf_text(p, true, 10, word_of(c, "form.how_long"));
    JSON_EACH(one, json_get(form, TEXT("kept")))
        pdf_text(p, false, 10,
                 arena_print(c->arena, "%.*s%.*s%.*s", T(json_text(one, TEXT("title"))), T(word_of(c, "colon")),
                             T(json_text(one, TEXT("term")))));
    pdf_gap(p, 6);
    pdf_text(p, false, 10,
             arena_print(c->arena, "%.*s %.*s %.*s%s%.*s.", T(word_of(c, "form.rights")),
                         T(word_of(c, "paper.withdraw")), T(who.email), who.address.n ? ", " : "", T(who.address)));
}

static void put_choices(struct ctx *c, struct pdf *p, const struct point *point, const struct json *form)
{
    pdf_gap(p, 10);
    pdf_text(p, true, 12, word_of(c, "paper.fields"));
    for (unsigned i = 0; i < point->field_count; i++) {
        const struct field *f = point->fields[i].field;
        text title = doc_field(c, point->fields[i].category, f->name);
        pdf_line(p, 8,
                 f->required ? title : arena_print(c->arena, "%.*s (%.*s)", T(title), T(word_of(c, "frame.optional"))));
    }
    if (json_get(form, TEXT("boxes"))->count) {
        pdf_gap(p, 10);
        pdf_text(p, true, 12, word_of(c, "paper.choices"));
    }
    JSON_EACH(one, json_get(form, TEXT("boxes")))
        pdf_box(p, json_text(one, TEXT("wording")));
}

static enum err put_pdf(struct ctx *c, const struct point *point, const struct json *form, struct buf *out)
{
    const struct controller who = ctx_controller(c);
    struct pdf *p = NULL;
    TRY(pdf_open(c->arena, json_text(form, TEXT("title")), &p));
    pdf_begin(p);
    put_notice(c, p, form);
    put_choices(c, p, point, form);
    pdf_gap(p, 10);
    pdf_line(p, 8, word_of(c, "paper.date"));
    pdf_line(p, 20, word_of(c, "paper.signature"));
    pdf_text(p, false, 10,
             arena_print(c->arena, "%.*s %.*s%s%.*s.", T(word_of(c, "paper.send")),
                         T(json_text(form, TEXT("controller"))), who.address.n ? ", " : "", T(who.address)));
    pdf_text(p, false, 8,
             arena_print(c->arena, "%.*s %.*s, %.*s %.*s, %.*s", T(word_of(c, "paper.reference")),
                         T(json_text(form, TEXT("form"))), T(word_of(c, "paper.version")), T(c->policy->version),
                         T(c->language)));
    enum err status = pdf_take(c->arena, p, out);
    pdf_close(&p);
    return status;
}

enum err api_form_pdf(struct ctx *c, const struct request *q, struct reply *r)
{
    struct point point;
    const struct json *form;
    struct answer answer = { .media_type = TEXT("application/pdf") };
    BUF_AUTO said = buf_make(4 << 20), file = buf_make(16 << 20);
    struct json_out w = json_out(&said);
    TRY(request_take_language(c, q));
    TRY(point_find(c, q->params[0], &point));
    json_open(&w, '{');
    point_put(c, &point, &w);
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &said, &form));
    TRY(put_pdf(c, &point, form, &file));
    TRY(buf_take(c->arena, &file, &answer.body));
    answer.file_name = arena_print(c->arena, "%.*s.pdf", T(q->params[0]));
    return reply_answer(c, q, r, &answer);
}
