/* Collection points: what the policy says of each form, and the short notice that stands on it. */
#include "domain/choice/point.h"
#include "base/calendar.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "policy/due.h"

static const text root = TEXT_INIT("collection");

static void take_field(struct ctx *c, text name, struct point *out)
{
    text field = name, head = text_cut(&field, '.');
    int category = policy_category(c->policy, head);
    const struct category *cat = category >= 0 ? &c->policy->categories[category] : NULL;
    int f = cat ? policy_field(cat, field) : -1;
    if (f < 0 || out->field_count == POINT_FIELDS)
        return;
    if (cat->fields[f].type == FIELD_EMAIL && cat->fields[f].identifier)
        out->email = (int)out->field_count;
    out->fields[out->field_count++] = (struct point_field){ cat, &cat->fields[f] };
}

static void take_own(const struct node *n, struct point *out)
{
    const struct node *own = node_get(n, TEXT("retention"));
    struct date last;
    if (!own || !term_parse(node_text(own, TEXT("active")), &out->own))
        return;
    if (text_eq(node_text(own, TEXT("from")), TEXT("until")) && date_parse(node_text(n, TEXT("until")), &last))
        out->own_from = date_start(last);
}

static void take_point(struct ctx *c, const struct node *n, struct point *out)
{
    *out = (struct point){ .node = n, .name = n->key, .email = -1, .clause = policy_clause(c->policy, n->path) };
    NODE_EACH(field, node_get(n, TEXT("fields")))
        take_field(c, field->value, out);
    take_own(n, out);
}

enum err point_find(struct ctx *c, text name, struct point *out)
{
    const struct node *all = node_at(c->policy->root, root);
    const struct node *n = node_get(all, name);
    if (!n) {
        const struct clause *clause = policy_clause(c->policy, root);
        return say_clause(c->arena, ERR_NOT_FOUND, clause ? clause : &c->policy->categories_clause,
                          "the policy has no form of that name");
    }
    take_point(c, n, out);
    return OK;
}

bool point_at(struct ctx *c, unsigned n, struct point *out)
{
    NODE_EACH(one, node_at(c->policy->root, root))
        if (!n--) {
            take_point(c, one, out);
            return true;
        }
    return false;
}

text point_title(const struct ctx *c, const struct point *p)
{
    text title = node_said(node_get(p->node, TEXT("title")), c->language);
    if (title.n)
        return title;
    for (unsigned i = 0; i < c->policy->purpose_count; i++)
        if (point_serves(p, c->policy->purposes[i].name))
            return doc_purpose(c, &c->policy->purposes[i]);
    return p->name;
}

enum err point_open(struct ctx *c, const struct point *p)
{
    text from = node_text(p->node, TEXT("from")), until = node_text(p->node, TEXT("until"));
    msec begins = 0, ends = 0;
    if (from.n && value_moment(c, from, false, &begins) && c->now < begins)
        return say_clause(c->arena, ERR_CONFLICT, p->clause, "this form opens on %.*s", T(from));
    if (until.n && value_moment(c, until, true, &ends) && c->now >= ends)
        return say_clause(c->arena, ERR_CONFLICT, p->clause, "this form closed after %.*s", T(until));
    return OK;
}

/* "https://docs.site.example/x" and "docs.site.example" are one place. */
bool point_carried_by(const struct point *p, text authority)
{
    NODE_EACH(site, node_get(p->node, TEXT("sites"))) {
        text s = site->value;
        ptrdiff_t scheme = text_find(s, TEXT("://"));
        s = scheme < 0 ? s : text_from(s, (size_t)scheme + 3);
        if (text_eq_nocase(text_cut(&s, '/'), authority))
            return true;
    }
    return false;
}

msec point_ends(const struct point *p, msec at)
{
    return p->own.unit == TERM_UNSET ? 0 : due_after(p->own_from ? p->own_from : at, p->own);
}

