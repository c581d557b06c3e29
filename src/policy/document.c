/* The policy's tree as JSON: for programs that have no YAML reader. */
#include "policy/policy.h"

void node_json(struct json_out *w, const struct node *n)
{
    if (n->kind == NODE_SCALAR) {
        json_put_text(w, n->value);
        return;
    }
    char bracket = n->kind == NODE_MAP ? '{' : '[';
    json_open(w, bracket);
    NODE_EACH(child, n) {
        if (n->kind == NODE_MAP)
            json_name(w, child->key);
        node_json(w, child);
    }
    json_close(w, n->kind == NODE_MAP ? '}' : ']');
}
