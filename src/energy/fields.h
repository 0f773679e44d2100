/* Lines for the tables of couplings' settings. A coupling's kind lists the fields that it reads. FFEBMI_CONFIG is
 * ffebm_coupling_config. */
#ifndef FFEBMI_ENERGY_FIELDS_H
#define FFEBMI_ENERGY_FIELDS_H

#include "energy/neuron.h"
#include "tensor/fields.h"

#define FFEBMI_POOLS(X)                                                                                                \
    X("none", FFEBM_POOL_NONE)                                                                                         \
    X("max", FFEBM_POOL_MAX)                                                                                           \
    X("average", FFEBM_POOL_AVERAGE)

#define FFEBMI_FIELD_FROM FFEBMI_SIZE_OR(from, "newest", FFEBM_LAYER_NEWEST, "the layer where it begins")
#define FFEBMI_FIELD_TO FFEBMI_SIZE_OR(to, "new", FFEBM_LAYER_NEW, "the layer above that where it ends")

/* `pools` are FFEBMI_CHOICES(pools, FFEBMI_POOLS). */
#define FFEBMI_FIELD_POOL(pools)                                                                                       \
    FFEBMI_CHOICE_AS("pool.type", pool, "none", FFEBM_POOL_NONE, pools, "what pools its output",                       \
                     FFEBMI_JSON("pool", FFEBMI_JSON_REQUIRED | FFEBMI_JSON_SPARSE))
#define FFEBMI_FIELD_POOL_KERNEL                                                                                       \
    FFEBMI_WINDOW("pool.kernel", pool_kernel, "0", 0, 0, "height and width of the pool's window",                      \
                  FFEBMI_JSON("pool", FFEBMI_JSON_REQUIRED | FFEBMI_JSON_SPARSE))
#define FFEBMI_FIELD_POOL_STRIDE                                                                                       \
    FFEBMI_WINDOW("pool.stride", pool_stride, "0", 0, 0, "0, or the pool's kernel",                                    \
                  FFEBMI_JSON("pool", FFEBMI_JSON_SPARSE))

#define FFEBMI_FIELD_ACTIVATION                                                                                        \
    FFEBMI_OBJECT(activation, &ffebmi_activation_settings, FFEBMI_ABSENT, "what neurons the layer has that it adds")

#endif
