/* A film as text. */
#include <inttypes.h>

#include "film.h"

static char shade(const struct film *film, float value)
{
    static const char shades[] = " .:-=+*#%@";
    double span = film->high - film->low;
    int level = span > 0 ? (int)(((double)value - film->low) / span * 9.999) : 0;

    return shades[level];
}

static void print_head(FILE *file, const struct film *film)
{
    fprintf(file, "%-6s %7s %14s %11s ", "phase", "sweep", "energy", "fell by");
    for (size_t l = 0; l < film->layers; l++)
        fprintf(file, " %zu: %zu of %zu%*s", l, film->shown[l], film->sizes[l],
                (int)film->shown[l] + 2 - snprintf(NULL, 0, "%zu: %zu of %zu", l, film->shown[l], film->sizes[l]), "");
    putc('\n', file);
}

void film_print(FILE *file, const struct film *film)
{
    print_head(file, film);
    for (size_t i = 0; i < film->count; i++) {
        const struct frame *frame = &film->frames[i];
        size_t at = 0;

        fprintf(file, "%-6s %5" PRId64 ".%zu %14.6f ", frame->phase == FFEBM_PHASE_FREE ? "free" : "nudged",
                frame->sweep, frame->step, frame->energy);
        if (frame->sweep > 0)
            fprintf(file, "%11.3e ", film->frames[i - 1].energy - frame->energy);
        else
            fprintf(file, "%11s ", "");
        for (size_t l = 0; l < film->layers; l++) {
            fputs(" |", file);
            for (size_t u = 0; u < film->shown[l]; u++, at++)
                putc(shade(film, frame->units[at]), file);
            putc('|', file);
        }
        putc('\n', file);
    }
}
