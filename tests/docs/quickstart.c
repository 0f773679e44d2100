/* Around the program of README.md, which leaves out what is in examples/quickstart.c. */
#include <ffebm.h>

enum { INPUTS = 16, BATCH = 128, STEPS = 300 };

void draw_batch(float *points, int64_t *labels, uint64_t step);
void fragment(float *points, int64_t *labels);
void fragment(float *points, int64_t *labels)
{
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *input, *target;
    ffebm_report report = {.size = sizeof report};
    ffebm_certificate worst = {.size = sizeof worst};

#include "fragment.inc"
}
