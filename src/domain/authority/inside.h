/* What the files of authorities' requests share: a row of the register with its sealed file, and how it is changed. */
#ifndef DOMAIN_AUTHORITY_INSIDE_H
#define DOMAIN_AUTHORITY_INSIDE_H
#include "domain/authority/authority.h"
#include "domain/core/data_subject.h"
#include "domain/core/instance.h"

enum { AUTHORITY_TEXT_MAX = 1000 };

enum authority_state { AUTHORITY_ENTERED, AUTHORITY_APPROVED, AUTHORITY_REFUSED, AUTHORITY_CLOSED, AUTHORITY_STATES };

/* The file, sealed as a whole: texts that may be absent (p NULL). first_by, second_by: who approved, in words. */
#define AUTHORITY_FILE(X)                                                                                              \
    X(authority)                                                                                                       \
    X(ground) X(reference) X(received) X(categories) X(from) X(until) X(secrecy) X(entered_by) X(first_by)             \
        X(second_by) X(reasons) X(document) X(type) X(digest)
struct authority_file {
#define X(member) text member;
    AUTHORITY_FILE(X)
#undef X
};
struct authority {
    struct subject_id id;
    int64_t version;
    enum authority_state state;
    msec entered, secret, closed, due; /* secret: until then nobody is told; each 0: not */
    bool has_first, has_second;
    struct digest first, second;
    struct authority_file file;
};

/* The word of the column. */
text authority_state_word(enum authority_state s);
/* ERR_NOT_FOUND for an unknown one. */
enum err authority_load(struct ctx *c, struct subject_id id, struct authority *out);
enum err authority_load_named(struct ctx *c, text id, struct authority *out);
/* Who answers everybody, not a team alone, under a policy that has the clause `authorities`. */
enum err authority_may(struct ctx *c);
/* Whether the law still forbids telling. */
bool authority_is_secret(const struct ctx *c, const struct authority *a);
/* Under the key of authorities' requests, bound to its place. */
enum err authority_seal(struct ctx *c, struct subject_id request, text table, int64_t version, text clear, sealed *out);
enum err authority_unseal(struct ctx *c, struct subject_id request, text table, int64_t version, sealed in,
                          text *clear);

/* A change of the row in one commit with what else it writes. ERR_PRECONDITION when the row changed meanwhile. */
struct authority_change {
    struct ctx *c;
    struct authority a; /* as it will be; its version is that which was read */
    const char *act;
    bool fresh, unhanded, untold; /* unhanded, untold: refused when anybody's data was handed over, or anybody told */
    const struct subject_id *people; /* of a new one */
    unsigned count;
    sealed document; /* bytes.p NULL: none comes with it */
    sealed body;     /* made by authority_write() */
};
enum err authority_write(struct authority_change *ch);
/* What was approved or refused stays as long as the policy keeps requests. */
msec authority_due(struct ctx *c);

/* One person's part of it. */
struct authority_person {
    struct subject_id disclosure;
    msec handed, told;
};
enum err authority_person_load(struct ctx *c, struct subject_id request, struct subject_id subject,
                               struct authority_person *out);

/* Telling, made ready, and inside the write: the row, the disclosure in the person's view, the letter where there is an
 * address, the request closed once nobody is left. */
struct authority_telling {
    text tenant, categories, note;
    struct subject_id subject, request, disclosure;
    msec handed, now, due;
    bool has_letter;
    struct mail_put *letter;
};
enum err authority_tell_make(struct ctx *c, const struct authority *a, const struct person *p,
                             struct subject_id disclosure, msec handed, struct authority_telling *out);
enum err authority_tell_run(struct db *db, const struct authority_telling *t);
/* Titles of the categories, comma between, in c->language. */
text authority_categories(struct ctx *c, text names);
/* A step of telling those whose secrecy has ended: about a hundred people a turn. */
enum err authority_soon(struct ctx *c);
/* Ends what is over. */
enum err authority_tick(struct ctx *c);
/* "authorities" of one person's own answer. */
enum err authority_put_own(struct ctx *c, const struct person *p, struct json_out *w);

#endif
