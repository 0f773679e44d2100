#include "energy/chip.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "tensor/doubles.h"

/* ------------------------------------------------------------------------------------------------------------ what it does */

static bool writes_noise(const ffebm_device_config *c)
{
    return c->update_mode != FFEBM_UPDATE_IDEAL && c->update_write_noise_std > 0 && c->noise == 1;
}

bool ffebmi_chip_is_pulsed(const ffebmi_chip *chip)
{
    return chip->config.update_mode != FFEBM_UPDATE_IDEAL;
}

bool ffebmi_chip_keeps_phases(const ffebmi_chip *chip)
{
    return chip->config.update_mode == FFEBM_UPDATE_TWO_PHASE;
}

bool ffebmi_chip_alters_weights(const ffebmi_chip *chip)
{
    const ffebm_device_config *c = &chip->config;

    return c->weight_min > -INFINITY || c->weight_max < INFINITY || c->weight_bits > 0 || c->weight_dtod > 0 ||
           c->weight_stuck > 0 || c->weight_drift_nu > 0 || writes_noise(c);
}

bool ffebmi_chip_reads(const ffebmi_chip *chip)
{
    const ffebm_device_config *c = &chip->config;

    return !ffebmi_converter_is_ideal(&chip->output) || c->output_noise > 0 || c->output_offset_dtod > 0 ||
           c->output_phase_offset_dtod > 0;
}

bool ffebmi_chip_draws(const ffebmi_chip *chip)
{
    const ffebm_device_config *c = &chip->config;

    return c->input_noise > 0 || c->weight_read_noise > 0 || c->neuron_drive_noise > 0;
}

static bool alters_neurons(const ffebm_device_config *c)
{
    return c->neuron_slope_dtod > 0 || c->neuron_offset_dtod > 0 || c->neuron_drive_noise > 0;
}

bool ffebmi_chip_has_borders(const ffebmi_chip *chip)
{
    return ffebmi_chip_reads(chip) || ffebmi_chip_draws(chip) || alters_neurons(&chip->config) ||
           !ffebmi_converter_is_ideal(&chip->input) || !ffebmi_converter_is_ideal(&chip->nudge) ||
           chip->config.nudge_gain_dtod > 0;
}

/* ------------------------------------------------------------------------------------------------------- where numbers are */

bool ffebmi_chip_holds(const ffebm_energy *block, size_t parameter)
{
    return block->parameters[parameter].parameter.role != FFEBMI_BIAS;
}

size_t ffebmi_chip_first_number(const ffebm_energy *block, size_t parameter)
{
    size_t first = 0;

    for (size_t p = 0; p < parameter; p++)
        first += block->parameters[p].parameter.shape.count;
    return first;
}

size_t ffebmi_chip_first_unit(const ffebm_energy *block, size_t layer)
{
    size_t first = 0;

    for (size_t l = 0; l < layer; l++)
        first += block->layers[l].count;
    return first;
}

double ffebmi_chip_least(const ffebm_energy *block, size_t parameter)
{
    const ffebmi_parameter *p = &block->parameters[parameter].parameter;

    return p->bounded && p->lower >= 0 ? 0 : -INFINITY;
}

ffebmi_levels ffebmi_chip_levels(const ffebm_energy *block, const ffebm_device_config *config, size_t parameter)
{
    const ffebmi_parameter *p = &block->parameters[parameter].parameter;
    double lower = p->bounded ? p->lower : -INFINITY, upper = p->bounded ? p->upper : INFINITY;

    return (ffebmi_levels){.lower = config->weight_min > -INFINITY ? config->weight_min : lower,
                           .upper = config->weight_max < INFINITY ? config->weight_max : upper,
                           .steps = config->weight_bits > 0 ? ldexp(1, (int)config->weight_bits) - 1 : 0};
}

/* ------------------------------------------------------------------------------------------------------------ what is fixed */

static double *place(ffebmi_arena *arena, bool wanted, size_t count)
{
    return wanted ? ffebmi_carve(arena, count, sizeof(double)) : NULL;
}

