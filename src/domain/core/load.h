/* Load of the servers by hour, to size them: sums alone, nothing of a person. What the policy says of it. */
#ifndef DOMAIN_CORE_LOAD_H
#define DOMAIN_CORE_LOAD_H
#include "policy/policy.h"
#include <stdint.h>

/* What a row of the table `load` counts. Of a tenant: events that people's use left. Of the machine (tenant ""):
 * storage, the bytes of the database at the end of the hour; answered requests by how long they took, a measure a
 * bucket. */
enum load_row {
    LOAD_ROW_EVENTS,
    LOAD_ROW_STORAGE,
    LOAD_ROW_RESPONSES = 16
};
enum { LOAD_BUCKETS = 14 };
extern const uint32_t load_upto_us[LOAD_BUCKETS - 1]; /* upper ends in microseconds; the last bucket has none */
struct load_counts {
    uint64_t responses[LOAD_BUCKETS];
};
/* How many requests were answered since the start of this process; called on the jobs' thread. */
typedef void load_ask(void *arg, struct load_counts *out);

/* What is shown and forecast. */
#define LOAD_MEASURES(X) X(events) X(requests) X(response) X(storage)
enum load_measure {
#define X(name) LOAD_##name,
    LOAD_MEASURES(X)
#undef X
        LOAD_MEASURE_COUNT
};
enum load_alarm {
    LOAD_FINE,
    LOAD_NEAR,     /* the limit lies within the band of the next four weeks */
    LOAD_EXPECTED, /* the forecast itself reaches it */
    LOAD_REACHED   /* it was reached in the last day */
};

/* The policy's `capacity`. */
struct capacity {
    int purpose; /* index of the purpose that the figures serve, -1: nothing is counted */
    struct term keep;
    int64_t limits[LOAD_MEASURE_COUNT]; /* in the measure's own unit, 0 without one: events and requests an hour, bytes,
                                           microseconds that 95 in 100 answers do not exceed */
};
struct capacity capacity_of(const struct policy *p);
text load_word(enum load_measure m);

#endif
