/* Certificates: the facts of an erasure signed with the journal's proof; as JSON, and as a page to print. */
#include "domain/erasing.h"
#include "crypt/note.h"
#include "domain/inside.h"
#include "domain/doc.h"
#include "domain/write.h"
#include "domain/written.h"

struct certificate { struct subject_id id; text facts, json, jws, kept; uint64_t entry; };    /* kept: the jws, sealed */

static enum err load(struct ctx *c, struct certificate *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CERTIFICATE_GET, ARGS(V_TEXT(c->tenant), V_ID(out->id)));
    bool found = query_next(&q);
    TRY(q.status);
    if (!found)
        return say(c->arena, ERR_NOT_FOUND, "there is no such certificate");
    text facts = arena_copy(c->arena, query_bytes(&q, 0)), jws = query_bytes(&q, 2);
    out->entry = (uint64_t)query_int(&q, 1);
    TRY_PTR(facts.p);
    TRY(written_open(ctx_store(c), c->arena, c->tenant, TEXT("certificate"), facts, &out->facts));
    out->jws = (text){ NULL, 0 };
    if (!jws.p)
        return OK;
    jws = arena_copy(c->arena, jws);
    TRY_PTR(jws.p);
    return written_open(ctx_store(c), c->arena, c->tenant, TEXT("certificate"), jws, &out->jws);
}

/* The line of the journal that the certificate proves; p NULL once it was pruned. */
static enum err load_entry(struct ctx *c, uint64_t entry, text *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_LEAVES, ARGS(V_INT((int64_t)entry), V_INT((int64_t)entry + 1)));
    *out = query_next(&q) && !journal_forgotten(query_bytes(&q, 1)) ? arena_copy(c->arena, query_bytes(&q, 1)) : (text){ NULL, 0 };
    return q.status;
}

/* Everything that a verifier without this server needs: the entry, and its c2sp.org/tlog-proof up to a signed checkpoint (docs/verify.md). */
static enum err put_proof(struct ctx *c, uint64_t entry, struct json_out *w)
{
    struct store *s = ctx_store(c);
    struct tree_proof path;
    struct hash root;
    text note, line;
    uint64_t size;
    BUF_AUTO base64 = buf_make(64);
    TRY(journal_checkpoint(s, c->arena, &note, &size));
    TRY(checkpoint_open(c->arena, store_signer(s), note, &size, &root));
    TRY(journal_inclusion(s, c->arena, entry, size, &path));
    TRY(load_entry(c, entry, &line));
    text proof = proof_print(c->arena, entry, &path, note);
    TRY_PTR(proof.p);
    buf_base64(&base64, TEXT_BYTES(root));
    json_open(w, '{');
    json_pair(w, TEXT("origin"), store_signer(s)->name);
    json_pair_int(w, TEXT("index"), (int64_t)entry);
    json_pair(w, TEXT("entry"), line);
    if (line.p) {
        struct hash leaf = tree_leaf(line);
        json_name(w, TEXT("leaf"));
        json_put_hex(w, TEXT_BYTES(leaf));
    }
    json_pair_int(w, TEXT("size"), (int64_t)size);
    json_name(w, TEXT("root"));
    json_put_text_of(w, &base64);
    json_pair(w, TEXT("proof"), proof);
    json_close(w, '}');
    return OK;
}

static enum err run_sign(struct db *db, struct write *w)
{
    const struct certificate *k = w->arg;
    return db_run(db, SQL_CERTIFICATE_SIGN, NULL, ARGS(V_TEXT(w->event.tenant), V_ID(k->id), V_TEXT(k->kept)));
}

static enum err answer_of(struct ctx *c, const struct certificate *k, struct answer *out)
{
    BUF_AUTO b = buf_make(4 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("certificate"));
    json_put_raw(&w, k->json);
    json_pair(&w, TEXT("jws"), k->jws);
    json_close(&w, '}');
    *out = (struct answer){ .id = id_print(c->arena, k->id) };
    TRY_PTR(out->id.p);
    return buf_take(c->arena, &b, &out->body);
}

static enum err sign(struct ctx *c, struct certificate *k, bool again)
{
    struct answer answer;
    BUF_AUTO b = buf_make(1 << 20);
    buf_add(&b, text_upto(k->facts, k->facts.n - 1));     /* the facts are an object: the proof is its last member */
    struct json_out w = { .b = &b, .comma = true };
    json_name(&w, TEXT("journal"));
    TRY(put_proof(c, k->entry, &w));
    buf_char(&b, '}');
    TRY(buf_take(c->arena, &b, &k->json));
    k->jws = certificate_sign(c->arena, store_signer(ctx_store(c)), k->json);
    TRY_PTR(k->jws.p);
    TRY(written_seal(ctx_store(c), c->arena, c->tenant, TEXT("certificate"), k->jws, &k->kept));
    TRY(answer_of(c, k, &answer));
    struct write write = { .run = run_sign, .arg = k, .urgent = true, .event = event_of(c, NULL, TEXT("certificate.signed")) };
    return again ? write_do_again(c, &write, &answer) : store_write(ctx_store(c), c->arena, &write);
}

