/* ffebm/model.h - chain blocks, hold their parameters.
 *
 * A model is `building` while stages are added, by calls or from a description, and `ready` once it has values for its
 * parameters: after ffebm_model_initialize, or loaded from a checkpoint. A ready model takes no more stages.
 *
 * A block's place in the chain is its stage; stages count from 0, and follow each other in any order. Parameters are
 * named "stage<i>.<j>.<name>": stage i, op or coupling j in it, as in "stage1.0.weight"; those of a tap
 * "stage<i>.tap<t>.<j>.<name>"; buffers (running statistics) likewise.
 */
#ifndef FFEBM_MODEL_H
#define FFEBM_MODEL_H

#include "device.h"
#include "energy.h"
#include "equilibrium.h"
#include "feedforward.h"
#include "loss.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A chain of blocks and their parameters. */
typedef struct ffebm_model ffebm_model;

/** Create a model without stages.
 *
 *  Returns: FFEBM_OK:        *model is owned, and building.
 *           FFEBM_ERR_DTYPE: dtype is not a float type.
 *           FFEBM_ERR_SHAPE: as ffebm_tensor_create.
 *           FFEBM_ERR_NOMEM: allocates.
 *  In:      context.
 *  Out:     model: NULL on failure.
 *  In:      dtype: FFEBM_FLOAT32 or FFEBM_FLOAT64, of all data, states, parameters and gradients.
 *           input_shape, input_rank: of a sample, as in [3, 32, 32]; copied.
 *           loss:  FFEBM_LOSS_.
 */
FFEBM_API ffebm_status ffebm_model_create(ffebm_context *context, ffebm_model **model, int32_t dtype,
                                          const int64_t *input_shape, size_t input_rank, int32_t loss);

/** What overrides a description. */
typedef struct ffebm_parse_config {
    size_t size;
    int32_t dtype; /* default 0: as the description says; FFEBM_FLOAT32 or FFEBM_FLOAT64 overrides it */
    int32_t reserved_;
} ffebm_parse_config;

/** Fill a parse configuration with the defaults.
 *
 *  Out: config: written up to `size`.
 *  In:  size:   sizeof *config.
 */
FFEBM_API void ffebm_parse_config_init(ffebm_parse_config *config, size_t size);

/** Create a model from its description.
 *
 *  Returns: FFEBM_OK:              *model is owned, and building: it has shapes, but no parameter values yet.
 *           FFEBM_ERR_PARSE:       not JSON, too deep or too large, or an unknown, repeated, missing or ill-typed key;
 *                                  the text names it and its stage.
 *           FFEBM_ERR_SHAPE:       blocks do not fit each other; the text names stage and op or coupling.
 *           FFEBM_ERR_DTYPE:       config asks for a dtype that is no float type.
 *           FFEBM_ERR_UNSUPPORTED: config has fields set that this library does not know, or this build has no JSON
 *                                  (FFEBM_STANDALONE without cJSON).
 *           FFEBM_ERR_NOMEM:       allocates.
 *           FFEBM_ERR_CANCELLED:   the context's `cancel` asked to stop.
 *  In:      context.
 *  Out:     model: NULL on failure.
 *  In:      json, length: UTF-8, NUL not needed and not counted; docs/model_description.md has the keys.
 *           config: NULL: the dtype is the description's, float32 if it says nothing. Set it to certify in float64
 *                   what trains in float32.
 *
 *  Threads: the JSON parser (cJSON) takes its passing memory from malloc, not from the context's allocator.
 */
FFEBM_API ffebm_status ffebm_model_parse(ffebm_context *context, ffebm_model **model, const char *json, size_t length,
                                         const ffebm_parse_config *config);

/** Append a feedforward block.
 *
 *  Returns: FFEBM_OK:        the block is taken, *block is NULL.
 *           FFEBM_ERR_SHAPE: it does not accept what comes before it; the text names stage, op and shapes.
 *           FFEBM_ERR_STATE: the model is ready, or the last stage has taps.
 *           FFEBM_ERR_NOMEM: allocates.
 *  In/Out:  model, block: both as before on failure.
 */
FFEBM_API ffebm_status ffebm_model_add_feedforward(ffebm_model *model, ffebm_feedforward **block);

