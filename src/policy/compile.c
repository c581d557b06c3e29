/* From a checked tree to the model: names become indexes, lists become bit sets, and every node a clause to name. */
#include "base/sha256.h"
#include "check.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The model with what keeps it: its memory, its references, and its clauses by path. */
struct loaded {
    struct policy policy; /* first: a policy is its address */
    struct arena arena;
    _Atomic unsigned references;
    struct clause *clauses;                   /* one a node, in the order of the file */
    uint32_t *parents;                        /* index of the clause each stands in; the root's own for the root */
    uint32_t clause_count, *slots, slot_mask; /* hash of paths; a slot is an index + 1 */
};

enum { MODEL_BYTES_MAX = 64 << 20 };

/* ---- Clauses. ---- */

static uint32_t hash(text s)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 16777619u;
    return h;
}

static uint32_t *slot_of(const struct loaded *l, text path)
{
    for (uint32_t i = hash(path);; i++) {
        uint32_t *slot = &l->slots[i & l->slot_mask];
        if (!*slot || text_eq(l->clauses[*slot - 1].path, path))
            return slot;
    }
}

const struct clause *policy_clause(const struct policy *p, text path)
{
    const struct loaded *l = (const struct loaded *)p;
    uint32_t slot = *slot_of(l, path);
    return slot ? &l->clauses[slot - 1] : NULL;
}

static uint32_t count_nodes(const struct node *n)
{
    uint32_t count = 1;
    NODE_EACH(child, n)
        count += count_nodes(child);
    return count;
}

static void add_clauses(struct loaded *l, const struct node *n, uint32_t parent)
{
    uint32_t i = l->clause_count++;
    l->clauses[i] = (struct clause){
        .path = n->path, .file = l->policy.file, .at = mark_of_key(n), .promises = TEXT("")
    };
    l->parents[i] = parent;
    uint32_t *slot = slot_of(l, n->path);
    if (!*slot)
        *slot = i + 1;
    NODE_EACH(child, n)
        add_clauses(l, child, i);
}

/* "FR-03" and "FR-03, FR-04" give "FR-03, FR-04". */
static text join_ids(struct arena *a, text own, text more)
{
    for (text rest = more; rest.p && rest.n;) {
        text id = text_trim(text_cut(&rest, ',')), known = own;
        bool found = false;
        while (known.p && !found)
            found = text_eq(text_trim(text_cut(&known, ',')), id);
        if (!found)
            own = own.n ? arena_print(a, "%.*s, %.*s", T(own), T(id)) : id;
        if (!own.p)
            break;
    }
    return own;
}

static enum err tie_promises(struct loaded *l)
{
    NODE_EACH(promise, node_get(l->policy.root, TEXT("promises"))) {
        bool one = promise->kind == NODE_SCALAR;
        for (const struct node *path = one ? promise : promise->first; path; path = one ? NULL : path->next) {
            uint32_t slot = *slot_of(l, path->value);
            if (slot)
                l->clauses[slot - 1].promises = join_ids(&l->arena, l->clauses[slot - 1].promises, promise->key);
        }
    }
    for (uint32_t i = 1; i < l->clause_count; i++) {
        struct clause *c = &l->clauses[i];
        const struct clause *in = &l->clauses[l->parents[i]];
        c->promises = c->promises.n ? join_ids(&l->arena, c->promises, in->promises) : in->promises;
        TRY_PTR(c->promises.p);
    }
    return OK;
}

static enum err make_clauses(struct loaded *l)
{
    uint32_t count = count_nodes(l->policy.root), slots = 16;
    while (slots < count * 2)
        slots *= 2;
    l->clauses = NEW_ARRAY(&l->arena, struct clause, count);
    l->parents = NEW_ARRAY(&l->arena, uint32_t, count);
    l->slots = NEW_ARRAY(&l->arena, uint32_t, slots);
    if (!l->clauses || !l->parents || !l->slots)
        return ERR_MEMORY;
    l->slot_mask = slots - 1;
    add_clauses(l, l->policy.root, 0);
    return tie_promises(l);
}

static struct clause clause_of(const struct loaded *l, const struct node *n)
{
    return *policy_clause(&l->policy, n ? n->path : TEXT(""));
}

text policy_file_told(text file)
{
    size_t last = file.n;
    while (last && file.p[last - 1] != '/')
        last--;
    return text_starts(file, TEXT("/")) || text_find(file, TEXT("..")) >= 0 ? text_from(file, last) : file;
}

