/* ranks.c - data parallelism in a program of one's own: as many processes as there are train one model as if they were one.
 *
 *   make MPI=1 && mpirun -n 4 build/examples/ranks
 *
 * All that MPI does is to add up. examples/ranks_pipe.c does without.
 */
#include <stdio.h>

#include <ffebm.h>
#include <mpi.h>

#include "support/quadrants.h"

enum { BATCH = 64, STEPS = 100 }; /* samples a step, of all ranks together */

/* Every rank ends with the same bits: in all implementations that there are. */
static int32_t add_up(void *user, void *values, size_t count, int32_t dtype)
{
    const MPI_Datatype type = dtype == FFEBM_FLOAT32 ? MPI_FLOAT : MPI_DOUBLE;

    (void)user;
    return MPI_Allreduce(MPI_IN_PLACE, values, (int)count, type, MPI_SUM, MPI_COMM_WORLD) == MPI_SUCCESS ? 0 : 1;
}

/* The same on all ranks, but for the samples. */
static ffebm_status train(ffebm_context *context, int rank, int ranks)
{
    const int64_t first = BATCH * rank / ranks, rows = BATCH * (rank + 1) / ranks - first;
    const int64_t shape[] = {rows, 1, QUADRANTS_SIDE, QUADRANTS_SIDE};
    ffebm_model *model = NULL;
    ffebm_engine *engine = NULL;
    ffebm_optimizer *optimizer = NULL;
    ffebm_tensor *x = NULL, *labels = NULL;
    ffebm_report report = {.size = sizeof report};
    ffebm_status status;

    if ((status = quadrants_model(context, &model)) == FFEBM_OK && /* the same first values */
        (status = ffebm_engine_create(&engine, model, NULL)) == FFEBM_OK &&
        (status = ffebm_engine_set_first_sample(engine, (uint64_t)first)) == FFEBM_OK &&
        (status = ffebm_optimizer_create_adam(&optimizer, model, NULL)) == FFEBM_OK &&
        (status = ffebm_tensor_create(context, &x, FFEBM_FLOAT64, shape, 4)) == FFEBM_OK)
        status = ffebm_tensor_create(context, &labels, FFEBM_INT64, shape, 1);
    for (int step = 0; step < STEPS && status == FFEBM_OK; step++) {
        quadrants_fill(x, labels, (uint64_t)(step * BATCH + first));
        if ((status = ffebm_engine_gradient(engine, &report, x, labels, NULL)) ==
            FFEBM_OK)                                         /* on all ranks, or on none */
            status = ffebm_optimizer_step(optimizer, engine); /* the same on all */
    }
    if (status == FFEBM_OK && rank == 0)
        printf("%d ranks: loss %.6f of %zu samples, %zu of them right\n", ranks, report.loss, report.batch,
               report.correct);
    ffebm_tensor_destroy(labels);
    ffebm_tensor_destroy(x);
    ffebm_optimizer_destroy(optimizer);
    ffebm_engine_destroy(engine);
    ffebm_model_destroy(model);
    return status;
}

int main(int argc, char **argv)
{
    ffebm_context *context = NULL;
    ffebm_context_config config;
    ffebm_status status;
    int rank = 0, ranks = 1;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    ffebm_context_config_init(&config, sizeof config);
    config.reduce = add_up;
    if ((status = ffebm_context_create(&context, &config)) == FFEBM_OK)
        status = train(context, rank, ranks);
    if (status != FFEBM_OK)
        fprintf(stderr, "rank %d: %s\n", rank, ffebm_context_error(context));
    ffebm_context_destroy(context);
    MPI_Finalize();
    return status != FFEBM_OK;
}
