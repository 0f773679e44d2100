#include "energy/pool.h"

#include <ffebm/energy.h>

static void max_up(const ffebmi_arrays *arrays, const ffebmi_windows *windows, size_t rows, const void *images,
                   bool held, uint8_t *switches, void *to)
{
    if (held)
        arrays->pick(windows, rows, images, switches, to);
    else
        arrays->max_pool(windows, rows, images, to, switches);
}

static void max_down(const ffebmi_arrays *arrays, const ffebmi_windows *windows, size_t rows, const void *from,
                     const uint8_t *switches, void *images)
{
    arrays->unpool(windows, rows, from, switches, images);
}

static void max_down_contrast(const ffebmi_arrays *arrays, const ffebmi_windows *windows, size_t channels,
                              const ffebmi_pool_contrast *from, void *difference, void *mean)
{
    arrays->unpool_contrast(windows, channels, from->difference, from->mean, from->switches[0], from->switches[1],
                            difference, mean);
}

/* A mean is linear: nothing is chosen. */
static void average_up(const ffebmi_arrays *arrays, const ffebmi_windows *windows, size_t rows, const void *images,
                       bool held, uint8_t *switches, void *to)
{
    (void)held;
    (void)switches;
    arrays->average_pool(windows, rows, images, to);
}

static void average_down(const ffebmi_arrays *arrays, const ffebmi_windows *windows, size_t rows, const void *from,
                         const uint8_t *switches, void *images)
{
    (void)switches;
    arrays->average_unpool(windows, rows, windows->channels, from, images);
}

static void average_down_contrast(const ffebmi_arrays *arrays, const ffebmi_windows *windows, size_t channels,
                                  const ffebmi_pool_contrast *from, void *difference, void *mean)
{
    arrays->average_unpool(windows, 1, channels, from->difference, difference);
    arrays->average_unpool(windows, 1, channels, from->mean, mean);
}

static const ffebmi_pool_kind kinds[] = {
    {FFEBM_POOL_MAX, true, max_up, max_down, max_down_contrast},
    {FFEBM_POOL_AVERAGE, false, average_up, average_down, average_down_contrast},
};

const ffebmi_pool_kind *ffebmi_pool_kind_of(int32_t pool)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].pool == pool)
            return &kinds[i];
    return NULL;
}
