/* Attachments: files of a person, sealed in pieces so that none is ever whole in clear but on its way to a reader. */
#include "domain/person/permission.h"
#include "domain/person/look_at.h"
#include "base/file/card_file.h"
#include "domain/person/record.h"
#include "domain/person/person.h"
#include "domain/core/id.h"
#include "domain/core/budget.h"
#include "domain/person/owed.h"
#include "domain/person/held.h"
#include "domain/core/instance.h"
#include "domain/person/keeping.h"
#include "domain/core/looking.h"
#include "domain/core/pieces.h"
#include "domain/person/source.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum { PIECE = 64 << 10, NAME_MAX_BYTES = 255, TYPE_MAX_BYTES = 127 };

/* ---- Places and keys. ---- */

static struct place meta_place(const struct ctx *c, struct subject_id person, text id)
{
    return (struct place){ .tenant = c->tenant, .subject = person, .table = TEXT("attachment"), .field = id };
}

/* A piece opens only as the piece of that file that it was, of a file of that many bytes: none is lost, moved or
 * doubled unseen. */
static struct place piece_place(struct arena *a, const struct ctx *c, struct subject_id person, text id, int64_t size,
                                int64_t number)
{
    return (struct place){ .tenant = c->tenant,
                           .subject = person,
                           .table = TEXT("attachment_part"),
                           .field = arena_print(a, "%.*s/%lld", T(id), (long long)size),
                           .version = (uint64_t)number };
}

static enum err key_for(struct ctx *c, const struct person *p, const struct attachment *t, struct key *out)
{
    if (t->key_class)
        return store_key(ctx_store(c), c->arena, c->tenant, p->id, t->key_class, out);
    key_derive(&p->key, t->category, out);
    return OK;
}

/* ---- Adding. ---- */

struct attachment_adding {
    struct ctx *c;
    const struct person *p;
    struct attachment it;
    msec due;
    sealed meta, *pieces;
    int64_t piece_count;
    struct key_put put;
    bool has_put;
    struct subject_id duty;
    msec inform; /* as those of a change */
    struct permission permission;
};

static enum err room_for(struct db *db, const struct attachment_adding *a)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_ATTACHMENT_SUM, ARGS(V_TEXT(a->c->tenant), V_ID(a->p->id)));
    int64_t files = query_next(&q) ? query_get(&q, ATTACHMENT_SUM, count) : 0,
            bytes = files ? query_get(&q, ATTACHMENT_SUM, size) : 0;
    TRY(q.status);
    TRY(budget_check(db_arena(db), a->c->language, BUDGET_files_held, files, 1));
    return budget_check(db_arena(db), a->c->language, BUDGET_file_bytes, bytes, a->it.size);
}

enum err attachment_run(struct db *db, const struct attachment_adding *a)
{
    const struct attachment *t = &a->it;
    struct val person[] = { V_TEXT(a->c->tenant), V_ID(a->p->id), V_ID(t->id) };
    TRY(write_person_there(db, a->c->tenant, a->p->id));
    TRY(room_for(db, a));
    TRY(db_run(db, SQL_ATTACHMENT_ADD, NULL,
               ARGS(person[0], person[1], person[2], V_TEXT(t->category), V_INT(t->key_class), V_SEALED(a->meta),
                    V_INT(t->size), V_INT(t->at), a->due ? V_INT(a->due) : V_NULL)));
    for (int64_t i = 0; i < a->piece_count; i++)
        TRY(db_run(db, SQL_ATTACHMENT_PART_ADD, NULL,
                   ARGS(person[0], person[1], person[2], V_INT(i), V_INT(t->key_class), V_SEALED(a->pieces[i]))));
    TRY(permission_run(db, a->c->tenant, a->p->id, a->c->policy->version, a->it.at, &a->permission));
    if (a->inform)
        return duty_add(db, a->c->tenant, a->duty, &a->p->id, TEXT("inform"), t->source, a->it.at, a->inform);
    return OK;
}

static enum err run_add(struct db *db, struct write *w) { return attachment_run(db, w->arg); }

/* Held categories have a key of their own, made here when this is the first of it. */
static enum err key_to_add(struct attachment_adding *a, const struct category *cat, struct key *out)
{
    struct ctx *c = a->c;
    a->it.key_class = cat->held ? record_class(cat) : 0;
    enum err status = key_for(c, a->p, &a->it, out);
    if (status != ERR_ERASED)
        return status;
    key_make(out);
    a->put = (struct key_put){ .tenant = c->tenant, .subject = a->p->id, .key_class = a->it.key_class };
    key_wrap(store_master(ctx_store(c)), c->tenant, a->p->id, a->it.key_class, out, a->put.wrapped);
    a->has_put = true;
    return OK;
}

