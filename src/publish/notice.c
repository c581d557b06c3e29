/* The notice: rows of clauses.def held against the policy file, each match a sentence that knows its clause. */
#include "publish/words.h"

struct maker {
    struct arena *a;
    struct words words;
    const struct node *card; /* the match of the card under way, NULL outside of one that has a `*` */
    const struct clause_row *rows;
    unsigned count;
    enum err status;
    const char *page;
};

/* ---- References inside a row: "key", "." , "../key", "/path", with ^ for the card's name. ---- */

static const struct node *resolve(const struct maker *m, const struct node *at, text ref)
{
    for (; text_starts(ref, TEXT("../")); ref = text_from(ref, 3))
        at = at ? at->parent : NULL;
    if (text_starts(ref, TEXT("/"))) {
        at = m->words.root;
        ref = text_from(ref, 1);
    }
    if (text_eq(ref, TEXT(".")) || !ref.n)
        return at;
    if (text_ends(ref, TEXT(".^")))
        return m->card ? node_get(node_at(at, text_upto(ref, ref.n - 2)), m->card->key) : NULL;
    return at && at->kind == NODE_MAP ? node_at(at, ref) : NULL;
}

static bool given(const struct node *n) { return n && (n->kind == NODE_SCALAR ? n->value.n > 0 : n->count > 0); }

static text computed(const struct maker *m, const struct node *at, text ref)
{
    ptrdiff_t sign = text_find(ref, TEXT("%"));
    const struct node *n = resolve(m, at, text_upto(ref, sign > 0 ? (size_t)sign : 0));
    return n ? words_computed(&m->words, n, text_from(ref, (size_t)sign + 1)) : (text){ NULL, 0 };
}

static bool holds_one(const struct maker *m, const struct node *at, text one)
{
    bool not = text_starts(one, TEXT("!"));
    text ref = text_from(one, not );
    if (text_index(ref, '%') >= 0)
        return (computed(m, at, ref).n > 0) != not ;
    ptrdiff_t equal = text_index(ref, '=');
    if (equal < 0)
        return given(resolve(m, at, ref)) != not ;
    text word = text_from(ref, (size_t)equal + 1);
    bool differs = equal > 0 && ref.p[equal - 1] == '!';
    return node_has(resolve(m, at, text_upto(ref, (size_t)equal - differs)), word) != differs;
}

static bool holds(const struct maker *m, const struct node *at, text when)
{
    while (when.n) {
        text one = text_cut(&when, ' ');
        if (one.n && !holds_one(m, at, one))
            return false;
    }
    return true;
}

/* ---- Letters of a sentence: typographic apostrophes and blanks, and no control byte from the file. ---- */

static bool ends_sentence(const struct buf *b)
{
    size_t n = b->n;
    while (n && (unsigned char)b->p[n - 1] < 0x20)
        n--;
    return n && (b->p[n - 1] == '.' || b->p[n - 1] == '!' || b->p[n - 1] == '?');
}

static void put_prose(const struct maker *m, struct buf *b, text s) { words_prose(&m->words, b, s); }

static void put_verbatim(struct buf *b, text s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x20)
            buf_char(b, s.p[i]);
}

static text set(struct maker *m, text s)
{
    BUF_AUTO b = buf_make(1 << 16);
    put_prose(m, &b, s);
    return buf_made(m->a, &b);
}

/* ---- Sentences from their templates. ---- */

static bool put_value(struct maker *m, struct buf *b, const struct node *at, text ref)
{
    ptrdiff_t bar = text_index(ref, '|');
    text how = bar < 0 ? TEXT("") : text_from(ref, (size_t)bar + 1);
    ref = bar < 0 ? ref : text_upto(ref, (size_t)bar);
    if (text_eq(ref, TEXT("$"))) {
        put_verbatim(b, at->key);
        return at->key.n > 0;
    }
    if (text_index(ref, '%') >= 0) {
        text words = computed(m, at, ref);
        put_prose(m, b, words);
        return words.n > 0;
    }
    const struct node *n = resolve(m, at, ref);
    text words = text_eq(how, TEXT("in")) ? words_in(&m->words, n) : words_of(&m->words, n);
    if (!words.n)
        return false;
    if (text_eq(how, TEXT("low")))
        words = words_small(&m->words, words);
    switch (words_setting(&m->words, n)) {
    case SET_PROSE:
        put_prose(m, b, words);
        break;
    case SET_VERBATIM:
        put_verbatim(b, words);
        break;
    case SET_LINK:
        buf_char(b, MARK_LINK);
        put_verbatim(b, words);
        buf_char(b, MARK_LINK_END);
        break;
    }
    return true;
}

