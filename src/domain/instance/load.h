/* The load of each hour written down: answered requests and storage of this machine. */
#ifndef DOMAIN_INSTANCE_LOAD_H
#define DOMAIN_INSTANCE_LOAD_H
#include "base/err.h"
#include "domain/core/load.h"

struct app;
struct ctx;

/* Said by the server before its threads start: who counts its requests. */
void load_from(struct app *app, load_ask *ask, void *arg);
/* Writes the hour that is over, once, where the policy declares `capacity`. A crash loses the requests of its hour. */
enum err load_tick(struct ctx *c);
/* The same for the hour that is not over, at an orderly stop: the next process adds to it. On the jobs' thread. */
void load_end(struct app *app);

#endif
