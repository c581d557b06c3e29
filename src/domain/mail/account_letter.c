/* Letters about accounts. */
#include "domain/mail/account_letter.h"
#include "domain/core/named.h"

static text titles_of(struct ctx *c, text names)
{
    BUF_AUTO b = buf_make(8192);
    while (names.n) {
        text field = text_cut(&names, ' '), category = text_cut(&field, '.');
        int index = policy_category(c->policy, category);
        buf_add(&b, b.n ? TEXT(", ") : TEXT(""));
        buf_add(&b, index < 0 ? field : doc_field(c, &c->policy->categories[index], field));
    }
    return buf_made(c->arena, &b);
}

enum err letter_make(struct ctx *c, const struct person *p, const struct account_letter *l, struct mail_put *out)
{
    struct ctx said = *c; /* titles in the language of the letter */
    struct pair_text values[5];
    struct letter_values all = { .v = values };
    if (l->language.n)
        said.language = l->language;
    else
        TRY(mail_language(c, p, &said.language));
    values[all.count++] = (struct pair_text){ TEXT("at"), time_print(c->arena, c->now) };
    if (l->path.n)
        values[all.count++] = (struct pair_text){ TEXT("link"), mail_link(c, l->path) };
    if (l->source.n)
        values[all.count++] = (struct pair_text){ TEXT("source"), doc_source(&said, l->source) };
    if (l->fields.n)
        values[all.count++] = (struct pair_text){ TEXT("what"), titles_of(&said, l->fields) };
    if (l->until)
        values[all.count++] = (struct pair_text){ TEXT("until"), time_print(c->arena, l->until) };
    return l->language.n ? mail_make_in(c, p, l->language, l->to, l->name, &all, out)
                         : mail_make(c, p, l->to, l->name, &all, out);
}
