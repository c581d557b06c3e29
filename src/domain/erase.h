/* Erasure (GDPR 17): keys shredded, rows gone, holds named, recipients told, and the certificate that proves it. */
#ifndef DOMAIN_ERASE_H
#define DOMAIN_ERASE_H
#include "domain/ctx.h"

struct person;

enum err erase_subject(struct ctx *c, text id, const struct json *in, struct answer *out);
/* As JSON, or as a printable page when `html`, in c->language. */
enum err certificate_get(struct ctx *c, text id, bool html, struct answer *out);

#endif
