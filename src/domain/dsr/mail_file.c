/* Emails of requests as they are kept: sealed with their files, shown to who answers, and those of machines apart. */
#include "base/card.h"
#include "base/file/card_file.h"
#include "base/unicode.h"
#include "base/file/file_name.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/reader.h"
#include "domain/core/value.h"
#include "domain/dsr/inside.h"
#include "domain/mail/inbound.h"
#include "domain/person/look_at.h"

enum { META_MAX = 1 << 20 };
static const text table = TEXT_INIT("dsr_mail");

/* ---- Kept. ---- */

static enum err part_has_card(struct ctx *c, const struct inbound *m, int part, bool *found)
{
    ARENA_AUTO room = arena_make(3 * (size_t)INBOUND_MAX);
    struct ctx in = *c;
    text content;
    in.arena = &room;
    TRY(inbound_file(&in, m->raw, part, &content));
    return card_file(&room, content, found);
}

/* Whether a payment card number stands in its texts or in one of its files; true as well when that cannot be told. What
 * programs make up (boundaries, Message-ID) is long numbers that often look like one: of a message that can be read
 * only what a person wrote is looked through. */
static enum err has_card(struct ctx *c, const struct inbound *m, bool *found)
{
    int number = 0;
    enum err status = m->said ? part_has_card(c, m, READ_TEXTS, found) : card_file(c->arena, m->raw, found);
    if (status == OK && !*found)
        status = card_look(c->arena, json_text(m->said, TEXT("subject")), found);
    if (status == OK && !*found)
        status = card_look(c->arena, json_text(m->said, TEXT("from_name")), found);
    JSON_EACH(file, json_get(m->said, TEXT("files")))
        if (status == OK && !*found)
            status = part_has_card(c, m, number++, found);
    if (status != ERR_TOO_LARGE && status != ERR_VALUE)
        return status;
    c->arena->why = (struct why){ .code = OK };
    *found = true;
    return OK;
}

static void put_masked(struct ctx *c, struct json_out *w, text name, text s)
{
    json_pair(w, name, s.n ? card_mask(c->arena, s) : (text){ NULL, 0 });
}

