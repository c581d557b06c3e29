/* The promise board: every clause of the running policy as kept, at risk, broken, or only declared, with the evidence
 * for it. */
#ifndef DOMAIN_BOARD_BOARD_H
#define DOMAIN_BOARD_BOARD_H
#include "domain/core/ctx.h"
#include "crypt/seal.h"

struct app;

struct board;

/* In the order of gravity; DECLARED: what no program can enforce, never shown as kept. */
#define PROMISE_STATES(X) X(DECLARED, "declared") X(KEPT, "kept") X(RISK, "at_risk") X(BROKEN, "broken")
enum promise_state {
#define X(name, word) PROMISE_##name,
    PROMISE_STATES(X)
#undef X
        PROMISE_STATE_COUNT
};
text promise_word(enum promise_state s);

#define EN_FR(...)
enum probe {
#define PROBE(name, ...) PROBE_##name,
#include "domain/board/probes.def"
#undef PROBE
    PROBES
};
#undef EN_FR
struct probe_text {
    text en, fr;
};
struct probe_row {
    text name;
    unsigned jobs;
    struct probe_text title, says, figure, bad, risk;
};
const struct probe_row *probe_row(enum probe p); /* of probes.def */

/* How long a look holds: what was not looked at again since is at risk, whatever was found then. */
enum { BOARD_LATELY = DAY };

/* What a probe has found: `figure` is the evidence, `bad` breaks the promise, `soon` puts it at risk. */
struct board_probe {
    enum promise_state state;
    bool applies; /* false: this policy promises nothing of the kind */
    int64_t figure, bad, soon;
    msec at; /* when its last whole round ended; 0: it has not had one */
};
/* A sentence of the notice and whether it holds. */
struct board_clause {
    text id, path, sentence, promises; /* id: the sentence's anchor in the notice; promises: "FR-01, FR-03" or empty */
    text group;                        /* title of the purpose that it is about, else of its section of the notice */
    text part;                         /* name of the same: "purposes.news", or the section's */
    bool purpose;                      /* the group is a purpose */
    unsigned line;                     /* in view.file */
    enum promise_state state;
    int probe;           /* enum probe, -1: none */
    text word;           /* of a list, the word that this sentence is about; or empty */
    bool whole;          /* whatever the probe finds is about this clause too */
    int64_t figure, bad; /* of this clause, where the probe tells them apart; else the probe's */
    const struct board_clause *next;
};
struct board_view {
    text file;
    msec now;
    struct board_probe probes[PROBES];
    const struct board_clause *first;
    unsigned counts[PROMISE_STATE_COUNT]; /* clauses by state */
    enum promise_state worst;             /* of clauses and probes */
};
/* Looks at what is due to be looked at, for `budget` milliseconds at most (0: takes what is known), then shows the
 * board in c->language. */
enum err board_look(struct ctx *c, msec budget, struct board_view *out);
/* The probes alone, without the clauses' sentences: for figures. */
void board_probes(struct ctx *c, struct board_view *out);
/* The board as JSON. */
enum err board_answer(struct ctx *c, msec budget, struct answer *out);
/* What is held and cannot be opened or parsed, as of the last rounds: {"unreadable": [{tenant, person, kind, category,
 * item}], "all"}: the first thousand of each kind by name, "all" counts every one. Beside them "altered": rows that
 * decide and are not as the journal's entries left them [{tenant, table, under, row, entry, what}], two hundred by
 * name, and "altered_all". */
enum err board_unreadable(struct ctx *c, struct answer *out);
/* One bounded step of each job that is due: called by the jobs' thread. */
void board_tick(struct app *app);
struct board *board_open(void);
void board_close(struct board **b);

#endif
