/* ffebm/equilibrium.h - how an energy block settles and is nudged, and how a gradient is read off.
 *
 * A block settles in sweeps: each updates every layer once, in an order. It settles freely, then again from there under
 * a force on its output, and the gradient is the difference of the two by an estimator. A model's recipe has these
 * settings (ffebm_model_equilibrium); an engine takes them from there, until ffebm_engine_configure.
 */
#ifndef FFEBM_EQUILIBRIUM_H
#define FFEBM_EQUILIBRIUM_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
enum {                                /* one sweep updates every layer once; layers count from 0 */
    FFEBM_ORDER_EVEN_ODD    = 1,      /* layers 0, 2, .. together, then 1, 3, .. with the new values. Where a coupling joins
                                         two layers that move together, each sees the other's old value: that may cycle */
    FFEBM_ORDER_ODD_EVEN    = 2,      /* layers 1, 3, .. together, then 0, 2, ..; likewise */
    FFEBM_ORDER_SYNCHRONOUS = 3,      /* all at once; may not converge */
    FFEBM_ORDER_FORWARD     = 4,      /* one layer after the other, from the first to the last */
    FFEBM_ORDER_BACKWARD    = 5,      /* likewise, from the last to the first */
    FFEBM_ORDER_COLORS      = 6,      /* layers in groups without a coupling inside, one group after the other: what falls
                                         in a chain falls in any graph. Each layer, from the first on, goes to the first
                                         group that it may join; on a chain that is EVEN_ODD */
    FFEBM_ORDER_REVERSED    = 7       /* of nudged_order only: free_order, backwards. n such sweeps of the adjoint are
                                         backpropagation through n sweeps of the free phase at its equilibrium */
};

enum {                                /* which error nudges, in every sweep */
    FFEBM_NUDGING_AUTO   = 1,         /* LOSS for the last energy block, else LINEAR; LINEAR without a loss, of resistive
                                         blocks, and where there is batch normalisation or a block of yours behind it */
    FFEBM_NUDGING_LOSS   = 2,         /* the error is evaluated anew, at the current state, in every sweep; the gradient
                                         of a readout is then the estimator's mean of those at the nudged states */
    FFEBM_NUDGING_LINEAR = 3,         /* the error at the free state is held; so it always is with IMPLICIT */
    FFEBM_NUDGING_CLAMP  = 4          /* no force: springs of next to infinite stiffness hold the output at s_free - beta delta,
                                         delta the error at the free state: coupled learning (Stern et al. 2021,
                                         arXiv:2011.03861). The estimate is the contrast of the energies, which is that of an
                                         error S delta, S the stiffness of the outputs: no gradient of the loss, and
                                         certificates say by how much. Not of blocks of yours */
};

enum {                                /* how a gradient is read off nudged states; docs/math.md has the formulas */
    FFEBM_ESTIMATOR_CENTERED    = 1,  /* (f(beta) - f(-beta)) / (2 beta): error O(beta^2) (Laborieux et al. 2021) */
    FFEBM_ESTIMATOR_POSITIVE    = 2,  /* (f(beta) - f(0)) / beta: O(beta), one nudged phase */
    FFEBM_ESTIMATOR_NEGATIVE    = 3,  /* (f(0) - f(-beta)) / beta: likewise */
    FFEBM_ESTIMATOR_RANDOM_SIGN = 4,  /* one of those two, drawn for each sample and call: their O(beta) errors cancel on
                                         average (Laborieux et al. 2021) */
    FFEBM_ESTIMATOR_FOUR_POINT  = 5,  /* (8 f(beta) - 8 f(-beta) - f(2 beta) + f(-2 beta)) / (12 beta): O(beta^4) */
    FFEBM_ESTIMATOR_IMPLICIT    = 6   /* no nudging, the exact reference: nudged_sweeps of the linearised block under the
                                         constant force -dl/ds; truncated where they end before nudged_tolerance */
};

