/* Authorities' requests as they come in and are decided: entered with the document, approved by two people, or
 * refused. */
#include "base/file/card_file.h"
#include "domain/authority/inside.h"
#include "domain/core/id.h"
#include "domain/core/value.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"

/* ---- What is entered. ---- */

static enum err about(struct ctx *c, const char *member, enum err status)
{
    text_cstr(text_of(member), c->arena->why.field, sizeof c->arena->why.field);
    return status;
}

static enum err take_text(struct ctx *c, const struct json *in, const char *member, const char *needed, text *out)
{
    *out = text_trim(json_text(in, text_of(member)));
    if (!out->n && needed)
        return about(c, member, say(c->arena, ERR_MISSING, "\"%s\" says %s", member, needed));
    if (out->n > AUTHORITY_TEXT_MAX || !text_utf8(*out))
        return about(c, member, say(c->arena, ERR_VALUE, "\"%s\" has at most %d bytes", member, AUTHORITY_TEXT_MAX));
    return about(c, member, value_no_card(c, text_of(member), *out));
}

/* A day, or a time; kept as it was said. `whole`: through its end. */
static enum err take_day(struct ctx *c, const struct json *in, const char *member, bool whole, text *said, msec *out)
{
    *said = text_trim(json_text(in, text_of(member)));
    *out = 0;
    if (said->n && !value_moment(c, *said, whole, out))
        return about(c, member, say(c->arena, ERR_VALUE, "\"%s\" is a day such as 2026-11-20", member));
    return OK;
}

static enum err take_received(struct ctx *c, const struct json *in, struct authority *a)
{
    msec at;
    TRY(take_day(c, in, "received", false, &a->file.received, &at));
    if (!a->file.received.n)
        return about(c, "received", say(c->arena, ERR_MISSING, "\"received\" says on which day it came"));
    return at > c->now ? about(c, "received", say(c->arena, ERR_VALUE, "\"received\" is not in the future")) : OK;
}

static enum err take_categories(struct ctx *c, const struct json *in, struct authority *a)
{
    const struct json *list = json_get(in, TEXT("categories"));
    BUF_AUTO b = buf_make(1 << 14);
    if (!list || list->kind != J_ARRAY || !list->count)
        return about(c, "categories", say(c->arena, ERR_MISSING, "\"categories\" says which data is asked for"));
    JSON_EACH(one, list) {
        int index = one->kind == J_TEXT ? policy_category(c->policy, one->value) : -1;
        if (index < 0 || c->policy->categories[index].transient) {
            text shown = value_shown(one->value);
            return about(c, "categories", say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                                                     "the policy keeps no category \"%.*s\"", T(shown)));
        }
        buf_print(&b, "%s%.*s", one == list->first ? "" : ",", T(one->value));
    }
    return buf_take(c->arena, &b, &a->file.categories);
}

static enum err take_period(struct ctx *c, const struct json *in, struct authority *a)
{
    msec from, until;
    TRY(take_day(c, in, "from", false, &a->file.from, &from));
    TRY(take_day(c, in, "until", true, &a->file.until, &until));
    if (a->file.from.n && a->file.until.n && until <= from)
        return about(c, "until", say(c->arena, ERR_VALUE, "\"until\" is not before \"from\""));
    return OK;
}

/* The law must forbid it, and for a time: a ground, and the day on which it ends. */
static enum err take_secrecy(struct ctx *c, const struct json *in, bool ahead, struct authority *a)
{
    text said;
    const struct node *tell = node_at(c->policy->root, TEXT("authorities.tell"));
    TRY(take_text(c, in, "secrecy", NULL, &a->file.secrecy));
    TRY(take_day(c, in, "secret_until", false, &said, &a->secret));
    if (!a->file.secrecy.n && !said.n)
        return OK;
    if (tell && text_eq(tell->value, TEXT("always")))
        return say_clause(c->arena, ERR_FORBIDDEN, policy_clause(c->policy, tell->path),
                          "the policy says that people are always told");
    if (!a->file.secrecy.n)
        return about(c, "secrecy", say(c->arena, ERR_MISSING, "\"secrecy\" says which law forbids telling the person"));
    if (!said.n)
        return about(c, "secret_until", say(c->arena, ERR_MISSING, "\"secret_until\" says on which day that ends"));
    return ahead && a->secret <= c->now
               ? about(c, "secret_until", say(c->arena, ERR_VALUE, "\"secret_until\" lies ahead"))
               : OK;
}

