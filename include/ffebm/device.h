/* ffebm/device.h - energy blocks on devices that are not ideal: converters, mismatch, noise, pulses.
 *
 * A device wraps a block's parameters, borders and update:
 *
 *     converter in -> settle on effective parameters -> converter out -> gradient from readings -> pulses
 *
 * How a block settles does not change: it gets other numbers. Each effect is drawn in one of three ways, and none sweep by
 * sweep, so that a noisy block has a fixed point, a tolerance and a certificate:
 *
 *     [F] fixed: from the device's seed alone. The same chip in every run, another seed is another chip
 *     [S] once in each settling, and held while it settles: from the engine's seed, the step, the sample's number
 *         (ffebm_engine_set_first_sample), the phase and the repetition
 *     [P] with each pulse: from the device's seed and the number of the optimizer's step on this model, which checkpoints carry
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

enum {                                /* what becomes of dW, the step that an optimizer asks for */
    FFEBM_UPDATE_IDEAL      = 1,      /* W + dW, within bounds */
    FFEBM_UPDATE_DIFFERENCE = 2,      /* |dW| / dw_min pulses in its direction, rounded up or down at random [P], at most
                                         pulses_max */
    FFEBM_UPDATE_TWO_PHASE  = 3       /* pulses by each nudged phase alone, for its part of dW, at most pulses_max: under
                                         plain SGD, without decay, clipping and FFEBM_ESTIMATOR_IMPLICIT */
};

enum {                                /* how large a pulse of direction d = +-1 is at W: dw_min h(W) */
    FFEBM_STEP_CONSTANT    = 1,       /* h = 1 */
    FFEBM_STEP_LINEAR      = 2,       /* up h = 1 - gamma_up W / max, down h = 1 - gamma_down W / min */
    FFEBM_STEP_SOFT_BOUNDS = 3,       /* up h = 1 - W / max, down h = 1 - W / min, bounds of the single device */
    FFEBM_STEP_EXPONENTIAL = 4        /* h = max(0, 1 - A exp(d gamma z)), z = 2 a W / (max - min) + b, likewise */
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
    int64_t  weight_bits;             /* bits       default 0: any value; 1 to 24: what is programmed is W rounded to the nearest of
                                                    2^bits levels, evenly spaced from min to max, or where these are infinite
                                                    from the least to the largest value that the block gives its weights
                                                    (g_min, g_max); what varies acts on the level */
    double   weight_dtod;             /* fraction   default 0   [F]  W max(0, 1 + dtod xi) */
    double   weight_read_noise;       /* of max     default 0   [S]  W + read_noise max xi; max must be finite */
    double   weight_asymmetry;        /* fraction   default 0   [F]  top-down W (1 + asymmetry xi): no energy any more, and no
                                                                     adjoint; a resistor is reciprocal, and refuses it */
    double   weight_stuck;            /* probability default 0  [F]  W is uniform in +- stuck_range for good */
    double   weight_stuck_range;      /* weight     default 0; in a resistive block conductances below 0 are 0 */
    double   weight_drift_nu;         /* 1          default 0        W (max(t, t0) / t0)^-nu, t since W was programmed */
    double   weight_drift_nu_dtod;    /* fraction   default 0   [F]  nu (1 + nu_dtod xi) */
    double   weight_drift_t0;         /* s          default 1        see ffebm_model_set_clock */

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

    /* update, pulse by pulse: W -> clip(W + d dw_min (1 + dw_min_dtod xi + d (up_down + up_down_dtod xi'))
     *                                               h(W) (1 + dw_min_std xi'')); in effect W + write_noise_std dw_min xi */
    double   update_dw_min;           /* weight     default 0; positive unless IDEAL: the smallest step */
    double   update_dw_min_dtod;      /* fraction   default 0   [F] */
    double   update_dw_min_std;       /* fraction   default 0   [P]  from pulse to pulse */
    double   update_up_down;          /* fraction   default 0        pulses up are larger than pulses down by twice that */
    double   update_up_down_dtod;     /* fraction   default 0   [F] */
    double   update_write_noise_std;  /* of dw_min  default 0   [P]  drawn with each optimizer step, and held until the next */
    double   update_gamma_up;         /* 1          default 1        of LINEAR and EXPONENTIAL */
    double   update_gamma_down;       /* 1          default 1 */
    double   update_exp_a_up;         /* 1          default 0        of EXPONENTIAL: its A, */
    double   update_exp_a_down;       /* 1          default 0 */
    double   update_exp_a;            /* 1          default 1        its a, */
    double   update_exp_b;            /* 1          default 0        and its b */
    int64_t  update_pulses_max;       /* 1          default 31, at most 255: in one update of one weight */
    int32_t  update_mode;             /* default FFEBM_UPDATE_IDEAL; of weights. Biases are always IDEAL */
    int32_t  update_step;             /* default FFEBM_STEP_CONSTANT; LINEAR and SOFT_BOUNDS need min below 0 and max above */

    int32_t  read;                    /* default FFEBM_READ_BORDER: JSON "read" */
    int32_t  output_sto_round;        /* default 0: readings are rounded to the nearest step; 1: up or down at random [S] */
    int32_t  noise;                   /* default 1; 0: [S] and [P] are left out, [F] stays; see ffebm_engine_set_noise */
    int32_t  reserved_;
} ffebm_device_config;
/* clang-format on */

/** Fill a device configuration with that of an ideal one.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_device_config_init(ffebm_device_config *config, size_t size);

/** Write a published device's weight bounds and update into a configuration.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_NOT_FOUND:   no preset has this name; the error text lists them.
 *           FFEBM_ERR_UNSUPPORTED: config is too short for what a preset writes.
 *  In:      context: for its error text; NULL: the status is all there is to know.
 *  In/Out:  config:  unchanged on failure, and so are its seed, input, neuron, nudge and output always.
 *  In:      name:    "idealized", "reram_es", "reram_sb", "capacitor", "ecram", "ecram_mo", "pcm" or "gokmen_vlasov",
 *                    with aihwkit's numbers of that name. All update by FFEBM_UPDATE_DIFFERENCE.
 */
FFEBM_API ffebm_status ffebm_device_preset(ffebm_context *context, ffebm_device_config *config, const char *name);

#ifdef __cplusplus
}
#endif
#endif
