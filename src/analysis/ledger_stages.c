/* The events of a stage: what a sample and a step take of it, in each part of the step. */
#include "analysis/ledger.h"
#include "core/context.h"
#include "energy/chip.h"
#include "gradient/compute.h"
#include "gradient/states.h"

/* Does a stage hand an error down? As the way down itself asks (gradient/chain.c). */
static bool hands_down(const ffebmi_ledger_job *job, size_t stage)
{
    return job->config.input_cotangent == 1 || job->engine->model->stages[stage].first_parameter > 0;
}

/* Of a phase, the sweeps of a settling. */
static ffebm_status sweeps_of(const ffebmi_ledger_job *job, size_t stage, bool nudged, double *sweeps)
{
    const ffebmi_tally *tally = &job->engine->stages[stage].tallies[nudged];

    *sweeps = nudged ? job->config.nudged_sweeps : job->config.free_sweeps;
    FFEBMI_CHECK(job->engine->context, *sweeps > 0 || tally->samples > 0, FFEBM_ERR_STATE,
                 "ledger: stage %zu has no %s sweeps yet: compute a gradient first, or give their number", stage,
                 nudged ? "nudged" : "free");
    if (*sweeps == 0)
        *sweeps = (double)tally->sweeps_sum / (double)tally->samples;
    return FFEBM_OK;
}

/* How a block is nudged. */
typedef struct nudging {
    const ffebmi_estimator *estimator;
    double settlings; /* nudges, each as often as readings are repeated */
    double sweeps;    /* of each */
    bool by_loss;     /* its error is made anew in every sweep */
} nudging;

static ffebm_status nudging_of(const ffebmi_ledger_job *job, size_t stage, nudging *n)
{
    const ffebm_engine *engine = job->engine;
    const ffebm_equilibrium_config *e = &engine->stages[stage].equilibrium;

    FFEBMI_CHECK(engine->context, e->estimator != FFEBM_ESTIMATOR_IMPLICIT, FFEBM_ERR_UNSUPPORTED,
                 "ledger: stage %zu is set to IMPLICIT, which no hardware does", stage);
    n->estimator = ffebmi_estimator_of(e);
    n->settlings = (double)n->estimator->nudge_count * (double)e->repeats;
    n->by_loss = stage == engine->last_energy && ffebmi_compute_loss_nudged(engine) &&
                 ffebmi_energy_can(ffebmi_engine_block(engine, stage), FFEBMI_HEEDS_LOSS);
    return sweeps_of(job, stage, true, &n->sweeps);
}

/* ----------------------------------------------------------------------------------------------------------- ops */

/* Multiply-adds of a row of ops, and of those whose input gets a cotangent. */
typedef struct row_products {
    double forward;
    double pullback;
} row_products;

static row_products products_of(const ffebmi_row *row, bool hands_down)
{
    row_products sum = {0, 0};
    size_t below = 0; /* parameters */

    for (size_t i = 0; i < row->block->op_count; i++) {
        const ffebmi_op *op = &row->block->ops[i];
        double macs = op->kind->products == NULL ? 0 : op->kind->products(op);

        sum.forward += macs;
        sum.pullback += hands_down || below > 0 ? macs : 0;
        below += op->parameter_count;
    }
    return sum;
}

