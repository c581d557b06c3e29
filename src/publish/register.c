/* The record of processing activities, from the policy file: what each column holds. */
#include "publish/register.h"
#include "base/file/csv.h"
#include "publish/notice.h"
#include "policy/schema.h"

/* Fields: those a tenant may hold, NULL: all. */
struct keeper {
    struct arena *a;
    struct words w;
    const struct node *root, *fields;
};
typedef text cell_fn(struct keeper *k, const struct node *at);

static text get(const struct node *n, const char *key) { return node_text(n, text_of(key)); }
static const struct node *top(const struct keeper *k, const char *key) { return node_get(k->root, text_of(key)); }
static bool says(const struct node *n, const char *key, const char *word)
{
    return text_eq(get(n, key), text_of(word));
}

static void join(struct buf *b, text part)
{
    if (!part.n)
        return;
    if (b->n)
        buf_add(b, TEXT("; "));
    buf_add(b, text_ends(part, TEXT(".")) ? text_upto(part, part.n - 1) : part);
}

static text done(struct keeper *k, const struct buf *b) { return buf_made(k->a, b); }

/* The values of these keys, comma between. */
static text listed(struct keeper *k, const struct node *n, const char *const *keys)
{
    BUF_AUTO b = buf_make(1 << 16);
    for (; *keys; keys++) {
        const struct node *value = node_get(n, text_of(*keys));
        if (!value)
            continue;
        if (b.n)
            buf_add(&b, TEXT(", "));
        buf_add(&b, words_of(&k->w, value));
    }
    return done(k, &b);
}

static text either(struct keeper *k, const char *en, const char *fr) { return text_of(k->w.fr ? fr : en); }

/* ---- Of the policy as a whole. ---- */

static text responsible(struct keeper *k)
{
    static const char *const keys[] = { "legal_name", "address", "country", "email", "phone", NULL };
    return listed(k, top(k, "controller"), keys);
}

static text officer(struct keeper *k)
{
    static const char *const keys[] = { "name", "email", "address", "phone", NULL };
    const struct node *dpo = top(k, "dpo");
    if (says(dpo, "appointed", "true"))
        return listed(k, dpo, keys);
    return dpo ? arena_print(k->a, "%.*s%.*s", T(either(k, "None. ", "Aucun. ")),
                             T(words_of(&k->w, node_get(dpo, TEXT("reason")))))
               : TEXT("");
}

static text security(struct keeper *k)
{
    BUF_AUTO b = buf_make(1 << 16);
    const struct node *s = top(k, "security");
    text algorithm = get(node_get(s, TEXT("encryption")), "algorithm"),
         tls = get(node_get(s, TEXT("transport")), "tls");
    if (says(node_get(s, TEXT("encryption")), "at_rest", "true"))
        join(&b, arena_print(k->a, k->w.fr ? "chiffrement au repos %.*s" : "encryption at rest %.*s", T(algorithm)));
    if (tls.n)
        join(&b, arena_print(k->a, "TLS %.*s+", T(tls)));
    if (says(node_get(s, TEXT("staff")), "confidentiality", "required"))
        join(&b, either(k, "confidentiality agreements", "engagements de confidentialité"));
    if (says(node_get(s, TEXT("staff")), "second_factor", "required"))
        join(&b, either(k, "second factor for staff", "second facteur pour le personnel"));
    join(&b, either(k, "log of accesses that cannot be altered unseen",
                    "journal des accès qui ne peut être altéré à l'insu de tous"));
    NODE_EACH(measure, node_get(s, TEXT("measures")))
        join(&b, words_of(&k->w, measure));
    if (top(k, "backup"))
        join(&b, either(k, "backups", "sauvegardes"));
    return done(k, &b);
}

/* Recipients that `at` (a purpose, or NULL for all) discloses to; of one kind: 'p' processors, 'j' joint controllers,
 * 'o' others. */
