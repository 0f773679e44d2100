/* ffebm/energy.h - describe an energy (analog) block: a deep Hopfield network, a deep resistive network, or a simulator
 * or device of your own.
 *
 * An energy block turns its inputs into a state s that makes an energy E(s, theta, x) stationary: its equilibrium. The state
 * has layers, counted from 0. The input x drives the first, s_0; where taps bring inputs of inner layers (ffebm_model_add_tap),
 * x_l drives s_l. The last layer is the block's output. A block knows nothing of losses or nudging: it is asked to settle, at
 * times under a force on its last layer, which adds - <force, s_last> to E.
 *
 * A block is a description. Give it to a model (ffebm_model_add_energy), which infers its shapes and holds its
 * parameters; an engine on that model computes. To use a block alone, make it the only stage of a model:
 * ffebm_engine_settle, ffebm_engine_energy, ffebm_engine_energy_gradient and ffebm_engine_get_state are its physics.
 */
#ifndef FFEBM_ENERGY_H
#define FFEBM_ENERGY_H

#include "block.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A block whose output is an equilibrium of an energy. */
typedef struct ffebm_energy ffebm_energy;

/* ------------------------------------------------------------------------------------ deep Hopfield networks
 *
 * E = sum_l G_l(s_l) - Phi, Phi = <x, s_0> + sum_l <x_l, s_l> + sum_c <pool_c(W_c s_from(c) + b_c), s_to(c)>, over couplings c
 * that each join two layers. Settled when s_l = sigma_l(dPhi/ds_l) in every layer, G_l being the integral of the inverse of
 * sigma_l (arXiv:2409.03306; Laborieux et al. 2021). Updating layers in turn, or together those that no coupling joins, the energy
 * falls in every half-sweep as long as no max pool is below a layer that may be negative; there settling may cycle, which is
 * reported as not converged. Where two places of a pool are nearly as large, an equilibrium may jump: there EP is not exact.
 */

/* clang-format off */
enum {                                 /* JSON "type"      sigma(z), a = slope           G(s)                                */
    FFEBM_ACTIVATION_HARD_SIGMOID = 1, /* "hard_sigmoid"   clamp(a z, lower, upper)      s^2 / (2 a)                         */
    FFEBM_ACTIVATION_RELU         = 2, /* "relu"           max(a z, 0)                   s^2 / (2 a)                         */
    FFEBM_ACTIVATION_IDENTITY     = 3, /* "identity"       a z                           s^2 / (2 a)                         */
    FFEBM_ACTIVATION_SIGMOID      = 4, /* "sigmoid"        1 / (1 + exp(- a z))          (s ln s + (1 - s) ln(1 - s)) / a    */
    FFEBM_ACTIVATION_TANH         = 5  /* "tanh"           tanh(a z)   ((1 + s) ln(1 + s) + (1 - s) ln(1 - s)) / (2 a)       */
};
/* clang-format on */

/** What a layer's neurons do; the same fields and defaults as in the model description. */
typedef struct ffebm_activation {
    size_t size;
    int32_t type; /* FFEBM_ACTIVATION_ */
    int32_t reserved_;
    double slope; /* default 0.25; positive */
    double lower; /* hard sigmoid: default 0 */
    double upper; /* hard sigmoid: default 1; above lower */
} ffebm_activation;

/** Fill an activation with the defaults of its type; fields that the type does not read are zero.
 *
 *  Out: activation: written up to `size`.
 *  In:  size:       sizeof *activation.
 *       type:       FFEBM_ACTIVATION_; any other is kept for the function that takes it to refuse.
 */
FFEBM_API void ffebm_activation_init(ffebm_activation *activation, size_t size, int32_t type);

/** What a Hopfield block's layers do. */
typedef struct ffebm_hopfield_config {
    size_t size;
    const ffebm_activation *activation; /* copied; default NULL: a hard sigmoid; of layers without one of their own */
    const ffebm_activation *layer0;     /* copied; default NULL: `activation`; of the first layer */
    int32_t clamp_last; /* default 0: the last layer is the identity with slope 1; 1: an activation as the others */
    int32_t reserved_;
} ffebm_hopfield_config;

