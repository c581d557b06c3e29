/* Reading a request: methods, headers, preferences of language and type, preconditions. */
#include "front/request.h"
#include "front/router.h"

static const text method_words[] = {
    [METHOD_UNKNOWN] = TEXT_INIT("?"),
#define X(name) [METHOD_##name] = TEXT_INIT(#name),
    METHODS(X)
#undef X
};

enum method method_of(text word)
{
    for (size_t i = METHOD_UNKNOWN + 1; i < sizeof method_words / sizeof *method_words; i++)
        if (text_eq(word, method_words[i]))
            return (enum method)i;
    return METHOD_UNKNOWN;
}

text method_word(enum method m) { return method_words[m]; }

text request_header(const struct request *q, text name)
{
    for (size_t i = 0; i < q->header_count; i++)
        if (text_eq_nocase(q->headers[i].name, name))
            return q->headers[i].value;
    return (text){ NULL, 0 };
}

text request_query(const struct request *q, text name)
{
    for (size_t i = 0; i < q->query_count; i++)
        if (text_eq(q->queries[i].name, name))
            return q->queries[i].value;
    return (text){ NULL, 0 };
}

text request_param(const struct request *q, text name)
{
    text rest = q->route->path;
    for (size_t i = 0; rest.p && i < REQUEST_PARAMS;) {
        text segment = text_cut(&rest, '/');
        if (!segment.n || segment.p[0] != '{')
            continue;
        segment = text_upto(text_from(segment, 1), segment.n - (segment.p[segment.n - 2] == '*' ? 3 : 2));
        if (text_eq(segment, name))
            return q->params[i];
        i++;
    }
    return (text){ NULL, 0 };
}

/* A weight as thousandths: "q=0.5" is 500; a malformed one counts as 0. */
static int weight(text parameters)
{
    while (parameters.p) {
        text one = text_trim(text_cut(&parameters, ';'));
        if (!text_starts(one, TEXT("q=")) && !text_starts(one, TEXT("Q=")))
            continue;
        one = text_from(one, 2);
        int q = one.n && one.p[0] == '1' ? 1000 : 0, scale = 100;
        for (size_t i = 2; i < one.n && one.p[0] == '0'; i++, scale /= 10)
            q += one.p[i] >= '0' && one.p[i] <= '9' ? (one.p[i] - '0') * scale : 0;
        return q;
    }
    return 1000;
}

/* The weight of `word` or `word-…` in a list of preferences, `other` when it is not named. */
static int preference(text list, text word, int other)
{
    int best = -1;
    while (list.p) {
        text item = text_cut(&list, ',');
        text range = text_trim(text_cut(&item, ';'));
        bool named = text_eq_nocase(text_upto(range, word.n), word) && (range.n == word.n || range.p[word.n] == '-');
        int q = item.p ? weight(item) : 1000;
        if (named && q > best)
            best = q;
        else if (text_eq(range, TEXT("*")) || text_eq(range, TEXT("*/*")))
            other = other < 0 ? q : other;
    }
    return best >= 0 ? best : other;
}

text request_language(text accept_language)
{
    int fr = preference(accept_language, TEXT("fr"), -1), en = preference(accept_language, TEXT("en"), -1);
    return fr > 0 && fr > en ? TEXT("fr") : TEXT("en");
}

bool request_wants_html(const struct request *q)
{
    text accept = request_header(q, TEXT("Accept"));
    return accept.p && preference(accept, TEXT("text/html"), -1) > preference(accept, TEXT("application/json"), -1);
}

enum err request_if_match(struct arena *a, const struct request *q, int64_t *version)
{
    text tag = text_trim(request_header(q, TEXT("If-Match")));
    *version = 0;
    if (!tag.p)
        return OK;
    if (text_eq(tag, TEXT("*"))) {
        *version = -1;
        return OK;
    }
    if (tag.n < 3 || tag.p[0] != '"' || tag.p[tag.n - 1] != '"' || !text_int(text_upto(text_from(tag, 1), tag.n - 2), version) ||
        *version < 1)
        return say(a, ERR_USAGE, "If-Match takes one strong tag as ETag gave it, such as \"3\", or *");
    return OK;
}
