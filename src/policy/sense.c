/* What no row of the schema can say: uses, places, grounds and contradictions between clauses, and the model's limits.
 */
#include "check.h"
#include "base/card.h"
#include "base/unicode.h"

bool is_true(const struct node *map, text key) { return text_eq(node_text(map, key), TEXT("true")); }

static const struct node *section(const struct check *c, const char *key) { return node_get(c->root, text_of(key)); }

bool is_marketing(const struct node *purpose)
{
    static const text terms[] = { TEXT_INIT("dpv:Marketing"),           TEXT_INIT("dpv:DirectMarketing"),
                                  TEXT_INIT("dpv:Advertising"),         TEXT_INIT("dpv:PersonalisedAdvertising"),
                                  TEXT_INIT("dpv:TargetedAdvertising"), TEXT_INIT("dpv:SocialMediaMarketing") };
    text dpv = node_text(purpose, TEXT("dpv"));
    for (size_t i = 0; dpv.n && i < sizeof terms / sizeof *terms; i++)
        if (text_eq(dpv, terms[i]))
            return true;
    return is_true(purpose, TEXT("marketing"));
}

static text add_ids(struct arena *a, const struct node *promises, text path, text ids)
{
    NODE_EACH(promise, promises) {
        text so_far = ids;
        bool known = false;
        while (so_far.p)
            known = known || text_eq(text_trim(text_cut(&so_far, ',')), promise->key);
        if (!known && node_has(promise, path))
            ids = arena_print(a, "%.*s%s%.*s", T(ids), ids.n ? ", " : "", T(promise->key));
    }
    return ids;
}

text promise_ids(struct arena *a, const struct node *root, text path)
{
    const struct node *promises = node_get(root, TEXT("promises"));
    text ids = TEXT("");
    for (size_t n = path.n; promises && n; n--)
        if (n == path.n || path.p[n] == '.' || path.p[n] == '[')
            ids = add_ids(a, promises, text_upto(path, n), ids);
    return ids;
}

/* ---- Categories. ---- */

static bool is_used(const struct check *c, text category)
{
    NODE_EACH(purpose, section(c, "purposes"))
        if (node_has(node_get(purpose, TEXT("categories")), category))
            return true;
    return false;
}

/* In a notice that is only read, rule N06 of the linter speaks of them. */
static void check_used(struct check *c)
{
    if (c->strength == TO_READ)
        return;
    NODE_EACH(category, section(c, "categories"))
        if (!is_used(c, category->key))
            WRONG_KEY(c, category, "no purpose uses the category \"%.*s\": nothing may be held without a purpose",
                      T(category->key));
}

struct special {
    text dpv, what, words;
};
static const struct special specials[] = {
#define SPECIAL(dpv, what, words) { TEXT_INIT(dpv), TEXT_INIT(what), TEXT_INIT(words) },
#include "special.def"
#undef SPECIAL
};

/* One of the words in the name, whole or between separators. */
static bool name_says(text name, text words)
{
    for (text rest = words; rest.p;) {
        text word = word_next(&rest);
        for (size_t i = 0; word.n && i + word.n <= name.n; i++) {
            size_t end = i + word.n;
            bool starts = i == 0 || text_index(TEXT("._-"), name.p[i - 1]) >= 0;
            bool ends = end == name.n || text_index(TEXT("._-"), name.p[end]) >= 0;
            if (starts && ends && text_eq(text_upto(text_from(name, i), word.n), word))
                return true;
        }
    }
    return false;
}

/* The special category that a category or field is by its term, or by its name unless the file says that it is not. */
static const struct special *special_of(const struct node *n, bool denied)
{
    text dpv = node_text(n, TEXT("dpv"));
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if ((dpv.n && text_eq(dpv, specials[i].dpv)) || (!denied && name_says(n->key, specials[i].words)))
            return &specials[i];
    return NULL;
}

