/* Pictures of what is read by a machine: the link of a second factor as a QR code, in SVG. */
#include "paper/picture.h"
#include "base/buf.h"
#include <qrencode.h>
#include <sodium.h>

enum { QUIET = 4 }; /* modules left free around a code (ISO/IEC 18004) */

static void qr_free(QRcode **q)
{
    if (*q)
        QRcode_free(*q);
}

/* One path of unit squares, dark on white whatever the page's colours, with the quiet zone that scanners need. */
enum err picture_qr(struct arena *a, text uri, text *svg)
{
    char clear[2048];
    BUF_AUTO b = buf_make(256 << 10);
    if (!text_cstr(uri, clear, sizeof clear))
        return say(a, ERR_TOO_LARGE, "the link of a second factor is too long for a picture");
    CLEANUP(qr_free) QRcode *q = QRcode_encodeString8bit(clear, 0, QR_ECLEVEL_M);
    sodium_memzero(clear, sizeof clear);
    if (!q)
        return say(a, ERR_MEMORY, "the picture of a second factor cannot be made");
    int side = q->width + 2 * QUIET;
    buf_print(
        &b,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" shape-rendering=\"crispEdges\">"
        "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path fill=\"#000\" d=\"",
        side, side, side, side);
    for (int y = 0; y < q->width; y++)
        for (int x = 0, run; x < q->width; x += run) {
            for (run = 0;
                 x + run < q->width && (q->data[y * q->width + x + run] & 1) == (q->data[y * q->width + x] & 1);)
                run++;
            if (q->data[y * q->width + x] & 1)
                buf_print(&b, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, run, run);
        }
    buf_add(&b, TEXT("\"/></svg>"));
    return buf_take(a, &b, svg);
}
