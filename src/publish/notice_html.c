/* The notice as a page: the short answer first, then the full text; no script, no other host, readable on paper and on
 * a phone. */
#include "publish/notice.h"

static void add(struct buf *b, const char *html) { buf_add(b, text_of(html)); }

/* ---- Bodies. ---- */

static size_t find_mark(text s, size_t from)
{
    while (from < s.n && (unsigned char)s.p[from] > MARK_LINK_END)
        from++;
    return from;
}

/* A link's text and target; *i stands on MARK_LINK, and behind the link's end afterwards. */
static void cut_link(text body, size_t *i, text *shown, text *target)
{
    size_t end = find_mark(body, *i + 1);
    *target = (text){ body.p + *i + 1, end - *i - 1 };
    *shown = *target;
    if (end < body.n && body.p[end] == MARK_LINK_TO) {
        size_t last = find_mark(body, end + 1);
        *target = (text){ body.p + end + 1, last - end - 1 };
        end = last;
    }
    *i = end + 1;
}

/* Mail and places of this site are links; other sites are named only, and reached through /leave where the policy
 * declares them. */
static void put_link(struct buf *b, text shown, text target)
{
    bool mail = text_index(target, '@') > 0;
    if (!mail && !text_starts(target, TEXT("/"))) {
        buf_html(b, shown);
        return;
    }
    add(b, mail ? "<a href=\"mailto:" : "<a href=\"");
    buf_html(b, target);
    add(b, "\">");
    buf_html(b, shown);
    add(b, "</a>");
}

void body_html(struct buf *b, text body)
{
    for (size_t i = 0; i < body.n;) {
        size_t mark = find_mark(body, i);
        buf_html(b, (text){ body.p + i, mark - i });
        i = mark + 1;
        if (mark == body.n)
            return;
        if (body.p[mark] == MARK_LINK) {
            text shown, target;
            i = mark;
            cut_link(body, &i, &shown, &target);
            put_link(b, shown, target);
        } else if (body.p[mark] == MARK_STRONG || body.p[mark] == MARK_STRONG_END)
            add(b, body.p[mark] == MARK_STRONG ? "<strong>" : "</strong>");
    }
}

/* Markdown's own signs in a text stay what they are: a backslash stands before each. */
static void put_escaped(struct buf *b, text s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '*' || c == '_' || c == '`' || c == '[' || c == ']' || c == '<' || c == '>' || c == '#' || c == '|' ||
            c == '\\')
            buf_char(b, '\\');
        buf_char(b, c);
    }
}

static void put_marked(struct buf *b, text body, bool markdown)
{
    for (size_t i = 0; i < body.n;) {
        size_t mark = find_mark(body, i);
        text plain = { body.p + i, mark - i };
        if (markdown)
            put_escaped(b, plain);
        else
            buf_add(b, plain);
        i = mark + 1;
        if (mark == body.n)
            return;
        if (body.p[mark] == MARK_LINK) {
            text shown, target;
            i = mark;
            cut_link(body, &i, &shown, &target);
            if (!markdown)
                buf_add(b, shown);
            else if (text_eq(shown, target))
                buf_print(b, "<%.*s>", T(shown));
            else
                buf_print(b, "[%.*s](%.*s)", T(shown), T(target));
        } else if (markdown && (body.p[mark] == MARK_STRONG || body.p[mark] == MARK_STRONG_END))
            add(b, "**");
    }
}

void body_markdown(struct buf *b, text body) { put_marked(b, body, true); }
void body_plain(struct buf *b, text body) { put_marked(b, body, false); }

/* ---- What frames every page. ---- */

static bool is_single(const struct node *root)
{
    const struct node *languages = node_at(root, TEXT("policy.languages"));
    return languages && (languages->kind == NODE_SCALAR || languages->count == 1);
}

