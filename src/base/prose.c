/* Prose well set: apostrophes, the blanks of French, and plurals. */
#include "base/prose.h"

#define THIN TEXT("\u202F")
#define HARD TEXT("\u00A0")

/* The blank that stands at `i` of French prose: {NULL, 0} for a plain one. */
static text blank_at(text s, size_t i)
{
    char next = i + 1 < s.n ? s.p[i + 1] : 0;
    bool before = next == ':' || next == ';' || next == '?' || next == '!';
    if (before || text_starts(text_from(s, i + 1), TEXT("»")) || text_ends(text_upto(s, i), TEXT("«")))
        return THIN;
    text so_far = text_upto(s, i);
    return text_ends(so_far, TEXT("n°")) || text_ends(so_far, TEXT("N°")) ? HARD : (text){ NULL, 0 };
}

void prose_set(struct buf *b, text s, bool french)
{
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool control = (unsigned char)c < 0x20 && c != '\n';
        text in_place = c == '\'' ? TEXT("’") : french && c == ' ' ? blank_at(s, i) : (text){ NULL, 0 };
        if (!in_place.n && !control)
            continue;
        buf_add(b, (text){ s.p + from, i - from });
        buf_add(b, in_place);
        from = i + 1;
    }
    buf_add(b, text_from(s, from));
}

text prose_form(text forms, int64_t n, bool french)
{
    text one = text_cut(&forms, '|');
    bool single = n == 1 || n == -1 || (french && n == 0);
    return single || !forms.p ? one : forms;
}
