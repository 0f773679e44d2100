/* How a block settles and is nudged: defaults and limits. */
#ifndef FFEBMI_RELAX_EQUILIBRIUM_H
#define FFEBMI_RELAX_EQUILIBRIUM_H

#include <ffebm/equilibrium.h>

/* Copy and check a configuration; NULL gives the defaults. */
ffebm_status ffebmi_equilibrium_read(ffebm_context *context, ffebm_equilibrium_config *to,
                                     const ffebm_equilibrium_config *from);

#endif
