/* Care of the instance: what the store proves, copies and counts, as answers. */
#include "domain/instance/care.h"
#include "domain/person/person.h"
#include "crypt/note.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"

static text octets(void) { return TEXT("application/octet-stream"); }
static text plain(void) { return TEXT("text/plain; charset=utf-8"); }

enum err care_checkpoint(struct ctx *c, struct answer *out)
{
    uint64_t size;
    out->media_type = plain();
    return journal_checkpoint(ctx_store(c), c->arena, &out->body, &size, NULL);
}

enum err care_journal_key(struct ctx *c, struct answer *out)
{
    text line = signer_verifier(c->arena, store_signer(ctx_store(c)));
    TRY_PTR(line.p);
    out->media_type = plain();
    out->body = arena_print(c->arena, "%.*s\n", T(line));
    TRY_PTR(out->body.p);
    return OK;
}

static bool digits(text s, uint64_t max, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || *out > max)
            return false;
        *out = *out * 10 + (uint64_t)(s.p[i] - '0');
    }
    return s.n && *out <= max;
}

/* c2sp.org/tlog-tiles: the index in groups of three digits, all but the last behind an "x": 1234067 is "x001/x234/067";
 * a partial tile ends with ".p/W". False for any other spelling, so that each tile has one address. */
static bool parse_index(text s, uint64_t *index, unsigned *width)
{
    ptrdiff_t part = text_find(s, TEXT(".p/"));
    uint64_t group, w = 256;
    if (part >= 0) {
        text count = text_from(s, (size_t)part + 3);
        if (!digits(count, 255, &w) || !w || count.p[0] == '0')
            return false;
        s = text_upto(s, (size_t)part);
    }
    *index = 0;
    *width = (unsigned)w;
    for (size_t groups = 0; s.p; groups++) {
        text one = text_cut(&s, '/');
        bool last = !s.p, crossed = text_starts(one, TEXT("x"));
        text three = crossed ? text_from(one, 1) : one;
        bool idle = groups == 0 && crossed && text_eq(three, TEXT("000")); /* "x000/001" is "001" */
        if (crossed == last || three.n != 3 || groups > 5 || idle || !digits(three, 999, &group))
            return false;
        *index = *index * 1000 + group;
    }
    return true;
}

static enum err no_tile(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "the journal has no such tile"); }

enum err care_tile(struct ctx *c, text level, text index, struct answer *out)
{
    uint64_t l, n;
    unsigned width;
    bool spelt = digits(level, 63, &l) && (level.n == 1 || level.p[0] != '0') && parse_index(index, &n, &width);
    if (!spelt)
        return no_tile(c);
    out->media_type = octets();
    return journal_tile(ctx_store(c), c->arena, (unsigned)l, n, width, &out->body);
}

/* Entries say what was done to whom, under pseudonyms: for who answers people, and where there are several tenants for
 * nobody but the operator, since one tenant must not see another's. Hashes and proofs are for all. */
static enum err allow_entries(struct ctx *c)
{
    if (c->policy->tenant_count == 1 || c->actor.kind == ACTOR_OPERATOR)
        return person_allow_act(c, NULL, ACT_EXPORT);
    say_clause(c->arena, ERR_FORBIDDEN, policy_clause(c->policy, TEXT("tenants")),
               "entries of several tenants stand side by side");
    return write_refusal(c, NULL, TEXT(""), TEXT(""));
}

/* Whether the entry is of a tenant whose data is only stored. Its members stand in the order of docs/journal.md:
 * nothing before the tenant is of anybody's choice. */
static bool is_withheld(const struct policy *p, text entry)
{
    static const text name = TEXT_INIT("\"tenant\":\"");
    ptrdiff_t at = text_find(entry, name);
    text rest = at < 0 ? TEXT("") : text_from(entry, (size_t)at + name.n);
    const struct tenant *t = policy_tenant(p, text_cut(&rest, '"'));
    return t && t->stored;
}

enum err care_entries(struct ctx *c, uint64_t index, unsigned width, struct arena *a, text *out)
{
    text whole;
    TRY(journal_bundle(ctx_store(c), a, index, width, &whole));
    BUF_AUTO b = buf_make(whole.n + 1);
    while (whole.n >= 2) {
        size_t n = (size_t)(uint8_t)whole.p[0] << 8 | (uint8_t)whole.p[1];
        text head = text_upto(whole, 2), entry = text_upto(text_from(whole, 2), n);
        whole = text_from(whole, 2 + n);
        if (is_withheld(c->policy, entry)) {
            buf_add(&b, (text){ "\0", 2 });
            continue;
        }
        buf_add(&b, head);
        buf_add(&b, entry);
    }
    return buf_take(a, &b, out);
}

