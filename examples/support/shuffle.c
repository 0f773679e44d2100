#include <ffebm.h>

#include "shuffle.h"

/* The mixing step of SplitMix64 (Steele, Lea and Flood 2014): neighbouring numbers become unrelated ones. */
static uint64_t mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

uint64_t stream_seed(uint64_t seed, uint64_t purpose, uint64_t epoch)
{
    return mix(mix(mix(seed) ^ purpose) ^ epoch);
}

/* Fisher and Yates, in Durstenfeld's form. */
void shuffle(size_t *order, size_t count, uint64_t stream)
{
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t left = count; left > 1; left--) {
        size_t pick = (size_t)(ffebm_random_uniform(stream, left) * (double)left);
        size_t picked = order[pick];

        order[pick] = order[left - 1];
        order[left - 1] = picked;
    }
}
