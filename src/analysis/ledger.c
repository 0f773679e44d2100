/* The ledger: its settings, and the calls. */
#include <inttypes.h>

#include "analysis/ledger.h"
#include "core/context.h"
#include "core/sized.h"

#define FFEBMI_CONFIG ffebm_ledger_config
#define SIZE(member, start, unit, text) FFEBMI_NUMBER(member, start, FFEBMI_FROM(0), unit, text)
#define ABOVE(member, start, unit, text) FFEBMI_NUMBER(member, start, FFEBMI_ABOVE(0), unit, text)
#define HOROWITZ "45 nm; Horowitz 2014 (PMC8934428, table 3)"
#define SURVEY "32 nm; Murmann's survey, as Accelergy's ADC plug-in fits it"
#define CROSSBAR "8 bits, 14 nm PCM; Nature Electronics, s41928-023-01010-1"
static const ffebmi_setting list[] = {
    SIZE(free_sweeps, 0, "sweeps", "of a free phase; 0: as many as the last call took"),
    SIZE(nudged_sweeps, 0, "sweeps", "of a nudged phase; 0: likewise"),
    SIZE(trained_samples, 0, "samples", "that the counted pulses are those of; 0: pulses are not counted"),
    SIZE(digital_add, 0.9, "pJ", "a float32 addition, " HOROWITZ),
    SIZE(digital_multiply, 3.7, "pJ", "a float32 multiplication, " HOROWITZ),
    SIZE(digital_read, 5, "pJ", "32 bits out of 8 KiB of SRAM, " HOROWITZ),
    SIZE(digital_reads, 0, "", "such reads a multiply-add; assumed"),
    ABOVE(digital_rate, 1000, "1/ns", "multiply-adds of the digital part; assumed"),
    SIZE(adc_4, 0.9, "pJ", "an ADC of 4 bits, " SURVEY),
    SIZE(adc_6, 1.1, "pJ", "an ADC of 6 bits, " SURVEY),
    SIZE(adc_8, 1.7, "pJ", "an ADC of 8 bits, " SURVEY),
    SIZE(adc_10, 3.3, "pJ", "an ADC of 10 bits, " SURVEY),
    SIZE(adc_12, 29, "pJ", "an ADC of 12 bits, " SURVEY),
    SIZE(dac_share, 0.25, "of an ADC", "a DAC of the same width; assumed"),
    SIZE(converter_clock, 1, "ns", "a conversion takes bits + 1 of these, 45 nm SAR; NeuroSim V2.1"),
    ABOVE(converter_count, 256, "", "converters that work at a time; assumed"),
    FFEBMI_INTEGER(converter_bits, 8, FFEBMI_WITHIN(2, 24), "bits", "of borders without a device; assumed"),
    SIZE(write_pulse, 1000, "pJ",
         "a pulse into PCM, 100 uA, 100 ns, 1 uS; Scientific Reports, s41598-026-35641-z, table 1"),
    SIZE(unrolled_conductance, 5e-6, "S", "of an element; assumed"),
    SIZE(unrolled_voltage, 0.1, "V", "across it, root mean square; assumed"),
    SIZE(unrolled_siemens, 1, "S", "a resistive block's conductance of 1; the model's own unit"),
    SIZE(unrolled_volts, 1, "V", "a resistive block's voltage of 1; the model's own unit"),
    SIZE(unrolled_settling, 100, "ns", "a settling of any block; assumed"),
    SIZE(crossbar_mac, 0.2, "pJ", "a multiply-add read in one phase, " CROSSBAR),
    SIZE(crossbar_mac_most, 0.81, "pJ", "a multiply-add read in four phases, " CROSSBAR),
    SIZE(crossbar_product, 130, "ns", "a matrix by a vector; assumed"),
    FFEBMI_FLAG(input_cotangent, 1, "what hands an error to the model's input is counted")};
const ffebmi_settings ffebmi_ledger_settings =
    FFEBMI_SETTINGS("ledger", offsetof(ffebm_ledger_config, reserved_), list);

void ffebm_ledger_config_init(ffebm_ledger_config *config, size_t size)
{
    ffebmi_settings_init(&ffebmi_ledger_settings, config, size);
}

/* ------------------------------------------------------------------------------------------------------------- the call */

static ffebm_status add_parts(const ffebmi_ledger_job *job, size_t stage, int32_t part, ffebm_ledger *to)
{
    for (int32_t p = FFEBM_LEDGER_FREE; p <= FFEBM_LEDGER_UPDATE; p++)
        if (part == FFEBM_LEDGER_ALL || part == p)
            FFEBMI_TRY(ffebmi_ledger_add_stage(job, stage, p, to));
    return FFEBM_OK;
}

ffebm_status ffebm_engine_ledger(ffebm_engine *engine, ffebm_ledger *ledger, size_t stage, int32_t part,
                                 const ffebm_ledger_config *config)
{
    ffebmi_ledger_job job = {.engine = engine};
    ffebm_ledger sum = {.measured = 1};

    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(engine->context, stage == FFEBM_ALL || stage < engine->model->stage_count,
                          "ledger: stage %zu of %zu", stage, engine->model->stage_count);
    FFEBMI_CHECK_ARGUMENT(engine->context, part >= FFEBM_LEDGER_ALL && part <= FFEBM_LEDGER_UPDATE,
                          "ledger: part %" PRId32 " is none of FFEBM_LEDGER_", part);
    FFEBMI_TRY(ffebmi_settings_read(engine->context, &ffebmi_ledger_settings, &job.config, config));
    for (size_t i = 0; i < engine->model->stage_count; i++)
        if (stage == FFEBM_ALL || stage == i)
            FFEBMI_TRY(add_parts(&job, i, part, &sum));
    return ffebmi_sized_write(engine->context, "ledger", ledger, &sum, sizeof sum);
}
