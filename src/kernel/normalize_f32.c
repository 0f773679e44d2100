#include "kernel/precision_f32.h"

#include "kernel/normalize.inc"