static void lay_out_gains(ffebmi_chip *chip, const ffebm_energy *block, size_t element, ffebmi_arena *arena)
{
    void **gains = ffebmi_carve(arena, block->layer_count, sizeof *gains);

    for (size_t l = 0; l < block->layer_count; l++) {
        void *memory = ffebmi_carve(arena, block->layers[l].count, element);

        if (gains != NULL)
            gains[l] = memory;
    }
    chip->gains = gains;
}

/* The chip, and behind it what is fixed. NULL while measuring. */
static ffebmi_chip *lay_out(const ffebm_energy *block, const ffebm_device_config *c, size_t element,
                            ffebmi_arena *arena)
{
    ffebmi_chip *chip = ffebmi_carve(arena, 1, sizeof *chip), placed = {.config = *c};
    size_t numbers = ffebmi_chip_first_number(block, block->parameter_count);
    size_t units = ffebmi_chip_first_unit(block, block->layer_count);

    placed.factor = place(arena, c->weight_dtod > 0, numbers);
    placed.lower = place(arena, c->weight_min_dtod > 0, numbers);
    placed.upper = place(arena, c->weight_max_dtod > 0, numbers);
    placed.stuck_at = place(arena, c->weight_stuck > 0, numbers);
    placed.asymmetry = place(arena, c->weight_asymmetry > 0, numbers);
    placed.drift_nu = place(arena, c->weight_drift_nu > 0 && c->weight_drift_nu_dtod > 0, numbers);
    placed.pulse = place(arena, c->update_mode != FFEBM_UPDATE_IDEAL && c->update_dw_min_dtod > 0, numbers);
    placed.up_down = place(arena, c->update_mode != FFEBM_UPDATE_IDEAL && c->update_up_down_dtod > 0, numbers);
    placed.tallies = ffebmi_carve(arena, block->context->executor.workers, sizeof *placed.tallies);
    placed.slope = place(arena, c->neuron_slope_dtod > 0, units);
    placed.offset = place(arena, c->neuron_offset_dtod > 0, units);
    for (size_t p = 0; p < FFEBMI_CHIP_PHASES; p++)
        placed.read_offset[p] = place(arena, c->output_offset_dtod > 0 || c->output_phase_offset_dtod > 0, units);
    placed.nudge_gain = place(arena, c->nudge_gain_dtod > 0, ffebmi_energy_output(block)->count);
    if (c->neuron_slope_dtod > 0)
        lay_out_gains(&placed, block, element, arena);
    if (chip != NULL)
        *chip = placed;
    return chip;
}

static ffebmi_draw fixed(const ffebmi_chip *chip, unsigned effect, unsigned phase)
{
    return (ffebmi_draw){.key = chip->config.seed, .effect = effect, .block = (unsigned)chip->stage, .phase = phase};
}

/* to = mean + spread xi */
static void vary(const ffebmi_chip *chip, unsigned effect, double mean, double spread, size_t count, double *to)
{
    ffebmi_draw draw = fixed(chip, effect, 0);

    if (to == NULL)
        return;
    ffebmi_draw_normal(&draw, 0, count, to);
    for (size_t i = 0; i < count; i++)
        to[i] = mean + spread * to[i];
}

static void keep_above(size_t count, double least, double *numbers)
{
    for (size_t i = 0; numbers != NULL && i < count; i++)
        numbers[i] = fmax(numbers[i], least);
}

/* A neuron whose slope is 0 or negative would be none, nor would a bound on the other side of 0. */
static const double least_share = 0.01;

/* to = bound (1 + spread xi), on its side of 0 */
static void vary_bound(const ffebmi_chip *chip, unsigned effect, double bound, double spread, size_t count, double *to)
{
    vary(chip, effect, 1, spread, count, to);
    keep_above(count, least_share, to);
    for (size_t i = 0; to != NULL && i < count; i++)
        to[i] *= bound;
}

static void draw_stuck(ffebmi_chip *chip, size_t count)
{
    ffebmi_draw which = fixed(chip, FFEBMI_EFFECT_STUCK, 0), where = fixed(chip, FFEBMI_EFFECT_STUCK_AT, 0);

    for (size_t i = 0; chip->stuck_at != NULL && i < count; i++) {
        double chance, at;

        ffebmi_draw_uniform(&which, i, 1, &chance);
        ffebmi_draw_uniform(&where, i, 1, &at);
        chip->stuck_at[i] = chance < chip->config.weight_stuck ? chip->config.weight_stuck_range * (2 * at - 1) : NAN;
    }
}

