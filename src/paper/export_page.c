/* A person's file as a page: everything held, readable on any device, without a network. */
#include "domain/core/named.h"
#include "paper/sheet.h"
#include "domain/rights/person_file.h"
#include "paper/export_page.h"
#include "publish/notice.h"

struct page {
    struct ctx *c;
    struct buf *b;
    const struct json *file;
    const text *heads; /* of the table under way: a phone shows them beside each value */
};

#define SAY(en, fr) doc_in(g->c, TEXT(en), TEXT(fr))

/* ---- Pieces. ---- */

static void put(struct page *g, text s) { buf_html(g->b, s); }
static void raw(struct page *g, text html) { buf_add(g->b, html); }

static void section(struct page *g, text id, text title)
{
    raw(g, TEXT("<h2 id=\""));
    put(g, id);
    raw(g, TEXT("\">"));
    put(g, title);
    raw(g, TEXT("</h2>\n"));
}

static void paragraph(struct page *g, text s) { raw(g, TEXT("<p>")), put(g, s), raw(g, TEXT("</p>\n")); }

static const struct field *field_of(struct page *g, text category, text name)
{
    int index = policy_category(g->c->policy, category);
    const struct category *cat = index < 0 ? NULL : &g->c->policy->categories[index];
    int field = cat ? policy_field(cat, name) : -1;
    return field < 0 ? NULL : &cat->fields[field];
}

/* A value in words, a dash for none. */
static void value(struct page *g, const struct field *f, const struct json *v)
{
    text said = doc_value(g->c, f, v);
    put(g, said.n ? said : TEXT("–"));
}

static void row_open(struct page *g, text name)
{
    raw(g, TEXT("<tr><th scope=\"row\">"));
    put(g, name);
    raw(g, TEXT("</th><td>"));
}
static void row_close(struct page *g) { raw(g, TEXT("</td></tr>\n")); }

static void row(struct page *g, text name, text s)
{
    if (!s.n)
        return;
    row_open(g, name);
    put(g, s);
    row_close(g);
}

static const text *heads_kept(struct page *g, const text *names, size_t count)
{
    text *copy = NEW_ARRAY(g->c->arena, text, count);
    for (size_t i = 0; copy && i < count; i++)
        copy[i] = names[i];
    return copy;
}

static void cell_open(struct page *g, size_t column)
{
    raw(g, TEXT("<td data-head=\""));
    put(g, g->heads ? g->heads[column] : TEXT(""));
    raw(g, TEXT("\">"));
}

static void head(struct page *g, const text *names, size_t count)
{
    g->heads = heads_kept(g, names, count);
    raw(g, TEXT("<table class=\"list\"><thead><tr>"));
    for (size_t i = 0; i < count; i++) {
        raw(g, TEXT("<th scope=\"col\">"));
        put(g, names[i]);
        raw(g, TEXT("</th>"));
    }
    raw(g, TEXT("</tr></thead><tbody>\n"));
}

static void cells(struct page *g, const text *values, size_t count)
{
    raw(g, TEXT("<tr>"));
    for (size_t i = 0; i < count; i++) {
        cell_open(g, i);
        put(g, values[i].n ? values[i] : TEXT("–"));
        raw(g, TEXT("</td>"));
    }
    raw(g, TEXT("</tr>\n"));
}
#define ROW_OF(...) (const text[]){ __VA_ARGS__ }, sizeof((const text[]){ __VA_ARGS__ }) / sizeof(text)

static void table_close(struct page *g) { raw(g, TEXT("</tbody></table>\n")); }

static text time_of(struct page *g, const struct json *v, text name)
{
    text t = json_text(v, name);
    return t.n ? doc_time(g->c, t) : t;
}

/* The title that the file gives a name in one of its lists. */
static text title_in(struct page *g, text list, text key, text name)
{
    JSON_EACH(one, json_get(g->file, list))
        if (text_eq(json_text(one, key), name))
            return json_text(one, TEXT("title"));
    return name;
}

