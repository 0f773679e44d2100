#include "model/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/list.h"

/* --------------------------------------------------------------------------------------------------- life and death */

ffebm_status ffebm_model_create(ffebm_context *context, ffebm_model **model, int32_t dtype, const int64_t *input_shape,
                                size_t input_rank, int32_t loss)
{
    const ffebmi_loss_kind *loss_kind = ffebmi_loss_kind_of(loss);
    ffebmi_shape input;
    ffebm_model *created;

    if (model != NULL)
        *model = NULL;
    if (context == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(context, model != NULL, "ffebm_model_create: model is NULL");
    FFEBMI_CHECK(context, dtype == FFEBM_FLOAT32 || dtype == FFEBM_FLOAT64, FFEBM_ERR_DTYPE,
                 "model: dtype %" PRId32 " is neither FFEBM_FLOAT32 nor FFEBM_FLOAT64", dtype);
    FFEBMI_CHECK_ARGUMENT(context, loss_kind != NULL, "model: loss %" PRId32 " is none of FFEBM_LOSS_", loss);
    FFEBMI_TRY(ffebmi_shape_set(context, &input, input_shape, input_rank, "model input"));
    FFEBMI_CHECK(context, input_rank < FFEBM_MAX_RANK, FFEBM_ERR_SHAPE,
                 "model input: rank %zu leaves no room for the batch, expected at most %d", input_rank,
                 FFEBM_MAX_RANK - 1);

    created = ffebmi_allocate(context, 1, sizeof *created);
    if (created == NULL)
        return ffebmi_fail_memory(context, "a model");
    created->context = context;
    created->references = 1;
    created->dtype = dtype;
    created->loss = loss_kind;
    created->input = input;
    created->version = 1;
    ffebm_initialization_init(&created->initialization, sizeof created->initialization);
    ffebm_recipe_init(&created->recipe, sizeof created->recipe);
    ffebm_equilibrium_config_init(&created->equilibrium, sizeof created->equilibrium);
    ffebmi_context_keep(context);
    *model = created;
    return FFEBM_OK;
}

void ffebm_model_destroy(ffebm_model *model)
{
    if (model != NULL)
        ffebmi_model_drop(model);
}

void ffebmi_model_keep(ffebm_model *model)
{
    model->references++;
}

void ffebmi_model_drop(ffebm_model *model)
{
    ffebm_context *context = model->context;

    if (--model->references > 0)
        return;
    for (size_t i = 0; i < model->stage_count; i++) {
        ffebm_feedforward_destroy(model->stages[i].feedforward);
        ffebm_energy_destroy(model->stages[i].energy);
    }
    ffebmi_release(context, model->stages);
    ffebmi_release(context, model->parameters);
    ffebmi_release(context, model->buffers);
    ffebmi_release(context, model->values);
    ffebmi_release(context, model->description);
    ffebmi_release(context, model);
    ffebmi_context_drop(context);
}

/* --------------------------------------------------------------------------------------------------- adding stages */

/* What a block brings, as it is listed. */
typedef struct listing {
    ffebm_model *model;
    size_t elements;
    size_t count;
    ffebmi_model_parameter *list; /* NULL: only count */
} listing;

static ffebm_status list_one(listing *l, const ffebmi_parameter *parameter, const ffebmi_learnable *learnable,
                             size_t position)
{
    ffebmi_model_parameter *to = l->list == NULL ? NULL : &l->list[l->count];
    double lower = parameter->bounded ? parameter->lower : -INFINITY;
    double upper = parameter->bounded ? parameter->upper : INFINITY;

    FFEBMI_CHECK(l->model->context, l->elements < PTRDIFF_MAX / 64 - parameter->shape.count, FFEBM_ERR_SHAPE,
                 "stage %zu: the number of parameters overflows", l->model->stage_count);
    FFEBMI_TRY(ffebmi_model_check_bounds(l->model, lower, upper));
    if (to != NULL) {
        ffebmi_model_bound(l->model, to, lower, upper);
        to->parameter = *parameter;
        to->learnable = learnable;
        to->stage = l->model->stage_count;
        to->position = position;
        to->offset = l->elements;
        snprintf(to->name, sizeof to->name, "stage%zu.%zu.%s", l->model->stage_count, position, parameter->name);
    }
    l->elements += parameter->shape.count;
    l->count++;
    return FFEBM_OK;
}

static ffebm_status list_energy(listing *parameters, const ffebm_energy *block)
{
    for (size_t i = 0; i < block->parameter_count; i++)
        FFEBMI_TRY(list_one(parameters, &block->parameters[i].parameter, block->parameters[i].learnable,
                            block->parameters[i].position));
    return FFEBM_OK;
}

static ffebm_status list_feedforward(listing *parameters, listing *buffers, const ffebm_feedforward *block)
{
    for (size_t i = 0; i < block->op_count; i++) {
        const ffebmi_op *op = &block->ops[i];

        for (size_t p = 0; p < op->parameter_count; p++)
            FFEBMI_TRY(list_one(parameters, op->listed != NULL ? &op->listed[p] : &op->parameters[p],
                                op->learnables != NULL ? &op->learnables[p] : &op->learnable, i));
        for (size_t b = 0; b < op->buffer_count; b++)
            FFEBMI_TRY(list_one(buffers, &op->buffers[b], &op->learnable, i));
    }
    return FFEBM_OK;
}

static ffebm_status list_stage(listing *parameters, listing *buffers, const ffebmi_stage *stage)
{
    return stage->energy != NULL ? list_energy(parameters, stage->energy)
                                 : list_feedforward(parameters, buffers, stage->feedforward);
}

/* Room for what has been counted; the lists themselves do not change. */
static ffebm_status make_room(ffebm_model *model, size_t parameters, size_t buffers)
{
    ffebm_context *context = model->context;
    void *stages =
        ffebmi_list_room(context, model->stages, &model->stage_capacity, model->stage_count, 1, sizeof *model->stages);
    void *list;

    if (stages == NULL)
        return ffebmi_fail_memory(context, "a stage");
    model->stages = stages;
    list = ffebmi_list_room(context, model->parameters, &model->parameter_capacity, model->parameter_count, parameters,
                            sizeof *model->parameters);
    if (list == NULL)
        return ffebmi_fail_memory(context, "the parameters of a stage");
    model->parameters = list;
    list = ffebmi_list_room(context, model->buffers, &model->buffer_capacity, model->buffer_count, buffers,
                            sizeof *model->buffers);
    if (list == NULL)
        return ffebmi_fail_memory(context, "the buffers of a stage");
    model->buffers = list;
    return FFEBM_OK;
}

static ffebm_status append(ffebm_model *model, ffebmi_stage *stage)
{
    listing parameters = {.model = model, .elements = model->element_count};
    listing buffers = {.model = model, .elements = model->buffer_element_count};

    FFEBMI_TRY(list_stage(&parameters, &buffers, stage));
    stage->first_parameter = model->parameter_count;
    stage->parameter_count = parameters.count;
    stage->first_buffer = model->buffer_count;
    stage->buffer_count = buffers.count;
    FFEBMI_TRY(make_room(model, parameters.count, buffers.count));
    parameters = (listing){model, model->element_count, model->parameter_count, model->parameters};
    buffers = (listing){model, model->buffer_element_count, model->buffer_count, model->buffers};
    list_stage(&parameters, &buffers, stage); /* it has succeeded once, on the same numbers */
    model->stages[model->stage_count++] = *stage;
    model->parameter_count = parameters.count;
    model->element_count = parameters.elements;
    model->buffer_count = buffers.count;
    model->buffer_element_count = buffers.elements;
    ffebmi_release(model->context, model->description);
    model->description = NULL;
    return FFEBM_OK;
}

static ffebm_status check_building(const ffebm_model *model, const void *block, const ffebm_context *of)
{
    FFEBMI_CHECK_ARGUMENT(model->context, block != NULL, "model: the block to add is NULL");
    FFEBMI_CHECK_ARGUMENT(model->context, of == model->context, "model: the block to add is of another context");
    FFEBMI_CHECK(model->context, !ffebmi_model_ready(model), FFEBM_ERR_STATE,
                 "model: it has parameter values and takes no more stages");
    return FFEBM_OK;
}

ffebm_status ffebm_model_add_feedforward(ffebm_model *model, ffebm_feedforward **block)
{
    ffebmi_stage stage = {0};
    char what[32];

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    stage.feedforward = block == NULL ? NULL : *block;
    FFEBMI_TRY(check_building(model, stage.feedforward, stage.feedforward == NULL ? NULL : (*block)->context));
    snprintf(what, sizeof what, "stage %zu", model->stage_count);
    stage.input = *ffebmi_model_output(model);
    FFEBMI_TRY(ffebmi_feedforward_fit(stage.feedforward, &stage.input, what));
    stage.output = stage.feedforward->output;
    FFEBMI_TRY(append(model, &stage));
    *block = NULL;
    return FFEBM_OK;
}

/* The last map with drawn parameters below the block that has just been added, wherever flattening, pools or others stand between. */
static void mark_map_below(ffebm_model *model, const ffebm_initialization *below)
{
    for (size_t i = model->stage_count - 1; i-- > 0 && model->stages[i].feedforward != NULL;) {
        ffebm_feedforward *block = model->stages[i].feedforward;

        for (size_t j = block->op_count; j-- > 0;)
            if (ffebmi_setting_named(block->ops[j].kind->settings, "initialization") != NULL) {
                block->ops[j].learnable.placed = below;
                return;
            }
    }
}

ffebm_status ffebm_model_add_energy(ffebm_model *model, ffebm_energy **block)
{
    ffebmi_stage stage = {0};
    char what[32];

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    stage.energy = block == NULL ? NULL : *block;
    FFEBMI_TRY(check_building(model, stage.energy, stage.energy == NULL ? NULL : (*block)->context));
    snprintf(what, sizeof what, "stage %zu", model->stage_count);
    stage.input = *ffebmi_model_output(model);
    FFEBMI_TRY(ffebmi_energy_fit(stage.energy, &stage.input, what));
    stage.output = *ffebmi_energy_output(stage.energy);
    FFEBMI_TRY(append(model, &stage));
    if ((*block)->below != NULL)
        mark_map_below(model, (*block)->below);
    *block = NULL;
    return FFEBM_OK;
}

/* ----------------------------------------------------------------------------------------------------------- values */

const ffebmi_shape *ffebmi_model_output(const ffebm_model *model)
{
    return model->stage_count == 0 ? &model->input : &model->stages[model->stage_count - 1].output;
}

bool ffebmi_model_ready(const ffebm_model *model)
{
    return model->values != NULL;
}

static void place_values(ffebm_model *model, ffebmi_model_parameter *list, size_t count, void *values)
{
    for (size_t i = 0; i < count; i++) {
        void *data = (char *)values + list[i].offset * ffebmi_dtype_size(model->dtype);

        list[i].value = ffebmi_tensor_borrow(model->context, data, model->dtype, &list[i].parameter.shape);
    }
}

ffebm_status ffebmi_model_make_ready(ffebm_model *model)
{
    ffebm_context *context = model->context;
    const ffebmi_shape *output = ffebmi_model_output(model);
    ffebmi_shape all = ffebmi_shape_vector((int64_t)model->element_count);
    size_t element = ffebmi_dtype_size(model->dtype);
    char text[FFEBMI_SHAPE_TEXT];

    if (ffebmi_model_ready(model))
        return FFEBM_OK;
    FFEBMI_CHECK(context, model->stage_count > 0, FFEBM_ERR_STATE, "model: it has no stages");
    FFEBMI_CHECK(context, !model->loss->needs_classes || output->rank == 1, FFEBM_ERR_SHAPE,
                 "model: its output is %s, but %s needs [classes]", ffebmi_shape_text(text, output), model->loss->name);
    model->values = ffebmi_allocate(context, model->element_count + model->buffer_element_count, element);
    if (model->values == NULL)
        return ffebmi_fail_memory(context, "the parameters of a model");
    model->flat = ffebmi_tensor_borrow(context, model->values, model->dtype, &all);
    place_values(model, model->parameters, model->parameter_count, model->values);
    place_values(model, model->buffers, model->buffer_count, (char *)model->values + model->element_count * element);
    return FFEBM_OK;
}

void ffebmi_model_touch(ffebm_model *model)
{
    model->version++;
}
