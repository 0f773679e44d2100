/* A feedforward block of the user's at work: doubles on its side, the model's dtype on ours, some samples at a time. */
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/random.h"
#include "feedforward/user.h"
#include "tensor/doubles.h"

/* Doubles of a slice of the batch. */
typedef struct memory {
    size_t rows;
    double *input;
    double *output; /* or its cotangent */
    double *input_cotangent;
} memory;

static void *lay_out(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic, size_t rows, ffebmi_arena *arena)
{
    const ffebmi_user_op *u = op->user;
    size_t most = u->table.max_batch == 0 || u->table.max_batch > rows ? rows : u->table.max_batch;
    memory *m = ffebmi_carve(arena, 1, sizeof *m), placed = {.rows = most};

    (void)arithmetic;
    placed.input = ffebmi_carve(arena, most * u->input.count, sizeof(double));
    placed.output = ffebmi_carve(arena, most * u->output.count, sizeof(double));
    placed.input_cotangent = ffebmi_carve(arena, most * u->input.count, sizeof(double));
    if (m != NULL)
        *m = placed;
    return m;
}

/* ---------------------------------------------------------------------------------------------------------- one slot */

typedef struct asked {
    ffebm_feedforward_fn function;
    void *self;
    ffebm_feedforward_call *call;
} asked;

static int32_t ask(void *user, int32_t attempt)
{
    const asked *a = user;

    a->call->attempt = attempt;
    return a->function(a->self, a->call);
}

/* `slot` has its name and outputs, the rest is filled in. */
static ffebm_status run_slot(ffebm_context *context, const ffebmi_user_op *u, ffebm_feedforward_fn function,
                             ffebmi_user_slot *slot, ffebm_feedforward_call *call)
{
    asked a = {function, u->table.self, call};
    ffebmi_failure failure;
    ffebm_status status;

    slot->what = u->what;
    slot->first = call->first;
    slot->retry_limit = u->table.retry_limit;
    slot->ask = ask;
    slot->asked = &a;
    call->message = slot->message;
    call->message_capacity = sizeof slot->message;
    status = ffebmi_user_ask(slot, &failure);
    call->message = NULL; /* it goes with the slot */
    slot->asked = NULL;
    return status == FFEBM_OK ? FFEBM_OK : ffebmi_fail(context, status, "%s", failure.text);
}

/* ------------------------------------------------------------------------------------------------- forward and back */

/* A call about a slice of the batch, its input loaded. */
static ffebm_feedforward_call load_slice(const ffebmi_op *op, const ffebmi_op_call *c, const ffebmi_user_slice *part)
{
    const ffebmi_user_op *u = op->user;
    const memory *m = c->memory;
    const ffebm_feedforward_call call = {.size = sizeof call,
                                         .batch = part->rows,
                                         .first = part->first,
                                         .parameters = u->parameters.values,
                                         .parameter_count = u->parameters.element_count,
                                         .input = m->input,
                                         .seed = ffebmi_random_stream(c->seed, c->first_sample + part->first),
                                         .version = u->parameters.version,
                                         .scale = c->gradient_scale,
                                         .training = c->training};

    ffebmi_to_doubles(c->arrays->element, &u->input, part->rows,
                      ffebmi_at(c->arrays, c->input, part->first * u->input.count), m->input);
    return call;
}

/* Numbers of each sample as an output of a slot. */
static ffebmi_user_output rows_of(const char *name, double *at, size_t rows, size_t per_row, size_t element)
{
    return (ffebmi_user_output){
        .name = name, .at = at, .count = rows * per_row, .per_row = per_row, .element = element};
}

static ffebm_status run(const ffebmi_op *op, const ffebmi_op_call *c, ffebm_context *context)
{
    ffebmi_user_op *u = op->user;
    const memory *m = c->memory;
    size_t units = u->output.count;

    ffebmi_user_parameters_refresh(&u->parameters, c->arrays->element, c->parameters);
    for (ffebmi_user_slice part = {0}; ffebmi_user_next(&part, c->rows, m->rows);) {
        ffebm_feedforward_call call = load_slice(op, c, &part);
        ffebmi_user_slot slot = {.name = "forward",
                                 .outputs = {rows_of("output", m->output, part.rows, units, c->arrays->element)}};

        call.output = m->output;
        FFEBMI_TRY(run_slot(context, u, u->table.forward, &slot, &call));
        ffebmi_from_doubles(c->arrays->element, &u->output, part.rows, m->output,
                            ffebmi_at(c->arrays, c->output, part.first * units));
    }
    return FFEBM_OK;
}

/* The gradient, or the sum of several, as an output of a slot. */
static ffebmi_user_output gradient_of(const ffebmi_user_op *u, double *at, size_t element)
{
    return (ffebmi_user_output){.name = "gradient", .at = at, .count = u->parameters.element_count, .element = element};
}

