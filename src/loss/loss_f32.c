#include "kernel/precision_f32.h"

#include "loss/loss.inc"