void clause_json(struct json_out *w, const struct clause *c)
{
    json_open(w, '{');
    json_pair(w, TEXT("path"), c->path);
    json_pair(w, TEXT("file"), policy_file_told(c->file));
    json_pair_int(w, TEXT("line"), c->at.line);
    json_name(w, TEXT("promises"));
    json_open(w, '[');
    for (text rest = c->promises; rest.n;)
        json_put_text(w, text_trim(text_cut(&rest, ',')));
    json_close(w, ']');
    json_close(w, '}');
}

text clause_print(struct arena *a, const struct clause *c)
{
    bool several = text_index(c->promises, ',') >= 0;
    return arena_print(a, "%.*s:%u%s%.*s", T(c->file), c->at.line,
                       !c->promises.n ? ""
                       : several      ? ", promises "
                                      : ", promise ",
                       T(c->promises));
}

/* ---- Words to numbers. ---- */

#define WORD_ROW(name, word) TEXT_INIT(word),
static const text basis_words[] = { TEXT_INIT("unset"), BASES(WORD_ROW) };
static const text act_words[] = { ACTS(WORD_ROW) };
static const text type_words[] = { FIELD_TYPES(WORD_ROW) };
static const text from_words[] = { FROMS(WORD_ROW) };

text basis_word(enum basis b) { return basis_words[b]; }
text act_word(enum act act) { return act_words[act]; }

/* The index of the word; 0 when it is none of them, which the check before has excluded. */
static int word_index(const text *words, size_t count, text word)
{
    for (size_t i = 0; i < count; i++)
        if (text_eq(words[i], word))
            return (int)i;
    return 0;
}
#define INDEX(words, word) word_index((words), sizeof(words) / sizeof *(words), (word))

static struct term term_of(const struct node *map, const char *key)
{
    struct term t;
    term_parse(node_text(map, text_of(key)), &t);
    return t;
}

static void titles(const struct node *n, text *en, text *fr)
{
    const struct node *title = node_get(n, TEXT("title"));
    *en = title ? node_said(title, TEXT("en")) : n->key;
    *fr = title ? node_said(title, TEXT("fr")) : n->key;
}

/* Calls for the scalar, or each of the list. */
#define EACH_WORD(item, list)                                                                                          \
    for (const struct node *item = !(list)                     ? NULL                                                  \
                                   : (list)->kind == NODE_LIST ? (list)->first                                         \
                                                               : (list);                                               \
         item; item = (list)->kind == NODE_LIST ? item->next : NULL)

static unsigned count_words(const struct node *list) { return !list ? 0 : list->kind == NODE_LIST ? list->count : 1; }

static struct bits bits_of(const struct policy *p, const struct node *list, int (*index)(const struct policy *, text))
{
    struct bits set = { { 0 } };
    EACH_WORD(item, list)
    {
        int i = index(p, item->value);
        if (i >= 0)
            bits_add(&set, (unsigned)i);
    }
    return set;
}

/* ---- The parts of the model. ---- */

static void compile_head(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *policy = node_get(p->root, TEXT("policy")), *c = node_get(p->root, TEXT("controller"));
    p->id = node_text(policy, TEXT("id"));
    p->version = node_text(policy, TEXT("version"));
    date_parse(node_text(policy, TEXT("date")), &p->date);
    EACH_WORD(language, node_get(policy, TEXT("languages")))
    p->languages[p->language_count++] = language->value;
    p->authority = node_text(p->root, TEXT("authority"));
    p->controller.legal_name = node_text(c, TEXT("legal_name"));
    p->controller.address = node_text(c, TEXT("address"));
    p->controller.country = node_text(c, TEXT("country"));
    p->controller.email = node_text(c, TEXT("email"));
    p->controller.phone = node_text(c, TEXT("phone"));
    p->controller.site = node_text(c, TEXT("site"));
    p->controller.clause = clause_of(l, c);
    p->purposes_clause = clause_of(l, node_get(p->root, TEXT("purposes")));
    p->categories_clause = clause_of(l, node_get(p->root, TEXT("categories")));
    p->recipients_clause = clause_of(l, node_get(p->root, TEXT("recipients")));
    p->rights_clause = clause_of(l, node_get(p->root, TEXT("rights")));
}

static void compile_hosting(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *hosting = node_get(p->root, TEXT("hosting")), *countries = node_get(hosting, TEXT("countries"));
    unsigned i = 0;
    p->hosting.host = node_text(hosting, TEXT("host"));
    p->hosting.clause = clause_of(l, hosting);
    for (const struct country *c; (c = country_at(i)) && p->hosting.country_count < COUNTRIES_MAX; i++)
        if (area_has(countries, c->code))
            p->hosting.countries[p->hosting.country_count++] = c->code;
    NODE_EACH(store, node_get(hosting, TEXT("stores")))
        p->hosting.stores[p->hosting.store_count++] = (struct store_place){ store->key,
                                                                            node_text(store, TEXT("country")),
                                                                            clause_of(l, store) };
}

