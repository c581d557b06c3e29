/* The policy: one YAML file read with the place of every value, checked, and compiled to an immutable model. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

/* ---- What went wrong, or is to be remarked, and where. ---- 1-based. */
struct mark {
    uint32_t line, column;
};
/* A question is an error to whoever writes the file, and is refused by `check`, `lint` and a reload; a server that
 * starts with it goes on with the reading that erases nothing too soon: a machine that restarts has nobody to ask. */
enum severity { SEVERITY_ERROR, SEVERITY_QUESTION, SEVERITY_WARNING, SEVERITY_ADVICE };
struct finding {
    enum severity severity;
    struct mark at;
    text path, message;
    struct finding *next;
};
struct findings {
    struct finding *first, *last;
    unsigned count, errors, questions, warnings;
};
enum { FINDINGS_MAX = 500 }; /* beyond it findings are counted, no longer kept */
void finding_add(struct arena *a, struct findings *f, enum severity severity, struct mark at, text path,
                 const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Into the order of the file; those at one place keep the order they were added in. */
void findings_sort(struct findings *f);
/* One a line: "policies/x.yaml:41:7: unknown category …", warnings and advice named as such, then how many were left
 * out. */
void findings_print(struct buf *out, text file, const struct findings *f);
/* [{"severity": "error|warning|advice"; a question counts as error, "line", "column", "path", "message"}]: the kept ones, for answers. */
void findings_json(struct json_out *w, const struct findings *f);

/* ---- The document: the file as a tree; linter, notice and schema work on it. ---- */
enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };
struct node {
    enum node_kind kind;
    bool quoted;        /* "none" is a text, none a word */
    struct mark at;     /* of the value */
    struct mark key_at; /* of its key inside a map */
    text key, value;    /* scalars stay text */
    text path;          /* "purposes.news.basis", "accept[2]" */
    const struct node *parent, *first, *next;
    unsigned count;
};
const struct node *node_get(const struct node *map, text key);         /* NULL-safe, so that look-ups chain */
const struct node *node_at(const struct node *root, text dotted_path); /* "hosting.countries"; NULL when absent */
text node_text(const struct node *map, text key);                      /* scalar member, p NULL when absent */
/* What a `title`, `says`, `reason`… says in that language: a text for all, or the map's text for it, else its first
 * one. */
text node_said(const struct node *said, text language);
bool node_has(const struct node *list_or_scalar, text word); /* is it that word, or a list with it */
#define NODE_EACH(item, parent_node)                                                                                   \
    for (const struct node *item = (parent_node) ? (parent_node)->first : NULL; item; item = item->next)
/* The tree as JSON; every scalar is a text, as it was written. */
void node_json(struct json_out *w, const struct node *n);
enum { NODE_BYTES_MAX = 1 << 20, NODE_LEVELS_MAX = 64, NODE_KEY_MAX = 128, NODE_CHILDREN_MAX = 1024 };
/* Reads `yaml` (UTF-8 without NUL or tabs, at most 1 MiB, 64 levels, 1,024 entries in a list or map, 128 bytes in a
 * key; no aliases, anchors, tags, directives, merge keys, duplicate keys, second document). Every fault becomes a
 * finding, and ERR_POLICY is returned when there is one; *root is still the whole tree when the text was well formed to
 * its end, else NULL. */
enum err node_read(struct arena *a, text yaml, struct findings *f, const struct node **root);

/* Checks a tree against the schema's rows (schema.h) and for sense, all faults into `f`, in the order of the file.
 * TO_RUN asks for all that a server needs; TO_READ lets gaps pass that the linter speaks of. ERR_POLICY when any was
 * found. */
enum strength { TO_READ, TO_RUN };
enum err policy_check(struct arena *a, const struct node *root, enum strength strength, struct findings *f);
/* The JSON Schema of the file, made from the same rows. */
void policy_json_schema(struct buf *out);

