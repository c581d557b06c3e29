/* The certificate of an erasure as a page. */
#include "paper/certificate_page.h"
#include "base/sha256.h"
#include "domain/core/named.h"
#include "paper/picture.h"
#include "publish/notice.h"

struct sheet {
    struct ctx *c;
    struct buf *b;
};

static void raw(const struct sheet *g, const char *html) { buf_add(g->b, text_of(html)); }

static void put(const struct sheet *g, text s) { buf_html(g->b, s); }

/* One of two texts, escaped. */
static void say_in(const struct sheet *g, const char *en, const char *fr)
{
    put(g, doc_in(g->c, text_of(en), text_of(fr)));
}

static void fact(const struct sheet *g, const char *en, const char *fr, text value)
{
    raw(g, "<dt>");
    say_in(g, en, fr);
    raw(g, "</dt><dd>");
    put(g, value.n ? value : TEXT("–"));
    raw(g, "</dd>\n");
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
        { TEXT_INIT("child"), TEXT_INIT("data of a child (17(1)(f))"), TEXT_INIT("données d’un enfant (17(1)(f))") },
        { TEXT_INIT("term"), TEXT_INIT("the term of the policy has ended"),
          TEXT_INIT("terme de la durée de conservation") },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_eq(words[i].word, ground))
            return doc_in(c, words[i].en, words[i].fr);
    return ground;
}

static void section(const struct sheet *g, const char *id, const char *en, const char *fr)
{
    buf_print(g->b, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">", id, id);
    say_in(g, en, fr);
    raw(g, "</h2>\n");
}

static void paragraph(const struct sheet *g, const char *en, const char *fr)
{
    raw(g, "<p>");
    say_in(g, en, fr);
    raw(g, "</p>\n");
}

/* What the person reads first: that it is done, when, for whom, why, under which number. */
static void put_facts(const struct sheet *g, const struct json *k)
{
    raw(g, "<dl class=\"values seal\">\n");
    fact(g, "Erased on", "Effacé le", doc_time(g->c, json_text(k, TEXT("at"))));
    fact(g, "By", "Par", json_text(k, TEXT("controller")));
    fact(g, "Why", "Pourquoi", ground_word(g->c, json_text(k, TEXT("ground"))));
    fact(g, "Certificate number", "Numéro du certificat", json_text(k, TEXT("id")));
    raw(g, "</dl>\n");
}

static void put_gone(const struct sheet *g, const struct json *k)
{
    const struct json *told = json_get(k, TEXT("recipients_to_tell"));
    section(g, "gone", "What we erased", "Ce que nous avons effacé");
    paragraph(g,
              "All the data that we had about the person, and the keys that opened it. "
              "No copy can be read any more, not even in backups.",
              "Toutes les données que nous avions sur la personne, et les clés qui les ouvraient. "
              "Aucune copie ne peut plus être lue, même dans les sauvegardes.");
    if (told && told->count) {
        paragraph(g, "We tell these recipients to erase it too (Article 19 of the GDPR):",
                  "Nous prévenons ces destinataires, pour qu’ils effacent aussi (article 19 du RGPD) :");
        raw(g, "<ul>\n");
        JSON_EACH(name, told) {
            raw(g, "<li>");
            text known = doc_recipient(g->c, policy_actor(g->c->policy, name->value));
            put(g, known.n ? known : name->value);
            raw(g, "</li>\n");
        }
        raw(g, "</ul>\n");
    }
    raw(g, "</section>\n");
}

static void put_kept(const struct sheet *g, const struct json *kept)
{
    section(g, "kept", "What stays, why, and until when", "Ce qui reste, pourquoi, et jusqu’à quand");
    if (!kept || !kept->count) {
        paragraph(g, "Nothing. We keep no data about the person.", "Rien. Nous ne gardons aucune donnée sur la personne.");
        raw(g, "</section>\n");
        return;
    }
    paragraph(g, "It lies in a separate archive that the service does not use. We erase it on the date shown.",
              "Elles sont dans une archive séparée, que le service n’utilise pas. Nous les effaçons à la date indiquée.");
    raw(g, "<div class=\"stack\">\n");
    JSON_EACH(k, kept) {
        text until = json_text(k, TEXT("until"));
        raw(g, "<div class=\"card\"><h3>");
        put(g, doc_kept(g->c, json_text(k, TEXT("category")), json_text(k, TEXT("title"))));
        raw(g, "</h3><dl class=\"values\">");
        fact(g, "Why", "Pourquoi", doc_ground_said(g->c, json_text(k, TEXT("ground"))));
        fact(g, "Until", "Jusqu’au",
             until.p ? doc_time(g->c, until)
                     : doc_in(g->c, TEXT("the end of the hold"), TEXT("la levée de la mesure")));
        raw(g, "</dl></div>\n");
    }
    raw(g, "</div>\n</section>\n");
}

