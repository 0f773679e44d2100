#include "core/precision_f64.h"

#include "optimizer/update.inc"
