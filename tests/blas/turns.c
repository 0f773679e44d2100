/* Does the BLAS that this is linked with get one call at a time, or several? Prints one or the other. */
#include <stdio.h>

#include "arrays/gemm.c"

int main(void)
{
    double a[4] = {1, 2, 3, 4}, b[4] = {0};
    float c[4] = {1, 2, 3, 4}, d[4] = {0};

    ffebmi_gemm_f64(&(ffebmi_matrix_product){2, 2, 2, 1, a, 2, a, 2, 0, b, 2, false, false});
    ffebmi_gemm_f32(&(ffebmi_matrix_product){2, 2, 2, 1, c, 2, c, 2, 0, d, 2, false, false});
    if (b[3] != 22 || d[3] != 22)
        return 1;
    puts(bears_several() ? "several at a time" : "one at a time");
    return 0;
}
