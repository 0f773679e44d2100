/* ffebm/analysis.h - can a gradient be trusted? The depth profile, certificates, traces; and a block while it settles.
 *
 * All of it looks at an engine's gradient without training: parameters, running statistics and the number of the next call
 * stay as they are.
 */
#ifndef FFEBM_ANALYSIS_H
#define FFEBM_ANALYSIS_H

#include "gradient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------------------------------------------- the depth profile */

/* clang-format off */
/** One layer's part in a gradient. Norms are root mean squares, over the batch, of a sample's |.|. */
typedef struct ffebm_layer_report {
    size_t size;
    size_t units;                     /* of a sample */
    double free_norm;                 /* |s_free| */
    double nudge_norm;                /* |s_nudged - s_free|, the signal; over all nudgings. IMPLICIT: of the adjoint, which
                                         is a displacement divided by beta. 0 if nothing below needed a nudged phase */
    double residual_norm;             /* |s_new - s| in the last free sweep: what had not settled */
    double signal_to_residual;        /* nudge_norm / residual_norm; infinity where all had settled, 0 without signal */
    double saturated;                 /* the share of units at a bound in the free state; smooth ones never are */
} ffebm_layer_report;
/* clang-format on */

/** Report one layer's part in the last gradient or vjp: layer by layer, the depth profile of a model.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_STATE: there was none yet, it failed, or another call has settled or written states since.
 *  In:      engine.
 *  Out:     report: set report->size first.
 *  In:      stage, layer: an energy stage, and one of its layer_count layers.
 *
 *  Where readings are repeated the signal is that of the last repetition.
 */
FFEBM_API ffebm_status ffebm_engine_inspect_layer(const ffebm_engine *engine, ffebm_layer_report *report, size_t stage,
                                                  size_t layer);

/* ---------------------------------------------------------------------------- certificates and traces: these allocate */

/* clang-format off */
/** What a certificate compares, and what passes. */
typedef struct ffebm_certify_config {
    size_t   size;
    size_t   directions;            /* default 0: compare also with central differences of the loss, along so many random
                                       directions of every tensor; 4 or more give steady figures */
    double   min_cosine;            /* default 0.99: what passes has this cosine or more. -1 .. 1 */
    double   max_relative_error;    /* default 0: not judged; else what passes has no larger one */
    double   max_difference_error;  /* default 0.15, which at right angles is a cosine of 0.99; 0: not judged */
    double   adjoint_tolerance;     /* default 0: 1e-5 in float32, 1e-10 in float64 */
    double   difference_step;       /* default 0: 1e-2 in float32, 1e-5 in float64. A step is so many times the tensor's
                                       norm, or times 1 where that is less */
    int64_t  adjoint_sweeps;        /* default 1000: the most, of adjoints and of the free phases of differences */
    uint64_t seed;                  /* default 0: of the directions */
} ffebm_certify_config;
/* clang-format on */

/** Fill a certificate configuration with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_certify_config_init(ffebm_certify_config *config, size_t size);

/* clang-format off */
/** What a certificate says of one tensor. g is its gradient as ffebm_engine_gradient gives it, r its implicit gradient,
 *  and with directions d of length 1, <g, d> are the slopes by g and D_d l the differences of the loss. */
typedef struct ffebm_certificate {
    size_t      size;
    const char *name;               /* of the parameter, or "input"; borrowed until the model is destroyed */
    double      norm;               /* |g| */
    double      cosine;             /* of g and r; 1 where both are zero, or below the rounding of larger gradients of
                                       the same op or coupling (1e-5 in float32, 1e-14 in float64: a bias in front of
                                       batch normalisation); 0 where one is zero; NaN where implicit differentiation
                                       does not come, because a block on the way has no adjoint */
    double      relative_error;     /* |g - r| / |r|; 0, infinity (where r is zero) and NaN likewise */
    double      difference_cosine;  /* of <g, d> and D_d l as vectors over the directions; NaN without directions, and
                                       where both are smaller than the loss can resolve */
    double      difference_error;   /* |<g, d> - D_d l| / |D_d l| of these vectors; NaN likewise */
    double      free_residual;      /* the largest ffebm_phase_report.residual_max of the free phases, among the energy
                                       blocks that g came through */
    double      nudged_residual;    /* likewise, of the nudged phases */
    double      adjoint_residual;   /* likewise, of the adjoints */
    size_t      region_changes;     /* summed over these blocks, as ffebm_phase_report.region_changes */
    int32_t     passed;             /* 1: within the bounds in all that was compared, and no sample was nudged by more
                                       than its block bears (ffebm_engine_stable_beta) */
    int32_t     reserved_;
} ffebm_certificate;
/* clang-format on */

