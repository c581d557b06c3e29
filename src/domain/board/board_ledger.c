/* The board holds the rows that decide against the journal entries that wrote them, and names those that are not as
 * they were. */
#include "domain/board/board_inside.h"

enum { STEP_SUMS = 2000 };

static enum err note_altered(void *arg, const struct ledger_finding *f)
{
    struct board_step *s = arg;
    struct ledger_round *r = &s->board->ledger;
    fact_bad(s->facts, PROBE_ledger, 1);
    if (r->now_count == ALTERED_NAMED)
        return OK;
    struct altered *a = &r->now[r->now_count++];
    *a = (struct altered){ .under = f->id, .entry = f->entry, .fault = f->fault };
    text_cstr(text_upto(f->tenant, sizeof a->tenant - 1), a->tenant, sizeof a->tenant);
    text_cstr(text_upto(f->table, sizeof a->table - 1), a->table, sizeof a->table);
    text_cstr(text_upto(f->row, sizeof a->row - 1), a->row, sizeof a->row);
    return OK;
}

enum err board_ledger(struct board_step *s)
{
    struct ledger_round *r = &s->board->ledger;
    READ_AUTO db = NULL;
    if (!s->from->begun) {
        r->look = (struct ledger_look){ 0 };
        r->now_count = 0;
        s->from->begun = true;
    }
    TRY(store_read(ctx_store(s->c), s->c->arena, &db));
    uint64_t before = r->look.looked;
    r->look.db = db;
    r->look.tell = note_altered;
    r->look.arg = s;
    enum err e = ledger_look(&r->look, STEP_SUMS);
    r->look.db = NULL;
    TRY(e);
    fact_looked(s->facts, PROBE_ledger, (int64_t)(r->look.looked - before));
    s->done = r->look.done;
    if (s->done) {
        memcpy(r->last, r->now, sizeof r->last);
        r->last_count = r->now_count;
    }
    return OK;
}

void board_put_altered(struct ctx *c, struct json_out *w)
{
    const struct board *board = c->app->board;
    const struct ledger_round *r = &board->ledger;
    json_name(w, TEXT("altered"));
    json_open(w, '[');
    for (unsigned i = 0; i < r->last_count; i++) {
        const struct altered *a = &r->last[i];
        json_open(w, '{');
        json_pair(w, TEXT("tenant"), text_of(a->tenant));
        json_pair(w, TEXT("table"), text_of(a->table));
        bool stored = board_stored(c, text_of(a->tenant)); /* the entry leads there, whom it is about stays unsaid */
        json_pair(w, TEXT("under"), stored ? (text){ NULL, 0 } : id_print(c->arena, a->under));
        json_pair(w, TEXT("row"), stored ? TEXT("") : text_of(a->row));
        json_pair_int(w, TEXT("entry"), (int64_t)a->entry);
        json_pair(w, TEXT("what"), ledger_fault_word(a->fault));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_pair_int(w, TEXT("altered_all"), board->jobs[JOB_LEDGER].last.of[PROBE_ledger].bad);
}
