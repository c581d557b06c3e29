/* The document: libyaml's events made into a tree in the arena, without recursion, strict about what may stand in it.
 */
#include "policy.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A container being read: where its next child goes, and the key that waits for its value. */
struct level {
    struct node *node, *last;
    bool has_key;
    text key;
    struct mark key_at;
};

struct reader {
    struct arena *arena;
    struct findings *findings;
    struct level levels[NODE_LEVELS_MAX];
    unsigned depth, documents;
    struct node *root;
    bool stopped; /* what follows cannot be read sensibly */
};

static struct mark mark_of(yaml_mark_t m) { return (struct mark){ (uint32_t)m.line + 1, (uint32_t)m.column + 1 }; }

static struct level *top(struct reader *r) { return r->depth ? &r->levels[r->depth - 1] : NULL; }

#define FAULT(r, at, ...) finding_add((r)->arena, (r)->findings, SEVERITY_ERROR, (at), TEXT(""), __VA_ARGS__)
#define STOP(r, at, ...)  ((r)->stopped = true, FAULT(r, at, __VA_ARGS__))

/* ---- Bytes, before YAML: encoding and tabs. ---- */

static struct mark mark_at_byte(text yaml, size_t byte)
{
    struct mark at = { 1, 1 };
    for (size_t i = 0; i < byte; i++)
        if (yaml.p[i] == '\n') {
            at.line++;
            at.column = 1;
        } else if (((uint8_t)yaml.p[i] & 0xC0) != 0x80)
            at.column++;
    return at;
}

/* Length of the longest prefix that is UTF-8 without NUL, by halving. */
static size_t utf8_prefix(text s)
{
    size_t good = 0, bad = s.n;
    while (good < bad) {
        size_t middle = good + (bad - good + 1) / 2;
        size_t cut = middle;
        while (cut > good && cut < s.n && ((uint8_t)s.p[cut] & 0xC0) == 0x80)
            cut--; /* not inside a character */
        if (cut > good && text_utf8((text){ s.p + good, cut - good }))
            good = cut;
        else if (cut > good)
            bad = cut - 1;
        else
            bad = middle - 1;
    }
    return good;
}

/* What stands before the first character of a line that is no blank, tab or sign of a list; its length. */
static size_t indent_of(text row)
{
    size_t i = 0;
    for (; i < row.n; i++) {
        bool listed = row.p[i] == '-' && i + 1 < row.n && (row.p[i + 1] == ' ' || row.p[i + 1] == '\t');
        if (row.p[i] != ' ' && row.p[i] != '\t' && !listed)
            break;
    }
    return i;
}

/* YAML indents with blanks (1.2.2, 6.1), and a tab that looks like one misleads: one finding for each such line.
 * Elsewhere tabs separate as blanks do (6.2); on lines without content, where libyaml refuses them, they become blanks.
 */
static enum err take_tabs(struct reader *r, text *yaml)
{
    char *copy = NULL;
    bool any = false;
    uint32_t line = 1;
    for (text rest = *yaml; rest.p; line++) {
        text row = text_cut(&rest, '\n');
        size_t indent = indent_of(row);
        ptrdiff_t at = text_index(text_upto(row, indent), '\t');
        bool empty = indent == row.n || row.p[indent] == '#' || row.p[indent] == '\r';
        if (at < 0)
            continue;
        if (empty && !copy)
            copy = (char *)(uintptr_t)arena_copy(r->arena, *yaml).p;
        if (empty) {
            TRY_PTR(copy);
            memset(copy + (row.p - yaml->p), ' ', indent);
            continue;
        }
        any = true;
        FAULT(r, ((struct mark){ line, mark_at_byte(row, (size_t)at).column }),
              "a tab: indent and separate with blanks");
    }
    if (copy && !any)
        yaml->p = copy;
    return OK;
}

