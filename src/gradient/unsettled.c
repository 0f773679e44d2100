/* What did not settle in the last call, in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/text.h"
#include "gradient/stability.h"

enum { PIECE = 320 };

typedef struct writing {
    char *text; /* NULL: only count */
    size_t capacity;
    size_t length;
} writing;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
add(writing *to, const char *format, ...)
{
    size_t left = to->length < to->capacity ? to->capacity - to->length : 0;
    va_list arguments;
    char piece[PIECE];

    va_start(arguments, format);
    vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    ffebmi_text_point(piece);
    if (left > 0)
        snprintf(to->text + to->length, left, "%s", piece);
    to->length += strlen(piece);
}

/* Did they run out of sweeps slowly, or will more sweeps hardly do? A state that still changes by a tenth of itself cycles
 * or runs away. */
static const double wild = 0.1;

static void add_stage(writing *to, const ffebm_engine *engine, size_t stage, int32_t phase)
{
    const ffebmi_tally *tally = &engine->stages[stage].tallies[phase - FFEBM_PHASE_FREE];
    const char *name = phase == FFEBM_PHASE_FREE ? "free" : "nudged";
    const double tolerance = phase == FFEBM_PHASE_FREE ? engine->stages[stage].equilibrium.free_tolerance
                                                       : engine->stages[stage].equilibrium.nudged_tolerance;
    char limit[FFEBMI_LIMIT_TEXT];

    if (tally->unconverged == 0 && tally->nonfinite == 0)
        return;
    add(to, "%sstage %zu (%s): ", to->length == 0 ? "" : "\n", stage, ffebmi_engine_block(engine, stage)->kind->type);
    if (tally->nonfinite > 0)
        add(to, "%zu of %zu samples ended the %s phase in NaN or infinity: ", tally->nonfinite, tally->samples, name);
    else if (tally->unstable > 0)
        add(to, "%zu of %zu samples are nudged by more than the block bears: %s", tally->unstable, tally->samples,
            ffebmi_stability_text(limit, &engine->stages[stage].limit));
    else
        add(to,
            "%zu of %zu samples did not settle in the %s phase, a residual of up to %.2g after %" PRId64
            " sweeps, tolerance %g: ",
            tally->unconverged, tally->samples, name, tally->residual_max, tally->sweeps_max, tolerance);
    if (tally->nonfinite == 0 && tally->unstable > 0)
        return;
    if (tally->nonfinite == 0 && (phase == FFEBM_PHASE_NUDGED || tally->residual_max < wild))
        add(to, "raise %s_sweeps%s", name, phase == FFEBM_PHASE_FREE ? ", or give couplings less gain" : "");
    else if (phase == FFEBM_PHASE_FREE)
        add(to, "give couplings less gain, clamp the last layer, or damp with a relaxation below 1");
    else
        add(to, "lower beta, or clamp the last layer");
}

ffebm_status ffebm_engine_unsettled(const ffebm_engine *engine, char *text, size_t capacity, size_t *length)
{
    writing to = {.text = text, .capacity = capacity};

    if (length != NULL)
        *length = 0;
    if (text != NULL && capacity > 0)
        text[0] = '\0';
    if (engine == NULL)
        return FFEBM_ERR_ARGUMENT;
    FFEBMI_CHECK_ARGUMENT(engine->context, text != NULL || capacity == 0,
                          "ffebm_engine_unsettled: text is NULL, but capacity is %zu", capacity);
    for (size_t i = 0; i < engine->model->stage_count; i++)
        for (int32_t phase = FFEBM_PHASE_FREE; phase <= FFEBM_PHASE_NUDGED; phase++)
            if (ffebmi_engine_is_energy(engine, i))
                add_stage(&to, engine, i, phase);
    if (length != NULL)
        *length = to.length;
    return FFEBM_OK;
}