/** Add a tap to the last stage, a feedforward one: another row of ops on that stage's input, whose output is the input of
 *  an inner layer of the energy block that comes next.
 *
 *  Returns: FFEBM_OK:           the block is taken, *block is NULL. The tap's index in parameter names is the number of
 *                               taps before it.
 *           FFEBM_ERR_ARGUMENT: layer 0, which the stage itself drives, or a layer that has a tap.
 *           FFEBM_ERR_SHAPE:    its ops do not accept the stage's input; the text names stage, tap, op and shapes.
 *           FFEBM_ERR_STATE:    the last stage is no feedforward block, or the model is ready.
 *           FFEBM_ERR_NOMEM:    allocates.
 *  In/Out:  model, block: both as before on failure. A block without ops hands the stage's input on.
 *  In:      layer: of the energy block to come, 1 or more.
 *
 *  That the next stage is an energy block that has the layer, in the shape of the tap's output, is checked when it is
 *  added. Nothing else can follow a tap; a block of yours cannot, either: it has one input.
 *
 *      {"feedforward": [ops], "taps": [{"to": 1, "ops": [{"type": "conv2d", ..}]}]}
 */
FFEBM_API ffebm_status ffebm_model_add_tap(ffebm_model *model, ffebm_feedforward **block, size_t layer);

/** Append an energy block.
 *
 *  Returns: FFEBM_OK:        the block is taken, *block is NULL.
 *           FFEBM_ERR_SHAPE: it does not accept what comes before it, or a tap does not fit its layer; the text names
 *                            stage, coupling or tap, and shapes.
 *           FFEBM_ERR_STATE: the model is ready, or there are taps before a block of yours.
 *           FFEBM_ERR_NOMEM: allocates.
 *  In/Out:  model, block: both as before on failure.
 */
FFEBM_API ffebm_status ffebm_model_add_energy(ffebm_model *model, ffebm_energy **block);

/** Destroy a model.
 *
 *  In: model: owned, or NULL.
 */
FFEBM_API void ffebm_model_destroy(ffebm_model *model);

/** Set how the parameters of ops and couplings without an initialisation of their own are drawn.
 *
 *  Returns: FFEBM_OK:              from the next ffebm_model_initialize on; it stands in the description.
 *           FFEBM_ERR_ARGUMENT:    an unknown type, a number that is not finite, or a gain that is not positive.
 *           FFEBM_ERR_UNSUPPORTED: initialization has fields set that this library does not know.
 *  In/Out:  model:          unchanged on failure.
 *  In:      initialization: copied; NULL: as in a new model: UNIFORM with gain 1, but for the couplings of a Hopfield
 *                           block and the last linear or conv2d below it, which are drawn by place and slope, as
 *                           ffebm_model_description then says.
 */
FFEBM_API ffebm_status ffebm_model_set_initialization(ffebm_model *model, const ffebm_initialization *initialization);

/** Keep some parameters within bounds.
 *
 *  Returns: FFEBM_OK:            from the next ffebm_optimizer_step and ffebm_model_initialize on: what they write is
 *                                projected onto the bounds, number by number.
 *           FFEBM_ERR_NOT_FOUND: no parameter has this prefix, of the stages that there are.
 *           FFEBM_ERR_ARGUMENT:  NaN, lower above upper, or no number of the model's type between them.
 *  In/Out:  model:  building or ready; unchanged on failure.
 *  In:      prefix: whole parts of a name: "stage3", "stage0.2", "stage0.2.weight"; "" for all. Later calls win.
 *           lower, upper: rounded to the model's type; - INFINITY and INFINITY, as at first: no bound. Equal ones hold a
 *                   parameter at their value.
 *
 *  No value changes at once: frozen parameters, values of a checkpoint and those that you write may lie outside, the
 *  latter two until the next step. Bounds stand neither in the description nor in checkpoints: set them again in the
 *  program that loads the model.
 */
FFEBM_API ffebm_status ffebm_model_set_bounds(ffebm_model *model, const char *prefix, double lower, double upper);

/** What an update rule of yours is given, and where it writes: one tensor. */
typedef struct ffebm_update_call {
    size_t size;      /* what this library knows: test it before a field added after its first version */
    size_t parameter; /* its index in the model */
    size_t stage;     /* that it belongs to */
    size_t count;     /* numbers in it */
    int64_t step;     /* of optimizers on this model, the first is 1; checkpoints of a model with a rule carry it */
    const double *request; /* [count]  what the optimizer would add */
    double *values;        /* [count]  in the values, out what they are now: finite */
    double lower;          /* bounds: what you leave outside is projected onto them */
    double upper;          /* see lower */
    char *message;         /* message_capacity bytes, for a sentence with its NUL; empty when called */
    size_t message_capacity;
    int32_t attempt; /* 0, then 1, 2, .. after retries */
    int32_t reserved_;
} ffebm_update_call;

