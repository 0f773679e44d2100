/* Traces: one energy block at a time, the gradient after each number of nudged sweeps, by the engine's configuration and
 * by truncated implicit differentiation. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <ffebm/analysis.h>

#include "analysis/comparison.h"
#include "analysis/reference.h"
#include "core/context.h"
#include "core/ranks.h"
#include "gradient/compute.h"

/* The two algorithms that are traced side by side. Each is handed down its own error, and has a flat gradient. */
enum { ESTIMATE, IMPLICIT, WAYS };

typedef struct trace {
    ffebm_engine *engine;
    ffebmi_targets targets;
    const void *input; /* the caller's */
    size_t batch;
    size_t bottom; /* the lowest stage that implicit differentiation comes to */
    bool loss_nudged;
    ffebm_trace_fn visit;
    void *user;

    void *memory;
    void *gradients[WAYS]; /* flat */
    void *errors[WAYS];    /* batch x units of the largest boundary: by the output of the block at hand */
    void *scratch;         /* as large as the largest tensor */
    ffebm_equilibrium_config *equilibria; /* [stage]: as the caller has set them */
} trace;

/* What is traced together: the energy stage `top`, and the feedforward stages below it down to `low`. */
typedef struct group {
    size_t top;
    size_t low;
    size_t first_parameter;
    size_t end_parameter; /* the readout's among them, where top is the last energy block */
} group;

static group group_of(const trace *t, size_t top)
{
    const ffebm_model *model = t->engine->model;
    group g = {.top = top, .low = top};

    while (g.low > 0 && model->stages[g.low - 1].energy == NULL)
        g.low--;
    g.first_parameter = model->stages[g.low].first_parameter;
    g.end_parameter = top == t->engine->last_energy
                          ? model->parameter_count
                          : model->stages[top].first_parameter + model->stages[top].parameter_count;
    return g;
}

/* ---------------------------------------------------------------------------------------------------------- memory */

static void lay_out(trace *t, ffebmi_arena *arena)
{
    const ffebm_model *model = t->engine->model;
    size_t element = t->engine->arrays->element, boundary = model->input.count, largest = 0;

    for (size_t i = 0; i < model->stage_count; i++)
        if (model->stages[i].output.count > boundary)
            boundary = model->stages[i].output.count;
    for (size_t i = 0; i < model->parameter_count; i++)
        if (model->parameters[i].parameter.shape.count > largest)
            largest = model->parameters[i].parameter.shape.count;
    for (size_t w = 0; w < WAYS; w++) {
        t->gradients[w] = ffebmi_carve(arena, model->element_count, element);
        t->errors[w] = ffebmi_carve(arena, t->batch, boundary * element);
    }
    t->scratch = ffebmi_carve(arena, largest, element);
    t->equilibria = ffebmi_carve(arena, model->stage_count, sizeof *t->equilibria);
}

