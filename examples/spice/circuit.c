/* What a circuit's numbers do to its elements, and to its energy. */
#include "circuit.h"

#include <math.h>
#include <stdlib.h>

/* A SPICE resistor has no conductance that is zero; this is as good as none. */
static const double least_conductance = 1e-12;

static double between(const struct circuit_element *e, const double *measured)
{
    double a = e->nodes[0] == CIRCUIT_GROUND ? 0 : measured[e->nodes[0]];
    double b = e->nodes[1] == CIRCUIT_GROUND ? 0 : measured[e->nodes[1]];

    return a - b;
}

static double set_resistor(double conductance)
{
    return 1 / (fabs(conductance) > least_conductance ? conductance : least_conductance);
}

static double set_source(double value)
{
    return value;
}

static double derive_resistor(const struct circuit_element *e, const double *measured)
{
    double v = between(e, measured);

    return v * v / 2;
}

/* SPICE counts the current of a source as it flows through it, from its first node to the second. */
static double derive_voltage(const struct circuit_element *e, const double *measured)
{
    return -measured[e->current];
}

static const struct kind {
    char letter; /* that names of this kind begin with */
    double (*set)(double value);
    double (*derive)(const struct circuit_element *element, const double *measured);
} kinds[] = {{'r', set_resistor, derive_resistor}, {'i', set_source, between}, {'v', set_source, derive_voltage}};

static const struct kind *kind_of(const struct circuit_element *e)
{
    const struct kind *kind = kinds;

    while (kind->letter != e->name[0])
        kind++;
    return kind;
}

void circuit_drive(const struct circuit *circuit, const double *const numbers[CIRCUIT_GROUPS], double *values)
{
    for (size_t i = 0; i < circuit->element_count; i++) {
        const struct circuit_element *e = &circuit->elements[i];
        double scale = e->group == CIRCUIT_OUTPUT ? e->factor * circuit->unit : e->factor;

        values[i] = kind_of(e)->set(numbers[e->group] == NULL ? 0 : scale * numbers[e->group][e->number]);
    }
}

void circuit_derive(const struct circuit *circuit, enum circuit_group group, const double *measured, double weight,
                    double *derivatives)
{
    if (group != CIRCUIT_OUTPUT) /* whose forces are in units of it themselves */
        weight /= circuit->unit;
    for (size_t i = 0; i < circuit->element_count; i++) {
        const struct circuit_element *e = &circuit->elements[i];

        if (e->group == group)
            derivatives[e->number] += weight * e->factor * kind_of(e)->derive(e, measured);
    }
}

void circuit_free(struct circuit *circuit)
{
    free(circuit->netlist);
    free(circuit->elements);
    free(circuit->quantities);
    *circuit = (struct circuit){0};
}
