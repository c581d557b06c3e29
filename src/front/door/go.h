/* Sending a browser on: to a page of this server only. */
#ifndef FRONT_DOOR_GO_H
#define FRONT_DOOR_GO_H
#include "base/err.h"

struct ctx;
struct reply;

/* After an act: 303 to a path of this server, which then says the word "done.DONE" (empty: nothing). */
enum err page_go(struct ctx *c, struct reply *r, text path, text done);
/* A path of this server to go to next: `asked` when it is one, else `other`. Never another host: no open redirect. */
text page_next(text asked, text other);

#endif
