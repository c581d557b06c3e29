/* Proxies in front: whom one believes, and what their headers say. */
#include "front/door/proxy.h"

/* ---- Whom one believes. ---- */

static enum err parse_network(struct arena *a, text s, struct network *out)
{
    text bits = text_trim(s);
    text address = text_cut(&bits, '/');
    int64_t count = 128;
    bool good = host_parse(address, &out->base);
    bool four = good && host_is_four(&out->base);
    if (good && bits.p)
        good = text_int(bits, &count) && count >= 0 && count <= (four ? 32 : 128);
    out->bits = (unsigned)(bits.p && four ? count + 96 : count);
    return good ? OK
                : say(a, ERR_CONFIG,
                      "--proxy-from takes addresses and networks, such as 10.0.0.4,10.1.0.0/16,2001:db8::/32");
}

enum err proxies_parse(struct arena *a, text list, struct proxies *out)
{
    *out = (struct proxies){ .count = 0 };
    if (!text_trim(list).n)
        list = TEXT("127.0.0.0/8,::1");
    while (list.p) {
        if (out->count == PROXIES_MAX)
            return say(a, ERR_CONFIG, "--proxy-from takes at most %d addresses and networks", PROXIES_MAX);
        TRY(parse_network(a, text_cut(&list, ','), &out->list[out->count]));
        out->count++;
    }
    return OK;
}

static bool inside(const struct network *n, const struct host_address *address)
{
    unsigned whole = n->bits / 8;
    unsigned rest = n->bits % 8;
    if (memcmp(n->base.b, address->b, whole) != 0)
        return false;
    return !rest || (n->base.b[whole] ^ address->b[whole]) >> (8 - rest) == 0;
}

bool proxies_have(const struct proxies *p, const struct host_address *address)
{
    for (size_t i = 0; i < p->count; i++)
        if (inside(&p->list[i], address))
            return true;
    return false;
}

/* ---- The headers taken apart. ---- */

enum { HOPS_MAX = 32 };
/* `by`: whom the proxy got it from. */
struct hop {
    text by, proto, host;
};
struct hops {
    struct hop list[HOPS_MAX];
    size_t count;
};

/* The next element of a list, quoted strings whole. */
static text next_element(text *rest, char separator)
{
    bool quoted = false;
    for (size_t i = 0; i < rest->n; i++) {
        char c = rest->p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == separator && !quoted) {
            text out = text_upto(*rest, i);
            *rest = text_from(*rest, i + 1);
            return out;
        }
    }
    text out = *rest;
    *rest = (text){ NULL, 0 };
    return out;
}

/* Nothing that is looked for holds an escape, so a quoted string with one is left as nobody's. */
static text unquoted(text s)
{
    s = text_trim(s);
    return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? text_upto(text_from(s, 1), s.n - 2) : s;
}

static struct hop parse_forwarded(text element)
{
    struct hop out = { .by = TEXT("") };
    while (element.p) {
        text value = next_element(&element, ';');
        text name = text_trim(text_cut(&value, '='));
        if (text_eq_nocase(name, TEXT("for")))
            out.by = unquoted(value);
        else if (text_eq_nocase(name, TEXT("proto")))
            out.proto = unquoted(value);
        else if (text_eq_nocase(name, TEXT("host")))
            out.host = unquoted(value);
    }
    return out;
}

/* Several lines of a list are one (RFC 9110, 5.3); empty elements count for nothing (5.6.1.2). Beyond the most the
 * nearest ones stay. */
static void read_list(const struct request *q, text name, bool forwarded, struct hops *out)
{
    out->count = 0;
    for (size_t i = 0; i < q->header_count; i++) {
        text rest = q->headers[i].value;
        if (!text_eq_nocase(q->headers[i].name, name))
            continue;
        while (rest.p) {
            text element = text_trim(forwarded ? next_element(&rest, ',') : text_cut(&rest, ','));
            if (!element.n)
                continue;
            if (out->count == HOPS_MAX) {
                memmove(out->list, out->list + 1, (HOPS_MAX - 1) * sizeof *out->list);
                out->count--;
            }
            out->list[out->count++] = forwarded ? parse_forwarded(element) : (struct hop){ .by = element };
        }
    }
}

/* ---- What they say. ---- */

/* The right-most that is no proxy of ours; all of ours: the one farthest away. */
static size_t client_at(const struct proxies *p, const struct hops *hops, struct host_address *client)
{
    size_t i = hops->count;
    while (i-- > 0) {
        if (!hop_parse(hops->list[i].by, client)) {
            *client = host_unknown;
            return i;
        }
        if (!proxies_have(p, client))
            return i;
    }
    return 0;
}

/* X-Forwarded-Proto has one word, or as many as there are addresses; else each of them must say it. */
static bool came_encrypted(const struct request *q, const struct hops *hops, size_t at)
{
    struct hops words;
    read_list(q, TEXT("X-Forwarded-Proto"), false, &words);
    if (words.count == hops->count && words.count)
        return text_eq_nocase(words.list[at].by, TEXT("https"));
    for (size_t i = 0; i < words.count; i++)
        if (!text_eq_nocase(words.list[i].by, TEXT("https")))
            return false;
    if (words.count)
        return true;
    return hops->count && text_eq_nocase(hops->list[at].proto, TEXT("https"));
}

/* The host that the client named, with the port that the proxy took it on. */
static enum err named_host(struct arena *a, const struct hops *hops, size_t at, struct request *q)
{
    text list = request_header(q, TEXT("X-Forwarded-Host")),
         port = text_trim(request_header(q, TEXT("X-Forwarded-Port")));
    text host = text_trim(text_cut(&list, ','));
    int64_t number;
    if (!host.n && hops->count)
        host = hops->list[at].host;
    bool given = authority_good(host);
    if (given)
        q->host = host;
    if (!authority_good(q->host) || authority_port(q->host).p || !text_int(port, &number) || number < 1 ||
        number > 65535)
        return OK;
    q->host = arena_print(a, "%.*s:%d", T(q->host), (int)number);
    return q->host.p ? OK : ERR_MEMORY;
}

enum err proxy_believe(struct arena *a, const struct proxies *p, const struct host_address *peer, struct request *q)
{
    struct hops hops;
    struct host_address client = *peer;
    size_t at = 0;
    if (!proxies_have(p, peer)) {
        if (q->encrypted || host_is_loopback(peer))
            return OK;
        return say(
            a, ERR_FORBIDDEN,
            "this is served over TLS only, and the request came in the clear from an address that is no declared proxy");
    }
    read_list(q, TEXT("X-Forwarded-For"), false, &hops);
    if (!hops.count)
        read_list(q, TEXT("Forwarded"), true, &hops);
    if (hops.count)
        at = client_at(p, &hops, &client);
    q->address = address_of_host(&client);
    TRY(named_host(a, &hops, at, q));
    q->encrypted = came_encrypted(q, &hops, at);
    /* A proxy that does not say who asked may ask for anybody: that it stands on this machine says nothing. */
    bool passed_on = request_header(q, TEXT("X-Forwarded-Proto")).p || request_header(q, TEXT("X-Forwarded-For")).p;
    if (q->encrypted || (host_is_loopback(&client) && (hops.count || !passed_on)))
        return OK;
    return say(a, ERR_FORBIDDEN,
               "this is served over TLS only, and the proxy does not say that the request came to it by TLS");
}
