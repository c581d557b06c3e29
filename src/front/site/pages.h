/* The public pages of the policy. */
#ifndef FRONT_SITE_PAGES_H
#define FRONT_SITE_PAGES_H
#include "base/text.h"

/* The style of the pages, for those that are written to files. */
text front_style(void);

#endif
