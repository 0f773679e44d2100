/* Rebuild the model of a reference file in float64 and compare everything that the file states of it: free states,
 * output, loss, and gradients by equilibrium propagation and by implicit differentiation.
 *
 *   verify_reference FILE.safetensors...
 *
 * A reference file is a safetensors file with the model's description (`model`) and the number of free sweeps
 * (`free_sweeps`) in its metadata. There may also be `energy`, that of each sample at the free state, stage by stage
 * (reference/energies.c), `batchnorm`, "evaluation mode.." or training mode, and `switches`,
 * how max pools go on in nudged phases: "hold", or "follow", which is what the energy says and a file without it means.
 * Tensors are param.<name>, buffer.<name>, input and target. All others are results, compared by their names:
 *   free.stage<i>.layer<l>, output, loss,
 *   grad.ep.beta<b>.T<n>.<param>   centred EP with nudging b, n odd_even sweeps
 *   grad.id.T<n>.<param>           implicit differentiation, n sweeps
 *   grad.input.id                  the sum of the losses by the input, likewise, in the last of the metadata's `nudged_sweeps`
 * The file of a resistive network has `short_sweeps`, `long_sweeps` and `nudged_order_short` instead, and states more
 * (reference/circuit.c).
 * Prints one line a file and group of tensors, with the largest relative error, max |a - b| / max |b| over a tensor.
 * Ends with status 0 only if all are within 1e-8 and something was compared. */
#include <ffebm.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference/reference.h"

enum { GROUP = 96 };

static const double bound = 1e-8;

static int starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* ------------------------------------------------------------------------------------------------- settings */

static ffebm_status set_sweeps(struct reference *r, const char *text)
{
    r->equilibrium.free_sweeps = strtoll(text, NULL, 10);
    return FFEBM_OK;
}

static ffebm_status set_mode(struct reference *r, const char *text)
{
    return ffebm_engine_set_mode(r->engine,
                                 starts_with(text, "evaluation") ? FFEBM_MODE_EVALUATION : FFEBM_MODE_TRAINING);
}

static ffebm_status set_switches(struct reference *r, const char *text)
{
    if (strcmp(text, "hold") != 0 && strcmp(text, "follow") != 0) {
        fprintf(stderr, "%s: switches \"%s\", expected hold or follow\n", r->path, text);
        return FFEBM_ERR_FORMAT;
    }
    r->equilibrium.switches = strcmp(text, "hold") == 0 ? FFEBM_SWITCHES_HOLD : FFEBM_SWITCHES_FOLLOW;
    return FFEBM_OK;
}

/* "[5, 300]": the last one. */
static ffebm_status set_input_sweeps(struct reference *r, const char *text)
{
    const char *last = strrchr(text, ',');

    r->input_sweeps = strtoll(last == NULL ? text + strspn(text, "[") : last + 1, NULL, 10);
    return FFEBM_OK;
}

static const struct setting {
    const char *key;
    const char *otherwise; /* what a file without the key means; NULL: it must be there */
    ffebm_status (*set)(struct reference *r, const char *text);
} settings[] = {{"free_sweeps", NULL, set_sweeps},
                {"nudged_sweeps", "[1]", set_input_sweeps},
                {"batchnorm", "training mode", set_mode},
                {"switches", "follow", set_switches}};

static ffebm_status read_settings(struct reference *r)
{
    ffebm_status status = FFEBM_OK;

    ffebm_equilibrium_config_init(&r->equilibrium, sizeof r->equilibrium);
    r->equilibrium.free_tolerance = r->equilibrium.nudged_tolerance = 0;
    r->equilibrium.free_order = FFEBM_ORDER_EVEN_ODD;
    r->equilibrium.nudged_order = FFEBM_ORDER_ODD_EVEN;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && status == FFEBM_OK; i++) {
        char *text = NULL;

        status = reference_metadata(r, settings[i].key, &text);
        if (status == FFEBM_OK)
            status = settings[i].set(r, text);
        else if (status == FFEBM_ERR_NOT_FOUND && settings[i].otherwise != NULL)
            status = settings[i].set(r, settings[i].otherwise);
        free(text);
    }
    return status;
}

static ffebm_status new_engine(struct reference *r)
{
    ffebm_engine_config config;

    ffebm_engine_config_init(&config, sizeof config);
    config.max_batch = (size_t)ffebm_tensor_shape(r->input, NULL)[0];
    return ffebm_engine_create(&r->engine, r->model, &config);
}

