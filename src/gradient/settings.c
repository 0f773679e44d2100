/* The settings of an engine: how its blocks settle and are nudged, its mode, and what it draws from. */
#include <inttypes.h>
#include <math.h>

#include "core/context.h"
#include "core/sized.h"
#include "gradient/engine.h"
#include "relax/equilibrium.h"

/* The loss of a sample must depend on its state alone, and be there on any thread: batch normalisation in the readout
 * would couple the batch, and a user's op is run by the caller's thread. */
static bool readout_forbids(const ffebm_engine *engine)
{
    for (size_t i = engine->bench.first_readout; i < engine->model->stage_count; i++) {
        const ffebm_feedforward *block = engine->model->stages[i].rows[0].block;

        for (size_t j = 0; j < block->op_count; j++)
            if (block->ops[j].kind->couples || block->ops[j].kind->run != NULL)
                return true;
    }
    return false;
}

static bool heeds_loss(const ffebm_engine *engine, size_t stage)
{
    return stage == engine->last_energy && engine->model->loss->type != FFEBM_LOSS_NONE && !readout_forbids(engine) &&
           ffebmi_energy_can(ffebmi_engine_block(engine, stage), FFEBMI_HEEDS_LOSS);
}

/* Or springs can stand for the loss: its second derivative by the block's output is constant, and no readout turns it. */
static bool can_nudge_by_loss(const ffebm_engine *engine, size_t stage)
{
    return heeds_loss(engine, stage) ||
           (stage + 1 == engine->model->stage_count && engine->model->loss->curvature > 0 &&
            ffebmi_energy_can(ffebmi_engine_block(engine, stage), FFEBMI_HEEDS_STIFFNESS));
}

static ffebm_status check_nudging(const ffebm_engine *engine, size_t stage, int32_t nudging)
{
    FFEBMI_CHECK(
        engine->context, nudging != FFEBM_NUDGING_LOSS || can_nudge_by_loss(engine, stage), FFEBM_ERR_UNSUPPORTED,
        "stage %zu: FFEBM_NUDGING_LOSS needs the last energy block, one that heeds the loss, a model with a "
        "loss, and no batch normalisation or user block behind it; a resistive block needs mse, and nothing behind "
        "it",
        stage);
    FFEBMI_CHECK(engine->context,
                 nudging != FFEBM_NUDGING_CLAMP ||
                     ffebmi_energy_can(ffebmi_engine_block(engine, stage), FFEBMI_HEEDS_STIFFNESS),
                 FFEBM_ERR_UNSUPPORTED, "stage %zu: FFEBM_NUDGING_CLAMP, but its block, a %s one, heeds no springs",
                 stage, ffebmi_engine_block(engine, stage)->kind->type);
    return FFEBM_OK;
}

/* The energy stages that a setter means: first .. end - 1, feedforward ones among them. */
static ffebm_status find_stages(const ffebm_engine *engine, size_t stage, size_t *first, size_t *end)
{
    *first = stage == FFEBM_ALL ? 0 : stage;
    *end = stage == FFEBM_ALL ? engine->model->stage_count : stage + 1;
    return stage == FFEBM_ALL ? FFEBM_OK : ffebmi_engine_check_energy(engine, stage);
}

static double strongest_nudge(const ffebm_equilibrium_config *c)
{
    const ffebmi_estimator *estimator = ffebmi_estimator_of(c);
    double strongest = 0;

    for (size_t n = 0; n < estimator->nudge_count; n++)
        strongest = fmax(strongest, fabs(estimator->strength[n]));
    return strongest;
}

/* The largest beta at which no nudge of the estimator is stronger than the block bears. */
static double max_beta(const ffebm_engine *engine, size_t stage, const ffebm_equilibrium_config *c)
{
    double bears = ffebmi_engine_block(engine, stage)->max_beta;

    return bears == 0 ? INFINITY : bears / strongest_nudge(c);
}

/* Under loss nudging of this strength half-sweeps of the last layer answer with more than they got, and neither a bound nor a
 * readout, of which nothing is known here, may stop them. */
static bool runs_away(const ffebm_engine *engine, size_t stage, const ffebm_equilibrium_config *c)
{
    const ffebm_model *model = engine->model;
    bool bare = engine->bench.first_readout == model->stage_count;

    return bare && stage == engine->last_energy && c->estimator != FFEBM_ESTIMATOR_IMPLICIT &&
           c->beta * strongest_nudge(c) * ffebmi_engine_block(engine, stage)->yields * model->loss->most_curved >= 1;
}

