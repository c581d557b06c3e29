/* What staff do with a breach: opened, each move of rows.def, and the look at the register. */
#include "domain/breach/inside.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/look_at.h"
#include "policy/due.h"

enum { WHAT_SHORT = 200 };
static const msec oldest = 5 * 366 * DAY;

/* ---- Opened. ---- */

static enum err take_known(struct ctx *c, const struct json *in, msec *out)
{
    text said = text_trim(json_text(in, TEXT("known")));
    *out = c->now;
    if (!said.n)
        return OK;
    if (!value_moment(c, said, false, out))
        return breach_about(c, "known", say(c->arena, ERR_VALUE, "\"known\" is a time, or a day (YYYY-MM-DD)"));
    if (*out > c->now || *out < c->now - oldest)
        return breach_about(c, "known", say(c->arena, ERR_VALUE,
                                            "\"known\" is not in the future, nor more than five years ago"));
    return OK;
}

static enum err add_party(struct breach_change *ch, text *names, text *kinds, text kind, text name)
{
    if (ch->party_count == PARTIES_MAX)
        return say(ch->c->arena, ERR_TOO_LARGE, "more than %d parties of one breach", PARTIES_MAX);
    names[ch->party_count] = name;
    kinds[ch->party_count++] = kind;
    return OK;
}

/* Every processor of the policy, and the tenants that are named: controllers of their own (GDPR 33(2)). */
static enum err take_parties(struct breach_change *ch, const struct json *in)
{
    struct ctx *c = ch->c;
    text *names = NEW_ARRAY(c->arena, text, PARTIES_MAX), *kinds = NEW_ARRAY(c->arena, text, PARTIES_MAX);
    TRY_PTR(names);
    TRY_PTR(kinds);
    ch->parties = names;
    ch->party_kinds = kinds;
    for (unsigned i = 0; i < c->policy->actor_count; i++)
        if (c->policy->actors[i].processor)
            TRY(add_party(ch, names, kinds, TEXT("processor"), c->policy->actors[i].name));
    const struct json *all = json_get(in, TEXT("tenants"));
    bool alone = all && all->kind == J_TEXT; /* of a form, in which one box was ticked */
    for (const struct json *one = alone ? all : all ? all->first : NULL; one; one = alone ? NULL : one->next) {
        unsigned at = 0;
        while (at < c->policy->tenant_count && !text_eq(c->policy->tenants[at], one->value))
            at++;
        if (one->kind != J_TEXT || at == c->policy->tenant_count)
            return breach_about(c, "tenants", say(c->arena, ERR_VALUE, "the policy has no tenant \"%.*s\"",
                                                  T(value_shown(one->value))));
        TRY(add_party(ch, names, kinds, TEXT("tenant"), c->policy->tenants[at]));
    }
    return OK;
}

static enum err take_flag(struct ctx *c, const struct json *in, bool *out)
{
    const struct json *drill = json_get(in, TEXT("drill"));
    text said = json_text(in, TEXT("drill")); /* of a form */
    *out = drill && (drill->kind == J_BOOL ? drill->truth : text_eq(said, TEXT("true")));
    if (!drill || drill->kind == J_BOOL || *out || (drill->kind == J_TEXT && !said.n))
        return OK;
    return breach_about(c, "drill", say(c->arena, ERR_VALUE, "\"drill\" is true or false"));
}

