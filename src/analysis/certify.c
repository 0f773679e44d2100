/* Certificates: the gradient as the engine is configured, against implicit differentiation from the same free state and
 * against differences of the loss. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analysis/certify.h"
#include "analysis/comparison.h"
#include "analysis/differences.h"
#include "analysis/reference.h"
#include "core/context.h"
#include "core/ranks.h"
#include "core/sized.h"
#include "gradient/compute.h"

#define FFEBMI_CONFIG ffebm_certify_config
static const ffebmi_setting list[] = {
    FFEBMI_INTEGER(directions, 0, FFEBMI_FROM(0), "",
                   "compare also with central differences of the loss, along so many"),
    FFEBMI_NUMBER(min_cosine, 0.99, FFEBMI_WITHIN(-1, 1), "", "what passes has this cosine or more"),
    FFEBMI_NUMBER(max_relative_error, 0, FFEBMI_WITHIN(0, INFINITY), "",
                  "what passes has no larger one; 0: not judged"),
    FFEBMI_NUMBER(max_difference_error, 0.15, FFEBMI_WITHIN(0, INFINITY), "",
                  "what passes has no larger one; 0: not judged"),
    FFEBMI_NUMBER(adjoint_tolerance, 0, FFEBMI_FROM(0), "", "where adjoints stop; 0: as the dtype lets them"),
    FFEBMI_NUMBER(difference_step, 0, FFEBMI_FROM(0), "",
                  "of differences, in norms of a tensor; 0: as the dtype asks for"),
    FFEBMI_INTEGER(adjoint_sweeps, 1000, FFEBMI_FROM(1), "sweeps", "at most, of adjoints"),
    FFEBMI_INTEGER(seed, 0, FFEBMI_FROM(0), "", "of the directions")};
const ffebmi_settings ffebmi_certify_settings = FFEBMI_SETTINGS("certificate", 0, list);

void ffebm_certify_config_init(ffebm_certify_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_certify_settings, config, size);
}

/* What one certification works with: in memory of its own. */
typedef struct certification {
    ffebm_engine *engine;
    ffebm_certify_config config;
    ffebmi_targets targets;
    const void *input; /* the caller's */
    size_t batch;
    size_t bottom; /* the lowest stage that the reference comes to */
    double loss;
    double unstable; /* samples that were nudged by more than their block bears, of all ranks */

    void *memory;
    void *reference;                      /* flat */
    void *input_gradient;                 /* batch x inputs, as images are stored */
    void *input_reference;                /* likewise */
    void *scratch[2];                     /* each as large as the largest tensor */
    void **states;                        /* [stage]: the free states */
    ffebm_equilibrium_config *equilibria; /* [stage]: as the caller has set them */
    ffebmi_tally *adjoints;               /* [stage] */
    ffebmi_tally *free_phases;            /* [stage] */
    ffebmi_tally *nudged_phases;          /* [stage] */
    ffebm_certificate *certificates;      /* allocated alone: the engine keeps them */
} certification;

/* One of the tensors compared: a parameter, or behind them the input. */
typedef struct subject {
    const char *name;
    size_t stage; /* from which its gradient comes down */
    size_t count;
    void *values;
    const void *gradient;
    const void *reference;
    double lower; /* of its values */
    double upper;
} subject;

static size_t input_count(const certification *c)
{
    return c->batch * c->engine->model->input.count;
}

static subject subject_of(const certification *c, size_t index)
{
    const ffebm_model *model = c->engine->model;
    const ffebmi_arrays *k = c->engine->arrays;
    const ffebmi_model_parameter *p;

    if (index == model->parameter_count)
        return (subject){"input",   0,       input_count(c), c->engine->input, c->input_gradient, c->input_reference,
                         -INFINITY, INFINITY};
    p = &model->parameters[index];
    return (subject){p->name,
                     p->stage,
                     p->parameter.shape.count,
                     p->value.data,
                     ffebmi_at(k, c->engine->gradient.values, p->offset),
                     ffebmi_at(k, c->reference, p->offset),
                     p->lower,
                     p->upper};
}

/* ---------------------------------------------------------------------------------------------------------- memory */

static size_t largest_tensor(const certification *c)
{
    size_t largest = input_count(c);

    for (size_t i = 0; i < c->engine->model->parameter_count; i++)
        if (c->engine->model->parameters[i].parameter.shape.count > largest)
            largest = c->engine->model->parameters[i].parameter.shape.count;
    return largest;
}

