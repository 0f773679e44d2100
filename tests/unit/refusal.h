/* What the tests of refusals share: a chain that works, and the check that it still does after each of them. */
#ifndef FFEBM_TESTS_REFUSAL_H
#define FFEBM_TESTS_REFUSAL_H

#include "fixture.h"

/* Stage 0 feedforward, 1 energy, 2 feedforward, 3 energy, 4 readout of 3 classes. */
#define BLOCK "{\"energy\": {\"type\": \"hopfield\", \"couplings\": [{\"type\": \"dense\", \"out_features\": 5}]}}"
#define LINEAR(out) "{\"feedforward\": [{\"type\": \"linear\", \"out_features\": " out "}]}"
#define CHAIN(loss)                                                                                                    \
    "{\"dtype\": \"float64\", \"input\": [4], \"loss\": \"" loss "\", \"initialization\": {\"type\": \"uniform\", "    \
    "\"gain\": 0.5}, \"stages\": [" LINEAR("6") ", " BLOCK ", " LINEAR("6") ", " BLOCK ", " LINEAR("3") "]}"

/* Of the present test, from setup to teardown. */
extern fixture f;
extern ffebm_optimizer *optimizer;
extern ffebm_tensor *x, *y, *expected; /* a good batch of 4, and the gradient that it gives */

/* A suite of one case whose tests run on such a chain. */
Suite *refusal_suite(const char *name, TCase **tests);

/* This status, in a sentence that begins with its name and has these words. */
void refused_with(const char *call, ffebm_status found, ffebm_status status, const char *words);

#define REFUSED(call, status, words) refused_with(#call, call, status, words)
/* Where there is no handle to leave a text in. */
#define NO_HANDLE(call) ck_assert_msg((call) == FFEBM_ERR_ARGUMENT, "%s", #call)

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

#endif
