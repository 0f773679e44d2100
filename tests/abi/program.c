/* A program of the past: built with the headers of an earlier release, run on today's library, its output held against
 * that of the same source built with today's headers. Every public struct makes its way into the library or out of it,
 * with a guard behind it, so that a library which reads or writes more than `size` is found out. No guard is part of the
 * struct's size: to the library they are somebody else's memory. */
#include <ffebm.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 6, UNITS = 5, CLASSES = 3, GUARD = 64, PATTERN = 0xA5 };

static ffebm_context *context;

/* A struct as a program has it before anything is in it, and what lies behind it. */
#define GUARDED(type, name)                                                                                            \
    struct {                                                                                                           \
        type is;                                                                                                       \
        unsigned char guard[GUARD];                                                                                    \
    } name;                                                                                                            \
    memset(&name, PATTERN, sizeof name);                                                                               \
    name.is.size = sizeof name.is

#define SEND(call, name)                                                                                               \
    do {                                                                                                               \
        check(#call, call);                                                                                            \
        intact(#call, (name).guard);                                                                                   \
    } while (0)

static void check(const char *what, ffebm_status status)
{
    if (status == FFEBM_OK)
        return;
    printf("%s: %s\n", what, ffebm_context_error(context));
    exit(EXIT_FAILURE);
}

static void intact(const char *what, const unsigned char *guard)
{
    for (size_t i = 0; i < GUARD; i++)
        if (guard[i] != PATTERN) {
            printf("%s: byte %zu behind the struct was written\n", what, i);
            exit(EXIT_FAILURE);
        }
}

static void print_shape(const char *what, const int64_t *shape, size_t rank)
{
    printf("%s [", what);
    for (size_t i = 0; i < rank; i++)
        printf(" %" PRId64, shape[i]);
    printf(" ]\n");
}

/* ---------------------------------------------------------------------------------------- blocks of the program's own */

/* E = sum_i theta_i s_i^2 / 2 - <s, x>. */
static int32_t settle(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++)
        call->state[i] = (call->input[i] + (call->force != NULL ? call->force[i] : 0)) / call->parameters[i % UNITS];
    for (size_t n = 0; n < call->batch; n++)
        call->sweeps[n] = 1 + call->nudged;
    return 0;
}

static int32_t parameter_gradient(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++)
        call->gradient[i % UNITS] += call->weight[i / UNITS] * call->state[i] * call->state[i] / 2;
    return 0;
}

static int32_t energy(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++)
        call->energy[i / UNITS] += (call->parameters[i % UNITS] * call->state[i] / 2 - call->input[i]) * call->state[i];
    return 0;
}

static int32_t adjoint(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++) {
        double slope = call->output_cotangent[i] / call->parameters[i % UNITS];

        call->input_gradient[i] = slope;
        call->gradient[i % UNITS] -= call->weight[i / UNITS] * call->state[i] * slope;
    }
    return 0;
}

static int32_t first_stiffness(void *self, ffebm_energy_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->parameter_count; i++)
        call->values[i] = 1 + 0.25 * (double)i;
    return 0;
}

/* y_i = w_i x_i. */
static int32_t scale(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++)
        call->output[i] = call->parameters[i % UNITS] * call->input[i];
    return 0;
}

static int32_t scale_vjp(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->batch * UNITS; i++) {
        call->input_cotangent[i] = call->parameters[i % UNITS] * call->output_cotangent[i];
        call->gradient[i % UNITS] += call->scale * call->input[i] * call->output_cotangent[i];
    }
    return 0;
}

static int32_t first_scale(void *self, ffebm_feedforward_call *call)
{
    (void)self;
    for (size_t i = 0; i < call->parameter_count; i++)
        call->values[i] = call->training >= 0 ? 1.5 : 0;
    return 0;
}

static void gone(void *self)
{
    printf("%s is gone\n", (const char *)self);
}

static const int64_t shape[] = {UNITS};

