/* The papers of this house. */
#ifndef PAPER_PAPER_H
#define PAPER_PAPER_H
#include "domain/core/papers.h"
#include "paper/certificate_page.h"
#include "paper/export_page.h"
#include "paper/picture.h"

static const struct papers house_papers = { certificate_page, person_file_page, picture_qr };

#endif
