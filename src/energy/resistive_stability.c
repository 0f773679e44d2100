/* Is a nudged state a minimum, and how weak may springs be for it? Springs weaker than nothing take from the conductance of the
 * outputs, and beyond some of that the energy falls without end in some direction, or until diodes stop it: coordinate steps then
 * run away, or come to rest where no small nudge would have brought them.
 *
 * Between the free state and this one all is well if the energy is convex there, which it is if the conductance matrix M is
 * positive definite with only those diodes that conduct in both. What is off the diagonal of M is negative, and such a matrix is
 * positive definite, or made so by positive weights of its rows, if and only if M x > 0 for some x > 0 (Berman and Plemmons).
 * Jacobi's steps for M x = 1 from zero rise to such an x if there is one.
 *
 * With the same spring at every output the limit is the smallest eigenvalue of S, the conductance that outputs see: of M with
 * all nodes but the outputs eliminated. S^-1 is what outputs answer to currents into them, nowhere negative; so the power method
 * finds its largest eigenvalue from any currents that are positive, and each product is the circuit settled once more. */
#include <float.h>
#include <math.h>

#include "energy/resistive.h"
#include "tensor/doubles.h"

enum { STEPS = 5000 };

static double number(const ffebmi_settling *s, const void *array, size_t i)
{
    return ffebmi_number_at(s->arrays->element, array, i);
}

static double voltage(const ffebmi_settling *s, void *const *layers, size_t layer, size_t at)
{
    bool displaced = layers != s->free_state && s->form == FFEBMI_DISPLACED;

    return number(s, layers[layer], at) + (displaced ? number(s, s->free_state[layer], at) : 0);
}

static bool conducts(const ffebmi_settling *s, void *const *layers, size_t layer, size_t at, int side)
{
    return side != 0 && side * voltage(s, layers, layer, at) <= -ffebmi_resistive_of(s->block)->config.diode_threshold;
}

/* Does the diode of a node conduct in both states? */
static bool conducts_in_both(const ffebmi_settling *s, size_t layer, size_t k, size_t row)
{
    size_t at = row * s->block->layers[layer].count + k;
    int side = ffebmi_resistive_side(ffebmi_resistive_of(s->block), layer, k);

    return conducts(s, s->free_state, layer, at, side) && conducts(s, s->state, layer, at, side);
}

/* M's diagonal at node `k`; 0: it is held, or joined to nothing. */
static double diagonal(const ffebmi_settling *s, size_t layer, size_t k, size_t row)
{
    const ffebmi_resistive *r = ffebmi_resistive_of(s->block);
    const ffebmi_nodes nodes = ffebmi_resistive_nodes(s->block, s->packed, layer);
    double own = number(s, nodes.conductance, k);

    if (layer + 1 == s->block->layer_count && s->stiffness != NULL)
        own += number(s, s->stiffness, row * s->block->layers[layer].count + k) / ffebmi_resistive_weight(r, layer);
    if (!conducts_in_both(s, layer, k, row))
        return own;
    return nodes.resistance > 0 ? own + 1 / nodes.resistance : 0;
}

