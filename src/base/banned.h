/* Calls that this tree does not make: unbounded or locale-dependent C string functions. Included before every source.
 * The header is included first so that the libraries' own declarations are not touched. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(name) do_not_call_##name##_see_banned_h
#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef stpcpy
#define stpcpy(...) BANNED(stpcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncat
#define strncat(...) BANNED(strncat)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef strdup
#define strdup(...) BANNED(strdup)
#undef strcmp
#define strcmp(...) BANNED(strcmp)
#undef strncmp
#define strncmp(...) BANNED(strncmp)
#undef strcasecmp
#define strcasecmp(...) BANNED(strcasecmp)
#undef strchr
#define strchr(...) BANNED(strchr)
#undef strstr
#define strstr(...) BANNED(strstr)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef sscanf
#define sscanf(...) BANNED(sscanf)
#undef atoi
#define atoi(...) BANNED(atoi)
#undef atol
#define atol(...) BANNED(atol)
#undef strtol
#define strtol(...) BANNED(strtol)
#undef gmtime
#define gmtime(...) BANNED(gmtime)
#undef localtime
#define localtime(...) BANNED(localtime)
#undef alloca
#define alloca(...) BANNED(alloca)
#undef rand
#define rand(...) BANNED(rand)
#undef random
#define random(...) BANNED(random)
#undef system
#define system(...) BANNED(system)
#undef popen
#define popen(...) BANNED(popen)

#endif
