/* Publications: sent in by their person or entered by staff, and what everybody sees of them. */
#include "domain/publication/shown.h"
#include "base/file/clean.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/core/pieces.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/person/append.h"
#include "domain/person/change.h"
#include "domain/person/held.h"
#include "domain/person/person.h"
#include "domain/person/whole.h"

enum { ITEMS_BYTES = 4 << 20 };

/* ---- Sending in. ---- */

struct sending {
    struct ctx *c;
    const struct category *cat;
    const struct purpose *purpose;
    const struct person *p;
    struct subject_id id, file;
    struct arena *room; /* of the file */
    text type, clean;
    struct attachment_adding *adding;
    bool has_file;
    int64_t item, version;
};

static enum err run_add(struct db *db, void *arg)
{
    const struct sending *s = arg;
    if (s->has_file)
        TRY(attachment_run(db, s->adding));
    return db_run(db, SQL_PUBLICATION_ADD, NULL,
                  ARGS(V_TEXT(s->c->tenant), V_ID(s->p->id), V_ID(s->id), V_TEXT(s->cat->name),
                       V_TEXT(s->purpose->name), V_INT(s->item), V_INT(s->version),
                       s->has_file ? V_ID(s->file) : V_NULL, s->has_file ? V_TEXT(s->type) : V_NULL, V_INT(s->c->now)));
}

/* Before anything is asked or written: what cannot be cleaned is not taken in. */
static enum err clean(struct ctx *c, const struct publication_new *in, struct sending *s)
{
    if (!in->content.p)
        return OK;
    if (!publication_takes_files(c, s->cat))
        return say_clause(c->arena, ERR_UNDECLARED, &s->cat->clause, "category \"%.*s\" takes no files",
                          T(s->cat->name));
    s->has_file = true;
    return clean_file(s->room, in->content, &s->type, &s->clean);
}

static enum err add_file(struct ctx *c, struct person *p, const struct publication_new *in, const struct bits *given,
                         struct sending *s)
{
    const struct attachment_new file = {
        .category = s->cat->name, .name = in->file_name, .media_type = s->type, .content = s->clean
    };
    return s->has_file ? attachment_ready(c, p, &file, given, s->room, &s->adding, &s->file) : OK;
}

/* A consent that comes along: for that purpose, in its own words. */
static enum err add_consent(struct ctx *c, const struct sending *s, bool agree, struct change *ch, struct bits *given)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    const struct json *in;
    *given = (struct bits){ { 0 } };
    if (!agree)
        return OK;
    json_open(&w, '{');
    json_pair(&w, TEXT("purpose"), s->purpose->name);
    json_pair(&w, TEXT("decision"), TEXT("given"));
    json_pair(&w, TEXT("method"), TEXT("tick"));
    json_pair(&w, TEXT("wording"), doc_consent(c, doc_purpose(c, s->purpose), TEXT("")));
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    TRY(change_consents(c, ch, in));
    TRY(person_may_record(c, s->p, s->purpose->name, false));
    bits_add(given, (unsigned)(s->purpose - c->policy->purposes));
    return OK;
}

/* One that is in force, or comes along: without it nothing is taken in to be shown. */
static enum err check_consent(struct ctx *c, const struct person *p, const struct sending *s, const struct bits *given)
{
    unsigned purpose = (unsigned)(s->purpose - c->policy->purposes);
    struct bits live;
    TRY(person_consents(c, p, &live));
    if (bits_has(&live, purpose) || bits_has(given, purpose))
        return OK;
    say_clause(c->arena, ERR_CONSENT, &s->purpose->clause, "nothing is shown in public without the person's consent");
    return write_refusal(c, p, s->purpose->name, s->cat->name);
}

/* In place of the one there is, where a person has one; else one more. */
static enum err make_record(struct ctx *c, struct person *p, struct sending *s, const struct json *fields,
                            struct change *ch)
{
    struct record blank = { .category = (int)(s->cat - c->policy->categories) }, *rows = NULL;
    const struct json *other;
    unsigned count = 0;
    TRY(whole_other(c, p, s->cat, &other));
    TRY(value_take_category(c, s->cat, &fields, other));
    if (!s->cat->many)
        TRY(record_load(c, p, blank.category, false, &rows, &count));
    TRY(subject_keep(c, p, blank.category, s->cat->many ? NULL : count ? &rows[0] : &blank, fields, ch));
    s->item = ch->records[0].item;
    s->version = ch->records[0].version;
    return OK;
}

