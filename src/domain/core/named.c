/* Words for people: languages, times, terms, names. */
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "policy/schema.h"
#include "publish/notice.h"

text doc_in(const struct ctx *c, text en, text fr) { return text_eq(c->language, TEXT("fr")) ? fr : en; }

/* "(UTC+1)", "(UTC-3:30)", "UTC". */
static const char *zone_of(const struct ctx *c, int offset)
{
    int minutes = offset < 0 ? -offset : offset;
    text said = !offset ? TEXT("UTC")
                : minutes % 60
                    ? arena_print(c->arena, "(UTC%c%d:%02d)", offset < 0 ? '-' : '+', minutes / 60, minutes % 60)
                    : arena_print(c->arena, "(UTC%c%d)", offset < 0 ? '-' : '+', minutes / 60);
    return said.p ? said.p : "";
}

text doc_time(struct ctx *c, text time)
{
    static const char *const en[] = { "January", "February", "March",     "April",   "May",      "June",
                                      "July",    "August",   "September", "October", "November", "December" };
    static const char *const fr[] = { "janvier", "février", "mars",      "avril",   "mai",      "juin",
                                      "juillet", "août",    "septembre", "octobre", "novembre", "décembre" };
    msec t;
    if (!time_parse(time, &t))
        return time;
    /* A whole day is told as one: of the controller's zone, as a grant ends, or of UTC, as terms do. A moment is told
     * as clocks show it there. */
    struct date d = value_day(c, t);
    bool utc = date_start(date_of(t)) == t, whole = utc || value_day_start(c, d) == t;
    if (utc)
        d = date_of(t);
    int offset = value_offset(c, t), minutes = whole ? 0 : (int)((t + offset * (msec)MINUTE - date_start(d)) / MINUTE);
    bool french = text_eq(c->language, TEXT("fr"));
    const char *first = french && d.day == 1 ? "er" : "";
    const char *month = french ? fr[d.month - 1] : en[d.month - 1];
    if (whole)
        return arena_print(c->arena, "%d%s %s %d", d.day, first, month, d.year);
    return arena_print(c->arena, french ? "%d%s %s %d à %02d:%02d %s" : "%d%s %s %d, %02d:%02d %s", d.day, first, month,
                       d.year, minutes / 60, minutes % 60, zone_of(c, offset));
}

/* Of its first day, what stands behind the number. */
text doc_month(struct ctx *c, text month)
{
    text day = doc_time(c, arena_print(c->arena, "%.*s-01", T(month)));
    ptrdiff_t blank = text_index(day, ' ');
    return blank < 0 ? month : text_from(day, (size_t)blank + 1);
}

text doc_day(struct ctx *c, text time)
{
    msec t;
    if (!time_parse(time, &t) || date_start(date_of(t)) == t)
        return doc_time(c, time);
    return doc_time(c, time_print(c->arena, value_day_start(c, value_day(c, t))));
}

/* ---- Names. ---- */

text doc_category(const struct ctx *c, const struct category *cat)
{
    text title = doc_in(c, cat->title_en, cat->title_fr);
    return title.n ? title : cat->name;
}

text doc_interest(const struct ctx *c, const struct purpose *p)
{
    text said = doc_in(c, p->interest_en, p->interest_fr);
    if (text_ends(said, TEXT(".")))
        said.n--;
    return said.n ? said : (text){ NULL, 0 };
}

text doc_purpose(const struct ctx *c, const struct purpose *p)
{
    text title = doc_in(c, p->title_en, p->title_fr);
    return title.n ? title : p->name;
}

/* A text of the policy: one for all languages, or {fr, en}. */
static text said(const struct ctx *c, const struct node *n)
{
    if (!n || n->kind == NODE_LIST)
        return (text){ NULL, 0 };
    return n->kind == NODE_SCALAR ? n->value : node_text(n, c->language);
}

text doc_field(const struct ctx *c, const struct category *cat, text field)
{
    const struct node *fields = node_get(node_get(node_at(c->policy->root, TEXT("categories")), cat->name),
                                         TEXT("fields"));
    text title = said(c, node_get(node_get(fields, field), TEXT("title")));
    return title.n ? title : field;
}

