/* Emails that come in: their address, their envelope, the reader, and what machines write. */
#include "domain/mail/inbound.h"
#include "base/json.h"
#include "base/log.h"
#include "domain/core/feature.h"
#include "domain/core/instance.h"
#include "domain/core/reader.h"
#include "domain/core/value.h"

enum { READ_AGAIN = 2, HOPS_MOST = 40 };

void inbound_open(struct app *app, const struct reader *reader, bool listens, text trusted)
{
    app->inbound.reader = reader;
    app->inbound.listens = listens;
    (void)text_cstr(trusted, app->inbound.trusted, sizeof app->inbound.trusted); /* a longer one is nobody's */
}

/* ---- Addresses. ---- */

/* Whether `to` is that address, or one of it with "+TAG" before the @. */
static bool address_is(text to, text ours, text *tag)
{
    ptrdiff_t at = text_index(to, '@'), own = text_index(ours, '@');
    if (at <= 0 || own <= 0 || !text_eq_nocase(text_from(to, (size_t)at), text_from(ours, (size_t)own)))
        return false;
    text local = text_upto(to, (size_t)at), known = text_upto(ours, (size_t)own);
    *tag = TEXT("");
    if (text_eq_nocase(local, known))
        return true;
    if (local.n <= known.n || local.p[known.n] != '+' || !text_eq_nocase(text_upto(local, known.n), known))
        return false;
    *tag = text_from(local, known.n + 1);
    return true;
}

static bool is_stop(struct ctx *c, text to, text *tag)
{
    text from = text_of(c->app->mail.from);
    ptrdiff_t at = text_index(from, '@');
    text ours = at > 0 ? arena_print(c->arena, "unsubscribe%.*s", T(text_from(from, (size_t)at))) : TEXT("");
    return address_is(to, ours, tag) && tag->n;
}

static unsigned privacy_addresses(const struct ctx *c, text out[3])
{
    const struct node *root = c->policy->root;
    out[0] = node_text(node_at(root, TEXT("rights.channels")), TEXT("email"));
    out[1] = c->policy->controller.email;
    out[2] = node_text(node_at(root, TEXT("dpo")), TEXT("email"));
    return 3;
}

static text tenant_address(const struct ctx *c, text tenant)
{
    return node_text(node_get(node_get(c->policy->root, TEXT("tenants")), tenant), TEXT("email"));
}

enum inbound_box inbound_box(struct ctx *c, text to, text *tenant, text *tag)
{
    text own[3];
    *tenant = c->policy->tenants[0];
    for (unsigned i = 0; i < c->policy->tenant_count; i++)
        if (address_is(to, tenant_address(c, c->policy->tenants[i]), tag)) {
            *tenant = c->policy->tenants[i];
            return INBOUND_TENANT;
        }
    for (unsigned i = 0, n = privacy_addresses(c, own); i < n; i++)
        if (address_is(to, own[i], tag))
            return INBOUND_PRIVACY;
    if (is_stop(c, to, tag))
        return INBOUND_STOP;
    return address_is(to, text_of(c->app->mail.from), tag) ? INBOUND_SENDER : INBOUND_NONE;
}

text inbound_address(struct ctx *c)
{
    text own[3], mine = tenant_address(c, c->tenant);
    if (mine.n || !text_eq(c->tenant, c->policy->tenants[0]))
        return mine;
    unsigned n = privacy_addresses(c, own);
    for (unsigned i = 0; i < n && !mine.n; i++)
        mine = own[i];
    return mine;
}

/* ---- What machines write. ---- */

text inbound_header(const struct inbound *m, text name)
{
    JSON_EACH(h, json_get(m->said, TEXT("headers")))
        if (text_eq_nocase(json_text(h, TEXT("name")), name))
            return text_trim(json_text(h, TEXT("value")));
    return (text){ NULL, 0 };
}

enum how { HOW_there, HOW_not, HOW_is, HOW_begins, HOW_holds };
static const struct {
    text why, header;
    enum how how;
    text value;
} machines[] = {
#define MACHINE(why, header, how, value) { TEXT_INIT(#why), TEXT_INIT(header), HOW_##how, TEXT_INIT(value) },
#include "domain/mail/machine.def"
};

