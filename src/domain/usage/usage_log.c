/* Lines of web servers' logs: read, tied to people or counted as anonymous visits, masked, cut to what the policy
 * declares, and taken once. */
#include "base/card.h"
#include "domain/account/agent.h"
#include "domain/core/block.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/normal.h"
#include "domain/core/value.h"
#include "domain/person/form.h"
#include "domain/person/person.h"
#include "domain/usage/audience.h"
#include "domain/usage/intake.h"
#include "domain/usage/usage.h"

enum { LINES_MAX = 1000, LINE_MAX = 16384, FAULTS = 20, DROPPED_MAX = 64 };

/* What a line tells; p NULL: it does not. */
struct line {
    text user, time, ip, path, status, bytes, referrer, agent, response_ms;
    const struct json *others; /* of the JSON form: its object */
};
struct dropped {
    text field;
    int64_t lines;
};
struct log {
    struct ctx *c;
    struct intake intake;
    struct audience audience; /* anonymous visits, if the policy counts them */
    int category;
    bool json;
    struct digest file;
    int64_t from, to, position, line; /* line: lines of the file before these */
    int64_t lines, nobody, refused, over, queries, masked, bad;
    struct dropped dropped[DROPPED_MAX];
    unsigned dropped_count, fault_count;
    struct {
        int64_t line;
        text detail;
    } faults[FAULTS];
};

/* ---- The combined format: HOST IDENT USER [TIME] "REQUEST" STATUS BYTES "REFERRER" "AGENT" …. ---- */

/* The next field; a quoted one ends at its quote, and what is escaped inside does not end it. */
static bool next_field(text *rest, char open, char close, text *out)
{
    *rest = text_trim(*rest);
    if (!rest->n || (open && rest->p[0] != open))
        return false;
    size_t from = open ? 1 : 0, end = from;
    while (end < rest->n && rest->p[end] != close)
        end += rest->p[end] == '\\' && end + 1 < rest->n ? 2 : 1;
    if (end > rest->n)
        end = rest->n;
    if (open && end == rest->n)
        return false;
    *out = text_upto(text_from(*rest, from), end - from);
    *rest = text_from(*rest, end + 1);
    return true;
}

static text or_none(text s) { return s.n && !text_eq(s, TEXT("-")) ? s : (text){ NULL, 0 }; }

static bool read_request(text request, text *path)
{
    text rest = request, method = text_cut(&rest, ' '), target = text_cut(&rest, ' ');
    if (!method.n || !target.n)
        return false;
    *path = target;
    return true;
}

static bool read_combined(text s, struct line *out)
{
    text ident, request;
    *out = (struct line){ .others = NULL };
    if (!next_field(&s, 0, ' ', &out->ip) || !next_field(&s, 0, ' ', &ident) || !next_field(&s, 0, ' ', &out->user) ||
        !next_field(&s, '[', ']', &out->time) || !next_field(&s, '"', '"', &request) ||
        !next_field(&s, 0, ' ', &out->status) || !next_field(&s, 0, ' ', &out->bytes))
        return false;
    read_request(request, &out->path); /* what is no request (a scan, a TLS greeting) has no path */
    if (next_field(&s, '"', '"', &out->referrer))
        next_field(&s, '"', '"', &out->agent);
    return true;
}

/* "10/Oct/2000:13:55:36 -0700" */
static bool read_clf_time(text s, msec *out)
{
    static const text months[] = { TEXT_INIT("Jan"), TEXT_INIT("Feb"), TEXT_INIT("Mar"), TEXT_INIT("Apr"),
                                   TEXT_INIT("May"), TEXT_INIT("Jun"), TEXT_INIT("Jul"), TEXT_INIT("Aug"),
                                   TEXT_INIT("Sep"), TEXT_INIT("Oct"), TEXT_INIT("Nov"), TEXT_INIT("Dec") };
    char iso[32];
    unsigned m = 0;
    if (s.n != 26 || s.p[2] != '/' || s.p[6] != '/' || s.p[11] != ':' || s.p[20] != ' ')
        return false;
    while (m < 12 && !text_eq(text_upto(text_from(s, 3), 3), months[m]))
        m++;
    int n = snprintf(iso, sizeof iso, "%.4s-%02u-%.2sT%.8s%.3s:%.2s", s.p + 7, m + 1, s.p, s.p + 12, s.p + 21,
                     s.p + 24);
    return m < 12 && n > 0 && time_parse((text){ iso, (size_t)n }, out);
}

