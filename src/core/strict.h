/* What the compiler must not assume. Every source includes this; tests/check_strict.sh sees to it. */
#ifndef FFEBMI_CORE_STRICT_H
#define FFEBMI_CORE_STRICT_H

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ != 0)
#error                                                                                                                 \
    "libffebm: compiled with -ffast-math (or -Ofast, -ffinite-math-only) it could not tell NaN and infinity: leave it out"
#endif

#endif
