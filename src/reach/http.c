/* Requests out: what an address may be, the signature, the transfer, and what became of it. */
#include "reach/http.h"
#include "base/buf.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum {
    CONNECT_MS = 5000,
    ANSWER_MS = 30000,
    ANSWER_MAX = 65536,
    URL_ROOM = 2048,
    SECRET_LEAST = 24,
    DAY_SECONDS = 86400
};

/* ---- The address. ---- */

bool http_this_machine(text host)
{
    char name[INET_ADDRSTRLEN];
    struct in_addr read;
    if (text_eq(host, TEXT("localhost")) || text_eq(host, TEXT("[::1]")))
        return true;
    return text_cstr(host, name, sizeof name) && inet_pton(AF_INET, name, &read) == 1 &&
           ntohl(read.s_addr) >> 24 == IN_LOOPBACKNET;
}

enum err http_check(struct arena *a, text url)
{
    bool tls = text_starts(url, TEXT("https://")), plain = text_starts(url, TEXT("http://"));
    text rest = text_from(url, tls ? 8 : 7);
    size_t n = 0;
    if ((!tls && !plain) || url.n >= URL_ROOM)
        return say(a, ERR_CONFIG, "an address must begin with https://, and have at most %d characters", URL_ROOM - 1);
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    text place = text_upto(rest, n);
    text host = place;
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] > '~' || text_index(TEXT("#\\\"<>"), url.p[i]) >= 0)
            return say(a, ERR_CONFIG, "an address has no blanks, no fragment, and nothing beyond ASCII");
    if (text_index(place, '@') >= 0)
        return say(a, ERR_CONFIG, "an address holds no user and no password: they belong into a file of their own");
    if (host.n && host.p[host.n - 1] != ']')
        for (size_t i = host.n; i-- > 0;)
            if (host.p[i] == ':') {
                host = text_upto(host, i);
                break;
            }
    if (!host.n)
        return say(a, ERR_CONFIG, "the address names no host");
    if (plain && !http_this_machine(host))
        return say(a, ERR_CONFIG, "http:// is for this machine alone: over a network, https://");
    return OK;
}

/* ---- What is sent. ---- */

static enum err signature(struct arena *a, const struct http_call *call, text seconds, text *out)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    BUF_AUTO b = buf_make(call->body.n + 512);
    BUF_AUTO signed_text = buf_make(256);
    text all;
    if (call->secret.n < SECRET_LEAST)
        return say(a, ERR_CONFIG, "a secret to sign with has at least %d characters", SECRET_LEAST);
    buf_print(&b, "%.*s.%.*s.", T(call->id), T(seconds));
    buf_add(&b, call->body);
    TRY(buf_lend(a, &b, &all));
    if (!HMAC(EVP_sha256(), call->secret.p, (int)call->secret.n, (const uint8_t *)all.p, all.n, mac, &size))
        return say(a, ERR_CRYPT, "no signature can be computed");
    buf_add(&signed_text, TEXT("webhook-signature: v1,"));
    buf_base64(&signed_text, (text){ (const char *)mac, size });
    return buf_take(a, &signed_text, out);
}

static void free_list(struct curl_slist **list) { curl_slist_free_all(*list); }

static enum err add_header(struct arena *a, struct curl_slist **list, text line)
{
    TRY_PTR(line.p);
    char *copy = arena_alloc(a, line.n + 1);
    TRY_PTR(copy);
    if (!text_cstr(line, copy, line.n + 1) || text_index(line, '\n') >= 0 || text_index(line, '\r') >= 0)
        return say(a, ERR_CONFIG, "a header of a request holds a line break or a NUL");
    struct curl_slist *longer = curl_slist_append(*list, copy);
    TRY_PTR(longer);
    *list = longer;
    return OK;
}

