/* What the files of the stores share: the map, and a job. */
#ifndef DOMAIN_CONNECTOR_INSIDE_H
#define DOMAIN_CONNECTOR_INSIDE_H
#include "domain/connector/connector.h"
#include "domain/core/data_subject.h"
#include "store/store.h"

enum { CONNECTOR_KEY = 1, CONNECTOR_BODY = 1 << 20, CONNECTOR_TEXT_MAX = 4000 };

/* ---- The map. ---- */
struct connector_map {
    const struct node *stores; /* NULL: there is none */
    struct findings findings;
    text file, raw; /* its path, its text */
};
/* `connectors.yaml`; where there is no such file, no stores. ERR_CONFIG with the line of its first fault. */
enum err connector_map(struct ctx *c, struct connector_map *out);
/* Whether the map could be read; its faults stand in out->findings. */
enum err connector_map_read(struct ctx *c, struct connector_map *out);
bool connector_serves(const struct ctx *c, const struct node *store); /* this tenant */
text connector_title(const struct ctx *c, const struct node *store);
bool connector_by_hand(const struct node *store);    /* kind: manual */
bool connector_by_message(const struct node *store); /* kind: webhook, an application: it may answer later */
/* Whether that store has something to do for such a job; *by_hand when only people can do it. */
bool connector_concerned(const struct node *store, enum outside_act act, text detail, bool *by_hand);
/* The part of a job that waits until the map can be read: its stores are known only then. */
#define CONNECTOR_MAP TEXT("connectors.yaml")
/* Why a store did not do it: a word of errors.def, and the reason in both languages, names and numbers alone. Empty:
 * nothing stands in its way. */
struct connector_why {
    text code, en, fr;
};
/* What say() said last, which is thereby told. */
struct connector_why connector_why(struct ctx *c);
/* Members "why", "why_fr" and "code" of an object. */
struct connector_why connector_why_of(const struct json *o);
void connector_why_put(struct json_out *w, const struct connector_why *y);

/* The first fault of a map, as its reader is told. */
struct connector_why connector_fault(struct ctx *c, const struct connector_map *m);
/* The first field by which that store looks people up and that has no value in `values`; p NULL: each has. */
text connector_unkept(const struct node *store, const struct json *values);
/* {FIELD: [value]} of an open object: the values of the person that the stores look rows up by. Of a map that cannot be
 * used: every identifier, and each field that its text names. */
enum err connector_values(struct ctx *c, const struct person *p, const struct connector_map *map, struct json_out *w);

/* "former" of an open object: {FIELD: [value]} of those fields that are identifiers, as far as it is held. */
enum err connector_put_former(struct ctx *c, const struct person *p, const text *fields, unsigned count,
                              struct json_out *w);
/* What connector_values() made, for a store that is asked now: former values among the others, but for those that
 * somebody other than `of` (may be NULL) has by now: what stands under them may be theirs. */
enum err connector_join_former(struct ctx *c, const struct subject_id *of, text values, text *out);

/* ---- A job. ---- */
text connector_act_word(enum outside_act act);
bool connector_act_named(text word, enum outside_act *out);
/* open: to be done; waits: an application has it, and will call back; manual: people do it; done. */
struct connector_part {
    text store, state;
    struct connector_why why;
    int64_t tries;
    text step, called; /* of an application: what it was asked (count, erase, set), and the digest of the token by which
                        * it calls back, in hexadecimal; empty: it may not */
    int64_t round;     /* which message of that step: each has an id and a token of its own */
    msec until;        /* when it is asked anew */
    const struct json *counted, *answer; /* of the process */
    text evidence;
};
struct connector_job {
    struct subject_id id, subject, request;
    bool has_subject, has_request;
    int64_t version;
    enum outside_act act;
    text state, detail;
    msec at, next;
    struct connector_part *parts;
    unsigned count;
};
/* ERR_NOT_FOUND for an unknown one. */
enum err connector_load(struct ctx *c, struct subject_id id, struct connector_job *out);
/* Its body sealed for `version`. */
enum err connector_seal(struct ctx *c, const struct connector_job *j, int64_t version, sealed *out);
bool connector_over(const struct connector_job *j); /* every part is done */
/* A step of the part has come to its end: nobody may call back for it. */
void connector_part_over(struct connector_part *p, bool done);
/* Writes what has changed of it, as one event (an empty `act`: nothing has); when nothing is left, its key and values
 * go, and its certificate is signed anew. ERR_PRECONDITION when somebody else was first. */
enum err connector_put(struct ctx *c, struct connector_job *j, text act);
/* {"values": …, "set": …} of a job. ERR_ERASED once its key is gone. */
enum err connector_open_values(struct ctx *c, const struct connector_job *j, text *out);
/* A message to an application: the same id for all its tries, and where it may call back (url empty: nowhere). */
struct connector_message {
    text id, url;
    msec until;
};
/* One store is asked: `extra` are more members of the question, or empty; `message` may be NULL. What it answers,
 * failed too; what an application answers is held against the form that connector_told() gives it. */
enum err connector_ask(struct ctx *c, const struct node *store, text act, text extra,
                       const struct connector_message *message, const struct json **answer);

/* ---- Applications. ---- */

/* The step of that part as a message: its id and address of return are the same until it is asked anew. When the part
 * has none, or its time is over, they are made, and *made says that the part must be written before it is asked. */
enum err connector_message(struct ctx *c, const struct connector_job *j, struct connector_part *p,
                           const struct node *store, text step, struct connector_message *out, bool *made);
/* What an application says that it did, as any other store's answer: {"state": "done", "tables": [{"table", "action":
 * "told", "found", "erased", "changed", "kept", "ground", "until"}], "remains"}; of a copy "rows". {"state": "failed",
 * "why", "why_fr", "code"} when it says less than is asked: rows that are neither erased, changed nor kept, or kept
 * without a ground. */
enum err connector_told(struct ctx *c, const struct node *store, text act, const struct json *told,
                        const struct json **answer);
/* The object of a job, as connector_job() says; the map gives the names of its stores for people. */
enum err connector_put_job(struct ctx *c, const struct connector_map *m, const struct connector_job *j,
                           struct json_out *w);
/* "stores" of an open object. */
void connector_put_parts(struct ctx *c, const struct connector_map *m, const struct connector_job *j,
                         struct json_out *w);

/* Of the feature's row. */
enum err connector_outside(struct ctx *c, const struct person *p, struct outside *o);
enum err connector_outside_run(struct db *db, const struct ctx *c, const struct outside *o);
enum err connector_outside_end(struct db *db, const struct ctx *c, struct subject_id id, bool came_about);
enum err connector_certified(struct ctx *c, struct subject_id id, struct json_out *w);
enum err connector_copies(struct ctx *c, const struct person *p, struct json_out *w);
enum err connector_tick(struct ctx *c);
enum err connector_unreached(struct ctx *c, int64_t *count);

#endif
