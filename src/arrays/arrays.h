/* What is computed over arrays of numbers, one table for each type of them. Everything above this floor is written once: it
 * holds numbers behind `void *`, counts them in elements, and computes through the table of its model's dtype. A table is made
 * in a file of its own (f32.c, f64.c, f32_wide.c) of the .inc files, which are written in `real` and NAME().
 *
 * Matrices are row-major. "rows x n" is `rows` rows of `n` elements without gaps. */
#ifndef FFEBMI_ARRAYS_ARRAYS_H
#define FFEBMI_ARRAYS_ARRAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/windows.h"

/* The squares that a half-sweep leaves of one layer of one row, for the stopping rules. */
typedef struct ffebmi_norms {
    double change;       /* |sigma(z) - s|^2, the step before it is relaxed */
    double size;         /* |s|^2, before the half-sweep */
    double displacement; /* |s_new - s_free|^2, 0 without a free state */
} ffebmi_norms;

/* How a neuron maps its drive z to its state: by a rule of settle.inc's table. */
typedef enum ffebmi_neuron_rule {
    FFEBMI_NEURON_CLAMPED, /* clamp(slope z, lower, upper); bounds may be infinite */
    FFEBMI_NEURON_SIGMOID, /* 1 / (1 + exp(- slope z)) */
    FFEBMI_NEURON_TANH     /* tanh(slope z) */
} ffebmi_neuron_rule;

typedef struct ffebmi_neuron {
    ffebmi_neuron_rule rule;
    double slope;
    double lower; /* of its states */
    double upper;
} ffebmi_neuron;

/* c, m x n, = beta c + alpha op(a) op(b), op(a) m x k, op(b) k x n; op transposes where the flag says so. Strides are those of
 * rows. */
typedef struct ffebmi_matrix_product {
    size_t m;
    size_t n;
    size_t k;
    double alpha;
    const void *a;
    size_t a_stride;
    const void *b;
    size_t b_stride;
    double beta;
    void *c;
    size_t c_stride;
    bool transpose_a;
    bool transpose_b;
} ffebmi_matrix_product;

/* The nodes of a layer of a circuit (nodes.inc). */
typedef struct ffebmi_nodes {
    const void *conductance; /* n: of all that joins a node */
    const void *side;        /* n: its diode conducts where side v < - threshold; 0: it has none */
    double threshold;
    double resistance; /* of a diode that conducts; 0: ideal */
} ffebmi_nodes;

/* A half-sweep of one layer: `rows` states of n units, row by row. */
typedef struct ffebmi_layer_update {
    size_t rows;
    size_t n;
    void *z;           /* the drive, or what a displacement adds to it; scratch */
    const void *input; /* this and the force are added to it; NULL adds nothing. Displacements feel none */
    const void *force;
    const void *base;          /* of displacements: the drive at the free state, or sigma' there */
    ffebmi_neuron neuron;      /* of settle, settle_displaced */
    ffebmi_nodes nodes;        /* of settle_nodes, displace_nodes */
    const double *relaxations; /* [row]: how far it goes: s + relaxation (sigma - s), within the bounds of the neuron */
    const void *free;          /* the free state; settle: NULL, its norm is not wanted */
    const void *stiffness; /* k, rows x n: the force is less k times the displacement from the free state; NULL: 0 */
    void *s;               /* the state, or the displacement from the free state */
    ffebmi_norms *norms;
    size_t norm_stride; /* norms[i * norm_stride] receives row i's */
} ffebmi_layer_update;

/* Of the columns of rows x n numbers, one a column. */
typedef struct ffebmi_column_statistics {
    const double *mean;
    const double *rescale;
    double *sum; /* of cotangents, and of cotangents times (x - mean) rescale */
    double *product;
    double count; /* of the rows that the statistics are of; 0: they do not depend on x */
} ffebmi_column_statistics;

