/* Emails to the operator about data that it only stores: their sender is asked whose, and what they answer decides. */
#include "base/unicode.h"
#include "domain/core/context.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/dsr/inside.h"
#include "domain/mail/inbound.h"

enum { NAMES_MAX = 8000 };

/* ---- Whose. ---- */

static const struct node *tenant_node(const struct ctx *c, text tenant)
{
    return node_get(node_get(c->policy->root, TEXT("tenants")), tenant);
}

static bool only_stored(const struct ctx *c, text tenant)
{
    return text_eq(node_text(tenant_node(c, tenant), TEXT("operator")), TEXT("storage_only"));
}

static text name_of(const struct ctx *c, text tenant)
{
    struct ctx in = *c;
    in.tenant = tenant;
    return ctx_controller(&in).legal_name;
}

text dsr_stored_names(struct ctx *c)
{
    BUF_AUTO b = buf_make(NAMES_MAX);
    bool first = true;
    if (!text_eq(c->tenant, c->policy->tenants[0]))
        return TEXT("");
    for (unsigned i = 1; i < c->policy->tenant_count; i++) {
        if (!only_stored(c, c->policy->tenants[i]))
            continue;
        buf_add(&b, first ? TEXT("") : TEXT(", "));
        buf_add(&b, name_of(c, c->policy->tenants[i]));
        first = false;
    }
    return buf_made(c->arena, &b);
}

/* ---- What was answered: without the lines of ours that it quotes, which name all of them. ---- */

static text unquoted(struct ctx *c, text rest)
{
    BUF_AUTO b = buf_make(1 << 17);
    while (rest.p) {
        text line = text_cut(&rest, '\n');
        if (text_starts(text_trim(line), TEXT(">")))
            continue;
        buf_add(&b, line);
        buf_char(&b, '\n');
    }
    return buf_made(c->arena, &b);
}

static bool says(struct ctx *c, text bare, text name)
{
    text known = unicode_bare(c->arena, name);
    return known.n && text_find(bare, known) >= 0;
}

static bool names_it(struct ctx *c, text bare, text tenant)
{
    const struct node *n = tenant_node(c, tenant), *title = node_get(n, TEXT("title"));
    return says(c, bare, name_of(c, tenant)) || says(c, bare, node_said(title, TEXT("fr"))) ||
           says(c, bare, node_said(title, TEXT("en"))) || says(c, bare, node_text(n, TEXT("email")));
}

/* The one that it names; p NULL for none, or more than one. */
static text named(struct ctx *c, text said)
{
    text bare = unicode_bare(c->arena, unquoted(c, said)), found = { NULL, 0 };
    for (unsigned i = 1; i < c->policy->tenant_count; i++) {
        text tenant = c->policy->tenants[i];
        if (!only_stored(c, tenant) || !names_it(c, bare, tenant))
            continue;
        if (found.p)
            return (text){ NULL, 0 };
        found = tenant;
    }
    return found;
}

/* ---- Passed on. ---- */

/* The email that the request began with, as it came; false when it was not kept. */
static enum err first_email(struct ctx *c, const struct dsr *d, text *raw, bool *there)
{
    struct subject_id id;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO list;
    query_start(&list, db, SQL_DSR_MAIL_OF, ARGS(V_TEXT(c->tenant), V_ID(d->id)));
    *there = false;
    while (!*there && query_next(&list)) {
        *there = query_get(&list, DSR_MAIL_OF, kept) && text_eq(query_get(&list, DSR_MAIL_OF, class), TEXT("asks"));
        if (*there)
            memcpy(&id, query_get(&list, DSR_MAIL_OF, id).p, sizeof id);
    }
    TRY(list.status);
    if (!*there)
        return OK;
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_MAIL_GET, ARGS(V_TEXT(c->tenant), V_ID(id)));
    if (!query_next(&q))
        return q.status == OK ? say(c->arena, ERR_PRECONDITION, "the email is gone") : q.status;
    return dsr_unseal(c, id, TEXT("dsr_mail"), id_print(c->arena, id), 1, query_get(&q, DSR_MAIL_GET, content), raw);
}

/* In the register of whose data it is, received when it came; acknowledged from there. */
static enum err file_there(struct ctx *there, const struct inbound *first, const struct dsr *d, struct dsr *made)
{
    struct dsr_change ch;
    struct dsr_mail mail;
    dsr_fresh(there, &ch, TEXT("email"));
    ch.d.received = d->received;
    ch.d.kind = dsr_kind_offered(there, d->kind) ? d->kind : DSR_question;
    ch.d.file = (struct dsr_file){ .name = d->file.name,
                                   .email = d->file.email,
                                   .text = d->file.text,
                                   .language = d->file.language };
    if (first->raw.n) {
        TRY(dsr_mail_make(there, first, TEXT("asks"), &mail));
        mail.request = ch.d.id;
        mail.has_request = true;
        ch.mail = &mail;
    }
    TRY(ch.d.file.email.n ? dsr_send_in(there, &ch) : dsr_write(&ch));
    *made = ch.d;
    return dsr_load(there, ch.d.id, made);
}

/* Here nothing of it stays but its reference, its dates and the link of who asked. */
static enum err close_here(struct ctx *c, const struct dsr *d, text tenant)
{
    struct dsr_change ch = { .c = c, .d = *d, .passed = true };
    TRY(dsr_begin(c, &ch, DSR_MOVE_pass_on, DSR_BY_server, name_of(c, tenant)));
    ch.d.file = (struct dsr_file){ .language = d->file.language, .secret = d->file.secret };
    ch.d.has_subject = false;
    ch.d.identity = TEXT("none");
    return dsr_write(&ch);
}

enum err dsr_pass_on(struct ctx *c, const struct inbound *m, struct dsr *d, bool *passed, struct answer *out)
{
    struct ctx there = *c;
    struct dsr made = { .closed = 0 };
    struct inbound first = { .to = inbound_address(c), .from = d->file.email, .box = INBOUND_PRIVACY };
    bool kept;
    text said = json_text(m->said, TEXT("text")), tenant = { NULL, 0 };
    if (text_eq(c->tenant, c->policy->tenants[0]) && text_eq_nocase(m->from, d->file.email))
        tenant = named(c, said);
    *passed = tenant.p != NULL;
    if (!*passed)
        return OK;
    TRY(first_email(c, d, &first.raw, &kept));
    if (kept)
        TRY(inbound_read(c, &first));
    there.tenant = tenant;
    enum err status = file_there(&there, &first, d, &made);
    if (status == OK)
        status = dsr_mail_more(&there, m, &made, out);
    if (status != OK && status != ERR_CONFLICT) /* a conflict: it was passed on before a crash */
        return status;
    TRY(close_here(c, d, tenant));
    return inbound_answer(c, TEXT("passed"), status == OK ? id_print(c->arena, made.id) : TEXT(""), TEXT(""), out);
}
