/* Receipts of consent: a row of the ledger in the words of the Data Privacy Vocabulary, signed. */
#include "domain/receipt/receipt.h"
#include "crypt/note.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/person/consent.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"
#include "domain/version/find.h"

enum { RECEIPT_BYTES = 1 << 20, NAME_BYTES = 16 };

/* The context names every prefix and, of each property whose value is an IRI or a time, that it is one: a processor
 * then reads the record without asking anybody. */
static const char context[] =
    "{\"dpv\":\"https://w3id.org/dpv#\",\"pd\":\"https://w3id.org/dpv/pd#\",\"loc\":\"https://w3id.org/dpv/loc#\","
    "\"eu-gdpr\":\"https://w3id.org/dpv/legal/eu/gdpr#\",\"legal-eu\":\"https://w3id.org/dpv/legal/eu#\","
    "\"legal-fr\":\"https://w3id.org/dpv/legal/fr#\",\"dct\":\"http://purl.org/dc/terms/\","
    "\"skos\":\"http://www.w3.org/2004/02/skos/core#\",\"xsd\":\"http://www.w3.org/2001/XMLSchema#\","
    "\"rdf\":\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\",\"dct:conformsTo\":{\"@type\":\"@id\"},"
    "\"dct:created\":{\"@type\":\"xsd:dateTime\"},\"dpv:hasRecordOfActivity\":{\"@type\":\"@id\"},"
    "\"dpv:hasPurpose\":{\"@type\":\"@id\"},\"dpv:hasPersonalData\":{\"@type\":\"@id\"},"
    "\"dpv:hasDataController\":{\"@type\":\"@id\"},\"dpv:hasRecipient\":{\"@type\":\"@id\"},"
    "\"dpv:hasLegalBasis\":{\"@type\":\"@id\"},\"dpv:hasJurisdiction\":{\"@type\":\"@id\"},"
    "\"dpv:hasApplicableLaw\":{\"@type\":\"@id\"},\"dpv:hasAuthority\":{\"@type\":\"@id\"},"
    "\"dpv:hasLocation\":{\"@type\":\"@id\"},\"dpv:isIndicatedBy\":{\"@type\":\"@id\"},"
    "\"dpv:isIndicatedAtTime\":{\"@type\":\"xsd:dateTime\"},\"dpv:isExercisedAt\":{\"@type\":\"@id\"},"
    "\"skos:broader\":{\"@type\":\"@id\"},\"dpv:hasNecessity\":{\"@type\":\"@id\"},"
    "\"dpv:hasDataSource\":{\"@type\":\"@id\"}}";

/* What it is told from: the row, and the policy under which it was decided. */
struct telling {
    struct ctx *c;
    const struct person *p;
    struct consent_row row;
    const struct node *root, *purpose;
    text language, id, record, subject;
};

/* ---- Names. ---- */

/* A UUID of form 8 (RFC 9562) that the same row has at each request: nothing is stored for it. */
static text uuid_of(const struct telling *t, const char *what)
{
    uint8_t b[NAME_BYTES];
    struct digest d;
    char hex[2 * NAME_BYTES + 1];
    const struct consent_row *r = &t->row;
    text said = arena_print(t->c->arena, "%s\n%.*s\n%.*s\n%.*s\n%.*s\n%lld", what, T(t->c->tenant),
                            T(id_print(t->c->arena, t->p->id)), T(r->purpose), T(r->channel), (long long)r->seq);
    if (!said.p)
        return said;
    digest_identifier(store_index_key(ctx_store(t->c)), t->c->tenant, TEXT("receipt"), said, &d);
    memcpy(b, &d, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0F) | 0x80);
    b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
    for (size_t i = 0; i < sizeof b; i++)
        snprintf(hex + 2 * i, 3, "%02x", b[i]);
    return arena_print(t->c->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static text public_link(const struct telling *t, text path)
{
    const char *url = t->c->app->public_url;
    return arena_print(t->c->arena, "%s%.*s", url[0] ? url : "urn:garant:", T(path));
}

static text urn(const struct telling *t, const char *kind, text name)
{
    return arena_print(t->c->arena, "urn:garant:%s:%.*s", kind, T(name));
}

static void put_said(struct json_out *w, text name, text value, text language)
{
    json_name(w, name);
    json_open(w, '{');
    json_pair(w, TEXT("@value"), value);
    json_pair(w, TEXT("@language"), language);
    json_close(w, '}');
}

static void open_typed(struct json_out *w, const char *type)
{
    json_open(w, '{');
    json_pair(w, TEXT("@type"), text_of(type));
}

/* ---- Durations (ISO 8601). ---- */

static text duration_of(const struct telling *t, text term)
{
    static const struct {
        text unit;
        const char *form;
    } units[] = { { TEXT_INIT("y"), "P%lldY" },  { TEXT_INIT("mo"), "P%lldM" }, { TEXT_INIT("w"), "P%lldW" },
                  { TEXT_INIT("d"), "P%lldD" },  { TEXT_INIT("h"), "PT%lldH" }, { TEXT_INIT("m"), "PT%lldM" },
                  { TEXT_INIT("min"), "PT%lldM" } };
    size_t digits = 0;
    int64_t n = 0;
    while (digits < term.n && term.p[digits] >= '0' && term.p[digits] <= '9')
        digits++;
    if (!text_int(text_upto(term, digits), &n))
        return (text){ NULL, 0 };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text_eq(text_from(term, digits), units[i].unit)) {
            char printed[32];
            size_t k = 0;
            for (const char *f = units[i].form; *f && k + 24 < sizeof printed; f++)
                if (f[0] == '%') {
                    k += (size_t)snprintf(printed + k, sizeof printed - k, "%lld", (long long)n);
                    f += 3;
                } else
                    printed[k++] = *f;
            return arena_copy(t->c->arena, (text){ printed, k });
        }
    return (text){ NULL, 0 };
}

