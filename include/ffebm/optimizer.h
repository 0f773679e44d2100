/* ffebm/optimizer.h - SGD, Adam, learning-rate schedules; what a recipe asks for. */
#ifndef FFEBM_OPTIMIZER_H
#define FFEBM_OPTIMIZER_H

#include "gradient.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An update rule and its memory for one model. */
typedef struct ffebm_optimizer ffebm_optimizer;

/** Settings of stochastic gradient descent. */
typedef struct ffebm_sgd_config {
    size_t size;
    double learning_rate; /* default 1e-2 */
    double momentum;      /* default 0.9: v = momentum v + g; in [0, 1) */
    double weight_decay;  /* default 0: weight_decay * w joins the gradient g */
    double clip_norm;     /* default 0: never; else gradients of larger norm are scaled down to it */
    int32_t nesterov;     /* default 0: w -= rate v; 1: w -= rate (g + momentum v) (Nesterov 1983, Sutskever 2013) */
    int32_t reserved_;
} ffebm_sgd_config;

/** Fill a configuration of stochastic gradient descent with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_sgd_config_init(ffebm_sgd_config *config, size_t size);

/** Create an optimizer by stochastic gradient descent.
 *
 *  Returns: FFEBM_OK:              *optimizer is owned.
 *           FFEBM_ERR_ARGUMENT:    a value out of range; the text names it.
 *           FFEBM_ERR_STATE:       the model is building.
 *           FFEBM_ERR_UNSUPPORTED: config has fields set that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates: one number a parameter.
 *  Out:     optimizer: NULL on failure.
 *  In/Out:  model:     kept alive.
 *  In:      config:    copied; NULL: defaults.
 */
FFEBM_API ffebm_status ffebm_optimizer_create_sgd(ffebm_optimizer **optimizer, ffebm_model *model,
                                                  const ffebm_sgd_config *config);

/** Settings of Adam and AdamW. */
typedef struct ffebm_adam_config {
    size_t size;
    double learning_rate; /* default 1e-3 */
    double beta1;         /* default 0.9; in [0, 1) */
    double beta2;         /* default 0.999; in [0, 1) */
    double epsilon;       /* default 1e-8; positive */
    double weight_decay;  /* default 0 */
    double clip_norm;     /* default 0: never; else gradients of larger norm are scaled down to it */
    int32_t
        decoupled_decay; /* default 0: weight_decay * w joins the gradient; 1: w -= rate * weight_decay * w (AdamW) */
    int32_t reserved_;
} ffebm_adam_config;

/** Fill a configuration of Adam with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_adam_config_init(ffebm_adam_config *config, size_t size);

/** Create an optimizer by Adam (Kingma and Ba 2015), or AdamW (Loshchilov and Hutter 2019).
 *
 *  Returns: as ffebm_optimizer_create_sgd; allocates two numbers a parameter.
 *  Out:     optimizer: NULL on failure.
 *  In/Out:  model:     kept alive.
 *  In:      config:    copied; NULL: defaults.
 */
FFEBM_API ffebm_status ffebm_optimizer_create_adam(ffebm_optimizer **optimizer, ffebm_model *model,
                                                   const ffebm_adam_config *config);

/** Destroy an optimizer.
 *
 *  In: optimizer: owned, or NULL.
 */
FFEBM_API void ffebm_optimizer_destroy(ffebm_optimizer *optimizer);

/** Update the model's parameters with an engine's flat gradient, and project them onto their bounds.
 *
 *  Returns: FFEBM_OK:           parameters and optimizer have moved one step.
 *           FFEBM_ERR_ARGUMENT: engine and optimizer are of different models.
 *           FFEBM_ERR_STATE:    the engine's last computing call that writes the flat gradient failed, or left it
 *                               unspecified, or there was none.
 *           FFEBM_ERR_NUMERIC:  NaN or infinity in the gradient, or it would be in the parameters without their bounds;
 *                               the text names the parameter.
 *           FFEBM_ERR_USER:     an update rule of yours (ffebm_model_set_update) failed; the text names the parameter, and
 *                               has your message.
 *  In/Out:  optimizer: and its model; both unchanged on failure.
 *  In:      engine:    its gradient is not changed.
 *
 *  Projecting (ffebm_model_set_bounds) moves parameters alone: momentum and moments are those of the step without bounds.
 *  Allocates nothing.
 */
