/* Time: clocks, civil dates, and their texts. */
#include "clock.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct clock clock_real(void) { return (struct clock){ NULL }; }

enum err clock_simulated(struct arena *a, const char *path, struct clock *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *map = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= 8)
        map = mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (map == MAP_FAILED)
        return say(a, ERR_CONFIG, "the simulated clock %s is not a readable file of 8 bytes", path);
    out->simulated = map;
    return OK;
}

static msec read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (msec)ts.tv_sec * SECOND + ts.tv_nsec / 1000000;
}

msec clock_now(const struct clock *c)
{
    msec simulated = c->simulated ? atomic_load_explicit(c->simulated, memory_order_relaxed) : 0;
    return simulated ? simulated : read_clock(CLOCK_REALTIME);
}

msec clock_monotonic(void) { return read_clock(CLOCK_MONOTONIC); }

/* Days and dates after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
int64_t date_days(struct date d)
{
    int64_t y = d.month <= 2 ? (int64_t)d.year - 1 : d.year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct date date_of_days(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    int64_t year = year_of_era + era * 400 + (month <= 2);
    return (struct date){ (int)year, month, (int)(day_of_year - (153 * shifted + 2) / 5 + 1) };
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

struct date date_of(msec t) { return date_of_days(floor_div(t, DAY)); }

msec date_start(struct date d) { return date_days(d) * DAY; }

bool date_valid(struct date d)
{
    if (d.year < 1 || d.year > 9999 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31)
        return false;
    struct date back = date_of_days(date_days(d));
    return back.month == d.month && back.day == d.day;
}

static bool digits(text s, size_t at, size_t count, int *out)
{
    *out = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
            return false;
        *out = *out * 10 + (s.p[i] - '0');
    }
    return true;
}

bool date_parse(text s, struct date *out)
{
    return s.n == 10 && s.p[4] == '-' && s.p[7] == '-' && digits(s, 0, 4, &out->year) && digits(s, 5, 2, &out->month) &&
           digits(s, 8, 2, &out->day) && date_valid(*out);
}

text date_print(struct arena *a, struct date d) { return arena_print(a, "%04d-%02d-%02d", d.year, d.month, d.day); }

text time_text(msec t, char out[TIME_TEXT + 1])
{
    struct date d = date_of(t);
    msec in_day = t - date_start(d);
    /* Years beyond 9999 cannot be written in this form: they show as its last instant. */
    if (d.year > 9999 || d.year < 0)
        return time_text(date_start((struct date){ 9999, 12, 31 }) + DAY - 1, out);
    char *p = out;
    const int parts[] = { d.year / 100,
                          d.year % 100,
                          d.month,
                          d.day,
                          (int)(in_day / HOUR),
                          (int)(in_day / MINUTE % 60),
                          (int)(in_day / SECOND % 60) };
    const char seps[] = { 0, '-', '-', 'T', ':', ':', '.' };
    for (size_t i = 0; i < 7; i++) {
        *p++ = (char)('0' + parts[i] / 10);
        *p++ = (char)('0' + parts[i] % 10);
        if (seps[i])
            *p++ = seps[i];
    }
    int ms = (int)(in_day % SECOND);
    *p++ = (char)('0' + ms / 100);
    *p++ = (char)('0' + ms / 10 % 10);
    *p++ = (char)('0' + ms % 10);
    *p++ = 'Z';
    *p = '\0';
    return (text){ out, TIME_TEXT };
}

text time_print(struct arena *a, msec t)
{
    char out[TIME_TEXT + 1];
    return arena_copy(a, time_text(t, out));
}

static bool parse_offset(text s, msec *out)
{
    int hours, minutes;
    *out = 0;
    if (text_eq(s, TEXT("Z")) || text_eq(s, TEXT("z")))
        return true;
    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' || !digits(s, 1, 2, &hours) ||
        !digits(s, 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *out = (hours * (msec)HOUR + minutes * (msec)MINUTE) * (s.p[0] == '-' ? -1 : 1);
    return true;
}

/* A 61st second is put behind the last one of June or December, in UTC (RFC 3339, appendix D): `next` is the moment
 * after it began. */
static bool may_leap(msec next)
{
    struct date d = date_of(next);
    return next == date_start(d) && d.day == 1 && (d.month == 1 || d.month == 7);
}

bool time_parse(text s, msec *out)
{
    struct date d;
    int h, m, sec = 0, milli = 0;
    msec offset;
    if (!date_parse(text_upto(s, 10), &d))
        return false;
    *out = date_start(d);
    if (s.n == 10)
        return true;
    if ((s.p[10] != 'T' && s.p[10] != 't' && s.p[10] != ' ') || !digits(s, 11, 2, &h) || s.n < 16 || s.p[13] != ':' ||
        !digits(s, 14, 2, &m) || h > 23 || m > 59)
        return false;
    text rest = text_from(s, 16);
    if (rest.n && rest.p[0] == ':') {
        if (!digits(rest, 1, 2, &sec) || sec > 60)
            return false;
        rest = text_from(rest, 3);
    }
    if (rest.n && rest.p[0] == '.') {
        int scale = 100;
        size_t i = 1;
        for (; i < rest.n && rest.p[i] >= '0' && rest.p[i] <= '9'; i++, scale /= 10)
            milli += (rest.p[i] - '0') * scale;
        if (i == 1)
            return false;
        rest = text_from(rest, i);
    }
    if (!parse_offset(rest, &offset))
        return false;
    *out += h * (msec)HOUR + m * (msec)MINUTE + (msec)sec * SECOND + milli - offset;
    return sec < 60 || may_leap(*out - milli);
}
