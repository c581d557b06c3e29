/* The command line: verbs, their options, and what they print. */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include "domain/instance/care.h"

struct verb_row;
enum { CLI_ANSWER_LIMIT = 512 << 20, CLI_OPTIONS = 32, CLI_ARGUMENTS = 64 };
struct cli {
    struct arena *arena;
    text verb;
    const struct verb_row *row; /* of the verb; NULL before it is known */
    text language;    /* "fr" or "en" */
    int exit_status;  /* in place of that of errors.def, where a verb's callers want others; else 0 */
    text faulty_file; /* with --json: whose faults the error tells */
    struct findings faults;
    text asked_language; /* of requests: the same; for accounts of others only what --lang says, else "*" */
    bool json, quiet; /* quiet: only what was made is printed, its token or its id alone */
    struct {
        text name, value;
    } options[CLI_OPTIONS]; /* value empty for a switch */
    unsigned option_count;
    text arguments[CLI_ARGUMENTS];
    unsigned argument_count;
};

typedef enum err verb_fn(struct cli *cli);
struct verb_row {
    text name, arguments, en, fr;
    verb_fn *run;
};
/* Value empty: a switch. */
struct option_row {
    text verb, name, value, en, fr;
};
/* What is asked on a terminal before a verb runs, @ standing for its argument; action: its first argument, empty for
 * any. */
struct confirm_row {
    text verb, action;
    const char *en, *fr;
};
const struct verb_row *cli_verbs(size_t *count);
const struct option_row *cli_options(size_t *count);
#define VERB(name, arguments, en, fr) verb_fn verb_##name;
#include "cli/verbs.def"

/* The program: parses, runs the verb, tells what went wrong. Returns the exit status of errors.def. */
int cli_main(int argc, char **argv);
/* The value of an option, p NULL when it was not given; of a switch: empty. */
text cli_option(const struct cli *cli, text name);
bool cli_has(const struct cli *cli, text name);
/* A decimal option within bounds, `otherwise` when it was not given. */
enum err cli_number(struct cli *cli, text name, int64_t least, int64_t most, int64_t otherwise, int64_t *out);
/* The argument at that place, named in the complaint when it is missing. */
enum err cli_argument(struct cli *cli, unsigned at, const char *en, const char *fr, text *out);
/* The first argument is none of the verb's actions: which there are, or which was meant. */
enum err cli_no_action(struct cli *cli);
/* say() of this command in its user's language: both formats take the same values in the same order. */
enum err cli_fault(struct cli *cli, enum err code, const char *en, const char *fr, ...)
    __attribute__((format(printf, 3, 5), format(printf, 4, 5)));
/* strerror() in the user's language for what files meet most; English for the rest. */
const char *cli_reason(const struct cli *cli, int error);
/* The English or French of a pair. */
text cli_say(const struct cli *cli, text en, text fr);
#define SAY(cli, en, fr) cli_say((cli), TEXT(en), TEXT(fr))

/* The options that open a data folder, from the command line and the environment; *out without the folder where none
 * is named, with ERR_USAGE. */
enum err cli_app_options(struct cli *cli, bool create, struct app_options *out);
/* All of standard input, at most `limit` bytes. */
enum err cli_read_input(struct cli *cli, size_t limit, text *out);
/* {"decision", "reason"}, the reason from standard input: it is about a person. */
enum err cli_read_decision(struct cli *cli, text decision, text *out);
/* A line of standard input without its end and the blanks around it, at most 999 bytes; *ended at the input's end. */
enum err cli_read_line(struct cli *cli, text *out, bool *ended);
/* Whether `s` is yes or no, in either language; *out: which. */
bool cli_yes_or_no(text s, bool *out);
/* The first `limit` bytes of a file, in `a`; ERR_CONFIG, said in the command's arena, when it cannot be read. */
enum err cli_read_file(struct cli *cli, struct arena *a, text path, size_t limit, text *out);

/* Holds the backup in `dir` against --key, or the data folder's key. */
enum err cli_verify_backup(struct cli *cli, text dir, struct answer *answer);

/* ---- Output. ---- */
/* What is wrong with a policy file, to standard error: all of it, or errors only. */
void cli_findings(struct cli *cli, text file, const struct findings *f, bool all);
/* For a man page: hyphens, backslashes and quotes as roff wants them. */
void cli_roff(struct buf *b, text s);
/* garant-policy(5). */
void manual_policy(struct cli *cli, struct buf *b);
bool cli_write(int fd, text s); /* all of it; false: errno tells why not */
void cli_close(int *fd);        /* for CLEANUP(); -1 is none */
void cli_print(text s);         /* to standard output, as it is */
void cli_line(text s);
/* What was built, to standard output: its failure, or ERR_STORAGE when it cannot be written. */
enum err cli_give(struct cli *cli, const struct buf *b);
/* An answer: the JSON itself with --json, else its members as indented lines. */
enum err cli_answer(struct cli *cli, text json);
enum err cli_answer_of(struct cli *cli, const struct buf *json);
/* A remark on what was done all the same, on standard error, in JSON with --json. */
void cli_warn(struct cli *cli, text detail);
/* Progress on a terminal's standard error: a bar when `all` is known; nothing elsewhere. cli_progress_end() takes it
 * away. */
void cli_progress(uint64_t done, uint64_t all);
void cli_progress_end(void);

/* What bash and zsh complete, as their scripts. */
void completion_bash(struct buf *b);
void completion_zsh(struct buf *b);

#endif
