/* The charter: how a recipient stands with it, what opens by it, and its acceptance. */
#include "domain/core/actor.h"
#include "domain/core/decided.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/recipient/inside.h"
#include "policy/due.h"
#include <sodium.h>

enum { KEPT_DAYS = 5 * 365, SAID_MAX = 200 };
static const text table = TEXT_INIT("charter_acceptance");

text charter_word(enum charter_state s)
{
    static const text words[] = { [CHARTER_NONE] = TEXT_INIT("none"),
                                  [CHARTER_PENDING] = TEXT_INIT("pending"),
                                  [CHARTER_ACCEPTED] = TEXT_INIT("accepted"),
                                  [CHARTER_LAPSED] = TEXT_INIT("lapsed") };
    return words[s];
}

void recipient_put_time(struct ctx *c, struct json_out *w, const char *name, msec at)
{
    json_pair(w, text_of(name), at ? time_print(c->arena, at) : (text){ NULL, 0 });
}

msec charter_kept_until(const struct ctx *c)
{
    const struct retention *r = policy_retention(c->policy, TEXT("journal"));
    msec due = r ? retention_own_due(r, c->now) : 0;
    return due > c->now ? due : c->now + KEPT_DAYS * DAY;
}

/* ---- The words. ---- */

static text words_in(const struct ctx *c, text language)
{
    return text_eq(language, TEXT("fr")) ? c->policy->charter.fr : c->policy->charter.en;
}

/* What is kept of the words that somebody read: anybody can compute it from the text. */
static text hash_of(struct ctx *c, text words)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    BUF_AUTO b = buf_make(2 * sizeof digest + 1);
    crypto_hash_sha256(digest, (const uint8_t *)words.p, words.n);
    buf_hex(&b, TEXT_BYTES(digest));
    return buf_made(c->arena, &b);
}

enum err charter_put(struct ctx *c, struct json_out *w)
{
    text words = words_in(c, c->language), hash = hash_of(c, words);
    TRY_PTR(hash.p);
    json_pair(w, TEXT("version"), c->policy->charter.version);
    json_pair(w, TEXT("language"), text_eq(c->language, TEXT("fr")) ? TEXT("fr") : TEXT("en"));
    json_pair(w, TEXT("hash"), hash);
    json_pair(w, TEXT("text"), words);
    return OK;
}

/* ---- How a recipient stands. ---- */

enum err charter_open_who(struct ctx *c, text kept, text *name, text *function)
{
    text clear;
    const struct json *said;
    TRY(written_open(ctx_store(c), c->arena, c->tenant, table, kept, &clear));
    TRY(json_parse(c->arena, clear, &said));
    *name = json_text(said, TEXT("name"));
    *function = json_text(said, TEXT("function"));
    return OK;
}

static bool same_words(struct ctx *c, const struct charter_standing *s)
{
    text hash = hash_of(c, words_in(c, s->language));
    return text_eq(s->version, c->policy->charter.version) && hash.p && text_eq(s->hash, hash);
}

static enum err find_last(struct ctx *c, text recipient, struct charter_standing *out, text *who)
{
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CHARTER_LAST, ARGS(V_TEXT(c->tenant), V_TEXT(recipient)));
    out->some = query_next(&q);
    TRY(q.status);
    if (!out->some)
        return OK;
    out->version = arena_copy(c->arena, query_get(&q, CHARTER_LAST, version));
    out->hash = arena_copy(c->arena, query_get(&q, CHARTER_LAST, hash));
    out->language = arena_copy(c->arena, query_get(&q, CHARTER_LAST, language));
    out->via = arena_copy(c->arena, query_get(&q, CHARTER_LAST, via));
    out->at = query_get(&q, CHARTER_LAST, at);
    *who = arena_copy(c->arena, query_get(&q, CHARTER_LAST, who));
    return arena_whole(c->arena);
}

static enum err stand(struct ctx *c, int recipient, struct charter_standing *out, text *who)
{
    const struct actor_class *class = &c->policy->actors[recipient];
    *out = (struct charter_standing){ .state = CHARTER_NONE };
    *who = TEXT("");
    TRY(find_last(c, class->name, out, who));
    if (class->charter && out->some)
        out->state = same_words(c, out) ? CHARTER_ACCEPTED : CHARTER_LAPSED;
    else if (class->charter)
        out->state = CHARTER_PENDING;
    TRY(arena_whole(c->arena));
    return OK;
}

