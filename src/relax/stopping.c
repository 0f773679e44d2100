#include "relax/stopping.h"

#include <math.h>

static const double smallest_size = 1e-6;

/* A layer that has not moved at all has no residual, also where its scale is zero. */
static double residual(double change, double scale)
{
    return change == 0 ? 0 : change / scale;
}

ffebmi_verdict ffebmi_judge(const ffebmi_norms *norms, size_t nudges, size_t layers, bool nudged, double tolerance,
                            double rounding, bool reached)
{
    ffebmi_verdict verdict = {.finite = true};

    for (size_t i = 0; i < nudges * layers; i++) {
        double scale = nudged ? sqrt(norms[i].displacement) : fmax(sqrt(norms[i].size), smallest_size);
        bool at_rest = nudged && sqrt(norms[i].change) <= rounding * sqrt(norms[i].size);
        double r = at_rest ? 0 : residual(sqrt(norms[i].change), scale);

        verdict.finite = verdict.finite && isfinite(norms[i].change) && isfinite(norms[i].displacement);
        if (r > verdict.residual)
            verdict.residual = r;
    }
    if (!verdict.finite)
        verdict.residual = INFINITY;
    verdict.settled = tolerance > 0 && verdict.finite && verdict.residual <= tolerance && reached;
    return verdict;
}
