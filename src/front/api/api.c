/* Handlers that hand the request to the domain and its answer back. */
#include "domain/rights/access.h"
#include "domain/rights/export.h"
#include "domain/keep/archive.h"
#include "domain/instance/care.h"
#include "domain/person/consent.h"
#include "domain/rights/objection.h"
#include "domain/person/permission.h"
#include "domain/mail/contact.h"
#include "domain/keep/erase.h"
#include "domain/person/holding.h"
#include "domain/rights/disclosure.h"
#include "domain/rights/duty.h"
#include "domain/instance/journal_files.h"
#include "domain/mail/sent.h"
#include "domain/keep/hold.h"
#include "domain/entry/address.h"
#include "domain/person/append.h"
#include "domain/person/make.h"
#include "domain/person/rectify.h"
#include "domain/person/subject.h"
#include "domain/version/acknowledge.h"
#include "domain/version/answer.h"
#include "domain/version/find.h"
#include "front/door/front.h"

#define ID           q->params[0]
#define SECOND_PARAM q->params[1]
#define ASKED(name)  request_query(q, TEXT(name))

HANDLER(subject_create, subject_create(c, q->json, &answer))
HANDLER(subject_lookup, subject_lookup(c, q->json, &answer))
HANDLER(subject_read, subject_read(c, ID, ASKED("purpose"), ASKED("categories"), &answer))
HANDLER(subject_patch, subject_patch_from(c, ID, q->json, &(struct patched){ ASKED("source"), ASKED("purpose"), ASKED("permitted") }, &answer))
PAGED(subject_former, subject_former(c, ID, &paging, &answer))
HANDLER(record_add, subject_add_record(c, ID, SECOND_PARAM, q->json, &answer))
HANDLER(record_drop, subject_drop_record(c, ID, SECOND_PARAM, ASKED("item"), &answer))
HANDLER(subject_decide, subject_decide(c, q->json, &answer))

HANDLER(version_get, version_get(c, q->params[0], &answer))
HANDLER(version_list, version_answer(c, &answer))
HANDLER(acknowledgement_add, version_acknowledge(c, q->json, &answer))
PAGED(acknowledgement_list, version_acknowledgements(c, ASKED("version"), &paging, &answer))

HANDLER(consent_record, consent_record(c, ID, q->json, &answer))
PAGED(consent_list, consent_list(c, ID, &paging, &answer))
HANDLER(objection_set, objection_set(c, ID, SECOND_PARAM, true, &answer))
HANDLER(objection_lift, objection_set(c, ID, SECOND_PARAM, false, &answer))
HANDLER(source_permit, permission_set(c, ID, SECOND_PARAM, q->json, &answer))
HANDLER(source_end, permission_end(c, ID, SECOND_PARAM, &answer))
HANDLER(objection_decide, objection_decide(c, ID, SECOND_PARAM, q->json, &answer))
HANDLER(restriction_set, restriction_set(c, ID, true, json_text(q->json, TEXT("ground")), &answer))
HANDLER(restriction_lift, restriction_set(c, ID, false, json_text(q->json, TEXT("ground")), &answer))

HANDLER(subject_access, access_answer(c, ID, &answer))
PAGED(subject_looks, access_looks(c, ID, &paging, &answer))
HANDLER(subject_export, access_export(c, ID, &answer))
HANDLER(subject_erase, erase_subject(c, ID, q->json, &answer))
HANDLER(certificate_get, certificate_get(c, ID, request_wants_html(q), &answer))

PAGED(archive_list, archive_list(c, &paging, &answer))
HANDLER(archive_read, archive_read(c, ID, SECOND_PARAM, ASKED("reason"), &answer))

HANDLER(contact_send, contact_send(c, ID, q->json, &answer))
HANDLER(contact_call, contact_call(c, ID, q->json, &answer))
HANDLER(contact_list, contact_list(c, ID, ASKED("purpose"), ASKED("where"), &answer))
PAGED(outbox, outbox_answer(c, &paging, &answer))

HANDLER(event_add, retention_event(c, ID, q->json, &answer))
HANDLER(hold_create, hold_create(c, ID, q->json, &answer))
HANDLER(hold_release, hold_release(c, ID, SECOND_PARAM, &answer))

static enum err add_attachment(struct ctx *c, const struct request *q, struct answer *answer)
{
    const struct attachment_new in = { .category = ASKED("category"),
                                       .name = ASKED("name"),
                                       .source = ASKED("source"),
                                       .permitted = ASKED("permitted"),
                                       .media_type = request_header(q, TEXT("Content-Type")),
                                       .content = q->body };
    return attachment_take(c, ID, &in, answer);
}

HANDLER(attachment_add, add_attachment(c, q, &answer))
HANDLER(attachment_get, attachment_get(c, ID, SECOND_PARAM, ASKED("purpose"), &answer))
HANDLER(attachment_drop, attachment_drop(c, ID, SECOND_PARAM, &answer))
HANDLER(transient_put, transient_put(c, ID, SECOND_PARAM, q->json, &answer))
HANDLER(transient_get, transient_get(c, ID, SECOND_PARAM, ASKED("purpose"), &answer))
HANDLER(transient_drop, transient_drop(c, ID, SECOND_PARAM, &answer))
HANDLER(disclosure_make, disclosure_make(c, ID, q->json, &answer))
PAGED(disclosure_pull, disclosure_pull(c, request_query(q, TEXT("purpose")), request_query(q, TEXT("format")), &paging, &answer))
PAGED(disclosure_list, disclosure_list(c, ID, &paging, &answer))
PAGED(duty_list, duty_list(c, &paging, &answer))
HANDLER(duty_done, duty_done(c, ID, q->json, &answer))

HANDLER(journal_checkpoint, care_checkpoint(c, &answer))
HANDLER(journal_key, care_journal_key(c, &answer))
HANDLER(journal_bundle, care_bundle(c, ID, &answer))
HANDLER(journal_tile, care_tile(c, ID, SECOND_PARAM, &answer))
HANDLER(journal_proof, care_proof(c, ASKED("index"), ASKED("size"), &answer))

/* What takes long does not stand on a thread that serves others. */
static enum err run_sweep(struct ctx *c, const struct request *q, struct answer *answer)
{
    return retention_sweep(c, answer);
}
static enum err run_verify(struct ctx *c, const struct request *q, struct answer *answer)
{
    return care_verify(c, NULL, answer);
}
static enum err run_backup(struct ctx *c, const struct request *q, struct answer *answer)
{
    return care_backup(c, q->json, NULL, answer);
}

static enum err run_rotate(struct ctx *c, const struct request *q, struct answer *answer)
{
    return care_rotate(c, q->json, answer);
}

static enum err run_folder(struct ctx *c, const struct request *q, struct answer *answer)
{
    return journal_folder_write(c, json_text(q->json, TEXT("to")), NULL, answer);
}

HANDLER(sweep, front_aside(c, q, run_sweep, &answer))
HANDLER(journal_verify, front_aside(c, q, run_verify, &answer))
HANDLER(backup, front_aside(c, q, run_backup, &answer))
HANDLER(keys_rotate, front_aside(c, q, run_rotate, &answer))
HANDLER(journal_export, front_aside(c, q, run_folder, &answer))
