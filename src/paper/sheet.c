/* The frame of a document's page. */
#include "domain/core/named.h"
#include "paper/sheet.h"

static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:1rem/1.55 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1.5rem 1rem 4rem}\n"
    "h1{font-size:1.7rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2.2rem}h3{font-size:1rem;margin:1.4rem 0 .3rem}\n"
    "table{border-collapse:collapse;width:100%;margin:.8rem 0}\n"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid #8886;overflow-wrap:anywhere}\n"
    "th{font-weight:600}tr>th:first-child{width:34%}\n"
    "nav ul{columns:2;padding-left:1.1rem}.note{opacity:.78;font-size:.9rem}\n"
    "@media print{body{max-width:none;padding:0;font-size:10pt}h2{break-after:avoid}tr{break-inside:avoid}}\n"
    "</style>\n";

void doc_page_open(const struct ctx *c, struct buf *b, bool alone, text title)
{
    buf_add(b, TEXT("<!DOCTYPE html>\n<html lang=\""));
    buf_add(b, doc_in(c, TEXT("en"), TEXT("fr")));
    buf_add(
        b,
        TEXT(
            "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"robots\" content=\"noindex\">\n<title>"));
    buf_html(b, title);
    buf_add(b, TEXT("</title>\n"));
    buf_add(b, alone ? text_of(style) : TEXT("<link rel=\"stylesheet\" href=\"/static/garant.css\">\n"));
    buf_add(b, TEXT("</head>\n<body class=\"sheet\">\n<main>\n"));
}

void doc_page_close(struct buf *b) { buf_add(b, TEXT("</main>\n</body>\n</html>\n")); }