static void add_own_blocks(ffebm_model *model)
{
    static char energy_self[] = "springs", feedforward_self[] = "scale";
    ffebm_energy *springs;
    ffebm_feedforward *scales;
    GUARDED(ffebm_user_energy, table);
    GUARDED(ffebm_user_feedforward, other);
    GUARDED(ffebm_user_parameter, parameter);

    table.is = (ffebm_user_energy){.size = sizeof table.is, .self = energy_self, .name = "springs"};
    table.is.input_shape = table.is.output_shape = shape;
    table.is.input_rank = table.is.output_rank = 1;
    table.is.state_count = UNITS;
    table.is.settle = settle;
    table.is.parameter_gradient = parameter_gradient;
    table.is.energy = energy;
    table.is.adjoint = adjoint;
    table.is.initialize = first_stiffness;
    table.is.destroy = gone;
    table.is.max_batch = 2;
    table.is.max_beta = 0.5;
    SEND(ffebm_energy_create_user(context, &springs, &table.is), table);

    ffebm_user_parameter_init(&parameter.is, sizeof parameter.is);
    intact("ffebm_user_parameter_init", parameter.guard);
    parameter.is.name = "stiffness";
    parameter.is.shape = shape;
    parameter.is.rank = 1;
    parameter.is.lower = 0.5;
    SEND(ffebm_energy_add_parameter(springs, &parameter.is), parameter);
    check("springs", ffebm_model_add_energy(model, &springs));

    other.is = (ffebm_user_feedforward){.size = sizeof other.is, .self = feedforward_self, .name = "scale"};
    other.is.input_shape = other.is.output_shape = shape;
    other.is.input_rank = other.is.output_rank = 1;
    other.is.forward = scale;
    other.is.vjp = scale_vjp;
    other.is.initialize = first_scale;
    other.is.destroy = gone;
    SEND(ffebm_feedforward_create_user(context, &scales, &other.is), other);
    parameter.is.name = "weight";
    parameter.is.lower = -2;
    SEND(ffebm_feedforward_add_parameter(scales, &parameter.is), parameter);
    check("scale", ffebm_model_add_feedforward(model, &scales));
}

/* ---------------------------------------------------------------------------------------------------- the library's */

static void add_linear(ffebm_model *model, int64_t out)
{
    ffebm_feedforward *block;
    GUARDED(ffebm_op_config, op);

    check("feedforward", ffebm_feedforward_create(context, &block));
    ffebm_op_config_init(&op.is, sizeof op.is, FFEBM_OP_LINEAR);
    intact("ffebm_op_config_init", op.guard);
    op.is.out = out;
    SEND(ffebm_feedforward_add_op(block, &op.is), op);
    check("linear", ffebm_model_add_feedforward(model, &block));
}

static void add_hopfield(ffebm_model *model)
{
    ffebm_energy *block;
    GUARDED(ffebm_activation, activation);
    GUARDED(ffebm_hopfield_config, hopfield);
    GUARDED(ffebm_coupling_config, coupling);
    GUARDED(ffebm_initialization, initialization);

    ffebm_hopfield_config_init(&hopfield.is, sizeof hopfield.is);
    intact("ffebm_hopfield_config_init", hopfield.guard);
    ffebm_activation_init(&activation.is, sizeof activation.is, FFEBM_ACTIVATION_HARD_SIGMOID);
    intact("ffebm_activation_init", activation.guard);
    activation.is.slope = 0.5;
    hopfield.is.activation = &activation.is;
    SEND(ffebm_energy_create_hopfield(context, &block, &hopfield.is), hopfield);
    intact("activation", activation.guard);
    ffebm_initialization_init(&initialization.is, sizeof initialization.is);
    intact("ffebm_initialization_init", initialization.guard);
    initialization.is.gain = 0.5;
    initialization.is.constant_bias = 1;
    initialization.is.bias = 0.25;
    ffebm_coupling_config_init(&coupling.is, sizeof coupling.is, FFEBM_COUPLING_DENSE);
    intact("ffebm_coupling_config_init", coupling.guard);
    coupling.is.out = UNITS;
    coupling.is.initialization = &initialization.is;
    SEND(ffebm_energy_add_coupling(block, &coupling.is), coupling);
    intact("initialization", initialization.guard);
    check("hopfield", ffebm_model_add_energy(model, &block));
}