enum err breach_open(struct ctx *c, const struct json *in, struct answer *out)
{
    struct breach_change ch = { .c = c, .fresh = true, .count = -1, .kept = out };
    TRY(breach_may(c));
    ch.b = (struct breach){
        .id = id_make(c->now), .risk = RISKS, .stage = STAGES, .how = HOWS, .next = -1, .people = -1
    };
    TRY(take_flag(c, in, &ch.b.drill));
    TRY(take_known(c, in, &ch.b.known));
    TRY(breach_take_text(c, in, "what", &ch.b.facts[FACT_what]));
    if (!ch.b.facts[FACT_what].n)
        return breach_about(c, "what", say(c->arena, ERR_MISSING, "\"what\" says what happened"));
    TRY(take_parties(&ch, in));
    text sign = text_trim(json_text(in, TEXT("sign")));
    ch.has_sign = sign.n && id_parse(sign, &ch.sign);
    if (sign.n && !ch.has_sign)
        return breach_about(c, "sign", say(c->arena, ERR_VALUE, "\"sign\" is none of the list"));
    ch.b.clock = breach_clock(c->policy, ch.b.known);
    ch.note = ch.b.facts[FACT_what];
    return breach_write(&ch);
}

/* ---- Moves. ---- */

/* What comes after its time says why, and the clause of the policy stands beside. */
static enum err take_late(struct breach_change *ch, const struct json *in, msec by, const char *clause, text *out)
{
    struct ctx *c = ch->c;
    text late;
    TRY(breach_take_text(c, in, "late", &late));
    if (c->now <= by || late.n) {
        if (late.n)
            *out = late;
        return OK;
    }
    const struct clause *of = policy_clause(c->policy, text_of(clause));
    return breach_about(c, "late", say_clause(c->arena, ERR_MISSING, of ? of : &c->policy->rights_clause,
                                              "it is late: \"late\" says why (GDPR 33(1))"));
}

static enum err move_facts(struct breach_change *ch, const struct json *in)
{
    struct ctx *c = ch->c;
    BUF_AUTO said = buf_make(1 << 12);
    for (unsigned i = 0; i < FACTS; i++) {
        text value;
        char name[32];
        if (!json_get(in, breach_facts[i].name) || !text_cstr(breach_facts[i].name, name, sizeof name))
            continue;
        TRY(breach_take_text(c, in, name, &value));
        if (text_eq(value, ch->b.facts[i]))
            continue;
        if (!value.n && i == FACT_what)
            return breach_about(c, "what", say(c->arena, ERR_MISSING, "\"what\" says what happened"));
        ch->b.facts[i] = value;
        buf_print(&said, "%s%.*s", said.n ? ", " : "", T(breach_facts[i].name));
    }
    if (!said.n)
        return say(c->arena, ERR_MISSING, "nothing is said that is not in the file already");
    return buf_take(c->arena, &said, &ch->note);
}

static enum err move_find(struct breach_change *ch, const struct json *in)
{
    struct breach_found found;
    if (ch->b.telling && !ch->b.closed)
        return say(ch->c->arena, ERR_CONFLICT, "people are told already: whoever else is affected is a breach of its own");
    TRY(breach_find(ch->c, &ch->b, in, &found));
    ch->parts = found.parts;
    ch->part_count = found.part_count;
    ch->count = found.people;
    ch->b.people = found.people;
    ch->b.file.scope = found.scope;
    ch->b.file.counts = found.counts;
    ch->note = found.scope;
    return OK;
}

static enum err move_assess(struct breach_change *ch, const struct json *in)
{
    struct ctx *c = ch->c;
    unsigned risk = breach_row_named(breach_risks, RISKS, json_text(in, TEXT("risk")));
    if (risk == RISKS)
        return breach_about(c, "risk", say(c->arena, json_text(in, TEXT("risk")).n ? ERR_VALUE : ERR_MISSING,
                                           "\"risk\" is one of negligible, limited, significant, maximal"));
    ch->b.risk = (enum breach_risk)risk;
    ch->b.file.reasons = ch->note;
    ch->note = arena_print(c->arena, "%.*s: %.*s", T(breach_risks[risk].name), T(ch->note));
    TRY_PTR(ch->note.p);
    return OK;
}

