#include "gradient/engine.h"

#include "core/context.h"
#include "core/sized.h"

static const ffebm_engine_config defaults = {.size = sizeof defaults, .max_batch = 128};

void ffebm_engine_config_init(ffebm_engine_config *config, size_t size)
{
    ffebmi_sized_init(config, size, &defaults, sizeof defaults);
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
                                        .buffers = s->buffers,
                                        .gradient_scale = scale,
                                        .training = engine->training};

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
    for (size_t b = 0; b < of->buffer_count; b++)
        stage->buffers[b] = engine->model->buffers[of->first_buffer + b].value.data;
}

static void place_stage(ffebm_engine *engine, size_t index, ffebmi_arena *arena)
{
    const ffebmi_stage *of = &engine->model->stages[index];
    ffebmi_engine_stage placed = {.parameters = ffebmi_carve(arena, of->parameter_count, sizeof(void *))};

    placed.gradients = ffebmi_carve(arena, of->parameter_count, sizeof(void *));
    placed.buffers = ffebmi_carve(arena, of->buffer_count, sizeof(void *));
    if (of->feedforward != NULL) {
        ffebmi_tape_place(arena, &placed.tape, of->feedforward, engine->kernel, engine->max_batch, &engine->tape_work);
    } else {
        placed.free_state = ffebmi_carve(arena, of->energy->layer_count, sizeof(void *));
        if (of->energy->own != NULL)
            placed.own_input = ffebmi_carve(arena, engine->max_batch, of->input.count * engine->kernel->element);
        for (size_t l = 0; l < of->energy->layer_count; l++) {
            void *layer = ffebmi_carve(arena, engine->max_batch, of->energy->layers[l].count * engine->kernel->element);

            if (placed.free_state != NULL)
                placed.free_state[l] = layer;
        }
        for (size_t p = 0; p < 2; p++)
            placed.norms[p] = ffebmi_carve(arena, engine->max_batch, of->energy->layer_count * sizeof *placed.norms[p]);
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

/* What the feedforward stages from `first` on use in turn. */
static ffebmi_tape_needs tape_needs(const ffebm_engine *engine, size_t first)
{
    ffebmi_tape_needs needs = {0};

    for (size_t i = first; i < engine->model->stage_count; i++)
        if (engine->model->stages[i].feedforward != NULL)
            ffebmi_tape_measure(&needs, engine->model->stages[i].feedforward, engine->kernel);
    return needs;
}

/* Packed weights of feedforward stages lie where those of energy blocks do, which are packed anew for each phase. */
static ffebmi_tape_work place_tape_work(const ffebm_engine *engine, ffebmi_arena *arena)
{
    ffebmi_tape_needs needs = tape_needs(engine, 0);

    if (engine->last_energy != FFEBM_NONE)
        needs.packed = 0;
    return ffebmi_tape_place_work(arena, &needs, engine->kernel, engine->max_batch, engine->context->executor.workers);
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
    if (ffebmi_shape_is_image(ffebmi_model_output(model)))
        engine->target_values = ffebmi_carve(arena, engine->max_batch, ffebmi_model_output(model)->count * element);
    if (engine->last_energy != FFEBM_NONE)
        engine->nudged_output =
            ffebmi_carve(arena, engine->max_batch, model->stages[engine->last_energy].output.count * element);
    engine->losses = ffebmi_carve(arena, engine->max_batch, sizeof *engine->losses);
    engine->signs = ffebmi_carve(arena, engine->max_batch, sizeof *engine->signs);
    engine->tape_work = place_tape_work(engine, arena);
    for (size_t i = 0; i < model->stage_count; i++)
        place_stage(engine, i, arena);
}

/* -------------------------------------------------------------------------------------- memory of nudged phases */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* In float32 states by tiles come to rest at changes of 2e-6 of a layer: the rounding of their transforms. */
static const double finest_of_tiles = 1e-5;

const ffebmi_kernel *ffebmi_engine_settling_kernel(const ffebm_engine *engine, size_t stage)
{
    double tolerance = engine->stages[stage].equilibrium.free_tolerance;

    return engine->kernel->exact != NULL && tolerance > 0 && tolerance < finest_of_tiles ? engine->kernel->exact
                                                                                         : engine->kernel;
}

const ffebmi_kernel *ffebmi_engine_coarse_kernel(const ffebm_engine *engine, size_t stage)
{
    if (engine->stages[stage].equilibrium.precision != FFEBM_PRECISION_MIXED)
        return NULL;
    return ffebmi_kernel_coarse(ffebmi_engine_settling_kernel(engine, stage));
}

/* What the largest of the model's energy blocks needs. */
typedef struct needs {
    size_t state;    /* bytes of one state of a batch */
    size_t switches; /* and of its switches */
    size_t layers;
    size_t packed;
    size_t coarse; /* packed likewise */
    size_t relax;
} needs;

static size_t state_bytes(const ffebm_engine *engine, const ffebm_energy *block)
{
    ffebmi_arena measure = {0};

    for (size_t l = 0; l < block->layer_count; l++)
        ffebmi_carve(&measure, engine->max_batch, block->layers[l].count * engine->kernel->element);
    return measure.used;
}

static size_t switch_bytes(const ffebm_engine *engine, const ffebm_energy *block)
{
    ffebmi_arena measure = {0};

    for (size_t l = 0; l < block->layer_count; l++)
        ffebmi_carve(&measure, engine->max_batch, block->kind->switch_count(block, l));
    return measure.used;
}

/* By either kernel that it may settle by. */
static void raise_needs(needs *most, const ffebm_engine *engine, const ffebm_energy *block, const ffebmi_kernel *kernel,
                        size_t nudges)
{
    ffebmi_arena relax = {0}, packed = {0};

    ffebmi_relax_place(&relax, block, kernel, nudges, engine->max_batch);
    block->kind->place_packed(block, kernel, &packed);
    most->relax = larger(most->relax, relax.used);
    most->packed = larger(most->packed, packed.used);
}

/* And what coarse sweeps need besides; their scratch is no larger. */
static void raise_coarse_needs(needs *most, const ffebm_engine *engine, const ffebm_energy *block)
{
    const ffebmi_kernel *coarse = ffebmi_kernel_coarse(engine->kernel);
    ffebmi_arena rounded = {0};

    if (coarse == NULL || block->own != NULL)
        return;
    block->kind->place_rounded(block, coarse, NULL, &rounded);
    most->coarse = larger(most->coarse, rounded.used);
}

static needs needs_of(const ffebm_engine *engine, size_t nudges, bool mixed)
{
    needs most = {.packed = tape_needs(engine, 0).packed * engine->kernel->element};

    for (size_t i = 0; i < engine->model->stage_count; i++) {
        const ffebm_energy *block = engine->model->stages[i].energy;

        if (block == NULL)
            continue;
        raise_needs(&most, engine, block, engine->kernel, nudges);
        if (engine->kernel->exact != NULL)
            raise_needs(&most, engine, block, engine->kernel->exact, nudges);
        if (mixed)
            raise_coarse_needs(&most, engine, block);
        most.state = larger(most.state, state_bytes(engine, block));
        most.switches = larger(most.switches, switch_bytes(engine, block));
        most.layers = larger(most.layers, block->layer_count);
    }
    return most;
}

static void place_worker(const ffebm_engine *engine, ffebmi_arena *arena, ffebmi_worker *worker, size_t relax_bytes,
                         size_t nudges)
{
    const ffebm_model *model = engine->model;
    size_t first = ffebmi_engine_first_readout(engine), rows = nudges * FFEBMI_SHARD;
    ffebmi_tape_needs readout = tape_needs(engine, first);
    ffebmi_worker placed = {.relax_memory = ffebmi_carve(arena, relax_bytes, 1)};

    placed.readout_work = ffebmi_tape_place_work(arena, &readout, engine->kernel, rows, 1);
    placed.readout = ffebmi_carve(arena, model->stage_count - first, sizeof *placed.readout);
    placed.readout_inputs = ffebmi_carve(arena, model->stage_count - first, sizeof(void *));
    placed.loss_cotangent = ffebmi_carve(arena, rows, ffebmi_model_output(model)->count * engine->kernel->element);
    if (worker != NULL)
        *worker = placed;
    for (size_t i = first; i < model->stage_count; i++)
        ffebmi_tape_place(arena, worker == NULL ? NULL : &worker->readout[i - first], model->stages[i].feedforward,
                          engine->kernel, rows, worker == NULL ? &placed.readout_work : &worker->readout_work);
}

static void place_nudging(const ffebm_engine *engine, ffebmi_nudging_memory *to, ffebmi_arena *arena)
{
    size_t workers = engine->context->executor.workers;
    needs most = needs_of(engine, to->nudges, to->mixed);

    to->states = ffebmi_carve(arena, to->nudges, sizeof(void *));
    to->switch_sets = ffebmi_carve(arena, to->nudges + 1, sizeof(void *));
    to->layers = ffebmi_carve(arena, to->nudges * most.layers, sizeof(void *));
    to->switches = ffebmi_carve(arena, (to->nudges + 1) * most.layers, sizeof(void *));
    to->works = ffebmi_carve(arena, workers, sizeof(void *));
    to->workers = ffebmi_carve(arena, workers, sizeof *to->workers);
    to->packed_memory = ffebmi_carve(arena, most.packed, 1);
    to->coarse_memory = ffebmi_carve(arena, most.coarse, 1);
    for (size_t n = 0; n <= to->nudges; n++) {
        void *state = n < to->nudges ? ffebmi_carve(arena, most.state, 1) : NULL;
        void *switches = ffebmi_carve(arena, most.switches, 1);

        if (to->states != NULL && n < to->nudges)
            to->states[n] = state;
        if (to->switch_sets != NULL)
            to->switch_sets[n] = switches;
    }
    for (size_t w = 0; w < workers; w++)
        place_worker(engine, arena, to->workers == NULL ? NULL : &to->workers[w], most.relax, to->nudges);
}

ffebm_status ffebmi_engine_reserve(ffebm_engine *engine, size_t nudges, bool mixed)
{
    const ffebmi_nudging_memory *old = &engine->nudging;
    ffebmi_nudging_memory created = {
        .nudges = larger(larger(nudges, 2), old->nudges), .mixed = mixed || old->mixed, .settled_stage = FFEBM_NONE};
    ffebmi_arena arena = {0};

    if ((old->nudges == created.nudges && old->mixed == created.mixed) || engine->last_energy == FFEBM_NONE)
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
    engine->tape_work.packed = created.packed_memory;
    return FFEBM_OK;
}

/* -------------------------------------------------------------------------------------------------------- creation */

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
    return ffebm_engine_configure(engine, FFEBM_ALL, NULL); /* as the model's recipe says */
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
    created->kernel = ffebmi_kernel_for(model->dtype, model->context->max_isa);
    created->max_batch = c.max_batch;
    created->seed = c.seed;
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
    ffebmi_release(engine->context, engine->nudging.memory);
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
