/* What a recipe asks for: equilibria, an optimizer, a learning rate. */
#include <inttypes.h>

#include <ffebm/optimizer.h>

#include "core/context.h"
#include "core/sized.h"
#include "model/model.h"

static ffebm_status read_recipe(const ffebm_model *model, ffebm_recipe *to, const ffebm_recipe *from)
{
    if (from == NULL) {
        *to = model->recipe;
        return FFEBM_OK;
    }
    ffebmi_recipe_init(to);
    return ffebmi_sized_read(model->context, "recipe", to, sizeof *to, from);
}

ffebm_status ffebm_recipe_equilibrium(const ffebm_model *model, ffebm_equilibrium_config *config,
                                      const ffebm_recipe *recipe)
{
    ffebm_equilibrium_config made;
    ffebm_recipe r;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(read_recipe(model, &r, recipe));
    ffebm_equilibrium_config_init(&made, sizeof made);
    made.beta = r.beta;
    made.free_tolerance = r.free_tolerance;
    made.nudged_tolerance = r.nudged_tolerance;
    made.free_sweeps = r.free_sweeps;
    made.nudged_sweeps = r.nudged_sweeps;
    made.estimator = r.estimator;
    made.switches = r.switches;
    return ffebmi_sized_write(model->context, "equilibrium configuration", config, &made, sizeof made);
}

/* ---------------------------------------------------------------------------------------------------- the optimizer */

static ffebm_status create_sgd(ffebm_optimizer **optimizer, ffebm_model *model, const ffebm_recipe *recipe)
{
    ffebm_sgd_config config;

    ffebm_sgd_config_init(&config, sizeof config);
    config.learning_rate = recipe->lr;
    config.momentum = recipe->momentum;
    config.nesterov = recipe->nesterov;
    config.weight_decay = recipe->weight_decay;
    return ffebm_sgd_create(optimizer, model, &config);
}

static ffebm_status create_adam(ffebm_optimizer **optimizer, ffebm_model *model, const ffebm_recipe *recipe)
{
    ffebm_adam_config config;

    ffebm_adam_config_init(&config, sizeof config);
    config.learning_rate = recipe->lr;
    config.weight_decay = recipe->weight_decay;
    config.decoupled_decay = recipe->optimizer == FFEBM_OPTIMIZER_ADAMW;
    return ffebm_adam_create(optimizer, model, &config);
}

ffebm_status ffebm_recipe_optimizer(ffebm_optimizer **optimizer, ffebm_model *model, const ffebm_recipe *recipe)
{
    ffebm_recipe r;

    if (optimizer != NULL)
        *optimizer = NULL;
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(read_recipe(model, &r, recipe));
    switch (r.optimizer) {
    case FFEBM_OPTIMIZER_SGD:
        return create_sgd(optimizer, model, &r);
    case FFEBM_OPTIMIZER_ADAM:
    case FFEBM_OPTIMIZER_ADAMW:
        return create_adam(optimizer, model, &r);
    default:
        return ffebmi_fail(model->context, FFEBM_ERR_ARGUMENT,
                           "recipe: optimizer %" PRId32 " is none of FFEBM_OPTIMIZER_SGD, _ADAM, _ADAMW", r.optimizer);
    }
}

/* ------------------------------------------------------------------------------------------------ the learning rate */

double ffebm_recipe_learning_rate(const ffebm_recipe *recipe, int64_t step, int64_t steps_per_epoch)
{
    int64_t epoch_steps = steps_per_epoch < 1 ? 1 : steps_per_epoch, steps;

    if (recipe == NULL)
        return 0;
    if (recipe->schedule != FFEBM_SCHEDULE_COSINE)
        return recipe->lr;
    if (recipe->schedule_per != FFEBM_PER_STEP)
        return ffebm_schedule_cosine(recipe->lr, recipe->lr_min, step / epoch_steps, recipe->epochs);
    steps = recipe->epochs > INT64_MAX / epoch_steps ? INT64_MAX : recipe->epochs * epoch_steps;
    return ffebm_schedule_cosine(recipe->lr, recipe->lr_min, step, steps);
}
