/* Letters in words: the rows of letters.def, their placeholders, and the one frame around them all. */
#include "domain/mail/letter.h"
#include "base/prose.h"
#include "domain/core/named.h"
#include "domain/core/instance.h"

enum { LETTER_MAX = 256 << 10 };

enum letter_kind { PLAIN, INFORM, APART, BULK };
struct letter_words {
    text subject, action, body;
};
struct letter_row {
    text name;
    enum letter_kind kind;
    text values;
    struct letter_words en, fr;
};
static const struct letter_row rows[] = {
#define LETTER(name_, kind_, values_, subject_en, action_en, text_en, subject_fr, action_fr, text_fr)                  \
    { .name = TEXT_INIT(#name_),                                                                                       \
      .kind = kind_,                                                                                                   \
      .values = TEXT_INIT(values_),                                                                                    \
      .en = { TEXT_INIT(subject_en), TEXT_INIT(action_en), TEXT_INIT(text_en) },                                       \
      .fr = { TEXT_INIT(subject_fr), TEXT_INIT(action_fr), TEXT_INIT(text_fr) } },
#include "domain/mail/letters.def"
#undef LETTER
};

static const struct letter_row *row_of(text name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_eq(rows[i].name, name))
            return &rows[i];
    return NULL;
}

bool letter_informs(text name)
{
    const struct letter_row *row = row_of(name);
    return row && row->kind == INFORM;
}

/* ---- Values. ---- */

struct filling {
    struct ctx *c;
    const struct letter_values *values;
};

/* Whose notice is their own. */
static bool stored(const struct ctx *c)
{
    const struct tenant *t = policy_tenant(c->policy, c->tenant);
    return t && t->stored;
}

text letter_site(const struct ctx *c)
{
    text title = node_said(node_at(c->policy->root, TEXT("policy.title")), c->language);
    return title.n ? title : c->policy->controller.legal_name;
}

static text general(struct ctx *c, text name)
{
    if (text_eq(name, TEXT("site")))
        return letter_site(c);
    const struct controller own = ctx_controller(c);
    if (text_eq(name, TEXT("controller")))
        return own.legal_name;
    if (text_eq(name, TEXT("place"))) /* a tenant that names no place is reached by its platform's */
        return own.address.n ? own.address : c->policy->controller.address;
    if (text_eq(name, TEXT("privacy")))
        return stored(c) ? arena_print(c->arena, "%s/privacy?tenant=%.*s", c->app->public_url, T(c->tenant))
                         : arena_print(c->arena, "%s/privacy", c->app->public_url);
    return (text){ NULL, 0 };
}

/* The value of a placeholder, p NULL when there is none; times as people read them. */
static text value(const struct filling *f, text name)
{
    for (unsigned i = 0; i < f->values->count; i++)
        if (text_eq(f->values->v[i].name, name)) {
            text v = f->values->v[i].value;
            bool time = text_eq(name, TEXT("until")) || text_eq(name, TEXT("at")) || text_eq(name, TEXT("date"));
            return v.n ? time ? doc_time(f->c, v) : v : (text){ NULL, 0 };
        }
    return general(f->c, name);
}

static enum err check_values(const struct filling *f, const struct letter_row *row)
{
    text names = row->values;
    while (names.n) {
        text name = text_cut(&names, ' ');
        if (!value(f, name).n)
            return say(f->c->arena, ERR_INTERNAL, "the email \"%.*s\" needs \"%.*s\"", T(row->name), T(name));
    }
    return OK;
}

/* ---- Filling in. ---- */

/* Text with its line breaks, for HTML. */
static void put_lines(struct buf *b, text s)
{
    while (s.p) {
        text line = text_cut(&s, '\n');
        buf_html(b, line);
        if (s.p)
            buf_add(b, TEXT("<br>\n"));
    }
}

static bool complete(const struct filling *f, text piece)
{
    while (text_index(piece, '{') >= 0) {
        text_cut(&piece, '{');
        if (!value(f, text_cut(&piece, '}')).n)
            return false;
    }
    return true;
}

/* The text without the brackets: what stands in them stays when it can be filled in. */
static text without_brackets(const struct filling *f, text template)
{
    BUF_AUTO b = buf_make(LETTER_MAX);
    while (template.p) {
        bool optional = text_index(template, '[') >= 0;
        buf_add(&b, text_cut(&template, '['));
        text piece = optional ? text_cut(&template, ']') : TEXT("");
        if (complete(f, piece))
            buf_add(&b, piece);
    }
    return buf_made(f->c->arena, &b);
}

