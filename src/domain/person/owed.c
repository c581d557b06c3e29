/* Duties owed to people: how one is added. */
#include "domain/person/owed.h"
#include "store/store.h"
#include "base/buf.h"
#include "base/calendar.h"
#include "policy/policy.h"

static const struct duty_kind kinds[] = {
#define DUTY(name, months, days, article, en, fr)                                                                      \
    { TEXT_INIT(name), months, days, TEXT_INIT(article), TEXT_INIT(en), TEXT_INIT(fr) },
#include "domain/person/duties.def"
#undef DUTY
};

const struct duty_kind *owed_kind_of(text name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_eq(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

static enum err add(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                    text about, text note, text categories, msec at, msec due)
{
    const struct duty_kind *k = owed_kind_of(kind);
    if (!k)
        return say(db_arena(db), ERR_INTERNAL, "duties.def has no kind %.*s", T(kind));
    if (!due)
        due = date_start(date_add_months(date_of(at), k->months)) + k->days * DAY;
    return db_run(db, SQL_DUTY_ADD, NULL,
                  ARGS(V_TEXT(tenant), V_ID(id), V_TEXT(kind), V_TEXT(about), subject ? V_ID(*subject) : V_NULL,
                       V_TEXT(note), V_INT(at), V_INT(due), categories.n ? V_TEXT(categories) : V_NULL));
}

enum err duty_add(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                  text about, msec at, msec due)
{
    return add(db, tenant, id, subject, kind, about, (text){ NULL, 0 }, TEXT(""), at, due);
}

enum err duty_tell(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                   const struct given *g, msec at)
{
    return add(db, tenant, id, subject, kind, g->recipient, g->disclosures, g->categories, at, 0);
}

/* ---- Who was given data. ---- */

/* Those of these categories that were among what was given: `given` as the row says them. */
static struct bits concerned(const struct policy *p, const struct bits *changed, text given)
{
    struct bits out = { { 0 } };
    while (given.n) {
        int index = policy_category(p, text_cut(&given, ','));
        if (index >= 0 && bits_has(changed, (unsigned)index))
            bits_add(&out, (unsigned)index);
    }
    return out;
}

enum { REFERENCES_MAX = 64 << 20 };
struct found {
    struct given given;
    struct bits categories;
    struct buf disclosures; /* grows: somebody may have been disclosed thousands of times */
};

static enum err add_given(struct arena *a, struct given **list, text recipient, struct subject_id disclosure,
                          struct bits categories)
{
    struct given **at = list;
    while (*at && !text_eq((*at)->recipient, recipient))
        at = &(*at)->next;
    struct found *f = (struct found *)*at;
    if (!f) {
        f = NEW(a, struct found);
        TRY_PTR(f);
        *f = (struct found){ .given = { .recipient = arena_copy(a, recipient) },
                             .disclosures = buf_make(REFERENCES_MAX) };
        *at = &f->given;
    }
    char digits[ID_TEXT];
    id_digits(disclosure, digits);
    if (f->disclosures.n)
        buf_char(&f->disclosures, ',');
    buf_add(&f->disclosures, (text){ digits, ID_TEXT });
    for (unsigned i = 0; i < 4; i++)
        f->categories.w[i] |= categories.w[i];
    return arena_whole(a);
}

static enum err name_categories(struct arena *a, const struct policy *p, struct found *f)
{
    BUF_AUTO b = buf_make(1 << 16);
    for (unsigned i = 0; i < p->category_count; i++)
        if (bits_has(&f->categories, i))
            buf_print(&b, "%s%.*s", b.n ? "," : "", T(p->categories[i].name));
    return buf_take(a, &b, &f->given.categories);
}

static enum err find_given(struct db *db, struct arena *a, const struct policy *p, struct val who[2],
                           const struct bits *changed, msec since, struct given **out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_DISCLOSURE_TOLD, who, 2);
    while (query_next(&q)) {
        struct subject_id id;
        struct bits of = { { 0 } };
        text key = query_get(&q, DISCLOSURE_TOLD, id);
        if (key.n != sizeof id)
            return say(a, ERR_INTEGRITY, "a disclosure has an id of %zu bytes", key.n);
        memcpy(&id, key.p, sizeof id);
        if (changed)
            of = concerned(p, changed, query_get(&q, DISCLOSURE_TOLD, categories));
        if ((!changed || bits_any(&of)) && query_get(&q, DISCLOSURE_TOLD, at) >= since)
            TRY(add_given(a, out, query_get(&q, DISCLOSURE_TOLD, recipient), id, of));
    }
    return q.status;
}

enum err owed_given(struct db *db, struct arena *a, const struct policy *p, text tenant, struct subject_id subject,
                    const struct bits *changed, msec since, struct given **out)
{
    *out = NULL;
    enum err status = find_given(db, a, p, (struct val[]){ V_TEXT(tenant), V_ID(subject) }, changed, since, out);
    for (struct given *g = *out; g; g = g->next) {
        struct found *f = (struct found *)g;
        if (status == OK)
            status = buf_take(a, &f->disclosures, &g->disclosures);
        buf_free(&f->disclosures);
        if (status == OK)
            status = name_categories(a, p, f);
    }
    return status;
}

/* ---- It is owed once. ---- */

/* Those of both lists, each once: in the order of their ids. */
static enum err join(struct arena *a, text one, text other, text *out)
{
    BUF_AUTO b = buf_make(REFERENCES_MAX);
    text x = text_cut(&one, ','), y = text_cut(&other, ',');
    while (x.n || y.n) {
        int order = !x.n ? 1 : !y.n ? -1 : text_cmp(x, y);
        buf_print(&b, "%s%.*s", b.n ? "," : "", T(order <= 0 ? x : y));
        if (order <= 0)
            x = text_cut(&one, ',');
        if (order >= 0)
            y = text_cut(&other, ',');
    }
    return buf_take(a, &b, out);
}

/* Owed already, and no try of it has begun: what was disclosed since is told with it. */
static enum err is_owed(struct db *db, text tenant, struct subject_id subject, text kind, const struct given *g,
                        bool *out)
{
    struct subject_id id;
    text references = { NULL, 0 };
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_DUTY_OWED,
                    ARGS(V_TEXT(tenant), V_ID(subject), V_TEXT(kind), V_TEXT(g->recipient), V_TEXT(g->categories)));
        *out = query_next(&q);
        if (!*out)
            return q.status;
        text bytes = query_get(&q, DUTY_OWED, id), note = query_get(&q, DUTY_OWED, note);
        if (bytes.n != sizeof id)
            return say(db_arena(db), ERR_INTEGRITY, "a duty has an id of %zu bytes", bytes.n);
        memcpy(&id, bytes.p, sizeof id);
        if (text_eq(note, g->disclosures))
            return q.status;
        TRY(join(db_arena(db), note, g->disclosures, &references));
        TRY(q.status);
    }
    return db_run(db, SQL_DUTY_REFERENCES, NULL, ARGS(V_TEXT(tenant), V_ID(id), V_TEXT(references)));
}

