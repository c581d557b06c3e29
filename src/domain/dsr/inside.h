/* What the files of requests share: a row of the register, its sealed file, and how it is changed. */
#ifndef DOMAIN_DSR_INSIDE_H
#define DOMAIN_DSR_INSIDE_H
#include "domain/core/data_subject.h"
#include "domain/dsr/dsr.h"
#include "domain/mail/mail.h"
#include "store/store.h"

enum { DSR_TEXT_MAX = 4000, DSR_PROOF_MAX = 5 << 20, DSR_NAME_MAX = 200, DSR_PROOFS = 10 };

/* ---- Rows of moves.def. ---- */
enum dsr_kind_id {
#define ASKED(name, ...) DSR_##name,
#include "domain/dsr/moves.def"
    DSR_KINDS
};
enum dsr_state {
#define STATE(name, kind) DSR_IN_##name,
#include "domain/dsr/moves.def"
    DSR_STATES,
    DSR_IN_same = DSR_STATES
};
enum dsr_state_kind { DSR_STATE_open, DSR_STATE_paused, DSR_STATE_closed };
enum dsr_by { DSR_BY_staff = 1, DSR_BY_asker = 2, DSR_BY_both = 3, DSR_BY_server = 4 };
enum dsr_says { DSR_SAYS_none, DSR_SAYS_may, DSR_SAYS_must };
enum dsr_move_id {
#define MOVE(name, ...) DSR_MOVE_##name,
#include "domain/dsr/moves.def"
    DSR_MOVES
};
struct dsr_move_row {
    enum dsr_move_id id;
    text name;
    unsigned from; /* 1 << enum dsr_state */
    enum dsr_state to;
    enum dsr_by by;
    enum dsr_says says;
    text act;
};
const struct dsr_move_row *dsr_move_row(enum dsr_move_id id);
const struct dsr_move_row *dsr_move_named(text name); /* NULL when there is none */
text dsr_state_word(enum dsr_state s);
enum dsr_state_kind dsr_state_kind(enum dsr_state s);
text dsr_kind_word(enum dsr_kind_id k);
text dsr_kind_says(const struct ctx *c, enum dsr_kind_id k);
bool dsr_kind_needs_identity(enum dsr_kind_id k);
bool dsr_kind_is_copy(enum dsr_kind_id k); /* answered by the copy itself */
bool dsr_kind_offered(const struct ctx *c, enum dsr_kind_id k);
bool dsr_kind_named(text name, enum dsr_kind_id *out);

/* ---- One request. ---- */

/* The file, sealed as a whole: texts that may be absent (p NULL). agent: "true" where somebody else asks for `person`.
 */
#define DSR_FILE(X)                                                                                                    \
    X(name) X(email) X(address) X(agent) X(person) X(text) X(language)                                                 \
    X(secret) X(question) X(reply) X(answer) X(reasons) X(certificate)
struct dsr_file {
#define X(member) text member;
    DSR_FILE(X)
#undef X
};
struct dsr {
    struct subject_id id, subject;
    int64_t version;
    enum dsr_kind_id kind;
    enum dsr_state state;
    text channel, identity; /* identity: none, session, link, proof, mandate */
    bool has_subject;
    msec received, extended, asked, paused; /* extended, asked: 0: not; paused: how long in all */
    msec alarm, legal, remind;              /* remind 0: nothing follows */
    bool has_follow, has_link, had_link; /* had_link: as it was read; a change says what became of that one */
    struct digest follow, link, old_link;
    text link_for, old_for;
    msec link_until, closed, due;
    bool has_joined; /* it goes on in that one */
    struct subject_id joined;
    struct dsr_file file;
};
/* ERR_NOT_FOUND for an unknown one. */
enum err dsr_load(struct ctx *c, struct subject_id id, struct dsr *out);
enum err dsr_load_named(struct ctx *c, text id, struct dsr *out);
text dsr_reference(struct ctx *c, const struct dsr *d); /* its id */
bool dsr_identified(const struct dsr *d);
bool dsr_by_agent(const struct dsr *d); /* who asks does so for somebody else */

