/* What one pulse does to a weight: steps by their kinds. The models are those of aihwkit. */
#include "device/device.h"

/* The size of a pulse at a weight, in units of that where h is 1. */
typedef double (*step_fn)(const ffebm_device_config *c, const ffebmi_cell *cell, bool up, double weight);

static double constant(const ffebm_device_config *c, const ffebmi_cell *cell, bool up, double weight)
{
    (void)c;
    (void)cell;
    (void)up;
    (void)weight;
    return 1;
}

static double linear(const ffebm_device_config *c, const ffebmi_cell *cell, bool up, double weight)
{
    (void)cell;
    return up ? 1 - c->update_gamma_up * weight / c->weight_max : 1 - c->update_gamma_down * weight / c->weight_min;
}

static double soft_bounds(const ffebm_device_config *c, const ffebmi_cell *cell, bool up, double weight)
{
    (void)c;
    return 1 - weight / (up ? cell->upper : cell->lower);
}

static double exponential(const ffebm_device_config *c, const ffebmi_cell *cell, bool up, double weight)
{
    double z = 2 * c->update_exp_a * weight / (cell->upper - cell->lower) + c->update_exp_b;

    return fmax(0, up ? 1 - c->update_exp_a_up * exp(c->update_gamma_up * z)
                      : 1 - c->update_exp_a_down * exp(-c->update_gamma_down * z));
}

static const step_fn steps[] = {[FFEBM_STEP_CONSTANT] = constant,
                                [FFEBM_STEP_LINEAR] = linear,
                                [FFEBM_STEP_SOFT_BOUNDS] = soft_bounds,
                                [FFEBM_STEP_EXPONENTIAL] = exponential};

double ffebmi_pulse(const ffebm_device_config *c, const ffebmi_cell *cell, bool up, double cycle, double weight)
{
    double move = cell->size[up] * steps[c->update_step](c, cell, up, weight) * cycle;

    weight += up ? move : -move;
    weight = weight < cell->lower ? cell->lower : weight;
    return weight > cell->upper ? cell->upper : weight;
}