static enum err issue(struct ctx *c, struct certificate *k, bool again)
{
    TRY(load(c, k));
    return k->jws.p ? certificate_open(c->arena, store_signer(ctx_store(c)), k->jws, &k->json) : sign(c, k, again);
}

enum err certificate_issue(struct ctx *c, struct subject_id id, bool again, struct answer *out)
{
    struct certificate k = { .id = id };
    TRY(issue(c, &k, again));
    return answer_of(c, &k, out);
}

/* ---- Verifying one, anywhere. ---- */

static enum err check_entry(struct arena *a, const struct signer *key, const struct json *journal, uint64_t *index, uint64_t *size)
{
    text entry = json_text(journal, TEXT("entry")), proof = json_text(journal, TEXT("proof"));
    int64_t told;
    if (!entry.p || !proof.p || !json_int(json_get(journal, TEXT("index")), &told))
        return say(a, ERR_INTEGRITY, "the certificate has no entry of the journal, or no proof of it");
    TRY(proof_open(a, key, proof, tree_leaf(entry), index, size));
    return (uint64_t)told == *index ? OK : say(a, ERR_INTEGRITY, "the certificate's proof is of another entry");
}

/* What the entry says is what the certificate says: of this person, in this tenant, this act. */
static enum err check_act(struct arena *a, const struct json *k, text entry)
{
    const struct json *e;
    TRY(json_parse(a, entry, &e));
    bool same = text_eq(json_text(e, TEXT("act")), TEXT("subject.erase")) && text_eq(json_text(e, TEXT("who")), json_text(k, TEXT("pseudonym"))) &&
                text_eq(json_text(e, TEXT("tenant")), json_text(k, TEXT("tenant")));
    return same ? OK : say(a, ERR_INTEGRITY, "the journal's entry is of another act than the certificate");
}

/* JSON values alike: what people read in the file must be what was signed. Members in any order. */
static bool alike(const struct json *x, const struct json *y)
{
    if (!x || !y || x->kind != y->kind || x->count != y->count)
        return false;
    if (x->kind == J_BOOL)
        return x->truth == y->truth;
    if (x->kind == J_TEXT || x->kind == J_NUMBER)
        return text_eq(x->value, y->value);
    const struct json *other = y->first;
    for (const struct json *member = x->first; member; member = member->next) {
        if (!alike(member, x->kind == J_OBJECT ? json_get(y, member->key) : other))
            return false;
        other = other->next;
    }
    return true;
}

enum err certificate_verify(struct arena *a, text verifier, text certificate, struct answer *out)
{
    struct signer key;
    const struct json *answer = NULL, *k;
    text jws = text_trim(certificate), json;
    uint64_t index, size;
    TRY(crypt_init(a));
    TRY(signer_parse(a, text_trim(verifier), &key));
    if (text_starts(jws, TEXT("{"))) {
        TRY(json_parse(a, jws, &answer));
        jws = json_text(answer, TEXT("jws"));
    }
    TRY(certificate_open(a, &key, jws, &json));
    TRY(json_parse(a, json, &k));
    JSON_EACH(member, answer)
        if (!text_eq(member->key, TEXT("jws")) && !(text_eq(member->key, TEXT("certificate")) && alike(member, k)))
            return say(a, ERR_INTEGRITY, "the file's readable part is not what was signed: only the signed part counts");
    const struct json *journal = json_get(k, TEXT("journal"));
    TRY(check_entry(a, &key, journal, &index, &size));
    TRY(check_act(a, k, json_text(journal, TEXT("entry"))));
    out->body = arena_print(a, "{\"id\":\"%.*s\",\"kind\":\"%.*s\",\"at\":\"%.*s\",\"index\":%llu,\"size\":%llu}", T(json_text(k, TEXT("id"))),
                            T(json_text(k, TEXT("kind"))), T(json_text(k, TEXT("at"))), (unsigned long long)index, (unsigned long long)size);
    return out->body.p ? OK : ERR_MEMORY;
}

/* ---- The page. ---- */

static void row(struct buf *b, text name, text value)
{
    buf_add(b, TEXT("<tr><th scope=\"row\">"));
    buf_html(b, name);
    buf_add(b, TEXT("</th><td>"));
    buf_html(b, value.n ? value : TEXT("–"));
    buf_add(b, TEXT("</td></tr>\n"));
}

static text number(struct arena *a, const struct json *v) { return v && v->kind == J_NUMBER ? v->value : arena_print(a, "0"); }

