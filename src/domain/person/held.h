/* Attachments and transient memory as the domain's own files use them. */
#ifndef DOMAIN_PERSON_HELD_H
#define DOMAIN_PERSON_HELD_H
#include "domain/person/holding.h"
#include "domain/core/data_subject.h"

struct app;

/* ---- attachment.c ---- */
struct attachment {
    struct subject_id id;
    text category, name, media_type, source; /* source: p NULL when none was kept */
    int64_t size;
    msec at;
    uint32_t key_class;
    bool unreadable;
    struct attachment *next;
};
/* All of the person, archived ones too, oldest first, without their contents. Of one whose name cannot be read
 * (unreadable) name and type are empty. */
enum err attachment_list(struct ctx *c, const struct person *p, struct attachment **out);
/* One piece of its content, from 0, in `a`; empty behind the last. ERR_ERASED when it was erased meanwhile. */
enum err attachment_piece(struct ctx *c, const struct person *p, const struct attachment *t, int64_t number,
                          struct arena *a, text *out);

/* A file of a person made ready for a commit that holds more than it: checked, and sealed in `room`, which outlives the
 * commit; `given` (may be NULL) are consents that come along. Then, inside the write, attachment_run(). */
struct arena;
struct attachment_adding;
struct attachment_new;
struct bits;
struct db;
enum err attachment_ready(struct ctx *c, struct person *p, const struct attachment_new *in, const struct bits *given,
                          struct arena *room, struct attachment_adding **out, struct subject_id *id);
enum err attachment_run(struct db *db, const struct attachment_adding *a);

/* ---- transient.c ---- */
struct transient_memory *transient_open(void);     /* NULL: no memory */
void transient_close(struct transient_memory **m); /* wipes it */
void transient_forget(struct app *app, text tenant, struct subject_id id);
/* Wipes what has ended at c->now; the journal gets its number. */
enum err transient_tick(struct ctx *c);

#endif