text doc_source(const struct ctx *c, text source)
{
    if (text_eq(source, TEXT("person")))
        return doc_in(c, TEXT("you"), TEXT("vous"));
    text title = said(c, node_get(node_get(node_at(c->policy->root, TEXT("sources")), source), TEXT("title")));
    if (title.n)
        return title;
    int actor = policy_actor(c->policy, source); /* nobody said from whom: who brought it */
    const struct actor_class *class = actor >= 0 ? &c->policy->actors[actor] : NULL;
    title = class ? doc_in(c, class->title_en, class->title_fr) : title;
    return title.n ? title : source;
}

text doc_public(const struct ctx *c, bool agreed)
{
    return agreed ? doc_in(c, TEXT("Public, because you agreed. Anyone can copy what is public."),
                           TEXT("Public, car vous avez accepté. Tout le monde peut copier ce qui est public."))
                  : doc_in(c, TEXT("Not public: you have not agreed."), TEXT("Non public : vous n'avez pas accepté."));
}

text doc_act(const struct ctx *c, text act)
{
    static const struct {
        text name, en, fr;
    } acts[] = {
#define EVENT(name, en, fr) { TEXT_INIT(name), TEXT_INIT(en), TEXT_INIT(fr) },
#include "store/events.def"
#undef EVENT
    };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (text_eq(acts[i].name, act))
            return doc_in(c, acts[i].en, acts[i].fr);
    return act;
}

bool doc_looked(text act)
{
    static const text looks[] = {
#define EVENT(name, en, fr)
#define LOOK(name, en, fr) TEXT_INIT(name),
#include "store/events.def"
#undef LOOK
#undef EVENT
    };
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (text_eq(looks[i], act))
            return true;
    return false;
}

text doc_choice(const struct ctx *c, const struct field *f, text value)
{
    static const struct {
        text value, en, fr;
    } known[] = {
#define CHOICE(value, en, fr) { TEXT_INIT(value), TEXT_INIT(en), TEXT_INIT(fr) },
#include "domain/core/choices.def"
#undef CHOICE
    };
    for (unsigned i = 0; f && i < f->choice_count; i++)
        if (text_eq(f->choices[i], value) && f->choice_en[i].p)
            return doc_in(c, f->choice_en[i], f->choice_fr[i]);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_eq(known[i].value, value))
            return doc_in(c, known[i].en, known[i].fr);
    return value;
}

text doc_country(const struct ctx *c, text code)
{
    const struct country *country = country_of(code);
    return country ? doc_in(c, country->en, country->fr) : code;
}

text doc_safeguard(const struct ctx *c, text word)
{
    struct words w;
    bool made = word.n && words_make(c->arena, c->policy->root, c->language, &w) == OK;
    return made ? words_label(&w, "recipients.*.safeguard", word) : word;
}

text doc_actor(const struct ctx *c, text name)
{
    int index = policy_actor(c->policy, name);
    if (text_eq(name, TEXT("person")))
        return doc_in(c, TEXT("you"), TEXT("vous"));
    if (text_eq(name, TEXT("garant")))
        return doc_in(c, TEXT("the server"), TEXT("le serveur"));
    const struct actor_class *a = index < 0 ? NULL : &c->policy->actors[index];
    text title = a ? doc_in(c, a->title_en, a->title_fr) : TEXT("");
    return title.n ? title : name;
}

static text list_words(struct ctx *c, const struct field *f, const struct json *list)
{
    BUF_AUTO b = buf_make(1 << 20);
    JSON_EACH(item, list)
        buf_print(&b, "%s%.*s", item == list->first ? "" : ", ", T(doc_value(c, f, item)));
    return buf_made(c->arena, &b);
}

static text text_words(struct ctx *c, const struct field *f, text value)
{
    switch (f->type) {
    case FIELD_CHOICE:
        return doc_choice(c, f, value);
    case FIELD_DATE:
    case FIELD_TIME:
        return doc_time(c, value);
    case FIELD_COUNTRY:
        return doc_country(c, value);
    case FIELD_TEXT: /* who gave access to a folder, as domain/folder writes it */
        return text_eq(f->name, TEXT("granted_by")) && policy_actor(c->policy, value) >= 0 ? doc_actor(c, value)
                                                                                           : value;
    case FIELD_EMAIL:
    case FIELD_PHONE:
    case FIELD_INTEGER:
    case FIELD_NUMBER:
    case FIELD_BOOLEAN:
    case FIELD_COLOUR:
    case FIELD_URL:
    case FIELD_IP:
    case FIELD_IBAN:
    case FIELD_CARD:
    case FIELD_JSON:
        break;
    }
    return value;
}

