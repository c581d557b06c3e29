/* One row a feature: the one place that includes them all. */
#include "domain/instance/features.h"
#include "domain/entry/address.h"
#include "domain/entry/opening.h"
#include "domain/folder/folder.h"
#include "domain/version/acknowledge.h"

const struct feature features[] = {
    { .stream = TEXT_INIT("folders"), .put_records = folder_put_records },
    { .event = TEXT_INIT("notice_shown"), .happened = notice_shown },
    { .moved = identifier_moved, .dropped = identifier_dropped, .tick = registration_tick },
};
const unsigned feature_count = sizeof features / sizeof *features;