static void put_duration(struct json_out *w, const char *type, text value)
{
    json_name(w, TEXT("dpv:hasDuration"));
    open_typed(w, type);
    json_pair(w, TEXT("rdf:value"), value);
    json_close(w, '}');
}

/* ---- The process. ---- */

static void put_purpose(const struct telling *t, struct json_out *w)
{
    text broader = node_text(t->purpose, TEXT("dpv")), title = node_said(node_get(t->purpose, TEXT("title")), t->language);
    json_name(w, TEXT("dpv:hasPurpose"));
    open_typed(w, "dpv:Purpose");
    json_pair(w, TEXT("@id"), urn(t, "purpose", t->row.purpose));
    if (broader.n)
        json_pair(w, TEXT("skos:broader"), broader);
    if (t->row.channel.n)
        title = arena_print(t->c->arena, "%.*s (%.*s)", T(title), T(t->row.channel));
    put_said(w, TEXT("dct:description"), title, t->language);
    json_close(w, '}');
}

static const struct node *category_node(const struct telling *t, text name)
{
    return node_get(node_get(t->root, TEXT("categories")), name);
}

static void put_category(const struct telling *t, text name, struct json_out *w)
{
    const struct node *category = category_node(t, name);
    text broader = node_text(category, TEXT("dpv"));
    open_typed(w, "dpv:PersonalData");
    json_pair(w, TEXT("@id"), urn(t, "data", name));
    if (broader.n)
        json_pair(w, TEXT("skos:broader"), broader);
    put_said(w, TEXT("dct:description"), node_said(node_get(category, TEXT("title")), t->language), t->language);
    json_close(w, '}');
}

static void put_data(const struct telling *t, struct json_out *w)
{
    const struct node *categories = node_get(t->purpose, TEXT("categories"));
    json_name(w, TEXT("dpv:hasPersonalData"));
    json_open(w, '[');
    NODE_EACH(one, categories)
        put_category(t, one->value, w);
    if (!categories->first)
        put_category(t, categories->value, w);
    json_close(w, ']');
}

/* The controller, and who receives something for this purpose. */
static void put_recipients(const struct telling *t, struct json_out *w)
{
    json_name(w, TEXT("dpv:hasRecipient"));
    json_open(w, '[');
    json_put_text(w, urn(t, "controller", t->c->tenant));
    NODE_EACH(one, node_get(t->root, TEXT("recipients")))
        if (node_has(node_get(one, TEXT("purposes")), t->row.purpose)) {
            open_typed(w, "dpv:Recipient");
            json_pair(w, TEXT("@id"), urn(t, "recipient", one->key));
            put_said(w, TEXT("dpv:hasName"), node_said(node_get(one, TEXT("title")), t->language), t->language);
            json_close(w, '}');
        }
    json_close(w, ']');
}

static void put_place(const struct telling *t, struct json_out *w)
{
    const struct node *countries = node_at(t->root, TEXT("hosting.countries"));
    open_typed(w, "dpv:StorageLocation");
    json_name(w, TEXT("dpv:hasLocation"));
    json_open(w, '[');
    NODE_EACH(one, countries)
        json_put_text(w, arena_print(t->c->arena, "loc:%.*s", T(one->value)));
    if (countries && !countries->first)
        json_put_text(w, arena_print(t->c->arena, "loc:%.*s", T(countries->value)));
    json_close(w, ']');
    json_close(w, '}');
}

