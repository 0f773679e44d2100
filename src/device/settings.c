/* The settings of a device, and what two of them must have in common. */
#include <inttypes.h>

#include "core/context.h"
#include "core/sized.h"
#include "device/device.h"

#define FFEBMI_CONFIG ffebm_device_config

#define UPDATES(X)                                                                                                     \
    X("ideal", FFEBM_UPDATE_IDEAL)                                                                                     \
    X("difference", FFEBM_UPDATE_DIFFERENCE)                                                                           \
    X("two_phase", FFEBM_UPDATE_TWO_PHASE)
FFEBMI_CHOICES(updates, UPDATES);
#define STEPS(X)                                                                                                       \
    X("constant", FFEBM_STEP_CONSTANT)                                                                                 \
    X("linear", FFEBM_STEP_LINEAR)                                                                                     \
    X("soft_bounds", FFEBM_STEP_SOFT_BOUNDS)                                                                           \
    X("exponential", FFEBM_STEP_EXPONENTIAL)
FFEBMI_CHOICES(steps, STEPS);
#define READS(X)                                                                                                       \
    X("border", FFEBM_READ_BORDER)                                                                                     \
    X("all", FFEBM_READ_ALL)
FFEBMI_CHOICES(reads, READS);

/* In JSON nothing stands that is as in an ideal device: an infinite bound could not. */
#define IN(group) FFEBMI_JSON(group, FFEBMI_JSON_SPARSE)
#define SIZE(group, key, member, unit, text)                                                                           \
    FFEBMI_NUMBER_AS(group "." key, member, 0, FFEBMI_FROM(0), unit, text, IN(group))
#define BITS(group, member)                                                                                            \
    FFEBMI_INTEGER_AS(group ".bits", member, 0, FFEBMI_WITHIN(0, 24), "bits",                                          \
                      "of its converter; 0: it does not round", IN(group))
/* Of numbers that may be infinite, and at first are. */
#define BOUND(group, key, member, initial_, start, least, unit, text)                                                  \
    {                                                                                                                  \
        .info = {FFEBMI_NUMBER_AT(group "." key, member, initial_, unit, text), .lower = (least), .upper = INFINITY},  \
        .initial = start, IN(group)                                                                                    \
    }
#define STEP(key, member, start, unit, text)                                                                           \
    FFEBMI_NUMBER_AS("update." key, member, start, FFEBMI_ABOVE(-INFINITY), unit, text, IN("update"))
#define CONVERTER(group, member, unit)                                                                                 \
    BOUND(group, "bound", member, "inf", INFINITY, 0, unit, "of its converter: clipped to +- this")

