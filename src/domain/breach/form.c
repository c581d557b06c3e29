/* The notification of a breach in the authority's fields: as members, as what they still lack, and as a text to paste;
 * and what is told to the public. */
#include "domain/breach/inside.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/write.h"
#include "policy/schema.h"

enum { FORM_MAX = 1 << 18, PUBLIC_MOST = 50 };

/* ---- What the authority asks for, by stage. ---- */

static const struct {
    enum breach_fact fact;
    enum breach_stage from;
} needed[] = {
    { FACT_what, STAGE_initial },  { FACT_nature, STAGE_initial }, { FACT_began, STAGE_final },
    { FACT_discovery, STAGE_final }, { FACT_origin, STAGE_final }, { FACT_cause, STAGE_final },
    { FACT_before, STAGE_final },  { FACT_effects, STAGE_final },  { FACT_remedy, STAGE_final },
};
enum { LACKS_MOST = sizeof needed / sizeof *needed + 3 };

/* The n-th thing that the form of that stage lacks; p NULL behind the last. */
static text lacks(const struct breach *b, enum breach_stage stage, unsigned n)
{
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (needed[i].from <= stage && !b->facts[needed[i].fact].n && !n--)
            return breach_facts[needed[i].fact].name;
    if (stage != STAGE_final)
        return (text){ NULL, 0 };
    if (b->people < 0 && !n--)
        return TEXT("people");
    if (b->risk == RISKS && !n--)
        return TEXT("risk");
    if (b->risk != RISKS && b->how == HOWS && breach_obliges(b) == OBLIGES_people && !n--)
        return TEXT("how");
    return (text){ NULL, 0 };
}

bool breach_is_missing(const struct breach *b, enum breach_stage stage, const char **what)
{
    text first = lacks(b, stage, 0);
    *what = first.p;
    return first.p != NULL;
}

void breach_put_missing(const struct breach *b, enum breach_stage stage, struct json_out *w)
{
    json_name(w, TEXT("missing"));
    json_open(w, '[');
    for (unsigned i = 0; lacks(b, stage, i).p; i++)
        json_put_text(w, lacks(b, stage, i));
    json_close(w, ']');
}

/* ---- The fields. ---- */

struct form {
    struct ctx *c;
    const struct breach *b;
    struct json_out *w;
    struct buf *plain; /* the same to paste */
};

static void put(struct form *f, const char *name, text title, text value)
{
    json_open(f->w, '{');
    json_pair(f->w, TEXT("field"), text_of(name));
    json_pair(f->w, TEXT("title"), title);
    json_pair(f->w, TEXT("value"), value.n ? value : (text){ NULL, 0 });
    json_close(f->w, '}');
    buf_add(f->plain, title);
    buf_add(f->plain, doc_in(f->c, TEXT(": "), TEXT(" : ")));
    buf_add(f->plain, value.n ? value : TEXT("–"));
    buf_char(f->plain, '\n');
}

static void put_said(struct form *f, const char *name, const char *en, const char *fr, text value)
{
    put(f, name, doc_in(f->c, text_of(en), text_of(fr)), value);
}

static text when(struct form *f, msec at) { return at ? doc_time(f->c, time_print(f->c->arena, at)) : TEXT(""); }

static void put_who(struct form *f)
{
    struct ctx *c = f->c;
    const struct controller own = ctx_controller(c);
    const struct node *root = c->policy->root, *dpo = node_at(root, TEXT("dpo"));
    put_said(f, "controller", "Controller", "Responsable du traitement", own.legal_name);
    put_said(f, "registration", "Company number", "Numéro d'immatriculation (SIREN)",
             node_text(node_at(root, TEXT("controller")), TEXT("registration")));
    put_said(f, "address", "Address", "Adresse", own.address);
    put_said(f, "dpo", "Data protection officer", "Délégué à la protection des données", node_text(dpo, TEXT("name")));
    text contact = node_text(dpo, TEXT("email"));
    put_said(f, "contact", "Contact for more information", "Contact pour plus d'informations",
             contact.n ? contact : own.email);
}

