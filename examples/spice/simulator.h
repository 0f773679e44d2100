/* simulator.h - an operating point of a circuit: in this process, or in one of its own. */
#ifndef EXAMPLES_SIMULATOR_H
#define EXAMPLES_SIMULATOR_H

#include "circuit.h"

struct simulator {
    /* Find the operating point with the elements at these values, and what is measured at it. Returns 0, or -1 with the
     * failure filled. */
    int (*settle)(struct simulator *simulator, const double *values, double *measured, struct failure *failure);
    void (*destroy)(struct simulator *simulator);
};

/* Load a circuit into the libngspice of this process, which there is once: a second one is refused until the first is
 * destroyed. One that dies takes the process with it. `circuit` stays yours and must stay. Returns 0, or -1 with the failure
 * filled and *simulator NULL. */
int simulator_create_here(struct simulator **simulator, const struct circuit *circuit, struct failure *failure);

/* The same in a process of its own, with a libngspice of its own; any number of them. */
struct simulator_child {
    const char *program; /* what to run: it calls simulator_serve when its first argument is --serve */
    const char *name;    /* as for circuit_read */
    const char *text;    /* likewise: the child reads it again */
    int64_t patience;    /* milliseconds to wait for an answer, then the child is killed */
    const struct circuit *circuit;
};

/* Start the child. All of the struct stays yours and must stay. A child that has died or been killed is a failure of the call
 * that finds it so; the next call starts a new one. Returns as above. */
int simulator_create_child(struct simulator **simulator, const struct simulator_child *child, struct failure *failure);

/* The process of the child, for tests that end it; 0: there is none. */
int64_t simulator_child_process(const struct simulator *simulator);

/* The child's side: serve requests from standard input, a socket, until it closes. Returns what main returns. */
int simulator_serve(void);

#endif