static void print_model(ffebm_model *model)
{
    GUARDED(ffebm_model_info, info);
    GUARDED(ffebm_stage_info, stage);
    GUARDED(ffebm_layer_info, layer);
    GUARDED(ffebm_parameter_info, parameter);

    SEND(ffebm_model_inspect(model, &info.is), info);
    printf("model: %zu stages, %zu parameters, %zu buffers, %zu elements, ready %d, dtype %d, loss %d\n",
           info.is.stage_count, info.is.parameter_count, info.is.buffer_count, info.is.element_count, info.is.ready,
           info.is.dtype, info.is.loss);
    print_shape("input", info.is.input_shape, info.is.input_rank);
    print_shape("output", info.is.output_shape, info.is.output_rank);
    for (size_t s = 0; s < info.is.stage_count; s++) {
        SEND(ffebm_model_inspect_stage(model, &stage.is, s), stage);
        printf("stage %zu: %s, kind %d, %zu layers, %zu parameters from %zu\n", s, stage.is.type, stage.is.kind,
               stage.is.layer_count, stage.is.parameter_count, stage.is.first_parameter);
        print_shape("from", stage.is.input_shape, stage.is.input_rank);
        print_shape("to", stage.is.output_shape, stage.is.output_rank);
        for (size_t l = 0; l < stage.is.layer_count; l++) {
            SEND(ffebm_model_inspect_layer(model, &layer.is, s, l), layer);
            printf("layer %zu: %zu units\n", l, layer.is.units);
            print_shape("layer", layer.is.shape, layer.is.rank);
        }
    }
    for (size_t p = 0; p < info.is.parameter_count; p++) {
        SEND(ffebm_model_inspect_parameter(model, &parameter.is, p), parameter);
        printf("%s: stage %zu, %zu numbers at %zu, role %d, frozen %d, within [%g, %g], sum of squares",
               parameter.is.name, parameter.is.stage, parameter.is.count, parameter.is.offset, parameter.is.role,
               parameter.is.frozen, parameter.is.lower, parameter.is.upper);
        {
            const double *value = (const double *)ffebm_tensor_data(parameter.is.value);
            double sum = 0;

            for (size_t i = 0; i < parameter.is.count; i++)
                sum += value[i] * value[i];
            printf(" %.17g\n", sum);
        }
    }
}

static int32_t print_point(void *user, const ffebm_trace_point *p)
{
    (void)user;
    printf("trace: %s (%zu, %zu), sweep %" PRId64
           ": %zu and %zu numbers of norms %.17g, %.17g, cosine %.17g, error %.17g\n",
           p->name, p->stage, p->parameter, p->sweep, ffebm_tensor_count(p->estimate), ffebm_tensor_count(p->implicit),
           p->estimate_norm, p->implicit_norm, p->cosine, p->relative_error);
    return 0;
}

static void print_certificate(const ffebm_certificate *c)
{
    printf(
        "certificate of %s: passed %d, norm %.17g, cosine %.17g, error %.17g, differences %.17g %.17g, residuals %.17g "
        "%.17g %.17g, %zu region changes\n",
        c->name, c->passed, c->norm, c->cosine, c->relative_error, c->difference_cosine, c->difference_error,
        c->free_residual, c->nudged_residual, c->adjoint_residual, c->region_changes);
}

