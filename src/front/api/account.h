/* Registration as the API and the pages share it. */
#ifndef FRONT_API_ACCOUNT_H
#define FRONT_API_ACCOUNT_H
#include "front/door/front.h"

/* registration_begin(), counted with failed credentials: who tries many addresses is slowed down whatever the answers
 * say. ERR_TOO_MANY. */
enum err registration_request(struct ctx *c, const struct request *q, const struct json *in, text next,
                              struct answer *out);

#endif
