/* The journal as a folder of files, in the layout of c2sp.org/tlog-tiles: to publish, to keep elsewhere, to verify
 * without this program. */
#ifndef DOMAIN_INSTANCE_JOURNAL_FILES_H
#define DOMAIN_INSTANCE_JOURNAL_FILES_H
#include "domain/core/ctx.h"

/* Writes checkpoint, key, tiles and what entries are still kept into `to`, made when absent. Complete files that are
 * there already are left, so that a later run adds only what is new; the checkpoint comes last. Answers {"size",
 * "files"}. `progress` may be NULL. */
enum err journal_folder_write(struct ctx *c, text to, void (*progress)(uint64_t done, uint64_t all),
                              struct answer *out);

#endif