static void lay_out(certification *c, ffebmi_arena *arena)
{
    const ffebm_model *model = c->engine->model;
    size_t element = c->engine->arrays->element, stages = model->stage_count;

    c->reference = ffebmi_carve(arena, model->element_count, element);
    c->input_gradient = ffebmi_carve(arena, input_count(c), element);
    c->input_reference = ffebmi_carve(arena, input_count(c), element);
    c->scratch[0] = ffebmi_carve(arena, largest_tensor(c), element);
    c->scratch[1] = ffebmi_carve(arena, largest_tensor(c), element);
    c->equilibria = ffebmi_carve(arena, stages, sizeof *c->equilibria);
    c->adjoints = ffebmi_carve(arena, stages, sizeof *c->adjoints);
    c->free_phases = ffebmi_carve(arena, stages, sizeof *c->free_phases);
    c->nudged_phases = ffebmi_carve(arena, stages, sizeof *c->nudged_phases);
    c->states = ffebmi_carve(arena, stages, sizeof *c->states);
    for (size_t i = 0; i < stages; i++) {
        void *state = ffebmi_carve(arena, ffebmi_differences_state_bytes(c->engine, i, c->batch), 1);

        if (c->states != NULL)
            c->states[i] = state;
    }
}

static ffebm_status allocate(certification *c)
{
    ffebm_context *context = c->engine->context;
    ffebmi_arena arena = {0};

    lay_out(c, &arena);
    c->memory = ffebmi_allocate(context, arena.used, 1);
    c->certificates = ffebmi_allocate(context, c->engine->model->parameter_count + 1, sizeof *c->certificates);
    if (c->memory == NULL || c->certificates == NULL)
        return ffebmi_fail_memory(context, "a certificate");
    arena = (ffebmi_arena){.base = c->memory};
    lay_out(c, &arena);
    return FFEBM_OK;
}

/* ---------------------------------------------------------------------------------------------------- two ways down */

/* Down the chain as the engine is configured at the moment. The input's cotangent is that of the sum of the losses. */
static ffebm_status down(certification *c, const ffebmi_targets *targets, size_t bottom, void *input_gradient)
{
    ffebm_engine *engine = c->engine;
    const void *output = engine->stages[engine->model->stage_count - 1].output, *below = NULL;
    double norm;

    ffebmi_targets_losses(&c->targets, c->batch, output, 1, engine->losses, engine->cotangents[1]);
    FFEBMI_TRY(ffebmi_compute_down(engine, engine->cotangents[1], targets, 1.0 / (double)engine->whole, bottom, &below,
                                   &norm));
    if (bottom == 0)
        engine->arrays->scale(input_count(c), 1.0 / (double)engine->whole, below, input_gradient);
    return FFEBM_OK;
}

static ffebm_status check_adjoints(const certification *c)
{
    for (size_t i = c->engine->model->stage_count; i-- > 0;)
        FFEBMI_CHECK(c->engine->context, c->adjoints[i].unconverged == 0, FFEBM_ERR_CONVERGENCE,
                     "stage %zu: the adjoint of %zu of %zu samples has a residual of up to %g after %" PRId64
                     " sweeps, expected %g",
                     i, c->adjoints[i].unconverged, c->adjoints[i].samples, c->adjoints[i].residual_max,
                     c->adjoints[i].sweeps_max, c->config.adjoint_tolerance);
    return FFEBM_OK;
}

/* First of the two ways: loss nudging leaves nudged states on the readout's tape. */
static ffebm_status take_reference(certification *c)
{
    ffebm_engine *engine = c->engine;

    ffebmi_reference_configure(engine, c->config.adjoint_sweeps, c->config.adjoint_tolerance);
    FFEBMI_TRY(down(c, NULL, c->bottom, c->input_reference));
    ffebmi_reference_restore(engine, c->equilibria);
    memcpy(c->reference, engine->gradient.values, engine->model->element_count * engine->arrays->element);
    for (size_t i = 0; i < engine->model->stage_count; i++) {
        c->adjoints[i] = engine->stages[i].tallies[1];
        engine->stages[i].tallies[1] = (ffebmi_tally){0};
    }
    return check_adjoints(c);
}

static ffebm_status take_gradient(certification *c)
{
    ffebm_engine *engine = c->engine;

    FFEBMI_TRY(down(c, ffebmi_compute_loss_nudged(engine) ? &c->targets : NULL, 0, c->input_gradient));
    for (size_t i = 0; i < engine->model->stage_count; i++) {
        c->free_phases[i] = engine->stages[i].tallies[0];
        c->nudged_phases[i] = engine->stages[i].tallies[1];
        c->unstable += (double)c->nudged_phases[i].unstable;
    }
    return ffebmi_ranks_sum(engine->context, &c->unstable, 1, FFEBM_FLOAT64);
}

/* ---------------------------------------------------------------------------------------------------------- verdicts */

/* Parameters are the same on all ranks; of the input each has a part. */
static bool in_parts(const certification *c, size_t index)
{
    return index == c->engine->model->parameter_count;
}