static text processors(struct form *f)
{
    const struct policy *p = f->c->policy;
    BUF_AUTO b = buf_make(1 << 14);
    for (unsigned i = 0; i < p->actor_count; i++)
        if (p->actors[i].processor) {
            buf_add(&b, b.n ? TEXT(", ") : TEXT(""));
            buf_add(&b, doc_recipient(f->c, (int)i));
        }
    return buf_made(f->c->arena, &b);
}

static text counted(struct form *f, const char *list, bool countries)
{
    const struct json *all;
    struct ctx *c = f->c;
    BUF_AUTO b = buf_make(1 << 16);
    if (!f->b->file.counts.n || json_parse(c->arena, f->b->file.counts, &all) != OK)
        return TEXT("");
    JSON_EACH(row, json_get(all, text_of(list))) {
        text name = json_text(row, countries ? TEXT("country") : TEXT("category"));
        int at = countries ? -1 : policy_category(c->policy, name);
        const struct country *country = countries ? country_of(name) : NULL;
        if (country)
            name = doc_in(c, country->en, country->fr);
        else if (countries)
            name = name.n ? name : doc_in(c, TEXT("not known"), TEXT("non connu"));
        else if (at >= 0)
            name = doc_category(c, &c->policy->categories[at]);
        int64_t people = 0;
        json_int(json_get(row, TEXT("people")), &people);
        buf_print(&b, "%s%.*s (%lld)", b.n ? ", " : "", T(name), (long long)people);
    }
    return buf_made(c->arena, &b);
}

static void put_facts(struct form *f)
{
    for (unsigned i = 0; i < FACT_lessons; i++) {
        char name[32];
        if (text_cstr(breach_facts[i].name, name, sizeof name))
            put(f, name, doc_in(f->c, breach_facts[i].en, breach_facts[i].fr), f->b->facts[i]);
    }
}

static text number(struct form *f, int64_t n)
{
    return n < 0 ? TEXT("") : arena_print(f->c->arena, "%lld", (long long)n);
}

static text row_says(struct form *f, const struct breach_row *rows, unsigned count, unsigned at)
{
    return at < count ? doc_in(f->c, rows[at].en, rows[at].fr) : TEXT("");
}

/* Why what leaked is no use to anybody (Art. 34(3)(a)): what the policy says of its encryption, and where keys are. */
static text sealed_proof(struct form *f)
{
    const struct node *how = node_at(f->c->policy->root, TEXT("security.encryption"));
    text algorithm = node_text(how, TEXT("algorithm")), bits = node_text(how, TEXT("key_bits"));
    if (f->b->how != HOW_sealed)
        return TEXT("");
    return arena_print(f->c->arena, "%.*s: %.*s, %.*s bits. %.*s",
                       T(doc_in(f->c, TEXT("Encrypted under a key of each person"), TEXT("Chiffrées par une clé propre à chacun"))),
                       T(algorithm.n ? algorithm : TEXT("XChaCha20-Poly1305")), T(bits.n ? bits : TEXT("256")),
                       T(doc_in(f->c, TEXT("The keys stand in a file of their own, wrapped by the master key, which is kept apart."),
                                TEXT("Les clés sont dans un fichier à part, protégées par la clé maîtresse, conservée ailleurs."))));
}

static void put_people(struct form *f)
{
    const struct breach *b = f->b;
    put_said(f, "people", "People affected, about", "Personnes touchées, environ", number(f, b->people));
    put_said(f, "countries", "By country", "Par pays", counted(f, "countries", true));
    put_said(f, "categories", "Categories of data, with the people of each", "Catégories de données, avec les personnes de chacune",
             counted(f, "categories", false));
    put_said(f, "risk", "Gravity", "Gravité", row_says(f, breach_risks, RISKS, b->risk));
    put_said(f, "reasons", "Reasons for it", "Motifs de cette gravité", b->file.reasons);
    put_said(f, "how", "How people are told", "Information des personnes", row_says(f, breach_hows, HOWS, b->how));
    put_said(f, "informed_on", "Told on", "Date de l'information", when(f, b->telling));
    put_said(f, "informed", "People written to", "Personnes informées par courriel", number(f, b->telling ? b->letters : -1));
    put_said(f, "told", "What they are told, or why they are not", "Ce qui leur est dit, ou pourquoi rien ne l'est", b->file.told);
    put_said(f, "sealed_proof", "Encryption", "Chiffrement", sealed_proof(f));
    put_said(f, "late_subjects", "Why people were told late", "Motif du retard envers les personnes", b->file.late_subjects);
}

