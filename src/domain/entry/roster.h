/* Accounts, listed and administered. */
#ifndef DOMAIN_ENTRY_ROSTER_H
#define DOMAIN_ENTRY_ROSTER_H
#include "base/err.h"

struct answer;
struct ctx;
struct json;
struct paging;

enum { ACCOUNTS_PAGE = 50 };
/* `state`, `role`, `purpose` may be empty; the journal names the purpose that was named. ACCOUNTS_PAGE: of the page for
 * staff. A role that sees its team lists its team. `names`: without a purpose, names all the same, for the first
 * purpose of the role that allows it, which then stands in the journal. */
enum err account_list(struct ctx *c, text state, text role, text purpose, bool names, const struct paging *asked,
                      struct answer *out);
enum err account_get(struct ctx *c, text id, text purpose, bool names, struct answer *out);
/* How many registrations within this role's reach wait for approval: a number, nobody is looked at. */
enum err account_waiting(struct ctx *c, int64_t *out);
/* {"role": name or null}; ends the sessions in the former role. */
enum err account_role(struct ctx *c, text id, const struct json *in, struct answer *out);
/* {"manager": id or null}: whose team the person is in. */
enum err account_manager(struct ctx *c, text id, const struct json *in, struct answer *out);
/* {"date", "reference"}: the confidentiality agreement was signed; a role that needs it opens. */
enum err account_agreement(struct ctx *c, text id, const struct json *in, struct answer *out);

#endif
