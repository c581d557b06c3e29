/* Values of the policy file in words: terms, dates, countries, titles, lists; in French or English, well set. */
#include "publish/words.h"
#include "base/prose.h"
#include "policy/due.h"
#include "policy/schema.h"

enum { NO_ROW = UINT16_MAX, WORDS_LIMIT = 1 << 20 };

enum err words_make(struct arena *a, const struct node *root, text language, struct words *out)
{
    struct schema *schema = NEW(a, struct schema);
    TRY_PTR(schema);
    TRY(schema_make(a, schema));
    *out = (struct words){ a, root, schema, text_eq(language, TEXT("fr")) };
    return OK;
}

/* ---- Which row of schema.def a node is under. ---- */

static uint16_t row_of(const struct schema *s, const struct node *n)
{
    if (!n->parent)
        return (uint16_t)s->count;
    uint16_t parent = row_of(s, n->parent), found = NO_ROW;
    if (parent == NO_ROW || n->parent->kind == NODE_LIST)
        return parent;
    for (uint16_t i = s->first[parent]; i != s->count && found == NO_ROW; i = s->next[i])
        if (text_eq(schema_key(&s->rows[i]), n->key) || text_eq(schema_key(&s->rows[i]), TEXT("*")))
            found = i;
    return found;
}

/* ---- Letters. ---- */

/* Small first letter, unless the word is a name or an abbreviation: only before another small letter, a blank or a
 * hyphen. */
static text small_first(struct arena *a, text s)
{
    unsigned char first = s.n ? (unsigned char)s.p[0] : 0, second = s.n > 1 ? (unsigned char)s.p[1] : ' ';
    bool ascii = first >= 'A' && first <= 'Z' &&
                 ((second >= 'a' && second <= 'z') || second == ' ' || second == '-' || second == '\'' ||
                  second >= 0xC3);
    bool accented = first == 0xC3 && second >= 0x80 && second <= 0x9E && s.n > 2 && !(s.p[2] >= 'A' && s.p[2] <= 'Z');
    if (!ascii && !accented)
        return s;
    char *copy = arena_alloc(a, s.n);
    if (!copy)
        return s;
    memcpy(copy, s.p, s.n);
    copy[accented] = (char)((unsigned char)copy[accented] + 0x20);
    return (text){ copy, s.n };
}

/* ---- Lists. ---- */

struct list {
    const struct words *w;
    unsigned count, room;
    bool apart;
    text *items; /* in w->arena, which remembers when there was no room for one (arena_whole) */
};

static bool holds_comma(text s)
{
    return text_find(s, TEXT(", ")) >= 0 || text_find(s, TEXT(" et ")) >= 0 || text_find(s, TEXT(" and ")) >= 0;
}

static void list_add(struct list *l, text item)
{
    if (!item.n)
        return;
    if (l->count == l->room) {
        text *grown = NEW_ARRAY(l->w->arena, text, l->room ? 2 * l->room : 16);
        if (!grown)
            return;
        if (l->count)
            memcpy(grown, l->items, l->count * sizeof *grown);
        l->items = grown;
        l->room = l->room ? 2 * l->room : 16;
    }
    l->apart |= holds_comma(item);
    l->items[l->count++] = item;
}

/* "a, b and c"; items that hold an "and" or a comma themselves are kept apart by semicolons. */
static text list_end(struct list *l)
{
    if (!l->count)
        return (text){ NULL, 0 };
    BUF_AUTO b = buf_make(WORDS_LIMIT);
    bool fr = l->w->fr;
    text last = l->apart ? fr ? TEXT("\u202F; ") : TEXT("; ")
              : fr ? TEXT(" et ") : TEXT(" and ");
    for (unsigned i = 0; i < l->count; i++) {
        if (i)
            buf_add(&b, i + 1 == l->count || l->apart ? last : TEXT(", "));
        buf_add(&b, l->items[i]);
    }
    return buf_made(l->w->arena, &b);
}

/* ---- Values of each kind. ---- */

