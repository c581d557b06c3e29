/* An email taken apart by GMime: who, when, which thread, its text, its files, and a report on another one. */
#include "link/mime_read.h"
#include "base/json.h"
#include <dlfcn.h>
#include <iconv.h>
/* Functions that stand in GLib's own headers (2.76 and later) make these calls. */
#pragma push_macro("strcmp")
#pragma push_macro("strncmp")
#undef strcmp
#undef strncmp
#include <gmime/gmime.h>
#pragma pop_macro("strcmp")
#pragma pop_macro("strncmp")
#undef g_free /* a macro since GLib 2.78 */

enum {
    DEPTH_MAX = 20,
    PARTS_MAX = 200,
    FILES_MAX = 50,
    HEADERS_MAX = 200,
    HEADER_MAX = 2000,
    REFERENCES_MAX = 20,
    TEXT_MAX = 64 << 10,
    HTML_MAX = 1 << 20,
    TEXTS_MAX = 64 << 20
};

/* ---- The library. ---- */

/* It and the dozen libraries below it are nothing for the server's memory: the reader's process alone loads them. */
static struct {
#define FUNCTION(name) __typeof__(name) *name;
#include "link/gmime.def"
#undef FUNCTION
} lib;

#define IS(object, type) (lib.g_type_check_instance_is_a((GTypeInstance *)(object), lib.type()))

static bool load_library(void)
{
    static void *gmime; /* stays, as what it loaded does */
    gmime = dlopen("libgmime-3.0.so.0", RTLD_NOW | RTLD_LOCAL);
    bool whole = gmime != NULL;
#define FUNCTION(name) whole = whole && (*(void **)&lib.name = dlsym(gmime, #name)) != NULL;
#include "link/gmime.def"
#undef FUNCTION
    return whole;
}

/* ---- Character sets. ---- */

static const char *const sets[] = {
#define SET(name) name,
#include "link/charsets.def"
#undef SET
};

/* What GMime has to say of a broken email is nothing for a log: it holds what a stranger wrote. */
static GLogWriterOutput say_nothing(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer arg)
{
    return G_LOG_WRITER_HANDLED;
}

bool mime_read_open(void)
{
    if (!load_library())
        return false;
    lib.g_log_set_writer_func(say_nothing, NULL, NULL);
    lib.g_mime_init();
    static iconv_t loaded[sizeof sets / sizeof *sets]; /* never closed: what each loaded stays */
    for (size_t i = 0; i < sizeof sets / sizeof *sets && !loaded[i]; i++)
        loaded[i] = iconv_open("UTF-8", sets[i]);
    return true;
}

/* ---- Texts. ---- */

static void put_text(struct json_out *w, text name, const char *s, size_t most)
{
    size_t n = s ? strnlen(s, most) : 0;
    char *valid = s ? lib.g_utf8_make_valid(s, (gssize)n) : NULL;
    json_pair(w, name, valid ? text_of(valid) : (text){ NULL, 0 });
    lib.g_free(valid);
}

static const struct {
    text name;
    const char *sign;
} entities[] = { { TEXT_INIT("amp"), "&" },  { TEXT_INIT("lt"), "<" },    { TEXT_INIT("gt"), ">" },
                 { TEXT_INIT("quot"), "\"" }, { TEXT_INIT("apos"), "'" }, { TEXT_INIT("nbsp"), " " } };

/* The sign that begins at s with "&"; its length, 0 when it is none. */
static size_t put_entity(struct buf *b, text s)
{
    ptrdiff_t end = text_index(text_upto(s, 12), ';');
    text name = end > 1 ? text_upto(text_from(s, 1), (size_t)end - 1) : TEXT("");
    int64_t number = 0;
    char utf8[8];
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (text_eq(name, entities[i].name)) {
            buf_add(b, text_of(entities[i].sign));
            return (size_t)end + 1;
        }
    if (!text_starts(name, TEXT("#")) || !text_int(text_from(name, 1), &number) || number < 32 || number > 0x10FFFF ||
        (number >= 0xD800 && number < 0xE000))
        return 0;
    buf_add(b, (text){ utf8, (size_t)lib.g_unichar_to_utf8((gunichar)number, utf8) });
    return (size_t)end + 1;
}