static void put_remains(const struct sheet *g, const struct json *all)
{
    static const struct {
        text word, en, fr;
    } words[] = {
        { TEXT_INIT("dead-rows"), TEXT_INIT("deleted rows, until the database writes over them"),
          TEXT_INIT("lignes supprimées, jusqu’à ce que la base écrive par-dessus") },
        { TEXT_INIT("log"), TEXT_INIT("the database’s log, until it is written over"),
          TEXT_INIT("journal de la base, jusqu’à ce qu’il soit réécrit") },
        { TEXT_INIT("log-archive"), TEXT_INIT("archived logs of the database"),
          TEXT_INIT("journaux archivés de la base") },
        { TEXT_INIT("binlog"), TEXT_INIT("the database’s log (binlog)"), TEXT_INIT("journal de la base (binlog)") },
        { TEXT_INIT("backups"), TEXT_INIT("backups"), TEXT_INIT("sauvegardes") },
        { TEXT_INIT("disk-blocks"), TEXT_INIT("the disk’s free space, until it is written over"),
          TEXT_INIT("l’espace libre du disque, jusqu’à ce qu’il soit réécrit") },
        { TEXT_INIT("hard-links"), TEXT_INIT("other names of the same files"),
          TEXT_INIT("d’autres noms des mêmes fichiers") },
        { TEXT_INIT("link-targets"), TEXT_INIT("what erased links led to"),
          TEXT_INIT("ce à quoi menaient des liens effacés") },
    };
    JSON_EACH(r, all) {
        text what = json_text(r, TEXT("what")), until = json_text(r, TEXT("until"));
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (text_eq(words[i].word, what))
                what = doc_in(g->c, words[i].en, words[i].fr);
        raw(g, "<dd>");
        put(g, what);
        if (until.n) {
            raw(g, ", ");
            say_in(g, "until ", "jusqu’au ");
            put(g, doc_time(g->c, until));
        }
        raw(g, "</dd>\n");
    }
}

static int64_t sum_of(const struct json *store, text of)
{
    int64_t all = 0, n;
    JSON_EACH(t, json_get(store, TEXT("tables")))
        if (json_int(json_get(t, of), &n))
            all += n;
    return all;
}

static void rows_fact(const struct sheet *g, const char *en, const char *fr, int64_t rows)
{
    if (rows)
        fact(g, en, fr, arena_print(g->c->arena, "%lld", (long long)rows));
}

/* What the platform's own databases did, row by count; and what of them no statement reaches. */
static void put_stores(const struct sheet *g, const struct json *k)
{
    const struct json *all = json_get(k, TEXT("stores")), *interim = json_get(k, TEXT("interim"));
    if (!all || !all->count)
        return;
    section(g, "stores", "Our other databases", "Nos autres bases de données");
    if (interim && interim->truth)
        paragraph(g, "Not all of them have finished. We will make a new certificate when they have.",
                  "Toutes n’ont pas terminé. Nous ferons un nouveau certificat quand ce sera le cas.");
    raw(g, "<div class=\"stack\">\n");
    JSON_EACH(s, all) {
        const struct json *remains = json_get(s, TEXT("remains"));
        bool done = text_eq(json_text(s, TEXT("state")), TEXT("done"));
        raw(g, "<div class=\"card\"><h3>");
        put(g, json_text(s, TEXT("title")));
        raw(g, "</h3><dl class=\"values\">");
        fact(g, "State", "État", done ? doc_in(g->c, TEXT("finished"), TEXT("terminé"))
                                      : doc_in(g->c, TEXT("not finished"), TEXT("pas terminé")));
        rows_fact(g, "Rows erased", "Lignes effacées", sum_of(s, TEXT("erased")));
        rows_fact(g, "Rows emptied", "Lignes vidées", sum_of(s, TEXT("changed")));
        rows_fact(g, "Rows kept by law", "Lignes gardées par obligation", sum_of(s, TEXT("kept")));
        if (remains && remains->count) {
            raw(g, "<dt>");
            say_in(g, "May still hold some of it", "Peut encore en contenir");
            raw(g, "</dt>");
            put_remains(g, remains);
        }
        raw(g, "</dl></div>\n");
    }
    raw(g, "</div>\n</section>\n");
}

/* The person is gone and signs in no more: the file comes inside the page. */
static void put_download(const struct sheet *g, text id, text jws)
{
    buf_print(g->b,
              "<p class=\"actions\"><a class=\"button first\" download=\"garant-%.*s.jws\" "
              "href=\"data:application/jose;base64,",
              T(id));
    buf_base64(g->b, jws);
    raw(g, "\">");
    say_in(g, "Download the certificate", "Télécharger le certificat");
    raw(g, "</a></p>\n<p class=\"aside screen\">");
    say_in(g, "Keep it: nobody can make it again for you. You can also print this page.",
           "Gardez-le : personne ne pourra vous le refaire. Vous pouvez aussi imprimer cette page.");
    raw(g, "</p>\n");
}

