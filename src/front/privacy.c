/* GET /privacy: the notice, from the policy in force, in French and English (GDPR 13 and 14). */
#include "front/front.h"

/* Both languages of one piece of text; the page writes the one that is asked for. */
struct say { text en, fr; };
#define SAY(en, fr) ((struct say){ TEXT_INIT(en), TEXT_INIT(fr) })

struct page { struct buf *b; const struct policy *p; struct arena *a; bool fr; };

static text pick(const struct page *g, struct say s) { return g->fr ? s.fr : s.en; }
static text title(const struct page *g, text en, text fr, text name)
{
    return g->fr && fr.n ? fr : !g->fr && en.n ? en : fr.n ? fr : en.n ? en : name;
}
static void raw(struct page *g, const char *html) { buf_add(g->b, text_of(html)); }

static void element(struct page *g, const char *tag, text content)
{
    buf_print(g->b, "<%s>", tag);
    buf_html(g->b, content);
    buf_print(g->b, "</%s>\n", tag);
}

static void heading(struct page *g, const char *id, struct say s)
{
    buf_print(g->b, "<h2 id=\"%s\">", id);
    buf_html(g->b, pick(g, s));
    raw(g, "</h2>\n");
}

static void row(struct page *g, struct say label, text value)
{
    if (!value.n)
        return;
    element(g, "dt", pick(g, label));
    element(g, "dd", value);
}

/* "12 months", "3 years"; empty for a term that is not set. */
static text term_words(const struct page *g, struct term t)
{
    static const struct say one[] = { [TERM_MINUTES] = { TEXT_INIT("minute"), TEXT_INIT("minute") },
                                      [TERM_HOURS] = { TEXT_INIT("hour"), TEXT_INIT("heure") },
                                      [TERM_DAYS] = { TEXT_INIT("day"), TEXT_INIT("jour") },
                                      [TERM_MONTHS] = { TEXT_INIT("month"), TEXT_INIT("mois") },
                                      [TERM_YEARS] = { TEXT_INIT("year"), TEXT_INIT("an") } };
    if (t.unit == TERM_UNSET)
        return TEXT("");
    if (t.unit == TERM_ALWAYS)
        return pick(g, SAY("without limit", "sans limite"));
    bool plural = t.count > 1 && !(g->fr && t.unit == TERM_MONTHS);
    return arena_print(g->a, "%d %.*s%s", t.count, T(pick(g, one[t.unit])), plural ? "s" : "");
}

static text from_words(const struct page *g, enum retention_from from)
{
    static const struct say words[] = {
        [FROM_COLLECTION] = { TEXT_INIT("from collection"), TEXT_INIT("à compter de la collecte") },
        [FROM_EVENT] = { TEXT_INIT("from the event"), TEXT_INIT("à compter de l'événement") },
        [FROM_LAST_USE] = { TEXT_INIT("from the last use"), TEXT_INIT("à compter de la dernière utilisation") },
        [FROM_CONTRACT_END] = { TEXT_INIT("from the end of the contract"), TEXT_INIT("à compter de la fin du contrat") },
        [FROM_CLOSURE] = { TEXT_INIT("from the closing of the account or file"),
                           TEXT_INIT("à compter de la clôture du compte ou du dossier") },
        [FROM_YEAR_END] = { TEXT_INIT("from the end of the year"), TEXT_INIT("à compter de la fin de l'année") },
        [FROM_WITHDRAWAL] = { TEXT_INIT("from the withdrawal"), TEXT_INIT("à compter du retrait") },
        [FROM_LAST_CONTACT] = { TEXT_INIT("from the last contact"), TEXT_INIT("à compter du dernier contact") },
    };
    return pick(g, words[from]);
}

