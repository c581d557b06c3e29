/* Letters that wait and those that went. */
#ifndef DOMAIN_MAIL_SENT_H
#define DOMAIN_MAIL_SENT_H
#include "base/err.h"
#include "base/clock.h"

struct answer;
struct ctx;
struct json_out;
struct paging;
struct person;

struct outbox_figures {
    int64_t queued, given_up;
    uint64_t sent, failed;
    msec next;
    bool sender;
};
/* queued and given_up: letters that wait, and that never went; sent, failed: since the server started; next: time of
 * the next try, 0: none. */
enum err outbox_figures(struct ctx *c, struct outbox_figures *out);
/* For the operator: the figures, and the letters that met trouble, without any word of theirs. */
enum err outbox_answer(struct ctx *c, const struct paging *asked, struct answer *out);
/* The list of this person's letters that have not gone, and with `sent_too` of those that went in the last seven days.
 */
enum err outbox_put_of(struct ctx *c, const struct person *p, bool sent_too, struct json_out *w);

#endif
