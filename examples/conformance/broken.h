/* broken.h - blocks with one mistake each, to see that the kit finds it. */
#ifndef EXAMPLES_CONFORMANCE_BROKEN_H
#define EXAMPLES_CONFORMANCE_BROKEN_H

#include "conformance.h"

/* The network that is broken. */
enum { BROKEN_CURRENTS = 4, BROKEN_VOLTAGES = 3, BROKEN_NODES = 8 };

/* A feedforward block that is right, y = tanh(W x + b), and its one parameter. */
ffebm_user_feedforward broken_tanh_layer(ffebm_user_parameter *parameter);

/* Check block after block, a line for each. Returns how many mistakes were not named. */
int broken_energy(const ffebm_user_energy *right, const ffebm_user_parameter *parameter,
                  const struct conformance_settings *settings);
int broken_feedforward(const struct conformance_settings *settings);

/* Do the kit's lines (NULL: there are none) say that the property does not hold? Prints it; 0 if they do. */
int broken_verdict(FILE *lines, const char *mistake, const char *property);

#endif
