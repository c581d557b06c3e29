/* A store that is an application: what is asked goes to it as one signed message, and what it answers is passed on. */
#include "reach/http.h"
#include "base/clock.h"
#include "base/decode.h"
#include "reach/inside.h"

enum { MESSAGE_MAX = 4 << 20, ANSWER_MAX = 1 << 20, COPY_MAX = 16 << 20 };

/* ---- The message: nothing of the person but the fields that the map names. ---- */

static bool is_listed(const struct json *list, text field)
{
    if (list && list->kind == J_TEXT)
        return text_eq(list->value, field);
    JSON_EACH(one, list)
        if (text_eq(one->value, field))
            return true;
    return false;
}

static void put_listed(struct json_out *w, const char *name, const struct json *all, const struct json *list)
{
    json_name(w, text_of(name));
    json_open(w, '{');
    JSON_EACH(one, all)
        if (is_listed(list, one->key)) {
            json_name(w, one->key);
            json_put(w, one);
        }
    json_close(w, '}');
}

static void put_set(struct json_out *w, const struct json *store, const struct json *set)
{
    json_name(w, TEXT("set"));
    json_open(w, '{');
    JSON_EACH(one, set) {
        if (text_eq(one->key, TEXT("correct"))) {
            put_listed(w, "correct", one, json_get(store, TEXT("correct")));
            continue;
        }
        json_name(w, one->key);
        json_put(w, one);
    }
    json_close(w, '}');
}

static enum err message(struct arena *a, const struct json *asked, msec now, struct buf *b, text *out)
{
    const struct json *store = json_get(asked, TEXT("store")), *back = json_get(asked, TEXT("callback"));
    struct json_out w = json_out(b);
    text act = json_text(asked, TEXT("act"));
    json_open(&w, '{');
    json_pair(&w, TEXT("type"), arena_print(a, "garant.%.*s", T(act)));
    json_pair(&w, TEXT("timestamp"), time_print(a, now));
    json_name(&w, TEXT("data"));
    json_open(&w, '{');
    if (!text_eq(act, TEXT("check")))
        put_listed(&w, "values", json_get(asked, TEXT("values")), json_get(store, TEXT("key")));
    if (text_eq(act, TEXT("set")))
        put_set(&w, store, json_get(asked, TEXT("set")));
    if (back) {
        json_name(&w, TEXT("callback"));
        json_put(&w, back);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    return buf_lend(a, b, out);
}

/* ---- Whom it goes to. ---- */

/* A secret as Standard Webhooks writes it, "whsec_" and base64, or the bytes themselves. */
enum err http_secret(struct arena *a, const struct json *store, text *out)
{
    static const text mark = TEXT_INIT("whsec_");
    TRY(credentials_read(a, store, TEXT("secret"), out));
    if (text_starts(*out, mark))
        *out = decode_base64(a, text_from(*out, mark.n));
    if (!out->p)
        return say(a, ERR_CONFIG, "the secret is not base64 after \"whsec_\"");
    return out->n ? OK : say(a, ERR_CONFIG, "the file of the secret is empty");
}

/* ---- What it answered. ---- */

static enum err pass_on(struct arena *a, const struct http_answer *got, struct json_out *w)
{
    static const struct json none = { .kind = J_OBJECT };
    const struct json *told = &none;
    if (got->body.n && json_parse(a, got->body, &told) != OK)
        return say(a, ERR_BUSY, "what the application answers is no JSON");
    if (told->kind != J_OBJECT)
        return say(a, ERR_BUSY, "what the application answers is no JSON object");
    json_pair(w, TEXT("state"), TEXT("told"));
    json_name(w, TEXT("told"));
    json_put(w, told);
    return OK;
}

static enum err judge(struct arena *a, const struct http_answer *got, bool may_wait, struct json_out *w)
{
    if (!text_eq(text_of(got->code), TEXT("ok")) && !text_eq(text_of(got->code), TEXT("http")))
        return say(a, ERR_BUSY, "the application did not answer: %s", got->code);
    if (got->status >= 300 && got->status < 400)
        return say(a, ERR_BUSY, "the application answered %u: no redirection is followed", got->status);
    if (got->status != 200 && got->status != 202 && got->status != 204)
        return say(a, ERR_BUSY, "the application answered %u", got->status);
    if (got->status != 202)
        return pass_on(a, got, w);
    if (!may_wait)
        return say(a, ERR_BUSY, "the application answers later, where it must answer at once");
    json_pair(w, TEXT("state"), TEXT("waits"));
    return OK;
}

enum err webhook_answer(struct arena *a, const struct json *asked, struct json_out *w)
{
    const struct json *store = json_get(asked, TEXT("store"));
    bool copies = text_eq(json_text(asked, TEXT("act")), TEXT("copy"));
    struct http_call call = { .url = json_text(store, TEXT("url")),
                              .ca_file = json_text(store, TEXT("ca")),
                              .id = json_text(asked, TEXT("id")),
                              .answer_max = copies ? COPY_MAX : ANSWER_MAX };
    struct http_answer got;
    BUF_AUTO b = buf_make(MESSAGE_MAX);
    if (!json_int(json_get(asked, TEXT("now")), &call.now) || !call.id.n)
        return say(a, ERR_VALUE, "a message to an application has its id and time");
    TRY(http_secret(a, store, &call.secret));
    TRY(message(a, asked, call.now, &b, &call.body));
    enum err e = http_send(a, &call, &got);
    buf_wipe(&b);
    TRY(e);
    return judge(a, &got, json_get(asked, TEXT("callback")) != NULL, w);
}