/** Fill a Hopfield configuration with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_hopfield_config_init(ffebm_hopfield_config *config, size_t size);

/** Create a Hopfield block of one layer, shaped as its input. Couplings add layers, or join those that there are.
 *
 *  Returns: FFEBM_OK:              *block is owned.
 *           FFEBM_ERR_ARGUMENT:    clamp_last not 0 or 1, or an activation of an unknown type, with a slope that is not
 *                                  positive and finite, or with bounds that its type does not read.
 *           FFEBM_ERR_UNSUPPORTED: config, or an activation, has fields set that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In:      context.
 *  Out:     block:  NULL on failure.
 *  In:      config: copied; NULL: defaults.
 */
FFEBM_API ffebm_status ffebm_energy_create_hopfield(ffebm_context *context, ffebm_energy **block,
                                                    const ffebm_hopfield_config *config);

/* clang-format off */
enum {                          /* JSON "type"  fields read                                   layer `from` -> layer `to`   */
    FFEBM_COUPLING_DENSE  = 1,  /* "dense"      out, bias, frozen, initialization             any, flattened -> [out]      */
    FFEBM_COUPLING_CONV2D = 2   /* "conv2d"     those, kernel, stride, padding, pool          [c, h, w] -> [out, h', w']   */
};                              /* and both from, to */

enum {                          /* JSON "pool": {"type": .., "kernel": k, "stride": k}: of what a convolution gives        */
    FFEBM_POOL_NONE    = 0,     /* absent       none                                                                       */
    FFEBM_POOL_MAX     = 1,     /* "max"        the largest of each window, of at most 255 places                          */
    FFEBM_POOL_AVERAGE = 2      /* "average"    its mean                                                                   */
};
/* clang-format on */

/* Where a coupling begins and ends, beside the index of a layer. */
#define FFEBM_LAYER_NEWEST ((size_t)-3) /* the layer that was added last */
#define FFEBM_LAYER_NEW ((size_t)-4)    /* a layer that this coupling adds */

/** One coupling: the same fields and defaults as in the model description. Windows are [height, width]: of a convolution
 *  they make floor((n + 2 padding - kernel) / stride) + 1 places of n. */
typedef struct ffebm_coupling_config {
    size_t size;
    const ffebm_initialization *initialization; /* copied; default NULL: the model's */
    const ffebm_activation *activation;         /* copied; default NULL: the block's; of the layer that it adds */

    size_t from;            /* default FFEBM_LAYER_NEWEST; or a layer that there is */
    size_t to;              /* default FFEBM_LAYER_NEW; or a layer above `from`, of the shape that the coupling makes */
    int64_t out;            /* out_features or out_channels; must be set */
    int64_t kernel[2];      /* must be set */
    int64_t stride[2];      /* default 1. What is left over at the bottom and the right gets nothing from above */
    int64_t padding[2];     /* default 0, below kernel; of zeros */
    int64_t pool_kernel[2]; /* with a pool: must be set; tiles what the convolution makes exactly */
    int64_t pool_stride[2]; /* default 0: pool_kernel, which it has to be */
    int32_t pool;           /* default FFEBM_POOL_NONE */
    int32_t type;           /* FFEBM_COUPLING_ */
    int32_t bias;           /* default 1. A layer feels the biases of all couplings into it: skips usually say 0 */
    int32_t frozen;         /* default 0; 1: optimizers leave its parameters alone */
} ffebm_coupling_config;

/** Fill a coupling's configuration with the defaults of its type; fields that the type does not read are zero.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 *       type:   FFEBM_COUPLING_; any other is kept for ffebm_energy_add_coupling to refuse.
 */
FFEBM_API void ffebm_coupling_config_init(ffebm_coupling_config *config, size_t size, int32_t type);

/** Couple two layers of a block: by default the newest one with a layer that is added on top, as resistive blocks always do.
 *
 *  Returns: FFEBM_OK:              the coupling's index in parameter names is the number of couplings before it.
 *           FFEBM_ERR_ARGUMENT:    a field that must be set is not, is out of range, or is set though the type does not
 *                                  read it; or there is no layer `from`, or none `to` above it. The text names it.
 *           FFEBM_ERR_STATE:       the block takes no couplings: it is one of yours.
 *           FFEBM_ERR_UNSUPPORTED: config has fields set that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In/Out:  block:  unchanged on failure.
 *  In:      config: copied; not NULL.
 *
 *  Whether shapes fit is checked when the block enters a model, and so is that a last layer that is not clamped has no
 *  activation of its own. Two couplings may join the same layers.
 */
