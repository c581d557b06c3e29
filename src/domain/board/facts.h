/* Facts of the promise board, as probes find them. */
#ifndef DOMAIN_BOARD_FACTS_H
#define DOMAIN_BOARD_FACTS_H

struct facts;

void facts_clear(struct facts *f); /* nothing was found yet */
void facts_copy(struct facts *to, const struct facts *from); /* whole; `to` owns nothing of `from` */

#endif