static enum err compile_sources(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *sources = node_get(p->root, TEXT("sources"));
    p->sources = NEW_ARRAY(&l->arena, struct source, 1 + (sources ? sources->count : 0));
    TRY_PTR(p->sources);
    p->sources[p->source_count++] = (struct source){ .name = TEXT("person"),
                                                     .title_en = TEXT("the person"),
                                                     .title_fr = TEXT("la personne"),
                                                     .clause = p->categories_clause };
    NODE_EACH(n, sources) {
        struct source *s = &p->sources[p->source_count++];
        *s = (struct source){ .name = n->key,
                              .third_party = is_true(n, TEXT("third_party")),
                              .permission = is_true(n, TEXT("permission")),
                              .notice = term_of(n, "notice_within"),
                              .clause = clause_of(l, n) };
        titles(n, &s->title_en, &s->title_fr);
    }
    return OK;
}

static void compile_choice(const struct node *field, text value, struct field *f)
{
    const struct node *label = node_get(node_get(field, TEXT("labels")), value);
    f->choice_en[f->choice_count] = node_said(label, TEXT("en"));
    f->choice_fr[f->choice_count] = node_said(label, TEXT("fr"));
    f->choices[f->choice_count++] = value;
}

static void compile_field(struct loaded *l, const struct node *n, struct field *f)
{
    const struct node *when = node_get(n, TEXT("when"));
    *f = (struct field){ .name = n->key,
                         .type = (enum field_type)INDEX(type_words, node_text(n, TEXT("type"))),
                         .required = is_true(n, TEXT("required")),
                         .identifier = is_true(n, TEXT("identifier")),
                         .default_value = node_text(n, TEXT("default")),
                         .clause = clause_of(l, n) };
    f->has_min = text_int(node_text(n, TEXT("min")), &f->min);
    f->has_max = text_int(node_text(n, TEXT("max")), &f->max);
    EACH_WORD(choice, node_get(n, TEXT("choices")))
    compile_choice(n, choice->value, f);
    if (when && when->first) {
        f->when_field = when->first->key;
        f->when_value = when->first->value;
    }
}

static void compile_category_sources(const struct policy *p, const struct node *n, struct category *c)
{
    const struct node *list = node_get(n, TEXT("source"));
    c->sources = list ? 0 : 1;
    EACH_WORD(item, list)
    for (unsigned i = 0; i < p->source_count; i++)
        if (text_eq(p->sources[i].name, item->value)) {
            c->sources |= (uint64_t)1 << i;
            if (i && !c->source.p)
                c->source = p->sources[i].name;
        }
}

static enum err compile_category(struct loaded *l, const struct node *n, struct category *c)
{
    const struct node *fields = node_get(n, TEXT("fields")), *ground = node_get(n, TEXT("ground"));
    *c = (struct category){ .name = n->key,
                            .dpv = node_text(n, TEXT("dpv")),
                            .special = is_true(n, TEXT("special")) || ground,
                            .transient = node_get(n, TEXT("transient")),
                            .many = is_true(n, TEXT("many")),
                            .ground = node_text(n, TEXT("ground")),
                            .transient_for = term_of(node_get(n, TEXT("transient")), "for"),
                            .held = is_true(n, TEXT("held")),
                            .public_for = -1,
                            .event = -1,
                            .clause = clause_of(l, n),
                            .stream = node_text(n, TEXT("stream")),
                            .per = node_text(n, TEXT("per")) };
    titles(n, &c->title_en, &c->title_fr);
    compile_category_sources(&l->policy, n, c);
    c->fields = NEW_ARRAY(&l->arena, struct field, fields ? fields->count : 0);
    TRY_PTR(c->fields);
    NODE_EACH(field, fields)
        compile_field(l, field, &c->fields[c->field_count++]);
    return OK;
}

static enum err compile_categories(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *categories = node_get(p->root, TEXT("categories"));
    p->categories = NEW_ARRAY(&l->arena, struct category, categories->count);
    TRY_PTR(p->categories);
    NODE_EACH(n, categories)
        TRY(compile_category(l, n, &p->categories[p->category_count++]));
    return OK;
}

