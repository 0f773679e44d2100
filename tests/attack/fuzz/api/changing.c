#include "attack/fuzz/target.h"
#include "world.h"

static ffebm_status add_op(world *w, size_t i)
{
    ffebm_op_config config;

    ffebm_op_config_init(&config, sizeof config, (int32_t)(1 + next_below(w, 11)));
    if (config.type == FFEBM_OP_LINEAR || config.type == FFEBM_OP_CONV2D)
        config.out = next_small(w);
    if (config.type == FFEBM_OP_CONV2D || config.type == FFEBM_OP_MAXPOOL2D || config.type == FFEBM_OP_AVGPOOL2D)
        config.kernel[0] = config.kernel[1] = next_small(w);
    switch (next_below(w, 12)) {
    case 0:
        config.out = next_integer(w);
        break;
    case 1:
        config.kernel[0] = next_integer(w);
        break;
    case 2:
        config.padding[0] = next_integer(w);
        break;
    case 3:
        config.stride[1] = next_integer(w);
        break;
    case 4:
        config.epsilon = next_number(w);
        break;
    case 5:
        config.size = next_below(w, sizeof config + 1);
        break;
    default:
        break;
    }
    return ffebm_feedforward_add_op(w->feedforwards[i], &config);
}

static ffebm_status add_coupling(world *w, size_t i)
{
    ffebm_activation activation;
    ffebm_coupling_config config;

    ffebm_coupling_config_init(&config, sizeof config, (int32_t)(1 + next_below(w, 3)));
    config.out = next_small(w);
    config.activation = next_is(w, 4) ? next_activation(w, &activation) : NULL;
    if (config.type == FFEBM_COUPLING_CONV2D) {
        config.kernel[0] = config.kernel[1] = next_small(w);
        config.pool = (int32_t)next_below(w, 3);
        config.pool_kernel[0] = config.pool_kernel[1] = config.pool != FFEBM_POOL_NONE ? 1 + next_below(w, 2) : 0;
    }
    if (next_is(w, 2))
        config.from = next_below(w, 3);
    if (next_is(w, 3))
        config.to = next_below(w, 4);
    switch (next_below(w, 10)) {
    case 0:
        config.out = next_integer(w);
        break;
    case 1:
        config.kernel[1] = next_integer(w);
        break;
    case 2:
        config.pool_kernel[0] = next_integer(w);
        break;
    default:
        break;
    }
    return ffebm_energy_add_coupling(w->energies[i], &config);
}

static ffebm_status add_feedforward(world *w, size_t i)
{
    const bool there = w->feedforwards[i] != NULL;
    ffebm_status status = ffebm_model_add_feedforward(w->models[next_below(w, API_OBJECTS)], &w->feedforwards[i]);

    must(!there || (status == FFEBM_OK) == (w->feedforwards[i] == NULL), "taken, or not taken, with status %d", status);
    return status;
}

static ffebm_status add_tap(world *w, size_t i)
{
    const bool there = w->feedforwards[i] != NULL;
    ffebm_status status =
        ffebm_model_add_tap(w->models[next_below(w, API_OBJECTS)], &w->feedforwards[i], next_below(w, 4));

    must(!there || (status == FFEBM_OK) == (w->feedforwards[i] == NULL), "taken, or not taken, with status %d", status);
    return status;
}

static ffebm_status add_energy(world *w, size_t i)
{
    const bool there = w->energies[i] != NULL;
    ffebm_status status = ffebm_model_add_energy(w->models[next_below(w, API_OBJECTS)], &w->energies[i]);

    must(!there || (status == FFEBM_OK) == (w->energies[i] == NULL), "taken, or not taken, with status %d", status);
    return status;
}

static ffebm_status initialize(world *w, size_t i)
{
    return ffebm_model_initialize(w->models[i], next(w));
}

static ffebm_status describe(world *w, size_t i)
{
    const char *json;

    return ffebm_model_description(w->models[i], &json, NULL);
}

static ffebm_status set_bounds(world *w, size_t i)
{
    return ffebm_model_set_bounds(w->models[i], next_is(w, 2) ? "" : "stage0", next_number(w), next_number(w));
}

