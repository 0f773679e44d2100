/* Energy stages on devices: which ones, and what their parameters are in effect. */
#include "energy/chip.h"

#include <math.h>

#include "core/context.h"
#include "core/sized.h"
#include "model/model.h"

static ffebm_status check_stage(const ffebm_model *model, size_t stage)
{
    FFEBMI_CHECK_ARGUMENT(model->context, stage < model->stage_count, "model: stage %zu of %zu", stage,
                          model->stage_count);
    FFEBMI_CHECK_ARGUMENT(model->context, model->stages[stage].energy != NULL,
                          "model: stage %zu is feedforward, expected an energy stage", stage);
    return FFEBM_OK;
}

static bool is_meant(const ffebm_model *model, size_t stage, size_t meant)
{
    return model->stages[stage].energy != NULL && (meant == FFEBM_ALL || meant == stage);
}

/* What a device takes from a block: displacements are differences of states that were read, or drawn, apart; and the linearised
 * block is its own adjoint only where weights are the same both ways. */
static unsigned withheld(const ffebmi_chip *chip)
{
    bool apart = chip != NULL && (ffebmi_chip_reads(chip) || ffebmi_chip_draws(chip) || ffebmi_chip_keeps_phases(chip));
    bool one_way = chip != NULL && chip->config.weight_asymmetry > 0;

    return (apart ? FFEBMI_DISPLACES : 0) | (one_way ? FFEBMI_HAS_ADJOINT : 0);
}

static ffebm_status make_chip(const ffebm_model *model, const ffebm_energy *block, size_t stage,
                              const ffebm_device_config *config, ffebmi_chip **chip)
{
    char what[FFEBMI_ROW_TEXT];

    return ffebmi_chip_create(block, config, ffebmi_arrays_for(model->dtype, model->context->max_isa), stage,
                              ffebmi_row_text(what, stage, 0), chip);
}

static void put_on(ffebm_energy *block, ffebmi_chip *chip)
{
    ffebmi_release(block->context, block->chip);
    block->chip = chip;
    block->withheld = withheld(chip);
}

ffebm_status ffebmi_model_make_chip(const ffebm_model *model, ffebm_energy *block, size_t stage)
{
    ffebmi_chip *chip = NULL;

    if (block->device != NULL)
        FFEBMI_TRY(make_chip(model, block, stage, block->device, &chip));
    put_on(block, chip);
    return FFEBM_OK;
}

/* ------------------------------------------------------------------------------------------------------------- in effect */

static bool alters(const ffebmi_stage *stage)
{
    return stage->energy != NULL && stage->energy->chip != NULL && ffebmi_chip_alters_weights(stage->energy->chip);
}

static void place_effective(ffebm_model *model)
{
    size_t element = ffebmi_dtype_size(model->dtype);

    for (size_t i = 0; i < model->parameter_count; i++) {
        ffebmi_model_parameter *p = &model->parameters[i];
        void *data = (char *)ffebmi_model_in_effect(model, &model->stages[p->stage]) + p->offset * element;

        p->effective = ffebmi_tensor_borrow(model->context, data, model->dtype, &p->parameter.shape);
    }
}

static ffebm_status allocate_effective(ffebm_model *model)
{
    if (model->effective == NULL)
        model->effective = ffebmi_allocate(model->context, model->element_count, ffebmi_dtype_size(model->dtype));
    return model->effective != NULL ? FFEBM_OK
                                    : ffebmi_fail_memory(model->context, "the parameters of a model in effect");
}

ffebm_status ffebmi_model_make_effective(ffebm_model *model)
{
    bool any = false;

    for (size_t i = 0; i < model->stage_count; i++)
        any = any || alters(&model->stages[i]);
    if (any)
        FFEBMI_TRY(allocate_effective(model));
    place_effective(model);
    return FFEBM_OK;
}

void *ffebmi_model_in_effect(const ffebm_model *model, const ffebmi_stage *stage)
{
    return alters(stage) ? model->effective : model->values;
}

void ffebmi_model_take_effect(const ffebm_model *model, size_t stage)
{
    const ffebmi_stage *s = &model->stages[stage];
    const ffebmi_chip_age age = {(uint64_t)model->history.updates, model->history.clock - model->history.written};

    for (size_t p = 0; alters(s) && p < s->parameter_count; p++) {
        const ffebmi_model_parameter *of = &model->parameters[s->first_parameter + p];

        ffebmi_chip_apply(s->energy->chip, s->energy, ffebmi_arrays_for(model->dtype, model->context->max_isa), p, age,
                          of->value.data, of->effective.data);
    }
}

/* ---------------------------------------------------------------------------------------------------------------- writing */

static const ffebm_energy *block_of(const ffebm_model *model, size_t parameter)
{
    return model->stages[model->parameters[parameter].stage].energy;
}

static size_t within(const ffebm_model *model, size_t parameter)
{
    return parameter - model->stages[model->parameters[parameter].stage].first_parameter;
}

bool ffebmi_model_pulses(const ffebm_model *model, size_t parameter)
{
    const ffebm_energy *block = block_of(model, parameter);

    return block != NULL && model->parameters[parameter].update == NULL &&
           ffebmi_chip_pulses(block, within(model, parameter));
}

bool ffebmi_model_remembers(const ffebm_model *model)
{
    for (size_t i = 0; i < model->stage_count; i++)
        if (model->stages[i].energy != NULL && model->stages[i].energy->chip != NULL &&
            ffebmi_chip_remembers(model->stages[i].energy->chip))
            return true;
    return ffebmi_model_has_updates(model);
}

