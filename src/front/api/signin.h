/* Sign-in for the API and the pages alike: credentials of a request, the count against its address, and the cookie. */
#ifndef FRONT_API_SIGNIN_H
#define FRONT_API_SIGNIN_H
#include "domain/entry/signin.h"
#include "front/door/front.h"

/* signin() of q->json; sets the session's cookie when one was begun. */
enum err signin_request(struct ctx *c, const struct request *q, struct reply *r, struct signin *out);
/* The same count for who is signed in: signin_again() and signin_change_password() of q->json. */
enum err signin_again_request(struct ctx *c, const struct request *q);
enum err signin_password_request(struct ctx *c, const struct request *q);

/* Also what needs no credentials and sends letters (registrations, resets asked for) is counted against the address:
 * who tries many is slowed down whatever the answers say. ERR_TOO_MANY. */
enum err signin_paced(struct ctx *c, const struct request *q);

#endif
