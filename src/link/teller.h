/* The teller: a thread that tells recipients what was done about people whose data they were given. */
#ifndef LINK_TELLER_H
#define LINK_TELLER_H
#include "base/err.h"

struct app;
struct arena;
struct teller;
/* From now on what is due is told (domain/recipient/told.h). ERR_INTERNAL without a thread. */
enum err teller_start(struct arena *a, struct app *app, struct teller **out);
/* A request under way is broken off: it is made again after the next start, under the same id. */
void teller_stop(struct teller **teller);

#endif
