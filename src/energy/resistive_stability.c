/* Is a nudged state a minimum? Springs weaker than nothing take from the conductance of the outputs, and beyond some of that the
 * energy falls without end in some direction, or until diodes stop it: coordinate steps then run away, or come to rest where
 * no small nudge would have brought them.
 *
 * Between the free state and this one all is well if the energy is convex there, which it is if the conductance matrix M is
 * positive definite with only those diodes that conduct in both. What is off the diagonal of M is negative, and such a matrix is
 * positive definite, or made so by positive weights of its rows, if and only if M x > 0 for some x > 0 (Berman and Plemmons).
 * Jacobi's steps for M x = 1 from zero rise to such an x if there is one. */
#include "energy/resistive.h"
#include "tensor/doubles.h"

enum { STEPS = 5000 };

static double number(const ffebmi_settling *s, const void *array, size_t i)
{
    return ffebmi_number_at(s->arrays->element, array, i);
}

static double voltage(const ffebmi_settling *s, void *const *layers, size_t layer, size_t at)
{
    double free = number(s, s->free_state[layer], at);

    if (layers == s->free_state)
        return free;
    return number(s, layers[layer], at) + (s->form == FFEBMI_DISPLACED ? free : 0);
}

static bool conducts(const ffebmi_settling *s, void *const *layers, size_t layer, size_t at, int side)
{
    return side != 0 && side * voltage(s, layers, layer, at) <= -ffebmi_resistive_of(s->block)->config.diode_threshold;
}

/* M's diagonal at node `k`; 0: it is held, or joined to nothing. */
static double diagonal(const ffebmi_settling *s, size_t layer, size_t k, size_t row)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(s->block);
    const ffebmi_nodes nodes = ffebmi_resistive_nodes(s->block, s->packed, layer);
    size_t at = row * s->block->layers[layer].count + k;
    double own = number(s, nodes.conductance, k);
    int side = ffebmi_resistive_side(r, layer, k);

    if (layer + 1 == s->block->layer_count)
        own += number(s, s->stiffness, at) / ffebmi_resistive_weight(r, layer);
    if (!conducts(s, s->free_state, layer, at, side) || !conducts(s, s->state, layer, at, side))
        return own;
    return nodes.resistance > 0 ? own + 1 / nodes.resistance : 0;
}

static void put(const ffebmi_settling *s, void *array, size_t i, double value)
{
    if (s->arrays->element == sizeof(float))
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

/* One step at a layer, z being the sum over its neighbours; is M x > 0 before it? */
static bool step(const ffebmi_settling *s, size_t layer, size_t row, const void *z, void *x)
{
    bool positive = true;

    for (size_t k = 0; k < s->block->layers[layer].count; k++) {
        double own = diagonal(s, layer, k, row), sum = number(s, z, k);

        positive = positive && (own == 0 || own * number(s, x, k) > sum);
        put(s, x, k, own == 0 ? 0 : (1 + sum) / own);
    }
    return positive;
}

static bool is_weak(const ffebmi_settling *s, size_t row)
{
    size_t units = s->block->layers[s->block->layer_count - 1].count;

    return s->arrays->least(units, ffebmi_at(s->arrays, s->stiffness, row * units)) < 0;
}

/* No output may be joined by less than nothing. */
static bool has_minimum_alone(const ffebmi_settling *s, size_t row)
{
    size_t last = s->block->layer_count - 1;
    bool has = true;

    for (size_t k = 0; k < s->block->layers[last].count; k++)
        has = has && diagonal(s, last, k, row) >= 0;
    return has;
}

bool ffebmi_resistive_stable(const ffebmi_settling *s, size_t row)
{
    const ffebmi_resistive_work *w = s->work;
    ffebmi_settling trial = *s;
    bool positive = false;

    if (!is_weak(s, row))
        return true;
    if (!has_minimum_alone(s, row))
        return false;
    trial.rows = 1;
    trial.form = FFEBMI_DISPLACED;
    trial.state = w->trial;
    for (size_t l = 0; l < s->block->layer_count; l++)
        s->arrays->fill(s->block->layers[l].count, 0, w->trial[l]);
    for (int i = 0; i < STEPS && !positive; i++) {
        positive = true;
        for (size_t l = 0; l < s->block->layer_count; l++)
            ffebmi_resistive_currents(&trial, l, w->z[l]);
        for (size_t l = 0; l < s->block->layer_count; l++)
            positive = step(s, l, row, w->z[l], w->trial[l]) && positive;
    }
    return positive;
}
