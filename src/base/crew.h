/* The crew: a few threads at a low priority for what takes long, so that the threads that serve go on serving.
 * Everybody has the same share of it: what one owner wants much of waits behind itself, never before others. */
#ifndef BASE_CREW_H
#define BASE_CREW_H
#include "arena.h"

struct crew;
/* Share: of one owner at work at once; waiting: of one owner behind them. */
struct crew_size {
    unsigned threads, share, waiting;
};

struct crew *crew_open(struct crew_size size); /* NULL: no memory; threads are started as they are needed */
/* From now on nothing more is begun: what waits, and what comes later, is refused; what runs is ended. From any thread.
 */
void crew_stop(struct crew *crew);
void crew_close(struct crew **crew); /* nothing may wait any more */
/* Runs fn(arg) on a thread of the crew, and waits: a fiber parks. Owners are compared byte by byte; `owner` lives as
 * long as the call. Its own result is what fn leaves in arg. ERR_TOO_MANY when as much of that owner waits as may,
 * ERR_BUSY without a thread or after crew_stop(): fn did not run. */
enum err crew_do(struct crew *crew, struct arena *a, text owner, void (*fn)(void *arg), void *arg);
/* The next part of what crew_do() has begun: it waits in its owner's share, however much of theirs waits already, since
 * nobody is helped by half an answer. */
enum err crew_go_on(struct crew *crew, struct arena *a, text owner, void (*fn)(void *arg), void *arg);

#endif
