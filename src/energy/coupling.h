/* One coupling of a Hopfield block, <P(W s + b), s_above> with a pool P or none, and the table that every kind of coupling fills. Images
 * are stored h x w x c. */
#ifndef FFEBMI_ENERGY_COUPLING_H
#define FFEBMI_ENERGY_COUPLING_H

#include "convolution/convolution.h"
#include "core/setting.h"
#include "energy/pool.h"
#include "energy/sweeps.h"
#include "tensor/window.h"

typedef struct ffebmi_coupling_kind ffebmi_coupling_kind;

typedef struct ffebmi_coupling {
    const ffebmi_coupling_kind *kind;
    ffebm_coupling_config config; /* as it was added, checked, with objects of its own */
    ffebmi_edge layers;           /* that it joins; the upper one may be its own */
    int64_t out;                  /* the configuration's, like these three */
    ffebmi_window window;
    const ffebmi_pool_kind *pool; /* NULL: none */
    ffebmi_window pool_window;
    ffebmi_learnable learnable;
    ffebm_initialization first; /* how it is drawn where nobody says; set by fit, as is all below */
    ffebmi_shape below;         /* shapes of the two layers */
    ffebmi_shape convolved;     /* between convolution and pool */
    ffebmi_shape above;
    size_t first_parameter; /* of the block's */
    size_t parameter_count;
    ffebmi_parameter parameters[2]; /* weight, bias */
    size_t units[2];                /* their gradients are cut over so many */
    size_t switch_count;            /* of a sample: where each pooled unit comes from; 0 of pools that do not choose */
} ffebmi_coupling;

/* What is decided once, when memory is laid out. */
typedef struct ffebmi_coupling_plan {
    ffebmi_convolution convolution;
    ffebmi_windows pool;
    size_t chunk;          /* samples that are convolved at a time before they are pooled, */
    size_t contrast_chunk; /* and of which a unit's channels are unpooled at a time */
    size_t scratch;        /* elements that each pass and the gradient need */
} ffebmi_coupling_plan;

/* What a pass works on. */
typedef struct ffebmi_coupling_call {
    const ffebmi_coupling_plan *plan;
    const void *const *parameters; /* weight, bias */
    ffebmi_packed packed;          /* the weight */
    size_t rows;
    uint8_t *switches; /* rows x switch_count */
    bool held;         /* pool by the switches that are there */
    bool displacement; /* s or v is one: no bias */
    void *scratch;
} ffebmi_coupling_call;

/* A contrast of s_above (x) s, of a whole batch: the difference and the mean of two states of each layer. */
typedef struct ffebmi_coupling_contrast {
    const ffebmi_coupling_plan *plan;
    size_t batch;
    ffebmi_pairs pairs; /* v of the layer above and s of the one below: difference and mean, mean and difference */
    const uint8_t *switches[2]; /* of each state: batch x switch_count */
    double weight;
    void *scratch;
} ffebmi_coupling_contrast;

struct ffebmi_coupling_kind {
    int32_t type;
    const char *name;                /* its "type" in the model description */
    const ffebmi_settings *settings; /* the fields of the configuration that it reads; the others must be zero */
    size_t grain;                    /* so many units of a gradient make a piece of work */

    /* Set above, the shape that it makes, and parameters from below; the error text begins with `what`. */
    ffebm_status (*fit)(ffebmi_coupling *coupling, ffebm_context *context, const char *what);
    void (*plan)(const ffebmi_coupling *coupling, const ffebmi_arithmetic *arithmetic, ffebmi_coupling_plan *plan);
    /* z = pool(W s + b), rows x above, and unless they are held the switches. */
    void (*up)(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, const void *s, void *z);
    /* z = W^T unpool(v), or z += it, rows x below, by the switches that are there. */
    void (*down)(const ffebmi_coupling *coupling, const ffebmi_coupling_call *call, bool accumulate, const void *v,
                 void *z);
    /* Add - weight times the contrast to units of the gradient of the weight (parameter 0) or the bias (1). */
    void (*gradient)(const ffebmi_coupling *coupling, const ffebmi_coupling_contrast *contrast, size_t parameter,
                     void *gradient, size_t first, size_t count);
};

extern const ffebmi_coupling_kind ffebmi_coupling_dense;
extern const ffebmi_coupling_kind ffebmi_coupling_conv2d;

extern const ffebmi_settings ffebmi_coupling_settings; /* of all kinds */

/* All kinds, for look-ups by type (FFEBM_COUPLING_) and by name; NULL where there is none. */
const ffebmi_coupling_kind *ffebmi_coupling_kind_of(int32_t type);
const ffebmi_coupling_kind *ffebmi_coupling_kind_named(const char *name);

/* Add what a pass of a coupling that has been fitted takes; `entry`: it leads from the block's input. */
void ffebmi_coupling_add_products(const ffebmi_coupling *coupling, bool entry, ffebmi_energy_products *to);

/* Read and check a public configuration, for a kind's `add_coupling`. The objects of coupling->config are copies, to be let
 * go of by ffebmi_settings_release; there are none on failure. */
ffebm_status ffebmi_coupling_read(ffebm_context *context, ffebmi_coupling *coupling, const ffebm_coupling_config *from);

/* The name of kind `index`, for lists of what there is; NULL behind the last. */
const char *ffebmi_coupling_kind_name(size_t index);

#endif
