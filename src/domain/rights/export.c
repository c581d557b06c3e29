/* The export (GDPR 15(3), 20): a zip of a readable page, data.json, a table for each category, and the attachments;
 * made while it is read, whatever its size. */
#include "domain/person/look_at.h"
#include "domain/core/named.h"
#include "domain/person/record.h"
#include "domain/person/person.h"
#include "base/file/pack.h"
#include "domain/rights/export.h"
#include "domain/person/held.h"
#include "domain/core/looking.h"
#include "domain/rights/person_file.h"
#include "domain/core/pieces.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/instance.h"
#include "domain/core/papers.h"

/* ON_PAGE: pages of a category's records on the readable page; the others stand in the tables. */
enum { FILE_MEMORY = 160 << 20, PIECE = 128 << 10, ON_PAGE = 2 };

struct export
{
    struct pieces pieces;
    struct ctx c;
    struct person p;
    struct pack pack;
    struct buf head; /* the readable page, packed already */
    size_t given;    /* of it */
    struct person_steps steps;
    bool in_data, in_table; /* data.json, a table is open in the archive */
    unsigned table_of;      /* the category whose table is made; their count when all are */
    struct person_table *table;
    const struct attachment *file; /* the next one, or the one that is open */
    unsigned number;               /* its, from 1 */
    int64_t piece;                 /* its next; 0: it is not open */
    bool over;
};

/* ---- The page: packed before the first byte goes, so that what cannot be opened at all is still an error. ---- */

static enum err put_head(struct export *e, struct ctx *c)
{
    const struct json *file;
    text html;
    BUF_AUTO json = buf_make(BUF_DEFAULT_LIMIT);
    BUF_AUTO page = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&json);
    json_open(&w, '{');
    TRY(person_file_put(c, &e->p, ON_PAGE, &w));
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &json, &file));
    TRY(c->app->papers->person_file(c, file, &page));
    TRY(buf_lend(c->arena, &page, &html));
    return pack_file(&e->pack, &e->head, TEXT("index.html"), true, html);
}

/* In memory of its own, that is free again before a slow reader begins. */
static enum err make_head(struct export *e, const struct ctx *c)
{
    ARENA_AUTO room = arena_make(FILE_MEMORY);
    struct ctx inner = *c;
    inner.arena = &room;
    inner.decisions = NULL;
    enum err status = put_head(e, &inner);
    if (status != OK)
        c->arena->why = room.why.code ? room.why : e->c.arena->why;
    return status;
}

/* ---- data.json and the tables, a page of one category at a time. ---- */

static enum err add_made(struct export *e, struct arena *room, struct buf *made, struct buf *out)
{
    text content;
    TRY(buf_lend(room, made, &content));
    return content.n ? pack_add(&e->pack, out, content) : OK;
}

static enum err next_data(struct export *e, struct arena *room, struct buf *out)
{
    BUF_AUTO made = buf_make(BUF_DEFAULT_LIMIT);
    if (!e->in_data)
        TRY(pack_open(&e->pack, out, TEXT("data.json"), true));
    e->in_data = true;
    TRY(person_steps_next(&e->c, &e->p, &e->steps, &made));
    TRY(add_made(e, room, &made, out));
    return e->steps.stage == STEP_OVER ? pack_close(&e->pack, out) : OK;
}

static enum err next_table(struct export *e, struct arena *room, struct buf *out)
{
    BUF_AUTO made = buf_make(BUF_DEFAULT_LIMIT);
    const struct category *cat = &e->c.policy->categories[e->table_of];
    bool over;
    if (!e->table->cat)
        person_table_begin(&e->c, (int)e->table_of, e->table);
    TRY(person_table_next(e->table, &e->p, &made, &over));
    if (e->table->begun && !e->in_table) {
        text name = arena_print(e->c.arena, "%.*s.csv", T(cat->name));
        TRY_PTR(name.p);
        TRY(pack_open(&e->pack, out, name, true));
        e->in_table = true;
    }
    TRY(add_made(e, room, &made, out));
    if (!over)
        return OK;
    if (e->in_table)
        TRY(pack_close(&e->pack, out));
    e->in_table = false;
    e->table->cat = NULL;
    e->table_of++;
    return OK;
}

/* ---- The files, a piece at a time. ---- */

/* A file erased since the export began is left out; the list at the end names only what is there. */
static enum err open_file(struct export *e, struct arena *a, struct arena *room, struct buf *out, text *first)
{
    const struct attachment *t = e->file;
    enum err status = attachment_piece(&e->c, &e->p, t, 0, room, first);
    if (status == ERR_ERASED) {
        e->file = t->next;
        e->number++;
        return status;
    }
    TRY(status);
    text name = person_file_name(a, e->number, t->name);
    TRY_PTR(name.p);
    return pack_open(&e->pack, out, name, text_starts(t->media_type, TEXT("text/")));
}

