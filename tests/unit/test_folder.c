/* Folders: who may give access, how grants and revocations add up, from when to when, what is sealed, how long it
 * stays, what others see. */
#include "domain_fixture.h"
#include "domain/rights/access.h"
#include "domain/rights/export.h"
#include "domain/keep/erase.h"
#include "domain/folder/folder.h"
#include "domain/keep/hold.h"
#include "domain/person/append.h"
#include "domain/person/subject.h"
#include <string.h>

#define POLICY(from)                                                                                                             \
    "categories:\n"                                                                                                              \
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"                                                            \
    "  rights: {many: true, stream: folders, fields: {folder: {type: text, max: 20}, from: {type: date}, until: {type: date},\n" \
    "    granted_by: {type: text}}}\n"                                                                                           \
    "purposes:\n"                                                                                                                \
    "  service: {basis: contract, categories: [contact, rights]}\n"                                                              \
    "  access: {basis: contract, categories: [rights]}\n"                                                                        \
    "  news: {basis: consent, categories: [contact]}\n"                                                                          \
    "retention:\n"                                                                                                               \
    "  rights: {from: " from ", active: 30d}\n"                                                                                  \
    "  contact: {from: closure, active: 30d}\n"                                                                                  \
    "roles:\n"                                                                                                                   \
    "  clerk: {sees: all, purposes: [access], acts: [read, write], confidentiality: none}\n"                                     \
    "  trainee: {sees: all, purposes: [access], acts: [read, write], confidentiality: none}\n"                                   \
    "  idle: {sees: all, purposes: [service], acts: [read, write], confidentiality: none}\n"                                     \
    "systems:\n"                                                                                                                 \
    "  app: {purposes: [service, access], acts: [read, write, erase, export]}\n"                                                 \
    "  mailer: {purposes: [news], acts: [read, write]}\n"                                                                        \
    "recipients: none\n"                                                                                                         \
    "folders:\n"                                                                                                                 \
    "  file: {title: {en: Data file, fr: Dossier}, purpose: access, granted_by: [clerk]}\n"                                      \
    "  drawer: {purpose: access}\n"                                                                                              \
    "tenants:\n"                                                                                                                 \
    "  one: {title: One, legal_name: One}\n"                                                                                     \
    "  two: {title: Two, legal_name: Two}\n"

static enum err try_grant(struct fixture *f, text id, const char *body)
{
    struct answer out = { 0 };
    return folder_grant(&f->c, id, js(f, "%s", body), &out);
}

static void granted(struct fixture *f, text id, const char *name, const char *more)
{
    struct answer out = { 0 };
    fixture_as(f, "clerk");
    OKAY(folder_grant(&f->c, id, js(f, "{'folder':'file','name':'%s','why':'works on it'%s}", name, more), &out));
    fixture_as(f, "app");
}

static enum err revoked(struct fixture *f, text id, const char *name)
{
    struct answer out = { 0 };
    fixture_as(f, "clerk");
    enum err status = folder_revoke(&f->c, id, js(f, "{'folder':'file','name':'%s','why':'left the team'}", name),
                                    &out);
    fixture_as(f, "app");
    return status;
}

/* The answer to "may they enter?", asked by the platform. */
static const struct json *asked(struct fixture *f, text id, const char *name)
{
    struct answer out = { 0 };
    OKAY(folder_authorize(&f->c, js(f, "{'subject':'%.*s','folder':'file','name':'%s'}", T(id), name), &out));
    return parsed(f, out.body);
}

static bool allowed(struct fixture *f, text id, const char *name)
{
    return at_path(asked(f, id, name), "allowed")->truth;
}

static const struct json *listed(struct fixture *f, text id)
{
    struct answer out = { 0 };
    OKAY(folder_list(&f->c, id, &out));
    return at_path(parsed(f, out.body), "folders");
}

