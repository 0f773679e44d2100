/* Optimizers: their settings, creation and end. */
#include "core/context.h"
#include "core/setting.h"
#include "optimizer/optimizer.h"

static const ffebmi_rule sgd = {
    .name = "sgd", .moment_count = 1, .moment_names = {"momentum"}, .f32 = ffebmi_sgd_f32, .f64 = ffebmi_sgd_f64};
static const ffebmi_rule adam = {
    .name = "adam", .moment_count = 2, .moment_names = {"m", "v"}, .f32 = ffebmi_adam_f32, .f64 = ffebmi_adam_f64};

#define FFEBMI_CONFIG ffebm_sgd_config
#define DECAY_TEXT "pull towards zero"
#define CLIP_TEXT "gradients of larger norm are scaled down to it; 0: never"
static const ffebmi_setting sgd_list[] = {
    FFEBMI_NUMBER(learning_rate, 1e-2, FFEBMI_FROM(0), "", "how far a step goes"),
    FFEBMI_NUMBER(momentum, 0.9, FFEBMI_FROM_BELOW(0, 1), "", "what is kept of the last step"),
    FFEBMI_NUMBER(weight_decay, 0, FFEBMI_FROM(0), "", DECAY_TEXT),
    FFEBMI_NUMBER(clip_norm, 0, FFEBMI_FROM(0), "", CLIP_TEXT), FFEBMI_FLAG(nesterov, 0, "Nesterov's form")};
const ffebmi_settings ffebmi_sgd_settings =
    FFEBMI_SETTINGS("optimizer", offsetof(ffebm_sgd_config, reserved_), sgd_list);

#undef FFEBMI_CONFIG
#define FFEBMI_CONFIG ffebm_adam_config
static const ffebmi_setting adam_list[] = {
    FFEBMI_NUMBER(learning_rate, 1e-3, FFEBMI_FROM(0), "", "how far a step goes"),
    FFEBMI_NUMBER(beta1, 0.9, FFEBMI_FROM_BELOW(0, 1), "", "what is kept of the mean of gradients"),
    FFEBMI_NUMBER(beta2, 0.999, FFEBMI_FROM_BELOW(0, 1), "", "what is kept of the mean of their squares"),
    FFEBMI_NUMBER(epsilon, 1e-8, FFEBMI_ABOVE(0), "", "added to the root of that"),
    FFEBMI_NUMBER(weight_decay, 0, FFEBMI_FROM(0), "", DECAY_TEXT),
    FFEBMI_NUMBER(clip_norm, 0, FFEBMI_FROM(0), "", CLIP_TEXT),
    FFEBMI_FLAG(decoupled_decay, 0, "weight decay is no part of the gradient (AdamW)")};
const ffebmi_settings ffebmi_adam_settings =
    FFEBMI_SETTINGS("optimizer", offsetof(ffebm_adam_config, reserved_), adam_list);

void ffebm_sgd_config_init(ffebm_sgd_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_sgd_settings, config, size);
}

void ffebm_adam_config_init(ffebm_adam_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_adam_settings, config, size);
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

/* Elements of the largest parameter that is written by pulses. */
static size_t most_pulsed(const ffebm_model *model)
{
    size_t most = 0;

    for (size_t i = 0; i < model->parameter_count; i++)
        if (ffebmi_model_pulses(model, i) && model->parameters[i].parameter.shape.count > most)
            most = model->parameters[i].parameter.shape.count;
    return most;
}

static ffebm_status allocate(ffebm_optimizer *o)
{
    size_t pulsed = most_pulsed(o->model);

    o->multipliers = ffebmi_allocate(o->context, o->model->parameter_count, sizeof *o->multipliers);
    if (o->multipliers == NULL)
        return ffebmi_fail_memory(o->context, "an optimizer's multipliers");
    for (size_t i = 0; i < o->model->parameter_count; i++) {
        double rate = o->model->parameters[i].learnable->frozen ? 0 : 1;

        o->multipliers[i] = (ffebmi_multipliers){.learning_rate = rate, .weight_decay = 1};
    }
    if (pulsed > 0) {
        o->before = ffebmi_allocate(o->context, pulsed, ffebmi_dtype_size(o->model->dtype));
        if (o->before == NULL)
            return ffebmi_fail_memory(o->context, "an optimizer's memory for pulses");
    }
    for (size_t i = 0; i < o->rule->moment_count; i++) {
        o->moments[i] = ffebmi_allocate(o->context, o->model->element_count, ffebmi_dtype_size(o->model->dtype));
        if (o->moments[i] == NULL)
            return ffebmi_fail_memory(o->context, "an optimizer's state");
    }
    return ffebmi_staged_create(o);
}

