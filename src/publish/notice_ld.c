/* The notice as data: JSON-LD in the Data Privacy Vocabulary (DPV 2.3), in the shape of its records of dpv-27560.
 * Labels are the policy's. */
#include "publish/notice.h"

static const struct {
    text path, word, term;
} terms[] = {
#define DPV(path, word, term) { TEXT_INIT(path), TEXT_INIT(word), TEXT_INIT(term) },
#include "publish/dpv.def"
#undef DPV
};

static const text context = TEXT_INIT(
    "{\"dpv\":\"https://w3id.org/dpv#\",\"pd\":\"https://w3id.org/dpv/pd#\",\"loc\":\"https://w3id.org/dpv/loc#\","
    "\"eu-gdpr\":\"https://w3id.org/dpv/legal/eu/gdpr#\",\"legal-eu\":\"https://w3id.org/dpv/legal/eu#\",\"legal-fr\":\"https://w3id.org/dpv/legal/fr#\","
    "\"dct\":\"http://purl.org/dc/terms/\",\"skos\":\"http://www.w3.org/2004/02/skos/core#\",\"xsd\":\"http://www.w3.org/2001/XMLSchema#\","
    "\"rdf\":\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\","
    "\"dct:conformsTo\":{\"@type\":\"@id\"},\"dct:issued\":{\"@type\":\"xsd:date\"},\"dpv:hasPurpose\":{\"@type\":\"@id\"},"
    "\"dpv:hasPersonalData\":{\"@type\":\"@id\"},\"dpv:hasDataController\":{\"@type\":\"@id\"},\"dpv:hasRecipient\":{\"@type\":\"@id\"},"
    "\"dpv:hasLegalBasis\":{\"@type\":\"@id\"},\"dpv:hasJurisdiction\":{\"@type\":\"@id\"},\"dpv:hasApplicableLaw\":{\"@type\":\"@id\"},"
    "\"dpv:hasAuthority\":{\"@type\":\"@id\"},\"dpv:hasLocation\":{\"@type\":\"@id\"},\"dpv:hasCountry\":{\"@type\":\"@id\"},"
    "\"skos:broader\":{\"@type\":\"@id\"},\"dpv:hasNecessity\":{\"@type\":\"@id\"},\"dpv:hasDataSource\":{\"@type\":\"@id\"}}");

struct ld {
    struct json_out w;
    struct words en, fr;
    const struct node *root;
    struct arena *a;
    text id;
};

static text term_of(const char *path, text word)
{
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
        if (text_eq(terms[i].path, text_of(path)) && text_eq(terms[i].word, word))
            return terms[i].term;
    return (text){ NULL, 0 };
}

static text get(const struct node *n, const char *key) { return node_text(n, text_of(key)); }

static void pair(struct ld *l, const char *name, text value)
{
    if (value.n)
        json_pair(&l->w, text_of(name), value);
}

/* "urn:garant:myportal:purpose:news": names of the file, stable over versions. */
static void put_id(struct ld *l, const char *name, const char *kind, text key)
{
    json_pair(&l->w, text_of(name), arena_print(l->a, "urn:garant:%.*s:%s:%.*s", T(l->id), kind, T(key)));
}

static void put_said(struct ld *l, const char *name, text en, text fr)
{
    const struct {
        const char *language;
        text value;
    } all[] = { { "fr", fr }, { "en", en } };
    json_name(&l->w, text_of(name));
    json_open(&l->w, '[');
    for (size_t i = 0; i < 2; i++) {
        json_open(&l->w, '{');
        json_pair(&l->w, TEXT("@value"), all[i].value);
        json_pair(&l->w, TEXT("@language"), text_of(all[i].language));
        json_close(&l->w, '}');
    }
    json_close(&l->w, ']');
}

static void put_title(struct ld *l, const char *name, const struct node *n)
{
    put_said(l, name, words_title(&l->en, n), words_title(&l->fr, n));
}

