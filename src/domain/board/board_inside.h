/* What the files of the board share: jobs, what they find, and how a walk over a table is described. */
#ifndef DOMAIN_BOARD_BOARD_INSIDE_H
#define DOMAIN_BOARD_BOARD_INSIDE_H
#include "crypt/tree.h"
#include "domain/board/board.h"
#include "domain/core/instance.h"

/* The journal first: others draw on what it tells. */
enum board_job {
    JOB_JOURNAL,
    JOB_INSTANCE,
    JOB_PEOPLE,
    JOB_KEYS,
    JOB_RECORDS,
    JOB_FORMERS,
    JOB_ATTACHMENTS,
    JOB_PARTS,
    JOB_CONSENTS,
    JOB_CHOICES,
    JOB_LETTERS,
    JOB_ACCOUNTS,
    JOB_SESSIONS,
    JOB_PUBLICATIONS,
    JOB_SUPPORT,
    JOB_LEDGER,
    JOB_FEATURE, /* and those behind it: a walk of a feature each */
    JOBS = JOB_FEATURE + 12 /* a set of jobs is an int */
};

/* What a term may be late by before its promise is broken: a sweep comes every minute, and once more when it was
 * interrupted. */
enum { BOARD_GRACE = HOUR };

/* Numbers of a probe that belong to one clause, by its path. */
struct tally {
    enum probe probe;
    char path[96];
    int64_t figure, bad;
};
/* Something held that cannot be read, by where it stands. */
enum { UNREAD_NAMED = 1000 };
struct unread {
    char tenant[64], kind[16], category[96], item[40];
    struct subject_id subject;
};
struct facts {
    struct fact {
        int64_t figure, bad, soon;
    } of[PROBES];
    struct tally *tallies;
    unsigned tally_count, tally_room;
    struct unread *unread;
    unsigned unread_count, unread_room; /* the first UNREAD_NAMED of those counted as bad */
};
void fact_looked(struct facts *f, enum probe p, int64_t count);
void fact_bad(struct facts *f, enum probe p, int64_t count);
void fact_soon(struct facts *f, enum probe p, int64_t count);
/* Adds to the clause's numbers as well; the numbers of the whole probe are counted apart. */
void fact_clause(struct facts *f, enum probe p, text path, int64_t figure, int64_t bad);

/* ---- board_open.c ---- */

/* A sealed thing of a row: where it stands and what opens it. derive: the key's name under the person's, for key class
 * 0. */
struct thing {
    text kind, category, item, derive;
    uint32_t key_class;
    struct place place;
    sealed sealed;
    bool block; /* events, as core/block.h writes them */
};
enum { OPENER_MEMORY = 64 << 20 };
struct opener {
    struct ctx *c;
    text tenant;
    struct subject_id subject;
    uint32_t key_class;
    struct key key;
    enum err status;
    bool known;
};
void opener_end(struct opener *o);
/* What that walk's row holds, in `a`; kind empty when nothing of the table is opened. Its seal is the row's: valid as
 * long as that. */
struct board_step;
enum err thing_of(struct arena *a, const struct board_step *s, struct query *q, struct thing *out);
/* Whether it opens and parses; *sources: the values' sources that need a permission, with their times, and how many
 * values there are of each. */
struct sources_seen {
    struct came {
        const struct source *source;
        msec at;
        int64_t values;
    } of[FIELDS_MAX];
    unsigned count;
};
enum err opener_look(struct opener *o, const struct thing *t, bool *readable, struct sources_seen *sources);
void fact_unreadable(struct facts *f, const struct thing *t);

/* Where a walk stands: the key of the last row seen. */
enum { KEY_COLUMNS = 5 };
struct cursor {
    bool begun;
    struct {
        int64_t number;
        uint16_t size;
        char bytes[256];
    } at[KEY_COLUMNS];
};

/* The journal as verified so far in this round. */
struct journal_round {
    struct tree tree;
    uint64_t checkpoint;
    struct hash root;            /* the next kept checkpoint: size (0: none) and root */
    bool stuck;                  /* something was altered: verified no further */
    msec compared;               /* monotonic: when it was last held against the running tree */
    msec backup, rotated, first; /* the newest of each act, and the first entry still there; 0: none */
};

/* Where the look at the ledger stands, and what is not as it was: the first of it by name. */
enum { ALTERED_NAMED = 200 };
struct altered {
    char tenant[64], table[24], row[128];
    struct subject_id under;
    uint64_t entry;
    enum ledger_fault fault;
};
struct ledger_round {
    struct ledger_look look;
    struct altered now[ALTERED_NAMED], last[ALTERED_NAMED];
    unsigned now_count, last_count;
};

struct job {
    struct facts now, last;
    struct cursor from;
    bool running, known;
    msec at;          /* end of the last whole round, by the clock of the instance */
    msec began, next; /* monotonic */
};

struct board {
    pthread_mutex_t lock; /* held for one step, never across a wait */
    struct job jobs[JOBS];
    struct journal_round journal;
    pthread_cond_t looked; /* a round that somebody asked for has ended */
    msec look_began;
    bool looking; /* monotonic: when the newest of them was begun; whether it is under way */
    struct ledger_round ledger;
    msec verified;   /* monotonic: when the journal was last begun anew */
    char policy[65]; /* the rounds are of this policy */
};

/* One bounded step: *done at the end of a round. */
struct board_step {
    struct ctx *c;
    struct board *board;
    enum board_job job;
    struct facts *facts;
    struct cursor *from;
    bool done;
};
/* A whole new round of every job, or as much of it as the budget allows. */
enum err board_round(struct ctx *c, msec budget);
enum err board_walk(struct board_step *s);
/* Which statement the walk of that job reads by: SQL_COUNT when it walks no table. False: there is no such job. */
bool board_walk_reads(const struct ctx *c, unsigned job, enum sql *sql);
/* The feature's walk that the job is, or NULL. */
struct feature_walk;
const struct feature_walk *board_feature(const struct ctx *c, enum board_job job);
enum err board_journal(struct board_step *s);
enum err board_ledger(struct board_step *s);
/* Whether the operator only stores the data of that tenant: then it is told no person of theirs. */
bool board_stored(const struct ctx *c, text tenant);
void board_put_altered(struct ctx *c, struct json_out *w); /* "altered", "altered_all"; the lock is held */
enum err board_instance(struct board_step *s);

#endif
