/* The promise board over HTTP. */
#ifndef FRONT_SITE_PROMISES_H
#define FRONT_SITE_PROMISES_H

struct buf;
struct ctx;

/* The promise board's figures, as Prometheus reads them. */
void promises_metrics(struct ctx *c, struct buf *b);

#endif
