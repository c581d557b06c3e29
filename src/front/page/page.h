/* A page of a person or of staff: its model is written as JSON, with the frame's members before, and its template
 * filled from it. */
#ifndef FRONT_PAGE_PAGE_H
#define FRONT_PAGE_PAGE_H
#include "front/door/reply.h"
#include "front/door/request.h"
#include "front/page/template.h"

extern const struct assets front_templates; /* made by tools/embed from tmpl/ */

/* One thing that is wrong in a form: the input's name, and what to do about it in the page's language. */
struct fault {
    text field, says;
    struct fault *next;
};

struct page {
    struct ctx *c;
    const struct request *q;
    text name; /* of its template */
    struct buf model;
    struct json_out w;    /* the page adds its own members here, inside the open object */
    bool at_work;         /* a page of staff */
    struct fault *faults; /* in the order of the form; page_problem() shows them */
};
void page_free(struct page *p); /* its model; all else is of the arena */
#define PAGE_AUTO CLEANUP(page_free) struct page

/* Begins the page of that template: takes ?lang=, writes the frame's members (site, lang, title, menu, member, done…).
 * The title is the word "title.NAME". `area`: whose menu it shows ("me", "staff"), empty for none. */
enum err page_open(struct ctx *c, const struct request *q, text name, text area, struct page *out);
/* A model without a frame, for what a script shows: close its object, and take `model`. */
void page_bare(struct ctx *c, const struct request *q, text name, struct page *out);
/* What was sent in a form and could not be done, shown above: all faults, each with a link to its field; where there
 * are none, what the reason says. NULL: there is no problem. Faults are added before it, and before the fields are
 * written. */
void page_problem(struct page *p, const struct why *why);
/* The title of an error as this page says it, as pages in general do, or as programs get it. */
text page_reason(struct page *p, enum err code);
/* Adds a fault, unless the field has one already; what the field's is, or empty; all of them as the member "faults". */
void fault_add(struct page *p, text field, text says);
text fault_of(const struct page *p, text field);
void fault_put_all(struct page *p);
/* Members of what was sent, as texts, so that nothing must be typed twice; empty where there was none. Never call it
 * with a secret. */
void page_keep(struct page *p, const text *names, size_t count);
/* A text of the server, or a word, as a member, well set: for a template that takes it as a value. */
void page_text(struct page *p, text name, text s);
void page_word(struct page *p, text name, text key);
/* Fills the template; the page is over. */
enum err page_show(struct page *p, struct reply *r, int status);
/* A reason as a page of its own, with its status; for requests that want a page and reached none. */
enum err page_refusal(struct ctx *c, const struct request *q, struct reply *r, const struct why *why);

#endif