static bool is_sign(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool element_is(text tag, const char *name)
{
    text known = text_of(name);
    return text_eq_nocase(text_upto(tag, known.n), known) && (tag.n == known.n || !is_sign(tag.p[known.n]));
}

static bool begins_line(text tag)
{
    static const char *const blocks[] = { "p", "/p", "br", "div", "/div", "tr", "li", "h1", "h2", "h3", "blockquote" };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (element_is(tag, blocks[i]))
            return true;
    return false;
}

/* Where the text goes on behind a tag at s: behind the end of style and script, too. */
static size_t pass_tag(struct buf *b, text s)
{
    static const char *const silent[] = { "style", "script", "head", "title" };
    ptrdiff_t end = text_index(s, '>');
    if (end < 0)
        return s.n;
    text tag = text_upto(text_from(s, 1), (size_t)end - 1);
    if (begins_line(tag))
        buf_char(b, '\n');
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        if (element_is(tag, silent[i])) {
            char close[16];
            snprintf(close, sizeof close, "</%s", silent[i]);
            for (size_t at = (size_t)end; at + strlen(close) < s.n; at++)
                if (text_eq_nocase(text_upto(text_from(s, at), strlen(close)), text_of(close)))
                    return at;
            return s.n;
        }
    return (size_t)end + 1;
}

/* What HTML says, without its tags. */
static void put_html(struct buf *b, text s)
{
    while (s.n) {
        size_t n = 0;
        if (s.p[0] == '<')
            n = pass_tag(b, s);
        else if (s.p[0] == '&')
            n = put_entity(b, s);
        if (!n) {
            buf_char(b, s.p[0]);
            n = 1;
        }
        s = text_from(s, n);
    }
}

/* ---- Parts. ---- */

struct walk {
    struct buf plain, html;
    size_t plain_most, html_most;
    GMimeObject *files[FILES_MAX];
    int file_count, parts;
    GMimePart *report;        /* message/delivery-status */
    GMimeObject *returned;    /* the message that the report is about, or its headers */
};

static void add_text(struct walk *k, GMimeTextPart *part, bool html)
{
    char *s = lib.g_mime_text_part_get_text(part);
    struct buf *b = html ? &k->html : &k->plain;
    size_t most = html ? k->html_most : k->plain_most;
    if (s && b->n < most) {
        text all = text_upto(text_of(s), most - b->n);
        buf_add(b, all);
        buf_char(b, '\n');
    }
    lib.g_free(s);
}

static void add_file(struct walk *k, GMimeObject *o)
{
    if (k->file_count < FILES_MAX)
        k->files[k->file_count++] = o;
}

static bool is_attached(GMimeObject *o)
{
    const char *how = lib.g_mime_object_get_disposition(o);
    return how && !lib.g_ascii_strcasecmp(how, "attachment");
}

static void visit(struct walk *k, GMimeObject *o, int depth);

static void visit_all(struct walk *k, GMimeMultipart *m, int depth)
{
    for (int i = 0, n = lib.g_mime_multipart_get_count(m); i < n; i++)
        visit(k, lib.g_mime_multipart_get_part(m, i), depth + 1);
}

static void visit_part(struct walk *k, GMimeObject *o)
{
    GMimeContentType *type = lib.g_mime_object_get_content_type(o);
    bool is_text = IS(o, g_mime_text_part_get_type) && !is_attached(o);
    if (!k->report && lib.g_mime_content_type_is_type(type, "message", "delivery-status") &&
        IS(o, g_mime_part_get_type))
        k->report = (GMimePart *)o;
    else if (lib.g_mime_content_type_is_type(type, "text", "rfc822-headers") && !k->returned)
        k->returned = o;
    else if (is_text && lib.g_mime_content_type_is_type(type, "text", "plain"))
        add_text(k, (GMimeTextPart *)o, false);
    else if (is_text && lib.g_mime_content_type_is_type(type, "text", "html"))
        add_text(k, (GMimeTextPart *)o, true);
    else
        add_file(k, o);
}

static void visit(struct walk *k, GMimeObject *o, int depth)
{
    if (!o || depth > DEPTH_MAX || k->parts++ > PARTS_MAX)
        return;
    if (IS(o, g_mime_multipart_get_type))
        visit_all(k, (GMimeMultipart *)o, depth);
    else if (IS(o, g_mime_message_part_get_type)) {
        if (k->report && !k->returned)
            k->returned = o;
        add_file(k, o);
    } else
        visit_part(k, o);
}

static GMimeMessage *parse(text s)
{
    GMimeStream *stream = lib.g_mime_stream_mem_new_with_buffer(s.p, s.n);
    GMimeParser *parser = lib.g_mime_parser_new_with_stream(stream);
    GMimeMessage *m = lib.g_mime_parser_construct_message(parser, NULL);
    lib.g_object_unref(parser);
    lib.g_object_unref(stream);
    return m;
}

static void begin(struct walk *k, GMimeMessage *m, size_t plain_most, size_t html_most)
{
    *k = (struct walk){ .plain = buf_make(plain_most + 16),
                        .html = buf_make(html_most + 16),
                        .plain_most = plain_most,
                        .html_most = html_most };
    visit(k, lib.g_mime_message_get_mime_part(m), 0);
}

static void end(struct walk *k)
{
    buf_free(&k->plain);
    buf_free(&k->html);
}

/* The bytes of one part, its encoding undone; of a message in it, as it stands. */
static GByteArray *content_of(GMimeObject *o)
{
    GMimeStream *stream = lib.g_mime_stream_mem_new();
    GMimeDataWrapper *content = IS(o, g_mime_part_get_type) ? lib.g_mime_part_get_content((GMimePart *)o) : NULL;
    if (content)
        lib.g_mime_data_wrapper_write_to_stream(content, stream);
    else if (IS(o, g_mime_message_part_get_type) && lib.g_mime_message_part_get_message((GMimeMessagePart *)o))
        lib.g_mime_object_write_to_stream((GMimeObject *)lib.g_mime_message_part_get_message((GMimeMessagePart *)o),
                                          NULL, stream);
    GByteArray *bytes = lib.g_byte_array_ref(lib.g_mime_stream_mem_get_byte_array((GMimeStreamMem *)stream));
    lib.g_mime_stream_mem_set_owner((GMimeStreamMem *)stream, FALSE);
    lib.g_object_unref(stream);
    return bytes;
}

/* ---- What it says. ---- */

static void put_header(struct json_out *w, const char *name, const char *value)
{
    json_open(w, '{');
    put_text(w, TEXT("name"), name, 100);
    put_text(w, TEXT("value"), value, HEADER_MAX);
    json_close(w, '}');
}

static void put_headers(struct json_out *w, GMimeMessage *m)
{
    GMimeHeaderList *list = lib.g_mime_object_get_header_list((GMimeObject *)m);
    GMimeObject *body = lib.g_mime_message_get_mime_part(m);
    const char *type = body ? lib.g_mime_object_get_header(body, "Content-Type") : NULL;
    json_name(w, TEXT("headers"));
    json_open(w, '[');
    if (type) /* GMime keeps it with the part */
        put_header(w, "Content-Type", type);
    for (int i = 0, n = lib.g_mime_header_list_get_count(list); i < n && i < HEADERS_MAX; i++) {
        GMimeHeader *h = lib.g_mime_header_list_get_header_at(list, i);
        put_header(w, lib.g_mime_header_get_name(h), lib.g_mime_header_get_value(h));
    }
    json_close(w, ']');
}

/* The first mailbox of a list, groups looked into. */
static InternetAddressMailbox *first_mailbox(InternetAddressList *list, int depth)
{
    for (int i = 0, n = list && depth < 3 ? lib.internet_address_list_length(list) : 0; i < n; i++) {
        InternetAddress *one = lib.internet_address_list_get_address(list, i);
        if (IS(one, internet_address_mailbox_get_type))
            return (InternetAddressMailbox *)one;
        if (IS(one, internet_address_group_get_type)) {
            InternetAddressMailbox *in =
                first_mailbox(lib.internet_address_group_get_members((InternetAddressGroup *)one), depth + 1);
            if (in)
                return in;
        }
    }
    return NULL;
}

static void put_from(struct json_out *w, GMimeMessage *m)
{
    InternetAddressMailbox *box = first_mailbox(lib.g_mime_message_get_from(m), 0);
    put_text(w, TEXT("from"), box ? lib.internet_address_mailbox_get_addr(box) : NULL, 320);
    put_text(w, TEXT("from_name"), box ? lib.internet_address_get_name((InternetAddress *)box) : NULL, 200);
    const char *path = lib.g_mime_object_get_header((GMimeObject *)m, "Return-Path");
    InternetAddressList *back = path ? lib.internet_address_list_parse(NULL, path) : NULL;
    box = first_mailbox(back, 0);
    put_text(w, TEXT("return_path"), box ? lib.internet_address_mailbox_get_addr(box) : path ? "" : NULL, 320);
    if (back)
        lib.g_object_unref(back);
}

static void put_references(struct json_out *w, text name, const char *header)
{
    GMimeReferences *ids = header ? lib.g_mime_references_parse(NULL, header) : NULL;
    json_name(w, name);
    json_open(w, '[');
    int n = ids ? lib.g_mime_references_length(ids) : 0;
    for (int i = n > REFERENCES_MAX ? n - REFERENCES_MAX : 0; i < n; i++) {
        char *valid = lib.g_utf8_make_valid(lib.g_mime_references_get_message_id(ids, i), -1);
        json_put_text(w, text_upto(text_of(valid), HEADER_MAX));
        lib.g_free(valid);
    }
    json_close(w, ']');
    if (ids)
        lib.g_mime_references_free(ids);
}

static void put_thread(struct json_out *w, GMimeMessage *m)
{
    GDateTime *date = lib.g_mime_message_get_date(m);
    char *said = date ? lib.g_date_time_format(date, "%Y-%m-%dT%H:%M:%S%:z") : NULL;
    put_text(w, TEXT("date"), said, 64);
    lib.g_free(said);
    put_text(w, TEXT("subject"), lib.g_mime_message_get_subject(m), HEADER_MAX);
    put_text(w, TEXT("message_id"), lib.g_mime_message_get_message_id(m), HEADER_MAX);
    put_references(w, TEXT("in_reply_to"), lib.g_mime_object_get_header((GMimeObject *)m, "In-Reply-To"));
    put_references(w, TEXT("references"), lib.g_mime_object_get_header((GMimeObject *)m, "References"));
}

/* The plain text, else what the HTML says. */
static void put_body(struct json_out *w, const struct walk *k)
{
    ARENA_AUTO a = arena_make(1 << 16);
    BUF_AUTO b = buf_make(HTML_MAX + (64 << 10));
    text plain, html, all = TEXT("");
    if (buf_lend(&a, &k->plain, &plain) == OK && text_trim(plain).n)
        all = plain;
    else if (buf_lend(&a, &k->html, &html) == OK) {
        put_html(&b, html);
        if (buf_lend(&a, &b, &all) != OK)
            buf_fail(w->b);
    }
    all = text_trim(text_upto(all, TEXT_MAX));
    char *valid = lib.g_utf8_make_valid(all.n ? all.p : "", (gssize)all.n);
    json_pair(w, TEXT("text"), text_of(valid));
    lib.g_free(valid);
}

static void put_files(struct json_out *w, const struct walk *k)
{
    json_name(w, TEXT("files"));
    json_open(w, '[');
    for (int i = 0; i < k->file_count; i++) {
        GMimeObject *o = k->files[i];
        char *type = lib.g_mime_content_type_get_mime_type(lib.g_mime_object_get_content_type(o));
        const char *name = IS(o, g_mime_part_get_type) ? lib.g_mime_part_get_filename((GMimePart *)o) : NULL;
        GByteArray *bytes = content_of(o);
        json_open(w, '{');
        const char *unnamed = IS(o, g_mime_message_part_get_type) ? "message.eml" : "file";
        put_text(w, TEXT("name"), name && *name ? name : unnamed, 200);
        put_text(w, TEXT("type"), type, 100);
        json_pair_int(w, TEXT("size"), (int64_t)bytes->len);
        json_close(w, '}');
        lib.g_byte_array_unref(bytes);
        lib.g_free(type);
    }
    json_close(w, ']');
}

/* ---- A report on a message that could not be delivered (RFC 3464). ---- */

/* The value of a field of one line, behind its type ("rfc822;"); empty when it has not that name. */
static text field_of(text line, const char *name)
{
    text key = text_cut(&line, ':');
    if (!text_eq_nocase(text_trim(key), text_of(name)))
        return (text){ NULL, 0 };
    ptrdiff_t type = text_index(line, ';');
    return text_trim(type >= 0 ? text_from(line, (size_t)type + 1) : line);
}

static void put_valid(struct json_out *w, text name, text s)
{
    char *valid = lib.g_utf8_make_valid(s.n ? s.p : "", (gssize)text_upto(s, 320).n);
    json_pair(w, name, text_of(valid));
    lib.g_free(valid);
}

static void put_status(struct json_out *w, text rest)
{
    text recipient = TEXT(""), original = TEXT(""), action = TEXT(""), status = TEXT("");
    while (rest.p) {
        text line = text_cut(&rest, '\n'), v;
        if ((v = field_of(line, "Final-Recipient")).n && !recipient.n)
            recipient = v;
        if ((v = field_of(line, "Original-Recipient")).n && !original.n)
            original = v;
        if ((v = field_of(line, "Action")).n && !action.n)
            action = v;
        if ((v = field_of(line, "Status")).n && !status.n)
            status = v;
    }
    put_valid(w, TEXT("recipient"), original.n ? original : recipient);
    put_valid(w, TEXT("action"), action);
    put_valid(w, TEXT("status"), status);
}

static void put_returned(struct json_out *w, GMimeObject *o)
{
    GByteArray *bytes = o ? content_of(o) : NULL;
    GMimeMessage *m = bytes ? parse((text){ (const char *)bytes->data, bytes->len }) : NULL;
    put_text(w, TEXT("message_id"), m ? lib.g_mime_message_get_message_id(m) : NULL, HEADER_MAX);
    if (m)
        lib.g_object_unref(m);
    if (bytes)
        lib.g_byte_array_unref(bytes);
}

static void put_report(struct json_out *w, const struct walk *k)
{
    json_name(w, TEXT("report"));
    if (!k->report) {
        json_put_null(w);
        return;
    }
    GByteArray *bytes = content_of((GMimeObject *)k->report);
    json_open(w, '{');
    put_status(w, (text){ (const char *)bytes->data, bytes->len });
    put_returned(w, k->returned);
    json_close(w, '}');
    lib.g_byte_array_unref(bytes);
}

bool mime_read(text message, struct buf *out)
{
    struct walk k;
    struct json_out w = json_out(out);
    ARENA_AUTO a = arena_make(1 << 16);
    GMimeMessage *m = parse(message);
    if (!m)
        return false;
    begin(&k, m, TEXT_MAX, HTML_MAX);
    json_open(&w, '{');
    put_from(&w, m);
    put_thread(&w, m);
    put_body(&w, &k);
    put_headers(&w, m);
    put_files(&w, &k);
    put_report(&w, &k);
    json_close(&w, '}');
    end(&k);
    lib.g_object_unref(m);
    return buf_check(&a, out) == OK;
}

bool mime_read_texts(text message, struct buf *out)
{
    struct walk k;
    ARENA_AUTO a = arena_make(1 << 16);
    GMimeMessage *m = parse(message);
    if (!m)
        return false;
    begin(&k, m, TEXTS_MAX, TEXTS_MAX);
    buf_join(out, &k.plain);
    buf_join(out, &k.html);
    end(&k);
    lib.g_object_unref(m);
    return buf_check(&a, out) == OK;
}

bool mime_read_part(text message, int part, struct buf *out)
{
    struct walk k;
    ARENA_AUTO a = arena_make(1 << 16);
    GMimeMessage *m = parse(message);
    if (!m)
        return false;
    begin(&k, m, TEXT_MAX, HTML_MAX);
    bool there = part >= 0 && part < k.file_count;
    if (there) {
        GByteArray *bytes = content_of(k.files[part]);
        buf_add(out, (text){ bytes->len ? (const char *)bytes->data : "", bytes->len });
        lib.g_byte_array_unref(bytes);
    }
    end(&k);
    lib.g_object_unref(m);
    return there && buf_check(&a, out) == OK;
}