FFEBM_API ffebm_status ffebm_energy_add_coupling(ffebm_energy *block, const ffebm_coupling_config *config);

/* ------------------------------------------------------------------------------------- deep resistive networks
 *
 * Nodes with voltages, layers joined by resistors: s_0 = input_gain (x, -x) are sources, G_l[k,j] >= 0 the conductance
 * between node k of layer l and node j of layer l - 1, b_l currents into the nodes. Diodes keep the first half of every
 * layer but the last at 0 or above, the second half at 0 or below. The energy is the co-content
 *
 *     E = sum_l (1/2 sum_kj G_l[k,j] (s_l[k] - s_l-1[j])^2 - <b_l, s_l>) + diodes,
 *
 * strictly convex: one equilibrium, whatever the mismatch, and every order settles to it (Kendall et al. 2020,
 * arXiv:2006.01981; Scellier 2024). Layers that functions count from 0 are l = 1, 2, ..; the sources are no layer. The
 * derivative by x is that of the currents out of the sources, not a state. They are nudged linearly unless another nudging
 * is asked for. Loss nudging with - beta needs beta below the conductance that a pattern of outputs sees; beyond, calls fail
 * with FFEBM_ERR_ARGUMENT where one output shows it, and report samples as not converged that are not sure to be right.
 *
 *     {"energy": {"type": "resistive", "input_gain": 8, "g_min": 0, "g_max": 1,
 *                 "diode": {"threshold": 0.2, "conductance": 50}, "amplifier": 1,
 *                 "couplings": [{"type": "dense", "out_features": 12}, {"type": "dense", "out_features": 5}]}}
 */

/** A resistive block's circuit; the same fields and defaults as in the model description. */
typedef struct ffebm_resistive_config {
    size_t size;
    double input_gain;        /* default 1; positive: volts of a source for 1 of x */
    double g_min;             /* default 0 S: bounds of the weights, which optimizers project onto; 0 or more */
    double g_max;             /* default INFINITY S */
    double diode_threshold;   /* default 0 V: where a diode begins to conduct; 0 or more */
    double diode_conductance; /* default INFINITY S: an ideal diode; else what it conducts with; positive */
    double amplifier;         /* default 1: voltage gain A, current gain 1/A, behind every layer but the last; positive.
                                 In units u_l = A^-l s_l that is the circuit without: readings, noise and bounds differ */
    int32_t paired_input;     /* default 1: sources hold x and -x; 0: x alone */
    int32_t clamp_last;       /* default 0: no diodes at the last layer; 1: as at the others */
} ffebm_resistive_config;

/** Fill a resistive configuration with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_resistive_config_init(ffebm_resistive_config *config, size_t size);

/** Create a resistive block of sources alone. Each dense coupling (ffebm_energy_add_coupling) adds a layer of nodes; its
 *  weight are the conductances to the layer below, its bias the currents.
 *
 *  Returns: FFEBM_OK:              *block is owned.
 *           FFEBM_ERR_ARGUMENT:    a value out of range, or g_min above g_max; the text names it.
 *           FFEBM_ERR_UNSUPPORTED: config has fields set that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In:      context.
 *  Out:     block:  NULL on failure.
 *  In:      config: copied; NULL: defaults.
 *
 *  Its input may have any shape, and is read in channel, row, column order. Without an initialisation of its own a
 *  weight begins at max(0, u / sqrt(fan_in)), u uniform in +- 1, within g_min and g_max. A block without couplings is
 *  refused where it enters a model, with FFEBM_ERR_SHAPE.
 */
FFEBM_API ffebm_status ffebm_energy_create_resistive(ffebm_context *context, ffebm_energy **block,
                                                     const ffebm_resistive_config *config);

/** Destroy a block that no model has taken.
 *
 *  In: block: owned, or NULL.
 */
FFEBM_API void ffebm_energy_destroy(ffebm_energy *block);

