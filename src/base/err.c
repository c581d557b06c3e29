/* Errors: the table that errors.def fills. */
#include "err.h"

const struct err_row *err_row(enum err code)
{
    static const struct err_row rows[] = {
        [OK] = { TEXT_INIT("ok"), 200, 0, TEXT_INIT("Done"), TEXT_INIT("Fait") },
#define ERROR(name, slug, http, exit_status, en, fr)                                                                   \
    [ERR_##name] = { TEXT_INIT(slug), http, exit_status, TEXT_INIT(en), TEXT_INIT(fr) },
#include "errors.def"
#undef ERROR
    };
    return &rows[code < ERR_COUNT ? code : ERR_INTERNAL];
}
