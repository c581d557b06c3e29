/* What staff do for a person at their request: correct their data, record what they decided, give them a copy, erase
 * them. Purpose and reason of the look go with it. */
#include "domain/core/look.h"
#include "domain/core/named.h"
#include "domain/keep/erase.h"
#include "domain/entry/address.h"
#include "domain/person/consent.h"
#include "domain/person/subject.h"
#include "domain/rights/export.h"
#include "front/door/word.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

/* The page again as it was: what was looked at is looked at again, and is on record again. */
static enum err after(struct ctx *c, const struct request *q, struct reply *r, enum err status, text said)
{
    struct staff_outcome o = staff_outcome(c, status);
    struct answer looked = { 0 };
    if (status != OK && !staff_again(status))
        return status;
    c->if_match = 0;
    enum err e = subject_read(c, q->params[0], json_text(q->json, TEXT("purpose")), (text){ NULL, 0 }, &looked);
    return staff_show_person(c, q, r, &o, e == OK ? &looked : NULL, status == OK ? said : TEXT(""));
}

/* ---- Correcting. ---- */

static enum err patch_of(struct ctx *c, const struct request *q, const struct category *cat, const struct json **out)
{
    struct answer answer = { 0 };
    const struct json *read;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    TRY(subject_read(c, q->params[0], json_text(q->json, TEXT("purpose")), cat->name, &answer));
    TRY(json_parse(c->arena, answer.body, &read));
    const struct json *values = json_get(json_get(read, TEXT("data")), cat->name);
    json_open(&w, '{');
    json_name(&w, cat->name);
    json_open(&w, '{');
    unsigned changes = form_values(c, &w, cat, FORM_NO_IDENTIFIERS, values, q->json);
    json_close(&w, '}');
    json_close(&w, '}');
    *out = NULL;
    return changes ? json_parse_buf(c->arena, &b, out) : OK;
}

static enum err correct(struct ctx *c, const struct request *q, bool *changed)
{
    struct answer answer = { 0 };
    const struct json *patch;
    int index = policy_category(c->policy, json_text(q->json, TEXT("category")));
    *changed = false;
    TRY(staff_reason(c, q));
    if (index < 0)
        return say(c->arena, ERR_UNDECLARED, "the policy has no such category");
    TRY(patch_of(c, q, &c->policy->categories[index], &patch));
    *changed = patch != NULL;
    if (!patch)
        return OK;
    if (!text_int(json_text(q->json, TEXT("version")), &c->if_match))
        return say(c->arena, ERR_PRECONDITION_REQUIRED, "the form lacks the version that it was made from");
    return subject_patch(c, q->params[0], patch, json_text(q->json, TEXT("source")),
                         json_text(q->json, TEXT("purpose")), &answer);
}

enum err api_staff_correct(struct ctx *c, const struct request *q, struct reply *r)
{
    bool changed;
    enum err status = correct(c, q, &changed);
    return after(c, q, r, status, changed ? TEXT("done.saved") : TEXT("done.unchanged"));
}

/* ---- What the person decided, told by telephone or on paper. ---- */

static enum err record(struct ctx *c, const struct request *q)
{
    text channel = json_text(q->json, TEXT("choice")), purpose = text_cut(&channel, ' ');
    int index = policy_purpose(c->policy, purpose);
    struct answer answer = { 0 };
    const struct json *in;
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    TRY(staff_reason(c, q));
    json_open(&w, '{');
    json_pair(&w, TEXT("purpose"), purpose);
    json_pair(&w, TEXT("decision"), json_text(q->json, TEXT("decision")));
    if (channel.n)
        json_pair(&w, TEXT("channel"), channel);
    json_pair(&w, TEXT("method"), text_trim(json_text(q->json, TEXT("method"))));
    if (index >= 0)
        json_pair(&w, TEXT("wording"), doc_purpose(c, &c->policy->purposes[index]));
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    return consent_record(c, q->params[0], in, &answer);
}

enum err api_staff_choice(struct ctx *c, const struct request *q, struct reply *r)
{
    return after(c, q, r, record(c, q), TEXT("done.recorded"));
}

/* ---- A copy, and the end. ---- */

enum err api_staff_export(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(staff_reason(c, q));
    TRY(access_export(c, q->params[0], &answer));
    return reply_answer(c, q, r, &answer);
}

static enum err ask_erase(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    static const text kept[] = { TEXT_INIT("reason"), TEXT_INIT("purpose") };
    struct answer answer = { 0 };
    const struct json *stays, *account;
    bool nobody;
    PAGE_AUTO p = { 0 };
    TRY(erase_foresee(c, q->params[0], &answer));
    TRY(json_parse(c->arena, answer.body, &stays));
    TRY(staff_account(c, q, TEXT(""), &account, &nobody));
    TRY(staff_open(c, q, TEXT("staff_erase"), &p));
    staff_problem(&p, o);
    staff_person(&p, account, TEXT("erase"));
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    page_copy(&p, stays, TEXT("kept"));
    page_copy(&p, stays, TEXT("gone"));
    page_copy(&p, stays, TEXT("recipients_to_tell"));
    return page_show(&p, r, staff_status(o));
}

static enum err give_certificate(struct ctx *c, struct reply *r, const struct answer *erased)
{
    const struct json *all;
    struct answer page = { 0 };
    TRY(json_parse(c->arena, erased->body, &all));
    TRY(certificate_shown(c, json_text(json_get(all, TEXT("certificate")), TEXT("id")), true, &page));
    reply_bytes(r, 200, page.media_type, page.body);
    return OK;
}

enum err api_staff_erase(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    bool sure = text_eq(json_text(q->json, TEXT("sure")), TEXT("yes"));
    enum err status = staff_reason(c, q);
    if (status == OK && sure)
        status = erase_subject(c, q->params[0], NULL, &answer);
    if (status == OK && sure)
        return give_certificate(c, r, &answer);
    struct staff_outcome o = staff_outcome(c, status);
    return status == OK || staff_again(status) ? ask_erase(c, q, r, &o) : status;
}
