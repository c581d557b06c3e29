/* Receipts of consent: each decision as a record after ISO/IEC TS 27560 in the words of the W3C Data Privacy Vocabulary
 * (JSON-LD, profile dpv-27560), signed as certificates are. */
#ifndef DOMAIN_RECEIPT_RECEIPT_H
#define DOMAIN_RECEIPT_RECEIPT_H
#include "domain/core/ctx.h"

/* {"receipt": {JSON-LD}, "jws"}: of the row of the ledger whose "receipt" is `place` (consent_list). Told from the
 * version of the policy under which it was decided. For the person, and for who may see their ledger. ERR_NOT_FOUND for
 * a row that is not there or is no decision on a consent: an objection needs none, what a source may bring is a
 * permission. */
enum err receipt_get(struct ctx *c, text id, text place, struct answer *out);

#endif
