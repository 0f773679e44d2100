/* cluster.c - how far does a model scale? What a step costs on this machine, what ranks have to add up in it, and what both come
 * to on 1 to 1,024 ranks.
 *
 *   cluster --model examples/models/scaling_large_1000.json --threads 2 --latency 30 --bandwidth 2.5
 *   mpirun -n 2 cluster --model M.json          (make MPI=1) measures the network too, and a step of these ranks
 *
 * A step is a gradient and an update on random images. Of r ranks, each sum of n bytes is taken to need the shorter of
 *   log2(r) (latency + n / bandwidth)    and    2 log2(r) latency + 2 (r - 1) / r n / bandwidth,
 * as implementations of MPI_Allreduce do for small and for large ones; and all wait for the slowest, which among r ranks takes
 * sqrt(2 ln r) standard deviations longer than the mean. docs/cluster.md explains the tables.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ffebm.h>

#include "support/blas_threads.h"
#include "support/meter.h"
#include "support/model_file.h"
#include "support/options.h"
#include "support/progress.h"
#include "support/ranks.h"

enum { SUMS = 4096, POINTS = 3, MOST_RANKS = 1024, SUM_REPEATS = 20 };

struct settings {
    const char *model;
    int64_t batch;
    int64_t local;
    int64_t threads;
    int64_t steps;
    double seconds;
    double latency;   /* microseconds */
    double bandwidth; /* GB/s */
};

#define AT(field) offsetof(struct settings, field)
/* clang-format off */
static const struct option options[] = {
    {"model", "FILE.json", "description of the model", NULL, AT(model), 0, 0, OPTION_PATH},
    {"batch", "N", "samples of all ranks together, for strong scaling; 0: the recipe's", NULL, AT(batch), 0, 1000000, OPTION_INTEGER},
    {"local", "N", "samples of each rank, for weak scaling", NULL, AT(local), 1, 1000000, OPTION_INTEGER},
    {"threads", "N", "of each rank", NULL, AT(threads), 1, 1024, OPTION_INTEGER},
    {"steps", "N", "timed, of each size of batch", NULL, AT(steps), 1, 1000000, OPTION_INTEGER},
    {"seconds", "S", "that a step of --local samples takes, as a log says: what is timed is scaled to it", NULL, AT(seconds), 0, 0, OPTION_POSITIVE},
    {"latency", "US", "of the network, in microseconds (default 30, or as measured)", NULL, AT(latency), 0, 0, OPTION_POSITIVE},
    {"bandwidth", "GB/S", "of a rank's connection (default 2.5, or as measured)", NULL, AT(bandwidth), 0, 0, OPTION_POSITIVE},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};
/* clang-format on */

/* What is known of a step. */
struct profile {
    size_t rows[POINTS]; /* of the batches timed, rising */
    double seconds[POINTS];
    double spread; /* standard deviation of a step's seconds, as a part of them */
    size_t count;  /* sums of a step, */
    double bytes[SUMS];
    double most; /* bytes of the largest of them */
    double latency;
    double bandwidth;
    double mpi_mib; /* of memory, from the beginning */
};

struct cluster {
    struct settings settings;
    struct ranks ranks;
    struct failure failure;
    struct profile profile;
};

/* ------------------------------------------------------------------------------------------------------------ a step */

/* One rank of no others: what is summed stays as it is, and is noted. */
static int32_t note_sum(void *user, void *values, size_t count, int32_t dtype)
{
    struct profile *profile = user;
    const double bytes = (double)count * (dtype == FFEBM_FLOAT32 ? 4 : 8);

    (void)values;
    if (profile->count == SUMS)
        return 1;
    profile->bytes[profile->count++] = bytes;
    profile->most = bytes > profile->most ? bytes : profile->most;
    return 0;
}

struct bench {
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    struct random_batch batch;
};