static bool fits(enum how how, text said, text value)
{
    switch (how) {
    case HOW_there:
        return said.p != NULL;
    case HOW_not:
        return said.n && !text_eq_nocase(said, value);
    case HOW_is:
        return text_eq_nocase(said, value);
    case HOW_begins:
        return text_eq_nocase(text_upto(said, value.n), value) && said.n >= value.n;
    case HOW_holds:
        for (size_t i = 0; i + value.n <= said.n; i++)
            if (text_eq_nocase(text_upto(text_from(said, i), value.n), value))
                return true;
        break;
    }
    return false;
}

static bool too_many_hops(const struct inbound *m)
{
    unsigned hops = 0;
    JSON_EACH(h, json_get(m->said, TEXT("headers")))
        hops += text_eq_nocase(json_text(h, TEXT("name")), TEXT("Received"));
    return hops > HOPS_MOST;
}

static text machine_of(struct ctx *c, const struct inbound *m)
{
    text tenant, tag;
    if (m->nobody)
        return TEXT("bounce");
    if (inbound_box(c, m->from, &tenant, &tag) != INBOUND_NONE || too_many_hops(m))
        return TEXT("loop");
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        if (fits(machines[i].how, inbound_header(m, machines[i].header), machines[i].value))
            return machines[i].why;
    return TEXT("");
}

/* ---- Evidence. ---- */

/* "host; spf=pass …": RFC 8601. Only what the named host wrote, and the topmost of it: others anybody can write. */
text inbound_authentication(struct ctx *c, const struct inbound *m)
{
    text trusted = text_of(c->app->inbound.trusted);
    JSON_EACH(h, json_get(m->said, TEXT("headers"))) {
        text rest = json_text(h, TEXT("value"));
        if (!trusted.n || !text_eq_nocase(json_text(h, TEXT("name")), TEXT("Authentication-Results")))
            continue;
        text host = text_trim(text_cut(&rest, ';'));
        text name = text_cut(&host, ' ');
        if (text_eq_nocase(name, trusted))
            return text_trim(rest);
    }
    return TEXT("");
}

/* ---- Read and handed on. ---- */

static enum err read_with(struct ctx *c, text raw, int part, text *out)
{
    const struct reader *r = c->app->inbound.reader;
    enum err status = ERR_BUSY;
    if (!r)
        return say(c->arena, ERR_BUSY, "no email is read without a running server");
    for (int i = 0; i < READ_AGAIN && status != OK; i++)
        status = r->read(r->self, c->arena, raw, part, out);
    return status;
}

enum err inbound_file(struct ctx *c, text raw, int part, text *out) { return read_with(c, raw, part, out); }

/* What the reader ends over is no reason to lose it: staff then see that it came, and its original. */
enum err inbound_read(struct ctx *c, struct inbound *m)
{
    text said;
    enum err status = read_with(c, m->raw, READ_WHOLE, &said);
    if (status == OK)
        status = json_parse(c->arena, said, &m->said);
    if (status != ERR_VALUE && status != ERR_JSON)
        return status;
    LOG(LOG_WARN, "mail.unreadable", LOG_INT("bytes", (int64_t)m->raw.n));
    m->said = NULL;
    c->arena->why = (struct why){ .code = OK };
    return OK;
}

/* The envelope's, else what the message says of it. An address to which no letter could go is none. */
static void take_sender(struct ctx *c, struct inbound *m, text from)
{
    text said = json_get(m->said, TEXT("return_path")) ? json_text(m->said, TEXT("return_path")) : (text){ NULL, 0 };
    if (!from.p)
        from = said.p ? said : json_text(m->said, TEXT("from"));
    m->from = text_trim(from);
    /* How a pipe of Postfix names nobody. */
    if (text_eq(m->from, TEXT("<>")) || text_eq_nocase(text_upto(m->from, 13), TEXT("MAILER-DAEMON")))
        m->from = TEXT("");
    m->nobody = from.p && !m->from.n;
    if (m->from.n && (m->from.n > INBOUND_ADDRESS_MAX || !value_is_email(c->arena, m->from)))
        m->from = TEXT("");
}

enum err inbound_answer(struct ctx *c, text became, text reference, text why, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("became"), became);
    json_pair(&w, TEXT("reference"), reference.n ? reference : (text){ NULL, 0 });
    json_pair(&w, TEXT("why"), why.n ? why : (text){ NULL, 0 });
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

