#include "gradient/estimator.h"

#include <ffebm/gradient.h>

#define FREE FFEBM_NONE

static const ffebmi_estimator estimators[] = {
    [FFEBM_ESTIMATOR_CENTERED] = {2, {1, -1}, 1, {{0, 1, 1.0 / 2}}},
    [FFEBM_ESTIMATOR_POSITIVE] = {1, {1}, 1, {{0, FREE, 1}}},
    [FFEBM_ESTIMATOR_NEGATIVE] = {1, {-1}, 1, {{FREE, 0, 1}}},
    [FFEBM_ESTIMATOR_IMPLICIT] = {1, {1}, 0, {{0}}},
    [FFEBM_ESTIMATOR_FOUR_POINT] = {4, {1, -1, 2, -2}, 2, {{0, 1, 8.0 / 12}, {2, 3, -1.0 / 12}}},
};

const ffebmi_estimator *ffebmi_estimator_of(int32_t estimator)
{
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