/* ---- One JSON object a line, with the names of nginx's variables or those of the policy's fields. ---- */

static text member_of(const struct json *o, const char *const *names)
{
    for (; *names; names++) {
        const struct json *v = json_get(o, text_of(*names));
        if (v && (v->kind == J_TEXT || v->kind == J_NUMBER) && v->value.n)
            return v->value;
    }
    return (text){ NULL, 0 };
}

static const char *const names_user[] = { "remote_user", "user", "subject", NULL };
static const char *const names_time[] = { "time_iso8601", "time", "at", "time_local", NULL };
static const char *const names_ip[] = { "remote_addr", "ip", NULL };
static const char *const names_path[] = { "request_uri", "uri", "path", "file", "page", NULL };
static const char *const names_status[] = { "status", NULL };
static const char *const names_bytes[] = { "body_bytes_sent", "bytes_sent", "bytes", NULL };
static const char *const names_referrer[] = { "http_referer", "referer", "referrer", NULL };
static const char *const names_agent[] = { "http_user_agent", "user_agent", "agent", NULL };
static const char *const names_request[] = { "request", NULL };
static const char *const names_response[] = { "response_ms", NULL };
static const char *const *const names_all[] = {
    names_user,  names_time,     names_ip,    names_path,    names_status,
    names_bytes, names_referrer, names_agent, names_request, names_response
};

static bool is_known_name(text name)
{
    for (size_t i = 0; i < sizeof names_all / sizeof *names_all; i++)
        for (const char *const *n = names_all[i]; *n; n++)
            if (text_eq(name, text_of(*n)))
                return true;
    return false;
}

static bool read_json(struct arena *a, text s, struct line *out)
{
    const struct json *o;
    if (json_parse(a, s, &o) != OK || o->kind != J_OBJECT)
        return false;
    *out = (struct line){ .user = member_of(o, names_user),
                          .time = member_of(o, names_time),
                          .ip = member_of(o, names_ip),
                          .path = member_of(o, names_path),
                          .status = member_of(o, names_status),
                          .bytes = member_of(o, names_bytes),
                          .referrer = member_of(o, names_referrer),
                          .agent = member_of(o, names_agent),
                          .response_ms = member_of(o, names_response),
                          .others = o };
    if (!out->path.p)
        read_request(member_of(o, names_request), &out->path);
    return true;
}

/* ---- Cut to what the policy declares. ---- */

static void count_dropped(struct log *l, text field)
{
    unsigned i = 0;
    while (i < l->dropped_count && !text_eq(l->dropped[i].field, field))
        i++;
    if (i == DROPPED_MAX)
        return; /* a form with so many names is named by those */
    if (i == l->dropped_count)
        l->dropped[l->dropped_count++].field = arena_copy(l->c->arena, field);
    l->dropped[i].lines++;
}

static void put_value(struct json_out *w, const struct field *f, text value)
{
    int64_t number;
    if (f->type == FIELD_INTEGER && text_int(value, &number))
        json_pair_int(w, f->name, number);
    else
        json_pair(w, f->name, value);
}

/* Under the first of these names that the category declares; else it is dropped, by the first name. */
static void put_fact(struct log *l, struct json_out *w, const char *const *names, text value)
{
    const struct category *cat = &l->c->policy->categories[l->category];
    value = or_none(value);
    for (const char *const *n = names; value.p && *n; n++) {
        int at = policy_field(cat, text_of(*n));
        if (at < 0)
            continue;
        put_value(w, &cat->fields[at], value);
        return;
    }
    if (value.p)
        count_dropped(l, text_of(*names));
}