typedef struct ffebmi_arrays {
    size_t element; /* bytes of a number */

    void (*gemm)(const ffebmi_matrix_product *product);

    void (*add)(size_t n, const void *x, void *y);                          /* y += x */
    void (*add_scaled)(size_t n, double a, const void *x, void *y);         /* y += a x */
    void (*scale)(size_t n, double a, const void *x, void *y);              /* y = a x; may be the same array */
    void (*fill)(size_t n, double a, void *y);                              /* y = a */
    void (*add_row)(size_t rows, size_t n, const void *row, void *y);       /* each row of y += row */
    void (*scale_columns)(size_t rows, size_t n, const void *row, void *y); /* each row of y times row, by element */
    void (*add_column_sums)(size_t rows, size_t n, size_t ldx, double a, const void *x,
                            void *y); /* y_j += a sum_i x_ij */
    void (*difference_and_mean)(size_t n, const void *a, const void *b, void *difference, void *mean); /* may alias */
    void (*add_column_products)(size_t rows, size_t n, size_t ld, double a, const void *x, const void *y,
                                void *z);                            /* z_j += a sum_i x_ij y_ij */
    void (*add_shifted)(size_t n, double a, const void *x, void *y); /* y += x + a */
    double (*dot)(size_t n, const void *x, const void *y);
    double (*sum)(size_t n, const void *x);
    double (*least)(size_t n, const void *x); /* the smallest; 0 of none */
    double (*weighted_square)(size_t n, const void *weight, double a, double b,
                              const void *x); /* sum_i weight_i (a + b x_i)^2 */
    double (*norm)(size_t n, const void *x);  /* |x|, also where its square overflows */
    bool (*finite)(size_t n, const void *x);

    void (*transpose)(size_t rows, size_t columns, const void *x, void *y);      /* y, columns x rows, = x^T */
    void (*add_transposed)(size_t rows, size_t columns, const void *x, void *y); /* y += x^T */
    void (*add_strided)(size_t n, const void *x, void *y, size_t stride);        /* y_(i stride) += x_i */

    void (*relu)(size_t n, const void *x, void *y);
    void (*relu_vjp)(size_t n, const void *y, const void *v, void *u); /* y the op's output, v its cotangent */
    void (*tanh)(size_t n, const void *x, void *y);
    void (*tanh_vjp)(size_t n, const void *y, const void *v, void *u);
    void (*sigmoid)(size_t n, const void *x, void *y);
    void (*sigmoid_vjp)(size_t n, const void *y, const void *v, void *u);

    /* s = sigma(z + input + force - k (s - free)), relaxed. */
    void (*settle)(const ffebmi_layer_update *update);

    /* gain = sigma'(z) for z + input; that of the inside on the closed interval of a clamped neuron. gain may be z. */
    void (*linearize)(ffebmi_neuron neuron, size_t rows, size_t n, void *z, const void *input, void *gain);
    /* The linearised half-sweep: s = base (z + force - k s), relaxed; base is the gain. Norms are those of zero as the free
     * state. */
    void (*displace)(const ffebmi_layer_update *update);
    /* The half-sweep of a displacement from the free state: s = sigma(base + z + force - k s) - free, relaxed. Norms
     * likewise. */
    void (*settle_displaced)(const ffebmi_layer_update *update);

    /* How many of n clamped units are at a bound in one of the two states only, or at different bounds; and the same of
     * free + d. */
    size_t (*region_changes)(ffebmi_neuron neuron, size_t n, const void *s, const void *free);
    size_t (*displaced_changes)(ffebmi_neuron neuron, size_t n, const void *d, const void *free);
    /* How many of n switches differ under a unit that is not zero in both states. */
    size_t (*switch_changes)(size_t n, const void *s, const void *free, const uint8_t *at, const uint8_t *at_free);

    /* Nodes: voltages by the currents into them. Of the whole state, and of a displacement, as settle and settle_displaced; */
    void (*settle_nodes)(const ffebmi_layer_update *update);
    void (*displace_nodes)(const ffebmi_layer_update *update);
    /* the derivatives of voltages by currents, in the place of the currents; and how many of n diodes conduct in one of two
     * states only, the first of them perhaps a displacement from the second. */
    void (*node_gains)(const ffebmi_nodes *nodes, size_t rows, size_t n, void *z);
    size_t (*switched_nodes)(const ffebmi_nodes *nodes, size_t n, const void *v, const void *free, bool displaced);

    /* Windows over images, h x w x c. switches name the position in the window, rows of it counted from 0. */
    void (*max_pool)(const ffebmi_windows *w, size_t rows, const void *x, void *y, uint8_t *switches);
    void (*pick)(const ffebmi_windows *w, size_t rows, const void *x, const uint8_t *switches,
                 void *y); /* y = x there */
    void (*unpool)(const ffebmi_windows *w, size_t rows, const void *v, const uint8_t *switches,
                   void *u); /* its transpose */
    /* The contrast of two unpooled states a = mean + difference / 2 and b = mean - difference / 2, each to its own places:
     * their difference and mean. Where the places agree nothing is lost to rounding. Some channels: images have no others. */
    void (*unpool_contrast)(const ffebmi_windows *w, size_t channels, const void *difference, const void *mean,
                            const uint8_t *a, const uint8_t *b, void *image_difference, void *image_mean);
    void (*average_pool)(const ffebmi_windows *w, size_t rows, const void *x, void *y);
    void (*average_unpool)(const ffebmi_windows *w, size_t rows, size_t channels, const void *v, void *u);

    /* Normalisation of rows x n. Statistics are doubles, one a column (or one a row). */
    void (*column_sums)(size_t rows, size_t n, size_t first, size_t count, const void *x, double *sum);
    void (*column_squares)(size_t rows, size_t n, size_t first, size_t count, const void *x, const double *mean,
                           double *sum); /* of (x - mean)^2 */
    /* sum and product of the statistics */
    void (*column_products)(size_t rows, size_t n, size_t first, size_t count, const void *x, const void *v,
                            const ffebmi_column_statistics *statistics);
    /* y = (x - mean) rescale weight + bias, by column */
    void (*normalize_columns)(size_t rows, size_t n, const void *x, const ffebmi_column_statistics *statistics,
                              const void *weight, const void *bias, void *y);
    /* u = weight rescale (v - sum / count - (x - mean) rescale product / count), by column; count 0: u = weight rescale v */
    void (*normalize_columns_vjp)(size_t rows, size_t n, const void *x, const void *v,
                                  const ffebmi_column_statistics *statistics, const void *weight, void *u);
    /* the same over a whole row, with weights for each of its elements */
    void (*normalize_row)(size_t n, const void *x, double epsilon, const void *weight, const void *bias, void *y);
    void (*normalize_row_vjp)(size_t n, const void *x, double epsilon, const void *weight, const void *v, void *u);
    /* weight gradient of the same: to += factor v (x - mean) rescale, and bias gradient: to += factor v */
    void (*normalize_row_gradient)(size_t n, const void *x, double epsilon, const void *v, double factor, void *weight,
                                   void *bias);
} ffebmi_arrays;

extern const ffebmi_arrays ffebmi_arrays_f64;
extern const ffebmi_arrays ffebmi_arrays_f32;
extern const ffebmi_arrays ffebmi_arrays_f32_wide; /* the same bits, by wider vectors; with FFEBMI_X86 */

/* The table of FFEBM_FLOAT32 or FFEBM_FLOAT64, as this processor and max_isa (0: any) allow. */
const ffebmi_arrays *ffebmi_arrays_for(int32_t dtype, int32_t max_isa);

/* The element `index` of an array. */
static inline void *ffebmi_at(const ffebmi_arrays *arrays, const void *array, size_t index)
{
    return (char *)(uintptr_t)array + index * arrays->element;
}

#endif
