#include <stdio.h>
#include <string.h>

#include "attack/support/blocks.h"
#include "attack/support/modest.h"
#include "world.h"

enum { ROWS = 5, ESTIMATORS = 6 };

/* ------------------------------------------------------------------------------------------- what there is before */

static void nothing(world *w)
{
    (void)w;
}

static modest plenty = {.most = 1 << 30};

static void a_context(world *w)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = w->threads;
    subject_context(&w->s, &config);
}

/* One whose memory comes from the host. */
static void a_host(world *w)
{
    ffebm_context_config config;

    modest_config(&config, &plenty);
    subject_context(&w->s, &config);
}

static void a_model(world *w)
{
    a_context(w);
    subject_model(&w->s, SUBJECT_CONV);
}

static void a_ready_model(world *w)
{
    a_model(w);
    subject_batch(&w->s, ROWS);
    subject_check(&w->s, ffebm_model_initialize(w->s.model, 1));
}

static void all_of(world *w, int kind)
{
    a_context(w);
    subject_model(&w->s, kind);
    subject_batch(&w->s, ROWS);
    subject_train(&w->s, FFEBM_ESTIMATOR_CENTERED);
}

static void everything(world *w)
{
    all_of(w, SUBJECT_CONV);
}

static void everything_own(world *w)
{
    all_of(w, SUBJECT_OWN);
    w->blocks = 2;
}

static const char *saved_path(const world *w)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/saved.safetensors", w->directory);
    return path;
}

static void a_file(world *w)
{
    everything(w);
    subject_check(&w->s, ffebm_checkpoint_save(w->s.model, w->s.optimizer, "a note", saved_path(w)));
}

static struct {
    unsigned char bytes[1 << 16];
    size_t length;
} in_memory;

static int32_t keep(void *user, const void *bytes, size_t count)
{
    (void)user;
    if (count > sizeof in_memory.bytes - in_memory.length)
        return -1;
    memcpy(in_memory.bytes + in_memory.length, bytes, count);
    in_memory.length += count;
    return 0;
}

static void a_checkpoint_in_memory(world *w)
{
    everything(w);
    in_memory.length = 0;
    subject_check(&w->s, ffebm_checkpoint_write(w->s.model, w->s.optimizer, "a note", keep, NULL));
}

/* Nothing but the context is left. */
static void only_a_file(world *w)
{
    a_file(w);
    subject_close(&w->s);
    a_context(w);
}

static void a_file_and_a_model(world *w)
{
    only_a_file(w);
    subject_model(&w->s, SUBJECT_CONV);
}

/* --------------------------------------------------------------------------------------------- what runs out of it */

static int create_context(world *w)
{
    ffebm_context_config config;

    ffebm_context_config_init(&config, sizeof config);
    config.threads = w->threads;
    MAKE(w, w->s.context, ffebm_context_create(&w->s.context, &config));
    return 0;
}

static int parse(world *w)
{
    for (int kind = 0; kind < SUBJECT_OWN; kind++) {
        const char *json = subject_descriptions[kind];

        ffebm_model_destroy(w->other);
        MAKE(w, w->other, ffebm_model_parse(w->s.context, &w->other, json, strlen(json), NULL));
    }
    return 0;
}

static int add_ops(world *w)
{
    ffebm_initialization initialization;
    ffebm_op_config op;

    ffebm_initialization_init(&initialization, sizeof initialization);
    initialization.gain = 2;
    MAKE(w, w->feedforward, ffebm_feedforward_create(w->s.context, &w->feedforward));
    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_CONV2D);
    op.out = 3;
    op.kernel[0] = op.kernel[1] = 3;
    op.initialization = &initialization;
    TRY(w, ffebm_feedforward_add_op(w->feedforward, &op));
    for (int32_t type = FFEBM_OP_BATCHNORM2D; type <= FFEBM_OP_SIGMOID; type++) {
        ffebm_op_config_init(&op, sizeof op, type);
        TRY(w, ffebm_feedforward_add_op(w->feedforward, &op));
    }
    TRY(w, ffebm_model_add_feedforward(w->s.model, &w->feedforward));
    return 0;
}

