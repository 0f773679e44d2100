/* settings.h - what a training run can be told, and the command line that tells it. */
#ifndef EXAMPLES_SETTINGS_H
#define EXAMPLES_SETTINGS_H

#include <ffebm.h>

#include "failure.h"

enum { ALGORITHM_EP = 1, ALGORITHM_BP = 2, ALGORITHM_ID = 3 };

struct settings {
    ffebm_recipe recipe; /* what a model's description may say too */
    const char *model;
    const char *dataset;
    const char *data;
    const char *checkpoint;
    const char *resume;
    const char *log;
    int64_t seed;
    int64_t threads;
    int64_t limit_train; /* 0: no limit */
    int64_t limit_test;
    int32_t split; /* DATASET_SPLIT_ */
    int32_t algorithm;
    int32_t quiet;
    int32_t help;
};

/* Fill in the defaults of everything outside the recipe. */
void settings_init(struct settings *settings);

/* Read the command line over the settings as they are. Call it twice: once to learn which model, and again after the
 * model's recipe has been filled in, so that the command line has the last word. Returns 0, or -1 with the failure
 * filled. */
int settings_parse(struct settings *settings, int argc, char **argv, struct failure *failure);

void settings_print_help(void);

#endif