static bool has_choice(const struct node *root)
{
    const struct node *cookies = node_get(root, TEXT("cookies"));
    NODE_EACH(cookie, cookies && cookies->kind == NODE_MAP ? cookies : NULL)
        if (!cookie_exempt(cookie))
            return true;
    return false;
}

static void put_nav(struct buf *b, const struct page_frame *f)
{
    static const struct {
        const char *path, *en, *fr;
    } places[] = {
        { "/privacy", "Privacy notice", "Notice" },
        { "/cookies", "Cookies", "Cookies" },
        { "/consent", "My choice about cookies", "Mon choix sur les cookies" },
        { "/privacy/versions", "Versions", "Versions" },
        { "/promises", "Promises", "Promesses" },
    };
    buf_print(b, "<nav class=\"places\" aria-label=\"%s\">\n", f->fr ? "Pages" : "Pages");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!text_eq(text_of(places[i].path), TEXT("/consent")) || has_choice(f->root))
            buf_print(b, "<a href=\"%s?lang=%s\"%s>%s</a>\n", places[i].path, f->fr ? "fr" : "en",
                  text_eq(f->here, text_of(places[i].path)) ? " aria-current=\"page\"" : "",
                  f->fr ? places[i].fr : places[i].en);
    add(b, "</nav>\n");
}

static void put_languages(struct buf *b, const struct page_frame *f)
{
    const char *join = text_index(f->here, '?') >= 0 ? "&amp;" : "?";
    buf_print(b, "<nav class=\"languages\" aria-label=\"%s\">\n", f->fr ? "Langue" : "Language");
    for (int fr = 1; fr >= 0; fr--) {
        add(b, "<a href=\"");
        buf_html(b, f->here);
        buf_print(b, "%slang=%s\" lang=\"%s\" hreflang=\"%s\"%s>%s</a>\n", join, fr ? "fr" : "en",
                  fr ? "fr" : "en",
                  fr ? "fr" : "en",
                  fr == f->fr ? " aria-current=\"true\"" : "",
                  fr ? "Français" : "English");
    }
    add(b, "</nav>\n");
}

/* Who is signed in has their own page there instead (front_sign_out). */
static void put_enter(struct buf *b, const struct page_frame *f)
{
    if (node_get(f->root, TEXT("accounts")))
        buf_print(b, "<a class=\"enter\" href=\"/signin?lang=%s\">%s</a>\n", f->fr ? "fr" : "en",
                  f->fr ? "Se connecter" : "Sign in");
}

static void put_bar(struct buf *b, const struct page_frame *f)
{
    add(b, "<header class=\"bar\">\n<p class=\"brand\">");
    if (!f->style.n)
        buf_print(b, "<a href=\"/?lang=%s\">", f->fr ? "fr" : "en");
    buf_html(b, f->name);
    add(b, f->style.n ? "</p>\n" : "</a></p>\n");
    if (!f->style.n) {
        put_nav(b, f);
        if (!f->single && !is_single(f->root))
            put_languages(b, f);
        put_enter(b, f);
    }
    add(b, "</header>\n");
}

void page_begin(struct buf *b, const struct page_frame *f)
{
    buf_print(b,
              "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
              "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
              f->fr ? "fr" : "en");
    buf_html(b, f->title);
    if (f->name.n) {
        add(b, " · ");
        buf_html(b, f->name);
    }
    add(b, "</title>\n");
    if (f->style.n) {
        add(b, "<style>\n");
        buf_add(b, f->style);
        add(b, "</style>\n");
    } else
        add(b, "<link rel=\"icon\" type=\"image/svg+xml\" href=\"/static/garant.svg\">\n"
               "<link rel=\"stylesheet\" href=\"/static/garant.css\">\n");
    if (f->alternate)
        add(b, "<link rel=\"alternate\" type=\"application/ld+json\" href=\"/privacy.jsonld\">\n");
    buf_print(b,
              "</head>\n<body>\n<a class=\"skip\" href=\"#main\">%s</a>\n",
              f->fr ? "Aller au texte" : "Skip to the text");
    put_bar(b, f);
    add(b, "<main id=\"main\" tabindex=\"-1\">\n<div class=\"title\">\n<h1>");
    buf_html(b, f->title);
    add(b, "</h1>\n");
    if (f->lead.n) {
        add(b, "<p class=\"lead\">");
        body_html(b, f->lead);
        add(b, "</p>\n");
    }
    add(b, "</div>\n");
}

