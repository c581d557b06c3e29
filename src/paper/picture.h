/* Pictures of what is read by a machine. */
#ifndef PAPER_PICTURE_H
#define PAPER_PICTURE_H
#include "base/arena.h"

/* The QR code (ISO/IEC 18004, correction level M) of a link, as SVG without any script, in `a`.
 * ERR_TOO_LARGE for one of 2,048 bytes and more. */
enum err picture_qr(struct arena *a, text uri, text *svg);

#endif
