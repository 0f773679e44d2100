/* By CBLAS: the only file that knows it. Dimensions are below 2^31 (ffebmi_shape_set), which is what a BLAS index holds. */
#include "arrays/gemm.h"

#include "core/parts.h"

#ifdef FFEBMI_WITH_CBLAS

#include <pthread.h>

#include FFEBM_CBLAS_HEADER

/* An OpenBLAS that was built for one thread is wrong when several call it, and which BLAS it is shows only at run time. So
 * calls take turns unless the BLAS shows, by one of these, that it bears several callers. An archive gives the linker
 * only what its products need: openblas_get_parallel is not among that, blas_thread_init is in every OpenBLAS with threads
 * and in no other. */
#define MARK(symbol) extern void mark_##symbol(void) __asm__(#symbol) __attribute__((weak))
MARK(blas_memory_alloc);          /* any OpenBLAS */
MARK(blas_thread_init);           /* one with threads */
MARK(flexiblas_get_color_output); /* FlexiBLAS: has the reference's marks, and the products of another */
MARK(bli_init);                   /* BLIS */
MARK(MKL_Get_Max_Threads);        /* MKL */
MARK(CBLAS_CallFromC);            /* the reference implementation */
extern int openblas_get_parallel(void) __attribute__((weak)); /* OpenBLAS as a shared library: 0 if for one thread */

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static bool bears_several(void)
{
    if (openblas_get_parallel != NULL)
        return openblas_get_parallel() != 0;
    if (mark_blas_memory_alloc != NULL)
        return mark_blas_thread_init != NULL;
    if (mark_flexiblas_get_color_output != NULL)
        return false;
    return mark_bli_init != NULL || mark_MKL_Get_Max_Threads != NULL || mark_CBLAS_CallFromC != NULL;
}

static bool take_turn(void)
{
    bool needed = !bears_several();

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

void ffebmi_gemm_f32(const ffebmi_matrix_product *p)
{
    bool taken = take_turn();

    cblas_sgemm(CblasRowMajor, operation(p->transpose_a), operation(p->transpose_b), (int)p->m, (int)p->n, (int)p->k,
                (float)p->alpha, p->a, (int)p->a_stride, p->b, (int)p->b_stride, (float)p->beta, p->c,
                (int)p->c_stride);
    end_turn(taken);
}

void ffebmi_gemm_f64(const ffebmi_matrix_product *p)
{
    bool taken = take_turn();

    cblas_dgemm(CblasRowMajor, operation(p->transpose_a), operation(p->transpose_b), (int)p->m, (int)p->n, (int)p->k,
                p->alpha, p->a, (int)p->a_stride, p->b, (int)p->b_stride, p->beta, p->c, (int)p->c_stride);
    end_turn(taken);
}

#endif
