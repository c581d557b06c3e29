/* A SQLite file system for tests whose n-th write, truncation or sync fails: put over the default one before a store
 * opens. */
#ifndef FAULT_VFS_H
#define FAULT_VFS_H
#include <stdbool.h>

enum fault { FAULT_NONE, FAULT_WRITE_EIO, FAULT_WRITE_FULL, FAULT_WRITE_SHORT, FAULT_SYNC_EIO };
/* Makes it the default. Once; not while files are open. */
void fault_install(void);
/* The `nth` write (or sync) from now on fails, and when `stays` every one after it, until the next call. */
void fault_arm(enum fault what, int nth, bool stays);
/* How many operations failed since fault_arm(). */
int fault_count(void);

#endif
