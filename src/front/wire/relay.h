/* Between an encrypted connection and the server: what TLS decrypts goes into a socket pair whose other end is served
 * like any connection, and the reverse. So the door, the limits, the deadlines and libmicrohttpd see plain bytes,
 * whatever the wire carries. */
#ifndef FRONT_WIRE_RELAY_H
#define FRONT_WIRE_RELAY_H
#include "front/door/metrics.h"
#include "front/wire/tls.h"

/* Of one loop; used from its thread only. */
struct relay;

struct relays {
    struct tls *tls; /* NULL: connections are plain, and nothing else here is used */
    struct counters *counters;
    int epoll_fd;                    /* readable when something can be moved */
    struct relay *all, *busy, *dead; /* busy: with more to move than one turn may take */
    unsigned count, most, handshakes;
};

/* Relays of one loop, for at most `most` connections; none without `tls`. `tls` and `counters` must outlive them. */
enum err relays_open(struct arena *a, struct tls *tls, struct counters *counters, unsigned most, struct relays *out);
void relays_close(struct relays *s); /* ends all connections first */
/* Takes over an accepted connection; gives the plain end to serve in its place, which the caller closes as it would the
 * connection. -1, with the connection closed, when there is no descriptor or memory. */
int relays_take(struct relays *s, int fd);
/* Moves what can be moved now, without waiting. */
void relays_turn(struct relays *s);
/* Gives up clients that do not take their answer, at the pace the loop asks of plain ones. About once a second. */
void relays_sweep(struct relays *s);
/* Whether an answer is still on its way to a client. */
bool relays_pending(const struct relays *s);

#endif