static void names(struct page *g, text list, text key, const struct json *of)
{
    bool first = true;
    JSON_EACH(name, of) {
        if (!first)
            put(g, TEXT(", "));
        put(g, title_in(g, list, key, name->value));
        first = false;
    }
    if (first)
        put(g, TEXT("–"));
}

static text day_of(struct page *g, const struct json *v, text name)
{
    text t = json_text(v, name);
    return t.n ? doc_day(g->c, t) : t;
}

/* What the clocks showed, under the heading of its day: "05:34 (UTC+1)"; a whole day stays a day. */
static text clock_of(struct page *g, const struct json *v, text name)
{
    text whole = time_of(g, v, name), day = day_of(g, v, name);
    text rest = text_starts(whole, day) ? text_from(whole, day.n) : TEXT("");
    static const text joins[] = { TEXT_INIT(", "), TEXT_INIT(" à ") };
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++)
        if (text_starts(rest, joins[i]))
            return text_from(rest, joins[i].n);
    return whole;
}

/* Names with commas between them, by their titles. */
static text titles_of(struct page *g, text list, text key, text with_commas)
{
    text out = TEXT("");
    while (with_commas.n) {
        text one = text_cut(&with_commas, ',');
        text title = title_in(g, list, key, one);
        if (one.n)
            out = arena_print(g->c->arena, "%.*s%s%.*s", T(out), out.n ? ", " : "", T(title));
    }
    return out;
}

/* A channel in words (publish/labels.def). */
static text channel_of(struct page *g, text name)
{
    struct words w;
    return name.n && words_make(g->c->arena, g->c->policy->root, g->c->language, &w) == OK
               ? words_label(&w, "purposes.*.channels", name)
               : name;
}

/* ---- Sections. ---- */

static void page_head(struct page *g)
{
    const struct json *controller = json_get(g->file, TEXT("controller"));
    raw(g, TEXT("<h1>"));
    put(g, SAY("Your personal data", "Vos données personnelles"));
    raw(g, TEXT("</h1>\n<p>"));
    put(g, SAY("All the data ", "Toutes les données que "));
    put(g, json_text(controller, TEXT("legal_name")));
    put(g, SAY(" has about you, on ", " a sur vous, au "));
    put(g, time_of(g, g->file, TEXT("at")));
    put(g,
        SAY(". The file data.json has the same for software. Data you can move to another service is marked portable (Article 20 of the GDPR).",
            ". Le fichier data.json contient la même chose pour les logiciels. Les données transférables à un autre service y sont "
            "marquées portables (article 20 du RGPD)."));
    raw(g, TEXT("</p>\n<nav><ul>\n"));
    const struct {
        text id, title;
    } links[] = {
        { TEXT("data"), SAY("Your data", "Vos données") },
        { TEXT("files"), SAY("Files", "Fichiers") },
        { TEXT("former"), SAY("Previous values", "Anciennes valeurs") },
        { TEXT("purposes"), SAY("What we use it for", "À quoi servent vos données") },
        { TEXT("consents"), SAY("Your choices", "Vos choix") },
        { TEXT("recipients"), SAY("Who receives your data", "Qui reçoit vos données") },
        { TEXT("folders"), SAY("Folders", "Dossiers") },
        { TEXT("rights"), SAY("Your rights", "Vos droits") },
        { TEXT("looks"), SAY("Who looked at your data", "Qui a consulté vos données") },
        { TEXT("events"), SAY("What was done", "Ce qui a été fait") },
    };
    const struct json *folders = json_get(g->file, TEXT("folders"));
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (!text_eq(links[i].id, TEXT("folders")) || (folders && folders->count)) {
            raw(g, TEXT("<li><a href=\"#"));
            put(g, links[i].id);
            raw(g, TEXT("\">"));
            put(g, links[i].title);
            raw(g, TEXT("</a></li>\n"));
        }
    raw(g, TEXT("</ul></nav>\n"));
}

