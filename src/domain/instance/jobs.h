/* What time brings: the rows of jobs.def. */
#ifndef DOMAIN_INSTANCE_JOBS_H
#define DOMAIN_INSTANCE_JOBS_H
#include <stdint.h>

struct app;

enum { JOBS_MAX = 24 };

struct job_told {
    const char *name;
    uint64_t turns, failures;
};
/* How each job went since the start, into `out` of JOBS_MAX; returns how many there are. From any thread. */
unsigned jobs_told(const struct app *app, struct job_told *out);

#endif