static enum err seal_meta(struct attachment_adding *a, const struct key *key, text id)
{
    struct place place = meta_place(a->c, a->p->id, id);
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("name"), a->it.name);
    json_pair(&w, TEXT("type"), a->it.media_type);
    json_pair(&w, TEXT("source"), a->it.source);
    json_close(&w, '}');
    text meta;
    TRY(buf_lend(a->c->arena, &b, &meta));
    return seal(a->c->arena, key, &place, meta, &a->meta);
}

static enum err seal_pieces(struct attachment_adding *a, struct arena *room, const struct key *key, text id,
                            text content)
{
    a->piece_count = (int64_t)((content.n + PIECE - 1) / PIECE);
    a->pieces = NEW_ARRAY(room, sealed, (size_t)a->piece_count + 1);
    TRY_PTR(a->pieces);
    for (int64_t i = 0; i < a->piece_count; i++) {
        struct place place = piece_place(room, a->c, a->p->id, id, a->it.size, i);
        TRY_PTR(place.field.p);
        TRY(seal(room, key, &place, text_upto(text_from(content, (size_t)i * PIECE), PIECE), &a->pieces[i]));
    }
    return OK;
}

static bool plain(text s, size_t most)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < ' ' || s.p[i] == '/' || s.p[i] == '\\' || s.p[i] == 0x7F)
            return false;
    return s.n && s.n <= most && text_utf8(s) && !text_eq(s, TEXT(".")) && !text_eq(s, TEXT(".."));
}

/* "type/subtype" alone: parameters are dropped. */
static text media_type_of(text s)
{
    text type = text_trim(text_cut(&s, ';'));
    text rest = type, main = text_cut(&rest, '/');
    return main.n && rest.n && plain(main, TYPE_MAX_BYTES / 2) && plain(rest, TYPE_MAX_BYTES / 2)
               ? type
               : TEXT("application/octet-stream");
}

static enum err check_content(struct ctx *c, text name, text media_type, text content)
{
    if (!plain(name, NAME_MAX_BYTES))
        return say(c->arena, ERR_VALUE,
                   "a file's name has 1 to %d bytes of UTF-8, without '/', '\\' or control characters", NAME_MAX_BYTES);
    if (content.n > ATTACHMENT_MAX)
        return say(c->arena, ERR_TOO_LARGE, "a file has at most %d bytes", ATTACHMENT_MAX);
    TRY(value_no_card(c, TEXT("the file's name"), name));
    TRY(value_no_card(c, TEXT("the file's media type"), media_type));
    /* By what it is, not by what it is said to be. */
    bool found;
    TRY(card_file(c->arena, content, &found));
    return found ? value_card(c, TEXT("the file")) : OK;
}

static enum err check(struct ctx *c, text category, text name, text media_type, text content,
                      const struct category **out)
{
    int index = policy_category(c->policy, category);
    if (index < 0)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                          "the policy has no category \"%.*s\"", T(value_shown(category)));
    *out = &c->policy->categories[index];
    if ((*out)->transient)
        return say_clause(c->arena, ERR_UNDECLARED, &(*out)->clause,
                          "category \"%.*s\" is transient: it is never stored", T((*out)->name));
    return check_content(c, name, media_type, content);
}

static msec due_of(struct ctx *c, const struct person *p, const struct category *cat, enum err *status)
{
    struct starts s = { 0 };
    *status = cat->retention ? retention_starts(c, p, &s) : OK;
    s.event = c->now;
    s.collection = s.event;
    return cat->retention ? retention_due(cat->retention, &s, false) : 0;
}

static enum err add(struct attachment_adding *a, const struct category *cat, text content, struct arena *room)
{
    KEY_AUTO key;
    enum err status;
    text id = id_print(a->c->arena, a->it.id);
    TRY_PTR(id.p);
    a->due = due_of(a->c, a->p, cat, &status);
    TRY(status);
    TRY(key_to_add(a, cat, &key));
    TRY(seal_meta(a, &key, id));
    status = seal_pieces(a, room, &key, id, content);
    if (status != OK)
        a->c->arena->why = room->why;
    return status;
}

