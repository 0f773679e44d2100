/* Lines for the tables of settings of ops and couplings: what they have in common. Define FFEBMI_CONFIG before them. */
#ifndef FFEBMI_TENSOR_FIELDS_H
#define FFEBMI_TENSOR_FIELDS_H

#include "tensor/parameter.h"

#define FFEBMI_FIELD_OUT(key)                                                                                          \
    FFEBMI_INTEGER_SET(key, out, FFEBMI_FROM(1), "", "features or channels that it makes",                             \
                       FFEBMI_JSON(NULL, FFEBMI_JSON_REQUIRED))
#define FFEBMI_FIELD_KERNEL                                                                                            \
    FFEBMI_WINDOW("kernel", kernel, "", 0, 1, "height and width of its window", FFEBMI_JSON(NULL, FFEBMI_JSON_REQUIRED))
#define FFEBMI_FIELD_STRIDE(initial, start, least)                                                                     \
    FFEBMI_WINDOW("stride", stride, initial, start, least, "how far apart windows begin; 0, of pools: the kernel",     \
                  .group = NULL)
#define FFEBMI_FIELD_PADDING                                                                                           \
    FFEBMI_WINDOW("padding", padding, "0", 0, 0, "rows and columns of zeros on each side, fewer than the kernel's",    \
                  .group = NULL)
#define FFEBMI_FIELD_INITIALIZATION                                                                                    \
    FFEBMI_OBJECT(initialization, &ffebmi_initialization_settings, FFEBMI_ABSENT, "how its parameters are drawn")
#define FFEBMI_FIELD_BIAS FFEBMI_FLAG(bias, 1, "it has a bias")
#define FFEBMI_FIELD_FROZEN                                                                                            \
    FFEBMI_FLAG_AS("frozen", frozen, 0, "optimizers leave its parameters alone", FFEBMI_JSON(NULL, FFEBMI_JSON_SPARSE))

#endif
