/* What is read off states of an energy block of the user's: sums over a batch, some samples at a time. */
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/random.h"
#include "energy/user_calls.h"
#include "tensor/doubles.h"

enum { INPUT_GRADIENT = 2 }; /* stream of seeds of the slot that is called about what another was called about */

/* A call about one of the sum's states. */
static ffebm_energy_call load_term(const ffebmi_user_energy *u, const ffebmi_batch_sum *sum, size_t term,
                                   const ffebmi_user_slice *part, ffebmi_user_work *w)
{
    const ffebmi_arrays *k = sum->arrays;
    ffebm_energy_call call =
        ffebmi_user_call(u, part->first, part->rows,
                         ffebmi_random_stream(ffebmi_random_stream(sum->seed, term), sum->first_sample + part->first));

    ffebmi_to_doubles(k->element, &u->base.layers[0], part->rows,
                      ffebmi_at(k, sum->states[term][0], part->first * u->table.state_count), w->state);
    ffebmi_to_doubles(k->element, &u->input, part->rows, ffebmi_at(k, sum->input, part->first * u->input.count),
                      w->input);
    for (size_t r = 0; r < part->rows; r++)
        w->weight[r] = sum->weights[term] * (sum->signs == NULL ? 1 : sum->signs[part->first + r]);
    call.state = w->state;
    call.input = w->input;
    call.weight = w->weight;
    return call;
}

/* The gradient as an output of a slot. */
static ffebmi_user_output gradient_of(const ffebmi_user_energy *u)
{
    return (ffebmi_user_output){.name = "gradient",
                                .at = u->parameters.gradient,
                                .count = u->parameters.element_count,
                                .element = sizeof(double)};
}

/* Add the sum of what a slot has left to the model's gradients. */
static ffebm_status give_sum(const ffebmi_user_energy *u, const ffebmi_user_slot *slot, const ffebmi_batch_sum *sum,
                             void *const *gradients, ffebmi_failure *failure)
{
    ffebmi_user_output total = gradient_of(u);

    total.at = u->parameters.sum;
    total.element = sum->arrays->element;
    FFEBMI_TRY(ffebmi_user_judge(slot, &total, failure));
    if (sum->replace)
        ffebmi_user_parameters_clear(&u->parameters, sum->arrays->element, gradients);
    ffebmi_user_parameters_add_sum(&u->parameters, sum->arrays->element, gradients);
    return FFEBM_OK;
}

ffebm_status ffebmi_user_gradient(const ffebm_energy *block, const ffebmi_batch_sum *sum, void *const *gradients,
                                  void *memory, ffebmi_failure *failure)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    ffebmi_user_slot slot = {.name = "parameter_gradient", .what = u->what, .outputs = {gradient_of(u)}};
    ffebmi_user_work *w = memory;

    if (u->parameters.count == 0)
        return FFEBM_OK;
    ffebmi_user_parameters_clear_sum(&u->parameters);
    for (ffebmi_user_slice part = {0}; ffebmi_user_next(&part, sum->batch, w->rows);)
        for (size_t term = 0; term < sum->count; term++) {
            ffebm_energy_call call = load_term(u, sum, term, &part, w);

            call.gradient = u->parameters.gradient;
            FFEBMI_TRY(ffebmi_user_run(u, u->table.parameter_gradient, &slot, &call, failure));
            ffebmi_user_parameters_add_up(&u->parameters);
        }
    return give_sum(u, &slot, sum, gradients, failure);
}

/* dE/dx as an output of a slot. */
static ffebmi_user_output input_gradient_of(const ffebmi_user_energy *u, double *at, size_t rows, size_t element)
{
    return (ffebmi_user_output){.name = "input_gradient",
                                .at = at,
                                .count = rows * u->input.count,
                                .per_row = u->input.count,
                                .element = element};
}

/* dE/dx of the states in w: what the slot says, or minus the first numbers of the state. */
static ffebm_status read_input_gradient(const ffebmi_user_energy *u, ffebmi_user_slot *slot, ffebm_energy_call *call,
                                        ffebmi_user_work *w, ffebmi_failure *failure)
{
    size_t units = u->input.count;

    if (u->table.input_gradient != NULL) {
        call->seed = ffebmi_random_stream(call->seed, INPUT_GRADIENT);
        call->input_gradient = w->input_gradient;
        slot->outputs[0] = input_gradient_of(u, w->input_gradient, call->batch, sizeof(double));
        return ffebmi_user_run(u, u->table.input_gradient, slot, call, failure);
    }
    for (size_t r = 0; r < call->batch; r++)
        for (size_t i = 0; i < units; i++)
            w->input_gradient[r * units + i] = -w->state[r * u->table.state_count + i];
    return FFEBM_OK;
}