/* Checked and sealed, in `room`; `given` are consents that come along. */
static enum err make_ready(struct ctx *c, struct person *p, const struct attachment_new *in, const struct bits *given,
                           struct arena *room, struct attachment_adding *out)
{
    const struct category *cat = NULL;
    struct bits set = { { 0 } };
    struct source_taken source;
    enum err status = check(c, in->category, in->name, in->media_type, in->content, &cat);
    if (status == ERR_UNDECLARED || status == ERR_CARD_NUMBER)
        return write_refusal(c, p, TEXT(""), TEXT(""));
    TRY(status);
    bits_add(&set, (unsigned)(cat - c->policy->categories));
    TRY(person_allow_some(c, p, given, TEXT(""), &set, ACT_WRITE));
    TRY(write_refused(c, p, source_take(c, in->source, &set, &source)));
    const struct arrival arrival = { .category = cat->name };
    struct permission permission;
    const struct json *said;
    TRY(permission_said(c, in->permitted, &said));
    TRY(permission_take(c, p, false, source, said, &arrival, &permission));
    *out = (struct attachment_adding){ .c = c,
                                       .permission = permission,
                                       .p = p,
                                       .it = { .id = id_make(c->now),
                                               .category = cat->name,
                                               .name = in->name,
                                               .media_type = media_type_of(in->media_type),
                                               .source = source.name,
                                               .size = (int64_t)in->content.n,
                                               .at = c->now },
                                       .duty = id_make(c->now),
                                       .inform = source.inform };
    return add(out, cat, in->content, room);
}

enum err attachment_ready(struct ctx *c, struct person *p, const struct attachment_new *in, const struct bits *given,
                          struct arena *room, struct attachment_adding **out, struct subject_id *id)
{
    TRY_PTR(*out = NEW(c->arena, struct attachment_adding));
    TRY(make_ready(c, p, in, given, room, *out));
    *id = (*out)->it.id;
    return (*out)->has_put ? say(c->arena, ERR_VALUE, "a file of a category that is held comes in by itself") : OK;
}

static enum err add_once(struct ctx *c, text id, const struct attachment_new *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct attachment_adding a;
    ARENA_AUTO room = arena_make(ATTACHMENT_MAX + (8 << 20));
    TRY(person_open(c, id, false, &p));
    TRY(make_ready(c, &p, in, NULL, &room, &a));
    out->id = id_print(c->arena, a.it.id);
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\"}", T(out->id));
    TRY_PTR(out->body.p);
    struct write w = { .run = run_add,
                       .arg = &a,
                       .puts = &a.put,
                       .put_count = a.has_put,
                       .event = event_of(c, &p, TEXT("attachment.add")) };
    w.event.categories = a.it.category;
    w.event.count = 1;
    return write_do(c, &w, out);
}

/* ---- Proofs of consents: no category of the policy, but of the server's own record of that name. ---- */

static const struct category proofs = { .name = TEXT_INIT(PROOFS) };
static const msec unlinked = 3 * DAY; /* for what nobody then says what it proves */

static bool is_proof(const struct ctx *c, text category)
{
    return text_eq(category, proofs.name) && policy_category(c->policy, category) < 0;
}

static enum err add_proof(struct ctx *c, text id, const struct attachment_new *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    ARENA_AUTO room = arena_make(ATTACHMENT_MAX + (8 << 20));
    TRY(person_open(c, id, false, &p));
    TRY(write_refused(c, &p, check_content(c, in->name, in->media_type, in->content)));
    TRY(person_may(c, &p, ACT_CONSENT));
    struct attachment_adding a = { .c = c,
                                   .p = &p,
                                   .it = { .id = id_make(c->now),
                                           .category = proofs.name,
                                           .name = in->name,
                                           .media_type = media_type_of(in->media_type),
                                           .source = c->actor.name,
                                           .size = (int64_t)in->content.n,
                                           .at = c->now } };
    TRY(add(&a, &proofs, in->content, &room));
    a.due = c->now + unlinked;
    out->id = id_print(c->arena, a.it.id);
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\"}", T(out->id));
    TRY_PTR(out->body.p);
    struct write w = { .run = run_add, .arg = &a, .event = event_of(c, &p, TEXT("attachment.add")) };
    w.event.categories = proofs.name;
    w.event.count = 1;
    return write_do(c, &w, out);
}

enum err attachment_take(struct ctx *c, text id, const struct attachment_new *in, struct answer *out)
{
    if (is_proof(c, in->category))
        return add_proof(c, id, in, out);