static ffebm_status bench_open(struct bench *b, struct cluster *c, size_t rows, ffebm_reduce_fn reduce, void *user)
{
    ffebm_context_config config;
    ffebm_engine_config engine;
    ffebm_status status;

    *b = (struct bench){0};
    ffebm_context_config_init(&config, sizeof config);
    ffebm_engine_config_init(&engine, sizeof engine);
    config.threads = (int32_t)c->settings.threads;
    config.reduce = reduce;
    config.reduce_user = user;
    engine.max_batch = rows;
    if ((status = ffebm_context_create(&b->context, &config)) == FFEBM_OK &&
        (status = model_file_read(b->context, &b->model, c->settings.model, 0, &c->failure)) == FFEBM_OK &&
        (status = ffebm_model_initialize(b->model, 1)) == FFEBM_OK &&
        (status = ffebm_engine_create(&b->engine, b->model, &engine)) == FFEBM_OK &&
        (status = ffebm_recipe_optimizer(&b->optimizer, b->model, NULL)) == FFEBM_OK)
        status = random_batch_create(&b->batch, b->context, b->model, (int64_t)rows);
    return status;
}

/* Of all threads: what other programs take does not show in it. */
static double busy_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The wall's seconds, and the processors'. */
struct times {
    double wall;
    double busy;
};

static ffebm_status bench_step(struct bench *b, uint64_t seed, struct times *times)
{
    ffebm_status status = random_batch_draw(&b->batch, b->model, seed);
    const struct times started = {progress_clock(), busy_clock()};

    if (status == FFEBM_OK)
        status = ffebm_engine_gradient(b->engine, NULL, b->batch.images, b->batch.labels, NULL);
    if (status == FFEBM_OK)
        status = ffebm_optimizer_step(b->optimizer, b->engine);
    *times = (struct times){progress_clock() - started.wall, busy_clock() - started.busy};
    return status;
}

/* The sentence is there, or in the context. */
static int bench_close(struct bench *b, struct cluster *c, ffebm_status status)
{
    if (status != FFEBM_OK && c->failure.text[0] == '\0')
        failure_set(&c->failure, "%s", ffebm_context_error(b->context));
    random_batch_destroy(&b->batch);
    ffebm_optimizer_destroy(b->optimizer);
    ffebm_engine_destroy(b->engine);
    ffebm_model_destroy(b->model);
    ffebm_context_destroy(b->context);
    return status == FFEBM_OK ? 0 : -1;
}

/* The mean of some steps, after one that warms up, and their spread: standard deviation, as a part of the mean. */
static int time_steps(struct cluster *c, size_t rows, ffebm_reduce_fn reduce, void *user, double *mean, double *spread)
{
    struct bench b;
    ffebm_status status = bench_open(&b, c, rows, reduce, user);
    const double steps = (double)c->settings.steps;
    double wall = 0, busy = 0, squares = 0;
    struct times times;

    if (status == FFEBM_OK)
        status = bench_step(&b, 0, &times);
    for (int64_t i = 0; i < c->settings.steps && status == FFEBM_OK; i++) {
        status = bench_step(&b, (uint64_t)(1 + i + c->ranks.rank * c->settings.steps), &times);
        wall += times.wall;
        busy += times.busy;
        squares += times.busy * times.busy;
    }
    *mean = wall / steps;
    *spread = busy > 0 ? sqrt(fmax(0, squares * steps / (busy * busy) - 1)) : 0;
    return bench_close(&b, c, status);
}

static int measure_steps(struct cluster *c)
{
    struct profile *p = &c->profile;
    double scale;
    const size_t rows[POINTS] = {1, c->settings.local > 16 ? (size_t)c->settings.local / 4 : 2,
                                 (size_t)c->settings.local};

    for (size_t i = 0; i < POINTS; i++) {
        p->rows[i] = i > 0 && rows[i] <= p->rows[i - 1] ? p->rows[i - 1] + 1 : rows[i];
        if (time_steps(c, p->rows[i], NULL, NULL, &p->seconds[i], &p->spread) != 0)
            return -1;
    }
    scale = c->settings.seconds > 0 ? c->settings.seconds / p->seconds[POINTS - 1] : 1;
    for (size_t i = 0; i < POINTS; i++)
        p->seconds[i] *= scale;
    return 0;
}

static int count_sums(struct cluster *c)
{
    struct bench b;
    struct times times;
    ffebm_status status = bench_open(&b, c, 1, note_sum, &c->profile);

    if (status == FFEBM_OK)
        status = bench_step(&b, 0, &times);
    return bench_close(&b, c, status);
}

