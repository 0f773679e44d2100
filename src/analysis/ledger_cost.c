/* What events cost, by the constants of a ledger. */
#include <math.h>

#include "analysis/ledger.h"

static const double pico = 1e-12, nano = 1e-9;

static double mac_joules(const ffebm_ledger_config *c)
{
    return (c->digital_add + c->digital_multiply + c->digital_reads * c->digital_read) * pico;
}

static double mac_seconds(const ffebm_ledger_config *c)
{
    return nano / c->digital_rate;
}

void ffebmi_ledger_add_macs(const ffebm_ledger_config *c, double count, ffebm_ledger *to)
{
    to->digital_macs += count;
    to->digital_joules += count * mac_joules(c);
    to->digital_seconds += count * mac_seconds(c);
}

void ffebmi_ledger_add_backprop(const ffebm_ledger_config *c, double count, ffebm_ledger *to)
{
    to->backprop_macs += count;
    to->backprop_joules += count * mac_joules(c);
    to->backprop_seconds += count * mac_seconds(c);
}

/* ------------------------------------------------------------------------------------------------------- conversions */

/* Straight lines through logarithms; beyond the last, noise asks for four times as much a bit. */
static double adc_joules(const ffebm_ledger_config *c, int64_t bits)
{
    const double known[] = {c->adc_4, c->adc_6, c->adc_8, c->adc_10, c->adc_12};
    enum { LEAST = 4, MOST = 12, APART = 2 };
    int64_t at = (bits - LEAST) / APART;

    if (bits <= LEAST)
        return known[0] * pico;
    if (bits >= MOST)
        return c->adc_12 * pow(4, (double)(bits - MOST)) * pico;
    return (bits % APART == 0 ? known[at] : sqrt(known[at] * known[at + 1])) * pico;
}

static void add_conversions(const ffebm_ledger_config *c, double count, int64_t bits, double share, ffebm_ledger *to)
{
    int64_t width = bits > 0 ? bits : c->converter_bits;

    to->conversion_joules += count * share * adc_joules(c, width);
    to->conversion_seconds += count * (double)(width + 1) * c->converter_clock * nano / c->converter_count;
}

void ffebmi_ledger_add_dac(const ffebm_ledger_config *c, double count, int64_t bits, ffebm_ledger *to)
{
    to->dac += count;
    add_conversions(c, count, bits, c->dac_share, to);
}

void ffebmi_ledger_add_adc(const ffebm_ledger_config *c, double count, int64_t bits, ffebm_ledger *to)
{
    to->adc += count;
    add_conversions(c, count, bits, 1, to);
}

void ffebmi_ledger_add_pulses(const ffebm_ledger_config *c, double count, ffebm_ledger *to)
{
    to->pulses += count;
    to->pulse_joules += count * c->write_pulse * pico;
}

/* ------------------------------------------------------------------------------------------------- the two mappings */

/* Couplings have crossbars of their own, which work at the same time; their places take turns. */
void ffebmi_ledger_add_sweeps(const ffebm_ledger_config *c, double count, const ffebmi_energy_products *products,
                              ffebm_ledger *to)
{
    double macs = 2 * count * products->macs;

    to->sweeps += count;
    to->crossbar_macs += macs;
    to->crossbar_joules += macs * c->crossbar_mac * pico;
    to->crossbar_joules_most += macs * c->crossbar_mac_most * pico;
    to->crossbar_seconds += 2 * count * (double)products->places * c->crossbar_product * nano;
}

void ffebmi_ledger_add_settlings(const ffebm_ledger_config *c, double count, double watts, ffebm_ledger *to)
{
    double seconds = count * c->unrolled_settling * nano;

    to->settlings += count;
    to->unrolled_seconds += seconds;
    to->unrolled_joules += seconds * watts;
}

double ffebmi_ledger_assumed_power(const ffebm_ledger_config *c, double elements)
{
    return elements * c->unrolled_conductance * c->unrolled_voltage * c->unrolled_voltage;
}