static void compile_purpose(struct loaded *l, const struct node *n, struct purpose *out)
{
    *out = (struct purpose){
        .name = n->key,
        .dpv = node_text(n, TEXT("dpv")),
        .marketing = is_marketing(n),
        .forgotten = is_true(n, TEXT("forgotten")),
        .customers_only = is_true(n, TEXT("customers_only")),
        .notices = is_true(n, TEXT("notices")),
        .basis = (enum basis)INDEX(basis_words, node_text(n, TEXT("basis"))),
        .law = node_said(node_get(n, TEXT("law")), TEXT("en")),
        .interest_en = node_said(node_get(n, TEXT("interest")), TEXT("en")),
        .interest_fr = node_said(node_get(n, TEXT("interest")), TEXT("fr")),
        .despite_restriction = node_get(n, TEXT("despite_restriction")),
        .categories = bits_of(&l->policy, node_get(n, TEXT("categories")), policy_category),
        .clause = clause_of(l, n),
    };
    titles(n, &out->title_en, &out->title_fr);
    EACH_WORD(channel, node_get(n, TEXT("channels")))
    out->channels[out->channel_count++] = channel->value;
}

static enum err compile_nevers(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *nevers = node_get(p->root, TEXT("never"));
    p->nevers = NEW_ARRAY(&l->arena, struct never, nevers ? nevers->count : 0);
    TRY_PTR(p->nevers);
    NODE_EACH(n, nevers) {
        struct never *never = &p->nevers[p->never_count++];
        const struct node *says = node_get(n, TEXT("says"));
        *never = (struct never){ .name = n->key,
                                 .says_en = node_said(says, TEXT("en")),
                                 .says_fr = node_said(says, TEXT("fr")),
                                 .marketing = is_true(n, TEXT("marketing")),
                                 .clause = clause_of(l, n) };
        EACH_WORD(name, node_get(n, TEXT("purposes")))
        {
            int known = policy_purpose(p, name->value);
            unsigned i = known >= 0 ? (unsigned)known : p->purpose_count + p->forbidden_count;
            bits_add(&never->purposes, i);
            if (known >= 0)
                continue;
            p->purposes[i] = (struct purpose){ .name = name->value,
                                               .title_en = name->value,
                                               .title_fr = name->value,
                                               .marketing = never->marketing,
                                               .clause = never->clause,
                                               .never = policy_clause(p, n->path) };
            p->forbidden_count++;
        }
    }
    return OK;
}

static enum err compile_purposes(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *purposes = node_get(p->root, TEXT("purposes"));
    unsigned room = purposes->count;
    NODE_EACH(never, node_get(p->root, TEXT("never")))
        room += count_words(node_get(never, TEXT("purposes")));
    p->purposes = NEW_ARRAY(&l->arena, struct purpose, room);
    TRY_PTR(p->purposes);
    NODE_EACH(n, purposes)
        compile_purpose(l, n, &p->purposes[p->purpose_count++]);
    for (unsigned i = 0; i < p->purpose_count; i++)
        for (unsigned j = 0; j < p->category_count; j++)
            if (bits_has(&p->purposes[i].categories, j))
                bits_add(&p->categories[j].purposes, i);
    NODE_EACH(n, node_get(p->root, TEXT("categories")))
        if (node_text(n, TEXT("public")).p)
            p->categories[policy_category(p, n->key)].public_for = policy_purpose(p, node_text(n, TEXT("public")));
    return compile_nevers(l);
}

static bool is_when(const struct field *f) { return f->type == FIELD_TIME || f->type == FIELD_DATE; }

/* The file's word; else the first required time or date of a record among many, or its only one. One record of a person
 * has dates of the person (a birth), so there it must be named. */
static int event_field(const struct category *c, text named)
{
    int only = -1;
    unsigned count = 0;
    if (named.n || !c->many)
        return named.n ? policy_field(c, named) : -1;
    for (unsigned i = 0; i < c->field_count; i++) {
        if (!is_when(&c->fields[i]))
            continue;
        if (c->fields[i].required)
            return (int)i;
        only = (int)i;
        count++;
    }
    return count == 1 ? only : -1;
}

static enum err compile_retentions(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *retentions = node_get(p->root, TEXT("retention"));
    p->retentions = NEW_ARRAY(&l->arena, struct retention, retentions ? retentions->count : 0);
    TRY_PTR(p->retentions);
    NODE_EACH(n, retentions) {
        struct retention *r = &p->retentions[p->retention_count++];
        *r = (struct retention){ .name = n->key,
                                 .category = policy_category(p, n->key),
                                 .from = (enum retention_from)INDEX(from_words, node_text(n, TEXT("from"))),
                                 .active = term_of(n, "active"),
                                 .archive = term_of(n, "archive"),
                                 .ground = node_said(node_get(n, TEXT("ground")), TEXT("en")),
                                 .ground_fr = node_said(node_get(n, TEXT("ground")), TEXT("fr")),
                                 .clause = clause_of(l, n) };
        if (r->category < 0)
            continue;
        struct category *c = &p->categories[r->category];
        c->retention = r;
        if (r->from == FROM_EVENT || r->from == FROM_YEAR_END)
            c->event = event_field(c, node_text(n, TEXT("event")));
    }
    return OK;
}

