/* Data subject requests (GDPR 12 to 22): one register for whatever people ask, from any side, with its clock. */
#ifndef DOMAIN_DSR_DSR_H
#define DOMAIN_DSR_DSR_H
#include "domain/core/ctx.h"
#include "domain/core/feature.h"
#include "domain/person/account.h"

struct paging;

/* A request is a row of the register with its state (moves.def), two dates and a sealed file. The clock starts when it
 * is received, whenever it is entered, and ends at the policy's promise or the law's month, whichever is first. It
 * waits only while the person is asked who they are or what they mean; the alarm goes on. Data is handed out, changed
 * or erased only once it is known whose it is: by a session, by a link to an address on file, or by a proof that
 * somebody looked at and accepted. What stands in the file is sealed, and goes at the policy's retention.requests. */

/* What people may ask for, in words of c->language: the n-th; false when there are fewer. Of the rights those that the
 * policy offers, besides questions and complaints. */
struct dsr_kind {
    text name, says;
};
bool dsr_kind_at(const struct ctx *c, unsigned n, struct dsr_kind *out);

/* ---- From people. ---- */

/* ERR_FORBIDDEN with the clause where the policy has no form of this server (rights.channels.form). */
enum err dsr_form_open(struct ctx *c);
/* From the public form: {"kind", "email", "name"?, "person"?, "text"?, "website"?}: with `person` somebody
 * else asks for them, and sends a mandate. Answered alike whoever that is, and whether or
 * not anybody is known. */
enum err dsr_submit(struct ctx *c, const struct json *in, struct answer *out);
/* From a signed-in person, whose session says who they are: {"kind", "text"?}. */
enum err dsr_ask(struct ctx *c, const struct json *in, struct answer *out);
/* Whose link it is (that of the acknowledgement): {"id", "kind", "state", "received", "due", "question", "moves":
 * […]}, and nothing of the file. ERR_NOT_FOUND for an unknown one. Uses nothing up. */
enum err dsr_follow(struct ctx *c, text token, struct answer *out);
/* A move that who asked makes by that link: confirm, reply, withdraw {"text"?}. Answers as dsr_follow(). */
enum err dsr_follow_move(struct ctx *c, text token, text move, text said, struct answer *out);
/* A proof of identity, or the mandate of who asks for somebody else, by that link. ERR_MEDIA_TYPE for what is no PDF or
 * picture. */
struct dsr_proof {
    text name, content;
    bool mandate;
};
enum err dsr_follow_proof(struct ctx *c, text token, const struct dsr_proof *proof, struct answer *out);
/* A link that works once, as it is looked at: {"id", "kind", "for": "identity", "answer" or "mandate", "data":
 * whether a copy follows}. */
enum err dsr_link(struct ctx *c, text token, struct answer *out);
/* It is followed: of identity, the address on file has proven who asks; of an answer, {"text", …}, the certificate
 * as a page (out->media_type) or the copy itself (out->pieces), and the link is used up. */
enum err dsr_link_use(struct ctx *c, text token, struct answer *out);
/* What became of one that does not work, what it was for, and whether dsr_link_again() sends a new one. */
enum err dsr_link_fate(struct ctx *c, text token, enum link_fate *out, text *what, bool *again);
/* A new one, by email to where the old one went; that takes its place. ERR_NOT_FOUND where there is none to send. */
enum err dsr_link_again(struct ctx *c, text token);
/* A signed-in person's own request: withdraw, or reply {"text"}. */
enum err dsr_own_move(struct ctx *c, text id, text move, text said, struct answer *out);

/* ---- By who answers people (the act `export` in answer to a right). ---- */

/* Enters one that came by post, telephone…: {"kind", "channel", "received"?, "email"?, "name"?, "address"?, "text"?,
 * "person"?, "subject"?}: `received` is the true day, not today's. */
enum err dsr_enter(struct ctx *c, const struct json *in, struct answer *out);
/* By what is due first: {"requests": [{"id", "kind", "channel", "state", "received", "alarm", "due", …}], "next"}.
 * `which`: "open" (empty too) or "closed". */
enum err dsr_list(struct ctx *c, text which, const struct paging *asked, struct answer *out);
/* All of one file: the same, "law", "promise", "name", "email"…, "history", "proofs", "moves". */
enum err dsr_get(struct ctx *c, text id, struct answer *out);
/* A move of moves.def: {"text"?, "subject"?}. Answers as dsr_get(). ERR_CONFLICT for one that the state does not
 * allow. A repeated request (Idempotency-Key) is answered with the members that a list has. */
enum err dsr_move(struct ctx *c, text id, text move, const struct json *in, struct answer *out);
/* The mandate of who asks for somebody else, as it came by post or email. Answers as dsr_get(). */
enum err dsr_mandate_put(struct ctx *c, text id, const struct dsr_proof *proof, struct answer *out);
/* A proof, for who decides on it: out->body is the file. ERR_ERASED once it was destroyed. */
enum err dsr_proof_get(struct ctx *c, text id, text proof, struct answer *out);

/* An email of that request: out->body is the file of that number, or "original": the email as it came. ERR_ERASED where
 * it was not kept. */
enum err dsr_mail_get(struct ctx *c, text id, text mail, text file, struct answer *out);
/* Emails that machines wrote, newest first: {"emails": [{"mail", "at", "class", …}], "next"}. */
enum err dsr_asides(struct ctx *c, const struct paging *asked, struct answer *out);
/* One of them was no machine's: it becomes a request, received when it came. Answers as dsr_get(). */
enum err dsr_aside_file(struct ctx *c, text mail, struct answer *out);

/* The member `requests` of the access answer and export; reminders, and the end of what is over. */
extern const struct feature dsr_feature;

#endif