static enum err hand_on(struct ctx *c, const struct inbound *m, struct answer *out)
{
    TRY(feature_came(c, m, out));
    c->app->inbound.came++;
    return OK;
}

enum err inbound_receive(struct ctx *c, text to, text from, text raw, struct answer *out)
{
    struct inbound m = { .to = to, .raw = raw };
    text tenant;
    m.box = to.n <= INBOUND_ADDRESS_MAX ? inbound_box(c, to, &tenant, &m.tag) : INBOUND_NONE;
    if (m.box == INBOUND_NONE)
        return say(c->arena, ERR_NOT_FOUND, "no email is taken in for this address");
    if (raw.n > INBOUND_MAX)
        return say(c->arena, ERR_TOO_LARGE, "an email has at most %d bytes", INBOUND_MAX);
    c->tenant = tenant;
    if (m.box != INBOUND_STOP) {
        if (!raw.n)
            return say(c->arena, ERR_MISSING, "the email is empty");
        TRY(inbound_read(c, &m));
        take_sender(c, &m, from);
        m.machine = machine_of(c, &m);
    }
    return hand_on(c, &m, out);
}

/* ---- Fetched from a mailbox. ---- */

/* One of the policy's addresses that an email names. */
struct aim {
    struct aim *next;
    text to, tenant, tag;
    enum inbound_box box;
};

/* Each tenant and box once, by the address that says more: "privacy+TAG@" goes on with a thread. */
static enum err aim_add(struct ctx *c, text to, struct aim **all)
{
    struct aim it = { .to = to };
    it.box = to.n && to.n <= INBOUND_ADDRESS_MAX ? inbound_box(c, to, &it.tenant, &it.tag) : INBOUND_NONE;
    if (it.box == INBOUND_NONE)
        return OK;
    for (; *all; all = &(*all)->next) {
        struct aim *had = *all;
        if (had->box != it.box || !text_eq(had->tenant, it.tenant) ||
            (it.box == INBOUND_STOP && !text_eq_nocase(had->tag, it.tag)))
            continue;
        it.next = had->next;
        if (!had->tag.n)
            *had = it;
        return OK;
    }
    TRY_PTR(*all = NEW(c->arena, struct aim));
    **all = it;
    return OK;
}

/* Whatever stands in a header beside addresses of ours is nobody's. */
static enum err aims_of_header(struct ctx *c, text said, struct aim **all)
{
    while (said.n) {
        size_t n = 0;
        while (n < said.n && said.p[n] > ' ' && text_index(TEXT("<>,;:()\""), said.p[n]) < 0)
            n++;
        TRY(aim_add(c, text_upto(said, n), all));
        said = text_from(said, n + 1);
    }
    return OK;
}

/* Mail servers write the first three when they deliver; the others are the sender's, and may be anything. All count: a
 * mailbox of several tenants gets one copy of what was written to two of them. */
static enum err aims_of(struct ctx *c, const struct inbound *m, struct aim **all)
{
    static const text names[] = { TEXT_INIT("Delivered-To"), TEXT_INIT("X-Original-To"), TEXT_INIT("Envelope-To"),
                                  TEXT_INIT("To"), TEXT_INIT("Cc") };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        JSON_EACH(h, json_get(m->said, TEXT("headers")))
            if (text_eq_nocase(json_text(h, TEXT("name")), names[i]))
                TRY(aims_of_header(c, json_text(h, TEXT("value")), all));
    return OK;
}

static enum err hand_to(struct ctx *c, const struct inbound *m, const struct aim *aim, struct answer *out)
{
    struct ctx one = *c; /* who acts, and for which tenant, is each one's own */
    struct inbound to = *m;
    one.tenant = aim->tenant;
    to.to = aim->to;
    to.box = aim->box;
    to.tag = aim->tag;
    return hand_on(&one, &to, out);
}

/* An error for which the email is brought again goes before one that no other try helps. */
static void keep_first(struct ctx *c, enum err e, struct why *first)
{
    bool for_good = first->code == ERR_TOO_LARGE || first->code == ERR_MISSING;
    if (e == OK || (first->code != OK && !for_good))
        return;
    *first = c->arena->why;
    first->code = e;
}

