/* A change of a breach: the row, its history, the list of people, letters and parties in one commit. */
#include "domain/breach/inside.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/person.h"

enum { FILE_MAX = 1 << 19 };

enum err breach_may(struct ctx *c)
{
    if (person_sees_team(c)) {
        say(c->arena, ERR_FORBIDDEN, "the register of breaches is for who answers everybody, not a team alone");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    return person_allow_act(c, NULL, ACT_EXPORT);
}

enum err breach_about(struct ctx *c, const char *member, enum err status)
{
    text_cstr(status == OK ? TEXT("") : text_of(member), c->arena->why.field, sizeof c->arena->why.field);
    return status;
}

enum err breach_take_text(struct ctx *c, const struct json *in, const char *member, text *out)
{
    *out = text_trim(json_text(in, text_of(member)));
    if (out->n > BREACH_TEXT_MAX)
        return breach_about(c, member, say(c->arena, ERR_VALUE, "\"%s\" has at most %d bytes", member, BREACH_TEXT_MAX));
    return breach_about(c, member, value_no_card(c, text_of(member), *out));
}

/* ---- The write. ---- */

static struct val or_null(msec t) { return t ? V_INT(t) : V_NULL; }
static struct val row_val(const struct breach_row *rows, unsigned count, unsigned at)
{
    return at < count ? V_TEXT(rows[at].name) : V_NULL;
}

static enum err put_row(struct db *db, const struct breach_change *ch)
{
    const struct breach *b = &ch->b;
    text tenant = ch->c->tenant;
    int64_t changed;
    if (ch->fresh)
        return db_run(db, SQL_BREACH_ADD, NULL,
                      ARGS(V_TEXT(tenant), V_ID(b->id), V_INT(b->drill), V_INT(b->known), V_INT(b->clock.authority),
                           V_INT(b->clock.subjects), V_INT(b->clock.processors), or_null(b->remind),
                           V_SEALED(ch->body)));
    TRY(db_run(db, SQL_BREACH_PUT, &changed,
               ARGS(V_TEXT(tenant), V_ID(b->id), V_INT(b->version), row_val(breach_risks, RISKS, b->risk),
                    row_val(breach_stages, STAGES, b->stage), or_null(b->notified), row_val(breach_hows, HOWS, b->how),
                    or_null(b->telling), b->next < 0 ? V_NULL : V_INT(b->next),
                    b->people < 0 ? V_NULL : V_INT(b->people), V_INT(b->letters), V_INT(b->unreached),
                    or_null(b->remind), or_null(b->closed), or_null(b->due), V_SEALED(ch->body))));
    return changed ? OK : say(db_arena(db), ERR_PRECONDITION, "the breach changed meanwhile: look at it again");
}

/* The list is made anew each time it is sought, so that it stands with the scope that it was found by. */
static enum err put_list(struct db *db, const struct breach_change *ch)
{
    if (!ch->parts)
        return OK;
    TRY(db_run(db, SQL_BREACH_LIST_END, NULL, ARGS(V_TEXT(ch->c->tenant), V_ID(ch->b.id))));
    for (unsigned i = 0; i < ch->part_count; i++)
        TRY(db_run(db, SQL_BREACH_LIST_ADD, NULL,
                   ARGS(V_TEXT(ch->c->tenant), V_ID(ch->b.id), V_INT(i), V_SEALED(ch->parts[i]))));
    return OK;
}

static enum err put_parties(struct db *db, const struct breach_change *ch)
{
    const struct val tenant = V_TEXT(ch->c->tenant), id = V_ID(ch->b.id);
    int64_t changed;
    for (unsigned i = 0; i < ch->party_count; i++)
        TRY(db_run(db, SQL_BREACH_PARTY_ADD, NULL,
                   ARGS(tenant, id, V_TEXT(ch->party_kinds[i]), V_TEXT(ch->parties[i]))));
    if (!ch->party.n)
        return OK;
    TRY(db_run(db, SQL_BREACH_PARTY_TOLD, &changed,
               ARGS(tenant, id, V_TEXT(ch->party_kind), V_TEXT(ch->party), V_INT(ch->c->now))));
    return changed ? OK : say(db_arena(db), ERR_CONFLICT, "that party was told already, or need not be");
}

static text step_of(const struct breach_change *ch)
{
    if (ch->step.n)
        return ch->step;
    return ch->move ? ch->move->name : TEXT("opened");
}

static enum err run_change(struct db *db, struct write *w)
{
    const struct breach_change *ch = w->arg;
    TRY(put_row(db, ch));
    if (!ch->quiet)
        TRY(db_run(db, SQL_BREACH_STEP_ADD, NULL,
                   ARGS(V_TEXT(ch->c->tenant), V_ID(ch->b.id), V_INT(ch->fresh ? 1 : ch->b.version + 1),
                        V_INT(ch->c->now), V_TEXT(step_of(ch)), V_TEXT(ch->c->actor.name),
                        V_SEALED(ch->step_note))));
    TRY(put_list(db, ch));
    TRY(put_parties(db, ch));
    if (ch->has_sign)
        TRY(db_run(db, SQL_BREACH_SIGN_STATE, NULL,
                   ARGS(V_TEXT(ch->c->tenant), V_ID(ch->sign), V_TEXT(TEXT("opened")), V_NULL)));
    for (unsigned i = 0; i < ch->letter_count; i++)
        TRY(mail_run_put(db, &ch->letters[i]));
    return OK;
}

static enum err seal_file(struct ctx *c, const struct breach *b, int64_t version, sealed *out)
{
    BUF_AUTO buf = buf_make(FILE_MAX);
    struct json_out w = json_out(&buf);
    text clear;
    json_open(&w, '{');
    json_name(&w, TEXT("facts"));
    json_open(&w, '{');
    for (unsigned i = 0; i < FACTS; i++)
        if (b->facts[i].n)
            json_pair(&w, breach_facts[i].name, b->facts[i]);
    json_close(&w, '}');
#define X(member)                                                                                                      \
    if (b->file.member.n)                                                                                              \
        json_pair(&w, TEXT(#member), b->file.member);
    BREACH_FILE(X)
#undef X
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &buf, &clear));
    return breach_seal(c, b->id, TEXT("breach"), TEXT("file"), version, clear, out);
}

enum err breach_answer(struct ctx *c, const struct breach *b, struct answer *out)
{
    BUF_AUTO buf = buf_make(1 << 16);
    struct json_out w = json_out(&buf);
    json_open(&w, '{');
    TRY(breach_put_head(c, b, &w));
    json_close(&w, '}');
    out->id = id_print(c->arena, b->id);
    return buf_take(c->arena, &buf, &out->body);
}

enum err breach_write(struct breach_change *ch)
{
    struct ctx *c = ch->c;
    struct breach *b = &ch->b;
    int64_t version = ch->fresh ? 1 : b->version + 1;
    breach_remind_from(b, c->now);
    TRY(seal_file(c, b, version, &ch->body));
    if (ch->note.n)
        TRY(breach_seal(c, b->id, TEXT("breach_step"), step_of(ch), version, ch->note, &ch->step_note));
    text act = ch->act.n ? ch->act : ch->move ? ch->move->act : TEXT("breach.opened");
    struct write w = { .run = run_change, .arg = ch, .event = event_of(c, NULL, act) };
    w.event.count = ch->count;
    w.event.purpose = b->drill ? TEXT("drill") : TEXT("");
    if (ch->kept)
        TRY(breach_answer(c, b, ch->kept));
    return write_do(c, &w, ch->kept);
}
