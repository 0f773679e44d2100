#include "core/precision_f32.h"

#include "optimizer/update.inc"
