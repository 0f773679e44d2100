/* A solver that wraps another: blocks settle as they do without it, and their outputs are read with a constant added, as by an
 * amplifier that was not adjusted. */
#ifndef FFEBM_TESTS_OFFSET_SOLVER_H
#define FFEBM_TESTS_OFFSET_SOLVER_H

/* What is added; 0: the solver takes no block. */
extern double offset_solver_constant;

#endif
