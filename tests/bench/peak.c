#include "peak.h"

#include "arrays/arrays.h"
#include "clock.h"
#include "core/context.h"
#include "core/parallel.h"
#include "line.h"

/* ------------------------------------------------------------------------------------------- multiply-adds, at best */

/* Twelve independent chains of multiply-adds in registers: enough to hide the latency of two units. The numbers stay
 * near 1. Steps of the loop: FLOPS_PER_LANE for each lane of a vector. */
#define EACH_CHAIN(X, f)                                                                                               \
    X(0, f) X(1, f) X(2, f) X(3, f) X(4, f) X(5, f) X(6, f) X(7, f) X(8, f) X(9, f) X(10, f) X(11, f)
enum { FLOPS_PER_LANE = 12 * 2 };

#define START(i, all) a##i = all(seed + (i)*0.01F),
#define STEP(i, fused) a##i = fused(a##i, factor, term);
#define JOIN(i, unused) sum = sum + a##i;
#define DEFINE_CHAINS(name, attributes, vector, all, fused)                                                            \
    attributes static float name(size_t steps, float seed)                                                             \
    {                                                                                                                  \
        vector EACH_CHAIN(START, all) factor = all(seed * 0.5F), term = all(seed * 0.5F), sum = all(0);                \
                                                                                                                       \
        for (size_t i = 0; i < steps; i++) {                                                                           \
            EACH_CHAIN(STEP, fused)                                                                                    \
        }                                                                                                              \
        EACH_CHAIN(JOIN, )                                                                                             \
        return sum[0];                                                                                                 \
    }

typedef struct chains {
    float (*run)(size_t steps, float seed);
    const char *name;
    size_t lanes;
} chains;

/* Vectors of the compiler's own, four lanes wide as on most machines; it may fuse here, and only here. */
typedef float four __attribute__((vector_size(16)));

#if defined(__clang__)
#define FUSED_HERE
#pragma clang fp contract(fast)
#else
#define FUSED_HERE __attribute__((optimize("fp-contract=fast")))
#endif
#define FOUR_ALL(x) ((four){(x), (x), (x), (x)})
#define FOUR_FMA(a, b, c) ((a) * (b) + (c))
DEFINE_CHAINS(run_portable, FUSED_HERE, four, FOUR_ALL, FOUR_FMA)
#if defined(__clang__)
#pragma clang fp contract(off)
#endif

#if defined(__x86_64__)
#include <immintrin.h>

DEFINE_CHAINS(run_avx512, __attribute__((target("avx512f"))), __m512, _mm512_set1_ps, _mm512_fmadd_ps)
DEFINE_CHAINS(run_avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps, _mm256_fmadd_ps)

static chains best_chains(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return (chains){run_avx512, "avx512", 16};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (chains){run_avx2, "avx2", 8};
    return (chains){run_portable, "portable", 4};
}
#else
static chains best_chains(void)
{
    return (chains){run_portable, "portable", 4};
}
#endif

enum { PEAK_STEPS = 2000000, PEAK_RUNS = 32 };

typedef struct chains_job {
    chains c;
    volatile float *results; /* [piece]: so that the work is not optimised away */
} chains_job;

static void run_chains(void *user, size_t worker, size_t index)
{
    const chains_job *job = user;

    (void)worker;
    job->results[index] = job->c.run(PEAK_STEPS, 1);
}

void peak_measure(team *t)
{
    chains_job job = {.c = best_chains()};
    repeats r = {0}, busy = {0};
    double flops = (double)t->threads * PEAK_STEPS * (double)(job.c.lanes * FLOPS_PER_LANE);

    job.results = ffebmi_allocate(t->context, t->threads, sizeof *job.results);
    if (job.results == NULL) {
        line_skip("peak", "no memory");
        return;
    }
    for (size_t i = 0; i < PEAK_RUNS; i++) {
        double start = clock_now(), start_busy = clock_busy();

        ffebmi_parallel(t->context, t->threads, run_chains, &job);
        repeats_add(&r, clock_now() - start);
        repeats_add(&busy, clock_busy() - start_busy);
    }
    t->peak = flops / repeats_best(&r) * 1e-9;
    t->busy_peak = flops / repeats_best(&busy) * 1e-9;
    line_begin("peak");
    line_text("precision", "float32");
    line_text("instructions", job.c.name);
    line_count("threads", t->threads);
    line_number("gflops", t->peak);
    line_number("busy_gflops", t->busy_peak); /* in a second of processor time */
    line_number("spread", repeats_spread(&r));
    line_end();
    ffebmi_release(t->context, (void *)(uintptr_t)job.results);
}

/* ---------------------------------------------------------------------------------------------- the matrix product */

enum { BLAS_SIZE = 1024, BLAS_RUNS = 5 };

typedef struct product {
    const ffebmi_arrays *arrays;
    float *a;
    float *b;
    float *c; /* [thread]: a matrix for each */
} product;

static void multiply(void *user, size_t worker, size_t index)
{
    const product *p = user;
    const size_t n = BLAS_SIZE;

    (void)worker;
    p->arrays->gemm(&(ffebmi_matrix_product){.m = n,
                                             .n = n,
                                             .k = n,
                                             .alpha = 1,
                                             .a = p->a,
                                             .a_stride = n,
                                             .b = p->b,
                                             .b_stride = n,
                                             .c = p->c + index * n * n,
                                             .c_stride = n});
}

static void print_blas(const team *t, const repeats *r)
{
    double flops = 2.0 * BLAS_SIZE * BLAS_SIZE * BLAS_SIZE * (double)t->threads;
    double gflops = flops / repeats_median(r) * 1e-9;

    line_begin("blas");
    line_shape("shape", (size_t[]){BLAS_SIZE, BLAS_SIZE, BLAS_SIZE}, 3);
    line_count("threads", t->threads);
    line_number("gflops", gflops);
    line_number("fraction_of_peak", gflops / t->peak);
    line_number("spread", repeats_spread(r));
    line_end();
}

void peak_measure_blas(const team *t)
{
    const size_t matrix = (size_t)BLAS_SIZE * BLAS_SIZE;
    product p = {.arrays = ffebmi_arrays_for(FFEBM_FLOAT32, 0)};
    repeats r = {0};

    p.a = ffebmi_allocate(t->context, (2 + t->threads) * matrix, sizeof *p.a);
    if (p.a == NULL) {
        line_skip("blas", "no memory");
        return;
    }
    p.b = p.a + matrix;
    p.c = p.b + matrix;
    for (size_t i = 0; i < 2 * matrix; i++)
        p.a[i] = (float)(i % 17) / 17;
    ffebmi_parallel(t->context, t->threads, multiply, &p); /* to warm up */
    for (size_t i = 0; i < BLAS_RUNS; i++) {
        double start = clock_now();

        ffebmi_parallel(t->context, t->threads, multiply, &p);
        repeats_add(&r, clock_now() - start);
    }
    print_blas(t, &r);
    ffebmi_release(t->context, p.a);
}
