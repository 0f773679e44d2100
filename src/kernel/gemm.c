/* The only file that knows CBLAS. Dimensions are below 2^31 (ffebmi_shape_set), which is what a BLAS index holds. */
#include "kernel/gemm.h"

#include <pthread.h>

#include FFEBM_CBLAS_HEADER

/* OpenBLAS built for one thread is not safe to call from several at once, and which OpenBLAS it is shows only at run
 * time: so the calls to that one take turns. NULL with any other BLAS. */
extern int openblas_get_parallel(void) __attribute__((weak));

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static bool take_turn(void)
{
    bool needed = openblas_get_parallel != NULL && openblas_get_parallel() == 0;

    if (needed)
        pthread_mutex_lock(&turn);
    return needed;
}

static void end_turn(bool taken)
{
    if (taken)
        pthread_mutex_unlock(&turn);
}

static enum CBLAS_TRANSPOSE operation(bool transpose)
{
    return transpose ? CblasTrans : CblasNoTrans;
}

void ffebmi_gemm_f32(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha, const void *a,
                     size_t lda, const void *b, size_t ldb, double beta, void *c, size_t ldc)
{
    bool taken = take_turn();

    cblas_sgemm(CblasRowMajor, operation(transpose_a), operation(transpose_b), (int)m, (int)n, (int)k, (float)alpha, a,
                (int)lda, b, (int)ldb, (float)beta, c, (int)ldc);
    end_turn(taken);
}

void ffebmi_gemm_f64(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha, const void *a,
                     size_t lda, const void *b, size_t ldb, double beta, void *c, size_t ldc)
{
    bool taken = take_turn();

    cblas_dgemm(CblasRowMajor, operation(transpose_a), operation(transpose_b), (int)m, (int)n, (int)k, alpha, a,
                (int)lda, b, (int)ldb, beta, c, (int)ldc);
    end_turn(taken);
}
