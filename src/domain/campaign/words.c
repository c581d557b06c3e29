/* A campaign's letter in words: one source, plain text and HTML of the same content, and the ways to make it stop. */
#include "domain/campaign/inside.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/normal.h"
#include "domain/core/value.h"
#include "domain/mail/mail.h"

enum { LETTER_MAX = 256 << 10, SUBJECT_MAX = 200, ENGLISH = 1000 };

/* ---- The source: [words](https://…) and addresses that stand alone. ---- */

struct piece {
    text words, address; /* address p NULL: nothing but words */
};

static bool is_address(text s) { return text_starts(s, TEXT("https://")) || text_starts(s, TEXT("http://")); }

static size_t address_length(text s)
{
    size_t n = 0;
    while (n < s.n && (uint8_t)s.p[n] > ' ' && text_index(TEXT("<>\"()[]"), s.p[n]) < 0)
        n++;
    while (n && text_index(TEXT(".,;:!?"), s.p[n - 1]) >= 0)
        n--; /* the end of a sentence is none of the address */
    return n;
}

/* "[words](https://…)" at the start of `s`: its length, 0 for anything else. */
static size_t link_length(text s, struct piece *out)
{
    ptrdiff_t middle = text_find(s, TEXT("](")), line = text_index(s, '\n');
    if (!text_starts(s, TEXT("[")) || middle < 2 || (line >= 0 && line < middle))
        return 0;
    text target = text_from(s, (size_t)middle + 2);
    size_t n = address_length(target);
    if (!is_address(target) || n >= target.n || target.p[n] != ')')
        return 0;
    *out = (struct piece){ text_upto(text_from(s, 1), (size_t)middle - 1), text_upto(target, n) };
    return (size_t)middle + 2 + n + 1;
}

/* The next stretch of words, or the next link. */
static bool next_piece(text *rest, struct piece *out)
{
    struct piece link;
    if (!rest->n)
        return false;
    for (size_t i = 0; i <= rest->n; i++) {
        text from = text_from(*rest, i);
        size_t n = link_length(from, &link);
        if (!n && is_address(from) && (n = address_length(from)))
            link = (struct piece){ text_upto(from, n), text_upto(from, n) };
        if (!n && i < rest->n)
            continue;
        *out = i ? (struct piece){ text_upto(*rest, i), { NULL, 0 } } : link;
        *rest = text_from(*rest, i ? i : n);
        return true;
    }
    return false;
}

static text said_in(const struct json *all, text language) { return json_text(all, language); }

text campaign_link(const struct campaign *m, int64_t number)
{
    bool english = number >= ENGLISH;
    text rest = said_in(json_get(m->body, TEXT("text")), english ? TEXT("en") : TEXT("fr"));
    struct piece piece;
    int64_t at = english ? ENGLISH : 0;
    while (next_piece(&rest, &piece))
        if (piece.address.p && at++ == number)
            return piece.address;
    return (text){ NULL, 0 };
}

/* ---- What may be written. ---- */

static bool has_control(text s, bool lines)
{
    for (size_t i = 0; i < s.n; i++)
        if (((uint8_t)s.p[i] < ' ' && !(lines && (s.p[i] == '\n' || s.p[i] == '\t'))) || s.p[i] == 0x7F)
            return true;
    return false;
}

static enum err check_subject(struct ctx *c, text language, text subject)
{
    if (!text_trim(subject).n)
        return say(c->arena, ERR_MISSING, "\"subject\" has none in \"%.*s\"", T(language));
    if (subject.n > SUBJECT_MAX || has_control(subject, false))
        return say(c->arena, ERR_VALUE, "a subject is one line of at most %d bytes, without control characters",
                   SUBJECT_MAX);
    return value_no_card(c, TEXT("subject"), subject);
}

static enum err check_text(struct ctx *c, text language, text said)
{
    struct piece piece;
    unsigned links = 0;
    if (!text_trim(said).n)
        return say(c->arena, ERR_MISSING, "\"text\" has none in \"%.*s\"", T(language));
    if (said.n > CAMPAIGN_TEXT || has_control(said, true))
        return say(c->arena, ERR_VALUE, "a text has at most %d bytes, and no control characters but line breaks",
                   CAMPAIGN_TEXT);
    for (text rest = said; next_piece(&rest, &piece);)
        if (piece.address.p && (++links > CAMPAIGN_LINKS || !normal_is_url(c->arena, piece.address)))
            return say(c->arena, ERR_VALUE, "a text has at most %d links, each a whole address", CAMPAIGN_LINKS);
    return value_no_card(c, TEXT("text"), said);
}