static enum err headers(struct arena *a, const struct http_call *call, struct curl_slist **list)
{
    text type = call->type.n ? call->type : TEXT("application/json");
    text sign;
    TRY(add_header(a, list, arena_print(a, "Content-Type: %.*s", T(type))));
    TRY(add_header(a, list, TEXT("Expect:"))); /* no round more for a larger body */
    if (call->bearer.n)
        TRY(add_header(a, list, arena_print(a, "Authorization: Bearer %.*s", T(call->bearer))));
    if (call->id.n)
        TRY(add_header(a, list, arena_print(a, "webhook-id: %.*s", T(call->id))));
    if (!call->secret.n)
        return OK;
    text seconds = arena_print(a, "%lld", (long long)(call->now / SECOND));
    TRY_PTR(seconds.p);
    TRY(signature(a, call, seconds, &sign));
    TRY(add_header(a, list, arena_print(a, "webhook-timestamp: %.*s", T(seconds))));
    return add_header(a, list, sign);
}

/* ---- The transfer. ---- */

struct transfer {
    struct buf body;
    const atomic_bool *stop;
};

static size_t take(char *in, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    if (t->body.n + size * count > t->body.limit)
        return 0;
    buf_add(&t->body, (text){ in, size * count });
    return size * count;
}

static int still_wanted(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct transfer *t = arg;
    return t->stop && atomic_load(t->stop);
}

static const char *judged(CURLcode code, unsigned status)
{
    switch ((int)code) {
    case CURLE_OK:
        return status >= 200 && status < 300 ? "ok" : "http";
    case CURLE_ABORTED_BY_CALLBACK:
        return "stopped";
    case CURLE_WRITE_ERROR:
        return "too-large";
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return "tls";
    default:
        return "unreachable";
    }
}

static enum err set_options(struct arena *a, CURL *c, const struct http_call *call)
{
    char url[URL_ROOM], ca[4096], method[16] = "POST";
    if (!text_cstr(call->url, url, sizeof url) || !text_cstr(call->ca_file, ca, sizeof ca) ||
        (call->method.n && !text_cstr(call->method, method, sizeof method)))
        return say(a, ERR_CONFIG, "the address, the method or the file of authorities is too long");
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_PROXY, ""); /* whatever the environment says */
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L); /* the one who was named gets it, nobody else */
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    if (ca[0])
        curl_easy_setopt(c, CURLOPT_CAINFO, ca);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, call->body.n ? call->body.p : "");
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
    if (text_eq(text_of(method), TEXT("GET")))
        curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "Garant");
    return OK;
}

static void cleanup(CURL **c)
{
    if (*c)
        curl_easy_cleanup(*c);
}

static enum err answered(struct arena *a, CURL *c, CURLcode code, struct transfer *t, struct http_answer *out)
{
    long status = 0;
    curl_off_t wait = 0, sent = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &wait);
    curl_easy_getinfo(c, CURLINFO_REQUEST_SIZE, &sent);
    out->status = (unsigned)status;
    out->code = judged(code, out->status);
    out->unknown = code != CURLE_OK && sent > 0 && status == 0;
    if (wait > 0)
        out->retry_after = wait < DAY_SECONDS ? (unsigned)wait : DAY_SECONDS;
    return buf_take(a, &t->body, &out->body);
}

enum err http_send(struct arena *a, const struct http_call *call, struct http_answer *out)
{
    struct transfer t = { buf_make(call->answer_max ? call->answer_max : ANSWER_MAX), call->stop };
    __attribute__((cleanup(free_list))) struct curl_slist *list = NULL;
    *out = (struct http_answer){ .code = "unreachable" };
    TRY(http_check(a, call->url));
    TRY(headers(a, call, &list));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return say(a, ERR_INTERNAL, "libcurl cannot be started");
    __attribute__((cleanup(cleanup))) CURL *c = curl_easy_init();
    TRY_PTR(c);
    TRY(set_options(a, c, call));
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &t);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, still_wanted);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, &t);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    enum err e = answered(a, c, curl_easy_perform(c), &t, out);
    buf_free(&t.body);
    return e;
}
