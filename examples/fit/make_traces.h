/* make_traces.h - readings to try a fit on: pulses of the library's own, given to the weights of a model by its optimizer. */
#ifndef EXAMPLES_FIT_MAKE_TRACES_H
#define EXAMPLES_FIT_MAKE_TRACES_H

#include <stdio.h>

#include <ffebm.h>

#include "traces.h"

/* How many devices, and how many times so many pulses down and then up, behind half of them up from 0. */
struct trace_plan {
    int64_t devices;
    int64_t pulses;
    int64_t cycles;
};

/* Make the traces of devices of this kind, mode DIFFERENCE. Returns 0, or -1 with the failure filled; free in both cases. */
int traces_make(struct traces *traces, const ffebm_device_config *device, const struct trace_plan *plan,
                struct failure *failure);

/* Write them as CSV. */
void traces_write(FILE *file, const struct traces *traces);

#endif