static void grants_and_revocations_add_up(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", "");
    assert_false(allowed(f, id, "sales"));
    granted(f, id, "sales", "");
    granted(f, id, " Sales ", ",'by':'M. Clerk'");
    assert_true(allowed(f, id, "sales") && allowed(f, id, "Sales"));
    assert_false(allowed(f, id, "SALES"));
    assert_true(at_path(asked(f, id, "sales"), "until")->kind == J_NULL);
    assert_int_equal(int_at(asked(f, id, "sales"), "grant"), 1);
    OKAY(revoked(f, id, "sales"));
    assert_false(allowed(f, id, "sales"));
    assert_true(allowed(f, id, "Sales"));
    assert_int_equal(revoked(f, id, "sales"), ERR_NOT_FOUND);
    assert_int_equal(revoked(f, id, "never"), ERR_NOT_FOUND);
    granted(f, id, "sales", "");
    assert_true(allowed(f, id, "sales"));
    assert_int_equal(int_at(asked(f, id, "sales"), "grant"), 4);
    const struct json *all = listed(f, id);
    assert_int_equal(all->count, 2);
    assert_true(text_eq(text_at(all, "0.name"), TEXT("Sales")) &&
                text_eq(text_at(all, "0.history.0.by"), TEXT("M. Clerk")));
    assert_true(text_eq(text_at(all, "1.name"), TEXT("sales")) && at_path(all, "1.allowed")->truth);
    assert_int_equal(at_path(all, "1.history")->count, 3);
    assert_true(text_eq(text_at(all, "1.history.1.act"), TEXT("revoked")) &&
                text_eq(text_at(all, "1.history.1.why"), TEXT("left the team")));
    assert_true(text_eq(text_at(all, "1.history.1.actor"), TEXT("clerk")) &&
                text_eq(text_at(all, "1.category"), TEXT("rights")));
    assert_int_equal(f->c.app->folder_checks[1], 7);
    assert_int_equal(f->c.app->folder_checks[0], 3);
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%\"act\":\"refusal\"%\"clause\":\"folders.file\"%'"), 3);
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%\"act\":\"folder.granted\"%\"clause\":\"folders.file\"%'"), 3);
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%\"act\":\"folder.revoked\"%'"), 1);
}

static void from_and_until(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", "");
    granted(f, id, "q1", ",'until':'2026-03-31'");
    granted(f, id, "q1", ",'from':'2026-04-15','until':'2026-04-20T12:00:00Z'");
    granted(f, id, "q1", ",'from':'2026-04-16','until':'2026-04-30'");
    assert_true(text_eq(text_at(asked(f, id, "q1"), "until"), TEXT("2026-03-31T22:00:00.000Z")));
    fixture_at(f, "2026-03-31T21:59:59Z"); /* 31 March ends in Paris, where the controller is */
    assert_true(allowed(f, id, "q1"));
    fixture_at(f, "2026-03-31T22:00:00Z");
    assert_false(allowed(f, id, "q1") || at_path(listed(f, id), "0.allowed")->truth);
    fixture_at(f, "2026-04-14T21:59:59Z");
    assert_false(allowed(f, id, "q1"));
    fixture_at(f, "2026-04-14T22:00:00Z");
    assert_true(text_eq(text_at(asked(f, id, "q1"), "until"), TEXT("2026-04-20T12:00:00.000Z")));
    fixture_at(f, "2026-04-15T22:00:00Z");
    assert_true(text_eq(text_at(asked(f, id, "q1"), "until"), TEXT("2026-04-30T22:00:00.000Z")));
    assert_true(text_eq(text_at(listed(f, id), "0.until"), TEXT("2026-04-30T22:00:00.000Z")));
    granted(f, id, "q1", "");
    assert_true(at_path(asked(f, id, "q1"), "until")->kind == J_NULL &&
                at_path(listed(f, id), "0.until")->kind == J_NULL);
    OKAY(revoked(f, id, "q1"));
    assert_false(allowed(f, id, "q1"));
    fixture_as(f, "clerk");
    assert_int_equal(try_grant(f, id, "{'folder':'file','name':'q1','why':'x','until':'2026-04-15'}"), ERR_VALUE);
    assert_int_equal(
        try_grant(f, id, "{'folder':'file','name':'q1','why':'x','from':'2027-02-02','until':'2027-02-01'}"),
        ERR_VALUE);
    OKAY(try_grant(f, id, "{'folder':'file','name':'q1','why':'x','from':'2027-02-02','until':'2027-02-02'}"));
}

/* The refusal's code and clause. */
static void refused_by(struct fixture *f, enum err status, enum err expected, const char *clause)
{
    assert_int_equal(status, expected);
    assert_non_null(f->arena.why.clause);
    if (!text_eq(f->arena.why.clause->path, text_of(clause)))
        fail_msg("%.*s, and not %s", T(f->arena.why.clause->path), clause);
}

