/* What the files of breaches share: a row of the register, its sealed file, and how it is changed. */
#ifndef DOMAIN_BREACH_INSIDE_H
#define DOMAIN_BREACH_INSIDE_H
#include "domain/breach/breach.h"
#include "domain/mail/mail.h"
#include "store/store.h"

enum { BREACH_TEXT_MAX = 4000, LIST_PART = 1000, PARTIES_MAX = 400 };

/* ---- Rows of rows.def. ---- */
enum breach_fact {
#define FACT(name, ...) FACT_##name,
#include "domain/breach/rows.def"
    FACTS
};
enum breach_part { TELLS_facts, TELLS_effects, TELLS_remedy, TELLS_other };
enum breach_risk {
#define RISK(name, ...) RISK_##name,
#include "domain/breach/rows.def"
    RISKS /* not assessed */
};
enum breach_obliges { OBLIGES_nobody, OBLIGES_authority, OBLIGES_people };
enum breach_stage {
#define STAGE(name, ...) STAGE_##name,
#include "domain/breach/rows.def"
    STAGES /* none yet */
};
enum breach_how {
#define HOW(name, ...) HOW_##name,
#include "domain/breach/rows.def"
    HOWS /* not decided */
};
enum breach_move_id {
#define MOVE(name, ...) MOVE_##name,
#include "domain/breach/rows.def"
    MOVES
};
enum breach_says { SAYS_none, SAYS_may, SAYS_must };
enum breach_sign {
#define SIGN(name, ...) SIGN_##name,
#include "domain/breach/rows.def"
    SIGNS
};
struct breach_sign_row {
    text name, en, fr;
    int64_t most;
};
struct breach_row {
    text name, en, fr;
    int kind; /* breach_part of a fact, breach_obliges of a risk, breach_says of a move */
    text act; /* of a move */
};
extern const struct breach_row breach_facts[], breach_risks[], breach_stages[], breach_hows[], breach_moves[];
extern const struct breach_sign_row breach_signs[];
/* The place of that name among so many rows; `count` when there is none. */
unsigned breach_row_named(const struct breach_row *rows, unsigned count, text name);

/* ---- The clocks. ---- */
struct breach_clock {
    msec authority, subjects, processors;
};
/* Hours of the policy (security.breach) from awareness, in UTC: no night, holiday or change of the clocks moves them
 * (GDPR 33(1)). What the policy does not say is 72 hours, the law's. */
struct breach_clock breach_clock(const struct policy *p, msec known);

/* ---- One breach. ---- */

/* The file, sealed as a whole: facts, and texts that may be absent (p NULL). scope and counts are JSON. */
#define BREACH_FILE(X)                                                                                                 \
    X(reasons) X(late_authority) X(late_subjects) X(late_processors) X(receipt) X(told) X(scope) X(counts)
struct breach {
    struct subject_id id;
    int64_t version;
    bool drill;
    msec known;
    struct breach_clock clock;
    enum breach_risk risk;
    enum breach_stage stage;
    enum breach_how how;
    msec notified, telling; /* 0: not yet */
    int64_t next;           /* -1: no letter is to go */
    int64_t people;         /* -1: not found */
    int64_t letters, unreached;
    msec remind, closed, due;
    text facts[FACTS];
    struct {
#define X(member) text member;
        BREACH_FILE(X)
#undef X
    } file;
};
/* ERR_NOT_FOUND for an unknown one. */
enum err breach_load(struct ctx *c, struct subject_id id, struct breach *out);
enum err breach_load_named(struct ctx *c, text id, struct breach *out);
/* Under the key of breaches, bound to its place. */
enum err breach_seal(struct ctx *c, struct subject_id breach, text table, text field, int64_t version, text clear,
                     sealed *out);
enum err breach_unseal(struct ctx *c, struct subject_id breach, text table, text field, int64_t version, sealed in,
                       text *clear);