static void certify(ffebm_engine *engine, const ffebm_tensor *x, const ffebm_tensor *y)
{
    GUARDED(ffebm_certify_config, config);
    GUARDED(ffebm_certificate, worst);
    GUARDED(ffebm_certificate, first);

    ffebm_certify_config_init(&config.is, sizeof config.is);
    intact("ffebm_certify_config_init", config.guard);
    config.is.directions = 2;
    config.is.seed = 3;
    SEND(ffebm_engine_certify(engine, &worst.is, x, y, NULL, &config.is), worst);
    intact("ffebm_engine_certify", config.guard);
    print_certificate(&worst.is);
    SEND(ffebm_engine_inspect_certificate(engine, &first.is, 0), first);
    print_certificate(&first.is);
}

static void configure(ffebm_engine *engine)
{
    GUARDED(ffebm_equilibrium_config, equilibrium);

    ffebm_equilibrium_config_init(&equilibrium.is, sizeof equilibrium.is);
    intact("ffebm_equilibrium_config_init", equilibrium.guard);
    equilibrium.is.beta = 0.25;
    equilibrium.is.free_tolerance = 1e-12;
    equilibrium.is.free_sweeps = 400;
    equilibrium.is.nudged_sweeps = 4;
    equilibrium.is.nudging = FFEBM_NUDGING_LINEAR;
    SEND(ffebm_engine_configure(engine, FFEBM_ALL, &equilibrium.is), equilibrium);
}

static void print_reports(const ffebm_engine *engine)
{
    GUARDED(ffebm_phase_report, phase);
    GUARDED(ffebm_layer_report, layer);

    for (int32_t which = FFEBM_PHASE_FREE; which <= FFEBM_PHASE_NUDGED; which++) {
        SEND(ffebm_engine_inspect_phase(engine, &phase.is, 1, which), phase);
        printf("phase %d: %zu samples, %zu missed, %zu not finite, %zu changed region, sweeps %" PRId64
               " %.17g %" PRId64 ", residual %.17g, %d, joules %g, retries %" PRId64 "\n",
               which, phase.is.samples, phase.is.unconverged, phase.is.nonfinite, phase.is.region_changes,
               phase.is.sweeps_min, phase.is.sweeps_mean, phase.is.sweeps_max, phase.is.residual_max,
               phase.is.seconds >= 0 && phase.is.seconds < 60, phase.is.joules, phase.is.retries);
    }
    SEND(ffebm_engine_inspect_layer(engine, &layer.is, 1, 0), layer);
    printf("layer: %zu units, norms %.17g %.17g %.17g, ratio %.17g, saturated %.17g\n", layer.is.units,
           layer.is.free_norm, layer.is.nudge_norm, layer.is.residual_norm, layer.is.signal_to_residual,
           layer.is.saturated);
}

static void train(ffebm_model *model, ffebm_engine *engine, const ffebm_tensor *x, const ffebm_tensor *y)
{
    ffebm_optimizer *optimizers[2];
    GUARDED(ffebm_sgd_config, sgd);
    GUARDED(ffebm_adam_config, adam);
    GUARDED(ffebm_report, report);

    ffebm_sgd_config_init(&sgd.is, sizeof sgd.is);
    intact("ffebm_sgd_config_init", sgd.guard);
    sgd.is.nesterov = 1;
    SEND(ffebm_optimizer_create_sgd(&optimizers[0], model, &sgd.is), sgd);
    ffebm_adam_config_init(&adam.is, sizeof adam.is);
    intact("ffebm_adam_config_init", adam.guard);
    adam.is.decoupled_decay = 1;
    SEND(ffebm_optimizer_create_adam(&optimizers[1], model, &adam.is), adam);
    for (int step = 0; step < 6; step++) {
        SEND(ffebm_engine_gradient(engine, &report.is, x, y, NULL), report);
        printf("step %d: %zu samples, %zu and %zu right, %zu missed, %zu not finite, %zu changed region, loss %.17g, "
               "norm %.17g, %" PRId64 " sweeps\n",
               step, report.is.batch, report.is.correct, report.is.correct_top5, report.is.unconverged,
               report.is.nonfinite, report.is.region_changes, report.is.loss, report.is.gradient_norm,
               report.is.sweeps);
        check("step", ffebm_optimizer_step(optimizers[step % 2], engine));
    }
    ffebm_optimizer_destroy(optimizers[0]);
    ffebm_optimizer_destroy(optimizers[1]);
}

