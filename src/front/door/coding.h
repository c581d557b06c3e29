/* Answers in the gzip coding (RFC 9110, 8.4), where they hold nothing that is anybody's. */
#ifndef FRONT_DOOR_CODING_H
#define FRONT_DOOR_CODING_H
#include "front/door/reply.h"

/* Whether Accept-Encoding takes gzip. */
bool coding_taken(const struct request *q);
/* Makes the answer one in gzip, of bytes that were packed before; call it before its other headers are added. */
enum err coding_give(struct ctx *c, struct reply *r, text packed);
/* Packs what a public route answered to nobody in particular, where that was asked for and makes it smaller. A page
 * that knows its reader is never packed: how small it gets would tell of the token in it (BREACH). */
enum err coding_pack(struct ctx *c, const struct request *q, struct reply *r);

#endif