static ffebm_status new_output(struct reference *r)
{
    ffebm_model_info info = {.size = sizeof info};
    int64_t shape[FFEBM_MAX_RANK] = {ffebm_tensor_shape(r->input, NULL)[0]};
    ffebm_status status = ffebm_model_inspect(r->model, &info);

    if (status != FFEBM_OK)
        return status;
    memcpy(shape + 1, info.output_shape, info.output_rank * sizeof *shape);
    return ffebm_tensor_create(r->context, &r->output, FFEBM_FLOAT64, shape, info.output_rank + 1);
}

static ffebm_status new_input_gradient(struct reference *r)
{
    size_t rank;
    const int64_t *shape = ffebm_tensor_shape(r->input, &rank);

    return ffebm_tensor_create(r->context, &r->input_gradient, FFEBM_FLOAT64, shape, rank);
}

/* --------------------------------------------------------------------------------------------------- comparing */

static ffebm_status compare_state(struct reference *r, const char *name, double *worst)
{
    size_t stage, layer;

    if (sscanf(name, "free.stage%zu.layer%zu", &stage, &layer) != 2)
        return FFEBM_ERR_FORMAT;
    return reference_compare_state(r, name, stage, layer, FFEBM_PHASE_FREE, worst);
}

/* ------------------------------------------------------------------------------------------------------ groups */

/* The part of a result's name before the parameter's: "grad.ep.beta0.2.T5". Empty for what is no result, or unknown. */
static void group_of(const char *name, char group[GROUP])
{
    const char *end = NULL;

    if (strcmp(name, "grad.input.id") == 0)
        end = name + strlen(name);
    else if (starts_with(name, "grad."))
        end = strstr(name, ".stage");
    else if (starts_with(name, "free."))
        end = name + strlen("free");
    else if (strcmp(name, "output") == 0 || strcmp(name, "loss") == 0)
        end = name + strlen(name);
    snprintf(group, GROUP, "%.*s", end == NULL ? 0 : (int)(end - name), name);
}

static int is_given(const char *name)
{
    return starts_with(name, "param.") || starts_with(name, "buffer.") || strcmp(name, "input") == 0 ||
           strcmp(name, "target") == 0;
}

/* One sample's loss by its output, in place of that. */
static void differentiate_loss(int32_t loss, size_t classes, int64_t label, double *output)
{
    double largest = output[0], sum = 0;

    for (size_t c = 0; c < classes; c++)
        largest = fmax(largest, output[c]);
    for (size_t c = 0; c < classes; c++)
        sum += exp(output[c] - largest);
    for (size_t c = 0; c < classes; c++) {
        if (loss == FFEBM_LOSS_CROSS_ENTROPY)
            output[c] = exp(output[c] - largest) / sum;
        output[c] -= (int64_t)c == label;
    }
}

static ffebm_status compute_input_gradient(struct reference *r)
{
    ffebm_model_info info = {.size = sizeof info};
    double *output = ffebm_tensor_data(r->output);
    const int64_t *labels = ffebm_tensor_const_data(r->target);
    size_t rows = ffebm_tensor_count(r->target), classes = ffebm_tensor_count(r->output) / rows;
    uint64_t ticket;
    ffebm_status status;

    if ((status = ffebm_model_inspect(r->model, &info)) != FFEBM_OK ||
        (status = ffebm_engine_forward(r->engine, r->output, &ticket, r->input)) != FFEBM_OK)
        return status;
    for (size_t i = 0; i < rows; i++)
        differentiate_loss(info.loss, classes, labels[i], output + i * classes);
    return ffebm_engine_vjp(r->engine, r->input_gradient, ticket, r->output, 1);
}

/* Compute what a group states: its gradient, or for the others any gradient, whose free phase they are about. */
static ffebm_status compute(struct reference *r, const char *group)
{
    ffebm_report report = {.size = sizeof report};
    ffebm_equilibrium_config config = r->equilibrium;
    const char *count = strstr(group, ".T");
    ffebm_status status;

    if (starts_with(group, "grad.id.") || strcmp(group, "grad.input.id") == 0)
        config.estimator = FFEBM_ESTIMATOR_IMPLICIT;
    else if (starts_with(group, "grad.ep.beta"))
        config.beta = strtod(group + strlen("grad.ep.beta"), NULL);
    else if (starts_with(group, "grad."))
        return FFEBM_ERR_FORMAT;
    if (count != NULL)
        config.nudged_sweeps = strtoll(count + strlen(".T"), NULL, 10);
    if (strcmp(group, "grad.input.id") == 0)
        config.nudged_sweeps = r->input_sweeps;
    if ((status = ffebm_engine_configure(r->engine, FFEBM_ALL, &config)) != FFEBM_OK)
        return status;
    if (strcmp(group, "grad.input.id") == 0)
        return compute_input_gradient(r);
    if (strcmp(group, "output") == 0)
        return ffebm_engine_forward(r->engine, r->output, NULL, r->input);
    status = ffebm_engine_gradient(r->engine, &report, r->input, r->target, NULL);
    r->loss = report.loss;
    return status;
}

