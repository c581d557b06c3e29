/* Forms with files, read strictly: parts between boundaries, each with its name, no transfer encoding. */
#include "front/door/multipart.h"
#include "front/door/form.h"

enum { PARTS_MAX = 1000, BOUNDARY_MAX = 70, HEADS_MAX = 4096 };

static enum err malformed(struct arena *a, const char *what)
{
    return say(a, ERR_USAGE, "the form with files is malformed: %s", what);
}

bool multipart_type(text header)
{
    return text_eq_nocase(text_trim(text_cut(&header, ';')), TEXT("multipart/form-data"));
}

/* A parameter of a header's value: `; name=token` or `; name="quoted"`, in which browsers write %22 for a quote. */
static text parameter(text value, text name)
{
    text_cut(&value, ';');
    while (value.p && value.n) {
        text rest = text_trim(value), key = text_trim(text_cut(&rest, '='));
        bool quoted = rest.n && rest.p[0] == '"';
        text one = quoted ? text_from(rest, 1) : rest, got = text_cut(&one, quoted ? '"' : ';');
        if (quoted)
            text_cut(&one, ';');
        if (text_eq_nocase(key, name))
            return quoted ? got : text_trim(got);
        value = one;
    }
    return (text){ NULL, 0 };
}

/* The header of that name among a part's, whose lines end with CRLF. */
static text head_of(text heads, text name)
{
    while (heads.p && heads.n) {
        text line = text_cut(&heads, '\n'), value = line, key = text_cut(&value, ':');
        if (value.p && text_eq_nocase(key, name))
            return text_trim(value);
    }
    return (text){ NULL, 0 };
}

struct parts {
    text rest, border; /* border: CRLF, two dashes and the boundary */
    struct pair *fields;
    size_t count;
};

/* The file's own name without any folder that stands before it. */
static text base_name(text s)
{
    for (size_t i = s.n; i; i--)
        if (s.p[i - 1] == '/' || s.p[i - 1] == '\\')
            return text_from(s, i);
    return s;
}

static enum err add_file(struct arena *a, struct request *q, text name, text file, text type, text content)
{
    if (!file.n && !content.n)
        return OK;
    if (q->upload_count == UPLOADS_MAX)
        return say(a, ERR_USAGE, "the form has more than %d files", UPLOADS_MAX);
    q->uploads[q->upload_count++] = (struct upload){
        .name = name, .file_name = base_name(file), .media_type = type.p ? type : TEXT(""), .content = content
    };
    return OK;
}

static enum err add_part(struct arena *a, struct request *q, struct parts *m, text heads, text content)
{
    text disposition = head_of(heads, TEXT("Content-Disposition")), kind = disposition;
    text name = parameter(disposition, TEXT("name")), file = parameter(disposition, TEXT("filename"));
    if (!text_eq_nocase(text_trim(text_cut(&kind, ';')), TEXT("form-data")) || !name.n || !text_utf8(name))
        return malformed(a, "a part says no name");
    if (head_of(heads, TEXT("Content-Transfer-Encoding")).p)
        return malformed(a, "a part has a transfer encoding");
    if (file.p)
        return text_utf8(file) ? add_file(a, q, name, file, head_of(heads, TEXT("Content-Type")), content)
                               : malformed(a, "a file's name is not UTF-8");
    if (!text_utf8(content))
        return malformed(a, "a member is not UTF-8");
    m->fields[m->count++] = (struct pair){ name, content };
    return OK;
}

/* One part behind its boundary; *last: the boundary was the closing one. */
static enum err next_part(struct arena *a, struct request *q, struct parts *m, bool *last)
{
    *last = text_starts(m->rest, TEXT("--"));
    if (*last)
        return OK;
    if (!text_starts(m->rest, TEXT("\r\n")))
        return malformed(a, "a boundary is not followed by a part");
    text part = text_from(m->rest, 2);
    ptrdiff_t head = text_find(text_upto(part, HEADS_MAX), TEXT("\r\n\r\n"));
    if (head < 0)
        return malformed(a, "a part has no head");
    text content = text_from(part, (size_t)head + 4);
    ptrdiff_t end = text_find(content, m->border);
    if (end < 0)
        return malformed(a, "its last boundary is missing");
    m->rest = text_from(content, (size_t)end + m->border.n);
    return add_part(a, q, m, text_upto(part, (size_t)head), text_upto(content, (size_t)end));
}

enum err multipart_parse(struct arena *a, struct request *q)
{
    text boundary = parameter(request_header(q, TEXT("Content-Type")), TEXT("boundary"));
    struct parts m = { .fields = NEW_ARRAY(a, struct pair, PARTS_MAX) };
    TRY_PTR(m.fields);
    TRY_PTR(q->uploads = NEW_ARRAY(a, struct upload, UPLOADS_MAX));
    if (!boundary.n || boundary.n > BOUNDARY_MAX)
        return malformed(a, "its type says no boundary");
    m.border = arena_print(a, "\r\n--%.*s", T(boundary));
    TRY_PTR(m.border.p);
    text first = text_from(m.border, 2); /* the first one has no line before it */
    if (!text_starts(q->body, first))
        return malformed(a, "it does not begin with its boundary");
    m.rest = text_from(q->body, first.n);
    bool last = false;
    for (size_t parts = 0; !last; parts++) {
        if (parts > PARTS_MAX - 1)
            return say(a, ERR_USAGE, "the form has more than %d members", PARTS_MAX - 1);
        TRY(next_part(a, q, &m, &last));
    }
    return form_members(a, m.fields, m.count, &q->json, &q->csrf);
}
