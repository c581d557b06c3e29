/* Folders: who may give access, how grants and revocations add up, from when to when, what is sealed, how long it stays, what others see. */
#include "domain_fixture.h"
#include "domain/access.h"
#include "domain/erase.h"
#include "domain/folder.h"
#include "domain/retention.h"
#include "domain/subject.h"
#include <string.h>

static const char policy[] =
    "categories:\n"
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
    "  rights: {many: true, stream: usage, fields: {folder: {type: text, max: 20}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [contact, rights]}\n"
    "  access: {basis: contract, categories: [rights]}\n"
    "  news: {basis: consent, categories: [contact]}\n"
    "retention:\n"
    "  rights: {from: %s, active: 30d}\n"
    "roles:\n"
    "  clerk: {sees: all, purposes: [access], acts: [read, write], confidentiality: none}\n"
    "  trainee: {sees: all, purposes: [access], acts: [read, write], confidentiality: none}\n"
    "  idle: {sees: all, purposes: [service], acts: [read, write], confidentiality: none}\n"
    "systems:\n"
    "  app: {purposes: [service, access], acts: [read, write, erase, export]}\n"
    "  mailer: {purposes: [news], acts: [read, write]}\n"
    "recipients: none\n"
    "folders:\n"
    "  file: {title: {en: Data file, fr: Dossier}, purpose: access, granted_by: [clerk, idle]}\n"
    "  drawer: {purpose: access}\n";

static void open_with(void **state, const char *from)
{
    char text_of_policy[4096];
    *state = calloc(1, sizeof(struct fixture));
    snprintf(text_of_policy, sizeof text_of_policy, policy, from);
    char *stream = strstr(text_of_policy, "stream: usage");
    memcpy(stream, "stream: folders", 15), memmove(stream + 15, stream + 13, strlen(stream + 13) + 1);
    memcpy(stream, "stream: folders", 15);
    fixture_open(*state, text_of_policy);
}