static ffebm_status compare_one(struct reference *r, const char *name, double *worst)
{
    if (starts_with(name, "free."))
        return compare_state(r, name, worst);
    if (strcmp(name, "output") == 0)
        return reference_compare(r, name, ffebm_tensor_const_data(r->output), ffebm_tensor_count(r->output), worst);
    if (strcmp(name, "loss") == 0)
        return reference_compare(r, name, &r->loss, 1, worst);
    if (strcmp(name, "grad.input.id") == 0)
        return reference_compare(r, name, ffebm_tensor_const_data(r->input_gradient),
                                 ffebm_tensor_count(r->input_gradient), worst);
    return reference_compare_gradient(r, name, strstr(name, ".stage") + 1, worst);
}

static ffebm_status verify_group(struct reference *r, const char *group)
{
    double worst = 0;
    size_t before = r->compared;
    ffebm_status status = compute(r, group);

    for (const char *name = NULL; status == FFEBM_OK && (name = reference_next(r, name)) != NULL;) {
        char other[GROUP];

        group_of(name, other);
        if (strcmp(other, group) == 0)
            status = compare_one(r, name, &worst);
    }
    if (status == FFEBM_OK)
        reference_print(r, group, r->compared - before, worst);
    return status;
}

static ffebm_status verify_groups(struct reference *r)
{
    ffebm_status status = FFEBM_OK;

    for (const char *name = NULL; status == FFEBM_OK && (name = reference_next(r, name)) != NULL;) {
        char group[GROUP], before[GROUP] = "";
        int seen = 0;

        group_of(name, group);
        for (const char *at = NULL; !seen && (at = reference_next(r, at)) != name;) {
            group_of(at, before);
            seen = strcmp(before, group) == 0;
        }
        if (group[0] == '\0' && !is_given(name)) {
            fprintf(stderr, "%s: %s is neither a given nor a result that is known\n", r->path, name);
            return FFEBM_ERR_FORMAT;
        }
        if (group[0] != '\0' && !seen)
            status = verify_group(r, group);
    }
    return status;
}

static ffebm_status verify_chain(struct reference *r)
{
    ffebm_status status = read_settings(r);

    if (status == FFEBM_OK)
        status = verify_groups(r);
    return status == FFEBM_OK ? reference_verify_energies(r) : status;
}

/* Returns the number of tensors compared, or 0 if the file is not verified. */
static size_t verify(const char *path)
{
    struct reference r = {.path = path};
    ffebm_status status;
    size_t compared;

    if ((status = ffebm_context_create(&r.context, NULL)) != FFEBM_OK ||
        (status = reference_read_names(&r)) != FFEBM_OK || (status = reference_read_model(&r)) != FFEBM_OK ||
        (status = reference_read_values(&r)) != FFEBM_OK ||
        (status = ffebm_checkpoint_tensor(r.context, &r.input, path, "input")) != FFEBM_OK ||
        (status = ffebm_checkpoint_tensor(r.context, &r.target, path, "target")) != FFEBM_OK ||
        (status = new_engine(&r)) != FFEBM_OK || (status = new_output(&r)) != FFEBM_OK ||
        (status = new_input_gradient(&r)) != FFEBM_OK ||
        (status = reference_is_circuit(&r) ? reference_verify_circuit(&r) : verify_chain(&r)) != FFEBM_OK)
        fprintf(stderr, "%s: %s (%s)\n", path, ffebm_context_error(r.context), ffebm_status_text(status));
    compared = status == FFEBM_OK && r.worst <= bound ? r.compared : 0;

    free(r.names);
    ffebm_tensor_destroy(r.input);
    ffebm_tensor_destroy(r.target);
    ffebm_tensor_destroy(r.output);
    ffebm_tensor_destroy(r.input_gradient);
    ffebm_engine_destroy(r.engine);
    ffebm_model_destroy(r.model);
    ffebm_context_destroy(r.context);
    return compared;
}

int main(int argc, char **argv)
{
    size_t compared = 0;
    int failed = argc < 2;

    if (argc < 2)
        fprintf(stderr, "usage: %s FILE.safetensors...\n", argv[0]);
    for (int i = 1; i < argc; i++) {
        size_t count = verify(argv[i]);

        compared += count;
        failed = failed || count == 0;
    }
    printf("%zu tensors compared: %s\n", compared, failed ? "FAILED" : "all within 1e-8");
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
