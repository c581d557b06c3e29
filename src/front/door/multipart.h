/* Forms with files: multipart/form-data (RFC 7578) as the JSON object that the same route takes, and its files. */
#ifndef FRONT_DOOR_MULTIPART_H
#define FRONT_DOOR_MULTIPART_H
#include "front/door/request.h"

/* Whether a Content-Type says so. */
bool multipart_type(text header);
/* The form's members as form_parse() gives them, and its files in q->uploads; one that nothing was chosen for is none.
 * ERR_USAGE when malformed, of more than 1,000 parts or UPLOADS_MAX files. Texts and files lie in q->body. */
enum err multipart_parse(struct arena *a, struct request *q);

#endif
