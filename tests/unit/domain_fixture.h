/* A whole instance over a policy in a temporary folder, with a clock that the test owns. */
#ifndef TESTS_DOMAIN_FIXTURE_H
#define TESTS_DOMAIN_FIXTURE_H
#include "domain/core/instance.h"
#include "domain/core/paging.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct fixture {
    struct app *app;
    struct arena arena;
    struct ctx c;
    char dir[64], version[16], date[16];
    int64_t *clock;
};

/* Opens it at 2026-01-10T08:00:00Z, acting as system "app". `policy` stands behind the heading that every policy needs.
 */
void fixture_open(struct fixture *f, const char *policy);
void fixture_close(struct fixture *f);
/* A test over an instance of its own with that policy, in the list of tests: its state is the fixture. */
#define OVER(policy, test)                                                                                             \
    cmocka_unit_test_prestate_setup_teardown(test, fixture_setup, fixture_teardown, (void *)(uintptr_t)(policy))
int fixture_setup(void **state);
int fixture_teardown(void **state);
/* The same folder with another policy (NULL: the same) in a new process's place. */
/* Writes the file and opens nothing; the version and date that files have from now on ("1.0" of 2026-01-01 by itself).
 */
void fixture_file(struct fixture *f, const char *policy);
void fixture_date(struct fixture *f, const char *version, const char *date);
void fixture_again(struct fixture *f, const char *policy);
/* Runs SQL of the test's own on that file, "data" or "keys", while the instance is open. */
void fixture_alter(struct fixture *f, const char *file, const char *sql);
/* The same as the program's own: what a test plants is bound to the journal as it stands, live or while the instance is
 * closed. */
void fixture_plant(struct fixture *f, const char *sql);
/* Closes it, runs SQL of the test's own on keys.db and data.db, and opens it again. */
void fixture_altered(struct fixture *f, const char *keys, const char *data);
/* Behind the program's back: nothing is bound anew. */
void fixture_altered_unbound(struct fixture *f, const char *keys, const char *data);
/* Sets the clock, and a fresh context with it. */
void fixture_at(struct fixture *f, const char *time);
void fixture_ahead(struct fixture *f, msec by);
/* Acts as that class of the policy, or as "operator". */
void fixture_as(struct fixture *f, const char *actor);

#define OKAY(call) assert_okay(&f->arena, (call), #call, __LINE__)
void assert_okay(const struct arena *a, enum err status, const char *what, int line);
/* JSON with single quotes for double ones. */
const struct json *js(struct fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
const struct json *parsed(struct fixture *f, text body);
/* An answer's body, whatever it is given by. */
text whole(struct fixture *f, struct answer *answer);
/* The member at that dotted path ("certificate.kept.0.ground"); fails the test when there is none. */
const struct json *at_path(const struct json *v, const char *path);
int64_t int_at(const struct json *v, const char *path);
text text_at(const struct json *v, const char *path);
msec moment(const char *time);
/* A person with that e-mail address; `more` further categories, as JSON in single quotes behind a comma, or "". */
text person_made(struct fixture *f, const char *email, const char *more);
/* A person of whom much is held: a record of visits and one of invoices, a name that was corrected, a file, a consent
 * to news, a disclosure to the carrier. The policy has identity, contact, visits, invoices, service, news and carrier.
 */
struct life {
    const char *email, *name, *page, *invoice, *renamed, *file, *content;
};
text person_lived(struct fixture *f, const struct life *life);
/* That recipient accepts the charter in force. */
void charter_accepted(struct fixture *f, const char *recipient);
const struct json *erased(struct fixture *f, text id);
text record_added(struct fixture *f, text id, const char *category, const char *fields);
/* Opens that person's account ("" for no role), makes them their own manager, leaves a link open, and signs them in;
 * the secret. The context then acts as app again. */
text signed_in(struct fixture *f, text id);
/* Gives an account that password. */
void password_given(struct fixture *f, text id, const char *password);
/* Retention swept; the answer. */
const struct json *swept(struct fixture *f);
/* Rows of a table that match, and whether any file of the folder holds those bytes. */
int64_t rows_of(struct fixture *f, const char *table, const char *where);
bool files_hold(struct fixture *f, text bytes);

static const struct paging all_rows __attribute__((unused)) = { .limit = PAGE_ROWS };

#endif
