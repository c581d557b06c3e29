/* The operator's log: one JSON object a line on standard error, typed fields, never a personal datum. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "text.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
struct log_field {
    const char *name;
    text value;
    int64_t number;
    bool is_text;
};
#define LOG_TEXT(field, slice)                                                                                         \
    (struct log_field) { .name = (field), .value = (slice), .is_text = true }
#define LOG_INT(field, integer)                                                                                        \
    (struct log_field) { .name = (field), .number = (integer) }

/* Writes one line at once. Values must come from the program or the policy: routes, codes, counts, clause paths. */
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count);
#define LOG(level, event, ...)                                                                                         \
    log_write((level), (event), (const struct log_field[]){ __VA_ARGS__ },                                             \
              sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

#endif