text words_term(const struct words *w, struct term t)
{
    static const struct {
        const char *en, *ens, *fr, *frs, *one;
    } units[] = {
        [TERM_MINUTES] = { "minute", "minutes", "minute", "minutes", "une" },
        [TERM_HOURS] = { "hour", "hours", "heure", "heures", "une" },
        [TERM_DAYS] = { "day", "days", "jour", "jours", "un" },
        [TERM_MONTHS] = { "month", "months", "mois", "mois", "un" },
        [TERM_YEARS] = { "year", "years", "an", "ans", "un" },
    };
    if (t.unit == TERM_UNSET)
        return (text){ NULL, 0 };
    if (t.unit == TERM_ALWAYS)
        return w->fr ? TEXT("une durée illimitée") : TEXT("an unlimited time");
    if (t.count == 1)
        return w->fr ? arena_print(w->arena, "%s %s", units[t.unit].one, units[t.unit].fr)
                     : arena_print(w->arena, "%s %s", t.unit == TERM_HOURS ? "an" : "a", units[t.unit].en);
    return arena_print(w->arena, "%d\u00A0%s", t.count, w->fr ? units[t.unit].frs : units[t.unit].ens);
}

text words_date(const struct words *w, struct date d)
{
    static const char *const fr[] = { "janvier", "février", "mars",      "avril",   "mai",      "juin",
                                      "juillet", "août",    "septembre", "octobre", "novembre", "décembre" };
    static const char *const en[] = { "January", "February", "March",     "April",   "May",      "June",
                                      "July",    "August",   "September", "October", "November", "December" };
    return arena_print(w->arena, "%d%s\u00A0%s %d", d.day, w->fr && d.day == 1 ? "er" : "",
                       (w->fr ? fr : en)[(unsigned)(d.month + 11) % 12], d.year);
}

static text find_label(const struct words *w, text path, text word)
{
    unsigned count;
    const struct label_row *rows = label_rows(&count);
    for (unsigned i = 0; i < count; i++)
        if (text_eq(rows[i].word, word) && text_eq(rows[i].path, path))
            return w->fr ? rows[i].fr : rows[i].en;
    return (text){ NULL, 0 };
}

text words_label(const struct words *w, const char *path, text word)
{
    text found = find_label(w, text_of(path), word);
    return found.p ? found : word;
}

static text said(const struct words *w, const struct node *n) { return node_said(n, w->fr ? TEXT("fr") : TEXT("en")); }

text words_title(const struct words *w, const struct node *n)
{
    static const text keys[] = { TEXT_INIT("title"), TEXT_INIT("legal_name"), TEXT_INIT("name"), TEXT_INIT("says") };
    for (size_t i = 0; n && i < sizeof keys / sizeof *keys; i++) {
        const struct node *title = node_get(n, keys[i]);
        if (title)
            return said(w, title);
    }
    return n ? n->key : (text){ NULL, 0 };
}

/* The node that a word names: `word` under one of the maps "@purposes" … of the row's words. */
static const struct node *named(const struct words *w, text words, text word)
{
    while (words.p) {
        text one = word_next(&words);
        if (text_eq(one, TEXT("@fields"))) {
            text field = word, category = text_cut(&field, '.');
            const struct node *found = node_get(
                node_get(node_get(node_get(w->root, TEXT("categories")), category), TEXT("fields")), field);
            if (found)
                return found;
        } else if (text_starts(one, TEXT("@"))) {
            const struct node *found = node_get(node_get(w->root, text_from(one, 1)), word);
            if (found)
                return found;
        }
    }
    return NULL;
}

static text area_of(const struct words *w, text code)
{
    const struct country *c = country_of(code);
    if (c)
        return w->fr ? c->fr : c->en;
    if (text_eq(code, TEXT("EU")))
        return w->fr ? TEXT("Union européenne") : TEXT("European Union");
    return text_eq(code, TEXT("EEA")) ? w->fr ? TEXT("Espace économique européen") : TEXT("European Economic Area")
                                      : code;
}

/* With its preposition: "in the United States", « aux États-Unis ». */
static text area_in(const struct words *w, text code)
{
    const struct country *c = country_of(code);
    if (!c)
        return arena_print(w->arena, w->fr ? "dans l'%.*s" : "in the %.*s", T(area_of(w, code)));
    text in = w->fr ? c->in_fr : c->in_en;
    return arena_print(w->arena, text_ends(in, TEXT("'")) ? "%.*s%.*s" : "%.*s %.*s", T(in), T(area_of(w, code)));
}

text words_in(const struct words *w, const struct node *n)
{
    struct list l = { .w = w };
    if (n && n->kind == NODE_SCALAR)
        return area_in(w, n->value);
    NODE_EACH(item, n)
        list_add(&l, area_in(w, item->value));
    return list_end(&l);
}

/* The labels of acts are those of roles; a transfer's safeguards those of recipients. */
static text label_path(text path)
{
    if (text_eq(path, TEXT("systems.*.acts")))
        return TEXT("roles.*.acts");
    return text_eq(path, TEXT("transfers.*.safeguard")) ? TEXT("recipients.*.safeguard") : path;
}

