/* Who is connected: connections by address, and failed credentials by address. */
#ifndef FRONT_DOOR_PEERS_H
#define FRONT_DOOR_PEERS_H
#include "base/arena.h"
#include "base/clock.h"
#include <sys/socket.h>

/* An address whole, IPv4 mapped (::ffff:192.0.2.1). */
struct host_address {
    uint8_t b[16];
};
extern const struct host_address host_unknown;          /* of whom somebody speaks without an address */
struct host_address host_of(const struct sockaddr *sa); /* all zero for another family */
bool host_parse(text s, struct host_address *out);      /* brackets and a zone allowed, no port */
/* As proxies name whom they got a request from: also with a port ("192.0.2.1:4711", "[2001:db8::1]:4711"). */
bool hop_parse(text s, struct host_address *out);
bool host_is_four(const struct host_address *h);
bool host_is_loopback(const struct host_address *h); /* 127.0.0.0/8 or ::1 */

/* An address as the limits see it: IPv4 whole (mapped), IPv6 by its /64, which is what one person has. */
struct address {
    uint8_t b[16];
};
struct address address_of_host(const struct host_address *h);
struct address address_of(const struct sockaddr *sa);       /* all zero for another family */
text address_text(struct arena *a, struct address address); /* empty for no address */
bool address_loopback(const struct sockaddr *sa);

enum { FAILURES_MAX = 20, FAILURES_WINDOW = MINUTE };
struct peers;
struct peer;

/* At most `per_address` connections an address. */
enum err peers_open(struct arena *a, unsigned per_address, struct peers **out);
void peers_close(struct peers **p);
/* Counts one more connection; NULL when the address has its share, or the table is full. Any thread. */
struct peer *peers_enter(struct peers *p, struct address address, bool limited);
void peers_leave(struct peers *p, struct peer *peer);
unsigned peer_connections(const struct peer *peer);
/* Counts a failed credential; true when the address has had more than FAILURES_MAX within FAILURES_WINDOW. `now` is of
 * clock_monotonic(). */
bool peers_failed(struct peers *p, struct address address, msec now);
/* Whether it has had so many already; counts nothing. */
bool peers_crowded(struct peers *p, struct address address, msec now);

#endif