static enum err put_digest(const struct sheet *g, text jws)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    text hex, picture;
    BUF_AUTO b = buf_make(256);
    sha256_of(jws, digest);
    buf_hex(&b, (text){ (const char *)digest, sizeof digest });
    TRY(buf_take(g->c->arena, &b, &hex));
    TRY(picture_qr(g->c->arena, arena_print(g->c->arena, "sha256:%.*s", T(hex)), &picture));
    raw(g, "<div class=\"digest\"><div class=\"qr\" aria-hidden=\"true\">");
    buf_add(g->b, picture);
    raw(g, "</div><p><strong>");
    say_in(g, "Fingerprint (SHA-256)", "Empreinte (SHA-256)");
    raw(g, "</strong><br><span class=\"code\">");
    put(g, hex);
    raw(g, "</span><br><span class=\"aside\">");
    say_in(g, "It is the same for the file and for this page: so a printed page still shows whether a file was changed.",
           "C’est la même pour le fichier et pour cette page : une page imprimée montre donc si un fichier a été modifié.");
    raw(g, "</span></p></div>\n");
    return OK;
}

static enum err put_proof(const struct sheet *g, const struct json *k, text jws, text verifier)
{
    const struct json *policy = json_get(k, TEXT("policy")), *journal = json_get(k, TEXT("journal"));
    section(g, "check", "How anyone can check it", "Comment chacun peut le vérifier");
    TRY(put_digest(g, jws));
    paragraph(g, "The file is signed, and holds the proof that our journal has the erasure. On any machine:",
              "Le fichier est signé, et contient la preuve que notre journal a l’effacement. Sur toute machine :");
    raw(g, "<pre>garant verify --certificate FILE --key '");
    put(g, verifier);
    raw(g, "'</pre>\n<details class=\"screen\"><summary>");
    say_in(g, "What it holds", "Ce qu’il contient");
    raw(g, "</summary>\n<dl class=\"facts\">\n");
    fact(g, "Pseudonym of the person", "Pseudonyme de la personne", json_text(k, TEXT("pseudonym")));
    fact(g, "Keys destroyed", "Clés détruites",
         number(g->c->arena, json_get(json_get(k, TEXT("keys")), TEXT("destroyed"))));
    fact(g, "Entry in the journal", "Entrée au journal",
         arena_print(g->c->arena, "%.*s, %.*s", T(json_text(journal, TEXT("origin"))),
                     T(number(g->c->arena, json_get(journal, TEXT("index"))))));
    fact(g, "Policy in force", "Politique en vigueur",
         arena_print(g->c->arena, "%.*s %.*s", T(json_text(policy, TEXT("id"))), T(json_text(policy, TEXT("version")))));
    fact(g, "Fingerprint of the policy", "Empreinte de la politique", json_text(policy, TEXT("hash")));
    raw(g, "</dl>\n<pre class=\"jws\">");
    put(g, jws);
    raw(g, "</pre>\n</details>\n</section>\n");
    return OK;
}

enum err certificate_page(struct ctx *c, text json, text jws, text verifier, struct answer *out)
{
    const struct json *k;
    BUF_AUTO b = buf_make(4 << 20);
    struct sheet sheet = { c, &b }, *g = &sheet;
    text site = node_said(node_at(c->policy->root, TEXT("policy.title")), c->language);
    TRY(json_parse(c->arena, json, &k));
    text here = arena_print(c->arena, "/v1/certificates/%.*s", T(json_text(k, TEXT("id"))));
    struct page_frame frame = {
        .here = here,
        .name = site.n ? site : c->policy->controller.legal_name,
        .fr = text_eq(c->language, TEXT("fr")),
        .root = c->policy->root,
        .single = true, /* nobody may ask for it again in another language */
        .title = doc_in(c, TEXT("Certificate of erasure"), TEXT("Certificat d’effacement")),
        .lead = doc_in(c, TEXT("The data is erased. This page proves it."),
                       TEXT("Les données sont effacées. Cette page le prouve.")),
    };
    page_begin(&b, &frame);
    raw(g, "<div class=\"narrow certificate\">\n");
    put_facts(g, k);
    put_download(g, json_text(k, TEXT("id")), jws);
    put_gone(g, k);
    put_kept(g, json_get(k, TEXT("kept")));
    put_stores(g, k);
    TRY(put_proof(g, k, jws, verifier));
    raw(g, "</div>\n");
    page_end(&b, &frame, TEXT(""));
    *out = (struct answer){ .media_type = TEXT("text/html; charset=utf-8") };
    return buf_take(c->arena, &b, &out->body);
}