static text one_word(const struct words *w, const struct schema_row *row, text word)
{
    const struct node *other = named(w, row->words, word);
    if (other)
        return text_starts(other->path, TEXT("tenants.")) ? words_title(w, other)
                                                          : small_first(w->arena, words_title(w, other));
    text label = find_label(w, label_path(row->path), word);
    return label.p ? label : word;
}

/* "session.idle" is the term of security.session.idle, of inactivity. */
static text term_word(const struct words *w, const struct schema_row *row, text value)
{
    struct term t;
    if (term_parse(value, &t))
        return words_term(w, t);
    text path = arena_print(w->arena, "security.%.*s", T(value));
    const struct node *other = path.p ? node_at(w->root, path) : NULL;
    if (other && other->kind == NODE_SCALAR && term_parse(other->value, &t))
        return text_ends(value, TEXT(".idle"))
                   ? arena_print(w->arena, w->fr ? "%.*s d'inactivité" : "%.*s without use", T(words_term(w, t)))
                   : words_term(w, t);
    return one_word(w, row, value);
}

static text scalar(const struct words *w, const struct schema_row *row, text value)
{
    struct date d;
    switch (row->kind) {
    case KIND_WORD:
    case KIND_WORDS:
        return one_word(w, row, value);
    case KIND_BOOL:
        return text_eq(value, TEXT("true")) ? w->fr ? TEXT("oui") : TEXT("yes")
             : w->fr ? TEXT("non") : TEXT("no");
    case KIND_DATE:
        return date_parse(value, &d) ? words_date(w, d) : value;
    case KIND_TERM:
    case KIND_LONG:
        return term_word(w, row, value);
    case KIND_COUNTRY:
    case KIND_AREA:
        return area_of(w, value);
    case KIND_MAP:
    case KIND_NAMES:
    case KIND_DOTTED:
    case KIND_CHOSEN:
    case KIND_IDS:
    case KIND_SAID:
    case KIND_SAYINGS:
    case KIND_TEXT:
    case KIND_LIST:
    case KIND_NAME:
    case KIND_NAME_LIST:
    case KIND_PATHS:
    case KIND_INTEGER:
    case KIND_ANY:
    case KIND_EMAIL:
    case KIND_URL:
    case KIND_TERM_IRI:
        return value;
    }
    return value;
}

text words_of(const struct words *w, const struct node *n)
{
    uint16_t at = n ? row_of(w->schema, n) : NO_ROW;
    if (!n || at == NO_ROW || at == w->schema->count)
        return n && n->kind == NODE_SCALAR ? n->value : (text){ NULL, 0 };
    const struct schema_row *row = &w->schema->rows[at];
    if (row->kind == KIND_SAID || (row->kind == KIND_SAYINGS && n->kind != NODE_LIST))
        return said(w, n);
    if (n->kind == NODE_SCALAR)
        return scalar(w, row, n->value);
    struct list l = { .w = w };
    NODE_EACH(item, n)
        list_add(&l, n->kind == NODE_LIST ? item->kind == NODE_SCALAR ? scalar(w, row, item->value) : said(w, item)
                                          : small_first(w->arena, words_title(w, item)));
    return list_end(&l);
}

/* ---- Values that are worked out. ---- */

enum wanted { REQUIRED, OPTIONAL, ALL };

static text fields_of(const struct words *w, const struct node *category, enum wanted wanted)
{
    struct list l = { .w = w };
    NODE_EACH(field, node_get(category, TEXT("fields")))
        if (wanted == ALL || text_eq(node_text(field, TEXT("required")), TEXT("true")) == (wanted == REQUIRED))
            list_add(&l, small_first(w->arena, words_title(w, field)));
    return list_end(&l);
}

static text used_by(const struct words *w, const struct node *category)
{
    struct list l = { .w = w };
    NODE_EACH(purpose, node_get(w->root, TEXT("purposes")))
        if (node_has(node_get(purpose, TEXT("categories")), category->key))
            list_add(&l, small_first(w->arena, words_title(w, purpose)));
    return list_end(&l);
}

