/* How strongly may a block be nudged by the loss? Springs that are weaker than nothing end the equilibrium of some blocks. */
#ifndef FFEBMI_GRADIENT_STABILITY_H
#define FFEBMI_GRADIENT_STABILITY_H

#include "gradient/engine.h"

/* Both that were asked for and those that the stage's free states bear, the workbench being set up for it: springs of `weakest`
 * by hand, or with a beta above 0 those of this beta. */
ffebmi_limit ffebmi_stability_limit(const ffebm_engine *engine, size_t stage, double weakest, double beta);

enum { FFEBMI_LIMIT_TEXT = 192 };

/* As the end of a sentence about samples that are beyond it: "beta is 0.5, and the largest stable one 0.4: lower beta, ..". */
const char *ffebmi_stability_text(char text[FFEBMI_LIMIT_TEXT], const ffebmi_limit *limit);

#endif
