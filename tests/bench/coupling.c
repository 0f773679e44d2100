/* Each coupling of a table is passed up and down as settling does it: shards of rows, each on one thread for many
 * passes, with prepared weights; and its weight's gradient is taken as an estimate does it. Repeats of all of them are
 * interleaved, so that a slow minute of the machine hits all alike. */
#include "coupling.h"

#include "clock.h"
#include "convolution/method.h"
#include "core/context.h"
#include "core/parallel.h"
#include "energy/coupling.h"
#include "line.h"
#include "relax/solver.h"

enum { ROUNDS = 5, LEAST_SHARDS = 2 };
#define SECONDS_A_REPEAT 0.025

typedef struct entry {
    const ffebmi_coupling_kind *kind;
    size_t shape[4]; /* in, out and of images height, width */
    bool pooled;
    int64_t stride;
    int64_t kernel;
    bool gathered; /* by products of matrices, which other methods are to beat */
} entry;

#define CONV2D(in, out, size, pooled)                                                                                  \
    {                                                                                                                  \
        &ffebmi_coupling_conv2d, {in, out, size, size}, pooled, 1, 3, false                                            \
    }
#define STRIDED(in, out, size, kernel)                                                                                 \
    {&ffebmi_coupling_conv2d, {in, out, size, size}, false, 2, kernel, false},                                         \
    {                                                                                                                  \
        &ffebmi_coupling_conv2d, {in, out, size, size}, false, 2, kernel, true                                         \
    }
#define DENSE(in, out)                                                                                                 \
    {                                                                                                                  \
        &ffebmi_coupling_dense, {in, out}, false, 0, 0, false                                                          \
    }

static const entry table[] = {CONV2D(128, 256, 16, true), CONV2D(128, 128, 16, false),
                              CONV2D(256, 256, 8, false), CONV2D(256, 512, 4, false),
                              CONV2D(256, 512, 4, true),  CONV2D(512, 512, 4, false),
                              CONV2D(512, 512, 2, false), CONV2D(32, 32, 14, false),
                              CONV2D(64, 64, 7, false),   DENSE(512, 256),
                              DENSE(4096, 1024),          STRIDED(64, 128, 32, 3),
                              STRIDED(128, 128, 32, 3),   STRIDED(128, 256, 16, 3),
                              STRIDED(256, 512, 8, 3),    STRIDED(128, 256, 32, 1),
                              STRIDED(256, 512, 16, 1)};
enum { TABLE_COUNT = sizeof table / sizeof table[0] };

/* A coupling with all that its passes need, for one team. */
typedef struct prepared {
    const entry *entry;
    const team *team;
    ffebmi_coupling coupling;
    ffebmi_coupling_plan plan;
    size_t shards;
    float *weight;
    float *bias;
    float *packed;
    float *int16; /* weights of passes in 16-bit integers; NULL where there are none */
    float *below; /* rows x units */
    float *above;
    float *drive; /* a worker's, each as large as a shard of the larger layer */
    size_t drive_size;
    uint8_t *switches;
    float *scratch; /* a worker's, each */
    size_t scratch_size;
    float *gradient; /* of the weight */
} prepared;

/* The order matters: up leaves the switches that the others use. */
enum { UP, DOWN, GRADIENT, ROUNDED_UP, ROUNDED_DOWN, DIRECTIONS };
static const char *const directions[DIRECTIONS] = {"up", "down", "gradient", "up_rounded", "down_rounded"};

/* One line of output. */
typedef struct direction_case {
    prepared *p;
    size_t direction;
    size_t passes; /* that make a repeat */
    repeats times;
    repeats busy; /* processor time, for machines with other work to do */
} direction_case;

/* ------------------------------------------------------------------------------------------------------ preparation */

static ffebm_status describe(prepared *p)
{
    const size_t *shape = p->entry->shape;
    bool image = shape[2] > 0;
    int64_t dims[3] = {(int64_t)shape[0], (int64_t)shape[2], (int64_t)shape[3]};
    ffebmi_coupling *c = &p->coupling;

    *c = (ffebmi_coupling){.kind = p->entry->kind, .out = (int64_t)shape[1]};
    c->learnable.bias = true;
    if (image)
        c->window = (ffebmi_window){{p->entry->kernel, p->entry->kernel},
                                    {p->entry->stride, p->entry->stride},
                                    {p->entry->kernel / 2, p->entry->kernel / 2}};
    if (p->entry->pooled) {
        c->pool = ffebmi_pool_kind_of(FFEBM_POOL_MAX);
        c->pool_window = (ffebmi_window){{2, 2}, {2, 2}, {0, 0}};
    }
    FFEBMI_TRY(ffebmi_shape_set(p->team->context, &c->below, dims, image ? 3 : 1, "bench"));
    return c->kind->fit(c, p->team->context, "bench");
}

