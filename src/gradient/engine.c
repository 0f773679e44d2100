#include "gradient/engine.h"

#include "core/context.h"
#include "core/setting.h"
#include "core/sized.h"

#define FFEBMI_CONFIG ffebm_engine_config
static const ffebmi_setting list[] = {
    FFEBMI_INTEGER(max_batch, 128, FFEBMI_FROM(1), "samples", "the largest batch; memory grows with it"),
    FFEBMI_INTEGER(seed, 0, FFEBMI_FROM(0), "", "of what is drawn during computing")};
const ffebmi_settings ffebmi_engine_settings = FFEBMI_SETTINGS("engine", 0, list);

void ffebm_engine_config_init(ffebm_engine_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_engine_settings, config, size);
}

ffebm_status ffebmi_engine_check_energy(const ffebm_engine *engine, size_t stage)
{
    FFEBMI_CHECK_ARGUMENT(engine->context, stage < engine->model->stage_count, "engine: stage %zu of %zu", stage,
                          engine->model->stage_count);
    FFEBMI_CHECK_ARGUMENT(engine->context, ffebmi_engine_is_energy(engine, stage),
                          "engine: stage %zu is feedforward, expected an energy stage", stage);
    return FFEBM_OK;
}

ffebmi_feedforward_values ffebmi_engine_values(const ffebm_engine *engine, size_t stage, size_t row, bool gradients,
                                               double scale)
{
    const ffebmi_engine_stage *s = &engine->stages[stage];
    const ffebmi_row *of = &engine->model->stages[stage].rows[row];
    ffebmi_feedforward_values values = {.arrays = engine->arrays,
                                        .parameters = s->parameters + of->first_parameter,
                                        .gradients = gradients ? s->gradients + of->first_parameter : NULL,
                                        .buffers = s->buffers + of->first_buffer,
                                        .gradient_scale = scale,
                                        .training = engine->training,
                                        .first_sample = engine->stream.first_sample,
                                        .whole = engine->whole};

    return values;
}

/* ------------------------------------------------------------------------------------------- memory of the chain */

static void point_at_parameters(const ffebm_engine *engine, const ffebmi_stage *of, ffebmi_engine_stage *stage)
{
    for (size_t p = 0; p < of->parameter_count; p++) {
        size_t offset = engine->model->parameters[of->first_parameter + p].offset;

        stage->parameters[p] = ffebmi_at(engine->arrays, ffebmi_model_in_effect(engine->model, of), offset);
        stage->gradients[p] = ffebmi_at(engine->arrays, engine->gradient.values, offset);
        if (stage->totals != NULL)
            stage->totals[p] = ffebmi_at(engine->arrays, engine->gradient.totals, offset);
    }
    for (size_t b = 0; b < of->buffer_count; b++)
        stage->buffers[b] = engine->model->buffers[of->first_buffer + b].value.data;
}

static void lay_out_rows(ffebm_engine *engine, const ffebmi_stage *of, ffebmi_engine_stage *to, ffebmi_arena *arena)
{
    to->rows = ffebmi_carve(arena, of->row_count, sizeof *to->rows);
    for (size_t r = 0; r < of->row_count; r++)
        ffebmi_tape_lay_out(arena, to->rows == NULL ? NULL : &to->rows[r].tape, of->rows[r].block, &engine->arithmetic,
                            engine->max_batch, &engine->tape_work);
}

/* max_batch x units; NULL where there are none. */
static void *lay_out_values(const ffebm_engine *engine, size_t units, ffebmi_arena *arena)
{
    void *memory = ffebmi_carve(arena, engine->max_batch, units * engine->arrays->element);

    return units == 0 ? NULL : memory;
}

static void lay_out_states(const ffebm_engine *engine, const ffebm_energy *block, ffebmi_engine_stage *to,
                           ffebmi_arena *arena)
{
    to->free_state = ffebmi_carve(arena, block->layer_count, sizeof(void *));
    to->inputs = ffebmi_carve(arena, block->layer_count, sizeof(void *));
    for (size_t l = 0; l < block->layer_count; l++) {
        void *input = lay_out_values(engine, ffebmi_energy_input_units(block, l), arena);
        void *layer = lay_out_values(engine, block->layers[l].count, arena);

        if (arena->base == NULL)
            continue;
        to->inputs[l] = input;
        to->free_state[l] = layer;
    }
    if (ffebmi_solver_of(block)->hand_on != NULL)
        to->handed_on = lay_out_values(engine, ffebmi_energy_output(block)->count, arena);
    for (size_t p = 0; p < 2; p++)
        to->norms[p] = ffebmi_carve(arena, engine->max_batch, block->layer_count * sizeof *to->norms[p]);
}

