/* Do small networks settle? Draws chains of one or two Hopfield blocks at random, trains each from its first values, and
 * counts the samples that do not settle within the sweeps. This is how the library's defaults were chosen.
 *
 *   settling [--nets 40] [--steps 400] [--seed 0] [--slope A] [--coupling-gain G] [--map-gain G] [--map-bias B] ..
 *
 * A net is dense (vectors of 2 to 32 numbers) or convolutional (images of 4 to 8 pixels a side), has one or two blocks of
 * 1 to 4 layers, each behind a map of its own, with or without batch normalisation and pools, and a linear readout.
 * Its data are made on the spot: noise around two centres for each of 2 to 6 classes. Steps are Adam's with its defaults,
 * on batches drawn anew. What no option says is the library's default.
 *
 * Prints a line a net: what it is; how many of a thousand samples missed a tolerance, in free and in nudged phases, in any
 * block; the smallest cosine of a certificate over 8 samples before the first step, in the middle and at the end; and how
 * many of 256 new samples it gets right. The last line sums up. A sample is counted once for each block and phase that it
 * misses, so that the share of settled ones is at least what is printed. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

#include "support/blas_threads.h"
#include "support/failure.h"
#include "support/options.h"

enum { BATCH = 16, TESTED = 256, CERTIFIED = 8, CENTRES = 2, CERTIFICATES = 3, TEXT = 8192, LABEL = 160 };

struct settings {
    int64_t nets;
    int64_t steps;
    int64_t seed;
    int64_t only;
    int64_t free_sweeps;
    int64_t nudged_sweeps;
    double slope;
    double coupling_gain;
    double map_gain;
    double map_bias;
    double coupling_bias;
    double lr;
    double beta;
    double relaxation;
    int32_t clamp_last;
    int32_t describe;
};

#define AT(field) offsetof(struct settings, field)

/* clang-format off */
static const struct option options[] = {
    {"nets", "N", "how many networks", NULL, AT(nets), 1, 100000, OPTION_INTEGER},
    {"steps", "N", "of training", NULL, AT(steps), 1, 1000000, OPTION_INTEGER},
    {"seed", "N", "of networks, first values and data", NULL, AT(seed), 0, INT64_MAX, OPTION_INTEGER},
    {"only", "N", "network N alone, counted from 0; -1: all", NULL, AT(only), -1, 100000, OPTION_INTEGER},
    {"slope", "A", "of the hard sigmoid; nan: the library's, as below", NULL, AT(slope), 0, 0, OPTION_POSITIVE},
    {"coupling-gain", "G", "of the first weights of couplings", NULL, AT(coupling_gain), 0, 0, OPTION_POSITIVE},
    {"coupling-bias", "B", "their first bias", NULL, AT(coupling_bias), 0, 0, OPTION_NUMBER},
    {"map-gain", "G", "of the first weights of maps in front of a block", NULL, AT(map_gain), 0, 0, OPTION_POSITIVE},
    {"map-bias", "B", "their first bias", NULL, AT(map_bias), 0, 0, OPTION_NUMBER},
    {"lr", "X", "learning rate", NULL, AT(lr), 0, 0, OPTION_POSITIVE},
    {"beta", "B", "strength of the nudging", NULL, AT(beta), 0, 0, OPTION_POSITIVE},
    {"free-sweeps", "N", "at most; 0: the library's", NULL, AT(free_sweeps), 0, 1000000, OPTION_INTEGER},
    {"nudged-sweeps", "N", "at most; 0: the library's", NULL, AT(nudged_sweeps), 0, 1000000, OPTION_INTEGER},
    {"relaxation", "X", "of sweeps", NULL, AT(relaxation), 0, 0, OPTION_POSITIVE},
    {"clamp-last", NULL, "clamp the last layer of every block as the others", NULL, AT(clamp_last), 0, 0, OPTION_FLAG},
    {"describe", NULL, "print the descriptions of the networks, and do not train", NULL, AT(describe), 0, 0, OPTION_FLAG},
    {NULL, NULL, NULL, NULL, 0, 0, 0, 0}};
