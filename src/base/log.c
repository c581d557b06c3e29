/* The operator's log: formatting and the one write. */
#include "log.h"
#include "buf.h"
#include "card.h"
#include "clock.h"
#include "json.h"
#include <unistd.h>

/* Without any payment card number (MO-20), whoever wrote the field. */
static text shown(struct arena *room, text value)
{
    text out = card_mask(room, value);
    return out.p ? out : TEXT("(not shown)");
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    static const char *const names[] = { "debug", "info", "warning", "error" };
    BUF_AUTO b = buf_make(16384);
    struct json_out w = json_out(&b);
    ARENA_AUTO room = arena_make(1 << 20);
    char now[TIME_TEXT + 1];
    struct clock machine = clock_real();
    json_open(&w, '{');
    json_pair(&w, TEXT("time"), time_text(clock_now(&machine), now));
    json_pair(&w, TEXT("level"), text_of(names[level]));
    json_pair(&w, TEXT("event"), text_of(event));
    for (size_t i = 0; i < count; i++) {
        json_name(&w, text_of(fields[i].name));
        if (fields[i].is_text)
            json_put_text(&w, shown(&room, fields[i].value));
        else
            json_put_int(&w, fields[i].number);
    }
    json_close(&w, '}');
    buf_char(&b, '\n');
    ARENA_AUTO a = arena_make(0);
    text line;
    enum err status = buf_lend(&a, &b, &line);
    if (status == ERR_MEMORY)
        line = TEXT("{\"level\":\"error\",\"event\":\"log.no_memory\"}\n");
    else if (status != OK)
        line = TEXT("{\"level\":\"error\",\"event\":\"log.too_large\"}\n");
    /* A log that cannot be written must not stop what it speaks of. */
    ssize_t ignored = write(STDERR_FILENO, line.p, line.n);
    (void)ignored;
}
