/* What people show in public, under a consent that is in force when it is looked at (`categories.*.public`). */
#ifndef DOMAIN_PUBLICATION_PUBLICATION_H
#define DOMAIN_PUBLICATION_PUBLICATION_H
#include "domain/core/feature.h"

struct paging;

/* A category of that name that the policy lets be shown; ERR_NOT_FOUND with the clause for another. */
enum err publication_category(struct ctx *c, text name, const struct category **out);
bool publication_is_shown(const struct category *cat); /* whether it is one */
bool publication_takes_files(const struct ctx *c, const struct category *cat);

/* ---- Sending in. ---- */

/* `fields` as a record of the category; a file is cleaned (base/file/clean.h), agree: the consent comes along. */
struct publication_new {
    text category;
    const struct json *fields;
    bool agree;
    text file_name, content; /* content p NULL: no file */
};
/* The record is held as any other, and waits for staff: {"id", "state": "waiting"}. Each new version is sent in anew.
 * ERR_CONSENT without a consent in force or coming along; ERR_VALUE for a file that cannot be cleaned. */
enum err publication_send(struct ctx *c, text id, const struct publication_new *in, struct answer *out);
/* The person, or who acts for them, takes it down. */
enum err publication_end(struct ctx *c, text id, text publication, struct answer *out);

/* ---- What everybody sees. ---- */

/* {"publication", "title", "items": [{"id", "at", "fields": {name: value}, "titles": {name: title}, "file", "type"}],
 * "next"}, the newest first. What is not live at this moment is not there. */
enum err publication_list(struct ctx *c, text name, const struct paging *asked, struct answer *out);
/* One item of it. ERR_NOT_FOUND for what never was, waits, or is no longer shown: alike. */
enum err publication_get(struct ctx *c, text name, text id, struct answer *out);
/* Its file: the bytes from `from` to `to` (-1: to its end), which become those that there are. *size: of the whole. */
struct publication_part {
    int64_t from, to, size;
};
enum err publication_file(struct ctx *c, text name, text id, struct publication_part *part, struct answer *out);

/* ---- Staff. ---- */

/* What waits, and was sent in under a consent in force: {"waiting": [{"id", "subject", "at", "fields", "file",
 * "type"}], "next"}. */
enum err publication_waiting(struct ctx *c, text category, const struct paging *asked, struct answer *out);
/* {"decision": publish, refuse or take_down, "reason"}: a reason is needed but to publish, and the person is told it.
 */
enum err publication_decide(struct ctx *c, text id, const struct json *in, struct answer *out);

/* ---- Reports of others (DSA 16, 17). ---- */

/* {"reason", "email", "good_faith": true}; the same answer for what is shown. */
enum err publication_report(struct ctx *c, text name, text id, const struct json *in, struct answer *out);
/* {"reports": [{"id", "publication", "subject", "at", "reason", "email"}], "next"}, undecided ones. */
enum err publication_reports(struct ctx *c, const struct paging *asked, struct answer *out);
/* {"decision": keep or take_down, "reason"}: both sides are told, in the same commit. */
enum err publication_answer(struct ctx *c, text report, const struct json *in, struct answer *out);

/* The member `publications` of the access answer and export. */
extern const struct feature publication_feature;

#endif