static enum err send_once(struct ctx *c, struct person *p, const struct publication_new *in, struct sending *s,
                          struct answer *out)
{
    struct change ch;
    struct bits set = { { 0 } }, given;
    s->p = p;
    s->id = id_make(c->now);
    bits_add(&set, (unsigned)(s->cat - c->policy->categories));
    TRY(write_refused(c, p, make_record(c, p, s, in->fields, &ch)));
    TRY(add_consent(c, s, in->agree, &ch, &given));
    TRY(check_consent(c, p, s, &given));
    TRY(person_allow_some(c, p, &given, TEXT(""), &set, ACT_WRITE));
    TRY(add_file(c, p, in, &given, s));
    ch.also = run_add;
    ch.also_arg = s;
    struct event event = event_of(c, p, TEXT("publication.sent"));
    event.purpose = s->purpose->name;
    event.categories = s->cat->name;
    event.count = 1;
    out->id = id_print(c->arena, s->id);
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\",\"state\":\"waiting\"}", T(out->id));
    TRY_PTR(out->body.p);
    return change_write(c, &ch, event, out);
}

enum err publication_send(struct ctx *c, text id, const struct publication_new *in, struct answer *out)
{
    ARENA_AUTO room = arena_make(((size_t)ATTACHMENT_MAX + (8 << 20)) * 4);
    struct sending s = { .c = c, .room = &room };
    enum err status;
    TRY(publication_category(c, in->category, &s.cat));
    s.purpose = &c->policy->purposes[s.cat->public_for];
    if (!in->fields || in->fields->kind != J_OBJECT)
        return say(c->arena, ERR_MISSING, "\"fields\" holds what is to be shown, {field: value}");
    status = clean(c, in, &s);
    if (status != OK) {
        if (room.why.code)
            c->arena->why = room.why;
        return status;
    }
    status = ERR_PRECONDITION;
    for (int tries = 0; (status == ERR_PRECONDITION || status == ERR_CONFLICT) && tries < 4; tries++) {
        PERSON_AUTO p = { 0 };
        TRY(person_open(c, id, false, &p));
        status = send_once(c, &p, in, &s, out);
    }
    return status;
}

/* ---- Taken down by its person. ---- */

struct ending {
    struct ctx *c;
    struct shown s;
};

static enum err run_end(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_PUBLICATION_SET, &changed,
               ARGS(V_TEXT(e->c->tenant), V_ID(e->s.subject), V_ID(e->s.id), V_INT(DOWN), V_INT(PUBLISHED),
                    V_INT(e->c->now), V_NULL, V_INT(WAITING))));
    return changed ? OK : say(db_arena(db), ERR_CONFLICT, "it is not public, and waits no longer");
}

enum err publication_end(struct ctx *c, text id, text publication, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct ending e = { .c = c };
    TRY(person_open(c, id, false, &p));
    TRY(shown_find(c, publication, &e.s));
    if (memcmp(&e.s.subject, &p.id, sizeof p.id) != 0)
        return shown_none(c);
    TRY(person_may_record(c, &p, e.s.purpose, true));
    struct write w = { .run = run_end, .arg = &e, .urgent = true, .event = event_of(c, &p, TEXT("publication.down")) };
    w.event.purpose = e.s.purpose;
    w.event.categories = e.s.category;
    return write_do(c, &w, out);
}

/* ---- What everybody sees. ---- */

/* A published one of that category, live at this moment. */
static enum err find_live(struct ctx *c, text name, text id, struct shown *s, struct person *p,
                          const struct json **fields)
{
    const struct category *cat;
    bool live = false;
    TRY(publication_category(c, name, &cat));
    TRY(shown_find(c, id, s));
    if (s->state == PUBLISHED && text_eq(s->category, name))
        TRY(shown_open(c, s, s->decided, p, fields, &live));
    return live ? OK : shown_none(c);
}

enum err publication_get(struct ctx *c, text name, text id, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct shown s;
    const struct json *fields;
    BUF_AUTO b = buf_make(ITEMS_BYTES);
    struct json_out w = json_out(&b);
    TRY(find_live(c, name, id, &s, &p, &fields));
    json_open(&w, '{');
    shown_put(c, &s, fields, &w);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

static enum err load_ids(struct ctx *c, enum sql sql, text category, struct subject_id from, const struct paging *asked,
                         struct subject_id *ids, int64_t *count, bool *more)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, sql, ARGS(V_TEXT(c->tenant), V_TEXT(category), V_ID(from), V_INT(asked->limit + 1)));
    for (*count = 0; paging_row(asked, &q, count, more);)
        memcpy(&ids[*count - 1], query_get(&q, PUBLICATION_SHOWN, id).p, sizeof *ids);
    return q.status;
}

