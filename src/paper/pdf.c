/* PDF by libharu: pages, lines that fit, the window of an envelope. */
#include "paper/pdf.h"
#include "base/buf.h"
#include "base/unicode.h"
#include <hpdf.h>
#include <stdlib.h>

#define FONTS "/usr/share/fonts/truetype/dejavu/" /* Debian: fonts-dejavu-core */
#define MM    (72.0F / 25.4F)

enum { PAGES_MOST = 200, LINE_MOST = 4096, COPY_AT_ONCE = 32 << 10 };
static const float width = 210 * MM, height = 297 * MM, margin = 20 * MM, foot = 22 * MM;

struct pdf {
    HPDF_Doc doc;
    HPDF_Font plain, bold;
    HPDF_Page pages[PAGES_MOST]; /* of the letter that is under way */
    unsigned count;
    float y;     /* where the next line ends, from the foot of the page */
    bool failed; /* out of room */
};

static HPDF_Font load(HPDF_Doc doc, const char *file)
{
    const char *name = HPDF_LoadTTFontFromFile(doc, file, HPDF_TRUE);
    return name ? HPDF_GetFont(doc, name, "UTF-8") : NULL;
}

enum err pdf_open(struct arena *a, text title, struct pdf **out)
{
    char named[256];
    struct pdf *p = calloc(1, sizeof *p);
    TRY_PTR(p);
    *out = p;
    p->doc = HPDF_New(NULL, NULL);
    if (!p->doc || !text_cstr(title, named, sizeof named)) {
        pdf_close(out);
        return say(a, ERR_MEMORY, "no room for a document");
    }
    HPDF_SetCompressionMode(p->doc, HPDF_COMP_ALL);
    HPDF_UseUTFEncodings(p->doc);
    HPDF_SetInfoAttr(p->doc, HPDF_INFO_TITLE, named);
    p->plain = load(p->doc, FONTS "DejaVuSans.ttf");
    p->bold = load(p->doc, FONTS "DejaVuSans-Bold.ttf");
    if (p->plain && p->bold)
        return OK;
    pdf_close(out);
    return say(a, ERR_CONFIG, "the fonts of documents are not installed: fonts-dejavu-core");
}

void pdf_close(struct pdf **p)
{
    if (*p && (*p)->doc)
        HPDF_Free((*p)->doc);
    free(*p);
    *p = NULL;
}

/* ---- Pages. ---- */

static HPDF_Page page_of(const struct pdf *p) { return p->pages[p->count - 1]; }

