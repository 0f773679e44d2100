/* As many processes as mpirun has started. What goes wrong between them ends them all: that is how MPI is set up at first. */
#include <mpi.h>

#include "ranks.h"

/* At a time: MPI takes memory beside what it adds up, some implementations as much again. */
enum { PIECE = 1 << 18 };

/* All ranks get the same bits of the implementations that there are; training looks, once an epoch. */
static int32_t reduce(void *user, void *values, size_t count, int32_t dtype)
{
    const MPI_Datatype type = dtype == FFEBM_FLOAT32 ? MPI_FLOAT : MPI_DOUBLE;
    const size_t bytes = dtype == FFEBM_FLOAT32 ? sizeof(float) : sizeof(double);

    (void)user;
    for (size_t first = 0; first < count; first += PIECE) {
        const int piece = (int)(count - first < PIECE ? count - first : PIECE);
        const int error =
            MPI_Allreduce(MPI_IN_PLACE, (char *)values + first * bytes, piece, type, MPI_SUM, MPI_COMM_WORLD);

        if (error != MPI_SUCCESS)
            return error;
    }
    return 0;
}

static void largest(void *user, double *values, size_t count)
{
    (void)user;
    MPI_Allreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
}

int ranks_begin(struct ranks *ranks, int *argc, char ***argv)
{
    int rank, count, threads;

    *ranks = (struct ranks){.reduce = reduce, .largest = largest};
    if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &threads) != MPI_SUCCESS ||
        MPI_Comm_rank(MPI_COMM_WORLD, &rank) != MPI_SUCCESS || MPI_Comm_size(MPI_COMM_WORLD, &count) != MPI_SUCCESS)
        return -1;
    ranks->rank = rank;
    ranks->count = count;
    return 0;
}

void ranks_end(const struct ranks *ranks)
{
    (void)ranks;
    MPI_Finalize();
}

void ranks_abort(const struct ranks *ranks, int code)
{
    if (ranks_are_many(ranks))
        MPI_Abort(MPI_COMM_WORLD, code);
}