/* ---- The model: indexes instead of names, bit sets instead of lists. ---- */
enum {
    PURPOSES_MAX = 256,
    CATEGORIES_MAX = 256,
    FIELDS_MAX = 64,
    CHOICES_MAX = 16,
    ACTORS_MAX = 256,
    TENANTS_MAX = 64,
    STORES_MAX = 16,
    SUPPORT_HOURS = 8, /* of one support session, at most */
    LISTED_COUNTRIES_MAX = 32,
    COUNTRIES_MAX = 64
};
/* A set of up to 256 indexes. */
struct bits {
    uint64_t w[4];
};
static inline bool bits_has(const struct bits *s, unsigned i) { return s->w[i >> 6] >> (i & 63) & 1; }
static inline void bits_add(struct bits *s, unsigned i) { s->w[i >> 6] |= (uint64_t)1 << (i & 63); }
bool bits_any(const struct bits *s);

/* A clause of the file: what a refusal names. */
struct clause {
    text path; /* "purposes.news" */
    text file; /* as given to policy_load */
    struct mark at;
    text promises; /* ids the file ties to it or to what it stands in:
                      "FR-03" or "MP-02, MP-07"; may be empty */
};

/* Shape of a term: calendar units are added as such ("12mo" is twelve calendar months). */
enum term_unit { TERM_UNSET, TERM_MINUTES, TERM_HOURS, TERM_DAYS, TERM_MONTHS, TERM_YEARS, TERM_ALWAYS };
struct term {
    int count;
    enum term_unit unit;
};
msec term_end(msec start, struct term t, int times); /* start + times·t; retention never rolls */
bool term_parse(text s, struct term *out);           /* 30m or 30min, 72h 180d 12mo 3y always */
/* What a text that is no term, or not clearly, seems to mean: its number and its unit as term_parse() reads it; the
 * unit is empty for "m", which people write for minutes and for months alike. False: it looks like no term at all. */
bool term_asks(text s, text *number, text *unit);

#define BASES(X)                                                                                                       \
    X(CONSENT, "consent")                                                                                              \
    X(CONTRACT, "contract")                                                                                            \
    X(LEGAL, "legal_obligation") X(VITAL, "vital_interests") X(PUBLIC, "public_task")                                  \
        X(INTEREST, "legitimate_interest")
enum basis {
    BASIS_UNSET,
#define X(name, word) BASIS_##name,
    BASES(X)
#undef X
};
text basis_word(enum basis b); /* as it stands in the file */

#define FIELD_TYPES(X)                                                                                                 \
    X(TEXT, "text")                                                                                                    \
    X(EMAIL, "email")                                                                                                  \
    X(PHONE, "phone") X(INTEGER, "integer") X(NUMBER, "number") X(BOOLEAN, "boolean") X(DATE, "date") X(TIME, "time")  \
        X(COLOUR, "colour") X(COUNTRY, "country") X(URL, "url") X(IP, "ip") X(CHOICE, "choice") X(IBAN, "iban")        \
            X(CARD, "card") X(JSON, "json")
enum field_type {
#define X(name, word) FIELD_##name,
    FIELD_TYPES(X)
#undef X
};

struct field {
    text name;
    enum field_type type;
    bool required, identifier; /* identifier: looked up by keyed digest, unique in the tenant */
    bool has_min, has_max;
    int64_t min, max; /* of the number, or of the length in characters */
    text choices[CHOICES_MAX];
    text choice_en[CHOICES_MAX], choice_fr[CHOICES_MAX]; /* its words, of `labels`; p NULL: none */
    unsigned choice_count;
    text default_value;          /* p NULL when none */
    text when_field, when_value; /* only held, and required if `required`, when that field of the
                                    same category (or "category.field") has that value */
    struct clause clause;
};

#define FROMS(X)                                                                                                       \
    X(COLLECTION, "collection")                                                                                        \
    X(EVENT, "event")                                                                                                  \
    X(LAST_USE, "last_use") X(CONTRACT_END, "contract_end") X(CLOSURE, "closure") X(YEAR_END, "year_end")              \
        X(WITHDRAWAL, "withdrawal") X(LAST_CONTACT, "last_contact")
