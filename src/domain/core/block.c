/* Blocks: events of one person, category and day written together. */
#include "domain/core/block.h"
#include "policy/policy.h"
#include "store/store.h"
#include <stdlib.h>

/* FORM count {length name}* {length item id rest}*, as pack_number() writes numbers. rest: at, took, number of the
 * source, count of fields; each field: number of its name · 8
 * + kind, then its value. */
enum { FORM = 1 };
enum value_kind { VALUE_TEXT, VALUE_INT, VALUE_NUMBER, VALUE_TRUE, VALUE_FALSE, VALUE_JSON, VALUE_AT };

bool block_holds(const struct category *cat)
{
    return cat->many && !cat->transient && (text_eq(cat->stream, TEXT("usage")) || text_eq(cat->stream, TEXT("logs")));
}

/* ---- Numbers and texts. ---- */

void pack_number(struct buf *b, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        buf_char(b, (char)(n | 0x80));
    buf_char(b, (char)n);
}

void pack_signed(struct buf *b, int64_t n) { pack_number(b, n < 0 ? ~((uint64_t)n << 1) : (uint64_t)n << 1); }

void pack_text(struct buf *b, text s)
{
    pack_number(b, s.n);
    buf_add(b, s);
}

uint64_t unpack_number(struct unpack *c)
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

int64_t unpack_signed(struct unpack *c)
{
    uint64_t n = unpack_number(c);
    return (int64_t)(n >> 1 ^ (0 - (n & 1)));
}

text unpack_text(struct unpack *c)
{
    uint64_t n = unpack_number(c);
    if (n > c->rest.n) {
        c->bad = true;
        return (text){ NULL, 0 };
    }
    text s = text_upto(c->rest, (size_t)n);
    c->rest = text_from(c->rest, (size_t)n);
    return s;
}

/* ---- A whole block. ---- */

static enum err add_name(struct arena *a, struct block *b, text name)
{
    TRY(arena_wider(a, (void **)&b->names, b->name_count, &b->name_room, sizeof *b->names));
    b->names[b->name_count++] = name;
    return OK;
}

static enum err add_frame(struct arena *a, struct block *b, text bytes)
{
    struct unpack c = { .rest = bytes };
    TRY(arena_wider(a, (void **)&b->frames, b->count, &b->room, sizeof *b->frames));
    struct block_frame *f = &b->frames[b->count++];
    f->item = unpack_signed(&c);
    f->id = (uint32_t)unpack_number(&c);
    f->at = f->item / 1000 + unpack_signed(&c);
    f->took = f->at + unpack_signed(&c);
    f->bytes = bytes;
    return c.bad ? ERR_INTEGRITY : OK;
}

