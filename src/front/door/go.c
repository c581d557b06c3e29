/* Sending a browser on: to a page of this server only. */
#include "front/door/go.h"
#include "front/door/reply.h"
#include "base/arena.h"

/* ---- Elsewhere. ---- */

text page_next(text asked, text other)
{
    bool local = asked.n > 1 && asked.n < 1024 && asked.p[0] == '/' && asked.p[1] != '/' && asked.p[1] != '\\';
    for (size_t i = 0; local && i < asked.n; i++)
        local = asked.p[i] > ' ' && asked.p[i] < 0x7F && asked.p[i] != '\\';
    return local ? asked : other;
}

enum err page_go(struct ctx *c, struct reply *r, text path, text done)
{
    text join = text_index(path, '?') >= 0 ? TEXT("&") : TEXT("?");
    text target = done.n ? arena_print(c->arena, "%.*s%.*sdone=%.*s", T(path), T(join), T(done))
                         : arena_copy(c->arena, path);
    TRY_PTR(target.p);
    reply_bytes(r, 303, (text){ NULL, 0 }, TEXT(""));
    return reply_header(c->arena, r, TEXT("Location"), target);
}
