/* The promise board over HTTP: GET /v1/promises, the page /promises, and its figures for Prometheus. */
#include "domain/board/board.h"
#include "domain/core/named.h"
#include "publish/words.h"
#include "front/door/front.h"
#include "front/site/promises.h"

enum { FIRST_LOOK = 250, FRESH_LOOK = 5 * SECOND, SHEET = 50 /* sentences on a page of one part */ };

/* Rounds that were never ended, or a while ago, are ended now, as far as a moment allows; the jobs do the rest. */
static msec wanted(struct ctx *c, msec budget)
{
    struct board_view v;
    board_probes(c, &v);
    for (unsigned i = 0; i < PROBES; i++)
        if (v.now - v.probes[i].at > BOARD_LATELY)
            return budget;
    return 0;
}

enum err api_promises_get(struct ctx *c, const struct request *q, struct reply *r)
{
    text fresh = request_query(q, TEXT("fresh"));
    struct answer answer = { 0 };
    if (fresh.p && !text_eq(fresh, TEXT("true")) && !text_eq(fresh, TEXT("false")))
        return say(c->arena, ERR_USAGE, "the parameter \"fresh\" is true or false");
    TRY(board_answer(c, text_eq(fresh, TEXT("true")) ? FRESH_LOOK : wanted(c, FIRST_LOOK), &answer));
    return reply_answer(c, q, r, &answer);
}

enum err api_unreadable(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(board_unreadable(c, &answer));
    return reply_answer(c, q, r, &answer);
}

/* ---- Prometheus. ---- */

void promises_metrics(struct ctx *c, struct buf *b)
{
    struct board_view v;
    board_probes(c, &v);
    buf_add(
        b,
        TEXT(
            "# HELP garant_promise_state 1 kept, 2 at risk, 3 broken, by probe.\n# TYPE garant_promise_state gauge\n"));
    for (unsigned i = 0; i < PROBES; i++)
        if (v.probes[i].applies)
            buf_print(b, "garant_promise_state{probe=\"%.*s\"} %d\n", T(probe_row((enum probe)i)->name),
                      (int)v.probes[i].state);
    buf_add(
        b, TEXT("# HELP garant_promise_breaks What breaks a promise, by probe.\n# TYPE garant_promise_breaks gauge\n"));
    for (unsigned i = 0; i < PROBES; i++)
        if (v.probes[i].applies)
            buf_print(b, "garant_promise_breaks{probe=\"%.*s\"} %lld\n", T(probe_row((enum probe)i)->name),
                      (long long)v.probes[i].bad);
    buf_add(b, TEXT("# HELP garant_promise_checked_timestamp_seconds End of the probe's last whole round.\n"
                    "# TYPE garant_promise_checked_timestamp_seconds gauge\n"));
    for (unsigned i = 0; i < PROBES; i++)
        if (v.probes[i].applies && v.probes[i].at)
            buf_print(b, "garant_promise_checked_timestamp_seconds{probe=\"%.*s\"} %lld\n",
                      T(probe_row((enum probe)i)->name), (long long)(v.probes[i].at / SECOND));
}

/* ---- The page. ---- */

struct page {
    struct buf *b;
    struct ctx *c;
    const struct board_view *v;
    bool fr;
};

static void raw(struct page *g, const char *html) { buf_add(g->b, text_of(html)); }
static const char *pick(const struct page *g, const char *en, const char *fr) { return g->fr ? fr : en; }
static text of(const struct page *g, const struct probe_text *t) { return g->fr ? t->fr : t->en; }

static const char *state_word(const struct page *g, enum promise_state s)
{
    static const char *const en[] = { "Declared", "Kept", "At risk", "Not kept" };
    static const char *const fr[] = { "Déclaré", "Tenu", "À risque", "Non tenu" };
    return g->fr ? fr[s] : en[s];
}

/* Told apart by shape, sign and word before colour; drawn once, used where a state is said. */
static void put_icons(struct page *g)
{
    static const char *const shapes[] = {
        "<circle cx=\"12\" cy=\"12\" r=\"9.5\" stroke-dasharray=\"3 2.6\"/><path d=\"M8 12h8\"/>",
        "<circle cx=\"12\" cy=\"12\" r=\"9.5\"/><path d=\"M7.5 12.5l3 3 6-6.5\"/>",
        "<path d=\"M12 3l9.5 17.5h-19z\"/><path d=\"M12 10v5M12 17.6v.4\"/>",
        "<path d=\"M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8z\"/><path d=\"M8.5 8.5l7 7M15.5 8.5l-7 7\"/>",
    };
    raw(g, "<svg class=\"sprite\" aria-hidden=\"true\">");
    for (int i = 0; i < PROMISE_STATE_COUNT; i++)
        buf_print(g->b, "<symbol id=\"s-%.*s\" viewBox=\"0 0 24 24\">%s</symbol>",
                  T(promise_word((enum promise_state)i)), shapes[i]);
    raw(g, "</svg>\n");
}

