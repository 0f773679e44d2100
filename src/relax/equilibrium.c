/* How a block settles and is nudged: defaults and limits. */
#include "relax/equilibrium.h"

#include <inttypes.h>
#include <math.h>

#include "core/context.h"
#include "core/sized.h"
#include "relax/order.h"

static const ffebm_equilibrium_config defaults = {.size = sizeof defaults,
                                                  .beta = 0.02,
                                                  .free_tolerance = 1e-4,
                                                  .nudged_tolerance = 1e-2,
                                                  .free_sweeps = 200,
                                                  .nudged_sweeps = 100,
                                                  .free_order = FFEBM_ORDER_EVEN_ODD,
                                                  .nudged_order = FFEBM_ORDER_ODD_EVEN,
                                                  .start = FFEBM_START_ZEROS,
                                                  .estimator = FFEBM_ESTIMATOR_CENTERED,
                                                  .nudging = FFEBM_NUDGING_AUTO,
                                                  .switches = FFEBM_SWITCHES_HOLD,
                                                  .repeats = 1,
                                                  .relaxation = 1,
                                                  .precision = FFEBM_PRECISION_FULL};

void ffebm_equilibrium_config_init(ffebm_equilibrium_config *config, size_t size)
{
    ffebmi_sized_init(config, size, &defaults, sizeof defaults);
}

static bool not_negative(double x)
{
    return isfinite(x) && x >= 0;
}

static bool estimator_known(int32_t estimator)
{
    return estimator >= FFEBM_ESTIMATOR_CENTERED && estimator <= FFEBM_ESTIMATOR_IMPLICIT;
}

ffebm_status ffebmi_equilibrium_read(ffebm_context *context, ffebm_equilibrium_config *to,
                                     const ffebm_equilibrium_config *from)
{
    ffebm_equilibrium_config c = defaults;

    FFEBMI_TRY(ffebmi_sized_read(context, "equilibrium", &c, sizeof c, from));
    FFEBMI_CHECK_ARGUMENT(context, isfinite(c.beta) && c.beta > 0, "equilibrium: beta %g, expected a positive number",
                          c.beta);
    FFEBMI_CHECK_ARGUMENT(context, not_negative(c.free_tolerance), "equilibrium: free_tolerance %g, expected 0 or more",
                          c.free_tolerance);
    FFEBMI_CHECK_ARGUMENT(context, not_negative(c.nudged_tolerance),
                          "equilibrium: nudged_tolerance %g, expected 0 or more", c.nudged_tolerance);
    FFEBMI_CHECK_ARGUMENT(context, c.free_sweeps >= 1, "equilibrium: free_sweeps %" PRId64 ", expected 1 or more",
                          c.free_sweeps);
    FFEBMI_CHECK_ARGUMENT(context, c.nudged_sweeps >= 1, "equilibrium: nudged_sweeps %" PRId64 ", expected 1 or more",
                          c.nudged_sweeps);
    FFEBMI_CHECK_ARGUMENT(context, ffebmi_order_known(c.free_order) && ffebmi_order_known(c.nudged_order),
                          "equilibrium: order %" PRId32 " or %" PRId32 " is none of FFEBM_ORDER_", c.free_order,
                          c.nudged_order);
    FFEBMI_CHECK_ARGUMENT(context, c.start == FFEBM_START_ZEROS || c.start == FFEBM_START_STATE,
                          "equilibrium: start %" PRId32 " is none of FFEBM_START_", c.start);
    FFEBMI_CHECK_ARGUMENT(context, estimator_known(c.estimator),
                          "equilibrium: estimator %" PRId32 " is none of FFEBM_ESTIMATOR_", c.estimator);
    FFEBMI_CHECK_ARGUMENT(context, c.nudging >= FFEBM_NUDGING_AUTO && c.nudging <= FFEBM_NUDGING_LINEAR,
                          "equilibrium: nudging %" PRId32 " is none of FFEBM_NUDGING_", c.nudging);
    FFEBMI_CHECK_ARGUMENT(context, c.require_convergence == 0 || c.require_convergence == 1,
                          "equilibrium: require_convergence %" PRId32 ", expected 0 or 1", c.require_convergence);
    FFEBMI_CHECK_ARGUMENT(context, c.switches == FFEBM_SWITCHES_FOLLOW || c.switches == FFEBM_SWITCHES_HOLD,
                          "equilibrium: switches %" PRId32 " is none of FFEBM_SWITCHES_", c.switches);
    FFEBMI_CHECK_ARGUMENT(context, c.repeats >= 1, "equilibrium: repeats %" PRId32 ", expected 1 or more", c.repeats);
    FFEBMI_CHECK_ARGUMENT(context, c.relaxation > 0 && c.relaxation < 2,
                          "equilibrium: relaxation %g, expected a number above 0 and below 2", c.relaxation);
    FFEBMI_CHECK_ARGUMENT(context, c.precision == FFEBM_PRECISION_FULL || c.precision == FFEBM_PRECISION_MIXED,
                          "equilibrium: precision %" PRId32 " is none of FFEBM_PRECISION_", c.precision);
    FFEBMI_CHECK_ARGUMENT(context, c.reserved_ == 0, "equilibrium: reserved_ %" PRId32 ", expected 0", c.reserved_);
    *to = c;
    return FFEBM_OK;
}