/* One record: its values, each with where it came from, and when it goes. */
static void page_record(struct page *g, text category, const struct json *record, const struct json *values,
                        bool has_term)
{
    const struct json *about = json_get(record, TEXT("fields"));
    text until = time_of(g, record, TEXT("until"));
    raw(g, TEXT("<table>\n"));
    JSON_EACH(v, values) {
        const struct json *f = json_get(about, v->key);
        text title = json_text(f, TEXT("title"));
        row_open(g, title.n ? title : v->key);
        value(g, field_of(g, category, v->key), v);
        raw(g, TEXT(" <span class=\"note\">"));
        put(g, SAY("from ", "de : "));
        put(g, doc_source(g->c, json_text(f, TEXT("source"))));
        put(g, TEXT(", "));
        put(g, day_of(g, f, TEXT("at")));
        raw(g, TEXT("</span>"));
        row_close(g);
    }
    raw(g, TEXT("</table>\n<p class=\"note\">"));
    const struct json *archived = json_get(record, TEXT("archived"));
    if (archived && archived->truth)
        put(g, SAY("In the archive. ", "En archive. "));
    if (until.n) {
        put(g, SAY("Will be erased on ", "Sera effacé le "));
        put(g, until);
        put(g, TEXT("."));
    } else
        put(g, has_term ? SAY("We cannot give the erasure date yet.",
                              "La date d'effacement n'est pas encore connue.")
                        : SAY("Kept as long as you have an account or a file here.",
                              "Conservé tant que vous avez un compte ou un dossier ici."));
    raw(g, TEXT("</p>\n"));
}

static bool is_live(const struct page *g, text purpose)
{
    JSON_EACH(one, json_get(g->file, TEXT("live")))
        if (text_eq(one->value, purpose))
            return true;
    return false;
}

static void page_category(struct page *g, const struct json *cat)
{
    const struct json *data = json_get(json_get(g->file, TEXT("data")), json_text(cat, TEXT("category")));
    const struct json *retention = json_get(cat, TEXT("retention")), *records = json_get(cat, TEXT("records"));
    if (!records || !records->count)
        return;
    raw(g, TEXT("<section class=\"card\"><h3>"));
    put(g, json_text(cat, TEXT("title")));
    raw(g, TEXT("</h3>\n<p class=\"note\">"));
    put(g, SAY("For: ", "Pour : "));
    names(g, TEXT("purposes"), TEXT("purpose"), json_get(cat, TEXT("purposes")));
    if (json_text(retention, TEXT("says")).n) {
        put(g, SAY(". Kept: ", ". Conservation : "));
        put(g, json_text(retention, TEXT("says")));
    }
    if (json_text(retention, TEXT("ground")).n) {
        put(g, TEXT(" ("));
        put(g, json_text(retention, TEXT("ground")));
        put(g, TEXT(")"));
    }
    raw(g, TEXT(".</p>\n"));
    if (json_text(cat, TEXT("public")).n)
        paragraph(g, doc_public(g->c, is_live(g, json_text(cat, TEXT("public")))));
    const struct json *item = data && data->kind == J_ARRAY ? data->first : NULL;
    text day = TEXT("");
    JSON_EACH(record, records) {
        text its = records->count > 1 ? day_of(g, record, TEXT("at")) : TEXT("");
        if (!text_eq(its, day)) {
            raw(g, TEXT("<h4>"));
            put(g, its);
            raw(g, TEXT("</h4>\n"));
            day = its;
        }
        page_record(g, json_text(cat, TEXT("category")), record, item ? json_get(item, TEXT("fields")) : data, retention && retention->kind == J_OBJECT);
        item = item ? item->next : NULL;
    }
    raw(g, TEXT("</section>\n"));
    const struct json *cut = json_get(cat, TEXT("cut"));
    if (cut && cut->kind == J_BOOL && cut->truth)
        paragraph(
            g, SAY("There are more. All of them are in the table (CSV) and in data.json, beside this page.",
                   "Il y en a d'autres. Toutes sont dans le tableau (CSV) et dans data.json, à côté de cette page."));
}

