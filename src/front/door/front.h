/* The front: what every request passes, whether it came over a connection, in a batch, or from the command line. */
#ifndef FRONT_DOOR_FRONT_H
#define FRONT_DOOR_FRONT_H
#include "base/crew.h"
#include "domain/instance/care.h"
#include "front/door/metrics.h"
#include "front/door/peers.h"
#include "front/door/share.h"
#include <pthread.h>

struct app;

struct session;

struct front {
    struct app *app;
    pthread_mutex_t figures_lock; /* counting people reads them all: not more often than every few seconds */
    struct figures figures;
    msec figures_at; /* of clock_monotonic(); 0: never */
    struct peers *peers;
    struct shares *shares;      /* what each caller has under way; NULL in process */
    struct crew *crew;          /* what takes long is done there; NULL in process */
    struct crew *large;         /* the same for exports and answers on all that is held: one of an owner at a time */
    struct counters **counters; /* one a thread of the server; none in process */
    unsigned threads;
    msec started; /* of clock_monotonic() */
    _Atomic(struct description *)
        descriptions[2]; /* /openapi.json in English and French, once made; only of a server */
};
/* From malloc(), of whoever owns the front. */
struct description {
    size_t size;
    char bytes[];
};

enum {
    BODY_LIMIT = 1 << 20,
    FILE_LIMIT = 32 << 20,
    BODY_SMALL = 64 << 10,
    BODIES_LIMIT = 128 << 20,
    KEY_LIMIT = 128,
    BATCH_LIMIT = 1000
};
/* The most bytes the body of a request for this route may have. Beyond BODY_SMALL the caller is known before it is
 * read; BODIES_LIMIT bounds all that are read at once. */
size_t front_body_limit(const struct route *route);
/* Takes out each Set-Cookie that the policy does not declare (MX-07): its name must be a key of "cookies". How many
 * that were. */
unsigned front_filter_cookies(const struct policy *policy, struct reply *r);
/* Runs what takes long on a thread of its own while the fiber waits; in process, at once. The operator's: nobody has a
 * share of it. */
typedef enum err front_long(struct ctx *c, const struct request *q, struct answer *answer);
enum err front_aside(struct ctx *c, const struct request *q, front_long *run, struct answer *answer);
/* Whose share of the crew a request takes: the person's, the token's, or that of an address where nobody is signed in.
 */
text front_owner(struct ctx *c, const struct request *q);

/* The session of who asks for a page that nobody needs to be signed in for; NULL for none. It is not used: nothing
 * slides. */
const struct session *front_session(struct ctx *c, const struct request *q);
/* On a public page that somebody signed in sees: their page and the sign-out (MX-12). The page is then theirs alone,
 * and kept by nobody. */
enum err front_sign_out(struct ctx *c, const struct request *q, struct reply *r);

/* Answers a request whose route is found (route_find): who calls, may they, body, handler, problem. Always makes a
 * reply. */
void front_answer(struct request *q, struct arena *a, struct reply *r);
/* The same inside a context that knows its actor, conditions and key: also for an item of a batch. */
enum err front_handle(struct ctx *c, struct request *q, struct reply *r);
/* Before a large body is read: true, with the refusal made, when the caller may not use the route at all. Else its
 * length is taken of the caller's share, in `held`. */
bool front_turns_away(struct request *q, uint64_t length, struct arena *a, struct reply *r, struct share *held);
/* A browser asks whether a page of another site may send what it means to (Fetch, CORS preflight): told for the sites
 * that the policy lists for that route, and nobody else. */
enum err front_preflight(struct request *q, struct arena *a, struct reply *r);
/* The problem of a request that reached no handler: the reason is in the arena. */
void front_refuse(const struct request *q, struct arena *a, struct reply *r);

#endif