/* ISO 8601: "P12M", "PT30M". */
static text duration(struct ld *l, struct term t)
{
    switch (t.unit) {
    case TERM_MINUTES:
        return arena_print(l->a, "PT%dM", t.count);
    case TERM_HOURS:
        return arena_print(l->a, "PT%dH", t.count);
    case TERM_DAYS:
        return arena_print(l->a, "P%dD", t.count);
    case TERM_MONTHS:
        return arena_print(l->a, "P%dM", t.count);
    case TERM_YEARS:
        return arena_print(l->a, "P%dY", t.count);
    case TERM_UNSET:
    case TERM_ALWAYS:
        break;
    }
    return (text){ NULL, 0 };
}

static void put_duration(struct ld *l, const struct node *retention, const char *key, const char *type)
{
    struct term t;
    text span = term_parse(get(retention, key), &t) ? duration(l, t) : (text){ NULL, 0 };
    if (!span.n)
        return;
    json_open(&l->w, '{');
    json_pair(&l->w, TEXT("@type"), text_of(type));
    json_name(&l->w, TEXT("dpv:hasDuration"));
    json_open(&l->w, '{');
    json_pair(&l->w, TEXT("@type"), TEXT("dpv:TemporalDuration"));
    json_pair(&l->w, TEXT("rdf:value"), span);
    json_close(&l->w, '}');
    put_said(l, "dct:description", words_retention(&l->en, retention), words_retention(&l->fr, retention));
    json_close(&l->w, '}');
}

static void put_storage(struct ld *l, const struct node *category)
{
    const struct node *retention = node_get(node_get(l->root, TEXT("retention")), category->key);
    const struct node *countries = node_get(node_get(l->root, TEXT("hosting")), TEXT("countries"));
    json_name(&l->w, TEXT("dpv:hasStorageCondition"));
    json_open(&l->w, '[');
    if (countries) {
        json_open(&l->w, '{');
        json_pair(&l->w, TEXT("@type"), TEXT("dpv:StorageLocation"));
        json_name(&l->w, TEXT("dpv:hasLocation"));
        json_open(&l->w, '[');
        for (const struct node *c = countries->kind == NODE_SCALAR ? countries : countries->first; c;
             c = countries->kind == NODE_SCALAR ? NULL : c->next)
            json_put_text(&l->w, arena_print(l->a, "loc:%.*s", T(c->value)));
        json_close(&l->w, ']');
        json_close(&l->w, '}');
    }
    put_duration(l, retention, "active", "dpv:StorageDuration");
    put_duration(l, node_get(category, TEXT("transient")), "for", "dpv:StorageDuration");
    json_close(&l->w, ']');
}

static void put_sources(struct ld *l, const struct node *category)
{
    const struct node *source = node_get(category, TEXT("source"));
    json_name(&l->w, TEXT("dpv:hasDataSource"));
    json_open(&l->w, '[');
    if (!source || node_has(source, TEXT("person")))
        json_put_text(&l->w, TEXT("dpv:DataSubjectDataSource"));
    NODE_EACH(other, node_get(l->root, TEXT("sources")))
        if (node_has(source, other->key))
            json_put_text(&l->w, text_eq(get(other, "third_party"), TEXT("true"))
                                     ? TEXT("dpv:ThirdPartyDataSource")
                                     : TEXT("dpv:DataControllerDataSource"));
    json_close(&l->w, ']');
}

static void put_category(struct ld *l, const struct node *category)
{
    bool required = false;
    NODE_EACH(field, node_get(category, TEXT("fields")))
        required |= text_eq(get(field, "required"), TEXT("true"));
    json_open(&l->w, '{');
    put_id(l, "@id", "data", category->key);
    json_name(&l->w, TEXT("@type"));
    json_open(&l->w, '[');
    json_put_text(&l->w, TEXT("dpv:PersonalData"));
    if (text_eq(get(category, "special"), TEXT("true")))
        json_put_text(&l->w, TEXT("dpv:SpecialCategoryPersonalData"));
    json_close(&l->w, ']');
    put_title(l, "skos:prefLabel", category);
    pair(l, "skos:broader", get(category, "dpv"));
    json_pair(&l->w, TEXT("dpv:hasNecessity"), required ? TEXT("dpv:Required") : TEXT("dpv:Optional"));
    put_sources(l, category);
    put_storage(l, category);
    json_close(&l->w, '}');
}

