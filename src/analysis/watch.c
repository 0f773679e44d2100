/* A block while it settles. Sweeps are made one more at a time; the states between two groups of layers are put together of
 * those before and behind the sweep, since each layer moves once in it. */
#include <inttypes.h>
#include <string.h>

#include <ffebm/analysis.h>

#include "core/context.h"
#include "core/ranks.h"
#include "gradient/compute.h"
#include "gradient/layout.h"
#include "gradient/phases.h"
#include "gradient/states.h"
#include "relax/order.h"

typedef struct watch {
    ffebm_engine *engine;
    size_t stage;
    const ffebm_energy *block;
    ffebmi_targets targets;
    const void *input; /* the caller's */
    size_t batch;
    ffebm_watch_fn visit;
    void *user;

    void *memory;
    ffebmi_groups *groups; /* of the phase */
    void **before;         /* [layer]: batch x units, before the sweep */
    void **present;        /* [layer]: those that have moved in it, and the others from before */
    void **shown;          /* [layer]: the same as a caller has them */
    ffebm_tensor *tensors; /* [layer]: over these */
    const ffebm_tensor **states;
    void *force; /* batch x outputs */
    double *energies;
} watch;

/* ---------------------------------------------------------------------------------------------------------- memory */

static void lay_out(watch *w, ffebmi_arena *arena)
{
    size_t layers = w->block->layer_count, element = w->engine->arrays->element;

    w->groups = ffebmi_groups_lay_out(arena, layers);
    w->before = ffebmi_carve(arena, layers, sizeof *w->before);
    w->present = ffebmi_carve(arena, layers, sizeof *w->present);
    w->shown = ffebmi_carve(arena, layers, sizeof *w->shown);
    w->tensors = ffebmi_carve(arena, layers, sizeof *w->tensors);
    w->states = ffebmi_carve(arena, layers, sizeof(const ffebm_tensor *));
    w->force = ffebmi_carve(arena, w->batch, ffebmi_energy_output(w->block)->count * element);
    w->energies = ffebmi_carve(arena, w->batch, sizeof *w->energies);
    for (size_t l = 0; l < layers; l++) {
        void *before = ffebmi_carve(arena, w->batch, w->block->layers[l].count * element);
        void *shown = ffebmi_carve(arena, w->batch, w->block->layers[l].count * element);

        if (w->before != NULL) {
            w->before[l] = before;
            w->shown[l] = shown;
        }
    }
}

/* [batch, sample...] */
static ffebmi_shape shape_of(const ffebmi_shape *sample, size_t batch)
{
    ffebmi_shape shape = {.rank = sample->rank + 1, .count = batch * sample->count, .dims = {(int64_t)batch}};

    memcpy(shape.dims + 1, sample->dims, sample->rank * sizeof *sample->dims);
    return shape;
}

static ffebm_status allocate(watch *w)
{
    ffebmi_arena arena = {0};

    lay_out(w, &arena);
    w->memory = ffebmi_allocate(w->engine->context, arena.used, 1);
    if (w->memory == NULL)
        return ffebmi_fail_memory(w->engine->context, "watching a block");
    arena = (ffebmi_arena){.base = w->memory};
    lay_out(w, &arena);
    for (size_t l = 0; l < w->block->layer_count; l++) {
        ffebmi_shape shape = shape_of(&w->block->layers[l], w->batch);

        w->tensors[l] = ffebmi_tensor_borrow(w->engine->context, w->shown[l], w->engine->model->dtype, &shape);
        w->states[l] = &w->tensors[l];
    }
    return FFEBM_OK;
}

/* ---------------------------------------------------------------------------------------------------------- visits */

