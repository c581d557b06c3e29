/* What the files of the domain share and nobody else sees: the instance's insides. */
#ifndef DOMAIN_CORE_INSTANCE_H
#define DOMAIN_CORE_INSTANCE_H

#include "store/store.h"
#include <pthread.h>
#include <stdatomic.h>
#include "domain/core/ctx.h"
#include "domain/core/load.h"

struct ctx;
struct policy;

struct store;

struct transient_memory; /* person/transient.c */
struct board;            /* board/board_inside.h */
struct feature;          /* feature.h */
struct papers;           /* papers.h */
struct reader;           /* reader.h */
struct asker;            /* asker.h */
struct pages;            /* publish/pages.c */
struct seen;             /* account/session.c */
struct kept_tokens;      /* token_kept.h */
struct hashing;          /* crypt/hashing.h */
struct spending;         /* budget.h */
struct throttle;         /* account/throttle.h */

struct app {
    struct store *store;
    struct clock clock;
    pthread_mutex_t policy_lock; /* guards the pointers, not what they point to: that never changes */
    const struct policy *policy;
    const struct policy *coming; /* announced, and not yet in force; may be NULL */
    _Atomic bool policy_turn;    /* they are being replaced */
    struct pages *pages;         /* of that policy, which tell of the coming one */
    char policy_file[4096], country[3];
    bool lawful;
    const struct feature *const *features; /* rows of instance/features.c */
    unsigned feature_count;
    const struct papers *papers; /* who makes pages of documents */
    struct {
        const struct reader *reader; /* who takes emails apart; NULL: none come in */
        bool listens;                /* answers to ADDRESS+TOKEN@ come in */
        char trusted[256];           /* authserv-id of the mail server whose Authentication-Results are shown */
        _Atomic uint64_t came, aside;
        struct {
            _Atomic bool on;
            const char *_Atomic code; /* why it could not be asked; "": it could */
            _Atomic msec since;       /* when all went well last */
            _Atomic uint64_t fetched, failures;
        } mailbox; /* that emails are fetched from */
    } inbound;
    const struct asker *stores;     /* who reaches the platform's own stores; NULL: nobody does */
    const struct asker *told;       /* who sends to recipients' webhooks; NULL: nobody does */
    const struct asker *texter;     /* who hands text messages to the gateway; NULL: nobody does */
    _Atomic bool stores_due;        /* a job was added: it is looked for at once */
    struct transient_memory *transient;
    struct seen *seen;              /* last uses of sessions, not yet written */
    struct kept_tokens *tokens;     /* what they let in, for a moment */
    struct hashing *hashing;        /* where passwords are hashed */
    _Atomic int64_t cookies_held;   /* that no answer may set, since the start */
    struct spending *spent, *asked; /* what was done about each person today, and asked by each in this minute */
    struct throttle *throttle;      /* tries of passwords under way */
    struct {
        load_ask *ask; /* who counts requests; NULL in a command */
        void *arg;
        int64_t hour; /* that is being counted, in hours since 1970; 0: none yet. The jobs' thread alone */
        struct load_counts before;
        _Atomic int64_t judged; /* the hour in which the limits were looked at, 0: never */
        struct {
            _Atomic int64_t limit, last, expected;
            _Atomic int alarm; /* enum load_alarm */
        } of[LOAD_MEASURE_COUNT];
    } load;
    struct sums_walk {              /* how far months are summed (domain/usage/sums.h): the jobs' thread alone */
        int64_t day;
        bool over;
        char tenant[256];
        struct subject_id after;
        struct why failed; /* the first of one person alone */
    } sums;
    struct board *board;            /* what the probes found */
    struct timed {
        msec next; /* by the machine's monotonic clock */
        bool over;
        _Atomic uint64_t turns, failures;
    } jobs[24]; /* by the rows of domain/instance/jobs.def; the jobs' thread alone writes them */
    _Atomic int way_in;             /* enum way_in */
    _Atomic msec signs_at;          /* when the journal was last looked through for signs of a breach */
    _Atomic msec certificate_from, certificate_until;
    _Atomic uint64_t folder_checks[2]; /* by folder_authorize: refused, allowed */
    struct {
        _Atomic bool on; /* the rest is set before, and never changes */
        _Atomic int asked; /* by who tries a message, not answered yet */
        char sender[32], stop_fr[161], stop_en[161], secret[257], from[65], said[65], words[161];
    } texts;                        /* text messages: mail/texts.h */
    char public_url[512];              /* where people reach this server, without a slash at its end */
    struct {
        char from[300]; /* the sender's address; empty without a sender */
        _Atomic bool sender;
        _Atomic uint64_t sent, failed;
    } mail;
};

static inline struct store *ctx_store(const struct ctx *c) { return c->app->store; }

#endif
