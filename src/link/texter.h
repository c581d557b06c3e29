/* The texter: a thread that sends text messages (SMS) by the operator's HTTP gateway, as the mailer sends letters. */
#ifndef LINK_TEXTER_H
#define LINK_TEXTER_H
#include "base/arena.h"
#include "domain/mail/texts.h"

struct app;

struct texter;
/* As the settings file says. body: {to} (+33612345678), {digits} (the same without "+"), {text}, {sender}, {id} and
 * {key} in it are replaced, each written as `type` wants it. */
struct texter_options {
    text url, type, body;     /* type: "application/json" or "application/x-www-form-urlencoded" */
    text ca_file;             /* empty: the system's authorities */
    text bearer, secret, key; /* of the file of credentials; may be empty */
    struct texts texts;
};
/* Begins at once. ERR_CONFIG for options that cannot be used. */
enum err texter_start(struct arena *a, struct app *app, const struct texter_options *o, struct texter **out);
/* Breaks off the message that is on its way: whether it went is then not known. */
void texter_stop(struct texter **t);
/* The values of a file of credentials, a line NAME=VALUE each; "credential:NAME" is one of systemd's. ERR_CONFIG when
 * it is not there, or others may read it. */
enum err texter_credentials(struct arena *a, text file, struct texter_options *out);

#endif
