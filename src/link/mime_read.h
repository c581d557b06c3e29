/* An email that came in, taken apart by GMime. Only ever called in the reader's own process (link/reader.h), and by
 * fuzzers. */
#ifndef LINK_MIME_READ_H
#define LINK_MIME_READ_H
#include "base/buf.h"

/* Loads GMime and the character sets that are wanted, once: afterwards no file is opened any more. False when GMime is
 * not installed. */
bool mime_read_open(void);
/* {"from", "from_name", "return_path", "subject", "date", "message_id", "in_reply_to", "references": […], "text",
 * "headers": [{"name", "value"}], "files": [{"name", "type", "size"}], "report": {"recipient", "action", "status",
 * "message_id"} or null}. Whatever is broken in it is left out; an empty message gives empty members. False when
 * nothing can be made of it. */
bool mime_read(text message, struct buf *out);
/* All texts of it, plain and HTML, decoded, one behind the other. */
bool mime_read_texts(text message, struct buf *out);
/* The content of the n-th of "files". False when it has fewer. */
bool mime_read_part(text message, int part, struct buf *out);

#endif
