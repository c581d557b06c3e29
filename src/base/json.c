/* JSON: jansson's strict parser copied into the arena, and the writer.
 * jansson rather than json-c because it can refuse duplicate names (JSON_REJECT_DUPLICATES). */
#include "json.h"
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>

/* What the library held of a request does not stay in memory that is free. */
static void wipe_and_free(void *p)
{
    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

/* The library tells a text that it had no memory for as one that is malformed. */
static _Thread_local bool lacked;

static void *watched(size_t n)
{
    void *p = malloc(n);
    lacked = lacked || !p;
    return p;
}

__attribute__((constructor)) static void use_wiping_memory(void) { json_set_alloc_funcs(watched, wipe_and_free); }

static void decref(json_t **value) { json_decref(*value); }

static struct json *convert(struct arena *a, json_t *in);

static struct json *append(struct json *parent, struct json **last, struct json *child)
{
    if (*last)
        (*last)->next = child;
    else
        parent->first = child;
    parent->count++;
    return *last = child;
}

static bool convert_children(struct arena *a, json_t *in, struct json *out)
{
    struct json *last = NULL, *child;
    const char *key;
    size_t index, key_size;
    json_t *item;
    if (json_is_array(in)) {
        json_array_foreach(in, index, item) {
            if (!(child = convert(a, item)))
                return false;
            append(out, &last, child);
        }
        return true;
    }
    json_object_keylen_foreach(in, key, key_size, item) {
        if (!(child = convert(a, item)))
            return false;
        append(out, &last, child)->key = arena_copy(a, (text){ key, key_size });
        if (!child->key.p)
            return false;
    }
    return true;
}

/* The fewest digits that read as the same number: 0.1 stays 0.1. */
static text shortest(struct arena *a, double value)
{
    char out[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, sizeof out, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    return arena_copy(a, text_of(out));
}

static struct json *convert(struct arena *a, json_t *in)
{
    struct json *out = NEW(a, struct json);
    if (!out)
        return NULL;
    switch (json_typeof(in)) {
    case JSON_STRING:
        out->kind = J_TEXT;
        out->value = arena_copy(a, (text){ json_string_value(in), json_string_length(in) });
        break;
    case JSON_INTEGER:
        out->kind = J_NUMBER;
        out->value = arena_print(a, "%" JSON_INTEGER_FORMAT, json_integer_value(in));
        break;
    case JSON_REAL:
        out->kind = J_NUMBER;
        out->value = shortest(a, json_real_value(in) + 0.0); /* -0.0 becomes 0, as -0 does */
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        out->kind = J_BOOL;
        out->truth = json_is_true(in);
        break;
    case JSON_NULL:
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        out->kind = json_is_array(in) ? J_ARRAY : J_OBJECT;
        return convert_children(a, in, out) ? out : NULL;
    }
    bool scalar_failed = (out->kind == J_TEXT || out->kind == J_NUMBER) && !out->value.p;
    return scalar_failed ? NULL : out;
}

/* The library recurses up to 2,048 levels, which a fiber's stack does not hold: deeper text is refused before it. */
static bool too_deep(text in)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"')
            quoted = true;
        else if ((c == '{' || c == '[') && ++depth > JSON_DEPTH_MAX)
            return true;
        else if (c == '}' || c == ']')
            depth--;
    }
    return false;
}

static const char *fault_of(enum json_error_code code)
{
    if (code == json_error_duplicate_key)
        return "a name stands twice in one object";
    return code == json_error_numeric_overflow ? "a number is larger than can be kept" : "the JSON is malformed";
}

enum err json_parse(struct arena *a, text in, const struct json **out)
{
    json_error_t error;
    if (too_deep(in))
        return say(a, ERR_JSON, "the JSON is nested more than %d levels deep", JSON_DEPTH_MAX);
    lacked = false;
    CLEANUP(decref) json_t *root = json_loadb(in.p ? in.p : "", in.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!root && lacked)
        return arena_lacked(a);
    if (!root) /* the library's text quotes the input, which may be personal: only the place is told */
        return say(a, ERR_JSON, "%s at line %d, column %d", fault_of(json_error_code(&error)), error.line,
                   error.column);
    *out = convert(a, root);
    return *out ? OK : a->why.code;
}

