/* Sealing and opening what people write where no person's key fits: grounds of holds, notes of duties, facts of
 * certificates. */
#include "domain/core/written.h"
#include "base/buf.h"
#include "base/decode.h"
#include "domain/core/instance.h"

enum { SPARE = 256 };
static const text form = TEXT_INIT("sealed:1:");

static struct place place_of(text tenant, text table)
{
    return (struct place){ .tenant = tenant, .table = table, .field = TEXT("written") };
}

static void key_of(const struct store *s, struct key *out) { key_derive(store_index_key(s), TEXT("written"), out); }

enum err written_seal(const struct store *s, struct arena *a, text tenant, text table, text clear, text *kept)
{
    KEY_AUTO key;
    struct place place = place_of(tenant, table);
    sealed made;
    *kept = clear;
    if (!clear.n)
        return OK;
    key_of(s, &key);
    TRY(seal(a, &key, &place, clear, &made));
    BUF_AUTO b = buf_make(2 * made.bytes.n + SPARE);
    buf_add(&b, form);
    buf_base64(&b, made.bytes);
    return buf_take(a, &b, kept);
}

enum err written_open(const struct store *s, struct arena *a, text tenant, text table, text kept, text *clear)
{
    KEY_AUTO key;
    struct place place = place_of(tenant, table);
    *clear = kept;
    if (!text_starts(kept, form))
        return OK;
    text bytes = decode_base64(a, text_from(kept, form.n));
    if (!bytes.p)
        return say(a, ERR_CRYPT, "what was written into %.*s is not as it was kept", T(table));
    key_of(s, &key);
    return seal_open(a, &key, &place, (sealed){ bytes }, clear);
}

enum err written_seal_at(struct ctx *c, text of, const struct place *at, text clear, sealed *out)
{
    KEY_AUTO key;
    key_derive(store_index_key(ctx_store(c)), of, &key);
    return seal(c->arena, &key, at, clear, out);
}

enum err written_open_at(struct ctx *c, text of, const struct place *at, sealed kept, text *clear)
{
    KEY_AUTO key;
    key_derive(store_index_key(ctx_store(c)), of, &key);
    return seal_open(c->arena, &key, at, kept, clear);
}