static const ffebmi_setting list[] = {
    FFEBMI_INTEGER(seed, 0, FFEBMI_FROM(0), "", "of what is fixed of a device: another seed is another chip"),
    BITS("input", input_bits),
    CONVERTER("input", input_bound, "units of x"),
    SIZE("input", "noise", input_noise, "units of x", "added to inputs, held while a block settles"),
    BOUND("weight", "min", weight_min, "-inf", -INFINITY, -INFINITY, "weight", "the least weight in effect"),
    BOUND("weight", "max", weight_max, "inf", INFINITY, -INFINITY, "weight", "the largest weight in effect"),
    SIZE("weight", "min_dtod", weight_min_dtod, "fraction", "how min varies from device to device"),
    SIZE("weight", "max_dtod", weight_max_dtod, "fraction", "how max varies from device to device"),
    FFEBMI_INTEGER_AS("weight.bits", weight_bits, 0, FFEBMI_WITHIN(0, 24), "bits",
                      "of a programmed weight: 2^bits levels from min to max; 0: any value", IN("weight")),
    SIZE("weight", "dtod", weight_dtod, "fraction", "how weights vary from device to device"),
    SIZE("weight", "read_noise", weight_read_noise, "of max", "added to weights, held while a block settles"),
    SIZE("weight", "asymmetry", weight_asymmetry, "fraction",
         "how weights differ that send down from those that send up"),
    FFEBMI_NUMBER_AS("weight.stuck", weight_stuck, 0, FFEBMI_WITHIN(0, 1), "probability",
                     "that a weight cannot be programmed", IN("weight")),
    SIZE("weight", "stuck_range", weight_stuck_range, "weight", "where those are, + or -"),
    SIZE("weight", "drift_nu", weight_drift_nu, "", "how fast weights fall with time"),
    SIZE("weight", "drift_nu_dtod", weight_drift_nu_dtod, "fraction", "how that varies from device to device"),
    FFEBMI_NUMBER_AS("weight.drift_t0", weight_drift_t0, 1, FFEBMI_ABOVE(0), "s", "until when they stay", IN("weight")),
    SIZE("neuron", "slope_dtod", neuron_slope_dtod, "fraction", "how the slopes of neurons vary"),
    SIZE("neuron", "offset_dtod", neuron_offset_dtod, "units of z", "how the offsets of their drives vary"),
    SIZE("neuron", "drive_noise", neuron_drive_noise, "units of z", "added to drives, held while a block settles"),
    BITS("nudge", nudge_bits),
    CONVERTER("nudge", nudge_bound, "units of delta"),
    SIZE("nudge", "gain_dtod", nudge_gain_dtod, "fraction", "how the gains of nudges vary"),
    BITS("output", output_bits),
    CONVERTER("output", output_bound, "units of s"),
    SIZE("output", "noise", output_noise, "units of s", "of a reading"),
    FFEBMI_INTEGER_AS("output.repeats", output_repeats, 1, FFEBMI_FROM(1), "", "readings averaged of one settled state",
                      IN("output")),
    SIZE("output", "offset_dtod", output_offset_dtod, "units of s", "how the offsets of readings vary"),
    SIZE("output", "phase_offset_dtod", output_phase_offset_dtod, "units of s",
         "how offsets vary that are others in each phase"),
    SIZE("update", "dw_min", update_dw_min, "weight", "the smallest step"),
    SIZE("update", "dw_min_dtod", update_dw_min_dtod, "fraction", "how steps vary from device to device"),
    SIZE("update", "dw_min_std", update_dw_min_std, "fraction", "how steps vary from pulse to pulse"),
    STEP("up_down", update_up_down, 0, "fraction", "pulses up are larger than pulses down by twice that"),
    SIZE("update", "up_down_dtod", update_up_down_dtod, "fraction", "how that varies from device to device"),
    SIZE("update", "write_noise_std", update_write_noise_std, "of dw_min", "added to weights, anew with each update"),
    STEP("gamma_up", update_gamma_up, 1, "", "how fast pulses up change with the weight"),
    STEP("gamma_down", update_gamma_down, 1, "", "how fast pulses down change with the weight"),
    STEP("exp_a_up", update_exp_a_up, 0, "", "A of exponential steps up"),
    STEP("exp_a_down", update_exp_a_down, 0, "", "A of exponential steps down"),
    STEP("exp_a", update_exp_a, 1, "", "a of exponential steps"),
    STEP("exp_b", update_exp_b, 0, "", "b of exponential steps"),
    FFEBMI_INTEGER_AS("update.pulses_max", update_pulses_max, 31, FFEBMI_WITHIN(1, 255), "pulses",
                      "at most, in one update of one weight", IN("update")),
    FFEBMI_CHOICE_AS("update.mode", update_mode, "ideal", FFEBM_UPDATE_IDEAL, updates, "how weights are written",
                     IN("update")),
    FFEBMI_CHOICE_AS("update.step", update_step, "constant", FFEBM_STEP_CONSTANT, steps,
                     "how large a pulse is at a weight", IN("update")),
    FFEBMI_CHOICE_AS("read", read, "border", FFEBM_READ_BORDER, reads, "what a gradient is read from", IN(NULL)),
    FFEBMI_FLAG_AS("output.sto_round", output_sto_round, 0, "readings are rounded up or down at random", IN("output")),
    FFEBMI_FLAG_AS("noise", noise, 1, "what is drawn in each settling is there", IN(NULL)),
};
const ffebmi_settings ffebmi_device_settings =
    FFEBMI_SETTINGS("device", offsetof(ffebm_device_config, reserved_), list);

