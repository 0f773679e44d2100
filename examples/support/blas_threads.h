/* blas_threads.h - keep BLAS on one thread. */
#ifndef EXAMPLES_BLAS_THREADS_H
#define EXAMPLES_BLAS_THREADS_H

/* The library spreads the work itself and never touches BLAS's settings, which are the program's. A BLAS that starts
 * threads of its own for each product gets in its way: with OpenBLAS training is several times slower. This asks
 * OpenBLAS, if it is loaded, for one thread, unless OPENBLAS_NUM_THREADS says otherwise. BLIS starts none unless told. */
void blas_threads_one(void);

#endif
