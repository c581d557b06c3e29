/* The guard against payment card numbers behind escapes, mark-up and encodings, and spread over the members of one JSON
 * text. */
#include "card.h"
#include "buf.h"
#include "veil.h"
#include <string.h>

enum { ROUNDS = 3, DEPTH = 2, SHORTEST = 13, ROOM = 1 << 20, ROOM_TIMES = 40 };

static enum err look(struct arena *room, text s, unsigned depth, bool *found);

static enum err look_behind(struct arena *room, enum veil veil, text s, bool *found, text *lifted)
{
    TRY(veil_lift(room, veil, s, lifted));
    *found = lifted->p && card_find(*lifted, NULL);
    return OK;
}

static enum err look_decoded(struct arena *room, text decoded, unsigned depth, bool *found)
{
    TRY_PTR(decoded.p);
    *found = card_find(decoded, NULL);
    return *found || decoded.n < SHORTEST || !text_utf8(decoded) ? OK : look(room, decoded, depth + 1, found);
}

/* What digits make of base64 has letters; a long number has none. */
static bool lettered(text stretch)
{
    size_t letters = 0;
    for (size_t i = 0; i < stretch.n; i++)
        letters += (stretch.p[i] >= 'A' && stretch.p[i] <= 'Z') || (stretch.p[i] >= 'a' && stretch.p[i] <= 'z');
    return letters * 4 >= stretch.n;
}

/* Where a stretch begins is not known when letters stand before it: each of its characters' places is tried. */
static enum err look_encoded(struct arena *room, text s, unsigned depth, bool *found)
{
    text stretch;
    for (size_t i = 0; !*found && veil_base64(room, s, &i, &stretch);)
        for (size_t skip = 0; !*found && skip < 4 && lettered(stretch); skip++)
            TRY(look_decoded(room, veil_decode64(room, stretch, skip), depth, found));
    for (size_t i = 0; !*found && veil_hex(s, &i, &stretch);)
        for (size_t skip = 0; !*found && skip < 2; skip++)
            TRY(look_decoded(room, veil_decode_hex(room, stretch, skip), depth, found));
    return arena_whole(room);
}

static enum err look(struct arena *room, text s, unsigned depth, bool *found)
{
    static const enum veil others[] = { VEIL_TAGS,     VEIL_ELEMENTS, VEIL_FOLDED, VEIL_LIKE,
                                        VEIL_EXPONENT, VEIL_CODES,    VEIL_UNSEEN, VEIL_TURNED };
    text clear = s, lifted;
    if ((*found = card_find(s, NULL)))
        return OK;
    for (unsigned round = 0; round < ROUNDS && !*found; round++) {
        TRY(look_behind(room, VEIL_ESCAPES, clear, found, &lifted));
        if (!lifted.p)
            break;
        clear = lifted;
    }
    if (*found)
        return OK;
    TRY(look_behind(room, VEIL_QUOTED, clear, found, &lifted));
    for (unsigned pass = 0; pass < (lifted.p ? 2 : 1); pass++)
        for (size_t k = 0; k < sizeof others / sizeof *others && !*found; k++) {
            text other;
            TRY(look_behind(room, others[k], pass ? lifted : clear, found, &other));
        }
    return *found || depth == DEPTH ? OK : look_encoded(room, clear, depth, found);
}

enum err card_look(struct arena *a, text s, bool *found)
{
    *found = false;
    if (s.n < SHORTEST)
        return OK;
    ARENA_AUTO room = arena_make(ROOM + ROOM_TIMES * s.n);
    enum err e = look(&room, s, 0, found);
    return e == OK || *found ? OK : say(a, e, "the text needs too much memory to be looked through");
}

/* ---- JSON. ---- */

/* What stands in the members, one behind the other: a sign that nothing else writes stands between. */
static void gather(struct buf *b, const struct json *v, bool (*left)(text name), bool names, bool values)
{
    if (left && v->key.p && left(v->key))
        return;
    if (names && v->key.p) {
        buf_add(b, v->key);
        buf_char(b, CARD_BETWEEN);
    }
    if (values && (v->kind == J_TEXT || v->kind == J_NUMBER)) {
        buf_add(b, v->value);
        buf_char(b, CARD_BETWEEN);
    }
    JSON_EACH(child, v)
        gather(b, child, left, names, values);
}

enum err card_look_json(struct arena *a, const struct json *v, bool (*left)(text name), bool *found)
{
    *found = false;
    for (unsigned k = 1; k < 4 && !*found; k++) {
        BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
        text all;
        gather(&b, v, left, k & 2, k & 1);
        TRY(buf_lend(a, &b, &all));
        TRY(card_look(a, all, found));
    }
    return OK;
}

/* ---- Masks. ---- */

text card_mask(struct arena *a, text s)
{
    bool hidden = false;
    text shown = card_hide(a, s);
    if (!shown.p || card_look(a, shown, &hidden) != OK)
        return (text){ NULL, 0 };
    return hidden ? TEXT("(a payment card number)") : shown;
}