static void lay_out_stage(ffebm_engine *engine, size_t index, ffebmi_arena *arena)
{
    const ffebmi_stage *of = &engine->model->stages[index];
    ffebmi_engine_stage placed = {.parameters = ffebmi_carve(arena, of->parameter_count, sizeof(void *))};

    placed.gradients = ffebmi_carve(arena, of->parameter_count, sizeof(void *));
    if (ffebmi_model_keeps_phases(engine->model, index))
        placed.totals = ffebmi_carve(arena, of->parameter_count, sizeof(void *));
    placed.buffers = ffebmi_carve(arena, of->buffer_count, sizeof(void *));
    if (of->energy == NULL)
        lay_out_rows(engine, of, &placed, arena);
    else
        lay_out_states(engine, of->energy, &placed, arena);
    if (arena->base != NULL) {
        engine->stages[index] = placed;
        point_at_parameters(engine, of, &engine->stages[index]);
    }
}

static size_t largest_boundary(const ffebm_model *model)
{
    size_t largest = model->input.count;

    for (size_t i = 0; i < model->stage_count; i++) {
        const ffebm_energy *block = model->stages[i].energy;
        size_t below = block == NULL ? 0 : ffebmi_energy_input_offset(block, block->layer_count);

        largest = model->stages[i].output.count > largest ? model->stages[i].output.count : largest;
        largest = below > largest ? below : largest;
    }
    return largest;
}

static size_t most_layers(const ffebm_model *model)
{
    size_t most = 0;

    for (size_t i = 0; i < model->stage_count; i++)
        if (model->stages[i].energy != NULL && model->stages[i].energy->layer_count > most)
            most = model->stages[i].energy->layer_count;
    return most;
}

/* What the feedforward stages use in turn. Packed weights lie on the workbench where there is one. */
static ffebmi_tape_work lay_out_tape_work(const ffebm_engine *engine, ffebmi_arena *arena)
{
    ffebmi_tape_needs needs = {0};

    for (size_t i = 0; i < engine->model->stage_count; i++)
        for (size_t r = 0; r < engine->model->stages[i].row_count; r++)
            ffebmi_tape_measure(&needs, engine->model->stages[i].rows[r].block, &engine->arithmetic);
    if (engine->last_energy != FFEBM_NONE)
        needs.packed = 0;
    return ffebmi_tape_lay_out_work(arena, &needs, &engine->arithmetic, engine->max_batch,
                                    engine->context->executor.workers);
}

static void lay_out(ffebm_engine *engine, ffebmi_arena *arena)
{
    const ffebm_model *model = engine->model;
    size_t element = engine->arrays->element, boundary = largest_boundary(model) * element;

    engine->stages = ffebmi_carve(arena, model->stage_count, sizeof *engine->stages);
    engine->gradient.values = ffebmi_carve(arena, model->element_count, element);
    if (ffebmi_model_keeps_any(model))
        engine->gradient.totals = ffebmi_carve(arena, model->element_count, element);
    engine->input = ffebmi_carve(arena, engine->max_batch, model->input.count * element);
    engine->cotangents[0] = ffebmi_carve(arena, engine->max_batch, boundary);
    engine->cotangents[1] = ffebmi_carve(arena, engine->max_batch, boundary);
    engine->inputs = ffebmi_carve(arena, most_layers(model), sizeof *engine->inputs);
    if (ffebmi_shape_is_image(ffebmi_model_output(model)))
        engine->target_values = ffebmi_carve(arena, engine->max_batch, ffebmi_model_output(model)->count * element);
    if (engine->last_energy != FFEBM_NONE)
        engine->nudged_output =
            ffebmi_carve(arena, engine->max_batch, model->stages[engine->last_energy].output.count * element);
    engine->losses = ffebmi_carve(arena, engine->max_batch, sizeof *engine->losses);
    engine->signs = ffebmi_carve(arena, engine->max_batch, sizeof *engine->signs);
    engine->tape_work = lay_out_tape_work(engine, arena);
    for (size_t i = 0; i < model->stage_count; i++)
        lay_out_stage(engine, i, arena);
    ffebmi_workbench_lay_out_plans(&engine->bench, arena);
}

/* ------------------------------------------------------------------------------------------------------------ plans */

/* In float32 minimal algorithms let states come to rest at changes of 2e-6 of a layer: the rounding of their transforms. */
static const double finest_of_minimal = 1e-5;