static void put_files(struct ctx *c, const struct inbound *m, struct json_out *w)
{
    json_name(w, TEXT("files"));
    json_open(w, '[');
    JSON_EACH(file, json_get(m->said, TEXT("files"))) {
        int64_t size = 0;
        json_int(json_get(file, TEXT("size")), &size);
        json_open(w, '{');
        json_pair(w, TEXT("name"), file_name_safe(c->arena, card_mask(c->arena, json_text(file, TEXT("name")))));
        json_pair(w, TEXT("type"), json_text(file, TEXT("type")));
        json_pair_int(w, TEXT("size"), size);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static enum err make_meta(struct ctx *c, const struct inbound *m, const struct dsr_mail *mail, text *out)
{
    BUF_AUTO b = buf_make(META_MAX);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("sender"), m->from.n ? m->from : (text){ NULL, 0 });
    put_masked(c, &w, TEXT("from"), json_text(m->said, TEXT("from")));
    put_masked(c, &w, TEXT("from_name"), json_text(m->said, TEXT("from_name")));
    json_pair(&w, TEXT("to"), m->to);
    json_pair(&w, TEXT("date"), json_text(m->said, TEXT("date")));
    json_pair(&w, TEXT("subject"), mail->subject);
    json_pair(&w, TEXT("text"), mail->said);
    put_masked(c, &w, TEXT("authentication"), inbound_authentication(c, m));
    json_pair_bool(&w, TEXT("readable"), m->said != NULL);
    put_files(c, m, &w);
    json_close(&w, '}');
    TRY(arena_whole(c->arena));
    return buf_take(c->arena, &b, out);
}

enum err dsr_mail_make(struct ctx *c, const struct inbound *m, text class, struct dsr_mail *out)
{
    text meta, thread = json_text(m->said, TEXT("message_id"));
    bool card = false;
    *out = (struct dsr_mail){ .id = id_make(c->now), .class = class, .size = (int64_t)m->raw.n };
    text field = id_print(c->arena, out->id);
    out->digest = dsr_mail_digest(c, TEXT("dsr.mail"), m->raw);
    out->has_thread = thread.n > 0;
    out->thread = dsr_mail_digest(c, TEXT("dsr.thread"), thread);
    out->subject = card_mask(c->arena, text_trim(unicode_nfc(c->arena, json_text(m->said, TEXT("subject")))));
    out->said = card_mask(c->arena, unicode_nfc(c->arena, json_text(m->said, TEXT("text"))));
    TRY(arena_whole(c->arena));
    TRY(make_meta(c, m, out, &meta));
    TRY(has_card(c, m, &card));
    TRY(dsr_seal(c, out->id, table, field, 0, meta, &out->meta));
    return card ? OK : dsr_seal(c, out->id, table, field, 1, m->raw, &out->content);
}

enum err dsr_mail_run(struct db *db, const struct ctx *c, const struct dsr_mail *m, const struct subject_id *subject)
{
    int64_t added;
    TRY(db_run(db, SQL_DSR_MAIL_ADD, &added,
               ARGS(V_TEXT(c->tenant), V_ID(m->id), subject ? V_ID(*subject) : V_NULL,
                    m->has_request ? V_ID(m->request) : V_NULL, V_INT(c->now), V_TEXT(m->class), V_INT(m->size),
                    V_BYTES(TEXT_BYTES(m->digest)), m->has_thread ? V_BYTES(TEXT_BYTES(m->thread)) : V_NULL,
                    m->due ? V_INT(m->due) : V_NULL, V_SEALED(m->meta), V_SEALED(m->content))));
    return added ? OK : say(db_arena(db), ERR_CONFLICT, "this email came before");
}

/* ---- Shown. ---- */

static void put_shown_files(struct json_out *w, const struct json *meta)
{
    int64_t number = 0;
    json_name(w, TEXT("files"));
    json_open(w, '[');
    JSON_EACH(file, json_get(meta, TEXT("files"))) {
        json_open(w, '{');
        json_pair_int(w, TEXT("file"), number++);
        JSON_EACH(member, file) {
            json_name(w, member->key);
            json_put(w, member);
        }
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* The row that q stands on, whose first columns are those of DSR_MAIL_OF. */
enum err dsr_mail_put(struct ctx *c, struct query *q, struct json_out *w)
{
    text meta, field = id_column(c->arena, q, COL(DSR_MAIL_OF, id));
    const struct json *said;
    struct subject_id id;
    if (!field.p || !id_parse(field, &id))
        return say(c->arena, ERR_INTEGRITY, "an email has no id");
    TRY(dsr_unseal(c, id, table, field, 0, query_sealed(q, COL(DSR_MAIL_OF, meta)), &meta));
    TRY(json_parse(c->arena, meta, &said));
    json_open(w, '{');
    json_pair(w, TEXT("mail"), field);
    json_pair(w, TEXT("at"), time_print(c->arena, query_int(q, COL(DSR_MAIL_OF, at))));
    json_pair(w, TEXT("class"), arena_copy(c->arena, query_bytes(q, COL(DSR_MAIL_OF, class))));
    json_pair_int(w, TEXT("size"), query_int(q, COL(DSR_MAIL_OF, size)));
    json_pair_bool(w, TEXT("kept"), query_int(q, COL(DSR_MAIL_OF, kept)) != 0);
    JSON_EACH(member, said) {
        if (text_eq(member->key, TEXT("files")))
            continue;
        json_name(w, member->key);
        json_put(w, member);
    }
    put_shown_files(w, said);
    json_close(w, '}');
    return arena_whole(c->arena);
}

enum err dsr_put_mails(struct ctx *c, const struct dsr *d, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_MAIL_OF, ARGS(V_TEXT(c->tenant), V_ID(d->id)));
    json_name(w, TEXT("emails"));
    json_open(w, '[');
    while (query_next(&q))
        TRY(dsr_mail_put(c, &q, w));
    json_close(w, ']');
    return q.status;
}

/* ---- One file of it, or the whole as it came. ---- */

struct mail_look {
    const struct dsr *d;
    struct subject_id mail;
    int64_t file; /* -1: the original */
};

static enum err may_read(struct ctx *c, struct look *l)
{
    (void)l;
    return dsr_may_answer(c);
}

static enum err load_original(struct ctx *c, const struct mail_look *of, text *meta, text *raw)
{
    text field = id_print(c->arena, of->mail);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_MAIL_GET, ARGS(V_TEXT(c->tenant), V_ID(of->mail)));
    text request = query_next(&q) ? query_get(&q, DSR_MAIL_GET, request) : TEXT("");
    TRY(q.status);
    if (request.n != sizeof of->d->id || memcmp(request.p, &of->d->id, request.n) != 0)
        return say(c->arena, ERR_NOT_FOUND, "there is no such email");
    if (!query_get(&q, DSR_MAIL_GET, kept))
        return say(c->arena, ERR_ERASED, "a payment card number was in it: only its text was kept, without the number");
    TRY(dsr_unseal(c, of->mail, table, field, 0, query_get(&q, DSR_MAIL_GET, meta), meta));
    return dsr_unseal(c, of->mail, table, field, 1, query_get(&q, DSR_MAIL_GET, content), raw);
}

/* Never as the type that its sender says: what is shown to staff is no page and no program. */
static enum err give_file(struct ctx *c, struct look *l, struct answer *out)
{
    const struct mail_look *of = l->arg;
    const struct json *said, *file;
    text meta, raw;
    int64_t at = 0;
    TRY(load_original(c, of, &meta, &raw));
    out->media_type = TEXT("application/octet-stream");
    out->file_name = TEXT("email.eml");
    out->body = raw;
    if (of->file < 0)
        return OK;
    TRY(json_parse(c->arena, meta, &said));
    file = json_get(said, TEXT("files")) ? json_get(said, TEXT("files"))->first : NULL;
    for (; file && at < of->file; at++)
        file = file->next;
    if (!file)
        return say(c->arena, ERR_NOT_FOUND, "this email has no such file");
    out->file_name = json_text(file, TEXT("name"));
    return inbound_file(c, raw, (int)of->file, &out->body);
}

enum err dsr_mail_get(struct ctx *c, text id, text mail, text file, struct answer *out)
{
    struct dsr d;
    struct mail_look of = { .d = &d, .file = -1 };
    struct look l = { .act = TEXT("request.mail.read"),
                      .purpose = TEXT("requests"),
                      .closed_too = true,
                      .gone_too = true,
                      .may = may_read,
                      .give = give_file,
                      .arg = &of };
    TRY(dsr_may_answer(c));
    TRY(dsr_load_named(c, id, &d));
    bool good = text_eq(file, TEXT("original")) || (text_int(file, &of.file) && of.file >= 0 && of.file < 1000);
    if (!good || !id_parse(mail, &of.mail))
        return say(c->arena, ERR_NOT_FOUND, "there is no such email or file");
    return look_at_person(c, d.has_subject ? id_print(c->arena, d.subject) : (text){ NULL, 0 }, &l, out);
}
