/* What a recipe asks for: an optimizer, a learning rate. */
#include <inttypes.h>
#include <string.h>

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
    ffebm_recipe_init(to, sizeof *to);
    return ffebmi_sized_read(model->context, "recipe", to, sizeof *to, from);
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
    config.clip_norm = recipe->clip_norm;
    return ffebm_optimizer_create_sgd(optimizer, model, &config);
}

static ffebm_status create_adam(ffebm_optimizer **optimizer, ffebm_model *model, const ffebm_recipe *recipe)
{
    ffebm_adam_config config;

    ffebm_adam_config_init(&config, sizeof config);
    config.learning_rate = recipe->lr;
    config.weight_decay = recipe->weight_decay;
    config.clip_norm = recipe->clip_norm;
    config.decoupled_decay = recipe->optimizer == FFEBM_OPTIMIZER_ADAMW;
    return ffebm_optimizer_create_adam(optimizer, model, &config);
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

/* The schedule alone, at a time that runs to `end`. */
static double scheduled_rate(const ffebm_recipe *recipe, int64_t now, int64_t end)
{
    switch (recipe->schedule) {
    case FFEBM_SCHEDULE_COSINE:
        return ffebm_schedule_cosine(recipe->lr, recipe->lr_min, now, end);
    case FFEBM_SCHEDULE_STEP:
        return ffebm_schedule_step(recipe->lr, recipe->lr_factor, now, recipe->lr_period);
    default:
        return recipe->lr;
    }
}

double ffebm_recipe_learning_rate(const ffebm_recipe *recipe, int64_t step, int64_t steps_per_epoch)
{
    int64_t epoch_steps = steps_per_epoch < 1 ? 1 : steps_per_epoch, now = step, end;
    ffebm_recipe r;

    if (recipe == NULL)
        return 0;
    ffebm_recipe_init(&r, sizeof r); /* an older program's recipe is shorter */
    memcpy(&r, recipe, recipe->size < sizeof r ? recipe->size : sizeof r);
    end = r.epochs > INT64_MAX / epoch_steps ? INT64_MAX : r.epochs * epoch_steps;
    if (r.schedule_per != FFEBM_PER_STEP) {
        now = step / epoch_steps;
        end = r.epochs;
    }
    return scheduled_rate(&r, now, end) * ffebm_schedule_warmup(now, r.warmup);
}
