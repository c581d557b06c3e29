/* The rows of clauses.def and labels.def as tables. */
#include "publish/notice.h"

#define ROW_TEXT(pattern_, when_, en_, fr_)                                                                            \
    .pattern = TEXT_INIT(pattern_), .when = TEXT_INIT(when_), .en = TEXT_INIT(en_), .fr = TEXT_INIT(fr_)
#define SECTION(name, pages_, en, fr) { .kind = ROW_SECTION, ROW_TEXT(#name, "", en, fr), .pages = TEXT_INIT(#pages_) },
#define SHORT(pattern, when, en, fr)  { .kind = ROW_SHORT, ROW_TEXT(pattern, when, en, fr) },
#define CARD(pattern, en, fr)         { .kind = ROW_CARD, ROW_TEXT(pattern, "", en, fr) },
#define BY(function)                  #function
#define DECLARED                      ""
#define CLAUSE(pattern, when, kept_, probe_, tests_, en, fr)                                                           \
    { .kind = ROW_CLAUSE,                                                                                              \
      ROW_TEXT(pattern, when, en, fr),                                                                                 \
      .kept = TEXT_INIT(kept_),                                                                                        \
      .probe = TEXT_INIT(probe_),                                                                                      \
      .tests = TEXT_INIT(tests_) },
#define TABLE(name)           { .kind = ROW_TABLE, .table = TABLE_##name },
#define SILENT(pattern_, why) { .kind = ROW_SILENT, .pattern = TEXT_INIT(pattern_), .en = TEXT_INIT(why) },
static const struct clause_row rows[] = {
#include "publish/clauses.def"
};

const struct clause_row *clause_rows(unsigned *count)
{
    *count = sizeof rows / sizeof *rows;
    return rows;
}

static const struct label_row labels[] = {
#define LABEL(path, word, en, fr) { TEXT_INIT(path), TEXT_INIT(word), TEXT_INIT(en), TEXT_INIT(fr) },
#include "publish/labels.def"
#undef LABEL
};

const struct label_row *label_rows(unsigned *count)
{
    *count = sizeof labels / sizeof *labels;
    return labels;
}
