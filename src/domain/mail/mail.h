/* Letters to people: rendered in their language, sealed under their key, and queued in the commit of the act they tell
 * of. */
#ifndef DOMAIN_MAIL_MAIL_H
#define DOMAIN_MAIL_MAIL_H
#include "domain/mail/letter.h"
#include "domain/core/data_subject.h"
#include "store/store.h"

struct db;

/* A letter made ready: write it with mail_run_put(). Its slices live in the arena of the context. */
struct mail_put {
    text tenant, letter, purpose;
    struct subject_id id, subject;
    bool has_subject, bulk;
    sealed message;
    msec at;
    struct event event;
};
/* Renders a row of letters.def (mail: "reset", "closed"…), in the language of the person's account, else the policy's
 * first, and seals it. `to`: the address; p NULL: the person's own e-mail address, which must be among what is held
 * (ERR_MISSING otherwise). `p` may be NULL when `to` is given: nothing then leads to a person, and the letter is sealed
 * under the instance's own key; so is a letter to somebody who is gone (kind APART), whatever `p` is. ERR_VALUE for an
 * address that is none. */
enum err mail_make(struct ctx *c, const struct person *p, text to, text letter, const struct letter_values *values,
                   struct mail_put *out);
/* The same in a language given: of somebody who has no account yet. */
enum err mail_make_in(struct ctx *c, const struct person *p, text language, text to, text letter,
                      const struct letter_values *values, struct mail_put *out);
/* The same of a letter whose words are there already. */
enum err mail_make_said(struct ctx *c, const struct person *p, text to, const struct letter *words,
                        struct mail_put *out);
/* The letter "erased", to the person's own address, under the id of the certificate that it names. Inside the write
 * that prepares the erasure it is made ready without a time to go (in place of one of an earlier try); inside the one
 * that completes it, at once or after a crash, it goes. Its row goes when it went, and after seven days in any case: it
 * holds the address of somebody who is erased. */
enum err mail_make_last(struct ctx *c, const struct person *p, text language, struct subject_id certificate,
                        const struct letter_values *values, struct mail_put *out);
enum err mail_run_last_ready(struct db *db, const struct mail_put *m);
enum err mail_run_last_go(struct db *db, const struct ctx *c, text tenant, struct subject_id certificate);
/* Inside your write: the letter goes when the act is durable, and the journal says that it was queued. */
enum err mail_run_put(struct db *db, const struct mail_put *m);
/* The same without the journal's entry: for a write whose own event is out->event. */
enum err mail_run_put_quietly(struct db *db, const struct mail_put *m);
/* For `also` of a change: the argument is the mail_put. */
enum err mail_also(struct db *db, void *mail_put);
/* The language of letters to that person: of their account, else the policy's first. */
enum err mail_language(struct ctx *c, const struct person *p, text *out);
/* The public address of the server (serve --url) with `path` ("/me") behind it. */
text mail_link(struct ctx *c, text path);
/* The person's e-mail address: of the identifier, else of another field of that type; p NULL when none is held.
 * *category: where it stands. */
enum err mail_address(struct ctx *c, const struct person *p, text *out, int *category);
/* The person in c->tenant that has this address among their identifiers. */
enum err mail_whose(struct ctx *c, text address, bool *found, struct subject_id *out);

#endif
