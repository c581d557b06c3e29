/* Documents to print, as PDF (ISO 32000-1) by libharu: A4, in a font that is embedded, whatever script its text is in.
 */
#ifndef PAPER_PDF_H
#define PAPER_PDF_H
#include "base/arena.h"

struct buf;

/* A document under way. What goes wrong is kept, and told by pdf_take() alone. All texts are UTF-8; letters that the
 * font lacks (emoji, Chinese) leave a box. */
struct pdf;
/* ERR_CONFIG where the font is not installed (fonts-dejavu-core). The title stands in the file's own data: nothing
 * personal. */
enum err pdf_open(struct arena *a, text title, struct pdf **out);
void pdf_close(struct pdf **p);
/* A letter, or a form: it begins on a page of its own, and its pages are numbered from 1 where there are more. */
void pdf_begin(struct pdf *p);
/* On its first page: who writes, and the address, a line each, where the window of a DL or C5 envelope shows it once
 * the page is folded in three: right as NF Z 10-011 has it, or left as DIN 5008 B has it. What follows stands below. */
void pdf_address(struct pdf *p, bool left, text sender, text address);
/* Text in lines of the page's width, `points` high; a line feed ends one. */
void pdf_text(struct pdf *p, bool bold, unsigned points, text s);
/* What is to be filled in by hand: the words, and a line `millimetres` below them; or words behind a box to tick. */
void pdf_line(struct pdf *p, unsigned millimetres, text words);
void pdf_box(struct pdf *p, text words);
void pdf_gap(struct pdf *p, unsigned points);
/* The whole file. ERR_TOO_LARGE beyond the buffer's limit, ERR_INTERNAL when it could not be made. */
enum err pdf_take(struct arena *a, struct pdf *p, struct buf *out);

#endif