static text recipients(struct keeper *k, const struct node *purpose, char kind)
{
    BUF_AUTO b = buf_make(1 << 16);
    const struct node *all = top(k, "recipients");
    NODE_EACH(r, all && all->kind == NODE_MAP ? all : NULL) {
        text joint = get(r, "joint");
        char is = says(r, "processor", "true") ? 'p'
                : joint.n && !text_eq(joint, TEXT("false")) ? 'j' : 'o';
        if (is != kind || (purpose && !node_has(node_get(r, TEXT("purposes")), purpose->key)))
            continue;
        text name = get(r, "name").n ? get(r, "name") : words_title(&k->w, r),
             country = words_of(&k->w, node_get(r, TEXT("country")));
        text contract = words_of(&k->w, node_get(r, TEXT("contract")));
        text line = arena_print(k->a, country.n ? "%.*s (%.*s)" : "%.*s", T(name), T(country));
        join(&b, contract.n ? arena_print(k->a, k->w.fr ? "%.*s, contrat : %.*s" : "%.*s, contract: %.*s", T(line),
                                          T(contract))
                            : line);
    }
    return b.n ? done(k, &b) : either(k, "none", "aucun");
}

static bool outside(text code)
{
    const struct country *c = country_of(code);
    return c && c->area == AREA_NONE;
}

static void add_transfer(struct keeper *k, struct buf *b, const struct node *who, text said)
{
    text name = get(who, "name").n ? get(who, "name") : words_title(&k->w, who);
    join(b, arena_print(k->a, k->w.fr ? "%.*s : %.*s" : "%.*s: %.*s", T(name), T(said)));
}

/* Transfers, to recipients of this purpose or of all: the country of each, or what allows it. They stand under
 * `transfers`, or with a recipient that is in a country out of the EEA. */
static text transfers(struct keeper *k, const struct node *purpose, const char *key)
{
    BUF_AUTO b = buf_make(1 << 16);
    const struct node *all = top(k, "transfers"), *known = top(k, "recipients");
    NODE_EACH(t, all && all->kind == NODE_MAP ? all : NULL) {
        const struct node *r = node_get(known, get(t, "recipient"));
        if (!purpose || !r || node_has(node_get(r, TEXT("purposes")), purpose->key))
            add_transfer(k, &b, r ? r : t, words_of(&k->w, node_get(t, text_of(key))));
    }
    NODE_EACH(r, known && known->kind == NODE_MAP ? known : NULL) {
        bool listed_above = false;
        NODE_EACH(t, all && all->kind == NODE_MAP ? all : NULL)
            listed_above = listed_above || text_eq(get(t, "recipient"), r->key);
        if (!listed_above && outside(get(r, "country")) &&
            (!purpose || node_has(node_get(r, TEXT("purposes")), purpose->key)))
            add_transfer(k, &b, r, words_of(&k->w, node_get(r, text_of(key))));
    }
    return b.n ? done(k, &b) : either(k, "none", "aucun");
}

/* ---- Of each category that a purpose uses, or a tenant may hold. ---- */

typedef text category_fn(struct keeper *k, const struct node *category);

static text each_category(struct keeper *k, const struct node *user, category_fn *say_of)
{
    BUF_AUTO b = buf_make(1 << 16);
    const struct node *mine = node_get(user, TEXT("categories"));
    NODE_EACH(category, top(k, "categories"))
        if (!mine || node_has(mine, category->key)) {
            text part = say_of(k, category);
            if (text_find(buf_begun(&b), part) < 0)
                join(&b, part);
        }
    return done(k, &b);
}

static text say_fields(struct keeper *k, const struct node *category)
{
    BUF_AUTO b = buf_make(1 << 14);
    NODE_EACH(field, node_get(category, TEXT("fields"))) {
        if (k->fields && !node_has(k->fields, arena_print(k->a, "%.*s.%.*s", T(category->key), T(field->key))))
            continue;
        if (b.n)
            buf_add(&b, TEXT(", "));
        buf_add(&b, words_title(&k->w, field));
    }
    return arena_print(k->a, "%.*s (%.*s)", T(words_title(&k->w, category)), T(done(k, &b)));
}

/* By what it is, or by the ground of Art. 9(2) without which a policy with such a term or name is not taken. */
static text say_special(struct keeper *k, const struct node *category)
{
    bool special = says(category, "special", "true") || node_get(category, TEXT("ground"));
    return special ? words_title(&k->w, category) : TEXT("");
}

