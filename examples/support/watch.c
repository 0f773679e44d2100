#include "watch.h"

enum { WINDOW = 20 };

int watch_step(struct watch *watch, const struct watch_limits *limits, double loss, double residual,
               struct failure *failure)
{
    double share;

    watch->steps += 1;
    share = 1 / (watch->steps < WINDOW ? watch->steps : WINDOW);
    watch->loss += share * (loss - watch->loss);
    watch->residual += share * (residual - watch->residual);
    if (watch->steps <= WINDOW) {
        watch->first_loss = watch->loss;
        /* The first steps can only be judged by themselves. */
        if (watch->steps < WINDOW)
            return 0;
    }
    if (limits->loss > 0 && watch->loss > limits->loss * watch->first_loss)
        return failure_set(failure, "the training loss is %.4g, %.3g times that of the first steps (--max-loss %g)",
                           watch->loss, watch->loss / watch->first_loss, limits->loss);
    if (limits->residual > 0 && watch->residual > limits->residual)
        return failure_set(failure,
                           "energy blocks no longer settle: free phases end with a layer changing by %.3g of itself in "
                           "a sweep (--max-residual %g)",
                           watch->residual, limits->residual);
    return 0;
}
