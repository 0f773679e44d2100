/* What a device makes of numbers: its settings, its converters, and which of its effects is drawn from what. */
#ifndef FFEBMI_DEVICE_DEVICE_H
#define FFEBMI_DEVICE_DEVICE_H

#include <ffebm/device.h>

#include "core/setting.h"

extern const ffebmi_settings ffebmi_device_settings;

/* Read and check a public configuration, NULL for an ideal device. Error texts begin with `what`. */
ffebm_status ffebmi_device_read(ffebm_context *context, const char *what, ffebm_device_config *to,
                                const ffebm_device_config *from);

/* The effects that are drawn: a place each in what numbers are a function of (core/draw.h). Their values never change, since
 * chips are made of them. */
enum {
    FFEBMI_EFFECT_WEIGHT = 1,
    FFEBMI_EFFECT_WEIGHT_MIN = 2,
    FFEBMI_EFFECT_WEIGHT_MAX = 3,
    FFEBMI_EFFECT_STUCK = 4,
    FFEBMI_EFFECT_STUCK_AT = 5,
    FFEBMI_EFFECT_READ_NOISE = 6,
    FFEBMI_EFFECT_ASYMMETRY = 7,
    FFEBMI_EFFECT_SLOPE = 8,
    FFEBMI_EFFECT_OFFSET = 9,
    FFEBMI_EFFECT_DRIVE_NOISE = 10,
    FFEBMI_EFFECT_INPUT_NOISE = 11,
    FFEBMI_EFFECT_NUDGE_GAIN = 12,
    FFEBMI_EFFECT_OUTPUT_NOISE = 13,
    FFEBMI_EFFECT_OUTPUT_ROUND = 14,
    FFEBMI_EFFECT_OUTPUT_OFFSET = 15,
    FFEBMI_EFFECT_PHASE_OFFSET = 16,
    FFEBMI_EFFECT_PULSE = 17,
    FFEBMI_EFFECT_UP_DOWN = 18,
    FFEBMI_EFFECT_PULSE_COUNT = 19,
    FFEBMI_EFFECT_CYCLE = 20,
    FFEBMI_EFFECT_WRITE_NOISE = 21,
    FFEBMI_EFFECT_DRIFT = 22
};

/* A converter: clips to +- bound, and rounds to steps if there are any. */
typedef struct ffebmi_converter {
    double bound;
    double step; /* 0: none */
} ffebmi_converter;

ffebmi_converter ffebmi_converter_of(int64_t bits, double bound);

/* Does it leave every number as it is? */
bool ffebmi_converter_is_ideal(const ffebmi_converter *converter);

/* One weight's device, as pulses write it. */
typedef struct ffebmi_cell {
    double lower; /* bounds of its own */
    double upper;
    double size[2]; /* of a pulse down and one up, where h is 1 */
} ffebmi_cell;

/* The weight after a pulse up (true) or down, which by its cycle is so many times as large. */
double ffebmi_pulse(const ffebm_device_config *config, const ffebmi_cell *cell, bool up, double cycle, double weight);

/* To the nearest step; or down, or up where `dither`, from 0 to 1, is less than what is left. */
double ffebmi_convert(const ffebmi_converter *converter, double number);
double ffebmi_convert_dithered(const ffebmi_converter *converter, double number, double dither);

#endif
