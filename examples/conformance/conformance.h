/* conformance.h - does a block of your own keep its contract? Run this on it before you train with it.
 *
 * Nothing here needs an engine or a model: the slots of your table are called as the library would call them, and what they
 * give is held against the contract in ffebm/energy.h or ffebm/feedforward.h. Every property gives one line: whether it
 * holds, its name, and the figure that was judged. Derivatives are judged by central differences along random directions,
 * so that no slot is compared with itself.
 *
 * A device with noise: set `repeats` to average so many readings, `step` so large that a difference stands out of the noise,
 * and `tolerance` to what noise is left. If its noise does not come from the seed, set `noisy`.
 */
#ifndef EXAMPLES_CONFORMANCE_H
#define EXAMPLES_CONFORMANCE_H

#include <ffebm.h>
#include <stdio.h>

struct conformance_settings {
    double input[2];     /* typical inputs lie between these */
    double parameter[2]; /* typical parameters; cut down to their own bounds */
    double force;        /* typical size of a force: beta times an error; not for feedforward blocks */
    double tolerance;    /* what passes, relative; 0: 1e-5 */
    double step;         /* of differences, as a fraction of those ranges; 0: 1e-4 */
    double settled;      /* given to settle as its tolerance; 0: 1e-12 */
    int64_t sweeps;      /* likewise; 0: 100000 */
    size_t batch;        /* samples; 0: 5 */
    size_t trials;       /* directions of each derivative; 0: 8 */
    size_t repeats;      /* readings that are averaged; 0: 1 */
    uint64_t seed;       /* of all that is drawn */
    int noisy; /* 1: noise comes from elsewhere than the seed, and the same call need not give the same again */
};

/* Check a block; `parameters` as they will be given to ffebm_energy_add_parameter, or ffebm_feedforward_add_parameter.
 * table->destroy is not called. Lines go to `out`, NULL: nowhere. Returns how many properties do not hold; 0 is what you
 * want. */
int conformance_energy(const ffebm_user_energy *table, const ffebm_user_parameter *parameters, size_t parameter_count,
                       const struct conformance_settings *settings, FILE *out);
int conformance_feedforward(const ffebm_user_feedforward *table, const ffebm_user_parameter *parameters,
                            size_t parameter_count, const struct conformance_settings *settings, FILE *out);

#endif
