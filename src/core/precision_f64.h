/* What an .inc file is written in, for float64. */
#ifndef FFEBMI_CORE_PRECISION_F64_H
#define FFEBMI_CORE_PRECISION_F64_H

#define real double
#define CHOOSE ffebmi_choose_f64
#define TARGET
#define NAME(stem) ffebmi_##stem##_f64
#define EXP exp
#define LOG log
#define SQRT sqrt
#define TANH tanh
#define EXPM1 expm1
#define FABS fabs

#endif
