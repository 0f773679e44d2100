#include "kernel/kernel.h"

#include <ffebm/tensor.h>

#include "kernel/elementwise.h"
#include "kernel/gemm.h"
#include "kernel/normalize.h"
#include "kernel/settle.h"
#include "kernel/window.h"

/* clang-format off */
#define TABLE(real, suffix, wide, direct_products, without_tiles, rounded) { \
    .element = sizeof(real), \
    .direct = direct_products, \
    .exact = without_tiles, \
    .coarse = rounded, \
    .gemm = ffebmi_gemm_##suffix, \
    .add = ffebmi_add_##wide, \
    .add_scaled = ffebmi_add_scaled_##wide, \
    .scale = ffebmi_scale_##wide, \
    .add_row = ffebmi_add_row_##wide, \
    .add_column_sums = ffebmi_add_column_sums_##wide, \
    .difference_and_mean = ffebmi_difference_and_mean_##wide, \
    .transpose = ffebmi_transpose_##wide, \
    .add_transposed = ffebmi_add_transposed_##wide, \
    .add_strided = ffebmi_add_strided_##wide, \
    .dot = ffebmi_dot_##wide, \
    .norm = ffebmi_norm_##wide, \
    .finite = ffebmi_finite_##wide, \
    .relu = ffebmi_relu_##wide, \
    .relu_vjp = ffebmi_relu_vjp_##wide, \
    .tanh = ffebmi_tanh_##wide, \
    .tanh_vjp = ffebmi_tanh_vjp_##wide, \
    .sigmoid = ffebmi_sigmoid_##wide, \
    .sigmoid_vjp = ffebmi_sigmoid_vjp_##wide, \
    .settle = ffebmi_settle_##wide, \
    .linearize = ffebmi_linearize_##wide, \
    .displace = ffebmi_displace_##wide, \
    .settle_displaced = ffebmi_settle_displaced_##wide, \
    .displaced_changes = ffebmi_displaced_changes_##wide, \
    .region_changes = ffebmi_region_changes_##wide, \
    .switch_changes = ffebmi_switch_changes_##wide, \
    .max_pool = ffebmi_max_pool_##wide, \
    .pick = ffebmi_pick_##wide, \
    .unpool = ffebmi_unpool_##wide, \
    .unpool_contrast = ffebmi_unpool_contrast_##wide, \
    .average_pool = ffebmi_average_pool_##wide, \
    .average_unpool = ffebmi_average_unpool_##wide, \
    .column_moments = ffebmi_column_moments_##suffix, \
    .column_products = ffebmi_column_products_##suffix, \
    .normalize_columns = ffebmi_normalize_columns_##suffix, \
    .normalize_columns_vjp = ffebmi_normalize_columns_vjp_##suffix, \
    .normalize_row = ffebmi_normalize_row_##suffix, \
    .normalize_row_vjp = ffebmi_normalize_row_vjp_##suffix, \
    .normalize_row_gradient = ffebmi_normalize_row_gradient_##suffix, \
}
/* clang-format on */

static const ffebmi_kernel float64 = TABLE(double, f64, f64, NULL, NULL, NULL);
static const ffebmi_kernel float32_portable = TABLE(float, f32, f32, NULL, NULL, NULL);
static const ffebmi_kernel avx2_coarse = TABLE(float, f32, f32_avx2, &ffebmi_direct_avx2_coarse, NULL, NULL);
static const ffebmi_kernel avx512_coarse = TABLE(float, f32, f32_avx2, &ffebmi_direct_avx512_coarse, NULL, NULL);
static const ffebmi_kernel avx2_exact = TABLE(float, f32, f32_avx2, &ffebmi_direct_avx2_exact, NULL, NULL);
static const ffebmi_kernel avx512_exact = TABLE(float, f32, f32_avx2, &ffebmi_direct_avx512_exact, NULL, NULL);
static const ffebmi_kernel float32_avx2 = TABLE(float, f32, f32_avx2, &ffebmi_direct_avx2, &avx2_exact, &avx2_coarse);
static const ffebmi_kernel float32_avx512 =
    TABLE(float, f32, f32_avx2, &ffebmi_direct_avx512, &avx512_exact, &avx512_coarse);

const ffebmi_kernel *ffebmi_kernel_for(int32_t dtype, int32_t max_isa)
{
    int32_t isa = ffebmi_direct_isa();

    if (dtype != FFEBM_FLOAT32)
        return &float64;
    if (max_isa != 0 && max_isa < isa)
        isa = max_isa;
    return isa == FFEBM_ISA_AVX512 ? &float32_avx512 : isa == FFEBM_ISA_AVX2 ? &float32_avx2 : &float32_portable;
}

const ffebmi_kernel *ffebmi_kernel_coarse(const ffebmi_kernel *kernel)
{
    return kernel->coarse == &avx512_coarse && !ffebmi_coarse_has_vnni() ? NULL : kernel->coarse;
}