/* Ids of what `map` holds and lists that word under `key`. */
static void put_refs(struct ld *l, const char *name, const char *map, const char *key, text word, const char *kind)
{
    json_name(&l->w, text_of(name));
    json_open(&l->w, '[');
    const struct node *all = node_get(l->root, text_of(map));
    NODE_EACH(one, all && all->kind == NODE_MAP ? all : NULL)
        if (node_has(node_get(one, text_of(key)), word))
            json_put_text(&l->w, arena_print(l->a, "urn:garant:%.*s:%s:%.*s", T(l->id), kind, T(one->key)));
    json_close(&l->w, ']');
}

static void put_purpose(struct ld *l, const struct node *purpose)
{
    json_open(&l->w, '{');
    put_id(l, "@id", "process", purpose->key);
    json_pair(&l->w, TEXT("@type"), TEXT("dpv:Process"));
    pair(l, "dpv:hasLegalBasis", term_of("purposes.*.basis", get(purpose, "basis")));
    json_name(&l->w, TEXT("dpv:hasPurpose"));
    json_open(&l->w, '{');
    put_id(l, "@id", "purpose", purpose->key);
    json_pair(&l->w, TEXT("@type"), TEXT("dpv:Purpose"));
    pair(l, "skos:broader", get(purpose, "dpv"));
    put_title(l, "dct:description", purpose);
    json_close(&l->w, '}');
    json_name(&l->w, TEXT("dpv:hasPersonalData"));
    json_open(&l->w, '[');
    NODE_EACH(category, node_get(l->root, TEXT("categories")))
        if (node_has(node_get(purpose, TEXT("categories")), category->key))
            json_put_text(&l->w, arena_print(l->a, "urn:garant:%.*s:data:%.*s", T(l->id), T(category->key)));
    json_close(&l->w, ']');
    put_refs(l, "dpv:hasRecipient", "recipients", "purposes", purpose->key, "recipient");
    json_close(&l->w, '}');
}

static void put_recipient(struct ld *l, const struct node *r)
{
    json_open(&l->w, '{');
    put_id(l, "@id", "recipient", r->key);
    json_pair(&l->w, TEXT("@type"),
              text_eq(get(r, "processor"), TEXT("true")) ? TEXT("dpv:DataProcessor") : TEXT("dpv:Recipient"));
    json_pair(&l->w, TEXT("dpv:hasName"), get(r, "name").n ? get(r, "name") : words_title(&l->en, r));
    if (get(r, "country").n)
        json_pair(&l->w, TEXT("dpv:hasCountry"), arena_print(l->a, "loc:%.*s", T(get(r, "country"))));
    json_close(&l->w, '}');
}

static void put_controller(struct ld *l)
{
    const struct node *c = node_get(l->root, TEXT("controller"));
    json_name(&l->w, TEXT("dpv:hasDataController"));
    json_open(&l->w, '{');
    put_id(l, "@id", "controller", TEXT("self"));
    json_pair(&l->w, TEXT("@type"), TEXT("dpv:DataController"));
    pair(l, "dpv:hasName", get(c, "legal_name"));
    pair(l, "dpv:hasIdentifier", get(c, "registration"));
    pair(l, "dpv:hasAddress", get(c, "address"));
    pair(l, "dpv:hasContact", get(c, "email"));
    json_close(&l->w, '}');
    if (get(c, "country").n)
        json_pair(&l->w, TEXT("dpv:hasJurisdiction"), arena_print(l->a, "loc:%.*s", T(get(c, "country"))));
    json_pair(&l->w, TEXT("dpv:hasApplicableLaw"), TEXT("legal-eu:law-GDPR"));
    text authority = node_text(l->root, TEXT("authority"));
    if (text_eq(authority, TEXT("CNIL")))
        json_pair(&l->w, TEXT("dpv:hasAuthority"), TEXT("legal-fr:DPA-FR"));
    else if (authority.n) {
        json_name(&l->w, TEXT("dpv:hasAuthority"));
        json_open(&l->w, '{');
        json_pair(&l->w, TEXT("@type"), TEXT("dpv:DataProtectionAuthority"));
        json_pair(&l->w, TEXT("dpv:hasName"), authority);
        json_close(&l->w, '}');
    }
}