static int add_tap(world *w)
{
    ffebm_op_config op;

    MAKE(w, w->feedforward, ffebm_feedforward_create(w->s.context, &w->feedforward));
    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_FLATTEN);
    TRY(w, ffebm_feedforward_add_op(w->feedforward, &op));
    ffebm_op_config_init(&op, sizeof op, FFEBM_OP_LINEAR);
    op.out = 4;
    TRY(w, ffebm_feedforward_add_op(w->feedforward, &op));
    TRY(w, ffebm_model_add_tap(w->s.model, &w->feedforward, 1));
    return 0;
}

static int add_couplings(world *w)
{
    ffebm_coupling_config coupling;

    MAKE(w, w->energy, ffebm_energy_create_hopfield(w->s.context, &w->energy, NULL));
    ffebm_coupling_config_init(&coupling, sizeof coupling, FFEBM_COUPLING_DENSE);
    for (coupling.out = 4; coupling.out > 1; coupling.out--)
        TRY(w, ffebm_energy_add_coupling(w->energy, &coupling));
    TRY(w, ffebm_model_add_energy(w->s.model, &w->energy));
    return 0;
}

static int describe(world *w)
{
    const char *json;

    TRY(w, ffebm_model_description(w->s.model, &json, NULL));
    return 0;
}

static int build(world *w)
{
    static const int64_t shape[] = {2, 6, 6};

    MAKE(w, w->s.model, ffebm_model_create(w->s.context, &w->s.model, FFEBM_FLOAT64, shape, 3, FFEBM_LOSS_MSE));
    if (add_ops(w) != 0 || add_tap(w) != 0 || add_couplings(w) != 0)
        return -1;
    TRY(w, ffebm_model_set_bounds(w->s.model, "stage0", -1, 1));
    TRY(w, ffebm_model_initialize(w->s.model, 3));
    return describe(w);
}

static int initialize(world *w)
{
    TRY(w, ffebm_model_initialize(w->s.model, 7));
    return describe(w);
}

static int create_engine(world *w)
{
    MAKE(w, w->s.engine, ffebm_engine_create(&w->s.engine, w->s.model, NULL));
    return 0;
}

static int configure_each(world *w)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.free_sweeps = 8;
    config.nudged_sweeps = 3;
    for (config.estimator = 1; config.estimator <= ESTIMATORS; config.estimator++) {
        config.repeats = 1 + config.estimator % 3;
        TRY(w, ffebm_engine_configure(w->s.engine, FFEBM_ALL, &config));
    }
    return 0;
}

static int gradient_of_each(world *w)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.free_sweeps = 8;
    config.nudged_sweeps = 3;
    for (config.estimator = 1; config.estimator <= ESTIMATORS; config.estimator++) {
        TRY(w, ffebm_engine_configure(w->s.engine, FFEBM_ALL, &config));
        TRY(w, ffebm_engine_gradient(w->s.engine, NULL, w->s.x, w->s.y, NULL));
        TRY(w, ffebm_optimizer_step(w->s.optimizer, w->s.engine));
    }
    return 0;
}

/* Allocates nothing: there is nothing to fail. */
static int compute(world *w)
{
    ffebm_report report = {.size = sizeof report};

    TRY(w, ffebm_engine_gradient(w->s.engine, &report, w->s.x, w->s.y, NULL));
    TRY(w, ffebm_optimizer_step(w->s.optimizer, w->s.engine));
    TRY(w, ffebm_engine_evaluate(w->s.engine, &report, NULL, w->s.x, w->s.y, NULL));
    TRY(w, ffebm_engine_forward(w->s.engine, NULL, NULL, w->s.x));
    return 0;
}

static int certify(world *w)
{
    ffebm_certify_config config;
    ffebm_status status;

    ffebm_certify_config_init(&config, sizeof config);
    config.directions = 1;
    config.adjoint_sweeps = 50;
    status = ffebm_engine_certify(w->s.engine, NULL, w->s.x, w->s.y, NULL, &config);
    if (status == FFEBM_ERR_CONVERGENCE)
        return 0; /* not what it is about */
    if (status != FFEBM_OK && world_failed(w, status)) {
        status = ffebm_engine_certify(w->s.engine, NULL, w->s.x, w->s.y, NULL, &config);
        return status == FFEBM_OK || status == FFEBM_ERR_CONVERGENCE ? 0 : -1;
    }
    return status == FFEBM_OK ? 0 : -1;
}

static int32_t visit(void *user, const ffebm_trace_point *point)
{
    (void)user;
    (void)point;
    return 0;
}