/* A file that cannot be read, or not to its end, stops no other: a note stands beside what there is of it. */
static enum err put_lost(struct export *e, struct arena *room, struct buf *out)
{
    text name = person_file_name(e->c.arena, e->number, e->file->name);
    text note = arena_print(e->c.arena, "%.*s.unreadable.txt", T(name));
    TRY_PTR(note.p);
    if (e->piece)
        TRY(pack_close(&e->pack, out));
    TRY(pack_open(&e->pack, out, note, true));
    TRY(pack_add(
        &e->pack, out,
        doc_in(&e->c, TEXT("We have this file, but could not read all of it. Contact us to get it.\n"),
               TEXT("Nous avons ce fichier, mais n'avons pas pu le lire en entier. Contactez-nous pour l'obtenir.\n"))));
    TRY(pack_close(&e->pack, out));
    e->file = e->file->next;
    e->number++;
    e->piece = 0;
    return OK;
}

static enum err next_piece(struct export *e, struct arena *room, struct buf *out)
{
    text clear;
    enum err status = e->piece ? attachment_piece(&e->c, &e->p, e->file, e->piece, room, &clear)
                               : open_file(e, e->c.arena, room, out, &clear);
    if (status == ERR_ERASED && !e->piece)
        return OK;
    if (record_unreadable(status))
        return put_lost(e, room, out);
    TRY(status);
    e->piece++;
    TRY(pack_add(&e->pack, out, clear));
    if (clear.n)
        return OK;
    TRY(pack_close(&e->pack, out));
    e->file = e->file->next;
    e->number++;
    e->piece = 0;
    return OK;
}

static bool is_made(const struct export *e)
{
    return e->steps.stage == STEP_OVER && e->table_of == e->c.policy->category_count && !e->file;
}

static enum err next_part(struct export *e, struct arena *room, struct buf *out)
{
    if (e->steps.stage != STEP_OVER)
        return next_data(e, room, out);
    if (e->table_of < e->c.policy->category_count)
        return next_table(e, room, out);
    return next_piece(e, room, out);
}

static enum err export_next(struct pieces *s, struct arena *a, struct buf *piece)
{
    struct export *e = (struct export *)s;
    size_t before = piece->n;
    if (e->given < e->head.n) {
        text head;
        TRY(buf_lend(a, &e->head, &head));
        text part = text_upto(text_from(head, e->given), PIECE);
        e->given += part.n;
        buf_add(piece, part);
        return OK;
    }
    buf_free(&e->head);
    e->given = 0;
    while (!is_made(e) && piece->n - before < PIECE / 2) {
        ARENA_AUTO room = arena_make(PIECE * 4);
        enum err status = next_part(e, &room, piece);
        if (status != OK) {
            a->why = room.why.code ? room.why : e->c.arena->why;
            return status;
        }
    }
    if (!is_made(e) || e->over)
        return OK;
    e->over = true;
    return pack_end(&e->pack, piece);
}

static void export_end(struct pieces *s)
{
    struct export *e = (struct export *)s;
    person_end(&e->p);
    pack_free(&e->pack);
    buf_free(&e->head);
    policy_unref(&e->c.policy);
}

/* ---- Begun: decided and on record before the first byte. ---- */

static enum err may_export(struct ctx *c, struct look *l)
{
    struct export *e = l->arg;
    struct attachment *files;
    TRY(look_by_right(c, l));
    e->p = l->p; /* with a key of its own: it goes on after the look */
    TRY(pieces_context(c, &e->c));
    e->c.policy = policy_ref(c->policy);
    e->c.actor = c->actor;
    e->c.outside = true;
    TRY(person_steps_begin(&e->c, 0, &e->steps));
    e->table = NEW(c->arena, struct person_table);
    TRY_PTR(e->table);
    TRY(attachment_list(c, &e->p, &files));
    e->file = files;
    return make_head(e, c);
}

static enum err give_export(struct ctx *c, struct look *l, struct answer *out)
{
    struct export *e = l->arg;
    text name = arena_print(c->arena, "export-%.*s.zip", T(date_print(c->arena, value_day(c, c->now))));
    *out = (struct answer){ .media_type = TEXT("application/zip"), .file_name = name, .pieces = &e->pieces };
    return name.p ? OK : ERR_MEMORY;
}

enum err access_export(struct ctx *c, text id, struct answer *out)
{
    struct export *e = NEW(c->arena, struct export);
    struct look l = { .act = TEXT("export"), .closed_too = true, .may = may_export, .give = give_export, .arg = e };
    TRY_PTR(e);
    *e = (struct export){ .pieces = { export_next, export_end, -1 }, .head = buf_make(BUF_DEFAULT_LIMIT), .number = 1 };
    pack_begin(&e->pack, c->arena, 0, c->now);
    enum err status = look_at_person(c, id, &l, out);
    if (status != OK)
        export_end(&e->pieces);
    return status;
}