static text say_term(struct keeper *k, const struct node *category)
{
    text term = words_retention(&k->w, node_get(top(k, "retention"), category->key));
    const struct node *transient = node_get(category, TEXT("transient"));
    if (transient)
        term = arena_print(k->a, k->w.fr ? "en mémoire seulement, %.*s" : "in memory only, %.*s",
                           T(words_of(&k->w, node_get(transient, TEXT("for")))));
    if (!term.n)
        term = either(k, "as long as the account or file is open", "tant que le compte ou dossier est ouvert");
    return arena_print(k->a, k->w.fr ? "%.*s : %.*s" : "%.*s: %.*s", T(words_title(&k->w, category)), T(term));
}

static text say_subjects(struct keeper *k, const struct node *category)
{
    BUF_AUTO b = buf_make(1 << 14);
    const struct node *s = node_get(category, TEXT("subjects"));
    for (const struct node *one = !s                       ? NULL
                                  : s->kind == NODE_SCALAR ? s
                                                           : s->first;
         one; one = s->kind == NODE_SCALAR ? NULL : one->next)
        join(&b, words_label(&k->w, "categories.*.subjects", one->value));
    return done(k, &b);
}

/* ---- Columns of the controller's record: `at` is a purpose. ---- */

static text controller_activity(struct keeper *k, const struct node *at) { return words_title(&k->w, at); }
static text controller_reference(struct keeper *k, const struct node *at)
{
    return arena_print(k->a, "%.*s:%u", T(at->path), at->at.line);
}
static text controller_created(struct keeper *k, const struct node *at)
{
    return get(at, "since").n ? get(at, "since") : get(top(k, "policy"), "version");
}
static text controller_updated(struct keeper *k, const struct node *at) { return get(top(k, "policy"), "date"); }
static text controller_responsible(struct keeper *k, const struct node *at) { return responsible(k); }
static text controller_officer(struct keeper *k, const struct node *at) { return officer(k); }
static text controller_representative(struct keeper *k, const struct node *at)
{
    static const char *const keys[] = { "name", "address", "email", NULL };
    const struct node *named = node_get(top(k, "controller"), TEXT("representative"));
    return named ? listed(k, named, keys) : either(k, "none", "aucun");
}
static text controller_joint(struct keeper *k, const struct node *at) { return recipients(k, at, 'j'); }
/* The systems that act for the purpose, and where what they hold is kept. */
static text controller_software(struct keeper *k, const struct node *at)
{
    BUF_AUTO b = buf_make(1 << 14);
    NODE_EACH(system, top(k, "systems"))
        if (node_has(node_get(system, TEXT("purposes")), at->key))
            join(&b, words_title(&k->w, system));
    join(&b, get(top(k, "hosting"), "host"));
    text countries = words_of(&k->w, node_get(top(k, "hosting"), TEXT("countries")));
    return countries.n ? arena_print(k->a, "%.*s (%.*s)", T(done(k, &b)), T(countries)) : done(k, &b);
}
static text controller_purpose(struct keeper *k, const struct node *at)
{
    text why = words_of(&k->w, node_get(at, TEXT("necessity")));
    return why.n ? arena_print(k->a, "%.*s. %.*s", T(words_title(&k->w, at)), T(why)) : words_title(&k->w, at);
}
static text controller_basis(struct keeper *k, const struct node *at)
{
    text basis = words_label(&k->w, "purposes.*.basis", get(at, "basis")),
         more = words_of(&k->w, node_get(at, TEXT("interest")));
    if (!more.n)
        more = words_of(&k->w, node_get(at, TEXT("law")));
    return more.n ? arena_print(k->a, k->w.fr ? "%.*s : %.*s" : "%.*s: %.*s", T(basis), T(more))
             : basis;
}
static text controller_subjects(struct keeper *k, const struct node *at) { return each_category(k, at, say_subjects); }
static text controller_data(struct keeper *k, const struct node *at) { return each_category(k, at, say_fields); }
static text controller_special(struct keeper *k, const struct node *at)
{
    text special = each_category(k, at, say_special);
    return special.n ? special : either(k, "none", "aucune");
}
static text controller_terms(struct keeper *k, const struct node *at) { return each_category(k, at, say_term); }
static text controller_internal(struct keeper *k, const struct node *at)
{
    BUF_AUTO b = buf_make(1 << 14);
    NODE_EACH(role, top(k, "roles"))
        if (node_has(node_get(role, TEXT("purposes")), at->key))
            join(&b, words_title(&k->w, role));
    return b.n ? done(k, &b) : either(k, "none", "aucun");
}
static text controller_external(struct keeper *k, const struct node *at) { return recipients(k, at, 'o'); }
static text controller_processors(struct keeper *k, const struct node *at) { return recipients(k, at, 'p'); }
static text controller_transfers(struct keeper *k, const struct node *at) { return transfers(k, at, "country"); }
static text controller_safeguards(struct keeper *k, const struct node *at) { return transfers(k, at, "safeguard"); }
static text controller_security(struct keeper *k, const struct node *at) { return security(k); }
static text controller_assessment(struct keeper *k, const struct node *at)
{
    const struct node *dpia = node_get(top(k, "assessment"), TEXT("dpia"));
    text status = get(dpia, "status");
    if (!status.n)
        return either(k, "not required", "non requise");
    text word = text_eq(status, TEXT("done"))       ? either(k, "done", "faite")
                : text_eq(status, TEXT("screened")) ? either(k, "screened", "examinée")
                                                    : either(k, "none", "aucune");
    return arena_print(k->a, "%.*s %.*s %.*s", T(word), T(get(dpia, "date")), T(get(dpia, "reference")));
}