static float *numbers(const prepared *p, size_t count, uint64_t seed, double scale)
{
    float *memory = ffebmi_allocate(p->team->context, count, sizeof *memory);

    for (size_t i = 0; memory != NULL && i < count; i++)
        memory[i] = (float)(scale * ffebm_random_uniform(seed, i));
    return memory;
}

static bool allocate(prepared *p)
{
    const ffebmi_coupling *c = &p->coupling;
    size_t rows = p->shards * FFEBMI_SHARD, workers = p->team->threads, line = 64 / sizeof(float);

    p->drive_size = FFEBMI_SHARD * (c->below.count > c->above.count ? c->below.count : c->above.count) + line;
    p->scratch_size = (p->plan.scratch / line + 2) * line;
    p->weight = numbers(p, c->parameters[0].shape.count, 1, 0.1);
    p->bias = numbers(p, c->parameters[1].shape.count, 2, 0.1);
    p->packed = numbers(p, p->plan.convolution.packed, 3, 0);
    p->below = numbers(p, rows * c->below.count, 4, 1);
    p->above = numbers(p, rows * c->above.count, 5, 1);
    p->drive = numbers(p, workers * p->drive_size, 6, 0);
    p->scratch = numbers(p, workers * p->scratch_size, 7, 0);
    p->gradient = numbers(p, c->parameters[0].shape.count, 8, 0);
    p->switches = ffebmi_allocate(p->team->context, rows * c->switch_count, 1);
    return p->weight != NULL && p->bias != NULL && p->packed != NULL && p->below != NULL && p->above != NULL &&
           p->drive != NULL && p->scratch != NULL && p->gradient != NULL && p->switches != NULL;
}

/* Weights as passes want them. */
static bool pack(prepared *p)
{
    const ffebmi_convolution *c = &p->plan.convolution;
    size_t units = ffebmi_convolution_pack_units(c, FFEBMI_BOTH);

    if (c->packed > 0)
        ffebmi_convolution_pack(c, FFEBMI_BOTH, p->weight, p->packed, 0, units);
    if (c->int16 == 0)
        return true;
    p->int16 = numbers(p, c->int16, 9, 0);
    if (p->int16 == NULL)
        return false;
    ffebmi_convolution_pack_int16(c, p->packed, p->int16, 0, units);
    return true;
}

static bool prepare(prepared *p, const entry *e, const team *t)
{
    ffebmi_arithmetic arithmetic = ffebmi_arithmetic_for(FFEBM_FLOAT32, 0);
    bool fits;

    if (e->gathered)
        arithmetic.products = NULL;

    *p = (prepared){.entry = e, .team = t};
    p->shards = t->threads > LEAST_SHARDS ? t->threads : LEAST_SHARDS;
    fits = describe(p) == FFEBM_OK;
    if (fits)
        e->kind->plan(&p->coupling, &arithmetic, &p->plan);
    if (!fits || !allocate(p) || !pack(p)) {
        line_skip(e->kind->name, ffebm_context_error(t->context));
        return false;
    }
    return true;
}

static void let_go(prepared *p)
{
    void *all[] = {p->weight, p->bias,  p->packed,  p->int16,    p->below,
                   p->above,  p->drive, p->scratch, p->gradient, p->switches};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        ffebmi_release(p->team->context, all[i]);
}

/* ------------------------------------------------------------------------------------------------------ measurement */

static void pass_shard(void *user, size_t worker, size_t shard)
{
    const direction_case *d = user;
    const prepared *p = d->p;
    const ffebmi_coupling *c = &p->coupling;
    size_t first = shard * FFEBMI_SHARD;
    float *drive = p->drive + worker * p->drive_size;
    ffebmi_coupling_call call = {.plan = &p->plan,
                                 .parameters = (const void *const[]){p->weight, p->bias},
                                 .packed = {.full = p->plan.convolution.packed > 0 ? p->packed : p->weight},
                                 .rows = FFEBMI_SHARD,
                                 .switches = p->switches + first * c->switch_count,
                                 .scratch = p->scratch + worker * p->scratch_size};

    if (d->direction == ROUNDED_UP || d->direction == ROUNDED_DOWN)
        call.packed.int16 = p->int16;
    for (size_t i = 0; i < d->passes; i++) {
        if (d->direction == UP || d->direction == ROUNDED_UP)
            c->kind->up(c, &call, p->below + first * c->below.count, drive);
        else
            c->kind->down(c, &call, false, p->above + first * c->above.count, drive);
    }
}

