/* The chain of blocks and its parameters. */
#ifndef FFEBMI_MODEL_MODEL_H
#define FFEBMI_MODEL_MODEL_H

#include <ffebm/model.h>

#include "energy/energy.h"
#include "feedforward/feedforward.h"
#include "loss/loss.h"
#include "tensor/tensor.h"

enum { FFEBMI_NAME = 64, FFEBMI_ROW_TEXT = 64 };

/* An update rule of the user's, of all parameters that have it. */
typedef struct ffebmi_user_update {
    ffebm_update_rule rule;
    size_t references;
} ffebmi_user_update;

/* One trained tensor of the chain, or one buffer. */
typedef struct ffebmi_model_parameter {
    char name[FFEBMI_NAME]; /* "stage1.0.weight", "stage1.tap0.0.weight" */
    ffebmi_parameter parameter;
    const ffebmi_learnable *learnable;
    size_t stage;
    size_t row;      /* of a feedforward stage; 0: its own */
    size_t position; /* of the op or coupling in it */
    size_t offset;   /* of its first element in the flat parameters, or in the flat buffers */
    double lower;    /* what values are projected onto, rounded to the model's type; infinite: no bound */
    double upper;
    ffebmi_user_update *update; /* NULL: it is written as optimizers ask, or by pulses */
    ffebm_tensor value;         /* borrowed by users; data NULL while building */
    ffebm_tensor effective;     /* likewise: what the block computes with; of value's data where that is it */
} ffebmi_model_parameter;

/* A row of ops on the input of a feedforward stage: the stage's own block, or a tap. */
typedef struct ffebmi_row {
    ffebm_feedforward *block;
    size_t layer; /* of the energy block behind the stage: whose input its output is; 0 of the stage's own row */
    size_t first_parameter; /* among the stage's */
    size_t parameter_count;
    size_t first_buffer; /* likewise */
    const double *given; /* first values from a block of the user's, while initializing */
} ffebmi_row;

/* An energy block; or, where there is none, rows of ops. */
typedef struct ffebmi_stage {
    ffebm_energy *energy;
    size_t row_count;
    size_t row_capacity;
    ffebmi_row *rows;    /* the stage's own, and behind it its taps */
    ffebmi_shape input;  /* of a sample */
    ffebmi_shape output; /* likewise; of the first row */
    size_t first_parameter;
    size_t parameter_count;
    size_t first_buffer;
    size_t buffer_count;
    const double *given; /* as in a row */
} ffebmi_stage;

/* What devices go by as they are written and read; checkpoints carry it. */
typedef struct ffebmi_history {
    int64_t updates; /* steps of optimizers that the model has taken */
    double clock;    /* seconds, as the host says */
    double written;  /* what it was at the last of these */
} ffebmi_history;

struct ffebm_model {
    ffebm_context *context;
    size_t references;
    int32_t dtype;
    const ffebmi_loss_kind *loss;
    ffebmi_shape input;
    size_t stage_count;
    size_t stage_capacity;
    ffebmi_stage *stages;
    size_t parameter_count;
    size_t parameter_capacity;
    ffebmi_model_parameter *parameters; /* in the order of stages, rows and positions */
    size_t element_count;
    size_t buffer_count;
    size_t buffer_capacity;
    ffebmi_model_parameter *buffers; /* likewise */
    size_t buffer_element_count;
    void *values;      /* all parameters, contiguous, and behind them the buffers; NULL while building */
    void *effective;   /* likewise of the parameters that a device alters; NULL: none does */
    ffebm_tensor flat; /* over values */
    ffebmi_history history;
    uint64_t version; /* changes when the library changes values */
    ffebm_initialization initialization;
    bool own_initialization; /* false: parameters are drawn as their places ask for */
    ffebm_recipe recipe;
    ffebm_equilibrium_config equilibrium; /* the rest of the description's recipe */
    char *description;                    /* made when asked for; NULL after a change */
};

/* Engines and optimizers hold their model with keep and let go with drop. */
void ffebmi_model_keep(ffebm_model *model);
void ffebmi_model_drop(ffebm_model *model);

/* "stage 2" or, of a tap, "stage 2 tap 0", for error texts. Returns text. */
const char *ffebmi_row_text(char text[FFEBMI_ROW_TEXT], size_t stage, size_t row);

/* Does a parameter's name begin with `prefix`, in whole parts: "stage1" is none of "stage10.0.weight". */
bool ffebmi_model_has_prefix(const ffebmi_model_parameter *parameter, const char *prefix);

/* FFEBM_ERR_ARGUMENT if there is no number of the model's type between the bounds. */
ffebm_status ffebmi_model_check_bounds(const ffebm_model *model, double lower, double upper);

/* Set the bounds of one parameter, which have been checked. */
void ffebmi_model_bound(const ffebm_model *model, ffebmi_model_parameter *parameter, double lower, double upper);

const ffebmi_shape *ffebmi_model_output(const ffebm_model *model);
/* Does the last stage have taps? Then only an energy block can follow. */
bool ffebmi_model_awaits_energy(const ffebm_model *model);

bool ffebmi_model_ready(const ffebm_model *model);

/* Take memory for the values, all zero, and make the model ready; nothing if it is. Checks what only a whole chain can
 * be checked for. */
ffebm_status ffebmi_model_make_ready(ffebm_model *model);

/* Put a block that is to be stage `stage` on its device, if it has one. */
ffebm_status ffebmi_model_make_chip(const ffebm_model *model, ffebm_energy *block, size_t stage);

/* Take memory for what devices alter, of a model that has values. Where a stage's parameters lie as they are in effect, at the
 * offsets that they have in the flat parameters; and make them what they are now. */
ffebm_status ffebmi_model_make_effective(ffebm_model *model);
void *ffebmi_model_in_effect(const ffebm_model *model, const ffebmi_stage *stage);
void ffebmi_model_take_effect(const ffebm_model *model, size_t stage);

/* Does a device, or an update rule of the user's, go by its history? */
bool ffebmi_model_remembers(const ffebm_model *model);

/* Has a parameter an update rule of the user's? And let go of one. */
bool ffebmi_model_has_updates(const ffebm_model *model);
void ffebmi_update_drop(ffebm_context *context, ffebmi_user_update *update);

/* What an optimizer's step asks of a parameter that is written by pulses, beside its values. */
typedef struct ffebmi_pulses {
    const void *before; /* its values that were */
    bool quiet;
    double learning_rate;  /* its own */
    const void *gradients; /* flat */
    const void *totals;    /* likewise, of stages that keep phases; NULL where none does */
} ffebmi_pulses;

/* Is a parameter written by pulses? And write it: its values are what is asked for, and become what there is. */
bool ffebmi_model_pulses(const ffebm_model *model, size_t parameter);
void ffebmi_model_pulse(ffebm_model *model, size_t parameter, const ffebmi_pulses *pulses);

/* Is a stage, or any, written by each nudged phase alone? */
bool ffebmi_model_keeps_phases(const ffebm_model *model, size_t stage);
bool ffebmi_model_keeps_any(const ffebm_model *model);

/* What the model says of how parameters are drawn, for ffebmi_learnable_drawn; NULL if it says nothing. */
const ffebm_initialization *ffebmi_model_initialization(const ffebm_model *model);

/* The caller has changed values: forget what was computed from the old ones. */
void ffebmi_model_touch(ffebm_model *model);

#endif
