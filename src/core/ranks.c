#include "core/ranks.h"

#include <inttypes.h>
#include <string.h>

bool ffebmi_ranks_are_many(const ffebm_context *context)
{
    return context != NULL && context->reduce != NULL;
}

static ffebm_status reduce(ffebm_context *context, void *values, size_t count, int32_t dtype)
{
    int32_t answer = context->reduce(context->reduce_user, values, count, dtype);

    FFEBMI_CHECK(context, answer == 0, FFEBM_ERR_RANK, "the context's reduce answered %" PRId32 " to %zu numbers",
                 answer, count);
    return FFEBM_OK;
}

/* What is said in a meeting: how many ranks have failed, and numbers. All meetings have this length: a rank that has failed does
 * not know to which of them it comes. */
enum { LENGTH = 1 + FFEBMI_RANKS_NUMBERS };

ffebm_status ffebmi_ranks_meet(ffebm_context *context, double *numbers, size_t count)
{
    double said[LENGTH] = {0};

    if (!ffebmi_ranks_are_many(context))
        return FFEBM_OK;
    if (count > 0)
        memcpy(said + 1, numbers, count * sizeof *numbers);
    FFEBMI_TRY(reduce(context, said, LENGTH, FFEBM_FLOAT64));
    FFEBMI_CHECK(context, said[0] == 0, FFEBM_ERR_RANK, "the call failed on another rank, whose context says why");
    if (count > 0)
        memcpy(numbers, said + 1, count * sizeof *numbers);
    return FFEBM_OK;
}

ffebm_status ffebmi_ranks_sum(ffebm_context *context, void *values, size_t count, int32_t dtype)
{
    if (!ffebmi_ranks_are_many(context) || count == 0)
        return FFEBM_OK;
    FFEBMI_TRY(ffebmi_ranks_meet(context, NULL, 0));
    return reduce(context, values, count, dtype);
}

/* A rank that has failed keeps its own status and text, whatever becomes of the meeting. */
ffebm_status ffebmi_ranks_close(ffebm_context *context, ffebm_status status, double *numbers, size_t count)
{
    double failed[LENGTH] = {1};

    if (status == FFEBM_OK)
        return ffebmi_ranks_meet(context, numbers, count);
    if (ffebmi_ranks_are_many(context) && status != FFEBM_ERR_RANK)
        context->reduce(context->reduce_user, failed, LENGTH, FFEBM_FLOAT64);
    return status;
}
