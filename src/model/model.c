#include "model/model.h"

#include <inttypes.h>

#include "core/context.h"
#include "core/sized.h"

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

void ffebm_parse_config_init(ffebm_parse_config *config, size_t size)
{
    static const ffebm_parse_config defaults = {.size = sizeof defaults};

    ffebmi_sized_init(config, size, &defaults, sizeof defaults);
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
        ffebmi_stage *stage = &model->stages[i];

        for (size_t r = 0; r < stage->row_count; r++)
            ffebm_feedforward_destroy(stage->rows[r].block);
        ffebmi_release(context, stage->rows);
        ffebm_energy_destroy(stage->energy);
    }
    for (size_t i = 0; i < model->parameter_count; i++)
        ffebmi_update_drop(context, model->parameters[i].update);
    ffebmi_release(context, model->stages);
    ffebmi_release(context, model->parameters);
    ffebmi_release(context, model->buffers);
    ffebmi_release(context, model->values);
    ffebmi_release(context, model->effective);
    ffebmi_release(context, model->description);
    ffebmi_release(context, model);
    ffebmi_context_drop(context);
}

/* ----------------------------------------------------------------------------------------------------------- values */

const ffebmi_shape *ffebmi_model_output(const ffebm_model *model)
{
    return model->stage_count == 0 ? &model->input : &model->stages[model->stage_count - 1].output;
}

bool ffebmi_model_awaits_energy(const ffebm_model *model)
{
    return model->stage_count > 0 && model->stages[model->stage_count - 1].row_count > 1;
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
    ffebm_status status;

    if (ffebmi_model_ready(model))
        return FFEBM_OK;
    FFEBMI_CHECK(context, model->stage_count > 0, FFEBM_ERR_STATE, "model: it has no stages");
    FFEBMI_CHECK(context, !ffebmi_model_awaits_energy(model), FFEBM_ERR_STATE,
                 "model: stage %zu has taps, but no energy block behind it", model->stage_count - 1);
    FFEBMI_CHECK(context, !model->loss->needs_classes || output->rank == 1, FFEBM_ERR_SHAPE,
                 "model: its output is %s, but %s needs [classes]", ffebmi_shape_text(text, output), model->loss->name);
    model->values = ffebmi_allocate(context, model->element_count + model->buffer_element_count, element);
    if (model->values == NULL)
        return ffebmi_fail_memory(context, "the parameters of a model");
    model->flat = ffebmi_tensor_borrow(context, model->values, model->dtype, &all);
    place_values(model, model->parameters, model->parameter_count, model->values);
    place_values(model, model->buffers, model->buffer_count, (char *)model->values + model->element_count * element);
    status = ffebmi_model_make_effective(model);
    if (status != FFEBM_OK) {
        ffebmi_release(context, model->values);
        model->values = NULL;
    }
    return status;
}

void ffebmi_model_touch(ffebm_model *model)
{
    model->version++;
}
