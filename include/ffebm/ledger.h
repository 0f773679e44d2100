/* ffebm/ledger.h - what a gradient would cost on hardware: events counted, energy and latency by constants of yours.
 *
 * For one sample and one step, by stage and phase: settlings, sweeps, conversions, pulses, digital multiply-adds. A block of
 * n_x inputs (taps among them), n_y outputs, n_s states and m multiply-adds in a pass of its couplings, with P nudges and R
 * repeats, takes
 *
 *     settlings        1 + P R
 *     DAC              n_x + n_y, the held error; the sign of a nudge is a switch
 *     ADC              n_y + P R n_x; n_s in place of n_x where a gradient is made of readings of every layer
 *     nudged by loss   P R T n_y of each in place of the held error, T the nudged sweeps: it converts in every sweep
 *     analog, either   unrolled (every weight is an element, a settling takes a time): settlings x time x power
 *                      or on crossbars (a sweep is a product up and one down): sweeps x 2 m multiply-adds
 *     digital          forward, and the two halves of the VJP, of linear and convolutional ops
 *
 * and beside it digital backpropagation through the same network: 3 multiply-adds where either has one forward. docs/ledger.md
 * says what is not counted.
 */
#ifndef FFEBM_LEDGER_H
#define FFEBM_LEDGER_H

#include "gradient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
/** What to count, and the constants. Those that nobody has measured are assumed; the text of each setting
 *  (ffebm_setting_inspect with FFEBM_CONFIG_LEDGER) ends with its source, or with the word "assumed". */
typedef struct ffebm_ledger_config {
    size_t  size;

    double  free_sweeps;            /* default 0: as many as the last call took on average */
    double  nudged_sweeps;          /* default 0: likewise */
    double  trained_samples;        /* default 0: no pulses are counted; else those that ffebm_model_inspect_pulses counts are
                                       those of so many samples */

    /* digital arithmetic */
    double  digital_add;            /* pJ        default 0.9: float32, 45 nm */
    double  digital_multiply;       /* pJ        default 3.7: likewise */
    double  digital_read;           /* pJ        default 5: 32 bits out of 8 KiB of SRAM, 45 nm */
    double  digital_reads;          /* 1         default 0, assumed: such reads a multiply-add */
    double  digital_rate;           /* 1 / ns    default 1000, assumed: multiply-adds */

    /* converters at the borders of blocks; an ADC of other widths by interpolation of logarithms, and beyond 12 bits four times
     * as much for each bit more, as noise asks for */
    double  adc_4;                  /* pJ        default 0.9: of 4 bits and below, 32 nm */
    double  adc_6;                  /* pJ        default 1.1 */
    double  adc_8;                  /* pJ        default 1.7 */
    double  adc_10;                 /* pJ        default 3.3 */
    double  adc_12;                 /* pJ        default 29 */
    double  dac_share;              /* of an ADC default 0.25, assumed: a DAC of the same width */
    double  converter_clock;        /* ns        default 1: a conversion takes bits + 1 of these */
    double  converter_count;        /* 1         default 256, assumed: that convert at a time */
    int64_t converter_bits;         /* bits      default 8: of borders whose device says nothing */

    double  write_pulse;            /* pJ        default 1000: a pulse into phase change memory */

    /* unrolled: every multiply-add has an element of its own */
    double  unrolled_conductance;   /* S         default 5e-6, assumed: of an element, */
    double  unrolled_voltage;       /* V         default 0.1, assumed: and the root mean square across it; */
    double  unrolled_siemens;       /* S         default 1: of a resistive block, whose power is known, its conductance of 1 */
    double  unrolled_volts;         /* V         default 1: and its voltage of 1 */
    double  unrolled_settling;      /* ns        default 100, assumed: of every block, its R C and never its sweeps */

    /* crossbars: a weight is used at one place after the other */
    double  crossbar_mac;           /* pJ        default 0.2: converters and all, 8 bits, 14 nm, read in one phase */
    double  crossbar_mac_most;      /* pJ        default 0.81: likewise, read in four phases */
    double  crossbar_product;       /* ns        default 130, assumed: of a matrix and a vector */

    int32_t input_cotangent;        /* default 1: what hands an error to the model's input is counted, as in a larger network;
                                       0: where it has no parameters below, it is not */
    int32_t reserved_;
} ffebm_ledger_config;
/* clang-format on */

/** Fill a ledger configuration with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_ledger_config_init(ffebm_ledger_config *config, size_t size);

/* clang-format off */
enum {                              /* which part of a step */
    FFEBM_LEDGER_ALL    = 0,        /* all of them */
    FFEBM_LEDGER_FREE   = 1,        /* up the chain: forward, free phases */
    FFEBM_LEDGER_NUDGED = 2,        /* down the chain: nudged phases, VJPs */
    FFEBM_LEDGER_UPDATE = 3         /* writing of weights */
};

/** What one sample and one step take. Joules and seconds of `unrolled` and `crossbar` are of the couplings alone: a mapping costs
 *  that with the digital part, the pulses and, where it is unrolled, the conversions; those of a crossbar are in crossbar_mac. */
typedef struct ffebm_ledger {
    size_t  size;

    double  settlings;
    double  sweeps;
    double  dac;                    /* conversions */
    double  adc;
    double  sweep_conversions;      /* of these two together, those that are made anew in every sweep: nudging by the loss */
    double  pulses;                 /* writes of weights, a sample's share of its batch */
    double  digital_macs;           /* multiply-adds */
    double  crossbar_macs;          /* likewise, of couplings in all sweeps */
    double  backprop_macs;          /* of digital backpropagation of the same network */

    double  digital_joules;
    double  conversion_joules;
    double  pulse_joules;
    double  unrolled_joules;
    double  crossbar_joules;        /* by crossbar_mac */
    double  crossbar_joules_most;   /* by crossbar_mac_most */
    double  backprop_joules;

    double  digital_seconds;
    double  conversion_seconds;
    double  unrolled_seconds;
    double  crossbar_seconds;
    double  backprop_seconds;

    size_t  unknown;                /* blocks of yours, whose multiply-adds nobody knows: counted as none */
    int32_t measured;               /* 1: unrolled_joules is no estimate in any energy block: of a resistive one the power of
                                       its free state, 2 (E + <b, s>), of one of yours what it has told */
    int32_t reserved_;
} ffebm_ledger;
/* clang-format on */

/** Count what a gradient takes as the engine is configured, and what that costs.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_ARGUMENT:    no such stage or part; or a constant out of range, which the text names.
 *           FFEBM_ERR_STATE:       sweeps are to be those of the last call, and there was none that settled an energy block
 *                                  freely, or nudged where NUDGED is counted.
 *           FFEBM_ERR_UNSUPPORTED: a block is set to IMPLICIT, which no hardware does; or config has fields set that this
 *                                  library does not know.
 *  In/Out:  engine: no state changes.
 *  Out:     ledger: set ledger->size first. Unchanged on failure.
 *  In:      stage:  one of the model's, or FFEBM_ALL for the whole chain.
 *           part:   FFEBM_LEDGER_.
 *           config: NULL: the defaults.
 *
 *  Sweeps are means over the samples of the last call; the power of a resistive block is that of its free state in it, which
 *  nudges hardly move.
 */
FFEBM_API ffebm_status ffebm_engine_ledger(ffebm_engine *engine, ffebm_ledger *ledger, size_t stage, int32_t part,
                                           const ffebm_ledger_config *config);

#ifdef __cplusplus
}
#endif
#endif