static void put_state(struct page *g, enum promise_state s)
{
    text word = promise_word(s);
    buf_print(
        g->b,
        "<span class=\"state %.*s\"><svg class=\"sign\" aria-hidden=\"true\"><use href=\"#s-%.*s\"/></svg>%s</span>",
        T(word), T(word), state_word(g, s));
}

static void put_when(struct page *g, msec at)
{
    char time[TIME_TEXT + 1];
    if (!at) {
        raw(g, pick(g, "not checked yet", "pas encore vérifié"));
        return;
    }
    buf_print(g->b, "<time datetime=\"%.*s\">", T(time_text(at, time)));
    buf_html(g->b, doc_time(g->c, time_text(at, time)));
    raw(g, "</time>");
}

/* As the notice sets it: typographic apostrophes, and the blanks of French. */
static void prose(struct page *g, text s)
{
    BUF_AUTO b = buf_make(1 << 14);
    words_prose(&(struct words){ .fr = g->fr }, &b, s);
    buf_html(g->b, buf_for(g->b, &b));
}

static void put_number(struct page *g, text label, int64_t n)
{
    raw(g, "<dt>");
    prose(g, label);
    buf_print(g->b, "</dt><dd>%lld</dd>", (long long)n);
}

/* A line where all is well; open where it is not. */
static void put_probe(struct page *g, enum probe p)
{
    const struct probe_row *row = probe_row(p);
    const struct board_probe *one = &g->v->probes[p];
    buf_print(g->b, "<details class=\"more\"%s><summary><h3>", one->state > PROMISE_KEPT ? " open" : "");
    prose(g, of(g, &row->title));
    raw(g, "</h3>");
    put_state(g, one->state);
    buf_print(g->b, "</summary>\n<div class=\"inside\" id=\"p-%.*s\">\n<p>", T(row->name));
    prose(g, one->state == PROMISE_RISK && one->soon ? of(g, &row->risk) : of(g, &row->says));
    raw(g, "</p>\n<dl class=\"figures\">");
    put_number(g, of(g, &row->figure), one->figure);
    put_number(g, of(g, &row->bad), one->bad);
    raw(g, "</dl>\n<p class=\"when\">");
    put_when(g, one->at);
    raw(g, "</p>\n</div></details>\n");
}

/* The whole at a glance: a bar whose parts are as wide as their numbers, gravest first. Only what can be checked
 * counts. */
static void put_bar(struct page *g)
{
    unsigned all = 0;
    double x = 0;
    for (int i = PROMISE_KEPT; i < PROMISE_STATE_COUNT; i++)
        all += g->v->counts[i];
    if (!all)
        return;
    raw(g, "<svg class=\"share\" viewBox=\"0 0 1000 24\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    for (int i = PROMISE_STATE_COUNT; i-- > PROMISE_KEPT;) {
        double width = 1000.0 * g->v->counts[i] / all;
        text word = promise_word((enum promise_state)i);
        if (g->v->counts[i])
            buf_print(g->b, "<rect class=\"%.*s\" x=\"%.2f\" width=\"%.2f\" height=\"24\"/>", T(word), x,
                      width > 3 ? width - 2 : width);
        x += width;
    }
    raw(g, "</svg>\n<ul class=\"counts\">\n");
    for (int i = PROMISE_STATE_COUNT; i-- > PROMISE_KEPT;) {
        raw(g, "<li>");
        put_state(g, (enum promise_state)i);
        buf_print(g->b, " <strong>%u</strong></li>\n", g->v->counts[i]);
    }
    raw(g, "</ul>\n");
    if (g->v->counts[PROMISE_DECLARED])
        buf_print(g->b, "<p class=\"aside\">%s %u</p>\n",
                  pick(g, "Declared, so not checked by this software, and not counted here:",
                       "Déclarées, donc non vérifiées par ce logiciel, et non comptées ici :"),
                  g->v->counts[PROMISE_DECLARED]);
}

static void put_clause(struct page *g, const struct board_clause *one)
{
    raw(g, "<li>");
    put_state(g, one->state);
    raw(g, "<div><p>");
    buf_html(g->b, one->sentence);
    raw(g, "</p>\n<p class=\"when\"><span class=\"code\">");
    buf_html(g->b, one->path);
    buf_print(g->b, "</span> · %s %u", pick(g, "line", "ligne"), one->line);
    if (one->promises.n) {
        raw(g, " · ");
        buf_html(g->b, one->promises);
    }
    if (one->probe >= 0) {
        const struct probe_row *row = probe_row((enum probe)one->probe);
        buf_print(g->b, " · <a href=\"/promises?lang=%s#p-%.*s\">", g->fr ? "fr" : "en", T(row->name));
        prose(g, of(g, one->bad ? &row->bad : &row->figure));
        buf_print(g->b, "%s %lld</a>", pick(g, ":", " :"), (long long)(one->bad ? one->bad : one->figure));
    }
    raw(g, "</p></div></li>\n");
}

