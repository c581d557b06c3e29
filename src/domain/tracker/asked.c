/* What is asked about trackers, as the policy in force says it: purposes, words, and since when. */
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/tracker/asking.h"
#include "crypt/seal.h"
#include "publish/diff.h"
#include "publish/notice.h"

static const struct term six_months = { 6, TERM_MONTHS };

static const struct node *cookies_of(const struct policy *p)
{
    const struct node *all = node_get(p->root, TEXT("cookies"));
    return all && all->kind == NODE_MAP ? all : NULL;
}

static bool serves(const struct node *cookie, const struct purpose *of)
{
    return !cookie_exempt(cookie) && text_eq(node_text(cookie, TEXT("purpose")), of->name);
}

static text name_of(const struct node *cookie)
{
    text name = node_text(cookie, TEXT("name"));
    return name.n ? name : cookie->key;
}

static bool is_asked(const struct policy *p, const struct purpose *of)
{
    NODE_EACH(cookie, cookies_of(p))
        if (serves(cookie, of))
            return true;
    return false;
}

void tracker_asked(const struct ctx *c, struct tracker_asked *out)
{
    const struct policy *p = c->policy;
    *out = (struct tracker_asked){ .clause = policy_clause(p, TEXT("trackers")),
                                   .cookie = TEXT(""),
                                   .term = six_months };
    if (!out->clause)
        out->clause = &p->purposes_clause;
    for (unsigned i = 0; i < p->purpose_count && out->count < TRACKER_PURPOSES; i++)
        if (is_asked(p, &p->purposes[i]))
            out->purposes[out->count++] = &p->purposes[i];
    NODE_EACH(cookie, cookies_of(p))
        if (text_eq(node_text(cookie, TEXT("exempt")), TEXT("choice")))
            out->cookie = name_of(cookie);
    struct term term;
    if (term_parse(node_text(node_get(p->root, TEXT("trackers")), TEXT("choice")), &term))
        out->term = term;
}

/* "https://docs.site.example/x" and "docs.site.example" are one place. */
bool tracker_listed(const struct ctx *c, text authority)
{
    NODE_EACH(site, node_at(c->policy->root, TEXT("trackers.sites"))) {
        text s = site->value;
        ptrdiff_t scheme = text_find(s, TEXT("://"));
        s = scheme < 0 ? s : text_from(s, (size_t)scheme + 3);
        if (authority.n && text_eq_nocase(text_cut(&s, '/'), authority))
            return true;
    }
    return false;
}

/* ---- Since when. ---- */

static bool concerns(text renewed, const struct tracker_asked *asked)
{
    if (text_starts(renewed, DIFF_TRACKERS))
        renewed = text_from(renewed, DIFF_TRACKERS.n);
    for (unsigned i = 0; i < asked->count; i++)
        if (text_eq(asked->purposes[i]->name, renewed))
            return true;
    return false;
}

enum err asking_since(struct ctx *c, const struct tracker_asked *asked, msec *out)
{
    READ_AUTO db = NULL;
    *out = 0;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TRACKER_RENEWED, ARGS());
    while (query_next(&q)) {
        msec at = query_get(&q, TRACKER_RENEWED, at);
        if (at > *out && concerns(query_get(&q, TRACKER_RENEWED, purpose), asked))
            *out = at;
    }
    return q.status;
}

/* ---- What is shown. ---- */

