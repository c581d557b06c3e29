/* Forms of pages, read strictly. */
#include "front/door/form.h"
#include "base/decode.h"

enum { MEMBERS_MAX = 1000 };

struct members {
    const struct pair *rows;
    size_t count;
};

static enum err read_member(struct arena *a, text raw, struct pair *out)
{
    text name = text_cut(&raw, '=');
    out->name = decode_percent(a, name, true);
    out->value = raw.p ? decode_percent(a, raw, true) : TEXT("");
    if (!out->name.p || !out->value.p || !out->name.n || !text_utf8(out->name) || !text_utf8(out->value))
        return say(a, ERR_USAGE, "a member of the form is malformed");
    return OK;
}

static enum err read_members(struct arena *a, text body, struct pair **rows, size_t *count)
{
    size_t room = 1;
    for (size_t i = 0; i < body.n; i++)
        room += body.p[i] == '&';
    if (room > MEMBERS_MAX)
        return say(a, ERR_USAGE, "the form has more than %d members", MEMBERS_MAX);
    TRY_PTR(*rows = NEW_ARRAY(a, struct pair, room));
    for (text rest = body; rest.p && body.n;) {
        text one = text_cut(&rest, '&');
        if (one.n)
            TRY(read_member(a, one, &(*rows)[(*count)++]));
    }
    return OK;
}

/* All values of the name at `at`; nothing when it was written with an earlier one. */
static void put_member(struct json_out *w, const struct members *m, size_t at)
{
    size_t values = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (!text_eq(m->rows[i].name, m->rows[at].name))
            continue;
        if (i < at)
            return;
        values++;
    }
    json_name(w, m->rows[at].name);
    if (values == 1) {
        json_put_text(w, m->rows[at].value);
        return;
    }
    json_open(w, '[');
    for (size_t i = at; i < m->count; i++)
        if (text_eq(m->rows[i].name, m->rows[at].name))
            json_put_text(w, m->rows[i].value);
    json_close(w, ']');
}

enum err form_members(struct arena *a, const struct pair *rows, size_t count, const struct json **out, text *csrf)
{
    const struct members m = { rows, count };
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    *csrf = (text){ NULL, 0 };
    json_open(&w, '{');
    for (size_t i = 0; i < count; i++) {
        if (text_eq(rows[i].name, TEXT("csrf")))
            *csrf = rows[i].value;
        else
            put_member(&w, &m, i);
    }
    json_close(&w, '}');
    return json_parse_buf(a, &b, out);
}

enum err form_parse(struct arena *a, text body, const struct json **out, text *csrf)
{
    struct pair *rows = NULL;
    size_t count = 0;
    *csrf = (text){ NULL, 0 };
    TRY(read_members(a, body, &rows, &count));
    return form_members(a, rows, count, out, csrf);
}