/* Whom its risk obliges to tell; one that is not assessed obliges as the highest. */
enum breach_obliges breach_obliges(const struct breach *b);
/* Members of an open object: what every list shows. */
enum err breach_put_head(struct ctx *c, const struct breach *b, struct json_out *w);
/* "facts": {FACT: text}, "reasons"…: the file. */
void breach_put_file(struct ctx *c, const struct breach *b, struct json_out *w);
enum err breach_put_parties(struct ctx *c, const struct breach *b, struct json_out *w, unsigned *waiting);
enum err breach_put_history(struct ctx *c, const struct breach *b, struct json_out *w);
/* Names of the facts that the authority's form of that stage still lacks. */
void breach_put_missing(const struct breach *b, enum breach_stage stage, struct json_out *w);
bool breach_is_missing(const struct breach *b, enum breach_stage stage, const char **what);

/* ---- A change: the row, the step of its history, letters and parties, in one commit. ---- */
struct breach_change {
    struct ctx *c;
    struct breach b; /* as it will be; its version is that which was read */
    bool fresh;      /* there is no row yet */
    const struct breach_row *move;     /* NULL: opened */
    text note;                         /* what was written with it */
    text act, step;                    /* in place of the move's own, where given */
    int64_t count;                     /* of people, for the journal; -1: none */
    text party_kind, party;            /* that was told */
    const text *parties, *party_kinds; /* that are to be told, of a fresh one */
    unsigned party_count;
    const sealed *parts; /* of the list of people */
    unsigned part_count;
    const struct mail_put *letters;
    unsigned letter_count;
    struct subject_id sign; /* that it was opened from */
    bool has_sign;
    bool quiet; /* no step of its history: one of many that are told in one */
    struct answer *kept; /* what a repeated request is answered, made here; may be NULL */
    sealed body, step_note; /* made by breach_write() */
};
/* Seals and writes: ERR_PRECONDITION when the row changed meanwhile. */
enum err breach_write(struct breach_change *ch);
/* Who answers people; not who sees a team only, for a breach may touch anybody. */
enum err breach_may(struct ctx *c);
/* {"id"} of what was opened, and a repeated request's answer. */
enum err breach_answer(struct ctx *c, const struct breach *b, struct answer *out);
/* `status`, with the member of the request that it is about. */
enum err breach_about(struct ctx *c, const char *member, enum err status);
/* A text of the request, checked: at most BREACH_TEXT_MAX bytes, no card number. */
enum err breach_take_text(struct ctx *c, const struct json *in, const char *member, text *out);

/* ---- Who is affected. ---- */
struct breach_found {
    sealed *parts;
    unsigned part_count;
    int64_t people;
    text scope, counts; /* JSON */
};
/* By the scope of the request: read in pages of LIST_PART people, and nothing written. */
enum err breach_find(struct ctx *c, const struct breach *b, const struct json *in, struct breach_found *out);
/* The ids of one part; *count 0 behind the last. */
enum err breach_part(struct ctx *c, const struct breach *b, int64_t part, const struct subject_id **out,
                     unsigned *count);

/* ---- Told. ---- */
/* The letters of one step go, for those who have an address: at most `most` people. */
enum err breach_tell_step(struct ctx *c, struct subject_id id, unsigned most);
/* The letter to the tenant that is a controller; *made false where it has no address of its own, or none can go. */
enum err breach_letter_tenant(struct ctx *c, const struct breach *b, text tenant, struct mail_put *out, bool *made);
/* When staff are reminded next, of what comes after `now`. */
void breach_remind_from(struct breach *b, msec now);
enum err breach_tick(struct ctx *c);

/* ---- Signs. ---- */
/* Looks through the last day of the journal, and proposes what is beyond the rows SIGN. */
enum err breach_look_for_signs(struct ctx *c);
/* "signs": […] of this tenant. */
enum err breach_put_signs(struct ctx *c, struct json_out *w);

#endif