void page_end(struct buf *b, const struct page_frame *f, text foot)
{
    add(b, "</main>\n");
    if (foot.n) {
        add(b, "<footer>\n<p>");
        body_html(b, foot);
        add(b, "</p>\n</footer>\n");
    }
    add(b, "</body>\n</html>\n");
}

/* ---- The document. ---- */

static void put_sentence(struct buf *b, const struct notice *n, const struct sentence *s)
{
    bool declared = !s->row->kept.n;
    add(b, "<p id=\"");
    buf_html(b, s->id);
    add(b, "\" data-clause=\"");
    buf_html(b, s->at->path);
    buf_print(b, "\" data-line=\"%u\"", s->at->at.line);
    if (s->promises.n) {
        add(b, " data-promises=\"");
        buf_html(b, s->promises);
        add(b, "\"");
    }
    add(b, declared ? " class=\"said\">" : ">");
    body_html(b, s->body);
    if (declared)
        buf_print(b, " <a class=\"declared\" href=\"#kept\">%s</a>", n->fr ? "déclaré" : "declared");
    add(b, "</p>\n");
}

static void put_table(struct buf *b, const struct table *t)
{
    buf_print(b, "<table id=\"%.*s\">\n<thead>\n<tr>", T(t->id));
    for (unsigned i = 0; i < t->columns; i++) {
        add(b, "<th scope=\"col\">");
        buf_html(b, t->head[i]);
        add(b, "</th>");
    }
    add(b, "</tr>\n</thead>\n<tbody>\n");
    for (const struct table_row *row = t->first; row; row = row->next) {
        buf_print(b, "<tr id=\"%.*s-row\" data-clause=\"%.*s\" data-line=\"%u\">", T(row->id), T(row->at->path),
                  row->at->at.line);
        for (unsigned i = 0; i < t->columns; i++) {
            add(b, i ? "<td data-head=\"" : "<th scope=\"row\" data-head=\"");
            buf_html(b, t->head[i]);
            add(b, "\">");
            buf_html(b, row->cells[i]);
            add(b, i ? "</td>" : "</th>");
        }
        add(b, "</tr>\n");
    }
    add(b, "</tbody>\n</table>\n");
}

static bool is_card(const struct block *block)
{
    return block->title.n && block->at && text_index(block->at->path, '.') > 0;
}

static void put_inside(struct buf *b, const struct notice *n, const struct block *block)
{
    for (const struct sentence *s = block->first; s; s = s->next)
        put_sentence(b, n, s);
    if (block->table)
        put_table(b, block->table);
}

static void put_title(struct buf *b, const struct block *block, unsigned level)
{
    buf_print(b, "<h%u id=\"", level);
    buf_html(b, block->id);
    add(b, "\">");
    body_html(b, block->title);
    buf_print(b, "</h%u>\n", level);
}

static void put_block(struct buf *b, const struct notice *n, const struct block *block)
{
    if (block->title.n) {
        buf_print(b, "<div class=\"%s\">\n", is_card(block) ? "card" : "part");
        put_title(b, block, 3);
    }
    put_inside(b, n, block);
    if (block->title.n)
        add(b, "</div>\n");
}

static void put_blocks(struct buf *b, const struct notice *n, const struct section *s)
{
    bool open = false; /* cards that stand together form a grid */
    for (const struct block *block = s->first; block; block = block->next) {
        if (is_card(block) != open)
            add(b, open ? "</div>\n" : "<div class=\"cards\">\n");
        open = is_card(block);
        put_block(b, n, block);
    }
    if (open)
        add(b, "</div>\n");
}

