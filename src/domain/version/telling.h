/* Telling people of a new version of the policy by e-mail (GDPR 13(3), 14(4)): begun at its publication, done in
 * bounded steps. */
#ifndef DOMAIN_VERSION_TELLING_H
#define DOMAIN_VERSION_TELLING_H
#include "domain/core/ctx.h"

struct db;

/* Inside the write that withdraws a version: nobody else is told of it, and whoever was gets a second letter. */
enum err telling_run_recall(struct db *db, text hash);
/* A step: letters for some of the people, while not too many wait. What a crash cuts short goes on where it stood. */
enum err telling_tick(struct ctx *c);

#endif