/** Write one tensor. Returns 0, FFEBM_RETRY to be asked again with the values as at first, or a negative value for failure. Call
 *  nothing that uses this context, throw nothing, do not longjmp. */
typedef int32_t (*ffebm_update_fn)(void *self, ffebm_update_call *call);

/** How optimizers write some parameters. */
typedef struct ffebm_update_rule {
    size_t size;
    void *self;                  /* handed to update and destroy */
    ffebm_update_fn update;      /* REQUIRED */
    void (*destroy)(void *self); /* OPTIONAL  called once, when no parameter has the rule any more; default nothing */
    int32_t retry_limit;         /* 0: 8 */
    int32_t reserved_;
} ffebm_update_rule;

/** Let a function of yours write some parameters, in place of adding the step or of a device's pulses.
 *
 *  Returns: FFEBM_OK:              by every ffebm_optimizer_step, and self is taken: it goes through rule->destroy.
 *           FFEBM_ERR_NOT_FOUND:   no parameter has this prefix, of the stages that there are.
 *           FFEBM_ERR_ARGUMENT:    no update, or a negative retry_limit.
 *           FFEBM_ERR_STATE:       an engine or optimizer of this model exists.
 *           FFEBM_ERR_UNSUPPORTED: rule has fields set that this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In/Out:  model:  building or ready; unchanged on failure, and self is then still yours.
 *  In:      prefix: as in ffebm_model_set_bounds. Later calls win.
 *           rule:   zero it, set size and what you have; copied. NULL: none, as at first.
 *
 *  It is called on the thread of ffebm_optimizer_step, for each of these parameters that is not frozen, after all other checks
 *  of the step. Where one fails the step is FFEBM_ERR_USER, with the parameter, your value and your message in the text, and
 *  what leaves NaN or infinity FFEBM_ERR_NUMERIC: no parameter and no moment has moved. What the rule itself remembers is
 *  its own: an array for each parameter, say. A rule stands neither in the description nor in checkpoints.
 */
FFEBM_API ffebm_status ffebm_model_set_update(ffebm_model *model, const char *prefix, const ffebm_update_rule *rule);

/** Draw first values for all parameters, and make the model ready.
 *
 *  Returns: FFEBM_OK:        parameters and buffers hold their first values, within their bounds.
 *           FFEBM_ERR_STATE: the model has no stages, or taps without an energy block behind them.
 *           FFEBM_ERR_SHAPE: cross entropy, and the output is not [classes].
 *           FFEBM_ERR_USER:  `initialize` of a block of yours failed; the text names stage and slot. No value changed.
 *           FFEBM_ERR_NUMERIC: or left NaN or infinity; or the values of a parameter, which the text names, are beyond
 *                            the model's type. No value changed.
 *           FFEBM_ERR_NOMEM: allocates, the first time.
 *  In/Out:  model: may be called again, also while engines and optimizers use it.
 *  In:      seed:  the same seed gives the same values, rounded to the model's type.
 */
FFEBM_API ffebm_status ffebm_model_initialize(ffebm_model *model, uint64_t seed);

/** Get the description, complete and in canonical form: parsing it gives an equal model.
 *
 *  Returns: FFEBM_OK:        *json is NUL-terminated text, borrowed until the model changes or is destroyed.
 *           FFEBM_ERR_UNSUPPORTED: this build has no JSON, as ffebm_model_parse.
 *           FFEBM_ERR_NOMEM: allocates, the first time after a change.
 *  In/Out:  model.
 *  Out:     json:   NULL on failure.
 *           length: without NUL; NULL if not wanted.
 */
FFEBM_API ffebm_status ffebm_model_description(ffebm_model *model, const char **json, size_t *length);

/* How a recipe's learning rate moves. */
enum {
    FFEBM_SCHEDULE_CONSTANT = 1, /* "constant": not at all */
    FFEBM_SCHEDULE_COSINE = 2,   /* "cosine": from lr to lr_min, as ffebm_schedule_cosine */
    FFEBM_SCHEDULE_STEP = 3      /* "step": as ffebm_schedule_step, with lr_factor and lr_period */
};