static const struct {
    text name, en, fr;
} shown_words[] = {
    { TEXT_INIT("title"), TEXT_INIT("Your choice about cookies"), TEXT_INIT("Votre choix sur les cookies") },
    { TEXT_INIT("says"),
      TEXT_INIT(
          "We would like to use cookies and similar trackers for the purposes below. They are off until you "
          "accept, and you can refuse them all. You can change your mind at any time with the link on each page."),
      TEXT_INIT("Nous aimerions utiliser des cookies et traceurs similaires pour les finalités ci-dessous. Ils sont "
                "inactifs tant que vous n'acceptez pas, et vous pouvez tous les refuser. Vous pouvez changer d'avis à "
                "tout moment par le lien présent sur chaque page.") },
    { TEXT_INIT("device"),
      TEXT_INIT("Your choice is for this device. It goes to your account only if you ask for it there."),
      TEXT_INIT("Votre choix vaut pour cet appareil. Il ne passe à votre compte que si vous l'y demandez.") },
    { TEXT_INIT("random"),
      TEXT_INIT("If you accept, a random number is kept with your choice, to prove it. If you refuse, there is none."),
      TEXT_INIT(
          "Si vous acceptez, un nombre aléatoire accompagne votre choix, pour le prouver. Si vous refusez, il n'y "
          "en a pas.") },
    { TEXT_INIT("refuse"), TEXT_INIT("Refuse all"), TEXT_INIT("Tout refuser") },
    { TEXT_INIT("accept"), TEXT_INIT("Accept all"), TEXT_INIT("Tout accepter") },
    { TEXT_INIT("choose"), TEXT_INIT("Choose"), TEXT_INIT("Choisir") },
    { TEXT_INIT("save"), TEXT_INIT("Save my choice"), TEXT_INIT("Enregistrer mon choix") },
    { TEXT_INIT("close"), TEXT_INIT("Keep my choice"), TEXT_INIT("Garder mon choix") },
    { TEXT_INIT("link"), TEXT_INIT("My choice about cookies"), TEXT_INIT("Mon choix sur les cookies") },
    { TEXT_INIT("notice"), TEXT_INIT("All our trackers"), TEXT_INIT("Tous nos traceurs") },
    { TEXT_INIT("recipients"), TEXT_INIT("Who receives this data:"), TEXT_INIT("Qui reçoit ces données :") },
    { TEXT_INIT("failed"), TEXT_INIT("We could not record your choice, so nothing is on. Try again in a moment."),
      TEXT_INIT("Votre choix n'a pas pu être enregistré : rien n'est donc activé. Réessayez dans un instant.") },
};

static void put_words(struct ctx *c, struct json_out *w)
{
    json_name(w, TEXT("texts"));
    json_open(w, '{');
    for (size_t i = 0; i < sizeof shown_words / sizeof *shown_words; i++)
        json_pair(w, shown_words[i].name, doc_in(c, shown_words[i].en, shown_words[i].fr));
    json_pair(w, TEXT("controller"), ctx_controller(c).legal_name);
    json_close(w, '}');
}

/* A value of the policy in words. Terms and most of what stands here need no schema, which is then not made: a choice
 * that is proved makes all of it again. */
static enum err words_for(struct ctx *c, struct words *words, const struct node *n, text *out)
{
    struct term term;
    *out = (text){ NULL, 0 };
    if (!n)
        return OK;
    if (term_parse(n->value, &term)) {
        *out = words_term(words, term);
        return OK;
    }
    if (!words->schema)
        TRY(words_make(c->arena, c->policy->root, c->language, words));
    *out = words_of(words, n);
    return OK;
}

static enum err put_tracker(struct ctx *c, struct words *words, const struct node *cookie, struct json_out *w)
{
    text kind = node_text(cookie, TEXT("kind")), title = node_said(node_get(cookie, TEXT("title")), c->language);
    text provider = node_text(cookie, TEXT("provider")), lifetime, country;
    TRY(words_for(c, words, node_get(cookie, TEXT("lifetime")), &lifetime));
    TRY(words_for(c, words, node_get(cookie, TEXT("country")), &country));
    json_open(w, '{');
    json_pair(w, TEXT("name"), name_of(cookie));
    json_pair(w, TEXT("kind"), kind.n ? kind : TEXT("cookie"));
    json_pair(w, TEXT("title"), title.n ? title : name_of(cookie));
    json_pair(w, TEXT("lifetime"), lifetime);
    json_pair(w, TEXT("provider"),
              provider.n && country.n ? arena_print(c->arena, "%.*s (%.*s)", T(provider), T(country)) : provider);
    json_close(w, '}');
    return OK;
}