/* ---- Columns of the processor's record: `at` is a tenant, or as_processor for customers at large. ---- */

static text processor_customer(struct keeper *k, const struct node *at)
{
    return get(at, "legal_name").n                  ? get(at, "legal_name")
           : text_eq(at->key, TEXT("as_processor")) ? either(k, "our customers", "nos clients")
                                                    : words_title(&k->w, at);
}
static text processor_contact(struct keeper *k, const struct node *at)
{
    static const char *const keys[] = { "address", "email", NULL };
    return listed(k, at, keys);
}
static text processor_responsible(struct keeper *k, const struct node *at) { return responsible(k); }
static text processor_officer(struct keeper *k, const struct node *at) { return officer(k); }
static text processor_carried(struct keeper *k, const struct node *at)
{
    return says(at, "operator", "storage_only")
               ? either(k, "storage", "stockage")
               : either(k, "storage and use on instruction", "stockage et usage sur instruction");
}
static text processor_data(struct keeper *k, const struct node *at)
{
    k->fields = node_get(at, TEXT("fields"));
    text data = each_category(k, at, say_fields);
    k->fields = NULL;
    return data;
}
static text processor_processors(struct keeper *k, const struct node *at) { return recipients(k, NULL, 'p'); }
static text processor_transfers(struct keeper *k, const struct node *at) { return transfers(k, NULL, "country"); }
static text processor_safeguards(struct keeper *k, const struct node *at) { return transfers(k, NULL, "safeguard"); }
static text processor_security(struct keeper *k, const struct node *at) { return security(k); }

/* ---- The whole. ---- */

enum { PART_controller = RECORD_CONTROLLER, PART_processor = RECORD_PROCESSOR };
static const struct {
    enum record_part part;
    text en, fr;
    cell_fn *cell;
} columns[] = {
#define COLUMN(part, name, en, fr) { (enum record_part)PART_##part, TEXT_INIT(en), TEXT_INIT(fr), part##_##name },
#include "publish/register.def"
#undef COLUMN
};
enum { COLUMN_COUNT = sizeof columns / sizeof *columns };

/* French sets a narrow blank before the semicolons that part what a cell lists. */
static text set_apart(struct keeper *k, text cell)
{
    BUF_AUTO b = buf_make(1 << 18);
    if (!k->w.fr || text_find(cell, TEXT("; ")) < 0)
        return cell;
    for (ptrdiff_t at; (at = text_find(cell, TEXT("; "))) >= 0; cell = text_from(cell, (size_t)at + 2)) {
        buf_add(&b, text_upto(cell, (size_t)at));
        buf_add(&b, TEXT("\u202F; "));
    }
    buf_add(&b, cell);
    return done(k, &b);
}

static enum err add_row(struct keeper *k, struct record_table *t, struct record_row ***end, enum record_part part,
                        const struct node *at)
{
    struct record_row *row = NEW(k->a, struct record_row);
    TRY_PTR(row);
    unsigned column = 0;
    for (unsigned i = 0; i < COLUMN_COUNT; i++) {
        if (columns[i].part == part) {
            text cell = columns[i].cell(k, at);
            row->cells[column++] = cell.p ? set_apart(k, cell) : TEXT("");
        }
    }
    if (k->a->why.code == ERR_MEMORY)
        return ERR_MEMORY;
    **end = row;
    *end = &row->next;
    t->count++;
    return OK;
}

