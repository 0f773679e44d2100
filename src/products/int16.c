#include "products/int16.h"

#include <math.h>

int32_t ffebmi_int16_levels(size_t products)
{
    double most = floor(sqrt((double)INT32_MAX / (double)products));

    return most < INT16_MAX ? (int32_t)most : INT16_MAX;
}
