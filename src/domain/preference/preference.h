/* Preferences: what a person sets for a dashboard, a room or whatever the policy has a record `per`, kept as ordinary
 * records. */
#ifndef DOMAIN_PREFERENCE_PREFERENCE_H
#define DOMAIN_PREFERENCE_PREFERENCE_H
#include "domain/core/feature.h"

/* A category of preferences is one with `many` and `per` that no stream fills and that has no field for what it is per;
 * one record a place. A place is a free name ("sales-2026"), sealed in its record under the word of `per`; "*" stands
 * for all places, and what is set there holds wherever a place says nothing. Where neither says anything, the policy's
 * default holds. A change replaces without a former value: it corrects nothing (Art. 16). Being ordinary records, they
 * are exported, shown, kept and erased as such. At most PLACES_MAX places a category. `purpose` may be empty: the first
 * for which the caller may use the category; the person themselves needs none. */
enum { PLACES_MAX = 200, PLACE_CHARACTERS = 100 };
#define PLACE_ALL TEXT("*")

/* {"category", "place", "values": {field: value}, "from": {field: "place", "all" or "policy"}}; fields without any
 * value are left out. */
enum err preference_get(struct ctx *c, text id, text category, text place, text purpose, struct answer *out);
/* {field: value, or null for the default again}, merged into what is set there; answers as preference_get(). Every
 * field is checked against its type; required ones must be there afterwards, except for all places. */
enum err preference_set(struct ctx *c, text id, text category, text place, const struct json *in, text purpose,
                        struct answer *out);
/* The place's own values go; ERR_NOT_FOUND when it has none. */
enum err preference_drop(struct ctx *c, text id, text category, text place, text purpose, struct answer *out);
/* {"preferences": [{"category", "title", "per", "fields": [{"field", "title", "type", "required", "min", "max",
 * "choices", "default"}], "places": [as above]}]}: all that there is to set, "*" first, for a page to be made of. */
enum err preference_list(struct ctx *c, text id, text purpose, struct answer *out);

/* Being records of the policy, preferences need nothing of the house but the name of the right to see them. */
extern const struct feature preference_feature;

#endif