static text ground_word(const struct ctx *c, text ground)
{
    static const struct { text word, en, fr; } words[] = {
        { TEXT_INIT("request"), TEXT_INIT("the person's request (GDPR 17(1))"), TEXT_INIT("demande de la personne (RGPD, art. 17(1))") },
        { TEXT_INIT("not_needed"), TEXT_INIT("no longer needed (17(1)(a))"), TEXT_INIT("plus nécessaires (17(1)(a))") },
        { TEXT_INIT("withdrawal"), TEXT_INIT("consent withdrawn (17(1)(b))"), TEXT_INIT("consentement retiré (17(1)(b))") },
        { TEXT_INIT("objection"), TEXT_INIT("objection (17(1)(c))"), TEXT_INIT("opposition (17(1)(c))") },
        { TEXT_INIT("unlawful"), TEXT_INIT("unlawful processing (17(1)(d))"), TEXT_INIT("traitement illicite (17(1)(d))") },
        { TEXT_INIT("obligation"), TEXT_INIT("legal obligation (17(1)(e))"), TEXT_INIT("obligation légale (17(1)(e))") },
        { TEXT_INIT("child"), TEXT_INIT("data of a child (17(1)(f))"), TEXT_INIT("données d'un enfant (17(1)(f))") },
        { TEXT_INIT("term"), TEXT_INIT("the term of the policy has ended"), TEXT_INIT("terme de la durée de conservation") },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_eq(words[i].word, ground))
            return doc_in(c, words[i].en, words[i].fr);
    return ground;
}

static void page_facts(struct ctx *c, struct buf *b, const struct json *k)
{
    const struct json *policy = json_get(k, TEXT("policy")), *keys = json_get(k, TEXT("keys")), *journal = json_get(k, TEXT("journal"));
    buf_add(b, TEXT("<table>\n"));
    row(b, doc_in(c, TEXT("Certificate"), TEXT("Certificat")), json_text(k, TEXT("id")));
    row(b, doc_in(c, TEXT("Controller"), TEXT("Responsable du traitement")), json_text(k, TEXT("controller")));
    row(b, doc_in(c, TEXT("Erased on"), TEXT("Effacé le")), doc_time(c, json_text(k, TEXT("at"))));
    row(b, doc_in(c, TEXT("On the ground of"), TEXT("Motif")), ground_word(c, json_text(k, TEXT("ground"))));
    row(b, doc_in(c, TEXT("Pseudonym of the person in the journal"), TEXT("Pseudonyme de la personne au journal")),
        json_text(k, TEXT("pseudonym")));
    row(b, doc_in(c, TEXT("Keys destroyed"), TEXT("Clés détruites")), number(c->arena, json_get(keys, TEXT("destroyed"))));
    row(b, doc_in(c, TEXT("Policy in force"), TEXT("Politique en vigueur")),
        arena_print(c->arena, "%.*s %.*s (SHA-256 %.*s)", T(json_text(policy, TEXT("id"))), T(json_text(policy, TEXT("version"))),
                    T(json_text(policy, TEXT("hash")))));
    row(b, doc_in(c, TEXT("Entry in the journal"), TEXT("Entrée au journal")),
        arena_print(c->arena, "%.*s, no. %.*s", T(json_text(journal, TEXT("origin"))), T(number(c->arena, json_get(journal, TEXT("index"))))));
    buf_add(b, TEXT("</table>\n"));
}

static void head(struct buf *b, text title) { buf_add(b, TEXT("<h2>")), buf_html(b, title), buf_add(b, TEXT("</h2>\n")); }

static void paragraph(struct buf *b, text s) { buf_add(b, TEXT("<p>")), buf_html(b, s), buf_add(b, TEXT("</p>\n")); }