/** Certify the gradient of one batch: compare it, tensor by tensor, with implicit differentiation, and on request with
 *  differences of the loss.
 *
 *  Returns: FFEBM_OK:              the comparison is made, whatever its verdict: see worst->passed.
 *           FFEBM_ERR_ARGUMENT:    as ffebm_engine_gradient; or in config a bound, tolerance or step out of range.
 *           FFEBM_ERR_CONVERGENCE: an adjoint did not converge, so that there is nothing to compare with; or as
 *                                  ffebm_engine_gradient.
 *           FFEBM_ERR_UNSUPPORTED: directions is 0, and a block has no adjoint, so that nothing is left to compare it
 *                                  and what is below it with; the text names it. Or config has fields set that this
 *                                  library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *           Otherwise as ffebm_engine_gradient.
 *  In/Out:  engine: its flat gradient is unspecified afterwards, and ffebm_optimizer_step refuses it; free states are
 *                   those of this batch, phase reports those of the gradient certified. Parameters, running statistics
 *                   and the number of the next call do not change, nor, on failure, does the last certificate.
 *  Out:     worst:  the tensor that fares worst; it has passed exactly if all have. NULL if not wanted.
 *  In:      input, target, weights: as ffebm_engine_gradient. A batch of 2 to 8 is plenty.
 *           config: NULL: defaults.
 *
 *  What is certified is what the next ffebm_engine_gradient would give as the engine is configured now; compared are all
 *  parameters, frozen ones too, and the input. Gradient and reference start from the same free state, settled once. The
 *  reference is FFEBM_ESTIMATOR_IMPLICIT in every energy block, converged to adjoint_tolerance: exact for that state,
 *  wherever it lies. Differences are those of the loss at equilibrium: starting from the free state, every energy block
 *  settles to 1e-6 in float32 and 1e-13 in float64, if adjoint_sweeps allow it, for each end of each direction. In
 *  float32 the loss resolves only the steepest of them: use a float64 model for differences. While these are taken the
 *  model's values move; they are put back to the bit. Where a bound or a switch lies within a step, or a unit settles
 *  beside another minimum, differences are none of a derivative, and differ.
 */
FFEBM_API ffebm_status ffebm_engine_certify(ffebm_engine *engine, ffebm_certificate *worst, const ffebm_tensor *input,
                                            const ffebm_tensor *target, const ffebm_tensor *weights,
                                            const ffebm_certify_config *config);

/** Read one tensor's part of the last certificate.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_STATE: no ffebm_engine_certify has succeeded yet.
 *  In:      engine.
 *  Out:     certificate: set certificate->size first.
 *  In:      index: of a parameter; parameter_count for the input.
 */
FFEBM_API ffebm_status ffebm_engine_inspect_certificate(const ffebm_engine *engine, ffebm_certificate *certificate,
                                                        size_t index);

/* clang-format off */
/** One parameter's gradient after one number of sweeps. */
typedef struct ffebm_trace_point {
    size_t              size;
    size_t              stage;            /* of the parameter */
    size_t              parameter;        /* its index */
    const char         *name;             /* its name */
    const ffebm_tensor *estimate;         /* its gradient after `sweep` nudged sweeps, as the engine is configured */
    const ffebm_tensor *implicit;         /* its implicit gradient, truncated to `sweep` sweeps; NULL where implicit
                                             differentiation does not come */
    double              estimate_norm;    /* |estimate| */
    double              implicit_norm;    /* |implicit|; NaN where `implicit` is NULL */
    double              cosine;           /* of the two, as ffebm_certificate.cosine: 1 where both are exactly zero */
    double              relative_error;   /* likewise */
    int64_t             sweep;            /* 1 .. nudged_sweeps of the energy block that it is traced with */
} ffebm_trace_point;
/* clang-format on */

/** Take one point of a trace, valid during the call. Return 0, or another value to stop. May not use the engine. */
typedef int32_t (*ffebm_trace_fn)(void *user, const ffebm_trace_point *point);