static void check_special(struct check *c)
{
    NODE_EACH(category, section(c, "categories")) {
        bool denied = text_eq(node_text(category, TEXT("special")), TEXT("false"));
        if (node_get(category, TEXT("ground")))
            continue;
        const struct special *s = special_of(category, denied);
        if (s || is_true(category, TEXT("special")))
            WRONG_KEY(c, category,
                      "%.*s is a special category (%.*s, Art. 9) without ground: name the exception of Art. 9(2)",
                      T(category->path), T(s ? s->what : TEXT("special: true")));
        NODE_EACH(field, s ? NULL : node_get(category, TEXT("fields")))
            if ((s = special_of(field, denied)))
                WRONG_KEY(c, field,
                          "%.*s is a special category (%.*s, Art. 9): its category needs a ground of Art. 9(2)",
                          T(field->path), T(s->what));
    }
}

static void check_held(struct check *c)
{
    NODE_EACH(category, section(c, "categories")) {
        const struct node *retention = node_get(section(c, "retention"), category->key);
        text active = node_text(retention, TEXT("active"));
        bool grounded = node_get(retention, TEXT("ground")) && active.n && !text_eq(active, TEXT("always")) &&
                        !text_eq(node_text(retention, TEXT("archive")), TEXT("always"));
        if (is_true(category, TEXT("held")) && !grounded)
            WRONG_KEY(c, category, "%.*s is held after erasure without ground and period: give both in retention.%.*s",
                      T(category->path), T(category->key));
        if (node_get(category, TEXT("transient")) && (retention || is_true(category, TEXT("held"))))
            WRONG_KEY(c, category, "%.*s is transient: it can be neither held nor have a retention", T(category->path));
    }
}

static void check_events(struct check *c)
{
    NODE_EACH(retention, section(c, "retention")) {
        const struct node *event = node_get(retention, TEXT("event"));
        const struct node *fields = node_get(node_get(section(c, "categories"), retention->key), TEXT("fields"));
        text from = node_text(retention, TEXT("from")),
             type = event ? node_text(node_get(fields, event->value), TEXT("type")) : TEXT("");
        if (event && !text_eq(type, TEXT("time")) && !text_eq(type, TEXT("date")))
            WRONG_VALUE(c, event, "%.*s is no field of type time or date of \"%.*s\"", T(event->path),
                        T(retention->key));
        else if (event && !text_eq(from, TEXT("event")) && !text_eq(from, TEXT("year_end")))
            WRONG_VALUE(c, event, "%.*s is for a term from event or year_end, not from %.*s", T(event->path), T(from));
    }
}

static void check_public(struct check *c)
{
    NODE_EACH(category, section(c, "categories")) {
        const struct node *public = node_get(category, TEXT("public"));
        const struct node *purpose = public ? node_get(section(c, "purposes"), public->value) : NULL;
        if (!purpose)
            continue;
        if (!text_eq(node_text(purpose, TEXT("basis")), TEXT("consent")) ||
            !node_has(node_get(purpose, TEXT("categories")), category->key))
            WRONG_VALUE(c, public,
                        "%.*s may be shown in public under a purpose based on consent that uses it; %.*s is not one",
                        T(category->path), T(purpose->path));
    }
}

/* ---- Fields. ---- */

static bool colour(text s)
{
    if (s.n != 7 || s.p[0] != '#')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (text_index(TEXT("0123456789abcdefABCDEF"), s.p[i]) < 0)
            return false;
    return true;
}

static bool default_fits(const struct node *field, text type, text value)
{
    int64_t v, bound;
    if (text_eq(type, TEXT("integer")))
        return text_int(value, &v) && (!text_int(node_text(field, TEXT("min")), &bound) || v >= bound) &&
               (!text_int(node_text(field, TEXT("max")), &bound) || v <= bound);
    if (text_eq(type, TEXT("choice")))
        return node_has(node_get(field, TEXT("choices")), value);
    if (text_eq(type, TEXT("boolean")))
        return text_eq(value, TEXT("true")) || text_eq(value, TEXT("false"));
    return !text_eq(type, TEXT("colour")) || colour(value);
}