static enum err take_people(struct ctx *c, const struct json *in, struct authority_change *ch)
{
    const struct json *list = json_get(in, TEXT("subjects"));
    if (!list || list->kind != J_ARRAY || !list->count)
        return about(c, "subjects", say(c->arena, ERR_MISSING, "\"subjects\" says whom it is about: their ids"));
    if (list->count > AUTHORITY_PEOPLE)
        return about(c, "subjects", say(c->arena, ERR_TOO_LARGE, "at most %d people a request", AUTHORITY_PEOPLE));
    struct subject_id *all = NEW_ARRAY(c->arena, struct subject_id, (size_t)list->count);
    TRY_PTR(all);
    JSON_EACH(one, list) {
        PERSON_AUTO p = { 0 };
        TRY(about(c, "subjects", person_open(c, one->kind == J_TEXT ? one->value : TEXT(""), true, &p)));
        all[ch->count++] = p.id;
    }
    ch->people = all;
    return OK;
}

/* ---- Who approves. ---- */

/* A person, whatever door they come through; the operator, at the machine, is one. */
static enum err who_is(struct ctx *c, struct digest *out, text *said)
{
    text name = TEXT("operator");
    if (c->actor.has_self)
        name = id_print(c->arena, c->actor.self);
    else if (c->actor.kind != ACTOR_OPERATOR)
        return say(c->arena, ERR_FORBIDDEN, "a program approves nothing: this takes a person who is signed in");
    TRY_PTR(name.p);
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, TEXT("authority.approver"), name, out);
    *said = c->actor.has_self ? arena_print(c->arena, "%.*s %.*s", T(c->actor.name), T(name)) : name;
    return arena_whole(c->arena);
}

static text said_who(struct ctx *c)
{
    if (c->actor.has_self)
        return arena_print(c->arena, "%.*s %.*s", T(c->actor.name), T(id_print(c->arena, c->actor.self)));
    return c->actor.token.n ? arena_print(c->arena, "%.*s", T(c->actor.name)) : TEXT("operator");
}

/* ---- The acts. ---- */

enum err authority_enter(struct ctx *c, const struct json *in, struct answer *out)
{
    struct authority_change ch = { .c = c, .act = "authority.entered", .fresh = true };
    struct authority *a = &ch.a;
    TRY(authority_may(c));
    *a = (struct authority){ .id = id_make(c->now), .state = AUTHORITY_ENTERED, .entered = c->now };
    a->file.entered_by = said_who(c);
    TRY(take_text(c, in, "authority", "which authority asks", &a->file.authority));
    TRY(take_text(c, in, "ground", "on which legal ground", &a->file.ground));
    TRY(take_text(c, in, "reference", NULL, &a->file.reference));
    TRY(take_received(c, in, a));
    TRY(take_categories(c, in, a));
    TRY(take_period(c, in, a));
    TRY(take_secrecy(c, in, true, a));
    TRY(take_people(c, in, &ch));
    c->arena->why.field[0] = 0;
    TRY(authority_write(&ch));
    TRY(authority_get(c, id_print(c->arena, a->id), out));
    out->id = id_print(c->arena, a->id);
    return arena_whole(c->arena);
}

static enum err begin(struct ctx *c, text id, const char *act, struct authority_change *ch)
{
    *ch = (struct authority_change){ .c = c, .act = act };
    TRY(authority_may(c));
    return authority_load_named(c, id, &ch->a);
}

static text type_of(text content)
{
    static const struct {
        text begins, type;
    } types[] = { { TEXT_INIT("%PDF-"), TEXT_INIT("application/pdf") },
                  { TEXT_INIT("\xFF\xD8\xFF"), TEXT_INIT("image/jpeg") },
                  { TEXT_INIT("\x89PNG\r\n\x1A\n"), TEXT_INIT("image/png") } };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_starts(content, types[i].begins))
            return types[i].type;
    return TEXT("");
}

static enum err check_document(struct ctx *c, const struct authority_document *file)
{
    bool card;
    if (!file->content.n)
        return about(c, "document", say(c->arena, ERR_MISSING, "choose the document in which it was asked"));
    if (!file->name.n || file->name.n > 255 || !text_utf8(file->name))
        return about(c, "document", say(c->arena, ERR_VALUE, "the document has a name of at most 255 bytes"));
    if (file->content.n > AUTHORITY_DOCUMENT_MAX)
        return say(c->arena, ERR_TOO_LARGE, "the document has at most %d bytes", AUTHORITY_DOCUMENT_MAX);
    if (!type_of(file->content).n)
        return about(c, "document", say(c->arena, ERR_MEDIA_TYPE, "the document is a PDF, JPEG or PNG file"));
    TRY(card_file(c->arena, file->content, &card));
    return card ? value_card(c, TEXT("document")) : OK;
}

