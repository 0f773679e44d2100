/* train.c - train a model from its description on a data set of labelled images.
 *
 *   train --model examples/models/digits.json --dataset digits --run runs/digits
 *   train --resume runs/digits
 *   mpirun -n 4 train --model examples/models/digits.json --dataset digits --run runs/digits
 *
 * The settings of a run are in support/settings.c, its data sets in support/dataset.h, its objects are made in
 * support/run.c, and support/loop.c trains; support/ranks.h is about several processes. docs/training.md describes options, run
 * directory and log.
 */
#include <stdio.h>
#include <string.h>

#include "support/blas_threads.h"
#include "support/loop.h"
#include "support/predict.h"
#include "support/run.h"

static int work(struct run *run)
{
    if (run->settings.predict != NULL)
        return predict_run(run);
    return run->settings.help || run->settings.version ? RUN_DONE : loop_run(run);
}

static const char *program_of(char **argv)
{
    const char *name = argv[0] != NULL ? argv[0] : "train", *slash = strrchr(name, '/');

    return slash != NULL ? slash + 1 : name;
}

/* Of several ranks the first one speaks, and who knows why they end. */
static void tell(const struct run *run, int code)
{
    if (code == RUN_DONE && run->ranks.rank == 0 && run->settings.version)
        printf("libffebm %s\n", ffebm_version());
    else if (code == RUN_DONE && run->ranks.rank == 0 && run->settings.help)
        settings_print_help(&run->settings, run->program);
    if (code != RUN_DONE && run->failure.text[0] != '\0' && run->ranks.rank == 0)
        fprintf(stderr, "%s: %s\n", run->program, run->failure.text);
    else if (code != RUN_DONE && run->failure.text[0] != '\0')
        fprintf(stderr, "%s: rank %d: %s\n", run->program, (int)run->ranks.rank, run->failure.text);
}

int main(int argc, char **argv)
{
    struct run run = {.failure = {""}, .program = program_of(argv)};
    int code;

    blas_threads_one();
    if (ranks_begin(&run.ranks, &argc, &argv) != 0) {
        fprintf(stderr, "%s: MPI does not start\n", run.program);
        return RUN_FAILED;
    }
    code = run_together(&run, run_open(&run, argc, argv));
    if (code == RUN_DONE)
        code = work(&run);
    tell(&run, code);
    if (code != RUN_DONE && !run.together)
        ranks_abort(&run.ranks, code);
    run_close(&run);
    ranks_end(&run.ranks);
    return code;
}
