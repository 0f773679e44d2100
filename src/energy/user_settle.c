/* An energy block of the user's settles, and gives its parameters their first values. */
#include <string.h>

#include "core/context.h"
#include "core/random.h"
#include "energy/user_calls.h"
#include "tensor/doubles.h"

enum { OUTPUT = 1 }; /* stream of seeds of the slot that reads the output of what another has settled */

/* The output of the state in w. */
static ffebm_status read_output(const ffebmi_user_energy *u, const ffebm_energy_call *call, size_t element,
                                ffebmi_user_work *w, ffebmi_failure *failure)
{
    size_t units = u->output.count, count = u->table.state_count;
    ffebmi_user_slot slot = {
        .name = "output",
        .outputs = {
            {.name = "output", .at = w->output, .count = call->batch * units, .per_row = units, .element = element}}};
    ffebm_energy_call read = *call;

    if (u->table.output != NULL) {
        read.seed = ffebmi_random_stream(call->seed, OUTPUT);
        read.output = w->output;
        read.residual = NULL;
        read.sweeps = NULL;
        return ffebmi_user_run(u, u->table.output, &slot, &read, failure);
    }
    for (size_t r = 0; r < call->batch; r++)
        memcpy(w->output + r * units, w->state + (r + 1) * count - units, units * sizeof(double));
    return FFEBM_OK;
}

static void load_settling(const ffebmi_user_energy *u, const ffebmi_batch_settling *s, ffebmi_user_work *w)
{
    size_t count = u->table.state_count;

    ffebmi_to_doubles(s->arrays->element, &u->input, s->rows, s->input, w->input);
    if (s->start != NULL)
        ffebmi_to_doubles(s->arrays->element, &u->base.layers[0], s->rows, s->start, w->start);
    else
        memset(w->start, 0, s->rows * count * sizeof *w->start);
    if (s->force != NULL)
        ffebmi_to_doubles(s->arrays->element, &u->output, s->rows, s->force, w->force);
}

/* The block is given a state to begin with, and leaves another in its place. */
static ffebm_status run_settle(const ffebmi_user_energy *u, ffebmi_batch_settling *s, ffebm_energy_call *call,
                               ffebmi_user_work *w, ffebmi_failure *failure)
{
    size_t count = u->table.state_count, rows = s->rows;
    ffebmi_user_slot slot = {
        .name = "settle",
        .outputs = {
            {.name = "state",
             .at = w->state,
             .count = rows * count,
             .per_row = count,
             .element = s->arrays->element,
             .start = w->start},
            {.name = "residual", .at = w->residual, .count = rows, .per_row = 1, .element = sizeof(double)},
            {.name = "joules", .at = &call->joules, .count = 1, .element = sizeof(double)},
            {.name = "sweeps", .at = w->sweeps, .count = rows, .per_row = 1},
        }};

    FFEBMI_TRY(ffebmi_user_run(u, u->table.settle, &slot, call, failure));
    s->retries = slot.retries;
    s->joules = call->joules;
    return FFEBM_OK;
}

static ffebm_status settle(const ffebm_energy *block, ffebmi_batch_settling *s, void *memory, ffebmi_failure *failure)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    ffebmi_user_work *w = memory;
    ffebm_energy_call call =
        ffebmi_user_call(u, s->first, s->rows, ffebmi_random_stream(s->seed, s->first_sample + s->first));

    load_settling(u, s, w);
    call.input = w->input;
    call.force = s->force == NULL ? NULL : w->force;
    call.state = w->state;
    call.residual = w->residual;
    call.sweeps = w->sweeps;
    call.force_at = s->force_at;
    call.force_user = s->force_user;
    call.max_sweeps = s->max_sweeps;
    call.tolerance = s->tolerance;
    call.nudged = s->nudged;
    s->residual = w->residual;
    s->sweeps = w->sweeps;
    FFEBMI_TRY(run_settle(u, s, &call, w, failure));
    FFEBMI_TRY(read_output(u, &call, s->arrays->element, w, failure));
    ffebmi_from_doubles(s->arrays->element, &block->layers[0], s->rows, w->state, s->state[0]);
    ffebmi_from_doubles(s->arrays->element, &block->layers[1], s->rows, w->output, s->state[1]);
    return FFEBM_OK;
}

/* The values wait in the place of the gradient. */
ffebm_status ffebmi_user_initialize(ffebm_energy *block, size_t element, uint64_t seed, const double **values,
                                    ffebmi_failure *failure)
{
    ffebmi_user_energy *u = (ffebmi_user_energy *)block;
    size_t count = u->parameters.element_count;
    ffebm_energy_call call = ffebmi_user_call(u, 0, 0, ffebmi_random_stream(seed, 0));
    ffebmi_user_slot slot = {
        .name = "initialize",
        .outputs = {{.name = "values", .at = u->parameters.gradient, .count = count, .element = element}}};

    *values = u->parameters.gradient;
    memset(u->parameters.gradient, 0, count * sizeof(double));
    if (u->table.initialize == NULL)
        return FFEBM_OK;
    call.values = u->parameters.gradient;
    return ffebmi_user_run(u, u->table.initialize, &slot, &call, failure);
}

const ffebmi_batch_rules ffebmi_user_rules = {.settle = settle,
                                              .gradient = ffebmi_user_gradient,
                                              .input_gradient = ffebmi_user_input_gradient,
                                              .energies = ffebmi_user_energies,
                                              .pull_back = ffebmi_user_pull_back};
