/* Templates: the HTML files of front/tmpl, filled from JSON. Every value is escaped for the place where it stands; none
 * can be put in raw.
 *   {{name}} {{a.b}} {{.}}   a value, escaped; true and false are the words yes and no, a list its items with commas.
 * An unknown name is a fault
 *   {{%name}}                percent-encoded: the only form that an address (href, src, action, formaction) takes
 *   {{@name}} {{~name}}      a time of RFC 3339 in words, as <time>: with its hour, or the day alone
 *   {{_key}}                 a word of words.def in the page's language; {{_key.[name]}} adds the value to the key, as
 * in {{_basis.[basis]}}
 *   {{+key [name]}}          of a word with two forms, "detail|details", the one that goes with the number `name`
 *   {{#name}}…{{/name}}      once for each item of a list; once for an object, a true, a text or number that is not
 * empty or 0
 *   {{^name}}…{{/name}}      where that would give nothing, also when the name is unknown
 *   {{>name}} {{! note }}    another template in this place; nothing
 * A name is looked for in the innermost section first, then outwards. */
#ifndef FRONT_PAGE_TEMPLATE_H
#define FRONT_PAGE_TEMPLATE_H
#include "base/file/asset.h"
#include "domain/core/ctx.h"

enum { TEMPLATE_DEPTH = 32 };

/* Adds the template "NAME.html" filled from `model`, in c->language. ERR_INTERNAL for a name that the model lacks, a
 * word or template that is not there, and sections or templates nested deeper than TEMPLATE_DEPTH. */
enum err template_render(struct ctx *c, const struct assets *files, text name, const struct json *model,
                         struct buf *out);

/* Whether a template is sound, whatever it is filled from: tags well formed and closed, words and templates that exist,
 * no value where escaping does not protect (outside quotes, in an address that it begins, in a script, style or
 * handler). ERR_INTERNAL says where. For the tests. */
enum err template_check(struct arena *a, const struct assets *files, text name);

#endif
