/* Optimizers: their settings, creation and end. */
#include <math.h>

#include "core/context.h"
#include "core/sized.h"
#include "optimizer/optimizer.h"

static const ffebmi_rule sgd = {
    .name = "sgd", .slot_count = 1, .slot_names = {"momentum"}, .f32 = ffebmi_sgd_f32, .f64 = ffebmi_sgd_f64};
static const ffebmi_rule adam = {
    .name = "adam", .slot_count = 2, .slot_names = {"m", "v"}, .f32 = ffebmi_adam_f32, .f64 = ffebmi_adam_f64};

static const ffebm_sgd_config sgd_defaults = {.size = sizeof sgd_defaults, .learning_rate = 1e-2, .momentum = 0.9};
static const ffebm_adam_config adam_defaults = {
    .size = sizeof adam_defaults, .learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};

void ffebm_sgd_config_init(ffebm_sgd_config *config, size_t size)
{
    ffebmi_sized_init(config, size, &sgd_defaults, sizeof sgd_defaults);
}

void ffebm_adam_config_init(ffebm_adam_config *config, size_t size)
{
    ffebmi_sized_init(config, size, &adam_defaults, sizeof adam_defaults);
}

/* ----------------------------------------------------------------------------------------------------- checking */

typedef struct limit {
    const char *name;
    double value;
    bool fraction; /* in [0, 1), else 0 or more */
} limit;

static ffebm_status check_limits(ffebm_context *context, const limit *limits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        FFEBMI_CHECK_ARGUMENT(
            context, isfinite(limits[i].value) && limits[i].value >= 0 && (!limits[i].fraction || limits[i].value < 1),
            "optimizer: %s is %g, expected %s", limits[i].name, limits[i].value,
            limits[i].fraction ? "a number in [0, 1)" : "0 or more");
    return FFEBM_OK;
}

static ffebm_status check_flag(ffebm_context *context, const char *name, int32_t flag, int32_t reserved)
{
    FFEBMI_CHECK_ARGUMENT(context, flag == 0 || flag == 1, "optimizer: %s is neither 0 nor 1", name);
    FFEBMI_CHECK_ARGUMENT(context, reserved == 0, "optimizer: reserved_ is not zero");
    return FFEBM_OK;
}

static ffebm_status check_handles(ffebm_optimizer **optimizer, ffebm_model *model)
{
    if (optimizer != NULL)
        *optimizer = NULL;
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, optimizer != NULL, "optimizer: the handle to create is NULL");
    FFEBMI_CHECK(model->context, ffebmi_model_ready(model), FFEBM_ERR_STATE,
                 "optimizer: the model has no parameter values yet; initialize or load it first");
    return FFEBM_OK;
}

/* ----------------------------------------------------------------------------------------------------- creation */

static ffebm_status allocate(ffebm_optimizer *o)
{
    o->multipliers = ffebmi_allocate(o->context, o->model->parameter_count, sizeof *o->multipliers);
    if (o->multipliers == NULL)
        return ffebmi_fail_memory(o->context, "an optimizer's multipliers");
    for (size_t i = 0; i < o->model->parameter_count; i++) {
        double rate = o->model->parameters[i].learnable->frozen ? 0 : 1;

        o->multipliers[i] = (ffebmi_multipliers){.learning_rate = rate, .weight_decay = 1};
    }
    for (size_t i = 0; i < o->rule->slot_count; i++) {
        o->slots[i] = ffebmi_allocate(o->context, o->model->element_count, ffebmi_dtype_size(o->model->dtype));
        if (o->slots[i] == NULL)
            return ffebmi_fail_memory(o->context, "an optimizer's state");
    }
    return FFEBM_OK;
}

static ffebm_status create(ffebm_optimizer **optimizer, ffebm_model *model, const ffebm_optimizer *settings)
{
    ffebm_optimizer *created = ffebmi_allocate(model->context, 1, sizeof *created);
    ffebm_status status;

    if (created == NULL)
        return ffebmi_fail_memory(model->context, "an optimizer");
    *created = *settings;
    created->context = model->context;
    created->model = model;
    ffebmi_model_keep(model);
    status = allocate(created);
    if (status != FFEBM_OK) {
        ffebm_optimizer_destroy(created);
        return status;
    }
    *optimizer = created;
    return FFEBM_OK;
}

