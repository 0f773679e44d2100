/* bench_device.h - an energy block that is settled by another process over a pipe: the shape of a board on the bench. It is
 * slow, its readings have eight bits and noise, it is busy at times, and now and then loses what it was programmed with.
 *
 * The board holds two layers of analog units with E = (|s_1|^2 + |s_2|^2) / (2 a) - <x, s_1> - s_2^T W s_1 - <b, s_2>, all
 * s in [0, 1]. Its weights are programmed with eight bits, and each cell conducts a little more or less than it was told to:
 * the host differentiates the energy that it has asked for, the board settles in the one that it has.
 */
#ifndef EXAMPLES_BENCH_DEVICE_H
#define EXAMPLES_BENCH_DEVICE_H

#include <ffebm.h>

enum { BENCH_DEVICE_INPUTS = 48, BENCH_DEVICE_OUTPUTS = 32 };

struct bench_device_config {
    int64_t delay;   /* microseconds that a settling takes longer than its computation */
    double noise;    /* standard deviation of a reading; an eight-bit step is 1/255 */
    double mismatch; /* relative standard deviation of a cell's conductance */
    double busy;     /* probability that the board asks to be called again */
    double dip;      /* probability that it loses its program instead of answering */
};

/* What there is at a well-kept bench. */
void bench_device_config_init(struct bench_device_config *config);

/* Start the board and describe it as an energy block, which owns it: its end of the pipe closes with the block, and the
 * board's process ends. On failure the context has the text, or for FFEBM_ERR_IO none, and *block is NULL. The program must
 * ignore SIGPIPE. */
ffebm_status bench_device_create(ffebm_context *context, ffebm_energy **block,
                                 const struct bench_device_config *config);

#endif
