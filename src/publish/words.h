/* Values of the policy file in words: what the notice's sentences are filled with, beyond what notice.h offers to all.
 */
#ifndef PUBLISH_WORDS_H
#define PUBLISH_WORDS_H
#include "publish/notice.h"

/* prose: set with typographic apostrophes and blanks; verbatim: names and addresses, to the letter; link: an address to
 * go to. */
enum setting { SET_PROSE, SET_VERBATIM, SET_LINK };
enum setting words_setting(const struct words *w, const struct node *n);
/* A value that is worked out, by its name in clauses.def: {%example}; p NULL when there is none. */
text words_computed(const struct words *w, const struct node *n, text name);
/* A country, area or list of them with the preposition each takes: {country|in} in clauses.def; p NULL without one. */
text words_in(const struct words *w, const struct node *n);
/* With a small first letter, unless that is a name or an abbreviation. */
text words_small(const struct words *w, text s);
/* Prose well set (base/prose.h), without the line breaks of the file. */
void words_prose(const struct words *w, struct buf *b, text s);

#endif
