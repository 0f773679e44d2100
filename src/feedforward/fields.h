/* Lines for the tables of ops' settings. An op's kind lists the fields that it reads. FFEBMI_CONFIG is
 * ffebm_op_config. */
#ifndef FFEBMI_FEEDFORWARD_FIELDS_H
#define FFEBMI_FEEDFORWARD_FIELDS_H

#include "tensor/fields.h"

#define FFEBMI_FIELD_EPSILON FFEBMI_NUMBER(epsilon, 1e-5, FFEBMI_ABOVE(0), "", "added to variances, of normalisations")
#define FFEBMI_FIELD_MOMENTUM                                                                                          \
    FFEBMI_NUMBER(momentum, 0.1, FFEBMI_WITHIN(0, 1), "", "weight of the new batch in running statistics")

#endif