static ffebm_status check_run_away(const ffebm_engine *engine, size_t stage, const ffebm_equilibrium_config *c)
{
    FFEBMI_CHECK_ARGUMENT(
        engine->context, c->nudging != FFEBM_NUDGING_LOSS || !runs_away(engine, stage, c),
        "stage %zu: FFEBM_NUDGING_LOSS with beta %g, but its last layer has no bound: with slope %g and %s, "
        "expected beta below %g",
        stage, c->beta, ffebmi_engine_block(engine, stage)->yields, engine->model->loss->name,
        1 / (strongest_nudge(c) * ffebmi_engine_block(engine, stage)->yields * engine->model->loss->most_curved));
    return FFEBM_OK;
}

/* What a user's block cannot do. What is meant for all blocks has its beta cut down instead of refused. */
static ffebm_status check_block(const ffebm_engine *engine, size_t stage, const ffebm_equilibrium_config *c,
                                bool common)
{
    FFEBMI_TRY(check_nudging(engine, stage, c->nudging));
    FFEBMI_TRY(check_run_away(engine, stage, c));
    FFEBMI_CHECK_ARGUMENT(engine->context, common || c->beta <= max_beta(engine, stage, c),
                          "stage %zu: beta %g, but its block bears at most %g", stage, c->beta,
                          max_beta(engine, stage, c));
    FFEBMI_CHECK(engine->context,
                 c->estimator != FFEBM_ESTIMATOR_IMPLICIT ||
                     ffebmi_energy_can(ffebmi_engine_block(engine, stage), FFEBMI_HAS_ADJOINT),
                 FFEBM_ERR_UNSUPPORTED, "stage %zu: FFEBM_ESTIMATOR_IMPLICIT, but its block has no adjoint", stage);
    return FFEBM_OK;
}

/* A recipe speaks of all blocks at once: its loss nudging is that of the last one, the others hold their error. */
static ffebm_equilibrium_config recipe_of(const ffebm_engine *engine, size_t stage)
{
    ffebm_equilibrium_config c = engine->model->equilibrium;

    if (c.nudging == FFEBM_NUDGING_LOSS && stage != engine->last_energy)
        c.nudging = FFEBM_NUDGING_LINEAR;
    return c;
}

static void set_equilibrium(ffebm_engine *engine, size_t stage, const ffebm_equilibrium_config *c)
{
    ffebm_equilibrium_config *to = &engine->stages[stage].equilibrium;

    engine->stages[stage].asked = *to = *c;
    to->beta = fmin(c->beta, max_beta(engine, stage, c));
    if (c->nudging == FFEBM_NUDGING_AUTO)
        to->nudging =
            heeds_loss(engine, stage) && !runs_away(engine, stage, c) ? FFEBM_NUDGING_LOSS : FFEBM_NUDGING_LINEAR;
}

/* Feedforward stages pack their weights on the workbench, which may have moved. Totals need room for one state more. */
static ffebm_status reserve(ffebm_engine *engine, const ffebm_equilibrium_config *c)
{
    size_t more = engine->gradient.totals == NULL ? 0 : 1;

    if (engine->last_energy == FFEBM_NONE)
        return FFEBM_OK;
    FFEBMI_TRY(ffebmi_workbench_reserve(&engine->bench, ffebmi_estimator_of(c)->nudge_count + more,
                                        c->precision == FFEBM_PRECISION_MIXED));
    engine->tape_work.packed = engine->bench.block_memory;
    return FFEBM_OK;
}

ffebm_status ffebm_engine_configure(ffebm_engine *engine, size_t stage, const ffebm_equilibrium_config *config)
{
    const bool recipe = config == NULL;
    ffebm_equilibrium_config c;
    size_t first, end;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(find_stages(engine, stage, &first, &end));
    if (recipe)
        c = engine->model->equilibrium;
    else
        FFEBMI_TRY(ffebmi_settings_read(engine->context, &ffebmi_equilibrium_settings, &c, config));
    for (size_t i = first; i < end; i++) {
        ffebm_equilibrium_config own = recipe ? recipe_of(engine, i) : c;

        if (ffebmi_engine_is_energy(engine, i))
            FFEBMI_TRY(check_block(engine, i, &own, recipe || stage == FFEBM_ALL));
    }
    FFEBMI_TRY(reserve(engine, &c));
    for (size_t i = first; i < end; i++) {
        ffebm_equilibrium_config own = recipe ? recipe_of(engine, i) : c;

        if (ffebmi_engine_is_energy(engine, i))
            set_equilibrium(engine, i, &own);
    }
    return FFEBM_OK;
}

