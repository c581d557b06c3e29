/* What the policy says of the load of the servers, and in which buckets answers are counted. */
#include "domain/core/load.h"

const uint32_t load_upto_us[LOAD_BUCKETS - 1] = { 500,    1000,   2500,   5000,    10000,   25000,  50000,
                                                  100000, 250000, 500000, 1000000, 2500000, 5000000 };

static const text words[] = {
#define X(name) TEXT_INIT(#name),
    LOAD_MEASURES(X)
#undef X
};

text load_word(enum load_measure m) { return words[m]; }

struct capacity capacity_of(const struct policy *p)
{
    /* of the policy's unit in ours: storage in megabytes, response times in milliseconds */
    static const int64_t units[] = {
        [LOAD_events] = 1, [LOAD_requests] = 1, [LOAD_response] = 1000, [LOAD_storage] = 1000000
    };
    const struct node *own = node_get(p->root, TEXT("capacity"));
    struct capacity out = { .purpose = -1 };
    if (!own)
        return out;
    int purpose = policy_purpose(p, node_text(own, TEXT("purpose")));
    if (term_parse(node_text(own, TEXT("keep")), &out.keep) && purpose >= 0 && (unsigned)purpose < p->purpose_count)
        out.purpose = purpose;
    for (unsigned m = 0; m < LOAD_MEASURE_COUNT; m++)
        if (text_int(node_text(node_get(own, TEXT("limits")), words[m]), &out.limits[m]))
            out.limits[m] *= units[m];
    return out;
}
