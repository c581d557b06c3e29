/* A bounded pool of threads that hash passwords: each costs 19 MiB and 15 ms of a core, so none runs where requests do.
 */
#ifndef CRYPT_HASHING_H
#define CRYPT_HASHING_H
#include "password.h"

enum { HASHING_THREADS = 8, HASHING_QUEUE = 1024 }; /* at most so many threads (152 MiB), however many the cores */
struct hashing;

/* Costs nothing until first used. NULL: no memory. */
struct hashing *hashing_open(void);
/* From now on nothing more is begun: what waits, and what comes later, is refused with ERR_BUSY; what runs is ended.
 * From any thread. */
void hashing_stop(struct hashing *h);
/* All callers must have had their answer. */
void hashing_close(struct hashing **h);
/* As password_hash() and password_matches(), on the pool: the fiber parks until it is done. ERR_BUSY when HASHING_QUEUE
 * wait already, or after hashing_stop(). */
enum err hashing_make(struct hashing *h, struct arena *a, text password, struct password_hash *out);
enum err hashing_check(struct hashing *h, struct arena *a, text hash, text password, bool *good, bool *stale);
/* Anything else that is slow, on the pool: `fn` has an arena of its own, whose reason is passed on when it fails.
 * `alone`: no two of these run at once, for libraries that are not made for threads. */
typedef enum err (*hashing_fn)(struct arena *a, void *arg);
enum err hashing_do(struct hashing *h, struct arena *a, bool alone, hashing_fn fn, void *arg);

#endif
