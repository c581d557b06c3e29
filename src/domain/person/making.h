/* How a person is made, for the domain's own files: checked, sealed and ready to be written. */
#ifndef DOMAIN_PERSON_MAKING_H
#define DOMAIN_PERSON_MAKING_H
#include "domain/person/change.h"

struct answer;
struct ctx;
struct db;

struct json;

/* Who asks is the policy's to allow, or was settled by the clause that lets accounts be opened (`settled`): then what
 * is held must still have a purpose, one that rests on consent only with a consent that comes along. */
struct making {
    const struct json *data, *consents; /* {category: {field: value}}; one consent or a list */
    const struct json *permission;      /* that of a source which needs one */
    text source, supplier, purpose;     /* supplier: who exactly; sealed beside the journal entry */
    bool settled;
};
/* Fills the person (whose key is theirs to wipe: PERSON_AUTO), the change and its event `subject.create`; write it with
 * change_write(). A refusal is on record. */
enum err person_make(struct ctx *c, const struct making *m, struct person *p, struct change *ch, struct event *event);

/* subject_patch() with an identifier that was confirmed, and with something else in the same commit. */
struct patching {
    text source, purpose, permitted; /* permitted: when, at a source that needs a permission */
    bool confirmed;
    enum err (*also)(struct db *db, void *arg);
    void *also_arg;
};
enum err person_patch(struct ctx *c, text id, const struct json *patch, const struct patching *how, struct answer *out);

#endif