static bool bytes_fit(struct reader *r, text yaml)
{
    struct mark start = { 1, 1 };
    if (yaml.n > NODE_BYTES_MAX) {
        FAULT(r, start, "the file has %zu bytes, more than the %d allowed", yaml.n, NODE_BYTES_MAX);
        return false;
    }
    if (yaml.n >= 2 &&
        (memcmp(yaml.p, "\xFF\xFE", 2) == 0 || memcmp(yaml.p, "\xFE\xFF", 2) == 0 || !yaml.p[0] || !yaml.p[1])) {
        FAULT(r, start, "the file is in UTF-16 or UTF-32: save it as UTF-8");
        return false;
    }
    if (!text_utf8(yaml)) {
        size_t byte = utf8_prefix(yaml);
        FAULT(r, mark_at_byte(yaml, byte), "byte 0x%02X is not valid here: the file must be UTF-8 text without NUL",
              (unsigned)(uint8_t)yaml.p[byte < yaml.n ? byte : yaml.n - 1]);
        return false;
    }
    return true;
}

/* ---- The tree. ---- */

static text child_path(struct arena *a, const struct level *in)
{
    if (!in)
        return TEXT("");
    const struct node *parent = in->node;
    if (parent->kind == NODE_LIST)
        return arena_print(a, "%.*s[%u]", T(parent->path), parent->count);
    if (!parent->path.n)
        return in->key;
    /* Joined by hand: a path is made for every node, and printing them was a tenth of the whole loading. */
    char *out = arena_alloc(a, parent->path.n + 1 + in->key.n + 1);
    if (!out)
        return (text){ NULL, 0 };
    memcpy(out, parent->path.p, parent->path.n);
    out[parent->path.n] = '.';
    memcpy(out + parent->path.n + 1, in->key.p, in->key.n);
    return (text){ out, parent->path.n + 1 + in->key.n };
}

/* Bounded, so that whoever works on the tree may compare the children of a node each with each. */
static bool is_full(struct reader *r, struct mark at)
{
    const struct level *in = top(r);
    if (!in || in->node->count < NODE_CHILDREN_MAX)
        return false;
    STOP(r, at, "more than %d entries in one list or map", NODE_CHILDREN_MAX);
    return true;
}

static struct node *append(struct reader *r, enum node_kind kind, struct mark at)
{
    struct level *in = top(r);
    struct node *new = NEW(r->arena, struct node);
    if (!new)
        return NULL;
    *new = (struct node){ .kind = kind, .at = at, .path = child_path(r->arena, in), .value = TEXT("") };
    if (!new->path.p)
        return NULL;
    if (!in)
        return r->root = new;
    new->parent = in->node;
    new->key = in->key;
    new->key_at = in->has_key ? in->key_at : at;
    in->has_key = false;
    if (in->last)
        in->last->next = new;
    else
        in->node->first = new;
    in->last = new;
    in->node->count++;
    return new;
}

static void check_name(struct reader *r, const char *what, const yaml_char_t *anchor, const yaml_char_t *tag,
                       struct mark at)
{
    if (anchor)
        FAULT(r, at, "an anchor (&%.40s) on %s: anchors and aliases are not allowed", (const char *)anchor, what);
    if (tag)
        FAULT(r, at, "a tag (%.40s) on %s: tags are not allowed", (const char *)tag, what);
}

static bool wants_key(struct reader *r)
{
    struct level *in = top(r);
    return in && in->node->kind == NODE_MAP && !in->has_key;
}

