/* Emails that come in: to which of the policy's addresses, read, told apart from what machines write, and given to the
 * feature that takes them. */
#ifndef DOMAIN_MAIL_INBOUND_H
#define DOMAIN_MAIL_INBOUND_H
#include "domain/core/ctx.h"

struct reader;
struct json_out;

/* Larger ones are refused in the dialogue with the mail server. */
enum { INBOUND_MAX = 25 << 20, INBOUND_ADDRESS_MAX = 320 };

/* What an address of ours is for. */
enum inbound_box {
    INBOUND_NONE,
    INBOUND_TENANT,  /* tenants.*.email */
    INBOUND_PRIVACY, /* rights.channels.email, controller.email, dpo.email */
    INBOUND_SENDER,  /* --mail-from: what could not be delivered comes back there */
    INBOUND_STOP     /* unsubscribe+TOKEN@ */
};
struct inbound {
    text to, from; /* the envelope's; from empty: none to which an answer could go */
    text raw;      /* as it came; empty only for INBOUND_STOP */
    enum inbound_box box;
    text tag;                /* of "privacy+TAG@": may be empty */
    bool nobody;             /* the envelope names no sender: a report, or another answer of a machine */
    const struct json *said; /* what the reader made of it (core/reader.h); NULL: it ended over it */
    text machine;            /* why no person wrote it: a word of machine.def, or large: it was not fetched; empty: a
                              * person may have */
};

/* Said by the server at its start: who reads emails, whether answers to "ADDRESS+TOKEN@" come in, and whose
 * Authentication-Results are believed (empty: nobody's). */
void inbound_open(struct app *app, const struct reader *reader, bool listens, text trusted);
/* Which address that is, its tenant and tag; INBOUND_NONE for one that is not ours. */
enum inbound_box inbound_box(struct ctx *c, text to, text *tenant, text *tag);
/* An email, as the mail server hands it over: durable when it returns OK. `from` p NULL: not said, the message's own
 * Return-Path or From stands for it. Answers {"became", "reference", "why"}. ERR_NOT_FOUND for an address that is not
 * ours, ERR_TOO_LARGE; ERR_BUSY and what the store says when it is to be brought again. */
enum err inbound_receive(struct ctx *c, text to, text from, text raw, struct answer *out);
/* An email that was fetched from a mailbox, where no envelope says whom it is for: each of the policy's addresses
 * that its headers name gets it, else `mailbox`; OK when all have it. large: raw is the header alone of one above
 * INBOUND_MAX, which is set aside for staff to see. Else as inbound_receive(); one that was filed before is "again". */
enum err inbound_fetched(struct ctx *c, text mailbox, text raw, bool large, struct answer *out);
/* What became of asking the mailbox that emails are fetched from: a word of link/imap.h, "address" when the policy
 * in force names its address no more, "" when all went well, NULL when nothing was asked yet. Each change is said in
 * the log. */
void inbound_mailbox(struct ctx *c, const char *code);
struct inbound_figures {
    bool on;                    /* emails are fetched */
    bool reached;               /* the last time went well */
    msec since;                 /* when it went well last; 0: never */
    const char *code;           /* why not */
    uint64_t fetched, failures; /* since the server started */
};
struct inbound_figures inbound_figures(const struct app *app);
/* "mailbox" of an open object: null, or {"reached", "since", "code", "fetched"}. */
void inbound_mailbox_put(struct ctx *c, struct json_out *w);
/* {"became": word, "reference": id or null, "why": word or null}. */
enum err inbound_answer(struct ctx *c, text became, text reference, text why, struct answer *out);

/* Reads a message that was kept: m->said. As inbound_receive() of what cannot be read. */
enum err inbound_read(struct ctx *c, struct inbound *m);
/* The first header of that name; empty when there is none. */
text inbound_header(const struct inbound *m, text name);
/* The content of a file of a message, by the reader. */
enum err inbound_file(struct ctx *c, text raw, int part, text *out);
/* Results of SPF, DKIM and DMARC that the mail server named by serve --mail-host wrote; empty when there are none. */
text inbound_authentication(struct ctx *c, const struct inbound *m);
/* The first address of the policy that people write to in c->tenant; empty when there is none. */
text inbound_address(struct ctx *c);

#endif
