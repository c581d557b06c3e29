/* Blocks: events of one person, category and day written together. */
#include "domain/core/block.h"
#include "policy/policy.h"
#include <stdlib.h>

/* FORM count {length name}* {length item id rest}*; numbers have seven bits a byte, the smallest first (LEB128), signed
 * ones folded: 0 -1 1 -2 …. rest: at, took, number of the source, count of fields; each field: number of its name · 8
 * + kind, then its value. */
enum { FORM = 1 };
enum value_kind { VALUE_TEXT, VALUE_INT, VALUE_NUMBER, VALUE_TRUE, VALUE_FALSE, VALUE_JSON, VALUE_AT };

bool block_holds(const struct category *cat)
{
    return cat->many && !cat->transient && (text_eq(cat->stream, TEXT("usage")) || text_eq(cat->stream, TEXT("logs")));
}

/* ---- Numbers and texts. ---- */

static void put_number(struct buf *b, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        buf_char(b, (char)(n | 0x80));
    buf_char(b, (char)n);
}

static void put_signed(struct buf *b, int64_t n) { put_number(b, n < 0 ? ~((uint64_t)n << 1) : (uint64_t)n << 1); }

static void put_text(struct buf *b, text s)
{
    put_number(b, s.n);
    buf_add(b, s);
}

struct cursor {
    text rest;
    bool bad;
};

static uint64_t get_number(struct cursor *c)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64 && c->rest.n; shift += 7) {
        uint8_t byte = (uint8_t)c->rest.p[0];
        c->rest = text_from(c->rest, 1);
        n |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return n;
    }
    c->bad = true;
    return 0;
}

static int64_t get_signed(struct cursor *c)
{
    uint64_t n = get_number(c);
    return (int64_t)(n >> 1 ^ (0 - (n & 1)));
}

static text get_text(struct cursor *c)
{
    uint64_t n = get_number(c);
    if (n > c->rest.n) {
        c->bad = true;
        return (text){ NULL, 0 };
    }
    text s = text_upto(c->rest, (size_t)n);
    c->rest = text_from(c->rest, (size_t)n);
    return s;
}

/* ---- A whole block. ---- */

static enum err wider(struct arena *a, void **list, unsigned count, unsigned *room, size_t size)
{
    if (count < *room)
        return OK;
    unsigned more = *room ? *room * 2 : 16;
    void *old = *list;
    *list = arena_array(a, more, size);
    TRY_PTR(*list);
    if (old)
        memcpy(*list, old, count * size);
    *room = more;
    return OK;
}

static enum err add_name(struct arena *a, struct block *b, text name)
{
    TRY(wider(a, (void **)&b->names, b->name_count, &b->name_room, sizeof *b->names));
    b->names[b->name_count++] = name;
    return OK;
}

static enum err add_frame(struct arena *a, struct block *b, text bytes)
{
    struct cursor c = { .rest = bytes };
    TRY(wider(a, (void **)&b->frames, b->count, &b->room, sizeof *b->frames));
    struct block_frame *f = &b->frames[b->count++];
    f->item = get_signed(&c);
    f->id = (uint32_t)get_number(&c);
    f->at = f->item / 1000 + get_signed(&c);
    f->took = f->at + get_signed(&c);
    f->bytes = bytes;
    return c.bad ? ERR_INTEGRITY : OK;
}

enum err block_read(struct arena *a, text clear, struct block *out)
{
    struct cursor c = { .rest = text_from(clear, 1) };
    *out = (struct block){ 0 };
    if (!clear.n)
        return OK;
    c.bad = clear.p[0] != FORM;
    for (uint64_t names = get_number(&c); names && !c.bad; names--)
        TRY(add_name(a, out, get_text(&c)));
    enum err status = OK;
    while (c.rest.n && !c.bad && status == OK) {
        text bytes = get_text(&c);
        if (!c.bad)
            status = add_frame(a, out, bytes);
    }
    return c.bad || status == ERR_INTEGRITY ? say(a, ERR_INTEGRITY, "a block of events cannot be read") : status;
}

bool block_has(const struct block *b, int64_t item, uint32_t id)
{
    for (unsigned i = b->count; i-- > 0;)
        if (b->frames[i].item == item && b->frames[i].id == id)
            return true;
    return false;
}

