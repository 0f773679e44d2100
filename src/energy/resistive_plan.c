#include "energy/resistive.h"

#include <math.h>
#include <stdio.h>

#include "core/context.h"
#include "core/parallel.h"
#include "tensor/doubles.h"

void *ffebmi_resistive_lay_out_plan(const ffebm_energy *block, const ffebmi_arithmetic *arithmetic, ffebmi_arena *arena)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(block);
    ffebmi_resistive_plan *p = ffebmi_carve(arena, 1, sizeof *p + r->coupling_count * sizeof *p->couplings);

    if (p == NULL)
        return NULL;
    p->element = arithmetic->arrays->element;
    for (size_t l = 0; l < r->coupling_count; l++)
        r->couplings[l].kind->plan(&r->couplings[l], arithmetic, &p->couplings[l]);
    return p;
}

static size_t units_of(const ffebmi_resistive *r, size_t layer)
{
    return r->base.layers[layer].count;
}

void *ffebmi_resistive_lay_out_packed(const ffebm_energy *block, const void *plan, ffebmi_arena *arena)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(block);
    const ffebmi_resistive_plan *p = plan;
    ffebmi_resistive_packed *to = ffebmi_carve(arena, 1, sizeof *to), placed;

    placed.element = p->element;
    placed.effective = ffebmi_carve(arena, units_of(r, 0), block->input.count * p->element);
    placed.weights = ffebmi_carve(arena, r->coupling_count, sizeof *placed.weights);
    placed.conductance = ffebmi_carve(arena, r->coupling_count, sizeof *placed.conductance);
    placed.side = ffebmi_carve(arena, r->coupling_count, sizeof *placed.side);
    placed.least = ffebmi_carve(arena, r->coupling_count, sizeof *placed.least);
    for (size_t l = 0; l < r->coupling_count; l++) {
        size_t elements = p->couplings[l].convolution.packed;
        void *weights = ffebmi_carve(arena, elements, p->element);
        void *conductance = ffebmi_carve(arena, units_of(r, l), p->element);
        void *side = ffebmi_carve(arena, units_of(r, l), p->element);
        double *least = ffebmi_carve(arena, units_of(r, l), sizeof *least);

        if (to == NULL)
            continue;
        placed.weights[l] = (ffebmi_packed){.full = elements > 0 ? weights : NULL};
        placed.conductance[l] = conductance;
        placed.side[l] = side;
        placed.least[l] = least;
    }
    if (to != NULL)
        *to = placed;
    return to;
}

const void *const *ffebmi_resistive_parameters(const ffebmi_resistive *r, const void *const *parameters, size_t layer)
{
    for (size_t l = 0; l < layer; l++)
        parameters += r->couplings[l].parameter_count;
    return parameters;
}

/* ---------------------------------------------------------------------------------------------------------- packing */

enum { COLUMNS = 256 }; /* that a thread sums at a time */

/* The conductances below a layer, out x in. */
typedef struct pack_job {
    const ffebmi_arrays *arrays;
    const ffebmi_convolution *convolution;
    const void *weight;
    size_t out;
    size_t in;
    double gain;
    void *effective; /* of the sources: out x in / sources */
    size_t sources;
    void *sums;
    double *least; /* [out] */
    const void *full;
} pack_job;

/* Of some nodes: the sum of their conductances, and what x sends through those of the sources. */
static void sum_rows(void *user, size_t worker, size_t first, size_t count)
{
    const pack_job *j = user;
    size_t inputs = j->in / j->sources;

    (void)worker;
    for (size_t o = first; o < first + count; o++) {
        const void *row = ffebmi_at(j->arrays, j->weight, o * j->in);
        void *effective = j->effective == NULL ? NULL : ffebmi_at(j->arrays, j->effective, o * inputs);

        ffebmi_put_number(j->arrays->element, j->sums, o, j->arrays->sum(j->in, row));
        j->least[o] = j->arrays->least(j->in, row);
        if (effective == NULL)
            continue;
        j->arrays->scale(inputs, j->gain, row, effective);
        if (j->sources == 2)
            j->arrays->add_scaled(inputs, -j->gain, ffebmi_at(j->arrays, row, inputs), effective);
    }
}

