#include "watch.h"

#include <math.h>

#include <ffebm.h>

enum { WINDOW = 20 };

double watch_chance(int32_t loss, int64_t classes)
{
    return loss == FFEBM_LOSS_CROSS_ENTROPY ? log((double)classes) : loss == FFEBM_LOSS_MSE ? 0.5 : 0;
}

int watch_step(struct watch *watch, const struct watch_limits *limits, double loss, double residual,
               struct failure *failure)
{
    double share, most;

    watch->steps += 1;
    share = 1 / (watch->steps < WINDOW ? watch->steps : WINDOW);
    if (watch->steps == 1 && loss > watch->untrained)
        watch->untrained = loss;
    most = limits->loss * watch->untrained;
    watch->loss += share * (limits->loss > 0 ? fmin(loss, 2 * most) : loss) - share * watch->loss;
    watch->residual += share * (residual - watch->residual);
    if (watch->steps < WINDOW)
        return 0;
    if (limits->loss > 0 && watch->loss > most)
        return failure_set(failure,
                           "in most of the last %d steps the training loss was above %.4g, %g times the %.4g of an "
                           "untrained model (--max-loss %g)",
                           WINDOW, most, limits->loss, watch->untrained, limits->loss);
    if (limits->residual > 0 && watch->residual > limits->residual)
        return failure_set(failure,
                           "energy blocks no longer settle: free phases end with a layer changing by %.3g of itself in "
                           "a sweep (--max-residual %g)",
                           watch->residual, limits->residual);
    return 0;
}

int watch_end(const struct watch *watch, const struct watch_limits *limits, double test_loss, struct failure *failure)
{
    if (watch->steps == 0 || limits->loss == 0 || test_loss <= limits->loss * watch->untrained)
        return 0;
    return failure_set(failure,
                       "the loss on the test samples is %.4g, more than %g times the %.4g of an untrained model "
                       "(--max-loss %g)",
                       test_loss, limits->loss, watch->untrained, limits->loss);
}
