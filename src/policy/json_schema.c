/* The JSON Schema of the policy file, from the rows that also check it: editors complete and explain keys by it. */
#include "schema.h"
#include "base/json.h"

struct writer {
    struct json_out out;
    struct schema schema;
};

static bool has_targets(const struct schema_row *row) { return text_index(row->words, '@') >= 0; }

/* What stands in YAML without quotes as a number or a truth is one in JSON Schema too. */
static void put_word(struct json_out *w, text word)
{
    int64_t number;
    if (text_eq(word, TEXT("true")) || text_eq(word, TEXT("false")))
        json_put_bool(w, text_eq(word, TEXT("true")));
    else if (text_int(word, &number))
        json_put_int(w, number);
    else
        json_put_text(w, word);
}

static void put_enum(struct json_out *w, text words)
{
    json_name(w, TEXT("enum"));
    json_open(w, '[');
    for (text rest = words; rest.p;) {
        text word = word_next(&rest);
        if (word.n)
            put_word(w, word);
    }
    json_close(w, ']');
}

static void put_value(struct writer *w, unsigned row);

static void put_children(struct writer *w, unsigned row)
{
    const struct schema *s = &w->schema;
    struct json_out *out = &w->out;
    json_pair(out, TEXT("type"), TEXT("object"));
    json_name(out, TEXT("properties"));
    json_open(out, '{');
    for (unsigned i = s->first[row]; i < s->count; i = s->next[i]) {
        json_name(out, schema_key(&s->rows[i]));
        put_value(w, i);
    }
    json_close(out, '}');
    json_name(out, TEXT("required"));
    json_open(out, '[');
    for (unsigned i = s->first[row]; i < s->count; i = s->next[i])
        if (s->rows[i].need != NEED_MAY)
            json_put_text(out, schema_key(&s->rows[i]));
    json_close(out, ']');
    json_pair_bool(out, TEXT("additionalProperties"), false);
}

static void put_names(struct writer *w, unsigned row)
{
    const struct schema_row *r = &w->schema.rows[row];
    static const text patterns[] = { [KIND_NAMES] = TEXT_INIT("^[a-z][a-z0-9_-]*$"),
                                     [KIND_DOTTED] = TEXT_INIT("^[a-z][a-z0-9_.-]*$"),
                                     [KIND_CHOSEN] = TEXT_INIT("^.+$"),
                                     [KIND_IDS] = TEXT_INIT("^[A-Za-z][A-Za-z0-9-]*$") };
    struct json_out *out = &w->out;
    json_pair(out, TEXT("type"), TEXT("object"));
    json_name(out, TEXT("propertyNames"));
    json_open(out, '{');
    json_pair(out, TEXT("pattern"), patterns[r->kind]);
    json_close(out, '}');
    json_name(out, TEXT("additionalProperties"));
    put_value(w, w->schema.first[row]);
}

/* The members that describe one value of the row, its alternative words left aside. */
static void put_one(struct writer *w, unsigned row)
{
    const struct schema_row *r = &w->schema.rows[row];
    struct json_out *out = &w->out;
    const struct kind_row *kind = kind_row(r->kind);
    if (kind->shape == SHAPE_MAP)
        put_children(w, row);
    else if (kind->shape == SHAPE_NAMES)
        put_names(w, row);
    else if (kind->json.n)
        json_put_raw(out, kind->json);
    else if (has_targets(r))
        json_put_raw(out, TEXT("\"type\":\"string\",\"minLength\":1"));
    else
        put_enum(out, r->words);
}

static void put_one_or_list(struct writer *w, unsigned row)
{
    struct json_out *out = &w->out;
    json_name(out, TEXT("anyOf"));
    json_open(out, '[');
    json_open(out, '{');
    put_one(w, row);
    json_close(out, '}');
    json_open(out, '{');
    json_pair(out, TEXT("type"), TEXT("array"));
    json_name(out, TEXT("items"));
    json_open(out, '{');
    put_one(w, row);
    json_close(out, '}');
    json_close(out, '}');
    json_close(out, ']');
}

