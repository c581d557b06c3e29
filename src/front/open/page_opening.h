/* The pages that open an account. */
#ifndef FRONT_OPEN_PAGE_OPENING_H
#define FRONT_OPEN_PAGE_OPENING_H

struct policy;

/* Whether people open their accounts themselves here (accounts.opened_by). */
bool page_self_opened(const struct policy *p);

#endif
