/* Counters of the server: one set a thread, so that counting never contends; summed when asked for. */
#ifndef FRONT_DOOR_METRICS_H
#define FRONT_DOOR_METRICS_H
#include "domain/core/load.h"
#include "front/door/router.h"
#include <stdatomic.h>

#define STATUSES(X)                                                                                                    \
    X(200)                                                                                                             \
    X(201)                                                                                                             \
    X(202)                                                                                                             \
    X(204) X(207) X(302) X(303) X(304) X(400) X(401) X(403) X(404) X(405) X(409) X(410) X(411) X(412) X(413) X(415)    \
        X(422) X(428) X(429) X(431) X(500) X(503) X(507)
enum status_slot {
#define X(status) SLOT_##status,
    STATUSES(X)
#undef X
        SLOT_OTHER,
    STATUS_SLOTS
};
enum { LATENCY_BUCKETS = LOAD_BUCKETS }; /* upper ends: load_upto_us */

struct counters {
    /* The last row counts what reached no route. */
    _Atomic uint64_t requests[ROUTE_COUNT + 1][STATUS_SLOTS];
    _Atomic uint64_t latency[ROUTE_COUNT + 1][LATENCY_BUCKETS], latency_us[ROUTE_COUNT + 1];
    _Atomic uint64_t accepted, turned_away, swept, handshakes, handshakes_failed;
    _Atomic uint64_t connections, working; /* now */
};

/* One answered request: from its head to its answer in `microseconds`. `route` NULL: none was found. */
void counters_add(struct counters *c, const struct route *route, int status, uint64_t microseconds);
/* load_ask of a struct front: what its threads counted since the start. */
load_ask metrics_load;
uint64_t metrics_microseconds(void); /* a monotonic clock */

#endif
