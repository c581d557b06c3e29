/* What a browser says of itself, as people name it: "Firefox 140", "Windows". */
#ifndef DOMAIN_ACCOUNT_AGENT_H
#define DOMAIN_ACCOUNT_AGENT_H
#include "base/arena.h"

/* Name and major version; empty when the User-Agent names none that is known. */
text agent_browser(struct arena *a, text user_agent);
text agent_system(struct arena *a, text user_agent);

#endif
