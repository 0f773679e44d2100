#ifndef FFEBMI_CORE_PROCESSORS_H
#define FFEBMI_CORE_PROCESSORS_H

#include <stddef.h>

#include "core/strict.h"

/* How many processors this process may use, at least 1. Allocates nothing. */
size_t ffebmi_processors(void);

#endif
