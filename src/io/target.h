/* Where a path leads through symbolic links. */
#ifndef FFEBMI_IO_TARGET_H
#define FFEBMI_IO_TARGET_H

#include <ffebm/core.h>

/* Follow the links at the end of a path, to a file that need not be there; the system follows those before its last
 * name. *target is to be released, and NULL on failure: FFEBM_ERR_IO, FFEBM_ERR_NOMEM. */
ffebm_status ffebmi_target_find(ffebm_context *context, char **target, const char *path);

#endif