/* An offset that is the same in all phases, and one more in each. */
static void draw_read_offsets(ffebmi_chip *chip, size_t units)
{
    ffebmi_draw common = fixed(chip, FFEBMI_EFFECT_OUTPUT_OFFSET, 0);

    for (unsigned p = 0; p < FFEBMI_CHIP_PHASES && chip->read_offset[p] != NULL; p++) {
        ffebmi_draw own = fixed(chip, FFEBMI_EFFECT_PHASE_OFFSET, p);

        ffebmi_draw_normal(&common, 0, units, chip->read_offset[p]);
        for (size_t i = 0; i < units; i++) {
            double xi;

            ffebmi_draw_normal(&own, i, 1, &xi);
            chip->read_offset[p][i] =
                chip->config.output_offset_dtod * chip->read_offset[p][i] + chip->config.output_phase_offset_dtod * xi;
        }
    }
}

static void draw_all(ffebmi_chip *chip, const ffebm_energy *block, size_t element)
{
    const ffebm_device_config *c = &chip->config;
    size_t numbers = ffebmi_chip_first_number(block, block->parameter_count);
    size_t units = ffebmi_chip_first_unit(block, block->layer_count);

    vary(chip, FFEBMI_EFFECT_WEIGHT, 1, c->weight_dtod, numbers, chip->factor);
    keep_above(numbers, 0, chip->factor);
    vary_bound(chip, FFEBMI_EFFECT_WEIGHT_MIN, c->weight_min, c->weight_min_dtod, numbers, chip->lower);
    vary_bound(chip, FFEBMI_EFFECT_WEIGHT_MAX, c->weight_max, c->weight_max_dtod, numbers, chip->upper);
    vary(chip, FFEBMI_EFFECT_PULSE, 1, c->update_dw_min_dtod, numbers, chip->pulse);
    vary(chip, FFEBMI_EFFECT_UP_DOWN, c->update_up_down, c->update_up_down_dtod, numbers, chip->up_down);
    vary(chip, FFEBMI_EFFECT_DRIFT, c->weight_drift_nu, c->weight_drift_nu * c->weight_drift_nu_dtod, numbers,
         chip->drift_nu);
    vary(chip, FFEBMI_EFFECT_ASYMMETRY, 1, c->weight_asymmetry, numbers, chip->asymmetry);
    draw_stuck(chip, numbers);
    vary(chip, FFEBMI_EFFECT_SLOPE, 1, c->neuron_slope_dtod, units, chip->slope);
    keep_above(units, least_share, chip->slope);
    vary(chip, FFEBMI_EFFECT_OFFSET, 0, c->neuron_offset_dtod, units, chip->offset);
    draw_read_offsets(chip, units);
    vary(chip, FFEBMI_EFFECT_NUDGE_GAIN, 1, c->nudge_gain_dtod, ffebmi_energy_output(block)->count, chip->nudge_gain);
    for (size_t l = 0; chip->gains != NULL && l < block->layer_count; l++)
        ffebmi_put_numbers(element, block->layers[l].count, chip->slope + ffebmi_chip_first_unit(block, l),
                           chip->gains[l]);
}

/* ---------------------------------------------------------------------------------------------------------- making it */

static ffebm_status check_levels(const ffebm_energy *block, const ffebm_device_config *c, const char *what)
{
    for (size_t p = 0; c->weight_bits > 0 && p < block->parameter_count; p++) {
        ffebmi_levels levels = ffebmi_chip_levels(block, c, p);

        FFEBMI_CHECK_ARGUMENT(
            block->context, !ffebmi_chip_holds(block, p) || (isfinite(levels.lower) && isfinite(levels.upper)),
            "%s: weight_bits is %" PRId64 ", but \"%s\" may be %g to %g, expected finite weight_min and "
            "weight_max, or in a resistive block g_min and g_max",
            what, c->weight_bits, block->parameters[p].parameter.name, levels.lower, levels.upper);
        FFEBMI_CHECK_ARGUMENT(block->context, !ffebmi_chip_holds(block, p) || levels.lower <= levels.upper,
                              "%s: weight_bits is %" PRId64 ", but \"%s\" may be %g to %g, expected room between them",
                              what, c->weight_bits, block->parameters[p].parameter.name, levels.lower, levels.upper);
    }
    return FFEBM_OK;
}

