/* The register of breaches: rows of rows.def, the clocks, a row with its sealed file, and what is shown of it. */
#include "domain/breach/inside.h"
#include "domain/core/written.h"
#include "domain/core/decided.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/value.h"

enum { FILE_MAX = 1 << 19 };

/* ---- Rows of rows.def. ---- */

const struct breach_row breach_facts[] = {
#define FACT(name, tells, en, fr) { TEXT_INIT(#name), TEXT_INIT(en), TEXT_INIT(fr), TELLS_##tells, TEXT_INIT("") },
#include "domain/breach/rows.def"
};
const struct breach_row breach_risks[] = {
#define RISK(name, tells, en, fr) { TEXT_INIT(#name), TEXT_INIT(en), TEXT_INIT(fr), OBLIGES_##tells, TEXT_INIT("") },
#include "domain/breach/rows.def"
};
const struct breach_row breach_stages[] = {
#define STAGE(name, en, fr) { TEXT_INIT(#name), TEXT_INIT(en), TEXT_INIT(fr), 0, TEXT_INIT("") },
#include "domain/breach/rows.def"
};
const struct breach_row breach_hows[] = {
#define HOW(name, en, fr) { TEXT_INIT(#name), TEXT_INIT(en), TEXT_INIT(fr), 0, TEXT_INIT("") },
#include "domain/breach/rows.def"
};
const struct breach_row breach_moves[] = {
#define MOVE(name, says, act) { TEXT_INIT(#name), TEXT_INIT(""), TEXT_INIT(""), SAYS_##says, TEXT_INIT(act) },
#include "domain/breach/rows.def"
};
const struct breach_sign_row breach_signs[] = {
#define SIGN(name, most, en, fr) { TEXT_INIT(#name), TEXT_INIT(en), TEXT_INIT(fr), most },
#include "domain/breach/rows.def"
};

unsigned breach_row_named(const struct breach_row *rows, unsigned count, text name)
{
    unsigned i = 0;
    while (i < count && !text_eq(rows[i].name, name))
        i++;
    return i;
}

bool breach_choice_at(const struct ctx *c, enum breach_choice of, unsigned n, text *name, text *says)
{
    static const struct {
        const struct breach_row *rows;
        unsigned count;
    } all[] = { [BREACH_FACTS] = { breach_facts, FACTS },
                [BREACH_RISKS] = { breach_risks, RISKS },
                [BREACH_STAGES] = { breach_stages, STAGES },
                [BREACH_HOWS] = { breach_hows, HOWS } };
    if (n >= all[of].count)
        return false;
    *name = all[of].rows[n].name;
    *says = doc_in(c, all[of].rows[n].en, all[of].rows[n].fr);
    return true;
}

enum breach_obliges breach_obliges(const struct breach *b)
{
    return b->risk == RISKS ? OBLIGES_people : (enum breach_obliges)breach_risks[b->risk].kind;
}

/* ---- The clocks. ---- */

static msec clock_of(const struct policy *p, const char *key, msec known)
{
    struct term t;
    text said = node_text(node_at(p->root, TEXT("security.breach")), text_of(key));
    bool fine = term_parse(said, &t) && t.unit != TERM_ALWAYS && t.unit != TERM_UNSET;
    return term_end(known, fine ? t : (struct term){ 72, TERM_HOURS }, 1);
}

struct breach_clock breach_clock(const struct policy *p, msec known)
{
    return (struct breach_clock){ .authority = clock_of(p, "authority", known),
                                  .subjects = clock_of(p, "subjects", known),
                                  .processors = clock_of(p, "processors", known) };
}

/* ---- The row and its file. ---- */

static struct place place_of(const struct ctx *c, struct subject_id breach, text table, text field, int64_t version)
{
    return (struct place){ .tenant = c->tenant,
                           .subject = breach,
                           .table = table,
                           .field = field,
                           .version = (uint64_t)version };
}

enum err breach_seal(struct ctx *c, struct subject_id breach, text table, text field, int64_t version, text clear,
                     sealed *out)
{
    struct place place = place_of(c, breach, table, field, version);
    return written_seal_at(c, TEXT("breach"), &place, clear, out);
}

enum err breach_unseal(struct ctx *c, struct subject_id breach, text table, text field, int64_t version, sealed in,
                       text *clear)
{
    struct place place = place_of(c, breach, table, field, version);
    return written_open_at(c, TEXT("breach"), &place, in, clear);
}