/* Both dates, from all that counts for them. */
enum err dsr_time(struct ctx *c, struct dsr *d);
/* {"law", "promise", "days_left", "days_paused"} of an open object: each as a day. */
enum err dsr_time_put(struct ctx *c, const struct dsr *d, struct json_out *w);
/* Under the key of requests, bound to its place. */
enum err dsr_seal(struct ctx *c, struct subject_id request, text table, text field, int64_t version, text clear,
                  sealed *out);
enum err dsr_unseal(struct ctx *c, struct subject_id request, text table, text field, int64_t version, sealed in,
                    text *clear);
enum err dsr_file_seal(struct ctx *c, const struct dsr *d, int64_t version, sealed *out);

/* Whether the law still lets it be extended: inside the first month. */
enum err dsr_may_extend(struct ctx *c, const struct dsr *d);

/* The law's month waits from now on, where it was asked without delay; and goes on. */
void dsr_pause(struct dsr *d, msec now);
void dsr_resume(struct dsr *d, msec now);

/* Members of an open object: what everybody who sees the request sees. */
enum err dsr_put_head(struct ctx *c, const struct dsr *d, struct json_out *w);
/* "history": each move with its time, those of requests joined to it too ("request": their reference). What was written
 * with a move: nobody's, this request's own, or all. */
enum dsr_notes { DSR_NOTES_none, DSR_NOTES_own, DSR_NOTES_all };
enum err dsr_put_history(struct ctx *c, const struct dsr *d, enum dsr_notes notes, struct json_out *w);
/* "moves": [{"move", "text": none, may or must be written with it}]: those that the state allows to that side. */
void dsr_put_moves(struct ctx *c, const struct dsr *d, enum dsr_by by, struct json_out *w);

/* ---- Emails that came in. ---- */
struct inbound;
struct dsr_change;
/* One made ready to be kept, of a request or set aside. */
struct dsr_mail {
    struct subject_id id, request;
    bool has_request;
    text class; /* asks, adds; of one set aside: a word of mail/machine.def, large, or many */
    int64_t size;
    struct digest digest, thread;
    bool has_thread;
    msec due; /* 0: as long as its request */
    sealed meta, content;
    text subject, said; /* in clear, without payment card numbers */
};
/* Seals it; what holds a payment card number is not kept as it came. */
enum err dsr_mail_make(struct ctx *c, const struct inbound *m, text class, struct dsr_mail *out);
/* Inside a write: ERR_CONFLICT when the same came before. */
enum err dsr_mail_run(struct db *db, const struct ctx *c, const struct dsr_mail *m, const struct subject_id *subject);
/* "emails" of an open object: those of the request, with their files. */
enum err dsr_put_mails(struct ctx *c, const struct dsr *d, struct json_out *w);
/* The email on whose row q stands, of a statement that begins with the columns of DSR_MAIL_OF. */
enum err dsr_mail_put(struct ctx *c, struct query *q, struct json_out *w);
/* What an email asks for, its text and who wrote it, into the file of a new request. */
enum err dsr_fill(struct ctx *c, const struct dsr_mail *mail, text sender, text name, struct dsr_change *ch);
/* Whose data the operator only stores: their names, as a letter lists them; empty when there is nobody. */
text dsr_stored_names(struct ctx *c);
/* An answer that names one of them alone: the request is passed on to it, and *passed. */
enum err dsr_pass_on(struct ctx *c, const struct inbound *m, struct dsr *d, bool *passed, struct answer *out);
/* More for a request that is open, of that email. */
enum err dsr_mail_more(struct ctx *c, const struct inbound *m, struct dsr *d, struct answer *out);
/* The digests by which an email is found again: of all of it, of its Message-ID. */
struct digest dsr_mail_digest(struct ctx *c, text use, text what);
/* What stands before the @ of an answer's address, and in the Message-ID of our letters: of one request alone. */
text dsr_token(struct ctx *c, struct subject_id request);
/* The request of a token, whose tenant c->tenant becomes. False when it was never made. */
bool dsr_token_of(struct ctx *c, text token, struct subject_id *out);
/* Takes an email in: a request, more for one, or set aside. */
enum err dsr_came(struct ctx *c, const struct inbound *m, bool *taken, struct answer *out);