static void who_may(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    const char *good = "{'folder':'file','name':'sales','why':'x'}",
               *drawer = "{'folder':'drawer','name':'sales','why':'x'}";
    refused_by(f, try_grant(f, id, good), ERR_FORBIDDEN, "folders.file.granted_by");
    fixture_as(f, "trainee");
    refused_by(f, try_grant(f, id, good), ERR_FORBIDDEN, "folders.file.granted_by");
    OKAY(try_grant(f, id, drawer));
    fixture_as(f, "idle");
    refused_by(f, try_grant(f, id, drawer), ERR_FORBIDDEN, "roles.idle");
    fixture_as(f, "mailer");
    refused_by(f, try_grant(f, id, drawer), ERR_FORBIDDEN, "systems.mailer");
    refused_by(f, folder_list(&f->c, id, &out), ERR_FORBIDDEN, "systems.mailer");
    refused_by(f, folder_authorize(&f->c, js(f, "{'subject':'%.*s','folder':'file','name':'sales'}", T(id)), &out),
               ERR_FORBIDDEN, "systems.mailer");
    fixture_as(f, "idle");
    refused_by(f, folder_list(&f->c, id, &out), ERR_FORBIDDEN, "roles.idle");
    OKAY(folder_authorize(
        &f->c, js(f, "{'subject':'%.*s','folder':'drawer','name':'sales','purpose':'service'}", T(id)), &out));
    fixture_as(f, "clerk");
    refused_by(f, try_grant(f, id, "{'folder':'fil','name':'sales','why':'x'}"), ERR_UNDECLARED, "folders");
    assert_non_null(strstr(f->arena.why.detail, "did you mean \"file\""));
    assert_int_equal(try_grant(f, id, "{'name':'sales','why':'x'}"), ERR_MISSING);
    assert_int_equal(try_grant(f, id, "{'folder':'file','why':'x'}"), ERR_MISSING);
    assert_int_equal(try_grant(f, id, "{'folder':'file','name':'  ','why':'x'}"), ERR_MISSING);
    assert_int_equal(try_grant(f, id, "{'folder':'file','name':'sales'}"), ERR_MISSING);
    assert_int_equal(try_grant(f, id, "{'folder':'file','name':'sales','why':'x','to':'y'}"), ERR_UNDECLARED);
    assert_int_equal(try_grant(f, id, "{'folder':'file','name':7,'why':'x'}"), ERR_VALUE);
    assert_int_equal(try_grant(f, id, "{'folder':'file','name':'sales','why':'x','until':'soon'}"), ERR_VALUE);
    assert_int_equal(try_grant(f, id, "{'folder':'file','name':'sales','why':'card 4111 1111 1111 1111'}"),
                     ERR_CARD_NUMBER);
    refused_by(f, try_grant(f, id, "{'folder':'file','name':'longer than twenty letters','why':'x'}"), ERR_VALUE,
               "categories.rights.fields.folder");
    assert_int_equal(rows_of(f, "folder_grant", ""), 1);
    assert_int_equal(listed(f, id)->count, 1);
}

static void sealed_and_of_one_tenant(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", "");
    granted(f, id, "planted-folder-77", ",'by':'planted-granter-77'");
    assert_false(files_hold(f, TEXT("planted-folder-77")) || files_hold(f, TEXT("planted-granter-77")) ||
                 files_hold(f, TEXT("works on it")));
    struct answer out = { 0 };
    f->c.tenant = f->c.policy->tenants[1];
    assert_int_equal(folder_list(&f->c, id, &out), ERR_NOT_FOUND);
    assert_int_equal(
        folder_authorize(&f->c, js(f, "{'subject':'%.*s','folder':'file','name':'planted-folder-77'}", T(id)), &out),
        ERR_NOT_FOUND);
    fixture_as(f, "clerk");
    assert_int_equal(try_grant(f, id, "{'folder':'file','name':'x','why':'y'}"), ERR_NOT_FOUND);
    fixture_as(f, "app");
    text other = person_made(f, "ada@example.org", "");
    assert_false(allowed(f, other, "planted-folder-77"));
    assert_int_equal(listed(f, other)->count, 0);
}

/* Who reads the category reads what may be entered, now or later, and with what the policy declares of it. */
static void read_as_records(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    granted(f, id, "sales", ",'until':'2026-03-31','by':'M. Clerk'");
    granted(f, id, "later", ",'from':'2027-02-01T10:00:00Z'");
    granted(f, id, "gone", "");
    granted(f, id, "again", "");
    OKAY(revoked(f, id, "gone"));
    OKAY(revoked(f, id, "again"));
    granted(f, id, "again", "");
    OKAY(subject_read(&f->c, id, TEXT("service"), TEXT("rights"), &out));
    const struct json *rights = at_path(parsed(f, out.body), "data.rights");
    unsigned seen = 0;
    assert_int_equal(rights->count, 3);
    JSON_EACH(one, rights) {
        const struct json *fields = at_path(one, "fields");
        text name = text_at(fields, "folder");
        if (text_eq(name, TEXT("sales"))) {
            assert_true(text_eq(text_at(fields, "from"), TEXT("2026-01-10")) &&
                        text_eq(text_at(fields, "until"), TEXT("2026-03-31")));
            assert_true(text_eq(text_at(fields, "granted_by"), TEXT("M. Clerk")));
            seen |= 1;
        } else if (text_eq(name, TEXT("later"))) {
            assert_true(text_eq(text_at(fields, "from"), TEXT("2027-02-01")) &&
                        text_eq(text_at(fields, "granted_by"), TEXT("clerk")));
            assert_null(json_get(fields, TEXT("until")));
            seen |= 2;
        } else {
            assert_int_equal(int_at(one, "item"), 7);
            seen |= 4;
        }
        assert_null(json_get(fields, TEXT("why")));
    }
    assert_int_equal(seen, 7);
    OKAY(access_answer(&f->c, id, &out));
    assert_int_equal(at_path(parsed(f, out.body), "data.rights")->count, 3);
    fixture_at(f, "2026-04-01T00:00:00Z");
    OKAY(subject_read(&f->c, id, TEXT("service"), TEXT("rights"), &out));
    assert_int_equal(at_path(parsed(f, out.body), "data.rights")->count, 2);
}

