/* Numerical faults: NaN, infinity and numbers at the ends of the type, in
 * whatever a call reads. A call that fails leaves parameters, running
 * statistics and the optimizer's memory as they were, to the bit, no gradient
 * to step with, and the next good step is that of a twin to whom nothing
 * happened. One that succeeds leaves no NaN and no infinity. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gradient/engine.h"
#include "optimizer/optimizer.h"
#include "support/campaign.h"
#include "support/subject.h"

enum { ROWS = 3, SHORT = 1500 };

static const double values[] = {NAN,   INFINITY, -INFINITY, 1e21,   -1e21, 1e30,  -1e30,  3e38,
                                1e160, -1e160,   1e300,     -1e300, 1e-30, 1e-42, 5e-324, 0};

/* Where the number is put, and what then is called. */
#define PLACES(X)                                                                                                      \
    X(INPUT)                                                                                                           \
    X(TARGET) X(WEIGHT) X(COTANGENT) X(VALUE) X(ALL_VALUES) X(MEMORY) X(BETA) X(RATE)
#define ACTS(X) X(GRADIENT) X(VJP) X(EVALUATE) X(PREDICT)
#define CONSTANT(name) name,
#define NAME(name) #name,
enum { PLACES(CONSTANT) PLACE_COUNT };
enum { ACTS(CONSTANT) ACT_COUNT };
static const char *const places[] = {PLACES(NAME)}, *const acts[] = {ACTS(NAME)};

typedef struct trial {
    subject s;
    ffebm_tensor *target;    /* values, one-hot */
    ffebm_tensor *weights;   /* of samples */
    ffebm_tensor *cotangent; /* of the output */
} trial;

typedef struct fault {
    int kind;
    int32_t estimator;
    size_t sgd;
    size_t place;
    size_t act;
    size_t at; /* which number of the place, modulo their count */
    double value;
} fault;

/* --------------------------------------------------------------------------------------------------------
 * numbers */