static void page_data(struct page *g)
{
    section(g, TEXT("data"), SAY("Your data", "Vos données"));
    raw(g, TEXT("<table>\n"));
    row(g, SAY("Your number here", "Votre numéro ici"), json_text(g->file, TEXT("id")));
    row(g, SAY("Since", "Depuis"), time_of(g, g->file, TEXT("created")));
    row(g, SAY("Last use", "Dernière utilisation"), time_of(g, g->file, TEXT("last_use")));
    row(g, SAY("First source", "Première source"), json_text(g->file, TEXT("source_title")));
    if (json_text(g->file, TEXT("supplied_by")).n)
        row(g, SAY("Source, as recorded", "Source, telle que notée"),
            json_text(g->file, TEXT("supplied_by")));
    raw(g, TEXT("</table>\n"));
    JSON_EACH(cat, json_get(g->file, TEXT("categories")))
        page_category(g, cat);
    JSON_EACH(lost, json_get(g->file, TEXT("unreadable"))) {
        raw(g, TEXT("<p><strong>"));
        put(g, json_text(lost, TEXT("title")));
        raw(g, TEXT("</strong>: "));
        put(g, json_text(lost, TEXT("says")));
        raw(g, TEXT("</p>\n"));
    }
    JSON_EACH(hold, json_get(g->file, TEXT("holds"))) {
        text until = time_of(g, hold, TEXT("until"));
        raw(g, TEXT("<p>"));
        put(g, SAY("Erasure suspended: ", "L'effacement est suspendu : "));
        put(g, title_in(g, TEXT("categories"), TEXT("category"), json_text(hold, TEXT("category"))));
        put(g, TEXT(", "));
        put(g, json_text(hold, TEXT("ground")));
        put(g, TEXT(", "));
        put(g, until.n ? until : SAY("until the legal hold ends", "jusqu'à la fin de l'obligation de conservation"));
        raw(g, TEXT(".</p>\n"));
    }
}

static void page_files(struct page *g)
{
    const struct json *list = json_get(g->file, TEXT("attachments"));
    section(g, TEXT("files"), SAY("Files", "Fichiers"));
    if (!list || !list->count) {
        paragraph(g, SAY("You have no files here.", "Vous n'avez aucun fichier ici."));
        return;
    }
    raw(g, TEXT("<ul>\n"));
    JSON_EACH(one, list) {
        BUF_AUTO href = buf_make(4096);
        text file = json_text(one, TEXT("file"));
        for (size_t i = 0; i < file.n;
             i++) { /* all but the unreserved characters and '/', percent-encoded (RFC 3986) */
            uint8_t ch = (uint8_t)file.p[i];
            bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
                         text_index(TEXT("-._~/"), (char)ch) >= 0;
            if (plain)
                buf_char(&href, (char)ch);
            else
                buf_print(&href, "%%%02X", ch);
        }
        raw(g, TEXT("<li><a href=\""));
        put(g, buf_for(g->b, &href));
        raw(g, TEXT("\">"));
        put(g, json_text(one, TEXT("name")));
        raw(g, TEXT("</a> ("));
        put(g, title_in(g, TEXT("categories"), TEXT("category"), json_text(one, TEXT("category"))));
        put(g, TEXT(", "));
        put(g, time_of(g, one, TEXT("at")));
        if (json_text(one, TEXT("source_title")).n) {
            put(g, SAY(", from ", ", de "));
            put(g, json_text(one, TEXT("source_title")));
        }
        raw(g, TEXT(")</li>\n"));
    }
    raw(g, TEXT("</ul>\n"));
}

static text field_title(struct page *g, text category, text field)
{
    int index = policy_category(g->c->policy, category);
    return index < 0 ? field : doc_field(g->c, &g->c->policy->categories[index], field);
}

