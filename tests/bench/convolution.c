/* Convolutions of the feedforward blocks of examples/models, cut as those cut them: rows of a batch forward and back,
 * units of the weight in the gradient. */
#include "convolution.h"

#include "clock.h"
#include "convolution/convolution.h"
#include "core/context.h"
#include "core/parallel.h"
#include "line.h"

enum { ROWS = 32, REPEATS = 7 };

typedef struct shape {
    size_t in, out, size;
} shape;

static const shape table[] = {{3, 128, 32},  {128, 128, 16}, {128, 256, 16},
                              {256, 256, 8}, {256, 512, 8},  {512, 512, 4}};

typedef struct prepared {
    ffebmi_convolution plan;
    size_t below; /* numbers of a sample */
    size_t above;
    float *weight;
    float *packed;
    float *input;
    float *output;
    float *gradient;
    float *scratch; /* a worker's, each */
    size_t scratch_size;
} prepared;

static float *numbers(const team *on, size_t count, uint64_t seed)
{
    float *memory = ffebmi_allocate(on->context, count, sizeof *memory);

    for (size_t i = 0; memory != NULL && i < count; i++)
        memory[i] = (float)(0.1 * ffebm_random_uniform(seed, i));
    return memory;
}

static bool prepare(prepared *p, const shape *s, const team *on)
{
    const ffebmi_arithmetic arithmetic = ffebmi_arithmetic_for(FFEBM_FLOAT32, 0);
    const ffebmi_windows windows = {.channels = s->in,
                                    .in = {s->size, s->size},
                                    .out = {s->size, s->size},
                                    .kernel = {3, 3},
                                    .stride = {1, 1},
                                    .padding = {1, 1}};
    size_t weights = s->in * s->out * 9, line = 64 / sizeof(float);

    *p = (prepared){0};
    ffebmi_convolution_plan(&p->plan, &arithmetic, &windows, s->out, false);
    p->below = s->in * s->size * s->size;
    p->above = s->out * s->size * s->size;
    p->scratch_size = (p->plan.scratch / line + 2) * line;
    p->weight = numbers(on, weights, 1);
    p->packed = numbers(on, p->plan.packed, 2);
    p->input = numbers(on, ROWS * p->below, 3);
    p->output = numbers(on, ROWS * p->above, 4);
    p->gradient = numbers(on, weights, 5);
    p->scratch = numbers(on, on->threads * p->scratch_size, 6);
    if (p->weight == NULL || p->packed == NULL || p->input == NULL || p->output == NULL || p->gradient == NULL ||
        p->scratch == NULL)
        return false;
    ffebmi_convolution_pack(&p->plan, FFEBMI_BOTH, p->weight, p->packed, 0,
                            ffebmi_convolution_pack_units(&p->plan, FFEBMI_BOTH));
    return true;
}

static void let_go(const prepared *p, const team *on)
{
    void *all[] = {p->weight, p->packed, p->input, p->output, p->gradient, p->scratch};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        ffebmi_release(on->context, all[i]);
}

static void forward(void *user, size_t worker, size_t first, size_t count)
{
    const prepared *p = user;

    ffebmi_convolution_up(&p->plan, &(ffebmi_packed){.full = p->packed}, count, p->input + first * p->below,
                          p->output + first * p->above, p->scratch + worker * p->scratch_size);
}

static void back(void *user, size_t worker, size_t first, size_t count)
{
    const prepared *p = user;

    ffebmi_convolution_down(&p->plan, &(ffebmi_packed){.full = p->packed}, count, p->output + first * p->above, false,
                            p->input + first * p->below, p->scratch + worker * p->scratch_size);
}

static void gradient(void *user, size_t worker, size_t first, size_t count)
{
    const prepared *p = user;

    ffebmi_convolution_gradient(&p->plan, ROWS, &(ffebmi_pairs){.count = 1, .v = {p->output}, .s = {p->input}}, 1,
                                p->gradient, first, count, p->scratch + worker * p->scratch_size);
}

typedef struct product {
    const char *name;
    void (*run)(void *user, size_t worker, size_t first, size_t count);
    bool over_weights;
} product;

static const product products[] = {{"forward", forward, false}, {"back", back, false}, {"gradient", gradient, true}};

static void measure(prepared *p, const shape *s, const product *run, const team *on)
{
    repeats r = {0};
    double work = 2e-9 * ROWS * 9 * (double)(s->in * s->out * s->size * s->size), gflops;

    for (size_t i = 0; i <= REPEATS; i++) {
        double start = clock_now();

        ffebmi_parallel_ranges(
            on->context, run->over_weights ? ffebmi_convolution_units(&p->plan.windows, s->out) : ROWS, 1, run->run, p);
        if (i > 0) /* the first is to warm up */
            repeats_add(&r, clock_now() - start);
    }
    gflops = work / repeats_median(&r);
    line_begin("convolution");
    line_shape("shape", (size_t[]){s->in, s->out, s->size, s->size}, 4);
    line_text("product", run->name);
    line_count("rows", ROWS);
    line_count("threads", on->threads);
    line_number("gflops", gflops);
    line_number("fraction_of_peak", gflops / on->peak);
    line_number("spread", repeats_spread(&r));
    line_end();
}

void convolution_measure(const team *on)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        prepared p;

        if (prepare(&p, &table[i], on))
            for (size_t k = 0; k < sizeof products / sizeof products[0]; k++)
                measure(&p, &table[i], &products[k], on);
        else
            line_skip("convolution", "no memory");
        let_go(&p, on);
    }
}