/* clang-format on */

/* One network with its data. */
struct net {
    const struct settings *settings;
    uint64_t stream;
    uint64_t draws;
    char json[TEXT];
    char label[LABEL];
    int64_t input[3];
    size_t rank;
    int64_t classes;

    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *x;
    ffebm_tensor *y;
    float *values;
    int64_t *labels;
};

/* What has been counted of one, or of all. */
struct count {
    size_t samples;   /* of all steps */
    size_t missed[2]; /* FFEBM_PHASE_FREE - 1, FFEBM_PHASE_NUDGED - 1 */
    size_t certified;
    size_t certificates;
    double cosine[CERTIFICATES];
    double accuracy;
};

/* ------------------------------------------------------------------------------------------------ drawing a network */

/* A number from least to most. */
static int64_t draw(struct net *net, int64_t least, int64_t most)
{
    return least + (int64_t)((double)(most - least + 1) * ffebm_random_uniform(net->stream, net->draws++));
}

static void append(char *to, size_t capacity, const char *format, ...)
{
    size_t length = strlen(to);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(to + length, capacity - length, format, arguments);
    va_end(arguments);
}

#define JSON(net, ...) append((net)->json, TEXT, __VA_ARGS__)
#define SAY(net, ...) append((net)->label, LABEL, __VA_ARGS__)

static void add_initialization(struct net *net, double gain, double bias)
{
    if (isnan(gain) && isnan(bias))
        return;
    JSON(net, ", \"initialization\": {\"type\": \"uniform\", \"gain\": %.17g", isnan(gain) ? 1 : gain);
    if (!isnan(bias))
        JSON(net, ", \"bias\": %.17g", bias);
    JSON(net, "}");
}

/* An op or coupling, open: a linear map of a vector, a convolution that keeps the size of an image. */
static void add_map(struct net *net, const char *dense, int64_t out)
{
    if (net->rank == 1)
        JSON(net, "{\"type\": \"%s\", \"out_features\": %d", dense, (int)out);
    else
        JSON(net, "{\"type\": \"conv2d\", \"out_channels\": %d, \"kernel\": 3, \"padding\": 1", (int)out);
}

static int64_t draw_width(struct net *net)
{
    return net->rank == 1 ? draw(net, 8, 32) : draw(net, 4, 8);
}

static void add_coupling(struct net *net, int64_t *side)
{
    const struct settings *s = net->settings;
    int64_t width = draw_width(net);
    int pooled = net->rank == 3 && *side >= 4 && *side % 2 == 0 && draw(net, 0, 2) == 0;

    add_map(net, "dense", width);
    if (pooled) {
        JSON(net, ", \"pool\": {\"type\": \"max\", \"kernel\": 2}");
        *side /= 2;
    }
    add_initialization(net, s->coupling_gain, s->coupling_bias);
    JSON(net, "}");
    SAY(net, "-%d%s", (int)width, pooled ? "p" : "");
}

static void add_block(struct net *net, int64_t *side)
{
    const struct settings *s = net->settings;
    int normalised = net->rank == 3 && draw(net, 0, 1) == 1;
    int64_t couplings = draw(net, 0, 3), width = draw_width(net);

    JSON(net, "{\"feedforward\": [");
    add_map(net, "linear", width);
    add_initialization(net, s->map_gain, s->map_bias);
    JSON(net, "}%s]}, {\"energy\": {\"type\": \"hopfield\", ", normalised ? ", {\"type\": \"batchnorm2d\"}" : "");
    if (!isnan(s->slope))
        JSON(net, "\"activation\": {\"type\": \"hard_sigmoid\", \"slope\": %.17g}, ", s->slope);
    JSON(net, "%s\"couplings\": [", s->clamp_last ? "\"clamp_last\": true, " : "");
    SAY(net, " %d%s", (int)width, normalised ? "n" : "");
    for (int64_t i = 0; i < couplings; i++) {
        JSON(net, i == 0 ? "" : ", ");
        add_coupling(net, side);
    }
    JSON(net, "]}}, ");
}

