/* ffebm/block.h - what feedforward and energy blocks have in common: first values of parameters, and the parameters and answers
 * of blocks of your own.
 */
#ifndef FFEBM_BLOCK_H
#define FFEBM_BLOCK_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------------- first values */

/* How the first values of an op's, a coupling's or a whole model's parameters are drawn. */
enum {
    FFEBM_INITIALIZATION_UNIFORM = 1, /* weights and biases uniform in +- gain / sqrt(fan_in) */
    FFEBM_INITIALIZATION_GOE = 2 /* conv2d: each k x k slice symmetric and normal, of variance `variance` / k, on the
                                         diagonal 8 times that, and biases 0 (arXiv:2409.03306); all else: UNIFORM */
};

/** How first values are drawn; the same fields and defaults as in the model description. */
typedef struct ffebm_initialization {
    size_t size;
    int32_t type;          /* default FFEBM_INITIALIZATION_UNIFORM */
    int32_t constant_bias; /* default 0: biases as the type says; 1: all biases are `bias` */
    double gain;           /* default 1 */
    double variance;       /* GOE: must be set; else 0 */
    double bias;           /* with constant_bias: the value of every bias; default 0 */
} ffebm_initialization;

/** Fill an initialisation with the defaults.
 *
 *  Out: initialization: written up to `size`.
 *  In:  size:           sizeof *initialization.
 */
FFEBM_API void ffebm_initialization_init(ffebm_initialization *initialization, size_t size);

/* ------------------------------------------------------------------------------------- parameters of your own blocks
 *
 * A block of yours, feedforward or energy, names the tensors that are trained in it. It sees all of them as one array of
 * doubles, in the order in which they were added.
 */

enum { FFEBM_USER_PARAMETERS_MAX = 16 }; /* of one block */

/** A tensor that is trained in a block of yours. */
typedef struct ffebm_user_parameter {
    size_t size;
    const char *name;     /* letters, digits and _, at most 23: "stage<i>.<position>.<name>" in the model; copied */
    const int64_t *shape; /* copied */
    size_t rank;
    double lower;   /* default -INFINITY: optimizers project each number onto [lower, upper] */
    double upper;   /* default INFINITY */
    int32_t frozen; /* default 0; 1: optimizers leave it alone */
    int32_t
        position; /* default 0; of an energy block up to 9999, not below that of the parameter before: so that a block of
                         yours can have the names, and by a checkpoint the values, of one with several couplings */
} ffebm_user_parameter;

/** Fill a parameter of a block of your own with the defaults; name and shape must be set.
 *
 *  Out: parameter: written up to `size`.
 *  In:  size:      sizeof *parameter.
 */
FFEBM_API void ffebm_user_parameter_init(ffebm_user_parameter *parameter, size_t size);

enum { FFEBM_RETRY = 1 }; /* what a slot returns that wants to be called again: every positive value means that */

#ifdef __cplusplus
}
#endif
#endif
