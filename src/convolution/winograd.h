/* Transformed weights in full precision, which those in integers are made of. */
#ifndef FFEBMI_CONVOLUTION_WINOGRAD_H
#define FFEBMI_CONVOLUTION_WINOGRAD_H

#include "convolution/pass.h"

/* Those of a point and panel, [source][target in the panel]. */
const float *ffebmi_winograd_weights(const ffebmi_pass *pass, const float *packed, size_t point, size_t panel);

#endif