static enum err open_file(struct ctx *c, struct breach *b, sealed body)
{
    text clear;
    const struct json *all;
    TRY(breach_unseal(c, b->id, TEXT("breach"), TEXT("file"), b->version, body, &clear));
    TRY(json_parse(c->arena, clear, &all));
    for (unsigned i = 0; i < FACTS; i++)
        b->facts[i] = json_text(json_get(all, TEXT("facts")), breach_facts[i].name);
#define X(member) b->file.member = json_text(all, TEXT(#member));
    BREACH_FILE(X)
#undef X
    return OK;
}

static void take_row(struct query *q, struct breach *b)
{
    b->version = query_get(q, BREACH_GET, version);
    b->drill = query_get(q, BREACH_GET, drill) != 0;
    b->known = query_get(q, BREACH_GET, known);
    b->clock = (struct breach_clock){ query_get(q, BREACH_GET, authority), query_get(q, BREACH_GET, subjects),
                                      query_get(q, BREACH_GET, processors) };
    b->risk = (enum breach_risk)breach_row_named(breach_risks, RISKS, query_get(q, BREACH_GET, risk));
    b->stage = (enum breach_stage)breach_row_named(breach_stages, STAGES, query_get(q, BREACH_GET, stage));
    b->how = (enum breach_how)breach_row_named(breach_hows, HOWS, query_get(q, BREACH_GET, how));
    b->notified = query_get(q, BREACH_GET, notified);
    b->telling = query_get(q, BREACH_GET, telling);
    b->next = query_null(q, BREACH_GET, next) ? -1 : query_get(q, BREACH_GET, next);
    b->people = query_null(q, BREACH_GET, people) ? -1 : query_get(q, BREACH_GET, people);
    b->letters = query_get(q, BREACH_GET, letters);
    b->unreached = query_get(q, BREACH_GET, unreached);
    b->remind = query_get(q, BREACH_GET, remind);
    b->closed = query_get(q, BREACH_GET, closed);
    b->due = query_get(q, BREACH_GET, due);
}

static enum err absent(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "there is no such breach"); }