/* What follows "?" or "#" may say anything of anybody. */
static text without_query(struct log *l, text target)
{
    for (size_t i = 0; i < target.n; i++)
        if (target.p[i] == '?' || target.p[i] == '#') {
            l->queries++;
            return text_upto(target, i);
        }
    return target;
}

static void put_others(struct log *l, struct json_out *w, const struct json *others)
{
    const struct category *cat = &l->c->policy->categories[l->category];
    JSON_EACH(v, others) {
        if (is_known_name(v->key))
            continue;
        if (policy_field(cat, v->key) < 0) {
            count_dropped(l, value_shown(v->key));
            continue;
        }
        json_name(w, v->key);
        json_put(w, v);
    }
}

static enum err fields_of(struct log *l, const struct line *line, msec at, const struct json **out)
{
    static const char *const ip[] = { "ip", NULL }, *const path[] = { "file", "page", "path", NULL },
                             *const status[] = { "status", NULL }, *const bytes[] = { "bytes", NULL },
                             *const referrer[] = { "referrer", NULL }, *const browser[] = { "browser", NULL },
                             *const system[] = { "system", NULL }, *const response[] = { "response_ms", NULL };
    struct arena *a = l->c->arena;
    const struct field *time = intake_time(&l->c->policy->categories[l->category]);
    char shown[TIME_TEXT + 1];
    BUF_AUTO b = buf_make(1 << 17);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    if (time)
        json_pair(&w, time->name, time_text(at, shown));
    put_fact(l, &w, ip, line->ip);
    put_fact(l, &w, path, without_query(l, line->path));
    put_fact(l, &w, status, line->status);
    put_fact(l, &w, bytes, line->bytes);
    put_fact(l, &w, referrer, without_query(l, line->referrer));
    put_fact(l, &w, browser, agent_browser(a, line->agent));
    put_fact(l, &w, system, agent_system(a, line->agent));
    put_fact(l, &w, response, line->response_ms);
    put_others(l, &w, line->others);
    json_close(&w, '}');
    return json_parse_buf(a, &b, out);
}

/* ---- Whose line it is. ---- */

static enum err find_by(struct ctx *c, const struct category *cat, const struct field *f, text user, text *id)
{
    struct digest digest;
    struct subject_id found_id;
    bool found;
    text name = arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(f->name));
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, name, normal_lookup(c, f, user), &digest);
    TRY(person_find(c, name, &digest, &found, &found_id));
    if (found)
        *id = id_print(c->arena, found_id);
    return OK;
}

/* An id of a person, or one of their identifiers; empty for nobody. */
static enum err person_of(struct ctx *c, text user, text *id)
{
    struct subject_id parsed;
    *id = TEXT("");
    if (!or_none(user).p)
        return OK;
    if (id_parse(user, &parsed)) {
        *id = user;
        return OK;
    }
    for (unsigned i = 0; i < c->policy->category_count; i++)
        for (unsigned k = 0; k < c->policy->categories[i].field_count && !id->n; k++)
            if (c->policy->categories[i].fields[k].identifier)
                TRY(find_by(c, &c->policy->categories[i], &c->policy->categories[i].fields[k], user, id));
    return OK;
}

static enum err under_of(struct log *l, text user, struct under **out)
{
    text id;
    *out = intake_known(&l->intake, user, l->category);
    if (*out)
        return OK;
    TRY(person_of(l->c, user, &id));
    return intake_under(&l->intake, user, id, l->category, out);
}

/* ---- One line. ---- */

static void fault(struct log *l, int64_t number, text detail)
{
    l->bad++;
    if (l->fault_count == FAULTS)
        return;
    l->faults[l->fault_count].line = number;
    l->faults[l->fault_count++].detail = arena_copy(l->c->arena, detail);
}

