/* Requests of public authorities (policy `authorities`): entered, approved by two people, handed over, and told to whom
 * they are about, at once or when the law lets it. */
#ifndef DOMAIN_AUTHORITY_AUTHORITY_H
#define DOMAIN_AUTHORITY_AUTHORITY_H
#include "domain/core/feature.h"

struct paging;

enum { AUTHORITY_PEOPLE = 200, AUTHORITY_DOCUMENT_MAX = 16 << 20 };

/* {"authority", "ground", "reference"?, "received": a day, "subjects": [ids], "categories": [names], "from"?, "until"?:
 * days, "secrecy"?: the ground that forbids telling, "secret_until"?: the day it ends}. ERR_UNDECLARED by the clause
 * `authorities` where the policy has none, or says that people are always told; ERR_MISSING and ERR_VALUE by field. */
enum err authority_enter(struct ctx *c, const struct json *in, struct answer *out);
/* The document in which it was asked (PDF, JPEG or PNG), sealed: before anybody approves. */
struct authority_document {
    text name, content;
};
enum err authority_document_put(struct ctx *c, text id, const struct authority_document *file, struct answer *out);
enum err authority_document_get(struct ctx *c, text id, struct answer *out);
/* One of two different people approves: ERR_CONFLICT for the same one twice, ERR_MISSING without a document,
 * ERR_FORBIDDEN for a program, which is nobody. */
enum err authority_approve(struct ctx *c, text id, struct answer *out);
/* {"text": why}: nothing is handed over, before it was. */
enum err authority_refuse(struct ctx *c, text id, const struct json *in, struct answer *out);
/* {"secrecy": ground, "secret_until": day}: the law forbids telling until then, while nobody was told yet; a day that
 * has come ends it now. */
enum err authority_secrecy(struct ctx *c, text id, const struct json *in, struct answer *out);
/* {"subject": id}: that person's data of the categories and time that were approved, once, recorded as a disclosure
 * with its ground; the person is told in the same commit, or later when the law forbids it. Answers {"id", "data"}. */
enum err authority_hand(struct ctx *c, text id, const struct json *in, struct answer *out);

/* {"authorities": [{"id", "state", "authority", "ground", "entered", "people", "handed", "told", "secret_until"}],
 * "next"}; and one with its file, people and what may be done next. */
enum err authority_list(struct ctx *c, const struct paging *asked, struct answer *out);
enum err authority_get(struct ctx *c, text id, struct answer *out);

/* "authorities" of the access answer: what the person was told, and nothing else. */
extern const struct feature authority_feature;

#endif
