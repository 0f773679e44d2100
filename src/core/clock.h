#ifndef FFEBMI_CORE_CLOCK_H
#define FFEBMI_CORE_CLOCK_H

#include "core/strict.h"

/* Seconds since a moment of its own: of the wall clock, or of the processor's time where a build has no POSIX. */
double ffebmi_clock(void);

#endif
