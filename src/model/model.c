#include "model/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"

/* --------------------------------------------------------------------------------------------------- life and death */

ffebm_status ffebm_model_create(ffebm_context *context, ffebm_model **model, int32_t dtype, const int64_t *input_shape,
                                size_t input_rank, int32_t loss)
{
    const ffebmi_loss_kind *loss_kind = ffebmi_loss_kind_of(loss);
    ffebmi_shape input;
    ffebm_model *created;

    if (context == NULL || model == NULL)
        return ffebmi_fail(context, FFEBM_ERR_ARGUMENT, "ffebm_model_create: model is NULL");
    *model = NULL;
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
    ffebmi_recipe_init(&created->recipe);
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
    ffebmi_release(context, model->values);
    ffebmi_release(context, model->description);
    ffebmi_release(context, model);
    ffebmi_context_drop(context);
}

/* --------------------------------------------------------------------------------------------------- adding stages */

static size_t block_parameter_count(const ffebmi_stage *stage)
{
    size_t count = 0;

    if (stage->energy != NULL)
        return stage->energy->parameter_count;
    for (size_t i = 0; i < stage->feedforward->op_count; i++)
        count += stage->feedforward->ops[i].parameter_count;
    return count;
}

static ffebm_status add_parameter(ffebm_model *model, ffebmi_model_parameter *to, const ffebmi_parameter *parameter,
                                  const ffebmi_learnable *learnable, size_t position)
{
    FFEBMI_CHECK(model->context, model->element_count < PTRDIFF_MAX / 64 - parameter->shape.count, FFEBM_ERR_SHAPE,
                 "stage %zu: the number of parameters overflows", model->stage_count);
    to->parameter = *parameter;
    to->learnable = learnable;
    to->stage = model->stage_count;
    to->offset = model->element_count;
    snprintf(to->name, sizeof to->name, "stage%zu.%zu.%s", model->stage_count, position, parameter->name);
    model->element_count += parameter->shape.count;
    return FFEBM_OK;
}

static ffebm_status add_block_parameters(ffebm_model *model, const ffebmi_stage *stage, ffebmi_model_parameter *to)
{
    if (stage->energy != NULL) {
        for (size_t i = 0; i < stage->energy->parameter_count; i++) {
            const ffebmi_energy_parameter *p = &stage->energy->parameters[i];

            FFEBMI_TRY(add_parameter(model, to++, &p->parameter, p->learnable, p->position));
        }
        return FFEBM_OK;
    }
    for (size_t i = 0; i < stage->feedforward->op_count; i++) {
        const ffebmi_op *op = &stage->feedforward->ops[i];

        for (size_t p = 0; p < op->parameter_count; p++)
            FFEBMI_TRY(add_parameter(model, to++, &op->parameters[p], &op->learnable, i));
    }
    return FFEBM_OK;
}

static void *grown(ffebm_context *context, const void *old, size_t count, size_t more, size_t size)
{
    void *memory = ffebmi_allocate(context, count + more, size);

    if (memory != NULL && count > 0)
        memcpy(memory, old, count * size);
    return memory;
}

static ffebm_status append(ffebm_model *model, ffebmi_stage *stage)
{
    ffebm_context *context = model->context;
    size_t count = block_parameter_count(stage), elements = model->element_count;
    ffebmi_stage *stages = grown(context, model->stages, model->stage_count, 1, sizeof *stages);
    ffebmi_model_parameter *parameters =
        grown(context, model->parameters, model->parameter_count, count, sizeof *parameters);
    ffebm_status status = FFEBM_OK;

    stage->first_parameter = model->parameter_count;
    stage->parameter_count = count;
    if (stages == NULL || parameters == NULL)
        status = ffebmi_fail_memory(context, "a stage");
    else
        status = add_block_parameters(model, stage, parameters + model->parameter_count);
    if (status != FFEBM_OK) {
        model->element_count = elements;
        ffebmi_release(context, stages);
        ffebmi_release(context, parameters);
        return status;
    }
    stages[model->stage_count++] = *stage;
    model->parameter_count += count;
    ffebmi_release(context, model->stages);
    ffebmi_release(context, model->parameters);
    ffebmi_release(context, model->description);
    model->stages = stages;
    model->parameters = parameters;
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

ffebm_status ffebmi_model_make_ready(ffebm_model *model)
{
    ffebm_context *context = model->context;
    const ffebmi_shape *output = ffebmi_model_output(model);
    ffebmi_shape all = ffebmi_shape_vector((int64_t)model->element_count);
    char text[FFEBMI_SHAPE_TEXT];

    if (ffebmi_model_ready(model))
        return FFEBM_OK;
    FFEBMI_CHECK(context, model->stage_count > 0, FFEBM_ERR_STATE, "model: it has no stages");
    FFEBMI_CHECK(context, !model->loss->needs_classes || output->rank == 1, FFEBM_ERR_SHAPE,
                 "model: its output is %s, but %s needs [classes]", ffebmi_shape_text(text, output), model->loss->name);
    model->values = ffebmi_allocate(context, model->element_count, ffebmi_dtype_size(model->dtype));
    if (model->values == NULL)
        return ffebmi_fail_memory(context, "the parameters of a model");
    model->flat = ffebmi_tensor_borrow(context, model->values, model->dtype, &all);
    for (size_t i = 0; i < model->parameter_count; i++) {
        ffebmi_model_parameter *p = &model->parameters[i];
        void *data = (char *)model->values + p->offset * ffebmi_dtype_size(model->dtype);

        p->value = ffebmi_tensor_borrow(context, data, model->dtype, &p->parameter.shape);
    }
    return FFEBM_OK;
}

void ffebmi_model_touch(ffebm_model *model)
{
    model->version++;
}