enum {                                /* of the max pools, in nudged phases */
    FFEBM_SWITCHES_FOLLOW = 1,        /* pass the largest at the present state, as the energy says. Where a nudge moves a
                                         switch the equilibrium jumps, and EP leaves the exact gradient however small
                                         beta is */
    FFEBM_SWITCHES_HOLD   = 2         /* stay where they are at the free state: then only saturation is left to make EP
                                         and IMPLICIT, which always holds them, differ. The energy's maximum becomes
                                         what its pools pick at the free state */
};

enum {                                /* of the products that sweeps are made of */
    FFEBM_PRECISION_FULL  = 1,        /* in the model's dtype */
    FFEBM_PRECISION_MIXED = 2         /* rounded to 16-bit integers, an error of some thousandths: in nudged phases whose
                                         states are kept as displacements from the free state, of these; and in free
                                         phases without pools at first, for half of free_sweeps at most. For float32, 3 x 3
                                         windows over 64 channels or more, processors with AVX2 or AVX-512 VNNI, and a
                                         free_tolerance of 0, or of 1e-5 or more; all else is as with FULL */
};

enum {                                /* where free phases start */
    FFEBM_START_ZEROS = 1,            /* every layer at 0 */
    FFEBM_START_STATE = 2             /* the stage's free state, as the last call or ffebm_engine_set_state left it */
};

/** How an energy block settles and is nudged. */
typedef struct ffebm_equilibrium_config {
    size_t  size;
    double  beta;                 /* default 1e-3: strength of the nudging; positive. LOSS needs beta |d2l/ds2| < 1 */
    double  free_tolerance;       /* default 1e-4: a sample is settled when |s_new - s| <= tolerance * max(|s|, 1e-6) in
                                     every layer; 0: always free_sweeps */
    double  nudged_tolerance;     /* default 1e-2, of the displacement: |s_new - s| <= tolerance * |s_new - s_free| in
                                     every layer, or within rounding of s, after at least ceil(layers / 2) sweeps, all
                                     nudgings of a sample together; 0: always nudged_sweeps. IMPLICIT: of the adjoint, the
                                     same rule */
    int64_t free_sweeps;          /* default 200: the most */
    int64_t nudged_sweeps;        /* default 100: the most */
    int32_t free_order;           /* default FFEBM_ORDER_COLORS: of sweeps of the free phase */
    int32_t nudged_order;         /* default FFEBM_ORDER_REVERSED: of sweeps of nudged phases and adjoints */
    int32_t start;                /* default FFEBM_START_ZEROS; of the free phase. Nudged phases start where it ended */
    int32_t estimator;            /* default FFEBM_ESTIMATOR_CENTERED: how the gradient is read off */
    int32_t nudging;              /* default FFEBM_NUDGING_AUTO: which error nudges */
    int32_t require_convergence;  /* default 0: unconverged samples are reported; 1: FFEBM_ERR_CONVERGENCE */
    int32_t switches;             /* default FFEBM_SWITCHES_HOLD: of max pools, when nudged */
    int32_t repeats;              /* default 1: so often are the nudged states settled from the same free state (and, by
                                     one-sided estimators if more than once, the free one again), and the estimates
                                     averaged: against noise in the block. IMPLICIT: once */
    double  relaxation;           /* a sweep moves layers by s + relaxation (sigma(z) - s), within their bounds; below 2.
                                     Default 0: from 1 on, as far as each sample's residuals show that it saves sweeps; 1
                                     where the order is not the default, the tolerance is 0 or max pools may move: all
                                     free phases of blocks with such pools. Below 1 damps a block that
                                     oscillates. The equilibrium is the same; tolerances are of sigma(z) - s. Below 1
                                     units only approach their bounds, and region changes are counted too few. A block
                                     of yours settles as it does */
    int32_t precision;            /* default FFEBM_PRECISION_FULL. MIXED is faster; with nudged_tolerance below 1e-3 its
                                     rounding may keep samples from settling. Adjoints are always in full precision */
    int32_t reserved_;
} ffebm_equilibrium_config;
/* clang-format on */

/** Fill an equilibrium configuration with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_equilibrium_config_init(ffebm_equilibrium_config *config, size_t size);

#ifdef __cplusplus
}
#endif

#endif