static bool is_of_line(enum err e)
{
    return e == ERR_VALUE || e == ERR_MISSING || e == ERR_UNDECLARED || e == ERR_CARD_NUMBER || e == ERR_JSON;
}

/* What an old log holds beyond its term is not taken at all. */
static void drop_over(struct log *l)
{
    struct intake *t = &l->intake;
    msec due = t->made[t->made_count - 1].due;
    if (due && due <= l->c->now) {
        t->made_count--;
        l->over++;
    }
}

static enum err take_fields(struct log *l, struct under *u, const struct line *line, msec at, int64_t number)
{
    struct ctx *c = l->c;
    const struct json *fields;
    TRY(fields_of(l, line, at, &fields));
    enum err status = value_take_category(c, &c->policy->categories[l->category], &fields, u->other);
    if (status == OK) {
        TRY(intake_add(&l->intake, u, fields, at, at * 1000 + number % 1000000));
        drop_over(l);
        return OK;
    }
    if (!is_of_line(status))
        return status;
    fault(l, number, text_of(c->arena->why.detail));
    return OK;
}

/* Of nobody: their visit counts, if the policy counts visits; nothing else of the line is read on. */
static enum err take_visit(struct log *l, const struct line *line, msec at, int64_t number)
{
    struct arena *a = l->c->arena;
    const struct visit v = { .page = or_none(without_query(l, line->path)),
                             .status = or_none(line->status),
                             .browser = agent_browser(a, line->agent),
                             .system = agent_system(a, line->agent) };
    bool counted;
    enum err status = audience_add(&l->audience, at, &v, &counted);
    if (status == OK) {
        l->over += !counted;
        return OK;
    }
    if (!is_of_line(status))
        return status;
    fault(l, number, text_of(a->why.detail));
    return OK;
}

static enum err take_line(struct log *l, text s, int64_t number)
{
    struct ctx *c = l->c;
    struct line line;
    struct under *u;
    msec at;
    text hidden = card_mask(c->arena, s);
    TRY_PTR(hidden.p);
    l->masked += !text_eq(hidden, s);
    if (s.n > LINE_MAX || !(l->json ? read_json(c->arena, hidden, &line) : read_combined(hidden, &line))) {
        fault(l, number, s.n > LINE_MAX ? TEXT("too long") : TEXT("not of this format"));
        return OK;
    }
    if (!read_clf_time(line.time, &at) && !time_parse(line.time, &at)) {
        fault(l, number, TEXT("its time cannot be read"));
        return OK;
    }
    if (!or_none(line.user).p && l->audience.category >= 0)
        return take_visit(l, &line, at, number);
    TRY(under_of(l, or_none(line.user).p ? line.user : TEXT("-"), &u));
    l->nobody += u->refused == ERR_NOT_FOUND;
    l->refused += u->refused != OK && u->refused != ERR_NOT_FOUND;
    return u->refused == OK ? take_fields(l, u, &line, at, number) : OK;
}

/* ---- The commit: the lines and the file's position. ---- */

static enum err run_log(struct db *db, struct write *w)
{
    struct log *l = w->arg;
    int64_t moved;
    TRY(db_run(db, SQL_USAGE_FILE_MOVE, &moved,
               ARGS(V_TEXT(l->c->tenant), V_BYTES(TEXT_BYTES(l->file)), V_INT(l->from), V_INT(l->to), V_INT(l->lines),
                    V_INT(l->c->now))));
    if (!moved)
        return say(db_arena(db), ERR_CONFLICT, "the file was taken up to another place meanwhile");
    TRY(audience_run(db, &l->audience));
    return intake_run(db, w, &l->intake);
}

static enum err load_position(struct log *l)
{
    struct ctx *c = l->c;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_USAGE_FILE_AT, ARGS(V_TEXT(c->tenant), V_BYTES(TEXT_BYTES(l->file))));
    if (query_next(&q)) {
        l->position = query_get(&q, USAGE_FILE_AT, position);
        l->line = query_get(&q, USAGE_FILE_AT, lines);
    }
    return q.status;
}

