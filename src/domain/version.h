/* Versions of the policy: published with a journal entry, kept readable, compared, acknowledged, shown. */
#ifndef DOMAIN_VERSION_H
#define DOMAIN_VERSION_H
#include "domain/app.h"
#include "domain/diff.h"

struct paging;

/* Whether the policy's day lies ahead while another one is in force: it is then announced, and the other one goes on being enforced. */
/* A warning into `f` when `p` changes what matters to people and applies sooner than changes.before allows. Asked before it is taken over. */
enum err version_warn(struct app *app, struct arena *a, const struct policy *p, struct findings *f);
enum err version_ahead(struct app *app, struct arena *a, const struct policy *p, bool *ahead);
/* Announces it: readable with what changes, told to people, with its journal entry; one announced before and not yet in force is withdrawn.
 * What was announced already is not announced again. Errors as version_publish(). */
enum err version_announce(struct app *app, struct arena *a, const struct policy *p);
/* The file of the version in force as this instance keeps it, and a name for it ("id version"); p NULL when it has seen none. */
enum err version_in_force(struct app *app, struct arena *a, text *yaml, text *name);
/* Brings a policy into force, which ends any announcement: stores one that is new to this instance, with its
 * journal entry and one for each rule of law whose finding the file accepts (ERR_POLICY when it breaks one that it
 * does not, also against the version before), and notes which purposes based on consent changed in a way that
 * matters: what people consented to before is then no longer a live consent for them (GDPR 7; DM-02). */
enum err version_publish(struct app *app, struct arena *a, const struct policy *p);

enum version_state { VERSION_ENTERED, VERSION_ANNOUNCED, VERSION_WITHDRAWN };    /* in force now or before; its day lies ahead; never in force */
struct version {
    text hash, id, version, date;                /* date: from which it says to apply */
    msec at;                                     /* when this instance published it */
    int64_t acknowledged;                        /* how many did acknowledge it */
    bool current;                                /* the one in force */
    enum version_state state;
    const struct node *root;                     /* set by version_open only */
    text source;
};
/* "in_force", "former", "announced" or "withdrawn". */
text version_word(const struct version *v);
/* All, the newest first. */
enum err version_list(struct ctx *c, struct version **out, unsigned *count);
/* One with its document. ERR_NOT_FOUND for a hash that is not among them. */
enum err version_open(struct ctx *c, text hash, struct version *out);

/* {"hash", "version", "date", "published", "in_force", "source", "document"}: one as data, its document as it was read when it was published. */
enum err version_get(struct ctx *c, text hash, struct answer *out);
/* {"versions": [...]}, and the differences of two as diff_json() writes them. */
enum err version_answer(struct ctx *c, struct answer *out);
enum err version_diff(struct ctx *c, text older, text newer, struct answer *out);
/* What a site tells its visitors: {"version", "date", "changed": bool, "says": [material changes], "link", "coming"?}, of the version in
 * force against the one before; "changed" is false when there is none, or nothing that matters. coming: the same of one that is announced. */
enum err version_banner(struct ctx *c, struct answer *out);
/* Their pages. */
enum err version_list_page(struct ctx *c, struct answer *out);
enum err version_page(struct ctx *c, text hash, struct answer *out);
enum err version_diff_page(struct ctx *c, text older, text newer, struct answer *out);

/* {"version": hash or version number, "party": name, "subject": id?}: a partner (party; its token's name when it says so itself) or a person
 * (subject) has read that version. */
enum err version_acknowledge(struct ctx *c, const struct json *in, struct answer *out);
/* The signed-in person's own: the page that shows the version in force and what changed, with the button that says it was read; and the act,
 * for the version of that hash. It is no consent. */
enum err version_reading_page(struct ctx *c, struct answer *out);
enum err version_read(struct ctx *c, text hash, struct answer *out);
/* When they acknowledged it, 0 when they did not. */
enum err version_read_at(struct ctx *c, text hash, msec *at);
/* {"acknowledgements": [{"party", "subject", "version", "hash", "by", "at"}], "awaited": [names of tokens, ids of accounts], "awaited_count"},
 * of one version or of all; awaited: those of whom the policy asks it and who have not acknowledged that version (the one in force). */
enum err version_acknowledgements(struct ctx *c, text version, const struct paging *asked, struct answer *out);
/* {"event": "notice_shown", "version"?}: that a person was shown the notice. It is never a consent, and makes none. */
enum err notice_shown(struct ctx *c, text id, const struct json *in, struct answer *out);

#endif