/* ---- Sentences in groups: a purpose, or a section of the notice. ---- */

static bool together(const struct board_clause *a, const struct board_clause *b)
{
    return a->purpose == b->purpose && text_eq(a->group, b->group);
}

static bool is_first(const struct page *g, const struct board_clause *one)
{
    const struct board_clause *other = g->v->first;
    while (!together(other, one))
        other = other->next;
    return other == one;
}

/* How many of the group are in each state, gravest first: "1 at risk, 4 kept". */
static void put_tally(struct page *g, const unsigned *counts)
{
    static const char *const en[] = { "declared", "kept", "at risk", "not kept" };
    static const char *const fr[] = { "déclarée", "tenue", "à risque", "non tenue" };
    bool first = true;
    raw(g, "<span class=\"hint\">");
    for (int i = PROMISE_STATE_COUNT; i-- > 0;) {
        if (!counts[i])
            continue;
        buf_print(g->b, "%s%u %s%s", first ? "" : ", ", counts[i], g->fr ? fr[i] : en[i],
                  g->fr && counts[i] > 1 && i != PROMISE_RISK ? "s" : "");
        first = false;
    }
    raw(g, "</span>");
}

static void count_group(const struct board_clause *from, unsigned counts[PROMISE_STATE_COUNT])
{
    for (const struct board_clause *one = from; one; one = one->next)
        if (together(one, from))
            counts[one->state]++;
}

/* A group is a page of its own, so that none is heavy. */
static void put_group(struct page *g, const struct board_clause *from)
{
    unsigned counts[PROMISE_STATE_COUNT] = { 0 };
    count_group(from, counts);
    raw(g, "<li><a href=\"/promises?of=");
    buf_html(g->b, from->part);
    buf_print(g->b, "&amp;lang=%s\">", g->fr ? "fr" : "en");
    buf_html(g->b, from->group);
    raw(g, "</a>");
    put_tally(g, counts);
    raw(g, "</li>\n");
}

/* What is not kept is said at once, whatever group it is of. */
static void put_broken(struct page *g)
{
    enum { MOST = 20 };
    unsigned shown = 0;
    if (!g->v->counts[PROMISE_BROKEN])
        return;
    buf_print(g->b, "<section class=\"chapter\" id=\"broken\">\n<h2>%s</h2>\n<ul class=\"clauses\">\n",
              pick(g, "What is not kept", "Ce qui n’est pas tenu"));
    for (const struct board_clause *one = g->v->first; one && shown < MOST; one = one->next)
        if (one->state == PROMISE_BROKEN) {
            put_clause(g, one);
            shown++;
        }
    raw(g, "</ul>\n");
    if (g->v->counts[PROMISE_BROKEN] > shown)
        buf_print(g->b, "<p class=\"aside\">%s %u</p>\n",
                  pick(g, "And more, under their purpose:", "Et d’autres, sous leur finalité :"),
                  g->v->counts[PROMISE_BROKEN] - shown);
    raw(g, "</section>\n");
}

static void put_groups(struct page *g, bool purposes, const char *title)
{
    buf_print(g->b, "<h3 class=\"heading\">%s</h3>\n<ul class=\"parts\">\n", title);
    for (const struct board_clause *one = g->v->first; one; one = one->next)
        if (one->purpose == purposes && is_first(g, one))
            put_group(g, one);
    raw(g, "</ul>\n");
}

static void put_board(struct page *g)
{
    put_icons(g);
    buf_print(g->b, "<section class=\"short\" aria-label=\"%s\">\n", pick(g, "At a glance", "En un coup d’œil"));
    put_bar(g);
    raw(g, "</section>\n");
    put_broken(g);
    buf_print(g->b, "<section class=\"chapter\" id=\"probes\">\n<h2>%s</h2>\n<div class=\"mores checks\">\n",
              pick(g, "What we check all the time", "Ce que nous vérifions en continu"));
    for (int s = PROMISE_STATE_COUNT; s-- > PROMISE_KEPT;)
        for (unsigned i = 0; i < PROBES; i++)
            if (g->v->probes[i].applies && (int)g->v->probes[i].state == s)
                put_probe(g, (enum probe)i);
    buf_print(
        g->b, "</div>\n</section>\n<section class=\"chapter\" id=\"sentences\">\n<h2>%s</h2>\n",
        pick(g, "Each sentence of the notice, and what proves it", "Chaque phrase de la notice, et ce qui la prouve"));
    put_groups(g, true, pick(g, "What we use your data for", "À quoi servent vos données"));
    put_groups(g, false, pick(g, "Everything else", "Tout le reste"));
    raw(g, "</section>\n");
}

