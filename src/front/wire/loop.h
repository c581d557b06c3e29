/* One thread of the server: its connections, their deadlines, its fibers, and libmicrohttpd driven by poll(). */
#ifndef FRONT_WIRE_LOOP_H
#define FRONT_WIRE_LOOP_H
#include "front/door/front.h"
#include "front/door/proxy.h"
#include "base/fiber.h"
#include "front/wire/relay.h"
#include <microhttpd.h>
#include <pthread.h>

/* How long an answer may take to be taken, and how long one reads on behind it; SLOWEST: bytes a second below which a
 * body or an answer is given up, after its first seconds. */
enum { REPLY_TIME = 20 * SECOND, LINGER_TIME = 2 * SECOND, SLOWEST = 16 << 10 };

/* What the threads share. */
struct shared {
    struct front *front;
    struct tls *tls; /* NULL: connections are plain, and the folder's socket always is */
    int stop_fd;     /* readable from the stop on */
    _Atomic bool stopping;
    _Atomic unsigned connections;
    unsigned connections_max;
    _Atomic uint64_t bodies; /* bytes of the bodies that are being read or worked on */
    bool proxy, access_log;
    struct proxies proxies; /* whose word on a request is believed, with `proxy` */
};

struct connection;
struct exchange;

struct loop {
    struct shared *shared;
    pthread_t thread;
    bool started;
    struct MHD_Daemon *daemon;
    int http_fd, door_fd;     /* libmicrohttpd's epoll; ours, of connections whose first head has not come */
    int listen_fd, socket_fd; /* our listeners, -1 for none */
    struct fiber_loop fibers;
    struct connection *connections; /* all of this thread */
    struct connection *handed;      /* those of them that libmicrohttpd was given and has not begun */
    struct exchange *idle;          /* exchanges to use again */
    unsigned idle_count, linger_count;
    struct {
        int fd;
        msec until;
    } linger[16]; /* closed for writing, still read so that the client gets the last answer */
    msec next_sweep;
    struct counters *counters;
    struct relays relays; /* encrypted connections */
};

/* Takes over both descriptors (either may be -1). */
enum err loop_open(struct arena *a, struct shared *shared, int listen_fd, int socket_fd, struct loop *l);
void *loop_main(void *loop);     /* a thread's body: until stopped and drained */
void loop_close(struct loop *l); /* after the thread has ended */

#endif
