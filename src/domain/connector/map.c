/* The map: connectors.yaml beside the policy, held against it, and the person's values that it asks for. */
#include "domain/connector/inside.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/person/record.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, FIELDS = 64, VALUES = 500 };

/* ---- The file. ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* *out p NULL: there is no such file. */
static enum err read_file(struct ctx *c, const char *path, text *out)
{
    char *p = arena_alloc(c->arena, FILE_MAX);
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    TRY_PTR(p);
    *out = (text){ NULL, 0 };
    if (fd < 0 && errno == ENOENT)
        return OK;
    if (fd < 0)
        return say(c->arena, ERR_CONFIG, "connectors.yaml cannot be read (%d)", errno);
    for (ssize_t got; n < FILE_MAX && (got = read(fd, p + n, FILE_MAX - n)) != 0; n += (size_t)got)
        if (got < 0)
            return say(c->arena, ERR_CONFIG, "connectors.yaml cannot be read (%d)", errno);
    *out = (text){ p, n };
    return n < FILE_MAX ? OK : say(c->arena, ERR_CONFIG, "connectors.yaml is larger than 1 MiB");
}

static text path_beside(struct ctx *c)
{
    text policy = text_of(c->app->policy_file);
    size_t folder = policy.n;
    while (folder && policy.p[folder - 1] != '/')
        folder--;
    return arena_print(c->arena, "%.*sconnectors.yaml", (int)folder, policy.p);
}

#define FAULT(m, n, ...) finding_add(c->arena, &(m)->findings, SEVERITY_ERROR, (n)->at, (n)->path, __VA_ARGS__)

static bool is_field(const struct ctx *c, text said)
{
    text field = said, category = text_cut(&field, '.');
    int index = policy_category(c->policy, category);
    return text_eq(said, TEXT("id")) || (index >= 0 && policy_field(&c->policy->categories[index], field) >= 0);
}

static void check_column(struct ctx *c, struct connector_map *m, const struct node *column)
{
    text category = column->kind == NODE_MAP ? node_text(column, TEXT("category")) : column->value;
    if (!text_eq(category, TEXT("none")) && policy_category(c->policy, category) < 0)
        FAULT(m, column, "the column %.*s is of the category \"%.*s\", which the policy does not have", T(column->key),
              T(category));
}

/* By which fields of the policy a table, or a store without tables, is looked up: one, or a list; NULL: none. */
static const struct node *fields_of(const struct node *store_or_table)
{
    const struct node *key = node_get(store_or_table, TEXT("key"));
    return key && key->kind == NODE_MAP ? key->first : key;
}

static void check_fields(struct ctx *c, struct connector_map *m, const struct node *of)
{
    if (of && of->kind == NODE_SCALAR && !is_field(c, of->value))
        FAULT(m, of, "\"%.*s\" is no field of the policy", T(of->value));
    NODE_EACH(one, of && of->kind == NODE_LIST ? of : NULL)
        if (!is_field(c, one->value))
            FAULT(m, one, "\"%.*s\" is no field of the policy", T(one->value));
}

static void check_table(struct ctx *c, struct connector_map *m, const struct node *table)
{
    if (table->kind != NODE_MAP)
        return;
    check_fields(c, m, fields_of(table));
    NODE_EACH(column, node_get(table, TEXT("columns")))
        check_column(c, m, column);
    NODE_EACH(purpose, node_get(table, TEXT("object")))
        if (policy_purpose(c->policy, purpose->key) < 0)
            FAULT(m, purpose, "the policy has no purpose \"%.*s\"", T(purpose->key));
}

/* Files of a folder: of which category, and where the person's value stands in their name. */
static void check_files(struct ctx *c, struct connector_map *m, const struct node *files)
{
    text category = node_text(files, TEXT("category"));
    if (policy_category(c->policy, category) < 0)
        FAULT(m, files, "the files %.*s are of the category \"%.*s\", which the policy does not have", T(files->key),
              T(category));
    if (text_find(node_text(files, TEXT("name")), TEXT("{}")) < 0)
        FAULT(m, files, "the files %.*s have a \"name\" with {} for the person's value", T(files->key));
}

/* Each kind of store, and what the map must say of one. */
static const struct {
    text name, needs[3];
} kinds[] = {
    { TEXT_INIT("sqlite"), { TEXT_INIT("tables") } },
    { TEXT_INIT("postgresql"), { TEXT_INIT("tables") } },
    { TEXT_INIT("mariadb"), { TEXT_INIT("tables") } },
    { TEXT_INIT("webhook"), { TEXT_INIT("url"), TEXT_INIT("secret"), TEXT_INIT("key") } },
    { TEXT_INIT("folder"), { TEXT_INIT("path"), TEXT_INIT("key"), TEXT_INIT("files") } },
    { TEXT_INIT("manual"), { { NULL, 0 } } },
};