static void gradient_range(void *user, size_t worker, size_t first, size_t count)
{
    const prepared *p = user;
    const ffebmi_coupling *c = &p->coupling;
    const ffebmi_coupling_contrast contrast = {
        .plan = &p->plan,
        .batch = p->shards * FFEBMI_SHARD,
        .pairs = {.count = 2, .v = {p->above, p->above}, .s = {p->below, p->below}},
        .switches = {p->switches, p->switches},
        .weight = 1,
        .scratch = p->scratch + worker * p->scratch_size};

    c->kind->gradient(c, &contrast, 0, p->gradient, first, count);
}

static double time_passes(direction_case *d)
{
    const prepared *p = d->p;
    double start = clock_now();

    if (d->direction != GRADIENT)
        ffebmi_parallel(p->team->context, p->shards, pass_shard, d);
    for (size_t i = 0; d->direction == GRADIENT && i < d->passes; i++)
        ffebmi_parallel_ranges(p->team->context, p->coupling.units[0], p->coupling.kind->grain, gradient_range, d->p);
    return clock_now() - start;
}

static void measure_once(direction_case *d)
{
    double busy = clock_busy();

    repeats_add(&d->times, time_passes(d));
    repeats_add(&d->busy, clock_busy() - busy);
}

/* Warm up, leave switches where up puts them, and find how many passes make a repeat long enough. */
static void calibrate(direction_case *d)
{
    double seconds;

    d->passes = 1;
    time_passes(d);
    seconds = time_passes(d);
    d->passes = seconds >= SECONDS_A_REPEAT ? 1 : (size_t)(SECONDS_A_REPEAT / seconds) + 1;
}

/* Of one pass of all rows; multiply-adds with the padding, and those with zeros that unpooling leaves, count too. A
 * gradient has two products, difference with mean and mean with difference. */
static double flops_of(const direction_case *d)
{
    const prepared *p = d->p;
    double rows = (double)(p->shards * FFEBMI_SHARD), weights = (double)p->coupling.parameters[0].shape.count;

    return (d->direction == GRADIENT ? 2 : 1) * 2 * rows * weights * (double)p->plan.convolution.out_pixels;
}

static void print(const direction_case *d)
{
    const prepared *p = d->p;
    double work = flops_of(d) * (double)d->passes * 1e-9, gflops = work / repeats_median(&d->times);

    line_begin("coupling");
    line_text("kind", p->entry->kind->name);
    line_shape("shape", p->entry->shape, p->entry->shape[2] > 0 ? 4 : 2);
    if (p->entry->kernel > 0)
        line_shape("kernel, stride", (size_t[]){(size_t)p->entry->kernel, (size_t)p->entry->stride}, 2);
    line_flag("pool", p->entry->pooled);
    line_text("method", p->plan.convolution.method->name);
    line_text("direction", directions[d->direction]);
    line_count("rows", p->shards * FFEBMI_SHARD);
    line_count("threads", p->team->threads);
    line_number("gflops", gflops);
    line_number("fraction_of_peak", gflops / p->team->peak);
    line_number("busy_fraction_of_peak", work / repeats_median(&d->busy) / p->team->busy_peak);
    line_number("spread", repeats_spread(&d->times));
    line_end();
}

static void measure_all(direction_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        calibrate(&cases[i]);
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < count; i++)
            measure_once(&cases[i]);
    for (size_t i = 0; i < count; i++)
        print(&cases[i]);
}

void coupling_measure(const team teams[TEAM_COUNT], size_t count)
{
    static prepared all[TABLE_COUNT * TEAM_COUNT];
    static direction_case cases[DIRECTIONS * TABLE_COUNT * TEAM_COUNT];
    size_t used = 0, kept = 0;

    for (size_t e = 0; e < TABLE_COUNT; e++)
        for (size_t t = 0; t < count; t++) {
            prepared *p = &all[kept];

            if (!prepare(p, &table[e], &teams[t])) {
                let_go(p);
                continue;
            }
            kept++;
            for (size_t d = 0; d < (p->int16 != NULL ? DIRECTIONS : ROUNDED_UP); d++)
                cases[used++] = (direction_case){.p = p, .direction = d};
        }
    measure_all(cases, used);
    for (size_t i = 0; i < kept; i++)
        let_go(&all[i]);
}
