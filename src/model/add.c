/* Blocks enter the chain: shapes are inferred, parameters named and given their places. */
#include <math.h>
#include <stdio.h>

#include "core/context.h"
#include "core/list.h"
#include "model/model.h"

const char *ffebmi_row_text(char text[FFEBMI_ROW_TEXT], size_t stage, size_t row)
{
    if (row == 0)
        snprintf(text, FFEBMI_ROW_TEXT, "stage %zu", stage);
    else
        snprintf(text, FFEBMI_ROW_TEXT, "stage %zu tap %zu", stage, row - 1);
    return text;
}

/* ------------------------------------------------------------------------------------------------------- parameters */

/* One block that enters: an energy block or, NULL, a row of ops. */
typedef struct entry {
    size_t stage;
    size_t row;
    const ffebm_energy *energy;
    const ffebm_feedforward *ops;
    size_t parameter_count; /* this and the next are found when it is in */
    size_t buffer_count;
} entry;

/* What it brings, as it is listed. */
typedef struct listing {
    ffebm_model *model;
    const entry *of;
    size_t elements;
    size_t count;
    ffebmi_model_parameter *list; /* NULL: only count */
} listing;

static void write_name(ffebmi_model_parameter *to)
{
    if (to->row == 0)
        snprintf(to->name, sizeof to->name, "stage%zu.%zu.%s", to->stage, to->position, to->parameter.name);
    else
        snprintf(to->name, sizeof to->name, "stage%zu.tap%zu.%zu.%s", to->stage, to->row - 1, to->position,
                 to->parameter.name);
}