static enum err check_stage(struct breach_change *ch, unsigned stage)
{
    struct ctx *c = ch->c;
    const char *what;
    if (ch->b.stage == STAGE_final || (stage == STAGE_initial && ch->b.stage != STAGES))
        return say(c->arena, ERR_CONFLICT, "that notification was made already");
    if (stage == STAGE_complementary && ch->b.stage == STAGES)
        return say(c->arena, ERR_CONFLICT, "a complementary notification comes after the initial one");
    if (breach_is_missing(&ch->b, (enum breach_stage)stage, &what))
        return breach_about(c, what, say(c->arena, ERR_MISSING, "the authority asks for it: %s", what));
    return OK;
}

static enum err move_notify(struct breach_change *ch, const struct json *in)
{
    struct ctx *c = ch->c;
    text said = json_text(in, TEXT("stage"));
    unsigned stage = breach_row_named(breach_stages, STAGES, said);
    if (stage == STAGES)
        return breach_about(c, "stage", say(c->arena, said.n ? ERR_VALUE : ERR_MISSING,
                                            "\"stage\" is one of initial, complementary, final"));
    if (!ch->b.notified)
        TRY(take_late(ch, in, ch->b.clock.authority, "security.breach.authority", &ch->b.file.late_authority));
    TRY(check_stage(ch, stage));
    ch->b.stage = (enum breach_stage)stage;
    if (!ch->b.notified)
        ch->b.notified = c->now;
    if (ch->note.n)
        ch->b.file.receipt = ch->note;
    ch->note = arena_print(c->arena, "%.*s%s%.*s", T(breach_stages[stage].name), ch->note.n ? ": " : "", T(ch->note));
    TRY_PTR(ch->note.p);
    return OK;
}

static enum err check_letter(struct breach_change *ch)
{
    struct ctx *c = ch->c;
    const struct breach *b = &ch->b;
    if (b->people <= 0)
        return say(c->arena, ERR_CONFLICT, "nobody was found yet who is affected");
    if (!b->facts[FACT_effects].n || !b->facts[FACT_remedy].n)
        return breach_about(c, b->facts[FACT_effects].n ? "remedy" : "effects",
                            say(c->arena, ERR_MISSING, "people are told the consequences and the measures (GDPR 34(2))"));
    if (!c->app->public_url[0])
        return say(c->arena, ERR_CONFIG, "emails hold links, and the public address is not known: say --url");
    return OK;
}

static enum err move_tell(struct breach_change *ch, const struct json *in)
{
    struct ctx *c = ch->c;
    struct breach *b = &ch->b;
    text said = json_text(in, TEXT("how"));
    unsigned how = breach_row_named(breach_hows, HOWS, said);
    if (how == HOWS)
        return breach_about(c, "how", say(c->arena, said.n ? ERR_VALUE : ERR_MISSING,
                                          "\"how\" is one of letter, public, sealed, removed, low"));
    if (b->how == HOW_letter)
        return say(c->arena, ERR_CONFLICT, "people are told already");
    if (how == HOW_low && breach_obliges(b) == OBLIGES_people)
        return say(c->arena, ERR_CONFLICT, "the risk is not assessed as low: its assessment comes first");
    if (!ch->note.n)
        return breach_about(c, "text", say(c->arena, ERR_MISSING,
                                           "\"text\" says it in plain words to people, or why they are not told"));
    if (how == HOW_letter)
        TRY(check_letter(ch));
    if (breach_obliges(b) == OBLIGES_people && !b->telling)
        TRY(take_late(ch, in, b->clock.subjects, "security.breach.subjects", &b->file.late_subjects));
    b->how = (enum breach_how)how;
    b->telling = c->now;
    b->next = how == HOW_letter ? 0 : -1;
    b->file.told = ch->note;
    ch->note = arena_print(c->arena, "%.*s: %.*s", T(breach_hows[how].name), T(ch->note));
    TRY_PTR(ch->note.p);
    return OK;
}