enum err care_bundle(struct ctx *c, text index, struct answer *out)
{
    uint64_t n;
    unsigned width;
    TRY(allow_entries(c));
    if (!parse_index(index, &n, &width))
        return no_tile(c);
    out->media_type = octets();
    return care_entries(c, n, width, c->arena, &out->body);
}

static enum err take_body(struct ctx *c, struct buf *b, struct answer *out)
{
    return buf_take(c->arena, b, &out->body);
}

static void put_base64(struct json_out *w, struct hash h)
{
    BUF_AUTO b = buf_make(64);
    buf_base64(&b, TEXT_BYTES(h));
    json_put_text_of(w, &b);
}

enum err care_proof(struct ctx *c, text index, text size, struct answer *out)
{
    uint64_t at, newest, asked;
    text note;
    struct tree_proof proof;
    if (!digits(index, INT64_MAX, &at) || (size.p && !digits(size, INT64_MAX, &asked)))
        return say(c->arena, ERR_USAGE, "index and size are decimal numbers");
    TRY(journal_checkpoint(ctx_store(c), c->arena, &note, &newest, NULL));
    asked = size.p ? asked : newest;
    if (at >= asked || asked > newest)
        return say(c->arena, ERR_NOT_FOUND, "the journal has %llu entries", (unsigned long long)newest);
    TRY(journal_inclusion(ctx_store(c), c->arena, at, asked, &proof));
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair_int(&w, TEXT("index"), (int64_t)at);
    json_pair_int(&w, TEXT("size"), (int64_t)asked);
    json_name(&w, TEXT("hashes"));
    json_open(&w, '[');
    for (unsigned i = 0; i < proof.count; i++)
        put_base64(&w, proof.path[i]);
    json_close(&w, ']');
    json_pair(&w, TEXT("checkpoint"), note);
    if (asked == newest)
        json_pair(&w, TEXT("proof"), proof_print(c->arena, at, &proof, note));
    json_close(&w, '}');
    return take_body(c, &b, out);
}

enum err care_verify(struct ctx *c, care_progress *progress, struct answer *out)
{
    struct journal_report report;
    TRY(journal_verify(ctx_store(c), c->arena, progress, &report));
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair_int(&w, TEXT("size"), (int64_t)report.size);
    json_name(&w, TEXT("root"));
    put_base64(&w, report.root);
    json_pair_int(&w, TEXT("checkpoints"), (int64_t)report.checkpoints);
    json_pair_int(&w, TEXT("first_kept"), (int64_t)(report.first_kept + report.forgotten));
    json_pair_int(&w, TEXT("rows"), (int64_t)report.rows);
    json_close(&w, '}');
    return take_body(c, &b, out);
}

/* ---- Copies and keys. ---- */

enum err care_backup(struct ctx *c, const struct json *in, care_progress *progress, struct answer *out)
{
    const struct json *keys = json_get(in, TEXT("keys"));
    text to = json_text(in, TEXT("to"));
    uint64_t size = 0;
    if (!in || in->kind != J_OBJECT || in->count != 1u + (keys != NULL) || !to.n || (keys && keys->kind != J_BOOL))
        return say(c->arena, ERR_USAGE, "a backup takes \"to\", a folder, and \"keys\", true or false");
    TRY((keys && keys->truth ? store_backup_both : store_backup)(ctx_store(c), c->arena, to, progress, &size));
    struct write w = { .event = event_of(c, NULL, TEXT("backup")) };
    w.event.count = -1;
    TRY(write_do(c, &w, NULL));
    out->body = arena_print(c->arena, "{\"size\":%llu}", (unsigned long long)size);
    TRY_PTR(out->body.p);
    return OK;
}

static enum err store_options_of(struct arena *a, const struct app_options *o, struct store_options *out)
{
    *out = (struct store_options){ .dir = o->data_dir,
                                   .data_at = o->store_at,
                                   .keys_at = o->keyring_at,
                                   .data_password = o->store_password,
                                   .keys_password = o->keyring_password,
                                   .verified = o->verified,
                                   .cautious = o->cautious,
                                   .master_file = o->master_file,
                                   .clock = clock_real() };
    if (o->clock_file.n) {
        text path = arena_copy(a, o->clock_file);
        TRY_PTR(path.p);
        TRY(clock_simulated(a, path.p, &out->clock));
    }
    return crypt_init(a);
}

