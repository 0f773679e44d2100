/* settings.h - what a training run can be told, and the command line that tells it. */
#ifndef EXAMPLES_SETTINGS_H
#define EXAMPLES_SETTINGS_H

#include <stdio.h>

#include <ffebm.h>

#include "failure.h"
#include "watch.h"

enum { ALGORITHM_EP = 1, ALGORITHM_BP = 2, ALGORITHM_ID = 3 };

struct settings {
    ffebm_recipe recipe; /* this and the next: what a model's description may say too */
    ffebm_equilibrium_config equilibrium;
    struct watch_limits limits;
    const char *model;
    const char *dataset;
    const char *data;
    const char *run;
    const char *checkpoint;
    const char *resume;
    const char *log;
    const char *predict;
    const char *rates;
    const char *freeze;
    double checkpoint_minutes; /* 0: not between epochs */
    double max_minutes;        /* 0: no limit, as in all limits below */
    int64_t seed;
    int64_t device_seed; /* 0: the model's own */
    int64_t threads;
    int64_t limit_train;
    int64_t limit_test;
    int64_t validation; /* samples */
    int64_t patience;   /* epochs */
    int64_t log_every;  /* steps; 0: epochs alone */
    int32_t split;      /* DATASET_SPLIT_ */
    int32_t algorithm;  /* ALGORITHM_; 0: as the estimator says */
    int32_t isa;        /* FFEBM_ISA_; 0: the best there is */
    int32_t other_data;
    int32_t quiet;
    int32_t help;
    int32_t version;
};

/* Fill in the defaults, those of the recipe from the model. */
void settings_init(struct settings *settings, const ffebm_model *model);

/* Read a command line over the settings as they are, so that it has the last word. Returns 0, or -1 with the failure
 * filled. */
int settings_parse(struct settings *settings, int argc, char **argv, struct failure *failure);

/* Check what no option tells alone, and complete the recipe by --algorithm. Returns as above. */
int settings_complete(struct settings *settings, const ffebm_model *model, struct failure *failure);

/* Write those in force as members of a JSON object, as options_write does. */
void settings_write(FILE *file, const struct settings *settings, const char *const *only, const char *between);

/* Print how to call the program of this name, with these settings as the defaults. */
void settings_print_help(const struct settings *settings, const char *program);

#endif