/* A recipe's optimizer. */
enum {
    FFEBM_OPTIMIZER_SGD = 1,  /* "sgd": ffebm_optimizer_create_sgd */
    FFEBM_OPTIMIZER_ADAM = 2, /* "adam": ffebm_optimizer_create_adam */
    FFEBM_OPTIMIZER_ADAMW = 3 /* "adamw": the same with decoupled decay */
};

/* How often a recipe's learning rate moves. */
enum {
    FFEBM_PER_STEP = 1, /* "step": with every batch */
    FFEBM_PER_EPOCH = 2 /* "epoch": with every pass over the data */
};

/* A recipe's random variants of training images. */
enum {
    FFEBM_AUGMENT_NONE = 0,     /* "none" */
    FFEBM_AUGMENT_FLIP = 1,     /* "flip": mirrored left to right, with probability 1/2 */
    FFEBM_AUGMENT_FLIP_CROP = 2 /* "flip-crop": that, and shifted at random */
};

/* How a model wants to be trained. With how its blocks settle, ffebm_equilibrium_config, it is the "recipe" of the model's
 * description. It is for the program that trains; optimizer.h has functions that make it into an optimizer and a rate. */
typedef struct ffebm_recipe {
    size_t size;
    int64_t epochs;         /* default 10 */
    int64_t batch;          /* default 64 */
    int32_t optimizer;      /* default FFEBM_OPTIMIZER_ADAM */
    int32_t schedule;       /* default FFEBM_SCHEDULE_CONSTANT */
    int32_t schedule_per;   /* default FFEBM_PER_EPOCH: how often the schedule moves */
    int32_t augment;        /* default FFEBM_AUGMENT_NONE */
    double lr;              /* default 1e-3: the learning rate at first */
    double lr_min;          /* default 0: the learning rate at last, under FFEBM_SCHEDULE_COSINE */
    double lr_factor;       /* default 0.1; this and the next for ffebm_schedule_step */
    int64_t lr_period;      /* default 0: never; in steps or epochs, as schedule_per says */
    int64_t warmup;         /* default 0: none; for ffebm_schedule_warmup, in steps or epochs, as schedule_per says */
    double weight_decay;    /* default 0 */
    double clip_norm;       /* default 0: never; as in ffebm_adam_config and ffebm_sgd_config */
    double momentum;        /* default 0.9 (sgd) */
    double label_smoothing; /* default 0: for ffebm_engine_set_label_smoothing; in [0, 1) */
    int32_t nesterov;       /* default 0 (sgd) */
    int32_t reserved_;
} ffebm_recipe;

/** Fill a recipe with the defaults.
 *
 *  Out: recipe: written up to `size`.
 *  In:  size:   sizeof *recipe.
 */
FFEBM_API void ffebm_recipe_init(ffebm_recipe *recipe, size_t size);

/** Read the recipe that the description gave.
 *
 *  Returns: FFEBM_OK.
 *  In:      model.
 *  Out:     recipe: set recipe->size first. What the description leaves out, or a model built by calls, has the
 *                   defaults.
 */
FFEBM_API ffebm_status ffebm_model_recipe(const ffebm_model *model, ffebm_recipe *recipe);

/** Read how the description's recipe lets blocks settle: what engines on the model begin with.
 *
 *  Returns: FFEBM_OK.
 *  In:      model.
 *  Out:     config: set config->size first. What the description leaves out, or a model built by calls, has the
 *                   defaults.
 */
FFEBM_API ffebm_status ffebm_model_equilibrium(const ffebm_model *model, ffebm_equilibrium_config *config);

/** Set the recipe, as of a model built by calls, or to what a program has trained with: it stands in the description, and so
 *  in checkpoints.
 *
 *  Returns: FFEBM_OK.
 *           FFEBM_ERR_ARGUMENT:    a value that a description could not have.
 *           FFEBM_ERR_UNSUPPORTED: recipe has fields set that this library does not know.
 *  In/Out:  model:  unchanged on failure.
 *  In:      recipe: copied; NULL: the defaults, which are also those of a new model.
 */
FFEBM_API ffebm_status ffebm_model_set_recipe(ffebm_model *model, const ffebm_recipe *recipe);

/** Set how blocks settle, as part of the recipe: it stands in the description, and so in checkpoints.
 *
 *  Returns: FFEBM_OK:              engines that are created from now on begin with it; one that is there takes it by
 *                                  ffebm_engine_configure with NULL.
 *           FFEBM_ERR_ARGUMENT:    a value out of range; the text names the field.
 *           FFEBM_ERR_UNSUPPORTED: config has fields set that this library does not know.
 *  In/Out:  model:  unchanged on failure.
 *  In:      config: copied; NULL: the defaults, which are also those of a new model.
 */