enum retention_from {
#define X(name, word) FROM_##name,
    FROMS(X)
#undef X
};

struct retention { /* of one category, or of the server's own records */
    text name;     /* category, or one of: consents former requests journal proofs
                      breaches objections accounts */
    int category;  /* index, -1 for the server's own */
    enum retention_from from;
    struct term active, archive; /* archive.unit TERM_UNSET: erased at the end of active */
    text ground, ground_fr;      /* the text that obliges to the archive, or to the length */
    struct clause clause;
};

/* Where data comes from. The first source is always the person. */
struct source {
    text name, title_en, title_fr;
    bool third_party, permission;
    struct term notice;
    struct clause clause;
};

struct category {
    text name, title_en, title_fr, dpv;
    bool special, transient, many; /* Art. 9; never on disk; several records a person */
    text ground;                   /* the Art. 9(2) exception, needed when special */
    struct term transient_for;
    struct field *fields;
    unsigned field_count;
    struct bits purposes;              /* those that may use it */
    const struct retention *retention; /* NULL: as long as the person is held */
    uint64_t sources;                  /* 1 << index in policy.sources of those it may come from */
    bool held;                         /* kept after erasure until its retention ends (has a ground) */
    int event;                         /* the field that says when it happened, for terms from an event or its
                                          year's end; -1: what is written happens when it is written */
    text source;                       /* the first of them, p NULL when it is the person */
    text stream, per; /* what the server fills it from, what it has a record for each of; may be empty */
    int public_for;   /* purpose under whose consent it may be public, or -1 */
    struct clause clause;
};

struct purpose {
    text name, title_en, title_fr, dpv, interest_en, interest_fr, law;
    enum basis basis;
    bool forgotten;             /* what it alone uses goes with its consent */
    bool marketing;             /* direct marketing, by its dpv term or `marketing: true` */
    bool customers_only;        /* without consent, to customers alone, on similar products (CPCE L34-5) */
    bool despite_restriction;   /* goes on during a restriction (Art. 18(2)) */
    bool notices;               /* notices about the service itself: always sent */
    const struct clause *never; /* the clause that forbids it, NULL for those declared */
    struct bits categories;
    text channels[8];
    unsigned channel_count; /* consent is per channel when there are any */
    struct clause clause;
};

/* Who asks. Two classes are built in, at these indexes of policy.actors, before those of the file.
 * The operator may do every act but read in answer to a right or a duty (PURPOSE_RIGHTS: export, erase, record a
 * consent, correct), and acts for a purpose only when the file's `roles.operator` names it: who runs the server has no
 * reason to read. The person may do the same and read, with their own data. Roles and systems may export, erase and
 * record consents in answer to a right when their `acts` list that. To read personal data otherwise takes a declared
 * purpose, always. */
enum { OPERATOR = 0, PERSON = 1 };
/* The rights an actor class may hold; from roles, systems and recipients of the file. */
#define ACTS(X)                                                                                                        \
    X(READ, "read")                                                                                                    \
    X(WRITE, "write")                                                                                                  \
    X(SEND, "send") X(DISCLOSE, "disclose") X(ERASE, "erase") X(EXPORT, "export") X(CONSENT, "consent")
enum act {
#define X(name, word) ACT_##name,
    ACTS(X)
#undef X
        ACT_COUNT
};
text act_word(enum act act);
enum actor_kind {
    ACTOR_OPERATOR,
    ACTOR_STAFF,
    ACTOR_MANAGER,
    ACTOR_SYSTEM,
    ACTOR_RECIPIENT,
    ACTOR_PERSON,
    ACTOR_NOBODY
};
struct actor_class {
    text name, title_en, title_fr;
    enum actor_kind kind;
    struct bits purposes;   /* for which it may act */
    struct bits categories; /* that it may reach; all unless the file lists some */
    uint32_t acts;          /* 1 << enum act, for a purpose it may act for */
    uint32_t rights;        /* the same, under PURPOSE_RIGHTS */
    bool sees_team;         /* reaches its team only */
    bool confidentiality;   /* closed until the agreement is recorded */
    bool second_factor;     /* closed to a session without one */
    bool reason;            /* each look needs a reason */
    struct term session;    /* longest life of one session; TERM_UNSET: as everybody's */
    bool closed;            /* a recipient: charter pending, processor without contract */
    text country;           /* recipients and processors */
    bool processor, contract;
    bool charter; /* a recipient: gets nothing before its acceptance of the charter is on record */
    const uint64_t *fields; /* a recipient: of each category, a bit a field that it receives; NULL: all */
    struct clause clause;
};

