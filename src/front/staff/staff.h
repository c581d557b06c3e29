/* What staff pages share: who looks, for what they may, and why. */
#ifndef FRONT_STAFF_STAFF_H
#define FRONT_STAFF_STAFF_H
#include "front/page/page.h"

/* Begins a staff page: the frame, and of the role its title, whether it sees its team only, must say why it looks, may
 * write or send. */
enum err staff_open(struct ctx *c, const struct request *q, text name, struct page *p);
/* "tabs" of a register, what is open and what is closed, and "which_now": the one chosen; empty: what is open. */
void staff_which(struct page *p, text chosen);
/* "purposes": those for which the role may do that act, by name and title; `chosen` is the one selected. Only those
 * that use the category
 * (-1: any); and for messages none of marketing. */
void staff_purposes(struct page *p, enum act act, int category, text chosen);
/* Whether the role must say why it looks (roles.*.reason). */
bool staff_needs_reason(const struct ctx *c);
/* Takes the form's reason. */
enum err staff_reason(struct ctx *c, const struct request *q);
/* Whether the form is shown again with what went wrong; else the reason is answered as it is (nobody there, nobody
 * signed in, no memory). */
bool staff_again(enum err e);
/* The form again with the problem in the arena, or the page after an act; `why` is what page_problem() takes. */
struct staff_outcome {
    enum err status;
    struct why why;
};
struct staff_outcome staff_outcome(const struct ctx *c, enum err status);
void staff_problem(struct page *p, const struct staff_outcome *o);
int staff_status(const struct staff_outcome *o);
/* The title of a role of the policy; empty for another name. */
text staff_role(const struct ctx *c, text name);
/* Who did something, in words: a role or system by its title, the operator, the person, the server. */
text staff_who(const struct ctx *c, text name);
/* Copies a list whose items name an "actor", that one in words. */
void staff_acts(struct page *p, const struct json *from, text list);
/* Whose page it is, by name where the role may read it: "called" (may be empty), "id", "short", the tab that is open,
 * and "carries": a reason was given, and goes with every form and tab. `account`: of account_get(), or NULL. */
void staff_person(struct page *p, const struct json *account, text tab);
/* The account of the page's person as account_get() answers it, once their role has said why; NULL before, and for who
 * has none: *nobody. */
enum err staff_account(struct ctx *c, const struct request *q, text purpose, const struct json **out, bool *nobody);
/* The page of a person: `looked` is what was read of them (subject_read), or NULL; `said` the word of what was done. */
enum err staff_show_person(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                           const struct answer *looked, text said);
/* "/staff/people/ID" and what follows. */
text staff_path(struct ctx *c, const struct request *q, const char *after);

#endif
