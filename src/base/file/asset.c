/* Assets: finding one by its name. */
#include "base/file/asset.h"

const struct asset *asset_find(const struct assets *all, text name)
{
    size_t low = 0, high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = text_cmp(name, all->items[middle].name);
        if (!order)
            return &all->items[middle];
        *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
    }
    return NULL;
}
