/* Accounts opened: for somebody, by oneself, or many at once from a table. */
#ifndef DOMAIN_ENTRY_OPENING_H
#define DOMAIN_ENTRY_OPENING_H
#include "domain/core/feature.h"
#include "domain/core/ctx.h"
#include "domain/person/account.h"

struct paging;
struct signin;

/* Bodies and answers are those of docs/api.md. What the policy's `accounts` does not let this actor do is refused with
 * that clause. */

/* ---- By staff, a manager, a program that acts for them, or the operator. ---- */
/* Makes the person (subject_create's way), the account, the team, the folders and the invitation in one commit. The
 * link is in the answer for the operator only; everybody else's goes by letter. */
enum err account_open_for(struct ctx *c, const struct json *in, struct answer *out);
/* A new invitation; the former link dies. ERR_CONFLICT for an account that is open already. */
enum err account_invite(struct ctx *c, text id, struct answer *out);
/* What an invitation is about, before it is accepted: {"opened", "source_title", "categories": [titles]}. Reading it
 * uses nothing up. */
enum err invitation_look(struct ctx *c, text token, struct answer *out);
/* Of whom the link was sent to: sets the password, and the account is open. ERR_NOT_FOUND alike for unknown, used and
 * expired. `in`: they are signed in too (signin_by_link); NULL: they are not. */
enum err invitation_accept(struct ctx *c, text token, text password, struct answer *out, struct signin *in);
/* What became of a link of that kind; whoever has it is spoken to in the language of the account. */
enum err opening_fate(struct ctx *c, text token, text kind, enum link_fate *out);
/* A new invitation for who follows one that has expired: the link shows whose it was, and the letter goes to their
 * address. A letter a minute (ERR_TOO_MANY); ERR_NOT_FOUND for any other link. */
enum err invitation_again(struct ctx *c, text token);

/* The e-mail address among `data` ({category: {field: value}}) by which the person is found; p NULL when there is none.
 */
text opening_email(struct ctx *c, const struct json *data);

/* ---- By oneself. ---- */
/* The answer is the same whether or not the address is known; a letter tells its owner. Without a password it is chosen
 * at the letter's link, by whoever has the address: so nobody opens an account at somebody else's with a password that
 * they know. `next`: a path of this server that the link leads to afterwards, or empty. */
enum err registration_begin(struct ctx *c, const struct json *in, text next, struct answer *out);
/* Whether a password was chosen at registration. Uses nothing up; ERR_NOT_FOUND for a link that is not valid. */
enum err registration_look(struct ctx *c, text token, bool *chosen);
/* The address is confirmed by who has its link, and knows the password given at registration, or chooses one: the
 * account is open, or awaits approval. ERR_VALUE for another password, ERR_PASSWORD for a weak one. `in` as for
 * invitation_accept(). */
enum err registration_confirm(struct ctx *c, text token, text password, struct answer *out, struct signin *in);
enum err registration_decide(struct ctx *c, text id, bool approve, struct answer *out);
/* Erases registrations whose address nobody confirmed in time, and refused ones when their letter is no longer kept. */
enum err registration_tick(struct ctx *c);

/* ---- Many at once, a line each and each line a commit of its own. ---- */
enum { IMPORT_LINES = 10000 };
struct import;

/* supplied_by, language: of lines that do not say; why: of the folders. first_line: what the first line behind the
 * header is called. map: "COLUMN=FIELD,…", a column by its heading or number, "*" for every other that nothing is known
 * of; FIELD "-" leaves it out. */
struct import_options {
    text supplied_by, language, why, map;
    int64_t first_line;
    bool no_invitation;
};
/* `body`: a table whose first line names category.field, folder.KIND, a member of a new account, or what heading.h
 * finds a field for; or JSON {"accounts": […]}. With c->dry nothing is written, and what would be is told.
 * ERR_UNDECLARED names every column that stands for nothing. */
enum err import_begin(struct ctx *c, text body, bool json, const struct import_options *o, struct import **out);
unsigned import_count(const struct import *i);
/* One line, on a context of its own (arena, reason): its result is kept. Lines may be done side by side. */
void import_line(struct ctx *c, struct import *i, unsigned line);
enum err import_answer(struct ctx *c, const struct import *i, struct answer *out);

/* What identifiers that move or go mean for accounts (address.h), and registrations whose time is over. */
extern const struct feature opening_feature;

#endif
