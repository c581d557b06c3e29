/* What is held of the signed-in person: a card a category with values, purposes, basis, source, former values and how
 * far its term has run. */
#include "domain/core/named.h"
#include "domain/entry/address.h"
#include "domain/version/answer.h"
#include "publish/words.h"
#include "front/me/page_me.h"
#include "front/page/page_person.h"

enum { RECORDS_SHOWN = 10 };

struct view {
    struct page *p;
    const struct json *file;
};

/* ---- One record. ---- */

/* What was there before, newest first as the file has them. */
static void put_formers(struct view *v, const struct category *cat, text field)
{
    int index = policy_field(cat, field);
    struct json_out *w = &v->p->w;
    json_name(w, TEXT("former"));
    json_open(w, '[');
    JSON_EACH(one, json_get(v->file, TEXT("former"))) {
        if (!text_eq(json_text(one, TEXT("category")), cat->name) || !text_eq(json_text(one, TEXT("field")), field))
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("value"),
                  doc_value(v->p->c, index < 0 ? NULL : &cat->fields[index], json_get(one, TEXT("value"))));
        page_copy(v->p, one, TEXT("replaced"));
        page_copy(v->p, one, TEXT("until"));
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* Whether all values of a record came from one source on one day: then it is said once. */
static bool one_source(const struct json *about)
{
    const struct json *first = about ? about->first : NULL;
    bool one = first != NULL;
    JSON_EACH(other, about)
        one &= text_eq(json_text(other, TEXT("source")), json_text(first, TEXT("source"))) &&
               text_eq(text_upto(json_text(other, TEXT("at")), 10), text_upto(json_text(first, TEXT("at")), 10));
    return one;
}

/* `about`: its source and time, where they are told with the value; `single`: with its former values. */
static void put_value(struct view *v, const struct category *cat, const struct json *value, const struct json *about,
                      bool single)
{
    struct json_out *w = &v->p->w;
    text source = json_text(about, TEXT("source"));
    json_open(w, '{');
    json_pair(w, TEXT("title"), doc_field(v->p->c, cat, value->key));
    page_value(v->p, cat, value);
    json_pair(w, TEXT("source"), source.n ? doc_source(v->p->c, source) : TEXT(""));
    page_copy(v->p, about, TEXT("at"));
    if (single)
        put_formers(v, cat, value->key);
    else {
        json_name(w, TEXT("former"));
        json_put_null(w);
    }
    json_close(w, '}');
}

static int64_t share(msec part, msec whole)
{
    return whole <= 0 || part >= whole ? 100 : part <= 0 ? 0 : part * 100 / whole;
}

/* The term as a bar of 100: how much has run, and from where on it is kept apart in the archive. */
static void put_term(struct view *v, const struct json *record)
{
    struct json_out *w = &v->p->w;
    msec from = file_time(record, TEXT("at")), until = file_time(record, TEXT("until")),
         apart = file_time(record, TEXT("archived_at"));
    json_name(w, TEXT("term"));
    if (!from || !until || until <= from) {
        json_put_null(w);
        return;
    }
    int64_t archive = apart > from && apart < until ? share(apart - from, until - from) : 100;
    json_open(w, '{');
    json_pair_int(w, TEXT("gone"), share(v->p->c->now - from, until - from));
    json_pair_int(w, TEXT("apart"), archive);
    json_pair_int(w, TEXT("apart_width"), 100 - archive);
    page_copy(v->p, record, TEXT("archived_at"));
    json_close(w, '}');
}

static void put_record(struct view *v, const struct category *cat, const struct json *record)
{
    struct json_out *w = &v->p->w;
    const struct json *about = json_get(record, TEXT("fields"));
    bool once = !cat->many && one_source(about);
    text source = once ? json_text(about->first, TEXT("source")) : TEXT("");
    json_open(w, '{');
    page_copy(v->p, record, TEXT("item"));
    page_copy(v->p, record, TEXT("at"));
    page_copy(v->p, record, TEXT("until"));
    page_copy(v->p, record, TEXT("archived"));
    json_pair(w, TEXT("source"), cat->many ? doc_source(v->p->c, json_text(record, TEXT("source"))) : TEXT(""));
    json_pair_bool(w, TEXT("several"), cat->many);
    page_text(v->p, TEXT("all_from"), source.n ? doc_source(v->p->c, source) : TEXT(""));
    put_term(v, record);
    json_name(w, TEXT("values"));
    json_open(w, '[');
    JSON_EACH(value, file_values(v->file, cat->name, record))
        put_value(v, cat, value, once ? NULL : json_get(about, value->key), !cat->many);
    json_close(w, ']');
    json_close(w, '}');
}

/* The newest first, as many as one reads at once; the export has them all. */
static void put_records(struct view *v, const struct category *cat, const struct json *records)
{
    const struct json *newest[RECORDS_SHOWN];
    unsigned count = 0, skip = records->count > RECORDS_SHOWN ? records->count - RECORDS_SHOWN : 0;
    JSON_EACH(one, records) {
        if (skip)
            skip--;
        else
            newest[count++] = one;
    }
    json_name(&v->p->w, TEXT("records"));
    json_open(&v->p->w, '[');
    while (count)
        put_record(v, cat, newest[--count]);
    json_close(&v->p->w, ']');
    json_pair_int(&v->p->w, TEXT("more"), records->count > RECORDS_SHOWN ? records->count - RECORDS_SHOWN : 0);
}

/* ---- One category. ---- */

static void put_purposes(struct view *v, const struct json *names)
{
    struct json_out *w = &v->p->w;
    json_name(w, TEXT("purposes"));
    json_open(w, '[');
    JSON_EACH(name, names) {
        const struct json *purpose = file_find(json_get(v->file, TEXT("purposes")), TEXT("purpose"), name->value);
        json_open(w, '{');
        page_text(v->p, TEXT("title"), json_text(purpose, TEXT("title")));
        json_pair(w, TEXT("basis"), doc_basis(v->p->c, json_text(purpose, TEXT("basis"))));
        page_copy(v->p, purpose, TEXT("interest"));
        page_copy(v->p, purpose, TEXT("law"));
        json_close(w, '}');
    }
    json_close(w, ']');
}

bool page_editable(struct ctx *c, const struct category *cat)
{
    return !cat->many && !cat->stream.n && !cat->transient && !identifier_why_not(c, cat).n;
}

/* Whether everyone sees it now: by their consent, and until they withdraw it. */
static text public_says(const struct view *v, text purpose)
{
    bool live = false;
    JSON_EACH(one, json_get(v->file, TEXT("live")))
        live |= text_eq(one->value, purpose);
    return purpose.n ? doc_public(v->p->c, live) : TEXT("");
}

static int64_t list_count(const struct json *list) { return list ? list->count : 0; }

static void put_card(struct view *v, const struct json *entry)
{
    struct json_out *w = &v->p->w;
    int index = policy_category(v->p->c->policy, json_text(entry, TEXT("category")));
    const struct json *retention = json_get(entry, TEXT("retention")), *records = json_get(entry, TEXT("records"));
    if (index < 0 || !records || !records->count)
        return;
    const struct category *cat = &v->p->c->policy->categories[index];
    json_open(w, '{');
    page_copy(v->p, entry, TEXT("category"));
    page_text(v->p, TEXT("title"), json_text(entry, TEXT("title")));
    page_copy(v->p, entry, TEXT("special_ground"));
    page_copy(v->p, entry, TEXT("kept_after_erasure"));
    page_text(v->p, TEXT("public"), public_says(v, json_text(entry, TEXT("public"))));
    page_text(v->p, TEXT("term_says"), json_text(retention, TEXT("says")));
    json_pair(w, TEXT("ground"), json_text(retention, TEXT("ground")));
    json_pair_bool(w, TEXT("editable"), page_editable(v->p->c, cat));
    page_text(v->p, TEXT("why_not"), cat->stream.n ? TEXT("") : identifier_why_not(v->p->c, cat));
    json_pair_bool(w, TEXT("in_history"), text_eq(cat->stream, TEXT("logs")) || text_eq(cat->stream, TEXT("usage")));
    put_purposes(v, json_get(entry, TEXT("purposes")));
    json_pair_int(w, TEXT("purpose_count"), list_count(json_get(entry, TEXT("purposes"))));
    put_records(v, cat, records);
    json_close(w, '}');
}

/* Access to folders stands on a page of its own. */
static bool has_folders(const struct view *v, text category)
{
    JSON_EACH(folder, json_get(v->file, TEXT("folders")))
        if (text_eq(json_text(folder, TEXT("category")), category))
            return true;
    return false;
}

static bool is_empty(const struct view *v, const struct json *entry)
{
    const struct json *records = json_get(entry, TEXT("records"));
    text name = json_text(entry, TEXT("category"));
    return policy_category(v->p->c->policy, name) >= 0 && records && !records->count && !has_folders(v, name) &&
           !file_find(json_get(v->file, TEXT("unreadable")), TEXT("category"), name);
}

static void put_elsewhere(struct view *v)
{
    json_name(&v->p->w, TEXT("in_folders"));
    json_open(&v->p->w, '[');
    JSON_EACH(entry, json_get(v->file, TEXT("categories"))) {
        if (!has_folders(v, json_text(entry, TEXT("category"))))
            continue;
        json_open(&v->p->w, '{');
        page_text(v->p, TEXT("title"), json_text(entry, TEXT("title")));
        json_close(&v->p->w, '}');
    }
    json_close(&v->p->w, ']');
}

static void put_empty(struct view *v)
{
    bool any = false;
    json_name(&v->p->w, TEXT("nothing_of"));
    json_open(&v->p->w, '[');
    JSON_EACH(entry, json_get(v->file, TEXT("categories"))) {
        int index = policy_category(v->p->c->policy, json_text(entry, TEXT("category")));
        if (!is_empty(v, entry))
            continue;
        any = true;
        json_open(&v->p->w, '{');
        page_copy(v->p, entry, TEXT("category"));
        page_text(v->p, TEXT("title"), json_text(entry, TEXT("title")));
        json_pair_bool(&v->p->w, TEXT("editable"), page_editable(v->p->c, &v->p->c->policy->categories[index]));
        json_close(&v->p->w, '}');
    }
    json_close(&v->p->w, ']');
    json_pair_bool(&v->p->w, TEXT("has_empty"), any);
}

/* ---- The whole. ---- */

static void put_figures(struct view *v)
{
    int64_t values = 0, held = 0, looks = 0;
    msec since = v->p->c->now - 365 * DAY;
    JSON_EACH(entry, json_get(v->file, TEXT("categories"))) {
        const struct json *records = json_get(entry, TEXT("records"));
        held += records && records->count;
        JSON_EACH(record, records) {
            const struct json *fields = json_get(record, TEXT("fields"));
            values += fields ? fields->count : 0;
        }
    }
    JSON_EACH(look, json_get(v->file, TEXT("looks")))
        looks += !text_eq(json_text(look, TEXT("actor")), TEXT("person")) && file_time(look, TEXT("time")) >= since;
    const struct json *live = json_get(v->file, TEXT("live"));
    json_pair_int(&v->p->w, TEXT("value_count"), values);
    json_pair_int(&v->p->w, TEXT("held_count"), held);
    json_pair_int(&v->p->w, TEXT("look_count"), looks);
    json_pair_int(&v->p->w, TEXT("live_count"), live ? live->count : 0);
}

static void put_disclosures(struct view *v)
{
    struct json_out *w = &v->p->w;
    json_name(w, TEXT("disclosures"));
    json_open(w, '[');
    JSON_EACH(one, json_get(v->file, TEXT("disclosures"))) {
        const struct json *purpose = file_find(json_get(v->file, TEXT("purposes")), TEXT("purpose"),
                                               json_text(one, TEXT("purpose")));
        json_open(w, '{');
        page_copy(v->p, one, TEXT("name"));
        page_copy(v->p, one, TEXT("at"));
        page_copy(v->p, one, TEXT("last"));
        if (text_eq(json_text(one, TEXT("recipient")), TEXT("authorities"))) { /* told below, with all that is known */
            json_pair(w, TEXT("purpose"), json_text(one, TEXT("ground")));
            json_close(w, '}');
            continue;
        }
        json_pair(w, TEXT("purpose"), purpose ? json_text(purpose, TEXT("title")) : json_text(one, TEXT("purpose")));
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* What changed, or will, between two versions: its day, each change, where it is explained. */
static enum err put_change(struct view *v, const struct json *version, bool coming)
{
    struct ctx *c = v->p->c;
    struct words w;
    struct date day = { 0 };
    TRY(words_make(c->arena, c->policy->root, c->language, &w));
    json_open(&v->p->w, '{');
    page_text(v->p, TEXT("day"), date_parse(json_text(version, TEXT("date")), &day) ? words_date(&w, day) : TEXT(""));
    json_pair_bool(&v->p->w, TEXT("coming"), coming);
    page_copy(v->p, version, TEXT("says"));
    page_copy(v->p, version, TEXT("controller"));
    text rest = json_text(version, TEXT("link")); /* /privacy/versions/OLDER/diff/NEWER */
    for (int i = 0; i < 3; i++)
        text_cut(&rest, '/');
    page_text(v->p, TEXT("older"), text_cut(&rest, '/'));
    text_cut(&rest, '/');
    page_text(v->p, TEXT("newer"), rest);
    json_close(&v->p->w, '}');
    return OK;
}

/* `changes.tell: account`: a version that is announced, and the one in force for who was there before it. What does not
 * matter is not told. A new controller always is, with the ways to leave first. */
static enum err put_changes(struct view *v)
{
    struct ctx *c = v->p->c;
    struct answer answer = { 0 };
    const struct json *banner;
    json_name(&v->p->w, TEXT("policy_changes"));
    json_open(&v->p->w, '[');
    TRY(version_banner(c, &answer));
    TRY(json_parse(c->arena, answer.body, &banner));
    const struct json *coming = json_get(banner, TEXT("coming")), *ahead = json_get(coming, TEXT("says"));
    const struct json *says = json_get(banner, TEXT("says"));
    text came = text_upto(json_text(v->file, TEXT("created")), 10);
    bool told = node_has(node_at(c->policy->root, TEXT("changes.tell")), TEXT("account"));
    if (ahead && ahead->count && (told || json_text(coming, TEXT("controller")).n))
        TRY(put_change(v, coming, true));
    if (told && says && says->count && text_cmp(came, json_text(banner, TEXT("date"))) < 0)
        TRY(put_change(v, banner, false));
    json_close(&v->p->w, ']');
    return OK;
}

static void put_recipients(struct view *v)
{
    struct json_out *w = &v->p->w;
    json_name(w, TEXT("recipients"));
    json_open(w, '[');
    JSON_EACH(one, json_get(v->file, TEXT("recipients"))) {
        json_open(w, '{');
        page_copy(v->p, one, TEXT("name"));
        json_pair(w, TEXT("country"), doc_country(v->p->c, json_text(one, TEXT("country"))));
        page_text(v->p, TEXT("safeguard"), doc_safeguard(v->p->c, json_text(one, TEXT("safeguard"))));
        json_close(w, '}');
    }
    json_close(w, ']');
}

enum err api_me_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct view v = { .p = &p };
    TRY(page_open(c, q, TEXT("me"), TEXT("me"), &p));
    TRY(file_own(c, &v.file));
    page_problem(&p, NULL);
    TRY(put_changes(&v));
    put_figures(&v);
    json_name(&p.w, TEXT("cards"));
    json_open(&p.w, '[');
    JSON_EACH(entry, json_get(v.file, TEXT("categories")))
        put_card(&v, entry);
    json_close(&p.w, ']');
    put_elsewhere(&v);
    page_copy(&p, v.file, TEXT("unreadable"));
    put_empty(&v);
    page_copy(&p, v.file, TEXT("attachments"));
    json_pair_bool(&p.w, TEXT("has_files"), list_count(json_get(v.file, TEXT("attachments"))) > 0);
    put_recipients(&v);
    put_disclosures(&v);
    page_copy(&p, v.file, TEXT("authorities"));
    page_copy(&p, v.file, TEXT("controller"));
    page_copy(&p, v.file, TEXT("authority"));
    page_text(&p, TEXT("complaint"), json_text(v.file, TEXT("complaint")));
    page_copy(&p, v.file, TEXT("restricted"));
    page_copy(&p, v.file, TEXT("created"));
    page_copy(&p, v.file, TEXT("source_title"));
    page_copy(&p, v.file, TEXT("supplied_by"));
    page_copy(&p, v.file, TEXT("until"));
    return page_show(&p, r, 200);
}