static void put_rights(struct ld *l)
{
    const struct node *rights = node_get(l->root, TEXT("rights")),
                      *site = node_get(node_get(l->root, TEXT("controller")), TEXT("site"));
    json_name(&l->w, TEXT("dpv:hasRight"));
    json_open(&l->w, '[');
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        if (!text_eq(terms[i].path, TEXT("rights.offered")) ||
            !node_has(node_get(rights, TEXT("offered")), terms[i].word))
            continue;
        json_open(&l->w, '{');
        json_name(&l->w, TEXT("@type"));
        json_open(&l->w, '[');
        json_put_text(&l->w, TEXT("dpv:DataSubjectRight"));
        json_put_text(&l->w, terms[i].term);
        json_close(&l->w, ']');
        put_said(l, "skos:prefLabel", words_label(&l->en, "rights.offered", terms[i].word),
                 words_label(&l->fr, "rights.offered", terms[i].word));
        if (site) {
            json_name(&l->w, TEXT("dpv:isExercisedAt"));
            json_open(&l->w, '{');
            json_pair(&l->w, TEXT("@id"), arena_print(l->a, "%.*s/privacy#s-rights", T(site->value)));
            json_close(&l->w, '}');
        }
        json_close(&l->w, '}');
    }
    json_close(&l->w, ']');
}

static void put_all(struct ld *l, const char *name, const char *map, void (*put)(struct ld *l, const struct node *n))
{
    const struct node *all = node_get(l->root, text_of(map));
    json_name(&l->w, text_of(name));
    json_open(&l->w, '[');
    NODE_EACH(one, all && all->kind == NODE_MAP ? all : NULL)
        put(l, one);
    json_close(&l->w, ']');
}

enum err notice_jsonld(struct arena *a, struct buf *b, const struct node *root, text hash)
{
    struct ld l = { .w = json_out(b), .root = root, .a = a };
    const struct node *policy = node_get(root, TEXT("policy"));
    TRY(words_make(a, root, TEXT("en"), &l.en));
    TRY(words_make(a, root, TEXT("fr"), &l.fr));
    l.id = get(policy, "id").n ? get(policy, "id") : TEXT("policy");
    json_open(&l.w, '{');
    json_name(&l.w, TEXT("@context"));
    json_put_raw(&l.w, context);
    json_pair(&l.w, TEXT("@id"),
              arena_print(a, "urn:garant:%.*s:notice:%.*s", T(l.id), T(hash.n ? hash : TEXT("draft"))));
    json_pair(&l.w, TEXT("@type"), TEXT("dpv:PrivacyNotice"));
    json_pair(&l.w, TEXT("dct:conformsTo"), TEXT("https://w3id.org/dpv/2.3"));
    pair(&l, "dct:hasVersion", get(policy, "version"));
    pair(&l, "dct:issued", get(policy, "date"));
    pair(&l, "dpv:hasIdentifier", hash);
    put_controller(&l);
    put_all(&l, "dpv:hasProcess", "purposes", put_purpose);
    put_all(&l, "dpv:hasPersonalData", "categories", put_category);
    put_all(&l, "dpv:hasRecipient", "recipients", put_recipient);
    put_rights(&l);
    json_close(&l.w, '}');
    return OK;
}