static void draw_net(struct net *net)
{
    int images = (int)draw(net, 0, 1);
    int64_t side = 2 * draw(net, 2, 4), blocks = draw(net, 1, 2);

    net->rank = images ? 3 : 1;
    net->classes = draw(net, 2, 6);
    net->input[0] = images ? draw(net, 1, 3) : draw(net, 2, 32);
    net->input[1] = net->input[2] = images ? side : 1;
    if (images)
        JSON(net, "{\"input\": [%d, %d, %d]", (int)net->input[0], (int)side, (int)side);
    else
        JSON(net, "{\"input\": [%d]", (int)net->input[0]);
    if (images)
        SAY(net, "%dx%dx%d", (int)net->input[0], (int)side, (int)side);
    else
        SAY(net, "%d", (int)net->input[0]);
    JSON(net, ", \"loss\": \"cross_entropy\", \"stages\": [");
    for (int64_t i = 0; i < blocks; i++)
        add_block(net, &side);
    JSON(net, "{\"feedforward\": [%s{\"type\": \"linear\", \"out_features\": %d}]}]}",
         images ? "{\"type\": \"flatten\"}, " : "", (int)net->classes);
    SAY(net, " %d", (int)net->classes);
}

/* ------------------------------------------------------------------------------------------------------------ its data */

/* Samples of unit variance around the centres, those of one step. */
static void fill(struct net *net, size_t rows, uint64_t step)
{
    uint64_t numbers = (uint64_t)(net->input[0] * net->input[1] * net->input[2]), stream = net->stream + 1;

    for (uint64_t n = 0; n < rows; n++) {
        uint64_t sample = step * TESTED + n;
        uint64_t centre = (uint64_t)((double)(net->classes * CENTRES) * ffebm_random_uniform(stream, sample));

        net->labels[n] = (int64_t)centre % net->classes;
        for (uint64_t i = 0; i < numbers; i++)
            net->values[n * numbers + i] = (float)(0.8 * ffebm_random_normal(stream + 1, centre * numbers + i) +
                                                   0.6 * ffebm_random_normal(stream + 2, sample * numbers + i));
    }
}

static ffebm_status wrap(struct net *net, size_t rows)
{
    int64_t shape[4] = {(int64_t)rows, net->input[0], net->input[1], net->input[2]};
    ffebm_status status;

    ffebm_tensor_destroy(net->x);
    ffebm_tensor_destroy(net->y);
    net->y = NULL;
    status = ffebm_tensor_wrap(net->context, &net->x, net->values, FFEBM_FLOAT32, shape, net->rank + 1);
    return status != FFEBM_OK ? status : ffebm_tensor_wrap(net->context, &net->y, net->labels, FFEBM_INT64, shape, 1);
}

/* ------------------------------------------------------------------------------------------------------------ training */

static ffebm_status configure(struct net *net)
{
    const struct settings *s = net->settings;
    ffebm_equilibrium_config config = {.size = sizeof config};
    ffebm_status status = ffebm_model_equilibrium(net->model, &config);

    if (status != FFEBM_OK)
        return status;
    if (s->free_sweeps > 0)
        config.free_sweeps = s->free_sweeps;
    if (s->nudged_sweeps > 0)
        config.nudged_sweeps = s->nudged_sweeps;
    if (!isnan(s->beta))
        config.beta = s->beta;
    if (!isnan(s->relaxation))
        config.relaxation = s->relaxation;
    return ffebm_engine_configure(net->engine, FFEBM_ALL, &config);
}