FFEBM_API ffebm_status ffebm_optimizer_step(ffebm_optimizer *optimizer, const ffebm_engine *engine);

/** Set the learning rate, from the next step on.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_ARGUMENT: negative or not finite.
 *  In/Out:  optimizer: unchanged on failure.
 *  In:      learning_rate: 0 or more.
 */
FFEBM_API ffebm_status ffebm_optimizer_set_learning_rate(ffebm_optimizer *optimizer, double learning_rate);

/** Give some parameters a learning rate and weight decay of their own, as multiples of the common ones.
 *
 *  Returns: FFEBM_OK:            from the next step on.
 *           FFEBM_ERR_NOT_FOUND: no parameter has this prefix.
 *           FFEBM_ERR_ARGUMENT:  a negative or non-finite factor.
 *  In/Out:  optimizer: unchanged on failure.
 *  In:      prefix: whole parts of a name: "stage3", "stage0.2", "stage0.2.weight"; "" for all. Later calls win.
 *           learning_rate, weight_decay: factors, at first 1. A learning rate of 0 freezes: no decay, and no share in
 *                   the norm that is clipped.
 */
FFEBM_API ffebm_status ffebm_optimizer_set_multipliers(ffebm_optimizer *optimizer, const char *prefix,
                                                       double learning_rate, double weight_decay);

/* --------------------------------------------- schedules: pure functions for ffebm_optimizer_set_learning_rate */

/** Compute a cosine decay (Loshchilov and Hutter 2017).
 *
 *  Returns: last + (first - last) (1 + cos(pi step / steps)) / 2; first before step 0, last from step `steps` on.
 *  In:      first, last: rates at step 0 and at step `steps`.
 *           step, steps: in any unit, often epochs.
 */
FFEBM_API double ffebm_schedule_cosine(double first, double last, int64_t step, int64_t steps);

/** Compute a staircase.
 *
 *  Returns: first * factor^floor(step / period); first where period is below 1.
 *  In:      first:  rate at step 0.
 *           factor: at each stair.
 *           step, period: in any unit, often epochs.
 */
FFEBM_API double ffebm_schedule_step(double first, double factor, int64_t step, int64_t period);

/** Compute a warm-up factor, to multiply another schedule with.
 *
 *  Returns: (step + 1) / steps, at most 1; 1 where steps is below 1.
 *  In:      step, steps: in any unit.
 */
FFEBM_API double ffebm_schedule_warmup(int64_t step, int64_t steps);

/* ------------------------------------------------------------------------------ what a recipe asks for, made of it */

/** Create the optimizer that a recipe asks for: SGD, Adam or AdamW, with its learning rate, weight decay, momentum
 *  and clipping.
 *
 *  Returns: as ffebm_optimizer_create_sgd or ffebm_optimizer_create_adam.
 *           FFEBM_ERR_ARGUMENT: also if recipe.optimizer is no FFEBM_OPTIMIZER_.
 *  Out:     optimizer: NULL on failure.
 *  In/Out:  model:     kept alive.
 *  In:      recipe:    NULL: the model's own.
 */
FFEBM_API ffebm_status ffebm_recipe_optimizer(ffebm_optimizer **optimizer, ffebm_model *model,
                                              const ffebm_recipe *recipe);

/** Compute a recipe's learning rate at one step of training, for ffebm_optimizer_set_learning_rate.
 *
 *  Returns: by the recipe's schedule, which ends after its epochs, and its warm-up; 0 where recipe is NULL.
 *  In:      recipe: of the model, from ffebm_model_recipe.
 *           step:   from 0, over all epochs.
 *           steps_per_epoch: below 1: 1.
 */
FFEBM_API double ffebm_recipe_learning_rate(const ffebm_recipe *recipe, int64_t step, int64_t steps_per_epoch);

#ifdef __cplusplus
}
#endif
#endif