static void spoil_settings(world *w, ffebm_equilibrium_config *config)
{
    switch (next_below(w, 16)) {
    case 0:
        config->beta = next_number(w);
        break;
    case 1:
        config->free_tolerance = next_number(w);
        break;
    case 2:
        config->nudged_tolerance = next_number(w);
        break;
    case 3:
        config->relaxation = next_number(w);
        break;
    case 4:
        config->free_sweeps = next_integer(w) % 5;
        break;
    case 5:
        config->repeats = next_is(w, 2) ? 0 : -1;
        break;
    case 6:
        config->size = next_below(w, sizeof *config + 1);
        break;
    default:
        break;
    }
}

static ffebm_status configure(world *w, size_t i)
{
    ffebm_equilibrium_config config;

    ffebm_equilibrium_config_init(&config, sizeof config);
    config.free_sweeps = 1 + next_below(w, 8);
    config.nudged_sweeps = 1 + next_below(w, 4);
    config.estimator = (int32_t)(1 + next_below(w, 6));
    config.nudging = (int32_t)(1 + next_below(w, 3));
    config.free_order = (int32_t)(1 + next_below(w, 6));
    config.nudged_order = (int32_t)(1 + next_below(w, 7));
    config.start = (int32_t)(1 + next_below(w, 2));
    config.repeats = (int32_t)(1 + next_below(w, 2));
    config.precision = (int32_t)(1 + next_below(w, 2));
    config.switches = (int32_t)(1 + next_below(w, 2));
    config.require_convergence = next_is(w, 8);
    spoil_settings(w, &config);
    return ffebm_engine_configure(w->engines[i], next_stage(w), &config);
}

static ffebm_status set_beta(world *w, size_t i)
{
    return ffebm_engine_set_beta(w->engines[i], next_stage(w), next_number(w));
}

static ffebm_status set_sweeps(world *w, size_t i)
{
    return ffebm_engine_set_sweeps(w->engines[i], next_stage(w), 1 + next_below(w, 5), next_below(w, 6));
}

static ffebm_status set_mode(world *w, size_t i)
{
    return ffebm_engine_set_mode(w->engines[i], (int32_t)next_below(w, 4));
}

static ffebm_status set_label_smoothing(world *w, size_t i)
{
    return ffebm_engine_set_label_smoothing(w->engines[i], next_number(w));
}

static ffebm_status set_rates(world *w, size_t i)
{
    ffebm_optimizer_set_learning_rate(w->optimizers[i], next_number(w));
    return ffebm_optimizer_set_multipliers(w->optimizers[i], next_is(w, 2) ? "" : "stage1.0", next_number(w),
                                           next_number(w));
}

/* A host may write what it likes. */
static ffebm_status write_parameter(world *w, size_t i)
{
    ffebm_tensor *flat = ffebm_model_flat_parameters(w->models[i]);

    if (!flat)
        return FFEBM_OK;
    if (ffebm_tensor_dtype(flat) == FFEBM_FLOAT32)
        *(float *)ffebm_tensor_data(flat) = (float)next_number(w);
    else
        *(double *)ffebm_tensor_data(flat) = next_number(w);
    return FFEBM_OK;
}

static ffebm_status copy(world *w, size_t i)
{
    (void)i;
    return ffebm_tensor_copy(next_tensor(w), next_tensor(w));
}

static ffebm_status destroy_one(world *w, size_t i)
{
    switch (next_below(w, 4)) {
    case 0:
        ffebm_model_destroy(w->models[i]);
        w->models[i] = NULL;
        break;
    case 1:
        ffebm_engine_destroy(w->engines[i]);
        w->engines[i] = NULL;
        break;
    case 2:
        ffebm_optimizer_destroy(w->optimizers[i]);
        w->optimizers[i] = NULL;
        break;
    default:
        w->no_contexts = next_is(w, 8);
        for (int c = 0; c < 2 && w->no_contexts; c++) {
            ffebm_context_destroy(w->contexts[c]);
            w->contexts[c] = NULL;
        }
    }
    return FFEBM_OK;
}

const api_call api_changing[] = {
    add_op,          add_op,     add_coupling, add_feedforward,     add_feedforward, add_energy, initialize, initialize,
    describe,        set_bounds, configure,    configure,           set_beta,        set_sweeps, set_mode,   set_rates,
    write_parameter, copy,       destroy_one,  set_label_smoothing, add_tap};
const size_t api_changing_count = sizeof api_changing / sizeof *api_changing;
