#include "gradient/engine.h"

#include "core/context.h"
#include "core/sized.h"
#include "relax/equilibrium.h"

static const ffebm_engine_config defaults = {.size = sizeof defaults, .max_batch = 128};

void ffebm_engine_config_init(ffebm_engine_config *config, size_t size)
{
    ffebmi_sized_init(config, size, &defaults, sizeof defaults);
}

bool ffebmi_engine_is_energy(const ffebm_engine *engine, size_t stage)
{
    return engine->model->stages[stage].energy != NULL;
}

size_t ffebmi_engine_first_readout(const ffebm_engine *engine)
{
    return engine->last_energy == FFEBM_NONE ? 0 : engine->last_energy + 1;
}

ffebm_status ffebmi_engine_check_energy(const ffebm_engine *engine, size_t stage)
{
    FFEBMI_CHECK_ARGUMENT(engine->context, stage < engine->model->stage_count, "engine: stage %zu of %zu", stage,
                          engine->model->stage_count);
    FFEBMI_CHECK_ARGUMENT(engine->context, ffebmi_engine_is_energy(engine, stage),
                          "engine: stage %zu is feedforward, expected an energy stage", stage);
    return FFEBM_OK;
}

ffebmi_feedforward_values ffebmi_engine_values(const ffebm_engine *engine, size_t stage, bool gradients, double scale)
{
    const ffebmi_engine_stage *s = &engine->stages[stage];
    ffebmi_feedforward_values values = {.kernel = engine->kernel,
                                        .parameters = s->parameters,
                                        .gradients = gradients ? s->gradients : NULL,
                                        .gradient_scale = scale};

    return values;
}

/* ------------------------------------------------------------------------------------------- memory of the chain */

static void point_at_parameters(const ffebm_engine *engine, const ffebmi_stage *of, ffebmi_engine_stage *stage)
{
    for (size_t p = 0; p < of->parameter_count; p++) {
        size_t offset = engine->model->parameters[of->first_parameter + p].offset;

        stage->parameters[p] = ffebmi_at(engine->kernel, engine->model->values, offset);
        stage->gradients[p] = ffebmi_at(engine->kernel, engine->gradient.values, offset);
    }
}

static void place_stage(ffebm_engine *engine, size_t index, ffebmi_arena *arena)
{
    const ffebmi_stage *of = &engine->model->stages[index];
    ffebmi_engine_stage placed = {.parameters = ffebmi_carve(arena, of->parameter_count, sizeof(void *)),
                                  .gradients = ffebmi_carve(arena, of->parameter_count, sizeof(void *))};

    if (of->feedforward != NULL) {
        ffebmi_tape_place(arena, &placed.tape, of->feedforward, engine->kernel, engine->max_batch);
    } else {
        placed.free_state = ffebmi_carve(arena, of->energy->layer_count, sizeof(void *));
        for (size_t l = 0; l < of->energy->layer_count; l++) {
            void *layer = ffebmi_carve(arena, engine->max_batch, of->energy->layers[l].count * engine->kernel->element);

            if (placed.free_state != NULL)
                placed.free_state[l] = layer;
        }
    }
    if (arena->base != NULL) {
        engine->stages[index] = placed;
        point_at_parameters(engine, of, &engine->stages[index]);
    }
}

static size_t largest_boundary(const ffebm_model *model)
{
    size_t largest = model->input.count;

    for (size_t i = 0; i < model->stage_count; i++)
        if (model->stages[i].output.count > largest)
            largest = model->stages[i].output.count;
    return largest;
}

static void place(ffebm_engine *engine, ffebmi_arena *arena)
{
    const ffebm_model *model = engine->model;
    size_t element = engine->kernel->element, boundary = largest_boundary(model) * element;

    engine->stages = ffebmi_carve(arena, model->stage_count, sizeof *engine->stages);
    engine->gradient.values = ffebmi_carve(arena, model->element_count, element);
    engine->input = ffebmi_carve(arena, engine->max_batch, model->input.count * element);
    engine->cotangents[0] = ffebmi_carve(arena, engine->max_batch, boundary);
    engine->cotangents[1] = ffebmi_carve(arena, engine->max_batch, boundary);
    engine->losses = ffebmi_carve(arena, engine->max_batch, sizeof *engine->losses);
    for (size_t i = 0; i < model->stage_count; i++)
        place_stage(engine, i, arena);
}

