/* Loops over elements that compilers turn into vectors by themselves: written once, compiled twice, to the same bits. FFEBMI_WIDE
 * before a function lets it use the vectors of AVX2, for processors where ffebmi_isa says so. */
#ifndef FFEBMI_PRODUCTS_WIDE_H
#define FFEBMI_PRODUCTS_WIDE_H

#include "core/parts.h"

#ifdef FFEBMI_X86
#define FFEBMI_WIDE __attribute__((target("avx2")))
#else
#define FFEBMI_WIDE
#endif

#endif
