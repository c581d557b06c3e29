/* Files of credentials: passwords, tokens and secrets that stand in no settings and no policy. */
#ifndef REACH_CREDENTIALS_H
#define REACH_CREDENTIALS_H
#include "base/json.h"

/* What stands in the file of that name: a path, or "credential:NAME" of systemd; trimmed, in the arena. ERR_CONFIG when
 * it is not there, or others may read it. */
enum err credentials_file(struct arena *a, text name, text *out);
/* Where the file is that this member of a store's settings names ("credentials", "secret"). ERR_CONFIG when it names
 * none. */
enum err credentials_path(struct arena *a, const struct json *store, text member, char path[4096]);
/* What stands in that file, as credentials_file(). */
enum err credentials_read(struct arena *a, const struct json *store, text member, text *out);
/* One NAME=VALUE of such a file, a line each; the empty text when it is not there. */
text credential(text file, text name);

#endif
