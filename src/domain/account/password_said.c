/* What a password has to be, and what one lacks, in sentences for people. */
#include "domain/core/named.h"
#include "domain/account/password.h"

static const struct {
    enum password_class class;
    text word, en, fr;
} classes[] = {
    { CLASS_UPPER, TEXT_INIT("upper"), TEXT_INIT("an uppercase letter"), TEXT_INIT("une majuscule") },
    { CLASS_LOWER, TEXT_INIT("lower"), TEXT_INIT("a lowercase letter"), TEXT_INIT("une minuscule") },
    { CLASS_DIGIT, TEXT_INIT("digit"), TEXT_INIT("a digit"), TEXT_INIT("un chiffre") },
    { CLASS_SPECIAL, TEXT_INIT("special"), TEXT_INIT("a special character (like ! or -)"),
      TEXT_INIT("un caractère spécial (comme ! ou -)") },
};
enum { CLASSES = sizeof classes / sizeof *classes };

/* ", with a, b and c" of those that must occur. */
static void put_classes(const struct ctx *c, struct buf *b, unsigned set)
{
    unsigned all = 0, n = 0;
    for (size_t i = 0; i < CLASSES; i++)
        all += set >> classes[i].class & 1;
    for (size_t i = 0; i < CLASSES; i++) {
        if (!(set >> classes[i].class & 1))
            continue;
        buf_add(b, !n            ? doc_in(c, TEXT(", with "), TEXT(", avec "))
                   : n + 1 < all ? TEXT(", ")
                                 : doc_in(c, TEXT(" and "), TEXT(" et ")));
        n++;
        buf_add(b, doc_in(c, classes[i].en, classes[i].fr));
    }
}

text password_asked(struct ctx *c)
{
    struct password_rule rule = password_rule_of(c->policy);
    BUF_AUTO b = buf_make(4096);
    bool fr = text_eq(c->language, TEXT("fr"));
    buf_print(&b, fr ? "%lld caractères au moins" : "At least %lld characters", (long long)rule.length);
    put_classes(c, &b, rule.classes);
    buf_add(&b, TEXT("."));
    if (rule.words)
        buf_print(&b,
                  fr ? " Ou une phrase de %lld mots au moins."
                     : " Or a phrase of at least %lld words.",
                  (long long)rule.words);
    if (rule.blocklist)
        buf_add(&b, doc_in(c, TEXT(" Do not use a common password, your name or your address."),
                           TEXT(" N'utilisez ni un mot de passe courant, ni votre nom, ni votre adresse.")));
    return buf_made(c->arena, &b);
}

static text lack_said(const struct ctx *c, text word)
{
    static const struct {
        text word, en, fr;
    } others[] = {
        { TEXT_INIT("common"), TEXT_INIT("it is too common or too simple"),
          TEXT_INIT("il est trop courant ou trop simple") },
        { TEXT_INIT("own"), TEXT_INIT("it contains your name or address"),
          TEXT_INIT("il contient votre nom ou votre adresse") },
        { TEXT_INIT("long"), TEXT_INIT("it has more than 1,024 characters"), TEXT_INIT("il dépasse 1 024 caractères") },
        { TEXT_INIT("form"), TEXT_INIT("it contains characters that cannot be typed"),
          TEXT_INIT("il contient des caractères qui ne se saisissent pas") },
    };
    if (text_eq(word, TEXT("length")))
        return arena_print(c->arena,
                           text_eq(c->language, TEXT("fr")) ? "il faut au moins %lld caractères"
                                                            : "it needs at least %lld characters",
                           (long long)password_rule_of(c->policy).length);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (text_eq(others[i].word, word))
            return doc_in(c, others[i].en, others[i].fr);
    for (size_t i = 0; i < CLASSES; i++)
        if (text_eq(classes[i].word, word))
            return arena_print(c->arena, text_eq(c->language, TEXT("fr")) ? "il manque %.*s" : "it needs %.*s",
                               T(doc_in(c, classes[i].en, classes[i].fr)));
    return word;
}

text password_lacking(struct ctx *c, text missing)
{
    BUF_AUTO b = buf_make(4096);
    buf_add(&b, doc_in(c, TEXT("Change this password: "), TEXT("Changez ce mot de passe : ")));
    for (bool first = true; missing.p; first = false) {
        if (!first)
            buf_add(&b, TEXT("; "));
        buf_add(&b, lack_said(c, text_trim(text_cut(&missing, ','))));
    }
    buf_add(&b, TEXT("."));
    return buf_made(c->arena, &b);
}
