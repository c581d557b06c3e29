/* Words of the pages, in both languages: rows of words.def. */
#ifndef FRONT_DOOR_WORD_H
#define FRONT_DOOR_WORD_H
#include "base/buf.h"

/* The word of that key in "fr" or else English; p NULL when no row has it. */
text word_find(text key, text language);
/* Whether some row's key begins with `prefix` and goes on. */
bool word_family(text prefix);
/* Escaped, with typographic apostrophes and, in French, the blanks that do not break. */
void word_put(struct buf *b, text word, text language);
/* The same as plain text. */
void word_set(struct buf *b, text word, text language);
/* Of a word with two forms, "detail|details", the one that goes with `n` in that language; any other word as it is. */
text word_form(text word, int64_t n, text language);

struct word {
    text key, en, fr;
};
/* All rows of WORD, of features as well. */
const struct word *word_rows(size_t *count);

#endif
