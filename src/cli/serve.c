/* serve: opens the instance and runs the server on it. */
#include "base/log.h"
#include "cli/cli.h"
#include "front/server.h"

struct started { struct cli *cli; msec began; };

static void ready(void *arg, text address)
{
    struct started *s = arg;
    LOG(LOG_INFO, "listening", LOG_TEXT("address", address), LOG_INT("ms", clock_monotonic() - s->began));
    if (!address.n)
        return;
    const char *scheme = cli_has(s->cli, TEXT("tls-certificate")) ? "https" : "http";
    text line = arena_print(s->cli->arena, s->cli->json ? "{\"address\":\"%s://%.*s\"}" : "%s://%.*s", scheme, T(address));
    cli_line(line);
}

/* A simulated clock is for tests: with other people's data behind it, it would be a way to forge times. */
static enum err check_clock(struct cli *cli, text listen)
{
    if (!cli_has(cli, TEXT("clock-file")))
        return OK;
    bool loopback = text_starts(listen, TEXT("127.")) || text_starts(listen, TEXT("[::1]")) ||
                    text_starts(listen, TEXT("localhost:")) || !listen.n;
    if (!loopback || cli_has(cli, TEXT("proxy")))
        return say(cli->arena, ERR_CONFIG, "a simulated clock is for tests on loopback only");
    LOG(LOG_WARN, "simulated clock: times are not real", LOG_TEXT("option", TEXT("--clock-file")));
    return OK;
}

enum err verb_serve(struct cli *cli)
{
    struct started s = { cli, clock_monotonic() };
    struct app_options options;
    struct findings findings = { 0 };
    int64_t threads, connections, per_address;
    server_block_signals();            /* before the store makes its threads */
    TRY(cli_app_options(cli, true, &options));
    TRY(cli_number(cli, TEXT("threads"), 1, 64, 0, &threads));
    TRY(cli_number(cli, TEXT("connections"), 8, 100000, 0, &connections));
    TRY(cli_number(cli, TEXT("per-address"), 1, 100000, 0, &per_address));
    text listen = cli_has(cli, TEXT("listen")) ? cli_option(cli, TEXT("listen")) : TEXT("127.0.0.1:8080");
    if (text_eq(listen, TEXT("none")))
        listen = TEXT("");
    TRY(check_clock(cli, listen));
    if (!options.policy_file.n)
        return say(cli->arena, ERR_USAGE, "name the policy with --policy FILE");
    options.lawful = !cli_has(cli, TEXT("unlawful"));
    if (!options.lawful)
        LOG(LOG_WARN, "the policy is run whatever the law says of it", LOG_TEXT("option", TEXT("--unlawful")));
    struct app *app = NULL;
    enum err e = app_open(cli->arena, &options, &findings, &app);
    cli_findings(cli, options.policy_file, &findings, true);
    if (e != OK)
        return e;
    struct server_options so = { .listen = listen,
                                 .data_dir = options.data_dir,
                                 .threads = (unsigned)threads,
                                 .connections = (unsigned)connections,
                                 .per_address = (unsigned)per_address,
                                 .proxy = cli_has(cli, TEXT("proxy")),
                                 .tls_certificate = cli_option(cli, TEXT("tls-certificate")),
                                 .tls_key = cli_option(cli, TEXT("tls-key")),
                                 .access_log = cli_has(cli, TEXT("access-log")),
                                 .ready = ready,
                                 .ready_arg = &s };
    e = server_run(cli->arena, app, &so);
    app_close(&app);
    return e;
}