    /* Two at once may both make the category's own key: one of them then goes again. */
    enum err status = add_once(c, id, in, out);
    return status == ERR_CONFLICT ? add_once(c, id, in, out) : status;
}

enum err attachment_add(struct ctx *c, text id, text category, text name, text media_type, text content,
                        struct answer *out)
{
    const struct attachment_new in = {
        .category = category, .name = name, .media_type = media_type, .content = content
    };
    return attachment_take(c, id, &in, out);
}

/* ---- Reading. ---- */

static enum err open_meta(struct ctx *c, const struct person *p, struct attachment *t, sealed meta)
{
    KEY_AUTO key;
    text clear;
    const struct json *v;
    struct place place = meta_place(c, p->id, id_print(c->arena, t->id));
    TRY_PTR(place.field.p);
    TRY(key_for(c, p, t, &key));
    TRY(seal_open(c->arena, &key, &place, meta, &clear));
    TRY(json_parse(c->arena, clear, &v));
    t->name = json_text(v, TEXT("name"));
    t->media_type = json_text(v, TEXT("type"));
    t->source = json_text(v, TEXT("source"));
    return OK;
}

/* One when `only` is given, all otherwise. Archived ones (?4) are for the person, not for ordinary purposes. */
static enum err load(struct ctx *c, const struct person *p, const struct subject_id *only, bool archived_too,
                     struct attachment **out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ATTACHMENT_LIST,
                ARGS(V_TEXT(c->tenant), V_ID(p->id), only ? V_ID(*only) : V_NULL, V_INT(archived_too)));
    *out = NULL;
    while (query_next(&q)) {
        struct attachment *t = NEW(c->arena, struct attachment);
        TRY_PTR(t);
        text id = query_get(&q, ATTACHMENT_LIST, id);
        if (id.n != sizeof t->id)
            return say(c->arena, ERR_INTEGRITY, "an attachment has an id of %zu bytes", id.n);
        memcpy(&t->id, id.p, sizeof t->id);
        t->category = arena_copy(c->arena, query_get(&q, ATTACHMENT_LIST, category));
        t->key_class = (uint32_t)query_get(&q, ATTACHMENT_LIST, class);
        t->size = query_get(&q, ATTACHMENT_LIST, size);
        t->at = query_get(&q, ATTACHMENT_LIST, at);
        TRY_PTR(t->category.p);
        enum err e = open_meta(c, p, t, query_get(&q, ATTACHMENT_LIST, meta));
        t->unreadable = !only && (e == ERR_ERASED || record_unreadable(e));
        if (!t->unreadable)
            TRY(e);
        *out = t;
        out = &t->next;
    }
    return q.status;
}

enum err attachment_list(struct ctx *c, const struct person *p, struct attachment **out)
{
    return load(c, p, NULL, true, out);
}

/* A piece that is not there: erased while it was read, or lost. */
static enum err missing(const struct ctx *c, struct db *db, struct arena *a, const struct person *p,
                        const struct attachment *t)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_ATTACHMENT_LIST, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_ID(t->id), V_INT(true)));
    if (query_next(&q))
        return say(a, ERR_INTEGRITY, "an attachment is shorter than its size");
    return q.status != OK ? q.status : say(a, ERR_ERASED, "an attachment was erased while it was read");
}

enum err attachment_piece(struct ctx *c, const struct person *p, const struct attachment *t, int64_t number,
                          struct arena *a, text *out)
{
    KEY_AUTO key;
    int64_t left = t->size - number * PIECE;
    *out = TEXT("");
    if (left <= 0)
        return OK;
    struct place place = piece_place(a, c, p->id, id_print(a, t->id), t->size, number);
    TRY_PTR(place.field.p);
    TRY(key_for(c, p, t, &key));
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ATTACHMENT_PART, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_ID(t->id), V_INT(number)));
    if (!query_next(&q))
        return q.status != OK ? q.status : missing(c, db, a, p, t);
    TRY(seal_open(a, &key, &place, query_get(&q, ATTACHMENT_PART, sealed), out));
    return out->n == (size_t)(left < PIECE ? left : PIECE)
               ? OK
               : say(a, ERR_INTEGRITY, "a piece of an attachment has another size");
}

static enum err find(struct ctx *c, const struct person *p, text attachment, bool archived_too, struct attachment **out)
{
    struct subject_id id;
    if (!id_parse(attachment, &id))
        return say(c->arena, ERR_NOT_FOUND, "there is no such attachment");
    TRY(load(c, p, &id, archived_too, out));
    return *out ? OK : say(c->arena, ERR_NOT_FOUND, "there is no such attachment");
}

