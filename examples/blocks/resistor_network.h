/* resistor_network.h - an energy block of one's own: a linear resistor network, solved exactly.
 *
 * Every pair of nodes is joined by a resistor of conductance g_e >= 0, every node leaks to ground through RESISTOR_LEAK.
 * The first nodes take the input as currents, the last ones are read as the output. With node voltages v the network
 * settles at the minimum of
 *     E = sum_e g_e (v_a - v_b)^2 / 2 + leak |v|^2 / 2 - <x, v_in>,
 * half the power that it dissipates less what the sources deliver: A v = x + force, A the Laplacian of the conductances
 * plus leak times the identity. Its one parameter is the conductances, [nodes (nodes - 1) / 2], bounded below by zero: no
 * resistor delivers power.
 */
#ifndef EXAMPLES_RESISTOR_NETWORK_H
#define EXAMPLES_RESISTOR_NETWORK_H

#include <ffebm.h>

#define RESISTOR_LEAK 0.25

struct resistor_network;

/* Describe a network as an energy block, which owns it. `mean` is the mean conductance at first. On failure the context
 * has the text and *block is NULL. */
ffebm_status resistor_network_create(ffebm_context *context, ffebm_energy **block, int64_t inputs, int64_t outputs,
                                     int64_t nodes, double mean);

/* The table alone, for tests: fill in the functions and the network (NULL: out of memory), which goes through
 * table->destroy. The shapes stay with the network. */
struct resistor_network *resistor_network_table(ffebm_user_energy *table, int64_t inputs, int64_t outputs,
                                                int64_t nodes, double mean);

/* And its parameter. */
void resistor_network_parameter(const struct resistor_network *network, ffebm_user_parameter *parameter);

#endif
