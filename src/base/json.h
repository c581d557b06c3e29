/* JSON: strict reading into an arena (RFC 8259; duplicate names refused, depth limited), and a writer. */
#ifndef BASE_JSON_H
#define BASE_JSON_H
#include "arena.h"
#include "buf.h"

enum json_kind { J_NULL, J_BOOL, J_NUMBER, J_TEXT, J_ARRAY, J_OBJECT };

struct json {
    enum json_kind kind;
    bool truth;                      /* of a J_BOOL */
    uint32_t count;                  /* children of an array or object */
    text key;                        /* its name inside an object */
    text value;                      /* characters of a text, literal of a number */
    const struct json *first, *next; /* children in the order of the text */
};

enum { JSON_DEPTH_MAX = 32 };

/* Parses all of `in`. ERR_JSON with line and column on anything else than one well-formed value. */
enum err json_parse(struct arena *a, text in, const struct json **out);
/* The same of what a builder made; its failure is that of buf_lend(). */
enum err json_parse_buf(struct arena *a, const struct buf *in, const struct json **out);
/* The member `key`, or NULL; NULL also when `object` is NULL or no object, so that look-ups chain. */
const struct json *json_get(const struct json *object, text key);
/* Characters of a text member; the empty slice (p NULL) when it is absent or no text. */
text json_text(const struct json *object, text key);
bool json_int(const struct json *number, int64_t *out);
#define JSON_EACH(item, parent)                                                                                        \
    for (const struct json *item = (parent) ? (parent)->first : NULL; item; item = item->next)

/* The writer: commas and escapes are its business; names are given before values inside objects. */
struct json_out {
    struct buf *b;
    bool comma;
};
struct json_out json_out(struct buf *b);
void json_name(struct json_out *w, text name);
void json_open(struct json_out *w, char bracket);  /* '{' or '[' */
void json_close(struct json_out *w, char bracket); /* '}' or ']' */
void json_put_text(struct json_out *w, text s);    /* p NULL writes null */
void json_put_int(struct json_out *w, int64_t value);
void json_put_bool(struct json_out *w, bool value);
void json_put_null(struct json_out *w);
void json_put_hex(struct json_out *w, text bytes);
void json_put_raw(struct json_out *w, text json); /* a value that is JSON already */
void json_put(struct json_out *w, const struct json *value);
/* The text that another builder made, and the JSON: a failure there is one of w's builder. */
void json_put_text_of(struct json_out *w, const struct buf *b);
void json_put_raw_of(struct json_out *w, const struct buf *b);
/* Name and value in one call, inside an object. */
void json_pair(struct json_out *w, text name, text value);
void json_pair_int(struct json_out *w, text name, int64_t value);
void json_pair_bool(struct json_out *w, text name, bool value);

#endif
