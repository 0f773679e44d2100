/* train.c - train a model from its description on a data set of labelled images.
 *
 *   train --model examples/models/digits.json --dataset digits --run runs/digits
 *   train --resume runs/digits
 *
 * The settings of a run are in support/settings.c, its data sets in support/dataset.h, its objects are made in
 * support/run.c, and support/loop.c trains. docs/training.md describes options, run directory and log.
 */
#include <stdio.h>

#include "support/blas_threads.h"
#include "support/loop.h"
#include "support/predict.h"
#include "support/run.h"

int main(int argc, char **argv)
{
    struct run run = {.failure = {""}};
    int code;

    blas_threads_one();
    code = run_open(&run, argc, argv);
    if (code == RUN_DONE && run.settings.version)
        printf("libffebm %s\n", ffebm_version());
    else if (code == RUN_DONE && run.settings.help)
        settings_print_help(&run.settings);
    else if (code == RUN_DONE)
        code = run.settings.predict != NULL ? predict_run(&run) : loop_run(&run);
    if (code != RUN_DONE)
        fprintf(stderr, "train: %s\n", run.failure.text);
    run_close(&run);
    return code;
}