/* Writes the template up to its end or to the bracket that closes it; says whether every value outside of brackets was
 * there. */
static bool expand(struct maker *m, struct buf *b, const struct node *at, text template, size_t *i, bool inside)
{
    bool whole = true, strong = false;
    size_t literal = *i;
#define FLUSH() put_prose(m, b, (text){ template.p + literal, *i - literal })
    for (; *i < template.n; ++*i) {
        char c = template.p[*i];
        bool mark = c == '{' || c == '[' || c == ']' || c == '*' || c == '<' || c == '|' || c == '>' ||
                    (c == '.' && *i == literal && ends_sentence(b));
        if (!mark)
            continue;
        FLUSH();
        literal = *i + 1;
        if (c == ']')
            break;
        if (c == '{') {
            ptrdiff_t end = text_index(text_from(template, *i), '}');
            whole = put_value(m, b, at, text_upto(text_from(template, *i + 1), (size_t)end - 1)) && whole;
            *i += (size_t)end;
            literal = *i + 1;
        } else if (c == '[') {
            size_t before = b->n;
            ++*i;
            if (!expand(m, b, at, template, i, true))
                b->n = before;
            literal = *i + 1;
        } else if (c == '*') {
            buf_char(b, strong ? MARK_STRONG_END : MARK_STRONG);
            strong = !strong;
        } else if (c != '.')
            buf_char(b, c == '<' ? MARK_LINK
                        : c == '|' ? MARK_LINK_TO : MARK_LINK_END);
    }
    if (!inside || *i == template.n)
        FLUSH();
#undef FLUSH
    return whole;
}

/* A sentence begins with a capital letter, whatever value it begins with. */
static void capital(struct buf *b)
{
    size_t i = 0;
    while (i < b->n && (unsigned char)b->p[i] < 0x20)
        i++;
    if (i < b->n && b->p[i] >= 'a' && b->p[i] <= 'z')
        b->p[i] = (char)(b->p[i] - 0x20);
    else if (i + 1 < b->n && (unsigned char)b->p[i] == 0xC3 && (unsigned char)b->p[i + 1] >= 0xA0)
        b->p[i + 1] = (char)((unsigned char)b->p[i + 1] - 0x20);
}

/* The body of a row for that match; p NULL when a value is missing. */
static text body_of(struct maker *m, const struct clause_row *row, const struct node *at)
{
    BUF_AUTO b = buf_make(1 << 16);
    size_t i = 0;
    bool fr = m->words.fr;
    if (!expand(m, &b, at, fr ? row->fr : row->en, &i, false) || !b.n)
        return (text){ NULL, 0 };
    if (row->kind != ROW_CARD)
        capital(&b);
    text body;
    enum err e = buf_take(m->a, &b, &body);
    if (e != OK)
        m->status = e;
    return body;
}

/* ---- Promises of the file, and anchors. ---- */

static bool covers(text path, text at)
{
    return text_starts(at, path) && (at.n == path.n || at.p[path.n] == '.' || at.p[path.n] == '[');
}

static text promises_of(struct maker *m, text path)
{
    BUF_AUTO b = buf_make(4096);
    NODE_EACH(promise, node_get(m->words.root, TEXT("promises"))) {
        bool tied = promise->kind == NODE_SCALAR && covers(promise->value, path);
        NODE_EACH(one, promise->kind == NODE_LIST ? promise : NULL)
            tied |= covers(one->value, path);
        if (tied)
            buf_print(&b, "%s%.*s", b.n ? ", " : "", T(promise->key));
    }
    return buf_made(m->a, &b);
}

static text anchor_of(struct maker *m, const struct clause_row *row, const struct node *at)
{
    unsigned number = 1;
    for (const struct clause_row *other = m->rows; other < row; other++)
        number += other->kind == ROW_CLAUSE && text_eq(other->pattern, row->pattern);
    text id = arena_print(m->a, "%.*s-%u", T(at->path), number);
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] == '[')
            ((char *)(uintptr_t)id.p)[i] = '.';
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] == ']')
            ((char *)(uintptr_t)id.p)[i] = '_';
    return id;
}

