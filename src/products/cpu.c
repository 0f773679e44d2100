/* Which instructions this processor has: asked at run time, so that no file needs special flags. */
#include <ffebm/core.h>

#include "products/sets.h"

#ifdef FFEBMI_X86

static int32_t best(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return FFEBM_ISA_AVX512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? FFEBM_ISA_AVX2 : FFEBM_ISA_PORTABLE;
}

static bool has_vnni(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
}

const ffebmi_products *ffebmi_products_for(int32_t max_isa)
{
    switch (ffebmi_isa(max_isa)) {
    case FFEBM_ISA_AVX512:
        return has_vnni() ? &ffebmi_products_vnni : &ffebmi_products_avx512;
    case FFEBM_ISA_AVX2:
        return &ffebmi_products_avx2;
    default:
        return NULL;
    }
}

#else

static int32_t best(void)
{
    return FFEBM_ISA_PORTABLE;
}

const ffebmi_products *ffebmi_products_for(int32_t max_isa)
{
    (void)max_isa;
    return NULL;
}

#endif

int32_t ffebmi_isa(int32_t max_isa)
{
    int32_t isa = best();

    return max_isa != 0 && max_isa < isa ? max_isa : isa;
}
