#include "core/precision_f64.h"

#include "loss/loss.inc"