/* ------------------------------------------------------------------------------------------------------- the network */

static double time_sum(struct cluster *c, double *values, size_t count)
{
    double started = 0, zero = 0;

    for (int i = -1; i < SUM_REPEATS; i++) {
        if (i == 0)
            started = progress_clock();
        ranks_largest(&c->ranks, &zero, 1); /* together */
        c->ranks.reduce(c->ranks.user, values, count, FFEBM_FLOAT64);
    }
    return (progress_clock() - started) / SUM_REPEATS;
}

static void measure_network(struct cluster *c)
{
    struct profile *p = &c->profile;
    const size_t count = (size_t)(p->most / sizeof(double)) + 1;
    const double rounds = ceil(log2(c->ranks.count)), share = 2.0 * (c->ranks.count - 1) / c->ranks.count;
    double *values = calloc(count, sizeof *values);
    double few, many;

    if (values != NULL) {
        few = time_sum(c, values, 8) / 2; /* beside the one that keeps them together */
        many = time_sum(c, values, count) - few;
        if (c->settings.latency == 0)
            p->latency = few / rounds;
        if (c->settings.bandwidth == 0)
            p->bandwidth = share * (double)count * sizeof *values / fmax(many - 2 * rounds * p->latency, 1e-9);
    }
    free(values);
}

/* --------------------------------------------------------------------------------------------------------- the model */

/* Of a step on so many samples, by straight lines between what was measured. */
static double step_seconds(const struct profile *p, double rows)
{
    const size_t i = rows < (double)p->rows[1] ? 0 : 1;
    const double slope = (p->seconds[i + 1] - p->seconds[i]) / (double)(p->rows[i + 1] - p->rows[i]);

    return fmax(p->seconds[0], p->seconds[i] + slope * (rows - (double)p->rows[i]));
}

static double sum_seconds(const struct profile *p, double bytes, int32_t ranks)
{
    const double rounds = ceil(log2(ranks)), sent = bytes / p->bandwidth;

    return fmin(rounds * (p->latency + sent), 2 * rounds * p->latency + 2.0 * (ranks - 1) / ranks * sent);
}

static double sums_seconds(const struct profile *p, int32_t ranks)
{
    double seconds = 0;

    for (size_t i = 0; i < p->count; i++)
        seconds += sum_seconds(p, p->bytes[i], ranks);
    return seconds;
}

/* Until the slowest of the ranks is ready. */
static double waiting(const struct profile *p, double step, int32_t ranks)
{
    return ranks > 1 ? step * p->spread * sqrt(2 * log(ranks)) : 0;
}

static double predicted(const struct profile *p, int32_t ranks, double rows)
{
    const double alone = step_seconds(p, rows);

    return alone + waiting(p, alone, ranks) + sums_seconds(p, ranks);
}

/* `ideal` is what the step would take if ranks cost nothing. */
static void print_row(const struct profile *p, int32_t ranks, double rows, double samples, double ideal)
{
    const double step = predicted(p, ranks, rows), sums = sums_seconds(p, ranks);

    printf("%8d %10g %12.4g %14.4g %12.3f %11.1f%% %12.3f\n", (int)ranks, rows, step, samples / step, ideal / step,
           100 * sums / step, ideal / (step - sums));
}

static const char heading[] = "   ranks    samples       step s      samples/s   efficiency    of it sums   if all hid";

/* Each rank has as many samples, however many ranks there are. */
static void print_weak(const struct cluster *c)
{
    const double rows = (double)c->settings.local;

    printf("\nweak scaling, %g samples a rank\n%s\n", rows, heading);
    for (int32_t ranks = 1; ranks <= MOST_RANKS; ranks *= 2)
        print_row(&c->profile, ranks, rows, rows * ranks, step_seconds(&c->profile, rows));
}

/* All ranks together have the same samples. */
static void print_strong(const struct cluster *c)
{
    const double batch = (double)c->settings.batch;

    printf("\nstrong scaling, %g samples of all ranks together\n%s\n", batch, heading);
    for (int32_t ranks = 1; ranks <= MOST_RANKS && ranks <= batch; ranks *= 2)
        print_row(&c->profile, ranks, ceil(batch / ranks), batch, step_seconds(&c->profile, batch) / ranks);
}

