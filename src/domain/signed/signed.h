/* Consents given on paper or by telephone, which staff put on record. */
#ifndef DOMAIN_SIGNED_SIGNED_H
#define DOMAIN_SIGNED_SIGNED_H
#include "base/json.h"
#include "domain/core/ctx.h"

/* What the person was asked, by version of the policy and language, the newest first: {"wordings": [{"purpose",
 * "title", "channel", "version", "language", "from", "wording"}]}, of the versions that are or were in force. Of that
 * purpose, or of all that the caller may take consents for. */
enum err signed_wordings(struct ctx *c, text purpose, struct answer *out);
/* {"purpose", "channel", "decision": given or refused, "method": paper or phone, "signed": a day or a time, "version",
 * "language", "scan": id of an attachment of the category `consents`, "by", "minor", "parent"}: a row of the ledger from
 * that day on, in the words of that version. Of a person who is younger than the policy's minors.age ("minor": true)
 * what is given is signed by a parent too, whose name "parent" is (LIL 45): ERR_MISSING without it. ERR_MISSING without
 * a scan of what is on paper; ERR_UNDECLARED for a version that never was in force, or did not ask for that;
 * ERR_CONFLICT when the person decided otherwise since, or the purpose has changed so that it is to be asked again.
 * Answers {"purpose", "decision", "signed", "version", "wording"}. */
enum err signed_record(struct ctx *c, text id, const struct json *in, struct answer *out);

#endif
