/* ranks.h - the processes that train together: which of them this one is, and how they speak to each other.
 *
 * A program is one process (support/ranks_alone.c), or as many as mpirun has started (support/ranks_mpi.c, with make MPI=1);
 * the rest of it cannot tell. All ranks make the same calls below in the same order, and end together: who ends alone, for a
 * reason that the others do not know, calls ranks_abort.
 */
#ifndef EXAMPLES_RANKS_H
#define EXAMPLES_RANKS_H

#include <ffebm.h>

struct ranks {
    int32_t rank;                                              /* this process, from 0 */
    int32_t count;                                             /* of so many; 0 or 1: it is alone */
    ffebm_reduce_fn reduce;                                    /* adds up, for the library */
    void (*largest)(void *user, double *values, size_t count); /* replaces each value by the largest of all ranks */
    void *user;
};

/* Find out who is there, and take what is for the launcher off the command line. Returns 0, or -1. */
int ranks_begin(struct ranks *ranks, int *argc, char ***argv);

/* End this process's part; all ranks do. */
void ranks_end(const struct ranks *ranks);

/* End all processes, now. Alone it returns. */
void ranks_abort(const struct ranks *ranks, int code);

int ranks_are_many(const struct ranks *ranks);

/* Replace values by the largest over ranks: how they decide together what depends on clocks, signals and files. */
void ranks_largest(const struct ranks *ranks, double *values, size_t count);

/* The first rank that has something, or -1 if none has. */
int32_t ranks_first(const struct ranks *ranks, int has);

/* Do all ranks have the same bytes? */
int ranks_have_same(const struct ranks *ranks, const void *bytes, size_t count);

/* This rank's part of a batch of so many samples: where it begins, and the most that a part has. */
size_t ranks_part_begin(const struct ranks *ranks, size_t samples);
size_t ranks_part_end(const struct ranks *ranks, size_t samples);
size_t ranks_part_most(const struct ranks *ranks, size_t samples);

#endif