static ffebm_status allocate(trace *t)
{
    ffebmi_arena arena = {0};

    lay_out(t, &arena);
    t->memory = ffebmi_allocate(t->engine->context, arena.used, 1);
    if (t->memory == NULL)
        return ffebmi_fail_memory(t->engine->context, "a trace");
    arena = (ffebmi_arena){.base = t->memory};
    lay_out(t, &arena);
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------------------ down a group */

static size_t offset_of(const ffebm_model *model, size_t parameter)
{
    return parameter == model->parameter_count ? model->element_count : model->parameters[parameter].offset;
}

/* Of parameters first .. end - 1, what is in the engine's flat gradient, summed over ranks; it is zero afterwards. */
static ffebm_status take_gradients(trace *t, size_t first, size_t end, size_t way)
{
    const ffebm_engine *engine = t->engine;
    size_t offset = offset_of(engine->model, first), count = offset_of(engine->model, end) - offset;
    void *from = ffebmi_at(engine->arrays, engine->gradient.values, offset);

    FFEBMI_TRY(ffebmi_ranks_sum(engine->context, from, count, engine->model->dtype));
    memcpy(ffebmi_at(engine->arrays, t->gradients[way], offset), from, count * engine->arrays->element);
    memset(from, 0, count * engine->arrays->element);
    return FFEBM_OK;
}

static void take_error(trace *t, size_t stage, const void *error, size_t way)
{
    memcpy(t->errors[way], error, t->batch * t->engine->model->stages[stage].output.count * t->engine->arrays->element);
}

/* The readout at the free state: its gradient, and the error at the last energy block. */
static ffebm_status readout_down(trace *t)
{
    ffebm_engine *engine = t->engine;
    size_t first = engine->bench.first_readout, stages = engine->model->stage_count;
    const void *error = engine->cotangents[1];

    ffebmi_targets_losses(&t->targets, t->batch, engine->stages[stages - 1].output, 1, engine->losses,
                          engine->cotangents[1]);
    for (size_t i = stages; i-- > first;)
        FFEBMI_TRY(ffebmi_chain_stage_down(engine, i, error, NULL, 1.0 / (double)engine->whole, engine->cotangents[0],
                                           &error));
    for (size_t w = 0; w < WAYS; w++)
        take_error(t, engine->last_energy, error, w);
    if (first < stages) {
        size_t parameter = engine->model->stages[first].first_parameter;

        FFEBMI_TRY(take_gradients(t, parameter, engine->model->parameter_count, ESTIMATE));
        memcpy(ffebmi_at(engine->arrays, t->gradients[IMPLICIT], offset_of(engine->model, parameter)),
               ffebmi_at(engine->arrays, t->gradients[ESTIMATE], offset_of(engine->model, parameter)),
               (engine->model->element_count - offset_of(engine->model, parameter)) * engine->arrays->element);
    }
    return FFEBM_OK;
}

static void configure(trace *t, size_t stage, int64_t sweeps, size_t way)
{
    ffebm_equilibrium_config *e = &t->engine->stages[stage].equilibrium;

    *e = t->equilibria[stage];
    e->nudged_sweeps = sweeps;
    e->nudged_tolerance = 0;
    if (way == IMPLICIT)
        e->estimator = FFEBM_ESTIMATOR_IMPLICIT;
}

/* So many sweeps of one algorithm, and down to the next energy block. *error is what arrives there, NULL if nothing there
 * is wanted. */
static ffebm_status group_down(trace *t, const group *g, int64_t sweeps, size_t way, const void **error)
{
    ffebm_engine *engine = t->engine;
    const ffebm_model *model = engine->model;
    bool readout = g->top == engine->last_energy && t->loss_nudged && way == ESTIMATE;

    *error = t->errors[way];
    configure(t, g->top, sweeps, way);
    for (size_t i = g->top + 1; i-- > g->low && *error != NULL;) {
        void *memory = engine->cotangents[*error == engine->cotangents[0] ? 1 : 0];

        if (model->stages[i].first_parameter == 0)
            memory = NULL;

        FFEBMI_TRY(ffebmi_chain_stage_down(engine, i, *error, readout && i == g->top ? &t->targets : NULL,
                                           1.0 / (double)engine->whole, memory, error));
    }
    return take_gradients(t, g->first_parameter,
                          readout ? g->end_parameter
                                  : model->stages[g->top].first_parameter + model->stages[g->top].parameter_count,
                          way);
}

/* ---------------------------------------------------------------------------------------------------------- visits */

static ffebm_status visit(trace *t, size_t parameter, int64_t sweep, bool implicit)
{
    const ffebm_engine *engine = t->engine;
    const ffebmi_model_parameter *p = &engine->model->parameters[parameter];
    ffebm_tensor tensors[WAYS];
    ffebm_trace_point point = {.size = sizeof point, .stage = p->stage, .parameter = parameter, .name = p->name};
    ffebmi_comparison with;

    for (size_t w = 0; w < WAYS; w++)
        tensors[w] = ffebmi_tensor_borrow(engine->context, ffebmi_at(engine->arrays, t->gradients[w], p->offset),
                                          engine->model->dtype, &p->parameter.shape);
    with = ffebmi_compare(engine->arrays, p->parameter.shape.count, tensors[ESTIMATE].data,
                          tensors[implicit ? IMPLICIT : ESTIMATE].data, t->scratch);
    FFEBMI_CHECK(engine->context, isfinite(with.norm) && isfinite(with.reference_norm), FFEBM_ERR_NUMERIC,
                 "NaN or infinity in the gradient of %s after %" PRId64 " sweeps", p->name, sweep);
    point.estimate = &tensors[ESTIMATE];
    point.implicit = implicit ? &tensors[IMPLICIT] : NULL;
    point.estimate_norm = with.norm;
    point.implicit_norm = implicit ? with.reference_norm : NAN;
    point.cosine = implicit ? with.cosine : NAN;
    point.relative_error = implicit ? with.relative_error : NAN;
    point.sweep = sweep;
    FFEBMI_CHECK(engine->context, t->visit(t->user, &point) == 0, FFEBM_ERR_CANCELLED,
                 "trace: its callback stopped it at %s, sweep %" PRId64, p->name, sweep);
    return FFEBM_OK;
}

static ffebm_status visit_group(trace *t, const group *g, int64_t sweep)
{
    for (size_t p = g->first_parameter; p < g->end_parameter; p++)
        FFEBMI_TRY(visit(t, p, sweep, t->engine->model->parameters[p].stage >= t->bottom));
    return FFEBM_OK;
}

static ffebm_status trace_group(trace *t, const group *g)
{
    int64_t sweeps = t->equilibria[g->top].nudged_sweeps;
    size_t ways = g->top >= t->bottom ? WAYS : 1;

    for (int64_t n = g->first_parameter < g->end_parameter ? 1 : sweeps; n <= sweeps; n++) {
        for (size_t w = 0; w < ways; w++) {
            const void *error;

            FFEBMI_TRY(group_down(t, g, n, w, &error));
            if (n == sweeps && error != NULL)
                take_error(t, g->low - 1, error, w);
        }
        FFEBMI_TRY(visit_group(t, g, n));
    }
    return FFEBM_OK;
}

static ffebm_status trace_groups(trace *t)
{
    const ffebm_engine *engine = t->engine;

    memset(engine->gradient.values, 0, engine->model->element_count * engine->arrays->element);
    FFEBMI_TRY(readout_down(t));
    for (size_t top = engine->last_energy;;) {
        group g = group_of(t, top);

        FFEBMI_TRY(trace_group(t, &g));
        if (g.first_parameter == 0)
            return FFEBM_OK;
        top = g.low - 1;
    }
}

static ffebm_status run(trace *t)
{
    ffebm_engine *engine = t->engine;
    ffebm_report facts = {0};
    ffebm_status status;

    FFEBMI_TRY(allocate(t));
    FFEBMI_TRY(ffebmi_compute_open(engine, t->batch));
    ffebmi_engine_begin_call(engine);
    FFEBMI_TRY(ffebmi_compute_free(engine, t->input, &t->targets, t->batch, &facts, NULL));
    if (engine->last_energy == FFEBM_NONE)
        return FFEBM_OK;
    ffebmi_reference_save(engine, t->equilibria);
    status = trace_groups(t);
    ffebmi_reference_restore(engine, t->equilibria);
    return status;
}

static ffebm_status check(trace *t, const ffebm_tensor *input, const ffebm_tensor *target, const ffebm_tensor *weights)
{
    FFEBMI_CHECK_ARGUMENT(t->engine->context, t->visit != NULL, "ffebm_engine_trace: visit is NULL");
    FFEBMI_TRY(ffebmi_compute_check(t->engine, input, target, weights, &t->batch, &t->targets));
    t->input = input == NULL ? NULL : input->data;
    t->bottom = ffebmi_reference_bottom(t->engine);
    t->loss_nudged = ffebmi_compute_loss_nudged(t->engine);
    return FFEBM_OK;
}

ffebm_status ffebm_engine_trace(ffebm_engine *engine, const ffebm_tensor *input, const ffebm_tensor *target,
                                const ffebm_tensor *weights, ffebm_trace_fn visit_point, void *user)
{
    trace t = {.engine = engine, .visit = visit_point, .user = user};
    ffebm_status status;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    engine->ticket = 0;
    engine->gradient.valid = false;
    status = check(&t, input, target, weights);
    if (status == FFEBM_OK)
        status = run(&t);
    status = ffebmi_ranks_close(engine->context, status, NULL, 0);
    ffebmi_release(engine->context, t.memory);
    return status;
}
