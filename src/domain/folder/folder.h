/* Folders: the access that accounts have to a platform's folders, as an append-only ledger: who gave it, why, from
 * when, until when. */
#ifndef DOMAIN_FOLDER_FOLDER_H
#define DOMAIN_FOLDER_FOLDER_H
#include "domain/core/data_subject.h"

struct answer;
struct category;
struct ctx;
struct feature;
struct json;

struct json_out;

/* Rows are only added. A folder is a kind of the policy's `folders` and a name that is free. Grants of one folder add
 * up: access is given while one of them holds; a revocation ends all before it. Names, reasons and who gave it are
 * sealed with the person's key; a folder is found by a keyed digest of its name. Who may grant and revoke:
 * `folders.*.granted_by`, under `folders.*.purpose`. The rows are those of the category with `stream: folders`, whose
 * term they have (an event is the end of a grant); all go with the person. */

/* {"folder": kind, "name", "why", "from"?, "until"?, "by"?}: times, or dates, of which the last day counts whole. */
enum err folder_grant(struct ctx *c, text id, const struct json *in, struct answer *out);
/* {"folder", "name", "why", "by"?}. ERR_NOT_FOUND when there is no access to take back. */
enum err folder_revoke(struct ctx *c, text id, const struct json *in, struct answer *out);
/* What a person may enter, and how that came: the kinds that the caller may read; all of them for who may export. */
enum err folder_list(struct ctx *c, text id, struct answer *out);
/* {"subject"?, "folder", "name", "purpose"?}: whether that person, or the one who is signed in, may enter:
 * {"allowed", "until", "grant"} or {"allowed": false, "clause"}.
 * A refusal is in the journal, as every refusal; an allowed check is counted only (garant_folder_checks_total): it
 * opens no datum, a platform asks it at every page, and an entry for each would be a log of the person's every step
 * that nobody promised to keep. */
enum err folder_authorize(struct ctx *c, const struct json *in, struct answer *out);

/* The same of the signed-in person, who acts as such (session_as_person): OK, or ERR_FORBIDDEN. */
enum err folder_enter(struct ctx *c, text folder, text name);

/* What the rest of the house has of it: the member `folders` of the access answer and export, [{"folder", "title", "category", "name",
 * "allowed", "until", "history": […]}]; the records of the category with `stream: folders`, those grants that hold or will; the member
 * `folders` of a new account, checked as folder_grant() checks each; and the board's walk over the ledger. */
extern const struct feature folder_feature;

#endif