void ffebm_device_config_init(ffebm_device_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_device_settings, config, size);
}

static ffebm_status check_converter(ffebm_context *context, const char *what, const char *group, int64_t bits,
                                    double bound)
{
    FFEBMI_CHECK_ARGUMENT(context, bits != 1, "%s: %s_bits is 1, expected 0, or 2 to 24", what, group);
    FFEBMI_CHECK_ARGUMENT(context, bits == 0 || bound < INFINITY,
                          "%s: %s_bits is %" PRId64 " and %s_bound infinite, expected a finite one", what, group, bits,
                          group);
    FFEBMI_CHECK_ARGUMENT(context, bound > 0, "%s: %s_bound is 0, expected more", what, group);
    return FFEBM_OK;
}

static ffebm_status check_update(ffebm_context *context, const char *what, const ffebm_device_config *c)
{
    bool towards_bounds = c->update_step == FFEBM_STEP_LINEAR || c->update_step == FFEBM_STEP_SOFT_BOUNDS;
    bool bounded = c->weight_min > -INFINITY && c->weight_max < INFINITY;

    if (c->update_mode == FFEBM_UPDATE_IDEAL)
        return FFEBM_OK;
    FFEBMI_CHECK_ARGUMENT(context, c->update_dw_min > 0, "%s: update_dw_min is 0, expected more where pulses write",
                          what);
    FFEBMI_CHECK_ARGUMENT(context, c->update_step == FFEBM_STEP_CONSTANT || bounded,
                          "%s: update_step is %d, but weight_min and weight_max are infinite", what,
                          (int)c->update_step);
    FFEBMI_CHECK_ARGUMENT(
        context, !towards_bounds || (c->weight_min < 0 && c->weight_max > 0),
        "%s: update_step is %d, which needs weight_min below 0 and weight_max above, but they are %g and %g", what,
        (int)c->update_step, c->weight_min, c->weight_max);
    return FFEBM_OK;
}

ffebm_status ffebmi_device_read(ffebm_context *context, const char *what, ffebm_device_config *to,
                                const ffebm_device_config *from)
{
    ffebm_device_config c;

    FFEBMI_TRY(ffebmi_settings_read_as(context, &ffebmi_device_settings, what, &c, from));
    FFEBMI_TRY(check_converter(context, what, "input", c.input_bits, c.input_bound));
    FFEBMI_TRY(check_converter(context, what, "nudge", c.nudge_bits, c.nudge_bound));
    FFEBMI_TRY(check_converter(context, what, "output", c.output_bits, c.output_bound));
    FFEBMI_CHECK_ARGUMENT(context, c.weight_min < INFINITY && c.weight_max > -INFINITY && c.weight_min <= c.weight_max,
                          "%s: weight_min is %g and weight_max %g, expected room between them", what, c.weight_min,
                          c.weight_max);
    FFEBMI_CHECK_ARGUMENT(context,
                          (c.weight_min_dtod == 0 || c.weight_min > -INFINITY) &&
                              (c.weight_max_dtod == 0 || c.weight_max < INFINITY),
                          "%s: weight_min_dtod is %g and weight_max_dtod %g, but what varies is infinite", what,
                          c.weight_min_dtod, c.weight_max_dtod);
    FFEBMI_CHECK_ARGUMENT(context, c.weight_read_noise == 0 || c.weight_max < INFINITY,
                          "%s: weight_read_noise is %g, a fraction of weight_max, which is infinite", what,
                          c.weight_read_noise);
    FFEBMI_TRY(check_update(context, what, &c));
    *to = c;
    return FFEBM_OK;
}
