/* Templates: read as they are rendered, since a page is small and nothing then needs to be kept; and the check of their
 * soundness. */
#include "front/page/template.h"
#include "domain/core/named.h"
#include "front/door/word.h"

enum tag_kind {
    TAG_VALUE,
    TAG_ADDRESS,
    TAG_TIME,
    TAG_DAY,
    TAG_WORD,
    TAG_SECTION,
    TAG_UNLESS,
    TAG_END,
    TAG_PARTIAL,
    TAG_NOTE,
    TAG_FORM
};
/* Argument: of a word's [name]; p NULL without. */
struct tag {
    enum tag_kind kind;
    text name, argument;
};

/* ---- Tags. ---- */

static bool name_like(text s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '.' || ch == '-'))
            return false;
    }
    return s.n > 0;
}

static bool parse_tag(text inside, struct tag *out)
{
    static const char signs[] = { '%', '@', '~', '_', '#', '^', '/', '>', '!', '+' };
    *out = (struct tag){ TAG_VALUE, text_trim(inside), { NULL, 0 } };
    const char *sign = out->name.n ? memchr(signs, out->name.p[0], sizeof signs) : NULL;
    if (!sign)
        return name_like(out->name);
    out->kind = (enum tag_kind)(TAG_ADDRESS + (sign - signs));
    out->name = text_trim(text_from(out->name, 1));
    if (out->kind == TAG_NOTE)
        return true;
    bool takes = out->kind == TAG_WORD || out->kind == TAG_FORM;
    if (takes && out->name.n && out->name.p[out->name.n - 1] == ']') {
        text whole = text_upto(out->name, out->name.n - 1);
        out->name = text_trim(text_cut(&whole, '['));
        out->argument = whole;
        return name_like(out->name) && whole.p && name_like(whole);
    }
    return out->kind != TAG_FORM && name_like(out->name);
}

/* Cuts the next tag: `*before` is the literal text until it. False at the end, where all is literal. ERR_INTERNAL for a
 * malformed one. */
static enum err next_tag(struct arena *a, text file, text *rest, text *before, struct tag *tag, bool *found)
{
    ptrdiff_t open = text_find(*rest, TEXT("{{"));
    *found = open >= 0;
    *before = *found ? text_upto(*rest, (size_t)open) : *rest;
    if (!*found)
        return OK;
    text inside = text_from(*rest, (size_t)open + 2);
    ptrdiff_t close = text_find(inside, TEXT("}}"));
    if (close < 0 || !parse_tag(text_upto(inside, (size_t)close), tag))
        return say(a, ERR_INTERNAL, "template \"%.*s\": malformed tag {{%.*s", T(file), T(text_upto(inside, 40)));
    *rest = text_from(inside, (size_t)close + 2);
    return OK;
}

/* `*rest` stands behind the opening tag of `name`: its body, and `*rest` behind its end. */
static enum err cut_section(struct arena *a, text file, text name, text *rest, text *body)
{
    text start = *rest, before;
    unsigned depth = 1;
    struct tag tag;
    bool found;
    for (;;) {
        const char *at = rest->p;
        TRY(next_tag(a, file, rest, &before, &tag, &found));
        if (!found)
            return say(a, ERR_INTERNAL, "template \"%.*s\": the section \"%.*s\" has no end", T(file), T(name));
        depth += tag.kind == TAG_SECTION || tag.kind == TAG_UNLESS;
        depth -= tag.kind == TAG_END;
        if (depth)
            continue;
        if (!text_eq(tag.name, name))
            return say(a, ERR_INTERNAL, "template \"%.*s\": {{/%.*s}} ends the section \"%.*s\"", T(file), T(tag.name),
                       T(name));
        *body = (text){ start.p, (size_t)(at - start.p) + before.n };
        return OK;
    }
}

static enum err find_file(struct arena *a, const struct assets *files, text name, text *out)
{
    text path = arena_print(a, "%.*s.html", T(name));
    TRY_PTR(path.p);
    const struct asset *file = asset_find(files, path);
    if (!file)
        return say(a, ERR_INTERNAL, "there is no template \"%.*s\"", T(name));
    *out = file->plain.bytes;
    return OK;
}

/* ---- Rendering. ---- */

struct scope {
    const struct json *value;
    const struct scope *outer;
};
struct run {
    struct ctx *c;
    const struct assets *files;
    struct buf *out;
    unsigned depth;
};

static const struct json *look_up(const struct scope *s, text path)
{
    if (text_eq(path, TEXT(".")))
        return s->value;
    text first = text_cut(&path, '.');
    const struct json *found = NULL;
    for (; s && !found; s = s->outer)
        found = json_get(s->value, first);
    while (found && path.p)
        found = json_get(found, text_cut(&path, '.'));
    return found;
}