/* -------------------------------------------------------------------------------------- memory of nudged phases */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t state_bytes(const ffebm_engine *engine, const ffebm_energy *block)
{
    ffebmi_arena measure = {0};

    for (size_t l = 0; l < block->layer_count; l++)
        ffebmi_carve(&measure, engine->max_batch, block->layers[l].count * engine->kernel->element);
    return measure.used;
}

static void place_worker(const ffebm_engine *engine, ffebmi_arena *arena, ffebmi_worker *worker, size_t relax_bytes,
                         size_t nudges)
{
    const ffebm_model *model = engine->model;
    size_t first = ffebmi_engine_first_readout(engine), rows = nudges * FFEBMI_SHARD;
    ffebmi_worker placed = {.relax_memory = ffebmi_carve(arena, relax_bytes, 1)};

    placed.readout = ffebmi_carve(arena, model->stage_count - first, sizeof *placed.readout);
    placed.readout_inputs = ffebmi_carve(arena, model->stage_count - first, sizeof(void *));
    placed.loss_cotangent = ffebmi_carve(arena, rows, ffebmi_model_output(model)->count * engine->kernel->element);
    for (size_t i = first; i < model->stage_count; i++) {
        ffebmi_tape tape;

        ffebmi_tape_place(arena, &tape, model->stages[i].feedforward, engine->kernel, rows);
        if (placed.readout != NULL)
            placed.readout[i - first] = tape;
    }
    if (worker != NULL)
        *worker = placed;
}

static void place_nudging(const ffebm_engine *engine, ffebmi_nudging_memory *to, ffebmi_arena *arena)
{
    const ffebm_model *model = engine->model;
    size_t workers = engine->context->executor.workers, states = 0, layers = 0, relax_bytes = 0;

    for (size_t i = 0; i < model->stage_count; i++) {
        ffebmi_arena measure = {0};

        if (!ffebmi_engine_is_energy(engine, i))
            continue;
        ffebmi_relax_place(&measure, model->stages[i].energy, engine->kernel, to->nudges);
        relax_bytes = larger(relax_bytes, measure.used);
        states = larger(states, state_bytes(engine, model->stages[i].energy));
        layers = larger(layers, model->stages[i].energy->layer_count);
    }
    to->states = ffebmi_carve(arena, to->nudges, sizeof(void *));
    to->layers = ffebmi_carve(arena, to->nudges * layers, sizeof(void *));
    to->works = ffebmi_carve(arena, workers, sizeof(void *));
    to->workers = ffebmi_carve(arena, workers, sizeof *to->workers);
    for (size_t n = 0; n < to->nudges; n++) {
        void *memory = ffebmi_carve(arena, states, 1);

        if (to->states != NULL)
            to->states[n] = memory;
    }
    for (size_t w = 0; w < workers; w++)
        place_worker(engine, arena, to->workers == NULL ? NULL : &to->workers[w], relax_bytes, to->nudges);
}

