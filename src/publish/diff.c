/* Two versions of the policy compared by the rows of amendments.def; what no row names is editorial. */
#include "publish/diff.h"
#include "base/prose.h"
#include "publish/words.h"

enum change { ADDED, REMOVED, GAINED, LOST, LONGER, SHORTER, BECAME, CEASED, CHANGED };
enum weight { MATERIAL, EDITORIAL, UNLESS_EXEMPT };
struct amendment {
    text pattern;
    enum change change;
    enum weight weight;
    text en, fr;
};
static const struct amendment amendments[] = {
#define AMENDMENT(pattern, change, weight, en, fr) { TEXT_INIT(pattern), change, weight, TEXT_INIT(en), TEXT_INIT(fr) },
#include "publish/amendments.def"
#undef AMENDMENT
};

struct differ {
    struct arena *a;
    struct words older, newer;
    struct diff_item *first, **end;
    enum err status;
};
/* One place in both versions; either may be missing, not both. */
struct pair_of {
    const struct node *old, *new;
};

static const struct node *either(struct pair_of p) { return p.new ? p.new : p.old; }

/* ---- Comparing. ---- */

static bool same(const struct node *x, const struct node *y)
{
    if (!x || !y || x->kind != y->kind || !text_eq(x->value, y->value) || x->count != y->count)
        return x == y;
    if (x->kind == NODE_LIST) {
        for (x = x->first, y = y->first; x && y; x = x->next, y = y->next)
            if (!same(x, y))
                return false;
        return x == y;
    }
    NODE_EACH(child, x)
        if (!same(child, node_get(y, child->key)))
            return false;
    return true;
}

static struct pair_of below(struct pair_of p, text key)
{
    return (struct pair_of){ node_get(p.old, key), node_get(p.new, key) };
}

/* A term in comparable form: session words are looked up, none and absence are nothing. */
static msec length_of(const struct words *w, const struct node *n)
{
    struct term t;
    text value = n && n->kind == NODE_SCALAR ? n->value : TEXT("");
    if (text_starts(value, TEXT("session."))) {
        const struct node *other = node_at(w->root, arena_print(w->arena, "security.%.*s", T(value)));
        value = other && other->kind == NODE_SCALAR ? other->value : TEXT("");
    }
    return term_parse(value, &t) ? term_end(0, t, 1) : 0;
}

/* Words of one list that the other does not have, in words. */
static text words_beyond(struct differ *d, const struct words *w, const struct node *list, const struct node *other)
{
    BUF_AUTO b = buf_make(1 << 16);
    for (const struct node *item = !list                       ? NULL
                                   : list->kind == NODE_SCALAR ? list
                                                               : list->first;
         item; item = list->kind == NODE_SCALAR ? NULL : item->next) {
        /* A category that names no source comes from the person. */
        bool usual = !other && text_eq(item->value, TEXT("person"));
        if (item->kind != NODE_SCALAR || node_has(other, item->value) || text_eq(item->value, TEXT("none")) || usual)
            continue;
        text word = words_of(w, item);
        if (b.n)
            buf_add(&b, TEXT(", "));
        buf_add(&b, word.n ? word : item->value);
    }
    text words;
    enum err e = buf_take(d->a, &b, &words);
    if (e != OK)
        d->status = e;
    return words;
}

/* ---- Saying. ---- */

/* The nearest thing with a name: the match itself, or what holds it. Terms are called by what they are of. */
static text title_of(struct differ *d, struct pair_of p)
{
    const struct words *w = p.new ? &d->newer : &d->older;
    for (const struct node *n = either(p); n && n->parent; n = n->parent) {
        if (n->parent->parent == w->root && text_eq(n->parent->key, TEXT("retention"))) {
            const struct node *category = node_get(node_get(w->root, TEXT("categories")), n->key);
            return category ? words_title(w, category) : words_label(w, "retention.*", n->key);
        }
        if (n->kind == NODE_MAP &&
            (node_get(n, TEXT("title")) || node_get(n, TEXT("says")) || node_get(n, TEXT("name"))))
            return words_title(w, n);
    }
    return either(p)->key;
}

static void put_filled(struct buf *b, text template, text title, text words, text old, text new)
{
    const struct {
        text name, value;
    } values[] = {
        { TEXT_INIT("title"), title },
        { TEXT_INIT("words"), words },
        { TEXT_INIT("old"), old },
        { TEXT_INIT("new"), new },
    };
    while (template.p) {
        buf_add(b, text_cut(&template, '{'));
        if (!template.p)
            return;
        text name = text_cut(&template, '}');
        for (size_t i = 0; i < sizeof values / sizeof *values; i++)
            if (text_eq(values[i].name, name)) {
                bool stop = template.n == 1 && template.p[0] == '.' && text_ends(values[i].value, TEXT("."));
                buf_add(b, stop ? text_upto(values[i].value, values[i].value.n - 1) : values[i].value);
            }
    }
}

