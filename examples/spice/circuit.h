/* circuit.h - a netlist whose comments say what goes in, what comes out, and what is trained.
 *
 * A netlist is SPICE's. Comments of these kinds, anywhere in it, make a block of it:
 *   * ffebm input ENTRY ..                                each entry is one number of the input
 *   * ffebm output ENTRY ..                               each entry is one number of the output
 *   * ffebm parameter NAME[SHAPE] [min=A] [max=B] ENTRY ..  each entry is one number of the parameter NAME, or of
 *                                                         POSITION.NAME
 *   * ffebm unit W                                        the block's energies are in units of W watts, 1 without it
 * More lines of a kind go on where the last one ended. An entry is an element's name, or NAME*FACTOR, or several of these
 * with commas between them and no spaces: one number drives them all, each times its factor.
 *
 *   element       the number times the factor is its          dE/d(that), E the circuit's co-content
 *   R, resistor   conductance, 0 to 1000 S                    (v_a - v_b)^2 / 2
 *   I, source     current, from its first node through it     v_a - v_b
 *   V, source     voltage, of its first node over the second  the current that it delivers
 *
 * Entries of an output are nodes. What is read is the sum of their voltages times the factors; a force on it is a current
 * into each of them, from a source that is added to the netlist: of 1 a unit's current, W amperes. So an output is minus the
 * derivative by its force, and all numbers of the block, whatever they are, drive elements.
 *
 * A parameter's first values are its elements' own in the netlist, divided by the factors. docs/circuits.md has examples. */
#ifndef EXAMPLES_CIRCUIT_H
#define EXAMPLES_CIRCUIT_H

#include <stddef.h>
#include <stdint.h>

#include "../support/failure.h"

enum { CIRCUIT_NAME = 64, CIRCUIT_MAX_RANK = 4, CIRCUIT_PARAMETERS = 16 };

/* Whose numbers drive an element. */
enum circuit_group { CIRCUIT_PARAMETER = 0, CIRCUIT_INPUT, CIRCUIT_OUTPUT, CIRCUIT_GROUPS };

#define CIRCUIT_GROUND SIZE_MAX

/* Siemens: ngspice lets no resistor have more. */
#define CIRCUIT_CONDUCTANCE 1e3

struct circuit_element {
    char name[CIRCUIT_NAME]; /* in lower case */
    enum circuit_group group;
    size_t number;   /* of the group: which one drives it */
    double factor;   /* and by how much */
    double value;    /* in the netlist: ohms, amperes, volts */
    size_t nodes[2]; /* the quantities that are their voltages, or CIRCUIT_GROUND */
    size_t current;  /* of a V: the quantity that is the current through it */
};

struct circuit_parameter {
    char name[CIRCUIT_NAME]; /* with its position, if it has one */
    int64_t shape[CIRCUIT_MAX_RANK];
    size_t rank;
    size_t count;
    double lower;
    double upper;
};

struct circuit {
    char *netlist; /* with the sources of the forces, for the simulator; lines end in newlines */
    struct circuit_element *elements;
    size_t element_count;
    size_t counts[CIRCUIT_GROUPS]; /* numbers of each group */
    double unit;                   /* watts */
    struct circuit_parameter parameters[CIRCUIT_PARAMETERS];
    size_t parameter_count;
    char (*quantities)[CIRCUIT_NAME + 8]; /* what is measured: "v(n1)", "v1#branch" */
    size_t quantity_count;
};

/* Read a netlist. Returns 0, or -1 with a failure that begins with `name`, the line where there is one, and says what of it
 * is wrong. End it with circuit_free in both cases. */
int circuit_read(struct circuit *circuit, const char *name, const char *text, struct failure *failure);
void circuit_free(struct circuit *circuit);

/* What each element is set to, for the numbers of the three groups: ohms, amperes, volts. NULL: zeros. */
void circuit_drive(const struct circuit *circuit, const double *const numbers[CIRCUIT_GROUPS], double *values);

/* Add `weight` times the derivative of the energy by each number of a group, at quantities that were measured. */
void circuit_derive(const struct circuit *circuit, enum circuit_group group, const double *measured, double weight,
                    double *derivatives);

#endif