enum err campaign_check_words(struct ctx *c, const struct json *in, bool subject)
{
    for (unsigned i = 0; i < c->policy->language_count; i++) {
        text language = c->policy->languages[i];
        if (subject)
            TRY(check_subject(c, language, said_in(json_get(in, TEXT("subject")), language)));
        TRY(check_text(c, language, said_in(json_get(in, TEXT("text")), language)));
    }
    return OK;
}

/* ---- The letter. ---- */

struct setting {
    struct ctx *c;
    const struct campaign_words *w;
    int64_t link; /* number of the next */
    struct buf *plain, *html;
};

static text target(struct setting *s, text address)
{
    int64_t number = s->link++;
    return s->w->go.n ? arena_print(s->c->arena, "%.*s/%lld", T(s->w->go), (long long)number) : address;
}

static void put_anchor(struct buf *b, text address, text words)
{
    buf_add(b, TEXT("<a style=\"color:#1f5d4c\" href=\""));
    buf_html(b, address);
    buf_add(b, TEXT("\">"));
    buf_html(b, words);
    buf_add(b, TEXT("</a>"));
}

static void put_inline(struct setting *s, text line)
{
    struct piece piece;
    while (next_piece(&line, &piece)) {
        if (!piece.address.p) {
            buf_add(s->plain, piece.words);
            buf_html(s->html, piece.words);
            continue;
        }
        text to = target(s, piece.address);
        bool alone = text_eq(piece.words, piece.address);
        put_anchor(s->html, to, piece.words);
        if (!alone)
            buf_print(s->plain, "%.*s (", T(piece.words));
        buf_add(s->plain, to);
        if (!alone)
            buf_char(s->plain, ')');
    }
}

static void put_list(struct setting *s, text block)
{
    buf_add(s->html, TEXT("<ul style=\"margin:1em 0;padding-left:1.2em\">\n"));
    while (block.p) {
        text line = text_cut(&block, '\n');
        buf_add(s->html, TEXT("<li>"));
        buf_add(s->plain, TEXT("- "));
        put_inline(s, text_starts(line, TEXT("- ")) ? text_from(line, 2) : line);
        buf_add(s->html, TEXT("</li>\n"));
        buf_char(s->plain, '\n');
    }
    buf_add(s->html, TEXT("</ul>\n"));
}

static void put_block(struct setting *s, text block)
{
    bool heading = text_starts(block, TEXT("# "));
    if (text_starts(block, TEXT("- "))) {
        put_list(s, block);
        buf_char(s->plain, '\n');
        return;
    }
    if (heading)
        block = text_from(block, 2);
    buf_add(s->html,
            heading ? TEXT("<h1 style=\"margin:1em 0;font-size:1.3em\">") : TEXT("<p style=\"margin:1em 0\">"));
    while (block.p) {
        put_inline(s, text_cut(&block, '\n'));
        buf_add(s->html, block.p ? TEXT("<br>\n") : TEXT(""));
        buf_add(s->plain, block.p ? TEXT("\n") : TEXT(""));
    }
    buf_add(s->html, heading ? TEXT("</h1>\n") : TEXT("</p>\n"));
    buf_add(s->plain, TEXT("\n\n"));
}

static void put_source(struct setting *s, text said)
{
    while (said.p) {
        ptrdiff_t end = text_find(said, TEXT("\n\n"));
        text block = text_trim(end < 0 ? said : text_upto(said, (size_t)end));
        said = end < 0 ? (text){ NULL, 0 } : text_from(said, (size_t)end + 2);
        if (block.n)
            put_block(s, block);
    }
}

/* ---- Who writes, why, and how to make it stop (CPCE L34-5, LCEN 20; RFC 8058). ---- */

static void put_sender(struct setting *s)
{
    struct controller who = ctx_controller(s->c);
    buf_add(s->html, TEXT("<p style=\"margin:1.4em 0 1em\">"));
    buf_html(s->html, who.legal_name);
    buf_add(s->html, TEXT("<br>\n"));
    buf_html(s->html, who.address);
    buf_add(s->html, TEXT("</p>\n"));
    buf_print(s->plain, "-- \n%.*s\n%.*s\n\n", T(who.legal_name), T(who.address));
}