static void print_profile(const struct cluster *c)
{
    const struct profile *p = &c->profile;
    double bytes = 0;

    for (size_t i = 0; i < p->count; i++)
        bytes += p->bytes[i];
    printf("%s, %d threads a rank\n", c->settings.model, (int)c->settings.threads);
    for (size_t i = 0; i < POINTS; i++)
        printf("a step of %zu samples takes %.4g s\n", p->rows[i], p->seconds[i]);
    printf("steps vary by %.2g of their time\n", p->spread);
    printf("a step adds up %zu times, %.4g MB in all, %.4g MB of them at once\n", p->count, bytes / 1e6, p->most / 1e6);
    if (ranks_are_many(&c->ranks))
        printf("before anything is computed, MPI has taken %.3g MiB of a rank\n", p->mpi_mib);
    printf("network: latency %.3g us, bandwidth %.3g GB/s\n", 1e6 * p->latency, p->bandwidth / 1e9);
}

/* What these ranks take indeed. */
static int compare(struct cluster *c)
{
    const int32_t ranks = c->ranks.count;
    const double local = (double)c->settings.local, part = ceil((double)c->settings.batch / ranks);
    const double rows[2] = {local, part};

    for (int i = 0; i < 2; i++) {
        double seconds, spread;

        if (time_steps(c, (size_t)rows[i], c->ranks.reduce, c->ranks.user, &seconds, &spread) != 0)
            return -1;
        if (c->ranks.rank == 0)
            printf("%s%d ranks of %g samples: a step takes %.4g s, predicted %.4g s\n", i == 0 ? "\n" : "", (int)ranks,
                   rows[i], seconds, predicted(&c->profile, ranks, rows[i]));
    }
    return 0;
}

/* -------------------------------------------------------------------------------------------------------------- main */

static int read_batch(struct cluster *c)
{
    ffebm_recipe recipe = {.size = sizeof recipe};
    struct bench b = {0};
    ffebm_status status = ffebm_context_create(&b.context, NULL);

    if (status == FFEBM_OK &&
        (status = model_file_read(b.context, &b.model, c->settings.model, 0, &c->failure)) == FFEBM_OK)
        status = ffebm_model_recipe(b.model, &recipe);
    if (c->settings.batch == 0)
        c->settings.batch = recipe.batch;
    return bench_close(&b, c, status);
}

static int measure(struct cluster *c)
{
    struct profile *p = &c->profile;

    p->latency = (c->settings.latency > 0 ? c->settings.latency : 30) * 1e-6;
    p->bandwidth = (c->settings.bandwidth > 0 ? c->settings.bandwidth : 2.5) * 1e9;
    if (read_batch(c) != 0 || measure_steps(c) != 0 || count_sums(c) != 0)
        return -1;
    ranks_largest(&c->ranks, p->seconds, POINTS);
    if (ranks_are_many(&c->ranks))
        measure_network(c);
    return 0;
}

static int run(struct cluster *c, int argc, char **argv)
{
    if (options_parse(&c->settings, options, argc, argv, &c->failure) != 0)
        return -1;
    if (c->settings.model == NULL)
        return failure_set(&c->failure, "--model: not given, expected a model description");
    if (measure(c) != 0)
        return -1;
    if (c->ranks.rank == 0) {
        print_profile(c);
        print_weak(c);
        print_strong(c);
    }
    return ranks_are_many(&c->ranks) ? compare(c) : 0;
}

int main(int argc, char **argv)
{
    static struct cluster cluster = {.settings = {.local = 64, .threads = 1, .steps = 3}};
    int code;

    blas_threads_one();
    cluster.profile.mpi_mib = -meter_peak_mib();
    if (ranks_begin(&cluster.ranks, &argc, &argv) != 0)
        return EXIT_FAILURE;
    cluster.profile.mpi_mib += meter_peak_mib();
    code = run(&cluster, argc, argv) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (code != EXIT_SUCCESS && cluster.ranks.rank == 0)
        fprintf(stderr, "cluster: %s\n", cluster.failure.text);
    ranks_end(&cluster.ranks);
    return code;
}
