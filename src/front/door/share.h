/* Shares: what each caller has under way at once (bodies being read, answers not yet taken, exports), held against the
 * rows of budgets.def. */
#ifndef FRONT_DOOR_SHARE_H
#define FRONT_DOOR_SHARE_H
#include "domain/core/budget.h"

struct shares;

/* What one request holds of its caller's share, until share_give(). */
struct share {
    struct shares *table;
    struct owner *owner;
    int64_t of[BUDGETS];
};

struct shares *shares_open(void);          /* NULL: no memory */
void shares_close(struct shares **shares); /* nothing may be held any more */
/* `amount` more of that budget for this owner, in the unit of the row (bytes for one in MiB); the error of the row
 * beyond its limit, said in `language`. Any thread. A table that is NULL, as in process, bounds nothing. */
enum err share_take(struct shares *s, struct arena *a, text language, text owner, enum budget b, int64_t amount,
                    struct share *held);
/* The same for what is there already: it counts, whatever the limit. ERR_MEMORY alone. */
enum err share_add(struct shares *s, struct arena *a, text owner, enum budget b, int64_t amount, struct share *held);
/* Whether anything more may begin: the error of the row when the owner is at its limit. */
enum err share_room(struct shares *s, struct arena *a, text language, text owner, enum budget b);
void share_give(struct share *held);

#endif
