/* The certificate of an erasure as a page. */
#include "paper/certificate_page.h"
#include "domain/core/named.h"
#include "paper/sheet.h"

static void row(struct buf *b, text name, text value)
{
    buf_add(b, TEXT("<tr><th scope=\"row\">"));
    buf_html(b, name);
    buf_add(b, TEXT("</th><td>"));
    buf_html(b, value.n ? value : TEXT("–"));
    buf_add(b, TEXT("</td></tr>\n"));
}

static text number(struct arena *a, const struct json *v)
{
    return v && v->kind == J_NUMBER ? v->value : arena_print(a, "0");
}

static text ground_word(const struct ctx *c, text ground)
{
    static const struct {
        text word, en, fr;
    } words[] = {
        { TEXT_INIT("request"), TEXT_INIT("the person's request (GDPR 17(1))"),
          TEXT_INIT("demande de la personne (RGPD, art. 17(1))") },
        { TEXT_INIT("not_needed"), TEXT_INIT("no longer needed (17(1)(a))"), TEXT_INIT("plus nécessaires (17(1)(a))") },
        { TEXT_INIT("withdrawal"), TEXT_INIT("consent withdrawn (17(1)(b))"),
          TEXT_INIT("consentement retiré (17(1)(b))") },
        { TEXT_INIT("objection"), TEXT_INIT("objection (17(1)(c))"), TEXT_INIT("opposition (17(1)(c))") },
        { TEXT_INIT("unlawful"), TEXT_INIT("unlawful processing (17(1)(d))"),
          TEXT_INIT("traitement illicite (17(1)(d))") },
        { TEXT_INIT("obligation"), TEXT_INIT("legal obligation (17(1)(e))"),
          TEXT_INIT("obligation légale (17(1)(e))") },
        { TEXT_INIT("child"), TEXT_INIT("data of a child (17(1)(f))"), TEXT_INIT("données d'un enfant (17(1)(f))") },
        { TEXT_INIT("term"), TEXT_INIT("the term of the policy has ended"),
          TEXT_INIT("terme de la durée de conservation") },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_eq(words[i].word, ground))
            return doc_in(c, words[i].en, words[i].fr);
    return ground;
}

static void page_facts(struct ctx *c, struct buf *b, const struct json *k)
{
    const struct json *policy = json_get(k, TEXT("policy")), *keys = json_get(k, TEXT("keys")),
                      *journal = json_get(k, TEXT("journal"));
    buf_add(b, TEXT("<table>\n"));
    row(b, doc_in(c, TEXT("Certificate"), TEXT("Certificat")), json_text(k, TEXT("id")));
    row(b, doc_in(c, TEXT("Controller"), TEXT("Responsable du traitement")), json_text(k, TEXT("controller")));
    row(b, doc_in(c, TEXT("Erased on"), TEXT("Effacé le")), doc_time(c, json_text(k, TEXT("at"))));
    row(b, doc_in(c, TEXT("Reason"), TEXT("Motif")), ground_word(c, json_text(k, TEXT("ground"))));
    row(b, doc_in(c, TEXT("Pseudonym of the person"), TEXT("Pseudonyme de la personne")),
        json_text(k, TEXT("pseudonym")));
    row(b, doc_in(c, TEXT("Keys destroyed"), TEXT("Clés détruites")),
        number(c->arena, json_get(keys, TEXT("destroyed"))));
    row(b, doc_in(c, TEXT("Policy in force"), TEXT("Politique en vigueur")),
        arena_print(c->arena, "%.*s %.*s (SHA-256 %.*s)", T(json_text(policy, TEXT("id"))),
                    T(json_text(policy, TEXT("version"))), T(json_text(policy, TEXT("hash")))));
    row(b, doc_in(c, TEXT("Entry in the journal"), TEXT("Entrée au journal")),
        arena_print(c->arena, "%.*s, no. %.*s", T(json_text(journal, TEXT("origin"))),
                    T(number(c->arena, json_get(journal, TEXT("index"))))));
    buf_add(b, TEXT("</table>\n"));
}

static void head(struct buf *b, text title)
{
    buf_add(b, TEXT("<h2>"));
    buf_html(b, title);
    buf_add(b, TEXT("</h2>\n"));
}

static void paragraph(struct buf *b, text s) { buf_add(b, TEXT("<p>")), buf_html(b, s), buf_add(b, TEXT("</p>\n")); }