msec point_due(const struct ctx *c, const struct point *p)
{
    const struct starts starts = { .collection = c->now, .event = c->now, .last_use = c->now, .last_contact = c->now };
    msec soonest = point_ends(p, c->now);
    if (soonest)
        return soonest;
    for (unsigned i = 0; i < p->field_count; i++) {
        const struct retention *r = p->fields[i].category->retention;
        msec due = r ? retention_due(r, &starts, false) : 0;
        if (due && (!soonest || due < soonest))
            soonest = due;
    }
    return soonest;
}

bool point_serves(const struct point *p, text purpose)
{
    return node_has(node_get(p->node, TEXT("purposes")), purpose);
}

bool point_needs(const struct point *p, unsigned i)
{
    const struct field *f = p->fields[i].field;
    return (f->required && !f->when_field.n) || (int)i == p->email;
}

bool point_shows(const struct policy *policy, text purpose, const struct category *cat)
{
    int index = policy_purpose(policy, purpose);
    return index >= 0 && bits_has(&policy->purposes[index].categories, (unsigned)(cat - policy->categories));
}

bool point_all_consent(const struct ctx *c, const struct point *p)
{
    for (unsigned i = 0; i < c->policy->purpose_count; i++)
        if (point_serves(p, c->policy->purposes[i].name) && c->policy->purposes[i].basis != BASIS_CONSENT)
            return false;
    return true;
}

/* ---- Boxes. ---- */

bool point_box(const struct ctx *c, const struct point *p, unsigned n, struct point_box *out)
{
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        const struct purpose *purpose = &c->policy->purposes[i];
        if (purpose->basis != BASIS_CONSENT || !point_serves(p, purpose->name))
            continue;
        unsigned boxes = purpose->channel_count ? purpose->channel_count : 1;
        if (n < boxes) {
            *out = (struct point_box){ purpose, purpose->channel_count ? purpose->channels[n] : TEXT("") };
            return true;
        }
        n -= boxes;
    }
    return false;
}

bool point_is_read_for(const struct ctx *c, const struct point *p, unsigned purpose)
{
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    return class && bits_has(&class->purposes, purpose) && point_serves(p, c->policy->purposes[purpose].name);
}

bool point_is_read(const struct ctx *c, const struct point *p)
{
    for (unsigned i = 0; i < c->policy->purpose_count; i++)
        if (point_is_read_for(c, p, i))
            return true;
    return false;
}

text point_gives(const struct point *p)
{
    text gives = node_text(p->node, TEXT("gives"));
    return gives.n ? gives : TEXT("");
}

unsigned point_minor_age(const struct ctx *c, const struct point *p)
{
    const struct node *minors = node_at(c->policy->root, TEXT("minors"));
    struct point_box box;
    int64_t age;
    bool asked = text_int(node_text(minors, TEXT("age")), &age) && age > 0 && age < 100 &&
                 !text_eq(node_text(minors, TEXT("plausible")), TEXT("false"));
    return asked && p->email >= 0 && point_box(c, p, 0, &box) ? (unsigned)age : 0;
}

text point_box_name(struct ctx *c, const struct point_box *b)
{
    return b->channel.n ? arena_print(c->arena, "%.*s.%.*s", T(b->purpose->name), T(b->channel)) : b->purpose->name;
}

text point_box_wording(struct ctx *c, const struct point_box *b)
{
    return doc_consent(c, doc_purpose(c, b->purpose), b->channel);
}

/* ---- The stamp. ---- */

enum { STAMP_BYTES = 16 };
static const msec stamp_youngest = SECOND, stamp_oldest = DAY;

static text stamp_at(struct ctx *c, const struct point *p, msec at)
{
    struct digest d;
    text what = arena_print(c->arena, "%.*s %lld", T(p->name), (long long)at);
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, TEXT("form.stamp"), what, &d);
    BUF_AUTO b = buf_make(128);
    buf_print(&b, "%lld.", (long long)at);
    buf_hex(&b, (text){ (const char *)d.b, STAMP_BYTES });
    return buf_made(c->arena, &b);
}

text point_stamp(struct ctx *c, const struct point *p) { return stamp_at(c, p, c->now); }

