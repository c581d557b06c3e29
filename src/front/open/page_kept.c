/* What was typed before the session was over: shown, and sent by a press of its person. It is never done by itself, so
 * that nobody's form is done by whoever signs in at their browser. */
#include "front/open/page_kept.h"
#include "domain/account/kept.h"
#include "domain/core/actor.h"
#include "domain/core/named.h"
#include "front/door/form.h"
#include "front/door/router.h"
#include "front/door/word.h"
#include "front/open/page_door.h"
#include "front/page/page_person.h"

/* What else than fields of the policy people type, by the word it stands under on its page. */
static const struct {
    text name, word;
} typed_names[] = {
    { TEXT_INIT("subject"), TEXT_INIT("staff.subject") },  { TEXT_INIT("text"), TEXT_INIT("staff.text") },
    { TEXT_INIT("reason"), TEXT_INIT("staff.reason") },    { TEXT_INIT("name"), TEXT_INIT("staff.folder_name") },
    { TEXT_INIT("why"), TEXT_INIT("staff.why") },          { TEXT_INIT("purpose"), TEXT_INIT("staff.purpose") },
    { TEXT_INIT("decision"), TEXT_INIT("kept.decision") }, { TEXT_INIT("value"), TEXT_INIT("security.new_value") },
};

static text title_of(struct ctx *c, text name)
{
    text field = name, category = text_cut(&field, '.');
    int index = field.n ? policy_category(c->policy, category) : -1;
    if (index >= 0)
        return doc_field(c, &c->policy->categories[index], field);
    for (size_t i = 0; i < sizeof typed_names / sizeof *typed_names; i++)
        if (text_eq(typed_names[i].name, name))
            return word_find(typed_names[i].word, c->language);
    return TEXT("");
}

/* A purpose and a decision as people read them; what was typed as it is. */
static text shown_of(struct ctx *c, text name, text value)
{
    int purpose = text_eq(name, TEXT("purpose")) ? policy_purpose(c->policy, value) : -1;
    text decision = text_eq(name, TEXT("decision"))
                        ? word_find(arena_print(c->arena, "decision.%.*s", T(value)), c->language)
                        : (text){ NULL, 0 };
    return purpose >= 0 ? doc_purpose(c, &c->policy->purposes[purpose]) : decision.p ? decision : value;
}

static void put_member(struct page *p, text name, text value)
{
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("name"), name);
    json_pair(&p->w, TEXT("value"), value);
    json_pair(&p->w, TEXT("shown"), shown_of(p->c, name, value));
    page_text(p, TEXT("says"), value.n ? title_of(p->c, name) : TEXT(""));
    json_close(&p->w, '}');
}

/* What the form does, in a few words: its route's. */
static void put_act(struct page *p, text path)
{
    struct why why = p->c->arena->why;
    struct request asked = { .front = p->q->front, .method = METHOD_POST, .target = path };
    bool known = route_find(p->c->arena, &asked) == OK;
    p->c->arena->why = why;
    page_text(p, TEXT("does"), known ? doc_in(p->c, asked.route->title_en, asked.route->title_fr) : TEXT(""));
}

static enum err show(struct ctx *c, const struct request *q, struct reply *r, const struct kept *form)
{
    PAGE_AUTO p = { 0 };
    const struct json *sent;
    text csrf;
    TRY(form_parse(c->arena, form->body, &sent, &csrf));
    TRY(page_open(c, q, TEXT("kept"), TEXT(""), &p));
    page_problem(&p, NULL);
    put_act(&p, form->path);
    json_pair(&p.w, TEXT("to"), text_from(form->path, 1));
    json_name(&p.w, TEXT("members"));
    json_open(&p.w, '[');
    JSON_EACH(v, sent) {
        if (v->kind == J_TEXT)
            put_member(&p, v->key, v->value);
        else
            JSON_EACH(one, v)
                put_member(&p, v->key, one->value);
    }
    json_close(&p.w, ']');
    return page_show(&p, r, 200);
}

/* Whether anything of it was typed; else its page, which still stands there, asks for one press as well. */
static bool typed(struct ctx *c, const struct kept *form)
{
    const struct json *sent;
    text csrf;
    bool found = false;
    if (form_parse(c->arena, form->body, &sent, &csrf) != OK)
        return false;
    JSON_EACH(v, sent)
        found |= title_of(c, v->key).n > 0;
    return found;
}

static struct kept form_of(const struct request *q)
{
    text target = q->target;
    return (struct kept){ text_cut(&target, '?'), q->body };
}

enum err page_keep_form(struct ctx *c, const struct request *q, struct reply *r, text csrf)
{
    const struct kept form = form_of(q);
    struct why why = c->arena->why;
    text closed;
    if (why.code == ERR_FORGED)
        return kept_theirs(c, csrf) ? show(c, q, r, &form) : ERR_FORGED;
    if (why.code == ERR_REAUTHENTICATE && !typed(c, &form))
        return why.code;
    TRY(kept_seal(c, csrf, &form, &closed));
    TRY(why.code == ERR_UNAUTHORISED ? page_signin_keeping(c, q, r, closed) : page_again_keeping(c, q, r, closed));
    r->code = why.code;
    return OK;
}

bool page_kept_goes_on(struct ctx *c, const struct request *q, struct reply *r, enum err *status)
{
    struct kept form;
    text closed = json_text(q->json, TEXT("kept"));
    if (!closed.n || !kept_open(c, closed, &form))
        return false;
    *status = show(c, q, r, &form);
    return true;
}