bool ffebmi_model_keeps_phases(const ffebm_model *model, size_t stage)
{
    const ffebm_energy *block = model->stages[stage].energy;

    return block != NULL && block->chip != NULL && ffebmi_chip_keeps_phases(block->chip);
}

bool ffebmi_model_keeps_any(const ffebm_model *model)
{
    for (size_t i = 0; i < model->stage_count; i++)
        if (ffebmi_model_keeps_phases(model, i))
            return true;
    return false;
}

void ffebmi_model_pulse(ffebm_model *model, size_t parameter, const ffebmi_pulses *pulses)
{
    const ffebmi_arrays *k = ffebmi_arrays_for(model->dtype, model->context->max_isa);
    const ffebmi_model_parameter *p = &model->parameters[parameter];
    const ffebmi_chip_update update = {.number = (uint64_t)model->history.updates + 1,
                                       .quiet = pulses->quiet,
                                       .before = pulses->before,
                                       .values = p->value.data,
                                       .lower = p->lower,
                                       .upper = p->upper,
                                       .learning_rate = pulses->learning_rate,
                                       .gradient = ffebmi_at(k, pulses->gradients, p->offset),
                                       .total =
                                           pulses->totals == NULL ? NULL : ffebmi_at(k, pulses->totals, p->offset)};

    ffebmi_chip_write(block_of(model, parameter), k, within(model, parameter), &update);
}

ffebm_status ffebm_model_inspect_pulses(const ffebm_model *model, ffebm_pulse_info *info, size_t stage)
{
    ffebmi_pulse_tally sum = {.given = {0, 0}};
    ffebm_pulse_info facts = {0};

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    if (stage != FFEBM_ALL)
        FFEBMI_TRY(check_stage(model, stage));
    for (size_t i = 0; i < model->stage_count; i++)
        if (is_meant(model, i, stage))
            ffebmi_chip_add_pulses(model->stages[i].energy, &sum);
    facts.up = sum.given[1];
    facts.down = sum.given[0];
    facts.clipped = sum.clipped;
    facts.limited = sum.limited;
    return ffebmi_sized_write(model->context, "pulse info", info, &facts, sizeof facts);
}

/* --------------------------------------------------------------------------------------------------------------- setting */

/* What becomes of one stage. */
typedef struct change {
    ffebmi_chip *chip;
    ffebm_device_config *device;
} change;

static ffebm_status prepare(const ffebm_model *model, size_t stage, const ffebm_device_config *config, change *to)
{
    if (config == NULL)
        return FFEBM_OK;
    to->device = ffebmi_allocate(model->context, 1, sizeof *to->device);
    if (to->device == NULL)
        return ffebmi_fail_memory(model->context, "a device's configuration");
    *to->device = *config;
    return make_chip(model, model->stages[stage].energy, stage, config, &to->chip);
}

static void take(ffebm_model *model, size_t stage, change *c)
{
    ffebm_energy *block = model->stages[stage].energy;

    put_on(block, c->chip);
    ffebmi_release(model->context, block->device);
    block->device = c->device;
    *c = (change){NULL, NULL};
}

/* All of them or none. */
static ffebm_status change_all(ffebm_model *model, size_t meant, const ffebm_device_config *config, change *changes)
{
    ffebm_status status = FFEBM_OK;

    for (size_t i = 0; i < model->stage_count && status == FFEBM_OK; i++)
        if (is_meant(model, i, meant))
            status = prepare(model, i, config, &changes[i]);
    if (status == FFEBM_OK && ffebmi_model_ready(model) && config != NULL)
        status = allocate_effective(model);
    for (size_t i = 0; i < model->stage_count; i++) {
        if (status == FFEBM_OK && is_meant(model, i, meant))
            take(model, i, &changes[i]);
        ffebmi_release(model->context, changes[i].chip);
        ffebmi_release(model->context, changes[i].device);
    }
    return status;
}

ffebm_status ffebm_model_set_device(ffebm_model *model, size_t stage, const ffebm_device_config *config)
{
    ffebm_device_config c;
    change *changes;
    ffebm_status status;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    if (stage != FFEBM_ALL)
        FFEBMI_TRY(check_stage(model, stage));
    if (config != NULL)
        FFEBMI_TRY(ffebmi_device_read(model->context, "device", &c, config));
    FFEBMI_CHECK(model->context, model->references == 1, FFEBM_ERR_STATE,
                 "model: a device, but an engine or optimizer of it exists");
    changes = ffebmi_allocate(model->context, model->stage_count + 1, sizeof *changes);
    if (changes == NULL)
        return ffebmi_fail_memory(model->context, "devices");
    status = change_all(model, stage, config == NULL ? NULL : &c, changes);
    ffebmi_release(model->context, changes);
    FFEBMI_TRY(status);
    if (ffebmi_model_ready(model))
        place_effective(model);
    ffebmi_release(model->context, model->description);
    model->description = NULL;
    ffebmi_model_touch(model);
    return FFEBM_OK;
}

ffebm_status ffebm_model_device(const ffebm_model *model, ffebm_device_config *config, size_t stage)
{
    ffebm_device_config ideal;
    const ffebm_device_config *device;

    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_TRY(check_stage(model, stage));
    ffebm_device_config_init(&ideal, sizeof ideal);
    device = model->stages[stage].energy->device;
    return ffebmi_sized_write(model->context, "device configuration", config, device == NULL ? &ideal : device,
                              sizeof ideal);
}

ffebm_status ffebm_model_set_clock(ffebm_model *model, double seconds)
{
    if (model == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(model->context, isfinite(seconds) && seconds >= model->history.clock,
                          "model: clock %g, expected a number from %g on, which it is", seconds, model->history.clock);
    model->history.clock = seconds;
    ffebmi_model_touch(model);
    return FFEBM_OK;
}