static void page_kept(struct ctx *c, struct buf *b, const struct json *kept)
{
    head(b, doc_in(c, TEXT("What is kept, why, and until when"), TEXT("Ce qui est conservé, pourquoi et jusqu'à quand")));
    if (!kept || !kept->count) {
        paragraph(b, doc_in(c, TEXT("Nothing is kept."), TEXT("Rien n'est conservé.")));
        return;
    }
    paragraph(b, doc_in(c, TEXT("These data are in an archive apart, out of reach of the ordinary service. "
                                "They are erased by themselves at their term."),
                        TEXT("Ces données sont dans une archive à part, hors de portée du service courant. "
                             "Elles s'effacent d'elles-mêmes à leur terme.")));
    buf_print(b, "<table><thead><tr><th scope=\"col\">%s</th><th scope=\"col\">%s</th><th scope=\"col\">%s</th></tr></thead><tbody>\n",
              text_eq(c->language, TEXT("fr")) ? "Catégorie" : "Category", text_eq(c->language, TEXT("fr")) ? "Fondement" : "Ground",
              text_eq(c->language, TEXT("fr")) ? "Jusqu'au" : "Until");
    JSON_EACH(k, kept) {
        text until = json_text(k, TEXT("until"));
        buf_add(b, TEXT("<tr><td>")), buf_html(b, json_text(k, TEXT("title")));
        buf_add(b, TEXT("</td><td>")), buf_html(b, json_text(k, TEXT("ground")));
        buf_add(b, TEXT("</td><td>"));
        buf_html(b, until.p ? doc_time(c, until) : doc_in(c, TEXT("the end of the hold"), TEXT("la levée de la mesure")));
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
    head(b, doc_in(c, TEXT("Recipients who are told of the erasure (Art. 19)"), TEXT("Destinataires informés de l'effacement (art. 19)")));
    buf_add(b, TEXT("<ul>\n"));
    JSON_EACH(name, told)
        buf_add(b, TEXT("<li>")), buf_html(b, name->value), buf_add(b, TEXT("</li>\n"));
    buf_add(b, TEXT("</ul>\n"));
}

static void page_proof(struct ctx *c, struct buf *b, text json, text jws, text verifier)
{
    head(b, doc_in(c, TEXT("How to verify"), TEXT("Comment vérifier")));
    paragraph(b, doc_in(c, TEXT("The block below is this certificate as a JSON Web Signature (RFC 7515, EdDSA): its middle part "
                                "is the text under it, signed with the key shown. Inside, \"journal\" holds the entry and its "
                                "proof up to a signed checkpoint (c2sp.org/tlog-proof). On any machine:"),
                        TEXT("Le bloc ci-dessous est ce certificat sous forme de signature JSON (RFC 7515, EdDSA) : sa partie "
                             "centrale est le texte qui le suit, signé par la clé indiquée. « journal » y contient l'entrée et sa "
                             "preuve jusqu'à un point de contrôle signé (c2sp.org/tlog-proof). Sur toute machine :")));
    buf_add(b, TEXT("<pre>garant verify --certificate FILE --key '"));
    buf_html(b, verifier);
    buf_add(b, TEXT("'</pre>\n<pre class=\"jws\">")), buf_html(b, jws);
    buf_add(b, TEXT("</pre>\n<pre>")), buf_html(b, json), buf_add(b, TEXT("</pre>\n"));
}

static enum err page(struct ctx *c, text json, text jws, struct answer *out)
{
    const struct json *k;
    BUF_AUTO b = buf_make(4 << 20);
    text title = doc_in(c, TEXT("Certificate of erasure"), TEXT("Certificat d'effacement"));
    TRY(json_parse(c->arena, json, &k));
    text verifier = signer_verifier(c->arena, store_signer(ctx_store(c)));
    TRY_PTR(verifier.p);
    doc_page_open(c, &b, false, title);
    buf_add(&b, TEXT("<h1>")), buf_html(&b, title), buf_add(&b, TEXT("</h1>\n"));
    paragraph(&b, doc_in(c, TEXT("The data of the person known to the journal under the pseudonym below were erased, and the keys "
                                 "under which they were sealed destroyed: no copy, backups included, can be read any more."),
                         TEXT("Les données de la personne connue du journal sous le pseudonyme ci-dessous ont été effacées, et les "
                              "clés qui les scellaient détruites : aucune copie, sauvegardes comprises, ne peut plus être lue.")));
    page_facts(c, &b, k);
    page_kept(c, &b, json_get(k, TEXT("kept")));
    page_counts(c, &b, k);
    page_proof(c, &b, json, jws, verifier);
    doc_page_close(&b);
    *out = (struct answer){ .media_type = TEXT("text/html; charset=utf-8") };
    return buf_take(c->arena, &b, &out->body);
}

enum err certificate_shown(struct ctx *c, text id, bool html, struct answer *out)
{
    struct certificate k = { .facts = { NULL, 0 } };
    if (!id_parse(id, &k.id))
        return say(c->arena, ERR_NOT_FOUND, "there is no such certificate");
    TRY(issue(c, &k, false));
    return html ? page(c, k.json, k.jws, out) : answer_of(c, &k, out);
}

/* A certificate tells of one person: it is for them, who had it when they were erased, and for those who may erase. */
enum err certificate_get(struct ctx *c, text id, bool html, struct answer *out)
{
    if (c->actor.kind == ACTOR_PERSON) {
        say_clause(c->arena, ERR_FORBIDDEN, &c->policy->rights_clause, "a certificate is given to its person at the erasure, and later to who may erase");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    TRY(person_allow_act(c, NULL, ACT_ERASE));
    TRY(certificate_shown(c, id, html, out));
    struct write read = { .event = event_of(c, NULL, TEXT("certificate.read")) };
    return write_do(c, &read, NULL);
}