/* ---------------------------------------------------------------------------------------------------- descriptions */

static void parse(void)
{
    static const char json[] =
        "{\"input\": [2], \"loss\": \"mse\", \"recipe\": {\"epochs\": 7, \"batch\": 3, \"lr\": 0.5}, "
        "\"stages\": [{\"feedforward\": [{\"type\": \"tanh\"}]}]}";
    ffebm_model *model;
    GUARDED(ffebm_parse_config, config);
    GUARDED(ffebm_recipe, r);
    GUARDED(ffebm_equilibrium_config, e);

    ffebm_parse_config_init(&config.is, sizeof config.is);
    intact("ffebm_parse_config_init", config.guard);
    config.is.dtype = FFEBM_FLOAT64;
    SEND(ffebm_model_parse(context, &model, json, sizeof json - 1, &config.is), config);
    SEND(ffebm_model_recipe(model, &r.is), r);
    SEND(ffebm_model_equilibrium(model, &e.is), e);
    printf("recipe: %" PRId64 " %" PRId64 " %g %g %g %g %d %d %d %d %d %g\n", r.is.epochs, r.is.batch, r.is.lr,
           r.is.lr_min, r.is.weight_decay, r.is.momentum, r.is.optimizer, r.is.schedule, r.is.schedule_per,
           r.is.augment, r.is.nesterov, r.is.label_smoothing);
    printf("equilibrium: %g %g %g %" PRId64 " %" PRId64 " %d %d\n", e.is.beta, e.is.free_tolerance,
           e.is.nudged_tolerance, e.is.free_sweeps, e.is.nudged_sweeps, e.is.estimator, e.is.switches);
    ffebm_model_destroy(model);
}

int main(void)
{
    double points[ROWS * UNITS];
    int64_t labels[ROWS];
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_tensor *x, *y;
    GUARDED(ffebm_context_config, settings);
    GUARDED(ffebm_engine_config, config);

    ffebm_context_config_init(&settings.is, sizeof settings.is);
    intact("ffebm_context_config_init", settings.guard);
    settings.is.max_isa = FFEBM_ISA_PORTABLE;
    SEND(ffebm_context_create(&context, &settings.is), settings);
    parse();

    check("model", ffebm_model_create(context, &model, FFEBM_FLOAT64, shape, 1, FFEBM_LOSS_CROSS_ENTROPY));
    add_linear(model, UNITS);
    add_hopfield(model);
    add_own_blocks(model);
    add_linear(model, CLASSES);
    check("initialize", ffebm_model_initialize(model, 1));
    ffebm_engine_config_init(&config.is, sizeof config.is);
    intact("ffebm_engine_config_init", config.guard);
    config.is.max_batch = ROWS;
    SEND(ffebm_engine_create(&engine, model, &config.is), config);

    for (uint64_t i = 0; i < ROWS * UNITS; i++)
        points[i] = ffebm_random_normal(2, i);
    for (int64_t n = 0; n < ROWS; n++)
        labels[n] = n % CLASSES;
    check("wrap", ffebm_tensor_wrap(context, &x, points, FFEBM_FLOAT64, (int64_t[]){ROWS, UNITS}, 2));
    check("wrap", ffebm_tensor_wrap(context, &y, labels, FFEBM_INT64, (int64_t[]){ROWS}, 1));
    configure(engine);
    train(model, engine, x, y);
    print_model(model);
    print_reports(engine);
    certify(engine, x, y);
    check("trace", ffebm_engine_trace(engine, x, y, NULL, print_point, NULL));

    ffebm_tensor_destroy(y);
    ffebm_tensor_destroy(x);
    ffebm_engine_destroy(engine);
    ffebm_model_destroy(model);
    ffebm_context_destroy(context);
}
