/* A feedforward block of the user's: one op behind which is a table of functions. Doubles on its side, the model's dtype on
 * ours, some samples at a time, retries, and a check of all that comes back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/random.h"
#include "core/sized.h"
#include "feedforward/feedforward.h"
#include "tensor/doubles.h"
#include "tensor/user_parameters.h"

enum { RETRIES = 8, MESSAGE = 160, TEXT = 320 };

typedef struct user {
    ffebm_user_feedforward table;
    char name[FFEBMI_USER_NAME];
    char what[64]; /* "stage 3 (name)" for error texts; set by fit */
    ffebmi_shape input;
    ffebmi_shape output;
    ffebmi_user_parameters parameters;
} user;

/* Doubles of a slice of the batch. */
typedef struct memory {
    size_t rows;
    double *input;
    double *output; /* or its cotangent */
    double *input_cotangent;
} memory;

static void *lay_out(const ffebmi_op *op, const ffebmi_arithmetic *arithmetic, size_t rows, ffebmi_arena *arena)
{
    const user *u = op->user;
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

static void clear(void *array, size_t numbers)
{
    if (array != NULL)
        memset(array, 0, numbers * sizeof(double));
}

/* Every output as a slot is promised to find it. */
static void clear_outputs(const user *u, ffebm_feedforward_call *call)
{
    clear(call->output, call->batch * u->output.count);
    clear(call->input_cotangent, call->batch * u->input.count);
    clear(call->gradient, u->parameters.element_count);
    clear(call->values, u->parameters.element_count);
    call->message[0] = '\0';
}

/* Call a slot until it stops asking for retries. */
static ffebm_status run_slot(ffebm_context *context, const user *u, ffebm_feedforward_fn function, const char *name,
                             ffebm_feedforward_call *call)
{
    char message[MESSAGE], text[TEXT];
    int32_t answer = FFEBM_RETRY;

    call->message = message;
    call->message_capacity = MESSAGE;
    for (call->attempt = 0; answer > 0 && call->attempt <= u->table.retry_limit; call->attempt++) {
        clear_outputs(u, call);
        answer = function(u->table.self, call);
    }
    call->message = NULL; /* it goes when this function returns */
    if (answer == 0)
        return FFEBM_OK;
    message[MESSAGE - 1] = '\0';
    ffebmi_user_failure_text(text, sizeof text, u->what, name, answer, call->attempt - 1, message);
    return ffebmi_fail(context, FFEBM_ERR_USER, "%s", text);
}

/* What a slot has left. */
typedef struct numbers {
    const char *slot;
    const char *array;
    const double *at;
    size_t first; /* sample */
    size_t count;
    size_t per_row; /* of a sample; 0: numbers of no sample */
    size_t element; /* judged as numbers of so many bytes */
} numbers;

static ffebm_status check_finite(ffebm_context *context, const user *u, numbers n)
{
    size_t bad = ffebmi_first_not_finite(n.element, n.count, n.at);

    FFEBMI_CHECK(context, bad == n.count || n.per_row == 0, FFEBM_ERR_NUMERIC,
                 "%s: %s left %g in %s of sample %zu, number %zu", u->what, n.slot, n.at[bad], n.array,
                 n.first + bad / n.per_row, bad % n.per_row);
    FFEBMI_CHECK(context, bad == n.count, FFEBM_ERR_NUMERIC, "%s: %s left %g in %s, number %zu", u->what, n.slot,
                 n.at[bad], n.array, bad);
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------------- forward and back */

/* The next slice of the batch, its input loaded; begin with a batch of 0. */
static bool next_slice(const ffebmi_op *op, const ffebmi_op_call *c, ffebm_feedforward_call *call)
{
    const user *u = op->user;
    const memory *m = c->memory;
    size_t first = call->first + call->batch, left = c->rows - first;

    *call = (ffebm_feedforward_call){.size = sizeof *call,
                                     .batch = left < m->rows ? left : m->rows,
                                     .first = first,
                                     .parameters = u->parameters.values,
                                     .parameter_count = u->parameters.element_count,
                                     .input = m->input,
                                     .seed = ffebmi_random_stream(c->seed, c->first_sample + first),
                                     .version = u->parameters.version,
                                     .scale = c->gradient_scale,
                                     .training = c->training};
    ffebmi_to_doubles(c->arrays->element, &u->input, call->batch,
                      ffebmi_at(c->arrays, c->input, first * u->input.count), m->input);
    return call->batch > 0;
}

static ffebm_status run(const ffebmi_op *op, const ffebmi_op_call *c, ffebm_context *context)
{
    user *u = op->user;
    const memory *m = c->memory;
    size_t units = u->output.count;

    ffebmi_user_parameters_refresh(&u->parameters, c->arrays->element, c->parameters);
    for (ffebm_feedforward_call call = {0}; next_slice(op, c, &call);) {
        call.output = m->output;
        FFEBMI_TRY(run_slot(context, u, u->table.forward, "forward", &call));
        FFEBMI_TRY(check_finite(
            context, u,
            (numbers){"forward", "output", m->output, call.first, call.batch * units, units, c->arrays->element}));
        ffebmi_from_doubles(c->arrays->element, &u->output, call.batch, m->output,
                            ffebmi_at(c->arrays, c->output, call.first * units));
    }
    return FFEBM_OK;
}

static ffebm_status vjp_slice(const ffebmi_op *op, const ffebmi_op_call *c, ffebm_feedforward_call *call,
                              ffebm_context *context)
{
    const user *u = op->user;
    const memory *m = c->memory;
    size_t units = u->input.count;

    ffebmi_to_doubles(c->arrays->element, &u->output, call->batch,
                      ffebmi_at(c->arrays, c->output_cotangent, call->first * u->output.count), m->output);
    call->output_cotangent = m->output;
    call->input_cotangent = m->input_cotangent;
    call->gradient = u->parameters.gradient;
    FFEBMI_TRY(run_slot(context, u, u->table.vjp, "vjp", call));
    FFEBMI_TRY(check_finite(context, u,
                            (numbers){"vjp", "input_cotangent", m->input_cotangent, call->first, call->batch * units,
                                      units, c->arrays->element}));
    FFEBMI_TRY(check_finite(context, u,
                            (numbers){.slot = "vjp",
                                      .array = "gradient",
                                      .at = call->gradient,
                                      .count = u->parameters.element_count,
                                      .element = sizeof(double)}));
    ffebmi_user_parameters_add_up(&u->parameters);
    if (c->input_cotangent != NULL)
        ffebmi_from_doubles(c->arrays->element, &u->input, call->batch, m->input_cotangent,
                            ffebmi_at(c->arrays, c->input_cotangent, call->first * units));
    return FFEBM_OK;
}

static ffebm_status run_vjp(const ffebmi_op *op, const ffebmi_op_call *c, ffebm_context *context)
{
    user *u = op->user;

    memset(u->parameters.sum, 0, u->parameters.element_count * sizeof(double));
    for (ffebm_feedforward_call call = {0}; next_slice(op, c, &call);)
        FFEBMI_TRY(vjp_slice(op, c, &call, context));
    FFEBMI_TRY(check_finite(context, u,
                            (numbers){.slot = "vjp",
                                      .array = "gradient",
                                      .at = u->parameters.sum,
                                      .count = u->parameters.element_count,
                                      .element = c->arrays->element}));
    if (u->parameters.count > 0 && c->gradients[0] != NULL)
        ffebmi_user_parameters_add_sum(&u->parameters, c->arrays->element, c->gradients);
    return FFEBM_OK;
}

/* The values wait in the place of the gradient. */
static ffebm_status initialize(const ffebmi_op *op, size_t element, uint64_t seed, const double **values,
                               ffebm_context *context)
{
    user *u = op->user;
    ffebm_feedforward_call call = {.size = sizeof call,
                                   .parameter_count = u->parameters.element_count,
                                   .parameters = u->parameters.values,
                                   .values = u->parameters.gradient,
                                   .seed = seed,
                                   .version = u->parameters.version};

    *values = u->parameters.gradient;
    memset(u->parameters.gradient, 0, u->parameters.element_count * sizeof(double));
    if (u->table.initialize == NULL)
        return FFEBM_OK;
    FFEBMI_TRY(run_slot(context, u, u->table.initialize, "initialize", &call));
    return check_finite(context, u,
                        (numbers){.slot = "initialize",
                                  .array = "values",
                                  .at = call.values,
                                  .count = u->parameters.element_count,
                                  .element = element});
}

/* ------------------------------------------------------------------------------------------------------- description */

static ffebm_status fit(ffebmi_op *op, ffebm_context *context, const char *what)
{
    user *u = op->user;
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
    return ((const user *)op->user)->name;
}

static void destroy(const ffebmi_op *op, ffebm_context *context)
{
    user *u = op->user;

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

static ffebm_status read_table(ffebm_context *context, user *u, const ffebm_user_feedforward *table)
{
    ffebm_user_feedforward *t = &u->table;

    FFEBMI_CHECK_ARGUMENT(context, table != NULL, "ffebm_feedforward_create_user: table is NULL");
    FFEBMI_TRY(ffebmi_sized_read(context, "user feedforward", t, sizeof *t, table));
    FFEBMI_TRY(ffebmi_user_name(context, u->name, "user feedforward", t->name));
    snprintf(u->what, sizeof u->what, "user feedforward %s", u->name);
    FFEBMI_CHECK_ARGUMENT(context, t->forward != NULL && t->vjp != NULL, "%s: it needs forward and vjp", u->what);
    FFEBMI_CHECK_ARGUMENT(context, t->retry_limit >= 0, "%s: retry_limit %" PRId32 ", expected 0 or more", u->what,
                          t->retry_limit);
    FFEBMI_CHECK_ARGUMENT(context, t->reserved_ == 0, "%s: reserved_ is not zero", u->what);
    FFEBMI_TRY(ffebmi_shape_set(context, &u->input, t->input_shape, t->input_rank, "user feedforward: its input"));
    FFEBMI_TRY(ffebmi_shape_set(context, &u->output, t->output_shape, t->output_rank, "user feedforward: its output"));
    if (t->retry_limit == 0)
        t->retry_limit = RETRIES;
    return FFEBM_OK;
}

/* The block's one op, which takes over the table. */
static ffebm_status add_op(ffebm_feedforward *block, const user *description)
{
    user *u = ffebmi_allocate(block->context, 1, sizeof *u);

    block->ops = ffebmi_allocate(block->context, 1, sizeof *block->ops);
    if (u == NULL || block->ops == NULL) {
        ffebmi_release(block->context, u);
        return ffebmi_fail_memory(block->context, "a user feedforward block");
    }
    *u = *description;
    u->table.name = u->name;
    u->table.input_shape = u->input.dims;
    u->table.output_shape = u->output.dims;
    block->ops[0] = (ffebmi_op){.kind = &ffebmi_op_user, .user = u};
    block->op_count = 1;
    block->user = true;
    return FFEBM_OK;
}

ffebm_status ffebm_feedforward_create_user(ffebm_context *context, ffebm_feedforward **block,
                                           const ffebm_user_feedforward *table)
{
    user u = {.table = {0}};
    ffebm_status status;

    if (block != NULL)
        *block = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, block != NULL, "ffebm_feedforward_create_user: block is NULL");
    FFEBMI_TRY(read_table(context, &u, table));
    FFEBMI_TRY(ffebm_feedforward_create(context, block));
    status = add_op(*block, &u);
    if (status != FFEBM_OK) {
        ffebm_feedforward_destroy(*block);
        *block = NULL;
    }
    return status;
}

ffebm_status ffebm_feedforward_add_parameter(ffebm_feedforward *block, const ffebm_user_parameter *parameter)
{
    user *u;

    if (block == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK(block->context, block->user, FFEBM_ERR_STATE,
                 "ffebm_feedforward_add_parameter: the block was made by ffebm_feedforward_create");
    u = block->ops[0].user;
    return ffebmi_user_parameters_add(block->context, &u->parameters, u->what, parameter);
}
