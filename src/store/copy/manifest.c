/* Manifests of backups: what the file beside them is, signed whole by the instance, so that nobody without its key can
 * make or alter one. */
#include "base/json.h"
#include "base/sha256.h"
#include "store/engine.h"

enum { MANIFEST_MAX = 16384, FORMAT = 2, FORMAT_UNSIGNED = 1 };
#define SIGNATURE ",\"signature\":"

static const char *manifest_name(enum file f) { return f == FILE_DATA ? "manifest.json" : "keys.json"; }
static text manifest_kind(enum file f) { return f == FILE_DATA ? TEXT("garant_backup") : TEXT("garant_keys"); }

enum err manifest_path(struct arena *a, const char *dir, enum file f, char out[PATH_MAX])
{
    return snprintf(out, PATH_MAX, "%s/%s", dir, manifest_name(f)) < PATH_MAX
               ? OK
               : say(a, ERR_CONFIG, "the name of the backup's folder is too long");
}

/* ---- The signature: the last member, a C2SP note over the digest of every byte before it. ---- */

static enum err signed_text(struct arena *a, text before, text *out)
{
    uint8_t sum[32];
    BUF_AUTO b = buf_make(256);
    sha256_of(before, sum);
    buf_add(&b, TEXT("garant manifest\n")); /* no checkpoint reads so: its second line is a number */
    buf_hex(&b, TEXT_BYTES(sum));
    buf_char(&b, '\n');
    return buf_take(a, &b, out);
}

static enum err sign(struct arena *a, const struct signer *s, struct buf *b)
{
    text before, body;
    TRY(buf_lend(a, b, &before));
    TRY(signed_text(a, before, &body));
    text note = note_sign(a, s, body);
    TRY_PTR(note.p);
    buf_add(b, TEXT(SIGNATURE));
    struct json_out w = json_out(b);
    json_put_text(&w, note);
    buf_add(b, TEXT("}\n"));
    return buf_check(a, b);
}

enum err manifest_write(struct store *s, struct arena *a, const char *path, const struct manifest *m)
{
    BUF_AUTO b = buf_make(MANIFEST_MAX);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair_int(&w, manifest_kind(m->file), FORMAT);
    json_pair(&w, TEXT("program"), TEXT(GARANT_VERSION));
    json_pair_int(&w, TEXT("schema"), schema_version());
    json_pair(&w, TEXT("at"), time_print(a, m->at));
    json_pair(&w, TEXT("origin"), text_of(s->origin));
    if (m->file == FILE_DATA) {
        json_pair_int(&w, TEXT("size"), m->size);
        json_pair(&w, TEXT("checkpoint"), m->checkpoint);
    } else
        json_pair(&w, TEXT("master"), m->master);
    json_pair_int(&w, TEXT("bytes"), m->bytes);
    json_pair(&w, TEXT("sha256"), m->sha256);
    text content;
    TRY(sign(a, &s->signer, &b)); /* closes the object */
    TRY(buf_lend(a, &b, &content));
    return file_write(a, path, content);
}

/* ---- Reading. ---- */

enum err manifest_read(struct arena *a, const char *dir, enum file f, struct manifest *out)
{
    const struct json *j;
    int64_t format = 0;
    *out = (struct manifest){ .file = f };
    TRY(manifest_path(a, dir, f, out->path));
    TRY(file_read(a, out->path, MANIFEST_MAX, &out->content));
    if (json_parse(a, out->content, &j) != OK)
        return say(a, ERR_INTEGRITY, "%s is no JSON: it is cut, or was altered", out->path);
    out->origin = json_text(j, TEXT("origin"));
    out->checkpoint = json_text(j, TEXT("checkpoint"));
    out->sha256 = json_text(j, TEXT("sha256"));
    out->master = json_text(j, TEXT("master"));
    out->signature = json_text(j, TEXT("signature"));
    bool whole = json_int(json_get(j, manifest_kind(f)), &format) &&
                 json_int(json_get(j, TEXT("schema")), &out->schema) &&
                 json_int(json_get(j, TEXT("bytes")), &out->bytes) && time_parse(json_text(j, TEXT("at")), &out->at) &&
                 out->origin.n && out->sha256.n;
    bool data = f != FILE_DATA || (json_int(json_get(j, TEXT("size")), &out->size) && out->checkpoint.n);
    if (!whole || !data || (format != FORMAT && format != FORMAT_UNSIGNED))
        return say(a, ERR_INTEGRITY, "%s is no manifest of a backup that this program can read", out->path);
    out->is_signed = format == FORMAT;
    return OK;
}