/* The first titles of a map, and how many more. */
static text few_of(const struct words *w, const struct node *map)
{
    enum { FEW = 4 };
    struct list l = { .w = w };
    unsigned seen = 0, count = map->count;
    NODE_EACH(item, map->kind == NODE_MAP ? map : NULL)
        if (seen++ < FEW || count == FEW + 1)
            list_add(&l, small_first(w->arena, words_title(w, item)));
    if (count > FEW + 1)
        list_add(&l, arena_print(w->arena, w->fr ? "%u autres" : "%u more", count - FEW));
    return list_end(&l);
}

static text names_of(const struct words *w, const struct node *map)
{
    struct list l = { .w = w };
    NODE_EACH(item, map->kind == NODE_MAP ? map : NULL)
        list_add(&l, node_text(item, TEXT("name")).n ? node_text(item, TEXT("name")) : words_title(w, item));
    return list_end(&l);
}

bool cookie_exempt(const struct node *cookie)
{
    const struct node *exempt = node_get(cookie, TEXT("exempt"));
    static const text not [] = { TEXT_INIT("none"), TEXT_INIT("advertising"), TEXT_INIT("social"),
                                 TEXT_INIT("personalisation") };
    for (size_t i = 0; exempt && i < sizeof not / sizeof *not ; i++)
        if (node_has(exempt, not [i]))
            return false;
    return exempt != NULL;
}

static text cookies_of(const struct words *w, const struct node *cookies, bool exempt)
{
    struct list l = { .w = w };
    NODE_EACH(cookie, cookies->kind == NODE_MAP ? cookies : NULL)
        if (cookie_exempt(cookie) == exempt)
            list_add(&l, node_text(cookie, TEXT("name")).n ? node_text(cookie, TEXT("name")) : cookie->key);
    return list_end(&l);
}

static struct date policy_date(const struct words *w)
{
    struct date d;
    return date_parse(node_text(node_get(w->root, TEXT("policy")), TEXT("date")), &d) ? d : (struct date){ 0 };
}

static bool retention_read(const struct node *n, struct retention *out)
{
    static const struct {
        text word;
        enum retention_from from;
    } froms[] = {
#define X(name, word) { TEXT_INIT(word), FROM_##name },
        FROMS(X)
#undef X
    };
    *out = (struct retention){ 0 };
    bool known = false;
    for (size_t i = 0; i < sizeof froms / sizeof *froms; i++)
        if (text_eq(node_text(n, TEXT("from")), froms[i].word)) {
            out->from = froms[i].from;
            known = true;
        }
    term_parse(node_text(n, TEXT("archive")), &out->archive);
    return known && term_parse(node_text(n, TEXT("active")), &out->active);
}

/* The term counted from the day the policy applies, so that it can be seen on a calendar. */
static text example_of(const struct words *w, const struct node *n)
{
    static const struct {
        text en, fr;
    } starts[] = {
        [FROM_COLLECTION] = { TEXT_INIT("collection on"), TEXT_INIT("collecte le") },
        [FROM_EVENT] = { TEXT_INIT("event of"), TEXT_INIT("événement du") },
        [FROM_LAST_USE] = { TEXT_INIT("last use on"), TEXT_INIT("dernière utilisation le") },
        [FROM_CONTRACT_END] = { TEXT_INIT("end of the contract on"), TEXT_INIT("fin du contrat le") },
        [FROM_CLOSURE] = { TEXT_INIT("closing on"), TEXT_INIT("clôture le") },
        [FROM_YEAR_END] = { TEXT_INIT("operation of"), TEXT_INIT("opération du") },
        [FROM_WITHDRAWAL] = { TEXT_INIT("withdrawal on"), TEXT_INIT("retrait le") },
        [FROM_LAST_CONTACT] = { TEXT_INIT("last contact on"), TEXT_INIT("dernier contact le") },
    };
    struct retention r;
    struct date day = policy_date(w);
    if (!day.year || !retention_read(n, &r) || r.active.unit <= TERM_HOURS || r.active.unit == TERM_ALWAYS ||
        r.archive.unit == TERM_ALWAYS)
        return (text){ NULL, 0 };
    msec at = date_start(day);
    struct starts s = { at, at, at, at, at, at, at };
    text start = words_date(w, day), active = words_date(w, date_of(retention_due(&r, &s, false)));
    text what = w->fr ? starts[r.from].fr : starts[r.from].en;
    if (r.archive.unit == TERM_UNSET)
        return arena_print(w->arena,
                           w->fr ? "Exemple : %.*s %.*s, effacement le %.*s." : "Example: %.*s %.*s, erasure on %.*s.",
                           T(what), T(start), T(active));
    return arena_print(w->arena,
                       w->fr ? "Exemple : %.*s %.*s, archive le %.*s, effacement le %.*s."
                             : "Example: %.*s %.*s, archive on %.*s, erasure on %.*s.",
                       T(what), T(start), T(active), T(words_date(w, date_of(retention_due(&r, &s, true)))));
}