static text basis_words(const struct page *g, enum basis basis)
{
    static const struct say words[] = {
        [BASIS_CONSENT] = { TEXT_INIT("your consent, which you may withdraw at any time"),
                            TEXT_INIT("votre consentement, que vous pouvez retirer à tout moment") },
        [BASIS_CONTRACT] = { TEXT_INIT("the contract with you"), TEXT_INIT("le contrat avec vous") },
        [BASIS_LEGAL] = { TEXT_INIT("a legal obligation"), TEXT_INIT("une obligation légale") },
        [BASIS_VITAL] = { TEXT_INIT("vital interests"), TEXT_INIT("la sauvegarde d'intérêts vitaux") },
        [BASIS_PUBLIC] = { TEXT_INIT("a task in the public interest"), TEXT_INIT("une mission d'intérêt public") },
        [BASIS_INTEREST] = { TEXT_INIT("a legitimate interest"), TEXT_INIT("un intérêt légitime") },
    };
    return basis == BASIS_UNSET ? TEXT("") : pick(g, words[basis]);
}

static text category_title(const struct page *g, const struct category *c) { return title(g, c->title_en, c->title_fr, c->name); }

static void put_controller(struct page *g)
{
    heading(g, "controller", SAY("Who is responsible", "Qui est responsable"));
    raw(g, "<dl>\n");
    row(g, SAY("Controller", "Responsable du traitement"), g->p->controller.legal_name);
    row(g, SAY("Address", "Adresse"), g->p->controller.address);
    row(g, SAY("E-mail", "Adresse électronique"), g->p->controller.email);
    row(g, SAY("Telephone", "Téléphone"), g->p->controller.phone);
    const struct node *dpo = node_get(g->p->root, TEXT("dpo"));
    row(g, SAY("Data protection officer", "Délégué à la protection des données"),
        node_text(dpo, TEXT("email")).n ? node_text(dpo, TEXT("email")) : node_text(dpo, TEXT("name")));
    row(g, SAY("Hosting", "Hébergement"), g->p->hosting.host);
    raw(g, "</dl>\n");
}

static void put_purposes(struct page *g)
{
    heading(g, "purposes", SAY("What your data are used for", "À quoi servent vos données"));
    for (unsigned i = 0; i < g->p->purpose_count; i++) {
        const struct purpose *u = &g->p->purposes[i];
        element(g, "h3", title(g, u->title_en, u->title_fr, u->name));
        raw(g, "<p>");
        buf_html(g->b, pick(g, SAY("Legal basis: ", "Base légale : ")));
        buf_html(g->b, basis_words(g, u->basis));
        text interest =
            node_said(node_get(node_at(g->p->root, u->clause.path), TEXT("interest")), g->fr ? TEXT("fr") : TEXT("en"));
        if (interest.n) {
            raw(g, " — ");
            buf_html(g->b, interest);
        }
        raw(g, "</p>\n<p>");
        buf_html(g->b, pick(g, SAY("Data: ", "Données : ")));
        bool first = true;
        for (unsigned k = 0; k < g->p->category_count; k++)
            if (bits_has(&u->categories, k)) {
                raw(g, first ? "" : ", ");
                buf_html(g->b, category_title(g, &g->p->categories[k]));
                first = false;
            }
        raw(g, ".</p>\n");
    }
    for (unsigned i = 0; i < g->p->never_count; i++)
        element(g, "p", title(g, g->p->nevers[i].says_en, g->p->nevers[i].says_fr, g->p->nevers[i].name));
}

static void put_retention(struct page *g, const struct category *c)
{
    const struct retention *t = c->retention;
    if (c->transient) {
        buf_html(g->b, pick(g, SAY("not kept: in memory only, ", "non conservées : en mémoire seulement, ")));
        buf_html(g->b, term_words(g, c->transient_for));
        return;
    }
    if (!t) {
        buf_html(g->b, pick(g, SAY("as long as your file is open", "aussi longtemps que votre dossier est ouvert")));
        return;
    }
    buf_html(g->b, term_words(g, t->active));
    buf_char(g->b, ' ');
    buf_html(g->b, from_words(g, t->from));
    if (t->archive.unit != TERM_UNSET) {
        buf_html(g->b, pick(g, SAY(", then in the archive ", ", puis en archive ")));
        buf_html(g->b, term_words(g, t->archive));
    }
    if (t->ground.n) {
        raw(g, " (");
        buf_html(g->b, t->ground);
        raw(g, ")");
    }
}

static void put_cell(struct page *g, text content)
{
    raw(g, "<th scope=\"col\">");
    buf_html(g->b, content);
    raw(g, "</th>");
}