ffebm_status ffebmi_engine_reserve(ffebm_engine *engine, size_t nudges)
{
    ffebmi_nudging_memory created = {.nudges = larger(nudges, 2), .settled_stage = FFEBM_NONE};
    ffebmi_arena arena = {0};

    if (engine->nudging.nudges >= created.nudges || engine->last_energy == FFEBM_NONE)
        return FFEBM_OK;
    place_nudging(engine, &created, &arena);
    FFEBMI_CHECK(engine->context, arena.used != SIZE_MAX, FFEBM_ERR_SHAPE,
                 "engine: max_batch %zu makes the size of its memory overflow", engine->max_batch);
    created.memory = ffebmi_allocate(engine->context, arena.used, 1);
    if (created.memory == NULL)
        return ffebmi_fail_memory(engine->context, "the nudged states of an engine");
    arena = (ffebmi_arena){.base = created.memory};
    place_nudging(engine, &created, &arena);
    ffebmi_release(engine->context, engine->nudging.memory);
    engine->nudging = created;
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------- creation, settings */

static ffebm_status build(ffebm_engine *engine)
{
    ffebmi_shape all = ffebmi_shape_vector((int64_t)engine->model->element_count);
    ffebmi_arena arena = {0};

    for (size_t i = 0; i < engine->model->stage_count; i++)
        if (ffebmi_engine_is_energy(engine, i))
            engine->last_energy = i;
    place(engine, &arena);
    FFEBMI_CHECK(engine->context, arena.used != SIZE_MAX && engine->max_batch <= INT32_MAX, FFEBM_ERR_SHAPE,
                 "engine: max_batch %zu makes the size of its memory overflow", engine->max_batch);
    engine->memory = ffebmi_allocate(engine->context, arena.used, 1);
    if (engine->memory == NULL)
        return ffebmi_fail_memory(engine->context, "an engine's states and tape");
    arena = (ffebmi_arena){.base = engine->memory};
    place(engine, &arena);
    engine->flat_gradient = ffebmi_tensor_borrow(engine->context, engine->gradient.values, engine->model->dtype, &all);
    return ffebm_engine_configure(engine, FFEBM_ALL, NULL); /* resolves what defaults leave open, takes the rest */
}

ffebm_status ffebm_engine_create(ffebm_engine **engine, ffebm_model *model, const ffebm_engine_config *config)
{
    ffebm_engine_config c = defaults;
    ffebm_engine *created;
    ffebm_status status;

    if (engine != NULL)
        *engine = NULL;
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, engine != NULL, "ffebm_engine_create: engine is NULL");
    FFEBMI_TRY(ffebmi_sized_read(model->context, "engine configuration", &c, sizeof c, config));
    FFEBMI_CHECK_ARGUMENT(model->context, c.max_batch >= 1, "engine: max_batch 0, expected 1 or more");
    FFEBMI_CHECK(model->context, ffebmi_model_ready(model), FFEBM_ERR_STATE,
                 "engine: the model has no parameter values yet; initialize or load it first");

    created = ffebmi_allocate(model->context, 1, sizeof *created);
    if (created == NULL)
        return ffebmi_fail_memory(model->context, "an engine");
    created->context = model->context;
    created->model = model;
    created->gradient.model = model;
    created->kernel = ffebmi_kernel_for(model->dtype);
    created->max_batch = c.max_batch;
    created->last_energy = FFEBM_NONE;
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
    ffebmi_release(engine->context, engine->nudging.memory);
    ffebmi_release(engine->context, engine->memory);
    ffebmi_release(engine->context, engine);
    ffebmi_model_drop(model);
}

static bool can_nudge_by_loss(const ffebm_engine *engine, size_t stage)
{
    return stage == engine->last_energy && engine->model->loss->type != FFEBM_LOSS_NONE;
}

static ffebm_status check_nudging(const ffebm_engine *engine, size_t stage, int32_t nudging)
{
    FFEBMI_CHECK(
        engine->context, nudging != FFEBM_NUDGING_LOSS || can_nudge_by_loss(engine, stage), FFEBM_ERR_UNSUPPORTED,
        "stage %zu: FFEBM_NUDGING_LOSS, which only the last energy block of a model with a loss can do", stage);
    return FFEBM_OK;
}

ffebm_status ffebm_engine_configure(ffebm_engine *engine, size_t stage, const ffebm_equilibrium_config *config)
{
    ffebm_equilibrium_config c;
    size_t first = stage, end = stage + 1;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_equilibrium_read(engine->context, &c, config));
    if (stage == FFEBM_ALL) {
        first = 0;
        end = engine->model->stage_count;
    } else {
        FFEBMI_TRY(ffebmi_engine_check_energy(engine, stage));
    }
    for (size_t i = first; i < end; i++)
        if (ffebmi_engine_is_energy(engine, i))
            FFEBMI_TRY(check_nudging(engine, i, c.nudging));
    FFEBMI_TRY(ffebmi_engine_reserve(engine, ffebmi_estimator_of(c.estimator)->nudge_count));
    for (size_t i = first; i < end; i++) {
        if (!ffebmi_engine_is_energy(engine, i))
            continue;
        engine->stages[i].equilibrium = c;
        if (c.nudging == FFEBM_NUDGING_AUTO)
            engine->stages[i].equilibrium.nudging =
                can_nudge_by_loss(engine, i) ? FFEBM_NUDGING_LOSS : FFEBM_NUDGING_LINEAR;
    }
    return FFEBM_OK;
}

ffebm_tensor *ffebm_engine_flat_gradient(ffebm_engine *engine)
{
    return engine == NULL || engine->model->element_count == 0 ? NULL : &engine->flat_gradient;
}

const ffebmi_flat_gradient *ffebmi_engine_gradient(const ffebm_engine *engine)
{
    return &engine->gradient;
}