static ffebm_status show(watch *w, int32_t phase, int64_t sweep, size_t step)
{
    const ffebmi_arrays *arrays = w->engine->arrays;
    size_t last = w->block->layer_count - 1, units = ffebmi_energy_output(w->block)->count;
    ffebmi_shape shape = ffebmi_shape_vector((int64_t)w->batch);
    ffebm_tensor energy = ffebmi_tensor_borrow(w->engine->context, w->energies, FFEBM_FLOAT64, &shape);
    ffebm_watch_point point = {.size = sizeof point,
                               .layer_count = w->block->layer_count,
                               .states = w->states,
                               .energy = &energy,
                               .sweep = sweep,
                               .step = step,
                               .steps = w->groups->count,
                               .phase = phase};

    FFEBMI_TRY(ffebmi_states_energies(w->engine, w->stage, w->present, w->energies));
    for (size_t i = 0; i < w->batch && phase == FFEBM_PHASE_NUDGED; i++)
        w->energies[i] -=
            arrays->dot(units, ffebmi_at(arrays, w->force, i * units), ffebmi_at(arrays, w->present[last], i * units));
    for (size_t l = 0; l <= last; l++)
        ffebmi_layout_outward(arrays, &w->block->layers[l], w->batch, w->present[l], w->shown[l]);
    FFEBMI_CHECK(w->engine->context, w->visit(w->user, &point) == 0, FFEBM_ERR_CANCELLED,
                 "watch: its callback stopped it at sweep %" PRId64, sweep);
    return FFEBM_OK;
}

/* Where the phase starts: at the stage's free state. */
static ffebm_status show_start(watch *w, int32_t phase, int32_t order, bool backwards)
{
    const ffebmi_engine_stage *s = &w->engine->stages[w->stage];

    ffebmi_groups_fill(w->groups, &w->block->graph, order, backwards);
    for (size_t l = 0; l < w->block->layer_count; l++) {
        memcpy(w->before[l], s->free_state[l], w->batch * w->block->layers[l].count * w->engine->arrays->element);
        w->present[l] = w->before[l];
    }
    return show(w, phase, 0, 0);
}

/* A sweep has come to these layers. */
static ffebm_status show_sweep(watch *w, int32_t phase, int64_t sweep, void *const *layers)
{
    for (size_t g = 0; g < w->groups->count; g++) {
        for (size_t i = w->groups->first[g]; i < w->groups->first[g + 1]; i++)
            w->present[w->groups->layers[i]] = layers[w->groups->layers[i]];
        FFEBMI_TRY(show(w, phase, sweep, g + 1));
    }
    for (size_t l = 0; l < w->block->layer_count; l++) {
        memcpy(w->before[l], layers[l], w->batch * w->block->layers[l].count * w->engine->arrays->element);
        w->present[l] = w->before[l];
    }
    return FFEBM_OK;
}

/* ---------------------------------------------------------------------------------------------------------- phases */

static ffebm_status watch_free(watch *w, const ffebm_equilibrium_config *asked)
{
    ffebmi_engine_stage *s = &w->engine->stages[w->stage];
    bool settled = false;

    for (size_t l = 0; l < w->block->layer_count; l++)
        memset(s->free_state[l], 0, w->batch * w->block->layers[l].count * w->engine->arrays->element);
    s->equilibrium.start = FFEBM_START_STATE;
    s->equilibrium.free_sweeps = 1;
    FFEBMI_TRY(show_start(w, FFEBM_PHASE_FREE, asked->free_order, false));
    for (int64_t n = 1; n <= asked->free_sweeps && !settled; n++) {
        FFEBMI_TRY(ffebmi_context_ask(w->engine->context));
        FFEBMI_TRY(ffebmi_phases_free(w->engine, w->stage, w->batch, (const void *const *)s->inputs));
        FFEBMI_TRY(show_sweep(w, FFEBM_PHASE_FREE, n, s->free_state));
        settled = asked->free_tolerance > 0 && s->tallies[0].unconverged == 0;
    }
    return FFEBM_OK;
}