/* What is ours is set as prose; values stay to the letter. */
static void fill(const struct filling *f, struct buf *b, text template, bool html)
{
    bool french = text_eq(f->c->language, TEXT("fr"));
    while (template.p) {
        bool more = text_index(template, '{') >= 0;
        BUF_AUTO set = buf_make(LETTER_MAX);
        prose_set(&set, text_cut(&template, '{'), french);
        text plain = buf_for(b, &set), v = more ? value(f, text_cut(&template, '}')) : TEXT("");
        if (html) {
            put_lines(b, plain);
            put_lines(b, v);
        } else {
            buf_add(b, plain);
            buf_add(b, v);
        }
    }
}

/* The next paragraph: up to an empty line. */
static text cut_paragraph(text *rest)
{
    ptrdiff_t end = text_find(*rest, TEXT("\n\n"));
    text paragraph = end < 0 ? *rest : text_upto(*rest, (size_t)end);
    *rest = end < 0 ? (text){ NULL, 0 } : text_from(*rest, (size_t)end + 2);
    return paragraph;
}

/* ---- The frame. Nothing in it is fetched from elsewhere. ---- */

#define BUTTON                                                                                                         \
    "display:inline-block;padding:.7em 1.3em;border-radius:.4em;background:#1f5d4c;color:#ffffff;text-decoration:none;font-weight:600"

static void put_link(const struct filling *f, struct buf *b, text address, text action)
{
    if (action.n) {
        buf_add(b, TEXT("<p style=\"margin:1.4em 0 .6em\"><a style=\"" BUTTON "\" href=\""));
        buf_html(b, address);
        buf_add(b, TEXT("\">"));
        buf_html(b, action);
        buf_add(b, TEXT("</a></p>\n"));
    }
    buf_add(
        b,
        TEXT(
            "<p style=\"margin:.6em 0 1.4em;font-size:.88em;overflow-wrap:anywhere\"><a style=\"color:#1f5d4c\" href=\""));
    buf_html(b, address);
    buf_add(b, TEXT("\">"));
    buf_html(b, address);
    buf_add(b, TEXT("</a></p>\n"));
}

static void put_html_body(const struct filling *f, struct buf *b, text body, text action)
{
    while (body.p) {
        text paragraph = cut_paragraph(&body);
        bool link = text_eq(paragraph, TEXT("{link}")), privacy = text_eq(paragraph, TEXT("{privacy}"));
        if (link || privacy) {
            put_link(f, b, value(f, link ? TEXT("link") : TEXT("privacy")),
                     link ? action : TEXT(""));
            continue;
        }
        buf_add(b, TEXT("<p style=\"margin:1em 0\">"));
        fill(f, b, paragraph, true);
        buf_add(b, TEXT("</p>\n"));
    }
}

static text greeting(const struct ctx *c) { return doc_in(c, TEXT("Hello,"), TEXT("Bonjour,")); }

/* Who writes, and from where. */
static text signature(const struct ctx *c)
{
    return text_eq(letter_site(c), c->policy->controller.legal_name) ? TEXT("{controller}\n{place}")
                                                              : TEXT("{site}\n{controller}, {place}");
}

static text footer(const struct ctx *c)
{
    return doc_in(
        c,
        TEXT("We send this service message to everyone concerned, even those who refuse news and offers. "
             "Your data and your rights:"),
        TEXT("Nous envoyons ce message de service à toutes les personnes concernées, même si elles refusent les "
             "actualités et les offres. Vos données et vos droits :"));
}

void letter_frame(const struct ctx *c, struct buf *b, text subject, text body, text foot)
{
    buf_add(b, TEXT("<!DOCTYPE html>\n<html lang=\""));
    buf_add(b, doc_in(c, TEXT("en"), TEXT("fr")));
    buf_add(
        b,
        TEXT(
            "\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            "<meta name=\"color-scheme\" content=\"light\"><title>"));
    buf_html(b, subject);
    buf_add(b, TEXT("</title></head>\n<body style=\"margin:0;padding:0;background:#f3f5f3;color:#1c2722;"
                    "font:16px/1.55 -apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif\">\n"
                    "<div style=\"max-width:36em;margin:0 auto;padding:24px 16px\">\n"
                    "<p style=\"margin:0 0 12px;font-weight:600;color:#1f5d4c\">"));
    buf_html(b, letter_site(c));
    buf_add(
        b, TEXT("</p>\n<div style=\"background:#ffffff;border:1px solid #d9dfdb;border-radius:8px;padding:8px 24px\">\n"));
    buf_add(b, body);
    buf_add(b, TEXT("</div>\n<p style=\"margin:16px 0 0;font-size:.82em;color:#55605a\">"));
    buf_add(b, foot);
    buf_add(b, TEXT("</p>\n</div>\n</body>\n</html>\n"));
}