static ffebm_status add_row(const ffebmi_ledger_job *job, size_t stage, const ffebmi_row *row, int32_t part,
                            ffebm_ledger *to)
{
    const ffebm_ledger_config *c = &job->config;
    size_t last = job->engine->last_energy;
    row_products p = products_of(row, hands_down(job, stage));
    nudging n = {.by_loss = false};

    if (part == FFEBM_LEDGER_FREE) {
        ffebmi_ledger_add_macs(c, p.forward, to);
        ffebmi_ledger_add_backprop(c, p.forward, to);
        to->unknown += row->block->user;
        return FFEBM_OK;
    }
    if (last != FFEBM_NONE && stage > last)
        FFEBMI_TRY(nudging_of(job, last, &n));
    /* Under loss nudging there and back in every sweep, and a gradient at every nudged state. */
    if (n.by_loss)
        ffebmi_ledger_add_macs(c, n.settlings * (n.sweeps * (p.forward + p.pullback) + p.forward), to);
    else
        ffebmi_ledger_add_macs(c, p.forward + p.pullback, to);
    ffebmi_ledger_add_backprop(c, p.forward + p.pullback, to);
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------------------- energy blocks */

/* A block as the ledger sees it. */
typedef struct view {
    ffebmi_energy_products products;
    const ffebm_device_config *device;
    double inputs;
    double outputs;
    double states;
} view;

static view view_of(const ffebm_energy *block)
{
    static const ffebm_device_config ideal = {.output_repeats = 1, .read = FFEBM_READ_BORDER};
    view v = {.device = block->chip == NULL ? &ideal : &block->chip->config,
              .outputs = (double)ffebmi_energy_output(block)->count};

    if (block->kind->products != NULL)
        v.products = block->kind->products(block);
    for (size_t l = 0; l < block->layer_count; l++) {
        v.inputs += (double)ffebmi_energy_input_units(block, l);
        v.states += (double)block->layers[l].count;
    }
    return v;
}

/* Readings are averaged of one settled state. */
static void add_readings(const ffebm_ledger_config *c, const view *v, double count, ffebm_ledger *to)
{
    ffebmi_ledger_add_adc(c, count * (double)v->device->output_repeats, v->device->output_bits, to);
}

/* Settlings of one phase: at the power that is known, or at one that is assumed; or as the block has told. */
static ffebm_status add_settlings(const ffebmi_ledger_job *job, size_t stage, const view *v, bool nudged, double count,
                                  ffebm_ledger *to)
{
    const ffebm_ledger_config *c = &job->config;
    const ffebmi_tally *tally = &job->engine->stages[stage].tallies[nudged];
    double watts = ffebmi_ledger_assumed_power(c, v->products.macs), told;

    if (ffebmi_states_have_power(job->engine, stage)) {
        FFEBMI_TRY(ffebmi_states_power(job->engine, stage, &watts));
        watts *= c->unrolled_siemens * c->unrolled_volts * c->unrolled_volts;
    } else if (tally->joules > 0) {
        told = tally->joules / (double)tally->samples * (double)job->engine->stages[stage].equilibrium.repeats;
        to->unrolled_joules += told;
        to->crossbar_joules += told;
        to->crossbar_joules_most += told;
        watts = 0;
    } else
        to->measured = 0;
    ffebmi_ledger_add_settlings(c, count, watts, to);
    return FFEBM_OK;
}

static ffebm_status add_free(const ffebmi_ledger_job *job, size_t stage, const view *v, ffebm_ledger *to)
{
    const ffebm_ledger_config *c = &job->config;
    double sweeps;

    FFEBMI_TRY(sweeps_of(job, stage, false, &sweeps));
    ffebmi_ledger_add_dac(c, v->inputs, v->device->input_bits, to);
    add_readings(c, v, v->outputs, to);
    ffebmi_ledger_add_sweeps(c, sweeps, &v->products, to);
    ffebmi_ledger_add_backprop(c, v->products.macs, to);
    to->unknown += ffebmi_engine_block(job->engine, stage)->kind->products == NULL;
    return add_settlings(job, stage, v, false, 1, to);
}

/* Is the free state one of those that are read for the gradient? */
static bool reads_free(const ffebmi_estimator *e)
{
    for (size_t i = 0; i < e->pair_count; i++)
        if (e->pairs[i].first == FFEBM_NONE || e->pairs[i].second == FFEBM_NONE)
            return true;
    return false;
}

/* Readings that the gradient, or the error to hand down, is made of: the free state's output has been read already. With those
 * of every layer, its products are made of them by digital arithmetic. */
static void add_contrast(const ffebmi_ledger_job *job, size_t stage, const view *v, const nudging *n, ffebm_ledger *to)
{
    double states = n->settlings + reads_free(n->estimator);

    if (v->device->read == FFEBM_READ_ALL) {
        add_readings(&job->config, v, states * v->states - reads_free(n->estimator) * v->outputs, to);
        ffebmi_ledger_add_macs(&job->config, states * v->products.macs, to);
    } else if (hands_down(job, stage))
        add_readings(&job->config, v, states * v->inputs, to);
}

static void add_errors(const ffebmi_ledger_job *job, size_t stage, const view *v, const nudging *n, ffebm_ledger *to)
{
    const ffebm_ledger_config *c = &job->config;
    bool clamped = job->engine->stages[stage].equilibrium.nudging == FFEBM_NUDGING_CLAMP;
    double anew = n->settlings * n->sweeps * v->outputs, before;

    if (!n->by_loss) {
        ffebmi_ledger_add_dac(c, (clamped ? (double)n->estimator->nudge_count : 1) * v->outputs, v->device->nudge_bits,
                              to);
        return;
    }
    before = to->adc + to->dac;
    ffebmi_ledger_add_dac(c, anew, v->device->nudge_bits, to);
    add_readings(c, v, anew, to);
    to->sweep_conversions += to->adc + to->dac - before;
}

static ffebm_status add_nudged(const ffebmi_ledger_job *job, size_t stage, const view *v, ffebm_ledger *to)
{
    double pullback = v->products.macs - (hands_down(job, stage) ? 0 : v->products.entry);
    nudging n;

    FFEBMI_TRY(nudging_of(job, stage, &n));
    add_errors(job, stage, v, &n, to);
    add_contrast(job, stage, v, &n, to);
    ffebmi_ledger_add_sweeps(&job->config, n.settlings * n.sweeps, &v->products, to);
    ffebmi_ledger_add_backprop(&job->config, v->products.macs + pullback, to);
    return add_settlings(job, stage, v, true, n.settlings, to);
}

static ffebm_status add_update(const ffebmi_ledger_job *job, size_t stage, ffebm_ledger *to)
{
    ffebm_pulse_info info = {.size = sizeof info};

    if (job->config.trained_samples == 0)
        return FFEBM_OK;
    FFEBMI_TRY(ffebm_model_inspect_pulses(job->engine->model, &info, stage));
    ffebmi_ledger_add_pulses(&job->config, (double)(info.up + info.down) / job->config.trained_samples, to);
    return FFEBM_OK;
}

ffebm_status ffebmi_ledger_add_stage(const ffebmi_ledger_job *job, size_t stage, int32_t part, ffebm_ledger *to)
{
    const ffebmi_stage *s = &job->engine->model->stages[stage];
    view v;

    for (size_t i = 0; i < s->row_count && part != FFEBM_LEDGER_UPDATE; i++)
        FFEBMI_TRY(add_row(job, stage, &s->rows[i], part, to));
    if (s->energy == NULL)
        return FFEBM_OK;
    v = view_of(s->energy);
    if (part == FFEBM_LEDGER_FREE)
        return add_free(job, stage, &v, to);
    return part == FFEBM_LEDGER_NUDGED ? add_nudged(job, stage, &v, to) : add_update(job, stage, to);
}
