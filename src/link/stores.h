/* The courier to the platform's own stores: a thread that works off what is due, and a process for each question. */
#ifndef LINK_STORES_H
#define LINK_STORES_H
#include "base/err.h"

struct app;
struct arena;
struct courier;
/* From now on jobs are worked off, and stores can be asked. ERR_INTERNAL without a thread. */
enum err stores_start(struct arena *a, struct app *app, struct courier **out);
/* A question under way is cut off: its step is done again at the next start. */
void stores_stop(struct courier **courier);

#endif
