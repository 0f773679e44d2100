/* A choice that compilers do not turn into a jump, which would keep loops out of vectors: a where `yes` is 1, b where it is
 * 0. What is not chosen has no say, NaN or not. */
#ifndef FFEBMI_ARRAYS_CHOOSE_H
#define FFEBMI_ARRAYS_CHOOSE_H

#include <stdint.h>
#include <string.h>

#define FFEBMI_CHOOSE(name, real, bits)                                                                                \
    static inline real name(int yes, real a, real b)                                                                   \
    {                                                                                                                  \
        bits mask = (bits)0 - (bits)yes, x, y;                                                                         \
                                                                                                                       \
        memcpy(&x, &a, sizeof x);                                                                                      \
        memcpy(&y, &b, sizeof y);                                                                                      \
        x = (x & mask) | (y & ~mask);                                                                                  \
        memcpy(&a, &x, sizeof x);                                                                                      \
        return a;                                                                                                      \
    }

FFEBMI_CHOOSE(ffebmi_choose_f32, float, uint32_t)
FFEBMI_CHOOSE(ffebmi_choose_f64, double, uint64_t)

#endif