static void new_page(struct pdf *p)
{
    if (p->count == PAGES_MOST) {
        p->failed = true;
        p->y = height;
        return;
    }
    HPDF_Page page = HPDF_AddPage(p->doc);
    HPDF_Page_SetSize(page, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    p->pages[p->count++] = page;
    p->y = height - margin;
}

static void put_at(HPDF_Page page, HPDF_Font font, float points, float x, float y, const char *s)
{
    HPDF_Page_SetFontAndSize(page, font, points);
    HPDF_Page_BeginText(page);
    HPDF_Page_TextOut(page, x, y, s);
    HPDF_Page_EndText(page);
}

/* "2 / 3" on each page of the letter that ends, where it has more than one. */
static void number(struct pdf *p)
{
    char said[32];
    for (unsigned i = 0; p->count > 1 && i < p->count; i++) {
        snprintf(said, sizeof said, "%u / %u", i + 1, p->count);
        put_at(p->pages[i], p->plain, 8, width / 2 - 10, 10 * MM, said);
    }
    p->count = 0;
}

void pdf_begin(struct pdf *p)
{
    number(p);
    new_page(p);
}

/* Down by so much; on a new page where there is no room. */
static void down(struct pdf *p, float by)
{
    p->y -= by;
    if (p->y >= foot)
        return;
    new_page(p);
    p->y -= by;
}

void pdf_gap(struct pdf *p, unsigned points) { p->y -= (float)points; }

/* ---- Lines. ---- */

struct setting {
    struct pdf *p;
    HPDF_Font font;
    float points, x, room;
    char line[LINE_MOST];
    size_t n; /* bytes of the line so far */
};

static float width_of(const struct setting *s)
{
    HPDF_TextWidth all = HPDF_Font_TextWidth(s->font, (const HPDF_BYTE *)s->line, (HPDF_UINT)s->n);
    return (float)all.width * s->points / 1000;
}

static void end_line(struct setting *s)
{
    s->line[s->n] = 0;
    down(s->p, s->points * 1.4F);
    if (s->n)
        put_at(page_of(s->p), s->font, s->points, s->x, s->p->y, s->line);
    s->n = 0;
}

static bool add(struct setting *s, text bytes)
{
    if (s->n + bytes.n + 1 >= LINE_MOST)
        return false;
    memcpy(s->line + s->n, bytes.p, bytes.n);
    s->n += bytes.n;
    return true;
}

/* A word that is wider than the page is parted where it must be: an address on the web. */
static void add_parted(struct setting *s, text word)
{
    for (size_t i = 0; i < word.n;) {
        size_t from = i, before = s->n;
        (void)unicode_next(word, &i);
        text one = text_upto(text_from(word, from), i - from);
        bool fits = add(s, one) && width_of(s) <= s->room;
        if (!fits && before) {
            s->n = before;
            end_line(s);
            (void)add(s, one);
        }
    }
}

static void add_word(struct setting *s, text word)
{
    size_t before = s->n;
    bool fits = (!before || add(s, TEXT(" "))) && add(s, word) && width_of(s) <= s->room;
    if (fits)
        return;
    s->n = before;
    if (before)
        end_line(s);
    add_parted(s, word);
}

static void put_text(struct setting *s, text said)
{
    while (said.p) {
        text line = text_cut(&said, '\n');
        while (line.n) {
            text word = text_cut(&line, ' ');
            if (word.n)
                add_word(s, word);
        }
        end_line(s);
    }
}

void pdf_text(struct pdf *p, bool bold, unsigned points, text s)
{
    struct setting set = {
        .p = p, .font = bold ? p->bold : p->plain, .points = (float)points, .x = margin, .room = width - 2 * margin
    };
    put_text(&set, s);
}

/* ---- The window: the address from 50 mm down, so that it shows whatever way the page slips in its envelope. ---- */

void pdf_address(struct pdf *p, bool left, text sender, text address)
{
    struct setting s = { .p = p, .font = p->plain, .points = 8, .x = margin, .room = 75 * MM };
    put_text(&s, sender);
    p->y = height - 50 * MM;
    s.points = 10;
    s.x = left ? 25 * MM : 110 * MM;
    put_text(&s, address);
    if (p->y > height - 100 * MM)
        p->y = height - 100 * MM; /* below the fold */
}

/* ---- What is filled in by hand. ---- */

void pdf_line(struct pdf *p, unsigned millimetres, text words)
{
    pdf_text(p, false, 10, words);
    down(p, (float)millimetres * MM);
    HPDF_Page_MoveTo(page_of(p), margin, p->y);
    HPDF_Page_LineTo(page_of(p), width - margin, p->y);
    HPDF_Page_Stroke(page_of(p));
    p->y -= 4;
}

void pdf_box(struct pdf *p, text words)
{
    struct setting s = {
        .p = p, .font = p->plain, .points = 10, .x = margin + 8 * MM, .room = width - 2 * margin - 8 * MM
    };
    if (p->y - 20 < foot)
        new_page(p);
    HPDF_Page_Rectangle(page_of(p), margin, p->y - 14, 4 * MM, 4 * MM);
    HPDF_Page_Stroke(page_of(p));
    put_text(&s, words);
    p->y -= 4;
}

/* ---- The file. ---- */

enum err pdf_take(struct arena *a, struct pdf *p, struct buf *out)
{
    number(p);
    if (p->failed)
        return say(a, ERR_TOO_LARGE, "a letter has at most %d pages", PAGES_MOST);
    if (HPDF_SaveToStream(p->doc) != HPDF_OK)
        return say(a, ERR_INTERNAL, "a document could not be made (%lu)", (unsigned long)HPDF_GetError(p->doc));
    HPDF_ResetStream(p->doc);
    for (;;) {
        HPDF_UINT32 n = COPY_AT_ONCE;
        char *room = buf_room(out, COPY_AT_ONCE);
        if (!room)
            return buf_check(a, out);
        HPDF_STATUS status = HPDF_ReadFromStream(p->doc, (HPDF_BYTE *)room, &n);
        out->n -= COPY_AT_ONCE - n;
        if (status == HPDF_STREAM_EOF || !n)
            return OK;
        if (status != HPDF_OK)
            return say(a, ERR_INTERNAL, "a document could not be made (%lu)", (unsigned long)status);
    }
}
