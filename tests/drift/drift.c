/* How far do runs part that differ in nothing but rounding? A model is trained on one batch after the other, as its recipe says,
 * on images made up in the form of its input; then once more in other ways that are the same but for the order of additions, or
 * for one bit. What is printed: where the first step is no longer the same to the bit, how its losses and its gradient differ,
 * and what has become of that at the end. tests/check_drift.sh makes a table of it.
 *
 *   drift MODEL.json [float32|float64 [STEPS [BATCH [WAY..]]]]
 *
 * BATCH 0: the recipe's. WAY: these alone, as they are printed. In float64 nudgings have random signs, in float32 they are those
 * of the recipe. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ffebm.h>

enum { RANKS = 4, MOST = 1 << 20, MOST_STEPS = 1000, STAGES = 64 };

/* Ranks of one process. */
typedef struct world {
    int count;
    pthread_barrier_t barrier;
    void *values[RANKS];
} world;

/* What a way of training leaves. */
typedef struct trace {
    double losses[MOST_STEPS];
    double *states[STAGES]; /* after the first step, of the last layer of each energy stage, all samples */
    double *gradient;       /* of the first step */
    double *parameters;     /* of the last */
} trace;

typedef struct way {
    const char *name;
    int ranks;
    int moved;       /* each parameter begins one bit off, up or down by a draw */
    int32_t max_isa; /* of all ranks */
} way;

typedef struct job {
    const way *way;
    const char *json;
    size_t length;
    int32_t dtype;
    size_t steps;
    size_t batch;
    trace *trace;
} job;

typedef struct rank {
    const job *job;
    world *world;
    int number;
    ffebm_context *context;
    ffebm_model *model;
    ffebm_model_info info;
} rank;

static void fail(const char *text)
{
    fprintf(stderr, "drift: %s\n", text);
    exit(1);
}

static void check(const rank *r, ffebm_status status)
{
    if (status != FFEBM_OK)
        fail(ffebm_context_error(r->context));
}

