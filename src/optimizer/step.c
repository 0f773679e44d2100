/* One step, and the live settings. */
#include <math.h>
#include <string.h>

#include "core/context.h"
#include "gradient/flat_gradient.h"
#include "optimizer/optimizer.h"

ffebm_status ffebm_optimizer_set_learning_rate(ffebm_optimizer *optimizer, double learning_rate)
{
    if (optimizer == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(optimizer->context, isfinite(learning_rate) && learning_rate >= 0,
                          "optimizer: learning rate %g, expected 0 or more", learning_rate);
    optimizer->learning_rate = learning_rate;
    return FFEBM_OK;
}

ffebm_status ffebm_optimizer_set_multipliers(ffebm_optimizer *optimizer, const char *prefix, double learning_rate,
                                             double weight_decay)
{
    size_t found = 0;

    if (optimizer == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(optimizer->context, prefix != NULL, "ffebm_optimizer_set_multipliers: prefix is NULL");
    FFEBMI_CHECK_ARGUMENT(optimizer->context, isfinite(learning_rate) && learning_rate >= 0,
                          "optimizer: learning rate multiplier %g, expected 0 or more", learning_rate);
    FFEBMI_CHECK_ARGUMENT(optimizer->context, isfinite(weight_decay) && weight_decay >= 0,
                          "optimizer: weight decay multiplier %g, expected 0 or more", weight_decay);
    for (size_t i = 0; i < optimizer->model->parameter_count; i++)
        if (ffebmi_model_has_prefix(&optimizer->model->parameters[i], prefix)) {
            optimizer->multipliers[i] =
                (ffebmi_multipliers){.learning_rate = learning_rate, .weight_decay = weight_decay};
            found++;
        }
    FFEBMI_CHECK(optimizer->context, found > 0, FFEBM_ERR_NOT_FOUND, "optimizer: no parameter is named \"%.60s...\"",
                 prefix);
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------------------------- step */

static size_t parameter_count(const ffebm_optimizer *o)
{
    return o->model->parameter_count;
}

static bool frozen(const ffebm_optimizer *o, size_t parameter)
{
    return o->multipliers[parameter].learning_rate == 0;
}

/* The norm of what is trained. */
static ffebm_status gradient_norm(const ffebm_optimizer *o, const ffebmi_arrays *k, const void *gradient, double *norm)
{
    *norm = 0;
    for (size_t i = 0; i < parameter_count(o); i++) {
        const ffebmi_model_parameter *p = &o->model->parameters[i];
        const void *part = ffebmi_at(k, gradient, p->offset);

        FFEBMI_CHECK(o->context, k->finite(p->parameter.shape.count, part), FFEBM_ERR_NUMERIC,
                     "optimizer: NaN or infinity in the gradient of %s", p->name);
        if (!frozen(o, i))
            *norm = hypot(*norm, k->norm(p->parameter.shape.count, part));
    }
    FFEBMI_CHECK(o->context, isfinite(*norm), FFEBM_ERR_NUMERIC, "optimizer: the norm of the gradient is infinite");
    return FFEBM_OK;
}

static double rate_of(const ffebm_optimizer *o, size_t parameter)
{
    return o->learning_rate * o->multipliers[parameter].learning_rate;
}

static bool has_rule(const ffebm_optimizer *o, size_t parameter)
{
    return o->model->parameters[parameter].update != NULL;
}

/* On trial, or for good. Where the user has a say it is on copies, and these are written on trial already. */
static bool update(const ffebm_optimizer *o, const ffebmi_arrays *k, const ffebmi_rule_settings *settings,
                   const void *gradient, double gradient_scale, size_t parameter, bool commit)
{
    const ffebmi_model_parameter *p = &o->model->parameters[parameter];
    ffebmi_update u = {.n = p->parameter.shape.count,
                       .parameters = p->value.data,
                       .gradients = ffebmi_at(k, gradient, p->offset),
                       .gradient_scale = gradient_scale,
                       .learning_rate = rate_of(o, parameter),
                       .weight_decay = o->weight_decay * o->multipliers[parameter].weight_decay,
                       .lower = p->lower,
                       .upper = p->upper,
                       .commit = commit || has_rule(o, parameter)};

    for (size_t i = 0; i < o->rule->moment_count; i++)
        u.moments[i] = ffebmi_at(k, o->moments[i], p->offset);
    if (has_rule(o, parameter))
        ffebmi_staged_begin(o, k, parameter, &u);
    return o->model->dtype == FFEBM_FLOAT32 ? o->rule->f32(&u, settings) : o->rule->f64(&u, settings);
}

/* Take the step of one parameter: as it is asked for, or by as many pulses. */
static void write(const ffebm_optimizer *o, const ffebmi_arrays *k, const ffebmi_rule_settings *settings,
                  const ffebmi_flat_gradient *gradient, double gradient_scale, size_t parameter)
{
    const ffebmi_model_parameter *p = &o->model->parameters[parameter];
    bool pulses = ffebmi_model_pulses(o->model, parameter);

    if (pulses)
        memcpy(o->before, p->value.data, p->parameter.shape.count * k->element);
    update(o, k, settings, gradient->values, gradient_scale, parameter, true);
    if (pulses)
        ffebmi_model_pulse(o->model, parameter,
                           &(ffebmi_pulses){.before = o->before,
                                            .quiet = gradient->quiet,
                                            .learning_rate = rate_of(o, parameter),
                                            .gradients = gradient->values,
                                            .totals = gradient->totals});
}

/* Of stages that are written by each phase alone. */
static ffebm_status check_totals(const ffebm_optimizer *o, const ffebmi_arrays *k, const ffebmi_flat_gradient *gradient)
{
    if (gradient->totals == NULL)
        return FFEBM_OK;
    FFEBMI_CHECK(
        o->context, gradient->phases, FFEBM_ERR_STATE,
        "optimizer: a device is written phase by phase, but a gradient of FFEBM_ESTIMATOR_IMPLICIT has no phases");
    FFEBMI_CHECK(o->context, k->finite(o->model->element_count, gradient->totals), FFEBM_ERR_NUMERIC,
                 "optimizer: NaN or infinity in what phases read");
    return FFEBM_OK;
}

ffebm_status ffebm_optimizer_step(ffebm_optimizer *optimizer, const ffebm_engine *engine)
{
    const ffebm_optimizer *o = optimizer;
    const ffebmi_flat_gradient *gradient;
    const ffebmi_arrays *k;
    ffebmi_rule_settings settings;
    double norm = 0, scale = 1;

    if (optimizer == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(o->context, engine != NULL, "ffebm_optimizer_step: engine is NULL");
    gradient = ffebmi_engine_gradient(engine);
    FFEBMI_CHECK_ARGUMENT(o->context, gradient->model == o->model, "optimizer: the engine is of another model");
    FFEBMI_CHECK(o->context, gradient->valid, FFEBM_ERR_STATE,
                 "optimizer: the engine has no gradient: none was computed, or the last one failed");
    k = ffebmi_arrays_for(o->model->dtype, o->context->max_isa);
    FFEBMI_TRY(gradient_norm(o, k, gradient->values, &norm));
    FFEBMI_TRY(check_totals(o, k, gradient));
    if (o->clip_norm > 0 && norm > o->clip_norm)
        scale = o->clip_norm / norm;
    settings = o->settings;
    settings.correction1 = 1 - pow(settings.beta1, (double)(o->steps + 1));
    settings.correction2 = 1 - pow(settings.beta2, (double)(o->steps + 1));

    /* First on trial: a step that would leave something infinite is refused before anything has moved. */
    for (size_t i = 0; i < parameter_count(o); i++)
        FFEBMI_CHECK(o->context, frozen(o, i) || update(o, k, &settings, gradient->values, scale, i, false),
                     FFEBM_ERR_NUMERIC,
                     "optimizer: the step would make %s, or what is remembered of its gradient, NaN or infinite",
                     o->model->parameters[i].name);
    for (size_t i = 0; i < parameter_count(o); i++)
        if (!frozen(o, i) && has_rule(o, i))
            FFEBMI_TRY(ffebmi_staged_ask(o, k, i));
    for (size_t i = 0; i < parameter_count(o); i++)
        if (!frozen(o, i) && has_rule(o, i))
            ffebmi_staged_take(o, k, i);
        else if (!frozen(o, i))
            write(o, k, &settings, gradient, scale, i);
    optimizer->steps++;
    optimizer->model->history.updates++;
    optimizer->model->history.written = optimizer->model->history.clock;
    ffebmi_model_touch(optimizer->model);
    return FFEBM_OK;
}
