/* The ledger of a gradient: events of one sample and step, and what they cost. */
#ifndef FFEBMI_ANALYSIS_LEDGER_H
#define FFEBMI_ANALYSIS_LEDGER_H

#include <ffebm/ledger.h>

#include "gradient/engine.h"

extern const ffebmi_settings ffebmi_ledger_settings;

/* What a ledger is made of. */
typedef struct ffebmi_ledger_job {
    ffebm_engine *engine;
    ffebm_ledger_config config;
} ffebmi_ledger_job;

/* Add events with what each costs (ledger_cost.c). A border's width is its device's, or 0: the configuration's. */
void ffebmi_ledger_add_macs(const ffebm_ledger_config *c, double count, ffebm_ledger *to);
void ffebmi_ledger_add_backprop(const ffebm_ledger_config *c, double count, ffebm_ledger *to);
void ffebmi_ledger_add_dac(const ffebm_ledger_config *c, double count, int64_t bits, ffebm_ledger *to);
void ffebmi_ledger_add_adc(const ffebm_ledger_config *c, double count, int64_t bits, ffebm_ledger *to);
void ffebmi_ledger_add_pulses(const ffebm_ledger_config *c, double count, ffebm_ledger *to);

/* So many sweeps, of a pass with these products; so many settlings, at this power in watts. */
void ffebmi_ledger_add_sweeps(const ffebm_ledger_config *c, double count, const ffebmi_energy_products *products,
                              ffebm_ledger *to);
void ffebmi_ledger_add_settlings(const ffebm_ledger_config *c, double count, double watts, ffebm_ledger *to);

/* The power of so many elements of which nothing is known. */
double ffebmi_ledger_assumed_power(const ffebm_ledger_config *c, double elements);

/* Add a stage's events in one part of the step: of a row of ops, and of an energy block (ledger_stages.c). */
ffebm_status ffebmi_ledger_add_stage(const ffebmi_ledger_job *job, size_t stage, int32_t part, ffebm_ledger *to);

#endif
