/* Facts of the promise board, as probes find them. */
#include "domain/board/facts.h"
#include "domain/board/board_inside.h"

/* ---- Facts. ---- */

void fact_looked(struct facts *f, enum probe p, int64_t count) { f->of[p].figure += count; }
void fact_bad(struct facts *f, enum probe p, int64_t count) { f->of[p].bad += count; }
void fact_soon(struct facts *f, enum probe p, int64_t count) { f->of[p].soon += count; }

static struct tally *tally_of(struct facts *f, enum probe p, text path)
{
    for (unsigned i = 0; i < f->tally_count; i++)
        if (f->tallies[i].probe == p && text_eq(text_of(f->tallies[i].path), path))
            return &f->tallies[i];
    return NULL;
}

void fact_clause(struct facts *f, enum probe p, text path, int64_t figure, int64_t bad)
{
    struct tally *t = tally_of(f, p, path);
    if (!t) {
        if (f->tally_count == f->tally_room) {
            unsigned room = f->tally_room ? 2 * f->tally_room : 32;
            struct tally *grown = realloc(f->tallies, room * sizeof *grown);
            if (!grown)
                return; /* the probe's own numbers stand; only the clause does not know its part */
            f->tallies = grown;
            f->tally_room = room;
        }
        t = &f->tallies[f->tally_count];
        *t = (struct tally){ .probe = p };
        if (!text_cstr(path, t->path, sizeof t->path))
            return;
        f->tally_count++;
    }
    t->figure += figure;
    t->bad += bad;
}

void facts_clear(struct facts *f)
{
    memset(f->of, 0, sizeof f->of);
    f->tally_count = 0;
    f->unread_count = 0;
}

void facts_copy(struct facts *to, const struct facts *from)
{
    facts_clear(to);
    memcpy(to->of, from->of, sizeof to->of);
    for (unsigned i = 0; i < from->tally_count; i++)
        fact_clause(to, from->tallies[i].probe, text_of(from->tallies[i].path), from->tallies[i].figure,
                    from->tallies[i].bad);
    if (from->unread_count > to->unread_room) {
        struct unread *grown = realloc(to->unread, from->unread_count * sizeof *grown);
        if (!grown)
            return; /* their number stands */
        to->unread = grown;
        to->unread_room = from->unread_count;
    }
    if (from->unread_count)
        memcpy(to->unread, from->unread, from->unread_count * sizeof *to->unread);
    to->unread_count = from->unread_count;
}
