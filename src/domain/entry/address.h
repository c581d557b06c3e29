/* Changing what one signs in with, by oneself or by a patch of one's data. */
#ifndef DOMAIN_ENTRY_ADDRESS_H
#define DOMAIN_ENTRY_ADDRESS_H
#include "base/err.h"

struct answer;
struct category;
struct change;
struct ctx;
struct field;
struct json;
struct policy;

/* Of a patch that changes what the person of an account is found by or written to, other than by identifier_change():
 * their addresses are told, and when an address moves, sessions and links end in the same commit (ch->also).
 * ERR_FORBIDDEN, on record, for an account in a role that the actor may not give; ERR_CONFLICT for the person
 * themselves, who has identifier_change(). */
enum err identifier_moved(struct ctx *c, const struct json *patch, struct change *ch);
/* The same of a category that is erased: the person proves afresh who they are (ERR_REAUTHENTICATE). */
enum err identifier_dropped(struct ctx *c, struct change *ch);
/* {"field": "category.field", "value"}, after a fresh proof (ERR_REAUTHENTICATE). "confirm": a letter went to the new
 * address; "changed": a telephone or a name, at once; "unchanged". Empty takes a telephone or a name away. ERR_CONFLICT
 * when another has it, counted by throttle_letter(); ERR_FORBIDDEN, saying why, for what they cannot type over. */
enum err identifier_change(struct ctx *c, const struct json *in, struct answer *out);
/* Why the person cannot type over what stands in that category, and what to do; empty when they can. */
text identifier_why_not(struct ctx *c, const struct category *cat);
/* Whether whoever changes that field moves the way in: an identifier, or where letters go in a policy that finds nobody
 * by an address. */
bool identifier_guarded(const struct policy *p, const struct category *cat, const struct field *f);
enum err identifier_confirm(struct ctx *c, text token, struct answer *out);
/* Whether its link still works: before its page is shown. ERR_NOT_FOUND. */
enum err identifier_look(struct ctx *c, text token);
/* RFC 7386 merge patch; needs c->if_match. Former values are kept under the policy's retention `former` (GDPR 16). */
enum err subject_patch(struct ctx *c, text id, const struct json *patch, text source, text purpose, struct answer *out);
/* The same from a source that may need a permission: `permitted` is when the person gave it there, empty where the one
 * in force is meant (permission_take). */
struct patched {
    text source, purpose, permitted;
};
enum err subject_patch_from(struct ctx *c, text id, const struct json *patch, const struct patched *from,
                            struct answer *out);

#endif
