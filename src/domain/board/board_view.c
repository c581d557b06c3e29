/* The board as it is shown: every sentence of the notice with its state and evidence, and the whole as JSON. */
#include "domain/board/board_inside.h"
#include "domain/core/named.h"
#include "publish/notice.h"

/* ---- A sentence and its state. ---- */

/* A "+" behind its name: the clause is of all that the probe looks at. */
static int probe_of(text name)
{
    if (text_ends(name, TEXT("+")))
        name = text_upto(name, name.n - 1);
    for (int i = 0; i < PROBES; i++)
        if (text_eq(probe_row((enum probe)i)->name, name))
            return i;
    return -1;
}

/* Path of the clause that holds a place: "purposes.news" of "purposes.news.channels". */
static bool under(text path, text clause)
{
    return text_starts(path, clause) && (path.n == clause.n || path.p[clause.n] == '.' || path.p[clause.n] == '[');
}

/* Numbers of one word of a list stand under "path=word". */
static bool is_of(text clause, text path, text word)
{
    return under(path, clause) || (word.n && clause.n == path.n + 1 + word.n && text_starts(clause, path) &&
                                   clause.p[path.n] == '=' && text_ends(clause, word));
}

/* What each job found for this clause, and for no clause in particular. */
static void share(const struct board *b, enum probe p, const struct board_clause *one, struct fact *own,
                  int64_t *general, bool *apart)
{
    *general = 0;
    *apart = false;
    for (unsigned i = 0; i < JOBS; i++) {
        const struct facts *f = &b->jobs[i].last;
        if (!(probe_row(p)->jobs >> i & 1))
            continue;
        *general += f->of[p].bad;
        for (unsigned k = 0; k < f->tally_count; k++) {
            const struct tally *t = &f->tallies[k];
            if (t->probe != p)
                continue;
            *general -= t->bad;
            if (is_of(text_of(t->path), one->path, one->word)) {
                own->figure += t->figure;
                own->bad += t->bad;
                *apart = true;
            }
        }
    }
}

static void judge(const struct board *b, const struct board_view *v, struct board_clause *one)
{
    const struct board_probe *probe = &v->probes[one->probe];
    struct fact own = { 0 };
    int64_t general;
    bool apart;
    share(b, (enum probe)one->probe, one, &own, &general, &apart);
    one->figure = apart ? own.figure : probe->figure;
    if (one->whole) {
        general = probe->bad;
        apart = false;
        one->figure = probe->figure;
    }
    one->bad = apart ? own.bad + (general > 0 ? general : 0)
                 : general > 0 ? general : 0;
    /* Broken elsewhere does not break this clause: then it is as the rest of the probe says. */
    one->state = one->bad                                                            ? PROMISE_BROKEN
                 : v->now - probe->at > BOARD_LATELY || (probe->soon && !probe->bad) ? PROMISE_RISK
                                                                                     : PROMISE_KEPT;
    if (!probe->applies) {
        one->state = PROMISE_DECLARED;
        one->probe = -1;
    }
}

/* ".=access": of a list, the sentence about that word. */
static text word_of(text when) { return text_starts(when, TEXT(".=")) ? text_from(when, 2) : TEXT(""); }

static text plain(struct arena *a, text body)
{
    BUF_AUTO b = buf_make(1 << 16);
    body_plain(&b, body);
    return text_trim(buf_made(a, &b));
}

struct list {
    struct board_view *view;
    struct board_clause *last;
};

static bool listed(const struct board_view *v, const struct sentence *s)
{
    for (const struct board_clause *one = v->first; one; one = one->next)
        if (text_eq(one->id, s->id) && one->line == s->at->at.line && text_eq(one->path, s->at->path))
            return true;
    return false;
}

/* Sentences stand under their purpose, the others under their section. */
static bool of_purpose(const struct block *b) { return b->at && text_starts(b->at->path, TEXT("purposes.")); }

static enum err put_sentence(struct ctx *c, struct list *l, const struct section *section, const struct block *block,
                             const struct sentence *s)
{
    if (s->row->kind != ROW_CLAUSE || listed(l->view, s))
        return OK;
    struct board_clause *one = NEW(c->arena, struct board_clause);
    TRY_PTR(one);
    *one = (struct board_clause){ .id = s->id,
                                  .path = s->at->path,
                                  .promises = s->promises,
                                  .purpose = of_purpose(block),
                                  .part = of_purpose(block) ? block->at->path : section->name,
                                  .group = plain(c->arena, of_purpose(block) ? block->title : section->title),
                                  .state = PROMISE_DECLARED,
                                  .line = s->at->key_at.line ? s->at->key_at.line : s->at->at.line,
                                  .sentence = plain(c->arena, s->body),
                                  .word = word_of(s->row->when),
                                  .whole = text_ends(s->row->probe, TEXT("+")),
                                  .probe = s->row->probe.n ? probe_of(s->row->probe) : -1 };
    TRY_PTR(one->sentence.p);
    TRY_PTR(one->group.p);
    if (one->probe >= 0)
        judge(c->app->board, l->view, one);
    if (l->last)
        l->last->next = one;
    else
        l->view->first = one;
    l->last = one;
    l->view->counts[one->state]++;
    if (one->state > l->view->worst)
        l->view->worst = one->state;
    return OK;
}

