/* Erasure (GDPR 17): keys shredded, rows gone, holds named, recipients told, and the certificate that proves it. */
#ifndef DOMAIN_KEEP_ERASE_H
#define DOMAIN_KEEP_ERASE_H
#include "domain/core/ctx.h"

/* POST erase {"ground"?}: answers with the certificate. What the policy or a hold keeps goes to the archive, named with
 * its ground and end (17(3)); it goes by itself at its term. The person is unknown from then on. */
enum err erase_subject(struct ctx *c, text id, const struct json *in, struct answer *out);
/* What an erasure now would keep, why and until when, what would go, and who would be told; nothing is done:
 * {"kept": as in the certificate, "gone": [{"category", "title"}], "recipients_to_tell": […]}. */
enum err erase_foresee(struct ctx *c, text id, struct answer *out);
/* Without asking who may: what an erasure answers with. */
enum err certificate_shown(struct ctx *c, text id, bool html, struct answer *out);
/* As JSON, or as a printable page when `html`, in c->language. Readable by its id after the person is gone. */
enum err certificate_get(struct ctx *c, text id, bool html, struct answer *out);
/* Offline, without a store: whether a certificate (a JWS, or the JSON of an answer with one as its "jws") is signed
 * with the key of that verifier's line ("name+hexid+base64"), and its entry in the journal that the key has signed.
 * Answers {"id", "kind", "at", "index", "size"}. */
enum err certificate_verify(struct arena *a, text verifier, text certificate, struct answer *out);
/* Without a server: checks the signature of a receipt (a JWS, or the JSON of an answer, whose readable part must then
 * be what was signed) with the instance's public key: {"id", "purpose", "decision", "at"}. ERR_INTEGRITY otherwise. */
enum err receipt_verify(struct arena *a, text verifier, text receipt, struct answer *out);

#endif
