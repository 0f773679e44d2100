/* What the tests of certificates, traces and the depth profile share: two models of two energy blocks each, one with
 * convolutions and pools, settled as far as they go and nudged a little. */
#ifndef FFEBM_TESTS_TRIAL_H
#define FFEBM_TESTS_TRIAL_H

#include "fixture.h"

enum { ROWS = 3, MODELS = 2 };

/* clang-format off */
#define LINEAR(out) "{\"type\": \"linear\", \"out_features\": " out "}"
#define CONV(out, rest) "{\"type\": \"conv2d\", \"out_channels\": " out ", " rest "}"
#define DENSE(out) "{\"type\": \"dense\", \"out_features\": " out "}"
#define POOL ", \"pool\": {\"type\": \"max\", \"kernel\": 2}"
#define BLOCK(couplings) \
    "{\"energy\": {\"type\": \"hopfield\", \"activation\": {\"type\": \"hard_sigmoid\", \"slope\": 0.5}, " \
    "\"clamp_last\": false, \"couplings\": [" couplings "]}}"
#define DIGITAL(ops) "{\"feedforward\": [" ops "]}"
#define MODEL(input, gain, stages) \
    "{\"dtype\": \"float64\", \"input\": " input ", \"loss\": \"cross_entropy\", \"initialization\": {\"type\": " \
    "\"uniform\", \"gain\": " gain ", \"bias\": 0.5}, \"stages\": [" stages "]}"
/* clang-format on */

extern const char *const trial_models[MODELS];

typedef struct trial {
    fixture f;
    ffebm_tensor *x;
    ffebm_tensor *y;
} trial;

/* Converged, with held switches and a small beta. */
ffebm_equilibrium_config settled(void);

trial trial_of(int model, int32_t dtype, int32_t threads);
void trial_end(trial *p);

/* Values, settings and step, which certificates and traces leave alone; check_snapshot lets go of it. */
typedef struct snapshot {
    void *values;
    size_t bytes;
    ffebm_equilibrium_config equilibria[5];
    uint64_t step;
} snapshot;

snapshot snapshot_of(const trial *p);
void check_snapshot(snapshot *s, const trial *p);

#endif
