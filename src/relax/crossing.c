#include "relax/crossing.h"

#include <math.h>
#include <string.h>

#include "tensor/doubles.h"

unsigned ffebmi_crossing_phase(size_t nudge)
{
    return nudge == FFEBM_NONE ? 0 : 1 + (unsigned)nudge;
}

bool ffebmi_crossing_is_quiet(const ffebm_energy *block, const ffebmi_occasion *occasion)
{
    return occasion->quiet || block->chip->config.noise == 0;
}

ffebmi_draw ffebmi_crossing_draw(const ffebmi_crossing *x, unsigned effect)
{
    return (ffebmi_draw){.key = x->occasion->seed,
                         .sample = (uint32_t)(x->occasion->first_sample + x->sample),
                         .step = (uint32_t)x->occasion->step,
                         .effect = effect,
                         .block = (unsigned)x->block->chip->stage,
                         .phase = x->phase,
                         .repetition = x->occasion->repetition};
}

/* row += sigma xi, of units first and on */
static void add_noise(const ffebmi_crossing *x, unsigned effect, double sigma, size_t first, size_t count)
{
    ffebmi_draw draw = ffebmi_crossing_draw(x, effect);

    if (sigma == 0 || ffebmi_crossing_is_quiet(x->block, x->occasion))
        return;
    ffebmi_draw_normal(&draw, first, count, x->work->noise);
    for (size_t i = 0; i < count; i++)
        x->work->row[i] += sigma * x->work->noise[i];
}

size_t ffebmi_crossing_width(const ffebm_energy *block, size_t layer)
{
    if (layer == 0)
        return block->input.count;
    return ffebmi_energy_can(block, FFEBMI_TAKES_TAPS) ? block->layers[layer].count : 0;
}

size_t ffebmi_crossing_widest(const ffebm_energy *block)
{
    size_t most = block->input.count;

    for (size_t l = 0; l < block->layer_count; l++)
        most = block->layers[l].count > most ? block->layers[l].count : most;
    return most;
}

void ffebmi_cross_in(const ffebmi_crossing *x, size_t layer, const void *from, bool with_gains, void *to)
{
    const ffebmi_chip *chip = x->block->chip;
    size_t width = ffebmi_crossing_width(x->block, layer), unit = ffebmi_chip_first_unit(x->block, layer);
    double *row = x->work->row;

    memset(row, 0, width * sizeof *row);
    if (from != NULL) {
        ffebmi_get_numbers(x->arrays->element, width, ffebmi_at(x->arrays, from, x->sample * width), row);
        for (size_t i = 0; i < width; i++)
            row[i] = ffebmi_convert(&chip->input, row[i]);
        add_noise(x, FFEBMI_EFFECT_INPUT_NOISE, chip->config.input_noise, layer == 0 ? 0 : x->block->input.count + unit,
                  width);
    }
    add_noise(x, FFEBMI_EFFECT_DRIVE_NOISE, chip->config.neuron_drive_noise, unit, width);
    for (size_t i = 0; chip->offset != NULL && i < width; i++)
        row[i] += chip->offset[unit + i];
    for (size_t i = 0; chip->slope != NULL && with_gains && i < width; i++)
        row[i] *= chip->slope[unit + i];
    ffebmi_put_numbers(x->arrays->element, width, row, ffebmi_at(x->arrays, to, x->sample * width));
}

void ffebmi_cross_out(const ffebmi_crossing *x, size_t layer, const void *from, void *to)
{
    const ffebmi_chip *chip = x->block->chip;
    const ffebm_device_config *c = &chip->config;
    size_t units = x->block->layers[layer].count, unit = ffebmi_chip_first_unit(x->block, layer);
    bool dithers = c->output_sto_round == 1 && !ffebmi_crossing_is_quiet(x->block, x->occasion);
    ffebmi_draw dither = ffebmi_crossing_draw(x, FFEBMI_EFFECT_OUTPUT_ROUND);
    double *row = x->work->row;

    ffebmi_get_numbers(x->arrays->element, units, from, row);
    add_noise(x, FFEBMI_EFFECT_OUTPUT_NOISE, c->output_noise / sqrt((double)c->output_repeats), unit, units);
    if (dithers)
        ffebmi_draw_uniform(&dither, unit, units, x->work->noise);
    for (size_t i = 0; i < units; i++)
        row[i] = dithers ? ffebmi_convert_dithered(&chip->output, row[i], x->work->noise[i])
                         : ffebmi_convert(&chip->output, row[i]);
    for (size_t i = 0; chip->read_offset[x->phase] != NULL && i < units; i++)
        row[i] += chip->read_offset[x->phase][unit + i];
    ffebmi_put_numbers(x->arrays->element, units, row, to);
}

void ffebmi_cross_force(const ffebmi_crossing *x, const ffebmi_force_crossing *how, const void *from, void *to)
{
    const ffebmi_chip *chip = x->block->chip;
    size_t last = x->block->layer_count - 1, units = x->block->layers[last].count;
    size_t unit = ffebmi_chip_first_unit(x->block, last);
    double *row = x->work->row;

    ffebmi_get_numbers(x->arrays->element, units, from, row);
    for (size_t i = 0; i < units; i++) {
        if (how->nudges && how->converts && how->strength > 0)
            row[i] = how->strength * ffebmi_convert(&chip->nudge, row[i] / how->strength);
        if (how->nudges && chip->nudge_gain != NULL)
            row[i] *= chip->nudge_gain[i];
        if (chip->slope != NULL)
            row[i] *= chip->slope[unit + i];
    }
    ffebmi_put_numbers(x->arrays->element, units, row, to);
}
