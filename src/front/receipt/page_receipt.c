/* Receipts of consent: by API, and as a file from the person's own page. */
#include "domain/core/actor.h"
#include "domain/receipt/receipt.h"
#include "front/door/go.h"
#include "front/page/page_person.h"

HANDLER(receipt_get, receipt_get(c, q->params[0], q->params[1], &answer))

enum err api_receipt_take(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(receipt_get(c, session_self(c), q->params[0], &answer));
    answer.media_type = TEXT("application/json");
    answer.file_name = TEXT("receipt.json");
    return reply_answer(c, q, r, &answer);
}
