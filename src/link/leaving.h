/* Letters of features that leave one at a time: each is marked as leaving before, so that none goes twice; what went
 * is on record with the next one. One channel has one of these, on one thread. */
#ifndef LINK_LEAVING_H
#define LINK_LEAVING_H
#include "domain/core/feature.h"
#include "domain/mail/outbox.h"
#include "link/thread.h"

struct app;
struct gone;

/* What the transport made of one letter. */
struct sending {
    enum letter_fate fate;
    bool reached;  /* whoever takes them was there: others may go */
    int wait_ms;   /* how long it asks to be left alone; 0: it does not */
    char code[24]; /* a word, never personal */
};
struct leaving_line {
    struct app *app;
    text channel; /* "email", "sms" */
    void (*send)(void *arg, struct arena *a, const struct outbox_letter *l, struct sending *out);
    void *arg;
    const struct link_thread *thread; /* that it is on */
    int pause_ms;      /* after whoever takes letters could not be reached, or they not be read */
    struct gone *gone; /* the letter that went last, until that is on record */
};

/* A few letters, and all of them on record; true when there may be more at once. */
bool leaving_some(struct leaving_line *l);
/* What does not work now is tried less and less often, once a minute at last. */
void leaving_pause_longer(struct leaving_line *l);

#endif
