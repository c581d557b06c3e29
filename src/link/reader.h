/* The reader of emails: a process of its own, which forks one for each message; that one has no file, no network and no
 * rights, and ends with it. */
#ifndef LINK_READER_H
#define LINK_READER_H
#include "domain/core/reader.h"

/* The first argument by which the program is the reader, and nothing else. */
#define READER_WORD "email-reader"
int reader_main(void);

struct mail_reader;
/* The process starts with the first email. *as: for inbound_open(). ERR_MEMORY. */
enum err reader_open(struct arena *a, struct mail_reader **out, struct reader *as);
void reader_close(struct mail_reader **r);

#endif
