/* Who is connected: a table by address, shared by the server's threads. */
#include "front/door/peers.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

enum { SLOTS = 8192, PROBES = 32 };

struct peer {
    struct address address;
    _Atomic unsigned connections;
    unsigned failures;
    msec window; /* start of the failures' minute */
};

struct peers {
    pthread_mutex_t lock;
    unsigned per_address;
    uint64_t seed; /* so that nobody can choose addresses that collide */
    struct peer slots[SLOTS];
};

static const uint8_t mapped[12] = { [10] = 0xFF, [11] = 0xFF };

/* ::ffff:0.0.0.0, which nobody has. */
const struct host_address host_unknown = { { [10] = 0xFF, [11] = 0xFF } };

struct host_address host_of(const struct sockaddr *sa)
{
    struct host_address out = { { 0 } };
    if (sa->sa_family == AF_INET) {
        memcpy(out.b, mapped, sizeof mapped);
        memcpy(out.b + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6)
        memcpy(out.b, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
    return out;
}

bool host_is_four(const struct host_address *h) { return memcmp(h->b, mapped, sizeof mapped) == 0; }

bool host_is_loopback(const struct host_address *h)
{
    static const uint8_t one[16] = { [15] = 1 };
    return memcmp(h->b, one, sizeof one) == 0 || (host_is_four(h) && h->b[12] == 127);
}

struct address address_of_host(const struct host_address *h)
{
    struct address out = { { 0 } };
    memcpy(out.b, h->b, host_is_four(h) ? 16 : 8);
    return out;
}

struct address address_of(const struct sockaddr *sa)
{
    struct host_address host = host_of(sa);
    return address_of_host(&host);
}

bool host_parse(text s, struct host_address *out)
{
    char copy[INET6_ADDRSTRLEN];
    s = text_trim(s);
    if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        s = text_upto(text_from(s, 1), s.n - 2);
    text zone = s;
    s = text_cut(&zone, '%'); /* fe80::1%eth0: the link it is on is the proxy's own affair */
    *out = (struct host_address){ { 0 } };
    if (!text_cstr(s, copy, sizeof copy))
        return false;
    if (inet_pton(AF_INET6, copy, out->b) == 1)
        return true;
    memcpy(out->b, mapped, sizeof mapped);
    return inet_pton(AF_INET, copy, out->b + 12) == 1;
}

bool hop_parse(text s, struct host_address *out)
{
    int64_t port;
    s = text_trim(s);
    ptrdiff_t last = s.n && s.p[0] == '[' ? text_find(s, TEXT("]:")) : text_index(s, ':');
    size_t colon = last < 0 ? s.n : (size_t)last + (s.p[0] == '[');
    text number = text_from(s, colon + 1);
    bool with_port = last >= 0 && text_index(number, ':') < 0;
    if (!with_port)
        return host_parse(s, out);
    return text_int(number, &port) && port >= 0 && port <= 65535 && host_parse(text_upto(s, colon), out);
}

text address_text(struct arena *a, struct address address)
{
    static const uint8_t none[16] = { 0 };
    char out[INET6_ADDRSTRLEN];
    bool four = memcmp(address.b, mapped, sizeof mapped) == 0;
    if (memcmp(address.b, none, sizeof none) == 0 || memcmp(address.b, host_unknown.b, sizeof address.b) == 0)
        return TEXT("");
    if (!inet_ntop(four ? AF_INET : AF_INET6,
                   four ? address.b + 12 : address.b, out, sizeof out))
        return TEXT("");
    return arena_copy(a, text_of(out));
}

bool address_loopback(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 == 127;
    if (sa->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
    return sa->sa_family == AF_UNIX;
}

enum err peers_open(struct arena *a, unsigned per_address, struct peers **out)
{
    struct peers *p = calloc(1, sizeof *p);
    if (!p)
        return say(a, ERR_MEMORY, "no memory for the table of addresses");
    if (getrandom(&p->seed, sizeof p->seed, 0) != sizeof p->seed) {
        free(p);
        return say(a, ERR_INTERNAL, "the machine gives no random bytes");
    }
    pthread_mutex_init(&p->lock, NULL);
    p->per_address = per_address;
    *out = p;
    return OK;
}

void peers_close(struct peers **p)
{
    if (!*p)
        return;
    pthread_mutex_destroy(&(*p)->lock);
    free(*p);
    *p = NULL;
}

static bool unused(const struct peer *e, msec now)
{
    return !atomic_load_explicit(&e->connections, memory_order_relaxed) &&
           (!e->failures || now - e->window > FAILURES_WINDOW);
}

/* The address' slot, or a free one made its own; NULL when all its places are taken. Under the lock. */
static struct peer *slot(struct peers *p, struct address address, msec now)
{
    uint64_t words[2], hash = p->seed;
    struct peer *spare = NULL;
    memcpy(words, address.b, sizeof words);
    for (size_t i = 0; i < 2; i++) { /* neighbours differ in the highest bits: those must reach the lowest */
        hash ^= words[i];
        hash = (hash ^ hash >> 32) * 0x9E3779B97F4A7C15u;
        hash = (hash ^ hash >> 29) * 0xBF58476D1CE4E5B9u;
        hash ^= hash >> 32;
    }
    for (size_t i = 0; i < PROBES; i++) {
        struct peer *e = &p->slots[(hash + i) % SLOTS];
        if (memcmp(&e->address, &address, sizeof address) == 0)
            return e;
        if (!spare && unused(e, now))
            spare = e;
    }
    if (spare)
        *spare = (struct peer){ .address = address };
    return spare;
}

struct peer *peers_enter(struct peers *p, struct address address, bool limited)
{
    pthread_mutex_lock(&p->lock);
    struct peer *e = slot(p, address, clock_monotonic());
    if (e && limited && e->connections >= p->per_address)
        e = NULL;
    if (e)
        e->connections++;
    pthread_mutex_unlock(&p->lock);
    return e;
}

void peers_leave(struct peers *p, struct peer *peer)
{
    pthread_mutex_lock(&p->lock);
    peer->connections--;
    pthread_mutex_unlock(&p->lock);
}

unsigned peer_connections(const struct peer *peer)
{
    return atomic_load_explicit(&peer->connections, memory_order_relaxed);
}

bool peers_failed(struct peers *p, struct address address, msec now)
{
    pthread_mutex_lock(&p->lock);
    struct peer *e = slot(p, address, now);
    if (e && now - e->window > FAILURES_WINDOW) {
        e->failures = 0;
        e->window = now;
    }
    bool many = e && ++e->failures > FAILURES_MAX;
    pthread_mutex_unlock(&p->lock);
    return many;
}

bool peers_crowded(struct peers *p, struct address address, msec now)
{
    pthread_mutex_lock(&p->lock);
    const struct peer *e = slot(p, address, now);
    bool many = e && now - e->window <= FAILURES_WINDOW && e->failures >= FAILURES_MAX;
    pthread_mutex_unlock(&p->lock);
    return many;
}
