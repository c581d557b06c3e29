/* The export (GDPR 15(3), 20): a zip of data.json, a readable page, and the attachments. */
#include "domain/access.h"
#include "domain/held.h"
#include "domain/looking.h"
#include "domain/person_file.h"
#include "domain/write.h"
#include <zip.h>

enum { EXPORT_MEMORY = 192 << 20 };

text person_file_name(struct arena *a, unsigned n, text name) { return arena_print(a, "attachments/%02u-%.*s", n, T(name)); }

/* ---- The archive, in memory. ---- */

struct package { struct ctx *c; zip_t *zip; zip_source_t *bytes; };

static void package_end(struct package *z)
{
    if (z->zip)
        zip_discard(z->zip);
    if (z->bytes)
        zip_source_free(z->bytes);
}

static enum err package_open(struct ctx *c, struct package *out)
{
    zip_error_t why;
    zip_error_init(&why);
    *out = (struct package){ .c = c, .bytes = zip_source_buffer_create(NULL, 0, 0, &why) };
    if (out->bytes) {
        zip_source_keep(out->bytes);                     /* closing the archive gives one reference away */
        out->zip = zip_open_from_source(out->bytes, ZIP_TRUNCATE, &why);
        if (!out->zip)
            zip_source_free(out->bytes);
    }
    zip_error_fini(&why);
    return out->zip ? OK : say(c->arena, ERR_MEMORY, "no memory for an archive");
}

/* `content` must live until package_close(). */
static enum err package_add(struct package *z, text name, text content)
{
    char path[512];
    if (!text_cstr(name, path, sizeof path))
        return say(z->c->arena, ERR_VALUE, "a file's name is too long for an archive");
    zip_source_t *source = zip_source_buffer(z->zip, content.p ? content.p : "", content.n, 0);
    zip_int64_t index = source ? zip_file_add(z->zip, path, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
        if (source)
            zip_source_free(source);
        return say(z->c->arena, ERR_MEMORY, "no memory for a file of an archive");
    }
    zip_file_set_mtime(z->zip, (zip_uint64_t)index, (time_t)(z->c->now / SECOND), 0);
    return OK;
}

static enum err read_all(struct package *z, text *out)
{
    zip_stat_t st;
    if (zip_source_stat(z->bytes, &st) != 0 || zip_source_open(z->bytes) != 0)
        return say(z->c->arena, ERR_INTERNAL, "an archive cannot be read back");
    char *whole = arena_alloc(z->c->arena, (size_t)st.size + 1);
    zip_int64_t got = whole ? zip_source_read(z->bytes, whole, st.size) : -1;
    zip_source_close(z->bytes);
    TRY_PTR(whole);
    *out = (text){ whole, (size_t)st.size };
    return got == (zip_int64_t)st.size ? OK : say(z->c->arena, ERR_INTERNAL, "an archive cannot be read back");
}

static enum err package_close(struct package *z, text *out)
{
    if (zip_close(z->zip) != 0)
        return say(z->c->arena, ERR_MEMORY, "no memory for an archive");
    z->zip = NULL;
    return read_all(z, out);
}

/* ---- What goes in. ---- */

static enum err add_attachments(struct package *z, const struct person *p, struct arena *room)
{
    struct attachment *list;
    TRY(attachment_list(z->c, p, &list));
    for (unsigned n = 1; list; list = list->next, n++) {
        text content;
        enum err status = attachment_content(z->c, p, list, room, &content);
        if (status != OK && room->why.code != OK)
            return say(z->c->arena, ERR_TOO_LARGE, "the attachments are larger than the %d MiB of an export", EXPORT_MEMORY >> 20);
        TRY(status);
        TRY(package_add(z, person_file_name(z->c->arena, n, list->name), content));
    }
    return OK;
}

static enum err make(struct ctx *c, const struct person *p, text *out)
{
    const struct json *file;
    text data, html;
    ARENA_AUTO room = arena_make(EXPORT_MEMORY);
    BUF_AUTO json = buf_make(BUF_DEFAULT_LIMIT), page = buf_make(BUF_DEFAULT_LIMIT);
    CLEANUP(package_end) struct package z = { 0 };
    TRY(person_file_put(c, p, &json));
    TRY(json_parse_buf(c->arena, &json, &file));
    TRY(person_file_page(c, file, &page));
    TRY(package_open(c, &z));
    TRY(buf_lend(c->arena, &json, &data));
    TRY(buf_lend(c->arena, &page, &html));
    TRY(package_add(&z, TEXT("data.json"), data));
    TRY(package_add(&z, TEXT("index.html"), html));
    TRY(add_attachments(&z, p, &room));
    return package_close(&z, out);
}

enum err access_export(struct ctx *c, text id, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    TRY(person_open(c, id, true, &p));
    TRY(person_allow_act(c, &p, ACT_EXPORT));
    *out = (struct answer){ .media_type = TEXT("application/zip") };
    TRY(make(c, &p, &out->body));
    out->file_name = arena_print(c->arena, "export-%.*s.zip", T(date_print(c->arena, date_of(c->now))));
    TRY_PTR(out->file_name.p);
    struct write w = { .event = event_of(c, &p, TEXT("export")) };
    TRY(look_seal(c, &p, &w.event));
    return write_do(c, &w, NULL);
}