static int trace(world *w)
{
    TRY(w, ffebm_engine_trace(w->s.engine, w->s.x, w->s.y, NULL, visit, NULL));
    return 0;
}

static int settle_alone(world *w)
{
    static const int64_t shape[] = {ROWS, BLOCKS_UNITS}, energies[] = {ROWS};

    MAKE(w, w->t, ffebm_tensor_create(w->s.context, &w->t, FFEBM_FLOAT64, shape, 2));
    MAKE(w, w->rows, ffebm_tensor_create(w->s.context, &w->rows, FFEBM_FLOAT64, energies, 1));
    TRY(w, ffebm_engine_settle(w->s.engine, 2, w->t, NULL));
    TRY(w, ffebm_engine_energy(w->s.engine, w->rows, 2, FFEBM_PHASE_FREE, w->t));
    TRY(w, ffebm_engine_energy_gradient(w->s.engine, NULL, 2, FFEBM_PHASE_FREE));
    TRY(w, ffebm_engine_get_state(w->s.engine, w->t, 2, 0, FFEBM_PHASE_FREE));
    return 0;
}

static int add_own(world *w)
{
    const ffebm_user_parameter b = blocks_parameter("b"), k = blocks_parameter("k");

    MAKE(w, w->feedforward, ffebm_feedforward_create_user(w->s.context, &w->feedforward, &blocks_feedforward));
    w->blocks++;
    TRY(w, ffebm_feedforward_add_parameter(w->feedforward, &b));
    TRY(w, ffebm_model_add_feedforward(w->s.model, &w->feedforward));
    MAKE(w, w->energy, ffebm_energy_create_user(w->s.context, &w->energy, &blocks_energy));
    w->blocks++;
    TRY(w, ffebm_energy_add_parameter(w->energy, &k));
    TRY(w, ffebm_model_add_energy(w->s.model, &w->energy));
    return 0;
}

static int own_blocks(world *w)
{
    static const int64_t sample[] = {BLOCKS_UNITS}, batch[] = {ROWS, BLOCKS_UNITS};

    MAKE(w, w->s.model, ffebm_model_create(w->s.context, &w->s.model, FFEBM_FLOAT32, sample, 1, FFEBM_LOSS_MSE));
    if (add_own(w) != 0)
        return -1;
    TRY(w, ffebm_model_initialize(w->s.model, 1));
    MAKE(w, w->s.engine, ffebm_engine_create(&w->s.engine, w->s.model, NULL));
    MAKE(w, w->s.x, ffebm_tensor_create(w->s.context, &w->s.x, FFEBM_FLOAT32, batch, 2));
    MAKE(w, w->s.y, ffebm_tensor_create(w->s.context, &w->s.y, FFEBM_FLOAT32, batch, 2));
    MAKE(w, w->s.optimizer, ffebm_optimizer_create_sgd(&w->s.optimizer, w->s.model, NULL));
    TRY(w, ffebm_engine_gradient(w->s.engine, NULL, w->s.x, w->s.y, NULL));
    TRY(w, ffebm_optimizer_step(w->s.optimizer, w->s.engine));
    return describe(w);
}

static int optimizers(world *w)
{
    ffebm_optimizer_destroy(w->s.optimizer);
    MAKE(w, w->s.optimizer, ffebm_optimizer_create_sgd(&w->s.optimizer, w->s.model, NULL));
    TRY(w, ffebm_optimizer_set_multipliers(w->s.optimizer, "stage0", 0.5, 1));
    ffebm_optimizer_destroy(w->s.optimizer);
    MAKE(w, w->s.optimizer, ffebm_optimizer_create_adam(&w->s.optimizer, w->s.model, NULL));
    ffebm_optimizer_destroy(w->s.optimizer);
    MAKE(w, w->s.optimizer, ffebm_recipe_optimizer(&w->s.optimizer, w->s.model, NULL));
    TRY(w, ffebm_optimizer_step(w->s.optimizer, w->s.engine));
    return 0;
}

static int save(world *w)
{
    TRY(w, ffebm_checkpoint_save(w->s.model, w->s.optimizer, "{\"n\": 1}", saved_path(w)));
    return 0;
}

static int32_t swallow(void *user, const void *bytes, size_t count)
{
    (void)user;
    (void)bytes;
    (void)count;
    return 0;
}

static int write(world *w)
{
    TRY(w, ffebm_checkpoint_write(w->s.model, w->s.optimizer, "n", swallow, NULL));
    return 0;
}

