/* What the tests of the store share: a store in a folder of its own, and people who are created and erased in it. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H
#include "store/engine/sqlite.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
    char dir[64];
    char places[FILE_COUNT][256]; /* on PostgreSQL: where its databases are; empty on SQLite */
    struct arena a;
    struct store *s;
    _Atomic int64_t now;
    struct clock clock;
};
/* A new store in a new folder, at a time that the test owns; its databases are on the PostgreSQL that GARANT_POSTGRESQL
 * names (keywords of libpq, as tests/engine/run gives them), when it does. */
int setup(void **state);
int teardown(void **state);
void start(struct fixture *f); /* opens it; the test fails when that fails */
void restart(struct fixture *f);
struct store_options options(const struct fixture *f);
void path_in(const struct fixture *f, const char *name, char out[128]);
void remove_tree(const char *dir);
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define assert_ok(f, expression)                                                                                       \
    do {                                                                                                               \
        if ((expression) != OK)                                                                                        \
            fail_msg("%s: %s", #expression, (f)->a.why.detail);                                                        \
    } while (0)

#define TENANT TEXT("acme")
struct person {
    struct subject_id id;
    struct digest email;
    struct key key;
    struct key_put put;
};
struct person person_make(struct store *s, unsigned email);
struct event event_of(const struct person *p, text act);
/* One subject, one identifier, one key, one entry; `late` writes before it may be refused. */
enum err create(struct store *s, struct arena *a, struct person *p, bool late);
enum err note(struct store *s, struct arena *a, text act); /* an entry alone */
enum err erase(struct store *s, struct arena *a, struct person *p);
bool has_key(struct fixture *f, const struct person *p);
bool has_row(struct fixture *f, const struct person *p);
int64_t count(struct fixture *f, enum file file, const char *sql);
uint64_t journal_size(struct fixture *f);
/* Runs SQL on a database of the store behind its back, `blob` as ?1. */
void tamper(struct fixture *f, const char *file, const char *sql, text blob);
/* Of a closed store: its data as they are now, kept beside; and put back in their place. */
void data_keep(struct fixture *f);
void data_put_back(struct fixture *f);
/* A test of what SQLite alone has: its files, its log, its compiler. */
#define ONLY_SQLITE(f)                                                                                                 \
    do {                                                                                                               \
        if ((f)->places[FILE_DATA][0])                                                                                 \
            skip();                                                                                                    \
    } while (0)
/* Whether `bytes` stand in any file of the folder. */
bool found_in_folder(const char *dir, text bytes);

#endif