/* ---- Matches. ---- */

typedef void match_fn(struct maker *m, const struct clause_row *row, const struct node *at, void *arg);

static void each_match(struct maker *m, const struct clause_row *row, const struct node *from, text pattern,
                       match_fn *visit, void *arg)
{
    if (!from)
        return;
    if (!pattern.n) {
        visit(m, row, from, arg);
        return;
    }
    text rest = pattern, segment = text_cut(&rest, '.');
    rest = rest.p ? rest : TEXT("");
    if (text_eq(segment, TEXT("*")))
        NODE_EACH(child, from->kind == NODE_SCALAR ? NULL : from)
            each_match(m, row, child, rest, visit, arg);
    else
        each_match(m, row, node_get(from, text_eq(segment, TEXT("^")) ? m->card ? m->card->key : TEXT("") : segment),
                   rest, visit, arg);
}

static struct sentence *sentence_new(struct maker *m, const struct clause_row *row, const struct node *at)
{
    text body = holds(m, at, row->when) ? body_of(m, row, at) : (text){ NULL, 0 };
    struct sentence *s = body.p ? NEW(m->a, struct sentence) : NULL;
    if (s)
        *s = (struct sentence){ .row = row, .at = at, .body = body };
    return s;
}

static void add_brief(struct maker *m, const struct clause_row *row, const struct node *at, void *arg)
{
    struct section *s = arg;
    struct sentence *one = sentence_new(m, row, at);
    if (!one)
        return;
    if (s->brief_last)
        s->brief_last->next = one;
    else
        s->brief = one;
    s->brief_last = one;
}

static void add_sentence(struct maker *m, const struct clause_row *row, const struct node *at, void *arg)
{
    struct block *b = arg;
    struct sentence *one = sentence_new(m, row, at);
    if (!one)
        return;
    one->id = anchor_of(m, row, at);
    one->promises = promises_of(m, at->path);
    if (b->last)
        b->last->next = one;
    else
        b->first = one;
    b->last = one;
}

/* ---- Blocks: the sentences before the first card, then those of each card. ---- */

struct table *notice_table(struct maker *m, enum notice_table which);
static text heading_of(struct maker *m, const struct node *purpose);
static text hint_of(struct maker *m, const struct node *category);

/* Rows from `row` on that belong to one block, for the card's match or for none; returns where the next block begins.
 */
static const struct clause_row *fill(struct maker *m, struct block *b, const struct clause_row *row, text card)
{
    for (; row < m->rows + m->count && row->kind != ROW_SECTION && row->kind != ROW_CARD; row++) {
        bool below = card.n && m->card && covers(card, row->pattern);
        if (row->kind == ROW_CLAUSE)
            each_match(m, row, below ? m->card : m->words.root,
                       below ? text_from(row->pattern, card.n + 1) : row->pattern, add_sentence, b);
        else if (row->kind == ROW_TABLE)
            b->table = notice_table(m, row->table);
    }
    return row;
}

static void keep(struct section *s, const struct block *b, struct maker *m)
{
    if (!b->first && !b->table)
        return;
    struct block *copy = NEW(m->a, struct block);
    if (!copy) {
        m->status = ERR_MEMORY;
        return;
    }
    *copy = *b;
    if (s->last)
        s->last->next = copy;
    else
        s->first = copy;
    s->last = copy;
}

struct card {
    struct section *section;
    const struct clause_row *behind;
};

static void add_card(struct maker *m, const struct clause_row *row, const struct node *at, void *arg)
{
    struct card *c = arg;
    bool many = text_ends(row->pattern, TEXT(".*"));
    m->card = many ? at : NULL;
    struct block b = { .id = at->path, .at = at, .title = body_of(m, row, at) };
    if (text_eq(row->pattern, TEXT("purposes.*")))
        b.group = heading_of(m, at);
    if (text_eq(row->pattern, TEXT("categories.*")))
        b.hint = hint_of(m, at);
    c->behind = fill(m, &b, row + 1, many ? row->pattern : TEXT(""));
    keep(c->section, &b, m);
    m->card = NULL;
}

