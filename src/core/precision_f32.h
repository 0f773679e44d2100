/* What an .inc file is written in, for float32. */
#ifndef FFEBMI_CORE_PRECISION_F32_H
#define FFEBMI_CORE_PRECISION_F32_H

#define real float
#define CHOOSE ffebmi_choose_f32
#define TARGET
#define NAME(stem) ffebmi_##stem##_f32
#define EXP expf
#define LOG logf
#define SQRT sqrtf
#define TANH tanhf
#define EXPM1 expm1f
#define FABS fabsf

#endif
