/* Marketing letters: written by staff, counted, tried, sent at a pace to whoever lets them, stopped by them at once. */
#ifndef DOMAIN_CAMPAIGN_CAMPAIGN_H
#define DOMAIN_CAMPAIGN_CAMPAIGN_H
#include "domain/core/feature.h"

struct paging;

/* A campaign belongs to one purpose that rests on consent, and to one channel of it: emails and text messages leave by
 * themselves, calls and letters are handed to staff; who works on one must be allowed
 * to send for that purpose. States: draft, running, paused, stopped, done. */

/* {"name", "purpose", "channel"?, "subject": {language: text}, "text": {language: text}, "measure"?}: subject and text
 * in each language of the policy. Text: paragraphs, "# " for a heading, "- " for a list, [words](https://…) for a
 * link. ERR_MISSING, ERR_VALUE, ERR_CARD_NUMBER; ERR_PURPOSE with the clause for a purpose that the policy refuses, is
 * not the caller's, does not rest on consent, or where `measure` is asked of a policy that has no purpose for it. */
enum err campaign_make(struct ctx *c, const struct json *in, struct answer *out);
/* Those for whose purpose the caller may send, newest first: {"campaigns", "next"}. */
enum err campaign_list(struct ctx *c, const struct paging *asked, struct answer *out);
/* What it says and how far it is; totals of what was opened and followed, null below `min_group`. */
enum err campaign_show(struct ctx *c, text id, struct answer *out);
/* How many would get it now: {"recipients"}. It takes long where many ever agreed. */
enum err campaign_count(struct ctx *c, text id, struct answer *out);
/* The letter as it would go, in that language: {"subject", "text", "html"}; of a text message also {"segments",
 * "letters", "alphabet": "gsm7" or "ucs2", "beyond": the letters for which it is the second}. */
enum err campaign_preview(struct ctx *c, text id, text language, struct answer *out);
/* The letter to the caller's own address or number; of a program or the operator, to the controller's. ERR_TOO_MANY
 * beyond the budget campaign_tests; ERR_CONFLICT for a number that stopped that purpose, asked inside the write. */
enum err campaign_test(struct ctx *c, text id, struct answer *out);
/* {"do": "start", "pause", "resume" or "stop", "at"?, "pace"?}: start wants the recipients counted before; pace is
 * letters an hour, 0: as fast as it goes. ERR_CONFLICT where the state does not allow it. */
enum err campaign_steer(struct ctx *c, text id, const struct json *in, struct answer *out);
/* Those of whom it is not known whether their letter went: [{"subject", "at"}]. They get no second one. */
enum err campaign_uncertain(struct ctx *c, text id, const struct paging *asked, struct answer *out);

/* Of a campaign by telephone or post, while it runs: hands out the next people, {"most"?: 1 to 200}, each once, in a
 * write that asks again whether they let it. Answers {"taken", "left_out", "over"}. */
enum err campaign_hand_out(struct ctx *c, text id, const struct json *in, struct answer *out);
/* Those handed out of whom nothing is noted yet, and who still let it: {"people": [{"subject", "name", "phone" or
 * "post", "at", "tries", "language", "line", "text"}], "next"}. name: empty where the role may not read it. */
enum err campaign_handed(struct ctx *c, text id, const struct paging *asked, struct answer *out);
/* A call: {"subject", "result": reached, no_answer (stays on the list), wrong or stop, "fields"?}. stop withdraws the
 * consent to that channel in the same write; a contact is noted where the policy keeps them (contact.h: fields).
 * ERR_CONFLICT for who is not on the list. */
enum err campaign_note(struct ctx *c, text id, const struct json *in, struct answer *out);
/* The letters on the list were posted: {"sent", "out": [those who stopped them since, whose letters are taken out]}. */
enum err campaign_posted(struct ctx *c, text id, struct answer *out);

/* Text messages. Whether who brings an answer knows the gateway's secret, in constant time. */
bool campaign_sms_believed(const struct ctx *c, text secret);
/* An answer to one, as the gateway brings it: a word that stops them withdraws the consent to that channel of whoever
 * they went to at that number, for each purpose, in each tenant. The same whoever is known, and whatever it says. */
enum err campaign_sms_came(struct ctx *c, const struct json *in);
/* Noted by staff: {"phone"} wants no more of that campaign's purpose by text message. ERR_NOT_FOUND when none went
 * there. */
enum err campaign_sms_noted(struct ctx *c, text id, const struct json *in, struct answer *out);

/* What the token of a letter's link or address ends: {"purpose", "title", "measure"}; ERR_NOT_FOUND for one that was
 * never made. It is signed, works without signing in, for ever, and after a change of the master key. */
enum err campaign_stop_look(struct ctx *c, text token, struct answer *out);
/* Ends it at once; `method`: link, one_click or email. Somebody who is gone gets none anyway: no error. */
enum err campaign_stop(struct ctx *c, text token, text method, struct answer *out);

/* The image of a letter was fetched, or its n-th link followed (*to: where it leads). On record only for a person who
 * agrees to be measured at this moment; else a total of the link alone, and nothing of the image. */
enum err campaign_opened(struct ctx *c, text token);
enum err campaign_followed(struct ctx *c, text token, text number, text *to);

/* Whether the policy has a purpose that measures letters, under a consent of its own. */
bool campaign_measurable(const struct ctx *c);

/* Member `campaigns` of the access answer and export, [{"campaign", "at", "state"}]; the letters that leave. */
extern const struct feature campaign_feature;

#endif
