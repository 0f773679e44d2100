#include "gradient/estimator.h"

#define FREE FFEBM_NONE

static const ffebmi_estimator estimators[] = {
    [FFEBM_ESTIMATOR_CENTERED] = {2, {1, -1}, false, 1, {{0, 1, 1.0 / 2}}},
    [FFEBM_ESTIMATOR_POSITIVE] = {1, {1}, false, 1, {{0, FREE, 1}}},
    [FFEBM_ESTIMATOR_NEGATIVE] = {1, {-1}, false, 1, {{FREE, 0, 1}}},
    [FFEBM_ESTIMATOR_RANDOM_SIGN] = {1, {1}, true, 1, {{0, FREE, 1}}},
    [FFEBM_ESTIMATOR_FOUR_POINT] = {4, {1, -1, 2, -2}, false, 2, {{0, 1, 8.0 / 12}, {2, 3, -1.0 / 12}}},
    [FFEBM_ESTIMATOR_IMPLICIT] = {1, {1}, false, 0, {{0}}},
};

/* The one-sided estimators where readings are repeated: the free state is read anew as a nudge of strength zero, so that
 * its noise, too, is averaged. */
static const ffebmi_estimator repeated[] = {
    [FFEBM_ESTIMATOR_POSITIVE] = {2, {1, 0}, false, 1, {{0, 1, 1}}},
    [FFEBM_ESTIMATOR_NEGATIVE] = {2, {-1, 0}, false, 1, {{1, 0, 1}}},
    [FFEBM_ESTIMATOR_RANDOM_SIGN] = {2, {1, 0}, true, 1, {{0, 1, 1}}},
};

enum { REPEATED_COUNT = sizeof repeated / sizeof repeated[0] };

const ffebmi_estimator *ffebmi_estimator_of(const ffebm_equilibrium_config *equilibrium)
{
    int32_t estimator = equilibrium->estimator;

    if (equilibrium->repeats > 1 && estimator < REPEATED_COUNT && repeated[estimator].nudge_count > 0)
        return &repeated[estimator];
    return &estimators[estimator];
}

double ffebmi_estimator_readout_weight(const ffebmi_estimator *estimator, size_t nudge)
{
    double weight = 0;

    for (size_t i = 0; i < estimator->pair_count; i++) {
        if (estimator->pairs[i].first == nudge)
            weight += estimator->pairs[i].weight;
        if (estimator->pairs[i].second == nudge)
            weight -= estimator->pairs[i].weight;
    }
    return weight * estimator->strength[nudge];
}
