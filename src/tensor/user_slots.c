#include "tensor/user_slots.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tensor/doubles.h"

static void prepare(ffebmi_user_slot *slot)
{
    slot->message[0] = '\0';
    for (size_t i = 0; i < FFEBMI_USER_OUTPUTS; i++) {
        const ffebmi_user_output *output = &slot->outputs[i];
        size_t bytes = output->count * sizeof(double);

        if (output->at != NULL && output->start != NULL)
            memcpy(output->at, output->start, bytes);
        else if (output->at != NULL)
            memset(output->at, 0, bytes);
    }
}

static ffebm_status tell_answer(ffebmi_user_slot *slot, int32_t answer, ffebmi_failure *failure)
{
    failure->status = FFEBM_ERR_USER;
    slot->message[FFEBMI_USER_MESSAGE - 1] = '\0';
    if (answer > 0)
        snprintf(failure->text, sizeof failure->text,
                 "%s: %s asked for a retry %" PRId32 " times, and no more are allowed", slot->what, slot->name,
                 slot->retries);
    else
        snprintf(failure->text, sizeof failure->text, "%s: %s returned %" PRId32 "%s%s", slot->what, slot->name, answer,
                 slot->message[0] != '\0' ? ": " : "", slot->message);
    return failure->status;
}

ffebm_status ffebmi_user_judge(const ffebmi_user_slot *slot, const ffebmi_user_output *left, ffebmi_failure *failure)
{
    const double *numbers = left->at;
    size_t bad = left->element == 0 ? left->count : ffebmi_first_not_finite(left->element, left->count, numbers);

    if (bad == left->count)
        return FFEBM_OK;
    failure->status = FFEBM_ERR_NUMERIC;
    if (left->per_row > 0)
        snprintf(failure->text, sizeof failure->text, "%s: %s left %g in %s of sample %zu, number %zu", slot->what,
                 slot->name, numbers[bad], left->name, slot->first + bad / left->per_row, bad % left->per_row);
    else
        snprintf(failure->text, sizeof failure->text, "%s: %s left %g in %s, number %zu", slot->what, slot->name,
                 numbers[bad], left->name, bad);
    return failure->status;
}

ffebm_status ffebmi_user_ask(ffebmi_user_slot *slot, ffebmi_failure *failure)
{
    int32_t answer;

    for (slot->retries = 0;; slot->retries++) {
        prepare(slot);
        answer = slot->ask(slot->asked, slot->retries);
        if (answer <= 0 || slot->retries == slot->retry_limit)
            break;
    }
    if (answer != 0)
        return tell_answer(slot, answer, failure);
    for (size_t i = 0; i < FFEBMI_USER_OUTPUTS; i++)
        FFEBMI_TRY(ffebmi_user_judge(slot, &slot->outputs[i], failure));
    return FFEBM_OK;
}

bool ffebmi_user_next(ffebmi_user_slice *slice, size_t batch, size_t most)
{
    size_t left;

    slice->first += slice->rows;
    left = batch - slice->first;
    slice->rows = left < most ? left : most;
    return slice->rows > 0;
}
