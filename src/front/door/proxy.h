/* What proxies in front say of a request: who asked, by which scheme, for which host (RFC 7239, and the older
 * X-Forwarded-*). */
#ifndef FRONT_DOOR_PROXY_H
#define FRONT_DOOR_PROXY_H
#include "front/door/request.h"

/* The proxies that are believed: addresses, or networks of them. */
enum { PROXIES_MAX = 32 };
struct network {
    struct host_address base;
    unsigned bits;
};
struct proxies {
    struct network list[PROXIES_MAX];
    size_t count;
};

/* "10.0.0.4, 10.1.0.0/16, 2001:db8::/32"; empty: loopback. ERR_CONFIG for anything else. */
enum err proxies_parse(struct arena *a, text list, struct proxies *out);
bool proxies_have(const struct proxies *p, const struct host_address *address);

/* Fills q->address, q->encrypted and q->host from what the proxy said of q. `peer`: who sent it. The client is the
 * right-most address that is none of the proxies; X-Forwarded-For counts before Forwarded, since a proxy that sets the
 * one may let a client's other through. What is no address ("unknown", "_hidden") is a client that nobody knows.
 * ERR_FORBIDDEN for a client beyond this machine who did not come by TLS, or of whom the proxy does not say it: what
 * was sent in the clear was there for all to read. */
enum err proxy_believe(struct arena *a, const struct proxies *p, const struct host_address *peer, struct request *q);

#endif