static void put_categories(struct page *g)
{
    heading(g, "data", SAY("Which data, and for how long", "Quelles données, et pour combien de temps"));
    raw(g, "<div class=\"wide\"><table>\n<thead><tr>");
    put_cell(g, pick(g, SAY("Data", "Données")));
    put_cell(g, pick(g, SAY("Where they come from", "D'où elles viennent")));
    put_cell(g, pick(g, SAY("Kept for", "Conservées pendant")));
    raw(g, "</tr></thead>\n<tbody>\n");
    for (unsigned i = 0; i < g->p->category_count; i++) {
        const struct category *c = &g->p->categories[i];
        raw(g, "<tr><td>");
        buf_html(g->b, category_title(g, c));
        raw(g, "</td><td>");
        bool first = true;
        for (unsigned k = 0; k < g->p->source_count; k++)
            if (c->sources >> k & 1) {
                const struct source *from = &g->p->sources[k];
                raw(g, first ? "" : ", ");
                buf_html(g->b, k ? title(g, from->title_en, from->title_fr, from->name) : pick(g, SAY("you", "vous")));
                first = false;
            }
        raw(g, "</td><td>");
        put_retention(g, c);
        raw(g, "</td></tr>\n");
    }
    raw(g, "</tbody></table></div>\n");
}

static void put_recipients(struct page *g)
{
    heading(g, "recipients", SAY("Who receives them", "Qui les reçoit"));
    unsigned count = 0;
    for (unsigned i = 0; i < g->p->actor_count; i++)
        count += g->p->actors[i].kind == ACTOR_RECIPIENT;
    element(g, "p",
            count ? pick(g, SAY("Staff who need them for the purposes above, and:",
                                "Le personnel qui en a besoin pour les finalités ci-dessus, et :"))
                  : pick(g, SAY("Staff who need them for the purposes above, and nobody else.",
                                "Le personnel qui en a besoin pour les finalités ci-dessus, et personne d'autre.")));
    if (!count)
        return;
    raw(g, "<ul>\n");
    for (unsigned i = 0; i < g->p->actor_count; i++) {
        const struct actor_class *r = &g->p->actors[i];
        if (r->kind != ACTOR_RECIPIENT)
            continue;
        raw(g, "<li>");
        buf_html(g->b, title(g, r->title_en, r->title_fr, r->name));
        if (r->country.n) {
            raw(g, " (");
            buf_html(g->b, r->country);
            raw(g, ")");
        }
        raw(g, "</li>\n");
    }
    raw(g, "</ul>\n");
}

static void put_rights(struct page *g)
{
    static const struct { text word; struct say says;
    } rights[] = {
        { TEXT_INIT("access"),
          { TEXT_INIT("to see all that is held of you, and receive a copy"),
            TEXT_INIT("voir tout ce qui est conservé de vous, et en recevoir une copie") } },
        { TEXT_INIT("rectification"),
          { TEXT_INIT("to have it corrected or completed"), TEXT_INIT("le faire rectifier ou compléter") } },
        { TEXT_INIT("erasure"), { TEXT_INIT("to have it erased"), TEXT_INIT("le faire effacer") } },
        { TEXT_INIT("restriction"), { TEXT_INIT("to have its use restricted"), TEXT_INIT("en faire limiter l'usage") } },
        { TEXT_INIT("portability"),
          { TEXT_INIT("to take it away in an open format"), TEXT_INIT("l'emporter dans un format ouvert") } },
        { TEXT_INIT("objection"), { TEXT_INIT("to object to a use"), TEXT_INIT("vous opposer à un usage") } },
        { TEXT_INIT("withdrawal"),
          { TEXT_INIT("to withdraw a consent at any time"), TEXT_INIT("retirer un consentement à tout moment") } },
        { TEXT_INIT("complaint"),
          { TEXT_INIT("to complain to the supervisory authority"),
            TEXT_INIT("adresser une réclamation à l'autorité de contrôle") } },
        { TEXT_INIT("post_mortem"),
          { TEXT_INIT("to say what becomes of it after your death"), TEXT_INIT("dire ce qu'il en sera après votre mort") } },
    };
    const struct node *node = node_get(g->p->root, TEXT("rights"));
    heading(g, "rights", SAY("Your rights", "Vos droits"));
    element(g, "p", pick(g, SAY("You have the right:", "Vous avez le droit de :")));
    raw(g, "<ul>\n");
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        if (node_has(node_get(node, TEXT("offered")), rights[i].word))
            element(g, "li", pick(g, rights[i].says));
    raw(g, "</ul>\n<p>");
    text email = node_text(node_get(node, TEXT("channels")), TEXT("email"));
    email = email.n ? email : g->p->controller.email;
    buf_html(g->b, pick(g, SAY("Write to ", "Écrivez à ")));
    buf_html(g->b, email);
    struct term within;
    if (term_parse(node_text(node, TEXT("answer_within")), &within)) {
        buf_html(g->b, pick(g, SAY("; you are answered within ", " ; il vous est répondu sous ")));
        buf_html(g->b, term_words(g, within));
    }
    raw(g, ".</p>\n<p>");
    buf_html(g->b, pick(g, SAY("Supervisory authority: ", "Autorité de contrôle : ")));
    buf_html(g->b, g->p->authority);
    raw(g, ".</p>\n");
}