static void access_answer_and_erasure(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", ""), other = person_made(f, "bob@example.org", "");
    granted(f, id, "sales", "");
    granted(f, other, "sales", "");
    OKAY(revoked(f, id, "sales"));
    OKAY(access_answer(&f->c, id, &out));
    const struct json *file = parsed(f, out.body);
    assert_int_equal(at_path(file, "folders.0.history")->count, 2);
    assert_true(text_eq(text_at(file, "folders.0.title"), TEXT("Data file")));
    OKAY(access_export(&f->c, id, &out));
    whole(f, &out);
    OKAY(erase_subject(&f->c, id, NULL, &out));
    assert_int_equal(rows_of(f, "folder_grant", ""), 1);
    assert_true(allowed(f, other, "sales"));
    /* One category alone: the access goes with it. */
    OKAY(subject_drop_record(&f->c, other, TEXT("rights"), (text){ NULL, 0 }, &out));
    assert_false(allowed(f, other, "sales"));
}

static void a_closed_account_enters_nowhere(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    granted(f, id, "sales", "");
    OKAY(retention_event(&f->c, id, js(f, "{'event':'closure'}"), &out));
    assert_int_equal(folder_authorize(&f->c, js(f, "{'subject':'%.*s','folder':'file','name':'sales'}", T(id)), &out),
                     ERR_NOT_FOUND);
    fixture_at(f, "2026-02-08T00:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "folder_grant", ""), 1);
    fixture_at(f, "2026-02-10T00:00:00Z");
    assert_int_equal(int_at(swept(f), "erased.rights"), 1);
    assert_int_equal(rows_of(f, "folder_grant", ""), 0);
}

/* By the end of a grant: what is open stays, what was taken back goes with all that it took back, and nothing comes
 * alive by that. */
static void ended_grants_go_at_their_term(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", "");
    granted(f, id, "open", "");
    granted(f, id, "short", ",'until':'2026-01-20'");
    granted(f, id, "gone", "");
    granted(f, id, "gone", ",'until':'2026-12-31'");
    OKAY(revoked(f, id, "gone"));
    granted(f, id, "again", "");
    OKAY(revoked(f, id, "again"));
    granted(f, id, "again", "");
    fixture_at(f, "2026-02-08T00:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "folder_grant", ""), 8);
    fixture_at(f, "2026-02-10T00:00:00Z"); /* 30 days from the revocations of 10 January */
    swept(f);
    assert_int_equal(rows_of(f, "folder_grant", ""), 3);
    assert_false(allowed(f, id, "gone"));
    assert_true(allowed(f, id, "open") && allowed(f, id, "again"));
    fixture_at(f, "2026-02-20T00:00:00Z"); /* and from the end of what had one */
    swept(f);
    assert_int_equal(rows_of(f, "folder_grant", ""), 2);
    fixture_at(f, "2036-01-01T00:00:00Z");
    swept(f);
    assert_true(allowed(f, id, "open") && allowed(f, id, "again"));
}

/* Another term in the file counts for what is held already; a kind that it no longer has lets nobody in. */
static void another_policy(void **state)
{
    struct fixture *f = *state;
    text id = arena_copy(&f->arena, person_made(f, "ada@example.org", ""));
    struct answer out = { 0 };
    granted(f, id, "sales", "");
    fixture_again(f, POLICY("collection"));
    fixture_at(f, "2026-02-10T00:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "folder_grant", ""), 0);
    assert_int_equal(
        folder_authorize(&f->c, js(f, "{'subject':'%.*s','folder':'cupboard','name':'sales'}", T(id)), &out),
        ERR_UNDECLARED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER(POLICY("closure"), grants_and_revocations_add_up),
        OVER(POLICY("closure"), from_and_until),
        OVER(POLICY("closure"), who_may),
        OVER(POLICY("closure"), sealed_and_of_one_tenant),
        OVER(POLICY("closure"), read_as_records),
        OVER(POLICY("closure"), access_answer_and_erasure),
        OVER(POLICY("closure"), a_closed_account_enters_nowhere),
        OVER(POLICY("event"), ended_grants_go_at_their_term),
        OVER(POLICY("event"), another_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