static ffebm_status begin(struct net *net, uint64_t seed)
{
    size_t numbers = (size_t)(net->input[0] * net->input[1] * net->input[2]);
    ffebm_context_config context;
    ffebm_engine_config engine;
    ffebm_adam_config adam;
    ffebm_status status;

    ffebm_context_config_init(&context, sizeof context);
    context.threads = 1;
    ffebm_engine_config_init(&engine, sizeof engine);
    engine.max_batch = BATCH;
    ffebm_adam_config_init(&adam, sizeof adam);
    if (!isnan(net->settings->lr))
        adam.learning_rate = net->settings->lr;
    net->values = malloc(TESTED * numbers * sizeof *net->values);
    net->labels = malloc(TESTED * sizeof *net->labels);
    if (net->values == NULL || net->labels == NULL)
        return FFEBM_ERR_NOMEM;
    if ((status = ffebm_context_create(&net->context, &context)) != FFEBM_OK ||
        (status = ffebm_model_parse(net->context, &net->model, net->json, strlen(net->json), NULL)) != FFEBM_OK ||
        (status = ffebm_model_initialize(net->model, seed)) != FFEBM_OK ||
        (status = ffebm_engine_create(&net->engine, net->model, &engine)) != FFEBM_OK ||
        (status = ffebm_optimizer_create_adam(&net->optimizer, net->model, &adam)) != FFEBM_OK)
        return status;
    return configure(net);
}

static void end(struct net *net)
{
    ffebm_tensor_destroy(net->x);
    ffebm_tensor_destroy(net->y);
    ffebm_optimizer_destroy(net->optimizer);
    ffebm_engine_destroy(net->engine);
    ffebm_model_destroy(net->model);
    ffebm_context_destroy(net->context);
    free(net->values);
    free(net->labels);
}

/* A phase that runs away has not settled, and the certificate fails. */
static ffebm_status certify(struct net *net, struct count *count, size_t which)
{
    ffebm_certificate worst = {.size = sizeof worst};
    ffebm_status status = wrap(net, CERTIFIED);

    if (status == FFEBM_OK)
        status = ffebm_engine_certify(net->engine, &worst, net->x, net->y, NULL, NULL);
    count->certificates++;
    if (status == FFEBM_ERR_CONVERGENCE || status == FFEBM_ERR_NUMERIC)
        return FFEBM_OK;
    count->cosine[which] = worst.cosine;
    count->certified += status == FFEBM_OK && worst.passed;
    return status;
}

static ffebm_status count_missed(struct net *net, struct count *count)
{
    ffebm_model_info info = {.size = sizeof info};
    ffebm_stage_info stage = {.size = sizeof stage};
    ffebm_phase_report report = {.size = sizeof report};
    ffebm_status status = ffebm_model_inspect(net->model, &info);

    count->samples += BATCH;
    for (size_t i = 0; i < info.stage_count && status == FFEBM_OK; i++) {
        status = ffebm_model_inspect_stage(net->model, &stage, i);
        for (int32_t phase = FFEBM_PHASE_FREE; phase <= FFEBM_PHASE_NUDGED && status == FFEBM_OK; phase++)
            if (stage.kind == FFEBM_STAGE_ENERGY &&
                (status = ffebm_engine_inspect_phase(net->engine, &report, i, phase)) == FFEBM_OK)
                count->missed[phase - 1] += report.unconverged;
    }
    return status;
}

static ffebm_status step(struct net *net, struct count *count, uint64_t number)
{
    ffebm_status status = wrap(net, BATCH);

    if (status == FFEBM_OK)
        status = ffebm_engine_gradient(net->engine, NULL, net->x, net->y, NULL);
    if (status == FFEBM_OK)
        status = ffebm_optimizer_step(net->optimizer, net->engine);
    if (status == FFEBM_ERR_NUMERIC)
        fprintf(stderr, "step %d of \"%s\": %s\n", (int)number, net->label, ffebm_context_error(net->context));
    else if (status != FFEBM_OK)
        return status;
    return count_missed(net, count);
}

