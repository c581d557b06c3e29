/* Reading a request: methods, headers, preferences of language and type, preconditions. */
#include "front/door/request.h"
#include "front/door/router.h"

static const text method_words[] = { [METHOD_UNKNOWN] = TEXT_INIT("?"),
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

bool authority_good(text s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !memchr("-._~:[]%", c, 8))
            return false;
    }
    return s.n && s.n <= 255;
}

text authority_port(text s)
{
    size_t colon = s.n;
    while (colon && s.p[colon - 1] != ':' && s.p[colon - 1] != ']')
        colon--;
    return colon && s.p[colon - 1] == ':' ? text_from(s, colon) : (text){ NULL, 0 };
}

static text authority_host(text s)
{
    text port = authority_port(s);
    text host = port.p ? text_upto(s, s.n - port.n - 1) : s;
    return text_ends(host, TEXT(".")) ? text_upto(host, host.n - 1) : host;
}

bool authority_same(text a, text b)
{
    text ports[] = { authority_port(a), authority_port(b) };
    for (size_t i = 0; i < 2; i++)
        if (text_eq(ports[i], TEXT("443")) || text_eq(ports[i], TEXT("80")))
            ports[i] = TEXT("");
    return text_eq_nocase(authority_host(a), authority_host(b)) && text_eq(ports[0], ports[1]);
}

/* A weight as thousandths: "q=0.5" is 500; -1 for a malformed one (RFC 9110, 12.4.2). */
static int weight(text parameters)
{
    while (parameters.p) {
        text one = text_trim(text_cut(&parameters, ';'));
        if (!text_starts(one, TEXT("q=")) && !text_starts(one, TEXT("Q=")))
            continue;
        one = text_from(one, 2);
        bool good = one.n && one.n <= 5 && (one.p[0] == '0' || one.p[0] == '1') && (one.n == 1 || one.p[1] == '.');
        int q = good && one.p[0] == '1' ? 1000 : 0, scale = 100;
        for (size_t i = 2; good && i < one.n; i++, scale /= 10) {
            good = one.p[i] >= '0' && one.p[i] <= '9';
            q += (one.p[i] - '0') * scale;
        }
        return good && q <= 1000 ? q : -1;
    }
    return 1000;
}

/* The weight of `word` or `word-…` in a list of preferences, `other` when it is not named; *at: which of the list said
 * so. A member with a malformed weight says nothing. */
static int preference(text list, text word, int other, unsigned *at)
{
    int best = -1, any = -1;
    unsigned any_at = 0;
    for (unsigned i = 1; list.p; i++) {
        text item = text_cut(&list, ',');
        text range = text_trim(text_cut(&item, ';'));
        bool named = text_eq_nocase(text_upto(range, word.n), word) && (range.n == word.n || range.p[word.n] == '-');
        bool all = text_eq(range, TEXT("*")) || text_eq(range, TEXT("*/*"));
        int q = named || all ? weight(item) : -1;
        if (named && q > best) {
            best = q;
            *at = i;
        } else if (all && q > any) {
            any = q;
            any_at = i;
        }
    }
    if (best >= 0)
        return best;
    *at = any_at;
    return any >= 0 ? any : other;
}

text request_language(const struct policy *p, text accept_language)
{
    text best = p->language_count ? p->languages[0] : TEXT("en");
    int most = 0;
    unsigned first = 0;
    for (unsigned i = 0; i < p->language_count; i++) {
        unsigned at = 0;
        int q = preference(accept_language, p->languages[i], -1, &at);
        if (q > most || (q == most && q > 0 && at < first)) {
            best = p->languages[i];
            most = q;
            first = at;
        }
    }
    return best;
}

enum err request_take_language(struct ctx *c, const struct request *q)
{
    text asked = q->route ? request_query(q, TEXT("lang")) : (text){ NULL, 0 };
    if (!asked.p)
        return OK;
    text found = policy_language(c->policy, asked);
    if (found.p) {
        c->language = found;
        c->language_asked = true;
    }
    return found.p || route_is_page(q->route)
               ? OK
               : say(c->arena, ERR_USAGE, "the parameter \"lang\" names no language of the policy");
}

bool request_wants_html(const struct request *q)
{
    text accept = request_header(q, TEXT("Accept"));
    unsigned at;
    return accept.p &&
           preference(accept, TEXT("text/html"), -1, &at) > preference(accept, TEXT("application/json"), -1, &at);
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
    if (tag.n < 3 || tag.p[0] != '"' || tag.p[tag.n - 1] != '"' ||
        !text_int(text_upto(text_from(tag, 1), tag.n - 2), version) || *version < 1)
        return say(a, ERR_USAGE, "If-Match takes one strong tag as ETag gave it, such as \"3\", or *");
    return OK;
}