enum err json_parse_buf(struct arena *a, const struct buf *in, const struct json **out)
{
    text built;
    TRY(buf_lend(a, in, &built));
    return json_parse(a, built, out);
}

const struct json *json_get(const struct json *object, text key)
{
    if (!object || object->kind != J_OBJECT)
        return NULL;
    JSON_EACH(member, object)
        if (text_eq(member->key, key))
            return member;
    return NULL;
}

text json_text(const struct json *object, text key)
{
    const struct json *member = json_get(object, key);
    return member && member->kind == J_TEXT ? member->value : (text){ NULL, 0 };
}

bool json_int(const struct json *number, int64_t *out)
{
    return number && number->kind == J_NUMBER && text_int(number->value, out);
}

struct json_out json_out(struct buf *b) { return (struct json_out){ .b = b }; }

static void before(struct json_out *w)
{
    if (w->comma)
        buf_char(w->b, ',');
    w->comma = true;
}

static void quote(struct buf *b, text s)
{
    buf_char(b, '"');
    size_t start = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != '<')
            continue;
        buf_add(b, (text){ s.p + start, i - start });
        if (c == '"' || c == '\\')
            buf_add(b, (text){ (char[]){ '\\', (char)c }, 2 });
        else if (c == '\n')
            buf_add(b, TEXT("\\n"));
        else /* '<' too, so that JSON may stand inside a script element */
            buf_print(b, "\\u%04x", c);
        start = i + 1;
    }
    buf_add(b, text_from(s, start));
    buf_char(b, '"');
}

void json_name(struct json_out *w, text name)
{
    before(w);
    quote(w->b, name);
    buf_char(w->b, ':');
    w->comma = false;
}

void json_open(struct json_out *w, char bracket)
{
    before(w);
    buf_char(w->b, bracket);
    w->comma = false;
}

void json_close(struct json_out *w, char bracket)
{
    buf_char(w->b, bracket);
    w->comma = true;
}

void json_put_text(struct json_out *w, text s)
{
    if (!s.p) {
        json_put_null(w);
        return;
    }
    before(w);
    quote(w->b, s);
}

void json_put_int(struct json_out *w, int64_t value)
{
    before(w);
    buf_int(w->b, value);
}

void json_put_bool(struct json_out *w, bool value) { json_put_raw(w, value ? TEXT("true") : TEXT("false")); }

void json_put_null(struct json_out *w) { json_put_raw(w, TEXT("null")); }

void json_put_hex(struct json_out *w, text bytes)
{
    before(w);
    buf_char(w->b, '"');
    buf_hex(w->b, bytes);
    buf_char(w->b, '"');
}

void json_put_raw(struct json_out *w, text json)
{
    before(w);
    buf_add(w->b, json);
}

void json_put_raw_of(struct json_out *w, const struct buf *b)
{
    before(w);
    buf_join(w->b, b);
}

void json_put_text_of(struct json_out *w, const struct buf *b)
{
    before(w);
    quote(w->b, buf_for(w->b, b));
}

void json_put(struct json_out *w, const struct json *value)
{
    if (!value) {
        json_put_null(w);
        return;
    }
    switch (value->kind) {
    case J_NULL:
        json_put_null(w);
        break;
    case J_BOOL:
        json_put_bool(w, value->truth);
        break;
    case J_NUMBER:
        json_put_raw(w, value->value);
        break;
    case J_TEXT:
        json_put_text(w, value->value);
        break;
    case J_ARRAY:
    case J_OBJECT: {
        bool object = value->kind == J_OBJECT;
        json_open(w, object ? '{' : '[');
        JSON_EACH(child, value) {
            if (object)
                json_name(w, child->key);
            json_put(w, child);
        }
        json_close(w, object ? '}' : ']');
    }
    }
}

void json_pair(struct json_out *w, text name, text value)
{
    json_name(w, name);
    json_put_text(w, value);
}

void json_pair_int(struct json_out *w, text name, int64_t value)
{
    json_name(w, name);
    json_put_int(w, value);
}

void json_pair_bool(struct json_out *w, text name, bool value)
{
    json_name(w, name);
    json_put_bool(w, value);
}
