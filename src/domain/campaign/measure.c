/* What is measured of letters: of a person who agrees to it now, a record of the policy's category; of anybody, a total
 * that leads to nobody. */
#include "domain/campaign/inside.h"
#include "domain/core/actor.h"
#include "domain/core/budget.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/person/append.h"
#include "domain/person/change.h"
#include "domain/person/person.h"

enum { ROUNDS = 3 };

const struct purpose *campaign_measuring(const struct ctx *c, int *category)
{
    *category = policy_stream(c->policy, TEXT("mail"));
    for (unsigned i = 0; *category >= 0 && i < c->policy->purpose_count; i++) {
        const struct purpose *p = &c->policy->purposes[i];
        const struct node *own = node_get(node_get(c->policy->root, TEXT("purposes")), p->name);
        bool measures = text_eq(node_text(own, TEXT("pixel")), TEXT("true")) ||
                        text_eq(node_text(own, TEXT("measured")), TEXT("true"));
        if (measures && p->basis == BASIS_CONSENT && bits_has(&p->categories, (unsigned)*category))
            return p;
    }
    return NULL;
}

bool campaign_measurable(const struct ctx *c)
{
    int category;
    return campaign_measuring(c, &category) != NULL;
}

/* Given, refused, never asked: the first alone counts (CNIL 2026-042). */
enum err campaign_measures(struct ctx *c, const struct person *p, bool *measured)
{
    int category;
    *measured = false;
    return campaign_measuring(c, &category) ? person_would_observe(c, p, (unsigned)category, measured) : OK;
}

/* ---- One opening, or one link followed, of one person. ---- */

struct seen {
    struct ctx *c;
    const struct campaign *m;
    bool opened;
    int64_t number;
    struct event total;
};

static enum err run_total(struct db *db, void *arg)
{
    const struct seen *s = arg;
    const struct val tenant = V_TEXT(s->m->tenant), campaign = V_ID(s->m->id);
    if (s->opened)
        return db_run(db, SQL_CAMPAIGN_OPENED, NULL, ARGS(tenant, campaign));
    return db_run(db, SQL_CAMPAIGN_FOLLOWED, NULL,
                  ARGS(tenant, campaign, V_INT(s->number), V_INT(s->c->now + 2 * CAMPAIGN_KEPT)));
}

static text fields_of(struct ctx *c, const struct seen *s, text link)
{
    BUF_AUTO b = buf_make(1 << 14);
    struct json_out w = json_out(&b);
    text name = json_text(s->m->body, TEXT("name"));
    json_open(&w, '{');
    json_pair(&w, TEXT("at"), time_print(c->arena, c->now));
    json_pair(&w, TEXT("message"), name);
    json_pair(&w, TEXT("campaign"), name);
    json_pair(&w, TEXT("action"), s->opened ? TEXT("opened") : TEXT("link"));
    if (link.n)
        json_pair(&w, TEXT("link"), link);
    json_close(&w, '}');
    return buf_made(c->arena, &b);
}

/* Asked outside and, with the rest of what was decided, inside the write: what was withdrawn meanwhile records nothing.
 */
static enum err note(struct ctx *c, struct person *p, struct seen *s, text link)
{
    int category;
    struct change ch;
    const struct purpose *of = campaign_measuring(c, &category);
    text fields = fields_of(c, s, link);
    TRY_PTR(fields.p);
    TRY(person_may_observe(c, p, (unsigned)category));
    TRY(subject_note(c, p, category, c->now, fields, &ch));
    struct event event = event_of(c, p, TEXT("campaign.opened"));
    event.purpose = of->name;
    event.clause = of->clause.path;
    event.categories = c->policy->categories[category].name;
    event.count = 1;
    ch.also = run_total;
    ch.also_arg = s;
    return change_write(c, &ch, event, NULL);
}

/* *noted: the person agrees, and it is on their record. */
static enum err note_person(struct ctx *c, struct subject_id id, struct seen *s, text link, bool *noted)
{
    struct why why = c->arena->why;
    enum err status = ERR_CONFLICT;
    for (int tries = 0; status == ERR_CONFLICT && tries < ROUNDS; tries++) {
        PERSON_AUTO p = { 0 };
        bool may = false;
        status = person_open(c, id_print(c->arena, id), false, &p);
        if (status == OK)
            status = campaign_measures(c, &p, &may);
        if (status == OK && may)
            status = note(c, &p, s, link);
        *noted = status == OK && may;
    }
    /* Gone, withdrawn in this moment, or more of it in a day than anybody does: nothing is recorded, and nothing told.
     */
    bool left = status == ERR_NOT_FOUND || status == ERR_CONSENT || status == ERR_PURPOSE || status == ERR_TOO_MANY;
    if (left)
        c->arena->why = why;
    return left ? OK : status;
}

static void act_as_server(struct ctx *c)
{
    c->actor = actor_server();
    c->session = NULL; /* whoever is signed in where the letter is read is none of it */
}

enum err campaign_opened(struct ctx *c, text token)
{
    struct campaign m;
    struct subject_id campaign, id;
    bool noted;
    struct why why = c->arena->why;
    struct seen s = { .c = c, .m = &m, .opened = true };
    act_as_server(c);
    if (!campaign_letter_of(c, token, &campaign, &id))
        return OK; /* whoever made that up learns nothing */
    enum err status = campaign_find(c, id_print(c->arena, campaign), &m);
    if (status == ERR_NOT_FOUND) {
        c->arena->why = why;
        return OK;
    }
    TRY(status);
    return note_person(c, id, &s, TEXT(""), &noted);
}

/* ---- Links. ---- */

static enum err run_followed(struct db *db, struct write *w) { return run_total(db, w->arg); }

/* A total of nobody: who followed it is neither known nor kept. */
static enum err count_link(struct ctx *c, struct seen *s)
{
    struct why why = c->arena->why;
    if (budget_take(c, BUDGET_letter_links, c->address) == ERR_TOO_MANY) {
        c->arena->why = why;
        return OK;
    }
    struct write w = { .run = run_followed, .arg = s, .event = event_of(c, NULL, TEXT("campaign.followed")) };
    return write_do(c, &w, NULL);
}

static enum err no_link(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "this link leads nowhere any more"); }

/* A link that is the same for all says nothing of whose letter it stood in, not even which controller's. */
static enum err find_anywhere(struct ctx *c, text id, struct campaign *out)
{
    enum err status = ERR_NOT_FOUND;
    for (unsigned i = 0; status == ERR_NOT_FOUND && i < c->policy->tenant_count; i++) {
        c->tenant = c->policy->tenants[i];
        status = campaign_find(c, id, out);
    }
    return status == ERR_NOT_FOUND ? no_link(c) : status;
}

enum err campaign_followed(struct ctx *c, text token, text number, text *to)
{
    struct campaign m;
    struct subject_id campaign, id;
    bool noted = false, own = token.n != ID_TEXT;
    struct seen s = { .c = c, .m = &m };
    act_as_server(c);
    if (!text_int(number, &s.number) || (own && !campaign_letter_of(c, token, &campaign, &id)))
        return no_link(c);
    TRY(own ? campaign_find(c, id_print(c->arena, campaign), &m) : find_anywhere(c, token, &m));
    *to = campaign_link(&m, s.number);
    if (!to->p)
        return no_link(c);
    return own ? note_person(c, id, &s, *to, &noted) : count_link(c, &s);
}
