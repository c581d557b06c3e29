/* Recipients are told of what was done about a person whose data they were given (GDPR 19): a duty of kind tell… each,
 * which the server fulfils by itself as recipients.yaml, beside the policy file, says for that recipient. What is told
 * names the person by the disclosures that the recipient was given, by their ids, and holds no value of theirs. */
#ifndef DOMAIN_RECIPIENT_TOLD_H
#define DOMAIN_RECIPIENT_TOLD_H
#include "domain/core/ctx.h"

struct answer;
struct asker;
struct json;
struct paging;
struct told_round; /* of the teller, from its beginning to its end */

struct told_round *told_round_open(void);     /* NULL: no memory */
void told_round_close(struct told_round **r); /* NULL is fine */

/* Who sends to webhooks (link/teller.c), NULL at the end. Asked: {"url", "secret", "ca_file", "id", "at",
 * "body"}; answered: {"code", "retry_after", "body"} of reach/http.h. */
void told_open(struct app *app, const struct asker *by);
/* The next that is due is told, each step durable before the next: a try is on record before anything goes, and what a
 * crash cuts off is told again under the same id. *more when another may be due at once. ERR_CONFIG when the settings
 * cannot be used. A row that cannot be told, such as one that was altered, is passed over and logged, and holds up no
 * other, however many they are: r remembers them from round to round. What fails is tried again
 * after a minute, ever less often, a day at most; what has no answer after "again" days (7), until "give_up" days (90):
 * then it is left to staff. */
enum err told_work(struct ctx *c, struct told_round *r, bool *more);

/* For who may `export` and sees everybody. {"by": webhook, letter or staff, "fault": of the settings, or null, "told":
 * [{"id", "kind", "title", "state": waiting, sent, failed, acknowledged, impossible, disproportionate, over (something
 * else holds by now) or silent (given up), "references", "since", "due", "sent", "tries", "next", "way", "why",
 * "answered", "via", "reason"}]}: the newest first, a page of them. */
enum err told_list(struct ctx *c, text recipient, const struct paging *asked, struct answer *out);
/* One that waits is told again at once. ERR_NOT_FOUND when it does not wait. */
enum err told_again(struct ctx *c, text recipient, text duty);

/* The calling recipient's own that wait for an answer: {"told": [{"id", "kind", "title", "references", "since",
 * "due"}]}, the oldest first, a page of them. ERR_FORBIDDEN, on record, for whoever is none. */
enum err told_own(struct ctx *c, const struct paging *asked, struct answer *out);
/* `in`: {"state": acknowledged or impossible, "reason": needed for the second}. Answers {"id", "state"}. ERR_NOT_FOUND
 * when it is none of the caller's that waits. */
enum err told_answer_own(struct ctx *c, text duty, const struct json *in, struct answer *out);
/* The link of what was told: from now on the caller is that recipient, in its tenant. {"recipient", "title", "told":
 * the one row}. Nothing is spent by it. ERR_NOT_FOUND alike for unknown and answered. */
enum err told_by_link(struct ctx *c, text token, struct answer *out);
enum err told_answer_link(struct ctx *c, text token, const struct json *in, struct answer *out);

#endif