/* The id behind it: ids are drawn before a write, and how many are needed is known inside. */
static struct subject_id behind(struct subject_id id)
{
    for (size_t i = sizeof id.b; i-- > 0;)
        if (++id.b[i])
            break;
    return id;
}

enum err owed_tell(struct db *db, const struct policy *p, text tenant, struct subject_id subject, text kind,
                   const struct bits *changed, msec since, struct subject_id id, msec at)
{
    struct given *list;
    TRY(owed_given(db, db_arena(db), p, tenant, subject, changed, since, &list));
    for (; list; list = list->next) {
        bool owed;
        TRY(is_owed(db, tenant, subject, kind, list, &owed));
        id = behind(id);
        if (!owed)
            TRY(duty_tell(db, tenant, id, &subject, kind, list, at));
    }
    return OK;
}

/* ---- A restriction that ended. ---- */

enum err owed_overtaken(struct db *db, text tenant, struct subject_id subject, text kind, msec at)
{
    struct val v[] = { V_TEXT(tenant), V_ID(subject), V_TEXT(kind), V_INT(at) };
    TRY(db_run(db, SQL_DUTY_UNTOLD, NULL, v, 3));
    return db_run(db, SQL_DUTY_OVERTAKEN, NULL, v, 4);
}

/* *out: their names, a comma behind each. */
static enum err find_restricted(struct db *db, text tenant, struct subject_id subject, text *out)
{
    QUERY_AUTO q;
    BUF_AUTO b = buf_make(1 << 16);
    query_start(&q, db, SQL_DUTY_RESTRICTED, ARGS(V_TEXT(tenant), V_ID(subject)));
    while (query_next(&q))
        buf_print(&b, "%.*s,", T(query_get(&q, DUTY_RESTRICTED, about)));
    TRY(q.status);
    return buf_take(db_arena(db), &b, out);
}

static bool is_among(text names, text one)
{
    while (names.n)
        if (text_eq(text_cut(&names, ','), one))
            return true;
    return false;
}

enum err owed_release(struct db *db, const struct policy *p, text tenant, struct subject_id subject,
                      struct subject_id id, msec at)
{
    struct given *list = NULL;
    text restricted;
    TRY(owed_overtaken(db, tenant, subject, TEXT("tell_restriction"), at));
    TRY(find_restricted(db, tenant, subject, &restricted));
    if (restricted.n)
        TRY(owed_given(db, db_arena(db), p, tenant, subject, NULL, 0, &list));
    for (; list; list = list->next) {
        id = behind(id);
        if (is_among(restricted, list->recipient))
            TRY(duty_tell(db, tenant, id, &subject, TEXT("tell_release"), list, at));
    }
    return OK;
}