static enum err fill_controller(struct keeper *k, struct record_table *t)
{
    struct record_row **end = &t->first;
    NODE_EACH(purpose, top(k, "purposes"))
        TRY(add_row(k, t, &end, RECORD_CONTROLLER, purpose));
    return OK;
}

/* A tenant is a customer when it has another legal name than the controller's. */
static enum err fill_processor(struct keeper *k, struct record_table *t)
{
    struct record_row **end = &t->first;
    text own = get(top(k, "controller"), "legal_name");
    NODE_EACH(tenant, top(k, "tenants"))
        if (get(tenant, "legal_name").n && !text_eq(get(tenant, "legal_name"), own))
            TRY(add_row(k, t, &end, RECORD_PROCESSOR, tenant));
    if (!t->count && top(k, "as_processor"))
        TRY(add_row(k, t, &end, RECORD_PROCESSOR, top(k, "as_processor")));
    return OK;
}

enum err register_make(struct arena *a, const struct node *root, text file, text language, struct record *out)
{
    struct keeper k = { .a = a, .root = root };
    TRY(words_make(a, root, language, &k.w));
    bool fr = k.w.fr;
    *out = (struct record){ .title = fr ? TEXT("Registre des activités de traitement")
                                        : TEXT("Record of processing activities"),
                            .name = get(top(&k, "controller"), "legal_name"),
                            .version = get(top(&k, "policy"), "version"),
                            .language = fr ? TEXT("fr") : TEXT("en") };
    out->parts[RECORD_CONTROLLER].title = fr ? TEXT("Responsable du traitement") : TEXT("Controller");
    out->parts[RECORD_PROCESSOR].title = fr ? TEXT("Sous-traitant") : TEXT("Processor");
    for (unsigned i = 0; i < COLUMN_COUNT; i++) {
        struct record_table *t = &out->parts[columns[i].part];
        t->heads[t->columns++] = fr ? columns[i].fr : columns[i].en;
    }
    TRY(fill_controller(&k, &out->parts[RECORD_CONTROLLER]));
    return fill_processor(&k, &out->parts[RECORD_PROCESSOR]);
}

/* ---- HTML and CSV. ---- */

void register_html(struct buf *b, const struct record *r, enum record_part part)
{
    const struct record_table *t = &r->parts[part];
    bool fr = text_eq(r->language, TEXT("fr"));
    struct page_frame frame = { .here = TEXT("/privacy"),
                                .title = r->title,
                                .name = r->name,
                                .lead = t->title,
                                .style = r->style,
                                .fr = fr };
    page_begin(b, &frame);
    if (!t->count)
        buf_print(b, "<p>%s</p>\n", fr ? "Aucune activité." : "No activity.");
    for (const struct record_row *row = t->first; row; row = row->next) {
        buf_add(b, TEXT("<section class=\"chapter\">\n<h2>"));
        buf_html(b, row->cells[0]);
        buf_add(b, TEXT("</h2>\n<table class=\"sheet\">\n<tbody>\n"));
        for (unsigned i = 1; i < t->columns; i++) {
            buf_add(b, TEXT("<tr><th scope=\"row\">"));
            buf_html(b, t->heads[i]);
            buf_add(b, TEXT("</th><td>"));
            buf_html(b, row->cells[i]);
            buf_add(b, TEXT("</td></tr>\n"));
        }
        buf_add(b, TEXT("</tbody>\n</table>\n</section>\n"));
    }
    page_end(b, &frame, r->version);
}

void register_csv(struct buf *b, const struct record *r, enum record_part part)
{
    const struct record_table *t = &r->parts[part];
    buf_add(b, CSV_MARK);
    for (unsigned i = 0; i < t->columns; i++) {
        buf_add(b, i ? TEXT(",") : TEXT(""));
        csv_put(b, t->heads[i]);
    }
    buf_add(b, TEXT("\r\n"));
    for (const struct record_row *row = t->first; row; row = row->next) {
        for (unsigned i = 0; i < t->columns; i++) {
            buf_add(b, i ? TEXT(",") : TEXT(""));
            csv_put(b, row->cells[i]);
        }
        buf_add(b, TEXT("\r\n"));
    }
}
