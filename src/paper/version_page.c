/* Versions of the policy as pages. */
#include "publish/notice.h"
#include "domain/core/actor.h"
#include "domain/core/value.h"
#include "domain/version/acknowledge.h"
#include "domain/version/answer.h"
#include "domain/version/find.h"
#include "paper/version_page.h"

static enum err give_page(struct ctx *c, struct buf *b, struct answer *out)
{
    out->media_type = TEXT("text/html; charset=utf-8");
    return buf_take(c->arena, b, &out->body);
}

static text site_name(const struct ctx *c)
{
    text name = node_said(node_at(c->policy->root, TEXT("policy.title")), c->language);
    return name.n ? name : c->policy->controller.legal_name;
}

/* From which day a version applies; when it was published, where it says no such day. */
static text day_of(const struct ctx *c, const struct words *w, const struct version *v)
{
    struct date d = { 0 };
    return words_date(w, date_parse(v->date, &d) ? d : value_day(c, v->at));
}

enum err version_diff_page(struct ctx *c, text older, text newer, struct answer *out)
{
    struct version x, y;
    struct diff d;
    bool fr = text_eq(c->language, TEXT("fr"));
    struct words w;
    TRY(version_open_both(c, older, newer, &x, &y, &d));
    TRY(words_make(c->arena, c->policy->root, c->language, &w));
    BUF_AUTO b = buf_make(PAGE_LIMIT);
    text here = arena_print(c->arena, "/privacy/versions/%.*s/diff/%.*s", T(older), T(newer));
    text lead = arena_print(c->arena,
                            fr ? "De la version %.*s (%.*s) à la version %.*s (%.*s)."
                               : "From version %.*s (%.*s) to version %.*s (%.*s).",
                            T(x.version), T(day_of(c, &w, &x)), T(y.version), T(day_of(c, &w, &y)));
    struct page_frame frame = { .here = here,
                                .title = fr ? TEXT("Ce qui a changé") : TEXT("What changed"),
                                .name = site_name(c),
                                .lead = lead,
                                .fr = fr,
                                .root = c->policy->root };
    page_begin(&b, &frame);
    static const char meaning_fr[] =
        "« Important » : nouvelle finalité, nouvelle donnée, nouveau destinataire, conservation plus longue ou droit réduit. "
        "Nous vous en avertissons, et nous vous redemandons votre consentement s’il est en cause.";
    static const char
        meaning_en[] = "“Material” means a new purpose, new data, a new recipient, longer storage or a weaker right. "
                       "We tell you about it, and ask you again for any consent it touches.";
    buf_print(&b, "<div class=\"narrow\">\n<p>%s</p>\n", fr ? meaning_fr : meaning_en);
    diff_html(&b, &d, c->language);
    buf_add(&b, TEXT("</div>\n"));
    page_end(&b, &frame, TEXT(""));
    return give_page(c, &b, out);
}

static text reading_lead(struct ctx *c, const struct words *w, const struct version *v)
{
    return arena_print(c->arena,
                       w->fr ? "Version %.*s, en vigueur depuis le %.*s." : "Version %.*s, in force since %.*s.",
                       T(v->version), T(day_of(c, w, v)));
}

/* The button, or since when it is pressed. */
static void put_reading(struct ctx *c, struct buf *b, const struct words *w, text hash, msec at)
{
    if (at) {
        buf_print(b, "<p class=\"flash\" role=\"status\">");
        buf_html(b, arena_print(c->arena,
                                w->fr ? "Vous avez indiqué le %.*s avoir lu cette version."
                                      : "You said on %.*s that you read this version.",
                                T(words_date(w, value_day(c, at)))));
        buf_add(b, TEXT("</p>\n"));
        return;
    }
    buf_print(
        b,
        "<form method=\"post\" action=\"/privacy/acknowledge\">\n<input type=\"hidden\" name=\"csrf\" value=\"%s\">\n"
        "<input type=\"hidden\" name=\"version\" value=\"%.*s\">\n<p>%s</p>\n<p class=\"actions\"><button class=\"button first\">%s</button></p>\n"
        "</form>\n",
        c->session ? c->session->csrf : "", T(hash),
        w->fr ? "Le dire n’est pas consentir : vos choix restent ce qu’ils sont."
              : "To say so is not to consent: your choices stay what they are.",
        w->fr ? "J’ai lu cette version" : "I have read this version");
}

enum err version_reading_page(struct ctx *c, struct answer *out)
{
    struct version *all, x, y;
    struct diff d = { 0 };
    struct words w;
    unsigned count;
    msec at;
    TRY(words_make(c->arena, c->policy->root, c->language, &w));
    TRY(version_list(c, &all, &count));
    unsigned now = version_index_in_force(all, count);
    const struct version *before = version_before(all, count, now);
    if (now >= count)
        return say(c->arena, ERR_NOT_FOUND, "the version in force is not among those published");
    TRY(version_read_at(c, all[now].hash, &at));
    if (before)
        TRY(version_open_both(c, before->hash, all[now].hash, &x, &y, &d));
    BUF_AUTO b = buf_make(PAGE_LIMIT);
    const char *lang = w.fr ? "fr" : "en";
    struct page_frame frame = { .here = TEXT("/privacy/acknowledge"),
                                .title = w.fr ? TEXT("Avez-vous lu cette version\u202F?")
                                              : TEXT("Have you read this version?"),
                                .name = site_name(c),
                                .lead = reading_lead(c, &w, &all[now]),
                                .fr = w.fr,
                                .root = c->policy->root };
    page_begin(&b, &frame);
    buf_print(&b, "<div class=\"narrow\">\n<p><a href=\"/privacy?lang=%s\">%s</a></p>\n", lang,
              w.fr ? "Lire la notice entière" : "Read the whole notice");
    if (before) {
        buf_print(&b, "<h2>%s</h2>\n", w.fr ? "Ce qui a changé" : "What changed");
        diff_html(&b, &d, c->language);
    }
    put_reading(c, &b, &w, all[now].hash, at);
    buf_add(&b, TEXT("</div>\n"));
    page_end(&b, &frame, TEXT(""));
    return give_page(c, &b, out);
}

