/* The decision: may this actor do this act for this purpose with this category of this person's data. Bit tests only.
 */
#include "policy.h"

#define DECIDED(verdict, clause) ((struct decision){ (verdict), (clause) })
#define BIT(act)                 (1u << (act))

/* Acts that the person's consent, objection and restriction bear on. */
static const uint32_t uses = BIT(ACT_READ) | BIT(ACT_WRITE) | BIT(ACT_SEND) | BIT(ACT_DISCLOSE);

bool bits_any(const struct bits *s) { return s->w[0] | s->w[1] | s->w[2] | s->w[3]; }

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
    if (purpose->basis == BASIS_CONSENT && !(q->consents && bits_has(q->consents, i)))
        return DECIDED(REFUSED_CONSENT, &purpose->clause);
    if (may_object && q->objections && bits_has(q->objections, i))
        return DECIDED(REFUSED_OBJECTED, &purpose->clause);
    if (q->restricted && !purpose->despite_restriction)
        return DECIDED(REFUSED_RESTRICTED, &p->rights_clause);
    return DECIDED(ALLOWED, &purpose->clause);
}

struct decision policy_decide(const struct policy *p, const struct ask *q)
{
    const struct actor_class *actor = q->actor >= 0 && (unsigned)q->actor < p->actor_count ? &p->actors[q->actor]
                                                                                           : NULL;
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
        [REFUSED_CONFIDENTIALITY] = { TEXT_INIT("this actor's agreement is not recorded yet"),
                                      TEXT_INIT("l'engagement de cet acteur n'est pas encore enregistré") },
    };
    return text_eq(language, TEXT("fr")) ? rows[v].fr : rows[v].en;
}
