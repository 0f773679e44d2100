/* One coupling of a Hopfield block, <pool(W s + b), s_above>, and the table that every kind of coupling fills. Images
 * are stored h x w x c. */
#ifndef FFEBMI_ENERGY_COUPLING_H
#define FFEBMI_ENERGY_COUPLING_H

#include "energy/sweeps.h"
#include "tensor/window.h"

typedef struct ffebmi_coupling_kind ffebmi_coupling_kind;

typedef struct ffebmi_coupling {
    const ffebmi_coupling_kind *kind;
    int64_t out; /* out_features or out_channels */
    ffebmi_window window;
    bool pooled;
    ffebmi_window pool;
    ffebmi_learnable learnable;
    ffebmi_shape below;     /* shapes of the two layers; these and all below are set by fit */
    ffebmi_shape convolved; /* between convolution and pool */
    ffebmi_shape above;
    size_t parameter_count;
    ffebmi_parameter parameters[2]; /* weight, bias */
    size_t units[2];                /* their gradients are cut over so many */
    size_t switch_count;            /* of a sample: where each pooled unit comes from; 0 without a pool */
} ffebmi_coupling;

/* What a pass works on. */
typedef struct ffebmi_coupling_call {
    const ffebmi_kernel *kernel;
    const void *const *parameters; /* weight, bias */
    const void *packed;            /* the weight as pack has laid it out */
    size_t rows;
    uint8_t *switches; /* rows x switch_count */
    bool held;         /* pool by the switches that are there */
    bool displacement; /* s or v is one: no bias */
    void *scratch;
} ffebmi_coupling_call;

struct ffebmi_coupling_kind {
    int32_t type;
    const char *name;    /* its "type" in the model description */
    const char *out_key; /* "out_features" */
    unsigned reads;      /* FFEBMI_READS_ */
    size_t grain;        /* so many units of a gradient make a piece of work */

    /* Set above and parameters from below; the error text begins with `what`. */
    ffebm_status (*fit)(ffebmi_coupling *coupling, ffebm_context *context, const char *what);
    /* Elements of the packed weight; 0: it is used as it is. It is packed in units, for threads to share. */
    size_t (*packed)(const ffebmi_coupling *coupling, const ffebmi_kernel *kernel);
    size_t (*pack_units)(const ffebmi_coupling *coupling, const ffebmi_kernel *kernel);
    void (*pack)(const ffebmi_coupling *coupling, const ffebmi_kernel *kernel, const void *weight, void *packed,
                 size_t first, size_t count);
    /* For a kernel of rounded numbers (ffebmi_kernel_coarse): do they need weights of their own, as many elements as packed
     * says, made of those packed for the other kernel? NULL: no. */
    bool (*rounds)(const ffebmi_coupling *coupling, const ffebmi_kernel *kernel);
    void (*round)(const ffebmi_coupling *coupling, const ffebmi_kernel *kernel, const void *packed, void *rounded,
                  size_t first, size_t count);
    /* Elements of scratch that each pass and the gradient need. */
    size_t (*scratch)(const ffebmi_coupling *coupling, const ffebmi_kernel *kernel);
    /* z = pool(W s + b), rows x above, and unless they are held the switches. */
    void (*up)(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, const void *s, void *z);
    /* z = W^T unpool(v), or z += it, rows x below, by the switches that are there. */
    void (*down)(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, bool accumulate, const void *v,
                 void *z);
    /* Add a contrast of s_above (x) s to units of the gradient of the weight (parameter 0) or the bias (1). */
    void (*gradient)(const ffebmi_coupling *coupling, const ffebmi_contrast *contrast, size_t layer, size_t parameter,
                     void *gradient, size_t first, size_t count, void *scratch);
};

extern const ffebmi_coupling_kind ffebmi_coupling_dense;
extern const ffebmi_coupling_kind ffebmi_coupling_conv2d;

/* All kinds, for look-ups by type (FFEBM_COUPLING_) and by name; NULL where there is none. */
const ffebmi_coupling_kind *ffebmi_coupling_kind_of(int32_t type);
const ffebmi_coupling_kind *ffebmi_coupling_kind_named(const char *name);

/* The name of kind `index`, for lists of what there is; NULL behind the last. */
const char *ffebmi_coupling_kind_name(size_t index);

#endif
