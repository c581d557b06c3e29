/* IMAP (RFC 3501) over TLS: libcurl connects, checks the certificate and signs in; what is asked of the mailbox, and
 * how much of an answer is taken, is ours. */
#ifndef LINK_IMAP_H
#define LINK_IMAP_H
#include "base/buf.h"
#include "link/thread.h"

struct imap;
struct imap_options {
    text url; /* "imaps://host" or "imaps://host:port": TLS from the first byte */
    text user, password;
    text mailbox; /* as the server writes it: "INBOX" */
    text ca_file; /* PEM of the authorities to believe; empty: the system's */
};
/* Checks the options; connects at imap_begin(). `t`: the thread that asks, at whose end every wait ends. ERR_CONFIG for
 * what cannot be used. */
enum err imap_open(struct arena *a, const struct imap_options *o, const struct link_thread *t, struct imap **out);
void imap_close(struct imap **m);

/* Whether that can name a mailbox. */
bool imap_name(text mailbox);

/* What follows is false when it failed, and imap_code() says why; the connection is then over, unless it
 * imap_goes_on(). */

/* Connects, signs in, and opens the mailbox. */
bool imap_begin(struct imap *m);
/* Says goodbye where that can be said, and disconnects. */
void imap_end(struct imap *m);
/* UIDs from `from` on of messages that nobody has read or deleted, in their order, as many as fit; *more when there are
 * others behind them. */
bool imap_search(struct imap *m, uint32_t from, uint32_t *uids, unsigned room, unsigned *count, bool *more);
/* Bytes of a message; -1 when it is gone. */
bool imap_size(struct imap *m, uint32_t uid, int64_t *size);
/* The message, or its header alone, into `out`, as far as that has room; nobody has read it by that. *out stays empty
 * when it is gone. False as well when there is more than fits. */
bool imap_message(struct imap *m, uint32_t uid, bool header_alone, struct buf *out);
/* Adds flags ("\\Seen \\Flagged"). */
bool imap_flag(struct imap *m, uint32_t uid, const char *flags);
/* Takes a message away; moves it to another mailbox, which must be there. */
bool imap_delete(struct imap *m, uint32_t uid);
bool imap_move(struct imap *m, uint32_t uid, text mailbox);

/* Whether the last failure was a command that its server refused, and others may follow. */
bool imap_goes_on(const struct imap *m);
/* "unreachable", "tls", "login", "timeout", "mailbox" (there is none of that name), "answer" (it is no IMAP, or too
 * much of it), "refused" (a command), "stopped": never personal. */
const char *imap_code(const struct imap *m);

#endif