static bool both_zero(const certification *c, const subject *s, size_t index)
{
    const ffebmi_arrays *k = c->engine->arrays;

    if (in_parts(c, index))
        return k->norm(s->count, s->gradient) == 0 && k->norm(s->count, s->reference) == 0;
    return ffebmi_comparison_is_zero(c->engine, c->engine->gradient.values, index) &&
           ffebmi_comparison_is_zero(c->engine, c->reference, index);
}

static ffebm_status compare_reference(const certification *c, const subject *s, size_t index, ffebm_certificate *to)
{
    ffebmi_comparison with = {.cosine = 1};

    if (!both_zero(c, s, index))
        with = ffebmi_compare(c->engine->arrays, s->count, s->gradient, s->reference, c->scratch[0]);
    if (in_parts(c, index))
        FFEBMI_TRY(ffebmi_comparison_sum(c->engine->context, &with));
    to->cosine = with.cosine;
    to->relative_error = with.relative_error;
    return FFEBM_OK;
}

static void add_phases(const certification *c, size_t stage, ffebm_certificate *to)
{
    for (size_t i = stage; i < c->engine->model->stage_count; i++) {
        to->free_residual = fmax(to->free_residual, c->free_phases[i].residual_max);
        to->nudged_residual = fmax(to->nudged_residual, c->nudged_phases[i].residual_max);
        to->adjoint_residual = fmax(to->adjoint_residual, c->adjoints[i].residual_max);
        to->region_changes += c->nudged_phases[i].region_changes;
    }
}

/* How much of what a bound allows has been used: above 1 it has been crossed. Nudged states that may be of another equilibrium
 * than the free one prove nothing, whatever comes out. Nothing was compared where it is NaN. */
static double used(double value, double bound)
{
    return isnan(value) || value == 0 ? 0 : value / bound;
}

static double badness(const certification *c, const ffebm_certificate *of)
{
    const ffebm_certify_config *bounds = &c->config;
    double most = c->unstable > 0 ? INFINITY : used(1 - of->cosine, 1 - bounds->min_cosine);

    if (bounds->max_relative_error > 0)
        most = fmax(most, used(of->relative_error, bounds->max_relative_error));
    if (bounds->max_difference_error > 0)
        most = fmax(most, used(of->difference_error, bounds->max_difference_error));
    return most;
}

static ffebm_status certify_tensor(const certification *c, const ffebmi_differences *differences, size_t index)
{
    subject s = subject_of(c, index);
    ffebmi_difference difference = {NAN, NAN};
    ffebm_certificate *to = &c->certificates[index];

    *to = (ffebm_certificate){.name = s.name, .cosine = NAN, .relative_error = NAN};
    FFEBMI_TRY(ffebmi_comparison_norm(c->engine, s.count, s.gradient, in_parts(c, index), &to->norm));
    if (s.stage >= c->bottom)
        FFEBMI_TRY(compare_reference(c, &s, index, to));
    if (c->config.directions > 0)
        FFEBMI_TRY(ffebmi_differences_compare(differences,
                                              &(ffebmi_differences_subject){s.values, s.count, s.lower, s.upper}, index,
                                              s.gradient, &difference));
    to->difference_cosine = difference.cosine;
    to->difference_error = difference.error;
    add_phases(c, s.stage, to);
    to->passed = badness(c, to) <= 1;
    return FFEBM_OK;
}

static ffebm_status certify_tensors(certification *c)
{
    ffebmi_differences differences = {.engine = c->engine,
                                      .targets = &c->targets,
                                      .states = c->states,
                                      .values = c->scratch[0],
                                      .direction = c->scratch[1],
                                      .directions = c->config.directions,
                                      .step = c->config.difference_step,
                                      .seed = c->config.seed,
                                      .loss = c->loss};

    if (c->config.directions > 0)
        ffebmi_differences_configure(c->engine, c->config.adjoint_sweeps);
    for (size_t i = 0; i <= c->engine->model->parameter_count; i++)
        FFEBMI_TRY(certify_tensor(c, &differences, i));
    return FFEBM_OK;
}

static const ffebm_certificate *worst_of(const certification *c)
{
    const ffebm_certificate *worst = c->certificates;

    for (size_t i = 1; i <= c->engine->model->parameter_count; i++)
        if (badness(c, &c->certificates[i]) > badness(c, worst))
            worst = &c->certificates[i];
    return worst;
}

/* ------------------------------------------------------------------------------------------------------ all together */

