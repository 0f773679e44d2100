#include "feedforward/tape.h"

#include "core/context.h"
#include "core/parallel.h"

enum { ROW_GRAIN = 16 }; /* cuts of the work; part of what fixes the bits */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

void ffebmi_tape_measure(ffebmi_tape_needs *needs, const ffebm_feedforward *block, const ffebmi_arithmetic *arithmetic)
{
    needs->units = larger(needs->units, block->input.count);
    for (size_t i = 0; i < block->op_count; i++) {
        const ffebmi_op *op = &block->ops[i];

        needs->units = larger(needs->units, op->output.count);
        if (op->kind->scratch != NULL)
            needs->scratch = larger(needs->scratch, op->kind->scratch(op, arithmetic));
        if (op->kind->packed != NULL)
            needs->packed = larger(needs->packed, op->kind->packed(op, arithmetic));
    }
}

ffebmi_tape_work ffebmi_tape_lay_out_work(ffebmi_arena *arena, const ffebmi_tape_needs *needs,
                                          const ffebmi_arithmetic *arithmetic, size_t rows, size_t threads)
{
    ffebmi_tape_work placed = {.scratch = ffebmi_carve(arena, threads, sizeof(void *))};

    for (size_t i = 0; i < 2; i++)
        placed.cotangents[i] = ffebmi_carve(arena, rows, needs->units * arithmetic->arrays->element);
    for (size_t i = 0; i < threads; i++) {
        void *memory = ffebmi_carve(arena, needs->scratch, arithmetic->arrays->element);

        if (placed.scratch != NULL)
            placed.scratch[i] = memory;
    }
    placed.packed = ffebmi_carve(arena, needs->packed, arithmetic->arrays->element);
    return placed;
}

static void *lay_out_op(ffebmi_arena *arena, const ffebmi_op *op, const ffebmi_arithmetic *arithmetic, size_t rows)
{
    return op->kind->lay_out == NULL ? NULL : op->kind->lay_out(op, arithmetic, rows, arena);
}

/* The op after op i that has numbers of its own; op_count: none. */
static size_t next_op(const ffebm_feedforward *block, size_t i)
{
    do
        i++;
    while (i < block->op_count && block->ops[i].view);
    return i;
}

/* Is the output of op i done with once the next op has seen it? Such outputs lie where cotangents will, in turn. */
static bool is_passing(const ffebm_feedforward *block, size_t i)
{
    size_t next = next_op(block, i);

    return next < block->op_count && !block->ops[i].kind->reads_output && !block->ops[next].kind->reads_input;
}

void ffebmi_tape_lay_out(ffebmi_arena *arena, ffebmi_tape *tape, const ffebm_feedforward *block,
                         const ffebmi_arithmetic *arithmetic, size_t rows, const ffebmi_tape_work *work)
{
    ffebmi_tape placed = {.outputs = ffebmi_carve(arena, block->op_count, sizeof(void *)), .work = work};

    placed.memories = ffebmi_carve(arena, block->op_count, sizeof(void *));
    for (size_t i = 0, turn = 0; i < block->op_count; i++) {
        const ffebmi_op *op = &block->ops[i];
        void *memory = lay_out_op(arena, op, arithmetic, rows), *output = NULL;

        if (!op->view && is_passing(block, i))
            output = work->cotangents[turn = 1 - turn];
        else if (!op->view)
            output = ffebmi_carve(arena, rows, op->output.count * arithmetic->arrays->element);
        if (arena->base != NULL) {
            placed.memories[i] = memory;
            placed.outputs[i] = output;
        }
    }
    if (arena->base != NULL)
        *tape = placed;
}

/* ------------------------------------------------------------------------------------------- spreading the work */

typedef struct op_job {
    const ffebmi_op *op;
    const ffebmi_op_call *call;
    const ffebmi_tape *tape;
    ffebmi_op_fn function;
} op_job;

static void op_range(void *user, size_t worker, size_t first, size_t count)
{
    const op_job *job = user;
    ffebmi_op_call call = *job->call;

    call.scratch = job->tape->work->scratch[worker];
    job->function(job->op, &call, first, count);
}

static void spread(ffebm_context *context, op_job job, size_t total, size_t grain)
{
    if (context != NULL)
        ffebmi_parallel_ranges(context, total, grain, op_range, &job);
    else
        op_range(&job, 0, 0, total);
}

/* ------------------------------------------------------------------------------------------- forward and back */

/* Where an op's parameters and buffers begin in its block's. */
typedef struct position {
    size_t parameter;
    size_t buffer;
} position;

static position position_of(const ffebm_feedforward *block, size_t op)
{
    position at = {0};

    for (size_t i = 0; i < op; i++) {
        at.parameter += block->ops[i].parameter_count;
        at.buffer += block->ops[i].buffer_count;
    }
    return at;
}

/* The input of op i: the output below it, where views are transparent. */
static const void *input_of(const ffebm_feedforward *block, const ffebmi_tape *tape, const void *input, size_t i)
{
    while (i > 0) {
        i--;
        if (!block->ops[i].view)
            return tape->outputs[i];
    }
    return input;
}

