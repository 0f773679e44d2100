/* bench_protocol.h - what host and board say to each other; both sides are of this machine, so numbers go as they are. */
#ifndef EXAMPLES_BENCH_PROTOCOL_H
#define EXAMPLES_BENCH_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "bench_device.h"

enum {
    BENCH_INPUTS = BENCH_DEVICE_INPUTS,
    BENCH_OUTPUTS = BENCH_DEVICE_OUTPUTS,
    BENCH_WEIGHTS = BENCH_INPUTS * BENCH_OUTPUTS,
    BENCH_CURRENT_ONE = 2048, /* a current of 1, in steps of its sixteen-bit converter: it reaches from -16 to 16 */
    BENCH_WEIGHT_ONE = 127,
    BENCH_STATE_ONE = 255
};

enum { BENCH_PROGRAM = 'P', BENCH_SETTLE = 'S' };                 /* the host's requests */
enum { BENCH_VOLTAGES = 'V', BENCH_BUSY = 'B', BENCH_DIP = 'D' }; /* the board's answers to the second */

struct bench_program {
    int8_t weight[BENCH_WEIGHTS]; /* [output][input], one for BENCH_WEIGHT_ONE */
    int8_t bias[BENCH_OUTPUTS];
};

struct bench_request {
    int16_t input[BENCH_INPUTS];
    int16_t force[BENCH_OUTPUTS];
};

struct bench_answer {
    uint8_t kind;
    uint8_t state[BENCH_INPUTS + BENCH_OUTPUTS];
};

/* The board: serve requests from one end of a pipe until it closes. */
void bench_board_serve(int from, int to, const struct bench_device_config *config);

/* Read or write all of it, or -1. */
int bench_receive(int from, void *bytes, size_t count);
int bench_send(int to, const void *bytes, size_t count);

#endif