static const struct clause_row *add_cards(struct maker *m, struct section *s, const struct clause_row *row)
{
    struct card c = { s, NULL };
    const struct clause_row *end = row + 1;
    while (end < m->rows + m->count && end->kind != ROW_SECTION && end->kind != ROW_CARD)
        end++;
    each_match(m, row, m->words.root, row->pattern, add_card, &c);
    /* A heading over clauses of several places stands even where its own is missing. */
    if (!c.behind && !text_ends(row->pattern, TEXT(".*"))) {
        struct block b = { .id = row->pattern, .title = set(m, m->words.fr ? row->fr : row->en) };
        fill(m, &b, row + 1, TEXT(""));
        keep(s, &b, m);
    }
    return end;
}

static const struct clause_row *add_section(struct maker *m, struct section *s, const struct clause_row *row)
{
    for (row++; row < m->rows + m->count && row->kind == ROW_SHORT; row++)
        each_match(m, row, m->words.root, row->pattern, add_brief, s);
    struct block plain = { 0 };
    row = fill(m, &plain, row, TEXT(""));
    keep(s, &plain, m);
    while (row < m->rows + m->count && row->kind == ROW_CARD)
        row = add_cards(m, s, row);
    return row;
}

/* ---- Tables. ---- */

static struct table *table_new(struct maker *m, text id, unsigned columns, const text *head)
{
    struct table *t = NEW(m->a, struct table);
    text *copy = NEW_ARRAY(m->a, text, columns);
    if (!t || !copy) {
        m->status = ERR_MEMORY;
        return NULL;
    }
    for (unsigned i = 0; i < columns; i++)
        copy[i] = head[i];
    *t = (struct table){ id, columns, copy, NULL };
    return t;
}

static void table_add(struct maker *m, struct table *t, struct table_row ***end, const struct node *at,
                      const text *cells)
{
    struct table_row *row = NEW(m->a, struct table_row);
    text *copy = NEW_ARRAY(m->a, text, t->columns);
    if (!row || !copy) {
        m->status = ERR_MEMORY;
        return;
    }
    for (unsigned i = 0; i < t->columns; i++)
        copy[i] = set(m, cells[i]);
    *row = (struct table_row){ at, at->path, copy, NULL };
    **end = row;
    *end = &row->next;
}

/* Which right follows from which basis (GDPR 15 to 22; CNIL, guide of the developer, sheet 15). */
static const struct {
    text basis;
    struct {
        text en, fr;
    } name;
    const char *rights;
    struct {
        text en, fr;
    } heading;
} matrix[] = {
#define RIGHTS(basis, en, fr, rights, heading_en, heading_fr)                                                          \
    { TEXT_INIT(basis),                                                                                                \
      { TEXT_INIT(en), TEXT_INIT(fr) },                                                                                \
      rights,                                                                                                          \
      { TEXT_INIT(heading_en), TEXT_INIT(heading_fr) } },
#include "publish/matrix.def"
#undef RIGHTS
};

/* What the purposes of that one's legal basis stand under. */
static text heading_of(struct maker *m, const struct node *purpose)
{
    for (size_t i = 0; i < sizeof matrix / sizeof *matrix; i++)
        if (text_eq(node_text(purpose, TEXT("basis")), matrix[i].basis))
            return set(m, m->words.fr ? matrix[i].heading.fr : matrix[i].heading.en);
    return (text){ NULL, 0 };
}

/* What a folded card shows beside its title: how long data of that category is kept. */
static text hint_of(struct maker *m, const struct node *category)
{
    return set(m, words_retention(&m->words, node_get(node_get(m->words.root, TEXT("retention")), category->key)));
}