static void check_when(struct check *c, const struct node *field)
{
    const struct node *when = node_get(field, TEXT("when"));
    if (when && when->kind == NODE_MAP && when->count != 1)
        WRONG_KEY(c, when, "%.*s must name one field", T(when->path));
    NODE_EACH(condition, when) {
        const struct node *other = node_get(field->parent, condition->key);
        other = other ? other : field_of_ref(c->root, condition->key);
        if (!other || other == field)
            WRONG(c, condition->key_at, condition, "%.*s depends on \"%.*s\", which is no other field", T(field->path),
                  T(condition->key));
        else if (text_eq(node_text(other, TEXT("type")), TEXT("choice")) && condition->kind == NODE_SCALAR &&
                 !node_has(node_get(other, TEXT("choices")), condition->value))
            WRONG_VALUE(c, condition, "%.*s can never be \"%.*s\": it is none of its choices", T(other->path),
                        T(condition->value));
    }
}

/* Words for a value that nobody can choose would never be read. */
static void check_labels(struct check *c, const struct node *field, const struct node *choices)
{
    NODE_EACH(label, node_get(field, TEXT("labels")))
        if (!choices || !node_has(choices, label->key))
            WRONG_KEY(c, label, "%.*s is no choice of %.*s", T(label->key), T(field->path));
}

/* Two choices that look the same could not be told apart by whoever chooses. */
static void check_choices(struct check *c, const struct node *field, const struct node *choices)
{
    if (choices->count > CHOICES_MAX) {
        WRONG_VALUE(c, choices, "%.*s has %u choices, more than %d", T(field->path), choices->count, CHOICES_MAX);
        return;
    }
    NODE_EACH(one, choices)
        for (const struct node *other = choices->first; other != one; other = other->next)
            if (!text_eq(one->value, other->value) &&
                text_eq(unicode_nfc(c->arena, one->value), unicode_nfc(c->arena, other->value)))
                WRONG_VALUE(c, one, "%.*s has a choice twice, in two normal forms of Unicode", T(field->path));
}

static void check_field(struct check *c, const struct node *category, const struct node *field)
{
    text type = node_text(field, TEXT("type"));
    const struct node *standard = node_get(field, TEXT("default")), *choices = node_get(field, TEXT("choices"));
    int64_t min, max;
    if (text_eq(type, TEXT("card")) && !node_get(category, TEXT("transient")))
        WRONG_KEY(c, field, "%.*s is a payment card number: only a transient category may have it", T(field->path));
    if (text_eq(type, TEXT("choice")) != (choices != NULL))
        WRONG_KEY(c, field, choices ? "%.*s has choices, but is of type \"%.*s\"" : "%.*s is a choice without choices",
                  T(field->path), T(type));
    if (choices)
        check_choices(c, field, choices);
    check_labels(c, field, choices);
    if (text_int(node_text(field, TEXT("min")), &min) && text_int(node_text(field, TEXT("max")), &max) && min > max)
        WRONG_KEY(c, field, "%.*s has a min above its max", T(field->path));
    if (standard && standard->kind == NODE_SCALAR && !default_fits(field, type, standard->value))
        WRONG_VALUE(c, standard, "the default of %.*s does not fit its own type and bounds", T(field->path));
    check_when(c, field);
}

static void check_fields(struct check *c)
{
    NODE_EACH(category, section(c, "categories")) {
        const struct node *fields = node_get(category, TEXT("fields"));
        if (fields && fields->count > FIELDS_MAX)
            WRONG_KEY(c, fields, "%.*s has %u fields, more than %d", T(category->path), fields->count, FIELDS_MAX);
        NODE_EACH(field, fields)
            check_field(c, category, field);
    }
}

/* ---- Purposes. ---- */

static const struct node *forbidden_by(const struct check *c, const struct node *purpose)
{
    NODE_EACH(never, section(c, "never"))
        if (node_has(node_get(never, TEXT("purposes")), purpose->key) ||
            (is_true(never, TEXT("marketing")) && is_marketing(purpose)))
            return never;
    return NULL;
}

static void check_never(struct check *c)
{
    NODE_EACH(purpose, section(c, "purposes")) {
        const struct node *never = forbidden_by(c, purpose);
        if (never)
            WRONG_KEY(c, purpose, "%.*s is declared, but %.*s (line %u) forbids it", T(purpose->path), T(never->path),
                      never->key_at.line);
    }
    NODE_EACH(never, section(c, "never"))
        if (never->kind == NODE_MAP && !is_true(never, TEXT("marketing")) && !node_get(never, TEXT("purposes")))
            WRONG_KEY(c, never, "%.*s forbids nothing: give it purposes, or marketing: true", T(never->path));
}

