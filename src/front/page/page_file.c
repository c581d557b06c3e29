/* The person's file for pages: read once from the access answer, looked up by name. */
#include "domain/rights/access.h"
#include "domain/core/actor.h"
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "front/page/page_person.h"

enum err file_own(struct ctx *c, const struct json **out)
{
    struct answer answer = { 0 };
    TRY(access_body(c, session_self(c), &answer));
    return json_parse(c->arena, answer.body, out);
}

const struct json *file_find(const struct json *list, text key, text value)
{
    JSON_EACH(one, list)
        if (text_eq(json_text(one, key), value))
            return one;
    return NULL;
}

text file_shown(struct ctx *c, const struct category *cat, const struct json *value)
{
    int index = policy_field(cat, value->key);
    return doc_value(c, index < 0 ? NULL : &cat->fields[index], value);
}

void page_value(struct page *p, const struct category *cat, const struct json *value)
{
    int index = policy_field(cat, value->key);
    bool moment = index >= 0 && cat->fields[index].type == FIELD_TIME && value->kind == J_TEXT;
    json_pair(&p->w, TEXT("value"), moment ? value->value : file_shown(p->c, cat, value));
    json_pair_bool(&p->w, TEXT("moment"), moment);
}

msec file_time(const struct json *object, text name)
{
    msec t;
    return time_parse(json_text(object, name), &t) ? t : 0;
}

void page_until(struct page *p, const struct json *from)
{
    msec until = file_time(from, TEXT("until"));
    bool whole = until && value_day_start(p->c, value_day(p->c, until)) == until;
    json_pair(&p->w, TEXT("until"), until ? time_print(p->c->arena, until - whole) : (text){ NULL, 0 });
}

void page_copy(struct page *p, const struct json *from, text name)
{
    const struct json *v = json_get(from, name);
    json_name(&p->w, name);
    if (v)
        json_put(&p->w, v);
    else
        json_put_null(&p->w);
}

static bool is_item(const struct json *one, const struct json *item)
{
    const struct json *number = json_get(one, TEXT("item"));
    return item && number && text_eq(item->value, number->value);
}

/* A category with one record has its values as they are; one with several has a list of them by item. */
const struct json *file_values(const struct json *file, text category, const struct json *record)
{
    const struct json *data = json_get(json_get(file, TEXT("data")), category), *item = json_get(record, TEXT("item"));
    if (!data || data->kind != J_ARRAY)
        return data;
    JSON_EACH(one, data)
        if (is_item(one, item))
            return json_get(one, TEXT("fields"));
    return NULL;
}
