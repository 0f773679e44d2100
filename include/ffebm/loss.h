/* ffebm/loss.h - the losses that a model can have.
 */
#ifndef FFEBM_LOSS_H
#define FFEBM_LOSS_H

#ifdef __cplusplus
extern "C" {
#endif

/* l(output o, target t) of a sample; the loss is the mean over the batch of weight * l. */
enum {
    FFEBM_LOSS_NONE = 0,          /* the host has its own: ffebm_engine_forward, ffebm_engine_vjp */
    FFEBM_LOSS_CROSS_ENTROPY = 1, /* - sum_c t_c log softmax(o)_c;  t: labels (one-hot), or probabilities */
    FFEBM_LOSS_MSE = 2            /* sum_c (o_c - t_c)^2 / 2;       t: labels (one-hot), or real values */
};

#ifdef __cplusplus
}
#endif
#endif
