/* Letters as one PDF: each begins on a page of its own. */
#include "paper/letters_pdf.h"
#include "domain/core/named.h"
#include "paper/pdf.h"

enum { FILE_MOST = 64 << 20 };

/* Where windows are on the left: DIN 5008, and what follows it. */
static bool window_left(text country)
{
    static const text left[] = { TEXT_INIT("DE"), TEXT_INIT("AT"), TEXT_INIT("NL"), TEXT_INIT("DK") };
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        if (text_eq(left[i], country))
            return true;
    return false;
}

static void put_letter(struct ctx *c, struct pdf *p, const struct json *one)
{
    struct ctx in = *c;
    struct controller who = ctx_controller(c);
    text name = json_text(one, TEXT("name")), post = json_text(one, TEXT("post"));
    text sender = arena_print(c->arena, "%.*s\n%.*s", T(who.legal_name), T(who.address));
    text address = name.n ? arena_print(c->arena, "%.*s\n%.*s", T(name), T(post)) : post;
    in.language = json_text(one, TEXT("language"));
    pdf_begin(p);
    pdf_address(p, window_left(who.country), sender, address);
    pdf_text(p, false, 9, doc_day(&in, time_print(c->arena, c->now)));
    pdf_gap(p, 12);
    pdf_text(p, true, 12, json_text(one, TEXT("line")));
    pdf_gap(p, 6);
    pdf_text(p, false, 10, json_text(one, TEXT("text")));
}

enum err letters_pdf(struct ctx *c, const struct json *list, text name, struct answer *out)
{
    BUF_AUTO b = buf_make(FILE_MOST);
    struct pdf *p = NULL;
    if (!json_get(list, TEXT("people"))->count)
        return say(c->arena, ERR_CONFLICT, "there is no letter to print: take people first");
    TRY(pdf_open(c->arena, text_eq(c->language, TEXT("fr")) ? TEXT("Courriers") : TEXT("Letters"), &p));
    JSON_EACH(one, json_get(list, TEXT("people")))
        put_letter(c, p, one);
    enum err status = pdf_take(c->arena, p, &b);
    pdf_close(&p);
    TRY(status);
    out->media_type = TEXT("application/pdf");
    out->file_name = arena_print(c->arena, "%.*s.pdf", T(name));
    out->next = json_text(list, TEXT("next"));
    TRY(buf_take(c->arena, &b, &out->body));
    return arena_whole(c->arena);
}
