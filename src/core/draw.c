#include "core/draw.h"

#include <math.h>

#include "core/random.h"

enum { WORDS = 4 };

static const double two_pi = 6.283185307179586476925286766559;

static void words_of(const ffebmi_draw *d, size_t four, uint32_t words[WORDS])
{
    uint32_t what = (uint32_t)(d->effect & 0xff) << 24 | (uint32_t)(d->block & 0xfff) << 12 |
                    (uint32_t)(d->phase & 0xf) << 8 | (uint32_t)(d->repetition & 0xff);

    ffebmi_philox(words, d->key, (uint64_t)d->sample << 32 | (uint32_t)four, (uint64_t)what << 32 | d->step);
}

/* In the middle of its interval: never 0 and never 1. */
static double unit(uint32_t word)
{
    return ((double)word + 0.5) * 0x1p-32;
}

static void uniforms(const uint32_t words[WORDS], double to[WORDS])
{
    for (int i = 0; i < WORDS; i++)
        to[i] = unit(words[i]);
}

static void normals(const uint32_t words[WORDS], double to[WORDS])
{
    for (int i = 0; i < WORDS; i += 2) {
        double radius = sqrt(-2 * log(unit(words[i]))), angle = two_pi * unit(words[i + 1]);

        to[i] = radius * cos(angle);
        to[i + 1] = radius * sin(angle);
    }
}

static void draw(const ffebmi_draw *d, size_t first, size_t count, double *to,
                 void (*make)(const uint32_t words[WORDS], double to[WORDS]))
{
    size_t end = first + count;

    for (size_t four = first / WORDS; four * WORDS < end; four++) {
        uint32_t words[WORDS];
        double made[WORDS];

        words_of(d, four, words);
        make(words, made);
        for (size_t i = four * WORDS; i < (four + 1) * WORDS && i < end; i++)
            if (i >= first)
                to[i - first] = made[i % WORDS];
    }
}

void ffebmi_draw_normal(const ffebmi_draw *d, size_t first, size_t count, double *to)
{
    draw(d, first, count, to, normals);
}

void ffebmi_draw_uniform(const ffebmi_draw *d, size_t first, size_t count, double *to)
{
    draw(d, first, count, to, uniforms);
}