/* Whether one of the purposes listed under `list` uses the category. */
static bool purposes_use(const struct check *c, const struct node *list, text category)
{
    NODE_EACH(purpose, section(c, "purposes"))
        if (node_has(list, purpose->key) && node_has(node_get(purpose, TEXT("categories")), category))
            return true;
    return false;
}

/* A category or field asked for, or handed on, must be one that its purposes use. */
static void check_use_of(struct check *c, const struct node *owner, const struct node *item, text category)
{
    const struct node *purposes = node_get(owner, TEXT("purposes"));
    if (purposes && node_get(section(c, "categories"), category) && !purposes_use(c, purposes, category))
        WRONG_VALUE(c, item, "%.*s has \"%.*s\", but none of its purposes uses \"%.*s\"", T(owner->path),
                    T(item->value), T(category));
}

static void check_uses(struct check *c)
{
    static const struct {
        const char *section, *list;
    } places[] = { { "collection", "fields" },
                   { "recipients", "categories" },
                   { "roles", "categories" },
                   { "systems", "categories" } };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        NODE_EACH(owner, section(c, places[i].section)) {
            const struct node *list = node_get(owner, text_of(places[i].list));
            for (const struct node *item = list && list->kind == NODE_LIST ? list->first : list; item;
                 item = item->next) {
                text rest = item->value;
                check_use_of(c, owner, item, text_cut(&rest, '.'));
                if (item == list)
                    break;
            }
        }
}

/* A term from the last day of a form needs that day. */
static void check_forms(struct check *c)
{
    NODE_EACH(form, section(c, "collection")) {
        const struct node *from = node_get(node_get(form, TEXT("retention")), TEXT("from"));
        if (from && text_eq(from->value, TEXT("until")) && !node_get(form, TEXT("until")))
            WRONG_VALUE(c, from, "%.*s counts from \"until\", but %.*s has no last day (until)", T(from->path),
                        T(form->path));
    }
}

/* ---- Places. ---- */

static void check_place(struct check *c, const struct node *of, const struct node *declared)
{
    text country = node_text(of, TEXT("country"));
    if (!declared || !country_of(country) || area_has(declared, country))
        return;
    text list = declared->kind == NODE_SCALAR ? declared->value : TEXT("");
    enum { SHOWN_MAX = 120 };
    for (const struct node *item = declared->first; item && list.n < SHOWN_MAX; item = item->next)
        list = arena_print(c->arena, "%.*s%s%.*s", T(list), list.n ? ", " : "", T(item->value));
    text ids = promise_ids(c->arena, c->root, declared->path);
    WRONG(c, node_get(of, TEXT("country"))->at, of, "%.*s is in %.*s, outside %.*s (%.*s) of line %u%s%.*s",
          T(of->path), T(country), T(declared->path), T(list), declared->key_at.line,
          !ids.n                     ? ""
          : text_index(ids, ',') < 0 ? ", promise "
                                     : ", promises ",
          T(ids));
}

static void check_places(struct check *c)
{
    const struct node *hosting = section(c, "hosting"), *countries = node_get(hosting, TEXT("countries"));
    const struct node *area = node_get(hosting, TEXT("area"));
    check_place(c, hosting, countries);
    NODE_EACH(store, node_get(hosting, TEXT("stores")))
        check_place(c, store, countries);
    NODE_EACH(recipient, section(c, "recipients"))
        check_place(c, recipient, area ? area : countries);
}

/* ---- Names, sessions, limits. ---- */