/* Of some nodes of the layer below: the conductances to the layer above are added to their sums. */
static void sum_columns(void *user, size_t worker, size_t first, size_t count)
{
    const pack_job *j = user;

    (void)worker;
    j->arrays->add_column_sums(j->out, count, j->in, 1, ffebmi_at(j->arrays, j->weight, first),
                               ffebmi_at(j->arrays, j->sums, first));
}

static void pack_range(void *user, size_t worker, size_t first, size_t count)
{
    const pack_job *j = user;

    (void)worker;
    ffebmi_convolution_pack(j->convolution, FFEBMI_BOTH, j->effective != NULL ? j->effective : j->weight,
                            (void *)(uintptr_t)j->full, first, count);
}

static void pack_layer(const ffebmi_resistive *r, pack_job job, const ffebmi_resistive_packed *packed, size_t layer)
{
    ffebm_context *context = r->base.context;

    job.sums = packed->conductance[layer];
    job.least = packed->least[layer];
    ffebmi_parallel_ranges(context, job.out, 16, sum_rows, &job);
    if (layer > 0) {
        job.sums = packed->conductance[layer - 1];
        ffebmi_parallel_ranges(context, job.in, COLUMNS, sum_columns, &job);
    }
    if (packed->weights[layer].full != NULL) {
        job.full = packed->weights[layer].full;
        ffebmi_parallel_ranges(context, ffebmi_convolution_pack_units(job.convolution, FFEBMI_BOTH), 1, pack_range,
                               &job);
    }
}

void ffebmi_resistive_pack(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                           const void *const *parameters, void *to)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(block);
    const ffebmi_resistive_plan *p = plan;
    const ffebmi_resistive_packed *packed = to;

    for (size_t l = 0; l < r->coupling_count; l++) {
        size_t sources = l == 0 ? ffebmi_resistive_sources(r) : 1;
        pack_job job = {.arrays = arrays,
                        .convolution = &p->couplings[l].convolution,
                        .weight = ffebmi_resistive_parameters(r, parameters, l)[0],
                        .out = units_of(r, l),
                        .in = l == 0 ? sources * block->input.count : units_of(r, l - 1),
                        .gain = r->config.input_gain,
                        .effective = l == 0 ? packed->effective : NULL,
                        .sources = sources};

        pack_layer(r, job, packed, l);
        for (size_t k = 0; k < job.out; k++)
            ffebmi_put_number(arrays->element, packed->side[l], k, ffebmi_resistive_side(r, l, k));
    }
}

ffebm_status ffebmi_resistive_check(const ffebm_energy *block, const void *from, ffebmi_failure *failure)
{
    const ffebmi_resistive_packed *packed = from;

    for (size_t l = 0; l < block->layer_count; l++)
        for (size_t o = 0; o < block->layers[l].count; o++)
            if (packed->least[l][o] < 0) {
                snprintf(failure->text, sizeof failure->text,
                         "its coupling %zu has a conductance of %g, expected 0 or more", l, packed->least[l][o]);
                return failure->status = FFEBM_ERR_NUMERIC;
            }
    return FFEBM_OK;
}

/* E weights the last layer's currents. */
double ffebmi_resistive_bears_alone(const ffebm_energy *block, const void *from)
{
    const ffebmi_resistive_packed *packed = from;
    size_t last = block->layer_count - 1;
    double least = INFINITY;

    for (size_t o = 0; o < block->layers[last].count; o++)
        least = fmin(least, ffebmi_number_at(packed->element, packed->conductance[last], o));
    return -least * ffebmi_resistive_weight(ffebmi_resistive_of(block), last);
}