static void check_store(struct ctx *c, struct connector_map *m, const struct node *store)
{
    text kind = node_text(store, TEXT("kind"));
    bool known = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!text_eq(kinds[i].name, kind))
            continue;
        known = true;
        for (size_t n = 0; n < 3 && kinds[i].needs[n].n; n++)
            if (!node_get(store, kinds[i].needs[n]))
                FAULT(m, store, "the store %.*s has no \"%.*s\"", T(store->key), T(kinds[i].needs[n]));
    }
    if (!known)
        FAULT(m, store, "the store %.*s has a \"kind\": sqlite, postgresql, mariadb, webhook, folder or manual", T(store->key));
    check_fields(c, m, fields_of(store));
    NODE_EACH(files, node_get(store, TEXT("files")))
        check_files(c, m, files);
    NODE_EACH(purpose, node_get(store, TEXT("object")))
        if (policy_purpose(c->policy, purpose->value) < 0)
            FAULT(m, purpose, "the policy has no purpose \"%.*s\"", T(purpose->value));
    NODE_EACH(table, node_get(store, TEXT("tables")))
        check_table(c, m, table);
}

/* Each store that the policy names is told of, or holds nothing but this server's own. */
static void check_policy(struct ctx *c, struct connector_map *m, const struct node *root)
{
    const struct node *here = node_get(root, TEXT("here"));
    NODE_EACH(store, node_at(c->policy->root, TEXT("hosting.stores")))
        if (!node_get(m->stores, store->key) && !node_has(here, store->key))
            FAULT(m, root, "the policy's store \"%.*s\" is neither under \"stores\" nor under \"here\"", T(store->key));
}

/* A file that cannot be read is a fault of the map, as any other: what people ask goes on without it. */
static enum err read_map(struct ctx *c, struct connector_map *m)
{
    static const struct node whole;
    char path[4352];
    if (!text_cstr(m->file, path, sizeof path))
        return say(c->arena, ERR_CONFIG, "the path of connectors.yaml is too long");
    enum err e = read_file(c, path, &m->raw);
    if (e != ERR_CONFIG)
        return e;
    FAULT(m, &whole, "%s", c->arena->why.detail);
    m->raw = (text){ NULL, 0 };
    return OK;
}

enum err connector_map_read(struct ctx *c, struct connector_map *out)
{
    const struct node *root = NULL;
    *out = (struct connector_map){ .file = path_beside(c) };
    if (!c->app->policy_file[0])
        return OK;
    TRY(read_map(c, out));
    if (!out->raw.p)
        return OK;
    enum err e = node_read(c->arena, out->raw, &out->findings, &root);
    if (e != OK && e != ERR_POLICY)
        return e;
    out->stores = node_get(root, TEXT("stores"));
    if (root && !out->stores)
        FAULT(out, root, "connectors.yaml has no \"stores\"");
    NODE_EACH(store, out->stores)
        check_store(c, out, store);
    if (out->stores)
        check_policy(c, out, root);
    findings_sort(&out->findings);
    return OK;
}

enum err connector_unreached(struct ctx *c, int64_t *count)
{
    struct connector_map m;
    TRY(connector_map_read(c, &m));
    for (const struct finding *f = m.findings.first; f; f = f->next)
        ++*count;
    return OK;
}

struct connector_why connector_fault(struct ctx *c, const struct connector_map *m)
{
    const struct finding *f = m->findings.first;
    if (!f)
        return (struct connector_why){ .en = TEXT("") };
    say(c->arena, ERR_CONFIG, "connectors.yaml, line %u: %.*s", f->at.line, T(f->message));
    return connector_why(c);
}

enum err connector_map(struct ctx *c, struct connector_map *out)
{
    TRY(connector_map_read(c, out));
    const struct finding *f = out->findings.first;
    return f ? say(c->arena, ERR_CONFIG, "connectors.yaml, line %u: %.*s", f->at.line, T(f->message)) : OK;
}

/* ---- Its stores. ---- */

bool connector_serves(const struct ctx *c, const struct node *store)
{
    const struct node *tenants = node_get(store, TEXT("tenants"));
    return !tenants || node_has(tenants, c->tenant);
}

text connector_title(const struct ctx *c, const struct node *store)
{
    text said = node_said(node_get(store, TEXT("title")), c->language);
    return said.n ? said : store->key;
}

bool connector_by_hand(const struct node *store)
{
    return text_eq(node_text(store, TEXT("kind")), TEXT("manual"));
}

bool connector_by_message(const struct node *store)
{
    return text_eq(node_text(store, TEXT("kind")), TEXT("webhook"));
}

/* Of a table {COLUMN: FIELD}, of an application [FIELD]. */
static bool corrects(const struct node *table, const struct json *patch)
{
    NODE_EACH(column, node_get(table, TEXT("correct"))) {
        text field = column->value, category = text_cut(&field, '.');
        if (json_get(json_get(patch, category), field))
            return true;
    }
    return false;
}