static void put_one_or_words(struct writer *w, unsigned row)
{
    struct json_out *out = &w->out;
    json_name(out, TEXT("anyOf"));
    json_open(out, '[');
    json_open(out, '{');
    put_enum(out, w->schema.rows[row].words);
    json_close(out, '}');
    json_open(out, '{');
    put_one(w, row);
    json_close(out, '}');
    json_close(out, ']');
}

static void put_value(struct writer *w, unsigned row)
{
    const struct schema_row *r = &w->schema.rows[row];
    bool word_kind = r->kind == KIND_WORD || r->kind == KIND_WORDS;
    json_open(&w->out, '{');
    json_pair(&w->out, TEXT("description"), r->en);
    json_pair(&w->out, TEXT("x-description-fr"), r->fr);
    if (kind_row(r->kind)->shape == SHAPE_MANY || r->kind == KIND_SAYINGS)
        put_one_or_list(w, row);
    else if (r->words.n && !word_kind && !has_targets(r))
        put_one_or_words(w, row);
    else
        put_one(w, row);
    json_close(&w->out, '}');
}

static void put_codes(struct json_out *out, text name, bool areas)
{
    json_name(out, name);
    json_open(out, '{');
    json_name(out, TEXT("enum"));
    json_open(out, '[');
    if (areas) {
        json_put_text(out, TEXT("EU"));
        json_put_text(out, TEXT("EEA"));
    }
    for (unsigned i = 0; country_at(i); i++)
        json_put_text(out, country_at(i)->code);
    json_close(out, ']');
    json_close(out, '}');
}

static void put_definitions(struct json_out *out)
{
    json_name(out, TEXT("$defs"));
    json_open(out, '{');
    json_name(out, TEXT("said"));
    json_put_raw(
        out,
        TEXT(
            "{\"anyOf\":[{\"type\":\"string\",\"minLength\":1},{\"type\":\"object\",\"minProperties\":1,"
            "\"propertyNames\":{\"pattern\":\"^[a-z]{2}$\"},\"additionalProperties\":{\"type\":\"string\",\"minLength\":1}}]}"));
    put_codes(out, TEXT("country"), false);
    put_codes(out, TEXT("area"), true);
    json_close(out, '}');
}

/* A line a member, so that a change of the rows shows as such; lists of words stay on their line. */
static void put_indented(struct buf *out, text json)
{
    unsigned depth = 0, inside_list = 0;
    bool quoted = false;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i], next = i + 1 < json.n ? json.p[i + 1] : '\n';
        bool flat = (c == '[' && next != '{') || inside_list;
        if (quoted || c == '"') {
            buf_char(out, c);
            if (c == '\\')
                buf_char(out, json.p[++i]);
            quoted = c == '"' ? !quoted : quoted;
            continue;
        }
        bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
        if (closes && !flat)
            buf_print(out, "\n%*s", (int)(2 * --depth), "");
        buf_char(out, c);
        inside_list += c == '[' && flat;
        inside_list -= c == ']' && flat;
        if (c == ':' || (c == ',' && flat))
            buf_char(out, ' ');
        else if (!flat && (opens || c == ','))
            buf_print(out, "\n%*s", (int)(2 * (depth += opens)), "");
    }
    buf_char(out, '\n');
}

void policy_json_schema(struct buf *out)
{
    ARENA_AUTO a = arena_make(1 << 16);
    BUF_AUTO compact = buf_make(1 << 20);
    struct writer w = { .out = json_out(&compact) };
    if (schema_make(&a, &w.schema) != OK) {
        buf_fail(out);
        return;
    }
    json_open(&w.out, '{');
    json_pair(&w.out, TEXT("$schema"), TEXT("https://json-schema.org/draft/2020-12/schema"));
    json_pair(&w.out, TEXT("title"), TEXT("Garant policy"));
    put_children(&w, w.schema.count);
    put_definitions(&w.out);
    json_close(&w.out, '}');
    put_indented(out, buf_for(out, &compact));
}