static void take_key(struct reader *r, const yaml_event_t *e, struct mark at)
{
    struct level *in = top(r);
    text key = { (const char *)e->data.scalar.value, e->data.scalar.length };
    if (key.n > NODE_KEY_MAX)
        FAULT(r, at, "a key of %zu bytes, more than the %d allowed", key.n, NODE_KEY_MAX);
    else if (!key.n)
        FAULT(r, at, "a key without a name");
    else if (text_eq(key, TEXT("<<")) && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        FAULT(r, at, "a merge key (<<): repeat the keys instead");
    in->has_key = true;
    in->key_at = at;
    in->key = arena_copy(r->arena, text_upto(key, NODE_KEY_MAX));
}

static enum err take_scalar(struct reader *r, const yaml_event_t *e, struct mark at)
{
    check_name(r, "a value", e->data.scalar.anchor, e->data.scalar.tag, at);
    if (wants_key(r)) {
        take_key(r, e, at);
        return top(r)->key.p ? OK : ERR_MEMORY;
    }
    if (is_full(r, at))
        return OK;
    struct node *new = append(r, NODE_SCALAR, at);
    TRY_PTR(new);
    new->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    new->value = arena_copy(r->arena, (text){ (const char *)e->data.scalar.value, e->data.scalar.length });
    return new->value.p ? OK : ERR_MEMORY;
}

static enum err open_level(struct reader *r, enum node_kind kind, struct mark at)
{
    if (wants_key(r)) {
        STOP(r, at, "a list or a map as key: a key is one word");
        return OK;
    }
    if (r->depth == NODE_LEVELS_MAX) {
        STOP(r, at, "more than %d levels", NODE_LEVELS_MAX);
        return OK;
    }
    if (is_full(r, at))
        return OK;
    struct node *new = append(r, kind, at);
    TRY_PTR(new);
    r->levels[r->depth++] = (struct level){ .node = new };
    return OK;
}

static int by_key(const void *x, const void *y)
{
    const struct node *a = *(const struct node *const *)x, *b = *(const struct node *const *)y;
    int order = text_cmp(a->key, b->key);
    if (order)
        return order;
    bool later = a->key_at.line != b->key_at.line ? a->key_at.line > b->key_at.line
                                                  : a->key_at.column > b->key_at.column;
    return later ? 1 : -1;
}

static enum err find_duplicates(struct reader *r, const struct node *map)
{
    if (map->count < 2)
        return OK;
    const struct node **keys = NEW_ARRAY(r->arena, const struct node *, map->count);
    TRY_PTR(keys);
    unsigned n = 0;
    NODE_EACH(child, map)
        keys[n++] = child;
    qsort(keys, n, sizeof *keys, by_key);
    for (unsigned i = 1; i < n; i++)
        if (text_eq(keys[i - 1]->key, keys[i]->key))
            FAULT(r, keys[i]->key_at, "the key \"%.*s\" stands twice in this map, first on line %u", T(keys[i]->key),
                  keys[i - 1]->key_at.line);
    return OK;
}

static enum err close_level(struct reader *r)
{
    const struct node *closed = r->levels[--r->depth].node;
    return closed->kind == NODE_MAP ? find_duplicates(r, closed) : OK;
}

static void start_document(struct reader *r, const yaml_event_t *e, struct mark at)
{
    if (++r->documents > 1)
        STOP(r, at, "a second document: a policy file is one document");
    if (e->data.document_start.version_directive ||
        e->data.document_start.tag_directives.start != e->data.document_start.tag_directives.end)
        FAULT(r, at, "a %%YAML or %%TAG directive: directives are not allowed");
}

static enum err take_event(struct reader *r, const yaml_event_t *e)
{
    struct mark at = mark_of(e->start_mark);
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        start_document(r, e, at);
        return OK;
    case YAML_ALIAS_EVENT:
        STOP(r, at, "an alias (*%.40s): repeat the value instead", (const char *)e->data.alias.anchor);
        return OK;
    case YAML_SCALAR_EVENT:
        return take_scalar(r, e, at);
    case YAML_SEQUENCE_START_EVENT:
        check_name(r, "a list", e->data.sequence_start.anchor, e->data.sequence_start.tag, at);
        return open_level(r, NODE_LIST, at);
    case YAML_MAPPING_START_EVENT:
        check_name(r, "a map", e->data.mapping_start.anchor, e->data.mapping_start.tag, at);
        return open_level(r, NODE_MAP, at);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_level(r);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return OK;
    }
    return OK;
}

