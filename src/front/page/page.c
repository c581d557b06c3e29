/* Pages: the frame's members, problems above forms, redirections after acts. */
#include "front/door/go.h"
#include "domain/core/actor.h"
#include "front/page/page.h"
#include "front/page/page_person.h"
#include "domain/core/named.h"
#include "domain/account/password.h"
#include "domain/tracker/tracker.h"
#include "front/door/router.h"
#include "front/door/word.h"

enum { MODEL_LIMIT = 16 << 20 };

void page_free(struct page *p) { buf_free(&p->model); }

void page_text(struct page *p, text name, text s)
{
    BUF_AUTO b = buf_make(1 << 16);
    word_set(&b, s, p->c->language);
    json_name(&p->w, name);
    json_put_text_of(&p->w, &b);
}

void page_word(struct page *p, text name, text key) { page_text(p, name, word_find(key, p->c->language)); }

/* ---- The menu. ---- */

static const struct {
    text area, group, key, path, icon, clause;
} places[] = {
#define NAV(area, group, key, path, icon, clause)                                                                      \
    { TEXT_INIT(area), TEXT_INIT(group), TEXT_INIT(key), TEXT_INIT(path), TEXT_INIT(icon), TEXT_INIT(clause) },
#include "front/page/nav.def"
#undef NAV
};

static void put_place(struct page *p, size_t i, text here)
{
    struct json_out *w = &p->w;
    json_open(w, '{');
    json_pair(w, TEXT("path"), text_from(places[i].path, 1));
    json_pair(w, TEXT("icon"), places[i].icon);
    json_pair(w, TEXT("key"), places[i].key);
    /* A page below a place (/me/edit/contact) shows the place it was reached from. */
    json_pair_bool(w, TEXT("current"), text_eq(places[i].path, here));
    json_close(w, '}');
}

static void put_menu(struct page *p, text area, text here)
{
    struct json_out *w = &p->w;
    text group = TEXT("");
    json_name(w, TEXT("menu"));
    json_open(w, '[');
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool works = p->c->session && p->c->session->role.n;
        if (!text_eq(places[i].area, area) || (text_eq(places[i].group, TEXT("work")) && !works))
            continue;
        if (places[i].clause.n && !node_at(p->c->policy->root, places[i].clause))
            continue;
        if (!text_eq(places[i].group, group)) {
            if (group.n) {
                json_close(w, ']');
                json_close(w, '}');
            }
            group = places[i].group;
            json_open(w, '{');
            json_pair(w, TEXT("group"), group);
            json_name(w, TEXT("places"));
            json_open(w, '[');
        }
        put_place(p, i, here);
    }
    if (group.n) {
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* ---- The frame. ---- */

static void put_languages(struct page *p)
{
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("languages"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->language_count && policy->language_count > 1; i++) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("code"), policy->languages[i]);
        json_pair(&p->w, TEXT("name"), text_eq(policy->languages[i], TEXT("fr")) ? TEXT("Français") : TEXT("English"));
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(policy->languages[i], p->c->language));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static void put_done(struct page *p)
{
    text done = p->q->route ? request_query(p->q, TEXT("done")) : (text){ NULL, 0 };
    text key = done.n ? arena_print(p->c->arena, "done.%.*s", T(done)) : (text){ NULL, 0 };
    page_text(p, TEXT("done"), key.p ? word_find(key, p->c->language) : TEXT("")); /* only what the table says */
}

static text path_of(const struct request *q)
{
    text target = q->target;
    return text_cut(&target, '?');
}

