/* block.h - a circuit as an energy block: settling it is an operating point that ngspice finds. */
#ifndef EXAMPLES_CIRCUIT_BLOCK_H
#define EXAMPLES_CIRCUIT_BLOCK_H

#include <ffebm.h>

#include "circuit.h"
#include "simulator.h"

struct circuit_block_config {
    const char *name; /* what failures call the netlist, its path for one */
    const char *text; /* the netlist, as circuit.h says */
    const char
        *program;     /* whose --serve is simulator_serve. A netlist is tried in such a process first, since there are
                            some that ngspice dies of; NULL: not, for one that has been tried. */
    int64_t patience; /* milliseconds to wait for it */
    int child;        /* 1: the circuit stays there; 0: it is loaded into this process */
};

struct circuit_block;

/* Make a circuit, with the table of an energy block for it and `parameters`, of which there is room for
 * CIRCUIT_PARAMETERS; both are good as long as the circuit is, which goes through table->destroy. Returns NULL with the
 * failure filled. */
struct circuit_block *circuit_block_table(ffebm_user_energy *table, ffebm_user_parameter *parameters,
                                          const struct circuit_block_config *config, struct failure *failure);

/* Make a circuit and the block that owns it; *made is good as long as the block. Returns 0, or -1 with the failure filled and
 * *block NULL. */
int circuit_block_create(ffebm_context *context, ffebm_energy **block, const struct circuit_block **made,
                         const struct circuit_block_config *config, struct failure *failure);

/* What it has done so far. */
struct circuit_block_report {
    const struct circuit *circuit;
    size_t settled;  /* samples */
    double seconds;  /* in that */
    int64_t process; /* that it is simulated in; 0: this one */
};

struct circuit_block_report circuit_block_inspect(const struct circuit_block *block);

#endif
