#include "kernel/kernel.h"

#include <ffebm/tensor.h>

#include "kernel/elementwise.h"
#include "kernel/gemm.h"
#include "kernel/normalize.h"
#include "kernel/settle.h"
#include "kernel/window.h"

/* clang-format off */
#define TABLE(real, suffix, direct_products) { \
    .element = sizeof(real), \
    .direct = direct_products, \
    .gemm = ffebmi_gemm_##suffix, \
    .add = ffebmi_add_##suffix, \
    .add_scaled = ffebmi_add_scaled_##suffix, \
    .scale = ffebmi_scale_##suffix, \
    .add_row = ffebmi_add_row_##suffix, \
    .add_column_sums = ffebmi_add_column_sums_##suffix, \
    .difference_and_mean = ffebmi_difference_and_mean_##suffix, \
    .transpose = ffebmi_transpose_##suffix, \
    .add_transposed = ffebmi_add_transposed_##suffix, \
    .add_strided = ffebmi_add_strided_##suffix, \
    .dot = ffebmi_dot_##suffix, \
    .norm = ffebmi_norm_##suffix, \
    .finite = ffebmi_finite_##suffix, \
    .relu = ffebmi_relu_##suffix, \
    .relu_vjp = ffebmi_relu_vjp_##suffix, \
    .tanh = ffebmi_tanh_##suffix, \
    .tanh_vjp = ffebmi_tanh_vjp_##suffix, \
    .sigmoid = ffebmi_sigmoid_##suffix, \
    .sigmoid_vjp = ffebmi_sigmoid_vjp_##suffix, \
    .settle = ffebmi_settle_##suffix, \
    .linearize = ffebmi_linearize_##suffix, \
    .displace = ffebmi_displace_##suffix, \
    .settle_displaced = ffebmi_settle_displaced_##suffix, \
    .displaced_changes = ffebmi_displaced_changes_##suffix, \
    .region_changes = ffebmi_region_changes_##suffix, \
    .switch_changes = ffebmi_switch_changes_##suffix, \
    .max_pool = ffebmi_max_pool_##suffix, \
    .pick = ffebmi_pick_##suffix, \
    .unpool = ffebmi_unpool_##suffix, \
    .unpool_contrast = ffebmi_unpool_contrast_##suffix, \
    .average_pool = ffebmi_average_pool_##suffix, \
    .average_unpool = ffebmi_average_unpool_##suffix, \
    .column_moments = ffebmi_column_moments_##suffix, \
    .column_products = ffebmi_column_products_##suffix, \
    .normalize_columns = ffebmi_normalize_columns_##suffix, \
    .normalize_columns_vjp = ffebmi_normalize_columns_vjp_##suffix, \
    .normalize_row = ffebmi_normalize_row_##suffix, \
    .normalize_row_vjp = ffebmi_normalize_row_vjp_##suffix, \
    .normalize_row_gradient = ffebmi_normalize_row_gradient_##suffix, \
}
/* clang-format on */

static const ffebmi_kernel float64 = TABLE(double, f64, NULL);
static const ffebmi_kernel float32_portable = TABLE(float, f32, NULL);
static const ffebmi_kernel float32_avx2 = TABLE(float, f32, &ffebmi_direct_avx2);
static const ffebmi_kernel float32_avx512 = TABLE(float, f32, &ffebmi_direct_avx512);

const ffebmi_kernel *ffebmi_kernel_for(int32_t dtype, int32_t max_isa)
{
    int32_t isa = ffebmi_direct_isa();

    if (dtype != FFEBM_FLOAT32)
        return &float64;
    if (max_isa != 0 && max_isa < isa)
        isa = max_isa;
    return isa == FFEBM_ISA_AVX512 ? &float32_avx512 : isa == FFEBM_ISA_AVX2 ? &float32_avx2 : &float32_portable;
}
