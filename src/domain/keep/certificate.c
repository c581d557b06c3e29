/* Certificates: the facts of an erasure signed with the journal's proof; as JSON, and as a page to print. */
#include "domain/person/look_at.h"
#include "domain/keep/erasing.h"
#include "domain/person/person.h"
#include "crypt/note.h"
#include "domain/core/feature.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/core/papers.h"

/* Kept: the jws, sealed. */
struct certificate {
    struct subject_id id;
    text facts, json, jws, kept;
    uint64_t entry;
};

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
    text facts = arena_copy(c->arena, query_get(&q, CERTIFICATE_GET, facts)), jws = query_get(&q, CERTIFICATE_GET, jws);
    out->entry = (uint64_t)query_get(&q, CERTIFICATE_GET, entry);
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
    *out = query_next(&q) && !journal_forgotten(query_get(&q, JOURNAL_LEAVES, leaf))
               ? arena_copy(c->arena, query_get(&q, JOURNAL_LEAVES, leaf))
               : (text){ NULL, 0 };
    return q.status;
}

/* Everything that a verifier without this server needs: the entry, and its c2sp.org/tlog-proof up to a signed
 * checkpoint (docs/verify.md). */
static enum err put_proof(struct ctx *c, uint64_t entry, struct json_out *w)
{
    struct store *s = ctx_store(c);
    struct tree_proof path;
    struct hash root;
    text note, line;
    uint64_t size;
    BUF_AUTO base64 = buf_make(64);
    TRY(journal_checkpoint_of(s, c->arena, entry, &note, &size, &root));
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
    buf_add(&b, text_upto(k->facts, k->facts.n - 1)); /* the facts are an object: the proof is its last member */
    struct json_out w = { .b = &b, .comma = true };
    TRY(feature_certified(c, k->id, &w));
    json_name(&w, TEXT("journal"));
    TRY(put_proof(c, k->entry, &w));
    buf_char(&b, '}');
    TRY(buf_take(c->arena, &b, &k->json));
    k->jws = certificate_sign(c->arena, store_signer(ctx_store(c)), CERTIFICATE_TYPE, k->json);
    TRY_PTR(k->jws.p);
    TRY(written_seal(ctx_store(c), c->arena, c->tenant, TEXT("certificate"), k->jws, &k->kept));
    TRY(answer_of(c, k, &answer));
    struct write write = {
        .run = run_sign, .arg = k, .urgent = true, .event = event_of(c, NULL, TEXT("certificate.signed"))
    };
    return again ? write_do_again(c, &write, &answer) : store_write(ctx_store(c), c->arena, &write);
}

static enum err issue(struct ctx *c, struct certificate *k, bool again)
{
    TRY(load(c, k));
    return k->jws.p ? certificate_open(c->arena, store_signer(ctx_store(c)), CERTIFICATE_TYPE, k->jws, &k->json)
                    : sign(c, k, again);
}

enum err certificate_issue(struct ctx *c, struct subject_id id, bool again, struct answer *out)
{
    struct certificate k = { .id = id };
    TRY(issue(c, &k, again));
    return answer_of(c, &k, out);
}

enum err certificate_issue_new(struct ctx *c, const struct certified *of, bool again, struct answer *out)
{
    struct certificate k = { .id = of->id, .facts = of->facts, .entry = of->entry };
    if (!of->facts.p)
        return certificate_issue(c, of->id, again, out);
    TRY(sign(c, &k, again));
    return answer_of(c, &k, out);
}

/* ---- Verifying one, anywhere. ---- */

static enum err check_entry(struct arena *a, const struct signer *key, const struct json *journal, uint64_t *index,
                            uint64_t *size)
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
    bool same = text_eq(json_text(e, TEXT("act")), TEXT("subject.erase")) &&
                text_eq(json_text(e, TEXT("who")), json_text(k, TEXT("pseudonym"))) &&
                text_eq(json_text(e, TEXT("tenant")), json_text(k, TEXT("tenant")));
    return same ? OK : say(a, ERR_INTEGRITY, "the journal's entry is of another act than the certificate");
}

