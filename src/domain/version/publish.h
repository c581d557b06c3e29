/* A version of the policy is published. */
#ifndef DOMAIN_VERSION_PUBLISH_H
#define DOMAIN_VERSION_PUBLISH_H
#include "base/err.h"
#include "base/clock.h"
#include "base/id.h"
#include "publish/diff.h"

struct app;
struct db;
struct event;
struct lint_findings;
struct write;

/* Whether the policy's `changes.tell` has e-mail. */
bool telling_wanted(const struct policy *p);
/* Inside the write that publishes: everybody who is held then is to be told what changed since the version `older`. */
enum err telling_run_begin(struct db *db, text hash, text older, msec at);
/* Brings a policy into force, which ends any announcement: stores one that is new to this instance, with its
 * journal entry and one for each rule of law whose finding the file accepts (ERR_POLICY when it breaks one that it
 * does not, also against the version before), and notes which purposes based on consent changed in a way that
 * matters: what people consented to before is then no longer a live consent for them (GDPR 7; DM-02). */
enum err version_publish(struct app *app, struct arena *a, const struct policy *p);
struct publishing {
    const struct policy *p;
    text older, compiled; /* older: hash of the version in force until now, p NULL at the first */
    bool known, announce;
    msec now;
    struct diff changes;
    struct event *accepted;
    unsigned accepted_count;
    /* Of a version of another controller (merger_gate): who that is, and what the older version promised. */
    bool takes_over, accepted_first, tells_first;
    struct digest taker;
};
enum err version_run_publish(struct db *db, struct write *w);
/* What the policy does all the same, against a rule of law: an entry a rule, under the clause that gives the reason.
 * The policy's hash, which every entry has, fixes that reason's words. */
enum err version_note_accepted(struct arena *a, const struct lint_findings *found, struct publishing *r);
/* Whether the instance knows the policy, and the hash and text of the one in force; p NULL when there is none yet. */
enum err version_last(struct app *app, struct arena *a, const struct policy *p, bool *known, text *hash, text *last);
/* The compiled form of a policy, as it is stored and served. */
enum err version_compile(struct arena *a, const struct policy *p, text *out);

#endif