bool point_stamped(struct ctx *c, const struct point *p, text stamp)
{
    int64_t at;
    text rest = stamp;
    return text_int(text_cut(&rest, '.'), &at) && c->now - at >= stamp_youngest && c->now - at < stamp_oldest &&
           text_eq(stamp_at(c, p, at), stamp);
}

/* ---- The short notice. ---- */

static void put_purposes(struct ctx *c, const struct point *p, struct json_out *w)
{
    json_name(w, TEXT("purposes"));
    json_open(w, '[');
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        const struct purpose *purpose = &c->policy->purposes[i];
        if (!point_serves(p, purpose->name))
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("purpose"), purpose->name);
        json_pair(w, TEXT("title"), doc_purpose(c, purpose));
        json_pair(w, TEXT("basis"), doc_basis(c, basis_word(purpose->basis)));
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* Beside a form's own term, only what its choices keep on has another. */
static bool is_kept_on(const struct ctx *c, const struct point *p, const struct category *cat)
{
    bool any = p->own.unit == TERM_UNSET;
    for (unsigned i = 0; !any && i < c->policy->purpose_count; i++)
        any = c->policy->purposes[i].basis == BASIS_CONSENT && point_serves(p, c->policy->purposes[i].name) &&
              point_shows(c->policy, c->policy->purposes[i].name, cat);
    return any;
}

static void put_term(struct json_out *w, text title, text term)
{
    json_open(w, '{');
    json_pair(w, TEXT("title"), title);
    json_pair(w, TEXT("term"), term);
    json_close(w, '}');
}

static void put_kept(struct ctx *c, const struct point *p, struct json_out *w)
{
    static const text alone_en = TEXT_INIT("What only this form collects"),
                      alone_fr = TEXT_INIT("Ce que seul ce formulaire collecte");
    const struct category *last = NULL;
    json_name(w, TEXT("kept"));
    json_open(w, '[');
    if (p->own.unit != TERM_UNSET)
        put_term(w, doc_in(c, alone_en, alone_fr), doc_form_term(c, p->own, p->own_from));
    for (unsigned i = 0; i < p->field_count; i++) {
        const struct category *cat = p->fields[i].category;
        if (cat == last || !cat->retention || !is_kept_on(c, p, cat))
            continue;
        last = cat;
        put_term(w, doc_category(c, cat), doc_retention(c, cat->retention));
    }
    json_close(w, ']');
}

static void put_boxes(struct ctx *c, const struct point *p, struct json_out *w)
{
    struct point_box box;
    json_name(w, TEXT("boxes"));
    json_open(w, '[');
    for (unsigned i = 0; point_box(c, p, i, &box); i++) {
        json_open(w, '{');
        json_pair(w, TEXT("box"), point_box_name(c, &box));
        json_pair(w, TEXT("wording"), point_box_wording(c, &box));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static text or_none(text s) { return s.n ? s : (text){ NULL, 0 }; }

void point_put(struct ctx *c, const struct point *p, struct json_out *w)
{
    struct why kept = c->arena->why;
    json_pair(w, TEXT("form"), p->name);
    json_pair(w, TEXT("title"), point_title(c, p));
    json_pair(w, TEXT("says"), or_none(node_said(node_get(p->node, TEXT("says")), c->language)));
    json_pair_bool(w, TEXT("open"), point_open(c, p) == OK);
    c->arena->why = kept;
    json_pair(w, TEXT("from"), or_none(node_text(p->node, TEXT("from"))));
    json_pair(w, TEXT("until"), or_none(node_text(p->node, TEXT("until"))));
    json_pair(w, TEXT("rules"), or_none(node_text(p->node, TEXT("rules"))));
    json_pair_bool(w, TEXT("confirmed"), p->email >= 0);
    json_pair(w, TEXT("controller"), ctx_controller(c).legal_name);
    put_purposes(c, p, w);
    put_kept(c, p, w);
    put_boxes(c, p, w);
    json_name(w, TEXT("minor_age"));
    if (point_minor_age(c, p))
        json_put_int(w, point_minor_age(c, p));
    else
        json_put_null(w);
    json_pair(w, TEXT("stamp"), point_stamp(c, p));
}