ffebm_status ffebm_engine_equilibrium(const ffebm_engine *engine, ffebm_equilibrium_config *config, size_t stage)
{
    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_engine_check_energy(engine, stage));
    return ffebmi_sized_write(engine->context, "equilibrium configuration", config, &engine->stages[stage].asked,
                              sizeof engine->stages[stage].asked);
}

ffebm_status ffebm_engine_set_beta(ffebm_engine *engine, size_t stage, double beta)
{
    size_t first, end;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(find_stages(engine, stage, &first, &end));
    FFEBMI_CHECK_ARGUMENT(engine->context, isfinite(beta) && beta > 0, "engine: beta %g, expected a positive number",
                          beta);
    if (stage != FFEBM_ALL) {
        double most = max_beta(engine, stage, &engine->stages[stage].equilibrium);

        FFEBMI_CHECK_ARGUMENT(engine->context, beta <= most, "stage %zu: beta %g, but its block bears at most %g",
                              stage, beta, most);
    }
    for (size_t i = first; i < end; i++) {
        ffebm_equilibrium_config with = engine->stages[i].equilibrium;

        with.beta = beta;
        if (ffebmi_engine_is_energy(engine, i))
            FFEBMI_TRY(check_run_away(engine, i, &with));
    }
    for (size_t i = first; i < end; i++)
        if (ffebmi_engine_is_energy(engine, i)) {
            engine->stages[i].asked.beta = beta;
            engine->stages[i].equilibrium.beta = fmin(beta, max_beta(engine, i, &engine->stages[i].equilibrium));
        }
    return FFEBM_OK;
}

ffebm_status ffebm_engine_set_sweeps(ffebm_engine *engine, size_t stage, int64_t free_sweeps, int64_t nudged_sweeps)
{
    size_t first, end;

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(find_stages(engine, stage, &first, &end));
    FFEBMI_CHECK_ARGUMENT(engine->context, free_sweeps >= 1 && nudged_sweeps >= 1,
                          "engine: %" PRId64 " free and %" PRId64 " nudged sweeps, expected 1 or more", free_sweeps,
                          nudged_sweeps);
    for (size_t i = first; i < end; i++) {
        engine->stages[i].asked.free_sweeps = engine->stages[i].equilibrium.free_sweeps = free_sweeps;
        engine->stages[i].asked.nudged_sweeps = engine->stages[i].equilibrium.nudged_sweeps = nudged_sweeps;
    }
    return FFEBM_OK;
}

ffebm_status ffebm_engine_set_step(ffebm_engine *engine, uint64_t step)
{
    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    engine->stream.step = step;
    return FFEBM_OK;
}

ffebm_status ffebm_engine_set_first_sample(ffebm_engine *engine, uint64_t number)
{
    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    engine->stream.first_sample = number;
    return FFEBM_OK;
}

ffebm_status ffebm_engine_set_noise(ffebm_engine *engine, int32_t noise)
{
    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(engine->context, noise == 0 || noise == 1, "engine: noise is %" PRId32 ", expected 0 or 1",
                          noise);
    engine->stream.quiet = engine->gradient.quiet = noise == 0;
    return FFEBM_OK;
}

void ffebmi_engine_begin_call(ffebm_engine *engine)
{
    ffebmi_stream_begin(&engine->stream);
    engine->profiled = false;
}

ffebm_status ffebm_engine_set_mode(ffebm_engine *engine, int32_t mode)
{
    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(engine->context, mode == FFEBM_MODE_TRAINING || mode == FFEBM_MODE_EVALUATION,
                          "engine: mode %" PRId32 " is none of FFEBM_MODE_", mode);
    engine->training = mode == FFEBM_MODE_TRAINING;
    engine->ticket = 0;
    return FFEBM_OK;
}

ffebm_status ffebm_engine_set_label_smoothing(ffebm_engine *engine, double smoothing)
{
    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(engine->context, smoothing >= 0 && smoothing < 1,
                          "engine: label smoothing %g, expected 0 or more and less than 1", smoothing);
    engine->smoothing = smoothing;
    return FFEBM_OK;
}