/* One group: its sentences, gravest first; `sheet` counts from 0. */
static void put_part(struct page *g, const struct board_clause *from, unsigned sheet)
{
    unsigned counts[PROMISE_STATE_COUNT] = { 0 };
    count_group(from, counts);
    put_icons(g);
    buf_print(g->b, "<p class=\"actions\"><a href=\"/promises?lang=%s#sentences\">%s</a></p>\n<p class=\"aside\">",
              g->fr ? "fr" : "en", pick(g, "← All our promises", "← Toutes nos promesses"));
    put_tally(g, counts);
    raw(g, "</p>\n<ul class=\"clauses\">\n");
    unsigned place = 0, end = (sheet + 1) * SHEET;
    for (int s = PROMISE_STATE_COUNT; s-- > 0;)
        for (const struct board_clause *one = from; one; one = one->next)
            if ((int)one->state == s && together(one, from) && place++ >= sheet * SHEET && place <= end)
                put_clause(g, one);
    raw(g, "</ul>\n");
    if (place <= end)
        return;
    raw(g, "<p class=\"actions\"><a class=\"button\" href=\"/promises?of=");
    buf_html(g->b, from->part);
    buf_print(g->b, "&amp;sheet=%u&amp;lang=%s\">%s</a></p>\n", sheet + 2, g->fr ? "fr" : "en",
              pick(g, "More", "Suite"));
}

/* NULL for all of it; ERR_NOT_FOUND where the notice has no such part. */
static enum err find_part(struct ctx *c, const struct request *q, const struct board_view *v,
                          const struct board_clause **out)
{
    text part = request_query(q, TEXT("of"));
    *out = NULL;
    if (!part.p)
        return OK;
    for (const struct board_clause *one = v->first; one && !*out; one = one->next)
        if (text_eq(one->part, part))
            *out = one;
    return *out ? OK : say(c->arena, ERR_NOT_FOUND, "the notice has no such part");
}

static enum err sheet_of(struct ctx *c, const struct request *q, unsigned *out)
{
    text asked = request_query(q, TEXT("sheet"));
    int64_t n = 1;
    if (asked.p && (!text_int(asked, &n) || n < 1 || n > 1000))
        return say(c->arena, ERR_USAGE, "the parameter \"sheet\" is a number from 1");
    *out = (unsigned)n - 1;
    return OK;
}

enum err api_promises_page(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(request_take_language(c, q));
    text site = node_said(node_at(c->policy->root, TEXT("policy.title")), c->language);
    struct board_view v;
    const struct board_clause *part;
    unsigned sheet = 0;
    TRY(board_look(c, wanted(c, FIRST_LOOK), &v));
    TRY(find_part(c, q, &v, &part));
    TRY(sheet_of(c, q, &sheet));
    struct page g = { .b = reply_text(r, 200, TEXT("text/html; charset=utf-8")),
                      .c = c,
                      .v = &v,
                      .fr = text_eq(c->language, TEXT("fr")) };
    struct page_frame frame = {
        .here = TEXT("/promises"),
        .name = site.n ? site : c->policy->controller.legal_name,
        .fr = g.fr,
        .root = c->policy->root,
        .title = g.fr ? TEXT("Nos promesses, vérifiées en direct") : TEXT("Our promises, checked live"),
        .lead =
            g.fr
                ? TEXT(
                      "Le serveur se vérifie lui-même en continu, et le montre ici. Aucune donnée personnelle n’y figure.")
                : TEXT("The server checks itself all the time, and shows it here. No personal data appears.")
    };
    if (part) {
        frame.here = arena_print(c->arena, "/promises?of=%.*s", T(part->part));
        frame.title = part->group;
        frame.lead = g.fr ? TEXT("Chaque phrase de la notice, et ce qui la prouve.")
                          : TEXT("Each sentence of the notice, and what proves it.");
    }
    page_begin(g.b, &frame);
    if (part)
        put_part(&g, part, sheet);
    else
        put_board(&g);
    page_end(g.b, &frame,
             arena_print(c->arena,
                         g.fr ? "Politique %.*s, version %.*s. Empreinte SHA-256 du fichier appliqué : %s"
                              : "Policy %.*s, version %.*s. SHA-256 of the file in use: %s",
                         T(c->policy->id), T(c->policy->version), c->policy->hash));
    return reply_done(c->arena, r);
}