static ffebm_status train(struct net *net, struct count *count)
{
    uint64_t steps = (uint64_t)net->settings->steps;
    ffebm_report report = {.size = sizeof report};
    ffebm_status status = FFEBM_OK;

    for (uint64_t i = 0; i <= steps && status == FFEBM_OK; i++) {
        fill(net, TESTED, i);
        if (i == 0 || i == steps / 2 || i == steps)
            status = certify(net, count, i == 0 ? 0 : i < steps ? 1 : 2);
        if (status == FFEBM_OK && i < steps)
            status = step(net, count, i);
    }
    if (status == FFEBM_OK && (status = wrap(net, TESTED)) == FFEBM_OK)
        status = ffebm_engine_evaluate(net->engine, &report, NULL, net->x, net->y, NULL);
    count->accuracy = (double)report.correct / TESTED;
    return status;
}

/* ------------------------------------------------------------------------------------------------------------- results */

static double per_thousand(const struct count *count, int phase)
{
    return count->samples == 0 ? 0 : 1000 * (double)count->missed[phase] / (double)count->samples;
}

static void print_net(int64_t index, const struct net *net, const struct count *c)
{
    printf("%3d  %-52s missed %6.2f free %6.2f nudged  cosines %7.4f %7.4f %7.4f  accuracy %.3f%s\n", (int)index,
           net->label, per_thousand(c, 0), per_thousand(c, 1), c->cosine[0], c->cosine[1], c->cosine[2], c->accuracy,
           c->certified == c->certificates ? "" : "  NOT CERTIFIED");
    fflush(stdout);
}

static void add(struct count *to, const struct count *from)
{
    to->samples += from->samples;
    to->missed[0] += from->missed[0];
    to->missed[1] += from->missed[1];
    to->certified += from->certified;
    to->certificates += from->certificates;
    to->accuracy += from->accuracy;
}

static int run_net(const struct settings *settings, int64_t index, struct count *total)
{
    struct net net = {.settings = settings};
    struct count count = {.cosine = {NAN, NAN, NAN}};
    ffebm_status status = FFEBM_OK;

    net.stream = ((uint64_t)settings->seed << 32) + 8 * (uint64_t)index;
    draw_net(&net);
    if (settings->describe) {
        printf("%s\n", net.json);
        return 0;
    }
    status = begin(&net, (uint64_t)(settings->seed + index));
    if (status == FFEBM_OK)
        status = train(&net, &count);
    if (status == FFEBM_OK) {
        print_net(index, &net, &count);
        add(total, &count);
    } else
        fprintf(stderr, "settling: %s: %s\n", net.label,
                net.context == NULL ? ffebm_status_text(status) : ffebm_context_error(net.context));
    end(&net);
    return status == FFEBM_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct settings settings = {.nets = 40,
                                .steps = 400,
                                .only = -1,
                                .slope = NAN,
                                .coupling_gain = NAN,
                                .map_gain = NAN,
                                .map_bias = NAN,
                                .coupling_bias = NAN,
                                .lr = NAN,
                                .beta = NAN,
                                .relaxation = NAN};
    struct failure failure = {""};
    struct count total = {0};
    int64_t ran = 0;

    blas_threads_one();
    if (options_parse(&settings, options, argc, argv, &failure) != 0) {
        fprintf(stderr, "settling: %s\nusage: %s [options]\n", failure.text, argv[0]);
        options_print(stderr, options, &settings);
        return 2;
    }
    for (int64_t i = 0; i < settings.nets; i++) {
        if (settings.only >= 0 && i != settings.only)
            continue;
        if (run_net(&settings, i, &total) != 0)
            return EXIT_FAILURE;
        ran++;
    }
    if (!settings.describe && ran > 0)
        printf("seed %d: %d nets: at least %.2f %% of samples settle; of 1000, %.2f miss a free and %.2f a nudged "
               "tolerance; %zu of %zu certificates pass; accuracy %.3f\n",
               (int)settings.seed, (int)ran, 100 - (per_thousand(&total, 0) + per_thousand(&total, 1)) / 10,
               per_thousand(&total, 0), per_thousand(&total, 1), total.certified, total.certificates,
               total.accuracy / (double)ran);
    return EXIT_SUCCESS;
}