static void put_day(struct buf *b, const struct words *w, const char *head, struct date d)
{
    buf_print(b, "<td data-head=\"%s\"><time datetime=\"%.*s\">", head, T(date_print(w->arena, d)));
    buf_html(b, words_date(w, d));
    buf_add(b, TEXT("</time></td>"));
}

static void put_version(const struct ctx *c, struct buf *b, const struct words *w, const struct version *v,
                        const struct version *before)
{
    bool fr = w->fr;
    const char *lang = fr ? "fr" : "en";
    struct date since = { 0 };
    buf_add(b, TEXT("<tr><th scope=\"row\" data-head=\"Version\">"));
    buf_print(b, "<a href=\"/privacy/versions/%.*s?lang=%s\">", T(v->hash), lang);
    buf_html(b, v->version);
    static const char *const said[][2] = { [VERSION_ENTERED] = { "", "" },
                                           [VERSION_ANNOUNCED] = { " (announced)", " (annoncée)" },
                                           [VERSION_WITHDRAWN] = { " (withdrawn, never in force)",
                                                                   " (retirée, jamais en vigueur)" } };
    buf_print(b, "</a>%s</th>", !v->current ? said[v->state][fr] : fr ? " (en vigueur)" : " (in force)");
    put_day(b, w, fr ? "En vigueur à compter du" : "In force from",
            date_parse(v->date, &since) ? since : value_day(c, v->at));
    put_day(b, w, fr ? "Publiée le" : "Published", value_day(c, v->at));
    buf_print(b, "<td data-head=\"%s\">", fr ? "Ce qui a changé" : "What changed");
    if (before) {
        buf_print(b, "<a href=\"/privacy/versions/%.*s/diff/%.*s?lang=%s\">", T(before->hash), T(v->hash), lang);
        buf_add(b, fr ? TEXT("depuis la version ") : TEXT("since version "));
        buf_html(b, before->version);
        buf_add(b, TEXT("</a>"));
    } else
        buf_add(b, fr ? TEXT("première version") : TEXT("first version"));
    buf_print(b, "</td><td class=\"code\" data-head=\"SHA-256\">%.*s</td></tr>\n", T(v->hash));
}

enum err version_list_page(struct ctx *c, struct answer *out)
{
    struct version *all;
    unsigned count;
    bool fr = text_eq(c->language, TEXT("fr"));
    struct words w;
    TRY(words_make(c->arena, c->policy->root, c->language, &w));
    TRY(version_list(c, &all, &count));
    BUF_AUTO b = buf_make(PAGE_LIMIT);
    struct page_frame frame = { .here = TEXT("/privacy/versions"),
                                .title = fr ? TEXT("Toutes les versions") : TEXT("All versions"),
                                .name = site_name(c),
                                .lead = fr ? TEXT("Chaque version reste lisible, avec ce qui a changé.")
                                           : TEXT("Each version stays readable, with what changed."),
                                .fr = fr,
                                .root = c->policy->root };
    page_begin(&b, &frame);
    buf_print(
        &b,
        "<table>\n<thead>\n<tr><th scope=\"col\">Version</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th>"
        "<th scope=\"col\">SHA-256</th></tr>\n</thead>\n<tbody>\n",
        fr ? "En vigueur à compter du" : "In force from", fr ? "Publiée le" : "Published",
        fr ? "Ce qui a changé" : "What changed");
    for (unsigned i = 0; i < count; i++)
        put_version(c, &b, &w, &all[i], version_before(all, count, i));
    buf_print(&b, "</tbody>\n</table>\n<p><a href=\"/privacy/acknowledge?lang=%s\">%s</a></p>\n", fr ? "fr" : "en",
              fr ? "Vous avez un compte\u202F? Indiquez que vous avez lu la version en vigueur."
                 : "You have an account? Say that you have read the version in force.");
    page_end(
        &b, &frame,
        fr ? TEXT("L’empreinte SHA-256 est celle du fichier ; sa publication est inscrite au journal de l’instance.")
           : TEXT("The SHA-256 is that of the file; its publication is entered in the instance’s journal."));
    return give_page(c, &b, out);
}

enum err version_page(struct ctx *c, text hash, struct answer *out)
{
    struct version v;
    struct notice n;
    TRY(version_open(c, hash, &v));
    TRY(notice_make(c->arena, v.root, v.hash, NOTICE_PRIVACY, c->language, &n));
    n.standing = v.state == VERSION_ANNOUNCED   ? NOTICE_COMING
                 : v.state == VERSION_WITHDRAWN ? NOTICE_WITHDRAWN
                                                : NOTICE_FORMER;
    BUF_AUTO b = buf_make(PAGE_LIMIT);
    notice_html(&b, &n, !v.current);
    return give_page(c, &b, out);
}
