/* The server: listeners, one loop a thread, signals, and the thread that time drives. */
#ifndef FRONT_WIRE_SERVER_H
#define FRONT_WIRE_SERVER_H
#include "front/door/front.h"

struct app;

struct server_options {
    text listen;      /* "127.0.0.1:8080", "[::1]:8080"; port 0 for a free one; empty: only the folder's socket */
    text data_dir;    /* its garant.sock is the operator's door; empty: none */
    unsigned threads; /* 0: one for each core */
    unsigned connections,
        per_address; /* the most there may be; 0: 2,000 and a quarter of them. Loopback has no share of its own */
    bool proxy;      /* a proxy that ends TLS stands before; beyond loopback it must be named */
    text proxy_from; /* addresses and networks of the proxies that are believed; empty: loopback */
    text tls_certificate, tls_key; /* PEM files: connections are then encrypted here; empty: they are not */
    bool access_log;
    void (*ready)(void *arg, text address); /* called once, when connections are taken */
    void *ready_arg;
};

/* Before any thread is made: SIGTERM, SIGINT and SIGHUP wait for server_run(); SIGPIPE is ignored. */
void server_block_signals(void);
/* Serves until SIGTERM or SIGINT, then lets requests in work end. ERR_CONFIG when an address cannot be used. */
enum err server_run(struct arena *a, struct app *app, const struct server_options *o);
struct sockaddr_un;

/* "DIR/garant.sock" as a socket address; paths that are too long for one go through /proc/self/fd and *dir_fd (else
 * -1). */
enum err server_socket_address(struct arena *a, text data_dir, struct sockaddr_un *out, int *dir_fd);

#endif
