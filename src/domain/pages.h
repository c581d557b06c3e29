/* The pages of the policy in force, made once when it comes into force and then served from memory. */
#ifndef DOMAIN_PAGES_H
#define DOMAIN_PAGES_H
#include "domain/app.h"

enum page_kind { PAGE_PRIVACY, PAGE_COOKIES, PAGE_DATA, PAGE_KINDS };
struct page { text body, type, etag; };          /* etag: strong, with its quotes; differs between languages and versions */
/* The page in c->language, copied into the request's arena. */
enum err page_get(struct ctx *c, enum page_kind kind, struct page *out);

/* For the instance: one reference is the caller's. */
struct pages;
/* coming: an announced version that the notice tells of; may be NULL. */
enum err pages_make(struct arena *a, const struct policy *p, const struct policy *coming, struct pages **out);
struct pages *pages_ref(struct pages *p);
void pages_unref(struct pages **p);

#endif