static void *need(void *memory)
{
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static double number(const void *values, int32_t dtype, size_t i)
{
    return dtype == FFEBM_FLOAT32 ? (double)((const float *)values)[i] : ((const double *)values)[i];
}

/* Each rank adds up a part of the numbers, for all, in the order of the ranks and in the numbers' type. */
static int32_t reduce(void *user, void *values, size_t count, int32_t dtype)
{
    const rank *r = user;
    world *w = r->world;
    const size_t first = count * (size_t)r->number / (size_t)w->count;
    const size_t end = count * ((size_t)r->number + 1) / (size_t)w->count;

    w->values[r->number] = values;
    pthread_barrier_wait(&w->barrier);
    for (size_t i = first; i < end; i++) {
        double sum = number(w->values[0], dtype, i);

        for (int k = 1; k < w->count; k++)
            sum = dtype == FFEBM_FLOAT32 ? (double)((float)sum + ((const float *)w->values[k])[i])
                                         : sum + number(w->values[k], dtype, i);
        for (int k = 0; k < w->count; k++)
            if (dtype == FFEBM_FLOAT32)
                ((float *)w->values[k])[i] = (float)sum;
            else
                ((double *)w->values[k])[i] = sum;
    }
    pthread_barrier_wait(&w->barrier);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- a rank's run */

/* Each class has an image; a sample is that of its class, and noise. */
static void fill(const rank *r, ffebm_tensor *x, ffebm_tensor *y, uint64_t first)
{
    const uint64_t classes = (uint64_t)r->info.output_shape[0];
    const size_t count = ffebm_tensor_count(y), pixels = ffebm_tensor_count(x) / count;

    for (size_t i = 0; i < count; i++) {
        const uint64_t label = (uint64_t)(ffebm_random_uniform(3, first + i) * (double)classes);

        ((int64_t *)ffebm_tensor_data(y))[i] = (int64_t)label;
        for (size_t p = 0; p < pixels; p++) {
            const double value =
                0.5 * ffebm_random_normal(4, label * pixels + p) + ffebm_random_normal(5, (first + i) * pixels + p);

            if (r->job->dtype == FFEBM_FLOAT32)
                ((float *)ffebm_tensor_data(x))[i * pixels + p] = (float)value;
            else
                ((double *)ffebm_tensor_data(x))[i * pixels + p] = value;
        }
    }
}

static void move_parameters(const rank *r)
{
    ffebm_tensor *all = ffebm_model_flat_parameters(r->model);
    void *data = ffebm_tensor_data(all);

    for (size_t i = 0; i < ffebm_tensor_count(all); i++) {
        const double to = ffebm_random_uniform(6, i) < 0.5 ? -INFINITY : INFINITY;

        if (r->job->dtype == FFEBM_FLOAT32)
            ((float *)data)[i] = nextafterf(((float *)data)[i], (float)to);
        else
            ((double *)data)[i] = nextafter(((double *)data)[i], to);
    }
}

static void note_states(const rank *r, const ffebm_engine *engine, size_t first, size_t rows)
{
    for (size_t s = 0; s < r->info.stage_count; s++) {
        ffebm_stage_info stage = {.size = sizeof stage};
        ffebm_layer_info layer = {.size = sizeof layer};
        int64_t shape[FFEBM_MAX_RANK] = {(int64_t)rows};
        ffebm_tensor *state;

        check(r, ffebm_model_inspect_stage(r->model, &stage, s));
        if (stage.kind != FFEBM_STAGE_ENERGY)
            continue;
        check(r, ffebm_model_inspect_layer(r->model, &layer, s, stage.layer_count - 1));
        memcpy(shape + 1, layer.shape, layer.rank * sizeof *shape);
        check(r, ffebm_tensor_create(r->context, &state, r->job->dtype, shape, layer.rank + 1));
        check(r, ffebm_engine_get_state(engine, state, s, stage.layer_count - 1, FFEBM_PHASE_FREE));
        for (size_t i = 0; i < rows * layer.units; i++)
            r->job->trace->states[s][first * layer.units + i] = number(ffebm_tensor_data(state), r->job->dtype, i);
        ffebm_tensor_destroy(state);
    }
}

static void note(const rank *r, double *to, const ffebm_tensor *from)
{
    for (size_t i = 0; r->number == 0 && i < ffebm_tensor_count(from); i++)
        to[i] = number(ffebm_tensor_const_data(from), r->job->dtype, i);
}

static void train(rank *r, ffebm_engine *engine, ffebm_optimizer *optimizer)
{
    const job *j = r->job;
    const size_t first = j->batch * (size_t)r->number / (size_t)r->world->count;
    const size_t rows = j->batch * ((size_t)r->number + 1) / (size_t)r->world->count - first;
    ffebm_report report = {.size = sizeof report};
    int64_t shape[FFEBM_MAX_RANK] = {(int64_t)rows};
    ffebm_tensor *x, *y;

    memcpy(shape + 1, r->info.input_shape, r->info.input_rank * sizeof *shape);
    check(r, ffebm_tensor_create(r->context, &x, j->dtype, shape, r->info.input_rank + 1));
    check(r, ffebm_tensor_create(r->context, &y, FFEBM_INT64, shape, 1));
    check(r, ffebm_engine_set_first_sample(engine, first));
    for (size_t step = 0; step < j->steps; step++) {
        fill(r, x, y, step * j->batch + first);
        check(r, ffebm_engine_gradient(engine, &report, x, y, NULL));
        j->trace->losses[step] = report.loss; /* of all ranks, who write the same */
        if (step == 0) {
            note_states(r, engine, first, rows);
            note(r, j->trace->gradient, ffebm_engine_flat_gradient(engine));
        }
        check(r, ffebm_optimizer_step(optimizer, engine));
    }
    note(r, j->trace->parameters, ffebm_model_flat_parameters(r->model));
    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
}

static void *live(void *argument)
{
    rank *r = argument;
    const job *j = r->job;
    ffebm_context_config config;
    ffebm_parse_config parse;
    ffebm_engine_config size;
    ffebm_equilibrium_config equilibrium = {.size = sizeof equilibrium};
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;

    ffebm_context_config_init(&config, sizeof config);
    config.max_isa = j->way->max_isa;
    config.reduce = j->way->ranks > 1 ? reduce : NULL;
    config.reduce_user = r;
    ffebm_parse_config_init(&parse, sizeof parse);
    parse.dtype = j->dtype;
    ffebm_engine_config_init(&size, sizeof size);
    size.max_batch = j->batch;
    if (ffebm_context_create(&r->context, &config) != FFEBM_OK)
        fail("no context");
    check(r, ffebm_model_parse(r->context, &r->model, j->json, j->length, &parse));
    check(r, ffebm_model_initialize(r->model, 1));
    check(r, ffebm_model_inspect(r->model, &r->info));
    if (j->way->moved)
        move_parameters(r);
    check(r, ffebm_engine_create(&engine, r->model, &size));
    check(r, ffebm_model_equilibrium(r->model, &equilibrium));
    if (j->dtype == FFEBM_FLOAT64)
        equilibrium.estimator = FFEBM_ESTIMATOR_RANDOM_SIGN;
    check(r, ffebm_engine_configure(engine, FFEBM_ALL, &equilibrium));
    check(r, ffebm_recipe_optimizer(&optimizer, r->model, NULL));
    train(r, engine, optimizer);
    ffebm_optimizer_destroy(optimizer);
    ffebm_engine_destroy(engine);
    ffebm_model_destroy(r->model);
    ffebm_context_destroy(r->context);
    return NULL;
}

static void run(const job *j)
{
    world w = {.count = j->way->ranks};
    rank ranks[RANKS] = {{0}};
    pthread_t threads[RANKS];

    if (pthread_barrier_init(&w.barrier, NULL, (unsigned)w.count) != 0)
        fail("no barrier");
    for (int i = 0; i < w.count; i++) {
        ranks[i] = (rank){.job = j, .world = &w, .number = i, .info = {.size = sizeof ranks[i].info}};
        if (pthread_create(&threads[i], NULL, live, &ranks[i]) != 0)
            fail("no thread");
    }
    for (int i = 0; i < w.count; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&w.barrier);
}

/* --------------------------------------------------------------------------------------------------------- comparison */

/* The largest difference of elements, as a part of the largest element of b. */
static double distance(const double *a, const double *b, size_t count)
{
    double difference = 0, size = 0;

    for (size_t i = 0; i < count; i++) {
        difference = fmax(difference, fabs(a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    return size > 0 ? difference / size : difference;
}

typedef struct facts {
    ffebm_context *context;
    ffebm_model *model;
    ffebm_model_info info;
    size_t units[STAGES]; /* of an energy stage's last layer; 0: none */
} facts;

static void look(facts *f, const job *j)
{
    ffebm_parse_config parse;

    ffebm_parse_config_init(&parse, sizeof parse);
    parse.dtype = j->dtype;
    f->info.size = sizeof f->info;
    if (ffebm_context_create(&f->context, NULL) != FFEBM_OK)
        fail("no context");
    if (ffebm_model_parse(f->context, &f->model, j->json, j->length, &parse) != FFEBM_OK ||
        ffebm_model_initialize(f->model, 1) != FFEBM_OK || ffebm_model_inspect(f->model, &f->info) != FFEBM_OK)
        fail(ffebm_context_error(f->context));
    if (f->info.stage_count > STAGES)
        fail("too many stages");
    for (size_t s = 0; s < f->info.stage_count; s++) {
        ffebm_stage_info stage = {.size = sizeof stage};

        ffebm_model_inspect_stage(f->model, &stage, s);
        f->units[s] = stage.kind == FFEBM_STAGE_ENERGY;
        for (size_t d = 0; d < stage.output_rank; d++)
            f->units[s] *= (size_t)stage.output_shape[d];
    }
}

static void begin_trace(trace *t, const facts *f, size_t batch)
{
    memset(t, 0, sizeof *t);
    for (size_t s = 0; s < f->info.stage_count; s++)
        if (f->units[s] > 0)
            t->states[s] = need(calloc(batch * f->units[s], sizeof *t->states[s]));
    t->gradient = need(calloc(f->info.element_count, sizeof *t->gradient));
    t->parameters = need(calloc(f->info.element_count, sizeof *t->parameters));
}

static void end_trace(trace *t)
{
    for (size_t s = 0; s < STAGES; s++)
        free(t->states[s]);
    free(t->gradient);
    free(t->parameters);
}

/* Going up and down: the first tensor of which a bit differs. */
static const char *first_difference(const facts *f, const trace *a, const trace *b, size_t batch, char *text,
                                    size_t room)
{
    for (size_t s = 0; s < f->info.stage_count; s++)
        if (f->units[s] > 0 && memcmp(a->states[s], b->states[s], batch * f->units[s] * sizeof(double)) != 0) {
            snprintf(text, room, "state of stage %zu", s);
            return text;
        }
    for (size_t p = f->info.parameter_count; p-- > 0;) {
        ffebm_parameter_info info = {.size = sizeof info};

        ffebm_model_inspect_parameter(f->model, &info, p);
        if (memcmp(a->gradient + info.offset, b->gradient + info.offset, info.count * sizeof(double)) != 0) {
            snprintf(text, room, "gradient of %s", info.name);
            return text;
        }
    }
    return "none";
}

/* The largest difference of a tensor's elements, as a part of its largest element, over all tensors; and the tensor. */
static double apart(const facts *f, const double *a, const double *b, char *name, size_t room)
{
    double worst = 0;

    snprintf(name, room, "none");

    for (size_t p = 0; p < f->info.parameter_count; p++) {
        ffebm_parameter_info info = {.size = sizeof info};

        ffebm_model_inspect_parameter(f->model, &info, p);
        if (distance(a + info.offset, b + info.offset, info.count) > worst) {
            worst = distance(a + info.offset, b + info.offset, info.count);
            snprintf(name, room, "%s", info.name);
        }
    }
    return worst;
}

/* |a - b| / |b| */
static double norm_apart(const double *a, const double *b, size_t count)
{
    double difference = 0, size = 0;

    for (size_t i = 0; i < count; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return sqrt(difference / size);
}

static void compare(const facts *f, const job *j, const trace *one)
{
    const trace *t = j->trace;
    double worst = 0, early = 0, gradient, parameters, all;
    char text[128], last[128];

    for (size_t step = 0; step < j->steps; step++) {
        worst = fmax(worst, fabs(t->losses[step] / one->losses[step] - 1));
        if (step < 5)
            early = worst;
    }
    gradient = apart(f, t->gradient, one->gradient, text, sizeof text);
    parameters = apart(f, t->parameters, one->parameters, last, sizeof last);
    all = norm_apart(t->parameters, one->parameters, f->info.element_count);
    printf("%s\t%s\t%.1e\t%.1e\t%.1e\t%.1e\t%.1e\t%s\t%.1e\t%s\n", j->way->name,
           j->dtype == FFEBM_FLOAT32 ? "float32" : "float64", fabs(t->losses[0] / one->losses[0] - 1), gradient, early,
           worst, parameters, last, all, first_difference(f, one, t, j->batch, text, sizeof text));
    fflush(stdout);
}

static int is_asked_for(int argc, char **argv, const char *name)
{
    int found = argc <= 5;

    for (int i = 5; i < argc; i++)
        found |= strcmp(argv[i], name) == 0;
    return found;
}

int main(int argc, char **argv)
{
    static const way ways[] = {{"one rank", 1, 0, 0},
                               {"again", 1, 0, 0},
                               {"two ranks", 2, 0, 0},
                               {"four ranks", 4, 0, 0},
                               {"one bit", 1, 1, 0},
                               {"avx2", 1, 0, FFEBM_ISA_AVX2},
                               {"portable", 1, 0, FFEBM_ISA_PORTABLE}};
    static char json[MOST];
    job j = {.json = json};
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    ffebm_recipe recipe = {.size = sizeof recipe};
    trace one, other;
    facts f;

    if (file == NULL)
        fail("usage: drift MODEL.json [float32|float64 [STEPS [BATCH [WAY..]]]]");
    j.length = fread(json, 1, MOST, file);
    fclose(file);
    j.dtype = argc > 2 && strcmp(argv[2], "float64") == 0 ? FFEBM_FLOAT64 : FFEBM_FLOAT32;
    j.steps = argc > 3 ? strtoul(argv[3], NULL, 10) : 20;
    if (j.steps < 1 || j.steps > MOST_STEPS)
        fail("expected 1 to 1000 steps");
    look(&f, &j);
    ffebm_model_recipe(f.model, &recipe);
    j.batch = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
    if (j.batch == 0)
        j.batch = (size_t)recipe.batch;
    begin_trace(&one, &f, j.batch);
    puts("way\ttype\tloss 1\tgradient 1\tlosses to 5\tlosses\tparameters\tthe worst\tall parameters\tfirst difference");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (i > 0 && !is_asked_for(argc, argv, ways[i].name))
            continue;
        j.way = &ways[i];
        j.trace = i == 0 ? &one : &other;
        if (i > 0)
            begin_trace(&other, &f, j.batch);
        run(&j);
        if (i > 0) {
            compare(&f, &j, &one);
            end_trace(&other);
        }
    }
    end_trace(&one);
    ffebm_model_destroy(f.model);
    ffebm_context_destroy(f.context);
    return 0;
}