static enum err altered(struct arena *a, const struct manifest *m)
{
    return say(a, ERR_INTEGRITY, "%s was altered, or is of another instance: the signature does not fit it", m->path);
}

enum err manifest_check(struct arena *a, const struct manifest *m, const struct signer *verifier, bool unsigned_too)
{
    text body, wanted, rest = m->content;
    size_t before = 0;
    if (!m->is_signed || !m->signature.n)
        return unsigned_too && !m->is_signed
                   ? OK
                   : say(a, ERR_INTEGRITY,
                         "%s is not signed: whoever had the backup in hand may have changed what it says", m->path);
    for (ptrdiff_t at; (at = text_find(rest, TEXT(SIGNATURE))) >= 0; rest = text_from(m->content, before + 1))
        before = (size_t)(rest.p - m->content.p) +
                 (size_t)at; /* the last place: nothing may stand behind the signature */
    BUF_AUTO end = buf_make(MANIFEST_MAX);
    struct json_out w = json_out(&end);
    buf_add(&end, TEXT(SIGNATURE));
    json_put_text(&w, m->signature);
    buf_add(&end, TEXT("}\n"));
    text last;
    TRY(buf_lend(a, &end, &last));
    if (!text_eq(text_from(m->content, before), last))
        return altered(a, m);
    TRY(signed_text(a, text_upto(m->content, before), &wanted));
    if (note_open(a, verifier, m->signature, &body) != OK || !text_eq(body, wanted))
        return altered(a, m);
    return OK;
}

enum err manifest_sums(struct arena *a, const struct manifest *m, const char *file, const char *copy)
{
    text hex;
    int64_t bytes;
    TRY(file_copy(a, file, copy, &hex, &bytes));
    return bytes == m->bytes && text_eq(hex, m->sha256)
               ? OK
               : say(a, ERR_INTEGRITY, "%s is not the file that %s describes: it was altered or cut", file, m->path);
}

/* ---- A backup as it lies there. ---- */

static enum err verify_file(struct arena *a, const char *dir, enum file f, const struct signer *verifier,
                            struct manifest *out)
{
    char path[PATH_MAX];
    TRY(manifest_read(a, dir, f, out));
    TRY(manifest_check(a, out, verifier, false));
    if (snprintf(path, sizeof path, "%s/%s", dir, db_file_name(f).p) >= (int)sizeof path)
        return say(a, ERR_CONFIG, "the name of the backup's folder is too long");
    return manifest_sums(a, out, path, NULL);
}

enum err store_backup_verify(struct arena *a, text dir, text key, struct backup_report *out)
{
    char folder[PATH_MAX - 64], path[PATH_MAX];
    struct signer verifier;
    struct manifest data, keys;
    *out = (struct backup_report){ 0 };
    if (!dir.n || !text_cstr(dir, folder, sizeof folder))
        return say(a, ERR_CONFIG, "the name of the backup's folder is empty or too long");
    TRY(signer_parse(a, text_trim(key), &verifier));
    bool found[FILE_COUNT];
    for (enum file f = 0; f < FILE_COUNT; f++) {
        snprintf(path, sizeof path, "%s/%s", folder, db_file_name(f).p);
        found[f] = file_exists(path);
        TRY(manifest_path(a, folder, f, path));
        found[f] |= file_exists(path);
    }
    if (!found[FILE_DATA] && !found[FILE_KEYS])
        return say(a, ERR_NOT_FOUND, "%s holds no backup", folder);
    if (found[FILE_DATA]) {
        TRY(verify_file(a, folder, FILE_DATA, &verifier, &data));
        out->size = (uint64_t)data.size;
        out->at = data.at;
        out->data = true;
    }
    if (found[FILE_KEYS]) {
        TRY(verify_file(a, folder, FILE_KEYS, &verifier, &keys));
        out->keys_at = keys.at;
        out->keys = true;
    }
    return OK;
}
