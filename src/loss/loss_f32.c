#include "core/precision_f32.h"

#include "loss/loss.inc"