static void put_recipients(struct ctx *c, const struct purpose *of, struct json_out *w)
{
    unsigned index = (unsigned)(of - c->policy->purposes);
    json_name(w, TEXT("recipients"));
    json_open(w, '[');
    for (unsigned i = 0; i < c->policy->actor_count; i++)
        if (c->policy->actors[i].kind == ACTOR_RECIPIENT && bits_has(&c->policy->actors[i].purposes, index))
            json_put_text(w, doc_recipient(c, (int)i));
    json_close(w, ']');
}

static enum err put_purpose(struct ctx *c, struct words *words, const struct purpose *of, struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("purpose"), of->name);
    json_pair(w, TEXT("title"), doc_purpose(c, of));
    put_recipients(c, of, w);
    json_name(w, TEXT("trackers"));
    json_open(w, '[');
    NODE_EACH(cookie, cookies_of(c->policy))
        if (serves(cookie, of))
            TRY(put_tracker(c, words, cookie, w));
    json_close(w, ']');
    json_close(w, '}');
    return OK;
}

enum err asking_shown(struct ctx *c, const struct tracker_asked *asked, struct asking *out)
{
    struct words words = { .arena = c->arena, .root = c->policy->root, .fr = text_eq(c->language, TEXT("fr")) };
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    put_words(c, &w);
    json_name(&w, TEXT("purposes"));
    json_open(&w, '[');
    for (unsigned i = 0; i < asked->count; i++)
        TRY(put_purpose(c, &words, asked->purposes[i], &w));
    json_close(&w, ']');
    json_close(&w, '}');
    TRY(buf_take(c->arena, &b, &out->shown));
    digest_hex(out->shown, out->hash);
    return OK;
}

int64_t asking_life(const struct ctx *c, const struct tracker_asked *asked)
{
    return (term_end(c->now, asked->term, 1) - c->now) / SECOND;
}

enum err tracker_says(struct ctx *c, struct answer *out)
{
    struct tracker_asked asked;
    struct asking shown;
    msec since;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    tracker_asked(c, &asked);
    TRY(asking_since(c, &asked, &since));
    TRY(asking_shown(c, &asked, &shown));
    json_open(&w, '{');
    json_pair(&w, TEXT("version"), c->policy->version);
    json_pair(&w, TEXT("wording"), text_of(shown.hash));
    json_pair_int(&w, TEXT("asked"), since / SECOND);
    json_pair(&w, TEXT("language"), c->language);
    json_name(&w, TEXT("cookie"));
    json_open(&w, '{');
    json_pair(&w, TEXT("name"), asked.cookie);
    json_pair_int(&w, TEXT("max_age"), asking_life(c, &asked));
    json_close(&w, '}');
    json_name(&w, TEXT("shown"));
    json_put_raw(&w, shown.shown);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- The value that the browser keeps: "1795341600.audience~taste.RANDOM"; of a refusal "1795341600.". ---- */

text asking_value(struct ctx *c, msec since, text given, text device)
{
    return device.n ? arena_print(c->arena, "%lld.%.*s.%.*s", (long long)(since / SECOND), T(given), T(device))
                    : arena_print(c->arena, "%lld.%.*s", (long long)(since / SECOND), T(given));
}

static enum err read_value(struct ctx *c, text cookie, bool *good, text *given)
{
    struct tracker_asked asked;
    int64_t at;
    msec since;
    text rest = cookie;
    tracker_asked(c, &asked);
    TRY(asking_since(c, &asked, &since));
    *good = cookie.n && text_int(text_cut(&rest, '.'), &at) && rest.p && at >= since / SECOND;
    *given = text_cut(&rest, '.');
    return OK;
}

enum err tracker_chosen(struct ctx *c, text cookie, bool *out)
{
    text given;
    return read_value(c, cookie, out, &given);
}

enum err tracker_given(struct ctx *c, text cookie, text purpose, bool *out)
{
    text given;
    bool good;
    *out = false;
    TRY(read_value(c, cookie, &good, &given));
    while (good && given.n)
        *out |= text_eq(text_cut(&given, '~'), purpose);
    return OK;
}