static text value_of(struct differ *d, const struct words *w, const struct node *n)
{
    text words = n ? words_of(w, n) : (text){ NULL, 0 };
    if (n && text_eq(n->key, TEXT("basis")))
        words = words_label(w, "purposes.*.basis", n->value);
    return words.n ? words
         : d->newer.fr ? TEXT("rien") : TEXT("nothing");
}

/* The purpose that a place belongs to, p NULL when to none. */
static text purpose_of(struct pair_of p)
{
    for (const struct node *n = either(p); n && n->parent; n = n->parent)
        if (!n->parent->parent || !text_eq(n->parent->key, TEXT("purposes")) || n->parent->parent->parent)
            continue;
        else
            return n->key;
    return (text){ NULL, 0 };
}

static void add_subjects(struct differ *d, struct buf *b, const struct node *category)
{
    const struct node *subjects = node_get(category, TEXT("subjects"));
    for (const struct node *s = !subjects                       ? NULL
                                : subjects->kind == NODE_SCALAR ? subjects
                                                                : subjects->first;
         s; s = subjects->kind == NODE_SCALAR ? NULL : s->next) {
        text word = words_label(&d->newer, "categories.*.subjects", s->value);
        if (text_find(buf_begun(b), word) >= 0)
            continue;
        if (b->n)
            buf_add(b, TEXT(", "));
        buf_add(b, word);
    }
}

/* Kinds of people: those of the category, or of all categories that the purpose or recipient uses; else everyone. */
static text whom_of(struct differ *d, struct pair_of p)
{
    BUF_AUTO b = buf_make(1 << 14);
    const struct node *root = p.new ? d->newer.root : d->older.root, *categories = node_get(root, TEXT("categories"));
    for (const struct node *n = either(p); n && n->parent; n = n->parent) {
        bool top = n->parent->parent == root;
        if (top && (text_eq(n->parent->key, TEXT("categories")) || text_eq(n->parent->key, TEXT("retention"))))
            add_subjects(d, &b, node_get(categories, n->key));
        if (top && node_get(n, TEXT("categories")))
            NODE_EACH(category, categories)
                if (node_has(node_get(n, TEXT("categories")), category->key))
                    add_subjects(d, &b, category);
    }
    text whom = buf_made(d->a, &b);
    return whom.n || !whom.p ? whom
         : d->newer.fr ? TEXT("tout le monde") : TEXT("everyone");
}

static void add_item(struct differ *d, bool material, struct pair_of p, text says)
{
    struct diff_item *item = NEW(d->a, struct diff_item);
    if (!item || !says.p) {
        d->status = ERR_MEMORY;
        return;
    }
    BUF_AUTO set = buf_make(1 << 16);
    words_prose(&d->newer, &set, says);
    text purpose = purpose_of(p);
    const struct node *now = purpose.n ? node_get(node_get(d->newer.root, TEXT("purposes")), purpose) : NULL;
    *item = (struct diff_item){ .material = material,
                                .path = either(p)->path,
                                .says = buf_made(d->a, &set),
                                .whom = whom_of(d, p),
                                .purpose = purpose,
                                .old_line = p.old ? p.old->at.line : 0,
                                .new_line = p.new ? p.new->at.line : 0 };
    item->again = material && text_eq(node_text(now, TEXT("basis")), TEXT("consent")) &&
                  node_get(node_get(d->older.root, TEXT("purposes")), purpose);
    *d->end = item;
    d->end = &item->next;
}

/* ---- What a choice about trackers rests on. ---- */

static bool serves(const struct node *root, const char *under, text name, const char *member, text purpose)
{
    const struct node *one = node_get(node_get(root, text_of(under)), name);
    return node_has(node_get(one, text_of(member)), purpose);
}

bool diff_of_trackers(const struct diff_item *item, const struct node *newer, text purpose)
{
    text rest = item->path, top = text_cut(&rest, '.'), name = text_cut(&rest, '.');
    if (!item->material)
        return false;
    if (text_eq(top, TEXT("cookies")))
        return serves(newer, "cookies", name, "purpose", purpose);
    if (text_eq(top, TEXT("recipients")))
        return serves(newer, "recipients", name, "purposes", purpose);
    return text_eq(item->purpose, purpose);
}

