/* Around a fragment of docs/ that stands in a function: what such fragments may take for granted. */
#include <ffebm.h>
#include <stdio.h>

int32_t user_wants_to_stop(void *user);
int32_t add_up(void *user, void *values, size_t count, int32_t dtype);
ffebm_status fragment(ffebm_context *context, ffebm_model *model, ffebm_engine *engine, ffebm_optimizer *optimizer,
                      ffebm_tensor *input, ffebm_tensor *target, const char *path, uint64_t step);
ffebm_status fragment(ffebm_context *context, ffebm_model *model, ffebm_engine *engine, ffebm_optimizer *optimizer,
                      ffebm_tensor *input, ffebm_tensor *target, const char *path, uint64_t step)
{
    ffebm_status status = FFEBM_OK;
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_report report = {.size = sizeof report};
    ffebm_tensor *output = input, *output_cotangent = input, *input_cotangent = input;
    float rate = 0;
    int stop = 0;

    {
#include "fragment.inc"
    }
    return status;
}
