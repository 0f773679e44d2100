/* traces.h - what pulses made of devices: readings of a weight, or a conductance, against pulses up and down.
 *
 * As CSV, with a line of names in any order; columns of other names are left alone:
 *
 *     device,pulse,direction,conductance
 *     A3,0,,1.02e-5
 *     A3,1,up,1.09e-5
 *     A3,2,down,1.01e-5
 *
 * `pulse` counts a device's pulses; between two lines there may be several, all in the direction of the second. The direction
 * is "up" or "1", "down" or "-1", and that of a device's first line is not looked at: it is where the device begins. Without
 * `pulse` each line is one pulse, without `device` there is one. Empty lines and those that begin with # are left out. */
#ifndef EXAMPLES_FIT_TRACES_H
#define EXAMPLES_FIT_TRACES_H

#include <stddef.h>

#include "../support/failure.h"

struct reading {
    double value;
    int pulses; /* since the one before; more than 0 up, less down. 0 of the first */
};

enum { TRACE_NAME = 32 };

struct trace {
    char name[TRACE_NAME];
    struct reading *readings;
    size_t count;
    size_t capacity;
    long long last; /* number of the last pulse */
};

struct traces {
    struct trace *list;
    size_t count;
    size_t capacity;
    double zero; /* a weight is (reading - zero) / scale; the readings here are weights */
    double scale;
};

/* Read a file. Returns 0, or -1 with a failure that names file, line and column. Free in both cases. */
int traces_read(struct traces *traces, const char *path, struct failure *failure);
void traces_free(struct traces *traces);

/* Add a reading to the trace of a name, a new one if there is none. Returns 0, or -1 without memory. */
int traces_add(struct traces *traces, const char *name, struct reading reading);

/* Make weights of readings: with a scale of 0, so that all lie within +-1. Returns 0, or -1 with the failure filled where they are
 * all the same. */
int traces_map(struct traces *traces, double zero, double scale, struct failure *failure);

size_t traces_readings(const struct traces *traces);

#endif