text doc_value(struct ctx *c, const struct field *f, const struct json *value)
{
    if (!value || value->kind == J_NULL)
        return TEXT("");
    if (value->kind == J_BOOL)
        return value->truth ? doc_in(c, TEXT("yes"), TEXT("oui")) : doc_in(c, TEXT("no"), TEXT("non"));
    if (value->kind == J_TEXT)
        return f ? text_words(c, f, value->value) : value->value;
    if (value->kind == J_NUMBER)
        return value->value;
    if (value->kind == J_ARRAY)
        return list_words(c, f, value);
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_put(&w, value);
    return buf_made(c->arena, &b);
}

text doc_basis(const struct ctx *c, text basis)
{
    static const struct {
        enum basis basis;
        text en, fr;
    } words[] = {
        { BASIS_CONSENT, TEXT_INIT("your consent"), TEXT_INIT("votre consentement") },
        { BASIS_CONTRACT, TEXT_INIT("a contract with you"), TEXT_INIT("un contrat avec vous") },
        { BASIS_LEGAL, TEXT_INIT("a legal obligation"), TEXT_INIT("une obligation légale") },
        { BASIS_VITAL, TEXT_INIT("vital interests"), TEXT_INIT("la protection d'intérêts vitaux") },
        { BASIS_PUBLIC, TEXT_INIT("a public task"), TEXT_INIT("une mission d'intérêt public") },
        { BASIS_INTEREST, TEXT_INIT("a legitimate interest"), TEXT_INIT("un intérêt légitime") },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_eq(basis_word(words[i].basis), basis))
            return doc_in(c, words[i].en, words[i].fr);
    return basis;
}

/* ---- Terms. ---- */

static text term_words(struct ctx *c, struct term t)
{
    static const struct {
        const char *en, *ens, *fr, *frs;
    } units[] = {
        [TERM_MINUTES] = { "minute", "minutes", "minute", "minutes" },
        [TERM_HOURS] = { "hour", "hours", "heure", "heures" },
        [TERM_DAYS] = { "day", "days", "jour", "jours" },
        [TERM_MONTHS] = { "month", "months", "mois", "mois" },
        [TERM_YEARS] = { "year", "years", "an", "ans" },
    };
    if (t.unit == TERM_ALWAYS || t.unit == TERM_UNSET)
        return doc_in(c, TEXT("no time limit"), TEXT("sans durée fixée"));
    bool french = text_eq(c->language, TEXT("fr")), one = t.count == 1;
    const char *unit = french ? one ? units[t.unit].fr : units[t.unit].frs : one ? units[t.unit].en : units[t.unit].ens;
    return arena_print(c->arena, "%d %s", t.count, unit);
}

static text from_words(const struct ctx *c, enum retention_from from)
{
    static const struct {
        text en, fr;
    } words[] = {
        [FROM_COLLECTION] = { TEXT_INIT("the day we collect it"), TEXT_INIT("de la collecte") },
        [FROM_EVENT] = { TEXT_INIT("the event"), TEXT_INIT("de l'événement") },
        [FROM_LAST_USE] = { TEXT_INIT("your last use"), TEXT_INIT("de votre dernière utilisation") },
        [FROM_CONTRACT_END] = { TEXT_INIT("the end of the contract"), TEXT_INIT("de la fin du contrat") },
        [FROM_CLOSURE] = { TEXT_INIT("the day the account closes"), TEXT_INIT("de la fermeture du compte") },
        [FROM_YEAR_END] = { TEXT_INIT("the end of the year"), TEXT_INIT("de la fin de l'année") },
        [FROM_WITHDRAWAL] = { TEXT_INIT("the withdrawal of your consent"),
                              TEXT_INIT("du retrait de votre consentement") },
        [FROM_LAST_CONTACT] = { TEXT_INIT("your last contact"), TEXT_INIT("de votre dernier contact") },
    };
    return doc_in(c, words[from].en, words[from].fr);
}