/* Every path from here on leaves settings, free states and reports as the caller is to find them. */
static ffebm_status compare(certification *c)
{
    ffebm_engine *engine = c->engine;
    ffebm_status status = take_reference(c);

    ffebmi_reference_restore(engine, c->equilibria);
    if (status != FFEBM_OK || (status = take_gradient(c)) != FFEBM_OK)
        return status;
    status = certify_tensors(c);
    ffebmi_reference_restore(engine, c->equilibria);
    ffebmi_differences_restore(engine, c->states);
    for (size_t i = 0; i < engine->model->stage_count; i++) {
        engine->stages[i].tallies[0] = c->free_phases[i];
        engine->stages[i].tallies[1] = c->nudged_phases[i];
    }
    return status;
}

static ffebm_status certify(certification *c)
{
    ffebm_report facts = {0};
    ffebm_status status;

    FFEBMI_TRY(allocate(c));
    FFEBMI_TRY(ffebmi_compute_open(c->engine, c->batch));
    ffebmi_engine_begin_call(c->engine);
    FFEBMI_TRY(ffebmi_compute_free(c->engine, c->input, &c->targets, c->batch, &facts, NULL));
    FFEBMI_TRY(ffebmi_ranks_meet(c->engine->context, &facts.loss, 1));
    c->loss = facts.loss / (double)c->engine->whole;
    ffebmi_reference_save(c->engine, c->equilibria);
    ffebmi_differences_save(c->engine, c->states);
    status = compare(c);
    c->engine->profiled = false;
    return status;
}

static ffebm_status read_config(const ffebm_engine *engine, ffebm_certify_config *to, const ffebm_certify_config *from)
{
    bool float32 = engine->model->dtype == FFEBM_FLOAT32;

    FFEBMI_TRY(ffebmi_settings_read(engine->context, &ffebmi_certify_settings, to, from));
    if (to->adjoint_tolerance == 0)
        to->adjoint_tolerance = float32 ? 1e-5 : 1e-10;
    if (to->difference_step == 0)
        to->difference_step = float32 ? 1e-2 : 1e-5;
    return FFEBM_OK;
}

static ffebm_status check_bottom(const certification *c)
{
    FFEBMI_CHECK(c->engine->context, c->bottom == 0 || c->config.directions > 0, FFEBM_ERR_UNSUPPORTED,
                 "stage %zu has no adjoint to compare its gradient with, and directions is 0, expected 1 or more",
                 c->bottom - 1);
    return FFEBM_OK;
}

static ffebm_status write_certificate(const ffebm_engine *engine, ffebm_certificate *to, const ffebm_certificate *from)
{
    return ffebmi_sized_write(engine->context, "certificate", to, from, sizeof *from);
}

static ffebm_status check(certification *c, ffebm_certificate *worst, const ffebm_tensor *input,
                          const ffebm_tensor *target, const ffebm_tensor *weights, const ffebm_certify_config *config)
{
    if (worst != NULL)
        FFEBMI_TRY(write_certificate(c->engine, worst, &(ffebm_certificate){0}));
    FFEBMI_TRY(read_config(c->engine, &c->config, config));
    FFEBMI_TRY(ffebmi_compute_check(c->engine, input, target, weights, &c->batch, &c->targets));
    c->input = input == NULL ? NULL : input->data;
    c->bottom = ffebmi_reference_bottom(c->engine);
    return check_bottom(c);
}

ffebm_status ffebm_engine_certify(ffebm_engine *engine, ffebm_certificate *worst, const ffebm_tensor *input,
                                  const ffebm_tensor *target, const ffebm_tensor *weights,
                                  const ffebm_certify_config *config)
{
    certification c = {.engine = engine};
    ffebm_status status;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    engine->ticket = 0;
    engine->gradient.valid = false;
    status = check(&c, worst, input, target, weights, config);
    if (status == FFEBM_OK)
        status = certify(&c);
    status = ffebmi_ranks_close(engine->context, status, NULL, 0);
    if (status == FFEBM_OK) {
        if (worst != NULL)
            write_certificate(engine, worst, worst_of(&c));
        ffebmi_release(engine->context, engine->certificates);
        engine->certificates = c.certificates;
        c.certificates = NULL;
    }
    ffebmi_release(engine->context, c.certificates);
    ffebmi_release(engine->context, c.memory);
    return status;
}

ffebm_status ffebm_engine_inspect_certificate(const ffebm_engine *engine, ffebm_certificate *certificate, size_t index)
{
    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(engine->context, index <= engine->model->parameter_count,
                          "certificate: index %zu, expected 0 to %zu, which is the input's", index,
                          engine->model->parameter_count);
    FFEBMI_CHECK(engine->context, engine->certificates != NULL, FFEBM_ERR_STATE,
                 "certificate: there is none yet; ffebm_engine_certify makes them");
    return write_certificate(engine, certificate, &engine->certificates[index]);
}
