/* What the files of trackers share: what is shown, since when it is asked, and the value that a browser keeps. */
#ifndef DOMAIN_TRACKER_ASKING_H
#define DOMAIN_TRACKER_ASKING_H
#include "domain/tracker/tracker.h"

/* The purposes, trackers and words of a banner as JSON, and their SHA-256. */
struct asking {
    text shown;
    char hash[65];
};
enum err asking_shown(struct ctx *c, const struct tracker_asked *asked, struct asking *out);
/* The last change that matters; 0: none since the first version. */
enum err asking_since(struct ctx *c, const struct tracker_asked *asked, msec *out);
int64_t asking_life(const struct ctx *c, const struct tracker_asked *asked); /* in seconds, from now */
/* given: purposes with '~' between. */
text asking_value(struct ctx *c, msec since, text given, text device);

#endif
