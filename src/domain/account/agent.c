/* Browsers and systems by what they put into User-Agent; the first row that is found counts, so imitators stand before
 * the imitated. */
#include "domain/account/agent.h"

struct agent {
    text token, name;
};
static const struct agent browsers[] = {
    { TEXT_INIT("Edg/"), TEXT_INIT("Edge") },
    { TEXT_INIT("EdgA/"), TEXT_INIT("Edge") },
    { TEXT_INIT("OPR/"), TEXT_INIT("Opera") },
    { TEXT_INIT("Vivaldi/"), TEXT_INIT("Vivaldi") },
    { TEXT_INIT("SamsungBrowser/"), TEXT_INIT("Samsung Internet") },
    { TEXT_INIT("FxiOS/"), TEXT_INIT("Firefox") },
    { TEXT_INIT("Firefox/"), TEXT_INIT("Firefox") },
    { TEXT_INIT("CriOS/"), TEXT_INIT("Chrome") },
    { TEXT_INIT("HeadlessChrome/"), TEXT_INIT("Chrome") },
    { TEXT_INIT("Chrome/"), TEXT_INIT("Chrome") },
    { TEXT_INIT("Version/"), TEXT_INIT("Safari") },
    { TEXT_INIT("curl/"), TEXT_INIT("curl") },
};
static const struct agent systems[] = {
    { TEXT_INIT("Windows NT"), TEXT_INIT("Windows") }, { TEXT_INIT("Android "), TEXT_INIT("Android") },
    { TEXT_INIT("iPhone OS "), TEXT_INIT("iOS") },     { TEXT_INIT("iPad; CPU OS "), TEXT_INIT("iPadOS") },
    { TEXT_INIT("CrOS "), TEXT_INIT("ChromeOS") },     { TEXT_INIT("Mac OS X"), TEXT_INIT("macOS") },
    { TEXT_INIT("Linux"), TEXT_INIT("Linux") },
};

/* `version`: a blank or slash ends the token, and a number follows that tells something. */
static text found(struct arena *a, const struct agent *rows, size_t count, text agent)
{
    for (size_t i = 0; i < count; i++) {
        ptrdiff_t at = text_find(agent, rows[i].token);
        if (at < 0)
            continue;
        text rest = text_from(agent, (size_t)at + rows[i].token.n);
        char last = rows[i].token.p[rows[i].token.n - 1];
        size_t digits = 0;
        while (digits < rest.n && digits < 4 && rest.p[digits] >= '0' && rest.p[digits] <= '9')
            digits++;
        bool version = digits && (last == '/' || last == ' ');
        return version ? arena_print(a, "%.*s %.*s", T(rows[i].name), (int)digits, rest.p) : rows[i].name;
    }
    return TEXT("");
}

text agent_browser(struct arena *a, text user_agent)
{
    return found(a, browsers, sizeof browsers / sizeof *browsers, user_agent);
}
text agent_system(struct arena *a, text user_agent)
{
    return found(a, systems, sizeof systems / sizeof *systems, user_agent);
}
