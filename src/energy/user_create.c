/* Public description of an energy block of the user's: create it, name its parameters. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "core/context.h"
#include "core/sized.h"
#include "energy/user.h"
#include "tensor/user_slots.h"

enum { LAYERS = 2, POSITIONS = 10000 };

static ffebm_status check_shapes(ffebm_context *context, const ffebm_user_energy *t, ffebmi_shape *input,
                                 ffebmi_shape *output)
{
    FFEBMI_TRY(ffebmi_shape_set(context, input, t->input_shape, t->input_rank, "user energy: its input"));
    FFEBMI_TRY(ffebmi_shape_set(context, output, t->output_shape, t->output_rank, "user energy: its output"));
    FFEBMI_CHECK_ARGUMENT(context, t->state_count >= 1 && t->state_count <= INT32_MAX,
                          "user energy %s: state_count %zu, expected 1 to %" PRId32, t->name, t->state_count,
                          INT32_MAX);
    FFEBMI_CHECK_ARGUMENT(context, t->output != NULL || t->state_count >= output->count,
                          "user energy %s: state_count %zu, but without a slot `output` the last %zu numbers are read",
                          t->name, t->state_count, output->count);
    FFEBMI_CHECK_ARGUMENT(
        context, t->input_gradient != NULL || t->state_count >= input->count,
        "user energy %s: state_count %zu, but without a slot `input_gradient` it is the first %zu numbers", t->name,
        t->state_count, input->count);
    return FFEBM_OK;
}

static ffebm_status check_numbers(ffebm_context *context, const ffebm_user_energy *t)
{
    FFEBMI_CHECK_ARGUMENT(context, t->settle != NULL, "user energy %s: it has no settle", t->name);
    FFEBMI_CHECK_ARGUMENT(context, isfinite(t->max_beta) && t->max_beta >= 0,
                          "user energy %s: max_beta %g, expected 0 or more", t->name, t->max_beta);
    FFEBMI_CHECK_ARGUMENT(context, t->retry_limit >= 0, "user energy %s: retry_limit %" PRId32 ", expected 0 or more",
                          t->name, t->retry_limit);
    FFEBMI_CHECK_ARGUMENT(context, t->concurrent == 0 || t->concurrent == 1,
                          "user energy %s: concurrent %" PRId32 ", expected 0 or 1", t->name, t->concurrent);
    FFEBMI_CHECK_ARGUMENT(context, t->loss_nudging == 0 || t->loss_nudging == 1,
                          "user energy %s: loss_nudging %" PRId32 ", expected 0 or 1", t->name, t->loss_nudging);
    FFEBMI_CHECK_ARGUMENT(context, t->reserved_ == 0, "user energy %s: reserved_ is not zero", t->name);
    return FFEBM_OK;
}

static unsigned abilities_of(const ffebm_user_energy *t)
{
    return (t->loss_nudging == 1 ? FFEBMI_HEEDS_LOSS : 0U) | (t->adjoint != NULL ? FFEBMI_HAS_ADJOINT : 0U) |
           (t->concurrent == 1 ? FFEBMI_CONCURRENT : 0U);
}

static ffebm_status create(ffebm_context *context, ffebm_energy **block, const ffebm_user_energy *table)
{
    ffebm_user_energy t = {0};
    ffebmi_shape input, output;
    char name[FFEBMI_USER_NAME];
    ffebmi_user_energy *created;

    FFEBMI_CHECK_ARGUMENT(context, table != NULL, "ffebm_energy_create_user: table is NULL");
    FFEBMI_TRY(ffebmi_sized_read(context, "user energy", &t, sizeof t, table));
    FFEBMI_TRY(ffebmi_user_name(context, name, "user energy", t.name));
    FFEBMI_TRY(check_numbers(context, &t));
    FFEBMI_TRY(check_shapes(context, &t, &input, &output));
    FFEBMI_TRY(ffebmi_energy_new(context, block, &ffebmi_energy_user, sizeof *created));
    created = (ffebmi_user_energy *)*block;
    created->base.abilities |= abilities_of(&t);
    created->base.max_rows = t.max_batch;
    created->base.max_beta = t.max_beta;
    created->table = t;
    created->table.retry_limit = t.retry_limit == 0 ? FFEBMI_USER_RETRIES : t.retry_limit;
    snprintf(created->name, sizeof created->name, "%s", name);
    snprintf(created->what, sizeof created->what, "user energy %s", name);
    created->input = input;
    created->output = output;
    created->table.name = created->name;
    created->table.input_shape = created->input.dims;
    created->table.output_shape = created->output.dims;
    return FFEBM_OK;
}

ffebm_status ffebm_energy_create_user(ffebm_context *context, ffebm_energy **block, const ffebm_user_energy *table)
{
    if (block != NULL)
        *block = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, block != NULL, "ffebm_energy_create_user: block is NULL");
    return create(context, block, table);
}

ffebm_status ffebm_energy_add_parameter(ffebm_energy *block, const ffebm_user_parameter *parameter)
{
    ffebmi_user_energy *u = (ffebmi_user_energy *)block;

    if (block == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK(block->context, ffebmi_user_energy_of(block) != NULL, FFEBM_ERR_STATE,
                 "ffebm_energy_add_parameter: the block is %s, expected one of ffebm_energy_create_user",
                 block->kind->type);
    FFEBMI_CHECK_ARGUMENT(block->context, u->table.parameter_gradient != NULL,
                          "%s: a parameter needs the slot `parameter_gradient`", u->what);
    return ffebmi_user_parameters_add(block->context, &u->parameters, u->what, POSITIONS, parameter);
}

/* ------------------------------------------------------------------------------------------------------- in a model */

