/* The pages of the policy in force, made once when it comes into force and then served from memory. */
#ifndef PUBLISH_PAGES_H
#define PUBLISH_PAGES_H
#include "base/err.h"

struct arena;
struct ctx;

struct policy;

enum page_kind { PAGE_PRIVACY, PAGE_COOKIES, PAGE_DATA, PAGE_KINDS };
/* Etag: strong, with its quotes; differs between languages and versions. */
struct page {
    text body, type, etag;
    text gzip; /* the body in that coding; p NULL where it would not be smaller */
};

/* For the instance: one reference is the caller's. */
struct pages;
/* coming: an announced version that the notice tells of; may be NULL. */
enum err pages_make(struct arena *a, const struct policy *p, const struct policy *coming, struct pages **out);
struct pages *pages_ref(struct pages *p);
void pages_unref(struct pages **p);
/* One of them, in that language; it lives as long as the reference. */
const struct page *pages_page(const struct pages *all, enum page_kind kind, text language);
/* The notice of one tenant alone (its index in the policy): of those whose data is only stored; NULL: it has none. */
const struct page *pages_tenant(const struct pages *all, unsigned tenant, text language);

#endif