/* ---- The request. ---- */

static enum err put_answer(struct log *l, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair_int(&w, TEXT("position"), l->position);
    json_pair_int(&w, TEXT("line"), l->line);
    json_pair_int(&w, TEXT("taken"), l->intake.taken);
    json_pair_int(&w, TEXT("visits"), l->audience.views);
    json_pair_int(&w, TEXT("nobody"), l->nobody);
    json_pair_int(&w, TEXT("refused"), l->refused);
    json_pair_int(&w, TEXT("over"), l->over);
    json_pair_int(&w, TEXT("queries"), l->queries);
    json_pair_int(&w, TEXT("masked"), l->masked);
    json_pair_int(&w, TEXT("bad"), l->bad);
    json_name(&w, TEXT("dropped"));
    json_open(&w, '[');
    for (unsigned i = 0; i < l->dropped_count; i++) {
        json_open(&w, '{');
        json_pair(&w, TEXT("field"), l->dropped[i].field);
        json_pair_int(&w, TEXT("lines"), l->dropped[i].lines);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_name(&w, TEXT("faults"));
    json_open(&w, '[');
    for (unsigned i = 0; i < l->fault_count; i++) {
        json_open(&w, '{');
        json_pair_int(&w, TEXT("line"), l->faults[i].line);
        json_pair(&w, TEXT("detail"), l->faults[i].detail);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(l->c->arena, &b, &out->body);
}

static enum err begin(struct log *l, const struct json *in)
{
    struct ctx *c = l->c;
    text head = json_text(in, TEXT("head")), name = json_text(in, TEXT("category")),
         format = json_text(in, TEXT("format"));
    if (!head.n)
        return say(c->arena, ERR_MISSING, "\"head\" is the first line of the file");
    l->json = text_eq(format, TEXT("json"));
    if (format.n && !l->json && !text_eq(format, TEXT("combined")))
        return say(c->arena, ERR_VALUE, "\"format\" is combined or json");
    l->category = policy_stream(c->policy, TEXT("logs"));
    if (name.n)
        TRY(form_category_of(c, name, &l->category));
    if (l->category < 0 || !block_holds(&c->policy->categories[l->category]))
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                          "the policy names no category of stream \"logs\" that this log could feed");
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, TEXT("usage-file"), head, &l->file);
    return load_position(l);
}

static void end_log(struct log **l) { intake_wipe(&(*l)->intake); }

enum err usage_log_take(struct ctx *c, const struct json *in, struct answer *out)
{
    struct log *l = NEW(c->arena, struct log);
    TRY_PTR(l);
    *l = (struct log){ .c = c };
    CLEANUP(end_log) struct log *log = l;
    struct intake *t = &log->intake;
    const struct json *lines = json_get(in, TEXT("lines"));
    TRY(begin(l, in));
    if (!json_int(json_get(in, TEXT("to")), &l->to))
        return put_answer(l, out);
    if (lines && lines->count > LINES_MAX)
        return say(c->arena, ERR_TOO_LARGE, "at most %d lines are taken at once", LINES_MAX);
    if (!json_int(json_get(in, TEXT("from")), &l->from) || l->from != l->position || l->to < l->from)
        return say(c->arena, ERR_CONFLICT, "the file was taken up to byte %lld", (long long)l->position);
    *t = (struct intake){ .c = c, .list = true };
    TRY(intake_room(t, lines ? lines->count : 0));
    TRY(audience_begin(&log->audience, c, lines ? lines->count : 0));
    JSON_EACH(line, lines)
        TRY(take_line(l, line->value, l->line + ++l->lines));
    if (log->audience.count)
        bits_add(&t->categories, (unsigned)log->audience.category);
    TRY(audience_seal(&log->audience));
    TRY(intake_write(t, run_log, l));
    l->position = l->to;
    l->line += l->lines;
    return put_answer(l, out);
}