static void put_page(struct page *g)
{
    text name = node_said(node_at(g->p->root, TEXT("policy.title")), g->fr ? TEXT("fr") : TEXT("en"));
    text heading_text = pick(g, SAY("How we use your personal data", "Comment nous utilisons vos données personnelles"));
    buf_print(g->b, "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>", g->fr ? "fr" : "en");
    buf_html(g->b, heading_text);
    raw(g, " · ");
    buf_html(g->b, name.n ? name : g->p->controller.legal_name);
    raw(g, "</title>\n<link rel=\"stylesheet\" href=\"/static/page.css\">\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">");
    buf_html(g->b, pick(g, SAY("Skip to the text", "Aller au texte")));
    raw(g, "</a>\n<header>\n<nav class=\"languages\" aria-label=\"");
    buf_html(g->b, pick(g, SAY("Language", "Langue")));
    buf_print(g->b, "\"><a href=\"/privacy?lang=fr\" lang=\"fr\" hreflang=\"fr\"%s>Français</a>"
                    "<a href=\"/privacy?lang=en\" lang=\"en\" hreflang=\"en\"%s>English</a></nav>\n",
              g->fr ? " aria-current=\"true\"" : "", g->fr ? "" : " aria-current=\"true\"");
    element(g, "h1", heading_text);
    raw(g, "<p class=\"lead\">");
    buf_html(g->b, name.n ? name : g->p->controller.legal_name);
    buf_html(g->b, pick(g, SAY(" · version ", " · version ")));
    buf_html(g->b, g->p->version);
    raw(g, " · ");
    buf_html(g->b, date_print(g->a, g->p->date));
    raw(g, "</p>\n</header>\n<main id=\"main\">\n");
    put_controller(g);
    put_purposes(g);
    put_categories(g);
    put_recipients(g);
    put_rights(g);
    raw(g, "</main>\n<footer>\n<p>");
    buf_html(g->b, pick(g, SAY("This page is written from the very file that this server runs. Its SHA-256: ",
                               "Cette page est tirée du fichier même que ce serveur applique. Son SHA-256 : ")));
    buf_html(g->b, text_of(g->p->hash));
    raw(g, "</p>\n</footer>\n</body>\n</html>\n");
}

enum err api_privacy(struct ctx *c, const struct request *q, struct reply *r)
{
    text asked = request_query(q, TEXT("lang"));
    if (asked.p && !text_eq(asked, TEXT("fr")) && !text_eq(asked, TEXT("en")))
        return say(c->arena, ERR_USAGE, "the parameter \"lang\" is fr or en");
    struct page page = { .b = reply_text(r, 200, TEXT("text/html; charset=utf-8")), .p = c->policy, .a = c->arena,
                         .fr = text_eq(asked.p ? asked : c->language, TEXT("fr")) };
    put_page(&page);
    return reply_done(c->arena, r);
}