/* Refused whatever the consent. */
struct never {
    text name, says_en, says_fr;
    bool marketing;
    struct bits purposes;
    struct clause clause;
};
struct store_place {
    text name, country;
    struct clause clause;
};

/* A controller served by this instance: what it may hold, and who acts there. */
struct tenant {
    text name, title_en, title_fr, email;
    bool stored;            /* the operator only stores: neither it, nor its roles, nor its programs act there by
                               themselves */
    struct bits categories; /* that it may hold, */
    uint64_t *fields;       /* and of each category the fields, 1 << index */
    struct bits roles;      /* actor classes that its own staff may have, */
    struct bits systems;    /* actor classes of programs that serve it, */
    struct bits purposes;   /* and what they act for, with the policy's support: nobody acts for more there */
    struct clause clause, held_clause; /* held_clause: what lists its fields, its categories, or itself */
};

struct policy {
    text id, version, file, source;
    struct date date;
    char hash[65]; /* hash: SHA-256 of the file, hexadecimal */
    const struct node *root;
    struct {
        text legal_name, address, country, email, phone, site;
        struct clause clause;
    } controller;
    struct {
        text host, countries[COUNTRIES_MAX];
        unsigned country_count; /* EU and EEA expanded */
        struct store_place stores[STORES_MAX];
        unsigned store_count;
        struct clause clause;
    } hosting;
    /* Sessions of signed-in people: ends, and the name on the wire of the cookie exempt for authentication (p NULL:
     * none is declared, so none can be set). `kept`: it outlives the browser, for `idle` after each use. */
    struct {
        struct term idle, absolute;
        text cookie;
        bool kept;
        struct clause clause, staff_clause;
    } session;
    text authority, languages[8];
    unsigned language_count; /* the first is that of who says nothing */
    struct category *categories;
    unsigned category_count;
    struct purpose *purposes;
    unsigned purpose_count;   /* the declared ones; */
    unsigned forbidden_count; /* behind them as many that only `never` names: refused always */
    struct source *sources;
    unsigned source_count;
    struct retention *retentions;
    unsigned retention_count;
    struct actor_class *actors;
    unsigned actor_count; /* operator, person, then roles, systems, recipients */
    struct never *nevers;
    unsigned never_count;
    text tenants[TENANTS_MAX];
    unsigned tenant_count; /* at least one: the policy's own id */
    struct tenant *tenant_rows; /* the same, by the same index */
    struct {
        int purpose;      /* -1: the policy has no support */
        struct term last; /* how long a session may last at most, */
        struct clause clause;
    } support;
    struct {
        text version, en, fr; /* of the file (one language alone stands for both), or charter.def */
    } charter;
    struct clause purposes_clause, categories_clause, recipients_clause, rights_clause;
};

/* Loads, checks and compiles. All faults go to `f`, in the order of the file; *out only when there is none, NULL
 * otherwise. One reference is the caller's. */
enum err policy_load(struct arena *a, text yaml, text file, struct findings *f, const struct policy **out);
const struct policy *policy_ref(const struct policy *p);
void policy_unref(const struct policy **p);
#define POLICY_AUTO CLEANUP(policy_unref) const struct policy *

/* "policies/site-fr.yaml:84, promise FR-03": how a refusal names its clause. */
text clause_print(struct arena *a, const struct clause *c);
/* A policy file as answers name it: a path from the root, or out of the folder where the server was started, is this
 * machine's affair and told by its last part alone. */
