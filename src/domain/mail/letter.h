/* Letters in words: a row of letters.def filled in, in one language, as plain text and as HTML with the same content.
 */
#ifndef DOMAIN_MAIL_LETTER_H
#define DOMAIN_MAIL_LETTER_H
#include "domain/core/ctx.h"

/* What the sender gives besides what every letter knows: names and values of letters.def. */
struct pair_text {
    text name, value;
};
/* Where answers to it go, and what it answers: each may be empty. */
struct letter_thread {
    text reply_to;    /* an address */
    text in_reply_to; /* Message-ID of an email, without angle brackets: the letter answers it by itself (RFC 3834) */
    text token;       /* part of the letter's own Message-ID, by which an answer is known */
};
struct letter_values {
    const struct pair_text *v;
    unsigned count;
    const struct json *noted; /* more of the contact that it leaves, once it went: see contact_prepare(); or NULL */
    struct letter_thread thread;
};

struct buf;

struct letter {
    text name, language, subject, text, html;
    const struct json *noted; /* of letter_values */
    struct letter_thread thread;
    bool apart, bulk;
};
/* ERR_INTERNAL for a letter that letters.def has not or a value that is missing; ERR_VALUE when the subject would hold
 * a line break or another control byte: it becomes a header. */
enum err letter_render(struct ctx *c, text language, text name, const struct letter_values *values, struct letter *out);
/* What a list calls it, in c->language: its subject where that needs no values, else its name. */
text letter_title(struct ctx *c, text name);
/* Whether it tells somebody where data about them came from: with it the duty of GDPR 14 is done. */
bool letter_informs(text name);
/* The site's name, in c->language: who writes. */
text letter_site(const struct ctx *c);
/* The one frame around every letter, in c->language: `body` and `foot` are HTML already. */
void letter_frame(const struct ctx *c, struct buf *b, text subject, text body, text foot);

#endif