static bool holds(const struct json *v)
{
    if (!v || v->kind == J_NULL)
        return false;
    switch (v->kind) {
    case J_BOOL:
        return v->truth;
    case J_NUMBER:
        return !text_eq(v->value, TEXT("0"));
    case J_TEXT:
        return v->value.n > 0;
    case J_ARRAY:
        return v->count > 0;
    case J_OBJECT:
        return true;
    case J_NULL:
        break;
    }
    return false;
}

static enum err put_value(struct run *x, const struct json *v)
{
    text language = x->c->language;
    switch (v->kind) {
    case J_NULL:
        return OK;
    case J_BOOL:
        word_put(x->out, word_find(v->truth ? TEXT("yes") : TEXT("no"), language), language);
        return OK;
    case J_NUMBER:
    case J_TEXT:
        buf_html(x->out, v->value);
        return OK;
    case J_ARRAY:
        JSON_EACH(item, v) {
            if (item->kind == J_ARRAY)
                return say(x->c->arena, ERR_INTERNAL, "a list of lists has no form on a page");
            if (item != v->first)
                buf_add(x->out, TEXT(", "));
            TRY(put_value(x, item));
        }
        return OK;
    case J_OBJECT:
        break;
    }
    return say(x->c->arena, ERR_INTERNAL, "an object has no form on a page");
}

/* RFC 3986, 2.3; the slash stays, since it means nothing else in a query and parts of a path are named so. */
static void put_address(struct buf *b, text s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' ||
                     ch == '.' || ch == '_' || ch == '~' || ch == '/';
        if (plain)
            buf_char(b, ch);
        else
            buf_print(b, "%%%02X", (uint8_t)ch);
    }
}

static void put_time(struct run *x, text time, bool day)
{
    struct date d;
    if (!time.n)
        return;
    text whole = date_parse(time, &d) ? arena_print(x->c->arena, "%.*sT00:00:00Z", T(time)) : time;
    buf_add(x->out, TEXT("<time datetime=\""));
    buf_html(x->out, time);
    buf_add(x->out, TEXT("\">"));
    buf_html(x->out, day ? doc_day(x->c, whole) : doc_time(x->c, whole));
    buf_add(x->out, TEXT("</time>"));
}

static enum err put_word(struct run *x, const struct scope *s, text file, const struct tag *tag)
{
    struct arena *a = x->c->arena;
    text key = tag->name;
    const struct json *v = tag->argument.p ? look_up(s, tag->argument) : NULL;
    if (tag->argument.p) {
        if (!v || (v->kind != J_TEXT && v->kind != J_BOOL && v->kind != J_NUMBER))
            return say(a, ERR_INTERNAL, "template \"%.*s\": \"%.*s\" is no text for a word", T(file), T(tag->argument));
        text part = v->kind != J_BOOL ? v->value
                  : v->truth ? TEXT("true") : TEXT("false");
        key = arena_print(a, "%.*s%.*s", T(key), T(part));
        TRY_PTR(key.p);
    }
    text word = word_find(key, x->c->language);
    if (!word.p && !v)
        return say(a, ERR_INTERNAL, "template \"%.*s\": there is no word \"%.*s\"", T(file), T(key));
    if (word.p)
        word_put(x->out, word, x->c->language);
    else /* a name of the policy or of a later version: better than nothing */
        buf_html(x->out, v->value);
    return OK;
}

/* The form of a word that goes with a number. */
static enum err put_form(struct run *x, const struct scope *s, text file, const struct tag *tag)
{
    struct arena *a = x->c->arena;
    text word = word_find(tag->name, x->c->language);
    const struct json *v = look_up(s, tag->argument);
    int64_t n;
    if (!word.p || !v || v->kind != J_NUMBER || !text_int(v->value, &n))
        return say(a, ERR_INTERNAL, "template \"%.*s\": \"%.*s\" is no word, or \"%.*s\" no number", T(file), T(tag->name),
                   T(tag->argument));
    word_put(x->out, word_form(word, n, x->c->language), x->c->language);
    return OK;
}

static enum err render(struct run *x, text file, text body, const struct scope *s);

static enum err put_section(struct run *x, text file, text body, const struct scope *s, const struct json *v)
{
    if (v->kind != J_ARRAY) {
        struct scope inner = { v, s };
        return render(x, file, body, v->kind == J_BOOL ? s : &inner);
    }
    JSON_EACH(item, v) {
        struct scope inner = { item, s };
        TRY(render(x, file, body, &inner));
    }
    return OK;
}

