#include "model/recipe.h"

#include "core/context.h"
#include "core/sized.h"
#include "relax/equilibrium.h"

#define FFEBMI_CONFIG ffebm_recipe

#define OPTIMIZERS(X)                                                                                                  \
    X("sgd", FFEBM_OPTIMIZER_SGD)                                                                                      \
    X("adam", FFEBM_OPTIMIZER_ADAM)                                                                                    \
    X("adamw", FFEBM_OPTIMIZER_ADAMW)
#define SCHEDULES(X)                                                                                                   \
    X("constant", FFEBM_SCHEDULE_CONSTANT)                                                                             \
    X("cosine", FFEBM_SCHEDULE_COSINE)                                                                                 \
    X("step", FFEBM_SCHEDULE_STEP)
#define PERIODS(X)                                                                                                     \
    X("step", FFEBM_PER_STEP)                                                                                          \
    X("epoch", FFEBM_PER_EPOCH)
#define AUGMENTATIONS(X)                                                                                               \
    X("none", FFEBM_AUGMENT_NONE)                                                                                      \
    X("flip", FFEBM_AUGMENT_FLIP)                                                                                      \
    X("flip-crop", FFEBM_AUGMENT_FLIP_CROP)
FFEBMI_CHOICES(optimizers, OPTIMIZERS);
FFEBMI_CHOICES(schedules, SCHEDULES);
FFEBMI_CHOICES(periods, PERIODS);
FFEBMI_CHOICES(augmentations, AUGMENTATIONS);

static const ffebmi_setting list[] = {
    FFEBMI_INTEGER(epochs, 10, FFEBMI_FROM(1), "epochs", "passes over the training samples"),
    FFEBMI_INTEGER(batch, 64, FFEBMI_FROM(1), "samples", "samples a step"),
    FFEBMI_CHOICE(optimizer, "adam", FFEBM_OPTIMIZER_ADAM, optimizers, "how parameters are updated"),
    FFEBMI_CHOICE(schedule, "constant", FFEBM_SCHEDULE_CONSTANT, schedules, "how the learning rate moves"),
    FFEBMI_CHOICE(schedule_per, "epoch", FFEBM_PER_EPOCH, periods,
                  "how often it moves: the unit of lr_period and warmup"),
    FFEBMI_CHOICE(augment, "none", FFEBM_AUGMENT_NONE, augmentations, "random variants of the training images"),
    FFEBMI_NUMBER(lr, 1e-3, FFEBMI_FROM(0), "", "learning rate at first"),
    FFEBMI_NUMBER(lr_min, 0, FFEBMI_FROM(0), "", "cosine: learning rate at last"),
    FFEBMI_NUMBER(lr_factor, 0.1, FFEBMI_FROM(0), "", "step: what the learning rate is multiplied by"),
    FFEBMI_INTEGER(lr_period, 0, FFEBMI_FROM(0), "steps or epochs", "step: after so many; 0: never"),
    FFEBMI_INTEGER(warmup, 0, FFEBMI_FROM(0), "steps or epochs", "in which the learning rate rises to the schedule's"),
    FFEBMI_NUMBER(weight_decay, 0, FFEBMI_FROM(0), "", "pull towards zero; decoupled with adamw"),
    FFEBMI_NUMBER(clip_norm, 0, FFEBMI_FROM(0), "", "gradients of larger norm are scaled down to it; 0: never"),
    FFEBMI_NUMBER(momentum, 0.9, FFEBMI_FROM(0), "", "of sgd, below 1"),
    FFEBMI_NUMBER(label_smoothing, 0, FFEBMI_FROM_BELOW(0, 1), "",
                  "of labels in training: the part spread over all classes"),
    FFEBMI_FLAG(nesterov, 0, "Nesterov's form of sgd"),
};
const ffebmi_settings ffebmi_recipe_settings = FFEBMI_SETTINGS("recipe", offsetof(ffebm_recipe, reserved_), list);

void ffebm_recipe_init(ffebm_recipe *recipe, size_t size)
{
    ffebmi_settings_init(&ffebmi_recipe_settings, recipe, size);
}

/* What the description said does no longer hold. */
static ffebm_status changed(ffebm_model *model)
{
    ffebmi_release(model->context, model->description);
    model->description = NULL;
    return FFEBM_OK;
}

ffebm_status ffebm_model_set_recipe(ffebm_model *model, const ffebm_recipe *recipe)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_settings_read(model->context, &ffebmi_recipe_settings, &model->recipe, recipe));
    return changed(model);
}

ffebm_status ffebm_model_set_equilibrium(ffebm_model *model, const ffebm_equilibrium_config *config)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(ffebmi_settings_read(model->context, &ffebmi_equilibrium_settings, &model->equilibrium, config));
    return changed(model);
}

ffebm_status ffebm_model_recipe(const ffebm_model *model, ffebm_recipe *recipe)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    return ffebmi_sized_write(model->context, "recipe", recipe, &model->recipe, sizeof model->recipe);
}

ffebm_status ffebm_model_equilibrium(const ffebm_model *model, ffebm_equilibrium_config *config)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    return ffebmi_sized_write(model->context, "equilibrium configuration", config, &model->equilibrium,
                              sizeof model->equilibrium);
}
