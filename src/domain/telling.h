/* Telling people of a new version of the policy by e-mail (GDPR 13(3), 14(4)): begun at its publication, done in bounded steps. */
#ifndef DOMAIN_TELLING_H
#define DOMAIN_TELLING_H
#include "domain/ctx.h"

struct db;
/* Whether the policy's `changes.tell` has e-mail. */
bool telling_wanted(const struct policy *p);
/* Inside the write that withdraws a version: nobody else is told of it, and whoever was gets a second letter. */
enum err telling_run_recall(struct db *db, text hash);
/* Inside the write that publishes: everybody who is held then is to be told what changed since the version `older`. */
enum err telling_run_begin(struct db *db, text hash, text older, msec at);
/* A step: letters for some of the people, while not too many wait. What a crash cuts short goes on where it stood. */
enum err telling_tick(struct ctx *c);

#endif
