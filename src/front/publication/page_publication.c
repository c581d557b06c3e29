/* What people publish, as everybody sees it: pages, JSON, a script for other pages, files in ranges, and reports. */
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/publication/publication.h"
#include "front/page/page_person.h"
#include "front/publication/publication.h"

#define NAME q->params[0]
#define ID   q->params[1]

enum { SHOWN = 50 };

/* ---- Pages. ---- */

void publication_values(struct page *p, const struct category *cat, const struct json *item)
{
    json_name(&p->w, TEXT("values"));
    json_open(&p->w, '[');
    JSON_EACH(v, json_get(item, TEXT("fields"))) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"), doc_field(p->c, cat, v->key));
        page_value(p, cat, v);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static void put_item(struct page *p, const struct category *cat, const struct json *item)
{
    text file = json_text(item, TEXT("file")), type = json_text(item, TEXT("type"));
    const struct json *first = json_get(item, TEXT("fields"));
    json_open(&p->w, '{');
    page_copy(p, item, TEXT("id"));
    page_copy(p, item, TEXT("at"));
    json_pair(&p->w, TEXT("name"), cat->name);
    json_pair(&p->w, TEXT("path"), file.n ? text_from(file, 1) : TEXT(""));
    json_pair_bool(&p->w, TEXT("picture"), text_starts(type, TEXT("image/")));
    json_pair_bool(&p->w, TEXT("video"), text_starts(type, TEXT("video/")));
    json_pair(&p->w, TEXT("alt"), first && first->first ? file_shown(p->c, cat, first->first) : TEXT(""));
    publication_values(p, cat, item);
    json_close(&p->w, '}');
}

static enum err begin(struct ctx *c, const struct request *q, const char *name, struct page *p,
                      const struct category **cat)
{
    TRY(request_take_language(c, q));
    TRY(publication_category(c, NAME, cat));
    TRY(page_open(c, q, text_of(name), TEXT(""), p));
    json_pair(&p->w, TEXT("name"), (*cat)->name);
    json_pair(&p->w, TEXT("heading"), doc_category(c, *cat));
    return OK;
}

enum err api_publication_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    const struct category *cat;
    const struct json *all;
    struct answer answer = { 0 };
    struct paging paging;
    text after = request_query(q, TEXT("after"));
    TRY(begin(c, q, "publication", &p, &cat));
    TRY(paging_parse(c, after.p ? after : TEXT(""), TEXT(""), &paging));
    paging.limit = SHOWN;
    TRY(publication_list(c, NAME, &paging, &answer));
    TRY(json_parse(c->arena, answer.body, &all));
    json_name(&p.w, TEXT("items"));
    json_open(&p.w, '[');
    JSON_EACH(item, json_get(all, TEXT("items")))
        put_item(&p, cat, item);
    json_close(&p.w, ']');
    json_pair(&p.w, TEXT("next"), json_text(all, TEXT("next")));
    return page_show(&p, r, 200);
}

enum err api_publication_item_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    const struct category *cat;
    const struct json *item;
    struct answer answer = { 0 };
    TRY(begin(c, q, "publication_item", &p, &cat));
    TRY(publication_get(c, NAME, ID, &answer));
    TRY(json_parse(c->arena, answer.body, &item));
    json_name(&p.w, TEXT("items"));
    json_open(&p.w, '[');
    put_item(&p, cat, item);
    json_close(&p.w, ']');
    return page_show(&p, r, 200);
}

/* ---- Programs and other pages: what is public may be read from anywhere. ---- */

static enum err open_to_all(struct ctx *c, struct reply *r)
{
    TRY(reply_header(c->arena, r, TEXT("Access-Control-Allow-Origin"), TEXT("*")));
    return reply_header(c->arena, r, TEXT("Cross-Origin-Resource-Policy"), TEXT("cross-origin"));
}

enum err api_publication_list(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    struct paging paging;
    TRY(paging_parse(c, request_query(q, TEXT("after")), request_query(q, TEXT("limit")), &paging));
    TRY(publication_list(c, NAME, &paging, &answer));
    TRY(reply_answer(c, q, r, &answer));
    return open_to_all(c, r);
}

enum err api_publication_get(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(publication_get(c, NAME, ID, &answer));
    TRY(reply_answer(c, q, r, &answer));
    return open_to_all(c, r);
}

