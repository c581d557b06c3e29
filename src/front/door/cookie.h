/* Cookies: read from a request, and the session's set and taken back. No other leaves the server than those the policy
 * declares. */
#ifndef FRONT_DOOR_COOKIE_H
#define FRONT_DOOR_COOKIE_H
#include "front/door/reply.h"

/* The value of the cookie of that name; p NULL when it is absent, or stands twice (a neighbour may have planted one).
 */
text request_cookie(const struct request *q, text name);
/* The session's cookie: opaque, HttpOnly, Secure, SameSite=Lax; it ends with the browser unless the policy keeps it,
 * then with the session: idle from now on, and at its last hour. */
enum err cookie_set_session(struct ctx *c, struct reply *r, text secret);
/* The cookie goes where the session went with this request: its end slides with the session's, and it is taken back
 * when the session is over. On whatever answers who came with it, a page or not, a refusal too. Does nothing when there
 * was no session, or the answer sets a cookie. */
enum err cookie_follow_session(struct ctx *c, const struct request *q, struct reply *r);
/* Takes it back, after a sign-out: this one cookie, and nothing else. Clear-Site-Data would reach further than these
 * pages do: "cookies" goes for the whole registrable domain, "storage" for all that shares this host (a guarded
 * application), and every answer is "no-store" already. */
enum err cookie_end_session(struct ctx *c, struct reply *r);

/* Cookies that the policy declares for a purpose based on consent, which who is signed in has not consented to, or no
 * longer: those that came with the request are taken back. */
enum err cookie_end_unwanted(struct ctx *c, const struct request *q, struct reply *r);

#endif