/* The longest time of any category, its archive included; empty when one has no end or none is known. */
static text longest_of(const struct words *w, const struct node *retentions)
{
    msec start = date_start((struct date){ 2026, 1, 1 }), longest = 0;
    text words = { NULL, 0 };
    NODE_EACH(n, retentions) {
        struct retention r;
        if (!node_get(node_get(w->root, TEXT("categories")), n->key))
            continue;
        if (!retention_read(n, &r) || r.active.unit == TERM_ALWAYS || r.archive.unit == TERM_ALWAYS)
            return (text){ NULL, 0 };
        msec end = term_end(term_end(start, r.active, 1), r.archive, 1);
        if (end <= longest)
            continue;
        longest = end;
        bool same = r.archive.unit == r.active.unit;
        words = r.archive.unit == TERM_UNSET ? words_term(w, r.active)
                : same ? words_term(w, (struct term){ r.active.count + r.archive.count, r.active.unit })
                       : arena_print(w->arena, w->fr ? "%.*s puis %.*s d'archive" : "%.*s and %.*s of archive",
                                     T(words_term(w, r.active)), T(words_term(w, r.archive)));
    }
    return words;
}

text words_retention(const struct words *w, const struct node *n)
{
    struct retention r;
    if (!n || !retention_read(n, &r))
        return (text){ NULL, 0 };
    text active = words_term(w, r.active), from = words_of(w, node_get(n, TEXT("from")));
    if (r.active.unit == TERM_ALWAYS)
        return active;
    if (r.archive.unit == TERM_UNSET)
        return arena_print(w->arena, "%.*s %.*s", T(active), T(from));
    return arena_print(w->arena, w->fr ? "%.*s %.*s, puis %.*s en archive" : "%.*s %.*s, then %.*s in the archive",
                       T(active), T(from), T(words_term(w, r.archive)));
}

/* What is promised, or the month of GDPR 12(3) where that is shorter. */
static text answer_of(const struct words *w)
{
    struct term t, month = { 1, TERM_MONTHS };
    msec start = date_start((struct date){ 2026, 3, 1 });
    bool known = term_parse(node_text(node_get(w->root, TEXT("rights")), TEXT("answer_within")), &t);
    return words_term(w, known && term_end(start, t, 1) < term_end(start, month, 1) ? t : month);
}

text words_computed(const struct words *w, const struct node *n, text name)
{
    if (text_eq(name, TEXT("required")))
        return fields_of(w, n, REQUIRED);
    if (text_eq(name, TEXT("optional")))
        return fields_of(w, n, OPTIONAL);
    if (text_eq(name, TEXT("fields")))
        return fields_of(w, n, ALL);
    if (text_eq(name, TEXT("used")))
        return used_by(w, n);
    if (text_eq(name, TEXT("few")))
        return few_of(w, n);
    if (text_eq(name, TEXT("names")))
        return names_of(w, n);
    if (text_eq(name, TEXT("exempt")))
        return cookies_of(w, n, true);
    if (text_eq(name, TEXT("optional_cookies")))
        return cookies_of(w, n, false);
    if (text_eq(name, TEXT("example")))
        return example_of(w, n);
    if (text_eq(name, TEXT("longest")))
        return longest_of(w, n);
    return text_eq(name, TEXT("answer")) ? answer_of(w) : (text){ NULL, 0 };
}

/* Text of a value that is prose, as against names and addresses, which are shown to the letter. */
enum setting words_setting(const struct words *w, const struct node *n)
{
    uint16_t at = row_of(w->schema, n);
    if (at == NO_ROW || at == w->schema->count)
        return SET_VERBATIM;
    switch ((unsigned)w->schema->rows[at].kind) {
    case KIND_EMAIL:
    case KIND_URL:
        return SET_LINK;
    case KIND_TEXT:
    case KIND_NAME:
    case KIND_ANY:
    case KIND_LIST:
        return SET_VERBATIM;
    default:
        return SET_PROSE;
    }
}

text words_small(const struct words *w, text s) { return small_first(w->arena, s); }

void words_prose(const struct words *w, struct buf *b, text s)
{
    while (s.p) /* a line break of the file is none of the sentence's */
        prose_set(b, text_cut(&s, '\n'), w->fr);
}
