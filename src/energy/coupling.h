/* One coupling of a Hopfield block, <pool(W s + b), s_above>, and the table that every kind of coupling fills. */
#ifndef FFEBMI_ENERGY_COUPLING_H
#define FFEBMI_ENERGY_COUPLING_H

#include "energy/energy.h"

typedef struct ffebmi_coupling_kind ffebmi_coupling_kind;

typedef struct ffebmi_coupling {
    const ffebmi_coupling_kind *kind;
    int64_t out; /* out_features */
    ffebmi_learnable learnable;
    ffebmi_shape below; /* shapes of the two layers; these and all below are set by fit */
    ffebmi_shape above;
    size_t parameter_count;
    ffebmi_parameter parameters[2]; /* weight, bias */
} ffebmi_coupling;

struct ffebmi_coupling_kind {
    int32_t type;
    const char *name; /* its "type" in the model description */

    /* Set above and parameters from below; the error text begins with `what`. */
    ffebm_status (*fit)(ffebmi_coupling *coupling, ffebm_context *context, const char *what);
    /* z = W s + b, rows x above. parameters: weight, bias. */
    void (*up)(const ffebmi_coupling *coupling, const ffebmi_kernel *kernel, const void *const *parameters, size_t rows,
               const void *s, void *z);
    /* z = W^T s_above, or z += it, rows x below. */
    void (*down)(const ffebmi_coupling *coupling, const ffebmi_kernel *kernel, const void *const *parameters,
                 size_t rows, const void *s_above, bool accumulate, void *z);
    /* Add a contrast of s_above (x) s to units of the gradient of the weight (parameter 0) or the bias (1). */
    void (*gradient)(const ffebmi_coupling *coupling, const ffebmi_contrast *contrast, size_t layer, size_t parameter,
                     void *gradient, size_t first, size_t count);
};

extern const ffebmi_coupling_kind ffebmi_coupling_dense;

/* All kinds, for look-ups by type (FFEBM_COUPLING_) and by name; NULL where there is none. */
const ffebmi_coupling_kind *ffebmi_coupling_kind_of(int32_t type);
const ffebmi_coupling_kind *ffebmi_coupling_kind_named(const char *name);

#endif
