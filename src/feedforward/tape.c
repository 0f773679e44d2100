#include "feedforward/tape.h"

#include "core/executor.h"

enum { ROW_GRAIN = 32, UNIT_GRAIN = 64 }; /* cuts of the work; part of what fixes the bits */

void ffebmi_tape_place(ffebmi_arena *arena, ffebmi_tape *tape, const ffebm_feedforward *block,
                       const ffebmi_kernel *kernel, size_t rows)
{
    void **outputs = ffebmi_carve(arena, block->op_count, sizeof *outputs);
    size_t largest = block->input.count;
    void *cotangents[2];

    for (size_t i = 0; i < block->op_count; i++) {
        const ffebmi_op *op = &block->ops[i];
        void *own = NULL;

        if (op->kind->forward != NULL)
            own = ffebmi_carve(arena, rows, op->output.count * kernel->element);
        if (outputs != NULL)
            outputs[i] = own;
        if (op->output.count > largest)
            largest = op->output.count;
    }
    for (size_t i = 0; i < 2; i++)
        cotangents[i] = ffebmi_carve(arena, rows, largest * kernel->element);
    if (arena->base != NULL)
        *tape = (ffebmi_tape){.outputs = outputs, .cotangents = {cotangents[0], cotangents[1]}};
}

/* ------------------------------------------------------------------------------------------- spreading the work */

typedef struct op_job {
    const ffebmi_op *op;
    const ffebmi_op_call *call;
    void (*function)(const ffebmi_op *op, const ffebmi_op_call *call, size_t first, size_t count);
} op_job;

static void op_range(void *user, size_t worker, size_t first, size_t count)
{
    const op_job *job = user;

    (void)worker;
    job->function(job->op, job->call, first, count);
}

static void spread(ffebm_context *context, const op_job *job, size_t total, size_t grain)
{
    op_job copy = *job;

    if (context != NULL)
        ffebmi_parallel_ranges(context, total, grain, op_range, &copy);
    else
        job->function(job->op, job->call, 0, total);
}

/* ------------------------------------------------------------------------------------------- forward and back */

static ffebmi_op_call call_of(const ffebmi_op *op, const ffebmi_feedforward_values *values, size_t first_parameter,
                              size_t rows)
{
    ffebmi_op_call call = {.kernel = values->kernel, .rows = rows, .gradient_scale = values->gradient_scale};

    for (size_t p = 0; p < op->parameter_count; p++) {
        call.parameters[p] = values->parameters[first_parameter + p];
        call.gradients[p] = values->gradients == NULL ? NULL : values->gradients[first_parameter + p];
    }
    return call;
}

/* The input of op i: the output below it, where ops without numbers of their own are transparent. */
static const void *input_of(const ffebm_feedforward *block, const ffebmi_tape *tape, const void *input, size_t i)
{
    while (i > 0) {
        i--;
        if (block->ops[i].kind->forward != NULL)
            return tape->outputs[i];
    }
    return input;
}

const void *ffebmi_feedforward_forward(ffebm_context *context, const ffebm_feedforward *block, const ffebmi_tape *tape,
                                       const ffebmi_feedforward_values *values, size_t rows, const void *input)
{
    size_t parameter = 0;

    for (size_t i = 0; i < block->op_count; i++) {
        const ffebmi_op *op = &block->ops[i];

        if (op->kind->forward != NULL) {
            ffebmi_op_call call = call_of(op, values, parameter, rows);
            op_job job = {op, &call, op->kind->forward};

            call.input = input_of(block, tape, input, i);
            call.output = tape->outputs[i];
            spread(context, &job, rows, ROW_GRAIN);
        }
        parameter += op->parameter_count;
    }
    return input_of(block, tape, input, block->op_count);
}

static size_t count_parameters(const ffebm_feedforward *block)
{
    size_t count = 0;

    for (size_t i = 0; i < block->op_count; i++)
        count += block->ops[i].parameter_count;
    return count;
}

/* Is there anything below op i that the cotangent of its input is for? */
static bool wanted_below(const ffebm_feedforward *block, size_t i, bool want_input_cotangent)
{
    bool parameters = false;

    for (size_t j = 0; j < i; j++)
        parameters = parameters || block->ops[j].parameter_count > 0;
    return want_input_cotangent || parameters;
}

const void *ffebmi_feedforward_vjp(ffebm_context *context, const ffebm_feedforward *block, const ffebmi_tape *tape,
                                   const ffebmi_feedforward_values *values, size_t rows, const void *input,
                                   const void *cotangent, bool want_input_cotangent)
{
    size_t parameter = count_parameters(block);
    size_t turn = 0;

    for (size_t i = block->op_count; i-- > 0;) {
        const ffebmi_op *op = &block->ops[i];
        ffebmi_op_call call;

        parameter -= op->parameter_count;
        if (op->kind->forward == NULL)
            continue;
        call = call_of(op, values, parameter, rows);
        call.input = input_of(block, tape, input, i);
        call.output = tape->outputs[i];
        call.output_cotangent = cotangent;
        if (op->parameter_count > 0 && values->gradients != NULL)
            spread(context, &(op_job){op, &call, op->kind->gradient}, (size_t)op->output.dims[0], UNIT_GRAIN);
        if (!wanted_below(block, i, want_input_cotangent))
            return NULL;
        call.input_cotangent = tape->cotangents[turn];
        turn = 1 - turn;
        spread(context, &(op_job){op, &call, op->kind->pullback}, rows, ROW_GRAIN);
        cotangent = call.input_cotangent;
    }
    return want_input_cotangent ? cotangent : NULL;
}
