/* SMTP by libcurl: what is checked before, and what its answers mean. */
#include "link/smtp.h"
#include "base/buf.h"
#include "base/unicode.h"
#include "reach/http.h"
#include <curl/curl.h>

enum { CONNECT_SECONDS = 15, SEND_SECONDS = 90, HOST_MAX = 256 };

struct smtp {
    CURL *curl;
    char url[1024], from[300], sender[302], user[256], password[512], ca_file[4096];
    bool plain;
    bool utf8;    /* what stands last greeted us with SMTPUTF8 (RFC 6531) among what it can */
    char verb[5]; /* of the last command: what a refusal is about */
};

/* ---- Options. ---- */

/* The host of "smtp://host:port", brackets of an IPv6 address included; p NULL when the address is anything else. */
static text host_of(text url)
{
    text rest = text_starts(url, TEXT("smtps://"))  ? text_from(url, 8)
                : text_starts(url, TEXT("smtp://")) ? text_from(url, 7)
                                                    : TEXT("");
    while (text_ends(rest, TEXT("/")))
        rest = text_upto(rest, rest.n - 1);
    size_t colon = rest.n;
    while (colon && rest.p[colon - 1] != ':' && rest.p[colon - 1] != ']')
        colon--;
    bool with_port = colon && rest.p[colon - 1] == ':';
    text host = with_port ? text_upto(rest, colon - 1) : rest;
    int64_t port = 1;
    bool good = host.n && host.n < HOST_MAX &&
                (!with_port || (text_int(text_from(rest, colon), &port) && port > 0 && port < 65536));
    for (size_t i = 0; i < host.n; i++)
        good &= host.p[i] > ' ' && host.p[i] <= '~' && text_index(TEXT("/@?#\\\"<>"), host.p[i]) < 0;
    return good ? host : (text){ NULL, 0 };
}

text smtp_address(struct arena *a, text address)
{
    ptrdiff_t at = text_index(address, '@');
    text domain = text_from(address, (size_t)(at + 1));
    if (at < 0)
        return address;
    text host = unicode_host(a, domain, false);
    return host.p ? arena_print(a, "%.*s@%.*s", (int)at, address.p, T(host)) : address;
}

static enum err read_options(struct arena *a, const struct smtp_options *o, struct smtp *s)
{
    text host = host_of(o->url), url = o->url, own = smtp_address(a, o->from);
    TRY_PTR(own.p);
    if (!host.p)
        return say(a, ERR_CONFIG, "--smtp wants smtp://host:port (STARTTLS) or smtps://host:port");
    if (o->plain && !http_this_machine(host))
        return say(
            a, ERR_CONFIG,
            "--smtp-plain is for a server on this machine: emails and the password go over a network under TLS only");
    if (o->plain && text_starts(url, TEXT("smtps://")))
        return say(a, ERR_CONFIG, "smtps:// is TLS, and --smtp-plain says none");
    while (text_ends(url, TEXT("/")))
        url = text_upto(url, url.n - 1);
    text domain = text_from(own, (size_t)(text_index(own, '@') + 1));
    text full = arena_print(a, "%.*s/%.*s", T(url), T(domain)); /* the path is the name in EHLO */
    text sender = arena_print(a, "<%.*s>", T(own));
    TRY_PTR(full.p);
    if (!text_cstr(full, s->url, sizeof s->url) || !text_cstr(own, s->from, sizeof s->from) ||
        !text_cstr(sender, s->sender, sizeof s->sender) || !text_cstr(o->user, s->user, sizeof s->user) ||
        !text_cstr(o->password, s->password, sizeof s->password) ||
        !text_cstr(o->ca_file, s->ca_file, sizeof s->ca_file))
        return say(a, ERR_CONFIG, "an option of the mail server is too long, or holds a NUL");
    s->plain = o->plain;
    return OK;
}

/* ---- The transfer. ---- */

struct upload {
    text rest;
    const atomic_bool *stop;
};

static size_t give(char *out, size_t size, size_t count, void *arg)
{
    struct upload *u = arg;
    size_t n = u->rest.n < size * count ? u->rest.n : size * count;
    memcpy(out, u->rest.p, n);
    u->rest = text_from(u->rest, n);
    return n;
}

static int still_wanted(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct upload *u = arg;
    return atomic_load(u->stop);
}

static bool is_verb(const struct smtp *s, const char *verb) { return memcmp(s->verb, verb, 4) == 0; }

/* Only the verb of each command but the last is kept: the rest is personal, or a password. */
static int watch(CURL *curl, curl_infotype type, char *data, size_t size, void *arg)
{
    struct smtp *s = arg;
    text line = { data, size };
    if (type == CURLINFO_HEADER_OUT && text_starts(line, TEXT("EHLO")))
        s->utf8 = false;
    if (type == CURLINFO_HEADER_IN && is_verb(s, "EHLO") &&
        text_eq_nocase(text_trim(text_from(line, 4)), TEXT("SMTPUTF8")))
        s->utf8 = true;
    if (type == CURLINFO_HEADER_OUT && size >= 4 && memcmp(data, "QUIT", 4) != 0) {
        memcpy(s->verb, data, 4);
        s->verb[4] = 0;
    }
    return 0;
}