static void page_former(struct page *g)
{
    const struct json *list = json_get(g->file, TEXT("former"));
    section(g, TEXT("former"), SAY("Previous values", "Anciennes valeurs"));
    if (!list || !list->count) {
        paragraph(g, SAY("No previous values.", "Aucune ancienne valeur."));
        return;
    }
    head(g, ROW_OF(SAY("What", "Quoi"), SAY("Previous value", "Ancienne valeur"), SAY("Replaced on", "Remplacée le"),
                   SAY("Kept until", "Conservée jusqu'au")));
    JSON_EACH(one, list) {
        raw(g, TEXT("<tr><td>"));
        put(g, title_in(g, TEXT("categories"), TEXT("category"), json_text(one, TEXT("category"))));
        put(g, TEXT(" · "));
        put(g, field_title(g, json_text(one, TEXT("category")), json_text(one, TEXT("field"))));
        raw(g, TEXT("</td>"));
        cell_open(g, 1);
        value(g, field_of(g, json_text(one, TEXT("category")), json_text(one, TEXT("field"))), json_get(one, TEXT("value")));
        raw(g, TEXT("</td>"));
        cell_open(g, 2);
        put(g, time_of(g, one, TEXT("replaced")));
        raw(g, TEXT("</td>"));
        cell_open(g, 3);
        put(g, time_of(g, one, TEXT("until")));
        raw(g, TEXT("</td></tr>\n"));
    }
    table_close(g);
}

/* A text of the policy: one for all languages, or {fr, en}. */
static text said_of(struct page *g, const struct json *v)
{
    text own = json_text(v, g->c->language);
    return !v ? TEXT("")
         : v->kind == J_TEXT ? v->value
         : own.n || !v->first ? own : v->first->value;
}

static void automated_decision(struct page *g, const struct json *one)
{
    const struct json *human = json_get(one, TEXT("human"));
    raw(g, TEXT("<h3>"));
    put(g, SAY("Decided by a program: ", "Décidé par un programme : "));
    put(g, title_in(g, TEXT("purposes"), TEXT("purpose"), json_text(one, TEXT("purpose"))));
    raw(g, TEXT("</h3>\n<table>\n"));
    row(g, SAY("How", "Comment"), said_of(g, json_get(one, TEXT("logic"))));
    row(g, SAY("What it means for you", "Ce que cela change pour vous"), said_of(g, json_get(one, TEXT("effects"))));
    row(g, SAY("A person reviews it if you ask", "Une personne le réexamine si vous le demandez"),
        human && human->kind == J_BOOL ? doc_value(g->c, NULL, human) : TEXT(""));
    raw(g, TEXT("</table>\n"));
}

static void page_purposes(struct page *g)
{
    section(g, TEXT("purposes"), SAY("What we use it for", "À quoi servent vos données"));
    JSON_EACH(one, json_get(g->file, TEXT("purposes"))) {
        raw(g, TEXT("<h3>"));
        put(g, json_text(one, TEXT("title")));
        raw(g, TEXT("</h3>\n<table>\n"));
        row(g, SAY("Legal basis", "Base légale"), doc_basis(g->c, json_text(one, TEXT("basis"))));
        row(g, SAY("Interest pursued", "Intérêt poursuivi"), json_text(one, TEXT("interest")));
        row(g, SAY("Text", "Texte"), json_text(one, TEXT("law")));
        row_open(g, SAY("Data used", "Données utilisées"));
        names(g, TEXT("categories"), TEXT("category"), json_get(one, TEXT("categories")));
        row_close(g);
        row_open(g, SAY("Your rights", "Vos droits"));
        names(g, TEXT("rights"), TEXT("right"), json_get(one, TEXT("rights")));
        row_close(g);
        raw(g, TEXT("</table>\n"));
    }
    const struct json *automated = json_get(g->file, TEXT("automated_decisions"));
    if (!automated || automated->kind != J_OBJECT)
        paragraph(g, SAY("No decision about you is taken by a program alone.",
                         "Aucune décision vous concernant n'est prise par un programme seul."));
    else
        JSON_EACH(one, automated)
            automated_decision(g, one);
}