/* One step at a layer, z being the sum over its neighbours; is M x > 0 before it? */
static bool step(const ffebmi_settling *s, size_t layer, size_t row, const void *z, void *x)
{
    bool positive = true;

    for (size_t k = 0; k < s->block->layers[layer].count; k++) {
        double own = diagonal(s, layer, k, row), sum = number(s, z, k);

        positive = positive && (own == 0 || own * number(s, x, k) > sum);
        ffebmi_put_number(s->arrays->element, x, k, own == 0 ? 0 : (1 + sum) / own);
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

/* One row of voltages, all 0, whose currents are those of M. */
static ffebmi_settling from_zero(const ffebmi_settling *s)
{
    const ffebmi_resistive_work *w = s->work;
    ffebmi_settling zero = *s;

    zero.rows = 1;
    zero.form = FFEBMI_DISPLACED;
    zero.state = w->trial;
    for (size_t l = 0; l < s->block->layer_count; l++)
        s->arrays->fill(s->block->layers[l].count, 0, w->trial[l]);
    return zero;
}

bool ffebmi_resistive_stable(const ffebmi_settling *s, size_t row)
{
    const ffebmi_resistive_work *w = s->work;
    ffebmi_settling x = from_zero(s);
    bool positive = false;

    if (!is_weak(s, row))
        return true;
    if (!has_minimum_alone(s, row))
        return false;
    for (int i = 0; i < STEPS && !positive; i++) {
        positive = true;
        for (size_t l = 0; l < s->block->layer_count; l++)
            ffebmi_resistive_currents(&x, l, w->z[l]);
        for (size_t l = 0; l < s->block->layer_count; l++)
            positive = step(s, l, row, w->z[l], w->trial[l]) && positive;
    }
    return positive;
}

/* ------------------------------------------------------------------------------------------------ how weak they may be */

/* One step at a layer towards M v = current, z being the sum over its neighbours and `current`, NULL for none, what flows in
 * besides; returns the largest change. */
static double answer_layer(const ffebmi_settling *s, size_t layer, size_t row, const void *z, const double *current,
                           void *v)
{
    double most = 0;

    for (size_t k = 0; k < s->block->layers[layer].count; k++) {
        double own = diagonal(s, layer, k, row), sum = number(s, z, k) + (current == NULL ? 0 : current[k]);
        double next = own == 0 ? 0 : sum / own;

        most = fmax(most, fabs(next - number(s, v, k)));
        ffebmi_put_number(s->arrays->element, v, k, next);
    }
    return most;
}

typedef struct trial {
    const ffebmi_settling *at; /* a free state, */
    size_t row;                /* and of which sample */
    ffebmi_settling answer;    /* the voltages that `current` makes there */
    double *current;           /* into the outputs, of length 1 */
    int steps;                 /* that are left */
} trial;

static double length(const ffebmi_settling *s, size_t units, const void *v)
{
    double sum = 0;

    for (size_t k = 0; k < units; k++)
        sum += number(s, v, k) * number(s, v, k);
    return sqrt(sum);
}

/* Layer by layer, until nothing moves beyond rounding. */
static void settle_answer(trial *t)
{
    const ffebmi_resistive_work *w = t->at->work;
    size_t layers = t->at->block->layer_count, last = layers - 1;
    double rounding = t->at->arrays->element == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON, change = INFINITY;

    while (t->steps > 0 && change > rounding * length(t->at, t->at->block->layers[last].count, w->trial[last])) {
        t->steps--;
        change = 0;
        for (size_t l = layers; l-- > 0;) {
            ffebmi_resistive_currents(&t->answer, l, w->z[l]);
            change = fmax(change, answer_layer(t->at, l, t->row, w->z[l], l == last ? t->current : NULL, w->trial[l]));
        }
    }
}

/* The answer's shape is the next current, and it the first guess at the next answer. */
static void take_answer(trial *t, double size)
{
    const ffebmi_settling *s = t->at;
    const ffebmi_resistive_work *w = s->work;
    size_t last = s->block->layer_count - 1;

    for (size_t l = 0; l <= last; l++)
        s->arrays->scale(s->block->layers[l].count, 1 / size, w->trial[l], w->trial[l]);
    for (size_t k = 0; k < s->block->layers[last].count; k++)
        t->current[k] = number(s, w->trial[last], k);
}

/* <v, S v> / <v, v> at the answer v, S v being the current. */
static double quotient(const trial *t, double size)
{
    const ffebmi_resistive_work *w = t->at->work;
    size_t last = t->at->block->layer_count - 1;
    double product = 0;

    for (size_t k = 0; k < t->at->block->layers[last].count; k++)
        product += t->current[k] * number(t->at, w->trial[last], k);
    return product / (size * size);
}

/* An output that nothing is joined to has no conductance at all. */
static bool is_loose(const trial *t)
{
    size_t last = t->at->block->layer_count - 1;
    bool loose = false;

    for (size_t k = 0; k < t->at->block->layers[last].count; k++)
        loose = loose || (!conducts_in_both(t->at, last, k, t->row) && diagonal(t->at, last, k, t->row) == 0);
    return loose;
}

static trial begin_trial(const ffebmi_settling *at, size_t row)
{
    size_t outputs = at->block->layers[at->block->layer_count - 1].count;
    trial t = {.at = at,
               .row = row,
               .answer = from_zero(at),
               .current = ((const ffebmi_resistive_work *)at->work)->output,
               .steps = STEPS};

    for (size_t k = 0; k < outputs; k++)
        t.current[k] = 1 / sqrt((double)outputs);
    return t;
}

/* E weights the last layer's conductances. */
double ffebmi_resistive_bears(ffebmi_settling *s, size_t row)
{
    const double precision = s->arrays->element == sizeof(float) ? 1e-6 : 1e-12;
    size_t last = s->block->layer_count - 1;
    double least = 0, before;
    trial t;

    s->free_state = s->state;
    t = begin_trial(s, row);
    if (is_loose(&t))
        return 0;
    do {
        double size;

        settle_answer(&t);
        size = length(s, s->block->layers[last].count, t.answer.state[last]);
        if (size == 0) /* diodes hold all outputs */
            return -INFINITY;
        before = least;
        least = quotient(&t, size);
        take_answer(&t, size);
    } while (t.steps > 0 && fabs(least - before) > precision * least);
    return -least * ffebmi_resistive_weight(ffebmi_resistive_of(s->block), last);
}