static ffebm_status list_one(listing *l, const ffebmi_parameter *parameter, const ffebmi_learnable *learnable,
                             size_t position)
{
    ffebmi_model_parameter *to = l->list == NULL ? NULL : &l->list[l->count];
    double lower = parameter->bounded ? parameter->lower : -INFINITY;
    double upper = parameter->bounded ? parameter->upper : INFINITY;

    FFEBMI_CHECK(l->model->context, l->elements < PTRDIFF_MAX / 64 - parameter->shape.count, FFEBM_ERR_SHAPE,
                 "stage %zu: the number of parameters overflows", l->of->stage);
    FFEBMI_TRY(ffebmi_model_check_bounds(l->model, lower, upper));
    if (to != NULL) {
        ffebmi_model_bound(l->model, to, lower, upper);
        to->parameter = *parameter;
        to->learnable = learnable;
        to->stage = l->of->stage;
        to->row = l->of->row;
        to->position = position;
        to->offset = l->elements;
        write_name(to);
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

static ffebm_status list_ops(listing *parameters, listing *buffers, const ffebm_feedforward *block)
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

static ffebm_status list_entry(listing *parameters, listing *buffers)
{
    const entry *of = parameters->of;

    return of->energy != NULL ? list_energy(parameters, of->energy) : list_ops(parameters, buffers, of->ops);
}

/* Room for what has been counted; the lists themselves do not change. */
static ffebm_status make_room(ffebm_model *model, size_t parameters, size_t buffers)
{
    ffebm_context *context = model->context;
    void *list = ffebmi_list_room(context, model->parameters, &model->parameter_capacity, model->parameter_count,
                                  parameters, sizeof *model->parameters);

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

/* The last thing that can fail: the block is in once its parameters are. */
static ffebm_status add_parameters(ffebm_model *model, entry *of)
{
    listing parameters = {.model = model, .of = of, .elements = model->element_count};
    listing buffers = {.model = model, .of = of, .elements = model->buffer_element_count};

    FFEBMI_TRY(list_entry(&parameters, &buffers));
    FFEBMI_TRY(make_room(model, parameters.count, buffers.count));
    parameters = (listing){model, of, model->element_count, model->parameter_count, model->parameters};
    buffers = (listing){model, of, model->buffer_element_count, model->buffer_count, model->buffers};
    list_entry(&parameters, &buffers); /* it has succeeded once, on the same numbers */
    of->parameter_count = parameters.count - model->parameter_count;
    of->buffer_count = buffers.count - model->buffer_count;
    model->parameter_count = parameters.count;
    model->element_count = parameters.elements;
    model->buffer_count = buffers.count;
    model->buffer_element_count = buffers.elements;
    ffebmi_release(model->context, model->description);
    model->description = NULL;
    return FFEBM_OK;
}

/* ----------------------------------------------------------------------------------------------------------- stages */

static ffebm_status check_building(const ffebm_model *model, const void *block, const ffebm_context *of)
{
    FFEBMI_CHECK_ARGUMENT(model->context, block != NULL, "model: the block to add is NULL");
    FFEBMI_CHECK_ARGUMENT(model->context, of == model->context, "model: the block to add is of another context");
    FFEBMI_CHECK(model->context, !ffebmi_model_ready(model), FFEBM_ERR_STATE,
                 "model: it has parameter values and takes no more stages");
    return FFEBM_OK;
}

static ffebm_status check_feedforward(const ffebm_model *model, ffebm_feedforward *const *block)
{
    const ffebm_feedforward *added = block == NULL ? NULL : *block;

    return check_building(model, added, added == NULL ? NULL : added->context);
}

/* Add a stage, or a row to the last one. */
static ffebm_status append_stage(ffebm_model *model, ffebmi_stage *stage)
{
    entry of = {.stage = model->stage_count,
                .energy = stage->energy,
                .ops = stage->energy != NULL ? NULL : stage->rows[0].block};
    ffebmi_stage *stages =
        ffebmi_list_room(model->context, model->stages, &model->stage_capacity, model->stage_count, 1, sizeof *stages);

    if (stages == NULL)
        return ffebmi_fail_memory(model->context, "a stage");
    model->stages = stages;
    stage->first_parameter = model->parameter_count;
    stage->first_buffer = model->buffer_count;
    FFEBMI_TRY(add_parameters(model, &of));
    stage->parameter_count = of.parameter_count;
    stage->buffer_count = of.buffer_count;
    if (stage->row_count > 0)
        stage->rows[0].parameter_count = of.parameter_count;
    stages[model->stage_count++] = *stage;
    return FFEBM_OK;
}

static ffebm_status append_row(ffebm_model *model, ffebmi_row row)
{
    ffebmi_stage *stage = &model->stages[model->stage_count - 1];
    entry of = {.stage = model->stage_count - 1, .row = stage->row_count, .ops = row.block};
    ffebmi_row *rows =
        ffebmi_list_room(model->context, stage->rows, &stage->row_capacity, stage->row_count, 1, sizeof *rows);

    if (rows == NULL)
        return ffebmi_fail_memory(model->context, "a tap");
    stage->rows = rows;
    row.first_parameter = stage->parameter_count;
    row.first_buffer = stage->buffer_count;
    FFEBMI_TRY(add_parameters(model, &of));
    row.parameter_count = of.parameter_count;
    stage->parameter_count += of.parameter_count;
    stage->buffer_count += of.buffer_count;
    rows[stage->row_count++] = row;
    return FFEBM_OK;
}

ffebm_status ffebm_model_add_feedforward(ffebm_model *model, ffebm_feedforward **block)
{
    ffebmi_stage stage = {.row_count = 1};
    char what[FFEBMI_ROW_TEXT];
    ffebm_status status;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(check_feedforward(model, block));
    FFEBMI_CHECK(model->context, !ffebmi_model_awaits_energy(model), FFEBM_ERR_STATE,
                 "stage %zu: it has taps, so that an energy block has to follow", model->stage_count - 1);
    stage.input = *ffebmi_model_output(model);
    FFEBMI_TRY(ffebmi_feedforward_fit(*block, &stage.input, ffebmi_row_text(what, model->stage_count, 0)));
    stage.output = (*block)->output;
    stage.rows = ffebmi_list_room(model->context, NULL, &stage.row_capacity, 0, 1, sizeof *stage.rows);
    if (stage.rows == NULL)
        return ffebmi_fail_memory(model->context, "a stage");
    stage.rows[0].block = *block;
    status = append_stage(model, &stage);
    if (status != FFEBM_OK)
        ffebmi_release(model->context, stage.rows);
    else
        *block = NULL;
    return status;
}

/* ------------------------------------------------------------------------------------------------------------- taps */

static ffebm_status check_tap(const ffebm_model *model, size_t layer)
{
    const ffebmi_stage *stage = model->stage_count == 0 ? NULL : &model->stages[model->stage_count - 1];
    char what[FFEBMI_ROW_TEXT];

    FFEBMI_CHECK(model->context, stage != NULL && stage->energy == NULL, FFEBM_ERR_STATE,
                 "model: a tap, but there is no feedforward stage %s to have it",
                 stage == NULL ? "yet" : "behind the last energy block");
    ffebmi_row_text(what, model->stage_count - 1, stage->row_count);
    FFEBMI_CHECK_ARGUMENT(model->context, layer > 0,
                          "%s: it gives to layer 0, which the stage's own row does, expected 1 or more", what);
    for (size_t r = 1; r < stage->row_count; r++)
        FFEBMI_CHECK_ARGUMENT(model->context, stage->rows[r].layer != layer,
                              "%s: it gives to layer %zu, as tap %zu does, expected one tap for a layer", what, layer,
                              r - 1);
    return FFEBM_OK;
}

ffebm_status ffebm_model_add_tap(ffebm_model *model, ffebm_feedforward **block, size_t layer)
{
    const ffebmi_stage *stage;
    char what[FFEBMI_ROW_TEXT];

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(check_feedforward(model, block));
    FFEBMI_TRY(check_tap(model, layer));
    stage = &model->stages[model->stage_count - 1];
    ffebmi_row_text(what, model->stage_count - 1, stage->row_count);
    FFEBMI_TRY(ffebmi_feedforward_fit(*block, &stage->input, what));
    FFEBMI_TRY(append_row(model, (ffebmi_row){.block = *block, .layer = layer}));
    *block = NULL;
    return FFEBM_OK;
}

/* ---------------------------------------------------------------------------------------------------- energy blocks */

/* The taps of the stage before it become inputs of the block. */
static ffebm_status join_taps(const ffebm_model *model, ffebm_energy *block)
{
    size_t below = model->stage_count - 1;

    for (size_t r = 1; model->stage_count > 0 && r < model->stages[below].row_count; r++) {
        const ffebmi_row *tap = &model->stages[below].rows[r];
        char what[FFEBMI_ROW_TEXT];

        FFEBMI_TRY(ffebmi_energy_tap(block, tap->layer, &tap->block->output, ffebmi_row_text(what, below, r)));
    }
    return FFEBM_OK;
}

/* The last map with drawn parameters of a row is drawn as its place asks for. */
static bool mark_map(ffebm_feedforward *row, const ffebm_initialization *placed)
{
    for (size_t i = row->op_count; i-- > 0;)
        if (ffebmi_setting_named(row->ops[i].kind->settings, "initialization") != NULL) {
            row->ops[i].learnable.placed = placed;
            return true;
        }
    return false;
}

/* Below the block that has just been added, wherever flattening, pools or others stand between; and in its taps. */
static void mark_maps_below(ffebm_model *model, const ffebm_energy *block)
{
    size_t stage = model->stage_count - 1;

    for (size_t r = 1; stage > 0 && r < model->stages[stage - 1].row_count; r++)
        mark_map(model->stages[stage - 1].rows[r].block, block->in_taps);
    while (stage > 0 && model->stages[stage - 1].energy == NULL && block->below != NULL)
        if (mark_map(model->stages[--stage].rows[0].block, block->below))
            return;
}

ffebm_status ffebm_model_add_energy(ffebm_model *model, ffebm_energy **block)
{
    ffebmi_stage stage = {0};
    char what[FFEBMI_ROW_TEXT];

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    stage.energy = block == NULL ? NULL : *block;
    FFEBMI_TRY(check_building(model, stage.energy, stage.energy == NULL ? NULL : (*block)->context));
    stage.input = *ffebmi_model_output(model);
    FFEBMI_TRY(ffebmi_energy_fit(stage.energy, &stage.input, ffebmi_row_text(what, model->stage_count, 0)));
    FFEBMI_TRY(join_taps(model, stage.energy));
    FFEBMI_TRY(ffebmi_model_make_chip(model, stage.energy, model->stage_count));
    stage.output = *ffebmi_energy_output(stage.energy);
    FFEBMI_TRY(append_stage(model, &stage));
    mark_maps_below(model, *block);
    *block = NULL;
    return FFEBM_OK;
}
