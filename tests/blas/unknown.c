/* A BLAS that shows nothing of itself. */
#include <stddef.h>

#define PRODUCT(name, real)                                                                                            \
    void name(int order, int ta, int tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b,       \
              int ldb, real beta, real *c, int ldc);                                                                   \
    void name(int order, int ta, int tb, int m, int n, int k, real alpha, const real *a, int lda, const real *b,       \
              int ldb, real beta, real *c, int ldc)                                                                    \
    {                                                                                                                  \
        (void)order, (void)ta, (void)tb;                                                                               \
        for (int i = 0; i < m; i++)                                                                                    \
            for (int j = 0; j < n; j++) {                                                                              \
                c[i * ldc + j] *= beta;                                                                                \
                for (int l = 0; l < k; l++)                                                                            \
                    c[i * ldc + j] += alpha * a[i * lda + l] * b[l * ldb + j];                                         \
            }                                                                                                          \
    }
PRODUCT(cblas_sgemm, float)
PRODUCT(cblas_dgemm, double)