static void set_options(struct smtp *s)
{
    CURL *c = s->curl;
    curl_easy_setopt(c, CURLOPT_URL, s->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(c, CURLOPT_PROXY, ""); /* whatever the environment says */
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)SEND_SECONDS);
    curl_easy_setopt(c, CURLOPT_USE_SSL, s->plain ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    if (s->ca_file[0])
        curl_easy_setopt(c, CURLOPT_CAINFO, s->ca_file);
    if (s->user[0]) {
        curl_easy_setopt(c, CURLOPT_USERNAME, s->user);
        curl_easy_setopt(c, CURLOPT_PASSWORD, s->password);
    }
    curl_easy_setopt(c, CURLOPT_MAIL_FROM, s->sender);
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, still_wanted);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, watch);
    curl_easy_setopt(c, CURLOPT_DEBUGDATA, s);
    curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);
}

enum err smtp_open(struct arena *a, const struct smtp_options *o, struct smtp **out)
{
    struct smtp *s = calloc(1, sizeof *s);
    TRY_PTR(s);
    *out = s;
    enum err status = read_options(a, o, s);
    if (status == OK && (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(s->curl = curl_easy_init())))
        status = say(a, ERR_INTERNAL, "libcurl cannot be started");
    if (status != OK) {
        smtp_close(out);
        return status;
    }
    set_options(s);
    return OK;
}

void smtp_close(struct smtp **s)
{
    if (!*s)
        return;
    if ((*s)->curl)
        curl_easy_cleanup((*s)->curl);
    explicit_bzero((*s)->password, sizeof(*s)->password);
    free(*s);
    *s = NULL;
}

text smtp_from(const struct smtp *s) { return text_of(s->from); }

/* ---- What an answer means. ---- */

static void set_code(struct smtp_result *out, const char *code) { snprintf(out->code, sizeof out->code, "%s", code); }

/* 5yz about the recipient or the message is for good; about us (the sender's address, signing in, the whole service) it
 * is a fault that somebody can mend, and the letter waits. */
static void judge_reply(const struct smtp *s, long reply, bool uploaded, struct smtp_result *out)
{
    out->reached = true;
    out->for_good = reply >= 500 && reply < 600 && (is_verb(s, "RCPT") || is_verb(s, "DATA") || uploaded);
    snprintf(out->code, sizeof out->code, "smtp-%03u", (unsigned)reply % 1000);
}

static void judge(const struct smtp *s, CURLcode code, long reply, bool uploaded, struct smtp_result *out)
{
    out->unknown = uploaded && code != CURLE_OK && reply < 400;
    switch ((int)code) {
    case CURLE_OK:
        out->reached = true;
        out->sent = true;
        return;
    case CURLE_ABORTED_BY_CALLBACK:
        set_code(out, "stopped");
        return;
    case CURLE_LOGIN_DENIED:
        set_code(out, "login");
        return;
    case CURLE_OPERATION_TIMEDOUT:
        set_code(out, "timeout");
        return;
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        set_code(out, "tls");
        return;
    default:
        break;
    }
    if (reply >= 400)
        judge_reply(s, reply, uploaded, out);
    else
        set_code(out, "unreachable");
}

static bool ascii(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] > '~')
            return false;
    return true;
}

/* An address or a header beyond ASCII may go only to a server that takes them: without SMTPUTF8 it MUST NOT be sent
 * (RFC 6531, 3.2), and no other try will help. A greeting, or a command that does nothing where the connection stands,
 * tells. False when the letter may not go. */
static bool utf8_fits(struct smtp *s, struct upload *upload, struct smtp_result *out)
{
    curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, NULL);
    curl_easy_setopt(s->curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(s->curl, CURLOPT_CUSTOMREQUEST, "NOOP");
    curl_easy_setopt(s->curl, CURLOPT_XFERINFODATA, upload);
    CURLcode code = curl_easy_perform(s->curl);
    long reply = 0;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &reply);
    curl_easy_setopt(s->curl, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(s->curl, CURLOPT_NOBODY, 0L);
    curl_easy_setopt(s->curl, CURLOPT_UPLOAD, 1L);
    if (code == CURLE_OK && !s->utf8)
        *out = (struct smtp_result){ .for_good = true, .reached = true, .code = "smtputf8" };
    else if (code != CURLE_OK)
        judge(s, code, reply, false, out);
    return code == CURLE_OK && s->utf8;
}

void smtp_send(struct smtp *s, text to, text message, const atomic_bool *stop, struct smtp_result *out)
{
    char recipient[300];
    struct upload upload = { message, stop };
    *out = (struct smtp_result){ .for_good = true, .code = "address" };
    if (to.n > 254 || snprintf(recipient, sizeof recipient, "<%.*s>", T(to)) >= (int)sizeof recipient)
        return;
    *out = (struct smtp_result){ .code = "memory" };
    memcpy(s->verb, "none", sizeof s->verb);
    if (!(ascii(to) && ascii(message)) && !utf8_fits(s, &upload, out))
        return;
    struct curl_slist *list = curl_slist_append(NULL, recipient);
    if (!list)
        return;
    memcpy(s->verb, "none", sizeof s->verb);
    curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, list);
    curl_easy_setopt(s->curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(s->curl, CURLOPT_XFERINFODATA, &upload);
    CURLcode code = curl_easy_perform(s->curl);
    long reply = 0;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &reply);
    judge(s, code, reply, !upload.rest.n, out);
    curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(list);
}
