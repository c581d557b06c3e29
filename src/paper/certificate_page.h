/* The certificate of an erasure as a page. */
#ifndef PAPER_CERTIFICATE_PAGE_H
#define PAPER_CERTIFICATE_PAGE_H
#include "base/err.h"

struct answer;
struct ctx;

/* A page to print, in c->language, with the signed part and the key that verifies it. */
enum err certificate_page(struct ctx *c, text json, text jws, text verifier, struct answer *out);

#endif
