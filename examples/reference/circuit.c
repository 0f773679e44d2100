/* What the reference file of one resistive network states, from the file alone. Results have names of words between dots:
 *
 *   free.[forward.]<T<n>|converged>.layer<l>            n even_odd (or forward) sweeps from zeros
 *   energy.free, output, loss, delta.output             converged; delta is the derivative of each sample's loss
 *   nudged.<loss|linear>.beta<b>.<plus|minus>.<..>.layer<l>
 *   grad.ep.<centered|positive|negative|linear>.beta<b>.<..>.<param|input>    linear: centred, by a constant current
 *   grad.bp.T<n>.<param|input>                          exact
 *
 * A nudged state of n sweeps starts from n free ones and goes on in the metadata's `nudged_order_short`, a converged one from
 * the converged free state; that takes `long_sweeps`. Gradients of parameters are means over the batch, those of the input
 * each sample's own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

/* A result's name, read. */
struct claim {
    int64_t sweeps; /* 0: converged */
    int32_t free_order;
    int32_t nudging;
    int32_t estimator;
    double beta; /* negative: minus */
    size_t layer;
    const char *parameter; /* the rest of a gradient's name */
};

static int has(const char *name, const char *word)
{
    const char *at = strstr(name, word);

    return at != NULL && (at == name || at[-1] == '.') && (at[strlen(word)] == '.' || at[strlen(word)] == '\0');
}

static int starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static struct claim read_claim(const char *name)
{
    struct claim c = {.free_order = has(name, "forward") ? FFEBM_ORDER_FORWARD : FFEBM_ORDER_EVEN_ODD,
                      .nudging = has(name, "linear") ? FFEBM_NUDGING_LINEAR : FFEBM_NUDGING_LOSS,
                      .estimator = FFEBM_ESTIMATOR_CENTERED};
    const char *sweeps = strstr(name, ".T"), *beta = strstr(name, ".beta"), *layer = strstr(name, ".layer");

    if (has(name, "positive") || has(name, "negative"))
        c.estimator = has(name, "positive") ? FFEBM_ESTIMATOR_POSITIVE : FFEBM_ESTIMATOR_NEGATIVE;
    if (starts_with(name, "grad.bp."))
        c.estimator = FFEBM_ESTIMATOR_IMPLICIT;
    else if (sweeps != NULL)
        c.sweeps = strtoll(sweeps + strlen(".T"), NULL, 10);
    if (beta != NULL)
        c.beta = (has(name, "minus") ? -1 : 1) * strtod(beta + strlen(".beta"), NULL);
    if (layer != NULL)
        c.layer = strtoul(layer + strlen(".layer"), NULL, 10);
    if (starts_with(name, "grad."))
        c.parameter = has(name, "input") ? "input" : strstr(name, "stage");
    return c;
}

static ffebm_status read_order(struct reference *r, int32_t *order)
{
    ffebm_equilibrium_config config;
    char *text = NULL;
    ffebm_status status = reference_metadata(r, "nudged_order_short", &text);

    ffebm_equilibrium_config_init(&config, sizeof config);
    if (status == FFEBM_OK)
        status = ffebm_setting_write(r->context, &config, FFEBM_CONFIG_EQUILIBRIUM, "nudged_order", text);
    *order = config.nudged_order;
    free(text);
    return status;
}

static ffebm_status configure(struct reference *r, const struct claim *c)
{
    ffebm_equilibrium_config config;
    char *text = NULL;
    ffebm_status status = reference_metadata(r, "long_sweeps", &text);

    if (status != FFEBM_OK)
        return status;
    ffebm_equilibrium_config_init(&config, sizeof config);
    config.free_tolerance = config.nudged_tolerance = 0;
    config.free_sweeps = config.nudged_sweeps = c->sweeps > 0 ? c->sweeps : strtoll(text, NULL, 10);
    config.free_order = c->free_order;
    config.nudging = c->nudging;
    config.estimator = c->estimator;
    if (c->beta != 0)
        config.beta = fabs(c->beta);
    if (c->sweeps > 0)
        status = read_order(r, &config.nudged_order);
    free(text);
    return status == FFEBM_OK ? ffebm_engine_configure(r->engine, 0, &config) : status;
}