/* One item where it is live; nobody is told of another. */
static enum err put_item(struct ctx *c, text name, struct subject_id id, struct json_out *w)
{
    PERSON_AUTO p = { 0 };
    struct shown s;
    const struct json *fields;
    struct why kept = c->arena->why;
    enum err status = find_live(c, name, id_print(c->arena, id), &s, &p, &fields);
    if (status == ERR_NOT_FOUND) {
        c->arena->why = kept;
        return OK;
    }
    TRY(status);
    json_open(w, '{');
    shown_put(c, &s, fields, w);
    json_close(w, '}');
    return OK;
}

enum err publication_list(struct ctx *c, text name, const struct paging *asked, struct answer *out)
{
    const struct category *cat;
    struct subject_id from, *ids = NEW_ARRAY(c->arena, struct subject_id, (size_t)asked->limit + 1);
    int64_t count = 0;
    bool more = false;
    BUF_AUTO b = buf_make(64 << 20);
    struct json_out w = json_out(&b);
    TRY_PTR(ids);
    TRY(publication_category(c, name, &cat));
    memset(&from, 0xFF, sizeof from);
    if (asked->after.n && !id_parse(asked->after, &from))
        return paging_unknown(c);
    TRY(load_ids(c, SQL_PUBLICATION_SHOWN, cat->name, from, asked, ids, &count, &more));
    json_open(&w, '{');
    json_pair(&w, TEXT("publication"), cat->name);
    json_pair(&w, TEXT("title"), doc_category(c, cat));
    json_name(&w, TEXT("items"));
    json_open(&w, '[');
    for (int64_t i = 0; i < count; i++)
        TRY(put_item(c, cat->name, ids[i], &w));
    json_close(&w, ']');
    TRY(paging_end(c, more, more ? id_print(c->arena, ids[count - 1]) : TEXT(""), &w, out));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- Its file, a part of it at a time. ---- */

enum { PIECE = 64 << 10 };
struct reading {
    struct pieces pieces;
    struct ctx c;
    struct person p;
    struct shown s;
    const struct attachment *file;
    int64_t at, end; /* the next byte, and the one behind the last */
};

static enum err next_piece(struct pieces *pieces, struct arena *a, struct buf *out)
{
    struct reading *r = (struct reading *)pieces;
    ARENA_AUTO room = arena_make(PIECE * 4);
    text clear;
    if (r->at >= r->end)
        return OK;
    enum err status = attachment_piece(&r->c, &r->p, r->file, r->at / PIECE, &room, &clear);
    if (status != OK) {
        a->why = room.why.code ? room.why : r->c.arena->why;
        return status;
    }
    text part = text_upto(text_from(clear, (size_t)(r->at % PIECE)), (size_t)(r->end - r->at));
    buf_add(out, part);
    r->at += (int64_t)part.n;
    return OK;
}

static void end_pieces(struct pieces *pieces) { person_end(&((struct reading *)pieces)->p); }

static enum err find_file(struct ctx *c, const struct person *p, struct subject_id id, const struct attachment **out)
{
    struct attachment *all;
    TRY(attachment_list(c, p, &all));
    for (*out = all; *out && memcmp(&(*out)->id, &id, sizeof id) != 0;)
        *out = (*out)->next;
    return *out && !(*out)->unreadable ? OK : shown_none(c);
}

enum err publication_file(struct ctx *c, text name, text id, struct publication_part *part, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    const struct json *fields;
    struct reading *r = NEW(c->arena, struct reading);
    TRY_PTR(r);
    *r = (struct reading){ .pieces = { next_piece, end_pieces, 0 } };
    TRY(find_live(c, name, id, &r->s, &p, &fields));
    if (!r->s.has_file)
        return shown_none(c);
    TRY(find_file(c, &p, r->s.file, &r->file));
    part->size = r->file->size;
    if (part->to < 0 || part->to >= part->size)
        part->to = part->size - 1;
    if (part->from < 0) { /* the last bytes of it */
        part->from = part->from < -part->size ? 0 : part->size + part->from;
        part->to = part->size - 1;
    }
    if (part->from > part->to)
        return say(c->arena, ERR_VALUE, "the file has %lld bytes", (long long)part->size);
    r->at = part->from;
    r->end = part->to + 1;
    r->pieces.size = r->end - r->at;
    TRY(pieces_context(c, &r->c));
    r->p = p; /* end_pieces() wipes it */
    out->pieces = &r->pieces;
    out->media_type = r->s.type;
    return OK;
}

/* ---- The access answer. ---- */

static text state_word(int64_t state)
{
    static const text words[] = { TEXT_INIT("waiting"), TEXT_INIT("published"), TEXT_INIT("refused"),
                                  TEXT_INIT("taken_down") };
    return state >= 0 && state < (int64_t)(sizeof words / sizeof *words) ? words[state] : TEXT("");
}

struct told {
    struct subject_id id;
    text category, reason;
    int64_t item, state;
    msec at;
    bool file;
};

static enum err load_told(struct ctx *c, const struct person *p, struct told **out, unsigned *count)
{
    enum { ROOM = 4096 };
    *out = NEW_ARRAY(c->arena, struct told, ROOM);
    *count = 0;
    TRY_PTR(*out);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_PUBLICATION_OF, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    while (query_next(&q)) {
        struct told *t = &(*out)[*count];
        if ((*count)++ == ROOM)
            return say(c->arena, ERR_TOO_LARGE, "there are more than %d publications", ROOM);
        memcpy(&t->id, query_get(&q, PUBLICATION_OF, id).p, sizeof t->id);
        t->category = arena_copy(c->arena, query_get(&q, PUBLICATION_OF, category));
        t->item = query_get(&q, PUBLICATION_OF, item);
        t->state = query_get(&q, PUBLICATION_OF, state);
        t->at = query_get(&q, PUBLICATION_OF, at);
        t->file = !query_null(&q, PUBLICATION_OF, file);
        t->reason = query_null(&q, PUBLICATION_OF, reason)
                        ? TEXT("")
                        : arena_copy(c->arena, query_get(&q, PUBLICATION_OF, reason));
    }
    return q.status;
}

static enum err put_told(struct ctx *c, const struct told *t, struct json_out *w)
{
    PERSON_AUTO p = { 0 };
    struct shown s;
    const struct json *fields;
    bool live = false;
    int index = policy_category(c->policy, t->category);
    text reason, id = id_print(c->arena, t->id);
    TRY(shown_find(c, id, &s));
    if (t->state == PUBLISHED)
        TRY(shown_open(c, &s, s.decided, &p, &fields, &live));
    TRY(written_open(ctx_store(c), c->arena, c->tenant, TEXT("publication"), t->reason, &reason));
    json_open(w, '{');
    json_pair(w, TEXT("id"), id);
    json_pair(w, TEXT("category"), t->category);
    json_pair(w, TEXT("title"), index >= 0 ? doc_category(c, &c->policy->categories[index]) : t->category);
    json_pair_int(w, TEXT("item"), t->item);
    json_pair(w, TEXT("state"), t->state == PUBLISHED && !live ? TEXT("ended") : state_word(t->state));
    json_pair_bool(w, TEXT("public"), live);
    json_pair(w, TEXT("at"), time_print(c->arena, t->at));
    if (live)
        json_pair(w, TEXT("address"), arena_print(c->arena, "/publications/%.*s/%.*s", T(t->category), T(id)));
    json_pair(w, TEXT("reason"), reason.n ? reason : (text){ NULL, 0 });
    json_close(w, '}');
    return OK;
}

static enum err put_publications(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct told *all;
    unsigned count;
    TRY(load_told(c, p, &all, &count));
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++)
        TRY(put_told(c, &all[i], w));
    json_close(w, ']');
    return OK;
}

/* ---- Reports whose time is over. ---- */

static enum err run_over(struct db *db, struct write *w)
{
    const msec *now = w->arg;
    return db_run(db, SQL_REPORT_OVER, NULL, ARGS(V_INT(*now)));
}

static enum err end_over(struct ctx *c) { return feature_end_over(c, SQL_REPORT_IS_OVER, run_over, TEXT("publication.over")); }

const struct feature publication_feature = {
    .name = TEXT_INIT("publication"), .member = TEXT_INIT("publications"), .put = put_publications, .tick = end_over
};