/* What machines report concerns a letter, and no address: who takes it first ends it. */
static bool is_report(const struct answer *a) { return text_find(a->body, TEXT("\"became\":\"bounce\"")) >= 0; }

/* Those of one kind, links to stop or all others. What was filed is "again" the next time. */
static void hand_to_some(struct ctx *c, const struct inbound *m, const struct aim *all, bool stops, struct why *first,
                         struct answer *out)
{
    bool alone = all && !all->next;
    for (const struct aim *aim = all; aim && !is_report(out); aim = aim->next) {
        struct answer answer = { 0 };
        if ((aim->box == INBOUND_STOP) != stops || (aim->box == INBOUND_SENDER && !alone))
            continue;
        enum err e = hand_to(c, m, aim, &answer);
        if (e == OK)
            *out = answer;
        else if (!stops || e != ERR_NOT_FOUND) /* a link that nobody has */
            keep_first(c, e, first);
    }
}

/* To each, whatever becomes of another. Links to stop come last, once all else is filed: a withdrawal is never repeated
 * because something else has to be brought again. What nobody took, staff read. */
static enum err hand_to_all(struct ctx *c, const struct inbound *m, const struct aim *all, const struct aim *mailbox,
                            struct answer *out)
{
    struct why first = { .code = OK };
    hand_to_some(c, m, all, false, &first, out);
    if (first.code == OK)
        hand_to_some(c, m, all, true, &first, out);
    c->arena->why = first;
    if (first.code != OK || out->body.n)
        return first.code;
    return mailbox ? hand_to(c, m, mailbox, out)
                   : say(c->arena, ERR_NOT_FOUND, "no email is taken in for this address");
}

enum err inbound_fetched(struct ctx *c, text mailbox, text raw, bool large, struct answer *out)
{
    struct inbound m = { .raw = raw };
    struct aim *all = NULL, *own = NULL;
    if (!raw.n)
        return say(c->arena, ERR_MISSING, "the email is empty");
    TRY(inbound_read(c, &m));
    TRY(aims_of(c, &m, &all));
    TRY(aim_add(c, mailbox, &own));
    if (!all)
        all = own;
    if (!all)
        return say(c->arena, ERR_NOT_FOUND, "no email is taken in for this address");
    take_sender(c, &m, (text){ NULL, 0 });
    m.machine = large ? TEXT("large") : machine_of(c, &m);
    TRY(hand_to_all(c, &m, all, own, out));
    c->app->inbound.mailbox.fetched++;
    return OK;
}

void inbound_mailbox(struct ctx *c, const char *code)
{
    struct app *app = c->app;
    const char *was = atomic_exchange(&app->inbound.mailbox.code, code);
    bool good = code && !code[0], fresh = !was || !text_eq(text_of(was), text_of(code ? code : ""));
    app->inbound.mailbox.on = true;
    if (good)
        app->inbound.mailbox.since = c->now;
    else if (code)
        app->inbound.mailbox.failures++;
    if (code && good && fresh)
        LOG(LOG_INFO, "mailbox.reached");
    else if (code && fresh)
        LOG(LOG_WARN, "mailbox.not-reached", LOG_TEXT("code", text_of(code)));
}

struct inbound_figures inbound_figures(const struct app *app)
{
    const char *code = app->inbound.mailbox.code;
    return (struct inbound_figures){ .on = app->inbound.mailbox.on,
                                     .reached = code && !code[0],
                                     .since = app->inbound.mailbox.since,
                                     .code = code ? code : "",
                                     .fetched = app->inbound.mailbox.fetched,
                                     .failures = app->inbound.mailbox.failures };
}

void inbound_mailbox_put(struct ctx *c, struct json_out *w)
{
    struct inbound_figures f = inbound_figures(c->app);
    json_name(w, TEXT("mailbox"));
    if (!f.on) {
        json_put_null(w);
        return;
    }
    json_open(w, '{');
    json_pair_bool(w, TEXT("reached"), f.reached);
    json_pair(w, TEXT("since"), f.since ? time_print(c->arena, f.since) : (text){ NULL, 0 });
    json_pair(w, TEXT("code"), f.code[0] ? text_of(f.code) : (text){ NULL, 0 });
    json_pair_int(w, TEXT("fetched"), (int64_t)f.fetched);
    json_close(w, '}');
}