static void put_storage(const struct telling *t, struct json_out *w)
{
    const struct node *terms = node_get(t->root, TEXT("retention"));
    json_name(w, TEXT("dpv:hasStorageCondition"));
    json_open(w, '[');
    put_place(t, w);
    NODE_EACH(one, terms) {
        text lasts = duration_of(t, node_text(one, TEXT("active")));
        if (!lasts.p || !node_has(node_get(t->purpose, TEXT("categories")), one->key))
            continue;
        open_typed(w, "dpv:StorageDuration");
        json_pair(w, TEXT("dct:description"), one->key);
        put_duration(w, "dpv:TemporalDuration", lasts);
        json_close(w, '}');
    }
    open_typed(w, "dpv:StorageDeletion");
    put_duration(w, "dpv:UntilEventDuration", TEXT("withdrawal"));
    json_close(w, '}');
    json_close(w, ']');
}

static void put_process(const struct telling *t, struct json_out *w)
{
    json_name(w, TEXT("dpv:hasProcess"));
    json_open(w, '[');
    open_typed(w, "dpv:Process");
    json_pair(w, TEXT("dpv:hasLegalBasis"), TEXT("eu-gdpr:A6-1-a"));
    put_purpose(t, w);
    put_data(t, w);
    put_recipients(t, w);
    put_storage(t, w);
    json_close(w, '}');
    json_close(w, ']');
}

/* ---- The record. ---- */

static void put_notice(const struct telling *t, struct json_out *w)
{
    json_name(w, TEXT("dpv:hasNotice"));
    open_typed(w, "dpv:ConsentNotice");
    json_pair(w, TEXT("@id"), public_link(t, arena_print(t->c->arena, "/privacy#%.*s", T(t->row.purpose))));
    json_pair(w, TEXT("dct:hasVersion"), t->row.policy);
    json_pair(w, TEXT("dct:language"), t->language);
    json_pair(w, TEXT("dct:date"), node_text(node_get(t->root, TEXT("policy")), TEXT("date")));
    if (t->row.wording_hash.n)
        json_pair(w, TEXT("dct:identifier"), arena_print(t->c->arena, "sha256:%.*s", T(t->row.wording_hash)));
    if (t->row.wording.n)
        json_pair(w, TEXT("dct:description"), t->row.wording);
    json_close(w, '}');
}

static void put_controller(const struct telling *t, struct json_out *w)
{
    struct controller who = ctx_controller(t->c);
    json_name(w, TEXT("dpv:hasDataController"));
    open_typed(w, "dpv:DataController");
    json_pair(w, TEXT("@id"), urn(t, "controller", t->c->tenant));
    json_pair(w, TEXT("dpv:hasName"), who.legal_name);
    json_pair(w, TEXT("dpv:hasAddress"), who.address);
    if (who.email.n)
        json_pair(w, TEXT("dpv:hasContact"), who.email);
    json_close(w, '}');
    if (who.country.n)
        json_pair(w, TEXT("dpv:hasJurisdiction"), arena_print(t->c->arena, "loc:%.*s", T(who.country)));
    json_pair(w, TEXT("dpv:hasApplicableLaw"), TEXT("legal-eu:law-GDPR"));
    if (text_eq(who.country, TEXT("FR")))
        json_pair(w, TEXT("dpv:hasAuthority"), TEXT("legal-fr:DPA-FR"));
}