/* ----------------------------------------------------------------------------------------- an energy block of your own
 *
 * A simulator, a device on the bench, a process on another machine. One slot settles it; the others say how its energy
 * depends on what is trained and on what comes in.
 *
 * THE STATE is a vector of state_count doubles for each sample, laid out as you like; for hardware it is what was
 * measured. To the rest of the library the block has two layers: 0 is the state, 1 the output that is read from it.
 *
 * WHAT THE LIBRARY GUARANTEES
 *   - Arrays are of doubles whatever the model's type, row-major with channels before rows and columns, batch first, and
 *     valid during the call only. Inputs are finite. States rest in the model's type between calls.
 *   - Slots are called one at a time, on the thread that called the library, with at most max_batch samples. With
 *     `concurrent`, settle is called on several threads at once, each with samples of its own.
 *   - `state` arrives in settle as zeros or the start state in the free phase, and as the free state in a nudged one;
 *     every output arrives as zeros.
 *   - The force is NULL in the free phase. It is constant during a nudged settling, unless force_at is there to ask.
 *   - After a positive answer (FFEBM_RETRY) the same call is made again, with its outputs as at first and `attempt` one
 *     higher, at most retry_limit times. With max_batch 1 that is one sample at a time.
 * WHAT YOUR FUNCTIONS MUST DO
 *   - Write the outputs of their slot and nothing else. Return 0, FFEBM_RETRY, or a negative value for failure, then
 *     with a sentence in `message` if there is one. Call nothing that uses this context (force_at excepted), throw
 *     nothing, do not longjmp.
 *   - Settle each sample alone: its state depends on no other sample.
 *   - Differentiate in parameter_gradient and input_gradient the same energy that settle makes stationary. All of EP
 *     rests on that.
 * WHAT IS CHECKED
 *   - Outputs are finite, else FFEBM_ERR_NUMERIC. That the slots belong to one energy is not checked in training:
 *     ffebm_engine_certify does that, against your adjoint or, without one, against finite differences, and
 *     examples/conformance.c slot by slot.
 * WHAT HAPPENS ON FAILURE
 *   - The engine's function returns FFEBM_ERR_USER; its error text names stage, slot, your value and your message.
 *     Parameters, running statistics and optimizer are as before, and so is the block's own free state: call again when
 *     the device is back, also with FFEBM_START_STATE.
 */

/* What settle asks for the force at its present output, [batch, out...] each, under loss nudging. */
typedef void (*ffebm_force_at_fn)(void *force_user, const double *output, double *force);

/** What a slot of an energy block of yours is given, and where it writes. */
typedef struct ffebm_energy_call {
    size_t size;                    /* what this library knows: test it before a field added after version 0.1 */
    size_t batch;                   /* samples in this call */
    size_t first;                   /* the number in the engine's batch of the first of them */
    const double *parameters;       /* [parameter_count] */
    size_t parameter_count;         /* numbers in all its parameters together */
    const double *input;            /* [batch, in...]        x */
    const double *force;            /* [batch, out...]       settle: in, or NULL */
    double *state;                  /* [batch, state_count]  settle: in the start, out the equilibrium; others: in */
    double *output;                 /* [batch, out...]       output: out */
    const double *output_cotangent; /* [batch, out...]       adjoint: in */
    double *input_gradient;         /* [batch, in...]        input_gradient, adjoint: out */
    const double *weight;           /* [batch]               parameter_gradient, adjoint: in */
    double *gradient;               /* [parameter_count]     parameter_gradient, adjoint: out */
    double *energy;                 /* [batch]               energy: out */
    double *residual;           /* [batch]               settle: out if known, what tolerance is to be compared with */
    int64_t *sweeps;            /* [batch]               settle: out if known */
    double *values;             /* [parameter_count]     initialize: out */
    ffebm_force_at_fn force_at; /* settle: NULL unless the nudging is by the loss */
    void *force_user;
    char *message;           /* message_capacity bytes, for a sentence with its NUL; empty when called */
    size_t message_capacity; /* bytes of message, with the NUL */
    uint64_t seed;           /* of your noise: another in each call, the same in each run and attempt */
    uint64_t version;        /* of the parameters, never 0: another whenever they differ from those of the last call */
    int64_t max_sweeps;      /* settle: the equilibrium configuration's, for you to heed where they fit */
    double tolerance;        /* settle: likewise, of the phase; 0: always max_sweeps */
    double joules;           /* settle: out if known, of the whole call */
    int32_t nudged;          /* settle: 0 in a free phase */
    int32_t attempt;         /* 0, then 1, 2, .. after retries */
} ffebm_energy_call;

