/* Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). */
#include <math.h>

#include "core/random.h"

static const double two_pi = 6.283185307179586476925286766559;

void ffebmi_philox(uint32_t out[4], uint64_t key, uint64_t counter_low, uint64_t counter_high)
{
    uint32_t c0 = (uint32_t)counter_low, c1 = (uint32_t)(counter_low >> 32);
    uint32_t c2 = (uint32_t)counter_high, c3 = (uint32_t)(counter_high >> 32);
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);

    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;

        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static double unit(uint32_t high, uint32_t low)
{
    return (double)((((uint64_t)high << 32) | low) >> 11) * 0x1p-53;
}

double ffebm_random_uniform(uint64_t seed, uint64_t counter)
{
    uint32_t words[4];

    ffebmi_philox(words, seed, counter, 0);
    return unit(words[0], words[1]);
}

double ffebm_random_normal(uint64_t seed, uint64_t counter)
{
    uint32_t words[4];

    ffebmi_philox(words, seed, counter, 0);
    return sqrt(-2 * log(unit(words[0], words[1]) + 0x1p-54)) * cos(two_pi * unit(words[2], words[3]));
}

uint64_t ffebmi_random_stream(uint64_t seed, uint64_t stream)
{
    uint32_t words[4];

    ffebmi_philox(words, seed, stream, 1);
    return ((uint64_t)words[0] << 32) | words[1];
}