static int load(world *w)
{
    MAKE(w, w->other, ffebm_checkpoint_load(w->s.context, &w->other, saved_path(w)));
    return 0;
}

static int restore(world *w)
{
    TRY(w, ffebm_checkpoint_restore(w->s.model, w->s.optimizer, saved_path(w)));
    return 0;
}

static int read_memory(world *w)
{
    TRY(w, ffebm_checkpoint_read(w->s.model, w->s.optimizer, in_memory.bytes, in_memory.length));
    return 0;
}

static int look_into(world *w)
{
    char text[200];

    TRY(w, ffebm_checkpoint_tensor_names(w->s.context, text, sizeof text, NULL, saved_path(w)));
    TRY(w, ffebm_checkpoint_metadata(w->s.context, text, sizeof text, NULL, saved_path(w), "note"));
    MAKE(w, w->t, ffebm_checkpoint_tensor(w->s.context, &w->t, saved_path(w), "stage0.0.weight"));
    return 0;
}

static int tensors(world *w)
{
    static const int64_t shape[] = {4, 3};
    static float memory[12];

    MAKE(w, w->s.x, ffebm_tensor_create(w->s.context, &w->s.x, FFEBM_FLOAT64, shape, 2));
    MAKE(w, w->t, ffebm_tensor_wrap(w->s.context, &w->t, memory, FFEBM_FLOAT32, shape, 2));
    MAKE(w, w->rows, ffebm_tensor_rows(w->t, &w->rows, 1, 2));
    return 0;
}

static int change_settings(world *w)
{
    TRY(w, ffebm_model_set_bounds(w->s.model, "", -5, 5));
    TRY(w, ffebm_model_initialize(w->s.model, 9));
    TRY(w, ffebm_engine_set_beta(w->s.engine, FFEBM_ALL, 0.3));
    TRY(w, ffebm_engine_set_sweeps(w->s.engine, FFEBM_ALL, 5, 3));
    TRY(w, ffebm_engine_set_label_smoothing(w->s.engine, 0.1));
    return describe(w);
}

/* ------------------------------------------------------------------------------------------------------ the table */

const scenario scenarios[] = {
    {"a context", 1, nothing, create_context, false, false},
    {"a context with threads", 4, nothing, create_context, false, false},
    {"parse", 1, a_context, parse, false, false},
    {"build by calls", 1, a_context, build, false, false},
    {"build in memory of the host's", 1, a_host, build, false, false},
    {"initialize and describe", 1, a_model, initialize, false, false},
    {"an engine", 1, a_ready_model, create_engine, true, false},
    {"an engine for threads", 3, a_ready_model, create_engine, true, false},
    {"configure each estimator", 1, everything, configure_each, true, false},
    {"a gradient of each estimator", 1, everything, gradient_of_each, false, false},
    {"gradient, step, evaluate, forward", 2, everything, compute, false, false},
    {"certify", 1, everything, certify, true, false},
    {"certify on threads", 3, everything, certify, true, false},
    {"trace", 1, everything, trace, true, false},
    {"settle one block", 1, everything_own, settle_alone, true, false},
    {"blocks of the host's own", 1, a_context, own_blocks, false, false},
    {"blocks of its own on threads", 3, a_context, own_blocks, false, false},
    {"optimizers", 1, everything, optimizers, false, false},
    {"save", 1, everything, save, true, false},
    {"write", 1, everything, write, true, false},
    {"load", 1, only_a_file, load, false, false},
    {"restore", 1, a_file, restore, true, false},
    {"restore what is building", 1, a_file_and_a_model, restore, true, false},
    {"read from memory", 1, a_checkpoint_in_memory, read_memory, true, false},
    {"names, metadata, a tensor", 1, only_a_file, look_into, false, false},
    {"tensors", 1, a_context, tensors, false, false},
    {"bounds, values, settings", 1, everything, change_settings, false, false},
    {"digits", 1, nothing, read_digits, false, false},
    {"IDX", 1, write_data, read_idx, false, false},
    {"CIFAR", 1, write_data, read_cifar, false, false},
    {"ImageNet32", 1, write_data, read_imagenet, false, true},
    {"batches", 1, prepare_batches, load_batches, false, false},
};
const size_t scenario_count = sizeof scenarios / sizeof *scenarios;