static ffebm_status vjp_slice(const ffebmi_op *op, const ffebmi_op_call *c, const ffebmi_user_slice *part,
                              ffebm_context *context)
{
    const ffebmi_user_op *u = op->user;
    const memory *m = c->memory;
    size_t units = u->input.count, element = c->arrays->element;
    ffebm_feedforward_call call = load_slice(op, c, part);
    ffebmi_user_slot slot = {.name = "vjp",
                             .outputs = {rows_of("input_cotangent", m->input_cotangent, part->rows, units, element),
                                         gradient_of(u, u->parameters.gradient, sizeof(double))}};

    ffebmi_to_doubles(element, &u->output, part->rows,
                      ffebmi_at(c->arrays, c->output_cotangent, part->first * u->output.count), m->output);
    call.output_cotangent = m->output;
    call.input_cotangent = m->input_cotangent;
    call.gradient = u->parameters.gradient;
    FFEBMI_TRY(run_slot(context, u, u->table.vjp, &slot, &call));
    ffebmi_user_parameters_add_up(&u->parameters);
    if (c->input_cotangent != NULL)
        ffebmi_from_doubles(element, &u->input, part->rows, m->input_cotangent,
                            ffebmi_at(c->arrays, c->input_cotangent, part->first * units));
    return FFEBM_OK;
}

static ffebm_status run_vjp(const ffebmi_op *op, const ffebmi_op_call *c, ffebm_context *context)
{
    ffebmi_user_op *u = op->user;
    const memory *m = c->memory;
    const ffebmi_user_slot vjp = {.what = u->what, .name = "vjp"};
    const ffebmi_user_output total = gradient_of(u, u->parameters.sum, c->arrays->element);
    ffebmi_failure failure;

    ffebmi_user_parameters_clear_sum(&u->parameters);
    for (ffebmi_user_slice part = {0}; ffebmi_user_next(&part, c->rows, m->rows);)
        FFEBMI_TRY(vjp_slice(op, c, &part, context));
    if (ffebmi_user_judge(&vjp, &total, &failure) != FFEBM_OK)
        return ffebmi_fail(context, failure.status, "%s", failure.text);
    if (u->parameters.count > 0 && c->gradients[0] != NULL)
        ffebmi_user_parameters_add_sum(&u->parameters, c->arrays->element, c->gradients);
    return FFEBM_OK;
}

/* The values wait in the place of the gradient. */
static ffebm_status initialize(const ffebmi_op *op, size_t element, uint64_t seed, const double **values,
                               ffebm_context *context)
{
    ffebmi_user_op *u = op->user;
    ffebm_feedforward_call call = {.size = sizeof call,
                                   .parameter_count = u->parameters.element_count,
                                   .parameters = u->parameters.values,
                                   .values = u->parameters.gradient,
                                   .seed = seed,
                                   .version = u->parameters.version};
    ffebmi_user_slot slot = {.name = "initialize",
                             .outputs = {{.name = "values",
                                          .at = u->parameters.gradient,
                                          .count = u->parameters.element_count,
                                          .element = element}}};

    *values = u->parameters.gradient;
    memset(u->parameters.gradient, 0, u->parameters.element_count * sizeof(double));
    if (u->table.initialize == NULL)
        return FFEBM_OK;
    return run_slot(context, u, u->table.initialize, &slot, &call);
}

/* ------------------------------------------------------------------------------------------------------- description */

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    ffebmi_user_op *u = op->user;
    char found[FFEBMI_SHAPE_TEXT], expected[FFEBMI_SHAPE_TEXT];

    snprintf(u->what, sizeof u->what, "%s", what);
    FFEBMI_CHECK(context, ffebmi_shape_equal(&op->input, &u->input), FFEBM_ERR_SHAPE,
                 "%s: its input is %s, expected %s", what, ffebmi_shape_text(found, &op->input),
                 ffebmi_shape_text(expected, &u->input));
    FFEBMI_TRY(ffebmi_user_parameters_allocate(context, &u->parameters));
    op->output = u->output;
    op->parameter_count = u->parameters.count;
    op->learnables = u->parameters.learnables;
    op->listed = u->parameters.list;
    return FFEBM_OK;
}

const char *ffebmi_op_user_name(const ffebmi_op *op)
{
    return ((const ffebmi_user_op *)op->user)->name;
}

static void destroy(const ffebmi_op *op, ffebm_context *context)
{
    ffebmi_user_op *u = op->user;

    ffebmi_user_parameters_release(context, &u->parameters);
    if (u->table.destroy != NULL)
        u->table.destroy(u->table.self);
    ffebmi_release(context, u);
}

const ffebmi_op_kind ffebmi_op_user = {.name = "user",
                                       .settings = FFEBMI_OP_NO_FIELDS("user"),
                                       .reads_input = true,
                                       .reads_output = true,
                                       .fit = fit,
                                       .lay_out = lay_out,
                                       .run = run,
                                       .run_vjp = run_vjp,
                                       .initialize = initialize,
                                       .destroy = destroy};