/* ---- Folded: a title a line, what it says behind it. Without script; open on paper (garant.css). ---- */

static void put_folded(struct buf *b, const struct notice *n, const struct block *block)
{
    add(b, "<details class=\"more\"><summary>");
    put_title(b, block, block->group.n ? 4 : 3);
    if (block->hint.n) {
        add(b, "<span class=\"hint\">");
        buf_html(b, block->hint);
        add(b, "</span>");
    }
    add(b, "</summary>\n<div class=\"inside\">\n");
    put_inside(b, n, block);
    add(b, "</div></details>\n");
}

/* Those of that group from `block` on, each once. */
static void put_group(struct buf *b, const struct notice *n, const struct block *block, text group)
{
    if (group.n) {
        add(b, "<h3 class=\"heading\">");
        buf_html(b, group);
        add(b, "</h3>\n");
    }
    add(b, "<div class=\"mores\">\n");
    for (; block; block = block->next)
        if (is_card(block) && text_eq(block->group, group))
            put_folded(b, n, block);
    add(b, "</div>\n");
}

static bool is_first(const struct section *s, const struct block *block)
{
    const struct block *other = s->first;
    while (other != block && !(is_card(other) && text_eq(other->group, block->group)))
        other = other->next;
    return other == block;
}

static void put_groups(struct buf *b, const struct notice *n, const struct section *s)
{
    for (const struct block *block = s->first; block; block = block->next)
        if (!is_card(block))
            put_block(b, n, block);
        else if (is_first(s, block))
            put_group(b, n, block, block->group);
}

/* What a section is on the page: purposes and categories are a list of titles to open; who is responsible is said at
 * once; the rest is one line until it is opened. A page with one subject has nothing to fold. */
enum shape { SHAPE_OPEN, SHAPE_LIST, SHAPE_FOLDED };

static enum shape shape_of(const struct notice *n, const struct section *s)
{
    if (n->page != NOTICE_PRIVACY || text_eq(s->name, TEXT("who")))
        return SHAPE_OPEN;
    return text_eq(s->name, TEXT("purposes")) || text_eq(s->name, TEXT("data")) ? SHAPE_LIST : SHAPE_FOLDED;
}

/* The anchor of what is folded stands inside, so that a link to it opens it. */
static void put_chapter(struct buf *b, const struct notice *n, const struct section *s)
{
    buf_print(b, "<details class=\"chapter\">\n<summary><h2>");
    buf_html(b, s->title);
    buf_print(b, "</h2></summary>\n<div class=\"inside\" id=\"s-%.*s\">\n", T(s->name));
    put_blocks(b, n, s);
    add(b, "</div>\n</details>\n");
}

static void put_section(struct buf *b, const struct notice *n, const struct section *s)
{
    enum shape shape = shape_of(n, s);
    if (shape == SHAPE_FOLDED) {
        put_chapter(b, n, s);
        return;
    }
    buf_print(b, "<section class=\"chapter\" aria-labelledby=\"s-%.*s\">\n<h2 id=\"s-%.*s\">", T(s->name), T(s->name));
    buf_html(b, s->title);
    add(b, "</h2>\n");
    if (shape == SHAPE_LIST)
        put_groups(b, n, s);
    else
        put_blocks(b, n, s);
    add(b, "</section>\n");
}

static void put_answer(struct buf *b, const struct section *s, bool headed)
{
    add(b, "<div class=\"answer\">\n");
    if (headed) {
        buf_print(b, "<h3><a href=\"#s-%.*s\">", T(s->name));
        buf_html(b, s->title);
        add(b, "</a></h3>\n");
    }
    add(b, "<p>");
    for (const struct sentence *one = s->brief; one; one = one->next) {
        body_html(b, one->body);
        if (one->next)
            buf_char(b, ' ');
    }
    add(b, "</p>\n</div>\n");
}