static double number(const trial *t, const void *array, size_t i)
{
    return t->s.model->dtype == FFEBM_FLOAT32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static void put(const trial *t, void *array, size_t i, double value)
{
    if (t->s.model->dtype == FFEBM_FLOAT64)
        ((double *)array)[i] = value;
    else
        ((float *)array)[i] = fabs(value) <= (double)FLT_MAX || isnan(value) ? (float)value
                              : value > 0                                    ? INFINITY
                                                                             : -INFINITY;
}

/* Parameters, and behind them running statistics. */
static size_t value_count(const trial *t)
{
    return t->s.model->element_count + t->s.model->buffer_element_count;
}

static uint64_t bits(const trial *t)
{
    size_t element = t->s.engine->arrays->element;
    uint64_t sum = bits_of(1, t->s.model->values, value_count(t) * element);
    int64_t steps = ffebmi_optimizer_steps(t->s.optimizer);

    for (size_t i = 0; i < ffebmi_optimizer_moment_count(t->s.optimizer); i++)
        sum = bits_of(sum, ffebmi_optimizer_moment(t->s.optimizer, i), t->s.model->element_count * element);
    return bits_of(sum, &steps, sizeof steps);
}

static bool finite(const trial *t)
{
    const ffebmi_arrays *k = t->s.engine->arrays;
    bool all = k->finite(value_count(t), t->s.model->values);

    for (size_t i = 0; i < ffebmi_optimizer_moment_count(t->s.optimizer); i++)
        all = all && k->finite(t->s.model->element_count, ffebmi_optimizer_moment(t->s.optimizer, i));
    return all;
}

/* ----------------------------------------------------------------------------------------------------------
 * a trial */

static ffebm_tensor *tensor_of(const subject *s, size_t rank)
{
    ffebm_tensor *made = NULL;

    subject_check(s, ffebm_tensor_create(s->context, &made, s->model->dtype, (int64_t[]){ROWS, SUBJECT_CLASSES}, rank));
    return made;
}

static trial trial_open(const fault *f)
{
    trial t;

    subject_open(&t.s, NULL, f->kind, ROWS, f->estimator);
    if (f->sgd) {
        ffebm_optimizer_destroy(t.s.optimizer);
        subject_check(&t.s, ffebm_optimizer_create_sgd(&t.s.optimizer, t.s.model, NULL));
    }
    t.target = tensor_of(&t.s, 2);
    t.weights = tensor_of(&t.s, 1);
    t.cotangent = tensor_of(&t.s, 2);
    for (size_t i = 0; i < ROWS * SUBJECT_CLASSES; i++) {
        put(&t, ffebm_tensor_data(t.target), i, i % (SUBJECT_CLASSES + 1) == 0);
        put(&t, ffebm_tensor_data(t.cotangent), i, ffebm_random_normal(4, i));
    }
    for (size_t i = 0; i < ROWS; i++)
        put(&t, ffebm_tensor_data(t.weights), i, 1);
    return t;
}

static void trial_close(trial *t)
{
    ffebm_tensor_destroy(t->target);
    ffebm_tensor_destroy(t->weights);
    ffebm_tensor_destroy(t->cotangent);
    subject_close(&t->s);
}

/* The array of a place, and how many numbers it has; NULL: the place is a
 * setting. */
static void *array_of(const trial *t, const fault *f, size_t *count)
{
    ffebm_tensor *tensors[] = {t->s.x, t->target, t->weights, t->cotangent};
    size_t slots = ffebmi_optimizer_moment_count(t->s.optimizer);

    if (f->place <= COTANGENT) {
        *count = ffebm_tensor_count(tensors[f->place]);
        return ffebm_tensor_data(tensors[f->place]);
    }
    *count = f->place == MEMORY ? t->s.model->element_count : value_count(t);
    return f->place == MEMORY                            ? ffebmi_optimizer_moment(t->s.optimizer, f->at % slots)
           : f->place == VALUE || f->place == ALL_VALUES ? t->s.model->values
                                                         : NULL;
}

/* *forwarded: a forward has succeeded, which may move running statistics
 * whatever comes of its vjp. */
static ffebm_status act(trial *t, const fault *f, ffebm_report *report, bool *forwarded)
{
    const ffebm_tensor *target = f->place == TARGET ? t->target : t->s.y;
    uint64_t ticket;
    ffebm_status status;

    switch (f->act) {
    case GRADIENT:
        return ffebm_engine_gradient(t->s.engine, report, t->s.x, target, t->weights);
    case VJP:
        status = ffebm_engine_forward(t->s.engine, NULL, &ticket, t->s.x);
        *forwarded = status == FFEBM_OK;
        return status != FFEBM_OK ? status : ffebm_engine_vjp(t->s.engine, NULL, ticket, t->cotangent, 0);
    case EVALUATE:
        return ffebm_engine_evaluate(t->s.engine, report, NULL, t->s.x, target, t->weights);
    default:
        return ffebm_engine_forward(t->s.engine, NULL, NULL, t->s.x);
    }
}

/* ---------------------------------------------------------------------------------------------------------
 * a fault */

static void finding(campaign *c, const fault *f, const trial *t, const char *what)
{
    campaign_finding(c, "net %d, estimator %d, %s, %s %zu = %g, %s: %s (%s)", f->kind, (int)f->estimator,
                     f->sgd ? "sgd" : "adam", places[f->place], f->at, f->value, acts[f->act], what,
                     ffebm_context_error(t->s.context));
}

/* A setting is taken or refused; was it as it should be? Where the last layer has no bound, a nudge by the loss that it would
 * run away under is refused as well. */
static bool set(const trial *t, const fault *f)
{
    bool good = isfinite(f->value) && (f->place == BETA ? f->value > 0 : f->value >= 0);
    ffebm_status status = f->place == BETA ? ffebm_engine_set_beta(t->s.engine, FFEBM_ALL, f->value)
                                           : ffebm_optimizer_set_learning_rate(t->s.optimizer, f->value);

    if (f->place == BETA && f->value >= 1 && strstr(ffebm_context_error(t->s.context), "has no bound") != NULL)
        good = false;
    return status == (good ? FFEBM_OK : FFEBM_ERR_ARGUMENT);
}

/* The same good step for both: the one that failed has left no trace. */
static void compare(campaign *c, const fault *f, trial *t, trial *twin)
{
    trial *both[2] = {t, twin};

    for (int i = 0; i < 2; i++)
        if (ffebm_engine_gradient(both[i]->s.engine, NULL, both[i]->s.x, both[i]->s.y, NULL) != FFEBM_OK ||
            ffebm_optimizer_step(both[i]->s.optimizer, both[i]->s.engine) != FFEBM_OK)
            finding(c, f, both[i], "the next good step fails");
    if (bits(t) != bits(twin))
        finding(c, f, t, "the next good step is not the twin's");
}

/* Returns whether the call failed, so that it may have left nothing. */
static bool suffer(campaign *c, const fault *f, trial *t)
{
    ffebm_report report = {.size = sizeof report};
    uint64_t before = bits(t);
    bool forwarded = false;
    ffebm_status status = act(t, f, &report, &forwarded), step = FFEBM_OK;

    if (status != FFEBM_OK && status != FFEBM_ERR_NUMERIC && status != FFEBM_ERR_USER)
        finding(c, f, t, "another status than that of numbers");
    if (status == FFEBM_OK && !(isfinite(report.loss) && isfinite(report.gradient_norm)))
        finding(c, f, t, "the report is not finite");
    if (status != FFEBM_OK && bits(t) != before && !forwarded)
        finding(c, f, t, "a call that failed has moved something");
    if (f->act == GRADIENT || forwarded) {
        before = bits(t);
        step = ffebm_optimizer_step(t->s.optimizer, t->s.engine);
        if (step != FFEBM_OK && bits(t) != before)
            finding(c, f, t, "a step that failed has moved something");
        if (status != FFEBM_OK && step != FFEBM_ERR_STATE)
            finding(c, f, t, "a step with the gradient of a call that failed");
        if (status == FFEBM_OK && step == FFEBM_OK && !finite(t))
            finding(c, f, t, "NaN or infinity after a step that succeeded");
    }
    return status != FFEBM_OK && !forwarded;
}

static void attack(campaign *c, const fault *f)
{
    trial t = trial_open(f), twin = trial_open(f);
    size_t count = 0, element = t.s.engine->arrays->element;
    char *array = array_of(&t, f, &count), *first = array + (count > 0 ? f->at % count : 0) * element, good[4096];
    size_t bytes = f->place == ALL_VALUES ? count * element : element;

    c->cases++;
    if (array == NULL) {
        if (!set(&t, f))
            finding(c, f, &t, "a setting is taken that should be refused, or the other way round");
        suffer(c, f, &t);
    } else {
        first = f->place == ALL_VALUES ? array : first;
        if (bytes > sizeof good)
            bytes = sizeof good / element * element;
        memcpy(good, first, bytes);
        for (size_t i = 0; i < bytes / element; i++)
            put(&t, first, i, f->place == ALL_VALUES ? number(&t, first, i) * f->value : f->value);
        if (suffer(c, f, &t)) {
            memcpy(first, good, bytes);
            compare(c, f, &t, &twin);
        }
    }
    trial_close(&t);
    trial_close(&twin);
}

int main(int argc, char **argv)
{
    campaign c = campaign_open("numeric", argc, argv);

    for (size_t round = 0; campaign_another(&c, round, SHORT); round++) {
        fault f = {.kind = (int)campaign_draw(&c, SUBJECTS),
                   .estimator = 1 + (int32_t)campaign_draw(&c, FFEBM_ESTIMATOR_IMPLICIT),
                   .sgd = campaign_draw(&c, 2),
                   .place = campaign_draw(&c, PLACE_COUNT),
                   .act = campaign_draw(&c, ACT_COUNT),
                   .at = campaign_draw(&c, 4096),
                   .value = values[campaign_draw(&c, sizeof values / sizeof values[0])]};

        attack(&c, &f);
    }
    return campaign_close(&c);
}
