/* The fetcher: a thread that asks a mailbox for emails by IMAP, and files each as one that came by LMTP. */
#ifndef LINK_FETCHER_H
#define LINK_FETCHER_H
#include "link/imap.h"

struct app;
struct fetcher;

struct fetcher_options {
    struct imap_options imap;
    text address;  /* of the policy: whose emails these are where their headers name none of its addresses */
    text then;     /* what becomes of one that was filed: "seen", "delete", or "move" */
    text into;     /* where it is moved */
    int64_t every; /* seconds between two rounds, 1 to 3600 */
};
/* Begins at once. A message is marked only once the commit that filed it is durable; one that is fetched again after a
 * crash is known by its content, and filed no second time. ERR_CONFIG for options that cannot be used. */
enum err fetcher_start(struct arena *a, struct app *app, const struct fetcher_options *o, struct fetcher **out);
/* Breaks off what is under way: what was not filed is fetched again. */
void fetcher_stop(struct fetcher **fetcher);

#endif
