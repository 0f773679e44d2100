/* The products of digital convolutions: forward, back, and gradients of their weights. */
#ifndef BENCH_CONVOLUTION_H
#define BENCH_CONVOLUTION_H

#include "team.h"

void convolution_measure(const team *on);

#endif
