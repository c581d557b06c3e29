/* How each recipient is told of what was done about a person: recipients.yaml beside the policy, the operator's own. */
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/mail/outbox.h"
#include "domain/recipient/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, AGAIN_DAYS = 7, GIVE_UP_DAYS = 90, DAYS_MAX = 3650 };
static const struct node whole;

#define FAULT(s, n, ...) finding_add(c->arena, &(s)->findings, SEVERITY_ERROR, (n)->at, (n)->path, __VA_ARGS__)

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* *out p NULL: there is no such file. */
static enum err read_file(struct ctx *c, struct recipient_settings *s, text *out)
{
    char path[4352], *p = arena_alloc(c->arena, FILE_MAX);
    text policy = text_of(c->app->policy_file);
    size_t n = 0, folder = policy.n;
    *out = (text){ NULL, 0 };
    TRY_PTR(p);
    while (folder && policy.p[folder - 1] != '/')
        folder--;
    if (!text_cstr(arena_print(c->arena, "%.*srecipients.yaml", (int)folder, policy.p), path, sizeof path))
        return say(c->arena, ERR_CONFIG, "the path of recipients.yaml is too long");
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return OK;
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && n < FILE_MAX) {
        got = read(fd, p + n, FILE_MAX - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (got < 0 || n == FILE_MAX)
        FAULT(s, &whole, "recipients.yaml cannot be read, or is larger than 1 MiB");
    else
        *out = (text){ p, n };
    return OK;
}

static const text ways[] = { [TOLD_BY_STAFF] = TEXT_INIT("staff"),
                             [TOLD_BY_WEBHOOK] = TEXT_INIT("webhook"),
                             [TOLD_BY_LETTER] = TEXT_INIT("letter") };

text recipient_way_word(enum recipient_way way) { return ways[way]; }

/* TOLD_WAYS: it says none of them. */
static enum recipient_way way_of(const struct node *row)
{
    text by = node_text(row, TEXT("by"));
    unsigned i = 0;
    while (i < TOLD_WAYS && !text_eq(by, ways[i]))
        i++;
    return (enum recipient_way)i;
}

/* A key that is misspelt would be no setting at all. */
static void check_names(struct ctx *c, struct recipient_settings *s, const struct node *of, const text *known, size_t n)
{
    NODE_EACH(one, of) {
        bool found = false;
        for (size_t i = 0; i < n; i++)
            found |= text_eq(known[i], one->key);
        if (!found)
            FAULT(s, one, "\"%.*s\" is no setting of recipients.yaml", T(one->key));
    }
}

static void check_row(struct ctx *c, struct recipient_settings *s, const struct node *row)
{
    static const text known[] = { TEXT_INIT("by"), TEXT_INIT("url"), TEXT_INIT("secret"),
                                  TEXT_INIT("ca"), TEXT_INIT("to"),  TEXT_INIT("language") };
    enum recipient_way way = way_of(row);
    text url = node_text(row, TEXT("url")), to = node_text(row, TEXT("to"));
    int index = policy_actor(c->policy, row->key);
    if (index < 0 || c->policy->actors[index].kind != ACTOR_RECIPIENT)
        FAULT(s, row, "the policy has no recipient \"%.*s\"", T(row->key));
    check_names(c, s, row, known, sizeof known / sizeof *known);
    if (way == TOLD_WAYS)
        FAULT(s, row, "%.*s is told \"by\": webhook, letter or staff", T(row->key));
    if (way == TOLD_BY_WEBHOOK && (!url.n || !node_text(row, TEXT("secret")).n))
        FAULT(s, row, "%.*s needs \"url\" and \"secret\"", T(row->key));
    if (way == TOLD_BY_LETTER && !outbox_is_address(to))
        FAULT(s, row, "%.*s needs \"to\", an email address", T(row->key));
}

static msec days_of(struct ctx *c, struct recipient_settings *s, const struct node *root, text key, int64_t usual)
{
    const struct node *said = node_get(root, key);
    int64_t days = usual;
    if (said && (!text_int(said->value, &days) || days < 1 || days > DAYS_MAX)) {
        FAULT(s, said, "\"%.*s\" is a number of days", T(key));
        days = usual;
    }
    return days * DAY;
}

enum err recipient_settings(struct ctx *c, struct recipient_settings *out)
{
    static const text known[] = { TEXT_INIT("again"), TEXT_INIT("give_up"), TEXT_INIT("recipients") };
    const struct node *root = NULL;
    text raw;
    *out = (struct recipient_settings){ .again = AGAIN_DAYS * DAY, .give_up = GIVE_UP_DAYS * DAY };
    if (!c->app->policy_file[0])
        return OK;
    TRY(read_file(c, out, &raw));
    if (!raw.p)
        return OK;
    enum err e = node_read(c->arena, raw, &out->findings, &root);
    if (e != OK && e != ERR_POLICY)
        return e;
    out->rows = node_get(root, TEXT("recipients"));
    if (root && !out->rows)
        FAULT(out, root, "recipients.yaml has no \"recipients\"");
    check_names(c, out, root, known, sizeof known / sizeof *known);
    NODE_EACH(row, out->rows)
        check_row(c, out, row);
    out->again = days_of(c, out, root, TEXT("again"), AGAIN_DAYS);
    out->give_up = days_of(c, out, root, TEXT("give_up"), GIVE_UP_DAYS);
    findings_sort(&out->findings);
    return arena_whole(c->arena);
}

text recipient_settings_fault(struct ctx *c, const struct recipient_settings *s)
{
    const struct finding *f = s->findings.first;
    return f ? arena_print(c->arena, "recipients.yaml:%u: %.*s", f->at.line, T(f->message)) : (text){ NULL, 0 };
}

enum recipient_way recipient_way(const struct recipient_settings *s, text recipient)
{
    const struct node *row = s->findings.first ? NULL : node_get(s->rows, recipient);
    enum recipient_way way = row ? way_of(row) : TOLD_BY_STAFF;
    return way < TOLD_WAYS ? way : TOLD_BY_STAFF;
}