static const char *status_of(text decision)
{
    static const struct {
        text decision;
        const char *status;
    } all[] = { { TEXT_INIT("given"), "dpv:ConsentGiven" },
                { TEXT_INIT("refused"), "dpv:ConsentRefused" },
                { TEXT_INIT("withdrawn"), "dpv:ConsentWithdrawn" } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (text_eq(all[i].decision, decision))
            return all[i].status;
    return NULL;
}

static void put_status(const struct telling *t, struct json_out *w)
{
    text expires = duration_of(t, node_text(node_get(t->root, TEXT("consent")), TEXT("expires")));
    json_name(w, TEXT("dpv:hasConsentStatus"));
    json_open(w, '[');
    json_open(w, '{');
    json_name(w, TEXT("@type"));
    json_open(w, '[');
    json_put_text(w, text_of(status_of(t->row.decision)));
    if (text_eq(t->row.decision, TEXT("given")))
        json_put_text(w, TEXT("dpv:ExpressedConsent"));
    json_close(w, ']');
    json_pair(w, TEXT("dpv:isIndicatedBy"), t->subject);
    if (t->row.method.n)
        json_pair(w, TEXT("dpv:hasIndicationMethod"), t->row.method);
    json_pair(w, TEXT("dpv:isIndicatedAtTime"), time_print(t->c->arena, t->row.at));
    if (expires.p && text_eq(t->row.decision, TEXT("given")))
        put_duration(w, "dpv:TemporalDuration", expires);
    json_close(w, '}');
    json_close(w, ']');
}

static void put_rights(const struct telling *t, struct json_out *w)
{
    json_name(w, TEXT("dpv:hasConsentControl"));
    open_typed(w, "dpv:WithdrawConsent");
    json_pair(w, TEXT("dpv:isExercisedAt"), public_link(t, TEXT("/me/consents")));
    json_close(w, '}');
    json_name(w, TEXT("dpv:hasRight"));
    json_open(w, '[');
    json_open(w, '{');
    json_name(w, TEXT("@type"));
    json_open(w, '[');
    json_put_text(w, TEXT("dpv:DataSubjectRight"));
    json_put_text(w, TEXT("eu-gdpr:A7-3"));
    json_close(w, ']');
    json_pair(w, TEXT("dpv:isExercisedAt"), public_link(t, TEXT("/me/consents")));
    json_close(w, '}');
    json_close(w, ']');
}

static void put_record(const struct telling *t, struct json_out *w)
{
    json_name(w, TEXT("dpv:hasRecordOfActivity"));
    open_typed(w, "dpv:ConsentRecord");
    json_pair(w, TEXT("@id"), arena_print(t->c->arena, "urn:uuid:%.*s", T(t->record)));
    json_pair(w, TEXT("dct:conformsTo"), TEXT("https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"));
    json_pair(w, TEXT("dct:identifier"), t->record);
    json_name(w, TEXT("dpv:hasDataSubject"));
    open_typed(w, "dpv:DataSubject");
    json_pair(w, TEXT("@id"), t->subject);
    json_close(w, '}');
    json_pair(w, TEXT("dct:language"), t->language);
    put_notice(t, w);
    put_controller(t, w);
    put_process(t, w);
    put_rights(t, w);
    put_status(t, w);
    json_close(w, '}');
}

static enum err receipt_print(const struct telling *t, text *out)
{
    BUF_AUTO b = buf_make(RECEIPT_BYTES);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("@context"));
    json_put_raw(&w, text_of(context));
    json_pair(&w, TEXT("@id"), arena_print(t->c->arena, "urn:uuid:%.*s", T(t->id)));
    json_pair(&w, TEXT("@type"), TEXT("dpv:ConsentReceipt"));
    json_pair(&w, TEXT("dct:conformsTo"), TEXT("https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"));
    json_pair(&w, TEXT("dpv:hasIdentifier"), t->id);
    json_pair(&w, TEXT("dct:created"), time_print(t->c->arena, t->c->now));
    put_record(t, &w);
    json_close(&w, '}');
    return buf_take(t->c->arena, &b, out);
}

/* ---- Asked for. ---- */

/* The newest of that number that was published before it was decided. What was signed on paper may be older than any
 * that was published here: then the oldest of that number. `count`: there is none. */
static unsigned decided_under(const struct telling *t, const struct version *all, unsigned count)
{
    unsigned found = count;
    for (unsigned i = 0; i < count; i++) {
        if (!text_eq(all[i].version, t->row.policy))
            continue;
        found = i;
        if (all[i].at <= t->row.at)
            break;
    }
    return found;
}

/* The policy under which it was decided, where this instance published it; else today's. */
static enum err find_policy(struct telling *t)
{
    struct version *all, then = { 0 };
    unsigned count;
    t->root = t->c->policy->root;
    if (!text_eq(t->row.policy, t->c->policy->version)) {
        TRY(version_list(t->c, &all, &count));
        unsigned i = decided_under(t, all, count);
        if (i < count) {
            TRY(version_open(t->c, all[i].hash, &then));
            t->root = then.root;
        }
    }
    t->purpose = node_get(node_get(t->root, TEXT("purposes")), t->row.purpose);
    return t->purpose && node_get(t->purpose, TEXT("categories")) ? OK : consent_none(t->c);
}

static enum err make(struct ctx *c, struct look *l, struct json_out *w)
{
    struct telling *t = l->arg;
    text json, jws;
    t->p = &l->p;
    TRY(consent_one(c, t->p, t->id, &t->row));
    if (!status_of(t->row.decision) || text_eq(t->row.channel, TEXT("objection")))
        return consent_none(c);
    TRY(find_policy(t));
    t->language = c->language;
    t->id = uuid_of(t, "receipt");
    t->record = uuid_of(t, "record");
    t->subject = urn(t, "subject", id_print(c->arena, t->p->id));
    TRY(receipt_print(t, &json));
    jws = certificate_sign(c->arena, store_signer(ctx_store(c)), RECEIPT_TYPE, json);
    TRY_PTR(jws.p);
    json_name(w, TEXT("receipt"));
    json_put_raw(w, json);
    json_pair(w, TEXT("jws"), jws);
    return OK;
}

enum err receipt_get(struct ctx *c, text id, text place, struct answer *out)
{
    struct telling t = { .c = c, .id = place };
    struct look l = { .act = TEXT("read"), .purpose = TEXT("consents"), .may = consent_may_see, .show = make, .arg = &t };
    return look_at_person(c, id, &l, out);
}
