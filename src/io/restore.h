/* Put the values of a checkpoint into a model, and an optimizer: all of them or none. */
#ifndef FFEBMI_IO_RESTORE_H
#define FFEBMI_IO_RESTORE_H

#include "io/contents.h"
#include "io/table.h"

/* Both unchanged on failure. FFEBM_ERR_FORMAT, FFEBM_ERR_SHAPE, FFEBM_ERR_DTYPE, FFEBM_ERR_IO, FFEBM_ERR_NOMEM, and as
 * ffebmi_model_make_ready. */
ffebm_status ffebmi_restore(const ffebmi_table *table, ffebm_model *model, ffebm_optimizer *optimizer);

#endif