static enum err put_partial(struct run *x, text name, const struct scope *s)
{
    text body;
    TRY(find_file(x->c->arena, x->files, name, &body));
    return render(x, name, body, s);
}

static enum err put_tag(struct run *x, text file, const struct tag *tag, text body, const struct scope *s)
{
    if (tag->kind == TAG_WORD)
        return put_word(x, s, file, tag);
    if (tag->kind == TAG_FORM)
        return put_form(x, s, file, tag);
    if (tag->kind == TAG_PARTIAL)
        return put_partial(x, tag->name, s);
    const struct json *v = look_up(s, tag->name);
    if (tag->kind == TAG_SECTION)
        return holds(v) ? put_section(x, file, body, s, v) : OK;
    if (tag->kind == TAG_UNLESS)
        return holds(v) ? OK : render(x, file, body, s);
    if (!v)
        return say(x->c->arena, ERR_INTERNAL, "template \"%.*s\": nothing is named \"%.*s\"", T(file), T(tag->name));
    if (tag->kind == TAG_ADDRESS)
        put_address(x->out, v->value);
    else if (tag->kind == TAG_TIME || tag->kind == TAG_DAY)
        put_time(x, v->value, tag->kind == TAG_DAY);
    else
        return put_value(x, v);
    return OK;
}

static enum err render(struct run *x, text file, text body, const struct scope *s)
{
    if (x->depth == TEMPLATE_DEPTH)
        return say(x->c->arena, ERR_INTERNAL, "template \"%.*s\": nested deeper than %d", T(file), TEMPLATE_DEPTH);
    x->depth++;
    for (bool found = true; found;) {
        text before, inside = TEXT("");
        struct tag tag;
        TRY(next_tag(x->c->arena, file, &body, &before, &tag, &found));
        buf_add(x->out, before);
        if (!found || tag.kind == TAG_NOTE)
            continue;
        if (tag.kind == TAG_END)
            return say(x->c->arena, ERR_INTERNAL, "template \"%.*s\": {{/%.*s}} ends nothing", T(file), T(tag.name));
        if (tag.kind == TAG_SECTION || tag.kind == TAG_UNLESS)
            TRY(cut_section(x->c->arena, file, tag.name, &body, &inside));
        TRY(put_tag(x, file, &tag, inside, s));
    }
    x->depth--;
    return OK;
}

enum err template_render(struct ctx *c, const struct assets *files, text name, const struct json *model,
                         struct buf *out)
{
    struct run x = { .c = c, .files = files, .out = out };
    struct scope s = { model, NULL };
    TRY(put_partial(&x, name, &s));
    return buf_check(c->arena, out);
}

/* ---- The check. ---- */

/* Where in the HTML a tag stands. attribute, first: name and first character of the value it is in. */
enum place { IN_CONTENT, IN_TAG, IN_VALUE };
struct html {
    enum place place;
    text attribute;
    char first;
};
struct check {
    struct arena *a;
    const struct assets *files;
    text file;
    struct html html;
};

static enum err wrong(const struct check *k, const char *what, text where)
{
    return say(k->a, ERR_INTERNAL, "template \"%.*s\": %s: %.*s", T(k->file), what, T(text_upto(where, 60)));
}

static bool any_of(text s, const text *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_eq_nocase(list[i], s))
            return true;
    return false;
}
#define ONE_OF(s, list) any_of(s, list, sizeof(list) / sizeof *(list))

static bool address_like(text attribute)
{
    static const text addresses[] = { TEXT_INIT("href"),       TEXT_INIT("src"),        TEXT_INIT("action"),
                                      TEXT_INIT("formaction"), TEXT_INIT("xlink:href"), TEXT_INIT("poster"),
                                      TEXT_INIT("data") };
    return ONE_OF(attribute, addresses);
}

static text word_before(text s, size_t end)
{
    size_t start = end;
    while (start && s.p[start - 1] != ' ' && s.p[start - 1] != '\n' && s.p[start - 1] != '<')
        start--;
    return (text){ s.p + start, end - start };
}

