#include "kernel/kernel.h"

#include <ffebm/tensor.h>

#include "kernel/elementwise.h"
#include "kernel/gemm.h"
#include "kernel/settle.h"

#define TABLE(real, suffix)                                                                                            \
    {                                                                                                                  \
        .element = sizeof(real), .gemm = ffebmi_gemm_##suffix, .add = ffebmi_add_##suffix,                             \
        .add_scaled = ffebmi_add_scaled_##suffix, .scale = ffebmi_scale_##suffix, .add_row = ffebmi_add_row_##suffix,  \
        .add_column_sums = ffebmi_add_column_sums_##suffix,                                                            \
        .difference_and_mean = ffebmi_difference_and_mean_##suffix, .dot = ffebmi_dot_##suffix,                        \
        .finite = ffebmi_finite_##suffix, .relu = ffebmi_relu_##suffix, .relu_vjp = ffebmi_relu_vjp_##suffix,          \
        .tanh = ffebmi_tanh_##suffix, .tanh_vjp = ffebmi_tanh_vjp_##suffix, .sigmoid = ffebmi_sigmoid_##suffix,        \
        .sigmoid_vjp = ffebmi_sigmoid_vjp_##suffix, .settle = ffebmi_settle_##suffix,                                  \
        .region_changes = ffebmi_region_changes_##suffix,                                                              \
    }

static const ffebmi_kernel float32 = TABLE(float, f32);
static const ffebmi_kernel float64 = TABLE(double, f64);

const ffebmi_kernel *ffebmi_kernel_for(int32_t dtype)
{
    return dtype == FFEBM_FLOAT32 ? &float32 : &float64;
}
