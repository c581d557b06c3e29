/* What the rounds of the teller remember: rows that cannot be told stay as they are (to write to a row that was altered
 * would bind it anew), so the next is looked for behind them, however many they are. One thread. */
#ifndef DOMAIN_RECIPIENT_ROUND_H
#define DOMAIN_RECIPIENT_ROUND_H
#include "domain/recipient/told.h"

/* Behind which the next is looked for, in the order of time and id. */
struct place_due {
    msec at;
    text id;
};

/* The place of that recipient, its id in `a`; the beginning when nothing was passed over in the last minute: what is
 * due again before it, or was mended, has its turn. */
enum err told_behind(struct told_round *r, struct arena *a, text recipient, msec now, struct place_due *out);
/* That row cannot be told, for its own reason (e, said in `a`). Logged at once, then ever less often, a day at most. */
enum err told_pass(struct told_round *r, struct arena *a, text recipient, msec now, const struct place_due *place,
                   enum err e);
/* Nothing more is due behind that place: when it is the beginning, each row can be told. */
void told_all_seen(struct told_round *r, text recipient, const struct place_due *from);

#endif
