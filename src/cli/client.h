/* A request from the command line: to the server that runs on the data folder, or through the same router in this
 * process. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H
#include "cli/cli.h"
#include "front/door/front.h"

struct app;

struct client {
    struct cli *cli;
    int dir_fd;
    bool running; /* a server answers on DIR/garant.sock */
    text data_dir;
    struct app *app; /* opened here, when none runs */
    struct front front;
};
struct result {
    int status;
    text type, body, etag;
};

/* Finds the server, or opens the data folder; a faulty policy is printed with its lines. */
enum err client_open(struct cli *cli, struct client *out);
void client_close(struct client *c);
#define CLIENT_AUTO CLEANUP(client_close) struct client
/* Asks as the operator. An answer of 400 and above becomes its error, with its reason said; *out is then not set. */
enum err client_call(struct client *c, enum method method, text target, text type, text body, int64_t if_match,
                     struct result *out);

/* `before`, an id or name escaped, and `after`; the options of those names (ended by NULL) as the query of a target. */
text cli_target(struct cli *cli, const char *before, text id, const char *after);
text cli_query(struct cli *cli, text target, const char *const *names);
/* Asks once and prints what comes. */
enum err cli_ask(struct cli *cli, enum method method, text target, text type, text body, int64_t if_match);
/* Asks for a file, and keeps it in the new file `to`; "-" is standard output. Which file, and of how many bytes, is
 * printed. */
enum err cli_ask_file(struct cli *cli, text target, text to);

#endif
