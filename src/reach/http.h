/* One request of HTTP out of the house (RFC 9110), by libcurl: to applications, gateways and recipients that the
 * operator named in a settings file. Never to an address that came from a person. */
#ifndef REACH_HTTP_H
#define REACH_HTTP_H
#include "base/arena.h"
#include "base/clock.h"
#include <stdatomic.h>

struct http_call {
    text method;  /* empty: POST */
    text url;     /* "https://…"; "http://…" on loopback alone. No user, no password, no fragment */
    text ca_file; /* PEM of the authorities to believe; empty: the system's */
    text type;    /* of the body; empty: application/json */
    text bearer;  /* "Authorization: Bearer …"; empty: none */
    text secret;  /* of the signature; empty: none. At least 24 bytes */
    text id;      /* one id for all tries of one message, signed with it: whoever gets it twice knows */
    msec now;     /* signed with it: UNIX time in milliseconds */
    text body;
    size_t answer_max;       /* bytes of the answer; 0: 64 KiB */
    const atomic_bool *stop; /* may be NULL: gives up soon after it becomes true */
};
struct http_answer {
    unsigned status;      /* 0: no answer */
    bool unknown;         /* all of it was handed over, and no answer came: it may have been done */
    unsigned retry_after; /* seconds that the answer asks for, at most a day; 0: none */
    text body;            /* in the arena */
    const char *code;     /* "ok" for 2xx, "http" for another status, "unreachable", "tls", "timeout", "too-large",
                           * "stopped":     never personal */
};
/* Whether a host, as an address writes it, is this machine and nothing else: "localhost", "[::1]", or four numbers of
 * 127.0.0.0/8. A name that begins so ("127.example.org") is none. */
bool http_this_machine(text host);
/* Checks the address of a call, once, when settings are read. ERR_CONFIG with what is wrong with it. */
enum err http_check(struct arena *a, text url);
/* Sends one request and waits for its answer, 30 seconds at most; no redirection is followed, no proxy asked. The
 * signature is that of Standard Webhooks 1.0: webhook-id, webhook-timestamp and webhook-signature
 * "v1,BASE64(HMAC-SHA256(secret, id.timestamp.body))". OK whenever the request could be made, whatever became of it:
 * *out says. ERR_CONFIG for an address that is none. */
enum err http_send(struct arena *a, const struct http_call *call, struct http_answer *out);

struct json;
/* The secret to sign with, of the file that the member "secret" of `in` names: its path, or "credential:NAME" of
 * systemd; in it "whsec_" and base64, or the bytes themselves. ERR_CONFIG when it is not there or
 * empty, or others may read it: nothing leaves unsigned. */
enum err http_secret(struct arena *a, const struct json *in, text *out);

#endif