/* The derivative of each sample's loss at its free output. */
static ffebm_status take_delta(struct reference *r, double factor, ffebm_tensor *to)
{
    ffebm_model_info info = {.size = sizeof info};
    const int64_t *labels = ffebm_tensor_const_data(r->target);
    size_t rows = ffebm_tensor_count(r->target), classes = ffebm_tensor_count(to) / rows;
    double *delta = ffebm_tensor_data(to);
    ffebm_status status = ffebm_model_inspect(r->model, &info);
    ffebm_stage_info stage = {.size = sizeof stage};

    if (status != FFEBM_OK || (status = ffebm_model_inspect_stage(r->model, &stage, 0)) != FFEBM_OK ||
        (status = ffebm_engine_get_state(r->engine, to, 0, stage.layer_count - 1, FFEBM_PHASE_FREE)) != FFEBM_OK)
        return status;
    for (size_t i = 0; i < rows; i++)
        delta[i * classes + (size_t)labels[i]] -= 1;
    for (size_t i = 0; i < rows * classes; i++)
        delta[i] *= factor;
    return FFEBM_OK;
}

static ffebm_status settle_free(struct reference *r, const struct claim *c)
{
    ffebm_status status = configure(r, c);

    return status == FFEBM_OK ? ffebm_engine_settle(r->engine, 0, r->input, NULL) : status;
}

/* From the free state, under the loss's force at beta. */
static ffebm_status settle_nudged(struct reference *r, const struct claim *c, double beta)
{
    ffebm_status status = take_delta(r, -beta, r->output);

    return status != FFEBM_OK ? status
                              : ffebm_engine_settle_springs(r->engine, 0, r->input, r->output,
                                                            c->nudging == FFEBM_NUDGING_LOSS ? beta : 0);
}

/* (dE/dx at beta - dE/dx at - beta) / (2 beta), by hand. */
static ffebm_status input_estimate(struct reference *r, const struct claim *c)
{
    double *sum = ffebm_tensor_data(r->input_gradient);
    size_t count = ffebm_tensor_count(r->input_gradient);
    double *plus = malloc(count * sizeof *plus);
    ffebm_status status = plus == NULL ? FFEBM_ERR_NOMEM : settle_free(r, c);

    if (status == FFEBM_OK && (status = settle_nudged(r, c, c->beta)) == FFEBM_OK &&
        (status = ffebm_engine_energy_gradient(r->engine, r->input_gradient, 0, FFEBM_PHASE_NUDGED)) == FFEBM_OK) {
        memcpy(plus, sum, count * sizeof *plus);
        if ((status = settle_nudged(r, c, -c->beta)) == FFEBM_OK)
            status = ffebm_engine_energy_gradient(r->engine, r->input_gradient, 0, FFEBM_PHASE_NUDGED);
        for (size_t i = 0; i < count; i++)
            sum[i] = (plus[i] - sum[i]) / (2 * c->beta);
    }
    free(plus);
    return status;
}

static ffebm_status input_exactly(struct reference *r, const struct claim *c)
{
    uint64_t ticket;
    ffebm_status status = configure(r, c);

    if (status != FFEBM_OK || (status = ffebm_engine_forward(r->engine, r->output, &ticket, r->input)) != FFEBM_OK ||
        (status = take_delta(r, 1, r->output)) != FFEBM_OK)
        return status;
    return ffebm_engine_vjp(r->engine, r->input_gradient, ticket, r->output, 1);
}

static ffebm_status compare_gradient(struct reference *r, const char *name, const struct claim *c, double *worst)
{
    ffebm_status status;

    if (strcmp(c->parameter, "input") == 0) {
        status = c->estimator == FFEBM_ESTIMATOR_IMPLICIT ? input_exactly(r, c) : input_estimate(r, c);
        return status != FFEBM_OK ? status
                                  : reference_compare(r, name, ffebm_tensor_const_data(r->input_gradient),
                                                      ffebm_tensor_count(r->input_gradient), worst);
    }
    if ((status = configure(r, c)) != FFEBM_OK ||
        (status = ffebm_engine_gradient(r->engine, NULL, r->input, r->target, NULL)) != FFEBM_OK)
        return status;
    return reference_compare_gradient(r, name, c->parameter, worst);
}

