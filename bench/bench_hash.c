/* What a machine can hash at most: passwords a second with every core at it, by the call that the server uses.
 * bench_hash SECONDS */
#include "base/clock.h"
#include "crypt/password.h"
#include "crypt/seal.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MAX = 256 };
struct lane {
    pthread_t thread;
    msec until;
    unsigned long done;
    bool failed;
};

static void *hash(void *arg)
{
    struct lane *lane = arg;
    bool good, stale;
    while (!lane->failed && clock_monotonic() < lane->until) {
        ARENA_AUTO a = arena_make(4096);
        lane->failed = password_matches(&a, PASSWORD_DUMMY, TEXT("nobody"), &good, &stale) != OK;
        lane->done++;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct lane lanes[THREADS_MAX];
    ARENA_AUTO a = arena_make(4096);
    long cores = sysconf(_SC_NPROCESSORS_ONLN), lanes_used = cores < 1 ? 1
                                                           : cores > THREADS_MAX ? THREADS_MAX : cores;
    double seconds = argc == 2 ? strtod(argv[1], NULL) : 1;
    unsigned long done = 0;
    bool failed = crypt_init(&a) != OK;
    msec began = clock_monotonic();
    for (long i = 0; i < lanes_used; i++) {
        lanes[i].until = began + (msec)(seconds * SECOND);
        failed |= pthread_create(&lanes[i].thread, NULL, hash, &lanes[i]) != 0;
    }
    for (long i = 0; i < lanes_used && !failed; i++) {
        pthread_join(lanes[i].thread, NULL);
        done += lanes[i].done;
        failed |= lanes[i].failed;
    }
    if (failed)
        return fprintf(stderr, "no memory, thread or randomness to hash with\n"), EXIT_FAILURE;
    printf("%.3f\n", (double)done * SECOND / (double)(clock_monotonic() - began));
    return EXIT_SUCCESS;
}
