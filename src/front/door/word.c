/* Words of the pages: look-up, and how they are set. */
#include "front/door/word.h"

static const struct word rows[] = {
#define WORD(key, en, fr) { TEXT_INIT(key), TEXT_INIT(en), TEXT_INIT(fr) },
#include "front/door/words.def"
#undef WORD
};

const struct word *word_rows(size_t *count)
{
    *count = sizeof rows / sizeof *rows;
    return rows;
}

text word_find(text key, text language)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_eq(rows[i].key, key))
            return text_eq(language, TEXT("fr")) ? rows[i].fr : rows[i].en;
    return (text){ NULL, 0 };
}

bool word_family(text prefix)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].key.n > prefix.n && text_starts(rows[i].key, prefix))
            return true;
    return false;
}

/* A blank that stands before ; : ? ! or » or behind « does not break (Imprimerie nationale). */
static bool keeps(text s, size_t i)
{
    char next = i + 1 < s.n ? s.p[i + 1] : 0;
    bool before = next == ':' || next == ';' || next == '?' || next == '!' ||
                  text_starts(text_from(s, i + 1), TEXT("»"));
    return s.p[i] == ' ' && (before || text_ends(text_upto(s, i), TEXT("«")));
}

static void set(struct buf *b, text word, text language, void (*add)(struct buf *, text))
{
    bool french = text_eq(language, TEXT("fr"));
    size_t from = 0;
    for (size_t i = 0; i < word.n; i++) {
        bool apostrophe = word.p[i] == '\'', blank = french && keeps(word, i);
        if (!apostrophe && !blank)
            continue;
        add(b, (text){ word.p + from, i - from });
        buf_add(b, apostrophe ? TEXT("’") : TEXT("\u00a0"));
        from = i + 1;
    }
    add(b, text_from(word, from));
}

void word_put(struct buf *b, text word, text language) { set(b, word, language, buf_html); }
void word_set(struct buf *b, text word, text language) { set(b, word, language, buf_add); }