static bool table_has(const struct node *table, enum outside_act act, text detail, const struct json *patch)
{
    if (act == OUTSIDE_restrict || act == OUTSIDE_release)
        return node_get(table, TEXT("restrict")) != NULL;
    if (act == OUTSIDE_correct)
        return corrects(table, patch);
    const struct node *object = node_get(table, TEXT("object"));
    return node_get(object, detail) != NULL || (object && object->kind != NODE_MAP && node_has(object, detail));
}

bool connector_concerned(const struct node *store, enum outside_act act, text detail, bool *by_hand)
{
    ARENA_AUTO a = arena_make(4 << 20);
    const struct json *patch = NULL;
    *by_hand = connector_by_hand(store);
    if (act == OUTSIDE_erase || *by_hand)
        return true;
    if (act == OUTSIDE_correct && json_parse(&a, detail, &patch) != OK)
        return true;
    if (connector_by_message(store) && table_has(store, act, detail, patch))
        return true;
    NODE_EACH(table, node_get(store, TEXT("tables")))
        if (table_has(table, act, detail, patch))
            return true;
    /* A restriction that the store has no mark for is kept by people. */
    *by_hand = act == OUTSIDE_restrict || act == OUTSIDE_release;
    return *by_hand;
}

/* ---- The person's values. ---- */

struct asked {
    text fields[FIELDS];
    unsigned count;
};

static enum err add_field(struct ctx *c, struct asked *all, text field)
{
    for (unsigned i = 0; i < all->count; i++)
        if (text_eq(all->fields[i], field))
            return OK;
    if (all->count == FIELDS)
        return say(c->arena, ERR_CONFIG, "connectors.yaml looks people up by more than %d fields", FIELDS);
    all->fields[all->count++] = field;
    return OK;
}

static enum err add_fields(struct ctx *c, struct asked *all, const struct node *of)
{
    if (of && of->kind == NODE_SCALAR)
        TRY(add_field(c, all, of->value));
    NODE_EACH(one, of && of->kind == NODE_LIST ? of : NULL)
        TRY(add_field(c, all, one->value));
    return OK;
}

static enum err list_fields(struct ctx *c, const struct connector_map *m, struct asked *all)
{
    NODE_EACH(store, m->stores) {
        TRY(add_fields(c, all, fields_of(store)));
        NODE_EACH(table, node_get(store, TEXT("tables")))
            TRY(add_fields(c, all, fields_of(table)));
    }
    return OK;
}

/* What a map that cannot be used may look people up by, once it is mended. */
static enum err list_possible(struct ctx *c, const struct connector_map *m, struct asked *all)
{
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        for (unsigned k = 0; k < cat->field_count && all->count < FIELDS; k++) {
            text name = arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(cat->fields[k].name));
            TRY_PTR(name.p);
            if (cat->fields[k].identifier || (m->raw.n && text_find(m->raw, name) >= 0))
                TRY(add_field(c, all, name));
        }
    }
    return all->count < FIELDS ? add_field(c, all, TEXT("id")) : OK;
}

static text unkept(const struct node *of, const struct json *values)
{
    if (of && of->kind == NODE_SCALAR && !json_get(values, of->value))
        return of->value;
    NODE_EACH(one, of && of->kind == NODE_LIST ? of : NULL)
        if (!json_get(values, one->value))
            return one->value;
    return (text){ NULL, 0 };
}

text connector_unkept(const struct node *store, const struct json *values)
{
    text found = unkept(fields_of(store), values);
    NODE_EACH(table, found.p ? NULL : node_get(store, TEXT("tables"))) {
        found = unkept(fields_of(table), values);
        if (found.p)
            break;
    }
    return found;
}

static enum err put_values(struct ctx *c, const struct person *p, text said, struct json_out *w)
{
    struct record *rows;
    unsigned count, lost;
    text field = said, category = text_cut(&field, '.');
    int index = policy_category(c->policy, category);
    json_name(w, said);
    json_open(w, '[');
    if (text_eq(said, TEXT("id")))
        json_put_text(w, id_print(c->arena, p->id));
    else if (index >= 0) {
        TRY(record_load_readable(c, p, index, true, &rows, &count, &lost));
        if (lost)
            return say(c->arena, ERR_CRYPT, "a record by which the person is looked up elsewhere cannot be read");
        for (unsigned i = 0; i < count && i < VALUES; i++) {
            const struct json *value = json_get(rows[i].fields, field);
            if (value && value->first && (value->first->kind == J_TEXT || value->first->kind == J_NUMBER))
                json_put_text(w, value->first->value);
        }
    }
    json_close(w, ']');
    return OK;
}

enum err connector_values(struct ctx *c, const struct person *p, const struct connector_map *m, struct json_out *w)
{
    struct asked all = { .count = 0 };
    TRY(m->findings.first ? list_possible(c, m, &all) : list_fields(c, m, &all));
    json_name(w, TEXT("values"));
    json_open(w, '{');
    for (unsigned i = 0; i < all.count; i++)
        TRY(put_values(c, p, all.fields[i], w));
    json_close(w, '}');
    return connector_put_former(c, p, all.fields, all.count, w);
}
