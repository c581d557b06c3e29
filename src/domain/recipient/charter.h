/* The charter that a recipient accepts before any data goes to it (`recipients.*.charter`): its words, who accepted
 * which version, and what lets a disclosure through (GDPR 28(3), 32). */
#ifndef DOMAIN_RECIPIENT_CHARTER_H
#define DOMAIN_RECIPIENT_CHARTER_H
#include "domain/core/ctx.h"

struct answer;
struct json;
struct json_out;

/* NONE: it is not asked to. PENDING: nothing is on record. LAPSED: of other words than today's. */
enum charter_state { CHARTER_NONE, CHARTER_PENDING, CHARTER_ACCEPTED, CHARTER_LAPSED };
text charter_word(enum charter_state s); /* "none", "pending", "accepted", "lapsed" */

/* How a recipient stands (index of its actor class), and the acceptance that counts last; `some`: there is one. */
struct charter_standing {
    enum charter_state state;
    bool some;
    text version, hash, language, via, name, function;
    msec at;
};
enum err charter_standing(struct ctx *c, int recipient, struct charter_standing *out);
/* ERR_FORBIDDEN, with its clause, unless that recipient may be given data as far as the charter goes; asked again
 * inside the write. Whoever asks puts the refusal on record. */
enum err charter_allow(struct ctx *c, int recipient);

/* In an open object: "version", "language", "text" in the caller's language, and "hash": the SHA-256 of that text. */
enum err charter_put(struct ctx *c, struct json_out *w);
/* In an open object: "recipient", "title", "charter": the state's word, and "accepted_version", "accepted_hash",
 * "accepted_language", "accepted_by", "accepted_as", "accepted_via", "accepted_at", each null when nothing counts. */
enum err charter_put_standing(struct ctx *c, int recipient, struct json_out *w);

/* The caller is that recipient, whose page or token it has (c->actor). `in`: {"read": true (a form: "yes"), "version" and
 * "hash" as they were shown, "language", "name", "function"?}. Without "read" and "name" ERR_MISSING, names the field;
 * ERR_CONFLICT when the words are no longer those that were shown. An acceptance that counts already is answered, and
 * nothing is written. `via`: "link" or "token". Answers {charter_put, charter_put_standing}. */
enum err charter_accept(struct ctx *c, const struct json *in, text via, struct answer *out);
/* The same answer of the calling recipient; ERR_FORBIDDEN, on record, for whoever is none. */
enum err charter_own(struct ctx *c, struct answer *out);
/* By its token. */
enum err charter_accept_own(struct ctx *c, const struct json *in, struct answer *out);

#endif
