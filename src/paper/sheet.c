/* The frame of a document's page. */
#include "domain/core/named.h"
#include "paper/sheet.h"

static const char style[] =
    "<style>\n"
    ":root{color-scheme:light dark;--paper:#fbfbf9;--sheet:#fff;--ink:#1a1f26;--soft:#49525e;--line:#dcdfe3;--mark:#0a4d8c;--tint:#eef3f8}\n"
    "@media (prefers-color-scheme:dark){:root{--paper:#13161a;--sheet:#1a1e24;--ink:#e8eaed;--soft:#b3bbc5;--line:#373e47;--mark:#93c5f8;--tint:#1d2733}}\n"
    "*{box-sizing:border-box}body{font:1rem/1.55 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:2rem 1rem 4rem;"
    "background:var(--paper);color:var(--ink);overflow-wrap:break-word}\n"
    "h1,h2,h3{font-family:Charter,Cambria,\"Noto Serif\",\"DejaVu Serif\",Georgia,serif;line-height:1.2}"
    "h1{font-size:2.1rem;margin:0 0 .75rem}h2{font-size:1.45rem;margin:3rem 0 1rem;padding-top:1.2rem;border-top:1px solid var(--line)}"
    "h3{font-size:1.15rem;margin:1.75rem 0 .4rem}h4{font-size:1rem;margin:1.25rem 0 .25rem}.day{font:600 1rem/1.4 system-ui,sans-serif}\n"
    "a{color:var(--mark)}p,li{max-width:68ch}.note{color:var(--soft);font-size:.9rem}td .note{display:block}\n"
    "nav ul{columns:16rem;list-style:none;background:var(--tint);border-radius:.6rem;padding:1rem 1.25rem}nav li{padding:.2rem 0}\n"
    ".card{background:var(--sheet);border:1px solid var(--line);border-radius:.6rem;padding:1rem 1.2rem;margin:1rem 0}.card h3{margin-top:0}\n"
    "table{border-collapse:collapse;width:100%;margin:.6rem 0;font-size:.9375rem;line-height:1.45}\n"
    "th,td{text-align:left;vertical-align:top;padding:.45rem .9rem .45rem 0;border-bottom:1px solid var(--line)}\n"
    "th{font-weight:600}table:not(.list) th{width:34%;color:var(--soft);font-weight:400}table:not(.list) td{overflow-wrap:anywhere}\n"
    "@media screen and (max-width:44rem){.list,.list tbody,.list tr,.list td{display:block}"
    ".list thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}"
    "table:not(.list),table:not(.list) :is(tbody,tr,th,td){display:block;width:auto}table:not(.list) th{border:0;padding-bottom:0}"
    ".list tr{background:var(--sheet);border:1px solid var(--line);border-radius:.6rem;padding:.4rem 1rem;margin-bottom:.6rem}"
    ".list td{border:0;padding:.15rem 0}.list td::before{content:attr(data-head) \" : \";color:var(--soft)}}\n"
    "@media print{:root{--paper:#fff;--sheet:#fff;--ink:#000;--soft:#333;--line:#999;--mark:#000;--tint:#fff}"
    "body{max-width:none;padding:0;font-size:9.5pt}h2,h3,h4{break-after:avoid}tr{break-inside:avoid}.card{border:0;padding:0}nav{display:none}}\n"
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
