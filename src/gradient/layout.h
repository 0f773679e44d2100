/* Inside the library images are stored h x w x c; a caller's tensors are c x h x w. Everything else is the same on both
 * sides. */
#ifndef FFEBMI_GRADIENT_LAYOUT_H
#define FFEBMI_GRADIENT_LAYOUT_H

#include "arrays/arrays.h"
#include "tensor/shape.h"

void ffebmi_layout_inward(const ffebmi_arrays *arrays, const ffebmi_shape *sample, size_t rows, const void *from,
                          void *to);
void ffebmi_layout_outward(const ffebmi_arrays *arrays, const ffebmi_shape *sample, size_t rows, const void *from,
                           void *to);

#endif
