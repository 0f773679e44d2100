/* How a block settles and is nudged: the table of its settings. */
#ifndef FFEBMI_RELAX_EQUILIBRIUM_H
#define FFEBMI_RELAX_EQUILIBRIUM_H

#include <ffebm/equilibrium.h>

#include "core/setting.h"

extern const ffebmi_settings ffebmi_equilibrium_settings;

#endif
