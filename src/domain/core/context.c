/* The context of a request: begun and ended. */
#include "domain/core/context.h"
#include "domain/core/instance.h"

const struct policy *app_policy(struct app *app)
{
    pthread_mutex_lock(&app->policy_lock);
    const struct policy *p = policy_ref(app->policy);
    pthread_mutex_unlock(&app->policy_lock);
    return p;
}

void ctx_begin(struct app *app, struct arena *a, struct ctx *out)
{
    *out = (struct ctx){ .arena = a,
                         .app = app,
                         .policy = app_policy(app),
                         .now = clock_now(&app->clock),
                         .began = clock_monotonic(),
                         .actor = { .kind = ACTOR_NOBODY, .index = -1, .name = TEXT("nobody") } };
    out->tenant = out->policy->tenants[0];
    out->language = out->policy->languages[0];
}

void ctx_end(struct ctx *c) { policy_unref(&c->policy); }

struct controller ctx_controller(const struct ctx *c)
{
    const struct policy *p = c->policy;
    struct controller own = { p->controller.legal_name, p->controller.address, p->controller.country,
                              p->controller.email,      p->controller.phone,   p->controller.site };
    const struct node *tenant = node_get(node_get(p->root, TEXT("tenants")), c->tenant);
    text name = node_text(tenant, TEXT("legal_name"));
    if (!name.n || text_eq(name, own.legal_name))
        return own;
    return (struct controller){ .legal_name = name,
                                .address = node_text(tenant, TEXT("address")),
                                .email = node_text(tenant, TEXT("email")) };
}