/* The short answer; that of a page with one subject needs no heading of its own. */
static void put_short(struct buf *b, const struct notice *n)
{
    unsigned count = 0;
    for (const struct section *s = n->first; s; s = s->next)
        count += s->brief != NULL;
    if (!count)
        return;
    buf_print(
        b, "<section class=\"short\" aria-labelledby=\"short\">\n<h2 id=\"short\">%s</h2>\n<div class=\"answers\">\n",
        n->fr ? "L’essentiel" : "In short");
    for (const struct section *s = n->first; s; s = s->next)
        if (s->brief)
            put_answer(b, s, count > 1);
    add(b, "</div>\n</section>\n");
}

static void put_contents(struct buf *b, const struct notice *n)
{
    enum { FEW = 4 };
    unsigned count = 0;
    for (const struct section *s = n->first; s; s = s->next)
        count++;
    if (count < FEW) /* a short page is its own contents */
        return;
    buf_print(b, "<nav class=\"contents\" aria-labelledby=\"contents\">\n<h2 id=\"contents\">%s</h2>\n<ol>\n",
              n->fr ? "Sommaire" : "Contents");
    for (const struct section *s = n->first; s; s = s->next) {
        buf_print(b, "<li><a href=\"#s-%.*s\">", T(s->name));
        buf_html(b, s->title);
        add(b, "</a></li>\n");
    }
    add(b, "</ol>\n</nav>\n");
}

static void put_kept(struct buf *b, const struct notice *n)
{
    bool folds = n->page == NOTICE_PRIVACY;
    buf_print(b,
              folds ? "<details class=\"chapter\">\n<summary><h2>%s</h2></summary>\n<div class=\"inside\" id=\"kept\">"
                    : "<section class=\"chapter\" aria-labelledby=\"kept\">\n<h2 id=\"kept\">%s</h2>\n",
              n->fr ? "Ce que veut dire « déclaré »" : "What “declared” means");
    buf_print(
        b, "<p>%s</p>\n%s",
        n->fr
            ? "Cette page est tirée du fichier même que le serveur applique. Chaque phrase en est une clause, que son logiciel fait respecter. "
              "« Déclaré » marque les phrases que le logiciel ne peut pas faire respecter à lui seul : elles valent engagement, "
              "mais reposent sur des personnes."
            : "This page is written from the very file that the server runs. Each sentence is one of its clauses, which the software makes true. "
              "“Declared” marks the sentences that software alone cannot make true: they bind us, but rest on people.",
        folds ? "</div>\n</details>\n" : "</section>\n");
}

static void put_coming(struct buf *b, const struct notice *n)
{
    if (!n->coming.n)
        return;
    add(b, "<p class=\"flash\" role=\"note\">");
    buf_html(b, n->coming);
    buf_print(b, " <a href=\"%.*s?lang=%s\">%s</a></p>\n", T(n->coming_link), n->fr ? "fr" : "en",
              n->fr ? "Ce qui change" : "What changes");
}

static void put_lead(const struct notice *n, bool old, struct buf *b)
{
    static const char *const said[][2] = {
        [NOTICE_FORMER] = { "This version is no longer in force.", "Cette version n’est plus en vigueur." },
        [NOTICE_COMING] = { "This version is not in force yet.", "Cette version n’est pas encore en vigueur." },
        [NOTICE_WITHDRAWN] = { "This version was withdrawn: it was never in force.",
                               "Cette version a été retirée : elle n’a jamais été en vigueur." }
    };
    if (old)
        buf_print(b, "%c%s%c ", MARK_STRONG, said[n->standing][n->fr], MARK_STRONG_END);
    if (n->version.n)
        buf_print(b, "Version %.*s", T(n->version));
    if (n->date.n && n->standing == NOTICE_COMING)
        buf_print(b, n->fr ? ", à compter du %.*s" : ", from %.*s", T(n->date));
    else if (n->date.n && n->standing == NOTICE_FORMER)
        buf_print(b, n->fr ? ", en vigueur depuis le %.*s" : ", in force since %.*s", T(n->date));
}

