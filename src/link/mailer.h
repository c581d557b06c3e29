/* The mailer: a thread that asks the domain for the letters that are due, sends them, and tells what became of each. */
#ifndef LINK_MAILER_H
#define LINK_MAILER_H

#include "link/smtp.h"

struct app;

struct mailer;
/* Begins at once; a letter goes within half a second of the commit that queued it. ERR_CONFIG for options that cannot
 * be used. */
enum err mailer_start(struct arena *a, struct app *app, const struct smtp_options *o, struct mailer **out);
/* Breaks off the letter that is on its way: it goes at the next start, under the same Message-ID. */
void mailer_stop(struct mailer **m);

#endif
