/* What the files of campaigns share. */
#ifndef DOMAIN_CAMPAIGN_INSIDE_H
#define DOMAIN_CAMPAIGN_INSIDE_H
#include "domain/campaign/campaign.h"
#include "store/store.h"

struct buf;

enum {
    CAMPAIGN_LINKS = 100,  /* links of one language's text */
    CAMPAIGN_TEXT = 20000, /* bytes of a text */
    TRIES_MOST = 5
};
#define CAMPAIGN_KEPT (365 * DAY) /* how long it is on record what went to whom, and a draft that nobody started */

struct campaign {
    struct subject_id id, reached;
    bool has_reached;
    text tenant, state, purpose, channel, actor, kept, code; /* kept: the body as it is sealed */
    const struct json *body;                                 /* {"name", "subject", "text", "measure", "reason"} */
    msec at, starts, next;
    int64_t pace, recipients, sent, skipped, failed, uncertain, measured, opened; /* recipients: -1 not counted */
};
/* The row that `q` stands on, a CAMPAIGN_GET or one with its columns; opens its body. */
enum err campaign_take(struct ctx *c, struct query *q, struct campaign *out);
/* Of a letter: HANDED to staff, to be called or posted, and what becomes of it not noted yet. */
enum letter_state { LEAVING, SENT, AGAIN, FAILED, UNCERTAIN, HANDED };
/* ERR_NOT_FOUND, malformed or of another tenant alike. */
enum err campaign_find(struct ctx *c, text id, struct campaign *out);
/* One that the caller works on: for its purpose, by its channel, in their role. */
enum err campaign_own(struct ctx *c, text id, struct campaign *out);
/* Whether staff carry it out: by telephone or by post. */
bool campaign_by_hand(const struct campaign *m);
/* The purpose of that name, when it may have campaigns by that channel at all; else its refusal, on record. */
/* Who may be asked about: who ever agreed to it, or was offered to oppose it at a sale. */
enum sql campaign_people(const struct ctx *c, const struct campaign *m);
enum err campaign_purpose(struct ctx *c, text name, text channel, const struct purpose **out);
/* Whether the caller's class may send for it, whatever people say: ERR_FORBIDDEN or ERR_PURPOSE, on record. */
enum err campaign_may(struct ctx *c, const struct purpose *p, enum act act);
bool campaign_would(const struct ctx *c, const struct purpose *p, enum act act);

/* The purpose under which opening and following are recorded, and the category that holds it (stream: mail): NULL where
 * the policy has none. */
const struct purpose *campaign_measuring(const struct ctx *c, int *category);

/* ---- Words. ---- */
/* Parts of a text message: 160 letters of the seven bit alphabet, or 70 of another; 153 or 67 each where there are
 * more. `beyond`: letters, ten at most, for which the second holds. */
struct sms_length {
    bool ucs2;
    unsigned units, segments, beyond_count;
    text beyond;
};
/* How the links of a letter lead: straight there, by this server as everybody's do, or as this person's alone. */
struct campaign_words {
    text language;
    bool customer;             /* written to as a customer, without consent */
    bool printed;              /* a letter on paper */
    text go;                   /* what stands before a link's number; empty: links lead straight there */
    text pixel;                /* address of the image; empty: none */
    text stop, stop_to, quiet; /* link and address that end the letters; link that ends the measuring, may be empty */
    text subject, plain, html; /* made */
    struct sms_length length;  /* of a text message */
};
enum err campaign_render(struct ctx *c, const struct campaign *m, struct campaign_words *w);
/* Checks text, and subject where there is to be one, in each language of the policy. */
enum err campaign_check_words(struct ctx *c, const struct json *in, bool subject);
/* Where the n-th link of the text leads; p NULL when there is none. Numbers of French begin at 0, of English at 1000.
 */
text campaign_link(const struct campaign *m, int64_t number);

/* ---- Text messages. ---- */
bool campaign_by_text(const struct campaign *m);
enum err campaign_sms_length(struct arena *a, text said, struct sms_length *out);
/* The message: who writes, the text that was set, how to stop it; w->plain and w->length. ERR_VALUE when it is too
 * long, ERR_CONFLICT without a gateway. */
enum err campaign_sms_words(struct ctx *c, const struct buf *said, struct campaign_words *w);
/* A number as E.164 has it. ERR_MISSING for none, or for one without its country. */
enum err campaign_sms_number(struct ctx *c, text said, text *to);
/* The person's number as E.164 has it, its category, and the keyed digest by which an answer finds them. ERR_MISSING
 * where none is held. */
enum err campaign_sms_to(struct ctx *c, const struct campaign *m, const struct person *p, text *to, int *category,
                         struct digest *digest);
/* Inside the write that tries it: ERR_CONFLICT when who had a text message at that number stopped that purpose. */
enum err campaign_sms_run_allowed(struct db *db, const struct campaign *m, const struct digest *number);
struct digest campaign_sms_digest(struct ctx *c, text number);
/* Where the person is reached by that campaign's channel, of the purpose's categories alone; empty: nowhere. */
enum err campaign_reach_of(struct ctx *c, const struct campaign *m, const struct person *p, text *to, int *category);

/* ---- Tokens. ---- */
/* Ends that purpose's letters by that channel for the person: 52 characters that stand the loss of case. */
text campaign_stop_token(struct ctx *c, struct subject_id id, text purpose, text channel);
/* The letter of that person: for its image and its own links. */
text campaign_letter_token(struct ctx *c, struct subject_id campaign, struct subject_id id);
bool campaign_letter_of(struct ctx *c, text token, struct subject_id *campaign, struct subject_id *id);
/* "unsubscribe+TOKEN@…" at the sender's domain; empty while no sender is known. */
text campaign_stop_address(struct ctx *c, text token);

/* An email came to "unsubscribe+TOKEN@…": it ends what the token says. */
struct inbound;
enum err campaign_came(struct ctx *c, const struct inbound *m, bool *taken, struct answer *out);

/* ---- What came back. ---- */
/* A report that one of our letters could not be delivered (RFC 3464): *taken when it is about one that we sent. */
enum err campaign_returned(struct ctx *c, const struct inbound *m, bool *taken, struct answer *out);
/* Whether letters to that address of theirs came back for good. */
enum err campaign_comes_back(struct ctx *c, struct subject_id id, text address, bool *out);

/* ---- Leaving. ---- */
/* What stands before the @ of the Message-ID of that person's letter. */
text campaign_message_name(struct ctx *c, struct subject_id campaign, struct subject_id id);
enum err campaign_leaves(struct ctx *c, text channel, struct letter_left *before, struct outbox_letter **out);
/* Whose turn it is: from the one that was reached on, each is asked whether they would let it (not decided: it is asked
 * again when it leaves). Looks at a few hundred at most: neither found nor over, there are more. */
struct campaign_turn {
    struct subject_id id;
    bool found, again; /* again: it was tried before */
    int64_t tries;     /* so far */
    int64_t skipped;   /* people passed over before */
    bool over;         /* nobody is left */
};
enum err campaign_next_person(struct ctx *c, struct campaign *m, struct campaign_turn *t);
/* About this person, and not about the campaign: the next is looked for. */
bool campaign_about_person(enum err e);
enum err campaign_left(struct ctx *c, const struct outbox_letter *l, enum letter_fate fate, text code);
/* Whether this person is measured, as they say now. */
enum err campaign_measures(struct ctx *c, const struct person *p, bool *measured);

#endif