text doc_ground(const struct ctx *c, const struct retention *r) { return doc_in(c, r->ground, r->ground_fr); }

text doc_ground_said(const struct ctx *c, text said)
{
    for (unsigned i = 0; i < c->policy->retention_count; i++) {
        const struct retention *r = &c->policy->retentions[i];
        if (text_eq(said, r->ground) || text_eq(said, r->ground_fr))
            return doc_ground(c, r);
    }
    NODE_EACH(kind, node_at(c->policy->root, TEXT("holds"))) {
        const struct node *ground = node_get(kind, TEXT("ground"));
        text en = node_said(ground, TEXT("en")), fr = node_said(ground, TEXT("fr"));
        if (en.n && fr.n && (text_eq(said, en) || text_eq(said, fr)))
            return doc_in(c, en, fr);
    }
    return said;
}

text doc_kept(const struct ctx *c, text category, text told)
{
    int index = policy_category(c->policy, category);
    if (index >= 0)
        return doc_category(c, &c->policy->categories[index]);
    return text_eq(category, TEXT("consents"))
               ? doc_in(c, TEXT("Proof of consents and refusals"), TEXT("Preuve des consentements et des refus"))
               : told;
}

text doc_retention(struct ctx *c, const struct retention *r)
{
    text active = term_words(c, r->active), archive = term_words(c, r->archive), from = from_words(c, r->from);
    bool french = text_eq(c->language, TEXT("fr"));
    if (r->archive.unit == TERM_UNSET)
        return arena_print(c->arena, french ? "%.*s à compter %.*s" : "%.*s from %.*s", T(active), T(from));
    return arena_print(c->arena,
                       french ? "%.*s en base active, puis %.*s en archive, à compter %.*s"
                              : "%.*s in use, then %.*s in the archive, from %.*s",
                       T(active), T(archive), T(from));
}

text doc_form_term(struct ctx *c, struct term t, msec last)
{
    text term = term_words(c, t), day = last ? doc_time(c, time_print(c->arena, last)) : TEXT("");
    if (last)
        return arena_print(
            c->arena, "%.*s %.*s %.*s", T(term),
            T(doc_in(c, TEXT("from the last day of the form,"), TEXT("à compter du dernier jour du formulaire, le"))),
            T(day));
    return arena_print(c->arena, "%.*s %.*s", T(term),
                       T(doc_in(c, TEXT("from the day you send it"), TEXT("à compter de votre envoi"))));
}

/* ---- Recipients. ---- */

text doc_recipient(const struct ctx *c, int actor)
{
    if (actor < 0)
        return (text){ NULL, 0 };
    const struct actor_class *class_of = &c->policy->actors[actor];
    text legal = node_text(node_get(node_at(c->policy->root, TEXT("recipients")), class_of->name), TEXT("name"));
    text title = doc_in(c, class_of->title_en, class_of->title_fr);
    return legal.n ? legal : title.n ? title : class_of->name;
}

static text channel_words(const struct ctx *c, text channel)
{
    static const struct {
        text name, en, fr;
    } rows[] = {
        { TEXT_INIT("email"), TEXT_INIT("by email"), TEXT_INIT("par courriel") },
        { TEXT_INIT("sms"), TEXT_INIT("by text message"), TEXT_INIT("par SMS") },
        { TEXT_INIT("post"), TEXT_INIT("by post"), TEXT_INIT("par courrier postal") },
        { TEXT_INIT("phone"), TEXT_INIT("by telephone"), TEXT_INIT("par téléphone") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_eq(rows[i].name, channel))
            return doc_in(c, rows[i].en, rows[i].fr);
    return channel;
}

text doc_consent(const struct ctx *c, text title, text channel)
{
    text agree = doc_in(c, TEXT("I agree: "), TEXT("J'accepte : "));
    return channel.n ? arena_print(c->arena, "%.*s%.*s, %.*s", T(agree), T(title), T(channel_words(c, channel)))
                     : arena_print(c->arena, "%.*s%.*s", T(agree), T(title));
}
