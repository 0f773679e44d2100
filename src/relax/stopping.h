/* The stopping rules: when is a sample settled? */
#ifndef FFEBMI_RELAX_STOPPING_H
#define FFEBMI_RELAX_STOPPING_H

#include "arrays/arrays.h"

typedef struct ffebmi_verdict {
    bool settled;
    bool finite;
    double residual; /* the largest of what is compared with the tolerance */
} ffebmi_verdict;

/* Judge one sample by the norms of its last sweep, [nudge * layers + layer]. Free: every layer's change is at most
 * tolerance * max(|s|, 1e-6). Nudged: every layer's change, in every nudge, is at most tolerance * |s_new - s_free|, or
 * rounding * |s|: where a nudge displaces next to nothing, by a force of zero, there is no more to wait for; and the force
 * has had time to reach every layer, which is for the caller to say (`reached`). Tolerance 0 never settles. */
ffebmi_verdict ffebmi_judge(const ffebmi_norms *norms, size_t nudges, size_t layers, bool nudged, double tolerance,
                            double rounding, bool reached);

#endif