FFEBM_API ffebm_status ffebm_model_set_equilibrium(ffebm_model *model, const ffebm_equilibrium_config *config);

/* ------------------------------------------------------------------------------------- what is inside */

/** Facts about a model. */
typedef struct ffebm_model_info {
    size_t size;
    size_t stage_count;         /* blocks in the chain */
    size_t parameter_count;     /* trained tensors: indices 0 .. parameter_count - 1 */
    size_t buffer_count;        /* running statistics: the buffer_count indices after those */
    size_t element_count;       /* numbers in all trained tensors together */
    const int64_t *input_shape; /* of a sample */
    size_t input_rank;
    const int64_t *output_shape; /* likewise */
    size_t output_rank;
    int32_t ready; /* 0: building; 1: it has values */
    int32_t dtype; /* FFEBM_FLOAT32 or FFEBM_FLOAT64 */
    int32_t loss;  /* FFEBM_LOSS_ */
    int32_t reserved_;
} ffebm_model_info;

/** Describe the whole model.
 *
 *  Returns: FFEBM_OK.
 *  In:      model.
 *  Out:     info: set info->size first; its pointers are borrowed until the model changes or is destroyed.
 */
FFEBM_API ffebm_status ffebm_model_inspect(const ffebm_model *model, ffebm_model_info *info);

/* What a stage is. */
enum {
    FFEBM_STAGE_FEEDFORWARD = 1, /* a feedforward block, of ops or of yours */
    FFEBM_STAGE_ENERGY = 2       /* an energy block, the library's or yours */
};

/** Facts about a stage. */
typedef struct ffebm_stage_info {
    size_t size;
    size_t layer_count;         /* ops, or layers of an energy block */
    size_t first_parameter;     /* index of its first trained tensor */
    size_t parameter_count;     /* of trained tensors */
    const char *type;           /* "feedforward", "hopfield" or "user" */
    const int64_t *input_shape; /* of a sample */
    size_t input_rank;
    const int64_t *output_shape; /* likewise */
    size_t output_rank;
    int32_t kind;     /* FFEBM_STAGE_ */
    int32_t device;   /* 1: on a device, ffebm_model_device */
    size_t tap_count; /* of a feedforward stage */
} ffebm_stage_info;

/** Describe one stage.
 *
 *  Returns: FFEBM_OK.
 *  In:      model.
 *  Out:     info: set info->size first; its pointers are borrowed until the model changes or is destroyed.
 *  In:      stage: below stage_count.
 */
FFEBM_API ffebm_status ffebm_model_inspect_stage(const ffebm_model *model, ffebm_stage_info *info, size_t stage);

/** Facts about a layer of an energy block, or an op's output. */
typedef struct ffebm_layer_info {
    size_t size;
    const int64_t *shape; /* of a sample */
    size_t rank;
    size_t units; /* the product of the dimensions */
} ffebm_layer_info;

/** Describe one layer of an energy block's state, or the output of one op (not of a tap's).
 *
 *  Returns: FFEBM_OK.
 *  In:      model.
 *  Out:     info: set info->size first; its pointers are borrowed until the model changes or is destroyed.
 *  In:      stage, layer: below stage_count, and below that stage's layer_count.
 */
FFEBM_API ffebm_status ffebm_model_inspect_layer(const ffebm_model *model, ffebm_layer_info *info, size_t stage,
                                                 size_t layer);

/* What a tensor of a model is. */
enum {
    FFEBM_ROLE_PARAMETER = 1, /* trained */
    FFEBM_ROLE_BUFFER = 2     /* running statistics */
};

/** Facts about a parameter or buffer. */
typedef struct ffebm_parameter_info {
    size_t size;
    const char *name;     /* "stage1.0.weight" */
    const int64_t *shape; /* of the tensor */
    size_t rank;
    ffebm_tensor *value; /* borrowed until the model is destroyed; yours to write; NULL while building */
    size_t stage;        /* that it belongs to */
    size_t offset;       /* of its first element in flat parameters and flat gradient; buffers: 0 */
    size_t count;        /* elements */
    int32_t role;        /* FFEBM_ROLE_ */
    int32_t frozen;      /* 1: optimizers leave it alone */
    double lower;        /* optimizers project every number onto [lower, upper]; infinite: no bound */
    double upper;        /* see lower */
    const ffebm_tensor
        *effective; /* what the block computes with, mismatch in it, noise of a settling not; as it is now,
                                      borrowed like value. Without a device: value */
} ffebm_parameter_info;