/* What a page in the other language must know again: the link's token, and where to go next. */
static void put_carried(struct page *p)
{
    static const text names[] = { TEXT_INIT("token"), TEXT_INIT("next") };
    json_name(&p->w, TEXT("carried"));
    json_open(&p->w, '[');
    for (size_t i = 0; p->q->route && i < sizeof names / sizeof *names; i++) {
        text asked = request_query(p->q, names[i]), value = asked.n ? asked : json_text(p->q->json, names[i]);
        if (text_eq(names[i], TEXT("next")))
            value = page_next(value, TEXT(""));
        if (!value.n)
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("parameter"), names[i]);
        json_pair(&p->w, TEXT("given"), value);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

/* A page that only a form leads to cannot be asked for again. */
static text here_of(struct ctx *c, const struct request *q)
{
    text here = path_of(q);
    bool again = q->method == METHOD_GET || text_starts(route_allow(c->arena, here), TEXT("GET"));
    if (!again && c->session && text_starts(here, TEXT("/staff/")))
        return TEXT("/staff/people");
    return again ? here : c->session ? TEXT("/me") : TEXT("/signin");
}

void page_bare(struct ctx *c, const struct request *q, text name, struct page *out)
{
    *out = (struct page){ .c = c, .q = q, .name = name, .model = buf_make(MODEL_LIMIT) };
    out->w = json_out(&out->model);
    json_open(&out->w, '{');
}

static void put_frame(struct ctx *c, const struct request *q, text name, text area, struct page *out)
{
    page_bare(c, q, name, out);
    struct json_out *w = &out->w;
    text site = node_said(node_at(c->policy->root, TEXT("policy.title")), c->language), here = here_of(c, q);
    json_pair(w, TEXT("site"), site.n ? site : c->policy->controller.legal_name);
    json_pair(w, TEXT("lang"), c->language);
    json_pair(w, TEXT("here"), text_from(here, 1));
    page_word(out, TEXT("title"), arena_print(c->arena, "title.%.*s", T(name)));
    json_pair_bool(w, TEXT("member"), c->session != NULL);
    json_pair(w, TEXT("csrf"), c->session ? text_of(c->session->csrf) : TEXT(""));
    json_pair_bool(w, TEXT("in_role"), c->session && c->session->role.n);
    out->at_work = text_eq(area, TEXT("staff"));
    json_pair_bool(w, TEXT("at_work"), out->at_work);
    /* Whom the menu already leads everywhere needs no second one. */
    json_pair_bool(w, TEXT("away"), c->session && (c->session->role.n || !text_eq(area, TEXT("me"))));
    json_pair_bool(w, TEXT("at_home"), text_eq(area, TEXT("me")));
    struct tracker_asked asked;
    tracker_asked(c, &asked);
    json_pair_bool(w, TEXT("has_choice"), asked.count > 0);
    json_pair_bool(w, TEXT("has_accounts"), c->policy->session.cookie.n > 0);
    put_languages(out);
    put_carried(out);
    put_menu(out, area, here);
    json_pair_bool(w, TEXT("has_menu"), area.n && c->session);
    put_done(out);
}

enum err page_open(struct ctx *c, const struct request *q, text name, text area, struct page *out)
{
    TRY(request_take_language(c, q));
    put_frame(c, q, name, area, out);
    return OK;
}

/* ---- Problems. ---- */

text page_reason(struct page *p, enum err code)
{
    const struct err_row *row = err_row(code);
    struct arena *a = p->c->arena;
    text own = word_find(arena_print(a, "problem.%.*s.%.*s", T(p->name), T(row->slug)), p->c->language);
    if (!own.p)
        own = word_find(arena_print(a, "problem.%.*s", T(row->slug)), p->c->language);
    return own.p ? own : doc_in(p->c, row->en, row->fr);
}

/* What to do about "contact.email", by the title that the policy gives it; of another input, what the reason says. */
static text field_fault(struct page *p, text field, enum err code)
{
    struct ctx *c = p->c;
    text name = field;
    text category = text_cut(&name, '.');
    int index = policy_category(c->policy, category);
    const struct category *cat = index >= 0 ? &c->policy->categories[index] : NULL;
    int at = cat && name.n ? policy_field(cat, name) : -1;
    if (at >= 0)
        return fault_says(p, cat, &cat->fields[at], code);
    text colon = word_find(TEXT("colon"), c->language), said = page_reason(p, code);
    if (form_undated(c, field, p->q->json))
        return word_find(TEXT("fault.day"), c->language);
    return name.n ? arena_print(c->arena, "%.*s%.*s%.*s", T(field), T(colon), T(said)) : said;
}

/* Only where something would have been changed is it said that nothing was: not to who looks, finds no page, or signs
 * in. */
static bool would_have_changed(const struct page *p, enum err code)
{
    static const text entering[] = { TEXT_INIT("signin"), TEXT_INIT("factor"), TEXT_INIT("again"),
                                     TEXT_INIT("forgotten") };
    for (size_t i = 0; i < sizeof entering / sizeof *entering; i++)
        if (text_eq(p->name, entering[i]))
            return false;
    return p->q->method != METHOD_GET && code != ERR_NOT_FOUND && code != ERR_UNAUTHORISED;
}

void page_problem(struct page *p, const struct why *why)
{
    if (!why) {
        json_name(&p->w, TEXT("problem"));
        json_put_null(&p->w);
        page_text(p, TEXT("password_fault"), TEXT(""));
        return;
    }
    text field = text_of(why->field);
    text said = page_reason(p, why->code);
    if (why->code == ERR_PASSWORD && why->missing[0])
        fault_add(p, field.n ? field : TEXT("password"), password_lacking(p->c, text_of(why->missing)));
    if (field.n)
        fault_add(p, field, field_fault(p, field, why->code));
    page_text(p, TEXT("password_fault"), fault_of(p, TEXT("password")));
    json_name(&p->w, TEXT("problem"));
    json_open(&p->w, '{');
    page_text(p, TEXT("says"), p->faults ? word_find(TEXT("problem.title"), p->c->language) : said);
    fault_put_all(p);
    text detail = why_told(why, p->c->language);
    /* What staff needs to know of the policy, and how much of something one may have: said in words of their own. */
    bool told = (p->at_work || why->code == ERR_TOO_MANY) && text_utf8(detail) &&
                !(field.n && form_undated(p->c, field, p->q->json));
    page_text(p, TEXT("detail"), told ? detail : TEXT(""));
    json_pair(&p->w, TEXT("clause"), why->clause ? why->clause->path : TEXT(""));
    json_pair_bool(&p->w, TEXT("tried"), would_have_changed(p, why->code));
    json_pair_int(&p->w, TEXT("retry"), why->retry);
    json_close(&p->w, '}');
}

void page_keep(struct page *p, const text *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text sent = json_text(p->q->json, names[i]);
        json_pair(&p->w, names[i], sent.p ? sent : TEXT(""));
    }
}

enum err page_show(struct page *p, struct reply *r, int status)
{
    const struct json *model;
    struct why why = p->c->arena->why; /* of what is refused on this page, when something is */
    json_close(&p->w, '}');
    TRY(json_parse_buf(p->c->arena, &p->model, &model));
    struct buf *b = reply_text(r, status, TEXT("text/html; charset=utf-8"));
    TRY(template_render(p->c, &front_templates, p->name, model, b));
    TRY(reply_header(p->c->arena, r, TEXT("Content-Language"), p->c->language));
    reply_retry(r, &why);
    return reply_done(p->c->arena, r);
}

enum err page_refusal(struct ctx *c, const struct request *q, struct reply *r, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    struct why kept = *why;
    request_take_language(c, q); /* a page takes any, and stays as it is for one it does not have */
    put_frame(c, q, TEXT("problem"), text_starts(q->target, TEXT("/staff")) ? TEXT("staff") : TEXT("me"), &p);
    page_problem(&p, &kept);
    c->arena->why = kept;
    TRY(page_show(&p, r, err_row(kept.code)->http));
    r->code = kept.code;
    return OK;
}