static enum err put_fields(struct form *f, enum breach_stage stage)
{
    const struct breach *b = f->b;
    if (b->drill)
        put_said(f, "drill", "DRILL: do not send", "EXERCICE : ne pas envoyer", TEXT("!"));
    put_said(f, "stage", "Type of notification", "Type de notification", row_says(f, breach_stages, STAGES, stage));
    put_said(f, "reference", "Our reference", "Notre référence", id_print(f->c->arena, b->id));
    put_said(f, "receipt", "The authority's reference", "Référence de l'autorité", b->file.receipt);
    put_who(f);
    put_said(f, "processors", "Processors", "Sous-traitants", processors(f));
    put_said(f, "known", "We have known since", "Nous en avons connaissance depuis", when(f, b->known));
    put_said(f, "authority_by", "To be notified by", "À notifier avant", when(f, b->clock.authority));
    put_said(f, "late_authority", "Why the notification is late", "Motif du retard de la notification", b->file.late_authority);
    put_facts(f);
    put_people(f);
    return arena_whole(f->c->arena);
}

enum err breach_form(struct ctx *c, text id, text stage, struct answer *out)
{
    struct breach b;
    BUF_AUTO buf = buf_make(FORM_MAX * 4);
    BUF_AUTO plain = buf_make(FORM_MAX);
    struct json_out w = json_out(&buf);
    struct form f = { .c = c, .b = &b, .w = &w, .plain = &plain };
    TRY(breach_may(c));
    TRY(breach_load_named(c, id, &b));
    unsigned at = breach_row_named(breach_stages, STAGES, stage);
    if (!stage.n)
        at = b.stage == STAGES ? STAGE_initial : STAGE_final;
    if (at == STAGES)
        return say(c->arena, ERR_VALUE, "\"stage\" is one of initial, complementary, final");
    json_open(&w, '{');
    json_pair(&w, TEXT("stage"), breach_stages[at].name);
    json_pair_bool(&w, TEXT("drill"), b.drill);
    json_name(&w, TEXT("fields"));
    json_open(&w, '[');
    TRY(put_fields(&f, (enum breach_stage)at));
    json_close(&w, ']');
    breach_put_missing(&b, (enum breach_stage)at, &w);
    json_name(&w, TEXT("text"));
    json_put_text_of(&w, &plain);
    json_close(&w, '}');
    return buf_take(c->arena, &buf, &out->body);
}

/* ---- To the public. ---- */

static enum err load_public(struct ctx *c, struct subject_id *out, unsigned *count)
{
    static const struct subject_id first;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_PUBLIC, ARGS(V_TEXT(c->tenant), V_INT(INT64_MIN), V_ID(first), V_INT(PUBLIC_MOST)));
    for (*count = 0; *count < PUBLIC_MOST && query_next(&q); ++*count)
        memcpy(&out[*count], query_get(&q, BREACH_PUBLIC, id).p, SUBJECT_ID);
    return q.status;
}

enum err breach_public(struct ctx *c, struct answer *out)
{
    struct subject_id all[PUBLIC_MOST];
    unsigned count;
    BUF_AUTO buf = buf_make(1 << 20);
    struct json_out w = json_out(&buf);
    TRY(load_public(c, all, &count));
    json_open(&w, '{');
    json_name(&w, TEXT("notices"));
    json_open(&w, '[');
    for (unsigned i = 0; i < count; i++) {
        struct breach b;
        TRY(breach_load(c, all[i], &b));
        json_open(&w, '{');
        json_pair(&w, TEXT("known"), time_print(c->arena, b.known));
        json_pair(&w, TEXT("at"), time_print(c->arena, b.telling));
        json_pair(&w, TEXT("text"), b.file.told);
        json_pair(&w, TEXT("effects"), b.facts[FACT_effects].n ? b.facts[FACT_effects] : (text){ NULL, 0 });
        json_pair(&w, TEXT("remedy"), b.facts[FACT_remedy].n ? b.facts[FACT_remedy] : (text){ NULL, 0 });
        json_pair(&w, TEXT("advice"), b.facts[FACT_advice].n ? b.facts[FACT_advice] : (text){ NULL, 0 });
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(c->arena, &buf, &out->body);
}