/* ---- Actors. ---- */

enum { ANSWERS = 1u << ACT_EXPORT | 1u << ACT_ERASE | 1u << ACT_CONSENT };
static const struct bits everything = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };

static uint32_t acts_of(const struct node *list)
{
    uint32_t acts = 0;
    EACH_WORD(item, list)
    acts |= 1u << INDEX(act_words, item->value);
    return acts;
}

static struct actor_class actor_of(const struct loaded *l, const struct node *n, enum actor_kind kind)
{
    const struct policy *p = &l->policy;
    const struct node *categories = node_get(n, TEXT("categories"));
    struct actor_class actor = {
        .name = n->key,
        .kind = kind,
        .purposes = bits_of(p, node_get(n, TEXT("purposes")), policy_purpose),
        .categories = categories ? bits_of(p, categories, policy_category) : everything,
        .acts = acts_of(node_get(n, TEXT("acts"))),
        .clause = clause_of(l, n),
    };
    actor.rights = actor.acts & ANSWERS;
    titles(n, &actor.title_en, &actor.title_fr);
    return actor;
}

static struct actor_class role_of(const struct loaded *l, const struct node *n)
{
    bool team = text_eq(node_text(n, TEXT("sees")), TEXT("team"));
    struct actor_class actor = actor_of(l, n, team ? ACTOR_MANAGER : ACTOR_STAFF);
    text own = node_text(n, TEXT("confidentiality"));
    text staff = node_text(node_at(l->policy.root, TEXT("security.staff")), TEXT("confidentiality"));
    actor.sees_team = team;
    actor.confidentiality = text_eq(own.p ? own : team ? TEXT("none") : staff, TEXT("required"));
    own = node_text(n, TEXT("second_factor"));
    staff = node_text(node_at(l->policy.root, TEXT("security.staff")), TEXT("second_factor"));
    actor.second_factor = text_eq(own.p ? own : team ? TEXT("none") : staff, TEXT("required"));
    actor.reason = text_eq(node_text(n, TEXT("reason")), TEXT("required"));
    term_parse(node_text(n, TEXT("session")), &actor.session);
    return actor;
}

static struct actor_class recipient_of(const struct loaded *l, const struct node *n)
{
    struct actor_class actor = actor_of(l, n, ACTOR_RECIPIENT);
    text contract = node_text(n, TEXT("contract")), charter = node_text(n, TEXT("charter"));
    actor.acts = 1u << ACT_DISCLOSE;
    actor.country = node_text(n, TEXT("country"));
    actor.processor = is_true(n, TEXT("processor"));
    actor.contract = contract.p && !text_eq(contract, TEXT("false"));
    actor.charter = text_eq(charter, TEXT("accepted")) || text_eq(charter, TEXT("pending"));
    actor.closed = text_eq(charter, TEXT("pending")) || (actor.processor && !actor.contract);
    return actor;
}

static void built_in_actors(struct loaded *l, const struct node *operator_role)
{
    struct policy *p = &l->policy;
    p->actors[OPERATOR] = (struct actor_class){ .name = TEXT("operator"),
                                                .title_en = TEXT("operator"),
                                                .title_fr = TEXT("exploitant"),
                                                .categories = everything,
                                                .clause = p->rights_clause };
    if (operator_role) {
        p->actors[OPERATOR] = role_of(l, operator_role);
        p->actors[OPERATOR].confidentiality = text_eq(node_text(operator_role, TEXT("confidentiality")),
                                                      TEXT("required"));
    }
    p->actors[OPERATOR].kind = ACTOR_OPERATOR;
    p->actors[OPERATOR].rights = ANSWERS | 1u << ACT_WRITE;
    p->actors[PERSON] = (struct actor_class){ .name = TEXT("person"),
                                              .title_en = TEXT("the person"),
                                              .title_fr = TEXT("la personne"),
                                              .kind = ACTOR_PERSON,
                                              .categories = everything,
                                              .clause = p->rights_clause,
                                              .rights = ANSWERS | 1u << ACT_WRITE | 1u << ACT_READ };
    p->actor_count = 2;
}

/* The sessions' ends, and their cookie: "__Host-" ties it to this host and to encryption (RFC 6265bis, 4.1.3.2) unless
 * the policy names it otherwise. */