/* ---- Rows. ---- */

static bool is_true(const struct node *n) { return node_has(n, TEXT("true")); }

static bool happened(struct differ *d, const struct amendment *row, struct pair_of p, text *words)
{
    msec before = length_of(&d->older, p.old), after = length_of(&d->newer, p.new);
    switch (row->change) {
    case ADDED:
        return !p.old && p.new;
    case REMOVED:
        return p.old && !p.new;
    case GAINED:
        return (*words = words_beyond(d, &d->newer, p.new, p.old)).n > 0;
    case LOST:
        return (*words = words_beyond(d, &d->older, p.old, p.new)).n > 0;
    case LONGER:
        return p.old && p.new &&after > before;
    case SHORTER:
        return p.old && p.new &&after < before;
    case BECAME:
        return is_true(p.new) && !is_true(p.old);
    case CEASED:
        return is_true(p.old) && !is_true(p.new);
    case CHANGED:
        return p.old && p.new && !same(p.old, p.new);
    }
    return false;
}

static void hold_row(struct differ *d, const struct amendment *row, struct pair_of p)
{
    text words = { NULL, 0 };
    if (!happened(d, row, p, &words))
        return;
    const struct node *holder = row->change == ADDED || !text_ends(row->pattern, TEXT(".*")) ? either(p) : p.old;
    while (row->weight == UNLESS_EXEMPT && holder->parent && !text_eq(holder->parent->key, TEXT("cookies")))
        holder = holder->parent;
    bool material = row->weight == MATERIAL || (row->weight == UNLESS_EXEMPT && !cookie_exempt(holder));
    BUF_AUTO b = buf_make(1 << 14);
    put_filled(&b, d->newer.fr ? row->fr : row->en, title_of(d, p), words, value_of(d, &d->older, p.old),
               value_of(d, &d->newer, p.new));
    add_item(d, material, p, buf_made(d->a, &b));
}

static void match_row(struct differ *d, const struct amendment *row, struct pair_of p, text pattern)
{
    if (!pattern.p) {
        if (p.old || p.new)
            hold_row(d, row, p);
        return;
    }
    text segment = text_cut(&pattern, '.');
    /* What stands below something that is new or gone is not a change of its own. */
    if (!p.old || !p.new)
        return;
    if (!text_eq(segment, TEXT("*"))) {
        match_row(d, row, below(p, segment), pattern);
        return;
    }
    NODE_EACH(child, p.new->kind == NODE_MAP ? p.new : NULL)
        match_row(d, row, below(p, child->key), pattern);
    NODE_EACH(child, p.old->kind == NODE_MAP ? p.old : NULL)
        if (!node_get(p.new, child->key))
            match_row(d, row, below(p, child->key), pattern);
}

/* ---- The rest: editorial. ---- */

static bool covers(text path, text at)
{
    return text_starts(at, path) && (at.n == path.n || at.p[path.n] == '.' || at.p[path.n] == '[');
}

static bool told(const struct differ *d, text path)
{
    static const text silent[] = { TEXT_INIT("policy.version"), TEXT_INIT("policy.date"), TEXT_INIT("promises"),
                                   TEXT_INIT("garant"), TEXT_INIT("accept") };
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        if (covers(silent[i], path))
            return true;
    for (const struct diff_item *item = d->first; item; item = item->next)
        if (covers(item->path, path))
            return true;
    return false;
}

static bool is_text(const struct node *n)
{
    return !n || n->kind != NODE_MAP || node_get(n, TEXT("fr")) || node_get(n, TEXT("en"));
}

static void walk_rest(struct differ *d, struct pair_of p)
{
    if (same(p.old, p.new) || told(d, either(p)->path))
        return;
    if (p.old && p.new && !is_text(p.old) && !is_text(p.new)) {
        NODE_EACH(child, p.new)
            walk_rest(d, below(p, child->key));
        NODE_EACH(child, p.old)
            if (!node_get(p.new, child->key))
                walk_rest(d, below(p, child->key));
        return;
    }
    /* A list whose words were said one by one has nothing left to say. */
    text old = value_of(d, &d->older, p.old), new = value_of(d, &d->newer, p.new), path = either(p)->path;
    bool fr = d->newer.fr;
    const char *form = text_eq(old, new) ? fr ? "%.*s : autre valeur." : "%.*s: another value."
                       : fr              ? "%.*s : « %.*s » devient « %.*s »."
                                         : "%.*s: “%.*s” becomes “%.*s”.";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    add_item(d, false, p, arena_print(d->a, form, T(path), T(old), T(new)));
#pragma GCC diagnostic pop
}