enum err authority_document_put(struct ctx *c, text id, const struct authority_document *file, struct answer *out)
{
    struct authority_change ch;
    char digest[65];
    TRY(begin(c, id, "authority.document", &ch));
    if (ch.a.state != AUTHORITY_ENTERED || ch.a.has_first)
        return say(c->arena, ERR_CONFLICT, "somebody has approved it with the document that it has");
    TRY(check_document(c, file));
    digest_hex(file->content, digest);
    ch.a.file.document = file->name;
    ch.a.file.type = type_of(file->content);
    ch.a.file.digest = arena_copy(c->arena, text_of(digest));
    TRY_PTR(ch.a.file.digest.p);
    TRY(authority_seal(c, ch.a.id, TEXT("authority_document"), 0, file->content, &ch.document));
    TRY(authority_write(&ch));
    return authority_get(c, id, out);
}

enum err authority_approve(struct ctx *c, text id, struct answer *out)
{
    struct authority_change ch;
    struct digest who;
    text said;
    TRY(begin(c, id, "authority.approved", &ch));
    TRY(who_is(c, &who, &said));
    if (ch.a.state != AUTHORITY_ENTERED)
        return say(c->arena, ERR_CONFLICT, "the request is %.*s", T(authority_state_word(ch.a.state)));
    if (!ch.a.file.digest.n)
        return about(c, "document", say(c->arena, ERR_MISSING, "nobody approves a request without its document"));
    if (!ch.a.has_first) {
        ch.a.first = who;
        ch.a.has_first = true;
        ch.a.file.first_by = said;
    } else if (memcmp(&ch.a.first, &who, sizeof who) == 0) {
        return say(c->arena, ERR_CONFLICT, "you have approved it: a second, different person must");
    } else {
        ch.act = "authority.granted";
        ch.a.second = who;
        ch.a.has_second = true;
        ch.a.file.second_by = said;
        ch.a.state = AUTHORITY_APPROVED;
    }
    TRY(authority_write(&ch));
    return authority_get(c, id, out);
}

static enum err check_open(struct ctx *c, const struct authority *a)
{
    return a->state == AUTHORITY_ENTERED || a->state == AUTHORITY_APPROVED
               ? OK
               : say(c->arena, ERR_CONFLICT, "the request is %.*s", T(authority_state_word(a->state)));
}

enum err authority_refuse(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    struct authority_change ch;
    TRY(begin(c, id, "authority.refused", &ch));
    TRY(check_open(c, &ch.a));
    ch.unhanded = true;
    TRY(take_text(c, in, "text", "why nothing is handed over", &ch.a.file.reasons));
    ch.a.state = AUTHORITY_REFUSED;
    ch.a.closed = c->now;
    ch.a.due = authority_due(c);
    TRY(authority_write(&ch));
    return authority_get(c, id, out);
}

enum err authority_secrecy(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    struct authority_change ch;
    TRY(begin(c, id, "authority.secrecy", &ch));
    TRY(check_open(c, &ch.a));
    ch.untold = true;
    TRY(take_secrecy(c, in, false, &ch.a));
    if (!ch.a.file.secrecy.n)
        return about(c, "secrecy", say(c->arena, ERR_MISSING, "\"secrecy\" says which law forbids telling the person"));
    TRY(authority_write(&ch));
    return authority_get(c, id, out);
}

/* ---- The document. ---- */

static enum err may_open(struct ctx *c, struct look *l)
{
    (void)l;
    return authority_may(c);
}

static enum err give_document(struct ctx *c, struct look *l, struct answer *out)
{
    const struct authority *a = l->arg;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_AUTHORITY_DOCUMENT_GET, ARGS(V_TEXT(c->tenant), V_ID(a->id)));
    if (!query_next(&q))
        return q.status == OK ? say(c->arena, ERR_NOT_FOUND, "the request has no document yet") : q.status;
    out->media_type = a->file.type;
    out->file_name = a->file.document;
    return authority_unseal(c, a->id, TEXT("authority_document"), 0, query_get(&q, AUTHORITY_DOCUMENT_GET, content),
                            &out->body);
}

enum err authority_document_get(struct ctx *c, text id, struct answer *out)
{
    struct authority a;
    struct look l = { .act = TEXT("authority.read"),
                      .purpose = TEXT("authorities"),
                      .may = may_open,
                      .give = give_document,
                      .arg = &a };
    TRY(authority_may(c));
    TRY(authority_load_named(c, id, &a));
    return look_at_person(c, (text){ NULL, 0 }, &l, out);
}
