#include "relax/order.h"

#include <ffebm/equilibrium.h>

typedef struct order {
    size_t (*count)(size_t layers);
    ffebmi_half_sweep (*half_sweep)(size_t layers, size_t i);
} order;

static size_t count_two(size_t layers)
{
    return layers > 1 ? 2 : 1;
}

static ffebmi_half_sweep even_odd(size_t layers, size_t i)
{
    (void)layers;
    return (ffebmi_half_sweep){.first = i, .step = 2};
}

static ffebmi_half_sweep odd_even(size_t layers, size_t i)
{
    return (ffebmi_half_sweep){.first = layers > 1 ? 1 - i : 0, .step = 2};
}

static size_t count_one(size_t layers)
{
    (void)layers;
    return 1;
}

static ffebmi_half_sweep synchronous(size_t layers, size_t i)
{
    (void)layers;
    return (ffebmi_half_sweep){.first = i, .step = 1};
}

static size_t count_all(size_t layers)
{
    return layers;
}

static ffebmi_half_sweep forward(size_t layers, size_t i)
{
    return (ffebmi_half_sweep){.first = i, .step = layers};
}

static ffebmi_half_sweep backward(size_t layers, size_t i)
{
    return (ffebmi_half_sweep){.first = layers - 1 - i, .step = layers};
}

static const order orders[] = {
    [FFEBM_ORDER_EVEN_ODD] = {count_two, even_odd},       [FFEBM_ORDER_ODD_EVEN] = {count_two, odd_even},
    [FFEBM_ORDER_SYNCHRONOUS] = {count_one, synchronous}, [FFEBM_ORDER_FORWARD] = {count_all, forward},
    [FFEBM_ORDER_BACKWARD] = {count_all, backward},
};

size_t ffebmi_order_count(int32_t o, size_t layers)
{
    return orders[o].count(layers);
}

ffebmi_half_sweep ffebmi_order_half_sweep(int32_t o, size_t layers, size_t i)
{
    return orders[o].half_sweep(layers, i);
}

bool ffebmi_half_sweep_has_last(ffebmi_half_sweep half, size_t layers)
{
    return half.first < layers && (layers - 1 - half.first) % half.step == 0;
}