/* ---- The whole. ---- */

static void order(struct differ *d, struct diff *out)
{
    struct diff_item *material = NULL, **material_end = &material, *editorial = NULL, **editorial_end = &editorial;
    for (struct diff_item *item = d->first, *next; item; item = next) {
        next = item->next;
        item->next = NULL;
        struct diff_item ***end = item->material ? &material_end : &editorial_end;
        **end = item;
        *end = &item->next;
        out->material += item->material;
        out->editorial += !item->material;
    }
    *material_end = editorial;
    out->first = material;
}

enum err diff_make(struct arena *a, const struct node *older, const struct node *newer, text language, struct diff *out)
{
    struct differ d = { .a = a };
    d.end = &d.first;
    *out = (struct diff){ 0 };
    TRY(words_make(a, older, language, &d.older));
    TRY(words_make(a, newer, language, &d.newer));
    struct pair_of roots = { older, newer };
    for (size_t i = 0; i < sizeof amendments / sizeof *amendments; i++)
        match_row(&d, &amendments[i], roots, amendments[i].pattern);
    walk_rest(&d, roots);
    order(&d, out);
    return d.status;
}

/* ---- Forms. ---- */

void diff_json(struct json_out *w, const struct diff *d)
{
    json_open(w, '{');
    json_pair_int(w, TEXT("material"), d->material);
    json_pair_int(w, TEXT("editorial"), d->editorial);
    json_name(w, TEXT("changes"));
    json_open(w, '[');
    for (const struct diff_item *item = d->first; item; item = item->next) {
        json_open(w, '{');
        json_pair(w, TEXT("weight"), item->material ? TEXT("material") : TEXT("editorial"));
        json_pair(w, TEXT("path"), item->path);
        json_pair_int(w, TEXT("old_line"), item->old_line);
        json_pair_int(w, TEXT("new_line"), item->new_line);
        json_pair(w, TEXT("says"), item->says);
        json_pair(w, TEXT("for"), item->whom);
        json_pair_bool(w, TEXT("consent_again"), item->again);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static const char *weight_word(const struct diff_item *item, bool fr)
{
    return item->material ? fr ? "important" : "material"
         : fr ? "rédactionnel" : "editorial";
}

static const char *again_words(bool fr)
{
    return fr ? "Votre consentement vous sera redemandé." : "Your consent will be asked again.";
}

static void put_totals(struct buf *b, const struct diff *d, bool fr)
{
    text material = prose_form(fr ? TEXT("important|importants") : TEXT("material"), d->material, fr);
    text editorial = prose_form(fr ? TEXT("rédactionnel|rédactionnels") : TEXT("editorial"), d->editorial, fr);
    buf_print(b, "%u %.*s, %u %.*s\n", d->material, T(material), d->editorial, T(editorial));
}

void diff_plain(struct buf *b, const struct diff *d, text language)
{
    bool fr = text_eq(language, TEXT("fr"));
    for (const struct diff_item *item = d->first; item; item = item->next) {
        buf_print(b, "[%s] %.*s\n", weight_word(item, fr), T(item->says));
        buf_print(b, fr ? "    Pour : %.*s. %.*s (ligne %u → %u)\n" : "    For: %.*s. %.*s (line %u → %u)\n",
                  T(item->whom), T(item->path), item->old_line, item->new_line);
        if (item->again)
            buf_print(b, "    %s\n", again_words(fr));
    }
    if (!d->first)
        buf_add(b, fr ? TEXT("Aucun changement.\n") : TEXT("No change.\n"));
    else
        put_totals(b, d, fr);
}

void diff_html(struct buf *b, const struct diff *d, text language)
{
    bool fr = text_eq(language, TEXT("fr"));
    if (!d->first)
        buf_print(b, "<p>%s</p>\n",
                  fr ? "Aucun changement entre ces deux versions." : "Nothing changed between these two versions.");
    for (const struct diff_item *item = d->first; item; item = item->next) {
        buf_print(b, "<div class=\"change%s\">\n<p><span class=\"tag%s\">%s</span> ", item->material ? " material" : "",
                  item->material ? " material" : "", weight_word(item, fr));
        buf_html(b, item->says);
        buf_print(b, "</p>\n<p class=\"soft\">%s", fr ? "Pour\u202F: " : "For: ");
        buf_html(b, item->whom);
        buf_print(b, ". %s</p>\n</div>\n", item->again ? again_words(fr) : "");
    }
}