static bool is_fine(const ffebm_engine *engine, size_t stage)
{
    double tolerance = engine->stages[stage].equilibrium.free_tolerance;

    return tolerance > 0 && tolerance < finest_of_minimal;
}

const void *ffebmi_engine_plan(const ffebm_engine *engine, size_t stage)
{
    return ffebmi_workbench_plan(&engine->bench, stage, is_fine(engine, stage) ? FFEBMI_PLAIN : FFEBMI_MINIMAL);
}

bool ffebmi_engine_int16(const ffebm_engine *engine, size_t stage)
{
    return engine->stages[stage].equilibrium.precision == FFEBM_PRECISION_MIXED && !is_fine(engine, stage) &&
           ffebmi_workbench_has_int16(&engine->bench) && ffebmi_engine_block(engine, stage)->kind->pack_int16 != NULL;
}

/* -------------------------------------------------------------------------------------------------------- creation */

static void find_readout(ffebm_engine *engine)
{
    for (size_t i = 0; i < engine->model->stage_count; i++)
        if (ffebmi_engine_is_energy(engine, i))
            engine->last_energy = i;
    engine->bench = (ffebmi_workbench){.context = engine->context,
                                       .model = engine->model,
                                       .arithmetic = engine->arithmetic,
                                       .arrays = engine->arrays,
                                       .max_batch = engine->max_batch,
                                       .first_readout = engine->last_energy == FFEBM_NONE ? 0 : engine->last_energy + 1,
                                       .settled_stage = FFEBM_NONE};
}

static ffebm_status build(ffebm_engine *engine)
{
    ffebmi_shape all = ffebmi_shape_vector((int64_t)engine->model->element_count);
    ffebmi_arena arena = {0};

    find_readout(engine);
    lay_out(engine, &arena);
    FFEBMI_CHECK(engine->context, arena.used != SIZE_MAX && engine->max_batch <= INT32_MAX, FFEBM_ERR_SHAPE,
                 "engine: max_batch %zu makes the size of its memory overflow", engine->max_batch);
    engine->memory = ffebmi_allocate(engine->context, arena.used, 1);
    if (engine->memory == NULL)
        return ffebmi_fail_memory(engine->context, "an engine's states and tape");
    arena = (ffebmi_arena){.base = engine->memory};
    lay_out(engine, &arena);
    engine->flat_gradient = ffebmi_tensor_borrow(engine->context, engine->gradient.values, engine->model->dtype, &all);
    return ffebm_engine_configure(engine, FFEBM_ALL, NULL); /* as the model's recipe says */
}

ffebm_status ffebm_engine_create(ffebm_engine **engine, ffebm_model *model, const ffebm_engine_config *config)
{
    ffebm_engine_config c;
    ffebm_engine *created;
    ffebm_status status;

    if (engine != NULL)
        *engine = NULL;
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, engine != NULL, "ffebm_engine_create: engine is NULL");
    FFEBMI_TRY(ffebmi_settings_read(model->context, &ffebmi_engine_settings, &c, config));
    FFEBMI_CHECK(model->context, ffebmi_model_ready(model), FFEBM_ERR_STATE,
                 "engine: the model has no parameter values yet; initialize or load it first");

    created = ffebmi_allocate(model->context, 1, sizeof *created);
    if (created == NULL)
        return ffebmi_fail_memory(model->context, "an engine");
    created->context = model->context;
    created->model = model;
    created->gradient.model = model;
    created->arithmetic = ffebmi_arithmetic_for(model->dtype, model->context->max_isa);
    created->arrays = created->arithmetic.arrays;
    created->max_batch = c.max_batch;
    created->stream.seed = c.seed;
    created->last_energy = FFEBM_NONE;
    created->training = true;
    ffebmi_model_keep(model);
    status = build(created);
    if (status != FFEBM_OK) {
        ffebm_engine_destroy(created);
        return status;
    }
    *engine = created;
    return FFEBM_OK;
}

void ffebm_engine_destroy(ffebm_engine *engine)
{
    ffebm_model *model;

    if (engine == NULL)
        return;
    model = engine->model;
    ffebmi_release(engine->context, engine->certificates);
    ffebmi_release(engine->context, engine->bench.memory);
    ffebmi_release(engine->context, engine->memory);
    ffebmi_release(engine->context, engine);
    ffebmi_model_drop(model);
}

ffebm_tensor *ffebm_engine_flat_gradient(ffebm_engine *engine)
{
    return engine == NULL || engine->model->element_count == 0 ? NULL : &engine->flat_gradient;
}

const ffebmi_flat_gradient *ffebmi_engine_gradient(const ffebm_engine *engine)
{
    return &engine->gradient;
}