static text decision_word(struct page *g, text decision)
{
    const struct {
        text word, said;
    } words[] = {
        { TEXT("given"), SAY("given", "donné") },
        { TEXT("offered"), SAY("you could refuse when you bought", "vous pouviez refuser à l'achat") },
        { TEXT("refused"), SAY("refused", "refusé") },
        { TEXT("withdrawn"), SAY("withdrawn", "retiré") },
        { TEXT("objected"), SAY("objection", "opposition") },
        { TEXT("lifted"), SAY("objection withdrawn", "opposition retirée") },
        { TEXT("upheld"), SAY("objection accepted", "opposition acceptée") },
        { TEXT("overridden"),
          SAY("objection refused, for compelling reasons", "opposition refusée, pour des motifs impérieux") },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_eq(words[i].word, decision))
            return words[i].said;
    return decision;
}

/* A purpose, or the source whose data were allowed. */
static text choice_title(struct page *g, const struct json *one)
{
    text source = json_text(one, TEXT("source"));
    return source.n ? title_in(g, TEXT("permissions"), TEXT("source"), source)
                    : title_in(g, TEXT("purposes"), TEXT("purpose"), json_text(one, TEXT("purpose")));
}

static void page_consents(struct page *g)
{
    const struct json *list = json_get(g->file, TEXT("consents"));
    section(g, TEXT("consents"), SAY("Your choices", "Vos choix"));
    if (!list || !list->count) {
        paragraph(g, SAY("You have not made any choice yet.", "Vous n'avez encore fait aucun choix."));
        return;
    }
    head(g,
         ROW_OF(SAY("Purpose", "Finalité"), SAY("Channel", "Canal"), SAY("Decision", "Décision"), SAY("When", "Quand"),
                SAY("Policy", "Politique"), SAY("What you were asked", "Ce qui vous a été demandé")));
    JSON_EACH(one, list) {
        bool source = json_text(one, TEXT("source")).n > 0;
        cells(g, ROW_OF(choice_title(g, one), source ? TEXT("") : channel_of(g, json_text(one, TEXT("channel"))),
                        decision_word(g, json_text(one, TEXT("decision"))), time_of(g, one, TEXT("at")),
                        json_text(one, TEXT("policy")), json_text(one, TEXT("wording"))));
    }
    table_close(g);
}

static void page_recipients(struct page *g)
{
    const struct json *list = json_get(g->file, TEXT("recipients")), *given = json_get(g->file, TEXT("disclosures"));
    section(g, TEXT("recipients"), SAY("Who receives your data", "Qui reçoit vos données"));
    if (!list || !list->count)
        paragraph(g, SAY("Nobody outside receives your data.",
                         "Personne à l'extérieur ne reçoit vos données."));
    else {
        paragraph(g, SAY("The policy names these recipients:", "La politique nomme ces destinataires :"));
        head(g, ROW_OF(SAY("Name", "Nom"), SAY("Country", "Pays"),
                       SAY("Safeguard of a transfer", "Garantie d'un transfert")));
        JSON_EACH(one, list)
            cells(g, ROW_OF(json_text(one, TEXT("name")), doc_country(g->c, json_text(one, TEXT("country"))),
                            doc_safeguard(g->c, json_text(one, TEXT("safeguard")))));
        table_close(g);
    }
    if (!given || !given->count) {
        paragraph(g, SAY("We have not shared your data with anyone so far.",
                         "Nous n'avons communiqué vos données à personne jusqu'ici."));
        return;
    }
    paragraph(g, SAY("What we shared:", "Ce que nous avons communiqué :"));
    head(g, ROW_OF(SAY("To", "À"), SAY("For", "Pour"), SAY("What", "Quoi"), SAY("When", "Quand")));
    JSON_EACH(one, given)
        cells(g, ROW_OF(json_text(one, TEXT("name")),
                        title_in(g, TEXT("purposes"), TEXT("purpose"), json_text(one, TEXT("purpose"))),
                        titles_of(g, TEXT("categories"), TEXT("category"), json_text(one, TEXT("categories"))),
                        time_of(g, one, TEXT("at"))));
    table_close(g);
}