static ffebmi_op_call call_of(const ffebm_feedforward *block, const ffebmi_tape *tape,
                              const ffebmi_feedforward_values *values, size_t rows, const void *input, size_t i)
{
    const ffebmi_op *op = &block->ops[i];
    position at = position_of(block, i);
    ffebmi_op_call call = {.arrays = values->arrays,
                           .training = values->training,
                           .rows = rows,
                           .whole = values->whole,
                           .input = input_of(block, tape, input, i),
                           .output = tape->outputs[i],
                           .gradient_scale = values->gradient_scale,
                           .seed = values->seed,
                           .first_sample = values->first_sample,
                           .memory = tape->memories[i],
                           .packed = tape->work->packed};

    for (size_t p = 0; p < op->parameter_count; p++) {
        call.parameters[p] = values->parameters[at.parameter + p];
        call.gradients[p] = values->gradients == NULL ? NULL : values->gradients[at.parameter + p];
    }
    for (size_t b = 0; b < op->buffer_count; b++)
        call.buffers[b] = values->buffers[at.buffer + b];
    return call;
}

ffebm_status ffebmi_feedforward_forward(ffebm_context *context, const ffebm_feedforward *block, const ffebmi_tape *tape,
                                        const ffebmi_feedforward_values *values, size_t rows, const void *input,
                                        const void **output)
{
    for (size_t i = 0; i < block->op_count; i++) {
        const ffebmi_op *op = &block->ops[i];
        ffebmi_op_call call = call_of(block, tape, values, rows, input, i);

        if (op->view)
            continue;
        if (op->kind->run != NULL) {
            FFEBMI_TRY(op->kind->run(op, &call, context));
            continue;
        }
        if (op->kind->prepare != NULL)
            FFEBMI_TRY(op->kind->prepare(op, &call, context));
        spread(context, (op_job){op, &call, tape, op->kind->forward}, rows, ROW_GRAIN);
    }
    *output = input_of(block, tape, input, block->op_count);
    return FFEBM_OK;
}

/* Is there anything below op i that the cotangent of its input is for? */
static bool wanted_below(const ffebm_feedforward *block, size_t i, bool want_input_cotangent)
{
    return want_input_cotangent || position_of(block, i).parameter > 0;
}

/* One op of the library's: its gradients, and the cotangent of its input where there is a place for it. */
static ffebm_status op_vjp(ffebm_context *context, const ffebmi_op *op, const ffebmi_op_call *call,
                           const ffebmi_tape *tape, bool gradients)
{
    if (op->kind->prepare_vjp != NULL)
        FFEBMI_TRY(op->kind->prepare_vjp(op, call, context));
    if (op->kind->gradient != NULL && gradients)
        spread(context, (op_job){op, call, tape, op->kind->gradient}, op->units, op->kind->grain);
    if (call->input_cotangent != NULL)
        spread(context, (op_job){op, call, tape, op->kind->pullback}, call->rows, ROW_GRAIN);
    return FFEBM_OK;
}

ffebm_status ffebmi_feedforward_vjp(ffebm_context *context, const ffebm_feedforward *block, const ffebmi_tape *tape,
                                    const ffebmi_feedforward_values *values, size_t rows, const void *input,
                                    const void **cotangent, bool want_input_cotangent)
{
    size_t turn = *cotangent == tape->work->cotangents[0] ? 1 : 0; /* it may have come from the block above */

    for (size_t i = block->op_count; i-- > 0;) {
        const ffebmi_op *op = &block->ops[i];
        ffebmi_op_call call = call_of(block, tape, values, rows, input, i);

        if (op->view)
            continue;
        call.output_cotangent = *cotangent;
        call.input_cotangent = wanted_below(block, i, want_input_cotangent) ? tape->work->cotangents[turn] : NULL;
        turn = 1 - turn;
        if (op->kind->run_vjp != NULL)
            FFEBMI_TRY(op->kind->run_vjp(op, &call, context));
        else
            FFEBMI_TRY(op_vjp(context, op, &call, tape, values->gradients != NULL));
        *cotangent = call.input_cotangent;
        if (call.input_cotangent == NULL)
            return FFEBM_OK;
    }
    if (!want_input_cotangent)
        *cotangent = NULL;
    return FFEBM_OK;
}

size_t ffebmi_feedforward_bad_buffer(const ffebm_feedforward *block, const ffebmi_tape *tape,
                                     const ffebmi_feedforward_values *values, size_t rows)
{
    for (size_t i = 0; i < block->op_count; i++) {
        const ffebmi_op *op = &block->ops[i];
        ffebmi_op_call call = call_of(block, tape, values, rows, NULL, i);
        size_t bad = op->kind->bad_buffer == NULL ? op->buffer_count : op->kind->bad_buffer(op, &call);

        if (bad < op->buffer_count)
            return position_of(block, i).buffer + bad;
    }
    return FFEBM_NONE;
}

void ffebmi_feedforward_commit(const ffebm_feedforward *block, const ffebmi_tape *tape,
                               const ffebmi_feedforward_values *values, size_t rows)
{
    for (size_t i = 0; i < block->op_count; i++) {
        const ffebmi_op *op = &block->ops[i];
        ffebmi_op_call call = call_of(block, tape, values, rows, NULL, i);

        if (op->kind->commit != NULL)
            op->kind->commit(op, &call);
    }
}
