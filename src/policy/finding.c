/* Findings: what is wrong or to be remarked in a policy file, gathered with its place. */
#include "policy.h"
#include "base/card.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void finding_add(struct arena *a, struct findings *f, enum severity severity, struct mark at, text path,
                 const char *format, ...)
{
    f->count++;
    f->errors += severity == SEVERITY_ERROR;
    f->questions += severity == SEVERITY_QUESTION;
    f->warnings += severity == SEVERITY_WARNING;
    if (f->count > FINDINGS_MAX)
        return;
    char message[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct finding *new = NEW(a, struct finding);
    if (!new || n < 0)
        return;
    card_hide_in(message, strlen(message));
    text said = { message, (size_t)n < sizeof message ? (size_t)n : sizeof message - 1 };
    *new = (struct finding){
        .severity = severity, .at = at, .path = card_hide(a, path), .message = arena_copy(a, said)
    };
    if (f->last)
        f->last->next = new;
    else
        f->first = new;
    f->last = new;
}

static bool after(const struct finding *x, const struct finding *y)
{
    return x->at.line != y->at.line ? x->at.line > y->at.line : x->at.column > y->at.column;
}

/* Stable merge of two sorted lists. */
static struct finding *merge(struct finding *x, struct finding *y)
{
    struct finding *first = NULL, **end = &first;
    while (x && y) {
        struct finding **least = after(x, y) ? &y : &x;
        *end = *least;
        end = &(*end)->next;
        *least = (*least)->next;
    }
    *end = x ? x : y;
    return first;
}

static struct finding *sort(struct finding *list)
{
    if (!list || !list->next)
        return list;
    struct finding *middle = list;
    for (struct finding *end = list->next; end && end->next; end = end->next->next)
        middle = middle->next;
    struct finding *rest = middle->next;
    middle->next = NULL;
    return merge(sort(list), sort(rest));
}

void findings_sort(struct findings *f)
{
    f->first = sort(f->first);
    for (f->last = f->first; f->last && f->last->next;)
        f->last = f->last->next;
}

void findings_print(struct buf *out, text file, const struct findings *f)
{
    static const char *const words[] = {
        [SEVERITY_ERROR] = "", [SEVERITY_QUESTION] = "", [SEVERITY_WARNING] = "warning: ", [SEVERITY_ADVICE] = "advice: "
    };
    for (const struct finding *i = f->first; i; i = i->next)
        buf_print(out, "%.*s:%u:%u: %s%.*s\n", T(file), i->at.line, i->at.column, words[i->severity], T(i->message));
    if (f->count > FINDINGS_MAX)
        buf_print(out, "%.*s: and %u more\n", T(file), f->count - FINDINGS_MAX);
}

void findings_json(struct json_out *w, const struct findings *f)
{
    static const text words[] = { [SEVERITY_ERROR] = TEXT_INIT("error"),
                                  [SEVERITY_QUESTION] = TEXT_INIT("error"),
                                  [SEVERITY_WARNING] = TEXT_INIT("warning"),
                                  [SEVERITY_ADVICE] = TEXT_INIT("advice") };
    json_open(w, '[');
    for (const struct finding *i = f->first; i; i = i->next) {
        json_open(w, '{');
        json_pair(w, TEXT("severity"), words[i->severity]);
        json_pair_int(w, TEXT("line"), i->at.line);
        json_pair_int(w, TEXT("column"), i->at.column);
        json_pair(w, TEXT("path"), i->path);
        json_pair(w, TEXT("message"), i->message);
        json_close(w, '}');
    }
    json_close(w, ']');
}