static enum err compile_session(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *session = node_at(p->root, TEXT("security.session"));
    if (!term_parse(node_text(session, TEXT("idle")), &p->session.idle))
        p->session.idle = (struct term){ 30, TERM_MINUTES };
    if (!term_parse(node_text(session, TEXT("absolute")), &p->session.absolute))
        p->session.absolute = (struct term){ 12, TERM_HOURS };
    p->session.clause = session ? clause_of(l, session) : p->rights_clause;
    const struct node *staff = node_at(p->root, TEXT("security.staff"));
    p->session.staff_clause = staff ? clause_of(l, staff) : p->session.clause;
    NODE_EACH(n, node_get(p->root, TEXT("cookies"))) {
        if (!text_eq(node_text(n, TEXT("exempt")), TEXT("authentication")))
            continue;
        text name = node_text(n, TEXT("name")), lifetime = node_text(n, TEXT("lifetime"));
        p->session.cookie = name.n ? name : arena_print(&l->arena, "__Host-%.*s", T(n->key));
        p->session.kept = p->session.idle.unit >= TERM_DAYS && !text_eq(lifetime, TEXT("session"));
        return p->session.cookie.p ? OK : ERR_MEMORY;
    }
    return OK;
}

static enum err compile_actors(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *roles = node_get(p->root, TEXT("roles")), *systems = node_get(p->root, TEXT("systems"));
    const struct node *recipients = node_get(p->root, TEXT("recipients")),
                      *operator_role = node_get(roles, TEXT("operator"));
    unsigned count = 2 + (roles ? roles->count : 0) + (systems ? systems->count : 0) + recipients->count;
    p->actors = NEW_ARRAY(&l->arena, struct actor_class, count);
    TRY_PTR(p->actors);
    built_in_actors(l, operator_role);
    NODE_EACH(n, roles)
        if (n != operator_role)
            p->actors[p->actor_count++] = role_of(l, n);
    NODE_EACH(n, systems)
        p->actors[p->actor_count++] = actor_of(l, n, ACTOR_SYSTEM);
    NODE_EACH(n, recipients)
        p->actors[p->actor_count++] = recipient_of(l, n);
    return OK;
}

/* ---- Tenants, and the support of those whose data is only stored. ---- */

/* The fields of one category that the list names ("category.field"); all without a list. */
static uint64_t fields_of(const struct node *list, const struct category *c)
{
    uint64_t set = list ? 0 : UINT64_MAX;
    EACH_WORD(item, list)
    {
        text name = item->value, category = text_cut(&name, '.');
        int index = text_eq(category, c->name) ? policy_field(c, name) : -1;
        if (index >= 0)
            set |= (uint64_t)1 << index;
    }
    return set;
}

static enum err compile_recipient_fields(struct loaded *l)
{
    struct policy *p = &l->policy;
    NODE_EACH(n, node_get(p->root, TEXT("recipients"))) {
        const struct node *list = node_get(n, TEXT("fields"));
        if (!list)
            continue;
        uint64_t *fields = NEW_ARRAY(&l->arena, uint64_t, p->category_count + 1);
        TRY_PTR(fields);
        for (unsigned i = 0; i < p->category_count; i++)
            fields[i] = fields_of(list, &p->categories[i]);
        p->actors[policy_actor(p, n->key)].fields = fields;
    }
    return OK;
}

/* Those that list the tenants which they serve, and not this one, serve it in nothing. */
static struct bits systems_of(const struct policy *p, text tenant)
{
    struct bits out = { { 0 } };
    NODE_EACH(n, node_get(p->root, TEXT("systems"))) {
        const struct node *served = node_get(n, TEXT("tenants"));
        int index = policy_actor(p, n->key);
        if (index >= 0 && (!served || node_has(served, tenant)))
            bits_add(&out, (unsigned)index);
    }
    return out;
}