static void page_folders(struct page *g)
{
    const struct json *list = json_get(g->file, TEXT("folders"));
    if (!list || !list->count)
        return;
    section(g, TEXT("folders"),
            SAY("Folders you can open, and why", "Les dossiers que vous pouvez ouvrir, et pourquoi"));
    head(g, ROW_OF(SAY("Folder", "Dossier"), SAY("What", "Quoi"), SAY("When", "Quand"), SAY("Until", "Jusqu'au"),
                   SAY("By", "Par"), SAY("Why", "Pourquoi")));
    JSON_EACH(one, list)
        JSON_EACH(row, json_get(one, TEXT("history"))) {
            text by = json_text(row, TEXT("by"));
            cells(g, ROW_OF(json_text(one, TEXT("name")),
                            text_eq(json_text(row, TEXT("act")), TEXT("granted")) ? SAY("given", "accordé")
                                                                                  : SAY("removed", "retiré"),
                            time_of(g, row, TEXT("at")), time_of(g, row, TEXT("until")),
                            by.n ? by : doc_actor(g->c, json_text(row, TEXT("actor"))), json_text(row, TEXT("why"))));
        }
    table_close(g);
}

/* Whose team it is, by their roles as the policy calls them: names of colleagues are theirs to tell. */
static text managers(struct page *g, const struct json *roles)
{
    text out = TEXT("");
    JSON_EACH(one, roles) {
        text role = one->value.n ? doc_actor(g->c, one->value) : SAY("a colleague", "un collègue");
        out = arena_print(g->c->arena, "%.*s%s%.*s", T(out), out.n ? ", " : "", T(role));
    }
    return out;
}

static text state_word(struct page *g, text state)
{
    return text_eq(state, TEXT("open"))       ? SAY("open", "ouvert")
           : text_eq(state, TEXT("closed"))   ? SAY("closed", "fermé")
           : text_eq(state, TEXT("invited"))  ? SAY("invited", "sur invitation")
           : text_eq(state, TEXT("awaiting")) ? SAY("waiting for approval", "en attente d'approbation")
           : text_eq(state, TEXT("refused"))  ? SAY("refused", "refusé")
                                              : state;
}

static void page_account(struct page *g)
{
    const struct json *account = json_get(g->file, TEXT("account")), *sessions = json_get(account, TEXT("sessions"));
    if (!account || account->kind != J_OBJECT)
        return;
    section(g, TEXT("account"), SAY("Your account", "Votre compte"));
    raw(g, TEXT("<table>\n"));
    row(g, SAY("State", "État"), state_word(g, json_text(account, TEXT("state"))));
    row(g, SAY("Role", "Rôle"), doc_actor(g->c, json_text(account, TEXT("role"))));
    row(g, SAY("Opened", "Ouvert"), time_of(g, account, TEXT("opened")));
    row(g, SAY("Opened by", "Ouvert par"), doc_actor(g->c, json_text(account, TEXT("opened_by"))));
    row(g, SAY("Last visit", "Dernière visite"), time_of(g, account, TEXT("last_visit")));
    row(g, SAY("Open sessions", "Sessions ouvertes"), sessions ? sessions->value : TEXT("0"));
    row(g, SAY("In the team of", "Dans l'équipe de"), managers(g, json_get(account, TEXT("manager_roles"))));
    raw(g, TEXT("</table>\n"));
}

static void page_letters(struct page *g)
{
    const struct json *list = json_get(g->file, TEXT("letters"));
    if (!list || !list->count)
        return;
    section(g, TEXT("letters"),
            SAY("Emails we sent you in the last days", "Les courriels envoyés ces derniers jours"));
    head(g, ROW_OF(SAY("When", "Quand"), SAY("Email", "Courriel"), SAY("State", "État")));
    JSON_EACH(one, list) {
        text state = json_text(one, TEXT("state"));
        cells(g, ROW_OF(time_of(g, one, TEXT("created")), json_text(one, TEXT("title")),
                        text_eq(state, TEXT("sent"))     ? SAY("sent", "envoyé")
                        : text_eq(state, TEXT("queued")) ? SAY("being sent", "en cours d'envoi")
                                                         : SAY("could not be sent", "n'a pas pu être envoyé")));
    }
    table_close(g);
}