static ffebm_status allocate(ffebmi_user_energy *u)
{
    ffebm_energy *block = &u->base;

    ffebmi_release(block->context, block->layers);
    ffebmi_release(block->context, block->parameters);
    block->layers = ffebmi_allocate(block->context, LAYERS, sizeof *block->layers);
    block->parameters = ffebmi_allocate(block->context, u->parameters.count, sizeof *block->parameters);
    if (block->layers == NULL || block->parameters == NULL)
        return ffebmi_fail_memory(block->context, "the layers of an energy block");
    return ffebmi_user_parameters_allocate(block->context, &u->parameters);
}

static ffebm_status fit(ffebm_energy *block, const ffebmi_shape *input, const char *what)
{
    ffebmi_user_energy *u = (ffebmi_user_energy *)block;
    char found[FFEBMI_SHAPE_TEXT], expected[FFEBMI_SHAPE_TEXT];

    FFEBMI_CHECK(block->context, ffebmi_shape_equal(input, &u->input), FFEBM_ERR_SHAPE,
                 "%s (%s): its input is %s, expected %s", what, u->name, ffebmi_shape_text(found, input),
                 ffebmi_shape_text(expected, &u->input));
    FFEBMI_TRY(allocate(u));
    snprintf(u->what, sizeof u->what, "%s (%s)", what, u->name);
    block->layer_count = LAYERS;
    block->layers[0] = ffebmi_shape_vector((int64_t)u->table.state_count);
    block->layers[1] = u->output;
    block->parameter_count = u->parameters.count;
    for (size_t p = 0; p < u->parameters.count; p++)
        block->parameters[p] = (ffebmi_energy_parameter){.parameter = u->parameters.list[p],
                                                         .learnable = &u->parameters.learnables[p],
                                                         .position = u->parameters.positions[p]};
    return FFEBM_OK;
}

static void destroy(ffebm_energy *block)
{
    ffebmi_user_energy *u = (ffebmi_user_energy *)block;

    ffebmi_user_parameters_release(block->context, &u->parameters);
    if (u->table.destroy != NULL)
        u->table.destroy(u->table.self);
}

/* Packed here means handed over: as doubles, in the block itself, since all engines of a model see the same values. */
static void pack(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                 const void *const *parameters, void *packed)
{
    ffebmi_user_energy *u = (ffebmi_user_energy *)(uintptr_t)block;

    (void)plan;
    (void)packed;
    ffebmi_user_parameters_refresh(&u->parameters, arrays->element, parameters);
}

const ffebmi_energy_kind ffebmi_energy_user = {.type = "user",
                                               .abilities = FFEBMI_READS_INPUT | FFEBMI_MAY_FAIL | FFEBMI_FINITE_ONLY,
                                               .fit = fit,
                                               .destroy = destroy,
                                               .lay_out_work = ffebmi_user_lay_out_work,
                                               .batches = &ffebmi_user_rules,
                                               .pack = pack,
                                               .initialize = ffebmi_user_initialize};

const ffebmi_user_energy *ffebmi_user_energy_of(const ffebm_energy *block)
{
    return block->kind == &ffebmi_energy_user ? (const ffebmi_user_energy *)block : NULL;
}