static ffebm_status compare_energy(struct reference *r, const char *name, double *worst)
{
    int64_t rows = ffebm_tensor_shape(r->input, NULL)[0];
    ffebm_tensor *energies = NULL;
    ffebm_status status = ffebm_tensor_create(r->context, &energies, FFEBM_FLOAT64, &rows, 1);

    if (status == FFEBM_OK &&
        (status = ffebm_engine_energy(r->engine, energies, 0, FFEBM_PHASE_FREE, r->input)) == FFEBM_OK)
        status = reference_compare(r, name, ffebm_tensor_const_data(energies), (size_t)rows, worst);
    ffebm_tensor_destroy(energies);
    return status;
}

static ffebm_status compare_loss(struct reference *r, const char *name, double *worst)
{
    ffebm_report report = {.size = sizeof report};
    ffebm_status status = ffebm_engine_evaluate(r->engine, &report, NULL, r->input, r->target, NULL);

    return status == FFEBM_OK ? reference_compare(r, name, &report.loss, 1, worst) : status;
}

/* Of the converged free state. */
static ffebm_status compare_output(struct reference *r, const char *name, double *worst)
{
    ffebm_status status = strcmp(name, "output") == 0 ? ffebm_engine_forward(r->engine, r->output, NULL, r->input)
                                                      : take_delta(r, 1, r->output);

    return status != FFEBM_OK
               ? status
               : reference_compare(r, name, ffebm_tensor_const_data(r->output), ffebm_tensor_count(r->output), worst);
}

static ffebm_status compare_claim(struct reference *r, const char *name, double *worst)
{
    const struct claim c = read_claim(name);
    int nudged = starts_with(name, "nudged.");
    ffebm_status status;

    if (c.parameter != NULL)
        return compare_gradient(r, name, &c, worst);
    if ((status = settle_free(r, &c)) != FFEBM_OK || (nudged && (status = settle_nudged(r, &c, c.beta)) != FFEBM_OK))
        return status;
    if (strcmp(name, "energy.free") == 0)
        return compare_energy(r, name, worst);
    if (strcmp(name, "loss") == 0)
        return compare_loss(r, name, worst);
    if (strstr(name, ".layer") == NULL)
        return compare_output(r, name, worst);
    return reference_compare_state(r, name, 0, c.layer, nudged ? FFEBM_PHASE_NUDGED : FFEBM_PHASE_FREE, worst);
}

int reference_is_circuit(struct reference *r)
{
    char *text = NULL;
    int is = reference_metadata(r, "long_sweeps", &text) == FFEBM_OK;

    free(text);
    return is;
}

/* Its claims are printed by the first word of their names. */
ffebm_status reference_verify_circuit(struct reference *r)
{
    static const char *const groups[] = {"free", "energy", "output", "loss", "delta", "nudged", "grad"};
    static const char *const given[] = {"param", "input", "target"};
    size_t known = 0, all = 0;

    for (const char *name = NULL; (name = reference_next(r, name)) != NULL; all++)
        for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
            known += strncmp(name, given[i], strcspn(name, ".")) == 0;
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        size_t before = r->compared;
        double worst = 0;

        for (const char *name = NULL; (name = reference_next(r, name)) != NULL;) {
            ffebm_status status = FFEBM_OK;

            if (strncmp(name, groups[g], strcspn(name, ".")) == 0)
                status = compare_claim(r, name, &worst);
            if (status != FFEBM_OK) {
                fprintf(stderr, "%s: %s\n", r->path, name);
                return status;
            }
        }
        known += r->compared - before;
        reference_print(r, groups[g], r->compared - before, worst);
    }
    return known == all ? FFEBM_OK : FFEBM_ERR_FORMAT;
}
