/* Handlers of usage: events taken. */
#include "domain/usage/audience.h"
#include "domain/usage/capacity.h"
#include "domain/usage/usage.h"
#include "front/door/front.h"

HANDLER(usage_take, usage_take(c, q->json, &answer))
HANDLER(usage_figures, usage_figures(c, request_query(q, TEXT("purpose")), request_query(q, TEXT("by")),
                                     request_query(q, TEXT("month")), &answer))
HANDLER(audience_figures, audience_figures(c, request_query(q, TEXT("purpose")), request_query(q, TEXT("by")),
                                           request_query(q, TEXT("month")), &answer))
HANDLER(usage_lines, usage_log_take(c, q->json, &answer))
HANDLER(capacity_get, capacity_show(c, request_query(q, TEXT("measure")), &answer))