static enum err compile_tenant(struct loaded *l, text name, const struct node *n, struct tenant *t)
{
    const struct policy *p = &l->policy;
    const struct node *categories = node_get(n, TEXT("categories")), *fields = node_get(n, TEXT("fields"));
    const struct node *staff = node_get(n, TEXT("staff"));
    bool stored = text_eq(node_text(n, TEXT("operator")), TEXT("storage_only"));
    const struct bits none = { { 0 } };
    *t = (struct tenant){ .name = name,
                          .stored = stored,
                          .email = node_text(n, TEXT("email")),
                          .categories = categories ? bits_of(p, categories, policy_category) : everything,
                          .fields = NEW_ARRAY(&l->arena, uint64_t, p->category_count + 1),
                          .clause = n ? clause_of(l, n) : p->categories_clause };
    TRY_PTR(t->fields);
    t->systems = systems_of(p, name);
    t->roles = stored ? none : everything;
    if (staff)
        t->roles = bits_of(p, staff, policy_actor);
    for (unsigned i = 0; i < p->actor_count; i++)
        for (unsigned k = 0; bits_has(&t->roles, i) && k < PURPOSES_MAX; k++)
            if (bits_has(&p->actors[i].purposes, k))
                bits_add(&t->purposes, k);
    if (p->support.purpose >= 0)
        bits_add(&t->purposes, (unsigned)p->support.purpose);
    t->held_clause = categories ? clause_of(l, categories) : t->clause;
    if (fields)
        t->held_clause = clause_of(l, fields);
    t->title_en = name;
    t->title_fr = name;
    if (n)
        titles(n, &t->title_en, &t->title_fr);
    for (unsigned i = 0; i < p->category_count; i++)
        t->fields[i] = fields_of(fields, &p->categories[i]);
    return OK;
}

static enum err compile_tenants(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *tenants = node_get(p->root, TEXT("tenants"));
    p->tenant_rows = NEW_ARRAY(&l->arena, struct tenant, TENANTS_MAX);
    TRY_PTR(p->tenant_rows);
    NODE_EACH(n, tenants) {
        p->tenants[p->tenant_count] = n->key;
        TRY(compile_tenant(l, n->key, n, &p->tenant_rows[p->tenant_count++]));
    }
    if (p->tenant_count)
        return OK;
    p->tenants[p->tenant_count] = p->id;
    return compile_tenant(l, p->id, NULL, &p->tenant_rows[p->tenant_count++]);
}

/* What recipients accept: of the file, else the words that come with the program. */
static void compile_charter(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *n = node_get(p->root, TEXT("charter")), *said = node_get(n, TEXT("text"));
#define CHARTER(made, english, french)                                                                                 \
    p->charter.version = TEXT(made);                                                                                   \
    p->charter.en = TEXT(english);                                                                                     \
    p->charter.fr = TEXT(french);
#include "policy/charter.def"
    if (!said)
        return;
    p->charter.version = node_text(n, TEXT("version"));
    p->charter.en = node_said(said, TEXT("en"));
    p->charter.fr = node_said(said, TEXT("fr"));
}

/* However long the file says, nobody is let in for more than a day's work at once. */
static void compile_support(struct loaded *l)
{
    struct policy *p = &l->policy;
    const struct node *n = node_get(p->root, TEXT("support"));
    const struct term most = { SUPPORT_HOURS, TERM_HOURS };
    text purpose = node_text(n, TEXT("purpose"));
    p->support.purpose = purpose.n ? policy_purpose(p, purpose) : -1;
    p->support.clause = n ? clause_of(l, n) : p->purposes_clause;
    bool said = term_parse(node_text(n, TEXT("for")), &p->support.last);
    if (!said || term_end(0, p->support.last, 1) > term_end(0, most, 1))
        p->support.last = most;
}

/* ---- Loading. ---- */

static enum err compile(struct loaded *l)
{
    TRY(make_clauses(l));
    compile_head(l);
    compile_hosting(l);
    TRY(compile_sources(l));
    TRY(compile_categories(l));
    TRY(compile_purposes(l));
    TRY(compile_retentions(l));
    TRY(compile_session(l));
    TRY(compile_actors(l));
    TRY(compile_recipient_fields(l));
    compile_support(l);
    compile_charter(l);
    return compile_tenants(l);
}

enum err policy_check(struct arena *a, const struct node *root, enum strength strength, struct findings *f)
{
    struct check c = { .arena = a, .findings = f, .root = root, .strength = strength };
    unsigned before = f->errors;
    TRY(schema_make(a, &c.schema));
    check_shape(&c);
    check_sense(&c);
    findings_sort(f);
    if (a->why.code == ERR_MEMORY)
        return ERR_MEMORY;
    return f->errors == before ? OK : say(a, ERR_POLICY, "the policy file has %u faults", f->errors - before);
}

