/* The decision: may this actor do this act for this purpose with this category of this person's data. Bit tests only.
 */
#include "policy.h"

#define DECIDED(verdict, clause) ((struct decision){ (verdict), (clause) })
#define BIT(act)                 (1u << (act))

/* Acts that the person's consent, objection and restriction bear on. */
static const uint32_t uses = BIT(ACT_READ) | BIT(ACT_WRITE) | BIT(ACT_SEND) | BIT(ACT_DISCLOSE);

bool policy_tenant_has(const struct policy *p, const struct tenant *t, int actor)
{
    if (!t || actor < 0 || (unsigned)actor >= p->actor_count)
        return true;
    switch (p->actors[actor].kind) {
    case ACTOR_OPERATOR:
        return !t->stored;
    case ACTOR_STAFF:
    case ACTOR_MANAGER:
        return bits_has(&t->roles, (unsigned)actor);
    case ACTOR_SYSTEM: /* and by a token that a tenant whose data is only stored has accepted: domain/support */
        return bits_has(&t->systems, (unsigned)actor);
    case ACTOR_RECIPIENT:
    case ACTOR_PERSON:
    case ACTOR_NOBODY:
        break;
    }
    return true;
}

bool policy_tenant_holds(const struct tenant *t, int category)
{
    return !t || category < 0 || bits_has(&t->categories, (unsigned)category);
}

bool bits_any(const struct bits *s) { return s->w[0] | s->w[1] | s->w[2] | s->w[3]; }

/* Whose data it is decides first who may act at all. */
static struct decision decide_tenant(const struct policy *p, const struct ask *q)
{
    const struct tenant *t = q->tenant;
    bool writes = q->support == SUPPORT_WRITES && q->act == ACT_WRITE;
    bool beyond = t && t->stored && q->purpose >= 0 && (unsigned)q->purpose < p->purpose_count &&
                  !bits_has(&t->purposes, (unsigned)q->purpose);
    if (beyond)
        return DECIDED(REFUSED_STORED, &t->clause);
    if (t && q->actor >= 0 && p->actors[q->actor].kind == ACTOR_SYSTEM && !policy_tenant_has(p, t, q->actor))
        return DECIDED(REFUSED_ACTOR, &p->actors[q->actor].clause);
    if (q->support == SUPPORT_NONE)
        return policy_tenant_has(p, t, q->actor) ? DECIDED(ALLOWED, &p->rights_clause)
                                                 : DECIDED(REFUSED_STORED, &t->clause);
    if (q->purpose < 0 || q->purpose != p->support.purpose || (q->act != ACT_READ && !writes))
        return DECIDED(REFUSED_SUPPORT, &p->support.clause);
    return DECIDED(ALLOWED, &p->support.clause);
}

/* What answers a right or a duty needs no purpose of the file, but an actor who may answer. */
static struct decision decide_right(const struct policy *p, const struct actor_class *actor, const struct ask *q)
{
    if (!actor)
        return DECIDED(REFUSED_ACTOR, &p->rights_clause);
    if (!(actor->rights & BIT(q->act)))
        return DECIDED(REFUSED_ACT, &actor->clause);
    if (actor->closed || (actor->confidentiality && !q->agreement))
        return DECIDED(REFUSED_CONFIDENTIALITY, &actor->clause);
    return DECIDED(ALLOWED, &p->rights_clause);
}

static struct decision decide_actor(const struct actor_class *actor, const struct purpose *purpose, const struct ask *q)
{
    if (!actor)
        return DECIDED(REFUSED_ACTOR, &purpose->clause);
    if (!bits_has(&actor->purposes, (unsigned)q->purpose))
        return DECIDED(REFUSED_ACTOR, &actor->clause);
    if (!(actor->acts & BIT(q->act)))
        return DECIDED(REFUSED_ACT, &actor->clause);
    if (actor->closed || (actor->confidentiality && !q->agreement))
        return DECIDED(REFUSED_CONFIDENTIALITY, &actor->clause);
    return DECIDED(ALLOWED, &purpose->clause);
}

/* The person's own word: consent, objection, restriction. */
static struct decision decide_person(const struct policy *p, const struct purpose *purpose, const struct ask *q)
{
    unsigned i = (unsigned)q->purpose;
    bool may_object = purpose->marketing || purpose->basis == BASIS_INTEREST || purpose->basis == BASIS_PUBLIC;
    if (!(uses & BIT(q->act)))
        return DECIDED(ALLOWED, &purpose->clause);
    bool of_tenant = q->support != SUPPORT_NONE && q->purpose == p->support.purpose; /* whose consent it is */
    if (purpose->basis == BASIS_CONSENT && !of_tenant && !(q->consents && bits_has(q->consents, i)))
        return DECIDED(REFUSED_CONSENT, &purpose->clause);
    if (may_object && q->objections && bits_has(q->objections, i))
        return DECIDED(REFUSED_OBJECTED, &purpose->clause);
    bool sale = purpose->customers_only && purpose->basis != BASIS_CONSENT && q->act == ACT_SEND;
    if (sale && !(q->consents && bits_has(q->consents, i)))
        return DECIDED(REFUSED_CUSTOMER, &purpose->clause);
    if (q->restricted && !purpose->despite_restriction)
        return DECIDED(REFUSED_RESTRICTED, &p->rights_clause);
    return DECIDED(ALLOWED, &purpose->clause);
}