enum err care_restore(struct arena *a, const struct restoring *from, const struct app_options *o, uint64_t *silenced)
{
    struct store_options into;
    TRY(store_options_of(a, o, &into));
    struct restore_from what = { .dir = from->dir, .keys = from->keys, .unsigned_too = from->unsigned_too };
    return store_restore(a, &what, &into, silenced);
}

struct move_look {
    const struct app_options *from;
    struct findings *findings;
};

static enum err move_look(void *arg, struct arena *a, bool *verified)
{
    struct move_look *l = arg;
    return app_links(a, l->from, l->findings, verified);
}

enum err care_move(struct arena *a, const struct moving *what, const struct app_options *o, struct findings *f,
                   struct answer *out)
{
    struct store_options databases, files;
    struct store_moved moved;
    struct app_options from = *o;
    TRY(app_links_first(a, &from, f));
    TRY(store_options_of(a, &from, &databases));
    files = databases;
    files.data_at = files.keys_at = TEXT("");
    if (what->out)
        from.store_at = from.keyring_at = TEXT("");
    struct move_look look = { &from, f };
    struct store_moving m = { .from = what->out ? &files : &databases,
                              .to = what->out ? &databases : &files,
                              .look = move_look,
                              .arg = &look,
                              .progress = what->progress };
    TRY(store_move(a, &m, &moved));
    out->body = arena_print(a, "{\"moved\":true,\"rows\":%llu,\"size\":%llu}", (unsigned long long)moved.rows,
                            (unsigned long long)moved.size);
    TRY_PTR(out->body.p);
    return OK;
}

enum err care_backup_verify(struct arena *a, text dir, text key, struct answer *out)
{
    struct backup_report report;
    TRY(crypt_init(a));
    TRY(store_backup_verify(a, dir, key, &report));
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    if (report.data) {
        json_pair(&w, TEXT("at"), time_print(a, report.at));
        json_pair_int(&w, TEXT("size"), (int64_t)report.size);
    }
    if (report.keys)
        json_pair(&w, TEXT("keys_at"), time_print(a, report.keys_at));
    json_close(&w, '}');
    return buf_take(a, &b, &out->body);
}

enum err care_rotate(struct ctx *c, const struct json *in, struct answer *out)
{
    text to = json_text(in, TEXT("to"));
    uint64_t rewrapped;
    struct event e = event_of(c, NULL, TEXT("keys.rotate"));
    if (!in || in->kind != J_OBJECT || in->count != 1 || !to.n)
        return say(c->arena, ERR_USAGE,
                   "a change of the master key takes \"to\", the file that holds the new one or will");
    TRY(store_rotate_master(ctx_store(c), c->arena, to, &e, &rewrapped));
    out->body = arena_print(c->arena, "{\"rewrapped\":%llu,\"master\":\"%08x\"}", (unsigned long long)rewrapped,
                            store_master(ctx_store(c))->id);
    TRY_PTR(out->body.p);
    return OK;
}

enum err care_rotate_tick(struct ctx *c) { return store_rotate_resume(ctx_store(c), c->arena); }

enum err care_health(struct ctx *c) { return store_health(ctx_store(c), c->arena); }

/* ---- Figures. ---- */

enum err care_figures(struct app *app, struct arena *a, struct figures *out)
{
    struct store_figures g = store_figures(app->store);
    *out = (struct figures){ .groups = g.groups,
                             .commits = g.commits,
                             .writes = g.writes,
                             .fsync_us = g.fsync_us,
                             .queue = g.queue,
                             .journal_size = g.journal_size,
                             .db_bytes = g.db_bytes,
                             .wal_bytes = g.wal_bytes,
                             .folders_refused = atomic_load_explicit(&app->folder_checks[0], memory_order_relaxed),
                             .folders_allowed = atomic_load_explicit(&app->folder_checks[1], memory_order_relaxed),
                             .full = g.full };
    READ_AUTO db = NULL;
    TRY(store_read(app->store, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBJECT_COUNT, NULL, 0);
    if (query_next(&q))
        out->subjects = (uint64_t)query_get(&q, SUBJECT_COUNT, count);
    return q.status;
}
