/* A model of examples/models, or of this folder, ready to have its gradient taken on random inputs. */
#ifndef BENCH_TRAINEE_H
#define BENCH_TRAINEE_H

#include <stdbool.h>

#include "team.h"

/* Samples stop by themselves at these, which are the defaults of the library. */
#define TRAINEE_FREE_TOLERANCE 1e-4
#define TRAINEE_NUDGED_TOLERANCE 1e-2

typedef struct trainee {
    const char *name;
    const team *team;
    size_t batch;
    ffebm_model *model;
    ffebm_engine *engine;
    ffebm_tensor *input;
    ffebm_tensor *target; /* labels */
    ffebm_tensor *output;
    ffebm_model_info info;
    ffebm_equilibrium_config equilibrium;
    bool trained; /* values of a checkpoint */
} trainee;

/* Milliseconds of one gradient, and the sweeps that it took: means over samples and blocks. */
typedef struct trainee_step {
    double total;
    double settling;
    double free_sweeps;
    double nudged_sweeps;
} trainee_step;

/* From the description of the file of that name. Values are those of seed 0, or of the
 * checkpoint if one is given. On failure the reason is printed; destroy in any case. */
bool trainee_create(trainee *t, const char *name, const team *on, size_t batch, const char *checkpoint);
void trainee_destroy(trainee *t);

/* Settle by the recipe with other tolerances (0: all sweeps) and estimator. */
ffebm_status trainee_configure(trainee *t, double free_tolerance, double nudged_tolerance, int32_t estimator);

ffebm_status trainee_gradient(trainee *t, trainee_step *took);

/* Milliseconds of the way up the chain outside the energy blocks. */
ffebm_status trainee_forward(trainee *t, double *milliseconds);

/* The smallest cosine of a parameter's gradient to that in `other`, a copy of the flat gradient; *name is of which. */
double trainee_cosine(const trainee *t, const float *other, const char **name);

/* Of this process, ever. */
double trainee_peak_mib(void);

#endif
