/* promises: the board, as lines; the worst first. */
#include "cli/client.h"

static text sign(text state)
{
    static const struct {
        text state, sign;
    } signs[] = { { TEXT_INIT("declared"), TEXT_INIT("·") },
                  { TEXT_INIT("kept"), TEXT_INIT("✓") },
                  { TEXT_INIT("at_risk"), TEXT_INIT("!") },
                  { TEXT_INIT("broken"), TEXT_INIT("✗") } };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (text_eq(signs[i].state, state))
            return signs[i].sign;
    return TEXT("?");
}

static text member(const struct json *v, const char *name)
{
    const struct json *m = json_get(v, text_of(name));
    return m ? m->value : TEXT("");
}

static void put_probes(struct buf *b, const struct json *board, const char *colon)
{
    JSON_EACH(one, json_get(board, TEXT("probes"))) {
        text state = member(one, "state");
        bool sound = text_eq(state, TEXT("kept"));
        buf_print(b, "%.*s %.*s. %.*s%s %.*s", T(sign(state)), T(member(one, "title")), T(member(one, "unit")), colon,
                  T(member(one, "figure")));
        if (!text_eq(member(one, "bad"), TEXT("0")))
            buf_print(b, ". %.*s%s %.*s", T(member(one, "bad_unit")), colon, T(member(one, "bad")));
        if (!sound && member(one, "risk").n)
            buf_print(b, ". %.*s", T(member(one, "risk")));
        buf_char(b, '\n');
    }
}

static void put_clauses(struct buf *b, const struct json *board, const char *state)
{
    JSON_EACH(one, json_get(board, TEXT("clauses"))) {
        if (!text_eq(member(one, "state"), text_of(state)))
            continue;
        buf_print(b, "%.*s %.*s:%.*s %.*s", T(sign(text_of(state))), T(member(one, "file")), T(member(one, "line")),
                  T(member(one, "path")));
        JSON_EACH(promise, json_get(one, TEXT("promises")))
            buf_print(b, " %.*s", T(promise->value));
        buf_print(b, "\n  %.*s\n", T(member(one, "sentence")));
    }
}

static void put_counts(struct cli *cli, struct buf *b, const struct json *board)
{
    const struct json *n = json_get(board, TEXT("counts"));
    buf_print(b, "%.*s %.*s, %.*s %.*s, %.*s %.*s, %.*s %.*s\n", T(member(n, "broken")),
              T(SAY(cli, "broken", "rompues")), T(member(n, "at_risk")), T(SAY(cli, "at risk", "en danger")),
              T(member(n, "kept")), T(SAY(cli, "kept", "tenues")), T(member(n, "declared")),
              T(SAY(cli, "declared only", "seulement déclarées")));
}

enum err verb_promises(struct cli *cli)
{
    CLIENT_AUTO client;
    struct result result;
    const struct json *board;
    BUF_AUTO b = buf_make(16 << 20);
    const char *colon = text_eq(cli->language, TEXT("fr")) ? " :" : ":";
    TRY(client_open(cli, &client));
    TRY(client_call(&client, METHOD_GET, TEXT("/v1/promises?fresh=true"), TEXT(""), TEXT(""), 0, &result));
    TRY(json_parse(cli->arena, result.body, &board));
    if (cli->json)
        TRY(cli_answer(cli, result.body));
    else {
        put_probes(&b, board, colon);
        buf_char(&b, '\n');
        put_clauses(&b, board, "broken");
        put_clauses(&b, board, "at_risk");
        if (cli_has(cli, TEXT("all"))) {
            put_clauses(&b, board, "kept");
            put_clauses(&b, board, "declared");
        }
        put_counts(cli, &b, board);
        TRY(cli_give(cli, &b));
    }
    return text_eq(member(board, "state"), TEXT("broken"))
               ? cli_fault(cli, ERR_BROKEN, "see the lines marked ✗",
                           "voir les lignes marquées ✗")
               : OK;
}