static enum err load(struct loaded *l, text yaml, text file, struct findings *f)
{
    struct policy *p = &l->policy;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    p->source = arena_copy(&l->arena, yaml);
    p->file = arena_copy(&l->arena, file);
    if (!p->source.p || !p->file.p)
        return ERR_MEMORY;
    sha256_of(yaml, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(p->hash + 2 * i, 3, "%02x", digest[i]);
    enum err read = node_read(&l->arena, p->source, f, &p->root);
    if (read != OK && (read != ERR_POLICY || !p->root))
        return read;
    TRY(policy_check(&l->arena, p->root, TO_RUN, f));
    TRY(read);
    return compile(l);
}

/* Findings are made in the model's own memory, which goes with a policy that cannot be loaded. */
static enum err hand_over(struct arena *a, const struct findings *from, struct findings *to)
{
    struct findings all = { .count = to->count + from->count,
                            .errors = to->errors + from->errors,
                            .questions = to->questions + from->questions,
                            .warnings = to->warnings + from->warnings };
    for (const struct finding *i = from->first; i; i = i->next)
        finding_add(a, to, i->severity, i->at, arena_copy(a, i->path), "%.*s", T(i->message));
    to->count = all.count;
    to->errors = all.errors;
    to->questions = all.questions;
    to->warnings = all.warnings;
    return a->why.code == ERR_MEMORY ? ERR_MEMORY : OK;
}

static void discard(struct loaded **l)
{
    if (!*l)
        return;
    arena_free(&(*l)->arena);
    free(*l);
}

enum err policy_load(struct arena *a, text yaml, text file, struct findings *f, const struct policy **out)
{
    CLEANUP(discard) struct loaded *l = calloc(1, sizeof *l);
    struct findings found = { 0 };
    *out = NULL;
    if (!l)
        return say(a, ERR_MEMORY, "the machine has no memory left");
    l->arena = arena_make(MODEL_BYTES_MAX);
    atomic_init(&l->references, 1);
    enum err e = load(l, yaml, file, &found);
    TRY(hand_over(a, &found, f));
    if (e == ERR_POLICY && found.first)
        return say(a, e, "%.*s has %u faults; the first, on line %u: %.*s", T(file), found.errors, found.first->at.line,
                   T(found.first->message));
    if (e != OK)
        return say(a, e, "%.*s: %s", T(file), l->arena.why.detail);
    *out = &l->policy;
    l = NULL;
    return OK;
}

const struct policy *policy_ref(const struct policy *p)
{
    struct loaded *l = (struct loaded *)p;
    atomic_fetch_add_explicit(&l->references, 1, memory_order_relaxed);
    return p;
}

void policy_unref(const struct policy **p)
{
    struct loaded *l = (struct loaded *)*p;
    *p = NULL;
    if (l && atomic_fetch_sub_explicit(&l->references, 1, memory_order_acq_rel) == 1)
        discard(&l);
}

/* ---- Look-ups by name. ---- */

#define FIND(array, count)                                                                                             \
    for (unsigned i = 0; i < (count); i++)                                                                             \
        if (text_eq((array)[i].name, name))                                                                            \
            return (int)i;                                                                                             \
    return -1

int policy_category(const struct policy *p, text name) { FIND(p->categories, p->category_count); }
int policy_stream(const struct policy *p, text stream)
{
    for (unsigned i = 0; i < p->category_count; i++)
        if (text_eq(p->categories[i].stream, stream))
            return (int)i;
    return -1;
}

int policy_purpose(const struct policy *p, text name) { FIND(p->purposes, p->purpose_count + p->forbidden_count); }
text policy_language(const struct policy *p, text tag)
{
    text primary = text_cut(&tag, '-');
    for (unsigned i = 0; i < p->language_count; i++)
        if (text_eq_nocase(p->languages[i], primary))
            return p->languages[i];
    return (text){ NULL, 0 };
}

int policy_actor(const struct policy *p, text name) { FIND(p->actors, p->actor_count); }

const struct tenant *policy_tenant(const struct policy *p, text name)
{
    for (unsigned i = 0; i < p->tenant_count; i++)
        if (text_eq(p->tenants[i], name))
            return &p->tenant_rows[i];
    return NULL;
}

int policy_field(const struct category *c, text name) { FIND(c->fields, c->field_count); }

const struct retention *policy_retention(const struct policy *p, text name)
{
    for (unsigned i = 0; i < p->retention_count; i++)
        if (text_eq(p->retentions[i].name, name))
            return &p->retentions[i];
    return NULL;
}

text policy_nearest(const struct policy *p, text kind, text name)
{
    if (text_eq(kind, TEXT("actor")))
        return nearest_word(p->root, TEXT("operator person @roles @systems @recipients"), name);
    if (text_eq(kind, TEXT("purpose")))
        return nearest_child(node_get(p->root, TEXT("purposes")), name);
    const struct node *categories = node_get(p->root, TEXT("categories"));
    if (text_eq(kind, TEXT("category")))
        return nearest_child(categories, name);
    text field = name, category = text_cut(&field, '.');
    return nearest_child(node_get(node_get(categories, category), TEXT("fields")), field);
}