static enum err syntax_fault(struct reader *r, const yaml_parser_t *parser)
{
    r->stopped = true;
    if (parser->error == YAML_MEMORY_ERROR)
        return say(r->arena, ERR_MEMORY, "the machine has no memory left");
    const char *context = parser->context ? parser->context : "";
    FAULT(r, mark_of(parser->error == YAML_READER_ERROR ? parser->mark : parser->problem_mark),
          "not well-formed YAML: %s%s%s", parser->problem ? parser->problem : "unreadable",
          *context ? ", " : "",
          context);
    return OK;
}

static enum err read_events(struct reader *r, yaml_parser_t *parser)
{
    for (bool end = false; !end && !r->stopped;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return syntax_fault(r, parser);
        end = event.type == YAML_STREAM_END_EVENT;
        enum err e = take_event(r, &event);
        yaml_event_delete(&event);
        TRY(e);
    }
    return OK;
}

static enum err read_tree(struct reader *r, text yaml)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return say(r->arena, ERR_MEMORY, "the machine has no memory left");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.p, yaml.n);
    enum err e = read_events(r, &parser);
    yaml_parser_delete(&parser);
    TRY(e);
    if (!r->root && !r->stopped)
        STOP(r, ((struct mark){ 1, 1 }), "the file is empty");
    return OK;
}

enum err node_read(struct arena *a, text yaml, struct findings *f, const struct node **root)
{
    struct reader r = { .arena = a, .findings = f, .stopped = true };
    unsigned before = f->errors;
    *root = NULL;
    if (text_starts(yaml, TEXT("\xEF\xBB\xBF"))) /* as some editors save UTF-8 (YAML 1.2.2, 5.2) */
        yaml = text_from(yaml, 3);
    if (bytes_fit(&r, yaml)) {
        TRY(take_tabs(&r, &yaml));
        r.stopped = f->errors != before;
        if (!r.stopped)
            TRY(read_tree(&r, yaml));
    }
    findings_sort(f);
    if (!r.stopped)
        *root = r.root;
    if (f->errors == before)
        return OK;
    return say(a, ERR_POLICY, "the policy file has %u faults", f->errors - before);
}

/* ---- Look-ups. ---- */

const struct node *node_get(const struct node *map, text key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    NODE_EACH(child, map)
        if (text_eq(child->key, key))
            return child;
    return NULL;
}

/* Keys may hold dots themselves ("dashboard.colour"): the longest key that fits the path is taken. */
const struct node *node_at(const struct node *root, text dotted_path)
{
    if (!root || !dotted_path.n)
        return root;
    const struct node *best = NULL;
    NODE_EACH(child, root->kind == NODE_MAP ? root : NULL) {
        bool fits = text_starts(dotted_path, child->key) &&
                    (dotted_path.n == child->key.n || dotted_path.p[child->key.n] == '.');
        if (fits && (!best || child->key.n > best->key.n))
            best = child;
    }
    return best ? node_at(best, text_from(dotted_path, best->key.n + 1)) : NULL;
}

text node_text(const struct node *map, text key)
{
    const struct node *child = node_get(map, key);
    return child && child->kind == NODE_SCALAR ? child->value : (text){ NULL, 0 };
}

bool node_has(const struct node *list_or_scalar, text word)
{
    if (!list_or_scalar)
        return false;
    if (list_or_scalar->kind == NODE_SCALAR)
        return text_eq(list_or_scalar->value, word);
    NODE_EACH(item, list_or_scalar->kind == NODE_LIST ? list_or_scalar : NULL)
        if (item->kind == NODE_SCALAR && text_eq(item->value, word))
            return true;
    return false;
}

text node_said(const struct node *said, text language)
{
    if (!said || said->kind == NODE_SCALAR)
        return said ? said->value : (text){ NULL, 0 };
    text in_language = node_text(said, language);
    return in_language.p || !said->first ? in_language : said->first->value;
}
