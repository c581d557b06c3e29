/* The process: one question read, one store reached, one answer written. */
#include "reach/inside.h"
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ASKED_MAX = 4 << 20, ANSWER_MAX = 32 << 20, MEMORY = 256 << 20, CPU_SECONDS = 120 };

text *found_row(struct arena *a, struct found *out, unsigned columns)
{
    if (out->count == out->room) {
        unsigned room = out->room ? out->room * 2 : 64;
        text *wider = NEW_ARRAY(a, text, (size_t)room * (columns + 1));
        if (!wider)
            return NULL;
        if (out->count)
            memcpy(wider, out->cells, (size_t)out->count * columns * sizeof *wider);
        out->cells = wider;
        out->room = room;
    }
    out->columns = columns;
    return &out->cells[(size_t)out->count++ * columns];
}

/* ---- One question. ---- */

static enum err link_to(struct plan *p, struct link *l)
{
    text kind = json_text(p->store, TEXT("kind"));
    if (text_eq(kind, TEXT("sqlite")))
        return sqlite_link(l, p->store);
    if (text_eq(kind, TEXT("postgresql")))
        return postgresql_link(l, p->store);
    if (text_eq(kind, TEXT("mariadb")))
        return mariadb_link(l, p->store);
    return say(p->a, ERR_CONFIG, "a store of that kind is not reached by this process");
}

static enum err act_none(struct plan *p, struct link *l, struct json_out *w)
{
    (void)l;
    (void)w;
    return p->a ? OK : ERR_INTERNAL;
}

static const struct {
    text name;
    enum err (*run)(struct plan *p, struct link *l, struct json_out *w);
} acts[] = {
    { TEXT_INIT("check"), act_none }, { TEXT_INIT("count"), act_count }, { TEXT_INIT("erase"), act_erase },
    { TEXT_INIT("copy"), act_copy },  { TEXT_INIT("set"), act_set },
};

static enum err act(struct plan *p, struct link *l, struct json_out *w)
{
    text name = json_text(p->asked, TEXT("act"));
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (text_eq(acts[i].name, name))
            return acts[i].run(p, l, w);
    return say(p->a, ERR_VALUE, "nothing is done so");
}

/* Nothing is counted, and nothing done, in a store whose map is not whole. */
static enum err answer_in(struct plan *p, struct link *l, struct buf *faults, struct json_out *w)
{
    p->faults = json_out(faults);
    json_open(&p->faults, '[');
    TRY(plan_read(p));
    TRY(link_to(p, l));
    TRY(plan_check(p, l));
    json_close(&p->faults, ']');
    json_pair(w, TEXT("state"), p->fault_count ? TEXT("unmapped") : TEXT("done"));
    if (!p->fault_count)
        return act(p, l, w);
    json_name(w, TEXT("faults"));
    json_put_raw_of(w, faults);
    return OK;
}

static enum err answer(struct arena *a, text asked, struct buf *b)
{
    struct plan p = { .a = a };
    struct link l = { .a = a };
    struct json_out w = json_out(b);
    BUF_AUTO faults = buf_make(ANSWER_MAX);
    TRY(json_parse(a, asked, &p.asked));
    p.store = json_get(p.asked, TEXT("store"));
    TRY(reach_lock_in(a, p.store));
    json_open(&w, '{');
    text kind = json_text(p.store, TEXT("kind"));
    enum err e = text_eq(kind, TEXT("webhook"))  ? webhook_answer(a, p.asked, &w)
                 : text_eq(kind, TEXT("folder")) ? folder_answer(a, p.asked, &w)
                                                 : answer_in(&p, &l, &faults, &w);
    if (l.close)
        l.close(&l);
    json_close(&w, '}');
    return e;
}

/* ---- The process. ---- */

static enum err read_all(struct arena *a, struct buf *b, text *out)
{
    for (;;) {
        char *room = buf_room(b, 65536);
        ssize_t n = room ? read(STDIN_FILENO, room, 65536) : -1;
        if (room)
            b->n -= 65536 - (size_t)(n > 0 ? n : 0);
        if (n == 0)
            return buf_lend(a, b, out);
        if (n < 0 && !(room && errno == EINTR))
            return say(a, ERR_INTERNAL, "what is asked cannot be read");
    }
}

static bool write_all(text s)
{
    while (s.n) {
        ssize_t n = write(STDOUT_FILENO, s.p, s.n);
        if (n <= 0)
            return false;
        s = text_from(s, (size_t)n);
    }
    return true;
}

int reach_main(void)
{
    ARENA_AUTO a = arena_make(MEMORY);
    BUF_AUTO in = buf_make(ASKED_MAX);
    BUF_AUTO out = buf_make(ANSWER_MAX);
    text asked, told;
    struct rlimit cpu = { CPU_SECONDS, CPU_SECONDS };
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CPU, &cpu);
    enum err e = read_all(&a, &in, &asked);
    if (e == OK)
        e = answer(&a, asked, &out);
    if (e == OK)
        e = buf_lend(&a, &out, &told);
    if (e != OK) {
        struct json_out w;
        buf_clear(&out);
        w = json_out(&out);
        json_open(&w, '{');
        json_pair(&w, TEXT("state"), TEXT("failed"));
        json_pair(&w, TEXT("why"), text_of(a.why.detail));
        json_pair(&w, TEXT("why_fr"), text_of(a.why.said));
        json_pair(&w, TEXT("code"), err_row(e)->slug);
        json_close(&w, '}');
        if (buf_lend(&a, &out, &told) != OK)
            return 1;
    }
    return write_all(told) ? 0 : 1;
}
