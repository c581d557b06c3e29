/* Preferences: a record a place, over what holds for all places, over the policy's defaults; checked by type; kept and
 * erased as records. */
#include "domain_fixture.h"
#include "domain/rights/access.h"
#include "domain/rights/export.h"
#include "domain/keep/erase.h"
#include "domain/core/id.h"
#include "domain/preference/preference.h"
#include "domain/keep/hold.h"
#include "domain/account/session.h"
#include "domain/person/subject.h"
#include <string.h>

static const char policy[] =
    "categories:\n"
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
    "  looks: {many: true, per: board, title: {en: Boards, fr: Tableaux}, fields: {board.colour: {type: colour, default: '#0055a4'},"
    " items: {type: integer, min: 5, max: 100, default: 20}, wide: {type: boolean, default: false}, note: {type: text, max: 20}}}\n"
    "  rooms: {many: true, per: room, fields: {title: {type: text, required: true}, layout: {type: choice, choices: [one, two], default: one}}}\n"
    "  visits: {many: true, per: page, stream: usage, fields: {page: {type: text}}}\n"
    "  entries: {many: true, per: contest, fields: {contest: {type: text, required: true}}}\n"
    "  single: {fields: {language: {type: choice, choices: [fr, en]}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [contact, looks, rooms, visits, entries, single]}\n"
    "  news: {basis: consent, categories: [contact]}\n"
    "retention:\n"
    "  looks: {from: collection, active: 30d}\n"
    "systems:\n"
    "  app: {purposes: [service], acts: [read, write, erase, export]}\n"
    "  reader: {purposes: [service], acts: [read]}\n"
    "  mailer: {purposes: [news], acts: [read, write]}\n"
    "recipients: none\n"
    "tenants: {one: {title: One, legal_name: One}, two: {title: Two, legal_name: Two}}\n";

static int open_it(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    fixture_open(*state, policy);
    return 0;
}