enum err certificate_verify(struct arena *a, text verifier, text certificate, struct answer *out)
{
    struct signer key;
    const struct json *k;
    uint64_t index, size;
    TRY(crypt_init(a));
    TRY(signer_parse(a, text_trim(verifier), &key));
    TRY(certificate_read(a, &key, CERTIFICATE_TYPE, TEXT("certificate"), certificate, &k));
    const struct json *journal = json_get(k, TEXT("journal"));
    TRY(check_entry(a, &key, journal, &index, &size));
    TRY(check_act(a, k, json_text(journal, TEXT("entry"))));
    out->body = arena_print(a, "{\"id\":\"%.*s\",\"kind\":\"%.*s\",\"at\":\"%.*s\",\"index\":%llu,\"size\":%llu}",
                            T(json_text(k, TEXT("id"))), T(json_text(k, TEXT("kind"))), T(json_text(k, TEXT("at"))),
                            (unsigned long long)index, (unsigned long long)size);
    return out->body.p ? OK : ERR_MEMORY;
}

enum err receipt_verify(struct arena *a, text verifier, text receipt, struct answer *out)
{
    struct signer key;
    const struct json *k;
    TRY(crypt_init(a));
    TRY(signer_parse(a, text_trim(verifier), &key));
    TRY(certificate_read(a, &key, RECEIPT_TYPE, TEXT("receipt"), receipt, &k));
    const struct json *record = json_get(k, TEXT("dpv:hasRecordOfActivity"));
    const struct json *status = json_get(record, TEXT("dpv:hasConsentStatus")),
                      *process = json_get(record, TEXT("dpv:hasProcess"));
    const struct json *first = status ? status->first : NULL, *type = json_get(first, TEXT("@type"));
    const struct json *purpose = process && process->first ? json_get(process->first, TEXT("dpv:hasPurpose")) : NULL;
    if (!type || !type->first || !purpose)
        return say(a, ERR_INTEGRITY, "what was signed is no receipt of a consent");
    out->body = arena_print(a, "{\"id\":\"%.*s\",\"purpose\":\"%.*s\",\"decision\":\"%.*s\",\"at\":\"%.*s\"}",
                            T(json_text(k, TEXT("@id"))), T(json_text(purpose, TEXT("@id"))), T(type->first->value),
                            T(json_text(first, TEXT("dpv:isIndicatedAtTime"))));
    return out->body.p ? OK : ERR_MEMORY;
}

enum err certificate_shown(struct ctx *c, text id, bool html, struct answer *out)
{
    struct certificate k = { .facts = { NULL, 0 } };
    if (!id_parse(id, &k.id))
        return say(c->arena, ERR_NOT_FOUND, "there is no such certificate");
    TRY(issue(c, &k, false));
    if (!html)
        return answer_of(c, &k, out);
    text verifier = signer_verifier(c->arena, store_signer(ctx_store(c)));
    TRY_PTR(verifier.p);
    return c->app->papers->certificate(c, k.json, k.jws, verifier, out);
}

struct getting {
    text id;
    bool html;
    struct answer answer;
};

static enum err may_get(struct ctx *c, struct look *l)
{
    struct getting *g = l->arg;
    TRY(person_allow_act(c, NULL, ACT_ERASE));
    return certificate_shown(c, g->id, g->html, &g->answer);
}

static enum err give_certificate(struct ctx *c, struct look *l, struct answer *out)
{
    *out = ((const struct getting *)l->arg)->answer;
    return c ? OK : ERR_INTERNAL;
}

/* A certificate tells of one person: it is for them, who had it when they were erased, and for those who may erase. */
enum err certificate_get(struct ctx *c, text id, bool html, struct answer *out)
{
    struct getting g = { .id = id, .html = html };
    struct look l = { .act = TEXT("certificate.read"), .may = may_get, .give = give_certificate, .arg = &g };
    if (c->actor.kind == ACTOR_PERSON) {
        say_clause(c->arena, ERR_FORBIDDEN, &c->policy->rights_clause,
                   "a certificate is given to its person at the erasure, and later to who may erase");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    return look_at_person(c, (text){ NULL, 0 }, &l, out);
}