/* Which kind of party that is, of those of the breach. */
static enum err party_kind(struct breach_change *ch, text *out)
{
    struct ctx *c = ch->c;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_PARTIES, ARGS(V_TEXT(c->tenant), V_ID(ch->b.id)));
    while (query_next(&q))
        if (text_eq(query_get(&q, BREACH_PARTIES, name), ch->party))
            *out = arena_copy(c->arena, query_get(&q, BREACH_PARTIES, kind));
    TRY(q.status);
    if (!out->n)
        return breach_about(c, "party", say(c->arena, ch->party.n ? ERR_VALUE : ERR_MISSING,
                                            "\"party\" is a processor or a tenant of this breach"));
    return OK;
}

static enum err move_told(struct breach_change *ch, const struct json *in)
{
    struct ctx *c = ch->c;
    struct mail_put *letter = NEW(c->arena, struct mail_put);
    bool made = false;
    TRY_PTR(letter);
    ch->party = text_trim(json_text(in, TEXT("party")));
    TRY(party_kind(ch, &ch->party_kind));
    TRY(take_late(ch, in, ch->b.clock.processors, "security.breach.processors", &ch->b.file.late_processors));
    if (text_eq(ch->party_kind, TEXT("tenant")) && !ch->b.drill)
        TRY(breach_letter_tenant(c, &ch->b, ch->party, letter, &made));
    ch->letters = letter;
    ch->letter_count = made;
    ch->note = arena_print(c->arena, "%.*s%s%.*s", T(ch->party), ch->note.n ? ": " : "", T(ch->note));
    TRY_PTR(ch->note.p);
    return OK;
}

/* Nothing is closed while something of it is owed. */
static enum err move_close(struct breach_change *ch)
{
    struct ctx *c = ch->c;
    struct breach *b = &ch->b;
    unsigned waiting;
    BUF_AUTO buf = buf_make(1 << 16);
    struct json_out w = json_out(&buf);
    json_open(&w, '{');
    TRY(breach_put_parties(c, b, &w, &waiting));
    enum breach_obliges obliges = breach_obliges(b);
    if (b->risk == RISKS)
        return say(c->arena, ERR_CONFLICT, "its risk is not assessed yet");
    if (!b->facts[FACT_effects].n || !b->facts[FACT_remedy].n)
        return say(c->arena, ERR_CONFLICT, "the register holds facts, effects and remedy (GDPR 33(5)): they are not all there");
    if (obliges != OBLIGES_nobody && b->stage != STAGE_final)
        return say(c->arena, ERR_CONFLICT, "the authority has no final notification yet");
    if (obliges == OBLIGES_people && (b->how == HOWS || b->next >= 0))
        return say(c->arena, ERR_CONFLICT, "people are not told yet");
    if (waiting)
        return say(c->arena, ERR_CONFLICT, "%u of its parties are not told yet", waiting);
    b->facts[FACT_lessons] = ch->note;
    b->closed = c->now;
    b->due = retention_own_due(policy_retention(c->policy, TEXT("breaches")), c->now);
    return OK;
}

static enum err make_move(struct breach_change *ch, unsigned move, const struct json *in)
{
    switch ((enum breach_move_id)move) {
    case MOVE_facts:
        return move_facts(ch, in);
    case MOVE_find:
        return move_find(ch, in);
    case MOVE_assess:
        return move_assess(ch, in);
    case MOVE_notify:
        return move_notify(ch, in);
    case MOVE_tell:
        return move_tell(ch, in);
    case MOVE_told:
        return move_told(ch, in);
    case MOVE_close:
        return move_close(ch);
    case MOVE_note:
    case MOVES:
        break;
    }
    return OK;
}

static enum err begin(struct breach_change *ch, unsigned move, const struct json *in)
{
    struct ctx *c = ch->c;
    ch->move = &breach_moves[move];
    if (ch->b.closed)
        return say(c->arena, ERR_CONFLICT, "the breach is closed");
    TRY(breach_take_text(c, in, "text", &ch->note));
    if (ch->move->kind == SAYS_must && !ch->note.n)
        return breach_about(c, "text", say(c->arena, ERR_MISSING, "\"text\" says what or why: it stands in the register"));
    return OK;
}