static ffebm_status check(const ffebm_energy *block, const ffebm_device_config *c, const char *what)
{
    FFEBMI_TRY(check_levels(block, c, what));
    FFEBMI_CHECK(block->context, c->neuron_slope_dtod == 0 || ffebmi_energy_can(block, FFEBMI_TAKES_GAINS),
                 FFEBM_ERR_UNSUPPORTED, "%s: neuron_slope_dtod is %g, but a %s block has no slopes that could vary",
                 what, c->neuron_slope_dtod, block->kind->type);
    FFEBMI_CHECK(block->context, c->weight_asymmetry == 0 || ffebmi_energy_can(block, FFEBMI_TAKES_RETURNS),
                 FFEBM_ERR_UNSUPPORTED, "%s: weight_asymmetry is %g, but weights of a %s block are the same both ways",
                 what, c->weight_asymmetry, block->kind->type);
    FFEBMI_CHECK(block->context,
                 (c->neuron_offset_dtod == 0 && c->neuron_drive_noise == 0) ||
                     ffebmi_energy_can(block, FFEBMI_TAKES_TAPS),
                 FFEBM_ERR_UNSUPPORTED,
                 "%s: neuron_offset_dtod is %g and neuron_drive_noise %g, but layers of a %s block "
                 "take no drives",
                 what, c->neuron_offset_dtod, c->neuron_drive_noise, block->kind->type);
    return FFEBM_OK;
}

ffebm_status ffebmi_chip_create(const ffebm_energy *block, const ffebm_device_config *config,
                                const ffebmi_arrays *arrays, size_t stage, const char *what, ffebmi_chip **chip)
{
    ffebmi_arena arena = {0};
    ffebmi_chip *created;
    void *memory;

    FFEBMI_TRY(check(block, config, what));
    lay_out(block, config, arrays->element, &arena);
    memory = ffebmi_allocate(block->context, arena.used, 1);
    if (memory == NULL)
        return ffebmi_fail_memory(block->context, "what is fixed of a device");
    arena = (ffebmi_arena){.base = memory};
    created = lay_out(block, config, arrays->element, &arena);
    created->stage = stage;
    created->input = ffebmi_converter_of(config->input_bits, config->input_bound);
    created->nudge = ffebmi_converter_of(config->nudge_bits, config->nudge_bound);
    created->output = ffebmi_converter_of(config->output_bits, config->output_bound);
    draw_all(created, block, arrays->element);
    *chip = created;
    return FFEBM_OK;
}

/* --------------------------------------------------------------------------------------------------------- effective weights */

typedef struct job {
    const ffebmi_chip *chip;
    size_t element;
    size_t first; /* of the parameter's numbers among all */
    ffebmi_chip_age age;
    double least; /* a conductance is never below 0 */
    ffebmi_levels levels;
    const void *programmed;
    void *effective;
} job;

/* What is left of a weight after this time. */
static double drifted(const job *j, size_t i)
{
    const ffebm_device_config *c = &j->chip->config;
    double nu = j->chip->drift_nu != NULL ? j->chip->drift_nu[i] : c->weight_drift_nu;

    return c->weight_drift_nu > 0 ? pow(fmax(j->age.seconds, c->weight_drift_t0) / c->weight_drift_t0, -nu) : 1;
}

/* In this form NaN stays NaN. */
static double in_effect(const job *j, size_t i, double weight)
{
    const ffebmi_chip *chip = j->chip;
    double lower = chip->lower != NULL ? chip->lower[i] : chip->config.weight_min;
    double upper = chip->upper != NULL ? chip->upper[i] : chip->config.weight_max;

    if (chip->stuck_at != NULL && !isnan(chip->stuck_at[i]))
        return chip->stuck_at[i];
    weight = weight < lower ? lower : weight;
    weight = weight > upper ? upper : weight;
    return drifted(j, i) * (chip->factor != NULL ? weight * chip->factor[i] : weight);
}

