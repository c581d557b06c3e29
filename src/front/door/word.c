/* Words of the pages: look-up, and how they are set. */
#include "front/door/word.h"
#include "base/prose.h"

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

static bool is_french(text language) { return text_eq(language, TEXT("fr")); }

void word_set(struct buf *b, text word, text language) { prose_set(b, word, is_french(language)); }

void word_put(struct buf *b, text word, text language)
{
    BUF_AUTO set = buf_make(1 << 14);
    word_set(&set, word, language);
    buf_html(b, buf_for(b, &set));
}

text word_form(text word, int64_t n, text language) { return prose_form(word, n, is_french(language)); }
