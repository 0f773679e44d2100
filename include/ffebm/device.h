/* ffebm/device.h - energy blocks on devices that are not ideal: converters, mismatch, noise.
 *
 * A device wraps a block's parameters and borders:
 *
 *     converter in -> settle on effective parameters -> converter out -> gradient from readings
 *
 * How a block settles does not change: it gets other numbers. Each effect is drawn in one of two ways, and none sweep by
 * sweep, so that a noisy block has a fixed point, a tolerance and a certificate:
 *
 *     [F] fixed: from the device's seed alone. The same chip in every run, another seed is another chip
 *     [S] once in each settling, and held while it settles: from the engine's seed, the step, the sample's number
 *         (ffebm_engine_set_first_sample), the phase and the repetition
 *
 * With a device, parameters hold the programmed values; ffebm_parameter_info.effective is what the block settles with.
 * docs/devices.md has the equations; names and units are aihwkit's where it has one.
 *
 *     {"energy": {"type": "hopfield", "couplings": [..],
 *                 "device": {"seed": 7, "read": "border", "input": {"bits": 8, "bound": 1},
 *                            "weight": {"dtod": 0.3}, "output": {"bits": 8, "bound": 1, "noise": 1e-3}}}}
 */
#ifndef FFEBM_DEVICE_H
#define FFEBM_DEVICE_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
enum {                                /* what a gradient is read from */
    FFEBM_READ_BORDER = 1,            /* the settled states, held in analog; converters are at the borders alone */
    FFEBM_READ_ALL    = 2             /* readings of every layer, through converters like the output's */
};

/** A device. xi, xi' are normal numbers of variance 1, by weight or unit; "fraction" is relative, never per cent. As
 *  filled at first it changes nothing, to the bit. */
typedef struct ffebm_device_config {
    size_t   size;
    uint64_t seed;                    /* default 0: of [F] */

    /* input: the converter in front, x -> Q(x) + noise xi */
    int64_t  input_bits;              /* bits       default 0: not rounded; 2 to 24: to steps of 2 bound / (2^bits - 2) */
    double   input_bound;             /* units of x default INFINITY; finite with bits: clipped to +- bound */
    double   input_noise;             /* units of x default 0   [S] */

    /* weight: what a programmed W is in effect; weights are in the block's units, siemens in a resistive one. Biases are
     * as they are programmed */
    double   weight_min;              /* weight     default -INFINITY: W is clipped to [min (1 + min_dtod xi), .. */
    double   weight_max;              /* weight     default INFINITY:                    .. max (1 + max_dtod xi')] */
    double   weight_min_dtod;         /* fraction   default 0   [F] */
    double   weight_max_dtod;         /* fraction   default 0   [F] */
    double   weight_dtod;             /* fraction   default 0   [F]  W max(0, 1 + dtod xi) */
    double   weight_read_noise;       /* of max     default 0   [S]  W + read_noise max xi; max must be finite */
    double   weight_stuck;            /* probability default 0  [F]  W is uniform in +- stuck_range for good */
    double   weight_stuck_range;      /* weight     default 0; in a resistive block conductances below 0 are 0 */

    /* neuron: sigma's slope is a (1 + slope_dtod xi), and it acts on z + offset_dtod xi' + drive_noise xi'' */
    double   neuron_slope_dtod;       /* fraction   default 0   [F]  1 + slope_dtod xi is 0.01 at least */
    double   neuron_offset_dtod;      /* units of z default 0   [F] */
    double   neuron_drive_noise;      /* units of z default 0   [S] */

    /* nudge: the converter of errors, f = - beta (1 + gain_dtod xi) Q(delta) */
    int64_t  nudge_bits;              /* bits       default 0: as input_bits */
    double   nudge_bound;             /* of delta   default INFINITY; finite with bits */
    double   nudge_gain_dtod;         /* fraction   default 0   [F] */

    /* output: a reading, r = Q(s + noise xi / sqrt(repeats)) + offset_dtod xi' + phase_offset_dtod xi'' */
    int64_t  output_bits;             /* bits       default 0: as input_bits */
    double   output_bound;            /* units of s default INFINITY; finite with bits */
    double   output_noise;            /* units of s default 0   [S] */
    int64_t  output_repeats;          /* 1          default 1: readings averaged of one settled state; settling anew
                                                    is ffebm_equilibrium_config.repeats */
    double   output_offset_dtod;      /* units of s default 0   [F]  the same in all phases: cancels in a difference */
    double   output_phase_offset_dtod; /* units of s default 0  [F]  another for each nudge: does not cancel */

    int32_t  read;                    /* default FFEBM_READ_BORDER: JSON "read" */
    int32_t  output_sto_round;        /* default 0: readings are rounded to the nearest step; 1: up or down at random [S] */
    int32_t  noise;                   /* default 1; 0: [S] is left out, [F] stays; see ffebm_engine_set_noise */
    int32_t  reserved_;
} ffebm_device_config;
/* clang-format on */

/** Fill a device configuration with that of an ideal one.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_device_config_init(ffebm_device_config *config, size_t size);

#ifdef __cplusplus
}
#endif
#endif
