/* The notice as Markdown and as plain text, for repositories, mails and terminals. */
#include "publish/notice.h"

enum { WIDTH = 78 };

/* Lines of at most WIDTH characters, each after the first one indented. */
static void wrap(struct buf *b, text s, const char *first, const char *indent)
{
    size_t column = text_of(first).n;
    buf_add(b, text_of(first));
    bool blank = false;
    while (s.p) {
        text word = text_cut(&s, ' ');
        size_t width = 0;
        for (size_t i = 0; i < word.n; i++)
            width += ((unsigned char)word.p[i] & 0xC0) != 0x80;
        if (blank && column + 1 + width > WIDTH) {
            buf_char(b, '\n');
            buf_add(b, text_of(indent));
            column = text_of(indent).n;
        } else if (blank) {
            buf_char(b, ' ');
            column++;
        }
        buf_add(b, word);
        column += width;
        blank = true;
    }
    buf_char(b, '\n');
}

static void put_body(struct buf *b, const struct notice *n, const struct sentence *s, bool markdown)
{
    BUF_AUTO line = buf_make(1 << 16);
    if (markdown)
        body_markdown(&line, s->body);
    else
        body_plain(&line, s->body);
    if (s->id.n && !s->row->kept.n)
        buf_add(&line, markdown ? n->fr ? TEXT(" *(déclaré)*") : TEXT(" *(declared)*")
                       : n->fr ? TEXT(" (déclaré)")
                                : TEXT(" (declared)"));
    wrap(b, buf_for(b, &line), "- ", "  ");
}

static void underline(struct buf *b, text s, char c)
{
    buf_add(b, s);
    buf_char(b, '\n');
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] & 0xC0) != 0x80)
            buf_char(b, c);
    buf_add(b, TEXT("\n\n"));
}

static void heading(struct buf *b, text s, unsigned level, bool markdown)
{
    if (!markdown) {
        underline(b, s, level == 1 ? '='
                        : level == 2 ? '-' : '.');
        return;
    }
    for (unsigned i = 0; i < level; i++)
        buf_char(b, '#');
    buf_char(b, ' ');
    body_markdown(b, s);
    buf_add(b, TEXT("\n\n"));
}

static void put_table_markdown(struct buf *b, const struct table *t)
{
    for (unsigned i = 0; i < t->columns; i++)
        buf_print(b, "| %.*s ", T(t->head[i]));
    buf_add(b, TEXT("|\n"));
    for (unsigned i = 0; i < t->columns; i++)
        buf_add(b, TEXT("|---"));
    buf_add(b, TEXT("|\n"));
    for (const struct table_row *row = t->first; row; row = row->next) {
        for (unsigned i = 0; i < t->columns; i++) {
            buf_add(b, TEXT("| "));
            body_markdown(b, row->cells[i]);
            buf_char(b, ' ');
        }
        buf_add(b, TEXT("|\n"));
    }
    buf_char(b, '\n');
}

static void put_table_plain(struct buf *b, const struct table *t, bool fr)
{
    for (const struct table_row *row = t->first; row; row = row->next) {
        wrap(b, row->cells[0], "* ", "  ");
        for (unsigned i = 1; i < t->columns; i++) {
            BUF_AUTO line = buf_make(1 << 16);
            buf_print(&line, fr ? "%.*s\u202F: %.*s" : "%.*s: %.*s", T(t->head[i]), T(row->cells[i]));
            wrap(b, buf_for(b, &line), "    ", "      ");
        }
    }
    buf_char(b, '\n');
}

static void put_block(struct buf *b, const struct notice *n, const struct block *block, bool markdown)
{
    if (block->title.n)
        heading(b, block->title, 3, markdown);
    for (const struct sentence *s = block->first; s; s = s->next)
        put_body(b, n, s, markdown);
    if (block->first)
        buf_char(b, '\n');
    if (block->table && markdown)
        put_table_markdown(b, block->table);
    else if (block->table)
        put_table_plain(b, block->table, n->fr);
}

static void put_notice(struct buf *b, const struct notice *n, bool markdown)
{
    BUF_AUTO title = buf_make(4096);
    buf_print(&title, "%.*s · %.*s", T(n->title), T(n->name));
    heading(b, buf_for(b, &title), 1, markdown);
    if (n->version.n)
        buf_print(b, "Version %.*s%s%.*s\n\n", T(n->version), n->date.n ? ", " : "", T(n->date));
    heading(b, n->fr ? TEXT("L’essentiel") : TEXT("In short"), 2, markdown);
    for (const struct section *s = n->first; s; s = s->next)
        for (const struct sentence *one = s->brief; one; one = one->next)
            put_body(b, n, one, markdown);
    buf_char(b, '\n');
    for (const struct section *s = n->first; s; s = s->next) {
        heading(b, s->title, 2, markdown);
        for (const struct block *block = s->first; block; block = block->next)
            put_block(b, n, block, markdown);
    }
}

void notice_markdown(struct buf *b, const struct notice *n) { put_notice(b, n, true); }
void notice_plain(struct buf *b, const struct notice *n) { put_notice(b, n, false); }
