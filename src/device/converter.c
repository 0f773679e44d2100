#include "device/device.h"

ffebmi_converter ffebmi_converter_of(int64_t bits, double bound)
{
    return (ffebmi_converter){bound, bits == 0 ? 0 : 2 * bound / (ldexp(1, (int)bits) - 2)};
}

bool ffebmi_converter_is_ideal(const ffebmi_converter *c)
{
    return c->step == 0 && c->bound == INFINITY;
}

/* NaN stays NaN. */
static double clip(const ffebmi_converter *c, double number)
{
    number = number < -c->bound ? -c->bound : number;
    return number > c->bound ? c->bound : number;
}

double ffebmi_convert(const ffebmi_converter *c, double number)
{
    return c->step == 0 ? clip(c, number) : c->step * round(clip(c, number) / c->step);
}

double ffebmi_convert_dithered(const ffebmi_converter *c, double number, double dither)
{
    double steps;

    if (c->step == 0)
        return clip(c, number);
    steps = clip(c, number) / c->step;
    return c->step * (floor(steps) + (dither < steps - floor(steps)));
}
