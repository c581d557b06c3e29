/* Handlers of usage: events taken. */
#include "domain/usage/usage.h"
#include "front/door/front.h"

HANDLER(usage_take, usage_take(c, q->json, &answer))
HANDLER(usage_lines, usage_log_take(c, q->json, &answer))
