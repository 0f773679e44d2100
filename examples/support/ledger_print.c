#include "ledger_print.h"

#include <math.h>
#include <string.h>

#include "constants.h"
#include "json_text.h"

enum { SHORT = 24, RANGE = 2 * SHORT };

static const char *const parts[] = {"all", "free", "nudged", "update"};

/* Three digits and a prefix: "3.54 M", "49 uJ". Nothing is a dash. */
static const char *brief(char text[SHORT], double value, const char *unit)
{
    static const char *const prefixes[] = {"p", "n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
    enum { ONE = 4, MOST = sizeof prefixes / sizeof prefixes[0] - 1, STEP = 3 };
    int at = value > 0 ? (int)floor(log10(value * (1 + 5e-4)) / STEP) + ONE : ONE;

    at = unit[0] == '\0' && at < ONE ? ONE : at < 0 ? 0 : at > MOST ? MOST : at;
    if (value == 0)
        snprintf(text, SHORT, "-");
    else
        snprintf(text, SHORT, "%.3g%s%s%s", value / pow(10, STEP * (at - ONE)), at != ONE || unit[0] != '\0' ? " " : "",
                 prefixes[at], unit);
    return text;
}

/* ------------------------------------------------------------------------------------------------------------ events */

static void print_events(FILE *file, const ffebm_ledger *l)
{
    const double columns[] = {l->settlings, l->sweeps,       l->dac,           l->adc,
                              l->pulses,    l->digital_macs, l->crossbar_macs, l->backprop_macs};
    char text[SHORT];

    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        fprintf(file, " %9s", brief(text, columns[i], ""));
    fputc('\n', file);
}

static int is_empty(const ffebm_ledger *l)
{
    return l->settlings == 0 && l->pulses == 0 && l->backprop_macs == 0 && l->digital_macs == 0;
}

static void print_stages(FILE *file, const struct ledger_table *t)
{
    size_t last = FFEBM_NONE;

    fprintf(file, "%-17s %-7s%9s %9s %9s %9s %9s %9s %9s %9s\n", "stage", "part", "settlings", "sweeps", "DAC", "ADC",
            "pulses", "digital", "crossbar", "backprop");
    for (size_t i = 0; i < t->count; i++) {
        const struct ledger_entry *e = &t->entries[i];

        if (is_empty(&e->ledger))
            continue;
        if (e->stage != last)
            fprintf(file, "%3zu %-13s", e->stage, e->type);
        else
            fprintf(file, "%3s %-13s", "", "");
        last = e->stage;
        fprintf(file, " %-6s", parts[e->part]);
        print_events(file, &e->ledger);
    }
    fprintf(file, "%-24s", "together");
    print_events(file, &t->total);
}

/* ------------------------------------------------------------------------------------------------------------- costs */

/* A cost in three columns: unrolled, crossbars from the least to the most, backpropagation. */
struct cost {
    double unrolled;
    double crossbar;
    double crossbar_most;
    double backprop;
};

static const char *range(char text[RANGE], double least, double most, const char *unit)
{
    char a[SHORT], b[SHORT];

    if (least == most)
        snprintf(text, RANGE, "%s", brief(a, least, unit));
    else
        snprintf(text, RANGE, "%s .. %s", brief(a, least, unit), brief(b, most, unit));
    return text;
}

static void print_cost(FILE *file, const char *what, struct cost c, const char *unit)
{
    char unrolled[SHORT], crossbar[RANGE], backprop[SHORT];

    fprintf(file, "%-24s %12s %22s %17s\n", what, brief(unrolled, c.unrolled, unit),
            range(crossbar, c.crossbar, c.crossbar_most, unit), brief(backprop, c.backprop, unit));
}

static struct cost sum(struct cost a, struct cost b)
{
    return (struct cost){a.unrolled + b.unrolled, a.crossbar + b.crossbar, a.crossbar_most + b.crossbar_most,
                         a.backprop + b.backprop};
}

static void print_ratio(FILE *file, const char *what, struct cost c)
{
    char crossbar[RANGE];

    if (c.crossbar == c.crossbar_most)
        snprintf(crossbar, sizeof crossbar, "%.3g", c.crossbar / c.backprop);
    else
        snprintf(crossbar, sizeof crossbar, "%.3g .. %.3g", c.crossbar / c.backprop, c.crossbar_most / c.backprop);
    fprintf(file, "%-24s %12.3g %22s %17s\n", what, c.unrolled / c.backprop, crossbar, "1");
}

static void print_costs(FILE *file, const ffebm_ledger *l)
{
    const struct cost digital = {l->digital_joules, l->digital_joules, l->digital_joules, l->backprop_joules};
    const struct cost conversions = {.unrolled = l->conversion_joules};
    const struct cost pulses = {l->pulse_joules, l->pulse_joules, l->pulse_joules, 0};
    const struct cost couplings = {l->unrolled_joules, l->crossbar_joules, l->crossbar_joules_most, 0};
    const struct cost joules = sum(sum(digital, conversions), sum(pulses, couplings));
    const struct cost digital_time = {l->digital_seconds, l->digital_seconds, l->digital_seconds, l->backprop_seconds};
    const struct cost conversion_time = {.unrolled = l->conversion_seconds};
    const struct cost coupling_time = {l->unrolled_seconds, l->crossbar_seconds, l->crossbar_seconds, 0};
    const struct cost seconds = sum(digital_time, sum(conversion_time, coupling_time));

    fprintf(file, "%-24s %12s %22s %17s\n", "energy", "unrolled", "crossbars", "backpropagation");
    print_cost(file, "digital multiply-adds", digital, "J");
    print_cost(file, "conversions", conversions, "J");
    print_cost(file, "pulses", pulses, "J");
    print_cost(file, l->measured ? "couplings, known" : "couplings, estimated", couplings, "J");
    print_cost(file, "together", joules, "J");
    print_ratio(file, "to backpropagation", joules);
    fprintf(file, "\nlatency\n");
    print_cost(file, "digital multiply-adds", digital_time, "s");
    print_cost(file, "conversions", conversion_time, "s");
    print_cost(file, "couplings", coupling_time, "s");
    print_cost(file, "together", seconds, "s");
    print_ratio(file, "to backpropagation", seconds);
}

static void print_notes(FILE *file, const ffebm_ledger *l)
{
    if (l->sweep_conversions > 0)
        fprintf(file,
                "\n%.0f of %.0f conversions are made anew in every sweep, because the loss nudges the last block; "
                "--nudging linear holds the error.\n",
                l->sweep_conversions, l->dac + l->adc);
    if (l->unknown > 0)
        fprintf(file, "\nThe multiply-adds of %zu blocks are unknown, and counted as none.\n", l->unknown);
}

/* --------------------------------------------------------------------------------------------------------- constants */

/* What has been replaced has no source any more. */
static void print_constant(FILE *file, const ffebm_setting_info *info, const char *value, int yours)
{
    int assumed = !yours && strstr(info->text, "; assumed") != NULL;
    int length = yours ? (int)strcspn(info->text, ";,") : (int)strlen(info->text);

    fprintf(file, "%c %-21s %7s %-9s %.*s%s\n", assumed ? '*' : ' ', info->key, value, info->unit, length, info->text,
            yours ? "; yours" : "");
}

static void print_constants(FILE *file, const ffebm_ledger_config *config)
{
    ffebm_setting_info info = {.size = sizeof info};
    ffebm_ledger_config defaults;
    char value[RANGE], initial[RANGE];

    ffebm_ledger_config_init(&defaults, sizeof defaults);
    fprintf(file, "\nconstants (* assumed: replace those first)\n");
    for (size_t i = 0; ffebm_setting_inspect(&info, FFEBM_CONFIG_LEDGER, i) == FFEBM_OK; i++)
        if (ffebm_setting_read(NULL, value, sizeof value, NULL, FFEBM_CONFIG_LEDGER, info.key, config) == FFEBM_OK &&
            ffebm_setting_read(NULL, initial, sizeof initial, NULL, FFEBM_CONFIG_LEDGER, info.key, &defaults) ==
                FFEBM_OK)
            print_constant(file, &info, value, strcmp(value, initial) != 0);
}

void ledger_print_words(FILE *file, const struct ledger_table *table)
{
    fprintf(file, "%s: a sample and a step\n\n", table->name);
    print_stages(file, table);
    fputc('\n', file);
    print_costs(file, &table->total);
    print_notes(file, &table->total);
    print_constants(file, table->config);
}

/* -------------------------------------------------------------------------------------------------------------- JSON */

static void write_ledger(FILE *file, const ffebm_ledger *l)
{
    static const struct {
        const char *name;
        size_t offset;
    } members[] = {
#define MEMBER(name) {#name, offsetof(ffebm_ledger, name)}
        MEMBER(settlings),
        MEMBER(sweeps),
        MEMBER(dac),
        MEMBER(adc),
        MEMBER(sweep_conversions),
        MEMBER(pulses),
        MEMBER(digital_macs),
        MEMBER(crossbar_macs),
        MEMBER(backprop_macs),
        MEMBER(digital_joules),
        MEMBER(conversion_joules),
        MEMBER(pulse_joules),
        MEMBER(unrolled_joules),
        MEMBER(crossbar_joules),
        MEMBER(crossbar_joules_most),
        MEMBER(backprop_joules),
        MEMBER(digital_seconds),
        MEMBER(conversion_seconds),
        MEMBER(unrolled_seconds),
        MEMBER(crossbar_seconds),
        MEMBER(backprop_seconds)};

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        fprintf(file, "\"%s\": ", members[i].name);
        json_number_write(file, *(const double *)((const char *)l + members[i].offset));
        fputs(", ", file);
    }
    fprintf(file, "\"unknown\": %zu, \"measured\": %s}", l->unknown, l->measured ? "true" : "false");
}

void ledger_print_json(FILE *file, const struct ledger_table *table)
{
    fprintf(file, "{\"model\": ");
    json_text_write(file, table->name);
    fprintf(file, ",\n \"constants\": {");
    constants_write(file, FFEBM_CONFIG_LEDGER, table->config, ", ");
    fprintf(file, "},\n \"stages\": [");
    for (size_t i = 0; i < table->count; i++) {
        const struct ledger_entry *e = &table->entries[i];

        fprintf(file, "%s\n  {\"stage\": %zu, \"type\": \"%s\", \"part\": \"%s\", ", i == 0 ? "" : ",", e->stage,
                e->type, parts[e->part]);
        write_ledger(file, &e->ledger);
    }
    fprintf(file, "],\n \"total\": {");
    write_ledger(file, &table->total);
    fprintf(file, "}\n");
}
