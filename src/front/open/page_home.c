/* The page to begin with: who answers for the data, and what one can do here. */
#include "front/door/front.h"
#include "front/page/page.h"
#include "front/open/page_opening.h"

enum err api_home(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct policy *of = c->policy;
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("home"), TEXT(""), &p));
    page_problem(&p, NULL);
    json_pair(&p.w, TEXT("controller"), of->controller.legal_name);
    json_pair(&p.w, TEXT("address"), of->controller.address);
    json_pair(&p.w, TEXT("email"), of->controller.email);
    json_pair_bool(&p.w, TEXT("opened_by_self"), page_self_opened(c->policy));
    return page_show(&p, r, 200);
}
