/* ffebm/energy.h - describe an energy (analog) block: a deep Hopfield network.
 *
 * An energy block turns its input x into a state s that makes E(s, theta, x) = G(s) - <s_1, x> + U(s, theta)
 * stationary: its equilibrium. s_1 is its first layer, which functions count as layer 0; its last layer is its output.
 * A block knows nothing of losses or nudging: it is asked to settle, at times under a force on its last layer, which
 * adds - <force, s_last> to E.
 *
 * A block is a description. Give it to a model (ffebm_model_add_energy), which infers its shapes and holds its
 * parameters; an engine on that model computes. To use a block alone, make it the only stage of a model:
 * ffebm_engine_settle, ffebm_engine_energy, ffebm_engine_energy_gradient and ffebm_engine_get_state are its physics.
 */
#ifndef FFEBM_ENERGY_H
#define FFEBM_ENERGY_H

#include "core.h"
#include "feedforward.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A block whose output is an equilibrium of an energy. */
typedef struct ffebm_energy ffebm_energy;

/* ------------------------------------------------------------------------------------ deep Hopfield networks
 *
 * Primitive Phi = G - E = <x, s_1> + sum_i <pool_i(W_i s_i + b_i), s_{i+1}>. Settled when s_i = sigma(dPhi/ds_i) in every
 * layer; in the last one sigma is the identity unless clamp_last (arXiv:2409.03306; Laborieux et al. 2021).
 * G = sum s^2 / (2 slope) on clamped layers, s^2 / 2 on an unclamped last layer. Updating layers in turn, the energy falls
 * in every half-sweep if every layer above a pool is clamped; below an unclamped one settling may cycle, which is reported
 * as not converged. Where two places of a pool are nearly as large, an equilibrium may jump: there EP is not exact.
 */

enum { FFEBM_ACTIVATION_HARD_SIGMOID = 1 }; /* sigma(z) = clamp(slope z, 0, 1) */

typedef struct ffebm_hopfield_config {
    size_t size;
    double slope;       /* default 1.0 */
    int32_t activation; /* default FFEBM_ACTIVATION_HARD_SIGMOID */
    int32_t clamp_last; /* default 0 */
} ffebm_hopfield_config;

/** Fill a Hopfield configuration with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_hopfield_config_init(ffebm_hopfield_config *config, size_t size);

/** Create a Hopfield block of one layer, shaped as its input. Each coupling adds a layer on top.
 *
 *  Returns: FFEBM_OK:              *block is owned.
 *           FFEBM_ERR_ARGUMENT:    slope not positive and finite, an unknown activation, clamp_last not 0 or 1.
 *           FFEBM_ERR_UNSUPPORTED: config has fields set that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In:      context.
 *  Out:     block:  NULL on failure.
 *  In:      config: copied; NULL: defaults.
 */
FFEBM_API ffebm_status ffebm_energy_create_hopfield(ffebm_context *context, ffebm_energy **block,
                                                    const ffebm_hopfield_config *config);

/* clang-format off */
enum {                          /* JSON "type"  fields read                                   layer -> layer above         */
    FFEBM_COUPLING_DENSE  = 1,  /* "dense"      out, bias, frozen, initialization             any, flattened -> [out]      */
    FFEBM_COUPLING_CONV2D = 2   /* "conv2d"     those, kernel, stride, padding, pool_kernel   [c, h, w] -> [out, h', w']   */
};
/* clang-format on */

/* One coupling: the same fields and defaults as in the model description. Windows are [height, width]. */
typedef struct ffebm_coupling_config {
    size_t size;
    const ffebm_initialization *initialization; /* copied; default NULL: the model's */
    int64_t out;                                /* out_features or out_channels; must be set */
    int64_t kernel[2];                          /* must be set */
    int64_t stride[2];                          /* default 1 */
    int64_t padding[2];                         /* default 0, below kernel; of zeros */
    int64_t pool_kernel[2]; /* default 0: no pool; else a max pool, whose stride is its kernel, of at
                                                   most 255 places */
    int32_t type;           /* FFEBM_COUPLING_ */
    int32_t bias;           /* default 1 */
    int32_t frozen;         /* default 0; 1: optimizers leave its parameters alone */
    int32_t reserved_;
} ffebm_coupling_config;

/** Fill a coupling's configuration with the defaults of its type; fields that the type does not read are zero.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 *       type:   FFEBM_COUPLING_; any other is kept for ffebm_energy_add_coupling to refuse.
 */
FFEBM_API void ffebm_coupling_config_init(ffebm_coupling_config *config, size_t size, int32_t type);

/** Add a layer on top of a Hopfield block, coupled to the layer below it.
 *
 *  Returns: FFEBM_OK:              the coupling's index in parameter names is the number of couplings before it.
 *           FFEBM_ERR_ARGUMENT:    a field that must be set is not, is out of range, or is set though the type does not
 *                                  read it; the text names it.
 *           FFEBM_ERR_UNSUPPORTED: config has fields set that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In/Out:  block:  unchanged on failure.
 *  In:      config: copied; not NULL.
 *
 *  Whether shapes fit is checked when the block enters a model; kernel, stride and padding, and a pool, must tile the
 *  layer exactly.
 */
FFEBM_API ffebm_status ffebm_energy_add_coupling(ffebm_energy *block, const ffebm_coupling_config *config);

/** Destroy a block that no model has taken.
 *
 *  In: block: owned, or NULL.
 */
FFEBM_API void ffebm_energy_destroy(ffebm_energy *block);

#ifdef __cplusplus
}
#endif
#endif