static int close_it(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

static enum err try_set(struct fixture *f, text id, const char *category, const char *place, const char *body,
                        const struct json **said)
{
    struct answer out = { 0 };
    enum err status = preference_set(&f->c, id, text_of(category), text_of(place), js(f, "%s", body), TEXT(""), &out);
    *said = status == OK ? parsed(f, out.body) : NULL;
    return status;
}

static const struct json *set(struct fixture *f, text id, const char *place, const char *body)
{
    const struct json *said;
    OKAY(try_set(f, id, "looks", place, body, &said));
    return said;
}

static const struct json *got(struct fixture *f, text id, const char *place)
{
    struct answer out = { 0 };
    OKAY(preference_get(&f->c, id, TEXT("looks"), text_of(place), TEXT(""), &out));
    return parsed(f, out.body);
}

/* A member whose name has a dot in it. */
static text colour(const struct json *said) { return json_text(json_get(said, TEXT("values")), TEXT("board.colour")); }

static void place_over_all_over_policy(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", "");
    const struct json *said = got(f, id, "sales");
    assert_true(text_eq(colour(said), TEXT("#0055a4")) && int_at(said, "values.items") == 20 &&
                !at_path(said, "values.wide")->truth);
    assert_true(at_path(said, "values.wide")->kind == J_BOOL && text_eq(text_at(said, "from.items"), TEXT("policy")));
    assert_null(json_get(at_path(said, "values"), TEXT("note")));
    set(f, id, "sales", "{'board.colour':'#112233'}");
    said = set(f, id, "sales", "{'items':50}");
    assert_true(text_eq(colour(said), TEXT("#112233")) && int_at(said, "values.items") == 50);
    set(f, id, "*", "{'items':7,'wide':true}");
    said = got(f, id, "sales");
    assert_true(int_at(said, "values.items") == 50 && at_path(said, "values.wide")->truth);
    assert_true(text_eq(text_at(said, "from.items"), TEXT("place")) &&
                text_eq(text_at(said, "from.wide"), TEXT("all")));
    assert_int_equal(int_at(got(f, id, "audience"), "values.items"), 7);
    said = set(f, id, "sales", "{'items':null}");
    assert_int_equal(int_at(said, "values.items"), 7);
    assert_int_equal(rows_of(f, "record", "category = 'looks'"), 2);
    struct answer out = { 0 };
    OKAY(preference_drop(&f->c, id, TEXT("looks"), TEXT("sales"), TEXT(""), &out));
    assert_true(text_eq(colour(got(f, id, "sales")), TEXT("#0055a4")));
    assert_int_equal(preference_drop(&f->c, id, TEXT("looks"), TEXT("sales"), TEXT(""), &out), ERR_NOT_FOUND);
}

static void each_value_by_its_type(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *body, *field;
        enum err status;
    } wrong[] = {
        { "{'board.colour':'blue'}", "looks.board.colour", ERR_VALUE },
        { "{'items':4}", "looks.items", ERR_VALUE },
        { "{'items':101}", "looks.items", ERR_VALUE },
        { "{'items':'20'}", "looks.items", ERR_VALUE },
        { "{'wide':'yes'}", "looks.wide", ERR_VALUE },
        { "{'item':20}", "looks.item", ERR_UNDECLARED },
        { "{'board':'other'}", "looks.board", ERR_UNDECLARED },
        { "{'gone':null}", "looks.gone", ERR_UNDECLARED },
        { "{'note':'4111111111111111'}", "looks.note", ERR_CARD_NUMBER },
        { "{'note':'longer than twenty letters'}", "looks.note", ERR_VALUE },
    };
    text id = person_made(f, "ada@example.org", "");
    const struct json *said;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(try_set(f, id, "looks", "sales", wrong[i].body, &said), wrong[i].status);
        if (!text_eq(text_of(f->arena.why.field), text_of(wrong[i].field)))
            fail_msg("%s: the fault is about %s", wrong[i].body, f->arena.why.field);
        assert_int_equal(try_set(f, id, "looks", "*", wrong[i].body, &said), wrong[i].status);
    }
    assert_int_equal(rows_of(f, "record", "category = 'looks'"), 0);
    assert_int_equal(try_set(f, id, "rooms", "blue room", "{'layout':'two'}", &said), ERR_MISSING);
    assert_true(text_eq(text_of(f->arena.why.field), TEXT("rooms.title")));
    OKAY(try_set(f, id, "rooms", "*", "{'layout':'two'}", &said));
    OKAY(try_set(f, id, "rooms", "blue room", "{'title':'Blue'}", &said));
    assert_true(text_eq(text_at(said, "values.layout"), TEXT("two")) &&
                text_eq(text_at(said, "values.title"), TEXT("Blue")));
    assert_int_equal(try_set(f, id, "rooms", "blue room", "{'title':null}", &said), ERR_MISSING);
    assert_int_equal(try_set(f, id, "rooms", "4111 1111 1111 1111", "{'title':'x'}", &said), ERR_CARD_NUMBER);
    static const char *const none[] = { "visits", "entries", "single", "contact", "nothing" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(try_set(f, id, none[i], "x", "{}", &said), ERR_UNDECLARED);
}

