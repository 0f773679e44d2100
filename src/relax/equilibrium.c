/* How a block settles and is nudged: the table of its settings. */
#include "relax/equilibrium.h"

#define FFEBMI_CONFIG ffebm_equilibrium_config

#define ORDERS(X)                                                                                                      \
    X("even_odd", FFEBM_ORDER_EVEN_ODD)                                                                                \
    X("odd_even", FFEBM_ORDER_ODD_EVEN)                                                                                \
    X("synchronous", FFEBM_ORDER_SYNCHRONOUS)                                                                          \
    X("forward", FFEBM_ORDER_FORWARD)                                                                                  \
    X("backward", FFEBM_ORDER_BACKWARD)                                                                                \
    X("colors", FFEBM_ORDER_COLORS)
#define NUDGED_ORDERS(X)                                                                                               \
    ORDERS(X)                                                                                                          \
    X("reversed", FFEBM_ORDER_REVERSED)
#define STARTS(X)                                                                                                      \
    X("zeros", FFEBM_START_ZEROS)                                                                                      \
    X("state", FFEBM_START_STATE)
#define ESTIMATORS(X)                                                                                                  \
    X("centered", FFEBM_ESTIMATOR_CENTERED)                                                                            \
    X("positive", FFEBM_ESTIMATOR_POSITIVE)                                                                            \
    X("negative", FFEBM_ESTIMATOR_NEGATIVE)                                                                            \
    X("four_point", FFEBM_ESTIMATOR_FOUR_POINT)                                                                        \
    X("random_sign", FFEBM_ESTIMATOR_RANDOM_SIGN)                                                                      \
    X("implicit", FFEBM_ESTIMATOR_IMPLICIT)
#define NUDGINGS(X)                                                                                                    \
    X("auto", FFEBM_NUDGING_AUTO)                                                                                      \
    X("loss", FFEBM_NUDGING_LOSS)                                                                                      \
    X("linear", FFEBM_NUDGING_LINEAR)                                                                                  \
    X("clamp", FFEBM_NUDGING_CLAMP)
#define SWITCHES(X)                                                                                                    \
    X("follow", FFEBM_SWITCHES_FOLLOW)                                                                                 \
    X("hold", FFEBM_SWITCHES_HOLD)
#define PRECISIONS(X)                                                                                                  \
    X("full", FFEBM_PRECISION_FULL)                                                                                    \
    X("mixed", FFEBM_PRECISION_MIXED)
FFEBMI_CHOICES(orders, ORDERS);
FFEBMI_CHOICES(nudged_orders, NUDGED_ORDERS);
FFEBMI_CHOICES(starts, STARTS);
FFEBMI_CHOICES(estimators, ESTIMATORS);
FFEBMI_CHOICES(nudgings, NUDGINGS);
FFEBMI_CHOICES(switches, SWITCHES);
FFEBMI_CHOICES(precisions, PRECISIONS);

static const ffebmi_setting list[] = {
    FFEBMI_NUMBER(beta, 1e-3, FFEBMI_ABOVE(0), "", "strength of the nudging"),
    FFEBMI_NUMBER(free_tolerance, 1e-4, FFEBMI_FROM(0), "",
                  "relative change a sweep where free phases stop; 0: all sweeps"),
    FFEBMI_NUMBER(nudged_tolerance, 1e-2, FFEBMI_FROM(0), "",
                  "the same of the displacement, in nudged phases; 0: all sweeps"),
    FFEBMI_INTEGER(free_sweeps, 200, FFEBMI_FROM(1), "sweeps", "at most, in free phases"),
    FFEBMI_INTEGER(nudged_sweeps, 100, FFEBMI_FROM(1), "sweeps", "at most, in nudged phases"),
    FFEBMI_CHOICE(free_order, "colors", FFEBM_ORDER_COLORS, orders, "of layers in sweeps of free phases"),
    FFEBMI_CHOICE(nudged_order, "reversed", FFEBM_ORDER_REVERSED, nudged_orders,
                  "of layers in sweeps of nudged phases"),
    FFEBMI_CHOICE(start, "zeros", FFEBM_START_ZEROS, starts, "where free phases start"),
    FFEBMI_CHOICE(estimator, "centered", FFEBM_ESTIMATOR_CENTERED, estimators,
                  "how a gradient is read off nudged states"),
    FFEBMI_CHOICE(nudging, "auto", FFEBM_NUDGING_AUTO, nudgings,
                  "the error is held (linear), or follows the nudged state in the last block (loss; auto: where it "
                  "can); or outputs "
                  "are (clamp)"),
    FFEBMI_FLAG(require_convergence, 0, "samples that do not settle are a failure"),
    FFEBMI_CHOICE(switches, "hold", FFEBM_SWITCHES_HOLD, switches, "of max pools, in nudged phases"),
    FFEBMI_INTEGER(repeats, 1, FFEBMI_FROM(1), "", "nudged phases whose estimates are averaged, against noise"),
    FFEBMI_NUMBER(relaxation, 0, FFEBMI_FROM_BELOW(0, 2), "",
                  "how far a sweep moves layers; 0: as suits each sample, in the default orders; below 1 damps"),
    FFEBMI_CHOICE(precision, "full", FFEBM_PRECISION_FULL, precisions,
                  "of the products in sweeps (mixed is faster, and rounds displacements)"),
};
const ffebmi_settings ffebmi_equilibrium_settings =
    FFEBMI_SETTINGS("equilibrium", offsetof(ffebm_equilibrium_config, reserved_), list);

void ffebm_equilibrium_config_init(ffebm_equilibrium_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_equilibrium_settings, config, size);
}