ffebm_status ffebmi_user_input_gradient(const ffebm_energy *block, const ffebmi_batch_sum *sum, void *out, void *memory,
                                        ffebmi_failure *failure)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    const size_t units = u->input.count, element = sum->arrays->element;
    ffebmi_user_work *w = memory;

    for (ffebmi_user_slice part = {0}; ffebmi_user_next(&part, sum->batch, w->rows);) {
        ffebmi_user_slot slot = {.name = "input_gradient", .what = u->what, .first = part.first};
        const ffebmi_user_output total = input_gradient_of(u, w->input_sum, part.rows, element);
        void *to = ffebmi_at(sum->arrays, out, part.first * units);

        ffebmi_to_doubles(element, &u->input, part.rows, to, w->input_sum);
        for (size_t term = 0; term < sum->count; term++) {
            ffebm_energy_call call = load_term(u, sum, term, &part, w);

            FFEBMI_TRY(read_input_gradient(u, &slot, &call, w, failure));
            for (size_t i = 0; i < part.rows * units; i++)
                w->input_sum[i] += w->weight[i / units] * w->input_gradient[i];
        }
        FFEBMI_TRY(ffebmi_user_judge(&slot, &total, failure));
        ffebmi_from_doubles(element, &u->input, part.rows, w->input_sum, to);
    }
    return FFEBM_OK;
}

ffebm_status ffebmi_user_energies(const ffebm_energy *block, const ffebmi_batch_sum *sum, double *out, void *memory,
                                  ffebmi_failure *failure)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    ffebmi_user_work *w = memory;

    if (u->table.energy == NULL) {
        snprintf(failure->text, sizeof failure->text, "%s: it has no slot `energy`", u->what);
        failure->status = FFEBM_ERR_UNSUPPORTED;
        return failure->status;
    }
    for (ffebmi_user_slice part = {0}; ffebmi_user_next(&part, sum->batch, w->rows);) {
        ffebm_energy_call call = load_term(u, sum, 0, &part, w);
        ffebmi_user_slot slot = {.name = "energy",
                                 .outputs = {{.name = "energy",
                                              .at = w->energy,
                                              .count = part.rows,
                                              .per_row = 1,
                                              .element = sum->arrays->element}}};

        call.energy = w->energy;
        FFEBMI_TRY(ffebmi_user_run(u, u->table.energy, &slot, &call, failure));
        memcpy(out + part.first, w->energy, part.rows * sizeof *out);
    }
    return FFEBM_OK;
}

ffebm_status ffebmi_user_pull_back(const ffebm_energy *block, const ffebmi_batch_sum *sum, const void *cotangent,
                                   void *const *gradients, void *out, void *memory, ffebmi_failure *failure)
{
    const ffebmi_user_energy *u = (const ffebmi_user_energy *)block;
    const ffebmi_arrays *k = sum->arrays;
    size_t units = u->input.count, outputs = u->output.count;
    ffebmi_user_slot slot = {.name = "adjoint", .what = u->what, .outputs = {[1] = gradient_of(u)}};
    ffebmi_user_work *w = memory;

    ffebmi_user_parameters_clear_sum(&u->parameters);
    for (ffebmi_user_slice part = {0}; ffebmi_user_next(&part, sum->batch, w->rows);) {
        ffebm_energy_call call = load_term(u, sum, 0, &part, w);

        ffebmi_to_doubles(k->element, &u->output, part.rows, ffebmi_at(k, cotangent, part.first * outputs), w->force);
        call.output_cotangent = w->force;
        call.input_gradient = w->input_gradient;
        call.gradient = u->parameters.gradient;
        slot.outputs[0] = input_gradient_of(u, w->input_gradient, part.rows, k->element);
        FFEBMI_TRY(ffebmi_user_run(u, u->table.adjoint, &slot, &call, failure));
        ffebmi_user_parameters_add_up(&u->parameters);
        if (out != NULL)
            ffebmi_from_doubles(k->element, &u->input, part.rows, w->input_gradient,
                                ffebmi_at(k, out, part.first * units));
    }
    return give_sum(u, &slot, sum, gradients, failure);
}
