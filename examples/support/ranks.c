#include "ranks.h"

int ranks_are_many(const struct ranks *ranks)
{
    return ranks->count > 1;
}

void ranks_largest(const struct ranks *ranks, double *values, size_t count)
{
    if (ranks_are_many(ranks))
        ranks->largest(ranks->user, values, count);
}

int32_t ranks_first(const struct ranks *ranks, int has)
{
    const int32_t count = ranks_are_many(ranks) ? ranks->count : 1;
    double place = has ? count - ranks->rank : 0;

    ranks_largest(ranks, &place, 1);
    return place > 0 ? count - (int32_t)place : -1;
}

/* FNV-1a. */
static uint64_t fingerprint(const unsigned char *bytes, size_t count)
{
    uint64_t print = 0xcbf29ce484222325u;

    for (size_t i = 0; i < count; i++)
        print = (print ^ bytes[i]) * 0x100000001b3u;
    return print;
}

/* The largest and the smallest of each half are the same: halves, because a double has no 64 bits. */
int ranks_have_same(const struct ranks *ranks, const void *bytes, size_t count)
{
    uint64_t print;
    double high, low;
    double ends[4];

    if (!ranks_are_many(ranks))
        return 1;
    print = fingerprint(bytes, count);
    high = (double)(print >> 32);
    low = (double)(print & 0xffffffffu);
    ends[0] = high;
    ends[1] = -high;
    ends[2] = low;
    ends[3] = -low;
    ranks_largest(ranks, ends, 4);
    return ends[0] == -ends[1] && ends[2] == -ends[3];
}

static size_t cut(const struct ranks *ranks, size_t samples, int32_t rank)
{
    return ranks_are_many(ranks) ? samples * (size_t)rank / (size_t)ranks->count : rank > 0 ? samples : 0;
}

size_t ranks_part_begin(const struct ranks *ranks, size_t samples)
{
    return cut(ranks, samples, ranks->rank);
}

size_t ranks_part_end(const struct ranks *ranks, size_t samples)
{
    return cut(ranks, samples, ranks->rank + 1);
}

size_t ranks_part_most(const struct ranks *ranks, size_t samples)
{
    const size_t count = ranks_are_many(ranks) ? (size_t)ranks->count : 1;

    return (samples + count - 1) / count;
}
