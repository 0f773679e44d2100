/* resistive.h - the netlist of a deep resistive network.
 *
 * Voltage sources hold the first layer at gain (x, -x); a resistor joins every node of a layer with every node of the next;
 * a current source into each node is its bias. Ideal diodes hold the first half of each hidden layer at 0 or above, the
 * second half at 0 or below; the last layer is free. An ideal diode here is one of RESISTIVE_DIODE siemens, from 0 volts on:
 * it is off by its current over that. */
#ifndef EXAMPLES_RESISTIVE_H
#define EXAMPLES_RESISTIVE_H

#include <stddef.h>

#define RESISTIVE_DIODE 1e12

enum { RESISTIVE_LAYERS = 8 };

struct resistive {
    size_t inputs; /* numbers in x */
    size_t layer_count;
    size_t layers[RESISTIVE_LAYERS]; /* nodes of each, without the first */
    double gain;
};

/* Write the netlist, with comments for circuit.h. Its parameters are named as the couplings of a built-in block are:
 * <l>.weight, [nodes of a layer, of the one before], in siemens, and <l>.bias, in amperes, l from 0. Node k of layer l is s<l>_<k>, of which the sources' layer is 0. The text is yours to free;
 * NULL: out of memory. */
char *resistive_netlist(const struct resistive *network);

#endif