/* A phase that writes on its own knows neither what came before, nor the other phase, nor the weight. */
static ffebm_status check_phases(const ffebm_model *model, const ffebm_optimizer *o)
{
    bool plain = o->rule == &sgd && o->settings.momentum == 0 && o->weight_decay == 0 && o->clip_norm == 0;

    FFEBMI_CHECK(model->context, plain || !ffebmi_model_keeps_any(model), FFEBM_ERR_UNSUPPORTED,
                 "optimizer: a device is written phase by phase (FFEBM_UPDATE_TWO_PHASE), expected sgd with momentum, "
                 "weight_decay and clip_norm 0, not %s with momentum %g, weight_decay %g and clip_norm %g",
                 o->rule->name, o->settings.momentum, o->weight_decay, o->clip_norm);
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

ffebm_status ffebm_optimizer_create_sgd(ffebm_optimizer **optimizer, ffebm_model *model, const ffebm_sgd_config *config)
{
    ffebm_optimizer settings = {.rule = &sgd};
    ffebm_sgd_config c;

    FFEBMI_TRY(check_handles(optimizer, model));
    FFEBMI_TRY(ffebmi_settings_read(model->context, &ffebmi_sgd_settings, &c, config));
    settings.learning_rate = c.learning_rate;
    settings.weight_decay = c.weight_decay;
    settings.clip_norm = c.clip_norm;
    settings.settings.momentum = c.momentum;
    settings.settings.nesterov = c.nesterov == 1;
    FFEBMI_TRY(check_phases(model, &settings));
    return create(optimizer, model, &settings);
}

ffebm_status ffebm_optimizer_create_adam(ffebm_optimizer **optimizer, ffebm_model *model,
                                         const ffebm_adam_config *config)
{
    ffebm_optimizer settings = {.rule = &adam};
    ffebm_adam_config c;

    FFEBMI_TRY(check_handles(optimizer, model));
    FFEBMI_TRY(ffebmi_settings_read(model->context, &ffebmi_adam_settings, &c, config));
    settings.learning_rate = c.learning_rate;
    settings.weight_decay = c.weight_decay;
    settings.clip_norm = c.clip_norm;
    settings.settings.beta1 = c.beta1;
    settings.settings.beta2 = c.beta2;
    settings.settings.epsilon = c.epsilon;
    settings.settings.decoupled_decay = c.decoupled_decay == 1;
    FFEBMI_TRY(check_phases(model, &settings));
    return create(optimizer, model, &settings);
}

void ffebm_optimizer_destroy(ffebm_optimizer *optimizer)
{
    ffebm_model *model;

    if (optimizer == NULL)
        return;
    model = optimizer->model;
    for (size_t i = 0; i < FFEBMI_MAX_MOMENTS; i++)
        ffebmi_release(optimizer->context, optimizer->moments[i]);
    ffebmi_release(optimizer->context, optimizer->multipliers);
    ffebmi_release(optimizer->context, optimizer->before);
    ffebmi_staged_destroy(optimizer);
    ffebmi_release(optimizer->context, optimizer);
    ffebmi_model_drop(model);
}

/* ----------------------------------------------------------------------------------------------------- its memory */

size_t ffebmi_optimizer_moment_count(const ffebm_optimizer *optimizer)
{
    return optimizer->rule->moment_count;
}

const char *ffebmi_optimizer_moment_name(const ffebm_optimizer *optimizer, size_t moment)
{
    return optimizer->rule->moment_names[moment];
}

void *ffebmi_optimizer_moment(const ffebm_optimizer *optimizer, size_t moment)
{
    return optimizer->moments[moment];
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