/** One slot of an energy block of your own. Returns 0, FFEBM_RETRY, or a negative value. */
typedef int32_t (*ffebm_energy_fn)(void *self, ffebm_energy_call *call);

/** The table of functions that makes an energy block of yours. */
typedef struct ffebm_user_energy {
    size_t size;
    void *self;                 /* handed to every slot */
    const char *name;           /* letters, digits and _, at most 23; stands in descriptions and error texts; copied */
    const int64_t *input_shape; /* of a sample; copied */
    size_t input_rank;
    const int64_t *output_shape; /* likewise */
    size_t output_rank;
    size_t state_count;                 /* doubles in a sample's state */
    size_t max_batch;                   /* samples that a slot takes at once; 0: any number */
    ffebm_energy_fn settle;             /* REQUIRED  state = a stationary point of E - <force, output> */
    ffebm_energy_fn output;             /* OPTIONAL  output = what is read from state; default its last numbers */
    ffebm_energy_fn parameter_gradient; /* REQUIRED with parameters: gradient = sum_n weight_n dE/dtheta(state_n) */
    ffebm_energy_fn input_gradient;     /* OPTIONAL  input_gradient = dE/dx at state; default minus its first numbers,
                                                     right for E = .. - <x, s_0> with the first layer in front */
    ffebm_energy_fn energy;             /* OPTIONAL  energy = E at state; without it ffebm_engine_energy refuses */
    ffebm_energy_fn adjoint;            /* OPTIONAL  with v = output_cotangent, at a free state:
                                                     input_gradient = (doutput/dx)^T v,
                                                     gradient = sum_n weight_n (doutput/dtheta)^T v_n;
                                                     without it, FFEBM_ESTIMATOR_IMPLICIT is refused */
    ffebm_energy_fn initialize;         /* OPTIONAL  first values of the parameters; default zeros */
    void (*destroy)(void *self);        /* OPTIONAL  called once, when the block goes; default nothing */
    double max_beta; /* the strongest nudge that it bears, beta or with four points twice beta; 0: any. What is set for
                             all blocks is cut down to it, what is set for this one alone is refused above it */
    int32_t retry_limit;  /* 0: 8 */
    int32_t concurrent;   /* 1: settle may run on several threads at once */
    int32_t loss_nudging; /* 1: settle heeds force_at; 0: it is always nudged linearly */
    int32_t reserved_;
} ffebm_user_energy;

/** Create an energy block from functions of your own.
 *
 *  Returns: FFEBM_OK:              *block is owned, and self is taken: it goes through table->destroy.
 *           FFEBM_ERR_ARGUMENT:    a REQUIRED slot or the name is missing, or state_count is too small for the defaults of
 *                                  output and input_gradient; the text says which.
 *           FFEBM_ERR_SHAPE:       a shape as ffebm_tensor_create refuses it.
 *           FFEBM_ERR_UNSUPPORTED: table has fields set that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In:      context.
 *  Out:     block: NULL on failure; self is then still yours.
 *  In:      table: zero it, set size and what you have. Copied.
 *
 *  Its input must have exactly input_shape: FFEBM_ERR_SHAPE where it enters a model that does not. A model description
 *  names the block but cannot bring it: build the model again by calls, then ffebm_checkpoint_restore.
 */
FFEBM_API ffebm_status ffebm_energy_create_user(ffebm_context *context, ffebm_energy **block,
                                                const ffebm_user_energy *table);

/** Give an energy block of your own a parameter tensor.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_ARGUMENT:    the name is missing, taken or has other characters, lower is not below upper, the
 *                                  position is below that of the parameter before, or the block has no
 *                                  parameter_gradient.
 *           FFEBM_ERR_SHAPE:       as ffebm_tensor_create.
 *           FFEBM_ERR_STATE:       the block was made by ffebm_energy_create_hopfield, or has FFEBM_USER_PARAMETERS_MAX.
 *           FFEBM_ERR_UNSUPPORTED: parameter has fields set that this library does not know.
 *  In/Out:  block:     unchanged on failure.
 *  In:      parameter: copied.
 */
FFEBM_API ffebm_status ffebm_energy_add_parameter(ffebm_energy *block, const ffebm_user_parameter *parameter);

#ifdef __cplusplus
}
#endif
#endif