static void put_body(const struct filling *f, struct buf *b, const struct letter_words *words, text body)
{
    buf_add(b, TEXT("<p style=\"margin:1em 0\">"));
    buf_html(b, greeting(f->c));
    buf_add(b, TEXT("</p>\n"));
    put_html_body(f, b, body, words->action);
    buf_add(b, TEXT("<p style=\"margin:1.4em 0 1em\">"));
    fill(f, b, signature(f->c), true);
    buf_add(b, TEXT("</p>\n"));
}

static void put_foot(const struct filling *f, struct buf *b)
{
    fill(f, b, footer(f->c), true);
    buf_add(b, TEXT(" <a style=\"color:#1f5d4c\" href=\""));
    fill(f, b, TEXT("{privacy}"), true);
    buf_add(b, TEXT("\">"));
    fill(f, b, TEXT("{privacy}"), true);
    buf_add(b, TEXT("</a>"));
}

static void make_html(const struct filling *f, struct buf *b, const struct letter_words *words, text subject, text body)
{
    BUF_AUTO inner = buf_make(LETTER_MAX), foot = buf_make(LETTER_MAX);
    put_body(f, &inner, words, body);
    put_foot(f, &foot);
    letter_frame(f->c, b, subject, buf_for(b, &inner), buf_for(b, &foot));
}

static void make_text(const struct filling *f, struct buf *b, text body)
{
    buf_add(b, greeting(f->c));
    buf_add(b, TEXT("\n\n"));
    fill(f, b, body, false);
    buf_add(b, TEXT("\n\n-- \n"));
    fill(f, b, signature(f->c), false);
    buf_add(b, TEXT("\n\n"));
    fill(f, b, footer(f->c), false);
    fill(f, b, TEXT(" {privacy}\n"), false);
}

static bool has_control(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < ' ' || s.p[i] == 0x7F)
            return true;
    return false;
}

text letter_title(struct ctx *c, text name)
{
    static const struct letter_values nothing;
    const struct filling f = { c, &nothing };
    const struct letter_row *row = row_of(name);
    BUF_AUTO b = buf_make(LETTER_MAX);
    text subject = row ? doc_in(c, row->en.subject, row->fr.subject) : TEXT("");
    if (!row || !complete(&f, subject))
        return text_eq(name, TEXT("service_message")) ? doc_in(c, TEXT("Service message"), TEXT("Message de service"))
                                                      : name;
    fill(&f, &b, subject, false);
    return buf_made(c->arena, &b);
}

enum err letter_render(struct ctx *c, text language, text name, const struct letter_values *values, struct letter *out)
{
    static const struct letter_values nothing;
    struct ctx in = *c;
    in.language = text_eq(language, TEXT("fr")) ? TEXT("fr") : TEXT("en");
    const struct filling f = { &in, values ? values : &nothing };
    const struct letter_row *row = row_of(name);
    if (!row)
        return say(c->arena, ERR_INTERNAL, "letters.def has no letter \"%.*s\"", T(name));
    TRY(check_values(&f, row));
    const struct letter_words *words = text_eq(in.language, TEXT("fr")) ? &row->fr : &row->en;
    BUF_AUTO subject = buf_make(LETTER_MAX), plain = buf_make(LETTER_MAX), html = buf_make(LETTER_MAX);
    *out = (struct letter){
        .name = row->name, .language = in.language, .apart = row->kind == APART, .bulk = row->kind == BULK,
        .noted = f.values->noted,
    };
    out->thread = f.values->thread;
    fill(&f, &subject, words->subject, false);
    TRY(buf_take(c->arena, &subject, &out->subject));
    if (has_control(out->subject))
        return say(c->arena, ERR_VALUE, "the subject of an email is one line without control characters");
    text body = without_brackets(&f, words->body);
    TRY_PTR(body.p);
    make_text(&f, &plain, body);
    TRY(buf_take(c->arena, &plain, &out->text));
    make_html(&f, &html, words, out->subject, body);
    return buf_take(c->arena, &html, &out->html);
}