static struct table *rights_table(struct maker *m)
{
    bool fr = m->words.fr;
    static const text heads_en[] = {
        TEXT_INIT("Purpose"), TEXT_INIT("Basis"),       TEXT_INIT("Access, rectification, restriction"),
        TEXT_INIT("Erasure"), TEXT_INIT("Portability"), TEXT_INIT("Objection")
    };
    static const text heads_fr[] = {
        TEXT_INIT("Finalité"),   TEXT_INIT("Base légale"), TEXT_INIT("Accès, rectification, limitation"),
        TEXT_INIT("Effacement"), TEXT_INIT("Portabilité"), TEXT_INIT("Opposition")
    };
    const struct node *purposes = node_get(m->words.root, TEXT("purposes"));
    struct table *t = purposes ? table_new(m, TEXT("table-rights"), 6, fr ? heads_fr : heads_en)
                        : NULL;
    struct table_row **end = t ? &t->first : NULL;
    NODE_EACH(purpose, t ? purposes : NULL)
        for (size_t i = 0; i < sizeof matrix / sizeof *matrix; i++) {
            if (!text_eq(node_text(purpose, TEXT("basis")), matrix[i].basis))
                continue;
            text cells[6] = { words_title(&m->words, purpose), fr ? matrix[i].name.fr : matrix[i].name.en };
            for (unsigned k = 0; k < 4; k++)
                switch (matrix[i].rights[k]) {
                case 'y':
                    cells[k + 2] = fr ? TEXT("oui") : TEXT("yes");
                    break;
                case 'l':
                    cells[k + 2] = fr ? TEXT("limité") : TEXT("limited");
                    break;
                case 'w':
                    cells[k + 2] = fr ? TEXT("retrait") : TEXT("withdrawal");
                    break;
                default:
                    cells[k + 2] = fr ? TEXT("non") : TEXT("no");
                }
            table_add(m, t, &end, purpose, cells);
        }
    return t && t->first ? t : NULL;
}

static text need_of(struct maker *m, const struct node *cookie)
{
    const struct words *w = &m->words;
    text why = words_label(w, "cookies.*.exempt", node_text(cookie, TEXT("exempt")));
    if (cookie_exempt(cookie))
        return arena_print(m->a, w->fr ? "dispensé de consentement : il %.*s" : "exempt from consent: it %.*s", T(why));
    return w->fr ? TEXT("non dispensé : posé seulement si vous l'acceptez") : TEXT("not exempt: set only if you agree");
}

/* Name and provider, with what it is technically. */
static text tracker_of(struct maker *m, const struct node *cookie)
{
    const struct words *w = &m->words;
    text name = node_text(cookie, TEXT("name")).n ? node_text(cookie, TEXT("name")) : cookie->key,
         provider = node_text(cookie, TEXT("provider"));
    text kind = words_of(w, node_get(cookie, TEXT("kind"))), called = node_text(cookie, TEXT("called"));
    text line = kind.n ? arena_print(m->a, "%.*s (%.*s)", T(name), T(kind)) : name;
    if (called.n)
        line = arena_print(m->a, "%.*s, %s", T(line),
                           text_eq(called, TEXT("session")) ? "session"
                           : w->fr                          ? "permanent"
                                                            : "persistent");
    if (!provider.n)
        return line;
    bool reuse = text_eq(node_text(cookie, TEXT("provider_reuse")), TEXT("true"));
    text country = words_of(w, node_get(cookie, TEXT("country")));
    if (country.n)
        provider = arena_print(m->a, "%.*s (%.*s)", T(provider), T(country));
    return arena_print(m->a, w->fr ? "%.*s, lu par %.*s%s" : "%.*s, read by %.*s%s", T(line), T(provider),
                       reuse ? w->fr ? ", qui s'en sert aussi pour lui-même" : ", who also uses it for itself" : "");
}

static text lifetime_of(struct maker *m, const struct node *cookie)
{
    const struct words *w = &m->words;
    text life = words_of(w, node_get(cookie, TEXT("lifetime")));
    bool sliding = text_eq(node_text(cookie, TEXT("sliding")), TEXT("true"));
    return sliding ? arena_print(m->a, w->fr ? "%.*s, à partir de la dernière visite" : "%.*s, from the last visit",
                                 T(life))
                   : life;
}

static text deed_of(struct maker *m, const struct node *cookie)
{
    const struct words *w = &m->words;
    const struct node *purpose = node_get(node_get(w->root, TEXT("purposes")), node_text(cookie, TEXT("purpose")));
    text where = words_of(w, node_get(cookie, TEXT("where"))), what = words_title(w, cookie);
    text line = arena_print(m->a, w->fr ? "%.*s%s Finalité : %.*s." : "%.*s%s Purpose: %.*s.", T(what),
                            text_ends(what, TEXT(".")) ? "" : ".",
                            T(words_small(w, purpose ? words_title(w, purpose) : node_text(cookie, TEXT("purpose")))));
    if (where.n)
        line = arena_print(m->a, w->fr ? "%.*s Où : %.*s." : "%.*s Where: %.*s.", T(line), T(where));
    const char *reads = text_eq(node_text(cookie, TEXT("personal")), TEXT("true"))
                            ? w->fr ? "Contient des données lisibles sur vous." : "Holds readable data about you."
                        : text_eq(node_text(cookie, TEXT("identifies")), TEXT("true"))
                            ? w->fr ? "Distingue votre navigateur des autres." : "Tells your browser from others."
                        : w->fr ? "Ne distingue personne."
                                : "Tells nobody apart.";
    return arena_print(m->a, "%.*s %s", T(line), reads);
}