/* The nearest level; the last one is the upper bound, to the bit. */
static double nearest(const ffebmi_levels *levels, double weight)
{
    double range = levels->upper - levels->lower;

    if (levels->steps == 0)
        return weight;
    weight = weight < levels->lower ? levels->lower : weight > levels->upper ? levels->upper : weight;
    return range == 0
               ? weight
               : levels->lower + range * (round((weight - levels->lower) / range * levels->steps) / levels->steps);
}

/* What the last update left beside weights first .. first + count - 1. */
static void draw_write_noise(const job *j, size_t first, size_t count, double *to)
{
    ffebmi_draw draw = fixed(j->chip, FFEBMI_EFFECT_WRITE_NOISE, 0);

    memset(to, 0, count * sizeof *to);
    draw.step = (uint32_t)j->age.updates;
    if (writes_noise(&j->chip->config) && j->age.updates > 0)
        ffebmi_draw_normal(&draw, j->first + first, count, to);
}

static void apply_some(const job *j, size_t first, size_t count)
{
    const ffebm_device_config *c = &j->chip->config;
    double weights[FFEBMI_CHIP_CHUNK];

    draw_write_noise(j, first, count, weights);
    for (size_t i = 0; i < count; i++) {
        double programmed = nearest(&j->levels, ffebmi_number_at(j->element, j->programmed, first + i)) +
                            c->update_write_noise_std * c->update_dw_min * weights[i];
        double weight = in_effect(j, j->first + first + i, programmed);

        weights[i] = weight < j->least ? j->least : weight;
    }
    ffebmi_put_numbers(j->element, count, weights, (char *)j->effective + first * j->element);
}

static void apply_range(void *user, size_t worker, size_t first, size_t count)
{
    (void)worker;
    for (size_t i = 0; i < count; i += FFEBMI_CHIP_CHUNK)
        apply_some(user, first + i, count - i < FFEBMI_CHIP_CHUNK ? count - i : FFEBMI_CHIP_CHUNK);
}

enum { GRAIN = 16384 };

void ffebmi_chip_apply(const ffebmi_chip *chip, const ffebm_energy *block, const ffebmi_arrays *arrays,
                       size_t parameter, ffebmi_chip_age age, const void *programmed, void *effective)
{
    size_t count = block->parameters[parameter].parameter.shape.count;
    job j = {.chip = chip,
             .element = arrays->element,
             .first = ffebmi_chip_first_number(block, parameter),
             .age = age,
             .least = ffebmi_chip_least(block, parameter),
             .levels = ffebmi_chip_levels(block, &chip->config, parameter),
             .programmed = programmed,
             .effective = effective};

    if (ffebmi_chip_holds(block, parameter))
        ffebmi_parallel_ranges(block->context, count, GRAIN, apply_range, &j);
    else
        memcpy(effective, programmed, count * arrays->element);
}

static void turn_range(void *user, size_t worker, size_t first, size_t count)
{
    const job *j = user;

    (void)worker;
    for (size_t i = first; i < first + count; i++) {
        double weight = j->chip->asymmetry[j->first + i] * ffebmi_number_at(j->element, j->programmed, i);

        ffebmi_put_numbers(j->element, 1, &weight, (char *)j->effective + i * j->element);
    }
}

void ffebmi_chip_turn(const ffebmi_chip *chip, const ffebm_energy *block, const ffebmi_arrays *arrays, size_t parameter,
                      const void *weights, void *returns)
{
    job j = {.chip = chip,
             .element = arrays->element,
             .first = ffebmi_chip_first_number(block, parameter),
             .programmed = weights,
             .effective = returns};

    ffebmi_parallel_ranges(block->context, block->parameters[parameter].parameter.shape.count, GRAIN, turn_range, &j);
}

bool ffebmi_chip_remembers(const ffebmi_chip *chip)
{
    return ffebmi_chip_is_pulsed(chip) || chip->config.weight_drift_nu > 0;
}