static struct bits set_of(const struct ctx *c, text category)
{
    struct bits set = { { 0 } };
    int index = policy_category(c->policy, category);
    if (index >= 0)
        bits_add(&set, (unsigned)index);
    return set;
}

/* Read piece by piece, so that a slow reader holds one piece and not a file. */
struct reading {
    struct pieces pieces;
    struct ctx c;
    struct person p;
    const struct attachment *file;
    int64_t number;
};

static enum err reading_next(struct pieces *s, struct arena *a, struct buf *piece)
{
    struct reading *r = (struct reading *)s;
    ARENA_AUTO room = arena_make(PIECE * 4);
    text clear;
    enum err status = attachment_piece(&r->c, &r->p, r->file, r->number++, &room, &clear);
    if (status != OK) {
        a->why = room.why.code ? room.why : r->c.arena->why;
        return status;
    }
    buf_add(piece, clear);
    return OK;
}

static void reading_end(struct pieces *s) { person_end(&((struct reading *)s)->p); }

static enum err reading_begin(struct ctx *c, const struct person *p, const struct attachment *t, struct answer *out)
{
    struct reading *r = NEW(c->arena, struct reading);
    TRY_PTR(r);
    *r = (struct reading){ .pieces = { reading_next, reading_end, t->size }, .p = *p, .file = t };
    TRY(pieces_context(c, &r->c));
    out->pieces = &r->pieces;
    return OK;
}

struct getting {
    text attachment;
    struct attachment *file;
};

static enum err may_get(struct ctx *c, struct look *l)
{
    struct getting *g = l->arg;
    TRY(find(c, &l->p, g->attachment, false, &g->file));
    struct bits set = set_of(c, g->file->category);
    l->event.categories = g->file->category;
    l->event.count = 1;
    if (is_proof(c, g->file->category))
        return person_may(c, &l->p, ACT_CONSENT);
    if (!bits_any(&set)) {
        say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                   "the policy no longer has category \"%.*s\"", T(g->file->category));
        return write_refusal(c, &l->p, value_shown(l->purpose), g->file->category); /* asked of nothing yet: any text */
    }
    return person_allow(c, &l->p, l->purpose, &set, ACT_READ);
}

static enum err give_file(struct ctx *c, struct look *l, struct answer *out)
{
    const struct getting *g = l->arg;
    out->id = g->attachment;
    out->media_type = g->file->media_type;
    out->file_name = g->file->name;
    return reading_begin(c, &l->p, g->file, out);
}

enum err attachment_get(struct ctx *c, text id, text attachment, text purpose, struct answer *out)
{
    struct getting g = { .attachment = attachment };
    struct look l = {
        .act = TEXT("attachment.read"), .purpose = purpose, .may = may_get, .give = give_file, .arg = &g
    };
    if (!purpose.n)
        return say(c->arena, ERR_MISSING, "a read names its purpose: ?purpose=…");
    return look_at_person(c, id, &l, out);
}

/* ---- Removing. ---- */

struct dropping {
    struct ctx *c;
    const struct person *p;
    struct subject_id id;
};

static enum err run_drop(struct db *db, struct write *w)
{
    const struct dropping *d = w->arg;
    struct val key[] = { V_TEXT(d->c->tenant), V_ID(d->p->id), V_ID(d->id) };
    TRY(db_run(db, SQL_ATTACHMENT_PARTS_END, NULL, key, 3));
    return db_run(db, SQL_ATTACHMENT_DROP, NULL, key, 3);
}

enum err attachment_drop(struct ctx *c, text id, text attachment, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct attachment *t;
    TRY(person_open(c, id, false, &p));
    TRY(find(c, &p, attachment, true, &t));
    TRY(person_allow_act(c, &p, ACT_ERASE));
    TRY(keeping_forbids(c, &p, t->category));
    if (is_proof(c, t->category))
        return say(c->arena, ERR_CONFLICT,
                   "a proof of a consent stays with it, and goes by itself when it proves none");
    struct dropping d = { c, &p, t->id };
    struct write w = { .run = run_drop,
                       .arg = &d,
                       .truncate = true,
                       .urgent = true,
                       .event = event_of(c, &p, TEXT("attachment.delete")) };
    w.event.categories = t->category;
    w.event.count = 1;
    return write_do(c, &w, out);
}
