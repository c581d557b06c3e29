/* Words for people: languages, times, and the frame of a page that stands alone. */
#include "domain/doc.h"

text doc_in(const struct ctx *c, text en, text fr) { return text_eq(c->language, TEXT("fr")) ? fr : en; }

text doc_time(struct ctx *c, text time)
{
    static const char *const en[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                                      "November", "December" };
    static const char *const fr[] = { "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
                                      "novembre", "décembre" };
    msec t;
    if (!time_parse(time, &t))
        return time;
    struct date d = date_of(t);
    bool french = text_eq(c->language, TEXT("fr"));
    int minutes = (int)((t - date_start(d)) / MINUTE);
    const char *first = french && d.day == 1 ? "er" : "";
    if (!minutes)
        return arena_print(c->arena, "%d%s %s %d", d.day, first, french ? fr[d.month - 1] : en[d.month - 1], d.year);
    return arena_print(c->arena, french ? "%d%s %s %d à %02d:%02d UTC" : "%d%s %s %d, %02d:%02d UTC", d.day, first,
                       french ? fr[d.month - 1] : en[d.month - 1], d.year, minutes / 60, minutes % 60);
}

text doc_recipient(const struct ctx *c, int actor)
{
    if (actor < 0)
        return (text){ NULL, 0 };
    const struct actor_class *class_of = &c->policy->actors[actor];
    text legal = node_text(node_get(node_at(c->policy->root, TEXT("recipients")), class_of->name), TEXT("name"));
    text title = doc_in(c, class_of->title_en, class_of->title_fr);
    return legal.n ? legal : title.n ? title : class_of->name;
}

void doc_page_open(const struct ctx *c, struct buf *b, text title)
{
    buf_add(b, TEXT("<!DOCTYPE html>\n<html lang=\""));
    buf_add(b, doc_in(c, TEXT("en"), TEXT("fr")));
    buf_add(b, TEXT("\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"robots\" content=\"noindex\">\n<title>"));
    buf_html(b, title);
    buf_add(b, TEXT("</title>\n<style>\n"
                    ":root{color-scheme:light dark}\n"
                    "body{font:1rem/1.55 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1.5rem 1rem 4rem}\n"
                    "h1{font-size:1.7rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2.2rem}h3{font-size:1rem;margin:1.4rem 0 .3rem}\n"
                    "table{border-collapse:collapse;width:100%;margin:.8rem 0}\n"
                    "th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid #8886;"
                    "overflow-wrap:anywhere}\nth{font-weight:600}tbody th,tr>th:first-child{width:34%}\n"
                    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.75rem;padding:.8rem;border:1px solid #8886}\n"
                    "nav ul{columns:2;padding-left:1.1rem}.note{color:GrayText;font-size:.9rem}\n"
                    "@media print{body{max-width:none;padding:0;font-size:10pt}h2{break-after:avoid}tr,pre{break-inside:avoid}}\n"
                    "</style>\n</head>\n<body>\n<main>\n"));
}

void doc_page_close(struct buf *b) { buf_add(b, TEXT("</main>\n</body>\n</html>\n")); }