static void page_rights(struct page *g)
{
    const struct json *controller = json_get(g->file, TEXT("controller"));
    section(g, TEXT("rights"), SAY("Your rights", "Vos droits"));
    raw(g, TEXT("<table>\n"));
    row(g, SAY("Controller", "Responsable du traitement"), json_text(controller, TEXT("legal_name")));
    row(g, SAY("Address", "Adresse"), json_text(controller, TEXT("address")));
    row(g, SAY("Email", "Courriel"), json_text(controller, TEXT("email")));
    row(g, SAY("Phone", "Téléphone"), json_text(controller, TEXT("phone")));
    row(g, SAY("Supervisory authority", "Autorité de contrôle"), json_text(g->file, TEXT("authority")));
    raw(g, TEXT("</table>\n"));
    paragraph(g, json_text(g->file, TEXT("complaint")));
    raw(g, TEXT("<ul>\n"));
    JSON_EACH(one, json_get(g->file, TEXT("rights"))) {
        raw(g, TEXT("<li>"));
        put(g, json_text(one, TEXT("title")));
        put(g, SAY(" (Art. ", " (art. "));
        put(g, json_text(one, TEXT("article")));
        raw(g, TEXT(")</li>\n"));
    }
    raw(g, TEXT("</ul>\n"));
}

/* Entries of the journal of one kind, a table a day. */
static void page_entries(struct page *g, bool looks)
{
    text day = TEXT("");
    JSON_EACH(one, json_get(g->file, TEXT("looks"))) {
        text its = day_of(g, one, TEXT("time"));
        if (doc_looked(json_text(one, TEXT("act"))) != looks)
            continue;
        if (!text_eq(its, day)) {
            if (day.n)
                table_close(g);
            raw(g, TEXT("<h3 class=\"day\">"));
            put(g, its);
            raw(g, TEXT("</h3>\n"));
            head(g, ROW_OF(SAY("When", "Quand"), SAY("What", "Quoi"), SAY("By", "Par"), SAY("For", "Pour"),
                           SAY("Data", "Données"), SAY("Reason", "Motif")));
            day = its;
        }
        cells(g, ROW_OF(clock_of(g, one, TEXT("time")), json_text(one, TEXT("says")),
                        doc_actor(g->c, json_text(one, TEXT("actor"))),
                        titles_of(g, TEXT("purposes"), TEXT("purpose"), json_text(one, TEXT("purpose"))),
                        titles_of(g, TEXT("categories"), TEXT("category"), json_text(one, TEXT("categories"))),
                        json_text(one, TEXT("reason"))));
    }
    if (day.n)
        table_close(g);
    else
        paragraph(g, SAY("Nothing.", "Rien."));
}

static void page_looks(struct page *g)
{
    section(g, TEXT("looks"), SAY("Who looked at your data", "Qui a consulté vos données"));
    page_entries(g, true);
    section(g, TEXT("events"), SAY("What was done", "Ce qui a été fait"));
    page_entries(g, false);
}

enum err person_file_page(struct ctx *c, const struct json *file, struct buf *out)
{
    struct page page = { c, out, file }, *g = &page;
    doc_page_open(c, out, true, SAY("Your personal data", "Vos données personnelles"));
    page_head(g);
    page_data(g);
    page_files(g);
    page_former(g);
    page_purposes(g);
    page_consents(g);
    page_recipients(g);
    page_folders(g);
    page_account(g);
    page_letters(g);
    page_rights(g);
    page_looks(g);
    doc_page_close(out);
    return buf_check(c->arena, out);
}
