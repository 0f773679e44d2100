#include "energy/hopfield.h"

#include "core/parallel.h"
#include "energy/chip.h"

static const ffebmi_hopfield *hopfield(const ffebm_energy *block)
{
    return (const ffebmi_hopfield *)block;
}

void *ffebmi_hopfield_lay_out_plan(const ffebm_energy *block, const ffebmi_arithmetic *arithmetic, ffebmi_arena *arena)
{
    const ffebmi_hopfield *h = hopfield(block);
    ffebmi_hopfield_plan *p = ffebmi_carve(arena, 1, sizeof *p + h->coupling_count * sizeof *p->couplings);

    if (p == NULL)
        return NULL;
    p->element = arithmetic->arrays->element;
    for (size_t c = 0; c < h->coupling_count; c++)
        h->couplings[c].kind->plan(&h->couplings[c], arithmetic, &p->couplings[c]);
    return p;
}

/* Where weights differ by direction there are three sets of them, [coupling] each: packed to send up, packed to send down, and the
 * latter as they are. */
enum { UP, DOWN, RETURNS, SETS };

static bool has_returns(const ffebm_energy *block)
{
    return block->chip != NULL && block->chip->config.weight_asymmetry > 0;
}

static size_t elements_of(const ffebmi_hopfield *h, const ffebmi_hopfield_plan *p, size_t i)
{
    size_t c = i % h->coupling_count;

    return i / h->coupling_count == RETURNS ? h->couplings[c].parameters[0].shape.count
                                            : p->couplings[c].convolution.packed;
}

/* [coupling]: its weight as packed; NULL where it is used as it is. */
void *ffebmi_hopfield_lay_out_packed(const ffebm_energy *block, const void *plan, ffebmi_arena *arena)
{
    const ffebmi_hopfield_plan *p = plan;
    size_t count = hopfield(block)->coupling_count, sets = has_returns(block) ? SETS : 1;
    ffebmi_packed *packed = ffebmi_carve(arena, sets * count, sizeof *packed);

    for (size_t i = 0; i < sets * count; i++) {
        size_t elements = elements_of(hopfield(block), p, i);
        void *memory = ffebmi_carve(arena, elements, p->element);

        if (packed != NULL)
            packed[i] = (ffebmi_packed){.full = elements > 0 ? memory : NULL};
    }
    return packed;
}

ffebmi_packed ffebmi_hopfield_packed_down(const ffebmi_hopfield *h, const void *packed, size_t c, ffebmi_packed up)
{
    const ffebmi_packed *all = packed;
    size_t count = h->coupling_count;

    if (!has_returns(&h->base))
        return up;
    return all[DOWN * count + c].full != NULL ? all[DOWN * count + c] : all[RETURNS * count + c];
}

void ffebmi_hopfield_lay_out_int16(const ffebm_energy *block, const void *plan, void *to, ffebmi_arena *arena)
{
    const ffebmi_hopfield_plan *p = plan;
    ffebmi_packed *packed = to;

    for (size_t c = 0; c < hopfield(block)->coupling_count; c++) {
        size_t elements = p->couplings[c].convolution.int16;
        void *memory = ffebmi_carve(arena, elements, p->element);

        if (packed != NULL)
            packed[c].int16 = elements > 0 ? memory : NULL;
    }
}

const void *const *ffebmi_hopfield_parameters(const ffebmi_hopfield *h, const void *const *parameters, size_t coupling)
{
    return parameters + h->couplings[coupling].first_parameter;
}

typedef struct pack_job {
    const ffebmi_convolution *convolution;
    const void *weight;
    void *full;
    void *int16;
} pack_job;

static void pack_range(void *user, size_t worker, size_t first, size_t count)
{
    const pack_job *j = user;

    (void)worker;
    ffebmi_convolution_pack(j->convolution, FFEBMI_BOTH, j->weight, j->full, first, count);
}

static void pack_int16_range(void *user, size_t worker, size_t first, size_t count)
{
    const pack_job *j = user;

    (void)worker;
    ffebmi_convolution_pack_int16(j->convolution, j->full, j->int16, first, count);
}

static void share(const ffebm_energy *block, ffebmi_range_fn range, pack_job job)
{
    ffebmi_parallel_ranges(block->context, ffebmi_convolution_pack_units(job.convolution, FFEBMI_BOTH), 1, range, &job);
}

static void pack(const ffebm_energy *block, const ffebmi_hopfield_plan *p, size_t c, const void *weight,
                 const ffebmi_packed *to)
{
    if (to->full != NULL)
        share(block, pack_range,
              (pack_job){
                  .convolution = &p->couplings[c].convolution, .weight = weight, .full = (void *)(uintptr_t)to->full});
}

void ffebmi_hopfield_pack(const ffebm_energy *block, const ffebmi_arrays *arrays, const void *plan,
                          const void *const *parameters, void *to)
{
    const ffebmi_hopfield *h = hopfield(block);
    const ffebmi_hopfield_plan *p = plan;
    ffebmi_packed *packed = to;

    for (size_t c = 0; c < h->coupling_count; c++)
        pack(block, p, c, ffebmi_hopfield_parameters(h, parameters, c)[0], &packed[c]);
    for (size_t c = 0; has_returns(block) && c < h->coupling_count; c++) {
        void *returns = (void *)(uintptr_t)packed[RETURNS * h->coupling_count + c].full;

        ffebmi_chip_turn(block->chip, block, arrays, h->couplings[c].first_parameter,
                         ffebmi_hopfield_parameters(h, parameters, c)[0], returns);
        pack(block, p, c, returns, &packed[DOWN * h->coupling_count + c]);
    }
}

void ffebmi_hopfield_pack_int16(const ffebm_energy *block, const void *plan, void *to)
{
    const ffebmi_hopfield_plan *p = plan;
    ffebmi_packed *packed = to;

    for (size_t c = 0; c < hopfield(block)->coupling_count; c++)
        if (packed[c].int16 != NULL)
            share(block, pack_int16_range,
                  (pack_job){.convolution = &p->couplings[c].convolution,
                             .full = (void *)(uintptr_t)packed[c].full,
                             .int16 = (void *)(uintptr_t)packed[c].int16});
}
