/* The running instance: the policy in force, the store, and what lives in memory only. */
#ifndef DOMAIN_INSTANCE_APP_H
#define DOMAIN_INSTANCE_APP_H
#include "domain/core/ctx.h"
#include "domain/core/context.h"

struct app;

struct app_options {
    text policy_file; /* path of the YAML file; its path is what clauses name; empty: the folder's last version */
    text data_dir, master_file;
    /* Databases of PostgreSQL and the files of their passwords, as store_options say; empty: files of the folder. */
    text store_at, keyring_at, store_password, keyring_password;
    const struct papers *papers; /* who makes pages of documents: the house's, paper/paper.h */
    text site_country;           /* where this machine stands, "" when not said: checked against hosting */
    text public_url; /* "https://…": where people reach this server, for links in letters; "" without letters */
    text clock_file; /* simulated clock for tests, "" for the machine's */
    bool verified, cautious; /* as store_options say, whatever the policy does; app_links_first() */
    bool create;
    bool lawful; /* runs no policy with errors of law that it does not accept (policy/lint/lint.h) */
};
/* Loads the policy, opens the store, records the policy version when it is new. Faults of the policy go to `f`. */
enum err app_open(struct arena *a, const struct app_options *o, struct findings *f, struct app **out);
void app_close(struct app **app);
/* Whether the data folder was there before, and its removal after a start that failed before anybody was served
 * (store_discard). */
bool app_data_there(text data_dir);
void app_data_discard(text data_dir);
/* Whether the folder says that its data are on PostgreSQL. */
bool app_data_elsewhere(text data_dir);
/* What is known of links to the databases before any is made (MO-23): `verified` when the policy file says that they
 * are encrypted, `cautious` when no file is named. */
enum err app_links_first(struct arena *a, struct app_options *o, struct findings *f);
/* Whether `verified` is set, or the last policy that the store has seen says that they are encrypted. Opens the store
 * as app_links_first() left the options; announces nothing. */
enum err app_links(struct arena *a, const struct app_options *o, struct findings *f, bool *encrypted);
/* Reads the policy file again: checks, swaps, journals. On a fault nothing changes and `f` says why. A policy whose
 * `date` lies ahead is announced, and the one in force stays in force until then (Art. 13(3), changes.before). */
enum err app_reload(struct app *app, struct arena *a, struct findings *f);
/* The policy that is announced and not yet in force, NULL without one; the caller's reference. */
const struct policy *app_coming(struct app *app);
/* Brings an announced policy into force when its day has come: the jobs call it. */
enum err app_policy_tick(struct app *app, struct arena *a);
/* Said by the server at its start and at each new certificate: how people reach this instance (enum way_in). */
void app_reached(struct app *app, enum way_in way, msec certificate_from, msec certificate_until);
/* Where it listens: links lead there when no public_url was said. Before anybody is served. */
enum err app_listens(struct app *app, struct arena *a, text url);
/* Gives each job that is due (domain/instance/jobs.def) its turn. Called by the jobs' thread about once a second. */
void app_tick(struct app *app);
/* The stop has been asked for: passwords that wait to be hashed are refused with ERR_BUSY, so that a flood of sign-ins
 * does not hold it up. */
void app_stopping(struct app *app);
/* A cookie that the policy does not declare was taken out of an answer: the promise board shows it. */
void app_cookie_held(struct app *app);
enum { POLICY_FILE_MAX = 1 << 20, TOKEN_BYTES = 32 };

#endif
