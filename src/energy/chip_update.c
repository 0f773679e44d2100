/* Weights written by pulses. */
#include <math.h>

#include "core/context.h"
#include "core/parallel.h"
#include "energy/chip.h"
#include "tensor/doubles.h"

enum { GRAIN = 4096, WORDS = 4 };

typedef struct job {
    const ffebmi_chip *chip;
    size_t element;
    size_t first; /* of the parameter's numbers among all */
    ffebmi_chip_update update;
    unsigned phase; /* that writes now */
} job;

static ffebmi_draw drawn(const job *j, unsigned effect, unsigned repetition)
{
    return (ffebmi_draw){.key = j->chip->config.seed,
                         .step = (uint32_t)j->update.number,
                         .effect = effect,
                         .block = (unsigned)j->chip->stage,
                         .phase = j->phase,
                         .repetition = repetition};
}

/* ------------------------------------------------------------------------------------------------------------ requests */

/* What the phase at hand is to add to number i of the parameter. */
typedef double (*request_fn)(const job *j, size_t i);

static double request_of_difference(const job *j, size_t i)
{
    return ffebmi_number_at(j->element, j->update.values, i) - ffebmi_number_at(j->element, j->update.before, i);
}

/* Readings a and b with a - b the gradient and a + b the total: - rate a by the one phase, rate b by the other. */
static double request_of_phase(const job *j, size_t i)
{
    double gradient = ffebmi_number_at(j->element, j->update.gradient, i);
    double total = ffebmi_number_at(j->element, j->update.total, i);

    return j->update.learning_rate * (j->phase == 0 ? -(total + gradient) : total - gradient) / 2;
}

static const struct {
    unsigned phases;
    request_fn request;
} modes[] = {[FFEBM_UPDATE_DIFFERENCE] = {1, request_of_difference}, [FFEBM_UPDATE_TWO_PHASE] = {2, request_of_phase}};

/* -------------------------------------------------------------------------------------------------------------- pulses */

static ffebmi_cell cell_of(const ffebmi_chip *chip, size_t i)
{
    const ffebm_device_config *c = &chip->config;
    double size = chip->pulse != NULL ? chip->pulse[i] : 1;
    double asymmetry = chip->up_down != NULL ? chip->up_down[i] : c->update_up_down;

    return (ffebmi_cell){
        .lower = chip->lower != NULL ? chip->lower[i] : c->weight_min,
        .upper = chip->upper != NULL ? chip->upper[i] : c->weight_max,
        .size = {c->update_dw_min * fmax(0, size - asymmetry), c->update_dw_min * fmax(0, size + asymmetry)}};
}

/* Rounded up where what is left is more than `chance`. */
static int64_t pulses_for(const ffebm_device_config *c, double request, double chance, ffebmi_pulse_tally *tally)
{
    double wanted = fabs(request) / c->update_dw_min, count = fmin(wanted, (double)c->update_pulses_max);

    tally->limited += wanted > count;
    return (int64_t)floor(count) + (count - floor(count) > chance);
}

/* Pulse by pulse; four of an element share a draw. */
static double pulsed(const job *j, size_t i, double weight, double request, double chance, ffebmi_pulse_tally *tally)
{
    const ffebm_device_config *c = &j->chip->config;
    const ffebmi_cell cell = cell_of(j->chip, i);
    int64_t count = pulses_for(c, request, chance, tally);
    double xi[WORDS] = {0};

    for (int64_t p = 0; p < count; p++) {
        if (p % WORDS == 0 && c->update_dw_min_std > 0 && !j->update.quiet) {
            ffebmi_draw draw = drawn(j, FFEBMI_EFFECT_CYCLE, (unsigned)(p / WORDS));

            ffebmi_draw_normal(&draw, WORDS * i, WORDS, xi);
        }
        weight = ffebmi_pulse(c, &cell, request > 0, 1 + c->update_dw_min_std * xi[p % WORDS], weight);
        tally->clipped += weight == cell.lower || weight == cell.upper;
    }
    tally->given[request > 0] += count;
    return weight;
}

/* One phase's, on weights from the first on. Rounded up or down at random, right on average; to the nearest without noise. */
static void pulse_phase(const job *j, size_t first, size_t count, double *weights, ffebmi_pulse_tally *tally)
{
    ffebmi_draw draw = drawn(j, FFEBMI_EFFECT_PULSE_COUNT, 0);
    double chances[FFEBMI_CHIP_CHUNK];

    if (!j->update.quiet)
        ffebmi_draw_uniform(&draw, j->first + first, count, chances);
    for (size_t i = 0; i < count; i++)
        weights[i] =
            pulsed(j, j->first + first + i, weights[i], modes[j->chip->config.update_mode].request(j, first + i),
                   j->update.quiet ? 0.5 : chances[i], tally);
}

static double within(const ffebmi_chip_update *u, double weight)
{
    return weight < u->lower ? u->lower : weight > u->upper ? u->upper : weight;
}

static void pulse_some(const job *j, size_t first, size_t count, ffebmi_pulse_tally *tally)
{
    double weights[FFEBMI_CHIP_CHUNK];
    job own = *j;

    for (size_t i = 0; i < count; i++)
        weights[i] = ffebmi_number_at(j->element, j->update.before, first + i);
    for (own.phase = 0; own.phase < modes[j->chip->config.update_mode].phases; own.phase++)
        pulse_phase(&own, first, count, weights, tally);
    for (size_t i = 0; i < count; i++)
        weights[i] = within(&j->update, weights[i]);
    ffebmi_put_numbers(j->element, count, weights, (char *)j->update.values + first * j->element);
}

static void pulse_range(void *user, size_t worker, size_t first, size_t count)
{
    const job *j = user;

    for (size_t i = 0; i < count; i += FFEBMI_CHIP_CHUNK)
        pulse_some(j, first + i, count - i < FFEBMI_CHIP_CHUNK ? count - i : FFEBMI_CHIP_CHUNK,
                   &j->chip->tallies[worker]);
}

bool ffebmi_chip_pulses(const ffebm_energy *block, size_t parameter)
{
    return block->chip != NULL && ffebmi_chip_is_pulsed(block->chip) && ffebmi_chip_holds(block, parameter);
}

void ffebmi_chip_write(const ffebm_energy *block, const ffebmi_arrays *arrays, size_t parameter,
                       const ffebmi_chip_update *update)
{
    job j = {.chip = block->chip,
             .element = arrays->element,
             .first = ffebmi_chip_first_number(block, parameter),
             .update = *update};

    j.update.quiet = update->quiet || block->chip->config.noise == 0;
    ffebmi_parallel_ranges(block->context, block->parameters[parameter].parameter.shape.count, GRAIN, pulse_range, &j);
}

void ffebmi_chip_add_pulses(const ffebm_energy *block, ffebmi_pulse_tally *to)
{
    for (size_t w = 0; block->chip != NULL && w < block->context->executor.workers; w++) {
        const ffebmi_pulse_tally *of = &block->chip->tallies[w];

        to->given[0] += of->given[0];
        to->given[1] += of->given[1];
        to->clipped += of->clipped;
        to->limited += of->limited;
    }
}