ffebm_status ffebm_sgd_create(ffebm_optimizer **optimizer, ffebm_model *model, const ffebm_sgd_config *config)
{
    ffebm_sgd_config c = sgd_defaults;
    ffebm_optimizer settings = {.rule = &sgd};

    FFEBMI_TRY(check_handles(optimizer, model));
    FFEBMI_TRY(ffebmi_sized_read(model->context, "sgd configuration", &c, sizeof c, config));
    FFEBMI_TRY(check_limits(model->context,
                            (const limit[]){{"learning_rate", c.learning_rate, false},
                                            {"momentum", c.momentum, true},
                                            {"weight_decay", c.weight_decay, false},
                                            {"clip_norm", c.clip_norm, false}},
                            4));
    FFEBMI_TRY(check_flag(model->context, "nesterov", c.nesterov, c.reserved_));
    settings.learning_rate = c.learning_rate;
    settings.weight_decay = c.weight_decay;
    settings.clip_norm = c.clip_norm;
    settings.settings.momentum = c.momentum;
    settings.settings.nesterov = c.nesterov == 1;
    return create(optimizer, model, &settings);
}

ffebm_status ffebm_adam_create(ffebm_optimizer **optimizer, ffebm_model *model, const ffebm_adam_config *config)
{
    ffebm_adam_config c = adam_defaults;
    ffebm_optimizer settings = {.rule = &adam};

    FFEBMI_TRY(check_handles(optimizer, model));
    FFEBMI_TRY(ffebmi_sized_read(model->context, "adam configuration", &c, sizeof c, config));
    FFEBMI_TRY(check_limits(model->context,
                            (const limit[]){{"learning_rate", c.learning_rate, false},
                                            {"beta1", c.beta1, true},
                                            {"beta2", c.beta2, true},
                                            {"epsilon", c.epsilon, false},
                                            {"weight_decay", c.weight_decay, false},
                                            {"clip_norm", c.clip_norm, false}},
                            6));
    FFEBMI_CHECK_ARGUMENT(model->context, c.epsilon > 0, "optimizer: epsilon is 0, expected a positive number");
    FFEBMI_TRY(check_flag(model->context, "decoupled_decay", c.decoupled_decay, c.reserved_));
    settings.learning_rate = c.learning_rate;
    settings.weight_decay = c.weight_decay;
    settings.clip_norm = c.clip_norm;
    settings.settings.beta1 = c.beta1;
    settings.settings.beta2 = c.beta2;
    settings.settings.epsilon = c.epsilon;
    settings.settings.decoupled_decay = c.decoupled_decay == 1;
    return create(optimizer, model, &settings);
}

void ffebm_optimizer_destroy(ffebm_optimizer *optimizer)
{
    ffebm_model *model;

    if (optimizer == NULL)
        return;
    model = optimizer->model;
    for (size_t i = 0; i < FFEBMI_MAX_SLOTS; i++)
        ffebmi_release(optimizer->context, optimizer->slots[i]);
    ffebmi_release(optimizer->context, optimizer->multipliers);
    ffebmi_release(optimizer->context, optimizer);
    ffebmi_model_drop(model);
}

/* ----------------------------------------------------------------------------------------------------- its memory */

size_t ffebmi_optimizer_slot_count(const ffebm_optimizer *optimizer)
{
    return optimizer->rule->slot_count;
}

const char *ffebmi_optimizer_slot_name(const ffebm_optimizer *optimizer, size_t slot)
{
    return optimizer->rule->slot_names[slot];
}

void *ffebmi_optimizer_slot(const ffebm_optimizer *optimizer, size_t slot)
{
    return optimizer->slots[slot];
}

const char *ffebmi_optimizer_algorithm(const ffebm_optimizer *optimizer)
{
    return optimizer->rule->name;
}

int64_t ffebmi_optimizer_steps(const ffebm_optimizer *optimizer)
{
    return optimizer->steps;
}

void ffebmi_optimizer_set_steps(ffebm_optimizer *optimizer, int64_t steps)
{
    optimizer->steps = steps;
}

ffebm_model *ffebmi_optimizer_model(const ffebm_optimizer *optimizer)
{
    return optimizer->model;
}
