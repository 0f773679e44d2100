#include "relax/contrast.h"

#include <string.h>

#include "core/parallel.h"
#include "energy/sweeps.h"
#include "relax/phase.h"

typedef struct job {
    const ffebmi_reading *reading;
    const ffebmi_reading_pair *pair;
    void **difference; /* [layer]: batch x units */
    void **mean;
} job;

/* Of a pair without second: that is a state of zeros, or, of a tangent pair, the other side of the free state. */
static void contrast_alone(const job *j, size_t layer)
{
    const ffebmi_reading *r = j->reading;

    r->arrays->scale(r->batch * r->block->layers[layer].count, 0.5, j->pair->first[layer], j->mean[layer]);
}

/* A sample nudged by - beta contributes (f(-beta) - f(0)) / (-beta): its two states change places. */
static void swap_switches(const job *j, size_t sample)
{
    const ffebmi_reading_pair *p = j->pair;

    for (size_t c = 0; c < j->reading->block->graph.coupling_count; c++) {
        size_t count = ffebmi_energy_switch_count(j->reading->block, c);

        for (size_t i = sample * count; p->first_switches != p->second_switches && i < (sample + 1) * count; i++) {
            uint8_t first = p->first_switches[c][i];

            p->first_switches[c][i] = p->second_switches[c][i];
            p->second_switches[c][i] = first;
        }
    }
}

/* Difference and mean of two states, each whole or a displacement; the free state's displacement is zero. */
static void contrast_layer(const job *j, size_t layer, size_t sample, void **first, void **second)
{
    const ffebmi_reading *r = j->reading;
    const ffebmi_arrays *k = r->arrays;
    size_t units = r->block->layers[layer].count, at = sample * units;
    void *difference = ffebmi_at(k, j->difference[layer], at), *mean = ffebmi_at(k, j->mean[layer], at);
    bool displaced = r->form == FFEBMI_DISPLACED;

    if (!displaced || (first != r->free && second != r->free)) {
        k->difference_and_mean(units, ffebmi_at(k, first[layer], at), ffebmi_at(k, second[layer], at), difference,
                               mean);
    } else {
        const void *moved = ffebmi_at(k, (first == r->free ? second : first)[layer], at);

        k->scale(units, 0.5, moved, mean);
        k->scale(units, first == r->free ? -1 : 1, moved, difference);
    }
    if (displaced)
        k->add(units, ffebmi_at(k, r->free[layer], at), mean);
}

static void contrast_samples(void *user, size_t worker, size_t first, size_t count)
{
    const job *j = user;
    const ffebmi_reading_pair *p = j->pair;

    (void)worker;
    for (size_t sample = first; sample < first + count; sample++) {
        bool swapped = j->reading->signs != NULL && j->reading->signs[sample] < 0;

        if (swapped)
            swap_switches(j, sample);
        for (size_t l = 0; l < j->reading->block->layer_count; l++)
            contrast_layer(j, l, sample, swapped ? p->second : p->first, swapped ? p->first : p->second);
    }
}

typedef struct gradient_job {
    const ffebm_energy *block;
    const ffebmi_contrast *contrast;
    ffebmi_relax_work *const *works;
    size_t parameter;
} gradient_job;

static void gradient_range(void *user, size_t worker, size_t first, size_t count)
{
    const gradient_job *j = user;

    j->block->kind->sweeps->gradient(j->block, j->contrast, j->parameter, first, count, j->works[worker]->kind_work);
}

static void add_gradient(ffebm_context *context, const ffebmi_reading *r, const ffebmi_contrast *contrast,
                         ffebmi_relax_work *const *works)
{
    for (size_t p = 0; p < r->block->parameter_count; p++) {
        gradient_job j = {r->block, contrast, works, p};

        ffebmi_parallel_ranges(context, r->block->parameters[p].units, r->block->parameters[p].grain, gradient_range,
                               &j);
    }
}

typedef struct input_job {
    const ffebm_energy *block;
    const ffebmi_contrast *contrast;
    ffebmi_relax_work *const *works;
    void *out;
} input_job;

static void input_range(void *user, size_t worker, size_t first, size_t count)
{
    const input_job *j = user;

    j->block->kind->sweeps->input_gradient(j->block, j->contrast, first, count, j->out, j->works[worker]->kind_work);
}

/* Make the pair a contrast, in memory that its states may lie in. Implicit differentiation: the displacement takes the
 * place of the difference, the free state that of the mean. */
static ffebmi_contrast contrast_of(ffebm_context *context, const ffebmi_reading *r, const ffebmi_reading_pair *pair)
{
    bool with_free = pair->first == r->free || pair->second == r->free, alone = pair->second == NULL;
    job j = {r, pair, pair->first, with_free || alone ? r->memory[1] : pair->second};

    if (r->form == FFEBMI_TANGENT) {
        j.mean = r->free;
    } else if (alone) {
        for (size_t l = 0; l < r->block->layer_count; l++)
            contrast_alone(&j, l);
    } else {
        if (with_free)
            j.difference = r->memory[0];
        ffebmi_parallel_ranges(context, r->batch, 1, contrast_samples, &j);
    }
    return (ffebmi_contrast){.arrays = r->arrays,
                             .plan = r->plan,
                             .parameters = r->parameters,
                             .packed = r->packed,
                             .batch = r->batch,
                             .inputs = r->inputs,
                             .difference = j.difference,
                             .mean = j.mean,
                             .alone = alone && r->form != FFEBMI_TANGENT,
                             .tangent = r->form == FFEBMI_TANGENT,
                             .switches = {pair->first_switches, pair->second_switches},
                             .gradients = r->gradients};
}

static void clear_gradients(const ffebmi_reading *r)
{
    for (size_t p = 0; p < r->block->parameter_count; p++)
        memset(r->gradients[p], 0, r->block->parameters[p].parameter.shape.count * r->arrays->element);
}

ffebm_status ffebmi_contrast_read(ffebm_context *context, const ffebmi_reading *reading,
                                  ffebmi_relax_work *const *works)
{
    if (reading->replace)
        clear_gradients(reading);
    for (size_t i = 0; i < reading->pair_count; i++) {
        const ffebmi_reading_pair *pair = &reading->pairs[i];
        ffebmi_contrast contrast = contrast_of(context, reading, pair);

        contrast.weight = pair->weight * reading->gradient_scale;
        if (reading->gradients != NULL)
            add_gradient(context, reading, &contrast, works);
        if (reading->input_cotangent == NULL)
            continue;
        contrast.weight = pair->weight * reading->input_scale;
        ffebmi_parallel_ranges(context, reading->batch, FFEBMI_SHARD, input_range,
                               &(input_job){reading->block, &contrast, works, reading->input_cotangent});
    }
    return FFEBM_OK;
}