enum err breach_move(struct ctx *c, text id, text move, const struct json *in, struct answer *out)
{
    struct answer kept = { 0 };
    struct breach_change ch = { .c = c, .count = -1, .kept = &kept };
    unsigned at = breach_row_named(breach_moves, MOVES, move);
    TRY(breach_may(c));
    TRY(breach_load_named(c, id, &ch.b));
    if (at == MOVES)
        return say(c->arena, ERR_VALUE, "there is no move \"%.*s\"", T(value_shown(move)));
    TRY(begin(&ch, at, in));
    TRY(make_move(&ch, at, in));
    TRY(breach_write(&ch));
    return breach_get(c, id, out);
}

/* ---- Lists. ---- */

struct listing {
    enum sql sql;
    msec place;
    struct subject_id id;
};

static enum err load_ids(struct ctx *c, const struct listing *from, const struct paging *asked, struct listing *all,
                         int64_t *count, bool *more)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, from->sql,
                ARGS(V_TEXT(c->tenant), V_INT(from->place), V_ID(from->id), V_INT(asked->limit + 1)));
    while (paging_row(asked, &q, count, more)) {
        struct listing *row = &all[*count - 1];
        memcpy(&row->id, query_bytes(&q, COL(BREACH_OPEN, id)).p, sizeof row->id);
        row->place = query_int(&q, COL(BREACH_OPEN, place));
    }
    return q.status;
}

static enum err put_register_row(struct ctx *c, const struct breach *b, struct json_out *w)
{
    static const char *const parts[] = { [TELLS_effects] = "effects", [TELLS_remedy] = "remedy" };
    unsigned waiting;
    TRY(breach_put_head(c, b, w));
    breach_put_file(c, b, w);
    json_pair(w, text_of(parts[TELLS_effects]), b->facts[FACT_effects]);
    json_pair(w, text_of(parts[TELLS_remedy]), b->facts[FACT_remedy]);
    TRY(breach_put_parties(c, b, w, &waiting));
    return breach_put_history(c, b, w);
}

static enum err put_list(struct ctx *c, const struct listing *from, const struct paging *asked, bool whole,
                         struct json_out *w, struct answer *out)
{
    struct listing *all = NEW_ARRAY(c->arena, struct listing, (size_t)asked->limit + 1);
    int64_t count = 0;
    bool more = false;
    text place = { NULL, 0 };
    TRY_PTR(all);
    TRY(load_ids(c, from, asked, all, &count, &more));
    json_name(w, TEXT("breaches"));
    json_open(w, '[');
    for (int64_t i = 0; i < count; i++) {
        struct breach b;
        TRY(breach_load(c, all[i].id, &b));
        if (whole && b.drill)
            continue;
        json_open(w, '{');
        TRY(whole ? put_register_row(c, &b, w) : breach_put_head(c, &b, w));
        json_close(w, '}');
    }
    json_close(w, ']');
    if (more)
        place = arena_print(c->arena, "%lld.%.*s", (long long)all[count - 1].place,
                            T(id_print(c->arena, all[count - 1].id)));
    return paging_end(c, more, place, w, out);
}

static enum err list(struct ctx *c, enum sql sql, const struct paging *asked, bool whole, struct answer *out)
{
    struct listing from = { .sql = sql, .place = INT64_MIN };
    text after = asked->after;
    BUF_AUTO buf = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&buf);
    TRY(breach_may(c));
    if (after.n && (!paging_number(&after, &from.place) || !id_parse(after, &from.id)))
        return paging_unknown(c);
    json_open(&w, '{');
    TRY(put_list(c, &from, asked, whole, &w, out));
    if (!whole)
        TRY(breach_put_signs(c, &w));
    json_close(&w, '}');
    return buf_take(c->arena, &buf, &out->body);
}

