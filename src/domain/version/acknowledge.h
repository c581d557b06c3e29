/* Versions of the policy: announced before their day, acknowledged, and that a notice was shown. */
#ifndef DOMAIN_VERSION_ACKNOWLEDGE_H
#define DOMAIN_VERSION_ACKNOWLEDGE_H
#include "domain/core/feature.h"

#include "publish/diff.h"

struct answer;
struct app;
struct ctx;
struct publishing;

struct version;

struct paging;

/* A warning into `f` when `p` changes what matters to people and applies sooner than changes.before allows. Asked
 * before it is taken over. */
enum err version_warn(struct app *app, struct arena *a, const struct policy *p, struct findings *f);
/* Whether the policy's day lies ahead while another one is in force: it is then announced, and the other one goes on
 * being enforced. */
enum err version_ahead(struct app *app, struct arena *a, const struct policy *p, bool *ahead);
/* Announces it: readable with what changes, told to people, with its journal entry; one announced before and not yet in
 * force is withdrawn. What was announced already is not announced again. Errors as version_publish(). */
enum err version_announce(struct app *app, struct arena *a, const struct policy *p);
/* The file of the version in force as this instance keeps it, and a name for it ("id version"); p NULL when it has seen
 * none. */
enum err version_in_force(struct app *app, struct arena *a, text *yaml, text *name);
/* "in_force", "former", "announced" or "withdrawn". */
text version_word(const struct version *v);

/* {"version": hash or version number, "party": name, "subject": id?}: a partner (party; its token's name when it says
 * so itself) or a person (subject) has read that version. */
enum err version_acknowledge(struct ctx *c, const struct json *in, struct answer *out);
/* The signed-in person says that they have read the version of that hash. It is no consent. */
enum err version_read(struct ctx *c, text hash, struct answer *out);
/* When they acknowledged it, 0 when they did not. */
enum err version_read_at(struct ctx *c, text hash, msec *at);
/* {"acknowledgements": [{"party", "subject", "version", "hash", "by", "at"}], "awaited": [names of tokens, ids of
 * accounts], "awaited_count"}, of one version or of all; awaited: those of whom the policy asks it and who have not
 * acknowledged that version (the one in force). */
enum err version_acknowledgements(struct ctx *c, text version, const struct paging *asked, struct answer *out);
/* The event {"event": "notice_shown", "version"?}: that a person was shown the notice. It is never a consent, and makes none. */
extern const struct feature acknowledge_feature;
/* What changes from the one in force, and whether the law lets it run, on its day. */
enum err version_prepare(struct app *app, struct arena *a, struct publishing *r, text last);
enum err version_write(struct app *app, struct arena *a, struct publishing *r, const char *act, bool first);

#endif