static text name_at(text s)
{
    size_t n = 0;
    while (n < s.n &&
           ((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z') || (s.p[n] >= '0' && s.p[n] <= '9')))
        n++;
    return text_upto(s, n);
}

static enum err enter_value(struct check *k, text s, size_t *i)
{
    text name = word_before(s, *i);
    if (*i + 1 >= s.n || s.p[*i + 1] != '"')
        return wrong(k, "an attribute without double quotes", text_from(s, *i - name.n));
    if (text_starts(name, TEXT("on")) || text_eq(name, TEXT("style")))
        return wrong(k, "an attribute that the Content-Security-Policy refuses", name);
    k->html = (struct html){ IN_VALUE, name, *i + 2 < s.n ? s.p[*i + 2] : 0 };
    text target = text_from(s, *i + 2);
    if (address_like(name) && target.n && !memchr("/?#", target.p[0], 3) && !text_starts(target, TEXT("mailto:")))
        return wrong(k, "an address of another place", target);
    if (address_like(name) && text_starts(target, TEXT("//")))
        return wrong(k, "an address of another place", target);
    ++*i;
    return OK;
}

/* A script that is a file of this server, with nothing inside the page. */
static bool own_script(text rest)
{
    ptrdiff_t end = text_index(rest, '>');
    return text_starts(rest, TEXT("script src=\"/static/")) && end > 0 &&
           text_starts(text_from(rest, (size_t)end + 1), TEXT("</script>"));
}

static enum err enter_tag(struct check *k, text rest)
{
    static const text refused[] = { TEXT_INIT("script"), TEXT_INIT("style"), TEXT_INIT("iframe"),
                                    TEXT_INIT("object"), TEXT_INIT("embed"), TEXT_INIT("base") };
    text name = name_at(rest);
    if (ONE_OF(name, refused) && !own_script(rest))
        return wrong(k, "an element that pages do not have", name);
    k->html.place = IN_TAG;
    return OK;
}

static enum err check_literal(struct check *k, text s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (k->html.place == IN_CONTENT && ch == '<')
            TRY(enter_tag(k, text_from(s, i + 1)));
        else if (k->html.place == IN_TAG && ch == '>')
            k->html.place = IN_CONTENT;
        else if (k->html.place == IN_TAG && ch == '=')
            TRY(enter_value(k, s, &i));
        else if (k->html.place == IN_TAG && (ch == '"' || ch == '\''))
            return wrong(k, "a quote outside a value", text_from(s, i));
        else if (k->html.place == IN_VALUE && ch == '"')
            k->html.place = IN_TAG;
    }
    return OK;
}

static enum err check_place(const struct check *k, const struct tag *tag)
{
    bool value = k->html.place == IN_VALUE, content = k->html.place == IN_CONTENT,
         address = value && address_like(k->html.attribute);
    switch (tag->kind) {
    case TAG_VALUE:
    case TAG_WORD:
    case TAG_FORM:
        return content || (value && !address) ? OK : wrong(k, "a value where escaping does not protect", tag->name);
    case TAG_ADDRESS:
        return address && k->html.first
                   ? OK
                   : wrong(k, "an encoded value that does not follow the beginning of an address", tag->name);
    case TAG_TIME:
    case TAG_DAY:
    case TAG_PARTIAL:
        return content ? OK : wrong(k, "markup inside a tag", tag->name);
    case TAG_SECTION:
    case TAG_UNLESS:
        return !address || k->html.first ? OK : wrong(k, "an address that begins with a section", tag->name);
    case TAG_END:
    case TAG_NOTE:
        break;
    }
    return OK;
}

static enum err check_names(const struct check *k, const struct tag *tag)
{
    text file;
    if (tag->kind == TAG_PARTIAL)
        return find_file(k->a, k->files, tag->name, &file);
    if (tag->kind != TAG_WORD && tag->kind != TAG_FORM)
        return OK;
    bool there = tag->argument.p && tag->kind == TAG_WORD ? word_family(tag->name) : word_find(tag->name, TEXT("en")).p != NULL;
    return there ? OK : wrong(k, "no row of words.def has this key", tag->name);
}

static enum err check_body(struct check *k, text body, unsigned depth)
{
    if (depth == TEMPLATE_DEPTH)
        return wrong(k, "sections nested too deep", body);
    for (bool found = true; found;) {
        text before, inside;
        struct tag tag;
        TRY(next_tag(k->a, k->file, &body, &before, &tag, &found));
        TRY(check_literal(k, before));
        if (!found)
            break;
        TRY(check_place(k, &tag));
        TRY(check_names(k, &tag));
        if (tag.kind == TAG_END)
            return wrong(k, "ends nothing", tag.name);
        if (tag.kind != TAG_SECTION && tag.kind != TAG_UNLESS)
            continue;
        struct html start = k->html;
        TRY(cut_section(k->a, k->file, tag.name, &body, &inside));
        TRY(check_body(k, inside, depth + 1));
        if (k->html.place != start.place)
            return wrong(k, "a section begins and ends in different places", tag.name);
    }
    return OK;
}

enum err template_check(struct arena *a, const struct assets *files, text name)
{
    struct check k = { .a = a, .files = files, .file = name };
    text body;
    TRY(find_file(a, files, name, &body));
    TRY(check_body(&k, body, 0));
    return k.html.place == IN_CONTENT ? OK : wrong(&k, "ends inside a tag", name);
}
