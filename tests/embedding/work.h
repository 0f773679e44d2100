/* What the programs here have the library do: everything a host does in a day, the same numbers each time. */
#ifndef FFEBM_TESTS_WORK_H
#define FFEBM_TESTS_WORK_H

#include <ffebm.h>

/* Train a convolutional and a dense block, one of the host's own between them, then certify, save, restore and evaluate,
 * in a context of `config`. Returns the sum of the bits of all parameters and losses; a failure ends the program. */
__attribute__((visibility("default"))) uint64_t day_of_work(const ffebm_context_config *config);

/* Called by the block of the host's own whenever it settles, on whatever thread that is; NULL: nothing. */
extern void (*while_settling)(void);

/* Calls that fail: in the description, in a file, in the numbers. */
void bad_day(const ffebm_context_config *config);

/* What day_of_work does in one part after another, for a program that comes in between. */
typedef struct workshop {
    ffebm_context *context;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_optimizer *optimizer;
    ffebm_tensor *x;
    ffebm_tensor *y;
} workshop;

workshop workshop_open(const ffebm_context_config *config);
void workshop_train(workshop *w, int steps);
uint64_t workshop_sum(const workshop *w);
void workshop_close(workshop *w);

/* End the program with a sentence unless `holds`; it is written to the descriptor `complaints`, standard error at first. */
extern int complaints;
void require(int holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