static void kept_as_records(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    set(f, id, "planted place", "{'items':33,'note':'planted note'}");
    assert_false(files_hold(f, TEXT("planted place")) || files_hold(f, TEXT("planted note")));
    OKAY(access_answer(&f->c, id, &out));
    const struct json *file = parsed(f, out.body);
    assert_int_equal(int_at(file, "data.looks.0.fields.items"), 33);
    assert_true(text_eq(text_at(file, "data.looks.0.fields.board"), TEXT("planted place")));
    OKAY(access_export(&f->c, id, &out));
    whole(f, &out);
    /* What a platform adds as a record without a place holds everywhere. */
    record_added(f, id, "looks", "{'items':44}");
    assert_int_equal(int_at(got(f, id, "elsewhere"), "values.items"), 44);
    fixture_at(f, "2026-02-01T00:00:00Z");
    set(f, id, "planted place", "{'items':34}");
    fixture_at(f, "2026-02-10T00:00:00Z"); /* the term of each begins with its last change */
    swept(f);
    assert_int_equal(int_at(got(f, id, "planted place"), "values.items"), 34);
    assert_int_equal(int_at(got(f, id, "elsewhere"), "values.items"), 20);
    fixture_at(f, "2026-03-04T00:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "record", "category = 'looks'"), 0);
    set(f, id, "again", "{'items':6}");
    OKAY(erase_subject(&f->c, id, NULL, &out));
    assert_int_equal(rows_of(f, "record", ""), 0);
}

static void who_may(void **state)
{
    struct fixture *f = *state;
    const struct json *said;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    set(f, id, "sales", "{'items':50}");
    fixture_as(f, "reader");
    assert_int_equal(int_at(got(f, id, "sales"), "values.items"), 50);
    assert_int_equal(try_set(f, id, "looks", "sales", "{'items':51}", &said), ERR_FORBIDDEN);
    assert_int_equal(preference_drop(&f->c, id, TEXT("looks"), TEXT("sales"), TEXT(""), &out), ERR_FORBIDDEN);
    fixture_as(f, "mailer");
    assert_int_equal(preference_get(&f->c, id, TEXT("looks"), TEXT("sales"), TEXT(""), &out), ERR_FORBIDDEN);
    assert_int_equal(preference_list(&f->c, id, TEXT(""), &out), ERR_FORBIDDEN);
    /* The person themselves, and nobody else as one. */
    fixture_as(f, "person");
    f->c.actor.has_self = true;
    assert_true(id_parse(id, &f->c.actor.self));
    said = set(f, id, "sales", "{'items':52}");
    assert_int_equal(int_at(said, "values.items"), 52);
    OKAY(preference_list(&f->c, id, TEXT(""), &out));
    const struct json *all = at_path(parsed(f, out.body), "preferences");
    assert_int_equal(all->count, 2);
    assert_true(text_eq(text_at(all, "0.category"), TEXT("looks")) && text_eq(text_at(all, "0.per"), TEXT("board")));
    assert_true(text_eq(text_at(all, "0.places.0.place"), TEXT("*")) &&
                text_eq(text_at(all, "0.places.1.place"), TEXT("sales")));
    assert_int_equal(int_at(all, "0.fields.1.max"), 100);
    assert_int_equal(int_at(all, "0.fields.1.default"), 20);
    assert_true(text_eq(text_at(all, "0.fields.0.type"), TEXT("colour")) &&
                text_eq(text_at(all, "1.fields.1.choices.1"), TEXT("two")));
    fixture_as(f, "app");
    text other = person_made(f, "bob@example.org", "");
    fixture_as(f, "person");
    f->c.actor.has_self = true;
    assert_true(id_parse(id, &f->c.actor.self));
    assert_int_equal(preference_get(&f->c, other, TEXT("looks"), TEXT("sales"), TEXT(""), &out), ERR_NOT_FOUND);
    assert_int_equal(try_set(f, other, "looks", "sales", "{'items':51}", &said), ERR_NOT_FOUND);
    fixture_as(f, "app");
    f->c.tenant = f->c.policy->tenants[1];
    assert_int_equal(preference_get(&f->c, id, TEXT("looks"), TEXT("sales"), TEXT(""), &out), ERR_NOT_FOUND);
    assert_int_equal(rows_of(f, "journal",
                             "leaf LIKE '%\"act\":\"read\"%' AND leaf NOT LIKE '%\"purpose\":\"service\"%' AND"
                             " leaf NOT LIKE '%\"purpose\":\"preferences\"%'"),
                     0);
}

static void places_are_bounded(void **state)
{
    struct fixture *f = *state;
    const struct json *said;
    char place[32], longest[PLACE_CHARACTERS + 2];
    text id = person_made(f, "ada@example.org", "");
    for (int i = 0; i < PLACES_MAX; i++) {
        snprintf(place, sizeof place, "board-%d", i);
        OKAY(try_set(f, id, "looks", place, "{'items':10}", &said));
    }
    assert_int_equal(try_set(f, id, "looks", "one more", "{'items':10}", &said), ERR_TOO_LARGE);
    OKAY(try_set(f, id, "looks", "board-7", "{'items':11}", &said));
    memset(longest, 'x', sizeof longest), longest[PLACE_CHARACTERS + 1] = '\0';
    assert_int_equal(try_set(f, id, "looks", longest, "{'items':10}", &said), ERR_VALUE);
    assert_int_equal(rows_of(f, "record", "category = 'looks'"), PLACES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(place_over_all_over_policy, open_it, close_it),
        cmocka_unit_test_setup_teardown(each_value_by_its_type, open_it, close_it),
        cmocka_unit_test_setup_teardown(kept_as_records, open_it, close_it),
        cmocka_unit_test_setup_teardown(who_may, open_it, close_it),
        cmocka_unit_test_setup_teardown(places_are_bounded, open_it, close_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
