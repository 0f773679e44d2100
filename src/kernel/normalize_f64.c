#include "kernel/precision_f64.h"

#include "kernel/normalize.inc"