text policy_file_told(text file);
/* {"path", "file", "line", "promises": […]}: the same in an answer, with policy_file_told(). */
void clause_json(struct json_out *w, const struct clause *c);

/* Indexes by name, -1 when the file does not have it. */
int policy_category(const struct policy *p, text name);
/* The category that the server fills from that stream ("logs", "contacts"…), or -1. */
int policy_stream(const struct policy *p, text stream);
int policy_purpose(const struct policy *p, text name);
/* The language of the policy that "fr", "FR" or "fr-CA" is (RFC 4647, 3.4: lookup); p NULL when it is published in none
 * such. */
text policy_language(const struct policy *p, text tag);
int policy_actor(const struct policy *p, text name);
/* The tenant of that name, or NULL. */
const struct tenant *policy_tenant(const struct policy *p, text name);
/* Whether that class (an index) is of the tenant's own: a role of its staff, a program, a recipient, the person. */
bool policy_tenant_has(const struct policy *p, const struct tenant *t, int actor);
/* Whether it may hold that category (an index); t NULL: no tenant of the policy, which limits nothing. */
bool policy_tenant_holds(const struct tenant *t, int category);
int policy_field(const struct category *c, text name);
const struct retention *policy_retention(const struct policy *p, text name);
/* The clause at that path of the file, or NULL; lives as long as the policy. */
const struct clause *policy_clause(const struct policy *p, text path);
/* The nearest of the known names, for "did you mean"; empty when none is near. kind: purpose, category, actor, or
 * field, for which `name` is "category.field" and the answer the field's name alone. */
text policy_nearest(const struct policy *p, text kind, text name);

/* ---- The decision. ---- */
enum verdict {
    ALLOWED,
    REFUSED_NEVER,
    REFUSED_PURPOSE_UNKNOWN,
    REFUSED_ACTOR,
    REFUSED_ACT,
    REFUSED_CATEGORY,
    REFUSED_CONSENT,
    REFUSED_RESTRICTED,
    REFUSED_OBJECTED,
    REFUSED_CUSTOMER,
    REFUSED_CONFIDENTIALITY,
    REFUSED_STORED,
    REFUSED_HELD,
    REFUSED_SUPPORT
};
enum { PURPOSE_UNKNOWN = -1, PURPOSE_RIGHTS = -2 };
enum support { SUPPORT_NONE, SUPPORT_READS, SUPPORT_WRITES };
struct ask {
    int actor, purpose, category; /* indexes; actor -1: nobody; category -1: for the purpose alone */
    enum act act;
    const struct bits *consents;   /* purposes with a live consent of this person, or of which a sale offered them to
                                      oppose, and they never did (customers_only); NULL: none */
    const struct bits *objections; /* purposes the person objected to; NULL: none */
    bool restricted;               /* Art. 18: storage only */
    bool agreement;                /* the actor's confidentiality agreement is recorded */
    const struct tenant *tenant;   /* whose data it is; NULL: no tenant of the policy */
    enum support support;          /* in a support session that the tenant consented to, and what it allows */
};
struct decision {
    enum verdict verdict;
    const struct clause *clause;
};
/* Decides in constant time, without allocation, in this order: an actor who is not the tenant's (its own staff's role,
 * a program, the person; others in a support session alone, for its purpose, to read or as more was given); a use that
 * `never` refuses; an unknown purpose; what the tenant may not hold; an actor who may not act for it, or not so, or not
 * yet; a category that the purpose or the actor does not have; consent (Art. 6(1)(a): without a live one); objection
 * (Art. 21: to marketing, a legitimate interest or a public task); restriction (Art. 18). Consent, objection and
 * restriction bear on reading, writing, sending and disclosing, never on erasing, exporting, and recording consents.
 * The clause is the one that decided, never NULL. */
struct decision policy_decide(const struct policy *p, const struct ask *q);
text verdict_text(enum verdict v, text language);

#endif