enum err charter_standing(struct ctx *c, int recipient, struct charter_standing *out)
{
    text who;
    TRY(stand(c, recipient, out, &who));
    return out->some ? charter_open_who(c, who, &out->name, &out->function) : OK;
}

enum err charter_put_standing(struct ctx *c, int recipient, struct json_out *w)
{
    const struct actor_class *class = &c->policy->actors[recipient];
    struct charter_standing s;
    const text none = { NULL, 0 };
    TRY(charter_standing(c, recipient, &s));
    json_pair(w, TEXT("recipient"), class->name);
    json_pair(w, TEXT("title"), doc_recipient(c, recipient));
    json_pair(w, TEXT("charter"), charter_word(s.state));
    json_pair(w, TEXT("accepted_version"), s.some ? s.version : none);
    json_pair(w, TEXT("accepted_hash"), s.some ? s.hash : none);
    json_pair(w, TEXT("accepted_language"), s.some ? s.language : none);
    json_pair(w, TEXT("accepted_by"), s.some ? s.name : none);
    json_pair(w, TEXT("accepted_as"), s.function.n ? s.function : none);
    json_pair(w, TEXT("accepted_via"), s.some ? s.via : none);
    recipient_put_time(c, w, "accepted_at", s.at);
    return OK;
}

/* ---- What opens by it. ---- */

static enum err refuse(struct ctx *c, int recipient, enum charter_state state)
{
    const struct actor_class *class = &c->policy->actors[recipient];
    if (state == CHARTER_LAPSED)
        return say_clause(c->arena, ERR_FORBIDDEN, &class->clause,
                          "\"%.*s\" accepted an older charter: it gets nothing before it accepts version %.*s",
                          T(class->name), T(c->policy->charter.version));
    return say_clause(c->arena, ERR_FORBIDDEN, &class->clause,
                      "\"%.*s\" gets nothing before it accepts the charter, version %.*s", T(class->name),
                      T(c->policy->charter.version));
}

static enum err allow_again(struct ctx *c, const struct decided *d)
{
    enum err status = charter_allow(c, policy_actor(c->policy, d->name));
    return status == ERR_FORBIDDEN ? write_refusal(c, d->has_person ? &d->person : NULL, TEXT(""), TEXT("")) : status;
}

enum err charter_allow(struct ctx *c, int recipient)
{
    struct charter_standing s;
    text who;
    TRY(stand(c, recipient, &s, &who));
    if (s.state != CHARTER_NONE && s.state != CHARTER_ACCEPTED)
        return refuse(c, recipient, s.state);
    return decided_add(c, (struct decided){ .again = allow_again, .name = c->policy->actors[recipient].name }, NULL);
}

/* ---- Accepted. ---- */

struct accepting {
    struct ctx *c;
    struct subject_id id;
    text version, hash, language, via, who;
};

/* The policy that is in force in this very write, whoever put it there meanwhile: what was read is its charter. */
static enum err same_policy(struct db *db, const struct ctx *c)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_VERSION_LAST, NULL, 0);
    bool same = query_next(&q) && text_eq(query_get(&q, POLICY_VERSION_LAST, hash), text_of(c->policy->hash));
    TRY(q.status);
    return same ? OK : say(db_arena(db), ERR_CONFLICT, "the policy changed meanwhile: read the charter again");
}

static enum err run_accept(struct db *db, struct write *w)
{
    const struct accepting *a = w->arg;
    const struct ctx *c = a->c;
    TRY(same_policy(db, c));
    TRY(db_run(db, SQL_CHARTER_END, NULL,
               ARGS(V_TEXT(c->tenant), V_TEXT(c->actor.name), V_INT(c->now), V_INT(charter_kept_until(c)))));
    return db_run(db, SQL_CHARTER_ACCEPT, NULL,
                  ARGS(V_TEXT(c->tenant), V_ID(a->id), V_TEXT(c->actor.name), V_TEXT(a->version), V_TEXT(a->hash),
                       V_TEXT(a->language), V_TEXT(a->via), V_TEXT(a->who), V_INT(c->now)));
}

static enum err missing(struct ctx *c, const char *field, const char *what)
{
    say(c->arena, ERR_MISSING, "%s", what);
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%s", field);
    return ERR_MISSING;
}

