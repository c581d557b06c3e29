/* What changed between two versions of the policy, in plain words: for whom, and whether people must be told (GDPR
 * 13(3), 14(4)). */
#ifndef PUBLISH_DIFF_H
#define PUBLISH_DIFF_H
#include "policy/policy.h"

struct diff_item {
    bool material;               /* a new purpose, category, recipient or country, a longer retention, a weaker right */
    text path;                   /* of the clause, in the newer version where it stands there */
    uint32_t old_line, new_line; /* 0 where it does not stand */
    text says, whom;             /* in words; whom: the kinds of people it is about */
    text purpose;                /* the purpose it changes, p NULL when it is none; */
    bool again;                  /* that purpose rests on consent, which is therefore asked again */
    struct diff_item *next;
};
struct diff {
    struct diff_item *first;
    unsigned material, editorial;
};

/* Whether what changed matters to who chose about trackers of that purpose: a tracker of it, or who receives its data.
 * Renewals of such choices stand under DIFF_TRACKERS and the purpose's name. */
#define DIFF_TRACKERS TEXT("cookies.")
bool diff_of_trackers(const struct diff_item *item, const struct node *newer, text purpose);

/* Material changes first, then in the order of the newer file. Two equal versions have no item. */
enum err diff_make(struct arena *a, const struct node *older, const struct node *newer, text language,
                   struct diff *out);
/* {"material": n, "editorial": n, "changes": [{"weight", "path", "old_line", "new_line", "says", "for",
 * "consent_again"}]} */
void diff_json(struct json_out *w, const struct diff *d);
void diff_plain(struct buf *b, const struct diff *d, text language);
/* The list inside a page. */
void diff_html(struct buf *b, const struct diff *d, text language);

#endif