static void put_way(struct setting *s, struct buf *foot, text says, text address, text words)
{
    if (!address.n)
        return;
    buf_html(foot, says);
    buf_char(foot, ' ');
    put_anchor(foot, address, words);
    buf_add(foot, TEXT("<br>\n"));
    buf_print(s->plain, "%.*s\n%.*s\n", T(says), T(words));
}

static void put_foot(struct setting *s, struct buf *foot, text title)
{
    const struct campaign_words *w = s->w;
    struct ctx *c = s->c;
    text what = w->printed ? doc_in(c, TEXT("letter"), TEXT("courrier")) : doc_in(c, TEXT("email"), TEXT("courriel"));
    text agreed = doc_in(c, TEXT("because you agreed to this:"), TEXT("parce que vous avez accepté ceci :"));
    text sold = doc_in(c, TEXT("because you are our customer:"), TEXT("parce que vous êtes client chez nous :"));
    text get = doc_in(c, TEXT("You get this"), TEXT("Vous recevez ce"));
    text end = w->printed ? doc_in(c, TEXT("Stop these letters at once:"), TEXT("Ne plus recevoir ces courriers :"))
                          : doc_in(c, TEXT("Stop these emails at once:"), TEXT("Ne plus recevoir ces courriels :"));
    text why = arena_print(c->arena, "%.*s %.*s %.*s %.*s", T(get), T(what), T(w->customer ? sold : agreed), T(title));
    buf_html(foot, why);
    buf_add(foot, TEXT("<br>\n"));
    buf_print(s->plain, "%.*s\n\n", T(why));
    put_way(s, foot, end, w->stop, w->stop);
    text mail = w->stop_to.n ? arena_print(c->arena, "mailto:%.*s", T(w->stop_to)) : TEXT("");
    put_way(s, foot, doc_in(c, TEXT("Or write to:"), TEXT("Ou écrivez à :")), mail, w->stop_to);
    put_way(s, foot,
            doc_in(c, TEXT("Keep the emails, and stop measuring what I open and follow:"),
                   TEXT("Garder les courriels, sans mesurer ce que j'ouvre et ce que je suis :")),
            w->quiet, w->quiet);
    text privacy = mail_link(c, TEXT("/privacy"));
    put_way(s, foot, doc_in(c, TEXT("Your data and your rights:"), TEXT("Vos données et vos droits :")), privacy,
            privacy);
}

static void put_pixel(struct setting *s)
{
    if (!s->w->pixel.n)
        return;
    buf_add(s->html, TEXT("<img alt=\"\" width=\"1\" height=\"1\" src=\""));
    buf_html(s->html, s->w->pixel);
    buf_add(s->html, TEXT("\">\n"));
}

enum err campaign_render(struct ctx *c, const struct campaign *m, struct campaign_words *w)
{
    struct ctx in = *c;
    in.language = text_eq(w->language, TEXT("fr")) ? TEXT("fr") : TEXT("en");
    BUF_AUTO plain = buf_make(LETTER_MAX), body = buf_make(LETTER_MAX), foot = buf_make(LETTER_MAX),
             html = buf_make(LETTER_MAX);
    struct setting s = { .c = &in, .w = w, .plain = &plain, .html = &body };
    s.link = text_eq(in.language, TEXT("en")) ? ENGLISH : 0;
    int purpose = policy_purpose(c->policy, m->purpose);
    w->subject = said_in(json_get(m->body, TEXT("subject")), in.language);
    put_source(&s, said_in(json_get(m->body, TEXT("text")), in.language));
    w->customer = purpose >= 0 && c->policy->purposes[purpose].basis != BASIS_CONSENT;
    w->printed = text_eq(m->channel, TEXT("post"));
    if (campaign_by_text(m))
        return campaign_sms_words(&in, &plain, w);
    if (!text_eq(m->channel, TEXT("phone"))) { /* what to say in a call is read by staff alone */
        put_sender(&s);
        put_pixel(&s);
        put_foot(&s, &foot, purpose >= 0 ? doc_purpose(&in, &c->policy->purposes[purpose]) : m->purpose);
    }
    letter_frame(&in, &html, w->subject, buf_for(&html, &body), buf_for(&html, &foot));
    TRY(buf_take(c->arena, &plain, &w->plain));
    return buf_take(c->arena, &html, &w->html);
}