static struct table *cookies_table(struct maker *m)
{
    static const text heads_en[] = { TEXT_INIT("Name"), TEXT_INIT("What for"), TEXT_INIT("Lifetime"),
                                     TEXT_INIT("Consent") };
    static const text heads_fr[] = { TEXT_INIT("Nom"), TEXT_INIT("À quoi il sert"), TEXT_INIT("Durée de vie"),
                                     TEXT_INIT("Consentement") };
    const struct node *cookies = node_get(m->words.root, TEXT("cookies"));
    struct table *t = cookies && cookies->kind == NODE_MAP
                          ? table_new(m, TEXT("table-cookies"), 4, m->words.fr ? heads_fr : heads_en)
                          : NULL;
    struct table_row **end = t ? &t->first : NULL;
    NODE_EACH(cookie, t ? cookies : NULL) {
        const text cells[] = { tracker_of(m, cookie), deed_of(m, cookie), lifetime_of(m, cookie), need_of(m, cookie) };
        table_add(m, t, &end, cookie, cells);
    }
    return t;
}

struct table *notice_table(struct maker *m, enum notice_table which)
{
    return which == TABLE_rights ? rights_table(m) : cookies_table(m);
}

/* ---- The whole. ---- */

static enum err add_sections(struct maker *m, struct notice *out)
{
    struct section **end = &out->first;
    for (const struct clause_row *row = m->rows; row < m->rows + m->count;) {
        if (row->kind != ROW_SECTION || text_find(row->pages, text_of(m->page)) < 0) {
            row++;
            continue;
        }
        struct section s = { .name = row->pattern, .title = set(m, m->words.fr ? row->fr : row->en) };
        row = add_section(m, &s, row);
        if (!s.first)
            continue;
        *end = NEW(m->a, struct section);
        TRY_PTR(*end);
        **end = s;
        end = &(*end)->next;
    }
    return m->status;
}

enum err notice_make(struct arena *a, const struct node *root, text hash, enum notice_page page, text language,
                     struct notice *out)
{
    struct maker m = { .a = a, .page = page == NOTICE_PRIVACY ? "PRIVACY" : "COOKIES" };
    m.rows = clause_rows(&m.count);
    TRY(words_make(a, root, language, &m.words));
    bool fr = m.words.fr;
    const struct node *policy = node_get(root, TEXT("policy"));
    *out = (struct notice){ .root = root,
                            .language = fr ? TEXT("fr") : TEXT("en"),
                            .hash = hash,
                            .page = page,
                            .fr = fr };
    out->name = node_said(node_get(policy, TEXT("title")), out->language);
    if (!out->name.n)
        out->name = node_text(node_get(root, TEXT("controller")), TEXT("legal_name"));
    out->title = page == NOTICE_COOKIES ? fr ? TEXT("Cookies et autres traceurs") : TEXT("Cookies and other trackers")
                 : fr ? TEXT("Vos données personnelles")
                                        : TEXT("Your personal data");
    out->version = node_text(policy, TEXT("version"));
    out->date = words_of(&m.words, node_get(policy, TEXT("date")));
    return add_sections(&m, out);
}

enum err notice_coming(struct arena *a, struct notice *n, text version, struct date day, text link)
{
    struct words w;
    TRY(words_make(a, n->root, n->language, &w));
    n->coming = arena_print(a,
                            n->fr ? "Une nouvelle version, la %.*s, s’appliquera à compter du %.*s."
                                  : "A new version, %.*s, applies from %.*s.",
                            T(version), T(words_date(&w, day)));
    n->coming_link = link;
    return n->coming.p && link.p ? OK : ERR_MEMORY;
}