enum err breach_list(struct ctx *c, text which, const struct paging *asked, struct answer *out)
{
    bool closed = text_eq(which, TEXT("closed"));
    if (which.n && !closed && !text_eq(which, TEXT("open")))
        return say(c->arena, ERR_VALUE, "\"which\" is one of open, closed");
    return list(c, closed ? SQL_BREACH_CLOSED : SQL_BREACH_OPEN, asked, false, out);
}

enum err breach_register(struct ctx *c, const struct paging *asked, struct answer *out)
{
    return list(c, SQL_BREACH_ALL, asked, true, out);
}

/* ---- One file. ---- */

static void put_moves(const struct breach *b, struct json_out *w)
{
    static const text says[] = { [SAYS_none] = TEXT_INIT("none"),
                                 [SAYS_may] = TEXT_INIT("may"),
                                 [SAYS_must] = TEXT_INIT("must") };
    json_name(w, TEXT("moves"));
    json_open(w, '[');
    for (unsigned i = 0; i < MOVES && !b->closed; i++) {
        bool over = (i == MOVE_notify && b->stage == STAGE_final) || (i == MOVE_tell && b->how == HOW_letter) ||
                    (i == MOVE_find && b->telling);
        if (over)
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("move"), breach_moves[i].name);
        json_pair(w, TEXT("text"), says[breach_moves[i].kind]);
        json_close(w, '}');
    }
    json_close(w, ']');
}

enum err breach_get(struct ctx *c, text id, struct answer *out)
{
    struct breach b;
    unsigned waiting;
    BUF_AUTO buf = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&buf);
    TRY(breach_may(c));
    TRY(breach_load_named(c, id, &b));
    json_open(&w, '{');
    TRY(breach_put_head(c, &b, &w));
    breach_put_file(c, &b, &w);
    TRY(breach_put_parties(c, &b, &w, &waiting));
    TRY(breach_put_history(c, &b, &w));
    breach_put_missing(&b, STAGE_final, &w);
    put_moves(&b, &w);
    json_close(&w, '}');
    out->version = b.version;
    return buf_take(c->arena, &buf, &out->body);
}

/* ---- Those affected. ---- */

struct affected {
    struct breach b;
    int64_t from;
};

static enum err may_list(struct ctx *c, struct look_list *l)
{
    (void)l;
    return breach_may(c);
}

static enum err show_people(struct ctx *c, struct look_list *l, struct json_out *w)
{
    const struct affected *of = l->arg;
    int64_t at = of->from;
    json_name(w, TEXT("people"));
    json_open(w, '[');
    while (l->count < l->asked->limit) {
        const struct subject_id *ids;
        unsigned count;
        TRY(breach_part(c, &of->b, at / LIST_PART, &ids, &count));
        if (at % LIST_PART >= count)
            break;
        for (unsigned i = (unsigned)(at % LIST_PART); i < count && l->count < l->asked->limit; i++, at++, l->count++) {
            json_put_text(w, id_print(c->arena, ids[i]));
            TRY(look_saw(c, l, ids[i]));
        }
    }
    json_close(w, ']');
    return paging_end(c, at < of->b.people, arena_print(c->arena, "%lld", (long long)at), w, &l->out);
}

enum err breach_people(struct ctx *c, text id, const struct paging *asked, struct answer *out)
{
    struct affected of = { .from = 0 };
    text after = asked->after;
    struct look_list l = { .act = TEXT("breach.people"),
                           .each = TEXT("breach.person"),
                           .may = may_list,
                           .show = show_people,
                           .asked = asked,
                           .arg = &of };
    TRY(breach_may(c));
    TRY(breach_load_named(c, id, &of.b));
    if (after.n && (!paging_number(&after, &of.from) || after.n || of.from < 0))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}