struct decision policy_decide(const struct policy *p, const struct ask *q)
{
    const struct actor_class *actor = q->actor >= 0 && (unsigned)q->actor < p->actor_count ? &p->actors[q->actor]
                                                                                           : NULL;
    struct decision whose = decide_tenant(p, q);
    if (whose.verdict != ALLOWED)
        return whose;
    if (q->purpose == PURPOSE_RIGHTS)
        return decide_right(p, actor, q);
    if (q->purpose < 0 || (unsigned)q->purpose >= p->purpose_count + p->forbidden_count)
        return DECIDED(REFUSED_PURPOSE_UNKNOWN, &p->purposes_clause);
    const struct purpose *purpose = &p->purposes[q->purpose];
    if (purpose->never)
        return DECIDED(REFUSED_NEVER, purpose->never);
    struct decision by_actor = decide_actor(actor, purpose, q);
    if (by_actor.verdict != ALLOWED)
        return by_actor;
    if (q->act == ACT_WRITE && !policy_tenant_holds(q->tenant, q->category))
        return DECIDED(REFUSED_HELD, &q->tenant->held_clause);
    bool known = q->category < (int)p->category_count;
    if (q->category >= 0 && !(known && bits_has(&purpose->categories, (unsigned)q->category)))
        return DECIDED(REFUSED_CATEGORY, &purpose->clause);
    if (q->category >= 0 && !bits_has(&actor->categories, (unsigned)q->category))
        return DECIDED(REFUSED_CATEGORY, &actor->clause);
    return decide_person(p, purpose, q);
}

text verdict_text(enum verdict v, text language)
{
    static const struct {
        text en, fr;
    } rows[] = {
        [ALLOWED] = { TEXT_INIT("allowed"), TEXT_INIT("permis") },
        [REFUSED_NEVER] = { TEXT_INIT("the policy refuses this use whatever the consent"),
                            TEXT_INIT("la politique refuse cet usage quel que soit le consentement") },
        [REFUSED_PURPOSE_UNKNOWN] = { TEXT_INIT("the policy declares no such purpose"),
                                      TEXT_INIT("la politique ne déclare pas cette finalité") },
        [REFUSED_ACTOR] = { TEXT_INIT("this actor may not act for this purpose"),
                            TEXT_INIT("cet acteur ne peut agir pour cette finalité") },
        [REFUSED_ACT] = { TEXT_INIT("this actor may not do this"), TEXT_INIT("cet acteur ne peut faire cela") },
        [REFUSED_CATEGORY] = { TEXT_INIT("this category is not for that use"),
                               TEXT_INIT("cette catégorie n'est pas pour cet usage") },
        [REFUSED_CONSENT] = { TEXT_INIT("the person has not consented to this purpose"),
                              TEXT_INIT("la personne n'a pas consenti à cette finalité") },
        [REFUSED_RESTRICTED] = { TEXT_INIT("processing is restricted at the person's request: storage only"),
                                 TEXT_INIT(
                                     "le traitement est limité à la demande de la personne : conservation seulement") },
        [REFUSED_OBJECTED] = { TEXT_INIT("the person objected to this purpose"),
                               TEXT_INIT("la personne s'est opposée à cette finalité") },
        [REFUSED_STORED] = { TEXT_INIT("this tenant's data is only stored: its own staff acts there, for its own ends"),
                             TEXT_INIT(
                                 "les données de ce locataire sont seulement stockées : son personnel y agit, pour "
                                 "ses propres finalités") },
        [REFUSED_HELD] = { TEXT_INIT("this tenant does not hold such data"),
                           TEXT_INIT("ce locataire ne conserve pas de telles données") },
        [REFUSED_SUPPORT] = { TEXT_INIT("this support session does not allow that"),
                              TEXT_INIT("cette session d'assistance ne permet pas cela") },
        [REFUSED_CUSTOMER] = { TEXT_INIT("no sale is on record at which the person could oppose this, or they opposed it"),
                               TEXT_INIT("aucune vente n'est enregistrée où la personne pouvait s'y opposer, ou elle s'y "
                                         "est opposée") },
        [REFUSED_CONFIDENTIALITY] = { TEXT_INIT("this actor's agreement is not recorded yet"),
                                      TEXT_INIT("l'engagement de cet acteur n'est pas encore enregistré") },
    };
    return text_eq(language, TEXT("fr")) ? rows[v].fr : rows[v].en;
}
