/* Names of files that every system takes. */
#ifndef BASE_FILE_FILE_NAME_H
#define BASE_FILE_FILE_NAME_H
#include "base/arena.h"

/* `name` as Windows, macOS, Linux and phones can all save it, its letters composed (NFC; old macOS takes them apart),
 * never as a path: separators, control characters,
 * characters that turn the direction of reading (an "exe" shown as "txt"), and those that Windows refuses become "_";
 * dots and blanks at the ends go, as do names of its devices (CON, LPT1.txt); at most 200 bytes, the ending kept.
 * "file" where nothing is left. In the arena; p NULL without memory. */
text file_name_safe(struct arena *a, text name);

#endif