static enum err put_page(struct ctx *c, struct list *l, enum notice_page page)
{
    struct notice n;
    TRY(notice_make(c->arena, c->policy->root, text_of(c->policy->hash), page, c->language, &n));
    for (const struct section *s = n.first; s; s = s->next)
        for (const struct block *b = s->first; b; b = b->next)
            for (const struct sentence *x = b->first; x; x = x->next)
                TRY(put_sentence(c, l, s, b, x));
    return OK;
}

enum err board_look(struct ctx *c, msec budget, struct board_view *out)
{
    struct list l = { .view = out };
    if (budget)
        TRY(board_round(c, budget));
    board_probes(c, out);
    pthread_mutex_lock(&c->app->board->lock);
    enum err e = put_page(c, &l, NOTICE_PRIVACY);
    if (e == OK)
        e = put_page(c, &l, NOTICE_COOKIES);
    pthread_mutex_unlock(&c->app->board->lock);
    return e;
}

/* ---- JSON. ---- */

static void pair_time(struct json_out *w, text name, msec at)
{
    char time[TIME_TEXT + 1];
    if (at)
        json_pair(w, name, time_text(at, time));
}

static void put_probe(struct ctx *c, struct json_out *w, const struct board_view *v, enum probe p)
{
    const struct probe_row *row = probe_row(p);
    const struct board_probe *one = &v->probes[p];
    json_open(w, '{');
    json_pair(w, TEXT("name"), row->name);
    json_pair(w, TEXT("state"), promise_word(one->state));
    json_pair(w, TEXT("title"), doc_in(c, row->title.en, row->title.fr));
    json_pair(w, TEXT("says"), doc_in(c, row->says.en, row->says.fr));
    json_pair_int(w, TEXT("figure"), one->figure);
    json_pair(w, TEXT("unit"), doc_in(c, row->figure.en, row->figure.fr));
    json_pair_int(w, TEXT("bad"), one->bad);
    json_pair(w, TEXT("bad_unit"), doc_in(c, row->bad.en, row->bad.fr));
    json_pair_int(w, TEXT("soon"), one->soon);
    if (one->state == PROMISE_RISK)
        json_pair(w, TEXT("risk"), doc_in(c, row->risk.en, row->risk.fr));
    pair_time(w, TEXT("checked"), one->at);
    json_close(w, '}');
}

static void put_promises(struct json_out *w, text list)
{
    json_name(w, TEXT("promises"));
    json_open(w, '[');
    for (text rest = list; rest.n;)
        json_put_text(w, text_trim(text_cut(&rest, ',')));
    json_close(w, ']');
}

static void put_clause(struct ctx *c, struct json_out *w, const struct board_view *v, const struct board_clause *one)
{
    json_open(w, '{');
    json_pair(w, TEXT("path"), one->path);
    json_pair(w, TEXT("file"), policy_file_told(v->file));
    json_pair_int(w, TEXT("line"), one->line);
    json_pair(w, TEXT("state"), promise_word(one->state));
    json_pair(w, TEXT("sentence"), one->sentence);
    json_pair(w, TEXT("anchor"), one->id);
    put_promises(w, one->promises);
    if (one->probe >= 0) {
        const struct probe_row *row = probe_row((enum probe)one->probe);
        json_pair(w, TEXT("probe"), row->name);
        json_pair_int(w, TEXT("figure"), one->figure);
        json_pair(w, TEXT("unit"), doc_in(c, row->figure.en, row->figure.fr));
        json_pair_int(w, TEXT("bad"), one->bad);
        pair_time(w, TEXT("checked"), v->probes[one->probe].at);
    }
    json_close(w, '}');
}

static void put_counts(struct json_out *w, const struct board_view *v)
{
    json_name(w, TEXT("counts"));
    json_open(w, '{');
    for (unsigned i = 0; i < PROMISE_STATE_COUNT; i++)
        json_pair_int(w, promise_word((enum promise_state)i), v->counts[i]);
    json_close(w, '}');
}

static void put_policy(struct ctx *c, struct json_out *w)
{
    json_name(w, TEXT("policy"));
    json_open(w, '{');
    json_pair(w, TEXT("id"), c->policy->id);
    json_pair(w, TEXT("version"), c->policy->version);
    json_pair(w, TEXT("date"), date_print(c->arena, c->policy->date));
    json_pair(w, TEXT("file"), policy_file_told(c->policy->file));
    json_pair(w, TEXT("hash"), text_of(c->policy->hash));
    json_close(w, '}');
}

enum err board_answer(struct ctx *c, msec budget, struct answer *out)
{
    struct board_view *v = NEW(c->arena, struct board_view);
    TRY_PTR(v);
    TRY(board_look(c, budget, v));
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    put_policy(c, &w);
    json_pair(&w, TEXT("state"), promise_word(v->worst));
    pair_time(&w, TEXT("now"), v->now);
    put_counts(&w, v);
    json_name(&w, TEXT("probes"));
    json_open(&w, '[');
    for (unsigned i = 0; i < PROBES; i++)
        if (v->probes[i].applies)
            put_probe(c, &w, v, (enum probe)i);
    json_close(&w, ']');
    json_name(&w, TEXT("clauses"));
    json_open(&w, '[');
    for (const struct board_clause *one = v->first; one; one = one->next)
        put_clause(c, &w, v, one);
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}
