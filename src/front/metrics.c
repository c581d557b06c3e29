/* Counting requests: slots of statuses, buckets of latency. */
#include "front/metrics.h"
#include <time.h>

static const uint32_t bucket_us[LATENCY_BUCKETS - 1] = { 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,
                                                         5000000 };

static enum status_slot slot_of(int status)
{
    switch (status) {
#define X(number) case number: return SLOT_##number;
    STATUSES(X)
#undef X
    default: return SLOT_OTHER;
    }
}

static void add(_Atomic uint64_t *counter, uint64_t n) { atomic_fetch_add_explicit(counter, n, memory_order_relaxed); }

void counters_add(struct counters *c, const struct route *route, int status, uint64_t microseconds)
{
    size_t row = route ? route_id(route) : ROUTE_COUNT, bucket = 0;
    while (bucket < LATENCY_BUCKETS - 1 && microseconds > bucket_us[bucket])
        bucket++;
    add(&c->requests[row][slot_of(status)], 1);
    add(&c->latency[row][bucket], 1);
    add(&c->latency_us[row], microseconds);
}

uint64_t metrics_microseconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}
