/* A letter as a message of RFC 5322: headers that nothing can be smuggled into, plain text and HTML of the same content
 * (RFC 2046). */
#ifndef LINK_MIME_H
#define LINK_MIME_H
#include "base/buf.h"
#include "base/clock.h"

struct mime {
    text from_name, from, to, reply_to; /* addresses without angle brackets; reply_to may be empty */
    text subject, text, html, language;
    text id;              /* of Message-ID, what stands before the @; the same at every try */
    text in_reply_to;     /* Message-ID of what it answers by itself, without angle brackets; may be empty */
    text letter, purpose; /* names, for the header Service-Notice; purpose may be empty */
    text unsubscribe, unsubscribe_to; /* of marketing: a link and an address (RFC 8058); else empty: a service notice */
    msec date;
};
/* ERR_VALUE when a value that becomes a header holds a control character or an address more than one word; only the
 * header is named. */
enum err mime_write(struct arena *a, const struct mime *m, struct buf *out);

#endif