static ffebm_status watch_nudged(watch *w, const ffebm_equilibrium_config *asked)
{
    ffebmi_engine_stage *s = &w->engine->stages[w->stage];
    bool backwards = asked->nudged_order == FFEBM_ORDER_REVERSED, settled = false;

    FFEBMI_TRY(show_start(w, FFEBM_PHASE_NUDGED, backwards ? asked->free_order : asked->nudged_order, backwards));
    for (int64_t n = 1; n <= asked->nudged_sweeps && !settled; n++) {
        FFEBMI_TRY(ffebmi_context_ask(w->engine->context));
        s->equilibrium.nudged_sweeps = n;
        FFEBMI_TRY(ffebmi_phases_by_hand(w->engine, w->stage, w->batch, (const void *const *)s->inputs, w->force, 0));
        FFEBMI_TRY(show_sweep(w, FFEBM_PHASE_NUDGED, n, ffebmi_workbench_layers(&w->engine->bench, w->block, 0)));
        settled = asked->nudged_tolerance > 0 && s->tallies[1].unconverged == 0;
    }
    return FFEBM_OK;
}

/* The derivative of each sample's loss by the block's output, at the free states of all above, as it comes down the chain. */
static ffebm_status find_force(watch *w)
{
    ffebm_engine *engine = w->engine;
    const void *error = engine->cotangents[1];
    bool by_loss = ffebmi_compute_loss_nudged(engine);

    memset(engine->gradient.values, 0, engine->model->element_count * engine->arrays->element);
    for (size_t i = engine->model->stage_count; i-- > w->stage + 1;)
        FFEBMI_TRY(ffebmi_chain_stage_down(engine, i, error, by_loss && i == engine->last_energy ? &w->targets : NULL,
                                           1.0 / (double)engine->whole,
                                           engine->cotangents[error == engine->cotangents[0] ? 1 : 0], &error));
    engine->arrays->scale(w->batch * ffebmi_energy_output(w->block)->count, -engine->stages[w->stage].equilibrium.beta,
                          error, w->force);
    return FFEBM_OK;
}

static ffebm_status run(watch *w)
{
    ffebm_engine *engine = w->engine;
    ffebm_equilibrium_config *e = &engine->stages[w->stage].equilibrium, asked;
    ffebm_report facts = {0};
    ffebm_status status;

    FFEBMI_TRY(allocate(w));
    FFEBMI_TRY(ffebmi_compute_open(engine, w->batch));
    ffebmi_engine_begin_call(engine);
    FFEBMI_TRY(ffebmi_compute_free(engine, w->input, &w->targets, w->batch, &facts, engine->cotangents[1]));
    FFEBMI_TRY(find_force(w));
    asked = *e;
    e->require_convergence = 0;
    e->precision = FFEBM_PRECISION_FULL;
    status = watch_free(w, &asked);
    if (status == FFEBM_OK)
        status = watch_nudged(w, &asked);
    *e = asked;
    return status;
}

static ffebm_status check(watch *w, const ffebm_tensor *input, const ffebm_tensor *target)
{
    FFEBMI_CHECK_ARGUMENT(w->engine->context, w->visit != NULL, "ffebm_engine_watch: visit is NULL");
    FFEBMI_TRY(ffebmi_engine_check_energy(w->engine, w->stage));
    w->block = ffebmi_engine_block(w->engine, w->stage);
    FFEBMI_CHECK(w->engine->context, w->block->kind->sweeps != NULL, FFEBM_ERR_UNSUPPORTED,
                 "stage %zu: its block, a %s one, settles by means of its own, and cannot be watched", w->stage,
                 w->block->kind->type);
    FFEBMI_TRY(ffebmi_compute_check(w->engine, input, target, NULL, &w->batch, &w->targets));
    FFEBMI_CHECK_ARGUMENT(w->engine->context, w->batch > 0, "ffebm_engine_watch: input has no samples");
    w->input = input->data;
    return FFEBM_OK;
}

ffebm_status ffebm_engine_watch(ffebm_engine *engine, size_t stage, const ffebm_tensor *input,
                                const ffebm_tensor *target, ffebm_watch_fn visit, void *user)
{
    watch w = {.engine = engine, .stage = stage, .visit = visit, .user = user};
    ffebm_status status;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    engine->ticket = 0;
    engine->profiled = false;
    engine->gradient.valid = false;
    status = check(&w, input, target);
    if (status == FFEBM_OK)
        status = run(&w);
    status = ffebmi_ranks_close(engine->context, status, NULL, 0);
    ffebmi_release(engine->context, w.memory);
    return status;
}