static void check_actors(struct check *c)
{
    static const char *const sections[] = { "roles", "systems", "recipients" };
    for (size_t i = 0; i < 3; i++)
        NODE_EACH(actor, section(c, sections[i])) {
            if (text_eq(actor->key, TEXT("person")) || (i && text_eq(actor->key, TEXT("operator"))))
                WRONG_KEY(c, actor, "\"%.*s\" is the server's own: choose another name", T(actor->key));
            for (size_t j = 0; j < i; j++) {
                const struct node *other = node_get(section(c, sections[j]), actor->key);
                if (other)
                    WRONG_KEY(c, actor, "%.*s has the name of %.*s (line %u): who acts must be told apart",
                              T(actor->path), T(other->path), other->key_at.line);
            }
        }
}

static void check_sessions(struct check *c)
{
    NODE_EACH(cookie, section(c, "cookies")) {
        const struct node *lifetime = node_get(cookie, TEXT("lifetime"));
        if (lifetime && text_starts(lifetime->value, TEXT("session.")) &&
            !node_get(node_at(c->root, TEXT("security.session")), text_from(lifetime->value, sizeof "session." - 1)))
            WRONG_VALUE(c, lifetime, "%.*s lives as long as security.%.*s, which is not set", T(cookie->path),
                        T(lifetime->value));
    }
}

/* A role that could never give the access it is named for is a mistake; the same for more than one category of grants.
 */
static void check_folders(struct check *c)
{
    const struct node *first = NULL;
    NODE_EACH(category, section(c, "categories")) {
        if (!text_eq(node_text(category, TEXT("stream")), TEXT("folders")))
            continue;
        if (first)
            WRONG_KEY(c, category, "%.*s and %.*s both hold access to folders: one category does", T(first->path),
                      T(category->path));
        first = category;
    }
    NODE_EACH(kind, c->strength == TO_READ ? NULL : section(c, "folders")) {
        const struct node *by = node_get(kind, TEXT("granted_by"));
        text purpose = node_text(kind, TEXT("purpose"));
        for (const struct node *item = by && by->kind == NODE_LIST ? by->first : by; item;
             item = by->kind == NODE_LIST ? item->next : NULL) {
            const struct node *role = node_get(section(c, "roles"), item->value);
            bool able = node_has(node_get(role, TEXT("purposes")), purpose) &&
                        node_has(node_get(role, TEXT("acts")), TEXT("write"));
            if (purpose.n && !able)
                WRONG_VALUE(c, item, "%.*s is given by \"%.*s\", which may not write for purpose \"%.*s\"",
                            T(kind->path), T(item->value), T(purpose));
        }
    }
}

/* What no page and no opening can ask for would keep everybody out. */
static void check_needs(struct check *c)
{
    bool by_page = node_has(node_at(c->root, TEXT("accounts.opened_by")), TEXT("self"));
    NODE_EACH(need, node_at(c->root, TEXT("accounts.needs"))) {
        text field = need->value, name = text_cut(&field, '.');
        const struct node *category = node_get(section(c, "categories"), name);
        text type = node_text(node_get(node_get(category, TEXT("fields")), field), TEXT("type"));
        bool once = !is_true(category, TEXT("many")) && !node_get(category, TEXT("transient")) &&
                    !node_get(category, TEXT("stream"));
        if (category && !once)
            WRONG_VALUE(c, need,
                        "accounts.needs: \"%.*s\" is not kept once for each person, so no account could be opened",
                        T(need->value));
        else if (by_page && text_eq(type, TEXT("json")))
            WRONG_VALUE(c, need, "accounts.needs: \"%.*s\" is JSON, which no page can ask for: nobody could register",
                        T(need->value));
        else if (by_page && node_get(category, TEXT("source")) &&
                 !node_has(node_get(category, TEXT("source")), TEXT("person")))
            WRONG_VALUE(c, need, "accounts.needs: \"%.*s\" does not come from the person, so nobody could register",
                        T(need->value));
    }
}

static void check_limit(struct check *c, const struct node *map, unsigned most)
{
    if (map && map->count > most)
        WRONG_KEY(c, map, "%.*s has %u entries, more than %u", T(map->path), map->count, most);
}

