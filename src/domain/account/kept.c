/* Forms carried through a sign-in: sealed to their person by the mark that each form's token ends with. */
#include "domain/account/kept.h"
#include "base/decode.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"

static text mark_of(text csrf) { return csrf.n == CSRF_TEXT ? text_from(csrf, CSRF_TEXT - CSRF_MARK) : TEXT(""); }

static struct place place_of(text mark, int64_t until)
{
    return (struct place){ .tenant = TEXT("forms"), .table = TEXT("kept"), .field = mark, .version = (uint64_t)until };
}

static void key_of(const struct ctx *c, struct key *out)
{
    key_derive(store_index_key(ctx_store(c)), TEXT("kept form"), out);
}

bool kept_theirs(const struct ctx *c, text csrf)
{
    text mark = mark_of(csrf);
    return c->session && mark.n && text_eq(mark, mark_of(text_of(c->session->csrf)));
}

enum err kept_seal(struct ctx *c, text csrf, const struct kept *form, text *out)
{
    text mark = mark_of(csrf);
    int64_t until = c->now + KEPT_LIFE;
    struct place place = place_of(mark, until);
    KEY_AUTO key;
    sealed closed;
    if (!mark.n)
        return say(c->arena, ERR_USAGE, "the form has no token of a session");
    key_of(c, &key);
    text clear = arena_print(c->arena, "%.*s\n%.*s", T(form->path), T(form->body));
    TRY_PTR(clear.p);
    TRY(seal(c->arena, &key, &place, clear, &closed));
    BUF_AUTO b = buf_make(closed.bytes.n * 2 + 64);
    buf_print(&b, "%lld.", (long long)until);
    buf_base64url(&b, closed.bytes);
    return buf_take(c->arena, &b, out);
}

bool kept_open(struct ctx *c, text sealed_form, struct kept *out)
{
    text rest = sealed_form, digits = text_cut(&rest, '.');
    text mark = c->session ? mark_of(text_of(c->session->csrf)) : TEXT("");
    int64_t until;
    if (!mark.n || !rest.p || !text_int(digits, &until) || until < c->now || until > c->now + KEPT_LIFE)
        return false;
    struct why why = c->arena->why;
    struct place place = place_of(mark, until);
    KEY_AUTO key;
    key_of(c, &key);
    sealed closed = { decode_base64url(c->arena, rest) };
    text clear;
    bool opened = closed.bytes.p && seal_open(c->arena, &key, &place, closed, &clear) == OK;
    c->arena->why = why;
    if (!opened)
        return false;
    out->path = text_cut(&clear, '\n');
    out->body = clear;
    return clear.p != NULL;
}