enum err block_read(struct arena *a, text clear, struct block *out)
{
    struct unpack c = { .rest = text_from(clear, 1) };
    *out = (struct block){ 0 };
    if (!clear.n)
        return OK;
    c.bad = clear.p[0] != FORM;
    for (uint64_t names = unpack_number(&c); names && !c.bad; names--)
        TRY(add_name(a, out, unpack_text(&c)));
    enum err status = OK;
    while (c.rest.n && !c.bad && status == OK) {
        text bytes = unpack_text(&c);
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
    pack_number(&bytes, b->name_count);
    for (unsigned i = 0; i < b->name_count; i++)
        pack_text(&bytes, b->names[i]);
    for (unsigned i = from; i < from + count; i++)
        pack_text(&bytes, b->frames[i].bytes);
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
        pack_number(b, name * 8 + VALUE_INT);
        pack_signed(b, n);
    } else if (v->kind == J_NUMBER) {
        pack_number(b, name * 8 + VALUE_NUMBER);
        pack_text(b, v->value);
    } else if (v->kind == J_BOOL)
        pack_number(b, name * 8 + (v->truth ? VALUE_TRUE : VALUE_FALSE));
    else if (v->kind == J_TEXT && text_eq(v->value, text_of(at)))
        pack_number(b, name * 8 + VALUE_AT);
    else if (v->kind == J_TEXT) {
        pack_number(b, name * 8 + VALUE_TEXT);
        pack_text(b, v->value);
    } else {
        BUF_AUTO json = buf_make(BUF_DEFAULT_LIMIT);
        struct json_out w = json_out(&json);
        json_put(&w, v);
        pack_number(b, name * 8 + VALUE_JSON);
        pack_text(b, buf_for(b, &json));
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
    pack_signed(&bytes, e->item);
    pack_number(&bytes, e->id);
    pack_signed(&bytes, e->at - e->item / 1000);
    pack_signed(&bytes, e->took - e->at);
    pack_number(&bytes, number);
    pack_number(&bytes, count);
    JSON_EACH(v, e->fields) {
        if (v->kind == J_NULL)
            continue;
        TRY(name_number(a, b, v->key, &number));
        put_value(&bytes, number, v, at);
    }
    TRY(buf_take(a, &bytes, &taken));
    return add_frame(a, b, taken);
}

static text name_at(const struct block *b, struct unpack *c, uint64_t number)
{
    if (number < b->name_count)
        return b->names[number];
    c->bad = true;
    return TEXT("");
}

static enum err get_value(struct arena *a, struct unpack *c, unsigned kind, text at, struct json *out)
{
    const struct json *parsed;
    *out = (struct json){ .kind = J_TEXT };
    switch (kind) {
    case VALUE_TEXT:
        out->value = unpack_text(c);
        return OK;
    case VALUE_AT:
        out->value = at;
        return OK;
    case VALUE_NUMBER:
        *out = (struct json){ .kind = J_NUMBER, .value = unpack_text(c) };
        return OK;
    case VALUE_INT:
        *out = (struct json){ .kind = J_NUMBER, .value = arena_print(a, "%lld", (long long)unpack_signed(c)) };
        return out->value.p ? OK : ERR_MEMORY;
    case VALUE_TRUE:
    case VALUE_FALSE:
        *out = (struct json){ .kind = J_BOOL, .truth = kind == VALUE_TRUE };
        return OK;
    case VALUE_JSON:
        TRY(json_parse(a, unpack_text(c), &parsed));
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

static enum err get_field(struct arena *a, const struct block *b, struct unpack *c, const struct shared *s,
                          struct json *out)
{
    struct json *parts = NEW_ARRAY(a, struct json, 3);
    uint64_t head = unpack_number(c);
    TRY_PTR(parts);
    TRY(get_value(a, c, head & 7, s->at, &parts[0]));
    parts[1] = (struct json){ .kind = J_TEXT, .value = s->source };
    parts[2] = (struct json){ .kind = J_NUMBER, .value = s->took };
    parts[0].next = &parts[1];
    parts[1].next = &parts[2];
    *out = (struct json){ .kind = J_ARRAY, .count = 3, .key = name_at(b, c, head / 8), .first = parts };
    return OK;
}

static enum err get_event(struct arena *a, const struct block *b, struct unpack *c, struct block_event *out)
{
    char at[TIME_TEXT + 1];
    struct json *object = NEW(a, struct json);
    out->item = unpack_signed(c);
    out->id = (uint32_t)unpack_number(c);
    out->at = out->item / 1000 + unpack_signed(c);
    out->took = out->at + unpack_signed(c);
    out->source = name_at(b, c, unpack_number(c));
    uint64_t count = unpack_number(c);
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
    struct unpack c = { .rest = b->frames[i].bytes };
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
static bool glance_value(struct unpack *c, unsigned kind, bool wanted, int64_t *number, text *value)
{
    switch (kind) {
    case VALUE_TEXT:
        *value = unpack_text(c);
        return true;
    case VALUE_INT:
        *number = unpack_signed(c);
        return true;
    case VALUE_NUMBER:
    case VALUE_JSON:
        unpack_text(c);
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
    struct unpack c = { .rest = b->frames[i].bytes };
    *out = (struct block_glance){ .at = b->frames[i].at };
    for (unsigned skipped = 0; skipped < 5;
         skipped++) /* item, id, at, took, source: the frame has what of them counts */
        unpack_number(&c);
    for (uint64_t left = unpack_number(&c); left && !c.bad; left--) {
        uint64_t head = unpack_number(&c), name = head / 8;
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

/* ---- What was summed. ---- */

enum err block_forget_sums(struct db *db, text tenant, struct subject_id subject, text category, msec at)
{
    if (at < 0)
        return db_run(db, SQL_USAGE_MONTHS_DROP, NULL, ARGS(V_TEXT(tenant), V_ID(subject), V_TEXT(category)));
    return db_run(db, SQL_USAGE_MONTH_DROP, NULL, ARGS(V_TEXT(tenant), V_ID(subject), V_TEXT(category), V_INT(at)));
}