enum err breach_load(struct ctx *c, struct subject_id id, struct breach *out)
{
    sealed body;
    *out = (struct breach){ .id = id };
    {
        READ_AUTO db = NULL;
        TRY(decided_read(c, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_BREACH_GET, ARGS(V_TEXT(c->tenant), V_ID(id)));
        if (!query_next(&q))
            return q.status == OK ? absent(c) : q.status;
        take_row(&q, out);
        body = (sealed){ arena_copy(c->arena, query_get(&q, BREACH_GET, body).bytes) };
        TRY(q.status);
    }
    TRY(arena_whole(c->arena));
    return open_file(c, out, body);
}

enum err breach_load_named(struct ctx *c, text id, struct breach *out)
{
    struct subject_id parsed;
    return id_parse(id, &parsed) ? breach_load(c, parsed, out) : absent(c);
}

/* ---- What is shown. ---- */

static void pair_time(struct ctx *c, struct json_out *w, text name, msec at)
{
    json_pair(w, name, at ? time_print(c->arena, at) : (text){ NULL, 0 });
}

static text row_name(const struct breach_row *rows, unsigned count, unsigned at)
{
    return at < count ? rows[at].name : (text){ NULL, 0 };
}

static bool owes_authority(const struct breach *b)
{
    return !b->closed && !b->notified && breach_obliges(b) != OBLIGES_nobody;
}

static bool owes_people(const struct breach *b)
{
    return !b->closed && b->how == HOWS && breach_obliges(b) == OBLIGES_people;
}

/* What is due next, and by when: to the authority, to people, then nothing. */
static msec next_due(const struct breach *b)
{
    if (owes_authority(b))
        return b->clock.authority;
    return owes_people(b) ? b->clock.subjects : 0;
}

enum err breach_put_head(struct ctx *c, const struct breach *b, struct json_out *w)
{
    msec due = next_due(b);
    json_pair(w, TEXT("id"), id_print(c->arena, b->id));
    json_pair(w, TEXT("what"), b->facts[FACT_what]);
    json_pair_bool(w, TEXT("drill"), b->drill);
    pair_time(c, w, TEXT("known"), b->known);
    pair_time(c, w, TEXT("authority_by"), b->clock.authority);
    pair_time(c, w, TEXT("people_by"), b->clock.subjects);
    pair_time(c, w, TEXT("processors_by"), b->clock.processors);
    pair_time(c, w, TEXT("due"), due);
    json_name(w, TEXT("hours_left"));
    if (due)
        json_put_int(w, due > c->now ? (due - c->now) / HOUR : -((c->now - due) / HOUR));
    else
        json_put_null(w);
    json_pair(w, TEXT("risk"), row_name(breach_risks, RISKS, b->risk));
    json_pair(w, TEXT("stage"), row_name(breach_stages, STAGES, b->stage));
    pair_time(c, w, TEXT("notified"), b->notified);
    json_pair(w, TEXT("how"), row_name(breach_hows, HOWS, b->how));
    pair_time(c, w, TEXT("telling"), b->telling);
    json_name(w, TEXT("people"));
    if (b->people < 0)
        json_put_null(w);
    else
        json_put_int(w, b->people);
    json_pair_int(w, TEXT("letters"), b->letters);
    json_pair_int(w, TEXT("unreached"), b->unreached);
    json_pair_bool(w, TEXT("going"), b->next >= 0);
    pair_time(c, w, TEXT("closed"), b->closed);
    json_pair_bool(w, TEXT("open"), !b->closed);
    json_pair_bool(w, TEXT("late"), due && c->now >= due);
    return arena_whole(c->arena);
}

static void pair_raw(struct json_out *w, text name, text json)
{
    json_name(w, name);
    if (json.n)
        json_put_raw(w, json);
    else
        json_put_null(w);
}

static text or_none(text s) { return s.n ? s : (text){ NULL, 0 }; }

void breach_put_file(struct ctx *c, const struct breach *b, struct json_out *w)
{
    (void)c;
    json_name(w, TEXT("facts"));
    json_open(w, '{');
    for (unsigned i = 0; i < FACTS; i++)
        json_pair(w, breach_facts[i].name, or_none(b->facts[i]));
    json_close(w, '}');
    json_pair(w, TEXT("reasons"), or_none(b->file.reasons));
    json_pair(w, TEXT("late_authority"), or_none(b->file.late_authority));
    json_pair(w, TEXT("late_subjects"), or_none(b->file.late_subjects));
    json_pair(w, TEXT("late_processors"), or_none(b->file.late_processors));
    json_pair(w, TEXT("receipt"), or_none(b->file.receipt));
    json_pair(w, TEXT("told"), or_none(b->file.told));
    pair_raw(w, TEXT("scope"), b->file.scope);
    pair_raw(w, TEXT("counts"), b->file.counts);
}

enum err breach_put_parties(struct ctx *c, const struct breach *b, struct json_out *w, unsigned *waiting)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_PARTIES, ARGS(V_TEXT(c->tenant), V_ID(b->id)));
    *waiting = 0;
    json_name(w, TEXT("parties"));
    json_open(w, '[');
    while (query_next(&q)) {
        text name = query_get(&q, BREACH_PARTIES, name), kind = query_get(&q, BREACH_PARTIES, kind);
        msec told = query_get(&q, BREACH_PARTIES, told);
        int actor = policy_actor(c->policy, name);
        bool processor = text_eq(kind, TEXT("processor"));
        *waiting += !told;
        json_open(w, '{');
        json_pair(w, TEXT("party"), name);
        json_pair(w, TEXT("kind"), kind);
        json_pair(w, TEXT("title"), processor && actor >= 0 ? doc_recipient(c, actor) : name);
        pair_time(c, w, TEXT("told"), told);
        json_pair_bool(w, TEXT("waiting"), !told);
        json_close(w, '}');
    }
    json_close(w, ']');
    return q.status;
}

enum err breach_put_history(struct ctx *c, const struct breach *b, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_STEPS, ARGS(V_TEXT(c->tenant), V_ID(b->id)));
    json_name(w, TEXT("history"));
    json_open(w, '[');
    while (query_next(&q)) {
        text note = { NULL, 0 }, move = arena_copy(c->arena, query_get(&q, BREACH_STEPS, move));
        if (!query_null(&q, BREACH_STEPS, note))
            TRY(breach_unseal(c, b->id, TEXT("breach_step"), move, query_get(&q, BREACH_STEPS, version),
                              query_get(&q, BREACH_STEPS, note), &note));
        json_open(w, '{');
        json_pair(w, TEXT("move"), move);
        json_pair(w, TEXT("at"), time_print(c->arena, query_get(&q, BREACH_STEPS, at)));
        json_pair(w, TEXT("actor"), query_get(&q, BREACH_STEPS, actor));
        json_pair(w, TEXT("text"), note);
        json_close(w, '}');
    }
    json_close(w, ']');
    return q.status;
}