/* One line of a person's name or function. */
static enum err take_line(struct ctx *c, const struct json *in, const char *field, text *out)
{
    *out = text_trim(json_text(in, text_of(field)));
    if (value_is_line(*out, SAID_MAX))
        return value_no_card(c, text_of(field), *out);
    say(c->arena, ERR_VALUE, "\"%s\" is one line of at most %d bytes", field, SAID_MAX);
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%s", field);
    return ERR_VALUE;
}

static enum err seal_who(struct ctx *c, text name, text function, text *out)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    text clear;
    json_open(&w, '{');
    json_pair(&w, TEXT("name"), name);
    json_pair(&w, TEXT("function"), function);
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &clear));
    return written_seal(ctx_store(c), c->arena, c->tenant, table, clear, out);
}

static bool ticked(const struct json *in)
{
    const struct json *read = json_get(in, TEXT("read"));
    return read &&
           ((read->kind == J_BOOL && read->truth) || (read->kind == J_TEXT && text_eq(read->value, TEXT("yes"))));
}

/* What was read is what is in force: who has an older page open reads the new words first. */
static enum err take_words(struct ctx *c, const struct json *in, struct accepting *a)
{
    text language = json_text(in, TEXT("language"));
    a->language = text_eq(language.n ? language : c->language, TEXT("fr")) ? TEXT("fr") : TEXT("en");
    a->version = c->policy->charter.version;
    a->hash = hash_of(c, words_in(c, a->language));
    TRY_PTR(a->hash.p);
    if (text_eq(json_text(in, TEXT("version")), a->version) && text_eq(json_text(in, TEXT("hash")), a->hash))
        return OK;
    return say(c->arena, ERR_CONFLICT, "the charter is not the one that was shown: read version %.*s first",
               T(a->version));
}

static enum err answer_own(struct ctx *c, struct answer *out)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    TRY(charter_put(c, &w));
    TRY(charter_put_standing(c, c->actor.index, &w));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* Taken again inside the write as well: a copy of the policy's words of then. */
static enum err take(struct ctx *c, const struct json *in, struct accepting *a)
{
    text name, function;
    if (!ticked(in))
        return missing(c, "read", "\"read\" says that the charter was read");
    TRY(take_line(c, in, "name", &name));
    TRY(take_line(c, in, "function", &function));
    if (!name.n)
        return missing(c, "name", "\"name\" says who accepts the charter");
    TRY(take_words(c, in, a));
    return seal_who(c, name, function, &a->who);
}

enum err charter_accept(struct ctx *c, const struct json *in, text via, struct answer *out)
{
    struct accepting a = { .c = c, .id = id_make(c->now), .via = via };
    struct charter_standing s;
    if (!c->policy->actors[c->actor.index].charter)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->actors[c->actor.index].clause,
                          "the policy asks \"%.*s\" for no charter", T(c->actor.name));
    TRY(charter_standing(c, c->actor.index, &s));
    if (s.state == CHARTER_ACCEPTED)
        return answer_own(c, out);
    TRY(take(c, in, &a));
    struct write w = { .run = run_accept, .arg = &a, .event = event_of(c, NULL, TEXT("charter.accepted")) };
    w.event.clause = c->policy->actors[c->actor.index].clause.path;
    TRY(write_do(c, &w, NULL));
    return answer_own(c, out);
}

enum err recipient_own(struct ctx *c)
{
    if (c->actor.kind == ACTOR_RECIPIENT && c->actor.index >= 0)
        return OK;
    say_clause(c->arena, ERR_FORBIDDEN, &c->policy->recipients_clause,
               "only a recipient named in the policy may do this");
    return actor_refused(c);
}

enum err charter_own(struct ctx *c, struct answer *out)
{
    TRY(recipient_own(c));
    return answer_own(c, out);
}

static enum err own_again(struct ctx *c, const struct decided *d)
{
    (void)d; /* the token is asked about before */
    return recipient_own(c);
}

enum err charter_accept_own(struct ctx *c, const struct json *in, struct answer *out)
{
    TRY(recipient_own(c));
    TRY(decided_add(c, (struct decided){ .again = own_again }, NULL));
    return charter_accept(c, in, TEXT("token"), out);
}