/** Trace the gradient over the nudged sweeps, by the engine's configuration and by implicit differentiation, from one
 *  free state (arXiv:2409.03306, figures 3 and 5).
 *
 *  Returns: FFEBM_OK:              every parameter and sweep was visited.
 *           FFEBM_ERR_ARGUMENT:    visit is NULL; or as ffebm_engine_gradient.
 *           FFEBM_ERR_CANCELLED:   visit, or the context's `cancel`, asked to stop.
 *           FFEBM_ERR_CONVERGENCE: of the free phase; as ffebm_engine_gradient.
 *           FFEBM_ERR_NOMEM:       allocates.
 *           Otherwise as ffebm_engine_gradient.
 *  In/Out:  engine: its flat gradient is unspecified afterwards, and ffebm_optimizer_step refuses it; free states are
 *                   those of this batch. Parameters, running statistics and the number of the next call do not change.
 *  In:      input, target, weights: as ffebm_engine_gradient.
 *           visit, user: called for the last energy block, then for the one before it, and so on; for each sweep by
 *                   sweep; in each sweep for the parameters of the block and of the feedforward stages between it and
 *                   the next energy block below, in the order of their indices; for the last block also for those of
 *                   the readout behind it.
 *
 *  Each number of sweeps is settled anew from the free state, whatever nudged_tolerance: the cost grows with the square
 *  of nudged_sweeps. One block is traced at a time: the error that comes from above is that after all sweeps of the
 *  blocks above, the estimate's for the estimate and the truncated implicit one for the implicit. A readout's implicit
 *  gradient, and under linear nudging its estimate, is that at the free state in every sweep. In a model without energy
 *  blocks there is nothing to visit.
 */
FFEBM_API ffebm_status ffebm_engine_trace(ffebm_engine *engine, const ffebm_tensor *input, const ffebm_tensor *target,
                                          const ffebm_tensor *weights, ffebm_trace_fn visit, void *user);

/* ----------------------------------------------------------------------------------- watching a block settle: this allocates */

/* clang-format off */
/** A state of an energy block on its way to equilibrium. */
typedef struct ffebm_watch_point {
    size_t                     size;
    size_t                     layer_count;
    const ffebm_tensor *const *states;    /* [layer]: [batch, layer...] of the model's type */
    const ffebm_tensor        *energy;    /* float64 [batch], at this state; of a nudged phase less <force, s_last>: what a
                                             sweep of that phase lowers */
    int64_t                    sweep;     /* 0: where the phase starts; then from 1 on */
    size_t                     step;      /* within the sweep: so many groups of layers have moved, from 1 on; 0 at sweep 0 */
    size_t                     steps;     /* of a sweep: its groups of layers, as the order has them; two on a chain */
    int32_t                    phase;     /* FFEBM_PHASE_FREE or FFEBM_PHASE_NUDGED */
    int32_t                    reserved_;
} ffebm_watch_point;
/* clang-format on */

/** Take one point, valid during the call. Return 0, or another value to stop. May not use the engine. */
typedef int32_t (*ffebm_watch_fn)(void *user, const ffebm_watch_point *point);

/** Watch an energy block settle: every group of layers that a sweep moves, freely from zeros, then nudged from there.
 *
 *  Returns: FFEBM_OK:              both phases were shown, until all samples had met their tolerance, or their sweeps ended.
 *           FFEBM_ERR_ARGUMENT:    visit is NULL, or stage is no energy stage; or as ffebm_engine_gradient.
 *           FFEBM_ERR_UNSUPPORTED: a block of yours, which settles by means of its own.
 *           FFEBM_ERR_CANCELLED:   visit, or the context's `cancel`, asked to stop.
 *           FFEBM_ERR_NOMEM:       allocates.
 *           Otherwise as ffebm_engine_gradient.
 *  In/Out:  engine: its flat gradient is unspecified afterwards, and ffebm_optimizer_step refuses it; free states are
 *                   those of this batch. Parameters, running statistics and the number of the next call do not change.
 *  In:      stage:         an energy stage.
 *           input, target: as ffebm_engine_gradient, of the whole chain.
 *           visit, user:   called for the start of the free phase, step by step in each sweep, and so for the nudged phase.
 *
 *  The block settles as it is configured, with all samples until the last one has met the tolerance; the nudged phase under
 *  the force - beta times the derivative of a sample's loss by the block's output at the free state, held, which is the first
 *  of those that nudging by the loss goes through. Each number of nudged sweeps is settled anew: the cost grows with its
 *  square. Energy falls from step to step where layers in a group are not coupled, relaxation is 1 and pools follow.
 */
FFEBM_API ffebm_status ffebm_engine_watch(ffebm_engine *engine, size_t stage, const ffebm_tensor *input,
                                          const ffebm_tensor *target, ffebm_watch_fn visit, void *user);

#ifdef __cplusplus
}
#endif
#endif
