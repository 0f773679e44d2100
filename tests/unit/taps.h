/* Models with taps, for their tests. */
#ifndef FFEBM_TESTS_TAPS_H
#define FFEBM_TESTS_TAPS_H

#include "fixture.h"

/* clang-format off */
#define LINEAR(out) "{\"type\": \"linear\", \"out_features\": " out "}"
#define CONV(out, rest) "{\"type\": \"conv2d\", \"out_channels\": " out ", " rest "}"
#define NORM "{\"type\": \"batchnorm2d\"}"
#define DENSE(out) "{\"type\": \"dense\", \"out_features\": " out "}"
#define POOL ", \"pool\": {\"type\": \"max\", \"kernel\": 2}"
#define BLOCK(couplings) \
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, " \
    "\"couplings\": [" couplings "]}}"
#define OPS(ops) "{\"feedforward\": [" ops "]}"
#define TAPPED(ops, taps) "{\"feedforward\": [" ops "], \"taps\": [" taps "]}"
#define TAP(layer, ops) "{\"to\": " layer ", \"ops\": [" ops "]}"
#define MODEL(input, loss, stages) \
    "{\"dtype\": \"float64\", \"input\": " input ", \"loss\": \"" loss "\", \"initialization\": {\"type\": " \
    "\"uniform\", \"gain\": 0.6, \"bias\": 0.4}, \"stages\": [" stages "]}"

/* Two blocks each: of vectors, with a tap that hands its input on, and of images, with running statistics, and a second stage
 * that hands fewer numbers on than it takes. */
#define TAPPED_VECTORS MODEL("[5]", "cross_entropy", \
    TAPPED(LINEAR("6"), TAP("2", "") ", " TAP("1", LINEAR("4") ", {\"type\": \"tanh\"}")) ", " \
    BLOCK(DENSE("4") ", " DENSE("5")) ", " \
    TAPPED("", TAP("1", LINEAR("3"))) ", " \
    BLOCK(DENSE("3") ", " DENSE("4")) ", " \
    OPS(LINEAR("3")))
#define TAPPED_IMAGES MODEL("[2, 6, 6]", "cross_entropy", \
    TAPPED(CONV("3", "\"kernel\": 3, \"padding\": 1") ", " NORM, \
           TAP("1", CONV("4", "\"kernel\": 2, \"stride\": 2") ", " NORM) ", " \
           TAP("2", CONV("3", "\"kernel\": 2, \"stride\": 2") ", " CONV("3", "\"kernel\": 2"))) ", " \
    BLOCK(CONV("4", "\"kernel\": 3, \"padding\": 1" POOL) ", " CONV("3", "\"kernel\": 2")) ", " \
    TAPPED(CONV("2", "\"kernel\": 1"), TAP("1", "{\"type\": \"flatten\"}, " LINEAR("5"))) ", " \
    BLOCK(DENSE("5") ", " DENSE("4")) ", " \
    OPS(LINEAR("3")))
/* clang-format on */

#endif