static void page_kept(struct ctx *c, struct buf *b, const struct json *kept)
{
    head(b,
         doc_in(c, TEXT("What is kept, why, and until when"), TEXT("Ce qui est conservé, pourquoi et jusqu'à quand")));
    if (!kept || !kept->count) {
        paragraph(b, doc_in(c, TEXT("Nothing is kept."), TEXT("Rien n'est conservé.")));
        return;
    }
    paragraph(b, doc_in(c,
                        TEXT("We keep this data in a separate archive that the service does not use. We erase it on the date shown."),
                        TEXT("Nous gardons ces données dans une archive séparée, que le service n'utilise pas. Nous les effaçons à la "
                             "date indiquée.")));
    buf_print(
        b,
        "<table><thead><tr><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th></tr></thead><tbody>\n",
        text_eq(c->language, TEXT("fr")) ? "Catégorie" : "Category",
        text_eq(c->language, TEXT("fr")) ? "Pourquoi" : "Why",
        text_eq(c->language, TEXT("fr")) ? "Jusqu'au" : "Until");
    JSON_EACH(k, kept) {
        text until = json_text(k, TEXT("until"));
        buf_add(b, TEXT("<tr><td>"));
        buf_html(b, json_text(k, TEXT("title")));
        buf_add(b, TEXT("</td><td>"));
        buf_html(b, json_text(k, TEXT("ground")));
        buf_add(b, TEXT("</td><td>"));
        buf_html(b,
                 until.p ? doc_time(c, until) : doc_in(c, TEXT("the end of the hold"), TEXT("la levée de la mesure")));
        buf_add(b, TEXT("</td></tr>\n"));
    }
    buf_add(b, TEXT("</tbody></table>\n"));
}

static void page_counts(struct ctx *c, struct buf *b, const struct json *k)
{
    const struct json *told = json_get(k, TEXT("recipients_to_tell"));
    head(b, doc_in(c, TEXT("Rows erased, by table"), TEXT("Lignes effacées, par table")));
    buf_add(b, TEXT("<table>\n"));
    JSON_EACH(n, json_get(k, TEXT("rows_erased")))
        row(b, n->key, n->value);
    buf_add(b, TEXT("</table>\n"));
    if (!told || !told->count)
        return;
    head(b, doc_in(c, TEXT("Recipients we tell about the erasure (Article 19 of the GDPR)"),
                   TEXT("Destinataires prévenus de l'effacement (article 19 du RGPD)")));
    buf_add(b, TEXT("<ul>\n"));
    JSON_EACH(name, told) {
        buf_add(b, TEXT("<li>"));
        buf_html(b, name->value);
        buf_add(b, TEXT("</li>\n"));
    }
    buf_add(b, TEXT("</ul>\n"));
}

static void page_proof(struct ctx *c, struct buf *b, text json, text jws, text verifier)
{
    head(b, doc_in(c, TEXT("How to check this certificate"), TEXT("Comment vérifier ce certificat")));
    paragraph(
        b,
        doc_in(
            c,
            TEXT("Below is this certificate, signed (JSON Web Signature, RFC 7515, EdDSA), then its content. "
                 "\"journal\" has the entry and its proof up to a signed checkpoint (c2sp.org/tlog-proof). "
                 "To check it on any machine:"),
            TEXT("Voici ce certificat signé (JSON Web Signature, RFC 7515, EdDSA), puis son contenu. « journal » "
                 "contient l'écriture et sa preuve jusqu'à un point de contrôle signé (c2sp.org/tlog-proof). "
                 "Pour le vérifier sur toute machine :")));
    buf_add(b, TEXT("<pre>garant verify --certificate FILE --key '"));
    buf_html(b, verifier);
    buf_add(b, TEXT("'</pre>\n<pre class=\"jws\">"));
    buf_html(b, jws);
    buf_add(b, TEXT("</pre>\n<pre>"));
    buf_html(b, json);
    buf_add(b, TEXT("</pre>\n"));
}

enum err certificate_page(struct ctx *c, text json, text jws, text verifier, struct answer *out)
{
    const struct json *k;
    BUF_AUTO b = buf_make(4 << 20);
    text title = doc_in(c, TEXT("Certificate of erasure"), TEXT("Certificat d'effacement"));
    TRY(json_parse(c->arena, json, &k));
    doc_page_open(c, &b, false, title);
    buf_add(&b, TEXT("<h1>"));
    buf_html(&b, title);
    buf_add(&b, TEXT("</h1>\n"));
    paragraph(
        &b,
        doc_in(
            c,
            TEXT("We erased the data of the person with the pseudonym below, and destroyed its keys. "
                 "No copy can be read any more, not even in backups."),
            TEXT("Nous avons effacé les données de la personne au pseudonyme ci-dessous, et détruit leurs clés. "
                 "Aucune copie ne peut plus être lue, même dans les sauvegardes.")));
    page_facts(c, &b, k);
    page_kept(c, &b, json_get(k, TEXT("kept")));
    page_counts(c, &b, k);
    page_proof(c, &b, json, jws, verifier);
    doc_page_close(&b);
    *out = (struct answer){ .media_type = TEXT("text/html; charset=utf-8") };
    return buf_take(c->arena, &b, &out->body);
}
