/* Letters about accounts. */
#include "domain/letters.h"
#include "domain/doc.h"

enum err letter_make(struct ctx *c, const struct person *p, const struct account_letter *l, struct mail_put *out)
{
    struct ctx said = *c;                        /* titles in the language of the letter */
    struct pair_text values[4];
    struct letter_values all = { .v = values };
    if (l->language.n)
        said.language = l->language;
    values[all.count++] = (struct pair_text){ TEXT("at"), time_print(c->arena, c->now) };
    if (l->path.n)
        values[all.count++] = (struct pair_text){ TEXT("link"), mail_link(c, l->path) };
    if (l->source.n)
        values[all.count++] = (struct pair_text){ TEXT("source"), doc_source(&said, l->source) };
    if (l->until)
        values[all.count++] = (struct pair_text){ TEXT("until"), time_print(c->arena, l->until) };
    return l->language.n ? mail_make_in(c, p, l->language, l->to, l->name, &all, out) : mail_make(c, p, l->to, l->name, &all, out);
}