static int by_item(const void *a, const void *b)
{
    const struct block_frame *x = a, *y = b;
    if (x->item != y->item)
        return x->item < y->item ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

void block_sort(struct block *b)
{
    for (unsigned i = 1; i < b->count; i++)
        if (b->frames[i].item < b->frames[i - 1].item) {
            qsort(b->frames, b->count, sizeof *b->frames, by_item);
            return;
        }
}

static size_t size_of_number(uint64_t n)
{
    size_t size = 1;
    for (; n >= 0x80; n >>= 7)
        size++;
    return size;
}

size_t block_head_size(const struct block *b)
{
    size_t size = 1 + size_of_number(b->name_count);
    for (unsigned i = 0; i < b->name_count; i++)
        size += size_of_number(b->names[i].n) + b->names[i].n;
    return size;
}

size_t block_frame_size(const struct block_frame *f) { return size_of_number(f->bytes.n) + f->bytes.n; }

enum err block_write(struct arena *a, const struct block *b, unsigned from, unsigned count, text *out)
{
    BUF_AUTO bytes = buf_make(BUF_DEFAULT_LIMIT);
    buf_char(&bytes, FORM);
    put_number(&bytes, b->name_count);
    for (unsigned i = 0; i < b->name_count; i++)
        put_text(&bytes, b->names[i]);
    for (unsigned i = from; i < from + count; i++)
        put_text(&bytes, b->frames[i].bytes);
    return buf_take(a, &bytes, out);
}

/* ---- One event. ---- */

static enum err name_number(struct arena *a, struct block *b, text name, uint64_t *out)
{
    for (*out = 0; *out < b->name_count; ++*out)
        if (text_eq(b->names[*out], name))
            return OK;
    return add_name(a, b, name);
}

static void put_value(struct buf *b, uint64_t name, const struct json *v, const char *at)
{
    int64_t n;
    char print[24];
    bool whole = v->kind == J_NUMBER && text_int(v->value, &n);
    if (whole)
        snprintf(print, sizeof print, "%lld", (long long)n);
    if (whole && text_eq(v->value, text_of(print))) {
        put_number(b, name * 8 + VALUE_INT);
        put_signed(b, n);
    } else if (v->kind == J_NUMBER) {
        put_number(b, name * 8 + VALUE_NUMBER);
        put_text(b, v->value);
    } else if (v->kind == J_BOOL)
        put_number(b, name * 8 + (v->truth ? VALUE_TRUE : VALUE_FALSE));
    else if (v->kind == J_TEXT && text_eq(v->value, text_of(at)))
        put_number(b, name * 8 + VALUE_AT);
    else if (v->kind == J_TEXT) {
        put_number(b, name * 8 + VALUE_TEXT);
        put_text(b, v->value);
    } else {
        BUF_AUTO json = buf_make(BUF_DEFAULT_LIMIT);
        struct json_out w = json_out(&json);
        json_put(&w, v);
        put_number(b, name * 8 + VALUE_JSON);
        put_text(b, buf_for(b, &json));
    }
}

enum err block_add(struct arena *a, struct block *b, const struct block_event *e)
{
    BUF_AUTO bytes = buf_make(BUF_DEFAULT_LIMIT);
    uint64_t number, count = 0;
    char at[TIME_TEXT + 1];
    text taken;
    JSON_EACH(v, e->fields)
        count += v->kind != J_NULL;
    TRY(name_number(a, b, e->source, &number));
    time_text(e->at, at);
    put_signed(&bytes, e->item);
    put_number(&bytes, e->id);
    put_signed(&bytes, e->at - e->item / 1000);
    put_signed(&bytes, e->took - e->at);
    put_number(&bytes, number);
    put_number(&bytes, count);
    JSON_EACH(v, e->fields) {
        if (v->kind == J_NULL)
            continue;
        TRY(name_number(a, b, v->key, &number));
        put_value(&bytes, number, v, at);
    }
    TRY(buf_take(a, &bytes, &taken));
    return add_frame(a, b, taken);
}

static text name_at(const struct block *b, struct cursor *c, uint64_t number)
{
    if (number < b->name_count)
        return b->names[number];
    c->bad = true;
    return TEXT("");
}

static enum err get_value(struct arena *a, struct cursor *c, unsigned kind, text at, struct json *out)
{
    const struct json *parsed;
    *out = (struct json){ .kind = J_TEXT };
    switch (kind) {
    case VALUE_TEXT:
        out->value = get_text(c);
        return OK;
    case VALUE_AT:
        out->value = at;
        return OK;
    case VALUE_NUMBER:
        *out = (struct json){ .kind = J_NUMBER, .value = get_text(c) };
        return OK;
    case VALUE_INT:
        *out = (struct json){ .kind = J_NUMBER, .value = arena_print(a, "%lld", (long long)get_signed(c)) };
        return out->value.p ? OK : ERR_MEMORY;
    case VALUE_TRUE:
    case VALUE_FALSE:
        *out = (struct json){ .kind = J_BOOL, .truth = kind == VALUE_TRUE };
        return OK;
    case VALUE_JSON:
        TRY(json_parse(a, get_text(c), &parsed));
        *out = *parsed;
        return OK;
    default:
        c->bad = true;
        return OK;
    }
}

/* Texts that many values share, and one field: [value, source, took]. */
struct shared {
    text at, source, took;
};

static enum err get_field(struct arena *a, const struct block *b, struct cursor *c, const struct shared *s,
                          struct json *out)
{
    struct json *parts = NEW_ARRAY(a, struct json, 3);
    uint64_t head = get_number(c);
    TRY_PTR(parts);
    TRY(get_value(a, c, head & 7, s->at, &parts[0]));
    parts[1] = (struct json){ .kind = J_TEXT, .value = s->source };
    parts[2] = (struct json){ .kind = J_NUMBER, .value = s->took };
    parts[0].next = &parts[1];
    parts[1].next = &parts[2];
    *out = (struct json){ .kind = J_ARRAY, .count = 3, .key = name_at(b, c, head / 8), .first = parts };
    return OK;
}

static enum err get_event(struct arena *a, const struct block *b, struct cursor *c, struct block_event *out)
{
    char at[TIME_TEXT + 1];
    struct json *object = NEW(a, struct json);
    out->item = get_signed(c);
    out->id = (uint32_t)get_number(c);
    out->at = out->item / 1000 + get_signed(c);
    out->took = out->at + get_signed(c);
    out->source = name_at(b, c, get_number(c));
    uint64_t count = get_number(c);
    if (count > c->rest.n)
        c->bad = true;
    if (c->bad)
        return OK;
    struct json *fields = NEW_ARRAY(a, struct json, count + 1);
    const struct shared s = { arena_copy(a, time_text(out->at, at)), out->source,
                              arena_print(a, "%lld", (long long)out->took) };
    TRY_PTR(object);
    TRY_PTR(fields);
    TRY_PTR(s.at.p);
    TRY_PTR(s.took.p);
    for (uint64_t i = 0; i < count && !c->bad; i++) {
        TRY(get_field(a, b, c, &s, &fields[i]));
        if (i)
            fields[i - 1].next = &fields[i];
    }
    *object = (struct json){ .kind = J_OBJECT, .count = (uint32_t)count, .first = count ? fields : NULL };
    out->fields = object;
    return OK;
}

enum err block_event(struct arena *a, const struct block *b, unsigned i, struct block_event *out)
{
    struct cursor c = { .rest = b->frames[i].bytes };
    TRY(get_event(a, b, &c, out));
    return c.bad || c.rest.n ? say(a, ERR_INTEGRITY, "an event of a block cannot be read") : OK;
}

/* ---- At a glance. ---- */

uint8_t *block_wanted(struct arena *a, const struct block *b, const text *names, unsigned count)
{
    uint8_t *wanted = arena_alloc(a, b->name_count + 1);
    for (unsigned i = 0; wanted && i < b->name_count; i++) {
        unsigned k = 0;
        while (k < count && !(names[k].n && text_eq(names[k], b->names[i])))
            k++;
        wanted[i] = (uint8_t)k;
    }
    return wanted;
}

/* False for what only block_event() reads. */
static bool glance_value(struct cursor *c, unsigned kind, bool wanted, int64_t *number, text *value)
{
    switch (kind) {
    case VALUE_TEXT:
        *value = get_text(c);
        return true;
    case VALUE_INT:
        *number = get_signed(c);
        return true;
    case VALUE_NUMBER:
    case VALUE_JSON:
        get_text(c);
        return !wanted;
    case VALUE_TRUE:
    case VALUE_FALSE:
    case VALUE_AT:
        return !wanted;
    default:
        return false;
    }
}

bool block_glance(const struct block *b, unsigned i, const uint8_t *wanted, unsigned count, struct block_glance *out)
{
    struct cursor c = { .rest = b->frames[i].bytes };
    *out = (struct block_glance){ .at = b->frames[i].at };
    for (unsigned skipped = 0; skipped < 5;
         skipped++) /* item, id, at, took, source: the frame has what of them counts */
        get_number(&c);
    for (uint64_t left = get_number(&c); left && !c.bad; left--) {
        uint64_t head = get_number(&c), name = head / 8;
        if (name >= b->name_count)
            return false;
        unsigned of = wanted[name];
        int64_t number = 0;
        text value = TEXT("");
        if (!glance_value(&c, head & 7, of < count, &number, &value))
            return false;
        if (of >= count)
            continue;
        out->of[of].whole = (head & 7) == VALUE_INT;
        out->of[of].number = number;
        out->of[of].value = value;
    }
    return !c.bad;
}