void notice_html(struct buf *b, const struct notice *n, bool old)
{
    BUF_AUTO lead = buf_make(4096), foot = buf_make(4096), here = buf_make(256);
    if (old)
        buf_print(&here, "/privacy/versions/%.*s", T(n->hash));
    else
        add(&here, n->page == NOTICE_COOKIES ? "/cookies" : "/privacy");
    if (n->tenant.n)
        buf_print(&here, "?tenant=%.*s", T(n->tenant));
    put_lead(n, old, &lead);
    struct page_frame frame = { .here = buf_for(b, &here),
                                .title = n->title,
                                .name = n->name,
                                .lead = buf_for(b, &lead),
                                .fr = n->fr,
                                .style = n->style,
                                .alternate = !old && n->page == NOTICE_PRIVACY,
                                .root = n->root };
    page_begin(b, &frame);
    put_coming(b, n);
    put_short(b, n);
    put_contents(b, n);
    add(b, "<div class=\"text\">\n");
    for (const struct section *s = n->first; s; s = s->next)
        put_section(b, n, s);
    put_kept(b, n);
    add(b, "</div>\n");
    if (n->hash.n)
        buf_print(&foot, n->fr ? "Empreinte SHA-256 du fichier appliqué : %.*s" : "SHA-256 of the file in use: %.*s",
                  T(n->hash));
    page_end(b, &frame, buf_for(b, &foot));
}

/* ---- Leaving. ---- */

enum err notice_leave(struct arena *a, struct buf *b, const struct node *root, text name, text language)
{
    struct words w;
    const struct node *link = node_get(node_get(root, TEXT("links")), name);
    text url = node_text(link, TEXT("url"));
    if (!url.n)
        return say(a, ERR_NOT_FOUND, "the policy declares no link of that name");
    TRY(words_make(a, root, language, &w));
    text title = words_title(&w, link), site = node_said(node_at(root, TEXT("policy.title")), language);
    text legal = node_text(node_get(root, TEXT("controller")), TEXT("legal_name"));
    text here = arena_print(a, "/leave?to=%.*s", T(name));
    struct page_frame frame = { .here = here,
                                .title = w.fr ? TEXT("Vous quittez ce site") : TEXT("You are leaving this site"),
                                .name = site.n ? site : legal,
                                .fr = w.fr,
                                .root = root };
    page_begin(b, &frame);
    add(b, "<div class=\"narrow\">\n<p>");
    buf_html(b, w.fr ? TEXT("Ce lien mène à un autre site : ") : TEXT("This link leads to another site: "));
    add(b, "<strong>");
    buf_html(b, title);
    add(b, "</strong>, <span class=\"code\">");
    buf_html(b, url);
    add(b, "</span>.</p>\n<p>");
    buf_html(
        b,
        w.fr
            ? TEXT(
                  "Il a ses propres règles sur les données personnelles, et peut poser ses propres cookies. Cette politique ne s’y applique pas.")
            : TEXT(
                  "It has its own rules on personal data, and may set cookies of its own. This policy does not apply there."));
    add(b, "</p>\n<p class=\"actions\"><a class=\"button first\" rel=\"noreferrer\" href=\"");
    buf_html(b, url);
    buf_print(b, "\">%s</a> <a class=\"button\" href=\"/privacy?lang=%s#s-links\">%s</a></p>\n</div>\n",
              w.fr ? "Continuer" : "Go on",
              w.fr ? "fr" : "en",
              w.fr ? "Rester ici" : "Stay here");
    page_end(b, &frame, TEXT(""));
    return OK;
}