static void check_limits(struct check *c)
{
    const struct node *purposes = section(c, "purposes");
    unsigned count = purposes ? purposes->count : 0;
    NODE_EACH(never, section(c, "never")) {
        const struct node *names = node_get(never, TEXT("purposes"));
        count += names && names->kind == NODE_LIST ? names->count : 1;
    }
    if (count > PURPOSES_MAX)
        WRONG_KEY(c, purposes, "%u purposes, those of never included, are more than %d", count, PURPOSES_MAX);
    check_limit(c, section(c, "categories"), CATEGORIES_MAX);
    check_limit(c, section(c, "roles"), ACTORS_MAX);
    check_limit(c, section(c, "systems"), ACTORS_MAX);
    check_limit(c, section(c, "recipients"), ACTORS_MAX);
    check_limit(c, section(c, "tenants"), TENANTS_MAX);
    check_limit(c, node_at(c->root, TEXT("hosting.stores")), STORES_MAX);
    check_limit(c, node_at(c->root, TEXT("hosting.countries")), LISTED_COUNTRIES_MAX);
    check_limit(c, node_at(c->root, TEXT("hosting.area")), LISTED_COUNTRIES_MAX);
}

/* Who asks for nobody's data, and what concerns the whole instance, is of the first tenant: it is the operator's own.
 */
static void check_first_tenant(struct check *c)
{
    const struct node *tenants = section(c, "tenants"), *first = tenants ? tenants->first : NULL;
    const struct node *says = node_get(first, TEXT("operator"));
    if (says && text_eq(says->value, TEXT("storage_only")))
        WRONG_VALUE(c, says, "the first tenant is the operator's own: list one whose data is only stored after it");
}

/* However long is meant, nobody is let in for more than a day's work at once. */
static void check_support(struct check *c)
{
    const struct node *says = node_at(c->root, TEXT("support.for"));
    const struct term most = { SUPPORT_HOURS, TERM_HOURS };
    struct term t;
    if (says && term_parse(says->value, &t) && term_end(0, t, 1) > term_end(0, most, 1))
        WRONG_VALUE(c, says, "a support session lasts %d hours at most", SUPPORT_HOURS);
}

/* `retention` takes the names of both, so that one could not be told from the other. */
static void check_reserved(struct check *c)
{
    NODE_EACH(category, section(c, "categories"))
        if (schema_own_record(category->key))
            WRONG_KEY(
                c, category,
                "\"%.*s\" is the name of records that the server keeps itself (retention.%.*s): give the category another",
                T(category->key), T(category->key));
}

/* The file is published, and each of its versions is kept. */
static enum err find_cards(struct check *c, const struct node *n)
{
    bool key = false, value = false;
    TRY(card_look(c->arena, n->key, &key));
    if (n->kind == NODE_SCALAR)
        TRY(card_look(c->arena, n->value, &value));
    if (key)
        WRONG_KEY(c, n, "what is a payment card number stands here: it may not be held, and a policy is published");
    else if (value)
        WRONG_VALUE(c, n, "what is a payment card number stands here: it may not be held, and a policy is published");
    NODE_EACH(child, n)
        TRY(find_cards(c, child));
    return OK;
}

static void gather(struct buf *b, const struct node *n)
{
    buf_add(b, n->key);
    buf_char(b, CARD_BETWEEN);
    if (n->kind == NODE_SCALAR)
        buf_add(b, n->value);
    buf_char(b, CARD_BETWEEN);
    NODE_EACH(child, n)
        gather(b, child);
}

/* All texts at once, and only when something is there one by one. */
static enum err look_for_cards(struct check *c)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    bool found = false;
    text all;
    gather(&b, c->root);
    TRY(buf_lend(c->arena, &b, &all));
    TRY(card_look(c->arena, all, &found));
    return found ? find_cards(c, c->root) : OK;
}

static void check_cards(struct check *c)
{
    if (look_for_cards(c) != OK)
        WRONG_KEY(c, c->root, "not enough memory to look for payment card numbers");
}

void check_sense(struct check *c)
{
    static void (*const checks[])(struct check *) = { check_used,   check_special,  check_held,     check_events,
                                                      check_public, check_fields,   check_never,    check_uses,
                                                      check_places, check_actors,   check_sessions, check_folders,
                                                      check_needs,  check_limits,   check_reserved, check_cards,
                                                      check_forms,  check_first_tenant, check_support };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        checks[i](c);
}
