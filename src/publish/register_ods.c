/* The record of processing as an OpenDocument spreadsheet (ODF 1.3): a sheet for the controller's part, one for the
 * processor's. */
#include "publish/register.h"
#include <zip.h>

enum { ODS_LIMIT = 16 << 20 };
static const char mimetype[] = "application/vnd.oasis.opendocument.spreadsheet";
static const char manifest[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\" manifest:version=\"1.3\">"
    "<manifest:file-entry manifest:full-path=\"/\" manifest:version=\"1.3\" manifest:media-type=\"application/vnd.oasis.opendocument.spreadsheet\"/>"
    "<manifest:file-entry manifest:full-path=\"content.xml\" manifest:media-type=\"text/xml\"/></manifest:manifest>\n";
static const char head[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" "
    "xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" "
    "xmlns:style=\"urn:oasis:names:tc:opendocument:xmlns:style:1.0\" xmlns:fo=\"urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0\" "
    "office:version=\"1.3\"><office:automatic-styles>"
    "<style:style style:name=\"wide\" style:family=\"table-column\"><style:table-column-properties style:column-width=\"6cm\"/></style:style>"
    "<style:style style:name=\"head\" style:family=\"table-cell\"><style:table-cell-properties fo:background-color=\"#e8eef5\" fo:wrap-option=\"wrap\"/>"
    "<style:text-properties fo:font-weight=\"bold\"/></style:style>"
    "<style:style style:name=\"cell\" style:family=\"table-cell\"><style:table-cell-properties fo:wrap-option=\"wrap\" style:vertical-align=\"top\"/>"
    "</style:style></office:automatic-styles><office:body><office:spreadsheet>";

static void put_cell(struct buf *b, const char *style, text s)
{
    buf_print(b, "<table:table-cell table:style-name=\"%s\" office:value-type=\"string\"><text:p>", style);
    buf_html(b, s);
    buf_add(b, TEXT("</text:p></table:table-cell>"));
}

static void put_table(struct buf *b, const struct record_table *t)
{
    buf_add(b, TEXT("<table:table table:name=\""));
    buf_html(b, t->title);
    buf_print(b, "\"><table:table-column table:style-name=\"wide\" table:number-columns-repeated=\"%u\"/>", t->columns);
    buf_add(b, TEXT("<table:table-header-rows><table:table-row>"));
    for (unsigned i = 0; i < t->columns; i++)
        put_cell(b, "head", t->heads[i]);
    buf_add(b, TEXT("</table:table-row></table:table-header-rows>"));
    for (const struct record_row *row = t->first; row; row = row->next) {
        buf_add(b, TEXT("<table:table-row>"));
        for (unsigned i = 0; i < t->columns; i++)
            put_cell(b, "cell", row->cells[i]);
        buf_add(b, TEXT("</table:table-row>"));
    }
    buf_add(b, TEXT("</table:table>"));
}

struct archive {
    zip_t *zip;
    zip_source_t *bytes;
};

static void archive_end(struct archive *z)
{
    if (z->zip)
        zip_discard(z->zip);
    if (z->bytes)
        zip_source_free(z->bytes);
}

/* `content` must live until the archive is closed. */
static bool archive_add(struct archive *z, const char *path, text content, bool packed)
{
    zip_source_t *source = zip_source_buffer(z->zip, content.p, content.n, 0);
    zip_int64_t index = source ? zip_file_add(z->zip, path, source, 0) : -1;
    if (index < 0) {
        if (source)
            zip_source_free(source);
        return false;
    }
    /* The same policy makes the same file. */
    zip_file_set_mtime(z->zip, (zip_uint64_t)index, 315532800, 0);
    return zip_set_file_compression(z->zip, (zip_uint64_t)index, packed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) == 0;
}

static bool archive_read(struct archive *z, struct buf *b)
{
    zip_stat_t st;
    if (zip_source_stat(z->bytes, &st) != 0 || zip_source_open(z->bytes) != 0)
        return false;
    char *room = buf_room(b, (size_t)st.size);
    bool whole = room && zip_source_read(z->bytes, room, st.size) == (zip_int64_t)st.size;
    zip_source_close(z->bytes);
    return whole;
}

enum err register_ods(struct arena *a, struct buf *b, const struct record *r)
{
    zip_error_t why;
    text sheets;
    BUF_AUTO content = buf_make(ODS_LIMIT);
    CLEANUP(archive_end) struct archive z = { 0 };
    buf_add(&content, text_of(head));
    for (int part = 0; part < RECORD_PARTS; part++)
        put_table(&content, &r->parts[part]);
    buf_add(&content, TEXT("</office:spreadsheet></office:body></office:document-content>\n"));
    TRY(buf_lend(a, &content, &sheets));
    zip_error_init(&why);
    z.bytes = zip_source_buffer_create(NULL, 0, 0, &why);
    if (z.bytes) {
        zip_source_keep(z.bytes); /* closing the archive gives one reference away */
        z.zip = zip_open_from_source(z.bytes, ZIP_TRUNCATE, &why);
        if (!z.zip)
            zip_source_free(z.bytes);
    }
    zip_error_fini(&why);
    /* ODF 1.3, part 2, 3.3: the type first, not compressed. */
    bool ok = z.zip && archive_add(&z, "mimetype", text_of(mimetype), false) &&
              archive_add(&z, "META-INF/manifest.xml", text_of(manifest), true) &&
              archive_add(&z, "content.xml", sheets, true) && zip_close(z.zip) == 0;
    if (ok)
        z.zip = NULL;
    return ok && archive_read(&z, b) ? OK : say(a, ERR_MEMORY, "no memory for the spreadsheet");
}
