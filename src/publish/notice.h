/* The notice (GDPR 13 and 14) and the cookie page, as a document made from the policy file and the rows of clauses.def:
 * each sentence knows the clause it says. Its forms are HTML, Markdown, plain text, and JSON-LD in the Data Privacy
 * Vocabulary (DPV 2.3). */
#ifndef PUBLISH_NOTICE_H
#define PUBLISH_NOTICE_H
#include "policy/policy.h"

struct schema;

/* ---- The rows of clauses.def. ---- */
enum clause_kind { ROW_SECTION, ROW_SHORT, ROW_CARD, ROW_CLAUSE, ROW_TABLE, ROW_SILENT };
enum notice_table { TABLE_rights, TABLE_cookies };
struct clause_row {
    enum clause_kind kind;
    text pattern, when;      /* pattern: of a section, its name; of a silent row, what it covers */
    text en, fr;             /* of a silent row: why it says nothing */
    text kept, probe, tests; /* kept: the function that applies it; empty: it is declared only */
    text pages;              /* of a section: "PRIVACY COOKIES" */
    enum notice_table table;
};
const struct clause_row *clause_rows(unsigned *count);
struct label_row {
    text path, word, en, fr;
};
const struct label_row *label_rows(unsigned *count);

/* ---- The document. ---- */
/* Marks inside a body; policy values cannot hold them. A link is LINK text [LINK_TO target] LINK_END; without a target
 * its text is one. */
enum { MARK_STRONG = 1, MARK_STRONG_END, MARK_LINK, MARK_LINK_TO, MARK_LINK_END };

struct sentence {
    const struct clause_row *row; /* row->kept empty: declared only */
    const struct node *at;        /* the clause it says: path and line */
    text id, body, promises;      /* id: anchor; promises: "FR-01, FR-03" or empty */
    struct sentence *next;
};
struct table_row {
    const struct node *at;
    text id;
    const text *cells;
    struct table_row *next;
};
struct table {
    text id;
    unsigned columns;
    const text *head;
    struct table_row *first;
};
struct block {
    text id, title;
    text group, hint; /* of a page that folds: what stands over it, and what is seen beside its title; may be empty */
    const struct node *at;
    struct sentence *first, *last;
    struct table *table;
    struct block *next;
};
struct section {
    text name, title;
    struct sentence *brief, *brief_last;
    struct block *first, *last;
    struct section *next;
};

enum notice_page { NOTICE_PRIVACY, NOTICE_COOKIES };
enum notice_standing {
    NOTICE_FORMER,
    NOTICE_COMING,
    NOTICE_WITHDRAWN
}; /* what an old version is that is not in force */
struct notice {
    const struct node *root;
    text language, hash;             /* hash: of the file, as in /privacy/versions/{hash}; may be empty */
    text title, name, version, date; /* name: of the site; date: in words */
    enum notice_page page;
    bool fr;
    enum notice_standing standing;
    text coming, coming_link; /* a sentence of a version that is announced, and its changes; may be empty */
    text tenant;              /* whose notice it is alone (tenant_view.h); empty: of all */
    text style;               /* when set, the page stands alone: this style inside it, no places to go */
    struct section *first;
};
/* The document in "fr" or "en", of a whole policy or of a published one with gaps: a sentence whose value is missing is
 * left out. */
enum err notice_make(struct arena *a, const struct node *root, text hash, enum notice_page page, text language,
                     struct notice *out);

/* Notes in it that another version applies from that day; link: the page of what changes. */
enum err notice_coming(struct arena *a, struct notice *n, text version, struct date day, text link);

/* ---- Its forms, and what frames its pages. ---- */
/* The whole page; `old`: a version that is not in force (`standing`), which the page says first. */
void notice_html(struct buf *b, const struct notice *n, bool old);
void notice_markdown(struct buf *b, const struct notice *n);
void notice_plain(struct buf *b, const struct notice *n);
/* JSON-LD after DPV 2.3 and dpv-27560; labels in the policy's languages. `site`: the controller's, for ids; may be
 * empty. */
enum err notice_jsonld(struct arena *a, struct buf *b, const struct node *root, text hash);

/* The page that warns before leaving for the link of that name (policy key `links`). ERR_NOT_FOUND for any other: no
 * open redirect. */
enum err notice_leave(struct arena *a, struct buf *b, const struct node *root, text name, text language);

/* What every page begins and ends with. `here`: the path, for the links between the languages; may hold a query without
 * lang. `root`: of the policy, for its languages and whether people sign in; not needed with a `style`, which makes a
 * page that stands alone. `single`: there is no such page in another language. */
struct page_frame {
    text here, title, name, lead, style;
    const struct node *root;
    bool fr, alternate, single;
};
void page_begin(struct buf *b, const struct page_frame *f);
void page_end(struct buf *b, const struct page_frame *f, text foot);
/* A body with its marks as HTML, Markdown, or text. */
void body_html(struct buf *b, text body);
void body_markdown(struct buf *b, text body);
void body_plain(struct buf *b, text body);

/* ---- Values in words, also for the register and the differences between versions. ---- */
struct words {
    struct arena *arena;
    const struct node *root;
    const struct schema *schema;
    bool fr;
};
enum err words_make(struct arena *a, const struct node *root, text language, struct words *out);
/* The value of a node as its kind in schema.def says: terms, dates, countries, titles of what it names; plain, no
 * marks. */
text words_of(const struct words *w, const struct node *n);
/* Its title: title, legal name, name, or the key. */
text words_title(const struct words *w, const struct node *n);
text words_term(const struct words *w, struct term t);
text words_date(const struct words *w, struct date d);
text words_label(const struct words *w, const char *path,
                 text word); /* of labels.def; the word itself when there is none */
/* How long this retention keeps, in words; empty without one. */
text words_retention(const struct words *w, const struct node *retention);
bool cookie_exempt(const struct node *cookie);

#endif