/** Describe one parameter or buffer.
 *
 *  Returns: FFEBM_OK.
 *  In:      model.
 *  Out:     info: set info->size first; its pointers are borrowed until the model changes or is destroyed.
 *  In:      index: below parameter_count + buffer_count; parameters come first, in the order of the chain.
 */
FFEBM_API ffebm_status ffebm_model_inspect_parameter(ffebm_model *model, ffebm_parameter_info *info, size_t index);

/** Find a parameter or buffer by its name.
 *
 *  Returns: its index, or FFEBM_NONE.
 *  In:      model.
 *           name: as in "stage0.2.running_mean".
 */
FFEBM_API size_t ffebm_model_find_parameter(const ffebm_model *model, const char *name);

/* ----------------------------------------------------------------------------------------------- energy stages on devices */

/** Put an energy stage on a device, or every one.
 *
 *  Returns: FFEBM_OK:              it stands in the description; each stage draws numbers of its own.
 *           FFEBM_ERR_ARGUMENT:    no energy stage, or a value out of range; the text names it.
 *           FFEBM_ERR_STATE:       an engine or optimizer of this model exists.
 *           FFEBM_ERR_UNSUPPORTED: something of neurons on a resistive stage or a block of yours; or config has fields set that
 *                                  this library does not know.
 *           FFEBM_ERR_NOMEM:       allocates.
 *  In/Out:  model:  building or ready, also one that was parsed or loaded; unchanged on failure.
 *  In:      stage:  an energy stage, or FFEBM_ALL: of those that there are.
 *           config: copied; NULL: no device.
 *
 *  The way to train on one chip and to test on others: with another seed, the same programmed values are another's.
 */
FFEBM_API ffebm_status ffebm_model_set_device(ffebm_model *model, size_t stage, const ffebm_device_config *config);

/** Read the device that an energy stage is on.
 *
 *  Returns: FFEBM_OK:           without a device, an ideal one.
 *           FFEBM_ERR_ARGUMENT: no energy stage.
 *  In:      model.
 *  Out:     config: set config->size first.
 *  In:      stage:  an energy stage.
 */
FFEBM_API ffebm_status ffebm_model_device(const ffebm_model *model, ffebm_device_config *config, size_t stage);

/** Pulses that weights were written by. */
typedef struct ffebm_pulse_info {
    size_t size;
    int64_t up;      /* pulses that raise a weight */
    int64_t down;    /* that lower one */
    int64_t clipped; /* of both: left a weight at a bound of its device */
    int64_t limited; /* so many times a weight was asked to move farther than update_pulses_max pulses go */
} ffebm_pulse_info;

/** Count the pulses of an energy stage, or of all.
 *
 *  Returns: FFEBM_OK:           all of every ffebm_optimizer_step since the stage was put on its device, in this process; what
 *                               is between two calls is their difference. 0 where nothing is written by pulses.
 *           FFEBM_ERR_ARGUMENT: no energy stage.
 *  In:      model.
 *  Out:     info:  set info->size first.
 *  In:      stage: an energy stage, or FFEBM_ALL.
 */
FFEBM_API ffebm_status ffebm_model_inspect_pulses(const ffebm_model *model, ffebm_pulse_info *info, size_t stage);

/** Set the time that drift goes by, for all devices of a model.
 *
 *  Returns: FFEBM_OK:           from the next computing call on.
 *           FFEBM_ERR_ARGUMENT: not finite, or earlier than the clock is.
 *  In/Out:  model:   unchanged on failure. At 0 when made, and programmed then; ffebm_optimizer_step programs it anew, at the
 *                    time that it is. Checkpoints carry both times.
 *  In:      seconds: since a beginning of yours.
 */
FFEBM_API ffebm_status ffebm_model_set_clock(ffebm_model *model, double seconds);

/* ------------------------------------------------------------------------------------------------------------------ values */

/** Get all parameters as one contiguous tensor [element_count].
 *
 *  Returns: a tensor, borrowed until the model is destroyed; yours to write between calls. NULL while building.
 *  In/Out:  model: changes with what you write.
 */
FFEBM_API ffebm_tensor *ffebm_model_flat_parameters(ffebm_model *model);

#ifdef __cplusplus
}
#endif
#endif
