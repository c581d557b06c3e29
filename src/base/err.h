/* Errors: one list (errors.def) for HTTP status, exit status and texts; TRY() passes them up. */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include "text.h"

struct clause;

enum err {
    OK = 0,
#define ERROR(name, slug, http, exit_status, en, fr) ERR_##name,
#include "errors.def"
#undef ERROR
    ERR_COUNT
};

struct why {
    enum err code;
    const struct clause *clause; /* the policy's clause that decided, or NULL */
    char field[136];             /* "category.field" that it is about, as the policy names it; or empty */
    char missing[96]; /* words, comma between: all that what was sent lacks (a password's classes); or empty */
    int retry;        /* seconds after which to try again; 0: not said */
    char detail[512]; /* what exactly, in English: names and numbers, never a personal datum */
    char said[512];   /* the same in French where said.def has it; or empty */
};

struct err_row {
    text slug;
    int http, exit_status;
    text en, fr;
};
/* The row of `code` in errors.def. */
const struct err_row *err_row(enum err code);

/* The detail in that language; in French only what said.def has, and what was said in the asker's language already. */
text why_told(const struct why *why, text language);

/* Passes an error up; the reason was said where it arose. */
#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        enum err try_code_ = (expr);                                                                                   \
        if (try_code_ != OK)                                                                                           \
            return try_code_;                                                                                          \
    } while (0)
/* Passes a failed allocation up; arena_alloc has said the reason. */
#define TRY_PTR(pointer)                                                                                               \
    do {                                                                                                               \
        if (!(pointer))                                                                                                \
            return ERR_MEMORY;                                                                                         \
    } while (0)

#define CLEANUP(function) __attribute__((cleanup(function)))

#endif