/* Texts are set as texts: nothing that somebody published is read as markup. */
enum err api_publication_script(struct ctx *c, const struct request *q, struct reply *r)
{
    static const text before = TEXT_INIT(
        "(function (all) {\n\"use strict\";\nvar script = document.currentScript, from = new URL(script.src).origin;\n"
        "function add(parent, name, words) { var e = document.createElement(name); if (words) { e.textContent = words; } parent.appendChild(e); return e; }\n"
        "var box = document.createElement(\"section\"); box.className = \"garant-publications\"; box.setAttribute(\"aria-label\", all.title);\n"
        "all.items.forEach(function (item) {\n"
        "var card = add(box, \"article\"), list, file, names = Object.keys(item.fields);\n"
        "if (item.file) { file = add(card, item.type.indexOf(\"image/\") === 0 ? \"img\" : \"video\"); file.src = from + item.file;\n"
        "if (file.tagName === \"IMG\") { file.alt = String(item.fields[names[0]]); } else { file.controls = true; } }\n"
        "list = add(card, \"dl\");\n"
        "names.forEach(function (name) { add(list, \"dt\", item.titles[name]); add(list, \"dd\", String(item.fields[name])); });\n"
        "});\nscript.parentNode.insertBefore(box, script);\n}(");
    struct answer answer = { 0 };
    struct paging paging;
    TRY(request_take_language(c, q));
    TRY(paging_parse(c, TEXT(""), TEXT(""), &paging));
    paging.limit = SHOWN;
    TRY(publication_list(c, NAME, &paging, &answer));
    BUF_AUTO b = buf_make(answer.body.n + before.n + 64);
    buf_add(&b, before);
    buf_add(&b, answer.body);
    buf_add(&b, TEXT("));\n"));
    text all;
    TRY(buf_take(c->arena, &b, &all));
    reply_bytes(r, 200, TEXT("text/javascript; charset=utf-8"), all);
    return open_to_all(c, r);
}

/* ---- Files. ---- */

/* One range of bytes (RFC 9110, 14.2); false for none, or for what is left aside: several, and other units. */
static bool range_of(text header, struct publication_part *part)
{
    *part = (struct publication_part){ .to = -1 };
    if (!text_starts(header, TEXT("bytes=")) || text_index(header, ',') >= 0)
        return false;
    text to = text_from(header, 6), from = text_trim(text_cut(&to, '-'));
    to = text_trim(to);
    int64_t last = -1;
    if (to.n && (!text_int(to, &last) || last < 0))
        return false;
    if (!from.n) {
        part->from = -last;
        return last > 0;
    }
    part->to = last;
    return text_int(from, &part->from) && part->from >= 0 && (last < 0 || last >= part->from);
}

static enum err file_headers(struct ctx *c, struct reply *r)
{
    TRY(open_to_all(c, r));
    TRY(reply_header(c->arena, r, TEXT("Accept-Ranges"), TEXT("bytes")));
    TRY(reply_header(c->arena, r, TEXT("Content-Disposition"), TEXT("inline")));
    return reply_header(c->arena, r, TEXT("Content-Security-Policy"), TEXT("default-src 'none'; sandbox"));
}

enum err api_publication_file(struct ctx *c, const struct request *q, struct reply *r)
{
    struct publication_part part;
    struct answer answer = { 0 };
    bool ranged = range_of(request_header(q, TEXT("Range")), &part);
    if (!ranged)
        part = (struct publication_part){ .to = -1 };
    enum err status = publication_file(c, NAME, ID, &part, &answer);
    if (status == ERR_VALUE && part.size) {
        struct why why = c->arena->why;
        reply_problem_open(r, &why, c->language, 416);
        json_close(&r->json, '}');
        TRY(reply_done(c->arena, r));
        return reply_header(c->arena, r, TEXT("Content-Range"),
                            arena_print(c->arena, "bytes */%lld", (long long)part.size));
    }
    TRY(status);
    TRY(reply_answer(c, q, r, &answer));
    TRY(file_headers(c, r));
    if (!ranged)
        return OK;
    r->status = 206;
    return reply_header(
        c->arena, r, TEXT("Content-Range"),
        arena_print(c->arena, "bytes %lld-%lld/%lld", (long long)part.from, (long long)part.to, (long long)part.size));
}

/* ---- Reports. ---- */

static enum err report_page(struct ctx *c, const struct request *q, struct reply *r, const struct why *why)
{
    static const text kept[] = { TEXT_INIT("reason"), TEXT_INIT("email") };
    PAGE_AUTO p = { 0 };
    const struct category *cat;
    struct answer seen = { 0 };
    struct why told = why ? *why : (struct why){ 0 };
    TRY(publication_get(c, NAME, ID, &seen));
    TRY(begin(c, q, "publication_report", &p, &cat));
    page_problem(&p, why ? &told : NULL);
    json_pair(&p.w, TEXT("id"), ID);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    return page_show(&p, r, why ? err_row(why->code)->http : 200);
}

enum err api_publication_report_page(struct ctx *c, const struct request *q, struct reply *r)
{
    return report_page(c, q, r, NULL);
}

enum err api_publication_report_do(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    enum err e = publication_report(c, NAME, ID, q->json, &answer);
    if (e == ERR_NOT_FOUND)
        return e;
    if (e != OK) {
        struct why why = c->arena->why;
        why.code = e;
        return report_page(c, q, r, &why);
    }
    TRY(page_open(c, q, TEXT("publication_reported"), TEXT(""), &p));
    return page_show(&p, r, 200);
}

HANDLER(publication_report, publication_report(c, NAME, ID, q->json, &answer))
