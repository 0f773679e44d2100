/* The device that an energy block stands on: its settings, and all that is fixed of it, drawn once from its seed. What depends on
 * how a block settles is not here (relax/device.c). */
#ifndef FFEBMI_ENERGY_CHIP_H
#define FFEBMI_ENERGY_CHIP_H

#include "core/draw.h"
#include "device/device.h"
#include "energy/energy.h"

/* Phases that readings may be of: the free one, and behind it the nudges. */
enum { FFEBMI_CHIP_PHASES = 5 };

/* Numbers are drawn for so many weights at a time. */
enum { FFEBMI_CHIP_CHUNK = 64 };

/* Pulses that were given. */
typedef struct ffebmi_pulse_tally {
    int64_t given[2]; /* down and up */
    int64_t clipped;  /* of these: left a weight at its bound */
    int64_t limited;  /* weights' updates that asked for more than they got */
} ffebmi_pulse_tally;

struct ffebmi_chip {
    ffebm_device_config config;
    size_t stage;
    ffebmi_converter input;
    ffebmi_converter nudge;
    ffebmi_converter output;

    /* What is fixed, behind the struct in one piece of memory; NULL: ideal everywhere.
     * [number of a parameter, of all in the block's order]; NaN stuck_at is not stuck */
    double *factor;
    double *lower;
    double *upper;
    double *stuck_at;
    double *asymmetry; /* so many times the weight, where it sends down */
    double *drift_nu;
    double *pulse;   /* size of a pulse, in dw_min */
    double *up_down; /* and its asymmetry */

    /* [unit, of all layers in their order] */
    double *slope; /* so many times sigma's own */
    double *offset;
    double *read_offset[FFEBMI_CHIP_PHASES];
    double *nudge_gain; /* [unit of the last layer] */

    void **gains; /* slope in the model's type, [layer]: units */

    ffebmi_pulse_tally *tallies; /* [worker]: of what it was written by */
};

/* Make the chip of a block that has been fitted, with the device that it is to be on, as stage `stage` of a model: numbers of
 * `arrays`. It is the caller's to release. FFEBM_ERR_UNSUPPORTED if blocks of its kind do not take it; `what` begins the text. */
ffebm_status ffebmi_chip_create(const ffebm_energy *block, const ffebm_device_config *config,
                                const ffebmi_arrays *arrays, size_t stage, const char *what, ffebmi_chip **chip);

/* Are weights in effect others than those programmed? */
bool ffebmi_chip_alters_weights(const ffebmi_chip *chip);

/* Does it do anything but that? Are states read through converters? Is something drawn that differs from one settling of a
 * sample to the next? */
bool ffebmi_chip_has_borders(const ffebmi_chip *chip);
bool ffebmi_chip_reads(const ffebmi_chip *chip);
bool ffebmi_chip_draws(const ffebmi_chip *chip);

/* Is it written by pulses? And by those of each nudged phase alone, so that their readings are kept apart? */
bool ffebmi_chip_is_pulsed(const ffebmi_chip *chip);
bool ffebmi_chip_keeps_phases(const ffebmi_chip *chip);

/* Does it matter how often, and when, it was written? */
bool ffebmi_chip_remembers(const ffebmi_chip *chip);

/* Is it a parameter that devices alter? Biases are as they are programmed. */
bool ffebmi_chip_holds(const ffebm_energy *block, size_t parameter);

/* The least that it can be in effect: no conductance is below 0. */
double ffebmi_chip_least(const ffebm_energy *block, size_t parameter);

/* The levels that a parameter is programmed to: so many steps between the bounds; 0 steps: it may be anything. */
typedef struct ffebmi_levels {
    double lower;
    double upper;
    double steps;
} ffebmi_levels;

ffebmi_levels ffebmi_chip_levels(const ffebm_energy *block, const ffebm_device_config *config, size_t parameter);

/* Where a parameter's numbers, and a layer's units, begin among those of all. */
size_t ffebmi_chip_first_number(const ffebm_energy *block, size_t parameter);
size_t ffebmi_chip_first_unit(const ffebm_energy *block, size_t layer);

/* When: after so many updates, and so many seconds after the last of them. */
typedef struct ffebmi_chip_age {
    uint64_t updates;
    double seconds;
} ffebmi_chip_age;

/* What one of the block's parameters is in effect. */
void ffebmi_chip_apply(const ffebmi_chip *chip, const ffebm_energy *block, const ffebmi_arrays *arrays,
                       size_t parameter, ffebmi_chip_age age, const void *programmed, void *effective);

/* What couplings send down with in place of a parameter; its weights send both ways where the device has no `asymmetry`. */
void ffebmi_chip_turn(const ffebmi_chip *chip, const ffebm_energy *block, const ffebmi_arrays *arrays, size_t parameter,
                      const void *weights, void *returns);

/* Does the device write this parameter by pulses? */
bool ffebmi_chip_pulses(const ffebm_energy *block, size_t parameter);

/* The gradient is the difference of two readings, one of each side of the estimate, and the total is their sum. */
typedef struct ffebmi_chip_update {
    uint64_t number;
    bool quiet;
    const void *before; /* the values that there were */
    void *values;       /* in: those that are asked for; out: those that pulses have made of `before`, within */
    double lower;       /* these bounds */
    double upper;
    double learning_rate; /* these three where phases are kept apart */
    const void *gradient;
    const void *total;
} ffebmi_chip_update;

/* Write a parameter by pulses (chip_update.c). */
void ffebmi_chip_write(const ffebm_energy *block, const ffebmi_arrays *arrays, size_t parameter,
                       const ffebmi_chip_update *update);

/* All that it was written by so far, added to what is there. */
void ffebmi_chip_add_pulses(const ffebm_energy *block, ffebmi_pulse_tally *to);

#endif