/* ---- A change: the row, the step of its history, letters and proofs, in one commit. ---- */
enum { DSR_LETTERS = 2 };
struct dsr_change {
    struct ctx *c;
    struct dsr_change *with; /* of another request, in the same commit; may be NULL */
    struct dsr d; /* as it will be; its version is that which was read */
    bool fresh;   /* there is no row yet */
    const struct dsr_move_row *move; /* NULL: received */
    text note;                       /* what was written with it */
    struct mail_put letters[DSR_LETTERS];
    unsigned letter_count;
    const struct attempt *throttled; /* a letter that strangers may ask for */
    const struct dsr_proof *proof;   /* one that is given */
    const struct dsr_mail *mail;     /* one that came in */
    const struct subject_id *aside;  /* an email set aside that becomes this request */
    text into;                       /* reference of the request that it is joined to */
    text names;                      /* of whom the letter asks which the request is for */
    bool passed;                     /* nothing of it stays here but that it was passed on */
    text answers;                    /* Message-ID that its first letter answers */
    text checked, checked_what;      /* accepted or refused: those that were given of identity, mandate */
    struct answer *kept;             /* what a repeated request is answered, made here; may be NULL */
    /* made by dsr_write(): */
    sealed body, step, meta, content;
    bool priced; /* what staff wrote asks the person for money */
    struct subject_id proof_id;
    msec proof_due;
};
/* Who answers people; not who sees a team only, for a request may be anybody's. */
enum err dsr_may_answer(struct ctx *c);
/* Reads the row into ch->d and makes the move ready: ERR_CONFLICT when its state does not allow it, ERR_FORBIDDEN for
 * the other side, ERR_MISSING and ERR_VALUE for what is written with it. */
enum err dsr_begin(struct ctx *c, struct dsr_change *ch, enum dsr_move_id move, enum dsr_by by, text said);
/* A new one, received now by that channel. */
void dsr_fresh(struct ctx *c, struct dsr_change *ch, text channel);
/* Whether what was written with that move asks the person for money, as far as its words tell (prices.def). ERR_MEMORY.
 */
enum err dsr_names_price(struct ctx *c, const struct dsr_move_row *move, text said, bool *out);
/* Writes one that a stranger sent, with its acknowledgement, unless their address has had enough of them. */
enum err dsr_send_in(struct ctx *c, struct dsr_change *ch);
/* Seals and writes: ERR_PRECONDITION when the row changed meanwhile. */
enum err dsr_write(struct dsr_change *ch);

/* ---- Two of one matter. ---- */

/* Of the move join: "into" names the request in which ch->d goes on, and ch->with becomes its change. The month of the
 * one that came first counts. ERR_CONFLICT for two people or two matters, and where something known would be lost. */
enum err dsr_join(struct dsr_change *ch, const struct json *in);
/* "joined_from" of an open object: those that go on in this one, each with what was asked. */
enum err dsr_put_joined(struct ctx *c, const struct dsr *d, struct json_out *w);

/* ---- Letters and links. ---- */
/* Adds a letter to the address that the request gave, in its language; nothing where there is none. */
enum err dsr_letter(struct dsr_change *ch, text letter, text said);
/* The same to the address on file of `p`, with the link that works once and proves who asks. */
enum err dsr_letter_on_file(struct dsr_change *ch, const struct person *p);
/* Tells the person that a mandate of theirs was accepted, with the link that says it is not theirs. *told is
 * false where no letter can go. */
enum err dsr_letter_of_mandate(struct dsr_change *ch, const struct person *p, bool *told);
/* The letter with the link to the answer. */
enum err dsr_letter_answer(struct dsr_change *ch);
/* The address of the follow link, made once. */
text dsr_follow_path(struct dsr_change *ch);

/* The person as the server sees them, closed too. */
enum err dsr_person(struct ctx *c, struct subject_id id, struct person *out);

/* "proofs" of an open object; how many of that kind (identity, mandate) were given and not checked. */
enum err dsr_put_proofs(struct ctx *c, const struct dsr *d, text what, struct json_out *w, int64_t *waiting);
enum err dsr_proof_seal(struct dsr_change *ch);
text dsr_proof_type(text content); /* empty: none that is taken */
enum err dsr_proof_check(struct ctx *c, const struct dsr_proof *p);

/* Reminders and ends. */
enum err dsr_tick(struct ctx *c);
/* When staff are reminded next, of what comes after `now`. */
void dsr_remind_from(struct dsr *d, msec now);

#endif
